//! What the page says of its data: where the sides of the trades come from, what is missing and what was left out.

use super::MOST_MARKS;
use super::signing::Signing;
use super::sink::Day;
use serde::Serialize;

/// A short remark, with more of it for whoever asks.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Badge {
    /// The remark.
    words: String,
    /// More of it.
    title: String,
    /// Whether it is a reason for caution.
    bad: bool,
}

fn badge(words: impl Into<String>, title: impl Into<String>, bad: bool) -> Badge {
    Badge { words: words.into(), title: title.into(), bad }
}

/// Where the sides of the trades come from.
fn of_signing(signing: &Signing) -> Badge {
    let Signing { exact, by_quote, by_price, none, auctions } = *signing;
    let title = format!(
        "trades with the aggressor that the feed tells: {exact}; inferred from the quote before: {by_quote}; from the price \
             before: {by_price}; without one: {none}, and {auctions} of auctions"
    );
    match exact + by_quote + by_price {
        0 if none + auctions == 0 => badge(
            "no trades: bars alone",
            "no footprint and no CVD; of a profile made of bars see profile.volume_from",
            true,
        ),
        0 => badge("no aggressor", title, true),
        _ if by_quote + by_price == 0 => badge("aggressor exact", title, false),
        signed => {
            let percent = |part: u64| (part as f64 * 100.0 / signed as f64).round();
            let parts = [(exact, "exact"), (by_quote, "by quotes"), (by_price, "by the tick rule")];
            let parts = parts.iter().filter(|(part, _)| *part > 0);
            let parts: Vec<_> = parts.map(|(part, how)| format!("{} % {how}", percent(*part))).collect();
            badge(format!("aggressor inferred: {}", parts.join(", ")), title, true)
        }
    }
}

/// What is to be said of a day.
pub(super) fn badges(day: &Day) -> Vec<Badge> {
    let mut badges = vec![of_signing(&day.signing)];
    let marked = |kind: &str| day.marks.marks.iter().filter(|mark| mark["kind"] == kind).count();
    match marked("gap") {
        0 => {}
        1 => badges.push(badge("a gap", "messages of the source are missing", true)),
        gaps => badges.push(badge(format!("{gaps} gaps"), "messages of the source are missing", true)),
    }
    if day.bars.not_whole > 0 {
        let title = "there was no room for all rows: raise footprint.max_rows";
        badges.push(badge(format!("{} footprints not whole", day.bars.not_whole), title, true));
    }
    if day.marks.left_out > 0 {
        let words = format!("{} marks left out", day.marks.left_out);
        badges.push(badge(words, format!("a page has room for {MOST_MARKS}"), true));
    }
    badges
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::Trade;
    use flow::{Event, Flags, Ns, Side};

    fn signing(trades: &[Flags]) -> Badge {
        let mut signing = Signing::default();
        let events = trades.iter().map(|flags| Event::new(Ns(1), 1, *flags, &Trade::default()));
        events.for_each(|event| signing.take(&event));
        of_signing(&signing)
    }

    #[test]
    fn the_page_says_where_the_sides_come_from() {
        let bought = Flags::side_only(Side::Buy);
        let inferred = bought.with(Flags::INFERRED_AGGRESSOR);
        let by_quote = inferred.with(Flags::BY_QUOTE);
        let words = |trades: &[Flags]| signing(trades).words;
        assert_eq!(words(&[]), "no trades: bars alone");
        assert_eq!(words(&[Flags::NONE, Flags::AUCTION]), "no aggressor");
        assert_eq!(words(&[bought, Flags::AUCTION]), "aggressor exact");
        assert_eq!(words(&[inferred, bought.with(Flags::VOLUME_ONLY)]), "aggressor inferred: 100 % by the tick rule");
        let mixed = [by_quote, by_quote, by_quote, inferred];
        assert_eq!(words(&mixed), "aggressor inferred: 75 % by quotes, 25 % by the tick rule");
    }
}
