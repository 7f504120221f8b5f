//! `tidegate journal follow`: the events of a run as rows, in the one order, while they happen.
//!
//! With a name it goes on where it was: the position is saved behind the rows that belong to it, and only between two
//! inputs. With `--output` the position says also how long the file was; what a kill left behind that is cut off at the next
//! start, so each row is in the file once. Standard output cannot be taken back: there the rows of the last moment may come
//! again.
//!
//! Bound: one look at the journal each millisecond without an event, one save a second. Worst case: a start far behind the
//! beginning of a journal reads its inputs once for the names in them.

use super::console;
use super::exit::{Exit, Failure};
use super::journal_names::{defined_before, learn, names};
use super::rows::RowArgs;
use super::signals::Signals;
use crate::rows::RowSink;
use clap::{Args, ValueEnum};
use flow::{Event, Sink};
use sinks::journal::{Follow, Followed, Follower, Home, Missing, Position, Saved};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Pause between two looks at a journal that had nothing new.
const PAUSE: Duration = Duration::from_millis(1);
/// Pause between two saves of the position.
const SAVE: Duration = Duration::from_secs(1);

/// Where a new follower begins.
#[derive(Clone, Copy, ValueEnum)]
enum Start {
    Oldest,
    Newest,
}

/// Options of `journal follow`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal follow run1 --name desk --emit order,fill --output fills.jsonl")]
pub(crate) struct FollowArgs {
    /// Folder of the journal.
    dir: PathBuf,
    /// Go on where the follower of this name was, and hold journals that it has not read.
    #[arg(long)]
    name: Option<String>,
    /// Where a new follower begins.
    #[arg(long, value_enum, default_value = "oldest")]
    start: Start,
    /// Append the rows to this file, each once over kills and starts; needs a name.
    #[arg(long, requires = "name")]
    output: Option<PathBuf>,
    /// End once everything that is complete has been printed.
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    rows: RowArgs,
}

/// What is saved, and where the rows go.
struct Place {
    follower: Option<Follower>,
    file: Option<File>,
    /// Nothing has been printed before.
    is_new: bool,
    saved_at: Instant,
}

impl Place {
    fn open(args: &FollowArgs) -> Result<Place, Failure> {
        let follower = args.name.as_deref().map(|name| Follower::take(&args.dir, name)).transpose();
        let follower = follower.map_err(Failure::failed)?;
        let saved = follower.as_ref().and_then(Follower::saved);
        let kept = saved.and_then(|saved| saved.output_bytes);
        let file = args.output.as_ref().map(|path| open_output(path, kept)).transpose()?;
        let is_new = if file.is_some() { kept.unwrap_or(0) == 0 } else { saved.is_none() };
        Ok(Place { follower, file, is_new, saved_at: Instant::now() })
    }

    fn position(&self) -> Option<&Position> {
        self.follower.as_ref()?.saved().map(|saved| &saved.position)
    }

    fn is_due(&self) -> bool {
        self.follower.is_some() && self.saved_at.elapsed() >= SAVE
    }

    /// Prints what waits, and saves the position behind it.
    fn save(&mut self, sink: &mut RowSink, position: Position) -> Result<(), Failure> {
        sink.end().map_err(|e| Failure::failed(&e))?;
        self.saved_at = Instant::now();
        let Some(follower) = &mut self.follower else { return Ok(()) };
        let length = |file: &File| file.sync_data().and_then(|()| file.metadata()).map(|found| found.len());
        let output_bytes = self.file.as_ref().map(length).transpose();
        let output_bytes = output_bytes.map_err(|e| Failure::failed(format!("the output cannot be written: {e}")))?;
        follower.save(Saved { output_bytes, position }).map_err(Failure::failed)
    }
}

/// Opens the file for rows, without what came behind the saved position.
fn open_output(path: &Path, kept: Option<u64>) -> Result<File, Failure> {
    let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let length = |file: File| file.metadata().map(|found| (file, found.len()));
    let failed = |e: io::Error| Failure::failed(format!("{}: it cannot be written: {e}", path.display()));
    let (file, length) = opened.and_then(length).map_err(failed)?;
    if kept.is_none() && length > 0 {
        return Err(Failure::usage(format!(
            "{}: it is not empty, and the follower has saved nothing of it; name a new file, or remove this one",
            path.display()
        )));
    }
    let kept = kept.unwrap_or(0);
    if length < kept {
        return Err(Failure::failed(format!(
            "{}: it has {length} bytes and had {kept} when the position was saved: it is another file, or its end is missing; \
             restore it, or forget the follower and begin anew",
            path.display()
        )));
    }
    file.set_len(kept).map_err(failed)?;
    Ok(file)
}

/// Prints the rows of a run's events.
pub(super) fn follow(args: &FollowArgs) -> Result<Exit, Failure> {
    let mut rows = args
        .rows
        .rows()?
        .ok_or_else(|| Failure::usage("name the kinds to follow with --emit; `tidegate schema` lists them"))?;
    if let Some(kind) = rows.kinds.iter().find(|kind| kind.needs_the_past()) {
        let what = format!("--emit {}: it is rebuilt from all that came before; follow level", kind.name);
        return Err(Failure::usage(format!("{what}, or use `tidegate journal export`")));
    }
    let mut place = Place::open(args)?;
    if let Some(file) = &place.file {
        let file = file.try_clone().map_err(|e| Failure::failed(format!("the output cannot be opened: {e}")))?;
        rows.to = Box::new(file);
    }
    let home = Home::open(&args.dir).map_err(Failure::failed)?;
    let sink = RowSink::new(rows.kinds, rows.format, rows.filter, rows.levels, Vec::new(), None, rows.to);
    let mut sink = sink.with_names(names(&home.current().reader()));
    let follow = match (place.position(), args.start) {
        (Some(position), _) => Follow::open_at(&args.dir, sink.kinds(), position),
        (None, Start::Oldest) => Follow::open(&args.dir, sink.kinds()),
        (None, Start::Newest) => Follow::open_newest(&args.dir, sink.kinds()),
    };
    let mut follow = follow.map_err(Failure::failed)?;
    learn(&mut sink, follow.journal(), follow.reached().seq)?;
    let signals = Signals::take()?;
    // From here on the file is the follower's, and what is in it can be cut off.
    place.save(&mut sink, follow.reached())?;
    if place.is_new {
        sink = sink.begin().map_err(|e| Failure::failed(&e))?;
    }
    match print(args, &mut follow, &mut sink, &mut place, &signals) {
        Ok(()) => Ok(Exit::Done),
        Err(Stopped::Closed) => Ok(Exit::Done),
        Err(Stopped::Failed(failure)) => Err(failure),
    }
}

/// Why it goes no further.
enum Stopped {
    /// Nobody reads the rows any more.
    Closed,
    Failed(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Stopped {
        Stopped::Failed(failure)
    }
}

fn print(
    args: &FollowArgs,
    follow: &mut Follow,
    sink: &mut RowSink,
    place: &mut Place,
    signals: &Signals,
) -> Result<(), Stopped> {
    let mut last = follow.reached();
    let mut seq = last.seq;
    loop {
        match follow.next().transpose().map_err(Failure::failed)? {
            Some(Followed::Event(event)) => {
                if event.id.seq() > seq && (place.is_due() || signals.came()) {
                    // All of the input before this one has been printed, and nothing of this one.
                    place.save(sink, last)?;
                    if signals.came() {
                        return Ok(());
                    }
                }
                seq = event.id.seq();
                take(sink, &event)?;
            }
            Some(Followed::Gap(gap)) => {
                console::warn(format!("GAP: {gap}"));
                if gap.missing == Missing::Both {
                    defined_before(follow.journal())?.iter().for_each(|event| sink.learn(event));
                }
            }
            None => {
                sink.end().map_err(|e| Failure::failed(&e))?;
                let is_last = args.once || signals.came() || follow.is_over().map_err(Failure::failed)?;
                if is_last || place.is_due() {
                    place.save(sink, follow.reached())?;
                }
                if is_last {
                    return Ok(());
                }
                std::thread::sleep(PAUSE);
            }
        }
        last = follow.reached();
    }
}

fn take(sink: &mut RowSink, event: &Event) -> Result<(), Stopped> {
    sink.take(event).map_err(|e| if e.closed { Stopped::Closed } else { Stopped::Failed(Failure::failed(&e)) })
}
