//! A venue that is silent, violates its protocol or forgets; a gateway that panics.

use super::*;

/// It greets and is silent: the session counts as broken, is opened anew, and the run's end is obeyed.
#[test]
fn a_venue_that_greets_and_is_silent_is_left() {
    let mut bench = Bench::new(Script { is_silent: true, ..knowing(&[5]) });
    bench.route(&route(1, 5, Action::New));
    bench.link.begin(Resumption { through: 3, ..Resumption::default() });
    let lost = bench.inputs(1)[0];
    assert_eq!((lost.0, lost.2), (Kind::Anomaly, AnomalyKind::SessionLost as u8));
    wait(|| count(&bench.did(), &Did::Resumed(Some(0))) > 1, "another session");
    let begun = Instant::now();
    bench.end(Ending::Orderly).1.expect("nothing was to be cancelled");
    assert!(begun.elapsed() < Duration::from_secs(1));
}

/// A silent venue confirms no cancel: that is said, with the orders.
#[test]
fn what_is_not_confirmed_is_said() {
    let mut bench = Bench::new(Script { is_silent: true, ..Script::default() });
    bench.link.begin(Resumption::default());
    bench.route(&route(1, 5, Action::New));
    bench.inputs(1);
    bench.switch.pull();
    bench.wait_for(&Did::CancelledAll);
    let begun = Instant::now();
    let ended = bench.end(Ending::Orderly).1.unwrap_err().to_string();
    assert!(ended.contains("CANCEL ALL ORDERS BY HAND") && ended.contains("1 orders may be open: 0x5"), "{ended}");
    assert!(begun.elapsed() < Duration::from_secs(1));
}

/// A violation of the protocol ends the session for good; everything is cancelled over a new one.
#[test]
fn a_violation_of_the_protocol_cancels_all_over_a_new_session() {
    let bench = Bench::new(Script { is_faulty: true, ..Script::default() });
    bench.link.begin(Resumption::default());
    bench.wait_for(&Did::Asked(0));
    let (did, ended) = bench.end(Ending::Failed);
    assert_eq!(did, [Did::Resumed(Some(0)), Did::Resumed(None), Did::CancelledAll, Did::Asked(0)]);
    assert!(matches!(ended, Err(GatewayError::Cancelled { .. })), "{ended:?}");
}

/// A venue that is not ours is asked for a cancel once; without orders of ours nobody is told to cancel by hand.
#[test]
fn a_venue_that_refuses_us_is_left_at_once() {
    let bench = Bench::new(Script { refuses: true, ..Script::default() });
    bench.link.begin(Resumption::default());
    wait(|| bench.thread.worker.is_finished(), "the end");
    let (did, ended) = bench.end(Ending::Failed);
    assert_eq!(did, [Did::Resumed(Some(0)), Did::Resumed(None)]);
    let ended = ended.unwrap_err().to_string();
    assert!(ended.contains("gone") && !ended.contains("BY HAND"), "{ended}");
}

/// An order that is not answered in time is an anomaly and is asked for; the venue does not know it.
#[test]
fn an_order_without_an_answer_is_asked_for() {
    for (knows, left) in [(true, 1), (false, 0)] {
        let answer = Some(Duration::from_millis(20));
        let mut bench = Bench::new(Script { answer, ..knowing(if knows { &[5] } else { &[] }) });
        bench.link.begin(Resumption::default());
        bench.route(&route(1, 5, Action::New));
        let late = (Kind::Anomaly, 5, AnomalyKind::UnansweredOrder as u8);
        assert_eq!(bench.inputs(2), [(Kind::Sent, 5, NEW), late]);
        bench.wait_for(&Did::Asked(5));
        if !knows {
            assert_eq!(bench.inputs(1), [(Kind::Reject, 5, NEW)]);
        }
        wait(|| bench.status.unanswered() == left && bench.status.open_orders() == left, "the status");
        assert_eq!(bench.status.late(), 1);
        bench.end(Ending::Orderly).1.expect("it ends in order");
    }
}

/// Where an answer may take for ever, a session of any length remembers no times.
#[test]
fn only_what_is_waited_for_is_remembered() {
    for (answer, remembered) in [(None, 0), (Some(Duration::from_secs(60)), 40)] {
        let script = Script { answer, ..Script::default() };
        let venue = Scripted::new(Arc::default(), script);
        let (to, _answers) = ring::channel(ring::Kind::Phase, 64).expect("a ring");
        let mut session =
            VenueSession::new(Gateway::new(0), Box::new(venue), to, Arc::default(), Arc::default(), Arc::default());
        session.begin(Resumption::default(), []);
        for n in 1..=40 {
            session.route(route(n, n, Action::New));
            session.turn(Instant::now()).expect("the venue works");
        }
        while session.turn(Instant::now()).expect("the venue works") {}
        assert_eq!(session.sent_at.len(), remembered);
    }
}

#[test]
fn a_panic_of_the_gateway_is_found() {
    let bench = Bench::new(Script { panics: true, ..Script::default() });
    bench.link.begin(Resumption::default());
    wait(|| bench.thread.worker.is_finished(), "the panic");
    assert!(matches!(bench.end(Ending::Failed).1, Err(GatewayError::Panicked(_))));
}
