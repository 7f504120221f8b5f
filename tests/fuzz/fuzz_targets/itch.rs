//! ITCH 5.0 as a BinaryFILE: any bytes after the framing was recognised as such.
#![no_main]

use chrono::NaiveDate;
use feeds::itch::ItchDecoder;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    tidegate_fuzz::check(|| ItchDecoder::new(NaiveDate::from_ymd_opt(2020, 1, 30)), &[bytes]);
});
