//! A story as text, at most 80 columns wide: the order, its cause, what had been measured, and what happened, each with its time
//! after the cause.

use super::deep::Deep;
use super::name::name;
use super::story::{Cause, Chapter, Step, Story};
use super::words::{after, relative, words};
use crate::rows::words::{span, values};
use chrono::{DateTime, SecondsFormat};
use flow::Ns;
use indicatif::HumanCount;
use stages::Instances;
use stages::risk::Checked;
use std::fmt::Write as _;
use textwrap::{Options, WordSplitter, fill};

/// Columns of the screen.
const WIDTH: usize = 80;
/// Columns of a time, and of the name of what happened.
const WHEN: usize = 11;
const WHAT: usize = 15;

/// A time for people, in UTC.
pub(super) fn time(ts: Ns) -> String {
    let fits = i64::try_from(ts.0).ok();
    fits.map_or_else(
        || ts.0.to_string(),
        |ns| DateTime::from_timestamp_nanos(ns).to_rfc3339_opts(SecondsFormat::Nanos, true),
    )
}

/// A paragraph whose first line begins with a word.
fn paragraph(to: &mut String, first: &str, text: &str) {
    let indent = " ".repeat(first.chars().count());
    let options =
        Options::new(WIDTH).initial_indent(first).subsequent_indent(&indent).word_splitter(WordSplitter::NoHyphenation);
    let _ = writeln!(to, "{}", fill(text, options));
}

fn line(to: &mut String, when: &str, what: &str, text: &str) {
    paragraph(to, &format!("{when:>WHEN$}  {what:WHAT$} "), text);
}

/// Where an input came from, a sentence each.
pub(super) fn origin(cause: &Cause) -> Vec<String> {
    let origin = &cause.origin;
    let mut said = vec![match (origin.source, origin.number) {
        (0, _) => "from the engine itself".to_owned(),
        (source, Some(n)) => {
            format!("source {source}, {}: its input number {} in this journal", origin.name, HumanCount(n))
        }
        (source, None) => format!("source {source}, {}", origin.name),
    }];
    if let Some(actor) = &cause.actor {
        said.push(format!("asked for by {actor}"));
    }
    if let Some((session, next)) = origin.cursor {
        let next = next.map_or_else(String::new, |next| format!(", next message {next}"));
        said.push(format!("its last cursor: session {session}{next}"));
    }
    let gone = |is_there: bool| if is_there { "" } else { " (not there any more)" };
    let files = origin.files.iter().map(|(file, is_there)| format!("{}{}", file.display(), gone(*is_there)));
    let files = files.collect::<Vec<_>>().join(", ");
    if !files.is_empty() {
        said.push(format!("file {files}; which record of it is not in the journal"));
    }
    said
}

fn cause(to: &mut String, cause: &Cause) {
    let kind = flow::kind_info(cause.event.kind).map_or("unknown", |info| info.name);
    let what = format!("{}  {kind}, input {}", time(cause.event.ts), HumanCount(cause.event.id.seq()));
    paragraph(to, "cause      ", &what);
    if let Some(row) = &cause.row {
        paragraph(to, "           ", &values(row));
    }
    origin(cause).iter().for_each(|said| paragraph(to, "           ", said));
}

/// How old a measure was when the cause came.
pub(super) fn age(step: &Step, story: &Story) -> String {
    let seq = story.cause.as_ref().map(|cause| cause.event.id.seq());
    if seq == Some(step.id().seq()) {
        return "now".to_owned();
    }
    format!("-{}", span(story.began().0.saturating_sub(step.event().ts.0)))
}

/// What caused a step, if that is not what caused the order, in words.
pub(super) fn because(step: &Step) -> String {
    let by = step.because.filter(|_| step.chapter == Chapter::Change);
    by.map_or_else(String::new, |by| format!(" (at {by} {})", HumanCount(step.id().seq())))
}

/// The limits that a check was made with: `risk`, or what the table is for.
pub(super) fn level(of: &Checked, names: &Instances) -> String {
    if of.level == 0 { "risk".to_owned() } else { names.limit(of.level).unwrap_or("a table").to_owned() }
}

/// What each check found.
fn checks(to: &mut String, deep: &Deep, names: &Instances) {
    let known = |number: Option<i64>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
    let _ = writeln!(to, "\n{:18} {:>14} {:>14}  what each check found, repeated", "check", "value", "limit");
    for of in &deep.checks {
        let entry = stages::risk::check(of.check);
        let (name, unit) = entry.map_or(("unknown", ""), |entry| (entry.name, entry.unit));
        let verdict = if of.passes { "passes" } else { "REFUSES" };
        let level = if of.level == 0 { String::new() } else { format!(", {}", level(of, names)) };
        let first = format!("{name:18} {:>14} {:>14}  ", known(of.value), known(of.limit));
        paragraph(to, &first, &format!("{verdict} ({unit}{level})"));
    }
}

/// The story.
pub(super) fn text(story: &Story, names: &Instances) -> String {
    let mut to = String::new();
    let id = story.order.0;
    paragraph(&mut to, "order      ", &format!("{}  {id}  0x{id:x}", story.name));
    paragraph(&mut to, "           ", &story.terms);
    paragraph(&mut to, "outcome    ", &story.outcome.words);
    paragraph(&mut to, "journal    ", &format!("{}, number {}", story.journal.0.display(), story.journal.1));
    if let Some(of) = &story.cause {
        cause(&mut to, of);
    }
    if !story.known.is_empty() {
        let _ = writeln!(to, "\n{:>WHEN$}  {:WHAT$} last value before the decision", "as of", "measured");
        for step in &story.known {
            let instance = step.text("instance");
            let what = if instance.is_empty() { step.kind().to_owned() } else { instance };
            line(&mut to, &age(step, story), &what, &format!("{} · {}", words(step, story.order, names), step.id()));
        }
    }
    let _ = writeln!(to, "\n{:>WHEN$}  {:WHAT$} and what it says · event", "after cause", "what happened");
    for step in &story.steps {
        let said = format!("{}{} · {}", words(step, story.order, names), because(step), step.id());
        line(&mut to, &after(story.began().0, step.event().ts.0), step.kind(), &said);
    }
    if let Some(deep) = &story.deep {
        checks(&mut to, deep, names);
    }
    if !story.relatives.is_empty() {
        let _ = writeln!(to, "\nother orders: `tidegate why JOURNAL ORDER` tells each");
        for of in &story.relatives {
            let first = format!("  {:12} {}  ", of.relation.name(), name(of.order, names));
            paragraph(&mut to, &first, &relative(of));
        }
    }
    if !story.missing.is_empty() {
        let _ = writeln!(to, "\nnot in the journal");
        story.missing.iter().for_each(|what| paragraph(&mut to, "  ", what));
    }
    to
}
