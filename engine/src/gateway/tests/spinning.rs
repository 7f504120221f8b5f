//! A gateway that spins: it does what one that sleeps does, keeps to its pace, and is in nobody's way.

use super::super::pace::EVERY;
use super::pulls::{life, pulled_while_the_head_stands_still};
use super::*;

const SPINS: GatewayIdle = GatewayIdle::Spin;

fn spinning() -> Script {
    Script { idle: SPINS, ..Script::default() }
}

/// A halt between orders: the same inputs for the head, and the same for the venue, however the gateway waits.
#[test]
fn what_enters_and_what_leaves_does_not_depend_on_how_it_waits() {
    for by_order in [false, true] {
        let (inputs, did) = life(by_order, GatewayIdle::Sleep);
        let (same, done) = life(by_order, SPINS);
        let bytes =
            |inputs: &[Event]| inputs.iter().map(|input| bytemuck::bytes_of(input).to_vec()).collect::<Vec<_>>();
        assert_eq!((bytes(&inputs), did), (bytes(&same), done), "by order {by_order}");
    }
}

/// A route that the script breaks at, an answer that is missing, a head that stands still: as with one that sleeps.
#[test]
fn trouble_is_met_as_by_one_that_sleeps() {
    let mut bench = Bench::new(Script { breaks: Some(1), idle: SPINS, ..knowing(&[5, 6]) });
    bench.link.begin(Resumption::default());
    for (seq, order) in [(1, 5), (2, 6), (3, 7)] {
        bench.route(&route(seq, order, Action::New));
    }
    let sent: Vec<u64> = bench.inputs(5).iter().filter(|of| of.0 == Kind::Sent).map(|of| of.1).collect();
    assert_eq!((sent, bench.status.lost(), bench.status.back()), (vec![5, 6, 7], 1, 1));
    bench.end(Ending::Orderly).1.expect("it ends in order");
    let mut bench = Bench::new(Script { answer: Some(Duration::from_millis(20)), ..spinning() });
    bench.link.begin(Resumption::default());
    bench.route(&route(1, 5, Action::New));
    assert_eq!(bench.inputs(3).last(), Some(&(Kind::Reject, 5, NEW)));
    bench.end(Ending::Orderly).1.expect("it ends in order");
}

/// The head takes nothing and its ring is full, and the gateway spins: a pull is carried out, and a stop ends it.
#[test]
fn a_pull_and_a_stop_are_obeyed_at_once() {
    let bench = pulled_while_the_head_stands_still(spinning());
    let begun = Instant::now();
    let _ = bench.end(Ending::Failed);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    // While it waits for the replay too, and where the ring of routes closes without notice.
    let begun = Instant::now();
    assert!(Bench::new(spinning()).end(Ending::Orderly).1.is_ok());
    let bench = Bench::new(spinning());
    bench.link.begin(Resumption::default());
    let Bench { routes, thread, .. } = bench;
    drop(routes);
    wait(|| thread.worker.is_finished(), "the end");
    thread.end(Ending::Failed).expect("it ended");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

/// While nothing happens it asks the venue for messages no more often than its pace says, and much more often than a sleeper.
#[test]
fn it_asks_the_venue_at_its_pace() {
    let asked = |idle: GatewayIdle| {
        let mut bench = Bench::new(Script { idle, ..Script::default() });
        bench.link.begin(Resumption::default());
        bench.route(&route(1, 5, Action::New));
        bench.inputs(1);
        std::thread::sleep(Duration::from_millis(5));
        let (before, begun) = (bench.polls.load(Ordering::Relaxed), Instant::now());
        std::thread::sleep(Duration::from_millis(100));
        let polls = bench.polls.load(Ordering::Relaxed) - before;
        let most = begun.elapsed().as_nanos() / EVERY.as_nanos() + 1;
        bench.end(Ending::Orderly).1.expect("it ends in order");
        (u128::from(polls), most)
    };
    let (spins, most) = asked(SPINS);
    let (sleeps, _) = asked(GatewayIdle::Sleep);
    assert!(spins <= most, "{spins} of {most}");
    assert!(spins > 2 * sleeps && sleeps > 0, "{spins} and {sleeps}");
}
