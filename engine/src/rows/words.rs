//! A row in the words of a trader: its values in the order in which one reads them.
//!
//! They are made of the row's cells, so they have the decimals that an export prints. Bound: the columns of a row.

use super::cell::Cell;
use flow::Kind;

/// A row as an export prints it.
pub(crate) type Row = [(&'static str, Cell)];

/// Columns that every row has.
const COMMON: usize = 7;

/// The value of a column as text; empty if it is absent.
fn text(row: &Row, column: &str) -> String {
    row.iter().find(|(name, _)| *name == column).map(|(_, cell)| cell.to_csv()).unwrap_or_default()
}

/// A value for people: a number of a measure with five digits, the rest exactly as in its row.
pub(crate) fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Float(value) if value.is_nan() => String::new(),
        Cell::Float(value) => {
            let digits = 4 - (value.abs().log10().floor() as i32).clamp(-2, 4);
            let text = format!("{value:.*}", digits.unsigned_abs() as usize);
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        }
        other => other.to_csv(),
    }
}

/// A duration for people, with four digits: `950 ns`, `1.204 ms`, `12.50 s`.
pub(crate) fn span(ns: u64) -> String {
    let shown = |value: f64, unit: &str| {
        let decimals = if value < 10.0 {
            3
        } else if value < 100.0 {
            2
        } else {
            1
        };
        format!("{value:.decimals$} {unit}")
    };
    let value = ns as f64;
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => shown(value / 1e3, "us"),
        1_000_000..1_000_000_000 => shown(value / 1e6, "ms"),
        1_000_000_000..600_000_000_000 => shown(value / 1e9, "s"),
        _ => format!("{}:{:02}:{:02} h", ns / 3_600_000_000_000, ns / 60_000_000_000 % 60, ns / 1_000_000_000 % 60),
    }
}

/// The values of a row that are there, each behind its name; reasons for caution only where there are any.
pub(crate) fn values(row: &Row) -> String {
    let own = row.iter().skip(COMMON).filter(|(name, _)| *name != "instance");
    let value = |(name, cell): &(&str, Cell)| match (*name, shown(cell).as_str()) {
        (_, "") | ("inferred" | "after_gap" | "crossed", "false") => None,
        ("inferred", _) => Some("sides inferred".to_owned()),
        ("after_gap", _) => Some("after a gap".to_owned()),
        (name, text) => Some(format!("{} {text}", name.replace('_', " "))),
    };
    own.filter_map(value).collect::<Vec<_>>().join(", ")
}

/// The best bid and ask.
pub(crate) fn quote(row: &Row) -> String {
    let side = |px: String, qty: String| if px.is_empty() { "none".to_owned() } else { format!("{px} x {qty}") };
    let [bid, ask] =
        [["bid_px", "bid_qty"], ["ask_px", "ask_qty"]].map(|[px, qty]| side(text(row, px), text(row, qty)));
    format!("bid {bid}, ask {ask}")
}

/// A trade: quantity, price, aggressor.
pub(crate) fn trade(row: &Row) -> String {
    let told = inferred(row, " (inferred)");
    format!("{} at {}, aggressor {}{told}", text(row, "qty"), text(row, "px"), text(row, "aggressor"))
}

/// A bar: its interval, its prices, what was traded.
pub(crate) fn bar(row: &Row) -> String {
    let prices = ["open", "high", "low", "close"].map(|column| text(row, column)).join(" ");
    let flow = [("volume", "volume"), ("vwap", "vwap"), ("buy", "buy_volume"), ("sell", "sell_volume")];
    let flow = flow.map(|(name, column)| (name, text(row, column)));
    let flow = flow.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!(", {name} {text}"));
    format!("{} {prices}{}{}", text(row, "interval"), flow.collect::<String>(), inferred(row, ", sides inferred"))
}

/// These words, where a side was inferred.
fn inferred(row: &Row, words: &'static str) -> &'static str {
    if text(row, "inferred") == "true" { words } else { "" }
}

/// What a market input says.
pub(crate) fn market(kind: Kind, row: &Row) -> String {
    let text = |column| text(row, column);
    match kind {
        Kind::Quote => quote(row),
        Kind::Trade => {
            let beside = [("auction", ", auction"), ("volume_only", ", volume only")];
            let beside = beside.iter().filter(|(column, _)| text(column) == "true").map(|(_, words)| *words);
            trade(row) + &beside.collect::<String>()
        }
        Kind::Bar => bar(row),
        Kind::Add => format!("{} {} at {}, order {}", text("side"), text("qty"), text("px"), text("order_ref")),
        Kind::Break => format!("trade {} taken back", text("match_id")),
        Kind::Gap => match (text("expected").as_str(), text("received").as_str()) {
            (_, "") => "messages are missing from here on".to_owned(),
            ("", received) => format!("messages before {received} are missing"),
            (expected, received) => format!("messages {expected} to before {received} are missing"),
        },
        _ => values(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<const N: usize>(own: [(&'static str, &str); N]) -> Vec<(&'static str, Cell)> {
        let common =
            ["kind", "seq", "ts_ns", "exchange_ts_ns", "symbol", "input", "record"].map(|name| (name, Cell::Null));
        common.into_iter().chain(own.map(|(name, text)| (name, Cell::text(text)))).collect()
    }

    #[test]
    fn what_a_market_says_is_read_aloud() {
        let quote = row([("bid_px", "190.10"), ("bid_qty", "500"), ("ask_px", ""), ("ask_qty", "0")]);
        assert_eq!(market(Kind::Quote, &quote), "bid 190.10 x 500, ask none");
        let print = [("px", "190.12"), ("qty", "100"), ("aggressor", "buy"), ("inferred", "true")];
        assert_eq!(market(Kind::Trade, &row(print)), "100 at 190.12, aggressor buy (inferred)");
        let average = [("px", "1.00"), ("qty", "7"), ("aggressor", "none"), ("volume_only", "true")];
        assert_eq!(market(Kind::Trade, &row(average)), "7 at 1.00, aggressor none, volume only");
        assert_eq!(
            market(Kind::Gap, &row([("expected", "7"), ("received", "9")])),
            "messages 7 to before 9 are missing"
        );
        assert_eq!(market(Kind::Gap, &row([("expected", ""), ("received", "")])), "messages are missing from here on");
        assert_eq!(market(Kind::Break, &row([("match_id", "12")])), "trade 12 taken back");
        assert_eq!(market(Kind::Status, &row([("code", "H"), ("reason", "")])), "code H");
    }
}
