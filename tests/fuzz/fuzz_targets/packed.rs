//! Packed files: any bytes, and a small day whose bytes are edited, with and without checksums that are right again.
//!
//! The input is a row of edits of four bytes: offset (two bytes), what to do, value. Whatever the bytes, unpacking ends without a
//! panic, and what it gives are inputs that the ingress can take; a file that was edited and not sealed again gives nothing that
//! the day does not have.
#![no_main]

use feeds::packed::{About, Packer, seal, unpack};
use flow::{Event, EventId, Selection, kind_info};
use std::sync::LazyLock;

type Placed = (Event, u64);

/// A day packed in several segments, with what is in it.
static DAY: LazyLock<(Vec<u8>, Vec<Placed>)> = LazyLock::new(|| {
    let mut itch = Vec::new();
    let config = feeds::synthetic::SyntheticConfig { messages: 300, symbols: 4, live_orders: 50, ..Default::default() };
    let mut day = feeds::synthetic::Synthetic::new(&config).expect("a valid configuration");
    std::io::Read::read_to_end(&mut day, &mut itch).expect("no IO");
    let mut decoder = feeds::itch::ItchDecoder::new(None);
    let (inputs, end) = feeds::drive::collect(&mut decoder, &[&itch], itch.len(), 1 << 12);
    end.expect("a whole day");
    let mut packer = Packer::with_segments(Vec::new(), 100).expect("memory");
    inputs.iter().for_each(|(event, record)| packer.push(event, *record).expect("memory"));
    let about = About { instruments: 1 << 16, ..About::default() };
    (packer.finish(about).expect("memory").0, inputs)
});

fn unpacked(bytes: Vec<u8>, watched: Selection) -> (Vec<Placed>, bool) {
    let mut given = Vec::new();
    let end = unpack(bytes, watched, |event, record| given.push((*event, record)));
    for (event, _) in &given {
        assert!(kind_info(event.kind).is_some() && event.id == EventId(0) && event.source == 0, "{event:?}");
    }
    (given, end.is_ok())
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    unpacked(bytes.to_vec(), Selection::default());
    let (day, inputs) = &*DAY;
    let mut edited = day.clone();
    for &[high, low, what, value] in bytes.as_chunks::<4>().0.iter().take(8) {
        let at = usize::from(u16::from_be_bytes([high, low])) % edited.len();
        match what % 3 {
            0 => edited[at] = value,
            1 => edited[at] ^= value,
            _ => edited[at] = edited[at].wrapping_add(value),
        }
    }
    let (given, _) = unpacked(edited.clone(), Selection::default());
    assert!(inputs.starts_with(&given), "what was damaged gave other inputs");
    if let Some(sealed) = seal(&edited) {
        unpacked(sealed.clone(), Selection::default());
        unpacked(sealed, Selection { symbols: Some(["AAAA".to_owned()].into()), shard: None });
    }
});
