//! What a look of a gateway costs while nothing happens, over the adapter `wire` and a venue on the loopback.
//!
//! A turn allocates nothing and calls the system for one thing alone, to read its socket; a gateway that spins never sleeps and
//! never yields. As in the rest of this binary what is forbidden ends the process.

use crate::{Cost, NOTHING, cost, filtered, sealed_but};
use flow::{Gateway, Params, Venue};
use sinks::wire::VenueEnd;
use sinks::{GatewayIdle, Threading};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tidegate::gateway::{GatewayThread, KillSwitch, Link, Resumption, SessionState, VenueSession, VenueStatus};
use tidegate::pipeline::Slot;

/// So long that no heartbeat is due meanwhile.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Calls that give the core back.
const RESTS: [i64; 7] = [
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_sched_yield,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_epoll_pwait,
    libc::SYS_rt_sigtimedwait,
];

/// A venue that greets one engine and says nothing more; where it listens.
fn venue() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of the loopback");
    let address = listener.local_addr().expect("it is bound").to_string();
    std::thread::spawn(move || {
        let (mut stream, _): (TcpStream, _) = listener.accept().expect("an engine");
        let (mut end, mut chunk) = (VenueEnd::new(0, TIMEOUT), vec![0; 4096]);
        while let Some(n) = stream.read(&mut chunk).ok().filter(|n| *n > 0) {
            end.add(&chunk[..n]);
            while end.take().expect("an engine").is_some() {}
            let left = end.left().len();
            stream.write_all(end.left()).expect("the engine reads");
            end.gave(left);
        }
    });
    address
}

/// A gateway that has not started, and what keeps it alive.
struct Parts {
    session: VenueSession,
    link: Arc<Link>,
    status: Arc<VenueStatus>,
    routes: ring::Consumer<Slot>,
    _ends: (ring::Producer<Slot>, ring::Consumer<Slot>),
}

fn parts() -> Parts {
    let wire = flow::find(sinks::GATEWAYS, "wire").expect("an entry");
    let mut params = Params::defaults(wire.params);
    let timeout = TIMEOUT.as_millis().to_string();
    for (name, value) in [("address", venue()), ("timeout_ms", timeout)] {
        let param = wire.params.iter().find(|param| param.name == name).expect("a parameter");
        params.set(param, param.parse(name, &value).expect("a value"));
    }
    let venue: Box<dyn Venue> = (wire.open)(&params).expect("valid parameters");
    let (to_gateway, routes) = ring::channel(ring::Kind::Phase, 64).expect("a ring");
    let (to_head, answers) = ring::channel(ring::Kind::Phase, 64).expect("a ring");
    let (link, status) = (Arc::new(Link::default()), Arc::new(VenueStatus::default()));
    let switch = Arc::new(KillSwitch::default());
    switch.set_gateways(1);
    let session = VenueSession::new(Gateway::new(0), venue, to_head, Arc::clone(&link), switch, Arc::clone(&status));
    Parts { session, link, status, routes, _ends: (to_gateway, answers) }
}

/// The same with an open session.
fn opened() -> Parts {
    let mut parts = parts();
    parts.session.begin(Resumption::default(), []);
    let begun = Instant::now();
    while parts.status.session() != SessionState::Open {
        parts.session.turn(Instant::now()).expect("the venue is there");
        assert!(begun.elapsed() < Duration::from_secs(20), "no session");
    }
    parts
}

fn turns(parts: &mut Parts, count: usize) {
    for _ in 0..count {
        parts.session.turn(Instant::now()).expect("the venue is there");
    }
}

/// Turns without allocations and faults; then without any system call but the reading of the socket, and of a clock where the
/// kernel's is not the processor's.
pub(crate) fn measure_turns() {
    let mut parts = opened();
    turns(&mut parts, 100);
    let few: Cost = cost(|| turns(&mut parts, 1_000));
    let tenfold = cost(|| turns(&mut parts, 10_000));
    assert_eq!((few, tenfold), (NOTHING, NOTHING));
    sealed_but(&[libc::SYS_recvfrom, libc::SYS_clock_gettime], || {
        let mut parts = opened();
        turns(&mut parts, 100);
        move || {
            turns(&mut parts, 10_000);
            parts
        }
    });
}

/// A gateway that trades for a while on a thread that may not give its core back.
pub(crate) fn measure_rests(idle: GatewayIdle) {
    let done = std::thread::spawn(move || {
        let Parts { session, link, status, routes, _ends } = parts();
        link.begin(Resumption::default());
        // A thread has the filter of the one that starts it.
        filtered(&RESTS);
        let threading = Threading { core: None, idle };
        let thread = GatewayThread::spawn(("wire", threading), session, routes, link, Arc::clone(&status));
        (thread.expect("a thread"), status, _ends)
    });
    let (_thread, status, _ends) = done.join().expect("it has started the gateway");
    let begun = Instant::now();
    while status.session() != SessionState::Open {
        assert!(begun.elapsed() < Duration::from_secs(20), "no session");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(status.session(), SessionState::Open);
    std::process::exit(0);
}
