//! The gateway's dialogue with a venue, one session after another.
//!
//! A session opens with the number of answers received; the venue resends the rest. Then routes in doubt are settled in
//! the order in which they were routed: the venue is asked for a new order or a replace by our own id, a cancel is
//! rejected as never sent unless the venue has answered it, a cancel-all is sent again. Only then are new routes sent. When
//! the connection breaks, routes sent but unanswered are in doubt, and the next session begins the same way. The kill switch
//! is looked at in every turn and before every route; after a pull the cancels go first, whatever else waits.
//!
//! A venue that numbers nothing is asked for every order instead, and what it does not tell is made (`reconcile`). All times
//! are those of the turn, which the caller says.
//!
//! Bound: one entry per order in flight and per open order. Worst case: a turn that cancels every open order by itself.

mod answers;
mod asking;
mod cancels;
mod reconcile;
mod schedule;
mod told;

use super::fence::Fence;
use super::kill_switch::KillSwitch;
use super::last_cancel::LastCancel;
use super::link::{Link, Resumption};
use super::open_orders::OpenOrders;
use super::outbox::Outbox;
use super::settling::{Unanswered, makes_an_order, never_sent, returned, sent};
use super::venue_status::{SessionState, VenueStatus};
use crate::pipeline::Slot;
use asking::Asking;
use flow::records::{Route, Sent};
use flow::{
    Action, AnomalyKind, Approved, Event, Flags, Gateway, Known, OpenOrder, Opened, OrderId, Venue, VenueError,
};
use ring::Producer;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Pause between two attempts to open a session, and the pause after a pull.
const PAUSE: Duration = Duration::from_millis(100);
const SHORT_PAUSE: Duration = Duration::from_millis(5);

/// A route that the venue may or may not have.
struct Doubt {
    /// Its `sent` input, whether recorded or not.
    sent: Event,
    /// Whether that input is in the journal.
    recorded: bool,
    /// Whether the venue knows the order; `None` until it has replied.
    known: Option<bool>,
}

impl Doubt {
    fn record(&self) -> &Sent {
        self.sent.record()
    }
}

/// How far the current session is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// None: the last attempt failed then.
    Failed(Instant),
    Opening,
    /// The venue resends answers, and routes in doubt are settled.
    Settling,
    Open,
}

/// The venue, and the routes and answers in flight.
pub struct VenueSession {
    venue: Box<dyn Venue>,
    outbox: Outbox,
    link: Arc<Link>,
    status: Arc<VenueStatus>,
    fence: Fence,
    phase: Phase,
    /// The time of this turn.
    now: Instant,
    received: u64,
    /// Number of the last answer that the venue promised to resend.
    given: u64,
    /// Approved routes, waiting to be sent.
    waiting: VecDeque<Event>,
    /// Routes sent or in doubt, and not answered: their `sent` inputs by route id.
    unanswered: Unanswered,
    /// When the routes of this session were sent, in order.
    pub(super) sent_at: VecDeque<(Instant, u64)>,
    doubts: VecDeque<Doubt>,
    /// Orders that the venue was asked about, in order, and when it last made progress with what it owes.
    asked: VecDeque<OrderId>,
    progress: Instant,
    open: OpenOrders,
    /// What the session that is being opened begins with.
    known: Option<Known>,
    /// The venue numbers nothing.
    unnumbered: bool,
    asking: Asking,
    /// Orders of an earlier journal to ask for.
    ask: Vec<OrderId>,
    cancel_first: bool,
    /// Since when there is no session; the head has its anomaly.
    lost: Option<Instant>,
    /// A cancel of everything while the journal is still being replayed.
    early: Option<(u64, LastCancel)>,
}

impl VenueSession {
    /// The session of a gateway at `venue`, which reports to the head over `to_head`, and obeys `switch`.
    pub fn new(
        gateway: Gateway,
        venue: Box<dyn Venue>,
        to_head: Producer<Slot>,
        link: Arc<Link>,
        switch: Arc<KillSwitch>,
        status: Arc<VenueStatus>,
    ) -> VenueSession {
        let now = Instant::now();
        VenueSession {
            venue,
            outbox: Outbox::new(to_head, gateway),
            link,
            status,
            fence: Fence::new(switch, gateway),
            phase: Phase::Opening,
            now,
            received: 0,
            given: 0,
            waiting: VecDeque::new(),
            unanswered: Unanswered::new(),
            sent_at: VecDeque::new(),
            doubts: VecDeque::new(),
            asked: VecDeque::new(),
            progress: now,
            open: OpenOrders::default(),
            known: None,
            unnumbered: false,
            asking: Asking::default(),
            ask: Vec::new(),
            cancel_first: false,
            lost: None,
            early: None,
        }
    }

    /// Resumes from the journal. `replayed` are the routes that the replay repeated and the journal does not settle.
    pub fn begin(&mut self, from: Resumption, replayed: impl IntoIterator<Item = Event>) {
        (self.received, self.cancel_first, self.open) = (from.received, from.cancel_first, from.open);
        self.lost = from.lost.then_some(self.now);
        self.ask = from.ask.iter().map(|known| known.order.order_id).collect();
        from.ask.iter().for_each(|known| self.open.add(known));
        for sent in from.unanswered {
            self.doubt(sent, true);
        }
        for route in from.doubts.into_iter().chain(replayed) {
            if route.id.seq() > from.through {
                self.waiting.push_back(route);
            } else if route.id > from.settled {
                self.doubt(sent(&route), false);
            }
        }
        self.early = None;
    }

    fn doubt(&mut self, sent: Event, recorded: bool) {
        let record: &Sent = sent.record();
        if record.action != Action::CancelAll.code() {
            self.unanswered.insert(record.cause, sent);
        }
        if !recorded {
            self.open.apply(&sent);
        }
        self.doubts.push_back(Doubt { sent, recorded, known: None });
    }

    /// Queues a new route from the pipeline.
    pub fn route(&mut self, route: Event) {
        self.link.set_at_rest(false);
        self.waiting.push_back(route);
    }

    /// One turn at that time: opens a session, or talks in the open one. Whether anything happened.
    ///
    /// # Errors
    /// When the venue cannot be reached, or the connection breaks: after [`VenueSession::on_break`], call again.
    pub fn turn(&mut self, now: Instant) -> Result<bool, VenueError> {
        self.now = now;
        self.take_definitions();
        self.fence.learn();
        let moved = self.outbox.publish();
        let busy = match self.phase {
            Phase::Failed(at) => {
                let pause = if self.fence.pulled().is_some() { SHORT_PAUSE } else { PAUSE };
                if self.since(at) > pause {
                    self.phase = Phase::Opening;
                }
                false
            }
            Phase::Opening => self.open()?,
            Phase::Settling | Phase::Open => self.talk()?,
        };
        let silent = !busy && self.phase == Phase::Open && self.outbox.is_empty() && self.waiting.is_empty();
        self.link.set_at_rest(silent && self.unanswered.is_empty() && !self.open.is_cancelling());
        self.publish();
        Ok(busy | moved)
    }

    /// Tells the venue what instruments there are, before anything that concerns them.
    fn take_definitions(&mut self) {
        while let Some(definition) = self.link.next_definition() {
            self.venue.define(&definition);
        }
    }

    fn publish(&self) {
        let (lost, is_lost) = (SessionState::Lost, self.lost.is_some());
        self.status.set_session(match self.phase {
            Phase::Failed(_) => lost,
            Phase::Opening if is_lost => lost,
            Phase::Opening => SessionState::Opening,
            Phase::Settling => SessionState::Settling,
            Phase::Open => SessionState::Open,
        });
        self.status.set_orders(self.open.len(), self.unanswered.len());
        if let Some(silence) = self.venue.silence() {
            self.status.set_heard(silence);
        }
    }

    fn open(&mut self) -> Result<bool, VenueError> {
        let (journal, received) = (self.link.journal(), Some(self.received));
        let begins = || Known { journal, received, orders: self.open.known().collect() };
        let Some(opened) = self.venue.resume(self.known.get_or_insert_with(begins))? else { return Ok(false) };
        self.known = None;
        self.given = if let Opened::Numbered(given) = opened { given } else { self.received };
        self.unnumbered = opened == Opened::Unnumbered;
        (self.phase, self.progress) = (Phase::Settling, self.now);
        self.asked.clear();
        if self.fence.pulled().is_some() || self.cancel_first {
            self.cancel_by_switch();
        } else {
            // An earlier session may have broken before the venue had these.
            let again: Vec<OpenOrder> = self.open.cancelling().collect();
            again.iter().for_each(|order| self.venue.cancel(order));
        }
        let doubted = self.doubts.iter_mut().filter(|d| makes_an_order(&d.sent));
        let doubted = doubted.map(|d| (d.known = None, OrderId(d.record().order_id)).1);
        let asked: Vec<OrderId> = self.ask.iter().copied().chain(doubted).collect();
        if self.unnumbered {
            self.begin_reconciling(asked);
        } else {
            self.asking.end();
            asked.into_iter().for_each(|order_id| self.ask_for(order_id));
        }
        self.flush()?;
        Ok(true)
    }

    fn talk(&mut self) -> Result<bool, VenueError> {
        if self.fence.pulled().is_some() {
            self.cancel_by_switch();
        }
        if self.unnumbered {
            self.ask_what_is_due();
        }
        self.flush()?;
        let mut busy = self.phase == Phase::Open && self.send()?;
        busy |= self.receive()?;
        self.check_progress()?;
        if self.phase == Phase::Settling {
            self.settle();
            self.flush()?;
            if self.doubts.is_empty() && self.asked.is_empty() && self.has_caught_up() {
                if self.unnumbered {
                    self.reconcile();
                }
                self.opened();
                busy = true;
            }
        } else {
            self.watch_answers();
        }
        Ok(busy)
    }

    /// Every doubt is settled: routes may pass.
    fn opened(&mut self) {
        self.phase = Phase::Open;
        self.ask.clear();
        if std::mem::take(&mut self.cancel_first) {
            // Only now: a run that is killed before this enters does all of it again.
            let all = Sent { action: Action::CancelAll.code(), ..Sent::default() };
            self.outbox.push(returned(0, Flags::LAST_OF_GROUP, &all));
        }
        self.sent_at = self.unanswered.keys().map(|cause| (self.now, *cause)).collect();
        if let Some(since) = self.lost.take() {
            let without = self.since(since);
            self.status.count_back();
            self.status.notice(format!("the session with {} is back after {without:.1?}", self.status.place()));
            self.outbox.push_anomaly(AnomalyKind::SessionBack, 0, without.as_millis() as u64);
        }
    }

    /// Hands to the socket what the venue was given; whether it has everything.
    fn flush(&mut self) -> Result<bool, VenueError> {
        let all = self.venue.flush()?;
        if all {
            self.fence.hand_over();
        }
        Ok(all)
    }

    /// Whether what the venue has told so far decides about routes in doubt.
    fn has_caught_up(&self) -> bool {
        self.received >= self.given && self.asking.opening.is_empty()
    }

    /// For how long that time is past.
    fn since(&self, time: Instant) -> Duration {
        self.now.saturating_duration_since(time)
    }

    /// Settles doubts in order, up to the first whose outcome is unknown.
    fn settle(&mut self) {
        let caught_up = self.has_caught_up();
        while let Some(doubt) = self.doubts.front() {
            let sent = doubt.sent;
            let record: &Sent = sent.record();
            let is_unanswered = self.unanswered.contains_key(&record.cause);
            let is_all = record.action == Action::CancelAll.code();
            let was_sent = match doubt.known {
                _ if !caught_up => return,
                None if makes_an_order(&sent) => return,
                Some(known) => known || !is_unanswered,
                None => is_all || !is_unanswered || self.asking.ends.contains(&OrderId(record.order_id)),
            };
            let recorded = doubt.recorded;
            self.doubts.pop_front();
            if is_all && !recorded {
                self.cancel_orders_of(OrderId(record.order_id));
            }
            match was_sent {
                true if recorded => {}
                true => self.outbox.push(sent),
                false => self.was_never_sent(&sent),
            }
        }
    }

    fn was_never_sent(&mut self, sent: &Event) {
        let reject = never_sent(sent);
        self.unanswered.remove(&sent.record::<Sent>().cause);
        self.open.apply(&reject);
        self.outbox.push(reject);
    }

    /// Sends the waiting routes, as long as the socket has room.
    fn send(&mut self) -> Result<bool, VenueError> {
        let mut any = false;
        while !self.waiting.is_empty() {
            if self.fence.pulled().is_some() {
                self.cancel_by_switch();
            }
            if !self.flush()? {
                break;
            }
            let Some(route) = self.waiting.pop_front() else { break };
            any = true;
            self.pass(route)?;
        }
        Ok(any)
    }

    /// Sends a route, or holds it back.
    fn pass(&mut self, route: Event) -> Result<(), VenueError> {
        let (sent, Route { action, order_id, .. }) = (sent(&route), *route.record::<Route>());
        let is_all = action == Action::CancelAll.code();
        if Action::makes_an_order(action) && self.fence.refuses(route.id.seq()) {
            self.outbox.push(never_sent(&sent));
            return Ok(());
        }
        match Action::from_code(action) {
            Some(Action::CancelAll) if self.fence.holds(route.id.seq()) => {
                self.outbox.push(sent);
                return Ok(());
            }
            Some(Action::CancelAll) if !self.venue.cancels_all() => self.cancel_orders_of(OrderId(order_id)),
            Some(Action::CancelAll) => {
                self.open.cancel(OrderId(order_id));
                self.venue.send(&Approved::grant(route));
            }
            _ => self.venue.send(&Approved::grant(route)),
        }
        if let Err(e) = self.flush() {
            self.doubt(sent, false);
            return Err(e);
        }
        if !is_all {
            self.unanswered.insert(route.id.0, sent);
            self.sent_at.push_back((self.now, route.id.0));
        }
        self.open.apply(&sent);
        self.outbox.push(sent);
        if self.unnumbered && Action::makes_an_order(action) {
            self.asking.schedule.set(OrderId(order_id), self.now + self.venue.ask_pace().silence);
        }
        Ok(())
    }

    /// The connection broke: every route sent but not answered is in doubt.
    pub fn on_break(&mut self, why: &VenueError) {
        self.link.set_at_rest(false);
        self.fence.on_break();
        self.phase = Phase::Failed(self.now);
        self.known = None;
        if self.lost.is_none() {
            self.lost = Some(self.now);
            let lost = self.status.count_lost();
            self.status.notice(format!("no session with {}: {why}", self.status.place()));
            self.outbox.push_anomaly(AnomalyKind::SessionLost, 0, lost);
        }
        let unsettled = std::mem::take(&mut self.doubts);
        let is_unsettled = |cause: &u64| unsettled.iter().any(|d| d.record().cause == *cause);
        let sent = self.unanswered.iter().filter(|(cause, _)| !is_unsettled(cause)).map(|(_, sent)| *sent);
        let mut doubts: VecDeque<_> = sent.map(|sent| Doubt { sent, recorded: true, known: None }).collect();
        doubts.extend(unsettled);
        self.doubts = doubts;
        self.publish();
    }

    /// For how long there has been no session.
    pub fn lost_for(&self) -> Duration {
        self.lost.map_or(Duration::ZERO, |lost| self.since(lost))
    }

    /// For how long a lost session is opened anew.
    pub fn patience(&self) -> Duration {
        self.venue.patience().session
    }
}
