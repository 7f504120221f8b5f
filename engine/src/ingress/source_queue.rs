//! A source and its queue of inputs for the merge.
//!
//! The queue is polled only when it is empty; what it holds is stamped with the source's number and, under wall time, with its
//! arrival: what a live source says, else the time of the poll. Its instruments are translated as far as they are known
//! ([`super::locals`]). Bound: 256 queued inputs per source.
//!
//! After a restart it is read again up to the record's end or, if it is live, begins with a `gap`, so nobody goes on as if
//! nothing were missing.

use super::IngressError;
use super::directory::Directory;
use super::feed_status::{FeedStanding, FeedStatus};
use super::locals::{AsRecorded, Locals, Now, Precedents, is_local};
use super::stated_terms::{Stated, StatedTerms};
use super::watch::{Choices, WatchList};
use crate::pipeline::FeedState;
use flow::records::{Cursor, Gap};
use flow::{
    Event, FeedError, Flags, Inputs, Kind, Ns, Polled, Resumed, Resumption, Shard, Source, StateError, StateReader,
    StateWriter,
};
use std::sync::Arc;

/// A source, its queued inputs, and its counts.
pub struct SourceQueue {
    /// Name of the input, for messages and rows.
    pub name: String,
    /// What it publishes of itself.
    status: Arc<FeedStatus>,
    /// Its settings, for the record of a run that it joins later.
    text: String,
    source: Box<dyn Source>,
    queue: Inputs,
    locals: Locals,
    choices: Choices,
    /// The symbols of it that the configuration has watched.
    wanted: WatchList,
    /// Those that the record says the configuration had watched, whatever an operator has changed since.
    configured: WatchList,
    /// It is being read up to where the record ends.
    catches_up: bool,
    /// Number of the source, from 1 in argument order.
    id: u8,
    ended: bool,
    /// Why a live source gives nothing more, and whether a gap has told.
    failed: Option<FeedError>,
    told: bool,
    records: u64,
    /// Its inputs so far, and where it goes on after them.
    recorded: Resumed,
    /// How many of the inputs that it gives again after a restart are to be skipped, once it was asked, and what was decided
    /// about them.
    to_skip: Option<(u64, Precedents)>,
    /// When its last input entered.
    last: Ns,
    /// The operator's terms for its listings, if there are any.
    stated: Option<StatedTerms>,
}

/// How many inputs are skipped at once, so that a stop need not wait for all of them.
const SKIPPED_AT_ONCE: u64 = 1 << 16;

/// What the merge sees of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peek {
    /// Its next input is due at this time.
    Due(Ns),
    /// Nothing is queued, but it has not ended.
    Nothing,
    /// It has ended.
    Ended,
}

impl SourceQueue {
    /// Capacity of the queue.
    const QUEUE: usize = 256;

    /// The source number `id`.
    pub fn new(name: String, source: Box<dyn Source>, id: u8) -> SourceQueue {
        let queue = Inputs::with_capacity(Self::QUEUE);
        SourceQueue {
            status: Arc::new(FeedStatus::new(name.clone(), id, source.as_ref())),
            name,
            text: String::new(),
            source,
            queue,
            locals: Locals::new(id),
            choices: Choices::default(),
            wanted: None,
            configured: None,
            catches_up: false,
            id,
            ended: false,
            failed: None,
            told: false,
            records: 0,
            recorded: Resumed::default(),
            to_skip: None,
            last: Ns::NONE,
            stated: None,
        }
    }

    /// What it publishes of itself.
    pub(super) fn status(&self) -> Arc<FeedStatus> {
        Arc::clone(&self.status)
    }

    /// States its settings, as its entry in the configuration.
    #[must_use]
    pub fn with_text(mut self, text: String) -> SourceQueue {
        self.text = text;
        self
    }

    /// Its settings.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// States the symbols of it that the configuration has watched.
    #[must_use]
    pub fn with_wanted(mut self, wanted: WatchList) -> SourceQueue {
        self.wanted = wanted;
        self
    }

    /// The symbols that the configuration has watched.
    pub(super) fn wanted(&self) -> &WatchList {
        &self.wanted
    }

    /// These symbols are watched from the start.
    pub fn begin_watching(&mut self, watched: WatchList) {
        self.status.set_watched(&watched);
        self.choices.begin_with(watched.clone());
        self.configured = watched;
    }

    /// Of what is watched, only this part is read.
    pub fn read_part(&mut self, shard: Shard) {
        self.choices.read_part(shard);
    }

    /// The symbols of its instruments so far that are not watched.
    pub fn unwatched(&self) -> impl Iterator<Item = &str> {
        self.choices.unwatched()
    }

    /// These symbols are watched from now on, since the configuration says so.
    pub(super) fn watch_configured(&mut self, watched: WatchList) {
        self.configured.clone_from(&watched);
        self.watch(watched);
    }

    /// These symbols are watched from now on.
    pub(super) fn watch(&mut self, watched: WatchList) {
        self.status.set_watched(&watched);
        self.choices.command(watched);
    }

    /// Whether the configuration has other symbols watched than the record says that it had.
    pub(super) fn is_reconfigured(&self) -> bool {
        self.wanted != self.configured
    }

    /// Its number.
    pub fn id(&self) -> u8 {
        self.id
    }

    /// Puts the operator's terms into its listings.
    #[must_use]
    pub fn with_stated(mut self, stated: &Stated) -> SourceQueue {
        self.stated = StatedTerms::new(stated);
        self
    }

    /// Number of the last file record whose input was admitted; of a source that has ended, of its last record.
    pub fn records(&self) -> u64 {
        if self.ended && self.queue.is_empty() { self.records.max(self.source.records()) } else { self.records }
    }

    /// Inputs admitted.
    pub fn inputs(&self) -> u64 {
        self.recorded.inputs
    }

    /// The source's own counters.
    pub fn counts(&self) -> Vec<flow::Count> {
        self.source.counts()
    }

    /// The source's warnings.
    pub fn warnings(&self) -> Vec<String> {
        let stated = self.stated.iter().flat_map(StatedTerms::warnings);
        let failed = self.failed.iter().map(|error| format!("it gave nothing more after an error: {error}"));
        self.source.warnings().into_iter().chain(stated).chain(failed).collect()
    }

    /// Looks at the next input; polls the source if none is queued. Under wall time, which is now `wall`, it is due when it
    /// arrived.
    #[inline]
    pub(super) fn peek(&mut self, wall: Option<Ns>) -> Result<Peek, IngressError> {
        match self.queue.waiting().first() {
            Some(event) => Ok(Peek::Due(event.ts)),
            None => self.fill(wall),
        }
    }

    /// Polls the source, since the queue is empty.
    fn fill(&mut self, wall: Option<Ns>) -> Result<Peek, IngressError> {
        if self.ended {
            return Ok(Peek::Ended);
        }
        let is_live = self.source.is_live();
        let polled = match &mut self.failed {
            Some(_) => Ok(Polled::Idle(Ns::NONE)),
            failed => {
                let (source, now) = (self.source.as_mut(), wall.unwrap_or_default());
                let may_change = !self.catches_up;
                let polled = self.choices.poll(source, &mut self.queue, self.locals.symbols(), may_change, now);
                polled.or_else(|error| {
                    *failed = Some(error.clone()).filter(|_| is_live);
                    if is_live { Ok(Polled::Ready) } else { Err(error) }
                })
            }
        };
        if self.failed.is_some() && self.queue.is_empty() && !std::mem::replace(&mut self.told, true) {
            self.push_gap(None, wall.unwrap_or_default());
        }
        if let Some(wall) = wall.filter(|_| !is_live) {
            self.queue.waiting_mut().iter_mut().for_each(|event| event.ts = wall);
        }
        if let Some(stated) = &mut self.stated {
            stated.apply(self.queue.waiting_mut());
        }
        self.locals.begin(self.queue.waiting_mut());
        match polled {
            Ok(Polled::Ready | Polled::Idle(_)) => {}
            Ok(Polled::Anew) => self.locals.list_anew(),
            Ok(Polled::Ended) => self.ended = true,
            Err(error) => return Err(IngressError::Source { input: self.name.clone(), error }),
        }
        self.status.set(match (self.ended, &self.failed) {
            (true, _) => FeedStanding::Ended,
            (false, Some(_)) => FeedStanding::Failed,
            (false, None) => FeedStanding::Up,
        });
        let waiting = self.queue.front().map(|(event, _)| Peek::Due(event.ts));
        Ok(waiting.unwrap_or(if self.ended { Peek::Ended } else { Peek::Nothing }))
    }

    /// What was to come is lost, from message `expected` on.
    fn push_gap(&mut self, expected: Option<u64>, arrival: Ns) {
        let expected = expected.unwrap_or(Gap::UNKNOWN);
        let gap = Gap { exchange_ts: Ns::NONE, expected, received: Gap::UNKNOWN, ..Gap::default() };
        self.queue.push(Event::new(arrival, 0, Flags::LAST_OF_GROUP, &gap), 0);
    }

    /// Whether it has nothing beyond what is queued.
    #[inline]
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether all that it had has entered.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.queue.is_empty()
    }

    /// The queued inputs, the next one first.
    #[inline]
    pub(super) fn lookahead(&self) -> &[Event] {
        self.queue.waiting()
    }

    /// Takes the next input; returns the number of its record. Call only when one is due. One whose instrument is still
    /// local must be decided.
    #[inline(always)]
    pub(super) fn take(&mut self, to: &mut Event) -> u64 {
        let (event, record) = self.queue.front().expect("the merge chose a waiting input");
        *to = *event;
        self.queue.pop();
        record
    }

    /// Decides on the input just taken; `false` if it is left out. `has_ended` says whether another source has ended.
    #[cold]
    pub(super) fn decide(
        &mut self,
        event: &mut Event,
        directory: &mut Directory,
        has_ended: impl Fn(u8) -> bool,
    ) -> bool {
        let mut now = Now { directory, id: self.id, has_ended };
        self.locals.decide(event, self.queue.waiting_mut(), &mut now)
    }

    /// Counts an admitted input.
    #[inline]
    pub(super) fn count(&mut self, record: u64, input: &Event) {
        self.records = self.records.max(record);
        self.note(input);
        if input.kind == Kind::Cursor {
            self.locals.pass_cursor();
        }
    }

    /// Counts an input that is in the record now: where the source goes on after a restart.
    #[inline(always)]
    fn note(&mut self, input: &Event) {
        let recorded = &mut self.recorded;
        recorded.inputs += 1;
        match input.kind {
            Kind::Cursor => (recorded.cursor, recorded.since, recorded.messages_since) = (input.get().copied(), 0, 0),
            Kind::Gap | Kind::Watching => {}
            _ => {
                recorded.since += 1;
                recorded.messages_since += u64::from(input.flags.has(Flags::LAST_OF_PACKET));
            }
        }
    }

    /// Whether no change of the watched symbols waits in the queue: the state is that of the record then.
    pub(super) fn is_level(&self) -> bool {
        self.queue.waiting().iter().all(|input| input.kind != Kind::Watching)
    }

    /// Counts an input of the record, and learns from it.
    pub(super) fn repeat(&mut self, input: &Event, directory: &mut Directory) {
        self.locals.learn(input, directory);
        self.note(input);
        if input.kind == Kind::Watching {
            self.choices.learn(input.record());
        }
    }

    /// Its last input entered at `ts`.
    #[inline(always)]
    pub(super) fn entered(&mut self, ts: Ns) {
        self.last = ts;
    }

    /// What the status says of it.
    pub(super) fn trading_state(&self) -> FeedState {
        let failed = self.failed.as_ref().map(|error| error.what.clone());
        let (name, inputs) = (self.name.clone(), self.recorded.inputs);
        FeedState { name, inputs, last: self.last, ended: self.ended, failed }
    }

    /// Saves what was admitted so far.
    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let Resumed { inputs, cursor, since, messages_since } = self.recorded;
        to.put(&(self.records, inputs, cursor.map(|cursor| (cursor.session, cursor.next)), since, messages_since));
        self.locals.save(to);
        self.choices.save(to);
        to.put(&self.configured);
    }

    /// Restores what [`SourceQueue::save`] wrote.
    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let (records, inputs, cursor, since, messages_since) =
            from.get::<(u64, u64, Option<(u64, u64)>, u64, u64)>()?;
        let cursor = cursor.map(|(session, next)| Cursor { session, next, ..Cursor::default() });
        (self.records, self.recorded) = (records, Resumed { inputs, cursor, since, messages_since });
        self.locals.load(from)?;
        self.choices.load(from)?;
        self.status.set_watched(self.choices.last());
        self.configured = from.get()?;
        Ok(())
    }

    /// Places the source after the record, which ends at `now`, with an input of another source if it has `passed` this one.
    /// Skips some inputs at once, and says whether that was all.
    pub(super) fn resume(
        &mut self,
        (now, wall): (Ns, Option<Ns>),
        passed: bool,
        directory: &mut Directory,
    ) -> Result<bool, IngressError> {
        if self.to_skip.is_none() {
            self.catches_up = true;
            self.to_skip = Some(match self.source.resume(&self.recorded) {
                Resumption::Again(inputs) if inputs < self.recorded.inputs && !self.choices.is_everything() => {
                    let why =
                        "it goes on from its cursor, and then the symbols that are watched of it cannot be chosen";
                    return Err(IngressError::Refused(format!(
                        "{}: {why}; start a new journal without `watch`",
                        self.name
                    )));
                }
                Resumption::Again(inputs) => (inputs, self.locals.again(inputs < self.recorded.inputs)),
                Resumption::Live { expected } => {
                    self.locals.list_anew();
                    self.choices.begin_anew();
                    if self.recorded.inputs > 0 {
                        self.push_gap(expected, wall.unwrap_or(now));
                        self.locals.begin(self.queue.waiting_mut());
                    }
                    (0, Precedents::default())
                }
            });
        }
        let Some((mut left, precedents)) = self.to_skip.take() else { return Ok(true) };
        for _ in 0..SKIPPED_AT_ONCE {
            if left == 0 {
                break;
            }
            match self.peek(wall)? {
                Peek::Due(_) => left -= u64::from(self.skip_one(&precedents, directory)),
                Peek::Nothing => break,
                Peek::Ended => return Err(IngressError::Short { input: self.name.clone(), missing: left }),
            }
        }
        self.to_skip = Some((left, precedents));
        self.catches_up = left > 0;
        Ok(left == 0 && (wall.is_some() || self.skip_left_out(now, passed)?))
    }

    /// Drops what was left out before the record's end, behind the last input that was admitted: whether a source is over must
    /// not depend on it. Says whether the source has shown what follows.
    fn skip_left_out(&mut self, now: Ns, passed: bool) -> Result<bool, IngressError> {
        loop {
            if self.peek(None)? == Peek::Nothing {
                return Ok(false);
            }
            let front = self.queue.waiting().first();
            let before = |e: &Event| e.ts < now || passed && e.ts == now && e.kind == Kind::Listing;
            if !front.is_some_and(|e| before(e) && is_local(e) && self.locals.leaves_out(e, passed)) {
                return Ok(true);
            }
            self.queue.pop();
            self.locals.resume(self.queue.waiting_mut());
        }
    }

    /// Skips the next input; whether it had been admitted.
    fn skip_one(&mut self, precedents: &Precedents, directory: &mut Directory) -> bool {
        let mut event: Event = bytemuck::Zeroable::zeroed();
        let record = self.take(&mut event);
        self.records = self.records.max(record);
        let mut by = AsRecorded { directory, precedents };
        !is_local(&event) || self.locals.decide(&mut event, self.queue.waiting_mut(), &mut by)
    }
}
