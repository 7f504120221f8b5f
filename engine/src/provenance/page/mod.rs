//! A story as one HTML page: the order and what became of it, its cause on top of a timeline with the time between the steps,
//! checks, fills and positions as tables, what had been measured, other orders.
//!
//! The page loads nothing and runs no script, so it can be mailed and archived. Bound: a line for each step of the story.

mod parts;
mod style;
mod tables;

use super::story::{Cause, Story};
use super::text::{because, origin, time};
use super::words::{after, words};
use crate::rows::words::{span, values};
use indicatif::HumanCount;
use parts::escaped;
use stages::Instances;
use std::fmt::Write as _;
use style::STYLE;

/// A part of the page under its title; nothing without content.
fn section(title: &str, content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    format!("<h2>{title}</h2>\n<div class=\"card\">\n{content}</div>\n")
}

/// How an order that ended like that is shown.
fn mood(state: &str) -> &'static str {
    match state {
        "filled" => "good",
        "refused" | "rejected" => "bad",
        _ => "wait",
    }
}

fn header(story: &Story) -> String {
    let outcome = &story.outcome;
    format!(
        "<header>\n<div class=\"eyebrow\">order {} · {} · 0x{:x}</div>\n<h1>{}</h1>\n\
         <span class=\"badge {}\">{}</span>\n</header>\n",
        escaped(&story.name),
        story.order.0,
        story.order.0,
        escaped(&story.terms),
        mood(outcome.state),
        escaped(&outcome.words),
    )
}

/// A step of the timeline.
fn item(class: &str, at: &str, what: &str, said: &str) -> String {
    format!(
        "<li class=\"{class}\"><div class=\"at\">{at}</div><div class=\"rail\"><div class=\"dot\"></div></div>\
         <div class=\"said\"><b>{what}</b>{said}</div></li>\n"
    )
}

/// The time between two steps.
fn gap(ns: u64) -> String {
    format!(
        "<li class=\"between\"><div></div><div class=\"rail\"></div><div class=\"gap\"><span>{} later</span></div></li>\n",
        span(ns)
    )
}

fn cause(cause: &Cause) -> String {
    let kind = flow::kind_info(cause.event.kind).map_or("unknown", |info| info.name);
    let said = cause.row.as_ref().map(|row| values(row)).unwrap_or_default();
    let from: String = origin(cause).iter().map(|said| format!("<p class=\"soft\">{}</p>", escaped(said))).collect();
    let said = format!(
        "{} <code>input {}</code><p class=\"soft\">{}</p>{from}",
        escaped(&said),
        HumanCount(cause.event.id.seq()),
        time(cause.event.ts)
    );
    item("cause first", "cause", kind, &said)
}

/// The cause, and everything that followed.
fn timeline(story: &Story, names: &Instances) -> String {
    let mut to = "<ol class=\"time\">\n".to_owned();
    story.cause.iter().for_each(|of| to += &cause(of));
    let (began, mut last) = (story.began().0, story.began().0);
    for step in &story.steps {
        let now = step.event().ts.0;
        if now > last {
            to += &gap(now - last);
        }
        last = last.max(now);
        let said = format!("{}{}", escaped(&words(step, story.order, names)), escaped(&because(step)));
        let said = format!("{said} <code>{}</code>", step.id());
        to += &item(step.chapter.name(), &after(began, now), step.kind(), &said);
    }
    to + "</ol>\n"
}

/// The time from the cause to each part of the order's life that came later than it.
fn latency(story: &Story) -> String {
    let first = |kind: &str| story.steps.iter().find(|step| step.kind() == kind);
    let mut rows = String::new();
    let (began, mut before) = (story.began().0, ("cause", story.began().0));
    for kind in ["sent", "ack", "fill", "reject", "cancelled"] {
        if let Some(step) = first(kind) {
            let now = step.event().ts.0;
            let _ = writeln!(
                rows,
                "<tr><td class=\"name\">{} to {kind}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                before.0,
                span(now.saturating_sub(before.1)),
                after(began, now)
            );
            before = (kind, now);
        }
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<table>\n<tr><th>from and to</th><th class=\"n\">took</th><th class=\"n\">after the cause</th></tr>\n{rows}</table>\n"
    )
}

/// One self-contained page.
pub(super) fn page(story: &Story, names: &Instances) -> String {
    let missing: String = story.missing.iter().map(|what| format!("<p>{}</p>\n", escaped(what))).collect();
    let body = [
        header(story),
        section("What happened", &timeline(story, names)),
        section("Checks", &tables::checks(story, names)),
        section("Fills", &tables::fills(story)),
        section("Position", &tables::positions(story)),
        section("Latency", &latency(story)),
        section("Measured before the decision", &tables::known(story, names)),
        section("Other orders", &tables::relatives(story, names)),
        section("Not in the journal", &missing),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Tidegate: order {}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{}\
         <footer>Tidegate · journal {}, number {} · times in UTC, by the clock of the run</footer>\n</main>\n</body>\n</html>\n",
        escaped(&story.name),
        body.concat(),
        escaped(&story.journal.0.display().to_string()),
        story.journal.1,
    )
}
