//! Times of a text, in the forms that vendors write.
//!
//! A form is told from the text alone and never guessed: a date alone, the clock of some zone, the same with its offset from UTC,
//! or a number since 1970 whose unit follows from its digits (10 seconds, 13 milliseconds, 16 microseconds, 19 nanoseconds; one
//! less before 2001). Days and months in the order `03/01/2024` have two readings and are none of them. Bars begin and end on
//! whole seconds. Worst case: one pass over the text.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// A time as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    Date(NaiveDate),
    /// What the clocks of a zone show that is not written.
    Clock(NaiveDateTime),
    /// What a clock shows, and by how many seconds it is ahead of UTC.
    Offset(NaiveDateTime, i32),
    /// Seconds since 1970.
    Unix(i64),
}

/// What a form of times is called in messages.
pub(super) const FORMS: [&str; 4] = ["a date", "a time without offset", "a time with its offset", "a Unix time"];

impl Stamp {
    /// The form, as a place in [`FORMS`].
    pub(super) fn form(&self) -> usize {
        match self {
            Stamp::Date(_) => 0,
            Stamp::Clock(_) => 1,
            Stamp::Offset(..) => 2,
            Stamp::Unix(_) => 3,
        }
    }

    /// What it shows in seconds, to compare times of one form.
    pub(super) fn shown_seconds(&self) -> i64 {
        match self {
            Stamp::Date(date) => date.and_time(NaiveTime::MIN).and_utc().timestamp(),
            Stamp::Clock(shown) => shown.and_utc().timestamp(),
            Stamp::Offset(shown, ahead) => shown.and_utc().timestamp() - i64::from(*ahead),
            Stamp::Unix(second) => *second,
        }
    }

    /// Reads a time.
    pub(super) fn of(text: &[u8]) -> Result<Stamp, &'static str> {
        if text.iter().all(u8::is_ascii_digit) && text.len() != 8 {
            return unix(text);
        }
        let text = std::str::from_utf8(text).map_err(|_| NOT_A_TIME)?;
        let (date, rest) = date(text).ok_or(NOT_A_TIME)?;
        let rest = match rest.as_bytes() {
            [] => return Ok(Stamp::Date(date)),
            [b'T' | b't', ..] => &rest[1..],
            [b' ', ..] => rest.trim_start(),
            _ => return Err(NOT_A_TIME),
        };
        let clock_end = rest.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.')).unwrap_or(rest.len());
        let (clock, offset) = rest.split_at(clock_end);
        let time = date.and_time(clock_time(clock)?);
        match offset.trim_start() {
            "" => Ok(Stamp::Clock(time)),
            offset => seconds_ahead(offset).map(|ahead| Stamp::Offset(time, ahead)).ok_or(NOT_A_TIME),
        }
    }
}

const NOT_A_TIME: &str =
    "is not a time, as 2024-03-01 09:30:00, 2024-03-01T09:30:00-05:00, 20240301 09:30 or 1709303400";

/// A whole number of a unit that follows from its digits.
fn unix(text: &[u8]) -> Result<Stamp, &'static str> {
    let unit = match text.len() {
        9 | 10 => 1,
        12 | 13 => 1_000,
        15 | 16 => 1_000_000,
        18 | 19 => 1_000_000_000,
        _ => return Err(NOT_A_TIME),
    };
    let number = text.iter().fold(0_u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    if number.is_multiple_of(unit) { Ok(Stamp::Unix((number / unit) as i64)) } else { Err("is not a whole second") }
}

/// `2024-03-01`, `2024/03/01` or `20240301`, and what follows.
fn date(text: &str) -> Option<(NaiveDate, &str)> {
    let bytes = text.as_bytes();
    let is_parted = bytes.len() >= 10 && matches!(bytes[4], b'-' | b'/') && bytes[7] == bytes[4];
    let (places, len) = if is_parted { ([0..4, 5..7, 8..10], 10) } else { ([0..4, 4..6, 6..8], 8) };
    let rest = text.get(len..)?;
    let [year, month, day] = places.map(|place| number(text.get(place)?));
    NaiveDate::from_ymd_opt(year? as i32, month?, day?).map(|date| (date, rest))
}

fn number(digits: &str) -> Option<u32> {
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// `09:30`, `09:30:00` or `09:30:00.000`.
fn clock_time(text: &str) -> Result<NaiveTime, &'static str> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let two = |digits: &str| if (1..=2).contains(&digits.len()) { number(digits) } else { None };
    let time = match clock.split(':').collect::<Vec<_>>()[..] {
        [hour, minute] if fraction == "0" => two(hour).zip(two(minute)).map(|(hour, minute)| (hour, minute, 0)),
        [hour, minute, second] => two(hour).zip(two(minute)).zip(two(second)).map(|((h, m), s)| (h, m, s)),
        _ => None,
    };
    let time = time.and_then(|(hour, minute, second)| NaiveTime::from_hms_opt(hour, minute, second));
    let is_whole = fraction.bytes().all(|b| b == b'0');
    time.ok_or(NOT_A_TIME).and_then(|time| if is_whole { Ok(time) } else { Err("is not a whole second") })
}

/// `Z`, `+00:00`, `-0500`, `+01`.
fn seconds_ahead(text: &str) -> Option<i32> {
    let digits = match text.as_bytes() {
        b"Z" | b"z" | b"UTC" | b"GMT" => return Some(0),
        [b'+' | b'-', ..] => &text[1..],
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (digits, "00"),
        4 => digits.split_at_checked(2)?,
        5 => digits.split_once(':').filter(|(hours, _)| hours.len() == 2)?,
        _ => return None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let seconds = (hours < 24 && minutes < 60).then_some((hours * 3_600 + minutes * 60) as i32)?;
    Some(if text.starts_with('-') { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stamp(text: &str) -> Result<Stamp, &'static str> {
        Stamp::of(text.as_bytes())
    }

    #[test]
    fn the_forms_of_vendors() {
        let day = NaiveDate::from_ymd_opt(2024, 3, 1).unwrap();
        let time = day.and_hms_opt(9, 30, 0).unwrap();
        for text in ["2024-03-01", "2024/03/01", "20240301"] {
            assert_eq!(stamp(text), Ok(Stamp::Date(day)), "{text}");
        }
        for text in [
            "2024-03-01 09:30:00",
            "2024-03-01T09:30",
            "20240301 09:30",
            "20240301  09:30:00",
            "2024-03-01 9:30:00.000",
        ] {
            assert_eq!(stamp(text), Ok(Stamp::Clock(time)), "{text}");
        }
        for text in ["2024-03-01 09:30:00-05:00", "2024-03-01T09:30:00-0500", "20240301 09:30 -05"] {
            assert_eq!(stamp(text), Ok(Stamp::Offset(time, -18_000)), "{text}");
        }
        for text in ["2024-03-01T09:30:00Z", "2024-03-01 09:30:00.000000+00:00"] {
            assert_eq!(stamp(text), Ok(Stamp::Offset(time, 0)), "{text}");
        }
        for text in ["1709303400", "1709303400000", "1709303400000000", "1709303400000000000"] {
            assert_eq!(stamp(text), Ok(Stamp::Unix(1_709_303_400)), "{text}");
        }
        assert_eq!(stamp("915148800"), Ok(Stamp::Unix(915_148_800)));
    }

    #[test]
    fn what_has_two_readings_is_no_time() {
        for text in [
            "",
            "03/01/2024",
            "2024-03-01x",
            "2024-13-01",
            "24-03-01",
            "09:30",
            "2024-03-01 09",
            "2024-03-01 25:00",
            "2024-03-01 09:30:00 EST",
            "17093034",
            "17093034000",
            "2024-03/01",
            "2024-03-01 09:30:00+5",
            "+1709303400",
        ] {
            assert!(stamp(text).is_err(), "{text}");
        }
        assert_eq!(stamp("1709303400001"), Err("is not a whole second"));
        assert_eq!(stamp("2024-03-01 15:59:59.999"), Err("is not a whole second"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in prop::collection::vec(prop::sample::select(&b"0123456789-/:.TZ+ \xc3"[..]), 0..30)) {
            let _ = Stamp::of(&text);
        }
    }
}
