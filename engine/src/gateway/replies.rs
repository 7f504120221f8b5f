//! Inputs from a venue outside the process: `sent` and answers from its gateway.
//!
//! Under the wall clock they enter as they come; during a replay the recorded ones enter instead. This module
//! also tracks what the journal says about routes (settled, unanswered) and counts its answers, and passes that to the
//! gateway when the pipeline has finished the replay. Bound: `pipeline.max_returns` answers are queued here, the rest stay
//! on the gateway's ring.

use super::link::{Link, Resumption};
use super::open_orders::OpenOrders;
use super::settling::{Unanswered, answer, answered, is_numbered, settles};
use crate::pipeline::Slot;
use flow::records::{Anomaly, Command, Sent};
use flow::{
    Action, AnomalyKind, CommandAction, Event, EventId, Gateway, KnownOrder, Ns, StateError, StateReader, StateWriter,
};
use ring::{Consumer, Taken};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

/// How long an orderly end waits for the venue's answers, in nanoseconds.
const PATIENCE_NS: u64 = 5_000_000_000;

/// How far the routes and the venue's answers have come, according to the inputs so far.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct ReplyProgress {
    /// Number of answers received.
    received: u64,
    /// The last settled route, and the number of settled routes.
    settled: u64,
    routes: u64,
    /// Orders of an earlier journal have yet to be cancelled and asked for.
    cancel_first: bool,
    /// The session with the venue is lost.
    lost: bool,
}

/// The gateway ended before the run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the gateway to the venue stopped: {0}")]
pub struct GatewayEnded(String);

/// Where the answers of a venue are from.
pub enum Answers {
    /// Its gateway.
    Gateway(Consumer<Slot>),
    /// The record alone: nothing is sent, and the routes that the pipeline makes again come here.
    Record(Consumer<Slot>),
}

/// What a live venue says, as a source of the merge; see the module.
pub struct LiveVenueReplies {
    gateway: Gateway,
    from: Answers,
    link: Arc<Link>,
    bound: usize,
    /// `sent` and answers from the gateway.
    answers: VecDeque<Event>,
    progress: ReplyProgress,
    /// Routes sent but not answered.
    unanswered: Unanswered,
    /// Routes that are not settled and were answered already, each with its order: of a route that was in doubt the answer
    /// enters before its `sent`.
    early: BTreeSet<(u64, u64)>,
    /// Unsettled routes that a replay from a snapshot does not repeat.
    doubts: VecDeque<Event>,
    /// How many of these a snapshot held.
    doubted: u64,
    /// Orders that may be open.
    open: OpenOrders,
    ask: Vec<KnownOrder>,
    begun: bool,
    closed: bool,
    ended: Option<Ns>,
}

impl LiveVenueReplies {
    /// Takes those of a gateway, of which at most `bound` wait.
    pub fn new(gateway: Gateway, from: Answers, link: Arc<Link>, bound: usize) -> LiveVenueReplies {
        LiveVenueReplies {
            gateway,
            from,
            link,
            bound,
            answers: VecDeque::with_capacity(bound.min(4_096)),
            progress: ReplyProgress::default(),
            unanswered: Unanswered::new(),
            early: BTreeSet::new(),
            doubts: VecDeque::new(),
            doubted: 0,
            open: OpenOrders::default(),
            ask: Vec::new(),
            begun: false,
            closed: false,
            ended: None,
        }
    }

    /// Queries the venue about these orders of an earlier journal, after they have been cancelled.
    pub fn ask(&mut self, orders: Vec<KnownOrder>) {
        self.ask = orders;
    }

    /// Takes what has arrived. Also called while the head waits for room.
    #[inline]
    pub(crate) fn drain(&mut self) {
        let LiveVenueReplies { from, answers, doubts, progress, bound, closed, .. } = self;
        match from {
            Answers::Gateway(ring) => {
                let room = bound.saturating_sub(answers.len());
                *closed |= ring.take(room, |slot| answers.push_back(slot.0)) == Taken::Closed;
            }
            Answers::Record(routes) => {
                let is_open = |route: &Event| route.id.0 > progress.settled;
                let _ = routes.take(usize::MAX, |slot| doubts.extend(Some(slot.0).filter(is_open)));
            }
        }
    }

    /// Starts the gateway once the pipeline has finished the replay, whose last input is `seq`; whether it has started.
    pub(crate) fn has_begun(&mut self, seq: u64, idle: bool) -> Result<bool, GatewayEnded> {
        if self.closed && self.answers.is_empty() {
            return Err(GatewayEnded(self.link.failure()));
        }
        if !self.begun && idle {
            self.begun = true;
            let settled = EventId(self.progress.settled);
            self.link.begin(Resumption {
                received: self.progress.received,
                settled,
                through: seq,
                unanswered: self.unanswered.values().copied().collect(),
                doubts: self.doubts.drain(..).filter(|route| route.id > settled).collect(),
                cancel_first: self.progress.cancel_first,
                ask: std::mem::take(&mut self.ask),
                open: self.open.clone(),
                lost: self.progress.lost,
            });
        }
        Ok(self.begun)
    }

    /// Whether every route that the pipeline made is settled, so that no order is in doubt, and those of an earlier journal too.
    /// The pipeline must be idle.
    pub(crate) fn is_settled(&self) -> bool {
        self.begun && !self.progress.cancel_first && self.progress.routes == self.link.routes() + self.doubted
    }

    /// Whether something is waiting to enter.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        !self.answers.is_empty()
    }

    /// At the end of a run: whether every route is settled and answered, or the wait for the venue has timed out.
    pub(crate) fn is_at_rest(&mut self, idle: bool, now: Ns) -> bool {
        let ended = *self.ended.get_or_insert(now);
        let quiet = idle && self.is_settled() && self.link.is_at_rest();
        // Answers that came before the gateway reported rest are on the ring by now.
        self.drain();
        (quiet && !self.is_waiting()) || self.closed || now.0 - ended.0 > PATIENCE_NS
    }

    /// Takes the next input. Call only when one is waiting.
    pub(crate) fn take(&mut self) -> Event {
        let next = self.open.with_side(self.answers.pop_front().expect("the merge chose a waiting reply"));
        self.entered(&next);
        next
    }

    /// A recorded input of this gateway enters during a replay.
    pub(crate) fn replay(&mut self, input: &Event) {
        self.entered(input);
    }

    /// A command enters. The first one of a journal may carry over the state of an earlier journal.
    pub(crate) fn on_command(&mut self, input: &Event) {
        self.open.apply(input);
        let Some(command) = input.get::<Command>() else { return };
        match CommandAction::from_code(command.action) {
            Some(CommandAction::CarriedOver) => self.progress.cancel_first = true,
            Some(CommandAction::Received) if command.target == self.gateway.number() as u32 => {
                self.progress.received += u64::try_from(command.new).unwrap_or(0);
            }
            _ => {}
        }
    }

    fn entered(&mut self, input: &Event) {
        self.progress.received += u64::from(is_numbered(input));
        if let Some(anomaly) = input.get::<Anomaly>() {
            let what = AnomalyKind::from_code(anomaly.what);
            self.progress.lost = (self.progress.lost || what == Some(AnomalyKind::SessionLost))
                && what != Some(AnomalyKind::SessionBack);
        }
        if let Some(route) = settles(input) {
            if route > self.progress.settled {
                self.progress.settled = route;
                self.progress.routes += 1;
            }
            self.progress.cancel_first &= route != 0;
        }
        self.open.apply(input);
        if !self.begun {
            self.link.settle(self.progress.settled);
        }
        while self.doubts.front().is_some_and(|route| route.id.0 <= self.progress.settled) {
            self.doubts.pop_front();
        }
        if let Some(sent) = input.get::<Sent>().filter(|s| s.action != Action::CancelAll.code()) {
            if !self.early.remove(&(sent.cause, sent.order_id)) {
                self.unanswered.insert(sent.cause, Event { id: EventId(0), ts: Ns(0), ..*input });
            }
        } else if !answer(&mut self.unanswered, input) {
            self.early.extend(answered(input).filter(|(cause, _)| *cause > self.progress.settled));
        }
        // What is settled, and was not sent or is an answer to a route of an earlier journal.
        while self.early.first().is_some_and(|(cause, _)| *cause <= self.progress.settled) {
            self.early.pop_first();
        }
    }

    /// Saves the state. The pipeline must be idle.
    pub(crate) fn save(&self, to: &mut StateWriter<'_>) {
        let saved = |event: &Event| (to.key(event.instrument), bytemuck::bytes_of(event).to_vec());
        let lists = [self.unanswered.values().map(saved).collect::<Vec<_>>(), self.doubts.iter().map(saved).collect()];
        to.put(&self.progress);
        to.put(&lists);
        to.put(&self.early);
        self.open.save(to);
    }

    /// Restores what [`LiveVenueReplies::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are not a state of such replies.
    pub(crate) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.progress = from.get()?;
        self.progress.routes = 0;
        let [unanswered, doubts]: [Vec<(String, Vec<u8>)>; 2] = from.get()?;
        self.doubts = saved_events(doubts, from)?;
        let unanswered = saved_events(unanswered, from)?.into_iter();
        self.unanswered = unanswered.map(|sent| (sent.record::<Sent>().cause, sent)).collect();
        self.doubted = self.doubts.len() as u64;
        self.early = from.get()?;
        self.open = OpenOrders::load(from)?;
        self.link.settle(self.progress.settled);
        Ok(())
    }
}

/// Events that were saved with the keys of their instruments.
pub(crate) fn saved_events(
    list: Vec<(String, Vec<u8>)>,
    from: &mut StateReader<'_>,
) -> Result<VecDeque<Event>, StateError> {
    let event = |(key, bytes): (String, Vec<u8>)| {
        let bytes: [u8; 64] =
            bytes.try_into().map_err(|_| StateError::Inconsistent("an event that is not 64 bytes"))?;
        let mut event: Event = bytemuck::cast(bytes);
        event.instrument = if event.instrument == 0 { 0 } else { from.instrument(&key)? };
        Ok(event)
    };
    list.into_iter().map(event).collect()
}
