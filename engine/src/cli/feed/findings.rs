//! What is wrong with an input, in words, each with what to do next.
//!
//! Only what was observed counts: a feed that says it was refused has also brought nothing. What is only worth knowing is a note and
//! changes no exit code. Bound: a sentence a cause.

use super::observed::Observed;
use super::tested::{Ended, Tested};
use crate::cli::numbers::grouped;
use crate::config::nearest;
use crate::rows::words::span;
use flow::Ns;

/// Symbols that a sentence names before it counts the others.
const NAMED: usize = 8;
/// Half of the messages are as old as this: the source is delayed, or a clock is wrong.
const OLD: i64 = Ns::SECOND as i64;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// What keeps the input from being whole and trusted.
    pub(super) wrong: Vec<String>,
    /// What is worth knowing.
    pub(super) notes: Vec<String>,
}

/// What an input shows of itself.
pub(super) fn findings(tested: &Tested, watched_for: &str) -> Findings {
    let Tested { observed, is_live, ended, said, .. } = tested;
    let mut found = Findings::default();
    if let Some(Ended::Failed(error)) = ended {
        found.wrong.push(format!("it failed: {error}"));
    }
    match (observed.messages(), is_live, ended) {
        (0, _, Some(Ended::Failed(_))) | (1.., ..) => {}
        (0, true, _) => found.wrong.push(nothing(said.last().map(|(said, _)| said.as_str()), watched_for)),
        (0, false, Some(_)) => found.wrong.push("it holds no market data: see that it is the right file".to_owned()),
        (0, false, None) => {
            found.wrong.push(format!("nothing of it was read in {watched_for}: give it longer with --for"))
        }
    }
    if observed.messages() > 0 {
        found.wrong.extend(silent(observed, *is_live, ended.is_some(), watched_for, &mut found.notes));
    }
    if observed.gaps > 0 {
        let gaps = if observed.gaps == 1 { "one gap".to_owned() } else { format!("{} gaps", grouped(observed.gaps)) };
        let next = if *is_live {
            "see above what the feed said; a run goes on and marks what it emits as doubtful"
        } else {
            "the recording lacks messages: books are doubtful from there on"
        };
        found.wrong.push(format!("{gaps}, where messages are missing: {next}"));
    }
    lags(observed, &mut found);
    found
}

/// Nothing came of a live input.
fn nothing(last_said: Option<&str>, watched_for: &str) -> String {
    match last_said {
        None => format!(
            "nothing came in {watched_for}, and the feed has not said why: it is still connecting, or waits for an answer. Give it \
             longer with --for, and see that the address can be reached from here"
        ),
        Some(said) if said.starts_with("subscribed") => format!(
            "it is connected, and nothing came in {watched_for}: the market may be closed, the symbols quiet or unknown to the \
             venue. Give it longer with --for, or watch a busy symbol"
        ),
        Some(said) => format!("nothing came in {watched_for}. The feed said: {said}"),
    }
}

/// What is watched and did not come.
fn silent(
    observed: &Observed,
    is_live: bool,
    is_whole: bool,
    watched_for: &str,
    notes: &mut Vec<String>,
) -> Option<String> {
    let silent = observed.silent();
    let (first, rest) = silent.split_at(silent.len().min(NAMED));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    let names = format!("{}{more}", first.join(", "));
    let near = silent.first().and_then(|symbol| nearest(symbol, observed.known().filter(|known| known != symbol)));
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    match (silent.is_empty(), is_live, is_whole) {
        (true, ..) => None,
        (_, true, _) => Some(format!(
            "nothing came of {names} in {watched_for}: a quiet symbol, or one that the venue does not know (it does not say so). Check how it is \
             spelled, or give it longer with --for"
        )),
        (_, false, true) => Some(format!("the input has nothing of {names}{near}")),
        (_, false, false) => {
            notes.push(format!("nothing of {names} was in the part that was read"));
            None
        }
    }
}

fn lags(observed: &Observed, found: &mut Findings) {
    let lags = observed.lags();
    if let Some((count, least)) = lags.ahead() {
        found.wrong.push(format!(
            "clock skew: {} messages arrived before the exchange's own time, up to {} before it. That cannot be: this host's clock \
             is behind the exchange's by at least as much, and all lags are shown too small. Set it by PTP or NTP (chronyc tracking \
             shows how far it is off)",
            grouped(count),
            span(least.unsigned_abs())
        ));
    }
    if let Some(median) = lags.at(0.5).filter(|median| *median >= OLD) {
        found.notes.push(format!(
            "half of the messages were {} old or older when they arrived: the source is a delayed one, or this host's clock is ahead",
            span(median.unsigned_abs())
        ));
    }
}
