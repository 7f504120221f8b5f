//! The kill switch: what leaves after a pull, what is held back, and what a restart makes of it.

use super::*;
use crate::gateway::{Answers, LiveVenueReplies};

const ALL: u8 = Action::CancelAll as u8;

#[test]
fn a_pull_cancels_at_once_and_holds_back_what_was_approved_before_its_command() {
    let mut bench = Bench::new(Script::default());
    bench.link.begin(Resumption::default());
    bench.route(&route(1, 5, Action::New));
    assert_eq!(bench.inputs(1), [(Kind::Sent, 5, NEW)]);
    let pull = bench.switch.pull();
    bench.wait_for(&Did::CancelledAll);
    wait(|| bench.switch.is_carried_out(pull), "carried out");
    // The pipeline has approved these; the command is not stored yet. A cancel still passes.
    bench.route(&route(2, 6, Action::New));
    bench.route(&route(3, 7, Action::Replace));
    bench.route(&route(4, 5, Action::Cancel));
    let held = [(Kind::Reject, 6, NEW), (Kind::Reject, 7, Action::Replace as u8), (Kind::Sent, 5, CANCEL)];
    assert_eq!(bench.inputs(3), held);
    // It is stored as 9: what came before is held back, its own cancel-all is given as sent, what comes later passes.
    bench.switch.store(pull, 9);
    bench.route(&route(8, 8, Action::New));
    bench.route(&route(9, 0, Action::CancelAll));
    bench.route(&route(10, 9, Action::New));
    assert_eq!(bench.inputs(3), [(Kind::Reject, 8, NEW), (Kind::Sent, 0, ALL), (Kind::Sent, 9, NEW)]);
    // A cancel-all without a pull goes out.
    bench.route(&route(11, 0, Action::CancelAll));
    assert_eq!(bench.inputs(1), [(Kind::Sent, 0, ALL)]);
    let sent = [Did::Sent(5), Did::CancelledAll, Did::Sent(5), Did::Sent(9), Did::CancelledAll];
    assert_eq!(bench.did()[1..], sent);
}

#[test]
fn two_pulls_hold_until_both_commands_are_stored() {
    let mut bench = Bench::new(Script::default());
    bench.link.begin(Resumption::default());
    let pulls = [bench.switch.pull(), bench.switch.pull()];
    wait(|| bench.switch.is_carried_out(pulls[1]), "carried out");
    bench.switch.store(pulls[1], 4);
    bench.route(&route(5, 6, Action::New));
    assert_eq!(bench.inputs(1), [(Kind::Reject, 6, NEW)]);
    bench.switch.store(pulls[0], 7);
    bench.route(&route(7, 0, Action::CancelAll));
    bench.route(&route(8, 7, Action::New));
    assert_eq!(bench.inputs(2), [(Kind::Sent, 0, ALL), (Kind::Sent, 7, NEW)]);
}

/// A second pull for the same command sends the cancels again, and that one command opens the gate.
#[test]
fn a_pull_that_is_repeated_waits_for_one_command() {
    let mut bench = Bench::new(Script::default());
    bench.link.begin(Resumption::default());
    let pull = bench.switch.pull();
    wait(|| bench.switch.is_carried_out(pull), "carried out");
    let again = bench.switch.pull_again();
    wait(|| bench.switch.is_carried_out(again), "carried out again");
    assert_eq!(count(&bench.did(), &Did::CancelledAll), 2);
    bench.route(&route(3, 5, Action::New));
    bench.switch.store(pull, 4);
    bench.route(&route(5, 6, Action::New));
    assert_eq!(bench.inputs(2), [(Kind::Reject, 5, NEW), (Kind::Sent, 6, NEW)]);
}

#[test]
fn a_venue_without_a_cancel_of_all_gets_one_cancel_for_each_open_order() {
    let mut bench = Bench::new(Script { by_order: true, ..Script::default() });
    bench.link.begin(Resumption::default());
    (1..=40).for_each(|n| bench.route(&route(n, n, Action::New)));
    bench.inputs(40);
    let pull = bench.switch.pull();
    wait(|| bench.switch.is_carried_out(pull), "carried out");
    let did = bench.did();
    let cancels: Vec<Did> = (1..=40).map(Did::Cancelled).collect();
    assert_eq!(did[did.len() - 40..], cancels);
    let ended = bench.end(Ending::Orderly).1.unwrap_err().to_string();
    assert!(ended.contains("CANCEL ALL ORDERS BY HAND") && ended.contains("40 orders may be open"), "{ended}");
}

#[test]
fn a_pull_during_the_replay_cancels_over_a_session_of_its_own() {
    let mut bench = Bench::new(Script::default());
    let pull = bench.switch.pull();
    wait(|| bench.switch.is_carried_out(pull), "carried out");
    assert_eq!(bench.did(), [Did::Resumed(None), Did::CancelledAll, Did::Asked(0)]);
    bench.route(&route(9, 8, Action::New));
    bench.link.begin(Resumption { through: 3, ..Resumption::default() });
    assert_eq!(bench.inputs(1), [(Kind::Reject, 8, NEW)]);
    assert_eq!(bench.did()[3..], [Did::Resumed(Some(0))]);
    // Where that is not possible, the cancels are the first thing after the replay.
    let mut bench = Bench::new(Script { by_order: true, ..knowing(&[5]) });
    let pull = bench.switch.pull();
    bench.route(&route(1, 5, Action::New));
    bench.link.begin(Resumption { through: 3, ..Resumption::default() });
    bench.inputs(1);
    assert!(bench.switch.is_carried_out(pull));
    assert_eq!(bench.did(), [Did::Resumed(Some(0)), Did::Cancelled(5), Did::Asked(5)]);
}

/// A venue that refuses us is tried again at a pace, and the first refusal is said.
#[test]
fn a_pull_during_the_replay_pauses_after_a_refusal() {
    let bench = Bench::new(Script { refuses: true, ..Script::default() });
    bench.switch.pull();
    let refusals = |bench: &Bench| count(&bench.did(), &Did::Resumed(None));
    wait(|| refusals(&bench) >= 3, "another attempt");
    std::thread::sleep(Duration::from_millis(250));
    assert!(refusals(&bench) < 10, "{} attempts", refusals(&bench));
    let said = std::iter::from_fn(|| bench.status.take_notice()).count();
    assert_eq!(said, 1);
    let ended = bench.end(Ending::Orderly).1.unwrap_err().to_string();
    assert!(ended.contains("BY HAND") && ended.contains("had not shown which are open"), "{ended}");
}

/// Where orders are cancelled one by one, a run that ends during its replay has cancelled none and says so.
#[test]
fn a_cancel_that_could_not_be_made_is_not_confirmed() {
    let bench = Bench::new(Script { by_order: true, ..Script::default() });
    bench.switch.pull();
    std::thread::sleep(Duration::from_millis(50));
    let (did, ended) = bench.end(Ending::Orderly);
    let ended = ended.unwrap_err().to_string();
    assert!(ended.contains("BY HAND") && ended.contains("had not shown which are open"), "{ended}");
    assert_eq!(did, []);
}

/// A replay that fails leaves what is open as it was, and says so; one that is stopped has nothing to say.
#[test]
fn a_failed_replay_says_that_nothing_was_cancelled() {
    let (did, ended) = Bench::new(Script::default()).end(Ending::Failed);
    assert!(matches!(ended, Err(GatewayError::Unreplayed)) && did.is_empty(), "{ended:?} {did:?}");
    let (did, ended) = Bench::new(Script::default()).end(Ending::Orderly);
    assert!(ended.is_ok() && did.is_empty(), "{ended:?} {did:?}");
}

/// Pulls the switch of a gateway whose head takes nothing and whose ring is full, and waits until that is carried out.
pub(super) fn pulled_while_the_head_stands_still(script: Script) -> Bench {
    let mut bench = Bench::new(script);
    bench.link.begin(Resumption::default());
    for n in 1..=200 {
        let event = route(n, n, Action::New);
        wait(|| bench.routes.try_publish(&Slot(event)).is_ok(), "room for a route");
    }
    let pull = bench.switch.pull();
    wait(|| bench.switch.is_carried_out(pull), "carried out");
    bench.wait_for(&Did::CancelledAll);
    bench
}

#[test]
fn a_pull_does_not_wait_for_a_head_that_stands_still() {
    pulled_while_the_head_stands_still(Script::default());
}

/// What the head makes of inputs, as after a restart: where the gateway resumes.
fn resumed(inputs: &[Event], through: u64) -> Resumption {
    let (_, inbox) = ring::channel(ring::Kind::Phase, 64).expect("a ring");
    let link = Arc::new(Link::default());
    let mut replies = LiveVenueReplies::new(Gateway::new(0), Answers::Record(inbox), Arc::clone(&link), 64);
    inputs.iter().for_each(|input| replies.replay(input));
    assert!(replies.has_begun(through, true).expect("there is no gateway to fail"));
    link.take_resumption().expect("it has begun")
}

/// A route is answered once its `sent` and its answer have entered, in either order; an answer of an earlier journal to a route
/// of that number answers none.
#[test]
fn a_route_is_answered_whichever_enters_first() {
    let (route, no) = (route(3, 5, Action::New), Flags::NONE);
    let given = |order_id, cause| Event {
        source: flow::SOURCE_RETURNS,
        ..Event::new(Ns(0), 7, no, &flow::records::Ack { order_id, cause, ..Default::default() })
    };
    let (sent, ack, other) = (super::super::settling::sent(&route), given(5, route.id.0), given(6, route.id.0));
    let open = |inputs: &[Event]| resumed(inputs, 3).unanswered.len();
    assert_eq!(open(&[sent]), 1);
    assert_eq!([open(&[sent, ack]), open(&[ack, sent])], [0, 0]);
    assert_eq!([open(&[sent, other]), open(&[other, sent]), open(&[other, sent, ack])], [1, 1, 0]);
}

/// One life: a halt between orders. Returns the inputs that the gateway made, in order, and what the venue was sent.
pub(super) fn life(by_order: bool, idle: GatewayIdle) -> (Vec<Event>, Vec<Did>) {
    let mut bench = Bench::new(Script { by_order, idle, ..Script::default() });
    bench.link.begin(Resumption::default());
    bench.route(&route(1, 5, Action::New));
    bench.route(&route(2, 6, Action::New));
    let mut inputs = bench.events(2);
    let pull = bench.switch.pull();
    wait(|| bench.switch.is_carried_out(pull), "carried out");
    bench.route(&route(3, 7, Action::New));
    inputs.extend(bench.events(1));
    bench.switch.store(pull, 4);
    bench.route(&route(4, 0, Action::CancelAll));
    bench.route(&route(5, 8, Action::New));
    inputs.extend(bench.events(2));
    (inputs, bench.end(Ending::Orderly).0)
}

/// Killed after any number of inputs was stored: the next life settles every route exactly once, sends no order again, and
/// cancels everything unless the record says that this was done.
#[test]
fn killed_between_any_two_steps_of_a_pull_nothing_is_sent_twice_or_left_open() {
    let routes = [(1, 5, NEW), (2, 6, NEW), (3, 7, NEW), (4, 0, ALL), (5, 8, NEW)];
    for by_order in [false, true] {
        let (inputs, did) = life(by_order, GatewayIdle::Sleep);
        let sent = |did: &[Did], id| count(did, &Did::Sent(id));
        assert_eq!([5, 6, 7, 8].map(|id| sent(&did, id)), [1, 1, 0, 1], "{did:?}");
        for stored in 0..=inputs.len() {
            let recorded = &inputs[..stored];
            // The venue has what was sent before the kill, whether it is recorded or not.
            let mut bench = Bench::new(Script { by_order, ..knowing(&[5, 6, 8]) });
            for (seq, order, action) in routes {
                bench.route(&route(seq, order, Action::from_code(action).expect("an action")));
            }
            bench.link.begin(resumed(recorded, 5));
            let again = bench.events(inputs.len() - stored);
            let settled: Vec<u64> = recorded.iter().chain(&again).map(|e| settles(e).expect("it settles")).collect();
            let expected: Vec<u64> = routes.iter().map(|(seq, order, a)| settling(*seq, *order, *a)).collect();
            assert_eq!(settled, expected, "stored {stored}");
            let (did, _) = bench.end(Ending::Orderly);
            assert!(![5, 6, 7, 8].iter().any(|id| sent(&did, *id) > 0), "stored {stored}: {did:?}");
            let cancelled = did.iter().any(|d| matches!(d, Did::CancelledAll | Did::Cancelled(_)));
            assert_eq!(cancelled, stored < 4, "stored {stored}: {did:?}");
        }
    }
}

fn settling(seq: u64, order: u64, action: u8) -> u64 {
    route(seq, order, Action::from_code(action).expect("an action")).id.0
}
