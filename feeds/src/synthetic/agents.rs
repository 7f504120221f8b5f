//! The agents: who wakes, and what they do.
//!
//! Each arrival wakes one agent of one symbol. There are five kinds.
//!
//! - **Market makers** keep up to three layers of quotes on each side of their estimate of the value. They requote when
//!   the estimate has moved (replace, or delete and add), take opposite quotes that are mispriced beyond their spread,
//!   and move the estimate with every execution, which is the price impact of flow.
//! - **Informed traders** know the fair value that news has moved, and trade towards it while it lies beyond the touch.
//! - **Momentum traders** follow the recent signed flow when it is strong.
//! - **Noise traders** work off large orders in pieces: several trades in a row in the same direction.
//! - **Patient traders** place limit orders behind, at or inside the touch, mostly near and some far, and delete them,
//!   preferably recent ones. They keep the number of resting orders at its target.
//!
//! Executions cluster because of sweeps, programmes, momentum and the bursts of the clock; returns have fat tails
//! because news has. One wake writes at most [`MAX_BURST`] messages.

use super::book::{Owner, Side};
use super::exchange::{Exchange, MAX_FILLS, MAX_PURGED, PER_TICK};
use super::symbol::{Handle, NEWS, RECENT};
use crate::itch::wire;

/// The most messages of one wake: a taker's trades, or a requote in two messages, and the orders deleted to make room.
pub(super) const MAX_BURST: u64 = MAX_FILLS as u64 + 2 * MAX_PURGED as u64 + 4;

/// Probabilities of what a wake does, in 1/65,536.
const TAKER: u32 = 2_600;
const HIDDEN: u32 = 300;
const MAKER: u32 = 16_000;
const TRIM: u32 = 1_500;
/// Probability, in 1/65,536, that the symbol that woke last wakes again.
const AGAIN: u32 = 20_000;
/// The trend at which momentum traders act.
const STRONG: f64 = 0.7;
/// Probability, in 1/65,536, that the taker is an informed trader while the fair value lies beyond the touch.
const INFORMED: u32 = 14_000;
/// The share of the gap to the fair value that makers learn from elsewhere at each look.
const LEAK: f64 = 0.08;
/// How far a traded round lot moves the makers' estimate, in half spreads.
const IMPACT: f64 = 0.2;

/// How active the market is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// Before the open and after the close: fewer trades.
    Quiet,
    /// Market hours.
    Open,
}

impl Exchange {
    /// Wakes one agent, which writes at most [`MAX_BURST`] messages, or none.
    pub(super) fn wake(&mut self, mood: Mood) {
        if !self.dice.chance(AGAIN) {
            self.last = usize::from(self.by_rank[self.zipf.draw(&mut self.dice)]);
        }
        let symbol = self.last;
        if self.dice.chance((NEWS * 65_536.0) as u32) {
            self.symbols[symbol].news(&mut self.dice);
        }
        let quiet = if mood == Mood::Quiet { 4 } else { 1 };
        let lot = self.dice.below(65_536);
        let paused = self.symbols[symbol].paused;
        if lot < TAKER / quiet && !paused {
            self.trade(symbol);
        } else if lot < (TAKER + HIDDEN) / quiet && !paused {
            self.hidden(symbol);
        } else if lot < TAKER + HIDDEN + MAKER {
            if !self.make_market(symbol) {
                self.patient(symbol);
            }
        } else if lot > 65_536 - TRIM {
            self.trim();
        } else {
            self.patient(symbol);
        }
    }

    /// Wakes a patient trader that writes exactly one message.
    pub(super) fn wake_for_one(&mut self) {
        let before = self.tape.written();
        if self.dice.chance(32_768) {
            self.withdraw(self.last);
        }
        while self.tape.written() == before {
            self.last = usize::from(self.by_rank[self.zipf.draw(&mut self.dice)]);
            let side = self.any_side();
            let at = self.books.best(self.last, side).unwrap_or_else(|| self.symbols[self.last].middle());
            let quantity = self.size(self.last);
            self.rest(self.last, side, at, quantity, Owner::Patient);
        }
    }

    pub(super) fn any_side(&mut self) -> Side {
        if self.dice.chance(32_768) { Side::Bid } else { Side::Ask }
    }

    /// The size of an order in shares: mostly a few round lots, one in five an odd lot.
    pub(super) fn size(&mut self, symbol: usize) -> u32 {
        let lot = self.symbols[symbol].round_lot;
        let lots = 1 + self.dice.streak(26_000, 40);
        if self.dice.chance(13_107) { 1 + self.dice.below(lot * lots) } else { lot * lots }
    }

    /// A trader takes liquidity.
    fn trade(&mut self, symbol: usize) {
        let (Some(bid), Some(ask)) = (self.books.best(symbol, Side::Bid), self.books.best(symbol, Side::Ask)) else {
            return self.patient(symbol);
        };
        let (fair, trend) = (self.symbols[symbol].fair, self.symbols[symbol].trend);
        let known = fair > f64::from(ask) || fair < f64::from(bid);
        if known && self.dice.chance(INFORMED) {
            let buys = fair > f64::from(ask);
            let quantity = 2 * self.size(symbol);
            self.cross(symbol, buys, fair as u32, quantity);
        } else if trend.abs() > STRONG && self.dice.chance(10_000) {
            let quantity = self.size(symbol);
            self.cross(symbol, trend > 0.0, if trend > 0.0 { ask } else { bid }, quantity);
        } else {
            let buys = self.program(symbol);
            let slip = self.dice.streak(16_000, 3);
            let quantity = self.size(symbol);
            self.cross(symbol, buys, if buys { ask + slip } else { bid.saturating_sub(slip) }, quantity);
        }
    }

    /// The direction of the large order in progress; starts a new one when the last is done.
    fn program(&mut self, symbol: usize) -> bool {
        let (buys, left) = self.symbols[symbol].program;
        let next = match left {
            0 => (self.dice.chance(32_768), self.dice.streak(44_000, 60)),
            _ => (buys, left - 1),
        };
        self.symbols[symbol].program = next;
        next.0
    }

    /// An incoming order that may trade: takes what its limit allows, and may rest the remainder.
    fn cross(&mut self, symbol: usize, buys: bool, limit: u32, quantity: u32) {
        let (own, other) = if buys { (Side::Bid, Side::Ask) } else { (Side::Ask, Side::Bid) };
        let (left, free) = self.take(symbol, other, limit, quantity);
        self.update_estimate(symbol, buys, quantity - left);
        if left > 0 && free && self.dice.chance(16_384) {
            self.rest(symbol, own, limit, left, Owner::Patient);
        }
    }

    /// Moves the market makers' estimate and the trend after a trade.
    fn update_estimate(&mut self, symbol: usize, buys: bool, traded: u32) {
        if traded == 0 {
            return;
        }
        let s = &mut self.symbols[symbol];
        let sign = if buys { 1.0 } else { -1.0 };
        let lots = (f64::from(traded) / f64::from(s.round_lot)).min(8.0);
        s.estimate = (s.estimate + sign * s.half_spread * IMPACT * lots).clamp(100.0, 500_000.0);
        s.trend = 0.85 * s.trend + 0.15 * sign;
    }

    /// A trade against undisplayed interest at the mid price. It leaves the book unchanged.
    fn hidden(&mut self, symbol: usize) {
        let (Some(bid), Some(ask)) = (self.books.best(symbol, Side::Bid), self.books.best(symbol, Side::Ask)) else {
            return self.patient(symbol);
        };
        let (price, shares) = ((bid + ask) * PER_TICK / 2, self.size(symbol));
        let (head, stock, match_number) = (self.head(symbol), self.symbols[symbol].name, self.next_match(symbol));
        self.emit(head, &wire::Trade { head, order_ref: 0, side: b'B', shares, stock, price, match_number });
    }

    /// A market maker checks one of its quotes; false if the quote is still good.
    fn make_market(&mut self, symbol: usize) -> bool {
        let side = self.any_side();
        let layer = self.dice.below(self.layers);
        let s = &mut self.symbols[symbol];
        s.estimate += LEAK * (s.fair - s.estimate);
        let handle = s.quotes[side as usize][layer as usize];
        let away = s.half_spread * f64::from(1 + layer);
        let (paused, estimate) = (s.paused, s.estimate);
        let tick = match side {
            Side::Bid => libm::floor(estimate - away).max(1.0) as u32,
            Side::Ask => libm::ceil(estimate + away) as u32,
        };
        let tolerance = (away * 0.4) as u32;
        let placed = match self.resting(handle) {
            Some(place) => {
                let Some(order) = self.books.order(place) else { return false };
                if order.tick().abs_diff(tick) <= tolerance {
                    return false;
                }
                self.requote(symbol, place, tick)
            }
            None if self.pick_off(symbol, side, tick, paused) => return true,
            None => {
                let quantity = self.size(symbol);
                self.rest(symbol, side, tick, quantity, Owner::Maker)
            }
        };
        self.symbols[symbol].quotes[side as usize][layer as usize] = placed.unwrap_or(Handle::NONE);
        true
    }

    /// Takes an opposite quote that is on the wrong side of the maker's own price.
    fn pick_off(&mut self, symbol: usize, side: Side, tick: u32, paused: bool) -> bool {
        let wrong = |best: u32| side.mirror(best) <= side.mirror(tick);
        if paused || !self.books.best(symbol, side.opposite()).is_some_and(wrong) || !self.dice.chance(20_000) {
            return false;
        }
        let quantity = self.size(symbol);
        self.cross(symbol, side == Side::Bid, tick, quantity);
        true
    }

    /// Moves a quote: by a replace, or by a delete and a new order.
    fn requote(&mut self, symbol: usize, place: u32, tick: u32) -> Option<Handle> {
        let quantity = self.size(symbol);
        if self.dice.chance(22_000) {
            return self.replace(place, tick, quantity);
        }
        let side = self.books.order(place)?.side;
        self.delete(place);
        self.rest(symbol, side, tick, quantity, Owner::Maker)
    }

    /// Reduces a random order.
    fn trim(&mut self) {
        if let Some(place) = self.any_order()
            && let Some(order) = self.books.order(place).filter(|o| o.quantity > 1)
        {
            let part = 1 + self.dice.below(order.quantity - 1);
            self.cancel(place, part);
        }
    }

    /// A patient trader adds or deletes an order, whichever moves the number of resting orders towards its target.
    fn patient(&mut self, symbol: usize) {
        let (live, target) = (f64::from(self.books.live()), f64::from(self.target));
        let lacking = (0.5 + (target - live) / (0.02 * target + 20.0)).clamp(0.12, 0.88);
        if self.dice.below(65_536) < (lacking * 65_536.0) as u32 {
            self.queue_up(symbol);
        } else {
            self.withdraw(symbol);
        }
    }

    /// Adds a limit order near the touch or, with falling probability, anywhere within reach.
    fn queue_up(&mut self, symbol: usize) {
        let side = self.any_side();
        let (reach, middle) = (self.symbols[symbol].reach, self.symbols[symbol].middle());
        let half = self.symbols[symbol].half_spread as u32 + 1;
        let from = self.books.best(symbol, side).unwrap_or(match side {
            Side::Bid => middle.saturating_sub(half),
            Side::Ask => middle + half,
        });
        let wide = self.books.best(symbol, side.opposite()).is_some_and(|other| other.abs_diff(from) > 2 * half);
        let rank = match self.dice.below(16) {
            0 if wide => side.mirror(from) + 1,
            0..=1 => side.mirror(from),
            2..=7 => side.mirror(from).saturating_sub(self.dice.below(2 * half + 2)),
            _ => {
                let bound = self.dice.below(reach) + 1;
                side.mirror(from).saturating_sub(1 + self.dice.below(bound))
            }
        };
        let quantity = self.size(symbol);
        self.rest(symbol, side, side.mirror(rank.max(1)), quantity, Owner::Patient);
    }

    /// Deletes one of the symbol's latest orders, the last in a queue at the touch, or any order.
    fn withdraw(&mut self, symbol: usize) {
        let latest = self.symbols[symbol].recent[self.dice.below(RECENT as u32) as usize];
        let place = match self.dice.below(16) {
            0..=7 => self.resting(latest),
            8..=10 => {
                let side = self.any_side();
                self.books.back(symbol, side)
            }
            _ => None,
        };
        if let Some(place) = place.or_else(|| self.any_order()) {
            self.delete(place);
        }
    }

    /// A random resting order, preferably a patient trader's.
    fn any_order(&mut self) -> Option<u32> {
        let mut found = None;
        for _ in 0..8 {
            let place = self.dice.below(self.books.places());
            match self.books.order(place) {
                Some(order) if order.owner == Owner::Patient => return Some(place),
                Some(_) => found = Some(place),
                None => {}
            }
        }
        found
    }
}
