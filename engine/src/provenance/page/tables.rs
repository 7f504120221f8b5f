//! The tables of the page.

use super::parts::{escaped, of};
use crate::provenance::deep::Deep;
use crate::provenance::name::name;
use crate::provenance::story::{Chapter, Step, Story};
use crate::provenance::text::{age, level};
use crate::provenance::words::{after, words};
use flow::Kind;
use flow::records::Refused;
use stages::Instances;
use stages::risk::Checked;
use std::fmt::Write as _;

/// A table of these columns; those that begin with `>` hold numbers. Nothing without rows.
fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let class = |column: &str| if column.starts_with('>') { " class=\"n\"" } else { "" };
    let mut to = "<table>\n<tr>".to_owned();
    for column in columns {
        let _ = write!(to, "<th{}>{}</th>", class(column), column.trim_start_matches('>'));
    }
    to += "</tr>\n";
    for row in rows {
        to += "<tr>";
        for (at, (column, cell)) in columns.iter().zip(row).enumerate() {
            let class = if at == 0 { " class=\"name\"" } else { class(column) };
            let _ = write!(to, "<td{class}>{cell}</td>");
        }
        to += "</tr>\n";
    }
    to + "</table>\n"
}

fn code(step: &Step) -> String {
    format!("<code>{}</code>", step.id())
}

/// How much of a limit a value takes.
fn bar(value: i64, limit: i64) -> String {
    let share = if limit > 0 { (value.max(0) as f64 / limit as f64 * 100.0).min(100.0) } else { 100.0 };
    let over = if value > limit { " over" } else { "" };
    format!("<div class=\"use{over}\"><i style=\"width:{share:.1}%\"></i></div>")
}

/// The check that refused; of an order that passed, that it did.
pub(super) fn checks(story: &Story, names: &Instances) -> String {
    if let Some(deep) = &story.deep {
        return repeated(deep, names);
    }
    let refused = |step: &Step| -> Option<Vec<String>> {
        let Refused { check, limit, value, .. } = *step.event().get::<Refused>()?;
        let entry = stages::risk::check(check)?;
        let level = Some(step.text("level")).filter(|level| !level.is_empty()).unwrap_or_else(|| "risk".to_owned());
        let verdict =
            format!("<span class=\"bad\">refused</span> <span class=\"soft\">{}</span>", escaped(entry.about));
        Some(vec![
            entry.name.to_owned(),
            value.to_string(),
            limit.to_string(),
            entry.unit.to_owned(),
            escaped(&level),
            bar(value, limit),
            verdict,
        ])
    };
    let rows: Vec<_> = of(story, Chapter::Check).filter_map(refused).collect();
    if rows.is_empty() && of(story, Chapter::Check).any(|step| step.event().kind == Kind::Order) {
        let said = "All checks passed. What each of them found is not recorded: <code>--deep</code> repeats the journal \
                    up to the order and tells it.";
        return format!("<p><span class=\"good\">approved</span> {said}</p>\n");
    }
    table(&CHECKS, &rows)
}

/// What each check found, from a repetition.
fn repeated(deep: &Deep, names: &Instances) -> String {
    let known = |number: Option<i64>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
    let row = |of: &Checked| {
        let entry = stages::risk::check(of.check);
        let (name, unit) = entry.map_or(("unknown", ""), |entry| (entry.name, entry.unit));
        let used = of.limit.zip(of.value).map_or_else(String::new, |(limit, value)| bar(value, limit));
        let verdict =
            if of.passes { "<span class=\"good\">passes</span>" } else { "<span class=\"bad\">refuses</span>" };
        let level = escaped(&level(of, names));
        vec![name.to_owned(), known(of.value), known(of.limit), unit.to_owned(), level, used, verdict.to_owned()]
    };
    table(&CHECKS, &deep.checks.iter().map(row).collect::<Vec<_>>())
}

/// Columns of checks.
const CHECKS: [&str; 7] = ["check", ">value", ">limit", "unit", "level", "", ""];

/// The fills, with their fees.
pub(super) fn fills(story: &Story) -> String {
    let fills = of(story, Chapter::Answer).filter(|step| matches!(step.event().kind, Kind::Fill | Kind::Bust));
    let row = |step: &Step| {
        let of = |column: &str| escaped(&step.text(column));
        let when = after(story.began().0, step.event().ts.0);
        let cells = [step.kind().to_owned(), when, of("qty"), of("px"), of("fee"), of("liquidity"), of("match_id")];
        cells.into_iter().chain([code(step)]).collect()
    };
    let columns = ["report", ">after the cause", ">quantity", ">price", ">fee", "liquidity", ">match", "event"];
    table(&columns, &fills.map(row).collect::<Vec<_>>())
}

/// The position after each booking.
pub(super) fn positions(story: &Story) -> String {
    let positions = of(story, Chapter::Position).filter(|step| step.event().kind == Kind::Position);
    let row = |step: &Step| {
        let of = |column: &str| escaped(&step.text(column));
        let when = after(story.began().0, step.event().ts.0);
        let cells = [when, of("qty"), of("avg_px"), of("realised"), of("unrealised"), of("fees")];
        cells.into_iter().chain([code(step)]).collect()
    };
    let columns = ["after the cause", ">quantity", ">average", ">realised", ">unrealised", ">fees", "event"];
    table(&columns, &positions.map(row).collect::<Vec<_>>())
}

/// The last values before the decision.
pub(super) fn known(story: &Story, names: &Instances) -> String {
    let row = |step: &Step| {
        let instance = step.text("instance");
        let what = if instance.is_empty() { step.kind().to_owned() } else { instance };
        vec![escaped(&what), escaped(&words(step, story.order, names)), age(step, story), code(step)]
    };
    table(&["measure", "value", ">as of", "event"], &story.known.iter().map(row).collect::<Vec<_>>())
}

/// What other orders have to do with it.
pub(super) fn relatives(story: &Story, names: &Instances) -> String {
    let row = |of: &crate::provenance::story::Relative| {
        let input = of.seq.map_or_else(String::new, |seq| seq.to_string());
        let order = format!("{}<br><code>{}</code>", escaped(&name(of.order, names)), of.order.0);
        vec![of.relation.name().to_owned(), order, escaped(&of.terms), escaped(&of.state), input]
    };
    let columns = ["relation", "order", "terms", "outcome", ">at input"];
    table(&columns, &story.relatives.iter().map(row).collect::<Vec<_>>())
}
