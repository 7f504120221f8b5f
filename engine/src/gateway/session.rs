//! The gateway's dialogue with a venue, one session after another.
//!
//! A session opens with the number of answers received; the venue resends the rest. Then routes in doubt are settled in
//! the order in which they were routed: the venue is queried about a new order or a replace by our own id, a cancel is
//! rejected as never sent unless the venue has answered it, a cancel-all is sent again. Only then are new routes sent. When
//! the connection breaks, routes sent but unanswered are in doubt, and the next session begins the same way. Bound: one
//! entry per order in flight.

use super::link::{Link, Resumption};
use super::settling::{self, Unanswered, is_numbered};
use crate::pipeline::Slot;
use flow::records::{Reject, Route, Sent};
use flow::{
    Action, Approved, Event, EventId, Flags, Ns, OrderId, Record, RejectReason, SOURCE_RETURNS, Venue, VenueError,
    VenueReply,
};
use ring::{Producer, Refused};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Most answers taken in one turn.
const BATCH: usize = 256;

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

    /// Whether the venue is queried about it.
    fn is_asked(&self) -> bool {
        matches!(Action::from_code(self.record().action), Some(Action::New | Action::Replace))
    }
}

/// The venue, and the routes and answers in flight.
pub struct VenueSession {
    venue: Box<dyn Venue>,
    to_head: Producer<Slot>,
    link: Arc<Link>,
    received: u64,
    /// Approved routes, waiting to be sent.
    waiting: VecDeque<Event>,
    /// Routes sent or in doubt, and not answered: their `sent` inputs by route id.
    unanswered: Unanswered,
    doubts: VecDeque<Doubt>,
    /// Orders of an earlier journal to query.
    ask: Vec<OrderId>,
    cancel_first: bool,
}

impl VenueSession {
    /// A session at `venue` that reports to the head over `to_head`.
    pub fn new(venue: Box<dyn Venue>, to_head: Producer<Slot>, link: Arc<Link>) -> VenueSession {
        VenueSession {
            venue,
            to_head,
            link,
            received: 0,
            waiting: VecDeque::new(),
            unanswered: Unanswered::new(),
            doubts: VecDeque::new(),
            ask: Vec::new(),
            cancel_first: false,
        }
    }

    /// Resumes from the journal. `replayed` are the routes that the replay repeated and the journal does not settle.
    pub fn begin(&mut self, from: Resumption, replayed: impl IntoIterator<Item = Event>) {
        (self.received, self.cancel_first, self.ask) = (from.received, from.cancel_first, from.ask);
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
    }

    fn doubt(&mut self, sent: Event, recorded: bool) {
        let record: &Sent = sent.record();
        if record.action != Action::CancelAll.code() {
            self.unanswered.insert(record.cause, sent);
        }
        self.doubts.push_back(Doubt { sent, recorded, known: None });
    }

    /// Queues a new route from the pipeline.
    pub fn route(&mut self, route: Event) {
        self.waiting.push_back(route);
    }

    /// Opens a session and settles every route in doubt.
    ///
    /// # Errors
    /// When the venue cannot be reached, or the connection breaks: call again.
    pub fn open(&mut self) -> Result<(), VenueError> {
        let given = self.venue.resume(self.received)?;
        if self.cancel_first {
            self.cancel_all()?;
            let all = Sent { action: Action::CancelAll.code(), ..Sent::default() };
            self.push(returned(0, Flags::LAST_OF_GROUP, &all));
            self.cancel_first = false;
        }
        let old = self.ask.clone();
        let doubted = self.doubts.iter_mut().filter(|d| d.is_asked());
        let doubted: Vec<_> = doubted.map(|d| (d.known = None, OrderId(d.record().order_id)).1).collect();
        let mut asked: VecDeque<_> = old.into_iter().chain(doubted).collect();
        for order_id in &asked {
            self.venue.query(*order_id)?;
        }
        while self.received < given || !asked.is_empty() || !self.doubts.is_empty() {
            self.settle(self.received >= given)?;
            match self.venue.poll()? {
                Some(VenueReply::Numbered(answer)) => self.answer(answer),
                Some(VenueReply::OrderStatus { order_id, known }) if asked.pop_front() == Some(order_id) => {
                    let doubt = self.doubts.iter_mut().find(|d| d.is_asked() && d.record().order_id == order_id.0);
                    doubt.into_iter().for_each(|d| d.known = Some(known));
                }
                Some(VenueReply::OrderStatus { order_id, .. }) => return Err(unexpected_status(order_id)),
                None if self.doubts.is_empty() && asked.is_empty() && self.received >= given => {}
                None => std::thread::sleep(Duration::from_micros(100)),
            }
        }
        self.ask.clear();
        Ok(())
    }

    /// Reports whether the run may end; `silent` = the venue sent nothing in this turn.
    pub fn report_rest(&self, silent: bool) {
        self.link.set_at_rest(silent && self.unanswered.is_empty());
    }

    /// Settles doubts in order, up to the first whose outcome is unknown; `caught_up` = the venue has resent every earlier
    /// answer.
    fn settle(&mut self, caught_up: bool) -> Result<(), VenueError> {
        while let Some(doubt) = self.doubts.front() {
            let sent = doubt.sent;
            let record: &Sent = sent.record();
            let is_unanswered = self.unanswered.contains_key(&record.cause);
            let is_all = record.action == Action::CancelAll.code();
            let was_sent = match doubt.known {
                _ if !caught_up => return Ok(()),
                None if doubt.is_asked() => return Ok(()),
                Some(known) => known || !is_unanswered,
                None => is_all || !is_unanswered,
            };
            if is_all && !doubt.recorded {
                self.venue.cancel_all()?;
            }
            let recorded = doubt.recorded;
            self.doubts.pop_front();
            match was_sent {
                true if recorded => {}
                true => self.push(sent),
                false => {
                    self.unanswered.remove(&record.cause);
                    self.push(never_sent(&sent));
                }
            }
        }
        Ok(())
    }

    /// Sends the waiting routes.
    ///
    /// # Errors
    /// When the connection breaks: the route being sent is then in doubt.
    pub fn send(&mut self) -> Result<bool, VenueError> {
        let mut any = false;
        while let Some(route) = self.waiting.pop_front() {
            any = true;
            self.link.set_at_rest(false);
            let sent = sent(&route);
            if let Err(e) = self.venue.send(&Approved::grant(route)) {
                self.doubt(sent, false);
                return Err(e);
            }
            if sent.record::<Sent>().action != Action::CancelAll.code() {
                self.unanswered.insert(route.id.0, sent);
            }
            self.push(sent);
        }
        Ok(any)
    }

    /// Takes the venue's answers; whether there were any.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn receive(&mut self) -> Result<bool, VenueError> {
        for n in 0..BATCH {
            match self.venue.poll()? {
                Some(VenueReply::Numbered(answer)) => self.answer(answer),
                Some(VenueReply::OrderStatus { order_id, .. }) => return Err(unexpected_status(order_id)),
                None => return Ok(n > 0),
            }
        }
        Ok(true)
    }

    /// The connection broke: every route sent but not answered is in doubt.
    pub fn on_break(&mut self) {
        self.link.set_at_rest(false);
        let unsettled = std::mem::take(&mut self.doubts);
        let is_unsettled = |cause: &u64| unsettled.iter().any(|d| d.record().cause == *cause);
        let sent = self.unanswered.iter().filter(|(cause, _)| !is_unsettled(cause)).map(|(_, sent)| *sent);
        let mut doubts: VecDeque<_> = sent.map(|sent| Doubt { sent, recorded: true, known: None }).collect();
        doubts.extend(unsettled);
        self.doubts = doubts;
    }

    /// Sends one cancel-all; waiting routes will never be sent.
    ///
    /// # Errors
    /// When the connection is broken too.
    pub fn cancel_all(&mut self) -> Result<(), VenueError> {
        self.venue.cancel_all()
    }

    fn answer(&mut self, mut answer: Event) {
        self.received += 1;
        answer.source = SOURCE_RETURNS;
        (answer.id, answer.ts) = (EventId(0), Ns(0));
        debug_assert!(is_numbered(&answer));
        self.push(answer);
        settling::answer(&mut self.unanswered, &answer);
    }

    /// Publishes to the head; waits for room, which cannot deadlock since the head takes returns in all its own waits.
    fn push(&mut self, input: Event) {
        while self.to_head.try_publish(&Slot(input)) == Err(Refused::Full) {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

fn returned<R: Record>(instrument: u32, flags: Flags, record: &R) -> Event {
    Event { source: SOURCE_RETURNS, ..Event::new(Ns(0), instrument, flags, record) }
}

/// The `sent` input for a route.
fn sent(route: &Event) -> Event {
    let record: &Route = route.record();
    let sent = Sent { order_id: record.order_id, cause: route.id.0, action: record.action, ..Sent::default() };
    returned(route.instrument, Flags::LAST_OF_GROUP.with_side(route.side()), &sent)
}

/// The `reject` input for a route that was never sent.
fn never_sent(sent: &Event) -> Event {
    let Sent { order_id, cause, action, .. } = *sent.record();
    let reject = Reject { order_id, cause, reason: RejectReason::NeverSent.code(), action, ..Reject::default() };
    returned(sent.instrument, Flags::LAST_OF_GROUP.with_side(sent.side()), &reject)
}

fn unexpected_status(order_id: OrderId) -> VenueError {
    VenueError {
        what: format!("the venue reported the status of order {:#x}, which was not queried", order_id.0),
        place: "venue".to_owned(),
        next: "report this to the venue's support",
        transient: false,
    }
}
