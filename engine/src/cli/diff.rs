//! The screen of what a change of the settings changes in a recorded run.

use super::numbers::{UNKNOWN, decimal, grouped};
use super::screen::{INDENT, wrapped};
use super::table::{Align, Cell, Tone, column, table};
use crate::diff::{DiffReport, DifferenceRow, FieldChange, Holding, KindCount, StrategyRow};
use crate::report::Report;
use crate::rows::Cell as Value;
use chrono::{DateTime, SecondsFormat};

/// Differences and positions that are shown without details.
const FIRST: usize = 10;
const POSITIONS: usize = 4;

/// What stands beside a difference anyway, or says nothing to people.
const ASIDE: [&str; 8] = ["side", "account", "strategy", "doubtful", "legs", "reduces", "reasons", "instance"];

/// Whether a field is not shown. That a route was sent says nothing of its quantity, which only a gateway repeats there.
fn is_aside(kind: &str, field: &str) -> bool {
    ASIDE.contains(&field) || (kind, field) == ("sent", "qty")
}

/// What became different.
pub(super) fn diff(report: &Report, of: &DiffReport, details: bool) -> String {
    let (inputs, taken) = (grouped(report.events), format!("{:.3} s", report.seconds));
    let mut text = line(&format!("diff      {inputs} inputs in {taken}: {} differences", grouped(of.differences)));
    for change in &of.changed {
        text += &line(&format!("changed   {}: {} → {}", change.key, change.before, change.now));
    }
    if of.changed.is_empty() {
        text += &line("changed   nothing that can change a result; --set KEY=VALUE does");
    }
    text += &notes(of).iter().map(|note| notice(note)).collect::<String>();
    text += &kinds(&of.kinds, details);
    text += &strategies(&of.strategies, details);
    text += &positions(&of.positions, details);
    text += &causes(of);
    let shown = if details { of.first.len() } else { of.first.len().min(FIRST) };
    text += &of.first[..shown].iter().map(difference).collect::<String>();
    if shown < of.first.len() {
        text += &line("more      --details shows the first 100, --json has all that is counted");
    }
    text
}

fn line(text: &str) -> String {
    format!("{}\n", wrapped(text, INDENT))
}

fn notice(text: &str) -> String {
    format!("{}\n", Tone::Notice.paint(&wrapped(text, INDENT)))
}

/// What must be known to read the rest.
fn notes(of: &DiffReport) -> Vec<String> {
    let mut notes = Vec::new();
    match of.fills_simulated.as_slice() {
        [] => {}
        venues => {
            notes.push(format!("fills     are simulated here; those of {} are real in the record", venues.join(", ")))
        }
    }
    if of.wall_time && of.fills_simulated.is_empty() {
        notes.push(
            "answers   come after the modelled latency; in the record, of wall time, as its run came to it".to_owned(),
        );
    }
    if of.open_before {
        notes.push("orders    that were open when the record begins are not at the simulated exchange".to_owned());
    }
    if !of.whole {
        notes.push(
            "end       the record did not come to its end: what follows its last input is not compared".to_owned(),
        );
    }
    if of.gaps {
        notes.push("gaps      the record had to leave outcomes out; they may be counted as only now".to_owned());
    }
    if !of.not_compared.is_empty() {
        notes.push(format!("kinds     not compared, as one side alone has them: {}", of.not_compared.join(", ")));
    }
    notes
}

/// The kinds of which something differs; all of them with details.
fn kinds(of: &[KindCount], details: bool) -> String {
    let columns = [
        column("kind", Align::Left),
        column("same", Align::Right),
        column("only before", Align::Right),
        column("only now", Align::Right),
        column("changed", Align::Right),
    ];
    let differs = |kind: &&KindCount| details || kind.only_before + kind.only_now + kind.changed > 0;
    let row = |kind: &KindCount| {
        let counts = [kind.same, kind.only_before, kind.only_now, kind.changed].map(grouped);
        std::iter::once(kind.kind.to_owned()).chain(counts).map(Cell::from).collect::<Vec<_>>()
    };
    let rows: Vec<_> = of.iter().filter(differs).map(row).collect();
    if rows.is_empty() { String::new() } else { table(&columns, &rows) }
}

fn both<T: PartialEq>([before, now]: &[T; 2], text: impl Fn(&T) -> String) -> String {
    if before == now { text(before) } else { format!("{} → {}", text(before), text(now)) }
}

/// What the strategies did; those that did the same with details alone.
fn strategies(of: &[StrategyRow], details: bool) -> String {
    let columns = [
        column("strategy", Align::Left),
        column("account", Align::Right).spare(),
        column("orders", Align::Right),
        column("refused", Align::Right),
        column("fills", Align::Right),
        column("quantity", Align::Right),
    ];
    let counts = |row: &StrategyRow| [row.orders, row.refused, row.fills, row.qty];
    let differs = |row: &&StrategyRow| {
        details
            || counts(row).iter().chain(&[[0; 2]]).any(|of| of[0] != of[1])
            || row.net.values().any(|n| n[0] != n[1])
    };
    let rows: Vec<_> = of.iter().filter(differs).collect();
    if rows.is_empty() {
        return String::new();
    }
    let cells = |row: &&StrategyRow| {
        let names = [row.strategy.clone(), row.account.to_string()];
        names.into_iter().chain(counts(row).map(|of| both(&of, |n| grouped(*n)))).map(Cell::from).collect::<Vec<_>>()
    };
    let mut text = table(&columns, &rows.iter().map(cells).collect::<Vec<_>>());
    for row in rows {
        let net =
            row.net.iter().map(|(currency, net)| format!("{currency} {}", both(net, |net| decimal(net.as_deref()))));
        let net: Vec<_> = net.collect();
        if !net.is_empty() {
            text += &line(&format!("net       {} of account {}: {}", row.strategy, row.account, net.join("; ")));
        }
    }
    text
}

/// Positions that are others at the end.
fn positions(of: &[Holding], details: bool) -> String {
    if of.is_empty() {
        return String::new();
    }
    let columns = [
        column("positions", Align::Left),
        column("strategy", Align::Left),
        column("account", Align::Right).spare(),
        column("quantity", Align::Right),
        column("realised", Align::Right),
        column("fees", Align::Right).spare(),
    ];
    let money = |of: &[Option<String>; 2]| both(of, |amount| decimal(amount.as_deref()));
    let row = |held: &Holding| {
        let qty = both(&held.qty, |qty| qty.map_or_else(|| UNKNOWN.to_owned(), |qty| decimal(Some(&qty.to_string()))));
        let names = [held.symbol.clone(), held.strategy.clone(), held.account.to_string()];
        names.into_iter().chain([qty, money(&held.realised), money(&held.fees)]).map(Cell::from).collect::<Vec<_>>()
    };
    let shown = if details { of.len() } else { of.len().min(POSITIONS) };
    let mut text = table(&columns, &of[..shown].iter().map(row).collect::<Vec<_>>());
    if shown < of.len() {
        text += &format!("and {} more positions: --details shows all\n", grouped((of.len() - shown) as u64));
    }
    text
}

/// The words of a class of causes.
fn words(class: &str) -> &'static str {
    match class {
        "change" => "the change",
        "order" => "the same order",
        "strategy" => "the same strategy",
        "account" => "the same account",
        "limit" => "the same limit",
        "exchange" => "other orders at the exchange",
        "answers" => "the answers, which are new",
        _ => "nothing that was found",
    }
}

fn causes(of: &DiffReport) -> String {
    if of.differences == 0 {
        return String::new();
    }
    let mut all: Vec<_> = of.causes.iter().filter(|(class, n)| **n > 0 && **class != "rest").collect();
    all.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let all = all.into_iter().map(|(class, n)| format!("{} {}", words(class), grouped(*n)));
    let rest = of.causes.get("rest").copied().unwrap_or(0);
    let all: Vec<_> = all.chain([format!("the rest {}", grouped(rest))]).collect();
    line(&format!("because   of {}", all.join(", ")))
}

/// A time of day with its date.
fn time(ts_ns: &str) -> String {
    let at = ts_ns.parse().map(DateTime::from_timestamp_nanos);
    at.map_or_else(|_| ts_ns.to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

fn difference(of: &DifferenceRow) -> String {
    let at = of.ts_ns.iter().flatten().next().map_or_else(String::new, |ts| time(ts));
    let names = [of.symbol.as_deref(), of.strategy.as_deref(), Some(of.kind), of.side].into_iter().flatten();
    let names: Vec<_> = names.collect();
    let fields: Vec<_> = of.fields.iter().filter(|f| !is_aside(of.kind, &f.field)).map(|f| field(f, of)).collect();
    let moved = match &of.ts_ns {
        [Some(before), Some(now)] if before != now => vec![format!("time {} → {}", time(before), time(now))],
        _ => Vec::new(),
    };
    let fields = moved.into_iter().chain(fields).collect::<Vec<_>>().join(", ");
    let what = match of.what {
        "only-before" => "only before",
        "only-now" => "only now",
        _ => "changed",
    };
    let said = if fields.is_empty() { what.to_owned() } else { format!("{what}: {fields}") };
    let since = of.since_ns.as_ref().map_or_else(String::new, |since| format!(", since {}", time(since)));
    let because = format!("{INDENT}because of {}{since}", words(of.cause));
    line(&format!("{at} {} {said}", names.join(" "))) + &line(&because)
}

fn field(of: &FieldChange, row: &DifferenceRow) -> String {
    let value = |value: &Option<Value>| match value {
        None | Some(Value::Null) => UNKNOWN.to_owned(),
        Some(value) => value.to_csv(),
    };
    match row.what {
        "changed" => format!("{} {} → {}", of.field, value(&of.before), value(&of.now)),
        _ => format!("{} {}", of.field, value(if of.now.is_some() { &of.now } else { &of.before })),
    }
}
