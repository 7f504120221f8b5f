//! What comes back when the venue is outside the process: refusals from the pipeline, `sent` and answers from the gateway.
//!
//! Under the wall clock they enter as they come. While a record is repeated, what came back then is taken from it; the
//! pipeline's own refusals, which it makes again, are counted against it, so that those whose echo was not recorded yet enter
//! afterwards. What the record says of routes (settled, unanswered) and how many answers it holds is kept here and
//! handed to the gateway when the pipeline has finished the record. Bound: `pipeline.max_returns` answers wait here, the rest on
//! the gateway's ring; refusals are as many as requests the pipeline made since it was last looked at.

use super::link::{Link, Resumption};
use super::settling::{Unanswered, answer, is_numbered, settles};
use crate::pipeline::Slot;
use flow::records::{Command, Sent};
use flow::{
    Action, CommandAction, Event, EventId, Kind, Ns, OrderId, SOURCE_RETURNS, StateError, StateReader, StateWriter,
};
use ring::{Consumer, Taken};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How long an orderly end waits for answers of the venue.
const PATIENCE_NS: u64 = 5_000_000_000;

/// What the inputs so far say of the venue.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Account {
    /// Answers.
    received: u64,
    /// The last route that is settled, and how many are.
    settled: u64,
    routes: u64,
    /// Orders of a journal before are still to be cancelled.
    cancel_first: bool,
}

/// The gateway has ended before the run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the gateway to the venue has ended: {0}")]
pub struct GatewayEnded(String);

/// See the module.
pub struct LiveVenueReplies {
    inbox: Consumer<Slot>,
    /// None where the inputs are only repeated.
    gateway: Option<Consumer<Slot>>,
    link: Arc<Link>,
    watermark: Arc<AtomicU64>,
    bound: usize,
    /// Refusals that the pipeline made and whose echo has not entered.
    refusals: VecDeque<Event>,
    /// Echoes that entered from the record before the pipeline made their refusals again.
    ahead: u64,
    /// `sent` and answers.
    heard: VecDeque<Event>,
    account: Account,
    /// What was sent and not answered; kept until the gateway has begun.
    unanswered: Unanswered,
    /// Routes that are not settled and that the pipeline does not say again.
    doubts: VecDeque<Event>,
    /// How many of these there were at the beginning.
    doubted: u64,
    ask: Vec<OrderId>,
    begun: bool,
    closed: bool,
    ended: Option<Ns>,
}

impl LiveVenueReplies {
    /// Takes refusals from `inbox`, and what a gateway says from `gateway`. Without one the inputs are only repeated, and
    /// `inbox` brings routes too. `word` is the tail's.
    pub fn new(
        inbox: Consumer<Slot>,
        gateway: Option<Consumer<Slot>>,
        link: Arc<Link>,
        watermark: Arc<AtomicU64>,
        bound: usize,
    ) -> LiveVenueReplies {
        LiveVenueReplies {
            inbox,
            gateway,
            link,
            watermark,
            bound,
            refusals: VecDeque::new(),
            ahead: 0,
            heard: VecDeque::with_capacity(bound.min(4_096)),
            account: Account::default(),
            unanswered: Unanswered::new(),
            doubts: VecDeque::new(),
            doubted: 0,
            ask: Vec::new(),
            begun: false,
            closed: false,
            ended: None,
        }
    }

    /// Asks for these orders of a journal before, when their end was asked for.
    pub fn ask(&mut self, orders: Vec<OrderId>) {
        self.ask = orders;
    }

    /// Whether the pipeline has finished everything up to `seq`; what it sent back is then all here.
    #[inline]
    pub(crate) fn pipeline_is_idle(&mut self, seq: u64) -> bool {
        let idle = self.watermark.load(Ordering::Acquire) == seq;
        self.drain();
        idle
    }

    /// Takes what has come. Also called while the head waits for room.
    #[inline]
    pub(crate) fn drain(&mut self) {
        let LiveVenueReplies { inbox, refusals, ahead, doubts, account, .. } = self;
        let _ = inbox.take(usize::MAX, |slot| match slot.0.kind {
            Kind::Route if slot.0.id.0 > account.settled => doubts.push_back(slot.0),
            Kind::Route => {}
            _ if *ahead > 0 => *ahead -= 1,
            _ => refusals.push_back(Event { source: SOURCE_RETURNS, ..slot.0 }),
        });
        let room = self.bound.saturating_sub(self.heard.len());
        if let Some(gateway) = &mut self.gateway {
            let heard = &mut self.heard;
            self.closed |= gateway.take(room, |slot| heard.push_back(slot.0)) == Taken::Closed;
        }
    }

    /// The gateway may begin once the pipeline has finished the record, which ends with `seq`.
    pub(crate) fn has_begun(&mut self, seq: u64, idle: bool) -> Result<bool, GatewayEnded> {
        if self.closed && self.heard.is_empty() {
            return Err(GatewayEnded(self.link.failure()));
        }
        if !self.begun && idle {
            self.begun = true;
            let settled = EventId(self.account.settled);
            self.link.begin(Resumption {
                received: self.account.received,
                settled,
                through: seq,
                unanswered: std::mem::take(&mut self.unanswered).into_values().collect(),
                doubts: self.doubts.drain(..).filter(|route| route.id > settled).collect(),
                cancel_first: self.account.cancel_first,
                ask: std::mem::take(&mut self.ask),
            });
        }
        Ok(self.begun)
    }

    /// Whether something waits to enter.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        !(self.refusals.is_empty() && self.heard.is_empty())
    }

    /// Whether nothing more is to be expected at the end of a run: all is settled and answered, or the venue lets wait.
    pub(crate) fn is_at_rest(&mut self, idle: bool, now: Ns) -> bool {
        let ended = *self.ended.get_or_insert(now);
        let quiet = idle && self.account.routes == self.link.routes() + self.doubted && self.link.is_at_rest();
        // What was answered before the gateway said that it is at rest stands on the ring by now.
        self.drain();
        (quiet && !self.is_waiting()) || self.closed || now.0 - ended.0 > PATIENCE_NS
    }

    /// Takes what enters next; call only when something waits.
    pub(crate) fn take(&mut self) -> Event {
        let next = self.refusals.pop_front().or_else(|| self.heard.pop_front());
        let next = next.expect("the merge chose something that waits");
        self.entered(&next);
        next
    }

    /// A recorded input of this source enters again.
    pub(crate) fn repeat(&mut self, input: &Event) {
        if input.kind == Kind::Refused && self.refusals.pop_front().is_none() {
            self.ahead += 1;
        }
        self.entered(input);
    }

    /// A command enters: the beginning of a journal says what came before it.
    pub(crate) fn commanded(&mut self, input: &Event) {
        if let Some(command) = input.get::<Command>()
            && command.action == CommandAction::CarriedOver.code()
        {
            self.account.received += u64::try_from(command.new).unwrap_or(0);
            self.account.cancel_first = true;
        }
    }

    fn entered(&mut self, input: &Event) {
        self.account.received += u64::from(is_numbered(input));
        if let Some(route) = settles(input) {
            if route > self.account.settled {
                self.account.settled = route;
                self.account.routes += 1;
            }
            self.account.cancel_first &= route != 0;
        }
        if self.begun {
            return;
        }
        self.link.settle(self.account.settled);
        while self.doubts.front().is_some_and(|route| route.id.0 <= self.account.settled) {
            self.doubts.pop_front();
        }
        if let Some(sent) = input.get::<Sent>().filter(|s| s.action != Action::CancelAll.code()) {
            self.unanswered.insert(sent.cause, Event { id: EventId(0), ts: Ns(0), ..*input });
        } else {
            answer(&mut self.unanswered, input);
        }
    }

    /// What the inputs say of the venue. The pipeline is idle.
    pub(crate) fn save(&self, to: &mut StateWriter<'_>) {
        let saved = |event: &Event| (to.key(event.instrument), bytemuck::bytes_of(event).to_vec());
        let lists = [
            self.refusals.iter().map(saved).collect::<Vec<_>>(),
            self.unanswered.values().map(saved).collect(),
            self.doubts.iter().map(saved).collect(),
        ];
        to.put(&self.account);
        to.put(&lists);
    }

    /// The other way round.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    pub(crate) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.account = from.get()?;
        self.account.routes = 0;
        let lists: [Vec<(String, Vec<u8>)>; 3] = from.get()?;
        let mut read = lists.map(|list| {
            let event = |(key, bytes): (String, Vec<u8>)| {
                let bytes: [u8; 64] =
                    bytes.try_into().map_err(|_| StateError::Inconsistent("an event that is not 64 bytes"))?;
                let mut event: Event = bytemuck::cast(bytes);
                event.instrument = if event.instrument == 0 { 0 } else { from.instrument(&key)? };
                Ok(event)
            };
            list.into_iter().map(event).collect::<Result<VecDeque<_>, StateError>>()
        });
        let mut next = |at: usize| std::mem::replace(&mut read[at], Ok(VecDeque::new()));
        (self.refusals, self.doubts) = (next(0)?, next(2)?);
        self.unanswered = next(1)?.into_iter().map(|sent| (sent.record::<Sent>().cause, sent)).collect();
        self.doubted = self.doubts.len() as u64;
        self.link.settle(self.account.settled);
        Ok(())
    }
}
