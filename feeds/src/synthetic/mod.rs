//! A synthetic exchange that speaks ITCH 5.0.
//!
//! A seed and a few numbers make a whole trading day: hundreds or thousands of symbols, a matching engine with price-time
//! priority, and a small population of agents whose orders it matches. What comes out are the bytes that a real feed
//! would carry, in BinaryFILE framing, up to the end-of-session mark. The same configuration gives the same bytes on
//! every machine: integers and IEEE arithmetic in a fixed order, logarithms from `libm`, one generator of fixed algorithm.
//!
//! The agents (market makers, informed, momentum, noise, patient) and why their flow looks like a market are described in
//! `agents`; when they wake in `clock`; the phases of the day in `session`; the books in `book`. The exchange's
//! books share no code with the engine's, and [`Synthetic::observe`] tells what the best prices are after each message,
//! so that the engine's books can be checked against them.
//!
//! Bound: memory is 32 bytes for each resting order, 16 for each level of the price windows, and about 128 KiB of bytes
//! that wait to be read. Making a message takes constant time but for the search for a next best price (at most 64
//! words). No book is crossed or locked after any message.

mod agents;
mod book;
mod clock;
mod config;
mod dice;
mod exchange;
mod feed;
mod notices;
mod rarities;
mod session;
mod symbol;
mod tape;
mod zipf;

pub use config::{ConfigError, ConfigErrors, SyntheticConfig};
pub use exchange::Truth;
pub use feed::FEED;

use session::Day;
use std::io::{self, Read, Write};

/// Bytes that are made before they are handed out.
const BATCH: usize = 64 << 10;

/// A synthetic day as a stream of bytes.
pub struct Synthetic {
    day: Day,
}

impl Synthetic {
    /// The day of a configuration.
    ///
    /// # Errors
    /// When the configuration cannot be met; all faults at once.
    pub fn new(config: &SyntheticConfig) -> Result<Synthetic, ConfigErrors> {
        config.validate()?;
        Ok(Synthetic { day: Day::new(config) })
    }

    /// Calls `observer` after each message that is made from here on, in order. Messages are made ahead of reading.
    #[must_use]
    pub fn observe(mut self, observer: impl FnMut(Truth) + Send + 'static) -> Synthetic {
        self.day.exchange.observer = Some(Box::new(observer));
        self
    }

    /// Messages that were made so far.
    pub fn messages(&self) -> u64 {
        self.day.exchange.tape.written()
    }

    /// Orders that rest now.
    pub fn live_orders(&self) -> u32 {
        self.day.exchange.books.live()
    }

    /// The symbols in order of locate, from locate 1.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        self.day.exchange.symbols.iter().map(|s| std::str::from_utf8(&s.name).expect("letters").trim_end())
    }

    /// Writes the rest of the day, and tells `progress` now and then how many messages were made; the number of bytes.
    ///
    /// # Errors
    /// When `to` cannot be written.
    pub fn write_to(&mut self, mut to: impl Write, mut progress: impl FnMut(u64)) -> io::Result<u64> {
        let mut bytes = 0;
        loop {
            let batch = self.fill();
            if batch.is_empty() {
                to.flush()?;
                return Ok(bytes);
            }
            to.write_all(batch)?;
            let written = batch.len();
            bytes += written as u64;
            self.day.exchange.tape.consume(written);
            progress(self.messages());
        }
    }

    /// Makes bytes when none wait; none wait at the end of the day only.
    fn fill(&mut self) -> &[u8] {
        if self.day.exchange.tape.waiting().is_empty() {
            while self.day.exchange.tape.waiting().len() < BATCH && self.day.advance() {}
        }
        self.day.exchange.tape.waiting()
    }
}

impl Read for Synthetic {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let batch = self.fill();
        let n = batch.len().min(to.len());
        to[..n].copy_from_slice(&batch[..n]);
        self.day.exchange.tape.consume(n);
        Ok(n)
    }
}
