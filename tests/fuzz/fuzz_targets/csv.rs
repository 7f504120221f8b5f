//! CSV: any two files; the first `|` parts them.
#![no_main]

use feeds::csv::{FEED, decoder};
use flow::Params;

/// What the files need not tell.
const SET: [(&str, &str); 4] =
    [("zone", "America/New_York"), ("stamp", "end"), ("interval", "1m"), ("calendar", "XNYS")];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let part = bytes.iter().position(|b| *b == b'|').unwrap_or(bytes.len());
    let (one, other) = bytes.split_at(part);
    let mut params = Params::defaults(FEED.params);
    for (name, value) in SET {
        let param = FEED.params.iter().find(|param| param.name == name).expect("a parameter");
        params.set(param, param.parse(name, value).expect("a value"));
    }
    tidegate_fuzz::check(
        || decoder(&["A.csv", "B.csv"], &params).expect("the settings are valid"),
        &[one, other.get(1..).unwrap_or(&[])],
    );
});
