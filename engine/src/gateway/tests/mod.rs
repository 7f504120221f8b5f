//! The gateway against a scripted venue.

mod pulls;
mod spinning;
mod trouble;
mod unnumbered;

use super::{
    DefinitionSink, Ending, GatewayError, GatewayThread, KillSwitch, Link, Resumption, VenueSession, VenueStatus,
    settles,
};
use crate::pipeline::Slot;
use flow::records::{Ack, Anomaly, Listing, Name, Reject, Route, Sent};
use flow::{
    Action, AnomalyKind, Approved, Event, EventId, Flags, Gateway, Kind, Known, KnownOrder, NameSpace, Ns, OpenOrder,
    Opened, OrderAnswer, OrderId, Patience, Qty, RejectReason, Side, Sink, Venue, VenueError, VenueReply,
};
use ring::{Consumer, Producer};
use sinks::{GatewayIdle, Threading};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the venue was asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Did {
    Defined(Kind, u32),
    Resumed(Option<u64>),
    Sent(u64),
    Asked(u64),
    Cancelled(u64),
    CancelledAll,
}

/// What a scripted venue does.
#[derive(Clone, Default)]
struct Script {
    /// Orders that it knows.
    knows: Vec<u64>,
    /// Its connection breaks after so many routes.
    breaks: Option<usize>,
    /// Answers that it has given.
    given: Vec<Event>,
    /// It opens a session and then says nothing.
    is_silent: bool,
    /// Its first answer in a session is not of the protocol.
    is_faulty: bool,
    /// It refuses every session.
    refuses: bool,
    /// It has no cancel of all orders.
    by_order: bool,
    /// How long a route may be unanswered.
    answer: Option<Duration>,
    /// It panics when it is asked for a message.
    panics: bool,
    /// What its gateway does while there is nothing to do.
    idle: GatewayIdle,
}

struct Scripted {
    did: Arc<Mutex<Vec<Did>>>,
    script: Script,
    replies: VecDeque<VenueReply>,
    /// How often it was asked for a message.
    polls: Arc<AtomicU64>,
    /// The connection broke while a route was handed over.
    is_broken: bool,
}

impl Scripted {
    fn new(did: Arc<Mutex<Vec<Did>>>, script: Script) -> Scripted {
        Scripted { did, script, replies: VecDeque::new(), polls: Arc::default(), is_broken: false }
    }

    fn note(&self, did: Did) {
        self.did.lock().expect("no thread panics while it holds the lock").push(did);
    }
}

fn failed(transient: bool) -> VenueError {
    VenueError { what: "gone".to_owned(), place: "script".to_owned(), next: "wait", transient }
}

impl Venue for Scripted {
    fn patience(&self) -> Patience {
        let reply = Duration::from_millis(100);
        Patience { reply, answer: self.script.answer, session: Duration::from_millis(500) }
    }
    fn define(&mut self, definition: &Event) {
        self.note(Did::Defined(definition.kind, definition.instrument));
    }
    fn resume(&mut self, how: &Known) -> Result<Option<Opened>, VenueError> {
        self.note(Did::Resumed(how.received));
        if self.script.refuses {
            return Err(failed(false));
        }
        let given = &self.script.given;
        let again = how.received.map_or(&[][..], |received| &given[received as usize..]);
        self.replies = again.iter().map(|e| VenueReply::Answer(*e)).collect();
        Ok(Some(Opened::Numbered(given.len() as u64)))
    }
    fn send(&mut self, route: &Approved<Event>) {
        if self.script.breaks == Some(0) {
            (self.script.breaks, self.is_broken) = (None, true);
            return;
        }
        self.script.breaks = self.script.breaks.map(|left| left - 1);
        let record: &Route = route.get().record();
        self.note(match Action::from_code(record.action) {
            Some(Action::CancelAll) => Did::CancelledAll,
            _ => Did::Sent(record.order_id),
        });
    }
    fn ask(&mut self, order_id: OrderId) {
        self.note(Did::Asked(order_id.0));
        let is = OrderAnswer::known(self.script.knows.contains(&order_id.0));
        self.replies.push_back(VenueReply::Status { order_id, is });
    }
    fn cancels_all(&self) -> bool {
        !self.script.by_order
    }
    fn cancel_all(&mut self) {
        self.note(Did::CancelledAll);
    }
    fn cancel(&mut self, order: &OpenOrder) {
        self.note(Did::Cancelled(order.order_id.0));
    }
    fn flush(&mut self) -> Result<bool, VenueError> {
        if std::mem::take(&mut self.is_broken) { Err(failed(true)) } else { Ok(true) }
    }
    fn poll(&mut self) -> Result<Option<VenueReply>, VenueError> {
        assert!(!self.script.panics, "the script says so");
        self.polls.fetch_add(1, Ordering::Relaxed);
        if std::mem::take(&mut self.script.is_faulty) {
            return Err(failed(false));
        }
        Ok(if self.script.is_silent { None } else { self.replies.pop_front() })
    }
    fn silence(&self) -> Option<Duration> {
        None
    }
}

fn route(seq: u64, order_id: u64, action: Action) -> Event {
    let makes = matches!(action, Action::New | Action::Replace);
    let record = Route { order_id, qty: Qty(u64::from(makes)), action: action.code(), ..Route::default() };
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
    switch: Arc<KillSwitch>,
    status: Arc<VenueStatus>,
    polls: Arc<AtomicU64>,
    routes: Producer<Slot>,
    answers: Consumer<Slot>,
    thread: GatewayThread,
}

impl Bench {
    fn new(script: Script) -> Bench {
        let did = Arc::new(Mutex::new(Vec::new()));
        let (link, switch, status) =
            (Arc::new(Link::default()), Arc::new(KillSwitch::default()), Arc::new(VenueStatus::default()));
        switch.set_gateways(1);
        let threading = Threading { core: None, idle: script.idle };
        let venue = Scripted::new(Arc::clone(&did), script);
        let polls = Arc::clone(&venue.polls);
        let (routes, from) = ring::channel(ring::Kind::Phase, 64).expect("a ring");
        let (to, answers) = ring::channel(ring::Kind::Phase, 64).expect("a ring");
        let published = Arc::clone(&status);
        let gateway = Gateway::new(0);
        let session =
            VenueSession::new(gateway, Box::new(venue), to, Arc::clone(&link), Arc::clone(&switch), published);
        let (shared, published) = (Arc::clone(&link), Arc::clone(&status));
        let thread = GatewayThread::spawn(("script", threading), session, from, shared, published).expect("a thread");
        Bench { did, link, switch, status, polls, routes, answers, thread }
    }

    /// What the venue was asked to do so far.
    fn did(&self) -> Vec<Did> {
        self.did.lock().expect("no thread panics while it holds the lock").clone()
    }

    /// Waits until it has been asked to do that.
    fn wait_for(&self, what: &Did) {
        wait(|| self.did().contains(what), &format!("{what:?}"));
    }

    fn route(&mut self, route: &Event) {
        self.routes.try_publish(&Slot(*route)).expect("room");
    }

    /// Waits for `n` inputs.
    fn events(&mut self, n: usize) -> Vec<Event> {
        let mut inputs: Vec<Event> = Vec::new();
        let begun = Instant::now();
        while inputs.len() < n {
            assert!(begun.elapsed() < Duration::from_secs(20), "got {inputs:?} only");
            let _ = self.answers.take(64, |slot| inputs.push(slot.0));
            std::thread::yield_now();
        }
        inputs
    }

    /// Waits for `n` inputs: kind, order, action; of an anomaly what and detail.
    fn inputs(&mut self, n: usize) -> Vec<(Kind, u64, u8)> {
        let parts = |e: &Event| match e.kind {
            Kind::Sent => (e.kind, e.record::<Sent>().order_id, e.record::<Sent>().action),
            Kind::Reject => {
                assert_eq!(e.record::<Reject>().reason, RejectReason::NeverSent.code());
                (e.kind, e.record::<Reject>().order_id, e.record::<Reject>().action)
            }
            Kind::Anomaly => (e.kind, e.record::<Anomaly>().detail, e.record::<Anomaly>().what as u8),
            _ => (e.kind, 0, 0),
        };
        self.events(n).iter().map(parts).collect()
    }

    fn end(self, ending: Ending) -> (Vec<Did>, Result<(), GatewayError>) {
        let ended = self.thread.end(ending);
        (self.did.lock().expect("no thread panics while it holds the lock").clone(), ended)
    }
}

fn wait(mut until: impl FnMut() -> bool, what: &str) {
    let begun = Instant::now();
    while !until() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} does not happen");
        std::thread::sleep(Duration::from_micros(200));
    }
}

const NEW: u8 = Action::New as u8;
const CANCEL: u8 = Action::Cancel as u8;

fn knowing(knows: &[u64]) -> Script {
    Script { knows: knows.to_vec(), ..Script::default() }
}

fn count(did: &[Did], what: &Did) -> usize {
    did.iter().filter(|d| *d == what).count()
}

#[test]
fn an_orderly_end_leaves_orders_and_a_failed_pipeline_cancels_all_once() {
    for (ending, cancels) in [(Ending::Orderly, 0), (Ending::Failed, 1)] {
        let mut bench = Bench::new(Script::default());
        bench.link.begin(Resumption::default());
        bench.route(&route(1, 5, Action::New));
        assert_eq!(bench.inputs(1), [(Kind::Sent, 5, NEW)]);
        let (did, ended) = bench.end(ending);
        assert!(ended.is_ok(), "{ended:?}");
        assert_eq!(count(&did, &Did::CancelledAll), cancels, "{ending:?}: {did:?}");
    }
}

#[test]
fn the_venue_knows_an_instrument_before_its_first_order() {
    let mut bench = Bench::new(Script::default());
    let mut sink = DefinitionSink::new(Arc::clone(&bench.link));
    let symbol = Event::new(Ns(1), 7, Flags::NONE, &Name::default());
    let actor = Name { space: NameSpace::Actor.code(), ..Name::default() };
    let listing = Event::new(Ns(1), 7, Flags::LAST_OF_GROUP, &Listing::default());
    for event in [symbol, Event::new(Ns(1), 0, Flags::NONE, &actor), listing] {
        assert!(sink.kinds().has(event.kind) && sink.is_prompt());
        sink.take(&event).expect("it takes all");
    }
    bench.link.begin(Resumption::default());
    bench.route(&route(1, 5, Action::New));
    bench.inputs(1);
    let (did, _) = bench.end(Ending::Orderly);
    let (name, listing) = (Did::Defined(Kind::Name, 7), Did::Defined(Kind::Listing, 7));
    assert_eq!(did, [name, listing, Did::Resumed(Some(0)), Did::Sent(5)]);
}

#[test]
fn a_ring_closed_without_notice_is_a_failed_pipeline() {
    let mut bench = Bench::new(Script::default());
    bench.link.begin(Resumption::default());
    bench.route(&route(1, 5, Action::New));
    bench.inputs(1);
    let Bench { did, routes, thread, .. } = bench;
    drop(routes);
    let did = || did.lock().expect("no thread panics while it holds the lock").clone();
    wait(|| did().contains(&Did::CancelledAll), "a cancel of all");
    thread.end(Ending::Failed).expect("it ended");
    assert_eq!(count(&did(), &Did::CancelledAll), 1);
}

/// The connection breaks while an order is sent: the venue is queried about it, and it is never sent again, whether the
/// venue has it or not. The head learns that the session was lost and is back.
#[test]
fn a_send_that_breaks_is_queried() {
    for (knows, kind) in [(true, Kind::Sent), (false, Kind::Reject)] {
        let mut bench = Bench::new(Script { breaks: Some(1), ..knowing(if knows { &[5, 6] } else { &[5] }) });
        bench.link.begin(Resumption::default());
        for (seq, order) in [(1, 5), (2, 6), (3, 7)] {
            bench.route(&route(seq, order, Action::New));
        }
        let mut inputs = bench.inputs(5);
        let (lost, back) = (inputs.remove(1), inputs.remove(2));
        assert_eq!(inputs, [(Kind::Sent, 5, NEW), (kind, 6, NEW), (Kind::Sent, 7, NEW)]);
        assert_eq!((lost.2, back.2), (AnomalyKind::SessionLost as u8, AnomalyKind::SessionBack as u8));
        assert_eq!((bench.status.lost(), bench.status.back()), (1, 1));
        let (did, _) = bench.end(Ending::Orderly);
        let again = Did::Resumed(Some(0));
        assert_eq!(did, [again.clone(), Did::Sent(5), again, Did::Asked(5), Did::Asked(6), Did::Sent(7)]);
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
    let given = vec![ack(1, 5, &all[0]), ack(2, 6, &all[1])];
    let mut bench = Bench::new(Script { given, ..knowing(&[5, 6]) });
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
    assert_eq!(did, [Did::Resumed(Some(1)), Did::Asked(6), Did::Asked(7), Did::CancelledAll, Did::Sent(8)]);
}

/// A late answer shows that a cancel was sent after all.
#[test]
fn a_cancel_in_doubt_that_was_answered_was_sent() {
    let cancel = route(2, 5, Action::Cancel);
    let late = flow::records::Cancelled { order_id: 5, cause: cancel.id.0, ..Default::default() };
    let late = Event { id: EventId(1), ..Event::new(Ns(0), 7, Flags::NONE, &late) };
    let mut bench = Bench::new(Script { given: vec![late], ..Script::default() });
    bench.route(&cancel);
    bench.link.begin(Resumption { through: 2, ..Resumption::default() });
    assert_eq!(bench.inputs(2), [(Kind::Cancelled, 0, 0), (Kind::Sent, 5, CANCEL)]);
    bench.end(Ending::Orderly).1.expect("it ends in order");
}

/// Orders of an earlier journal are cancelled and queried before anything new is sent.
#[test]
fn orders_of_an_earlier_journal_are_cancelled_first() {
    for by_order in [false, true] {
        let mut bench = Bench::new(Script { by_order, ..knowing(&[3]) });
        bench.route(&route(9, 8, Action::New));
        let order = |id| KnownOrder {
            order: OpenOrder { order_id: OrderId(id), instrument: 7, side: Side::Buy },
            qty: Qty(1),
            acknowledged: false,
            executed: Qty(0),
            matches: Vec::new(),
        };
        bench.link.begin(Resumption { cancel_first: true, ask: vec![order(3), order(4)], ..Resumption::default() });
        // That they are settled enters last: until then another start asks for them again.
        assert_eq!(bench.inputs(2), [(Kind::Sent, 0, Action::CancelAll.code()), (Kind::Sent, 8, NEW)]);
        let (did, _) = bench.end(Ending::Orderly);
        let cancels = if by_order { vec![Did::Cancelled(3), Did::Cancelled(4)] } else { vec![Did::CancelledAll] };
        let rest = vec![Did::Asked(3), Did::Asked(4), Did::Sent(8)];
        assert_eq!(did, [vec![Did::Resumed(Some(0))], cancels, rest].concat());
    }
}
