//! `tidegate why`: the whole story of an order, from what was recorded.

use super::console;
use super::exit::{Exit, Failure, output};
use crate::provenance::{Why, WhyError};
use crate::recovery::Notices;
use crate::registries::Registries;
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

/// Options of `why`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tidegate why run1 72060891212677121\n  \
    tidegate why run1 1/momentum/12 --html order.html\n\n\
    The first call reads the journal once and keeps an index in JOURNAL/why.")]
pub(crate) struct WhyArgs {
    /// Folder of the journal.
    journal: PathBuf,
    /// Order id as rows print it, in decimal or hexadecimal (0x…), or account/strategy/counter.
    order: String,
    /// Print one JSON object to standard output.
    #[arg(long)]
    json: bool,
    /// Repeat the journal up to the order: what each check found, and measures that the outcomes leave out.
    #[arg(long)]
    deep: bool,
    /// Write the story as a page to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl From<WhyError> for Failure {
    fn from(error: WhyError) -> Failure {
        match error {
            WhyError::NotAnOrder(_) | WhyError::Unknown(_) => Failure::usage(error),
            WhyError::Config(faults) => faults.into(),
            other => Failure::failed(other),
        }
    }
}

pub(crate) fn run(args: &WhyArgs, registries: &Registries) -> Result<Exit, Failure> {
    let began = Instant::now();
    let mut why = Why::open(&args.journal, registries, Notices(console::say))?;
    let mut told = why.order(&args.order)?;
    let took = began.elapsed();
    if args.deep {
        why.deepen(&mut told)?;
    }
    if let Some(file) = &args.html {
        std::fs::write(file, told.page())
            .map_err(|e| Failure::failed(format!("{}: it cannot be written: {e}", file.display())))?;
        console::say(format!("{}: the story of the order", file.display()));
    }
    let mut to = std::io::stdout().lock();
    if args.json {
        let mut json = told.json();
        json["took_us"] = (took.as_micros() as u64).into();
        json["indexed_records"] = why.records_read().into();
        return output(writeln!(to, "{json}"), Exit::Done);
    }
    output(to.write_all(told.text().as_bytes()), Exit::Done)
}
