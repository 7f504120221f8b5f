//! `tidegate pack`: writes recorded days in the packed form.
//!
//! Inputs are opened as `replay` opens them, decoded, and packed on this thread while another one reads ahead. A file appears
//! under its name when it is whole and on the disk, so a stop, a full disk or an input that breaks off leaves none. Bound:
//! that of [`feeds::packed`].

use super::console::{self, Progress};
use super::exit::{Exit, Failure};
use super::numbers::{grouped, known};
use super::replay::{feed_named, recognised};
use super::screen::{INDENT, wrapped};
use super::signals::Signals;
use super::target::{NewFile, may_write};
use crate::config::{Draft, Settings};
use crate::registries::Registries;
use chrono::NaiveDate;
use clap::Args;
use feeds::packed::{About, Contents, Packer, SUFFIX};
use feeds::reader::date;
use feeds::{Feed, Files, Input, Request};
use flow::{Inputs, Polled};
use std::collections::BTreeSet;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Options of `pack`.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tidegate pack day.itch                              writes day.tidepack beside it\n  \
    tidegate pack days/*.NASDAQ_ITCH50.gz               one packed file a day\n  \
    zcat day.gz | tidegate pack - --date 2020-01-30 --out day.tidepack\n  \
    tidegate replay --input day.tidepack --symbols AAPL --emit bar")]
pub(crate) struct PackArgs {
    /// Files, each packed by itself (with --feed lobster, lean or csv they are one together); - is standard input.
    #[arg(required = true)]
    input: Vec<PathBuf>,
    /// Feed of the inputs; recognised by the first bytes if left out.
    #[arg(long)]
    feed: Option<String>,
    /// Trading date in the exchange's time zone, YYYY-MM-DD, for feeds whose times count from midnight.
    #[arg(long, value_parser = date::parse)]
    date: Option<NaiveDate>,
    /// File to write, of one input; if left out, the input's name with .tidepack in place of its suffix.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Overwrite files that exist.
    #[arg(long)]
    force: bool,
    /// Set a parameter of a feed: feed.name=value.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
}

/// An input, and where it goes.
struct Job {
    feed: &'static Feed,
    request: Request,
    out: PathBuf,
}

pub(crate) fn run(args: &PackArgs, registries: &Registries) -> Result<Exit, Failure> {
    let signals = Signals::take()?;
    let jobs = jobs(args, registries, &signals)?;
    let requests: Vec<_> = jobs.iter().map(|job| (job.feed, job.request.clone())).collect();
    let found = feeds::found(&requests, registries.feeds());
    let inputs = found.into_iter().collect::<Result<Vec<_>, _>>().map_err(Failure::usage)?;
    for (job, input) in jobs.iter().zip(inputs) {
        pack(job, input, args.force, &signals)?;
    }
    Ok(Exit::Done)
}

/// What is to be packed, and where to; each file may be written.
fn jobs(args: &PackArgs, registries: &Registries, signals: &Signals) -> Result<Vec<Job>, Failure> {
    let mut draft = Draft::from(Settings::of(registries.clone()));
    args.set.iter().for_each(|assignment| draft.set("--set", assignment));
    let settings = draft.finish()?;
    let named = args.feed.as_deref().map(|name| feed_named(name, registries)).transpose()?;
    let inputs: Vec<Vec<PathBuf>> = match named {
        Some(feed) if matches!(feed.files(), Files::Together | Files::Merged) => vec![args.input.clone()],
        _ => args.input.iter().map(|path| vec![path.clone()]).collect(),
    };
    if inputs.len() > 1 && args.out.is_some() {
        return Err(Failure::usage("--out names one file, and several inputs are given; leave it out, or pack one"));
    }
    let (mut jobs, mut outs) = (Vec::new(), BTreeSet::new());
    for paths in inputs {
        let out = args.out.clone().map_or_else(|| beside(&paths[0]), Ok)?;
        may_write(&out, args.force)?;
        if !outs.insert(out.clone()) {
            return Err(Failure::usage(format!(
                "two inputs would be written to {}; pack one with --out",
                out.display()
            )));
        }
        let feed = named.map_or_else(|| recognised(&paths[0], registries, &|| signals.came()), Ok)?;
        if feed.is_live() {
            let what = format!("the {} feed gives what happens now; `tidegate run` records it", feed.name);
            return Err(Failure::usage(what));
        }
        let params = settings.feeds[feed.name].clone();
        jobs.push(Job { feed, request: Request { paths, date: args.date, params }, out });
    }
    Ok(jobs)
}

/// The name of the packed form of a file.
fn beside(path: &Path) -> Result<PathBuf, Failure> {
    let is_file = path.file_name().is_some() && (path.is_file() || !path.exists()) && path != Path::new("-");
    if !is_file {
        return Err(Failure::usage(format!("{} has no name to make another of; give --out FILE", path.display())));
    }
    let is_packing = |path: &Path| {
        path.extension().is_some_and(|e| ["gz", "zst", "zstd", "zip"].iter().any(|known| e.eq_ignore_ascii_case(known)))
    };
    let plain = if is_packing(path) { path.with_extension("") } else { path.to_owned() };
    Ok(plain.with_extension(SUFFIX))
}

/// Packs one input, and says what came of it.
fn pack(job: &Job, input: Input, force: bool, signals: &Signals) -> Result<(), Failure> {
    let began = Instant::now();
    let defines = matches!(&input, Input::Bytes(opened) if opened.part.is_some_and(|part| part.defines));
    let failed =
        |e: io::Error| Failure::failed(format!("{}: {e}; choose another folder or free some space", job.out.display()));
    let file = NewFile::beside(&job.out).map_err(failed)?;
    let to = Packer::new(BufWriter::with_capacity(1 << 20, file)).map_err(failed)?;
    let name = input.name();
    let Some((to, contents)) = packed(job, input, to, signals, &failed)? else {
        return Err(Failure::failed(format!("stopped: {} is not written", job.out.display())));
    };
    if contents.inputs == 0 && defines {
        console::say(format!("{name} defines instruments of the others and has nothing to pack"));
        return Ok(());
    }
    let written = to.into_inner().map_err(|e| failed(e.into_error()))?.publish(force).map_err(failed)?;
    contents.about.warnings.iter().for_each(|warning| console::say(format!("{name}: {warning}")));
    console::show(summary(job, &contents, written, began.elapsed()));
    Ok(())
}

/// A packed file in the making.
type Making = Packer<BufWriter<NewFile>>;

/// Takes the inputs of a source to its end; `None` after a signal.
fn packed(
    job: &Job,
    input: Input,
    mut to: Making,
    signals: &Signals,
    failed: &dyn Fn(io::Error) -> Failure,
) -> Result<Option<(BufWriter<NewFile>, Contents)>, Failure> {
    /// How long a source that has nothing yet is left alone.
    const PATIENCE: Duration = Duration::from_micros(50);
    let name = input.name();
    let (mut source, mut queue) = (input.start(), Inputs::with_capacity(1 << 10));
    let progress = Progress::new("inputs", None, true);
    loop {
        if signals.came() {
            return Ok(None);
        }
        let polled = source.poll(&mut queue).map_err(|error| {
            Failure::failed(format!(
                "{name}: {error}. {} is not written, since it would not be whole",
                job.out.display()
            ))
        })?;
        while let Some((event, record)) = queue.front() {
            to.push(event, record).map_err(failed)?;
            queue.pop();
        }
        progress.set(to.inputs());
        match polled {
            Polled::Ended => break,
            Polled::Idle(_) => std::thread::sleep(PATIENCE),
            Polled::Ready | Polled::Anew => {}
        }
    }
    let about = About::of(source.as_ref(), job.feed.name);
    to.finish(about).map(Some).map_err(failed)
}

fn summary(job: &Job, contents: &Contents, written: u64, took: Duration) -> String {
    let sizes = job.request.paths.iter().map(|path| path.metadata().ok().filter(|m| m.is_file()).map(|m| m.len()));
    let read: Option<u64> = sizes.sum();
    let locals: BTreeSet<u32> = contents.names.iter().map(|(local, _)| *local).collect();
    let inputs = contents.inputs;
    let share = match read {
        Some(read) if read > 0 => format!(", {:.3} of what was read", written as f64 / read as f64),
        _ => String::new(),
    };
    let each = |whole: f64| whole / (inputs.max(1) as f64);
    let lines = [
        format!(
            "packed    {}: {} messages, {} inputs, {} instruments",
            job.request.paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
            grouped(contents.about.records),
            grouped(inputs),
            grouped(locals.len() as u64)
        ),
        format!("bytes     {} in, {} out{share}, {:.1} an input", known(read), grouped(written), each(written as f64)),
        format!(
            "wrote     {} in {:.1} s, {} ns an input",
            job.out.display(),
            took.as_secs_f64(),
            each(took.as_nanos() as f64).round()
        ),
    ];
    lines.iter().map(|line| wrapped(line, INDENT)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_file_has_the_name_of_its_day() {
        for (path, want) in [
            ("day.itch", "day.tidepack"),
            ("/x/01302020.NASDAQ_ITCH50.gz", "/x/01302020.tidepack"),
            ("glbx-mdp3-20240508.mbo.dbn.zst", "glbx-mdp3-20240508.mbo.tidepack"),
            ("LOBSTER_SampleFile_AAPL_2012-06-21_1.zip", "LOBSTER_SampleFile_AAPL_2012-06-21_1.tidepack"),
            ("S013020-v50.txt.GZ", "S013020-v50.tidepack"),
            ("day", "day.tidepack"),
        ] {
            assert_eq!(beside(Path::new(path)).expect("it has a name"), Path::new(want));
        }
        assert!(beside(Path::new("-")).is_err() && beside(Path::new("/dev/null")).is_err());
    }
}
