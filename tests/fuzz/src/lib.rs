//! What every fuzz target asserts of a decoder, whatever the bytes.
//!
//! It ends, without a panic; what it gives depends neither on how the bytes are cut nor on how full the queue is; every
//! input is one that the ingress can take. The cuts follow from a hash of the bytes, so a finding repeats from its bytes
//! alone and real files serve as seeds as they are.

#![forbid(unsafe_code)]

use feeds::drive::{Driven, collect};
use flow::{Decoder, EventId, Inputs, kind_info};
use std::hash::Hasher;

/// Decodes `streams` whole and in two cuts with the decoder that `make` makes, and compares.
pub fn check<D: Decoder>(make: impl Fn() -> D, streams: &[&[u8]]) {
    let longest = streams.iter().map(|s| s.len()).max().unwrap_or(0);
    let mut hasher = std::hash::DefaultHasher::new();
    streams.iter().for_each(|s| hasher.write(s));
    let dice = hasher.finish() as usize;
    let whole = decode(make(), streams, longest, 1 << 16);
    for (cut, room) in [(1 + dice % 7, 0), (1 + (dice >> 16) % 400, 2 * Inputs::MARGIN + (dice >> 32) % 64)] {
        let pieces = decode(make(), streams, cut, room);
        assert!(
            whole == pieces,
            "in pieces of {cut} bytes with room for {room} inputs:\n{pieces:?}\nwhole:\n{whole:?}"
        );
    }
}

fn decode(mut decoder: impl Decoder, streams: &[&[u8]], cut: usize, room: usize) -> Driven {
    let (inputs, end) = collect(&mut decoder, streams, cut, room);
    let mut last = 0;
    for (event, record) in &inputs {
        // An error about an unreadable record carries the number that the record would have had.
        assert!(last <= *record && *record <= decoder.records() + 1, "{record} after {last} of {}", decoder.records());
        assert!(event.instrument < decoder.instruments().max(1), "instrument {} is out of range", event.instrument);
        assert!(kind_info(event.kind).is_some() && event.id == EventId(0), "no input of a source: {event:?}");
        last = *record;
    }
    (inputs, end)
}
