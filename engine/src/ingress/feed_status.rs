//! How each source stands, for whoever watches the run: an atomic that only the head writes, and only when it changes.
//!
//! What a source has brought is in the journal; that it cannot bring more, or has not been reached yet, is not. Bound: some
//! words a source, and the symbols that are watched of it. Worst case: a reader sees a change a moment late.

use super::watch::WatchList;
use flow::{FeedNotices, Source, WatchAnswer};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How a source stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum FeedStanding {
    /// It has not been looked at yet, or is still to join.
    #[default]
    Opening = 0,
    /// It was looked at, and may bring something.
    Up = 1,
    /// It has come to its end.
    Ended = 2,
    /// A live one brings nothing more, after an error.
    Failed = 3,
}

impl FeedStanding {
    /// All of them, each at its number.
    pub const ALL: [FeedStanding; 4] =
        [FeedStanding::Opening, FeedStanding::Up, FeedStanding::Ended, FeedStanding::Failed];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            FeedStanding::Opening => "opening",
            FeedStanding::Up => "up",
            FeedStanding::Ended => "ended",
            FeedStanding::Failed => "failed",
        }
    }
}

/// What a source publishes of itself.
#[derive(Debug)]
pub struct FeedStatus {
    /// Its name.
    pub name: String,
    /// Its number, which its inputs bear.
    pub id: u8,
    standing: AtomicU8,
    notices: Option<FeedNotices>,
    watched: Mutex<WatchList>,
    answer: Option<WatchAnswer>,
}

impl FeedStatus {
    /// A source that was not looked at.
    pub(super) fn new(name: String, id: u8, source: &dyn Source) -> FeedStatus {
        let (notices, answer) = (source.notices(), source.watch_answer());
        FeedStatus { name, id, standing: AtomicU8::default(), notices, watched: Mutex::default(), answer }
    }

    /// The symbols that are watched of it, as commanded last.
    pub fn watched(&self) -> WatchList {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where it says what its venue makes of them, if it asks one.
    pub fn watch_answer(&self) -> Option<&WatchAnswer> {
        self.answer.as_ref()
    }

    pub(super) fn set_watched(&self, watched: &WatchList) {
        watched.clone_into(&mut self.watched.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What it has said and nobody has taken yet: the next sentence.
    pub fn take_notice(&self) -> Option<String> {
        self.notices.as_ref()?.take()
    }

    /// How it stands.
    pub fn standing(&self) -> FeedStanding {
        FeedStanding::ALL[usize::from(self.standing.load(Ordering::Relaxed))]
    }

    pub(super) fn set(&self, standing: FeedStanding) {
        if self.standing.load(Ordering::Relaxed) != standing as u8 {
            self.standing.store(standing as u8, Ordering::Relaxed);
        }
    }
}

/// The sources of a run, in order. The lock is for whoever adds or reads; the head takes it when sources join.
#[derive(Clone, Debug, Default)]
pub struct FeedStatuses(Arc<Mutex<Vec<Arc<FeedStatus>>>>);

impl FeedStatuses {
    /// Adds a source.
    pub fn add(&self, status: Arc<FeedStatus>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(status);
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<FeedStatus>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
