//! The file: values that a configuration includes, and comments.
//!
//! Every symbol has a part of its own. A value that a parameter reads stands as one; a comment before it says what it was made of. What no
//! parameter reads, the look-back, normal volumes and correlations, stands in comments of a fixed form. Bound: 15 bytes a minute of a day
//! that has volume, and a line a pair.

use super::learn::{Learned, OneSymbol, Rules};
use super::{BUCKETS_A_DAY, LEAST_TRADES, LONGEST_LAG};
use std::fmt::Write as _;

/// What the head of the file says.
pub(crate) struct About {
    /// The input, as it was named.
    pub(crate) inputs: Vec<String>,
    /// Version of the program.
    pub(crate) version: &'static str,
}

/// The file.
pub(crate) fn toml(learned: &Learned, about: &About, rules: Rules) -> String {
    let mut text = head(learned, about, rules);
    let interval = rules.interval;
    let _ = write!(text, "\n[regime]\ninterval = \"{interval}\"\nbars = {}\n", rules.bars);
    learned.symbols.iter().for_each(|one| symbol(one, &mut text));
    correlations(learned, &mut text);
    text
}

/// A text of the input in a comment: one line, whatever is in it.
fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

fn head(learned: &Learned, about: &About, rules: Rules) -> String {
    let symbols = &learned.symbols;
    let (bars, trades): (usize, u64) = (symbols.iter().map(|s| s.bars).sum(), symbols.iter().map(|s| s.trades).sum());
    let mut dates: Vec<_> = symbols.iter().flat_map(|s| &s.dates).collect();
    dates.sort_unstable();
    dates.dedup();
    let mut text = format!("# Learned by tidegate discover {}.\n", about.version);
    about.inputs.iter().for_each(|input| _ = writeln!(text, "# input: {}", plain(input)));
    let of = match symbols.len() {
        1 => "1 symbol".to_owned(),
        many => format!("{many} symbols"),
    };
    let _ = writeln!(text, "# rows: {bars} bars of {}, {trades} trades, {of}", rules.interval);
    let (first, last) = (dates.first().map(ToString::to_string), dates.last().map(ToString::to_string));
    let _ = writeln!(text, "# days: {}, {} to {}", dates.len(), first.unwrap_or_default(), last.unwrap_or_default());
    text + "#\n# A configuration takes these values by its first line, include = [\"THIS FILE\"];\n\
            # what it sets itself goes before them. The rules: engine/docs/discover.md.\n"
}

/// A key of TOML, in quotes where it needs them.
fn key(symbol: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !symbol.is_empty() && symbol.chars().all(bare) {
        return symbol.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in symbol.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => _ = write!(quoted, "\\u{:04X}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

fn symbol(one: &OneSymbol, text: &mut String) {
    let days = one.dates.len();
    let _ = writeln!(text, "\n# {}: {} bars, {days} days, {} trades", plain(&one.symbol), one.bars, one.trades);
    if one.left_out > 0 {
        let _ = writeln!(text, "# {} bars that did not begin after the one before are left out", one.left_out);
    }
    bucket(one, text);
    limits(one, text);
    look_back(one, text);
    minutes(one, text);
}

fn bucket(one: &OneSymbol, text: &mut String) {
    let bucket = match &one.bucket {
        Ok(bucket) => bucket,
        Err(why) => {
            let _ = writeln!(text, "# no bucket_qty: {why}");
            return;
        }
    };
    let _ = writeln!(text, "# volume {} in {} days, {BUCKETS_A_DAY} buckets a day", one.volume, one.dates.len());
    match bucket.median {
        None => text.push_str("# the input has no trades, so nothing says whether a bucket is many of them\n"),
        Some(median) if bucket.qty > bucket.of_day => {
            let of_day = bucket.of_day;
            let _ = writeln!(text, "# raised from {of_day} to {LEAST_TRADES} times the median trade, {median}");
        }
        Some(median) => _ = writeln!(text, "# the median trade is {median}"),
    }
    let _ = writeln!(text, "[vpin.symbol.{}]\nbucket_qty = {}", key(&one.symbol), bucket.qty);
}

fn limits(one: &OneSymbol, text: &mut String) {
    match &one.limits {
        Err(why) => _ = writeln!(text, "# no limits of volatility: {why}"),
        Ok(limits) => {
            let _ = writeln!(text, "# thirds of {} values", limits.values);
            let _ = writeln!(text, "[regime.symbol.{}]", key(&one.symbol));
            let _ = writeln!(text, "low_volatility = {:.9}\nhigh_volatility = {:.9}", limits.low, limits.high);
        }
    }
}

fn look_back(one: &OneSymbol, text: &mut String) {
    let found = match &one.look_back {
        Ok(found) => found,
        Err(why) => {
            let _ = writeln!(text, "# no look-back: {why}");
            return;
        }
    };
    let (bound, returns) = (found.bound, found.returns);
    match found.lags.last() {
        None => _ = writeln!(text, "# no look-back: no lag to {LONGEST_LAG} beyond {bound:.6}, {returns} returns"),
        Some((last, _)) => {
            let _ = writeln!(text, "# look-back: {last} bars, the last lag beyond {bound:.6}, {returns} returns");
            found.lags.iter().for_each(|(lag, r)| _ = writeln!(text, "#   lag {lag} {r:.6}"));
        }
    }
}

/// Ten minutes a line.
fn minutes(one: &OneSymbol, text: &mut String) {
    if one.minutes.is_empty() {
        return text.push_str("# no volume by minute\n");
    }
    let days = one.dates.len() as u64;
    let _ = writeln!(text, "# normal volume of a minute, {}; - is none", one.zone);
    let (first, last) = (one.minutes.keys().next().unwrap_or(&0), one.minutes.keys().next_back().unwrap_or(&0));
    for ten in (first / 10..=last / 10).map(|ten| ten * 10) {
        if one.minutes.range(ten..ten + 10).next().is_none() {
            continue;
        }
        let _ = write!(text, "#   {:02}:{:02}", ten / 60, ten % 60);
        for minute in ten..ten + 10 {
            let _ = match one.minutes.get(&minute) {
                // Tenths, rounded half up.
                Some(volume) => {
                    let tenths = (u128::from(*volume) * 20 + u128::from(days)) / (2 * u128::from(days));
                    write!(text, " {}.{}", tenths / 10, tenths % 10)
                }
                None => write!(text, " -"),
            };
        }
        text.push('\n');
    }
}

fn correlations(learned: &Learned, text: &mut String) {
    let all = &learned.correlations;
    if all.pairs.is_empty() {
        return text.push_str("\n# no correlations: fewer than two symbols have returns\n");
    }
    text.push_str("\n# correlations of returns: the two, how many they have in common\n");
    for pair in &all.pairs {
        let [one, other] = pair.symbols.each_ref().map(|symbol| plain(symbol));
        let number = pair.correlation.map_or_else(|| "-".to_owned(), |number| format!("{number:.6}"));
        let _ = writeln!(text, "#   {one} {other} {number} {}", pair.common);
    }
    if all.left_out > 0 {
        let _ = writeln!(
            text,
            "# {} more symbols are not compared: there is room for {}",
            all.left_out,
            super::MOST_CORRELATED
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::gather::{Gathered, OneBar, Series};
    use super::super::learn;
    use super::*;
    use crate::config::Draft;
    use flow::records::{Listing, Name};
    use flow::{Event, Flags, Ns, Px};
    use std::path::Path;

    /// Instruments with these symbols, and prices that go to and fro.
    fn gathered(symbols: &[&str], bars: u32) -> Gathered {
        let mut all = Gathered::default();
        for (instrument, symbol) in (1..).zip(symbols) {
            let mut name = Name { part: 0, parts: 1, len: symbol.len() as u8, ..Default::default() };
            name.text[..symbol.len()].copy_from_slice(symbol.as_bytes());
            all.listings.observe(&Event::new(Ns(1), instrument, Flags::NONE, &name));
            all.listings.observe(&Event::new(Ns(1), instrument, Flags::NONE, &Listing::default()));
            let bar = |at: u32| OneBar {
                start_s: 1_550_154_600 + 60 * at,
                close: Px(i64::from(10_000 + at * at % 7 + instrument * at % 5) * 10_000_000),
                volume: Some(1_000),
            };
            all.series.insert(instrument, Series { bars: (0..bars).map(bar).collect(), ..Series::default() });
        }
        all
    }

    fn written(symbols: &[&str], bars: u32) -> String {
        let rules = Rules { interval: "1m".parse().unwrap(), bars: 60 };
        let about = About { inputs: vec!["a\nb.csv".into()], version: "0.1.0" };
        toml(&learn(&gathered(symbols, bars), rules), &about, rules)
    }

    #[test]
    fn a_configuration_takes_the_file_as_it_is() {
        let text = written(&["B", "BRK.B", "a\"b\\", "A"], 200);
        let draft = Draft::parse(&text, Path::new("learned.toml"));
        assert_eq!(draft.faults, [], "{text}");
        for symbol in ["A", "B", "BRK.B", "a\"b\\"] {
            let bucket = draft.settings.stages["vpin"].of_symbol(symbol);
            assert_eq!(bucket.value("bucket_qty").unwrap().to_string(), "4000", "{symbol}");
            let limits = draft.settings.stages["regime"].of_symbol(symbol);
            let of = |name| limits.value(name).unwrap().to_string().parse::<f64>().unwrap();
            assert!(0.0 < of("low_volatility") && of("low_volatility") <= of("high_volatility"), "{symbol}");
        }
        assert!(
            text.contains(
                "# input: a\u{fffd}b.csv\n# rows: 800 bars of 1m, 0 trades, 4 symbols\n# days: 1, 2019-02-14 to"
            ),
            "{text}"
        );
        assert_eq!(text, written(&["B", "BRK.B", "a\"b\\", "A"], 200), "the same bytes");
        let order: Vec<_> = text.lines().filter(|line| line.starts_with("[vpin")).collect();
        assert_eq!(
            order,
            ["[vpin.symbol.A]", "[vpin.symbol.B]", "[vpin.symbol.\"BRK.B\"]", "[vpin.symbol.\"a\\\"b\\\\\"]"]
        );
    }

    #[test]
    fn what_is_not_known_is_no_value() {
        let text = written(&["A"], 100);
        assert!(text.contains("# no limits of volatility: 99 returns, and it takes 120"), "{text}");
        assert!(text.contains("# no look-back: 99 returns of bars that follow each other, and it takes 120"), "{text}");
        assert!(text.contains("# no correlations: fewer than two symbols have returns"), "{text}");
        assert!(text.contains("bucket_qty = 2000") && !text.contains("low_volatility ="), "{text}");
    }
}
