//! The messages to send: a day of the synthetic exchange, each message stamped with its intended time.
//!
//! The exchange time of a message is its intended arrival time, so it travels with the message through the decoder and every
//! stage without a separate table. The messages before the measured part (the directory, the hours in which the books fill,
//! some minutes of trading) warm up the pipeline; they are stamped before the first intended time and sent as fast as the
//! pipeline takes them. Bound: about 34 bytes per message, in memory.

use super::schedule::Schedule;
use crate::bench::frames;
use feeds::synthetic::{ConfigErrors, Synthetic, SyntheticConfig};
use flow::{Ns, midnight};
use std::io::Read;

/// Offset of the time in a framed message: 48 bits after length, type, locate and tracking number.
const STAMP: usize = 2 + 5;
/// The first intended time, in nanoseconds since midnight, in an hour in which no session opens or closes.
const FIRST: u64 = 10 * 3_600 * Ns::SECOND;
/// Gap between the end of the warm-up and the first intended time.
const SETTLED: u64 = 200_000_000;

/// Parameters of the exchange.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// Seed.
    pub seed: u64,
    /// Number of symbols.
    pub symbols: u32,
    /// Approximate number of resting orders.
    pub live_orders: u32,
    /// Warm-up messages in market hours, in addition to those before the open.
    pub warm: u64,
}

/// The messages, both warm-up and measured.
pub struct Day {
    bytes: Vec<u8>,
    warm: u64,
    timed: u64,
    date: chrono::NaiveDate,
}

impl Day {
    /// A day with `timed` measured messages. `progress` receives the number made so far.
    ///
    /// # Errors
    /// When the exchange cannot make such a day.
    pub fn new(exchange: Exchange, timed: u64, mut progress: impl FnMut(u64)) -> Result<Day, ConfigErrors> {
        let Exchange { seed, symbols, live_orders, warm } = exchange;
        let filling = u64::from(live_orders) * 27 / 20 + u64::from(symbols) * 20;
        // The hours before the market opens are a sixteenth of the day, those after it closes a hundredth.
        let messages = (timed + warm + filling) * 9 / 8 + SyntheticConfig::min_messages(symbols);
        let config = SyntheticConfig { seed, messages, symbols, live_orders, ..SyntheticConfig::default() };
        let warm = warm + filling + messages / 16 + SyntheticConfig::min_messages(symbols);
        let wanted = warm + timed;
        let mut made = Synthetic::new(&config)?;
        let mut bytes = Vec::with_capacity(wanted as usize * 36);
        let mut block = vec![0; 1 << 20];
        while made.messages() < wanted {
            let n = made.read(&mut block).expect("it reads from memory");
            bytes.extend_from_slice(&block[..n]);
            progress(made.messages().min(wanted));
            if n == 0 {
                break;
            }
        }
        // Messages are made ahead of reading, so the last block may be incomplete.
        while frames(&bytes).count() < wanted as usize {
            let n = made.read(&mut block).expect("it reads from memory");
            assert!(n > 0, "the day has more messages than are needed");
            bytes.extend_from_slice(&block[..n]);
        }
        let len = frames(&bytes).take(wanted as usize).map(<[u8]>::len).sum();
        bytes.truncate(len);
        Ok(Day { bytes, warm, timed, date: config.date })
    }

    /// Stamps every message: warm-up messages a microsecond apart before the first intended time, the others with their
    /// intended times. Messages past the end of the schedule keep their time and are not sent.
    ///
    /// # Panics
    /// When the schedule has more messages than the day.
    pub fn stamp(&mut self, schedule: &Schedule) {
        assert!(schedule.messages() <= self.timed, "the day has as many messages as the schedule");
        let warm = (0..self.warm).map(|n| FIRST - SETTLED - (self.warm - n) * 1_000);
        let times = warm.chain(schedule.times().map(|ns| FIRST + ns));
        let mut at = 0;
        for time in times {
            let len = 2 + usize::from(u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]]));
            self.bytes[at + STAMP..at + STAMP + 6].copy_from_slice(&time.to_be_bytes()[2..]);
            at += len;
        }
    }

    /// All messages as framed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of warm-up messages.
    pub fn warm(&self) -> u64 {
        self.warm
    }

    /// The trading date.
    pub fn date(&self) -> chrono::NaiveDate {
        self.date
    }

    /// The exchange time of the first intended time.
    pub fn first(&self) -> Ns {
        Ns(midnight(self.date, chrono_tz::America::New_York).0 + FIRST)
    }
}

/// The intended time of a framed message, from the first one, and its length; `None` for a warm-up message.
#[inline]
pub(super) fn intended(frame: &[u8]) -> (Option<u64>, usize) {
    let len = 2 + usize::from(u16::from_be_bytes([frame[0], frame[1]]));
    let mut stamp = [0; 8];
    stamp[2..].copy_from_slice(&frame[STAMP..STAMP + 6]);
    (u64::from_be_bytes(stamp).checked_sub(FIRST), len)
}
