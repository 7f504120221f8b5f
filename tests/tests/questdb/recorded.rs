//! What a run recorded, as `tidegate journal export` prints it, in the words of the tables: another way from the same bytes.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use tidegate_tests::run;

/// The tables, each with the kinds that `export` prints for it.
pub(crate) const KINDS: &[(&str, &[&str])] = &[
    ("instruments", &["listing", "contract"]),
    ("trades", &["trade"]),
    ("broken_trades", &["broken-trade"]),
    ("quotes", &["quote"]),
    ("price_bands", &["bands"]),
    ("book_top", &["book-top"]),
    ("bars", &["bar"]),
    ("corrected_bars", &["corrected-bar"]),
    ("order_flow", &["cvd", "imbalance"]),
    ("fates", &["fate", "fate-shown", "fate-apart"]),
    (
        "book_measures",
        &["imbalance-variability", "quoted-spread", "order-flow-imbalance", "price-impact", "depth-slope"],
    ),
    ("bar_flow", &["flow"]),
    ("footprints", &["footprint-bar"]),
    ("footprint_rows", &["footprint"]),
    ("exhaustions", &["exhaustion"]),
    ("absorptions", &["absorption"]),
    ("layerings", &["layering"]),
    ("profiles", &["profile"]),
    ("profile_rows", &["profile-row"]),
    ("profile_nodes", &["profile-node"]),
    ("profile_letters", &["profile-letters"]),
    ("market_states", &["market-state"]),
    ("breakouts", &["breakout"]),
    ("untested", &["untested"]),
    ("legs", &["leg"]),
    ("leg_nodes", &["leg-node"]),
    ("pullbacks", &["pullback"]),
    ("lvn_alerts", &["lvn-alert", "nearest-lvn"]),
    ("market_alerts", &["state-alert", "flow-alert"]),
    ("averages", &["average"]),
    ("rsi", &["rsi"]),
    ("macd", &["macd"]),
    ("atr", &["atr"]),
    ("bollinger", &["bollinger"]),
    ("donchian", &["donchian"]),
    ("vwap", &["vwap"]),
    ("pivots", &["pivots"]),
    ("swings", &["swing"]),
    ("volatility", &["volatility"]),
    ("regimes", &["regime", "regime-change"]),
    ("correlations", &["correlation"]),
    ("event_bars", &["event-bar"]),
    ("pace", &["pace"]),
    ("signing", &["signing"]),
    ("toxicity", &["vpin"]),
    ("trade_patterns", &["trade-pattern"]),
    ("pattern_scores", &["pattern-score"]),
    ("venue_scores", &["venue-score"]),
    ("blended_toxicity", &["toxicity"]),
    ("signals", &["signal"]),
    ("setups", &["setup"]),
    (
        "orders",
        &[
            "intent",
            "request",
            "cancel-request",
            "replace-request",
            "order",
            "route",
            "sent",
            "arrival",
            "ack",
            "reject",
            "cancelled",
            "order-status",
        ],
    ),
    ("fills", &["fill", "bust", "booked", "drop-copy"]),
    ("positions", &["position"]),
    ("risk_events", &["refused", "halt", "gap", "data-state", "status", "session", "reconciled"]),
    ("commands", &["command", "command-outcome"]),
];

/// Every table.
pub(crate) const TABLES: &[&str] = &[
    "instruments",
    "trades",
    "broken_trades",
    "quotes",
    "price_bands",
    "book_top",
    "bars",
    "corrected_bars",
    "order_flow",
    "fates",
    "book_measures",
    "bar_flow",
    "footprints",
    "footprint_rows",
    "exhaustions",
    "absorptions",
    "layerings",
    "profiles",
    "profile_rows",
    "profile_nodes",
    "profile_letters",
    "market_states",
    "breakouts",
    "untested",
    "legs",
    "leg_nodes",
    "pullbacks",
    "lvn_alerts",
    "market_alerts",
    "averages",
    "rsi",
    "macd",
    "atr",
    "bollinger",
    "donchian",
    "vwap",
    "pivots",
    "swings",
    "volatility",
    "regimes",
    "correlations",
    "event_bars",
    "pace",
    "signing",
    "toxicity",
    "trade_patterns",
    "pattern_scores",
    "venue_scores",
    "blended_toxicity",
    "signals",
    "setups",
    "signal_reasons",
    "orders",
    "fills",
    "positions",
    "risk_events",
    "commands",
    "results",
];

/// A row: what each column says, as a text in one form; what is absent is not in it.
pub(crate) type Row = BTreeMap<String, String>;

/// Columns that `export` shows in other words, or that a table does not have.
const NOT_COMPARED: &[&str] = &["kind", "input", "record", "reasons", "detail", "exchange_ts_ns"];

/// What was exported of a kind: its rows, and the columns that they have.
#[derive(Default)]
pub(crate) struct Exported {
    pub(crate) rows: Vec<Row>,
    pub(crate) columns: BTreeSet<String>,
}

/// All rows of a run as `export` prints them, by kind.
pub(crate) fn exported(dir: &str) -> BTreeMap<String, Exported> {
    let kinds = KINDS.iter().flat_map(|(_, kinds)| *kinds).copied().collect::<Vec<_>>().join(",");
    let printed = run(["journal", "export", dir, "--emit", &kinds]).expect(0);
    let mut all = BTreeMap::<String, Exported>::new();
    for line in printed.stdout.lines() {
        let row: Map<String, Value> = serde_json::from_str(line).expect("JSON");
        let of = all.entry(row["kind"].as_str().expect("a kind").to_owned()).or_default();
        if of.rows.is_empty() {
            of.columns = row.keys().map(|name| column(name)).collect();
        }
        of.rows.push(row.iter().filter_map(|(name, value)| in_words(name, value)).collect());
    }
    all
}

/// The name of a column in a table.
fn column(name: &str) -> String {
    (if name == "ts_ns" { "ts" } else { name.strip_suffix("_ns").unwrap_or(name) }).to_owned()
}

/// A column and its value in the words of the tables.
fn in_words(name: &str, value: &Value) -> Option<(String, String)> {
    if NOT_COMPARED.contains(&name) {
        return None;
    }
    let text = plain(value)?;
    // No side, and no reference, is absent in a table.
    let none = |words: &[&str]| words.contains(&name);
    if text.is_empty() || (text == "none" && none(&["side", "aggressor"])) || (text == "0" && is_id(name)) {
        return None;
    }
    Some((column(name), text))
}

fn is_id(name: &str) -> bool {
    ["order_id", "match_id", "order_ref", "cause", "replaces", "new_id", "venue_order", "number", "corrects"]
        .contains(&name)
}

/// A value in one form: decimals without zeros at their end, integers as they are, floating point as its bits say.
pub(crate) fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.to_string(),
            None => format!("{:e}", number.as_f64().expect("a number")),
        },
        other => other.to_string(),
    };
    let is_decimal = text.contains('.') && text.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-');
    Some(if is_decimal { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text })
}
