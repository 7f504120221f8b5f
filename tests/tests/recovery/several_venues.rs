//! Three strategies at three venues in one run: two behind gateways, each in a process with a ledger of its own, and the
//! simulated exchange.
//!
//! The run is killed, a venue hangs up, a venue stands still: each on its own. In the end nothing was sent twice anywhere,
//! every answer of either venue stands once in the input log, positions and fees are those of each ledger, and the journal
//! repeats to the byte. While one venue stands still the strategies of the others go on. Seeds are printed.

use crate::venue_kills::{Life, Service};
use flow::records::{Cancelled, Command, Fill, Refused, Route};
use flow::{Gateway, Kind, Kinds, OrderId, SIMULATED_EXCHANGE, StrategyId};
use sinks::journal::{Follow, Followed, JournalReader, verify};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};
use tidegate_tests::journals::{check, logs};
use tidegate_tests::ledger::{compared_at, is_answer, is_settled};
use tidegate_tests::{Scratch, Venue, amount, draw, run, seed, tidegate};

/// The numbers that the strategies get, in the order of their tables.
const EAST: u64 = 32;
const WEST: u64 = 33;
const PAPER: u64 = 34;

fn service([east, west]: [&Venue; 2], seed: u64, preset: &str) -> Service {
    let strategy = |name: &str, more: &str| {
        format!(
            "[[strategy]]\nuse = \"random\"\nname = \"{name}\"\nevery = 60\nseed = {seed}\nmax_position = 5000\n{more}\n"
        )
    };
    let venue = |name: &str, port: u16| {
        format!("[[venue]]\nuse = \"wire\"\nname = \"{name}\"\naddress = \"127.0.0.1:{port}\"\ntimeout_ms = 400\n")
    };
    let config = format!(
        "[pipeline]\nstages = [\"book\", \"of-east\", \"of-west\", \"of-paper\", \"orders\", \"risk\", \"router\"]\n\
         clock = \"wall\"\npreset = \"{preset}\"\n[journal]\nsegment_records = 8192\n\
         [router]\nvenue = \"east\"\n{}{}{}{}{}[account.3]\nmode = \"paper\"\n\
         [risk]\nmax_quantity = 5000\nmax_notional = 100000000\ncollar_bps = 5000\nmax_position = 6000\n\
         max_open_orders = 200\nmax_messages = 4000\nthrottle_window_ms = 100\nmax_data_age_ms = 60000\n\
         [[input]]\nfeed = \"synthetic\"\nseed = {seed}\nmessages = 1000000000\nsymbols = 4\nlive_orders = 400\n",
        venue("east", east.port),
        venue("west", west.port),
        strategy("of-east", "account = 1"),
        strategy("of-west", "account = 2\nvenue = \"west\""),
        strategy("of-paper", "account = 3"),
    );
    Service { folder: Scratch::new(), config, binary: tidegate().to_owned(), lives: 0, rolls: false }
}

/// Waits until each venue has another session.
fn open(life: &mut Life, venues: &mut [Venue; 2], before: [u64; 2]) {
    life.wait_until(|| venues.iter_mut().zip(before).all(|(venue, before)| venue.count("sessions") > before));
}

fn sessions(venues: &mut [Venue; 2]) -> [u64; 2] {
    [0, 1].map(|at: usize| venues[at].count("sessions"))
}

/// One life: started, disturbed at one venue, and killed.
fn live_and_die(service: &mut Service, venues: &mut [Venue; 2], random: &mut u64) {
    let before = sessions(venues);
    let mut life = service.start("run", &[]);
    let at = draw(random, 2) as usize;
    match draw(random, 4) {
        // While it starts, or repeats its record.
        0 => std::thread::sleep(Duration::from_micros(draw(random, 60_000))),
        1 => {
            open(&mut life, venues, before);
            venues[at].send("hang-up");
            life.wait_until(|| venues[at].count("sessions") > before[at] + 1);
            std::thread::sleep(Duration::from_micros(draw(random, 60_000)));
        }
        _ => {
            let point = ["hello", "route", "half", "written"][draw(random, 4) as usize];
            let after = if point == "hello" { 0 } else { draw(random, 60) };
            venues[at].send(&format!("kill {} {after} {point}", life.child.id()));
            let begun = Instant::now();
            life.wait_until(|| begun.elapsed() > Duration::from_millis(500));
            venues[at].send("disarm");
        }
    }
    life.kill();
    for venue in venues {
        assert_eq!(venue.count("duplicates"), 0, "something was sent twice");
    }
}

/// Where a run ends: its journal, the gateway of each venue there, and how many answers of each stand in an earlier journal.
#[derive(Clone, Copy)]
struct There {
    journal: &'static str,
    gateways: [usize; 2],
    earlier: [usize; 2],
}

impl There {
    const ONE_JOURNAL: There = There { journal: "run", gateways: [0, 1], earlier: [0; 2] };

    /// How many answers of each venue are recorded.
    fn recorded(&self, service: &Service) -> [usize; 2] {
        let [inputs, _] = logs(&service.path(self.journal));
        let of = |at: usize| inputs.iter().filter(|input| is_answer(input, Gateway::new(self.gateways[at]))).count();
        [0, 1].map(|at| of(at) + self.earlier[at])
    }
}

/// The last lives: the venues fall silent, the run stops in order, and everything is compared.
fn conclude(service: &mut Service, venues: &mut [Venue; 2], there: There) {
    let journal = there.journal;
    let before = sessions(venues);
    let mut life = service.start(journal, &[]);
    open(&mut life, venues, before);
    std::thread::sleep(Duration::from_millis(100));
    venues.iter_mut().for_each(|venue| venue.send("quiet"));
    std::thread::sleep(Duration::from_millis(50));
    life.stop();
    // What the venues send after a run has stopped is taken by the next one.
    for _ in 0..10 {
        let given = [0, 1].map(|at: usize| venues[at].answers(&service.path("given")).len());
        let is_settled = |at: &usize| is_settled(&service.path(journal), Gateway::new(*at));
        if there.recorded(service) == given && there.gateways.iter().all(is_settled) {
            break;
        }
        let before = sessions(venues);
        let mut last = service.start(journal, &[]);
        open(&mut last, venues, before);
        last.stop();
    }
    check(&service.path(journal));
    for (at, strategy) in [EAST, WEST].into_iter().enumerate() {
        let ledger = venues[at].ledger();
        assert!(ledger["fills"].as_u64().expect("a number") > 0, "no fills: {ledger}");
        let of = |of: u64| of == strategy;
        let gateway = Gateway::new(there.gateways[at]);
        compared_at(&service.path(journal), (gateway, &of), &mut venues[at], &ledger, there.earlier[at]);
    }
    let [inputs, outcomes] = logs(&service.path(journal));
    let paper = |id: u64| u64::from(OrderId(id).strategy().0) == PAPER;
    let routes = outcomes.iter().filter_map(|event| event.get::<Route>());
    let simulated: Vec<_> =
        routes.filter(|route| route.venue == SIMULATED_EXCHANGE && route.order_id >> 40 != 0).collect();
    assert!(simulated.iter().all(|route| paper(route.order_id)), "only what is paper goes to the simulated exchange");
    let fills =
        inputs.iter().filter(|input| input.source == flow::SOURCE_RETURNS).filter_map(|input| input.get::<Fill>());
    let fills = fills.inspect(|fill| assert!(paper(fill.order_id))).count();
    println!("{} orders and {fills} fills at the simulated exchange", simulated.len());
    assert!(fills > 0);
}

#[test]
fn at_three_venues_nothing_is_sent_twice_or_lost() {
    let mut random = seed();
    for journal in 0..amount(6, 300).div_ceil(20) {
        let [east, west] = [1, 2].map(|n| Venue::start(env!("CARGO_BIN_EXE_test-venue"), random.wrapping_add(n)));
        let preset = ["fused", "split"][journal as usize % 2];
        let mut service = service([&east, &west], random >> 32, preset);
        let mut venues = [east, west];
        for _ in 0..amount(6, 20) {
            live_and_die(&mut service, &mut venues, &mut random);
            let journal = service.path("run");
            if draw(&mut random, 4) == 0 && verify(&journal, 1).is_ok_and(|v| v.inputs.records > 0) {
                run([Path::new("snapshot"), Path::new("--journal"), &journal]).expect(0);
            }
        }
        conclude(&mut service, &mut venues, There::ONE_JOURNAL);
    }
}

/// How many inputs a journal begins with that it carries over, and how many it has.
fn first_inputs(journal: &Path) -> (u64, u64) {
    let inputs = JournalReader::open(journal).map(|reader| reader.inputs());
    let inputs: Vec<_> = inputs.into_iter().flatten().map_while(Result::ok).collect();
    (inputs.first().map_or(0, |first| first.record::<Command>().target.into()), inputs.len() as u64)
}

/// The new journal is killed at moments before its venues have said anything: while its first inputs enter, and behind them.
/// Without the earlier journal nobody goes on with it.
fn dies_before_the_venues_answer(service: &mut Service, venues: &[Venue; 2], over: &[&str], random: &mut u64) {
    venues.iter().for_each(|venue| venue.freeze(true));
    let next = service.path("next");
    for _ in 0..4 {
        let mut life = service.start("next", over);
        life.wait_until(|| next.join("journal.toml").exists());
        std::thread::sleep(Duration::from_micros(draw(random, 300_000)));
        life.kill();
        let (first, all) = first_inputs(&next);
        println!("killed after {all} inputs of {first}");
    }
    let mut life = service.start("next", over);
    life.wait_until(|| matches!(first_inputs(&next), (first, all) if first > 0 && all > first));
    life.kill();
    let mut alone = service.start("next", &[]);
    alone.wait_until(|| false);
    assert!(alone.output().contains("start it again with --carry-over"), "{}", alone.output());
    venues.iter().for_each(|venue| venue.freeze(false));
}

/// A new configuration, in which the gateways have each other's number, begins a new journal: what is open at a venue is
/// cancelled there and asked for, whenever the new one is killed, and each answer is taken once, by the name of its venue.
#[test]
fn what_is_open_at_each_venue_is_carried_over_by_its_name() {
    let mut random = seed();
    for _ in 0..amount(1, 20) {
        let [east, west] = [1, 2].map(|n| Venue::start(env!("CARGO_BIN_EXE_test-venue"), random.wrapping_add(n)));
        let mut service = service([&east, &west], random >> 32, "fused");
        let mut venues = [east, west];
        for _ in 0..2 {
            live_and_die(&mut service, &mut venues, &mut random);
        }
        let before = sessions(&mut venues);
        let mut life = service.start("run", &[]);
        open(&mut life, &mut venues, before);
        let mut has_open = |at: usize| venues[at].ledger()["open"].as_array().is_some_and(|open| open.len() > 5);
        life.wait_until(|| has_open(0) && has_open(1));
        life.kill();
        let earlier = There::ONE_JOURNAL.recorded(&service);
        let left = [0, 1].map(|at: usize| venues[at].ledger()["open"].clone());
        let swapped = service.config.replace("[router]\nvenue = \"east\"", "[router]\nvenue = \"west\"");
        service.config = swapped.replace("account = 1\n", "account = 1\nvenue = \"east\"\n");
        let old = service.path("run");
        let over = ["--carry-over", old.to_str().expect("UTF-8")];
        dies_before_the_venues_answer(&mut service, &venues, &over, &mut random);
        for at in 0..draw(&mut random, 3) {
            let mut life = service.start("next", &over);
            venues[at as usize].send(&format!("kill {} {} asked", life.child.id(), draw(&mut random, 20)));
            let begun = Instant::now();
            life.wait_until(|| begun.elapsed() > Duration::from_millis(500));
            venues[at as usize].send("disarm");
            life.kill();
        }
        let before = sessions(&mut venues);
        let mut life = service.start("next", &over);
        open(&mut life, &mut venues, before);
        std::thread::sleep(Duration::from_millis(300));
        life.kill();
        let [inputs, _] = logs(&service.path("next"));
        let over: BTreeSet<u64> = inputs.iter().filter_map(|e| Some(e.get::<Cancelled>()?.order_id)).collect();
        for (venue, left) in venues.iter_mut().zip(&left) {
            let (ledger, all) = (venue.ledger(), left.as_array().expect("a list"));
            let was_asked = |id: &&serde_json::Value| ledger["asked"].as_array().expect("a list").contains(id);
            let (asked, not): (Vec<_>, Vec<_>) = all.iter().partition(was_asked);
            println!("{} of {} were asked for", asked.len(), all.len());
            assert!(not.iter().all(|id| over.contains(&id.as_u64().expect("an id"))), "not asked for: {not:?}");
        }
        conclude(&mut service, &mut venues, There { journal: "next", gateways: [1, 0], earlier });
        for (venue, left) in venues.iter_mut().zip(left) {
            let ledger = venue.ledger();
            let still = |id: &&serde_json::Value| ledger["open"].as_array().expect("a list").contains(id);
            assert_eq!(left.as_array().expect("a list").iter().filter(still).count(), 0, "old orders are open");
        }
    }
}

/// Whether an order was refused because the session with its venue is lost.
fn is_for_a_lost_session(refused: &Refused) -> bool {
    let venue = stages::risk::CHECKS.iter().find(|check| check.name == "venue").expect("there is one").number;
    refused.check == venue && refused.value == 1
}

fn is_lost(found: &Followed) -> bool {
    matches!(found, Followed::Event(event) if event.get::<Refused>().is_some_and(is_for_a_lost_session))
}

/// One venue stands still: the orders that would go there are refused, and the others go on.
#[test]
fn a_venue_that_stands_still_holds_nobody_else_up() {
    let random = seed();
    let [east, west] = [1, 2].map(|n| Venue::start(env!("CARGO_BIN_EXE_test-venue"), random.wrapping_add(n)));
    let mut service = service([&east, &west], random >> 32, "fused");
    // What rests at one venue must not use up what may rest at all of them.
    service.config = service.config.replace("max_open_orders = 200", "max_open_orders = 10000");
    // A strategy with as many orders open as it may have orders nothing: so nothing would be refused while its venue stands still.
    service.config = service.config.replace("max_position = 5000\n", "max_position = 5000\nmax_open = 256\n");
    // Orders that one venue does not answer are said before its session is lost; they block nothing at the others.
    service.config = service.config.replace("timeout_ms = 400", "timeout_ms = 400\nanswer_ms = 150");
    let (mut venues, dir) = ([east, west], service.path("run"));
    let mut life = service.start("run", &[]);
    open(&mut life, &mut venues, [0, 0]);
    venues[0].freeze(true);
    let output = life.output.clone();
    let said = || std::fs::read_to_string(&output).unwrap_or_default();
    life.wait_until(|| said().contains("no session with the venue east"));
    // The gateway says it before the pipeline knows: what is refused for it is the sign that it does.
    let mut refusals = Follow::open(&dir, Kinds::of(&[Kind::Refused])).expect("a journal");
    life.wait_until(|| refusals.by_ref().any(|found| is_lost(&found.expect("a whole record"))));
    let orders = venues[1].count("orders");
    life.wait_until(|| venues[1].count("orders") > orders + 50);
    venues[0].freeze(false);
    let again = venues[0].count("orders");
    life.wait_until(|| venues[0].count("orders") > again + 20);
    life.kill();
    conclude(&mut service, &mut venues, There::ONE_JOURNAL);
    let [_, outcomes] = logs(&dir);
    let refused =
        outcomes.iter().filter_map(|event| event.get::<Refused>()).filter(|refused| is_for_a_lost_session(refused));
    let lost: Vec<_> = refused.map(|refused| OrderId(refused.order_id).strategy()).collect();
    assert!(!lost.is_empty(), "nothing was refused while the venue stood still");
    assert!(lost.iter().all(|strategy| *strategy == StrategyId(EAST as u16)), "{lost:?}");
}
