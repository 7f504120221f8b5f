//! From a halt to the last cancel at the venue, with 1,000 orders open.
//!
//! The venue refuses to end single orders until the halt, so as many orders are open as risk allows. Half of the rounds
//! begin with the start of `tidegate ctl`, half with the write of the same command to the socket.

use crate::times::spread;
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tidegate_tests::rig::{Adverse, Disk, HostileVenue, Life, Service};

/// Open orders.
const ORDERS: usize = 1_000;
/// Idle clients of the control socket.
const CLIENTS: usize = 1_000;

/// What goes on while the halt comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    Draining,
    FrozenDisk,
    IdleClients,
    DrippingClient,
    ClosedStderr,
    SpinningStage,
}

const TROUBLES: [(Trouble, &str); 7] = [
    (Trouble::None, "nothing"),
    (Trouble::Draining, "draining after SIGTERM"),
    (Trouble::FrozenDisk, "journal on a frozen disk"),
    (Trouble::IdleClients, "1,000 idle clients"),
    (Trouble::DrippingClient, "a client that drips"),
    (Trouble::ClosedStderr, "standard error closed"),
    (Trouble::SpinningStage, "a stage that spins"),
];

/// What the rounds of one row came to.
#[derive(Default)]
struct Row {
    times: Vec<Duration>,
    /// Halts that were answered with "not carried out".
    denied: u64,
    /// Rounds with an order after the last cancel, or one that stayed open.
    late: u64,
}

pub(crate) fn measure(rounds: u64) {
    println!("from the halt to the last of {ORDERS} cancels, ms, {rounds} rounds a row");
    println!(
        "{:<26} {:<18} {:>9} {:>9} {:>9} {:>9} {:>7} {:>6}",
        "while", "with", "ctl p50", "max", "socket p50", "max", "denied", "late"
    );
    for (trouble, name) in TROUBLES {
        let disk = (trouble == Trouble::FrozenDisk).then(|| Disk::new(2_048)).flatten();
        let left_out = match trouble {
            Trouble::FrozenDisk if disk.is_none() => Some("no disk can be frozen here"),
            Trouble::SpinningStage if !cfg!(feature = "deliberate-faults") => {
                Some("no deliberate faults in this build")
            }
            _ => None,
        };
        if let Some(why) = left_out {
            println!("{name:<26} left out: {why}");
            continue;
        }
        for mass in [true, false] {
            let mut rows = [Row::default(), Row::default()];
            for round in 0..rounds {
                for (row, by_process) in rows.iter_mut().zip([true, false]) {
                    one(trouble, mass, by_process, disk.as_ref(), round, row);
                }
            }
            let with = if mass { "one cancel-all" } else { "one cancel an order" };
            let [ctl, socket] = rows;
            let (denied, late) = (ctl.denied + socket.denied, ctl.late + socket.late);
            println!("{name:<26} {with:<18} {} {} {denied:>7} {late:>6}", spread(ctl.times), spread(socket.times));
        }
    }
}

fn service(venue: &HostileVenue, trouble: Trouble, mass: bool, disk: Option<&Disk>, round: u64) -> Service {
    let spin = (trouble == Trouble::SpinningStage).then_some("60000");
    let service = Service::trading(venue.port)
        .with(format!("wire.mass_cancel={mass}"))
        .with(format!("risk.max_open_orders={ORDERS}"))
        .with("random.every=1")
        .with("pipeline.stall_ms=0")
        .with("pipeline.at_stop=leave")
        .with_variable("TIDEGATE_SPIN_AT", spin);
    match disk {
        Some(disk) => service.with_journal(
            disk.path().join(format!("{mass}-{round}-{:?}", Instant::now()).replace([' ', '{', '}', ':'], "")),
        ),
        None => service,
    }
}

/// One round: a run with its orders open, the trouble, the halt.
fn one(trouble: Trouble, mass: bool, by_process: bool, disk: Option<&Disk>, round: u64, row: &mut Row) {
    let venue = HostileVenue::start(Adverse::Nothing);
    venue.seen().holds = true;
    let service = service(&venue, trouble, mass, disk, round);
    let mut life = if trouble == Trouble::ClosedStderr { service.start_unread("1x") } else { service.start("1x") };
    life.until("the open orders", || venue.seen().open().len() >= ORDERS);
    life.until("the control socket", || service.listens());
    let clients = make(trouble, &venue, &service, &life, disk);
    venue.seen().holds = false;
    let open = venue.seen().open();
    let since = Instant::now();
    let in_force = if by_process { service.ctl(&["halt"]).code == Some(0) } else { said(&service) };
    if in_force {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !venue.seen().open().is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(200));
        let seen = venue.seen();
        let last = open.iter().filter_map(|order| seen.ended.get(order)).max().copied();
        let is_late = !seen.open().is_empty() || seen.last_order.zip(last).is_some_and(|(order, last)| order > last);
        row.late += u64::from(is_late);
        row.times.extend(last.map(|last| last.saturating_duration_since(since)));
    } else {
        row.denied += 1;
    }
    drop(clients);
    disk.map(Disk::thaw);
    life.signal(Signal::TERM);
    life.kill();
}

/// Brings the trouble about; the clients that it needs.
fn make(
    trouble: Trouble,
    venue: &HostileVenue,
    service: &Service,
    life: &Life,
    disk: Option<&Disk>,
) -> Vec<UnixStream> {
    let connect = || UnixStream::connect(service.socket());
    match trouble {
        Trouble::None | Trouble::ClosedStderr => {}
        Trouble::Draining => {
            venue.becomes(Adverse::SilentAfter(0));
            std::thread::sleep(Duration::from_millis(50));
            life.signal(Signal::TERM);
            std::thread::sleep(Duration::from_millis(20));
        }
        Trouble::FrozenDisk => {
            assert!(disk.is_some_and(Disk::freeze), "it can be frozen");
            std::thread::sleep(Duration::from_millis(1_500));
        }
        Trouble::IdleClients => {
            let all = getrlimit(Resource::Nofile);
            setrlimit(Resource::Nofile, Rlimit { current: all.maximum, maximum: all.maximum })
                .expect("within the maximum");
            let clients = (0..CLIENTS).map_while(|_| connect().ok()).collect();
            setrlimit(Resource::Nofile, all).expect("as it was");
            return clients;
        }
        Trouble::DrippingClient => {
            let mut client = connect().expect("it listens");
            let mut dripping = client.try_clone().expect("a socket");
            client.write_all(b" ").expect("it is open");
            std::thread::spawn(move || {
                while dripping.write_all(b" ").is_ok() {
                    std::thread::sleep(Duration::from_millis(200));
                }
            });
            return vec![client];
        }
        Trouble::SpinningStage => {
            let (mut last, mut since) = (0, Instant::now());
            while since.elapsed() < Duration::from_millis(400) {
                std::thread::sleep(Duration::from_millis(10));
                let routes = venue.seen().routes;
                if routes != last {
                    (last, since) = (routes, Instant::now());
                }
            }
        }
    }
    Vec::new()
}

/// Writes the command to the socket; whether it was carried out.
fn said(service: &Service) -> bool {
    let answer = service.say(b"{\"action\":\"halt\",\"actor\":\"measure\"}\n");
    answer.is_ok_and(|answer| answer.contains("\"applied\"") || answer.contains("in-force"))
}
