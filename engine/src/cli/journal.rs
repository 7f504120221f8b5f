//! `tidegate journal ls | tail | verify | export | memory | archive`: lists, shows, checks, converts and moves the two logs of a
//! run, and shows what it leaves to the next one.

use super::console;
use super::exit::{Exit, Failure, output};
use super::follow::{FollowArgs, follow};
use super::followers::{FollowersArgs, ForgetArgs, followers, forget};
use super::journal_check::check;
use super::journal_names::{defined_before, learn, names};
use super::numbers::{grouped, known};
use super::rows::RowArgs;
use super::table::{Align, Cell, column, table};
use crate::recovery::{Archive, Archived, Notices, Remembered, archive};
use crate::rows::{Filter, Format, RowSink, row_kind};
use clap::{Args, Subcommand, ValueEnum};
use flow::{Event, Kind, Kinds, Listings, Sink};
use sinks::journal::{Follow, Followed, Home, HomeLog, JournalError, JournalReader, LogKind, Member, SegmentSummary};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Subcommands of `journal`.
#[derive(Subcommand)]
pub(crate) enum JournalCommand {
    /// Lists the state of a journal and its segments.
    Ls(LsArgs),
    /// Prints the last events of a log as rows, and follows a running one.
    Tail(TailArgs),
    /// Checks every seal and hash chain; exits with 3 and one line per fault if any fails.
    Verify(VerifyArgs),
    /// Prints both logs as rows, in the order of events.
    Export(ExportArgs),
    /// Moves the closed journals of a run to another folder: copies each, verifies the copy, then removes it here.
    Archive(ArchiveArgs),
    /// Prints events of both logs as rows, in the one order of events, and goes on while there are more.
    Follow(FollowArgs),
    /// Lists the followers of a run that have a name, and how far they are behind.
    Followers(FollowersArgs),
    /// Removes a follower: it holds no journal any more.
    Forget(ForgetArgs),
    /// Prints what measures and strategies have learned that outlives the journal, as JSON lines.
    Memory(MemoryArgs),
}

/// Options of `journal memory`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal memory run1\n\n\
    It is written when a run ends or is stopped, and by `tidegate snapshot`.")]
pub(crate) struct MemoryArgs {
    /// Folder of the journal.
    dir: PathBuf,
}

/// Options of `journal ls`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal ls run1")]
pub(crate) struct LsArgs {
    /// Folder of the journal.
    dir: PathBuf,
    /// Print one JSON object to standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogArg {
    Inputs,
    Outcomes,
}

impl From<LogArg> for LogKind {
    fn from(log: LogArg) -> LogKind {
        match log {
            LogArg::Inputs => LogKind::Inputs,
            LogArg::Outcomes => LogKind::Outcomes,
        }
    }
}

/// Options of `journal tail`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal tail run1 --log outcomes --follow")]
pub(crate) struct TailArgs {
    /// Folder of the journal.
    dir: PathBuf,
    /// Log to read.
    #[arg(long, value_enum, default_value = "outcomes")]
    log: LogArg,
    /// Number of events to go back.
    #[arg(short = 'n', long, default_value_t = 10)]
    lines: u64,
    /// Follow the journal while it is written; Ctrl-C ends.
    #[arg(short, long)]
    follow: bool,
}

/// Options of `journal verify`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal verify run1")]
pub(crate) struct VerifyArgs {
    /// Folder of the journal.
    dir: PathBuf,
    /// Print one JSON object to standard output.
    #[arg(long)]
    json: bool,
}

/// Options of `journal export`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal export run1 --emit bar --format csv > bars.csv")]
pub(crate) struct ExportArgs {
    /// Folder of the journal.
    dir: PathBuf,
    /// Log to export; both if left out.
    #[arg(long, value_enum)]
    log: Option<LogArg>,
    #[command(flatten)]
    rows: RowArgs,
}

/// Options of `journal archive`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tidegate journal archive run1 /mnt/archive/run1\n  \
    tidegate journal archive run1 --store 'tar -cC \"$TIDEGATE_JOURNAL\" . | store \"$TIDEGATE_NAME\"' \\\n    \
    --fetch 'load \"$TIDEGATE_NAME\" | tar -xC \"$TIDEGATE_JOURNAL\"'\n\n\
    The run may go on meanwhile. What was moved is read like any journal: verify, export, replay.")]
pub(crate) struct ArchiveArgs {
    /// Folder of the journals.
    dir: PathBuf,
    /// Folder for those that are closed.
    #[arg(required_unless_present = "store")]
    to: Option<PathBuf>,
    /// In place of a folder: a command that stores the folder $TIDEGATE_JOURNAL under the name $TIDEGATE_NAME.
    #[arg(long, requires = "fetch", conflicts_with = "to")]
    store: Option<String>,
    /// The command that brings it back into the empty folder $TIDEGATE_JOURNAL; the original goes once that is the same.
    #[arg(long, requires = "store")]
    fetch: Option<String>,
    /// A folder with room for two copies of a journal, for --store and --fetch; the system's for temporary files if left out.
    #[arg(long, requires = "store")]
    scratch: Option<PathBuf>,
    /// Move also journals that followers have not read; they are told a gap.
    #[arg(long)]
    held: bool,
}

fn archive_to(args: &ArchiveArgs) -> Result<Exit, Failure> {
    let mut count = 0;
    let told = |journal: Archived| match journal {
        Archived::Moved { to, bytes } => {
            count += 1;
            console::say(format!("{to}: {} MiB, verified", grouped(bytes.div_ceil(1 << 20))));
        }
        Archived::Held { dir, by } => console::say(format!(
            "{}: it stays, and all behind it: {} has not read it; wait, `tidegate journal forget` it, or give --held",
            dir.display(),
            by.join(", ")
        )),
    };
    let to = match (&args.to, &args.store, &args.fetch) {
        (Some(to), ..) => Archive::Folder(to.clone()),
        (None, Some(store), Some(fetch)) => {
            let scratch = args.scratch.clone().unwrap_or_else(std::env::temp_dir);
            Archive::Commands { store: store.clone(), fetch: fetch.clone(), scratch }
        }
        _ => return Err(Failure::usage("name a folder, or the two commands --store and --fetch")),
    };
    archive(&args.dir, &to, args.held, told).map_err(Failure::failed)?;
    console::say(format!("{count} journals were moved; the current one stays"));
    Ok(Exit::Done)
}

pub(crate) fn run(command: &JournalCommand) -> Result<Exit, Failure> {
    match command {
        JournalCommand::Ls(args) => ls(args),
        JournalCommand::Tail(args) => tail(args),
        JournalCommand::Verify(args) => check(&args.dir, args.json),
        JournalCommand::Export(args) => export(args),
        JournalCommand::Memory(args) => memory(args),
        JournalCommand::Archive(args) => archive_to(args),
        JournalCommand::Follow(args) => follow(args),
        JournalCommand::Followers(args) => followers(args),
        JournalCommand::Forget(args) => forget(args),
    }
}

fn memory(args: &MemoryArgs) -> Result<Exit, Failure> {
    let Some(found) = Remembered::latest(&args.dir).map_err(Failure::failed)? else {
        let dir = args.dir.display();
        return Err(Failure::failed(format!(
            "{dir}: nothing is written that outlives it; tidegate snapshot --journal {dir} writes it"
        )));
    };
    let (seq, as_of) = (found.seq, found.as_of.0.to_string());
    let mut to = io::stdout().lock();
    let written = found.rows.iter().try_for_each(|row| {
        let (symbol, venue) = row.instrument.rsplit_once('@').unwrap_or_default();
        let values = row.values.map(|value| value.to_string());
        let row = serde_json::json!({ "owner": row.owner, "symbol": symbol, "venue": venue, "key": row.key, "index": row.index,
            "values": values, "seq": seq, "as_of_ns": as_of });
        writeln!(to, "{row}")
    });
    output(written, Exit::Done)
}

fn ls(args: &LsArgs) -> Result<Exit, Failure> {
    let home = Home::open(&args.dir).map_err(Failure::failed)?;
    let reader = home.current().reader();
    let segments = reader.list().map_err(Failure::failed)?;
    let completed = reader.completed_through().map_err(Failure::failed)?;
    let closed = reader.closed().map_err(Failure::failed)?.is_some();
    let mut to = io::stdout().lock();
    let written = if args.json {
        let list = segments.iter().map(|s| {
            let id = |e: Option<(flow::EventId, flow::Ns)>| e.map(|(id, _)| id.seq());
            serde_json::json!({ "log": s.log.name(), "file": s.file, "bytes": s.bytes, "first_record": s.first_record,
                "records": s.records, "sealed": s.sealed, "first_seq": id(s.first), "last_seq": id(s.last) })
        });
        let list: Vec<_> = list.collect();
        let journals: Vec<_> = home
            .journals()
            .iter()
            .map(|member| {
                let Member { dir, info } = member;
                serde_json::json!({ "number": info.number, "folder": dir, "after": info.after() })
            })
            .collect();
        writeln!(
            to,
            "{}",
            serde_json::json!({ "build_id": reader.info().build_id, "completed_through": completed, "closed": closed,
                "journals": journals, "segments": list })
        )
    } else {
        ls_journals(&mut to, &home).and_then(|()| ls_text(&mut to, &reader, &segments, completed, closed))
    };
    output(written, Exit::Done)
}

/// The journals of a run that has rolled; of the last one everything follows.
fn ls_journals(to: &mut impl Write, home: &Home) -> io::Result<()> {
    if home.journals().len() < 2 {
        return Ok(());
    }
    let columns = [
        column("journal", Align::Right),
        column("folder", Align::Left),
        column("begins after seq", Align::Right),
        column("rolled at", Align::Left),
    ];
    let row = |member: &Member| {
        let begin = member.info.begin.as_ref();
        let time = |at: flow::Ns| chrono::DateTime::from_timestamp_nanos(at.0.cast_signed()).to_rfc3339();
        let at = begin.map_or_else(|| "–".to_owned(), |begin| time(begin.at));
        let text = [grouped(member.info.number), member.dir.display().to_string(), grouped(member.info.after()), at];
        text.into_iter().map(Cell::from).collect()
    };
    writeln!(to, "{}", table(&columns, &home.journals().iter().map(row).collect::<Vec<_>>()))
}

fn ls_text(
    to: &mut impl Write,
    reader: &JournalReader,
    segments: &[SegmentSummary],
    completed: u64,
    closed: bool,
) -> io::Result<()> {
    let state = if closed { "closed" } else { "not closed: still being written, or its run was interrupted" };
    writeln!(to, "build     {}", reader.info().build_id)?;
    writeln!(to, "state     {state}")?;
    writeln!(to, "outcomes  complete through seq {}", grouped(completed))?;
    let columns = [
        column("segment", Align::Left),
        column("bytes", Align::Right),
        column("records", Align::Right),
        column("sealed", Align::Right),
        column("first seq", Align::Right),
        column("last seq", Align::Right),
    ];
    let row = |s: &SegmentSummary| {
        let seq = |e: Option<(flow::EventId, flow::Ns)>| known(e.map(|(id, _)| id.seq()));
        let numbers = [grouped(s.bytes), grouped(s.records), grouped(s.sealed), seq(s.first), seq(s.last)];
        std::iter::once(s.file.clone()).chain(numbers).map(Cell::from).collect()
    };
    write!(to, "{}", table(&columns, &segments.iter().map(row).collect::<Vec<_>>()))
}

/// The events to export: of both logs in one order, or the inputs alone. What is missing is said.
fn story(dir: &Path, home: &Home, outcomes: bool, kinds: Kinds) -> Result<Story, Failure> {
    if !outcomes {
        return Ok(Box::new(HomeLog::of(dir, home.journals(), LogKind::Inputs)));
    }
    let follow = Follow::open(dir, kinds).map_err(Failure::failed)?;
    Ok(Box::new(follow.filter_map(|found| match found {
        Ok(Followed::Event(event)) => Some(Ok(event)),
        Ok(Followed::Gap(gap)) => {
            console::say(gap.to_string());
            None
        }
        Err(error) => Some(Err(error)),
    })))
}

/// Says which inputs are not exported because their outcomes are not complete.
fn say_incomplete(home: &Home) -> Result<(), Failure> {
    let reader = home.current().reader();
    let completed = reader.completed_through().map_err(Failure::failed)?;
    let last = reader.last_input_seq().map_err(Failure::failed)?;
    if reader.closed().map_err(Failure::failed)?.is_none() && completed < last {
        let dir = home.dir().display();
        console::say(format!(
            "{dir}: the outcomes of inputs {} to {last} are not complete: they are left out here. The run makes them, or, \
             after a kill, its next start or `tidegate replay --complete`",
            completed + 1
        ));
    }
    Ok(())
}

/// Events in order.
type Story = Box<dyn Iterator<Item = Result<Event, JournalError>>>;

fn export(args: &ExportArgs) -> Result<Exit, Failure> {
    let home = Home::open(&args.dir).map_err(Failure::failed)?;
    Notices(console::say).lost_memory(&args.dir, home.current().reader().lost_memory());
    let rows = args
        .rows
        .rows()?
        .ok_or_else(|| Failure::usage("name the kinds to export with --emit; `tidegate schema` lists them"))?;
    let wanted = |log| args.log.is_none_or(|l| l == log);
    // Names and listings are in the input log, so it is always read.
    let logs = if wanted(LogArg::Outcomes) { &LogKind::BOTH[..] } else { &[LogKind::Inputs] };
    let never = AtomicBool::new(false);
    home.journals().iter().try_for_each(|m| m.reader().check(logs, &never)).map_err(Failure::failed)?;
    let mut sink = RowSink::new(rows.kinds, rows.format, rows.filter, rows.levels, Vec::new(), None, rows.to)
        .with_names(names(&home.current().reader()))
        .begin()
        .map_err(|e| Failure::failed(&e))?;
    let kinds = sink.kinds();
    let story = story(&args.dir, &home, wanted(LogArg::Outcomes), kinds)?;
    let mut listings = Listings::default();
    for definition in defined_before(&home.journals()[0])? {
        listings.observe(&definition);
        sink.learn(&definition);
    }
    for event in story {
        let event = event.map_err(Failure::failed)?;
        listings.observe(&event);
        let defines = matches!(event.kind, Kind::Name | Kind::Listing);
        let shown = event.id.position() > 0 || wanted(LogArg::Inputs) || defines;
        if kinds.has(event.kind) && shown {
            match sink.take(&event) {
                Err(e) if e.closed => return Ok(Exit::Done),
                other => other.map_err(|e| Failure::failed(&e))?,
            }
        }
    }
    if wanted(LogArg::Outcomes) {
        say_incomplete(&home)?;
    }
    match sink.end() {
        Err(e) if !e.closed => Err(Failure::failed(&e)),
        _ => {
            let seen: Vec<_> = listings.iter().map(|l| l.symbol.clone()).collect();
            args.rows.check_found(&seen, &[]).map(|()| Exit::Done)
        }
    }
}

fn tail(args: &TailArgs) -> Result<Exit, Failure> {
    let home = Home::open(&args.dir).map_err(Failure::failed)?;
    let reader = home.current().reader();
    let kinds = flow::KINDS.iter().filter_map(|k| row_kind(k.name)).filter(|k| !k.is_part_of_another()).collect();
    let to = Box::new(io::LineWriter::new(io::stdout()));
    let sink = RowSink::new(kinds, Format::Jsonl, Filter::default(), 0, Vec::new(), None, to);
    let mut sink = sink.with_names(names(&reader));
    learn(&mut sink, home.current(), u64::MAX)?;
    let last = home.journals().len() - 1;
    let mut log = HomeLog::of(&args.dir, &home.journals()[last..], args.log.into());
    let records: u64 =
        reader.list().map_err(Failure::failed)?.iter().filter(|s| s.log == args.log.into()).map(|s| s.records).sum();
    log.seek_record((records + 1).saturating_sub(args.lines));
    loop {
        for event in log.by_ref() {
            let shown = event.map_err(Failure::failed).map(|e| sink.take(&e))?;
            if let Err(e) = shown {
                return if e.closed { Ok(Exit::Done) } else { Err(Failure::failed(&e)) };
            }
        }
        if let Err(e) = sink.end() {
            return if e.closed { Ok(Exit::Done) } else { Err(Failure::failed(&e)) };
        }
        if !args.follow {
            return Ok(Exit::Done);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}
