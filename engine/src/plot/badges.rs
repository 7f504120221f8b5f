//! What the page says of its data: where the sides of the trades come from, what is missing and what was left out.

use super::MOST_MARKS;
use super::sink::Day;
use crate::pipeline::Quality;
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
fn of_sides(quality: &Quality) -> Badge {
    let Quality { sides_exact, sides_by_quote, sides_by_price, sides_unknown, auctions, .. } = quality;
    let title = format!(
        "trades with the aggressor that the feed tells: {sides_exact}; inferred from the quote before: {sides_by_quote}; from the \
             price before: {sides_by_price}; without one: {sides_unknown}, and {auctions} of auctions"
    );
    match quality.inferred() {
        _ if quality.priced() == 0 => badge(
            "no trades: bars alone",
            "no footprint and no CVD; of a profile made of bars see profile.volume_from",
            true,
        ),
        _ if quality.signed() == 0 => badge("no aggressor", title, true),
        0 => badge("aggressor exact", title, false),
        _ => badge(format!("aggressor inferred: {}", quality.shares()), title, true),
    }
}

/// What makes no price, was taken back, stood crossed or is missing.
fn of_troubles(quality: &Quality) -> impl Iterator<Item = Badge> {
    let counts = [
        (quality.gaps, "gap", "gaps", "messages of the source are missing", true),
        (
            quality.volume_only,
            "volume-only print",
            "volume-only prints",
            "late reports, average prices, official closes: they count as volume and make no price",
            false,
        ),
        (
            quality.broken,
            "broken trade",
            "broken trades",
            "the venue took them back; bars, CVD and profile are mended",
            false,
        ),
        (quality.locked_or_crossed, "touch crossed", "touches crossed", "the bid stood at the ask or above it", false),
    ];
    counts.into_iter().filter(|(n, ..)| *n > 0).map(|(n, one, many, title, bad)| {
        badge(if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }, title, bad)
    })
}

/// What is to be said of a day.
pub(super) fn badges(day: &Day) -> Vec<Badge> {
    let mut badges = vec![of_sides(&day.quality)];
    badges.extend(of_troubles(&day.quality));
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

    fn sides(trades: &[Flags]) -> Badge {
        let mut quality = Quality::default();
        let events = trades.iter().map(|flags| Event::new(Ns(1), 1, *flags, &Trade::default()));
        events.for_each(|event| quality.take(&event));
        of_sides(&quality)
    }

    #[test]
    fn the_page_says_where_the_sides_come_from() {
        let bought = Flags::side_only(Side::Buy);
        let inferred = bought.with(Flags::INFERRED_AGGRESSOR);
        let by_quote = inferred.with(Flags::BY_QUOTE);
        let words = |trades: &[Flags]| sides(trades).words;
        assert_eq!(words(&[]), "no trades: bars alone");
        assert_eq!(words(&[Flags::NONE, Flags::AUCTION]), "no aggressor");
        assert_eq!(words(&[bought, Flags::AUCTION]), "aggressor exact");
        assert_eq!(words(&[inferred, bought.with(Flags::VOLUME_ONLY)]), "aggressor inferred: 100 % by tick rule");
        let mixed = [by_quote, by_quote, by_quote, inferred];
        assert_eq!(words(&mixed), "aggressor inferred: 75 % by quote, 25 % by tick rule");
    }

    #[test]
    fn the_page_says_what_is_missing_and_what_makes_no_price() {
        let quality = Quality { gaps: 1, volume_only: 7, locked_or_crossed: 1, ..Quality::default() };
        let words: Vec<_> = of_troubles(&quality).map(|badge| badge.words).collect();
        assert_eq!(words, ["1 gap", "7 volume-only prints", "1 touch crossed"]);
        assert_eq!(of_troubles(&Quality::default()).count(), 0);
    }
}
