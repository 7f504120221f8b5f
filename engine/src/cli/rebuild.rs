//! `tidegate sink --rebuild`: the rows of a recorded run, derived again and shown in place of the old ones.
//!
//! The recorded inputs go through the pipeline of this build; the sink takes what comes out at its tail, under a tag that nobody
//! sees. Only when all of it is there the sink shows it instead, in one step. Whatever fails before leaves the old rows as they
//! were, and those under the tag unseen. It serves a day whose measures a newer build computes otherwise, outcomes that were
//! left out of the log, and kinds that the run did not record.
//!
//! Bound: a replay, which waits for the sink. Worst case: a sink that fails once ends it.

use super::console;
use super::exit::{Exit, Failure};
use super::journal_names::names;
use super::numbers::grouped;
use super::run_reference::RunReference;
use super::watch::Watch;
use crate::config::Draft;
use crate::plan::checked;
use crate::recovery::Notices;
use crate::registries::Registries;
use crate::run::{Options, execute};
use flow::{Event, Kinds, Ns, Sink, SinkError};
use sinks::journal::{Home, JournalError, Position};
use sinks::tailer::{Occasion, Place, Reference as _, Tailer, TailerError};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The longest time between two commits.
const COMMIT: Duration = Duration::from_secs(1);

/// A sink of the tail, and whoever shows what it took in the end.
#[derive(Clone)]
struct Shared(Arc<Mutex<Box<dyn Tailer>>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Box<dyn Tailer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Brings what comes out at the tail to a sink.
struct Tail {
    tailer: Shared,
    kinds: Kinds,
    position: Position,
    committed: Instant,
    events: Arc<Mutex<u64>>,
}

impl Tail {
    fn commit(&mut self, occasion: Occasion) -> Result<(), SinkError> {
        self.committed = Instant::now();
        self.tailer.lock().commit(&self.position, occasion).map(drop).map_err(refused)
    }
}

fn refused(error: TailerError) -> SinkError {
    SinkError { what: error.to_string(), next: "then rebuild again; what is shown is as before", closed: false }
}

impl Sink for Tail {
    fn kinds(&self) -> Kinds {
        self.kinds
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        if event.id.position() == 0 {
            (self.position.seq, self.position.at) = (event.id.seq(), event.ts);
        }
        *self.events.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.tailer.lock().take(self.position.journal, event).map_err(refused)
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        let is_due = self.committed.elapsed() >= COMMIT && !self.tailer.lock().is_amid();
        if is_due { self.commit(Occasion::Between) } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), SinkError> {
        self.commit(Occasion::Over)
    }
}

/// Derives the rows of a run again.
pub(super) fn rebuild(
    dir: &Path,
    name: &str,
    mut tailer: Box<dyn Tailer>,
    home: &Home,
    registries: &Registries,
) -> Result<Exit, Failure> {
    let failed = |error: TailerError| Failure::failed(format!("{name}: {error}"));
    let current = home.current();
    if !is_final(home).map_err(Failure::failed)? {
        let dir = dir.display();
        return Err(Failure::failed(format!(
            "{dir}: its journal may still be written, and rows that come later would not be seen. Let the run end, or let it roll \
             (`tidegate ctl {dir} roll`) and name the folder of the journal that was closed"
        )));
    }
    let settings = checked(Draft::recorded(&current.info.config_text, &current.dir.join("journal.toml"), registries))?;
    let watch = Watch::start(None, true)?;
    let reference = RunReference(names(&current.reader()));
    let follower = format!("{name}-rebuild");
    let mut place = Place {
        dir,
        follower: &follower,
        names: reference.names(),
        recorded: Kinds::ALL,
        resumes: true,
        say: &mut |text| console::say(text),
    };
    tailer.begin(&mut place).map_err(failed)?;
    tailer.position().map_err(failed)?;
    let members = home.journals();
    let begins = reference.begins_with(&members[0]).map_err(Failure::failed)?;
    begins.iter().for_each(|event| tailer.learn(event));
    let tag = tag(current.info.run_id());
    tailer.rebuild(tag).map_err(failed)?;
    let kinds = tailer.kinds();
    let (tailer, events) = (Shared(Arc::new(Mutex::new(tailer))), Arc::<Mutex<u64>>::default());
    let position = Position { journal: tag, seq: 0, at: Ns(0), outcomes: 0, told: 0, run: current.info.run_id() };
    let tail = Tail { tailer: tailer.clone(), kinds, position, committed: Instant::now(), events: Arc::clone(&events) };
    let (control, notices) = (watch.control().clone(), Notices(console::say));
    let options =
        Options { sinks: vec![Box::new(tail)], recorded: Some(dir.to_owned()), control, notices, ..Options::default() };
    let (report, error) = execute(&settings, options)?;
    watch.end();
    if let Some(error) = error {
        return Err(error.into());
    }
    if report.stopped {
        console::say("stopped: what is shown is as before");
        return Ok(Exit::Done);
    }
    let replaced: Vec<_> = members.iter().map(|member| member.info.journal_id).collect();
    tailer.lock().finish().map_err(failed)?;
    tailer.lock().rebuilt(tag, &replaced).map_err(failed)?;
    tailer.lock().said().into_iter().for_each(console::say);
    let events = grouped(*events.lock().unwrap_or_else(PoisonError::into_inner));
    console::say(format!("{name}: {events} events derived again; they are shown as journal {tag:016x}"));
    Ok(Exit::Done)
}

/// Whether nothing more can come: the run has ended, or this is one of its journals and another has followed it.
fn is_final(home: &Home) -> Result<bool, JournalError> {
    let current = home.current();
    if current.reader().closed()?.is_some_and(|closed| closed.ended) {
        return Ok(true);
    }
    let dir = home.dir();
    match dir.parent().and_then(Path::parent).filter(|run| Home::place(run, current.info.number) == dir) {
        Some(run) => Ok(Home::after(run, current)?.is_some()),
        None => Ok(false),
    }
}

/// A tag that no journal and no other rebuild has.
fn tag(run: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let mut hasher = blake3::Hasher::new();
    hasher.update(&run.to_le_bytes()).update(&now.to_le_bytes()).update(&std::process::id().to_le_bytes());
    let hash = hasher.finalize();
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
}
