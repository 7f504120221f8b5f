//! A live source whose messages another thread receives and decodes.
//!
//! The thread of a [`RingSource`] connects, waits and decodes, all that may never happen on the pipeline's thread. It hands
//! over each message by its sequence number ([`RingSender::send`]), and the sender keeps the rules of live sources for it:
//! where a number is missing a `gap` enters first, whether the network lost the message, the ring was full, or the engine was
//! down; a message that came before is left out; and a `cursor` says how far the source has come. 64-byte events cross a
//! bounded ring, and the pipeline's thread copies them without a lock or a system call.
//!
//! The thread starts at the first poll, so an input that is only looked at connects to nothing. It should end when the sender
//! [is abandoned](RingSender::is_abandoned). If it ends before, without [`RingSender::end`], the run goes on without it and a
//! `gap` says so. Bound: [`SLOTS`] events. Worst case: the pipeline stands still, the ring fills, and the messages from then on
//! are a gap.

use flow::records::{Cursor, Gap};
use flow::{
    AnomalyKind, Count, Event, FeedError, FeedNotices, Flags, Inputs, Kind, Ns, Polled, Resumed, Resumption, Selection,
    Source, Symbols, WatchAnswer,
};
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Events that the ring holds.
pub const SLOTS: usize = 1 << 16;
/// A cursor comes at most after so many messages, or after this time.
const MESSAGES_A_CURSOR: u64 = 256;
const NS_A_CURSOR: u64 = 100_000_000;
/// Inputs that a message may need beside its own: a gap, its anomaly, a cursor.
const BESIDE: usize = 3;

/// What the thread has counted beside its messages.
type Counted = Arc<Mutex<Vec<Count>>>;

/// What the thread does.
type Work = Box<dyn FnOnce(RingSender) + Send>;

/// Where the source stands.
enum State {
    Waiting(Work),
    Started(Consumer<Event>),
    Ended,
}

/// A live [`Source`] that a thread of its own supplies; see the module documentation.
pub struct RingSource {
    name: String,
    instruments: u32,
    resumed: Resumed,
    state: State,
    /// Tells the thread which symbols are watched.
    watch: Sender<Option<Symbols>>,
    watched: Option<Receiver<Option<Symbols>>>,
    /// The thread has ended in order.
    ended: Arc<AtomicBool>,
    notices: FeedNotices,
    /// What the venue makes of the watched symbols, and whether the thread says it.
    answer: WatchAnswer,
    answers: bool,
    counted: Counted,
    messages: u64,
    gaps: u64,
}

impl RingSource {
    /// A source with instruments below `instruments`, whose thread does `work`.
    pub fn new(name: &str, instruments: u32, work: impl FnOnce(RingSender) + Send + 'static) -> RingSource {
        let (watch, watched) = channel();
        RingSource {
            watch,
            watched: Some(watched),
            name: name.to_owned(),
            instruments,
            resumed: Resumed::default(),
            state: State::Waiting(Box::new(work)),
            ended: Arc::default(),
            notices: FeedNotices::default(),
            answer: WatchAnswer::default(),
            answers: false,
            counted: Counted::default(),
            messages: 0,
            gaps: 0,
        }
    }

    /// Its thread asks a venue for the symbols that are watched, and says what the venue answers ([`RingSender::watches`]).
    #[must_use]
    pub fn answering(self) -> RingSource {
        RingSource { answers: true, ..self }
    }

    /// Starts the thread.
    fn start(&mut self, work: Work) -> Result<(), FeedError> {
        let (ring, from) = RingBuffer::new(SLOTS);
        let cursor = self.resumed.cursor;
        let sender = RingSender {
            ring,
            session: cursor.map(|cursor| cursor.session),
            expected: self.resumed.next_message(),
            since: MESSAGES_A_CURSOR,
            cursor_at: Ns(0),
            watched: self.watched.take(),
            ended: Arc::clone(&self.ended),
            notices: self.notices.clone(),
            answer: self.answer.clone(),
            last_said: String::new(),
            counted: Arc::clone(&self.counted),
        };
        let thread = std::thread::Builder::new().name(format!("feed-{}", self.name));
        thread.spawn(move || work(sender)).map_err(|e| self.failure(format!("its thread does not start: {e}")))?;
        self.state = State::Started(from);
        Ok(())
    }

    fn failure(&self, what: String) -> FeedError {
        FeedError { what, offset: 0, record: self.messages, next: "look at what it said, and start the run again" }
    }
}

impl Source for RingSource {
    fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError> {
        if let State::Waiting(_) = &self.state
            && let State::Waiting(work) = std::mem::replace(&mut self.state, State::Ended)
        {
            self.start(work)?;
        }
        let State::Started(from) = &mut self.state else { return Ok(Polled::Ended) };
        // Read before the ring is: a thread that ends sends its last messages first.
        let gone = from.is_abandoned();
        let (slots, records) = to.spare();
        let count = from.slots().min(slots.len());
        let Ok(chunk) = from.read_chunk(count) else { unreachable!("so many slots are filled") };
        let (first, second) = chunk.as_slices();
        slots[..first.len()].copy_from_slice(first);
        slots[first.len()..count].copy_from_slice(second);
        let count = whole(&slots[..count], count == slots.len());
        records[..count].fill(0);
        for event in &slots[..count] {
            self.messages += u64::from(event.flags.has(Flags::LAST_OF_PACKET));
            self.gaps += u64::from(event.kind == Kind::Gap);
        }
        chunk.commit(count);
        to.fill(count);
        match (count, gone) {
            (0, true) if self.ended.load(Ordering::Acquire) => {
                self.state = State::Ended;
                Ok(Polled::Ended)
            }
            (0, true) => {
                self.state = State::Ended;
                Err(self.failure("its thread has ended".to_owned()))
            }
            (0, false) => Ok(Polled::Idle(Ns::NONE)),
            _ => Ok(Polled::Ready),
        }
    }

    fn is_live(&self) -> bool {
        true
    }

    fn resume(&mut self, record: &Resumed) -> Resumption {
        self.resumed = *record;
        Resumption::Live { expected: record.next_message() }
    }

    fn watch(&mut self, watched: &Selection) {
        // A thread that has ended watches nothing.
        let _ = self.watch.send(watched.symbols.clone());
    }

    fn instruments(&self) -> u32 {
        self.instruments
    }

    fn counts(&self) -> Vec<Count> {
        let count = |name: &str, count| Count { name: name.to_owned(), count };
        let mut counts = vec![count("messages", self.messages), count("gaps", self.gaps)];
        counts.extend_from_slice(&self.counted.lock().unwrap_or_else(PoisonError::into_inner));
        counts
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn notices(&self) -> Option<FeedNotices> {
        Some(self.notices.clone())
    }

    fn watch_answer(&self) -> Option<WatchAnswer> {
        self.answers.then(|| self.answer.clone())
    }

    fn memory(&self) -> u64 {
        (SLOTS * size_of::<Event>()) as u64
    }
}

/// How many of these inputs are whole groups, so that what defines an instrument is not parted. Of a group that is longer than
/// the queue, as many as fit.
fn whole(inputs: &[Event], is_full: bool) -> usize {
    let closes = |e: &Event| e.flags.has(Flags::LAST_OF_PACKET) || e.flags.has(Flags::LAST_OF_GROUP);
    let parts = |e: &Event| is_full && e.kind != Kind::Name;
    let last = inputs.iter().rposition(closes).or_else(|| inputs.iter().rposition(parts));
    last.map_or(0, |last| last + 1)
}

/// What became of a message that was handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// It enters.
    Over,
    /// It came before and is left out.
    Before,
    /// The ring has no room. Unless it is sent again, it is the beginning of a gap.
    Full,
}

/// The thread's end of a [`RingSource`].
pub struct RingSender {
    ring: Producer<Event>,
    /// The session, once it is known.
    session: Option<u64>,
    /// Number of the next message, once one is known.
    expected: Option<u64>,
    /// Messages since the last cursor, and its arrival.
    since: u64,
    cursor_at: Ns,
    watched: Option<Receiver<Option<Symbols>>>,
    ended: Arc<AtomicBool>,
    notices: FeedNotices,
    answer: WatchAnswer,
    last_said: String,
    counted: Counted,
}

impl RingSender {
    /// Says something to whoever looks after the run, in a sentence: what is wrong with the connection, and what to do. One that
    /// repeats the last is not said again.
    pub fn say(&mut self, sentence: &str) {
        if self.last_said != sentence {
            sentence.clone_into(&mut self.last_said);
            self.notices.say(sentence.to_owned());
        }
    }

    /// Says what was counted so far, beside the messages.
    pub fn count(&self, counts: Vec<Count>) {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }

    /// The symbols that are to be watched from now on, if that was said since it was last asked; `Some(None)` = all. Whatever
    /// comes of others is left out, so a thread that cannot choose need not ask.
    pub fn watched(&self) -> Option<Option<Symbols>> {
        self.watched.as_ref().and_then(|watched| watched.try_iter().last())
    }

    /// Says that the venue brings these symbols from now on (`None` = all), or why it does not.
    pub fn watches(&self, symbols: Option<Symbols>, answer: Result<(), String>) {
        self.answer.give(symbols, answer);
    }

    /// Says in which session the numbers are, at every connection. In another one than before they begin anew, with `first`:
    /// whoever joins later has missed the messages before. `None` if they do not matter, since a snapshot comes.
    pub fn begin(&mut self, session: u64, first: Option<u64>) {
        if self.session != Some(session) {
            self.expected = first;
        }
        (self.session, self.since) = (Some(session), MESSAGES_A_CURSOR);
    }

    /// The session of the numbers, once it is known.
    pub fn session(&self) -> Option<u64> {
        self.session
    }

    /// The number of the next message, if one is known: where a connection that can repeat should begin.
    pub fn expected(&self) -> Option<u64> {
        self.expected
    }

    /// Hands over inputs that belong to no message, as a group: definitions before the first one, results that have no numbers.
    /// `false` if the ring has no room for them.
    pub fn send_beside(&mut self, arrival: Ns, inputs: &[Event]) -> bool {
        let has_room = self.ring.slots() >= inputs.len();
        if let Some((last, before)) = inputs.split_last().filter(|_| has_room) {
            before.iter().for_each(|input| self.push(Event { ts: arrival, ..*input }));
            self.push(Event { ts: arrival, flags: last.flags.with(Flags::LAST_OF_GROUP), ..*last });
        }
        has_room
    }

    /// Hands over the inputs of message number `sequence`, which may be none, with their arrival.
    ///
    /// # Panics
    /// When no session has [begun](RingSender::begin).
    pub fn send(&mut self, sequence: u64, arrival: Ns, inputs: &[Event]) -> Handed {
        let session = self.session.expect("a session begins before its messages");
        let expected = self.expected.unwrap_or(sequence);
        if sequence < expected {
            return Handed::Before;
        }
        if self.ring.slots() < inputs.len() + BESIDE {
            return Handed::Full;
        }
        if sequence > expected {
            self.push_gap(expected, sequence, arrival, inputs);
        }
        if let Some((last, before)) = inputs.split_last() {
            if self.since >= MESSAGES_A_CURSOR || arrival.0.saturating_sub(self.cursor_at.0) >= NS_A_CURSOR {
                let cursor = Cursor { session, next: sequence, ..Cursor::default() };
                self.push(Event::new(arrival, 0, Flags::NONE, &cursor));
                (self.since, self.cursor_at) = (0, arrival);
            }
            before.iter().for_each(|input| self.push(Event { ts: arrival, ..*input }));
            self.push(Event { ts: arrival, flags: last.flags.with(Flags::LAST_OF_PACKET), ..*last });
            self.since += 1;
        }
        self.expected = Some(sequence + 1);
        Handed::Over
    }

    /// Says that the connection is lost, at once: what comes of it until the next message is not known. `false` if the ring has
    /// no room for that.
    pub fn disconnected(&mut self, at: Ns) -> bool {
        let has_room = self.ring.slots() > 0;
        if has_room {
            let expected = self.expected.unwrap_or(Gap::UNKNOWN);
            let gap = Gap { exchange_ts: Ns::NONE, expected, received: Gap::UNKNOWN, ..Gap::default() };
            self.push(Event::new(at, 0, Flags::LAST_OF_GROUP, &gap));
        }
        has_room
    }

    /// Whether the run has ended: nobody takes any more.
    pub fn is_abandoned(&self) -> bool {
        self.ring.is_abandoned()
    }

    /// Ends the source: nothing more comes of it, and that is in order.
    pub fn end(self) {
        self.ended.store(true, Ordering::Release);
    }

    /// The messages from `expected` to before `received` are missing. A cursor after it has the numbering.
    fn push_gap(&mut self, expected: u64, received: u64, arrival: Ns, inputs: &[Event]) {
        let exchange_ts = inputs.first().and_then(Event::exchange_ts).unwrap_or(Ns::NONE);
        let gap = Gap { exchange_ts, expected, received, ..Gap::default() };
        self.push(Event::new(arrival, 0, Flags::LAST_OF_GROUP, &gap));
        self.push(AnomalyKind::SequenceGap.event(arrival, 0, exchange_ts, received - expected));
        self.since = MESSAGES_A_CURSOR;
    }

    fn push(&mut self, event: Event) {
        self.ring.push(event).unwrap_or_else(|_| unreachable!("there was room"));
    }
}

/// The time of an arrival, where the system does not give it with the message.
pub fn arrival() -> Ns {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ns(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX - 1))
}
