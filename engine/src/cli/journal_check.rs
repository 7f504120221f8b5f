//! `tidegate journal verify`: every seal and chain of each journal, and that each follows the one before.

use super::exit::{Exit, Failure, output};
use super::numbers::grouped;
use crate::recovery::wrong_files;
use sinks::journal::{Home, LogKind, Member, Previous, Verified, verify};
use std::io::{self, Write};
use std::path::Path;

/// Most faults that are listed of a journal; the rest are only counted.
const MOST_FAULTS: usize = 1_000;

/// What was found in the journals of a run.
#[derive(Default)]
struct Found {
    inputs: u64,
    outcomes: u64,
    faults: Vec<String>,
    more_faults: u64,
    lost_memory: Option<String>,
    lines: Vec<String>,
}

/// Verifies the journals in `dir`; prints a line for each fault, or that it is intact.
pub(super) fn check(dir: &Path, json: bool) -> Result<Exit, Failure> {
    let mut found = Found::default();
    match Home::open(dir) {
        Ok(home) => {
            for member in home.journals() {
                found.journal(&member.dir, Some(member))?;
            }
            found.faults.extend(broken_links(&home)?);
        }
        // A text that cannot be read is a fault like any other.
        Err(_) => found.journal(dir, None)?,
    }
    let Found { inputs, outcomes, faults, more_faults, lost_memory, lines } = found;
    let mut to = io::stdout().lock();
    let written = if json {
        let text = serde_json::json!({ "inputs": inputs, "outcomes": outcomes, "faults": faults,
            "more_faults": more_faults, "lost_memory": lost_memory });
        writeln!(to, "{text}")
    } else {
        let lines = if faults.is_empty() { &lines } else { &faults };
        lines.iter().try_for_each(|line| writeln!(to, "{line}"))
    };
    output(written, Exit::Done)?;
    match faults.len() as u64 + more_faults {
        0 => Ok(Exit::Done),
        n => {
            let message = format!("{}: {n} faults; restore the folder from a copy before you use it", dir.display());
            Err(Failure { message, exit: Exit::Check })
        }
    }
}

impl Found {
    /// Verifies one journal.
    fn journal(&mut self, dir: &Path, member: Option<&Member>) -> Result<(), Failure> {
        let report = verify(dir, MOST_FAULTS).map_err(Failure::failed)?;
        let mut faults: Vec<_> = report.faults.iter().map(ToString::to_string).collect();
        // A snapshot is compared with the inputs, so these must be right.
        if let Some(member) = member.filter(|_| faults.is_empty()) {
            faults.extend(wrong_files(member).map_err(Failure::failed)?.iter().map(ToString::to_string));
        }
        if faults.is_empty() {
            let lost = report.lost_memory.as_ref().map(|why| format!("; {why}: the last seconds may be missing"));
            self.lines.push(format!(
                "{}: intact: {} inputs and {} outcomes; seals and hash chain hold{}{}",
                dir.display(),
                grouped(report.inputs.records),
                grouped(report.outcomes.records),
                unsealed(&report),
                lost.unwrap_or_default()
            ));
        }
        self.inputs += report.inputs.records;
        self.outcomes += report.outcomes.records;
        self.faults.extend(faults);
        self.more_faults += report.more_faults;
        self.lost_memory = report.lost_memory.or(self.lost_memory.take());
        Ok(())
    }
}

/// Where a journal does not follow the one before.
fn broken_links(home: &Home) -> Result<Vec<String>, Failure> {
    let mut broken = Vec::new();
    for pair in home.journals().windows(2) {
        let [before, next] = pair else { continue };
        let named = |what: String| format!("{}: {what}", next.dir.display());
        if next.info.follows.map(|follows| follows.journal_id) != Some(before.info.journal_id) {
            broken
                .push(named(format!("it does not follow {}: a journal between them is missing", before.dir.display())));
            continue;
        }
        let Some(said) = Previous::read(&next.dir).map_err(Failure::failed)? else { continue };
        if Previous::of(&before.dir, &before.info).map_err(Failure::failed)?.as_ref() != Some(&said) {
            broken.push(named(format!("the ends that it names are not those of {}", before.dir.display())));
        }
        let last = said.closed.end(LogKind::Inputs).last_seq;
        if last > next.info.after() {
            broken.push(named(format!("it begins after input {}, and the one before has {last}", next.info.after())));
        }
    }
    Ok(broken)
}

/// What is not sealed yet, for people.
fn unsealed(report: &Verified) -> String {
    match (report.inputs.unsealed, report.outcomes.unsealed) {
        (0, 0) => String::new(),
        (inputs, outcomes) => {
            format!("; the last {} inputs and {} outcomes are not sealed yet", grouped(inputs), grouped(outcomes))
        }
    }
}
