//! A halt with several gateways: each hands its cancels to its own socket, and one that stands still holds up no other.
//!
//! Two venues in the process of the test and the simulated exchange, each with a strategy of its own. The figures are those
//! from the start of `tidegate ctl` to the last cancel at each venue.

use crate::{AT_ONCE, commanded, inputs, outcomes};
use flow::records::{Ack, Cancelled, Command, Fill, Reject, Route};
use flow::{Action, CommandAction, Event, SIMULATED_EXCHANGE};
use rustix::process::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tidegate_tests::rig::{Adverse, HostileVenue, Life, Service};
use tidegate_tests::run;

/// Orders that are open at each venue when the halt comes.
const ORDERS: usize = 60;

fn service([east, west]: [&HostileVenue; 2], preset: &str, mass: bool, idle: &str) -> Service {
    let venue = |name: &str, port: u16| {
        format!(
            "[[venue]]\nuse = \"wire\"\nname = \"{name}\"\naddress = \"127.0.0.1:{port}\"\ntimeout_ms = 500\n\
             mass_cancel = {mass}\nidle = \"{idle}\"\n"
        )
    };
    let strategy = |name: &str, more: &str| {
        format!(
            "[[strategy]]\nuse = \"random\"\nname = \"{name}\"\nevery = 8\nmax_position = 900000\nmax_open = 100\n{more}\n"
        )
    };
    Service::new(format!(
        "[pipeline]\nstages = [\"book\", \"of-east\", \"of-west\", \"of-paper\", \"orders\", \"risk\", \"router\"]\n\
         clock = \"wall\"\nstall_ms = 0\npreset = \"{preset}\"\n[router]\nvenue = \"east\"\n{}{}{}{}{}\
         [account.3]\nmode = \"paper\"\n\
         [risk]\nmax_quantity = 5000\nmax_notional = 100000000\ncollar_bps = 5000\nmax_position = 1000000\n\
         max_messages = 4000\nmax_data_age_ms = 60000\n[journal]\nsegment_records = 16384\nroll = \"never\"\n\
         [[input]]\nfeed = \"synthetic\"\nmessages = 1000000000\nsymbols = 4\nlive_orders = 400\n",
        venue("east", east.port),
        venue("west", west.port),
        strategy("of-east", "account = 1"),
        strategy("of-west", "account = 2\nvenue = \"west\""),
        strategy("of-paper", "account = 3"),
    ))
}

/// A life with orders open everywhere, which the venues end from now on.
fn trading(venues: [&HostileVenue; 2], service: &Service) -> Life {
    venues.iter().for_each(|venue| venue.seen().holds = true);
    let mut life = service.start("1x");
    life.until("orders at both", || venues.iter().all(|venue| venue.seen().open().len() >= ORDERS));
    life.until("the control socket", || service.listens());
    life.until("orders at the simulated exchange", || service.status()["trading"]["open_orders"].as_u64() > Some(0));
    venues.iter().for_each(|venue| venue.seen().holds = false);
    life
}

/// How long after `since` the last order ended there; the other way round it is no answer to the halt.
#[track_caller]
fn last_cancel(venue: &HostileVenue, since: Instant) -> Duration {
    let last = venue.seen().ended.values().max().copied().expect("an order was cancelled");
    last.checked_duration_since(since).expect("it was cancelled by the halt")
}

/// The simulated exchange has ended every order that it was sent, and was sent none behind the halt.
#[track_caller]
fn simulated_orders_ended(service: &Service) {
    let (inputs, outcomes) = (inputs(&service.journal()), outcomes(&service.journal()));
    let is_halt = |e: &&Event| e.get::<Command>().is_some_and(|c| c.action == CommandAction::Halt.code());
    let halt = inputs.iter().find(is_halt).expect("a halt").id.seq();
    let route = |e: &Event| {
        let route = e.get::<Route>().filter(|r| r.venue == SIMULATED_EXCHANGE && Action::makes_an_order(r.action))?;
        Some((route.order_id, route.qty.0, e.id.seq()))
    };
    let sent: Vec<(u64, u64, u64)> = outcomes.iter().filter_map(route).collect();
    assert!(sent.len() > 10 && sent.iter().all(|(.., seq)| *seq < halt), "{} orders", sent.len());
    let (mut filled, mut over) = (BTreeMap::<u64, u64>::new(), BTreeSet::new());
    for input in &inputs {
        if let Some(fill) = input.get::<Fill>() {
            *filled.entry(fill.order_id).or_default() += fill.qty.0;
        }
        over.extend(input.get::<Cancelled>().map(|c| c.order_id));
        over.extend(input.get::<Reject>().filter(|r| r.action != Action::Cancel.code()).map(|r| r.order_id));
        if let Some(ack) = input.get::<Ack>().filter(|ack| ack.replaces != 0 && over.insert(ack.replaces)) {
            // What was filled of the one before is of the one in its place too.
            let before = filled.get(&ack.replaces).copied().unwrap_or(0);
            *filled.entry(ack.order_id).or_default() += before;
        }
    }
    let open = |(id, qty, _): &&(u64, u64, u64)| !over.contains(id) && filled.get(id).is_none_or(|filled| filled < qty);
    assert_eq!(sent.iter().find(open), None, "an order is open at the simulated exchange");
}

/// Nothing is open anywhere, no order comes any more, and the journal has the halt and repeats.
#[track_caller]
fn rests(mut life: Life, venues: [&HostileVenue; 2], service: &Service) {
    life.until("the end of all orders at the venues", || venues.iter().all(|venue| venue.seen().open().is_empty()));
    let orders = venues.map(|venue| venue.seen().orders());
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(venues.map(|venue| venue.seen().orders()), orders, "orders after the halt");
    assert_eq!(venues.map(|venue| venue.seen().twice), [0, 0]);
    life.stop(Signal::TERM);
    assert_eq!(commanded(&service.journal(), CommandAction::Halt), 1);
    simulated_orders_ended(service);
    service.about(&["replay", "--verify", "--journal"]).expect(0);
    service.about(&["replay", "--verify", "--set", "east.idle=spin", "--set", "west.core=0", "--journal"]).expect(0);
}

#[test]
fn a_halt_reaches_every_venue_in_time() {
    // Two gateways that spin take all of two cores, and nobody waits for them.
    for (preset, mass, idle) in [("fused", true, "sleep"), ("split", false, "sleep"), ("fused", false, "spin")] {
        let [east, west] = [0; 2].map(|_| HostileVenue::start(Adverse::Nothing));
        let (venues, service) = ([&east, &west], service([&east, &west], preset, mass, idle));
        let mut life = trading(venues, &service);
        let open = venues.map(|venue| venue.seen().open().len());
        let since = Instant::now();
        service.ctl(&["halt"]).expect(0);
        let answered = since.elapsed();
        life.until("the end of all orders", || venues.iter().all(|venue| venue.seen().open().is_empty()));
        let last = venues.map(|venue| last_cancel(venue, since));
        println!(
            "{preset}, mass cancel {mass}, idle {idle}: {open:?} orders, the last ones cancelled {last:?} after the start of ctl, which took {answered:?}"
        );
        assert!(last.iter().all(|last| *last < AT_ONCE), "{last:?}");
        assert!(venues.iter().all(|venue| venue.seen().cancel_alls.is_empty() != mass));
        rests(life, venues, &service);
    }
}

/// One venue gives no session any more, or its connection is not read: the cancels of the other do not wait.
#[test]
fn a_gateway_that_stands_still_holds_no_halt_of_another_up() {
    for (trouble, has_session) in [(Adverse::NoHello, false), (Adverse::Slow(Duration::from_secs(3)), true)] {
        let [east, west] = [0; 2].map(|_| HostileVenue::start(Adverse::Nothing));
        let (venues, service) = ([&east, &west], service([&east, &west], "fused", true, "sleep"));
        let mut life = trading(venues, &service);
        east.becomes(trouble);
        if !has_session {
            east.hang_up();
        }
        std::thread::sleep(Duration::from_millis(100));
        let since = Instant::now();
        let journal = service.journal();
        let asked = std::thread::spawn(move || run(["ctl".as_ref(), journal.as_os_str(), "halt".as_ref()]));
        life.until("the end of the orders there", || west.seen().open().is_empty());
        let halt = asked.join().expect("it does not panic");
        let last = last_cancel(&west, since);
        println!("{trouble:?} at one venue: the last order at the other cancelled {last:?} after the start of ctl");
        assert!(last < AT_ONCE, "{last:?}");
        // Carried out is a halt where every gateway has handed over its cancels, and only there.
        assert_eq!(halt.code, Some(if has_session { 0 } else { 1 }), "{halt:?}");
        assert!(has_session || halt.stderr.contains("no cancel has reached the venue yet"), "{halt:?}");
        east.becomes(Adverse::Nothing);
        rests(life, venues, &service);
    }
}
