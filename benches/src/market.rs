//! The bytes that are measured on, and how they are read.

use flow::{Decoder, Event, Inputs, Window};
pub use tidegate::bench::{Market, Numbering, queue};

/// Decodes everything in the windows and hands each input to `take`, with those that wait behind it, through a queue as large
/// as the ingress's.
///
/// # Panics
/// When the bytes cannot be decoded.
#[inline]
pub fn decode(
    decoder: &mut impl Decoder,
    windows: &mut [Window],
    queue: &mut Inputs,
    take: impl FnMut(&Event, &[Event]),
) {
    tidegate::bench::decode(decoder, windows, queue, take).expect("the bytes are those of the exchange");
}
