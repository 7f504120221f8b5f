//! The trading date of a file whose times count from midnight.
//!
//! In this order: the date that the user gave, the first date in the name of the file or member, and the time of a
//! capture. Without any of them the date is 1970-01-01, with a warning.

use chrono::NaiveDate;
use std::ops::RangeInclusive;

/// Stands for an unknown date.
pub const UNKNOWN: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");

/// The warning when no date was found.
pub const UNKNOWN_WARNING: &str = "trading date unknown, times count from 1970-01-01: give --date YYYY-MM-DD";

/// [`UNKNOWN_WARNING`] for the stream of this name.
pub fn unknown_warning(name: &str) -> String {
    format!("{name}: {UNKNOWN_WARNING}")
}

/// The dates whose times fit: nanoseconds since 1970 in 63 bits, up to 36 hours after midnight in any time zone.
pub const RANGE: RangeInclusive<NaiveDate> =
    NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date")..=NaiveDate::from_ymd_opt(2262, 4, 10).expect("a date");

/// What a trading date may be, in messages.
pub const VALID: &str = "valid: a trading date from 1970-01-01 to 2262-04-10, YYYY-MM-DD";

/// Reads a trading date.
///
/// # Errors
/// When it is no date, or its times do not fit.
pub fn parse(text: &str) -> Result<NaiveDate, &'static str> {
    text.parse().ok().filter(|date| RANGE.contains(date)).ok_or(VALID)
}

/// The given date, or else the first date found in the names, in order.
pub fn choose(given: Option<NaiveDate>, names: &[&str]) -> Option<NaiveDate> {
    given.or_else(|| names.iter().find_map(|name| in_name(name)))
}

/// The first date in `name`: `2012-06-21`, `2012_06_21`, `20120621`, `01302020` (month first, as Nasdaq names its daily
/// files), or `S013020-v50` (its other form). Years range from 1990 to 2099, so eight digits have one reading. Folder names
/// are ignored.
pub fn in_name(name: &str) -> Option<NaiveDate> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).as_bytes();
    if let Some(date) = short(name) {
        return Some(date);
    }
    let starts = (0..name.len()).filter(|&i| name[i].is_ascii_digit() && (i == 0 || !name[i - 1].is_ascii_digit()));
    starts.map(|i| &name[i..]).find_map(|rest| compact(rest).or_else(|| dashed(rest)))
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().all(u8::is_ascii_digit).then(|| digits.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0')))
}

fn date(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    (1990..2100).contains(&year).then(|| NaiveDate::from_ymd_opt(year as i32, month, day)).flatten()
}

/// `S`, month, day and two digits of the year, `-v`, at the start of the name.
fn short(name: &[u8]) -> Option<NaiveDate> {
    let (digits, rest) = name.strip_prefix(b"S")?.split_first_chunk::<6>()?;
    rest.starts_with(b"-v")
        .then(|| date(2000 + number(&digits[4..])?, number(&digits[..2])?, number(&digits[2..4])?))?
}

/// Exactly eight digits.
fn compact(rest: &[u8]) -> Option<NaiveDate> {
    let eight = rest.get(..8).filter(|_| !rest.get(8).is_some_and(u8::is_ascii_digit))?;
    let at = |from: usize, to: usize| number(&eight[from..to]);
    let year_first = || date(at(0, 4)?, at(4, 6)?, at(6, 8)?);
    let month_first = || date(at(4, 8)?, at(0, 2)?, at(2, 4)?);
    year_first().or_else(month_first)
}

/// `YYYY-MM-DD` or `YYYY_MM_DD`.
fn dashed(rest: &[u8]) -> Option<NaiveDate> {
    let ten = rest.get(..10).filter(|t| matches!(t[4], b'-' | b'_') && t[4] == t[7])?;
    let ends = !rest.get(10).is_some_and(u8::is_ascii_digit);
    ends.then(|| date(number(&ten[..4])?, number(&ten[5..7])?, number(&ten[8..10])?)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ymd(y: i32, m: u32, d: u32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(y, m, d)
    }

    #[test]
    fn dates_in_names() {
        for (name, want) in [
            ("01302020.NASDAQ_ITCH50", ymd(2020, 1, 30)),
            ("/data/20190101/01302020.NASDAQ_ITCH50.gz", ymd(2020, 1, 30)),
            ("GOOG_2012-06-21_34200000_57600000_message_10.csv", ymd(2012, 6, 21)),
            ("es_2024_05_08.bin", ymd(2024, 5, 8)),
            ("x20240508.pcap", ymd(2024, 5, 8)),
            ("12202012", ymd(2012, 12, 20)),
            ("S013020-v50.txt", ymd(2020, 1, 30)),
            ("days/S030220-v50-bx.txt.gz", ymd(2020, 3, 2)),
            ("S133020-v50.txt", None),
            ("S013020.txt", None),
            ("XS013020-v50.txt", None),
            ("S0130-v50.txt", None),
            ("S01302020-v50.txt", ymd(2020, 1, 30)),
            ("2012-06-21", ymd(2012, 6, 21)),
            ("locate-13-10k.bin", None),
            ("34200000", None),
            ("120240508", None),
            ("2024-13-01.bin", None),
            ("2024-05-08-2.bin", ymd(2024, 5, 8)),
            ("", None),
            ("20240230", None),
        ] {
            assert_eq!(in_name(name), want, "{name}");
        }
    }

    #[test]
    fn a_date_must_fit() {
        for text in ["1970-01-01", "2020-01-30", "2262-04-10"] {
            assert_eq!(parse(text).map(|date| date.to_string()), Ok(text.to_owned()));
        }
        for text in
            ["1969-12-31", "2262-04-11", "2262-04-12", "2300-01-01", "+12020-01-30", "0020-01-30", "2020-13-01", ""]
        {
            assert_eq!(parse(text), Err(VALID), "{text}");
        }
        let last = flow::midnight(*RANGE.end(), flow::zone_of(flow::Mic(*b"XCME"))).0 + 36 * 3_600 * flow::Ns::SECOND;
        assert!(last < i64::MAX as u64, "the last time of the last day in Chicago");
    }

    #[test]
    fn the_given_date_comes_first() {
        assert_eq!(choose(ymd(2001, 2, 3), &["20200130"]), ymd(2001, 2, 3));
        assert_eq!(choose(None, &["x", "20200130", "20200131"]), ymd(2020, 1, 30));
        assert_eq!(choose(None, &[]), None);
    }
}
