//! Databento DBN, unpacked: any bytes behind the three that name the encoding.
#![no_main]

use feeds::dbn::Dbn;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    tidegate_fuzz::check(Dbn::new, &[bytes]);
});
