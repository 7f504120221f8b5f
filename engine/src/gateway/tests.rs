//! The gateway against a scripted venue.

use super::{Ending, GatewayError, GatewayThread, Link, Resumption, VenueSession};
use crate::pipeline::Slot;
use flow::records::{Ack, Reject, Route, Sent};
use flow::{
    Action, Approved, Event, EventId, Flags, Kind, Ns, OrderId, RejectReason, Side, Venue, VenueError, VenueReply,
};
use ring::{Consumer, Producer};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the venue was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Did {
    Resumed(u64),
    Sent(u64),
    Asked(u64),
    CancelledAll,
}

/// A scripted venue: it knows the orders in `knows`, and its connection breaks after `breaks` sends.
struct Scripted {
    did: Arc<Mutex<Vec<Did>>>,
    knows: Vec<u64>,
    breaks: Option<usize>,
    replies: VecDeque<VenueReply>,
    given: Vec<Event>,
}

impl Scripted {
    fn note(&self, did: Did) {
        self.did.lock().expect("no thread panics while it holds the lock").push(did);
    }
}

fn broken(transient: bool) -> VenueError {
    VenueError { what: "gone".to_owned(), place: "script".to_owned(), next: "wait", transient }
}

impl Venue for Scripted {
    fn resume(&mut self, received: u64) -> Result<u64, VenueError> {
        self.note(Did::Resumed(received));
        self.replies = self.given[received as usize..].iter().map(|e| VenueReply::Numbered(*e)).collect();
        Ok(self.given.len() as u64)
    }
    fn send(&mut self, route: &Approved<Event>) -> Result<(), VenueError> {
        if let Some(left) = &mut self.breaks {
            if *left == 0 {
                self.breaks = None;
                return Err(broken(true));
            }
            *left -= 1;
        }
        self.note(Did::Sent(route.get().record::<Route>().order_id));
        Ok(())
    }
    fn query(&mut self, order_id: OrderId) -> Result<(), VenueError> {
        self.note(Did::Asked(order_id.0));
        self.replies.push_back(VenueReply::OrderStatus { order_id, known: self.knows.contains(&order_id.0) });
        Ok(())
    }
    fn poll(&mut self) -> Result<Option<VenueReply>, VenueError> {
        Ok(self.replies.pop_front())
    }
    fn cancel_all(&mut self) -> Result<(), VenueError> {
        self.note(Did::CancelledAll);
        Ok(())
    }
}

fn route(seq: u64, order_id: u64, action: Action) -> Event {
    let record = Route { order_id, action: action.code(), ..Route::default() };
    let mut event = Event::new(Ns(1), 7, Flags::side_only(Side::Buy), &record);
    event.id = EventId::new(seq, 9, 0);
    event
}

fn ack(number: u64, order_id: u64, cause: &Event) -> Event {
    let record = Ack { order_id, cause: cause.id.0, ..Ack::default() };
    Event { id: EventId(number), ..Event::new(Ns(0), 7, Flags::side_only(Side::Buy), &record) }
}

/// A running gateway and both its rings.
struct Bench {
    did: Arc<Mutex<Vec<Did>>>,
    link: Arc<Link>,
    routes: Producer<Slot>,
    answers: Consumer<Slot>,
    thread: GatewayThread,
}

impl Bench {
    fn new(knows: &[u64], breaks: Option<usize>, given: &[Event]) -> Bench {
        let (did, link) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Link::default()));
        let venue = Scripted {
            did: Arc::clone(&did),
            knows: knows.to_vec(),
            breaks,
            replies: VecDeque::new(),
            given: given.to_vec(),
        };
        let (routes, from) = ring::channel(ring::Kind::Phase, 64).expect("a ring");
        let (to, answers) = ring::channel(ring::Kind::Phase, 64).expect("a ring");
        let session = VenueSession::new(Box::new(venue), to, Arc::clone(&link));
        let thread = GatewayThread::spawn("script", session, from, Arc::clone(&link)).expect("a thread");
        Bench { did, link, routes, answers, thread }
    }

    fn route(&mut self, route: &Event) {
        self.routes.try_publish(&Slot(*route)).expect("room");
    }

    /// Waits for `n` inputs: kind, order, action.
    fn inputs(&mut self, n: usize) -> Vec<(Kind, u64, u8)> {
        let (mut inputs, begun) = (Vec::new(), Instant::now());
        while inputs.len() < n {
            assert!(begun.elapsed() < Duration::from_secs(20), "got {inputs:?} only");
            let _ = self.answers.take(64, |slot| inputs.push(slot.0));
            std::thread::yield_now();
        }
        let parts = |e: &Event| match e.kind {
            Kind::Sent => (e.kind, e.record::<Sent>().order_id, e.record::<Sent>().action),
            Kind::Reject => {
                assert_eq!(e.record::<Reject>().reason, RejectReason::NeverSent.code());
                (e.kind, e.record::<Reject>().order_id, e.record::<Reject>().action)
            }
            _ => (e.kind, 0, 0),
        };
        inputs.iter().map(parts).collect()
    }

    fn end(self, ending: Ending) -> (Vec<Did>, Result<(), GatewayError>) {
        let ended = self.thread.end(ending);
        (self.did.lock().expect("no thread panics while it holds the lock").clone(), ended)
    }
}

const NEW: u8 = Action::New as u8;
const CANCEL: u8 = Action::Cancel as u8;

#[test]
fn an_orderly_end_leaves_orders_and_a_failed_pipeline_cancels_all_once() {
    for (ending, cancels) in [(Ending::Orderly, 0), (Ending::Failed, 1)] {
        let mut bench = Bench::new(&[], None, &[]);
        bench.link.begin(Resumption::default());
        bench.route(&route(1, 5, Action::New));
        assert_eq!(bench.inputs(1), [(Kind::Sent, 5, NEW)]);
        let (did, ended) = bench.end(ending);
        assert!(ended.is_ok());
        assert_eq!(did.iter().filter(|d| **d == Did::CancelledAll).count(), cancels, "{ending:?}: {did:?}");
    }
}

#[test]
fn a_ring_closed_without_notice_is_a_failed_pipeline() {
    let mut bench = Bench::new(&[], None, &[]);
    bench.link.begin(Resumption::default());
    bench.route(&route(1, 5, Action::New));
    bench.inputs(1);
    let Bench { did, routes, thread, .. } = bench;
    drop(routes);
    let begun = Instant::now();
    while !did.lock().expect("no thread panics while it holds the lock").contains(&Did::CancelledAll) {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing was cancelled");
        std::thread::yield_now();
    }
    thread.end(Ending::Failed).expect("it ended");
    assert_eq!(
        did.lock()
            .expect("no thread panics while it holds the lock")
            .iter()
            .filter(|d| **d == Did::CancelledAll)
            .count(),
        1
    );
}

/// The connection breaks while an order is sent: the venue is queried about it, and it is never sent again, whether the
/// venue has it or not.
#[test]
fn a_send_that_breaks_is_queried() {
    for (knows, kind) in [(true, Kind::Sent), (false, Kind::Reject)] {
        let mut bench = Bench::new(if knows { &[5, 6] } else { &[5] }, Some(1), &[]);
        bench.link.begin(Resumption::default());
        for (seq, order) in [(1, 5), (2, 6), (3, 7)] {
            bench.route(&route(seq, order, Action::New));
        }
        assert_eq!(bench.inputs(3), [(Kind::Sent, 5, NEW), (kind, 6, NEW), (Kind::Sent, 7, NEW)]);
        let (did, _) = bench.end(Ending::Orderly);
        let expected = [Did::Resumed(0), Did::Sent(5), Did::Resumed(0), Did::Asked(5), Did::Asked(6), Did::Sent(7)];
        assert_eq!(did, expected);
    }
}

/// Routes that the replay repeats are not sent: settled ones are skipped, the rest are queried or rejected.
#[test]
fn recovery_never_sends() {
    let all: Vec<Event> = [
        (1, 5, Action::New),
        (2, 6, Action::New),
        (3, 7, Action::New),
        (4, 5, Action::Cancel),
        (5, 0, Action::CancelAll),
    ]
    .map(|(seq, order, action)| route(seq, order, action))
    .to_vec();
    let mut bench = Bench::new(&[5, 6], None, &[ack(1, 5, &all[0]), ack(2, 6, &all[1])]);
    all.iter().for_each(|route| bench.route(route));
    bench.route(&route(9, 8, Action::New));
    bench.link.begin(Resumption { received: 1, settled: all[0].id, through: 8, ..Resumption::default() });
    let inputs = bench.inputs(6);
    let all = Action::CancelAll.code();
    let expected = [
        (Kind::Ack, 0, 0),
        (Kind::Sent, 6, NEW),
        (Kind::Reject, 7, NEW),
        (Kind::Reject, 5, CANCEL),
        (Kind::Sent, 0, all),
        (Kind::Sent, 8, NEW),
    ];
    assert_eq!(inputs, expected);
    let (did, _) = bench.end(Ending::Orderly);
    assert_eq!(did, [Did::Resumed(1), Did::Asked(6), Did::Asked(7), Did::CancelledAll, Did::Sent(8)]);
}

/// A late answer shows that a cancel was sent after all.
#[test]
fn a_cancel_in_doubt_that_was_answered_was_sent() {
    let cancel = route(2, 5, Action::Cancel);
    let late = flow::records::Cancelled { order_id: 5, cause: cancel.id.0, ..Default::default() };
    let late = Event { id: EventId(1), ..Event::new(Ns(0), 7, Flags::NONE, &late) };
    let mut bench = Bench::new(&[], None, &[late]);
    bench.route(&cancel);
    bench.link.begin(Resumption { through: 2, ..Resumption::default() });
    assert_eq!(bench.inputs(2), [(Kind::Cancelled, 0, 0), (Kind::Sent, 5, CANCEL)]);
    bench.end(Ending::Orderly).1.expect("it ends in order");
}

/// Orders of an earlier journal are cancelled and queried before anything new is sent.
#[test]
fn orders_of_an_earlier_journal_are_cancelled_first() {
    let mut bench = Bench::new(&[3], None, &[]);
    bench.route(&route(9, 8, Action::New));
    let ask = vec![OrderId(3), OrderId(4)];
    bench.link.begin(Resumption { cancel_first: true, ask, ..Resumption::default() });
    assert_eq!(bench.inputs(2), [(Kind::Sent, 0, Action::CancelAll.code()), (Kind::Sent, 8, NEW)]);
    let (did, _) = bench.end(Ending::Orderly);
    assert_eq!(did, [Did::Resumed(0), Did::CancelledAll, Did::Asked(3), Did::Asked(4), Did::Sent(8)]);
}
