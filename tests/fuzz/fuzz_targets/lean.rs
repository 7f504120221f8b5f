//! LEAN: any two files; the first `|` parts the trades from the quotes.
#![no_main]

use chrono::NaiveDate;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let part = bytes.iter().position(|b| *b == b'|').unwrap_or(bytes.len());
    let (trades, quotes) = bytes.split_at(part);
    tidegate_fuzz::check(
        || feeds::lean::decoder("FUZZ", &[NaiveDate::default(); 2]),
        &[trades, quotes.get(1..).unwrap_or(&[])],
    );
});
