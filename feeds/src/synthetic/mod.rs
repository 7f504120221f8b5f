//! A synthetic exchange that publishes ITCH 5.0.
//!
//! A seed and a few settings define a whole trading day: up to thousands of symbols, a matching engine with price-time
//! priority, and a population of agents whose orders it matches. The output is the bytes of a real feed, in BinaryFILE
//! framing, including the end-of-session mark. The same configuration produces the same bytes on every machine: integer
//! and IEEE arithmetic in a fixed order, logarithms from `libm`, one generator with a fixed algorithm.
//!
//! `agents` describes the agents (market makers, informed, momentum, noise and patient traders) and why their flow
//! resembles a market; `clock` decides when they wake, `session` defines the phases of the day, `book` holds the books.
//! These books share no code with the engine's, and [`Synthetic::observe`] reports the best prices after each message,
//! so that the engine's books can be checked against them.
//!
//! Bound: 32 bytes per resting order, 16 per level of the price windows, and about 128 KiB of unread bytes. Producing a
//! message takes constant time except for the search for the next best price (at most 64 words). No book is crossed or
//! locked after any message.

mod agents;
mod book;
mod clock;
mod config;
mod dice;
mod exchange;
mod feed;
mod notices;
mod rare_events;
mod session;
mod symbol;
mod tape;
mod zipf;

pub use config::{ConfigError, ConfigErrors, SyntheticConfig};
pub use exchange::TopOfBook;
pub use feed::FEED;

use session::Day;
use std::io::{self, Read, Write};

/// Bytes produced per batch.
const BATCH: usize = 64 << 10;

/// A synthetic day as a stream of bytes.
pub struct Synthetic {
    day: Day,
}

impl Synthetic {
    /// Starts the day of a configuration.
    ///
    /// # Errors
    /// When the configuration is impossible; reports all faults at once.
    pub fn new(config: &SyntheticConfig) -> Result<Synthetic, ConfigErrors> {
        config.validate()?;
        Ok(Synthetic { day: Day::new(config) })
    }

    /// Calls `observer` after each message produced from here on, in order. Messages are produced ahead of reading.
    #[must_use]
    pub fn observe(mut self, observer: impl FnMut(TopOfBook) + Send + 'static) -> Synthetic {
        self.day.exchange.observer = Some(Box::new(observer));
        self
    }

    /// Messages produced so far.
    pub fn messages(&self) -> u64 {
        self.day.exchange.tape.written()
    }

    /// Orders resting now.
    pub fn live_orders(&self) -> u32 {
        self.day.exchange.books.live()
    }

    /// The symbols in order of their locates, from locate 1.
    pub fn symbols(&self) -> impl Iterator<Item = &str> {
        self.day.exchange.symbols.iter().map(|s| std::str::from_utf8(&s.name).expect("letters").trim_end())
    }

    /// Writes the rest of the day, reports the number of messages to `progress` after each batch, and returns the
    /// number of bytes.
    ///
    /// # Errors
    /// When writing to `to` fails.
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

    /// Produces a batch if no bytes are waiting; the result is empty only at the end of the day.
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
