//! The trading day: its phases, and how many messages each may write.
//!
//! Start of day (directory, trading state, Reg SHO, market makers' positions, circuit-breaker levels) → pre-market,
//! where the books fill up → opening crosses → market hours → closing crosses → after hours → end of messages. The file
//! has exactly the configured number of messages: each phase ends at a message number, the last agents of a phase write
//! one message each, and after hours absorb what the crosses leave over.
//!
//! The busiest symbols have crosses, as many as [`CROSS_SHARE`] allows, so that short files keep a realistic mix.
//! Bound: one [`Day::advance`] writes at most [`MAX_BURST`] messages.

use super::agents::{MAX_BURST, Mood};
use super::clock::{AFTER_HOURS, MARKET, PRE_MARKET, SECOND, at};
use super::config::{CLOSING_MESSAGES, SyntheticConfig, opening_messages};
use super::exchange::Exchange;
use super::rare_events::RareEvents;

/// One symbol has crosses for every so many messages between the first message and the last.
const CROSS_SHARE: u64 = 50;
/// The most messages of one cross: imbalance, executions, cross trade.
const MAX_CROSS: u64 = 5;
/// The most messages needed to resume symbols that are still paused at the close.
const MAX_RESUMED: u64 = 2;
/// Average number of messages per wake.
const PER_WAKE: f64 = 1.05;

#[derive(Clone, Copy)]
enum Phase {
    Directory(usize),
    PreMarket,
    Opening(usize),
    Market,
    Closing(usize),
    AfterHours,
    Over,
}

/// A trading day in progress.
pub(super) struct Day {
    pub(super) exchange: Exchange,
    rare_events: RareEvents,
    phase: Phase,
    crosses: usize,
    pre_market_end: u64,
    market_end: u64,
    messages: u64,
}

impl Day {
    pub(super) fn new(config: &SyntheticConfig) -> Day {
        let opening = opening_messages(config.symbols);
        let body = config.messages - opening - CLOSING_MESSAGES;
        let crosses = u64::from(config.symbols).min(body / CROSS_SHARE);
        let ramp = (body / 16 + u64::from(config.live_orders) * 27 / 20).min(body * 2 / 5);
        let pre_market_end = opening + ramp;
        let after = MAX_RESUMED + MAX_CROSS * crosses + body / 100;
        let market_end = config.messages - (CLOSING_MESSAGES - 1) - after;
        Day {
            exchange: Exchange::new(config),
            rare_events: RareEvents::new(market_end.saturating_sub(pre_market_end)),
            phase: Phase::Directory(0),
            crosses: crosses as usize,
            pre_market_end,
            market_end,
            messages: config.messages,
        }
    }

    /// Advances the day by one step; false once it is over.
    pub(super) fn advance(&mut self) -> bool {
        let phase = self.phase;
        self.phase = match phase {
            Phase::Directory(index) => self.start_of_day(index),
            Phase::PreMarket if self.trade_until(self.pre_market_end, Mood::Quiet) => Phase::PreMarket,
            Phase::PreMarket => {
                self.exchange.clock.reach(at(9, 30));
                self.exchange.system_event(b'Q');
                Phase::Opening(0)
            }
            Phase::Opening(rank) if rank < self.crosses => {
                self.exchange.auction(rank, b'O');
                Phase::Opening(rank + 1)
            }
            Phase::Opening(_) => {
                self.exchange.clock.enter(MARKET);
                self.rare_events.start(self.exchange.tape.written());
                Phase::Market
            }
            Phase::Market => self.market(),
            Phase::Closing(rank) if rank < self.crosses => {
                self.exchange.auction(rank, b'C');
                Phase::Closing(rank + 1)
            }
            Phase::Closing(_) => {
                self.exchange.clock.enter(AFTER_HOURS);
                Phase::AfterHours
            }
            Phase::AfterHours if self.trade_until(self.messages - 2, Mood::Quiet) => Phase::AfterHours,
            Phase::AfterHours => self.end_of_day(),
            Phase::Over => return false,
        };
        true
    }

    /// Wakes an agent, unless `limit` messages have been written.
    fn trade_until(&mut self, limit: u64, mood: Mood) -> bool {
        let exchange = &mut self.exchange;
        let left = limit.saturating_sub(exchange.tape.written());
        if left == 0 {
            return false;
        }
        exchange.clock.advance(&mut exchange.dice, left as f64 / PER_WAKE);
        exchange.tape.set_time(exchange.clock.now());
        if left > MAX_BURST {
            exchange.wake(mood);
        } else {
            exchange.wake_for_one();
        }
        true
    }

    fn market(&mut self) -> Phase {
        if self.exchange.tape.written() + MAX_BURST < self.market_end {
            self.rare_events.turn(&mut self.exchange);
        }
        if self.trade_until(self.market_end, Mood::Open) {
            return Phase::Market;
        }
        self.exchange.clock.reach(at(16, 0));
        self.rare_events.resume_all(&mut self.exchange);
        self.exchange.system_event(b'M');
        Phase::Closing(0)
    }

    /// The start of the day, one symbol at a time.
    fn start_of_day(&mut self, index: usize) -> Phase {
        let exchange = &mut self.exchange;
        if index == 0 {
            exchange.system_event(b'O');
            exchange.clock.reach(at(3, 5));
        }
        if index < exchange.symbols.len() {
            exchange.clock.reach(at(3, 5) + index as u64 * SECOND / 10);
            exchange.list_symbol(index);
            return Phase::Directory(index + 1);
        }
        exchange.breaker_levels();
        exchange.clock.enter(PRE_MARKET);
        exchange.system_event(b'S');
        Phase::PreMarket
    }

    fn end_of_day(&mut self) -> Phase {
        self.exchange.clock.reach(at(20, 0));
        self.exchange.system_event(b'E');
        self.exchange.clock.reach(at(20, 5));
        self.exchange.system_event(b'C');
        self.exchange.tape.end();
        Phase::Over
    }
}
