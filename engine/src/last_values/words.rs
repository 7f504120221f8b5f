//! The words of keys: what can be asked for, of a symbol or of the whole run.

use flow::Kind;

/// What a word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// The last row of a kind, of each that says it; only these columns, if any are named.
    Last(Kind, &'static [&'static str]),
    /// All rows of a kind that are kept, oldest first.
    All(Kind),
    /// The last row of every kind.
    Everything,
    /// The best levels.
    Book,
    /// What the best prices are apart.
    Spread,
    /// Whether market data is silent for too long.
    Stale,
    /// The positions.
    Positions,
    /// Whether trading is halted.
    Halt,
    /// The sources, each with its last input.
    Feeds,
    /// The last anomalies, of whatever instrument.
    Anomalies,
    /// The limits in force.
    Limits,
    /// Profit and fees by account and currency.
    Money,
}

/// A word of a key.
pub(super) struct Word {
    pub(super) name: &'static str,
    pub(super) named: Named,
    pub(super) about: &'static str,
}

const fn word(name: &'static str, named: Named, about: &'static str) -> Word {
    Word { name, named, about }
}

/// Of a symbol.
pub(super) const OF_SYMBOL: &[Word] = &[
    word("all", Named::Everything, "the last row of every kind"),
    word("last", Named::Last(Kind::Trade, &["px", "qty", "aggressor"]), "the last trade"),
    word("trades", Named::All(Kind::Trade), "the last trades, 1,000 unless `metrics.last_trades` says otherwise"),
    word("top", Named::Last(Kind::BookTop, &["bid_px", "bid_qty", "ask_px", "ask_qty"]), "best bid and ask"),
    word("spread", Named::Spread, "best ask less best bid; absent when a side is empty"),
    word("book", Named::Book, "the ten best levels a side, of the symbols in `metrics.books`"),
    word(
        "bars",
        Named::All(Kind::Bar),
        "the last bars of each interval, 100 unless `metrics.last_bars` says otherwise",
    ),
    word(
        "vwap",
        Named::Last(Kind::Bar, &["interval", "start_ns", "vwap", "volume"]),
        "the volume-weighted average price of the last bar of each interval",
    ),
    word("toxicity", Named::Last(Kind::Vpin, &["vpin", "buckets", "window", "instance"]), "VPIN, of each instance"),
    word("state", Named::Last(Kind::Status, &[]), "the states that the venue reported last"),
    word(
        "bands",
        Named::Last(Kind::Bands, &["limit_up_px", "limit_down_px", "indicator", "exchange_ts"]),
        "the price bands: limit up and limit down, as the feed reported them last",
    ),
    word("doubt", Named::Last(Kind::DataState, &[]), "whether the data is doubtful, since when and why"),
    word(
        "stale",
        Named::Stale,
        "whether there was no market data for `metrics.stale_ms`, in market hours; and when the last came",
    ),
    word("signals", Named::All(Kind::Signal), "the last 100 signals"),
    word("orders", Named::All(Kind::Order), "the last 100 orders"),
    word("fills", Named::All(Kind::Fill), "the last 100 fills"),
    word("position", Named::Positions, "the positions, by account and strategy"),
];

/// Of the whole run.
pub(super) const OF_RUN: &[Word] = &[
    word("all", Named::Everything, "the last row of every kind that is of no instrument"),
    word("halt", Named::Halt, "whether trading is halted, why and by whom"),
    word("feeds", Named::Feeds, "the sources, how they stand, and their last inputs"),
    word("stale", Named::Stale, "the instruments that are stale"),
    word("errors", Named::Anomalies, "the last 100 anomalies"),
    word("commands", Named::All(Kind::CommandOutcome), "the last 100 results of commands"),
    word("limits", Named::Limits, "the limits in force"),
    word("money", Named::Money, "profit and fees by account and currency"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn table(title: &str, words: &[Word]) -> String {
        let rows = words.iter().map(|word| format!("| `{title}/{}` | {} |\n", word.name, word.about));
        format!("| key | holds |\n|---|---|\n{}", rows.collect::<String>())
    }

    /// The page is written anew with `TIDEGATE_BLESS=1`.
    #[test]
    fn the_page_has_every_word() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/last.md");
        let mut wanted = std::fs::read_to_string(path).unwrap();
        for (heading, title, words) in
            [("## Of a symbol\n\n", "SYMBOL", OF_SYMBOL), ("## Of the run\n\n", "system", OF_RUN)]
        {
            let from = wanted.find(heading).expect("the page has the heading") + heading.len();
            let until = wanted[from..].find("\n\n").map_or(wanted.len(), |at| from + at + 1);
            wanted.replace_range(from..until, &table(title, words));
        }
        if std::env::var_os("TIDEGATE_BLESS").is_some() {
            std::fs::write(path, &wanted).unwrap();
        }
        let stands = std::fs::read_to_string(path).unwrap();
        assert!(stands == wanted, "docs/last.md differs from the code: run with TIDEGATE_BLESS=1 to write it anew");
    }
}
