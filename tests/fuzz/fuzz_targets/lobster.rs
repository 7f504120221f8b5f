//! LOBSTER: any two files; the first `|` parts the messages from the book.
#![no_main]

use chrono::NaiveDate;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let part = bytes.iter().position(|b| *b == b'|').unwrap_or(bytes.len());
    let (messages, book) = bytes.split_at(part);
    tidegate_fuzz::check(
        || feeds::lobster::decoder("FUZZ", &[NaiveDate::default(); 2]),
        &[messages, book.get(1..).unwrap_or(&[])],
    );
});
