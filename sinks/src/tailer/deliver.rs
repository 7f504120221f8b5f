//! Brings the events of a run to a [`Tailer`].
//!
//! A commit follows each second and the end of what is there, always between two inputs, and not while the sink has half of
//! something, unless that lasts [`AMID`]. Before its first event the sink learns what is listed: from the snapshot with which the
//! journal begins, and from its inputs up to there.
//!
//! Bound: one look at the journal each millisecond without an event. Worst case: an error just before a commit, after which a second
//! of events comes again.

use super::counters::Counters;
use super::{Occasion, Place, Reference, Tailer, TailerError};
use crate::journal::{Follow, Followed, Follower, Home, JournalError, Member, Missing, OpenedSink, Position, Saved};
use flow::{Kind, Kinds};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Pause between two looks at a journal that had nothing new.
const LOOK: Duration = Duration::from_millis(1);
/// The longest time between two commits of what has come.
const COMMIT: Duration = Duration::from_secs(1);
/// The longest time that a commit waits for a sink that has half of something.
const AMID: Duration = Duration::from_secs(5);
/// The first pause after an error that may pass, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is brought to whom.
#[derive(Clone, Debug)]
pub struct Following {
    /// Folder of the journals.
    pub dir: PathBuf,
    /// Name of the follower, under which positions are saved.
    pub name: String,
    /// Whether a new follower leaves out what was.
    pub newest: bool,
    /// Whether to end once everything that is complete has been committed.
    pub once: bool,
    /// How the sink was opened, which is noted beside its position; `None`: nobody else can open it.
    pub opened: Option<OpenedSink>,
}

/// A delivery: what is brought, what the journals do not say, and what is counted.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// What is brought to whom.
    pub what: &'a Following,
    /// What the journals do not say by themselves.
    pub reference: &'a dyn Reference,
    /// Counts what is done.
    pub counters: &'a Counters,
}

/// Why it ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The journal cannot be read, or the position not be saved.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The names of a journal cannot be read.
    #[error("{0}")]
    Names(String),
    /// The sink cannot go on.
    #[error(transparent)]
    Tailer(#[from] TailerError),
}

/// Brings events to `tailer` until `stops` says so, nothing can follow, or an error is not transient. `say` takes what an operator
/// must know.
///
/// # Errors
/// See [`DeliveryError`].
pub fn deliver(
    what: &Delivery<'_>,
    tailer: &mut dyn Tailer,
    stops: &dyn Fn() -> bool,
    say: &mut dyn FnMut(String),
) -> Result<(), DeliveryError> {
    let Following { dir, name, opened, .. } = what.what;
    let recorded = Home::open(dir)?.current().info.outcome_kinds;
    let names = what.reference.names();
    let mut follower = Follower::take(dir, name)?;
    let resumes = follower.saved().is_some();
    if let Some(opened) = opened {
        follower.note_sink(opened)?;
    }
    tailer.begin(&mut Place { dir, follower: name, names, recorded, resumes, say })?;
    let mut pause = FIRST_PAUSE;
    loop {
        let before = what.counters.now().commits;
        let mut turn = Turn { what, follower: &mut follower, amid: None };
        let error = match turn.run(tailer, stops, say) {
            Ok(()) => return Ok(()),
            Err(DeliveryError::Tailer(error)) if error.transient => error,
            Err(error) => return Err(error),
        };
        // It went well for a while.
        pause = if what.counters.now().commits > before { FIRST_PAUSE } else { pause };
        say(format!("{error}; it is tried again in {pause:.1?}"));
        what.counters.retry(error.to_string());
        if !waits(pause, stops) {
            return Ok(());
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether the whole pause passed without a stop.
fn waits(pause: Duration, stops: &dyn Fn() -> bool) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < pause {
        if stops() {
            return false;
        }
        std::thread::sleep(LOOK);
    }
    true
}

/// From a position to an error or the end.
struct Turn<'a> {
    what: &'a Delivery<'a>,
    follower: &'a mut Follower,
    /// Since when a commit waits for a sink that has half of something.
    amid: Option<Instant>,
}

impl Turn<'_> {
    fn open(&self, tailer: &mut dyn Tailer) -> Result<Follow, DeliveryError> {
        let (dir, kinds) = (&self.what.what.dir, tailer.kinds());
        let saved = || self.follower.saved().map(|saved| saved.position);
        Ok(match tailer.position()?.or_else(saved) {
            Some(position) => Follow::open_at(dir, kinds, &position)?,
            None if self.what.what.newest => Follow::open_newest(dir, kinds)?,
            None => Follow::open(dir, kinds)?,
        })
    }

    fn run(
        &mut self,
        tailer: &mut dyn Tailer,
        stops: &dyn Fn() -> bool,
        say: &mut dyn FnMut(String),
    ) -> Result<(), DeliveryError> {
        let mut follow = self.open(tailer)?;
        self.learn(tailer, follow.journal(), follow.reached().seq)?;
        let mut last = follow.reached();
        let (mut seq, mut committed) = (last.seq, Instant::now());
        // From now on closed journals that it has not read stay.
        self.save(last)?;
        loop {
            match follow.next().transpose()? {
                Some(Followed::Event(event)) => {
                    // Behind the input before this one all of it has been taken, and nothing of this one.
                    if event.id.seq() > seq {
                        let is_due = tailer.is_due(event.ts) || committed.elapsed() >= COMMIT;
                        let occasion = if stops() { Occasion::Stop } else { Occasion::Between };
                        if (is_due || occasion == Occasion::Stop) && self.is_whole(tailer) {
                            self.commit(tailer, last, occasion, say)?;
                            committed = Instant::now();
                        }
                        if occasion == Occasion::Stop {
                            return Ok(());
                        }
                    }
                    seq = event.id.seq();
                    tailer.take(follow.reached().journal, &event)?;
                    self.what.counters.event();
                }
                Some(Followed::Gap(gap)) => {
                    say(format!("GAP: {gap}"));
                    if gap.missing == Missing::Both {
                        self.defined(tailer, follow.journal())?;
                    }
                    tailer.gap(&gap)?;
                    self.what.counters.gap();
                }
                None => {
                    let is_last = self.caught_up(tailer, &follow, &mut committed, stops, say)?;
                    if is_last {
                        if !stops() {
                            tailer.finish()?;
                            tailer.said().into_iter().for_each(say);
                        }
                        return Ok(());
                    }
                    std::thread::sleep(LOOK);
                }
            }
            last = follow.reached();
        }
    }

    /// Behind all that is there: commits it when it is time. Whether nothing is waited for.
    fn caught_up(
        &mut self,
        tailer: &mut dyn Tailer,
        follow: &Follow,
        committed: &mut Instant,
        stops: &dyn Fn() -> bool,
        say: &mut dyn FnMut(String),
    ) -> Result<bool, DeliveryError> {
        let is_over = follow.is_over()?;
        let is_last = self.what.what.once || stops() || is_over;
        if is_over || ((is_last || committed.elapsed() >= COMMIT) && self.is_whole(tailer)) {
            let occasion = match (is_over, is_last) {
                (true, _) => Occasion::Over,
                (_, true) => Occasion::Stop,
                _ => Occasion::Between,
            };
            self.commit(tailer, follow.reached(), occasion, say)?;
            *committed = Instant::now();
        }
        Ok(is_last)
    }

    /// Whether a commit cuts nothing, or has waited long enough.
    fn is_whole(&mut self, tailer: &dyn Tailer) -> bool {
        if !tailer.is_amid() {
            self.amid = None;
            return true;
        }
        self.amid.get_or_insert_with(Instant::now).elapsed() >= AMID
    }

    /// Lets the sink know what was listed up to an input, if it shows symbols.
    fn learn(&self, tailer: &mut dyn Tailer, member: &Member, through: u64) -> Result<(), DeliveryError> {
        let definitions = Kinds::of(&[Kind::Name, Kind::Listing]);
        if definitions.iter().any(|kind| !tailer.kinds().has(kind)) {
            return Ok(());
        }
        self.defined(tailer, member)?;
        for event in member.reader().inputs() {
            let event = event?;
            if event.id.seq() > through {
                break;
            }
            if definitions.has(event.kind) {
                tailer.learn(&event);
            }
        }
        Ok(())
    }

    /// Lets it know what a journal begins with.
    fn defined(&self, tailer: &mut dyn Tailer, member: &Member) -> Result<(), DeliveryError> {
        let events = self.what.reference.begins_with(member).map_err(DeliveryError::Names)?;
        events.iter().for_each(|event| tailer.learn(event));
        Ok(())
    }

    /// Lets what was taken be made durable, and saves how far that reaches only then.
    fn commit(
        &mut self,
        tailer: &mut dyn Tailer,
        position: Position,
        occasion: Occasion,
        say: &mut dyn FnMut(String),
    ) -> Result<(), DeliveryError> {
        let saved = self.follower.saved().map(|saved| saved.position);
        let mut durable = saved;
        if saved != Some(position) {
            let committed = tailer.commit(&position, occasion);
            tailer.said().into_iter().for_each(say);
            durable = committed?.or(saved);
            if let Some(durable) = durable.filter(|durable| saved != Some(*durable)) {
                self.save(durable)?;
            }
        }
        self.amid = None;
        self.what.counters.committed(durable.map_or((0, 0), |durable| (durable.seq, durable.at.0)));
        Ok(())
    }

    fn save(&mut self, position: Position) -> Result<(), DeliveryError> {
        Ok(self.follower.save(Saved { output_bytes: None, position })?)
    }
}
