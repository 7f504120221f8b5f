//! The line of the summary that says what the numbers rest on.

use super::numbers::grouped;
use super::screen::{INDENT, wrapped};
use super::table::Tone;
use crate::pipeline::Quality;

/// The line `data`; empty for a run without market data.
pub(super) fn data(quality: &Quality) -> String {
    let said = words(quality);
    if said.is_empty() {
        return String::new();
    }
    // Locked touches and volume-only prints are part of every day; what is missing or was inferred is a reason for caution.
    let tone = if quality.gaps > 0 || quality.inferred() > 0 { Tone::Notice } else { Tone::Plain };
    format!("{}\n", tone.paint(&wrapped(&format!("data      {}", said.join("; ")), INDENT)))
}

fn words(quality: &Quality) -> Vec<String> {
    let mut said = Vec::new();
    if quality.priced() > 0 {
        let sides = match quality.inferred() {
            _ if quality.signed() == 0 => "sides unknown".to_owned(),
            0 => "sides exact".to_owned(),
            _ => format!("sides inferred {}", quality.shares()),
        };
        let some_unknown = quality.signed() > 0 && quality.sides_unknown > 0;
        let unknown = some_unknown.then(|| format!(", {} unknown", grouped(quality.sides_unknown)));
        said.push(sides + &unknown.unwrap_or_default());
    }
    let prints = [(quality.auctions, "auction"), (quality.volume_only, "volume-only"), (quality.broken, "broken")];
    let prints = prints.into_iter().filter(|(n, _)| *n > 0);
    let prints: Vec<_> = prints.map(|(n, what)| format!("{} {what}", grouped(n))).collect();
    if !prints.is_empty() {
        said.push(format!("prints: {}", prints.join(", ")));
    }
    match quality.locked_or_crossed {
        0 => {}
        1 => said.push("1 touch crossed".to_owned()),
        n => said.push(format!("{} touches crossed", grouped(n))),
    }
    if said.is_empty() && quality.touches == 0 && quality.gaps == 0 {
        return said;
    }
    said.push(match (quality.gaps, quality.missing) {
        (0, _) => "no gap".to_owned(),
        (n, 0) => format!("{}, messages missing", gaps(n)),
        (n, missing) => format!("{}, at least {} messages missing", gaps(n), grouped(missing)),
    });
    said
}

fn gaps(n: u64) -> String {
    if n == 1 { "1 GAP".to_owned() } else { format!("{} GAPS", grouped(n)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_of_no_data() {
        assert!(words(&Quality::default()).is_empty());
    }

    #[test]
    fn what_is_unknown_or_missing_is_said() {
        let bars = Quality { touches: 2, ..Quality::default() };
        assert_eq!(words(&bars), ["no gap"]);
        let unknown = Quality { sides_unknown: 2, gaps: 1, ..Quality::default() };
        assert_eq!(words(&unknown), ["sides unknown", "1 GAP, messages missing"]);
        let day = Quality {
            sides_by_quote: 3,
            sides_by_price: 1,
            sides_unknown: 1,
            auctions: 2,
            volume_only: 1_200,
            broken: 1,
            touches: 9,
            locked_or_crossed: 1,
            gaps: 2,
            missing: 30,
            ..Quality::default()
        };
        let expected = [
            "sides inferred 75 % by quote, 25 % by tick rule, 1 unknown",
            "prints: 2 auction, 1,200 volume-only, 1 broken",
            "1 touch crossed",
            "2 GAPS, at least 30 messages missing",
        ];
        assert_eq!(words(&day), expected);
    }
}
