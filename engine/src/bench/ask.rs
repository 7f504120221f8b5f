//! What a question to a journal costs: an instant (`at`), and why an order was sent (`why`).
//!
//! Each question is a process of its own, as an operator's is, so what is measured begins with nothing in the process. What it
//! asks for is spread over the whole journal by a sequence that is the same each time. Two times are told: `took_us` of the
//! answer, from the start of the command to the answer, and the life of the process, with the loader before it and the end
//! behind it. One question of each sort is asked before, so that the files are in the page cache and the index of orders is there.
//!
//! Bound: the numbers of the orders are held in memory. Worst case: as many processes as questions, one after the other.

use crate::pipeline::histogram;
use crate::recovery::{Snapshot, SnapshotError};
use crate::report::Percentiles;
use flow::Kind;
use flow::records::Request;
use serde::Serialize;
use sinks::journal::{Home, HomeLog, JournalError, LogKind, bytes_of};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// The golden ratio of 64 bits: its multiples are spread evenly.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Why a journal cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The journal cannot be read.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// Its snapshots cannot be found.
    #[error("{0}")]
    Snapshots(#[from] SnapshotError),
    /// The process could not be started.
    #[error("{}: {error}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The cause.
        error: io::Error,
    },
    /// It has no answer.
    #[error("`tidegate {asked}` has no answer: {said}")]
    NoAnswer {
        /// What was asked.
        asked: String,
        /// What it said instead.
        said: String,
    },
}

/// A journal, and what can be asked of it.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// Its inputs.
    pub inputs: u64,
    /// The outcomes that it has.
    pub outcomes: u64,
    /// Orders that were asked for.
    pub orders: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// The snapshots among them.
    pub snapshots: u64,
    #[serde(skip)]
    first: u64,
    #[serde(skip)]
    order_ids: Vec<u64>,
}

/// What the questions of one sort took.
#[derive(Clone, Debug, Serialize)]
pub struct Answers {
    /// The command.
    pub name: &'static str,
    /// Until the answer was there, as it says itself in µs.
    #[serde(flatten)]
    pub answer: Percentiles,
    /// From the start of the process to its end.
    pub process: Percentiles,
}

impl Asked {
    /// Reads what there is in the journals of a run.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn of(dir: &Path) -> Result<Asked, AskError> {
        let home = Home::open(dir)?;
        let first = home.journals()[0].info.after();
        let mut asked =
            Asked { inputs: 0, outcomes: 0, orders: 0, bytes: 0, snapshots: 0, first, order_ids: Vec::new() };
        for member in home.journals() {
            asked.inputs = member.reader().last_input_seq()? - first;
            asked.bytes += bytes_of(member)?;
            asked.snapshots += Snapshot::count(member)? as u64;
        }
        for outcome in HomeLog::of(dir, home.journals(), LogKind::Outcomes) {
            let outcome = outcome?;
            asked.outcomes += 1;
            if outcome.kind == Kind::Request && !outcome.is_echo() {
                asked.order_ids.extend(outcome.get::<Request>().map(|request| request.order_id));
            }
        }
        asked.orders = asked.order_ids.len() as u64;
        Ok(asked)
    }

    /// The inputs that are asked for, `count` of them.
    pub fn instants(&self, count: u64) -> Vec<String> {
        spread(self.inputs, count).map(|at| format!("seq:{}", self.first + 1 + at)).collect()
    }

    /// The orders that are asked for, `count` of them; none if there are no orders.
    pub fn orders(&self, count: u64) -> Vec<String> {
        spread(self.orders, count).map(|at| self.order_ids[at as usize].to_string()).collect()
    }
}

/// `count` numbers below `below`.
fn spread(below: u64, count: u64) -> impl Iterator<Item = u64> {
    let at = move |n: u64| ((u128::from(n.wrapping_mul(SPREAD)) * u128::from(below)) >> 64) as u64;
    (1..=count).filter(move |_| below > 0).map(at)
}

/// Asks `program` for each of these of a journal; `None` if there are none. `each` is called after each.
///
/// # Errors
/// When one has no answer.
pub fn ask(
    program: &Path,
    (name, journal): (&'static str, &Path),
    questions: &[String],
    mut each: impl FnMut(),
) -> Result<Option<Answers>, AskError> {
    let Some(first) = questions.first() else { return Ok(None) };
    one(program, (name, journal), first)?;
    let (mut took, mut lived) = (histogram(), histogram());
    for question in questions {
        let began = Instant::now();
        took.saturating_record(one(program, (name, journal), question)? * 1_000);
        lived.saturating_record(began.elapsed().as_nanos() as u64);
        each();
    }
    Ok(Some(Answers { name, answer: Percentiles::from(&took), process: Percentiles::from(&lived) }))
}

/// How long an answer took, as it says itself.
fn one(program: &Path, (name, journal): (&'static str, &Path), question: &str) -> Result<u64, AskError> {
    let output = Command::new(program).arg(name).arg(journal).args([question, "--json"]).output();
    let output = output.map_err(|error| AskError::Start { program: program.to_owned(), error })?;
    let answer = serde_json::from_slice::<serde_json::Value>(&output.stdout).ok();
    answer.and_then(|answer| answer["took_us"].as_u64()).ok_or_else(|| AskError::NoAnswer {
        asked: format!("{name} {} {question} --json", journal.display()),
        said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_lies_everywhere() {
        let found: Vec<u64> = spread(1_000, 100).collect();
        let mut tenths = [0; 10];
        found.iter().for_each(|at| tenths[(at / 100) as usize] += 1);
        assert!(tenths.iter().all(|count| (8..=12).contains(count)), "{tenths:?}");
        assert_eq!(spread(0, 5).count(), 0);
    }
}
