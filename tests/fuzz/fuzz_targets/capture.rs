//! Captures, pcap and pcapng: any bytes behind the first four, which say that it is one.
#![no_main]

use feeds::itch::ItchDecoder;

/// The first bytes of pcap (both resolutions, both byte orders) and of pcapng.
const MAGIC: [[u8; 4]; 5] = [
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x0a, 0x0d, 0x0d, 0x0a],
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if MAGIC.iter().any(|magic| bytes.starts_with(magic)) {
        tidegate_fuzz::check(|| ItchDecoder::new(None), &[bytes]);
    }
});
