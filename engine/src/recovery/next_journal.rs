//! The journals to come of a run, and what becomes of those before: made, closed and looked after beside the pipeline.
//!
//! One thread does what takes time. When the head asks, it makes the files of the next journal. Once the run goes on there, it
//! closes the journal before, writes down what a carry-over needs of all journals so far ([`super::left`]), says in the new
//! journal how the one before ended, and removes closed journals that are older or larger than the settings allow
//! ([`super::retention`]). A run that begins does the same for what a kill has left undone. Nothing of it is needed for the
//! run to go on: what is not done at its end is done by the next start.
//!
//! Bound: one journal ahead, and one job after another. Worst case: a disk that does not answer; then the next journal is not
//! ready, and the run goes on in the one that it has.

use super::definitions::DefinitionsSoFar;
use super::notices::Notices;
use super::roll_time::RollTime;
use super::settle::settle;
use super::snapshot::Snapshot;
use crate::config::Settings;
use crate::ingress::{NextJournal, NoJournal};
use flow::{Listings, Ns, SavedState, Sink};
use sinks::journal::{
    Begin, Commitment, CurrentDisk, Follows, Home, InputLog, Journal, JournalError, JournalInfo, JournalReader,
    JournalSpec, OutcomeLog,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long the stop of a run waits for what goes on here, and how long its end does.
const PATIENCE: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(10)];

/// A journal that has not begun.
struct Prepared {
    info: JournalInfo,
    inputs: InputLog,
    outcomes: OutcomeLog,
    /// Commits to no input.
    nothing: Commitment,
}

/// How far the next journal is.
#[derive(Default)]
enum Ahead {
    #[default]
    Unasked,
    Asked,
    Ready(Box<Prepared>),
    Failed(String),
}

type Slot = Arc<Mutex<Ahead>>;

fn lock(slot: &Slot) -> MutexGuard<'_, Ahead> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Job {
    /// Settle what a kill has left.
    Settle,
    /// Make the journal that follows this one.
    Prepare(Box<JournalInfo>),
    /// The run has gone on in the next one: close these logs.
    Close(Option<InputLog>, Vec<Box<dyn Sink>>),
}

/// The thread, for whoever runs the pipeline.
pub(crate) struct Roller {
    jobs: Sender<Job>,
    stop: Arc<AtomicBool>,
    slot: Slot,
    thread: JoinHandle<()>,
}

impl Roller {
    /// Starts it for a run with `settings` whose journals lie in `dir`.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(crate) fn start(settings: &Settings, dir: &Path, notices: Notices) -> std::io::Result<Roller> {
        let (jobs, from) = channel();
        let (stop, slot) = (Arc::new(AtomicBool::new(false)), Slot::default());
        let work = Work {
            settings: settings.clone(),
            dir: dir.to_owned(),
            notices,
            stop: Arc::clone(&stop),
            slot: Arc::clone(&slot),
        };
        let thread = std::thread::Builder::new().name("journals".to_owned()).spawn(move || work.run(&from))?;
        Ok(Roller { jobs, stop, slot, thread })
    }

    /// The journals to come, for the head of a pipeline in the journal `info`.
    pub(crate) fn next(
        &self,
        info: JournalInfo,
        when: RollTime,
        definitions: DefinitionsSoFar,
        disk: CurrentDisk,
    ) -> Box<dyn NextJournal> {
        let (jobs, slot) = (self.jobs.clone(), Arc::clone(&self.slot));
        Box::new(Successor { jobs, slot, info, when, definitions, disk, begun: None })
    }

    /// Ends it. A run that was stopped leaves to the next start what cannot be done soon; after one that `is_over` nothing
    /// follows, so there it is waited for.
    pub(crate) fn end(self, is_over: bool) {
        let Roller { jobs, stop, thread, .. } = self;
        stop.store(!is_over, Ordering::Release);
        drop(jobs);
        let since = Instant::now();
        let patience = PATIENCE[usize::from(is_over)];
        while !thread.is_finished() && since.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// The journals to come, as the head sees them.
struct Successor {
    jobs: Sender<Job>,
    slot: Slot,
    /// The journal that the run is in.
    info: JournalInfo,
    when: RollTime,
    definitions: DefinitionsSoFar,
    disk: CurrentDisk,
    /// The one that has begun, until the tail has its log.
    begun: Option<(JournalInfo, InputLog)>,
}

impl NextJournal for Successor {
    fn due_after(&self, now: Ns) -> Option<Ns> {
        self.when.after(now)
    }

    fn accepted(&mut self) {
        // A thread that is gone has panicked; the next start settles them.
        let _ = self.jobs.send(Job::Settle);
    }

    fn is_ready(&mut self) -> Result<bool, NoJournal> {
        let mut ahead = lock(&self.slot);
        match std::mem::take(&mut *ahead) {
            Ahead::Unasked => {
                *ahead = Ahead::Asked;
                // A thread that is gone has panicked, and no journal follows.
                let sent = self.jobs.send(Job::Prepare(Box::new(self.info.clone())));
                sent.map(|()| false).map_err(|_| NoJournal("the thread that makes journals has ended".to_owned()))
            }
            Ahead::Failed(why) => Err(NoJournal(why)),
            asked_or_ready => {
                let is_ready = matches!(asked_or_ready, Ahead::Ready(_));
                *ahead = asked_or_ready;
                Ok(is_ready)
            }
        }
    }

    fn listings(&self) -> Arc<Listings> {
        Arc::new(self.definitions.now().listings())
    }

    fn begin(&mut self, seq: u64, at: Ns, head: Vec<u8>, pipeline: SavedState) -> Result<Box<dyn Sink>, NoJournal> {
        let Ahead::Ready(prepared) = std::mem::take(&mut *lock(&self.slot)) else {
            unreachable!("the head begins a journal that is ready")
        };
        let Prepared { mut info, mut inputs, mut outcomes, nothing } = *prepared;
        let definitions = self.definitions.now().bytes();
        let state = Snapshot::at_roll(&info, seq, nothing, (definitions, head, pipeline));
        let begin = Begin { after: seq, at, state: Snapshot::file_name(seq) };
        inputs.begin(&begin, &state.bytes()).map_err(|e| NoJournal(e.to_string()))?;
        outcomes.finished(seq).expect("an outcome log never fails");
        info.begin = Some(begin);
        self.begun = Some((info, inputs));
        Ok(Box::new(outcomes))
    }

    fn change(&mut self, inputs: Option<InputLog>, outcomes: Vec<Box<dyn Sink>>) -> InputLog {
        let (info, next) = self.begun.take().expect("the head changes to a journal that has begun");
        self.disk.set(next.disk());
        self.info = info;
        // If nobody takes them, dropping them ends them.
        let _ = self.jobs.send(Job::Close(inputs, outcomes));
        next
    }
}

/// What the thread works with.
struct Work {
    settings: Settings,
    dir: PathBuf,
    notices: Notices,
    stop: Arc<AtomicBool>,
    slot: Slot,
}

impl Work {
    fn run(self, jobs: &Receiver<Job>) {
        for job in jobs {
            match job {
                Job::Settle => self.settle(),
                Job::Prepare(info) => {
                    let prepared = self.prepare(&info);
                    *lock(&self.slot) = prepared.map_or_else(
                        |e| {
                            self.notices.say(format!("the journal does not roll: {e}; it is tried again"));
                            Ahead::Failed(e.to_string())
                        },
                        |prepared| Ahead::Ready(Box::new(prepared)),
                    );
                }
                Job::Close(inputs, outcomes) => {
                    self.close(inputs, outcomes);
                    self.settle();
                }
            }
        }
        self.discard();
    }

    /// Makes the journal that follows.
    fn prepare(&self, before: &JournalInfo) -> Result<Prepared, JournalError> {
        Home::make_room(&self.dir)?;
        let params = &self.settings.sinks["journal"];
        let mut spec = JournalSpec::from_params(params, before.build_id.clone(), before.config_text.clone());
        (spec.outcome_kinds, spec.instruments) = (before.outcome_kinds, before.instruments);
        spec.number = before.number + 1;
        spec.follows = Some(Follows { journal_id: before.journal_id, first_id: before.run_id() });
        let dir = Home::place(&self.dir, spec.number);
        let (inputs, outcomes) = Journal::create(&dir, &spec)?;
        let nothing = JournalReader::open(&dir)?.commitment(0)?;
        Ok(Prepared { info: inputs.info().clone(), inputs, outcomes, nothing })
    }

    /// Closes the logs of a journal that the run has left.
    fn close(&self, inputs: Option<InputLog>, outcomes: Vec<Box<dyn Sink>>) {
        let ended = outcomes.into_iter().filter_map(|mut log| log.end().err().map(|e| e.to_string()));
        let mut faults: Vec<String> = ended.collect();
        faults.extend(inputs.and_then(|log| log.close().err()).map(|e| e.to_string()));
        for fault in faults {
            self.notices.say(format!("the journal before is not closed: {fault}; the next start tries again"));
        }
    }

    fn settle(&self) {
        if let Err(e) = settle(&self.dir, &self.settings, &self.stop, self.notices)
            && !self.stop.load(Ordering::Acquire)
        {
            self.notices.say(format!("the journals before are not settled: {e}; the next start tries again"));
        }
    }

    /// Removes the journal that was prepared and that the run did not come to.
    fn discard(&self) {
        if let Ahead::Ready(prepared) = std::mem::take(&mut *lock(&self.slot)) {
            let Prepared { inputs, outcomes, .. } = *prepared;
            // What is left of it is removed by the next start.
            let _ = Journal::close(inputs, outcomes);
            let _ = Home::open(&self.dir).and_then(|home| home.tidy());
        }
    }
}
