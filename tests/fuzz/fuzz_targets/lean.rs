//! LEAN: any two files, as ticks and as bars; the first `|` parts the trades from the quotes.
#![no_main]

use chrono::NaiveDate;
use feeds::lean::{Resolution, bar_decoder, decoder};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let part = bytes.iter().position(|b| *b == b'|').unwrap_or(bytes.len());
    let (trades, quotes) = bytes.split_at(part);
    let files = [trades, quotes.get(1..).unwrap_or(&[])];
    let days = [NaiveDate::default(); 2];
    tidegate_fuzz::check(|| decoder("FUZZ", &days), &files);
    for resolution in [Resolution::Minute, Resolution::Daily] {
        tidegate_fuzz::check(|| bar_decoder("FUZZ", resolution, &days), &files);
    }
});
