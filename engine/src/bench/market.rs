//! Synthetic input: a day of the synthetic exchange, in memory.
//!
//! BinaryFILE framing without the end-of-session mark, which some other decoders take for damage. The seed is fixed, so every
//! run on every machine reads the same bytes. Bound: about 32 bytes per message.

use feeds::synthetic::{Synthetic, SyntheticConfig};
use flow::{Decoder, Event, EventId, FeedError, Inputs, Step, Window};
use std::io::Read;

/// The messages of a day, as framed bytes.
pub struct Market {
    /// The frames, one after the other.
    pub bytes: Vec<u8>,
    /// Number of messages.
    pub messages: u64,
}

impl Market {
    /// A day of `messages` messages on `symbols` symbols, with about `live_orders` resting orders.
    ///
    /// # Panics
    /// When the exchange cannot make such a day.
    pub fn new(messages: u64, symbols: u32, live_orders: u32) -> Market {
        let config = SyntheticConfig { messages, symbols, live_orders, ..SyntheticConfig::default() };
        let mut bytes = Vec::with_capacity(messages as usize * 34);
        let mut day = Synthetic::new(&config).expect("the day can be made");
        day.write_to(&mut bytes, |_| ()).expect("memory can be written");
        Market::of(frames(&bytes))
    }

    /// The first `first` messages of such a day.
    ///
    /// # Panics
    /// When the exchange cannot make it.
    pub fn beginning(messages: u64, symbols: u32, live_orders: u32, first: u64) -> Market {
        let config = SyntheticConfig { messages, symbols, live_orders, ..SyntheticConfig::default() };
        let (mut bytes, day) = (Vec::new(), Synthetic::new(&config).expect("the day can be made"));
        day.take(first * 50).read_to_end(&mut bytes).expect("memory can be written");
        Market::of(frames(&bytes).take(first as usize))
    }

    /// The same day without messages of the types `without`.
    pub fn without(&self, without: &[u8]) -> Market {
        Market::of(frames(&self.bytes).filter(|frame| !without.contains(&frame[2])))
    }

    /// The first `messages` messages, and the rest.
    pub fn split(&self, messages: u64) -> (Market, Market) {
        let at = messages as usize;
        (Market::of(frames(&self.bytes).take(at)), Market::of(frames(&self.bytes).skip(at)))
    }

    /// A window on all bytes, marked as the last.
    pub fn window(&self) -> [Window; 1] {
        [Window::whole(&self.bytes)]
    }

    fn of<'a>(frames: impl Iterator<Item = &'a [u8]>) -> Market {
        let mut market = Market { bytes: Vec::new(), messages: 0 };
        for frame in frames {
            market.bytes.extend_from_slice(frame);
            market.messages += 1;
        }
        market
    }
}

/// The messages of a BinaryFILE, each with its length, up to the end of the session.
pub fn frames(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let len = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        let (frame, next) = (len > 0).then(|| rest.split_at_checked(2 + len))??;
        rest = next;
        Some(frame)
    })
}

/// Decodes everything in the windows and passes each input to `take`, with those queued after it, through a queue as large
/// as that of the ingress.
///
/// # Errors
/// When the bytes cannot be decoded.
#[inline]
pub fn decode(
    decoder: &mut (impl Decoder + ?Sized),
    windows: &mut [Window],
    queue: &mut Inputs,
    mut take: impl FnMut(&Event, &[Event]),
) -> Result<(), FeedError> {
    loop {
        let step = decoder.decode(windows, queue)?;
        while let Some((event, lookahead)) = queue.waiting().split_first() {
            take(event, lookahead);
            queue.pop();
        }
        if step != Step::Full {
            return Ok(());
        }
    }
}

/// A queue as large as that of the ingress.
pub fn queue() -> Inputs {
    Inputs::with_capacity(256)
}

/// Numbers events as the ingress does, for stages called without one.
#[derive(Default)]
pub struct Numbering(u64);

impl Numbering {
    /// The event, with the next number.
    #[inline]
    pub fn next(&mut self, event: &Event) -> Event {
        self.0 += 1;
        Event { id: EventId::new(self.0, 0, 0), ..*event }
    }
}
