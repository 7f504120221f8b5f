//! What a gateway publishes about itself, for the status and for messages.
//!
//! The gateway's thread is the only writer. Numbers are atomics, so a reader never makes it wait; messages go into a short
//! queue from which the main thread says them, so that a terminal that does not take them holds nobody up. Bound:
//! [`NOTICES`] messages; the oldest is dropped for the newest.

use crossbeam_queue::ArrayQueue;
use flow::records::Reconciled;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Most messages that wait to be said.
const NOTICES: usize = 64;

/// How a session with a venue stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum SessionState {
    /// There is no gateway, or it waits for the end of the replay.
    #[default]
    None = 0,
    /// It is being opened.
    Opening = 1,
    /// It is open; routes in doubt are being settled.
    Settling = 2,
    /// Orders pass.
    Open = 3,
    /// It is lost, and opened anew.
    Lost = 4,
    /// The gateway has ended.
    Ended = 5,
}

impl SessionState {
    /// All of them, each at its number.
    pub const ALL: [SessionState; 6] = [
        SessionState::None,
        SessionState::Opening,
        SessionState::Settling,
        SessionState::Open,
        SessionState::Lost,
        SessionState::Ended,
    ];

    /// Its name in the status.
    pub const fn name(self) -> &'static str {
        match self {
            SessionState::None => "none",
            SessionState::Opening => "opening",
            SessionState::Settling => "settling",
            SessionState::Open => "open",
            SessionState::Lost => "lost",
            SessionState::Ended => "ended",
        }
    }
}

/// What a gateway publishes; see the module. Times are nanoseconds of the wall clock since 1970; 0 = never.
#[derive(Debug)]
pub struct VenueStatus {
    /// Its name; set once, before its gateway starts.
    venue: OnceLock<String>,
    session: AtomicU8,
    since: AtomicU64,
    lost: AtomicU64,
    back: AtomicU64,
    heard: AtomicU64,
    open_orders: AtomicU64,
    unanswered: AtomicU64,
    late: AtomicU64,
    unsolicited: AtomicU64,
    unexplained: AtomicU64,
    unknown: AtomicU64,
    /// What the last session at a venue that numbers nothing found when it opened.
    reconciled: Mutex<Option<Reconciled>>,
    notices: ArrayQueue<String>,
}

impl Default for VenueStatus {
    fn default() -> VenueStatus {
        let zero = AtomicU64::default;
        let (since, lost, back, heard) = (zero(), zero(), zero(), zero());
        let (open_orders, unanswered, late) = (zero(), zero(), zero());
        let (unsolicited, unexplained, unknown) = (zero(), zero(), zero());
        let notices = ArrayQueue::new(NOTICES);
        VenueStatus {
            venue: OnceLock::new(),
            session: AtomicU8::default(),
            since,
            lost,
            back,
            heard,
            open_orders,
            unanswered,
            late,
            unsolicited,
            unexplained,
            unknown,
            reconciled: Mutex::default(),
            notices,
        }
    }
}

/// A number of the status, now.
fn get(number: &AtomicU64) -> u64 {
    number.load(Ordering::Relaxed)
}

impl VenueStatus {
    /// The name of the venue; empty where there is none.
    pub fn venue(&self) -> &str {
        self.venue.get().map_or("", String::as_str)
    }

    /// The venue in messages.
    pub(super) fn place(&self) -> String {
        self.venue.get().map_or_else(|| "the venue".to_owned(), |name| format!("the venue {name}"))
    }

    /// It is that of this venue.
    pub fn name(&self, venue: &str) {
        let _ = self.venue.set(venue.to_owned());
    }

    /// How the session stands.
    pub fn session(&self) -> SessionState {
        SessionState::ALL[usize::from(self.session.load(Ordering::Relaxed))]
    }

    /// Since when it stands so.
    pub fn since(&self) -> u64 {
        get(&self.since)
    }

    /// How often a session was lost, or could not be opened.
    pub fn lost(&self) -> u64 {
        get(&self.lost)
    }

    /// How often a lost one came back.
    pub fn back(&self) -> u64 {
        get(&self.back)
    }

    /// When the venue last sent anything.
    pub fn heard(&self) -> u64 {
        get(&self.heard)
    }

    /// Orders that may be open at the venue.
    pub fn open_orders(&self) -> u64 {
        get(&self.open_orders)
    }

    /// Routes sent and not answered.
    pub fn unanswered(&self) -> u64 {
        get(&self.unanswered)
    }

    /// Routes that were unanswered for too long, so far.
    pub fn late(&self) -> u64 {
        get(&self.late)
    }

    /// What was found when the last session opened, at a venue that numbers nothing.
    ///
    /// # Panics
    /// If a thread panicked while it held the lock, which none does.
    pub fn found(&self) -> Option<Reconciled> {
        *self.reconciled.lock().expect("no thread panics while it holds the lock")
    }

    /// Executions and orders that came and that nobody here sent, so far.
    pub fn unsolicited(&self) -> u64 {
        get(&self.unsolicited)
    }

    /// Orders of which the venue says more than it tells.
    pub fn unexplained(&self) -> u64 {
        get(&self.unexplained)
    }

    /// Orders of which the venue cannot say anything.
    pub fn unknown(&self) -> u64 {
        get(&self.unknown)
    }

    /// The next message to say, if there is one.
    pub fn take_notice(&self) -> Option<String> {
        self.notices.pop()
    }

    /// Queues a message.
    pub(crate) fn notice(&self, what: String) {
        self.notices.force_push(what);
    }

    /// The session stands so from now on.
    pub(super) fn set_session(&self, session: SessionState) {
        if self.session.swap(session as u8, Ordering::Relaxed) != session as u8 {
            self.since.store(wall_ns(), Ordering::Relaxed);
        }
    }

    /// A session was lost; returns how many so far.
    pub(super) fn count_lost(&self) -> u64 {
        self.lost.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A lost session came back.
    pub(super) fn count_back(&self) {
        self.back.fetch_add(1, Ordering::Relaxed);
    }

    /// A route was unanswered for too long.
    pub(super) fn count_late(&self) {
        self.late.fetch_add(1, Ordering::Relaxed);
    }

    /// Something came that nobody here sent.
    pub(super) fn count_unsolicited(&self) {
        self.unsolicited.fetch_add(1, Ordering::Relaxed);
    }

    /// A session has opened, and that was found.
    pub(super) fn reconciled(&self, found: &Reconciled) {
        self.set_unexplained(found.unexplained as usize, found.unknown as usize);
        *self.reconciled.lock().expect("no thread panics while it holds the lock") = Some(*found);
    }

    /// Of so many orders the venue says more than it tells, and of so many nothing.
    pub(super) fn set_unexplained(&self, unexplained: usize, unknown: usize) {
        self.unexplained.store(unexplained as u64, Ordering::Relaxed);
        self.unknown.store(unknown as u64, Ordering::Relaxed);
    }

    /// The venue was heard so long ago.
    pub(super) fn set_heard(&self, silence: Duration) {
        let ago = u64::try_from(silence.as_nanos()).unwrap_or(u64::MAX);
        self.heard.store(wall_ns().saturating_sub(ago), Ordering::Relaxed);
    }

    /// The gateway has ended with so many orders that may be open.
    pub(super) fn end(&self, open: usize) {
        self.set_session(SessionState::Ended);
        self.open_orders.store(open as u64, Ordering::Relaxed);
    }

    /// Numbers of orders and routes.
    pub(super) fn set_orders(&self, open: usize, unanswered: usize) {
        self.open_orders.store(open as u64, Ordering::Relaxed);
        self.unanswered.store(unanswered as u64, Ordering::Relaxed);
    }
}

fn wall_ns() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}
