//! The trading date of a file whose records count from midnight.
//!
//! In order: the date that the user gave, the first date in the file's or a member's name, and what the feed itself
//! knows (a capture's time). Where all are silent the date is 1970-01-01, with a warning.

use chrono::NaiveDate;

/// The date that stands for "not known".
pub const UNKNOWN: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");

/// What to tell the user when no date was found.
pub const UNKNOWN_WARNING: &str = "no trading date is known; times start at 1970-01-01: give --date YYYY-MM-DD";

/// [`UNKNOWN_WARNING`] for a stream of that name.
pub fn unknown_warning(name: &str) -> String {
    format!("{name}: {UNKNOWN_WARNING}")
}

/// The date that was given, else the first date in the names, in their order.
pub fn choose(given: Option<NaiveDate>, names: &[&str]) -> Option<NaiveDate> {
    given.or_else(|| names.iter().find_map(|name| in_name(name)))
}

/// The first date written in `name`: `2012-06-21`, `2012_06_21`, `20120621`, or `01302020` (month first, as Nasdaq names
/// its daily files). Years are 1990 to 2099, so eight digits have one reading. Folders are not looked at.
pub fn in_name(name: &str) -> Option<NaiveDate> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name).as_bytes();
    let starts = (0..name.len()).filter(|&i| name[i].is_ascii_digit() && (i == 0 || !name[i - 1].is_ascii_digit()));
    starts.map(|i| &name[i..]).find_map(|rest| compact(rest).or_else(|| dashed(rest)))
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().all(u8::is_ascii_digit).then(|| digits.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0')))
}

fn date(year: u32, month: u32, day: u32) -> Option<NaiveDate> {
    (1990..2100).contains(&year).then(|| NaiveDate::from_ymd_opt(year as i32, month, day)).flatten()
}

/// Eight digits and no more.
fn compact(rest: &[u8]) -> Option<NaiveDate> {
    let eight = rest.get(..8).filter(|_| !rest.get(8).is_some_and(u8::is_ascii_digit))?;
    let at = |from: usize, to: usize| number(&eight[from..to]);
    let year_first = || date(at(0, 4)?, at(4, 6)?, at(6, 8)?);
    let month_first = || date(at(4, 8)?, at(0, 2)?, at(2, 4)?);
    year_first().or_else(month_first)
}

/// `YYYY-MM-DD`, or with underscores.
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
    fn what_is_given_comes_first() {
        assert_eq!(choose(ymd(2001, 2, 3), &["20200130"]), ymd(2001, 2, 3));
        assert_eq!(choose(None, &["x", "20200130", "20200131"]), ymd(2020, 1, 30));
        assert_eq!(choose(None, &[]), None);
    }
}
