//! What the exchange says that moves no order: bells, directory, trading states, imbalances; and the crosses.
//!
//! A cross executes a few displayed orders at the front of one side's queue at one price, unprinted, and reports them in
//! bulk with the interest that was not displayed. Where a side is empty the cross does not happen and says so with zero
//! shares.

use super::book::Side;
use super::exchange::{Exchange, PER_TICK};

/// The most displayed orders that a cross executes.
const CROSSED: u32 = 3;

impl Exchange {
    /// Stamps the messages to come with the clock's time.
    pub(super) fn stamp(&mut self) {
        self.tape.set_time(self.clock.now());
    }

    /// A system event.
    pub(super) fn bell(&mut self, event: u8) {
        self.stamp();
        self.tape.put(b'S', 12, 0, |w| w.byte(event));
        self.observe(0);
    }

    /// The levels of decline at which the whole market stops, of an index that closed at 6,000.
    pub(super) fn breaker_levels(&mut self) {
        self.stamp();
        let level = |percent: u64| 6_000 * 100_000_000 * (100 - percent) / 100;
        self.tape.put(b'V', 35, 0, |w| w.u64(level(7)).u64(level(13)).u64(level(20)));
        self.observe(0);
    }

    /// Directory, trading state, Reg SHO, and a market maker's position for one symbol in four.
    pub(super) fn introduce(&mut self, symbol: usize) {
        self.stamp();
        let (s, locate) = (&self.symbols[symbol], symbol as u16 + 1);
        let market = b"QGSNPA"[symbol % 6];
        let (class, sub) = if symbol % 6 == 4 { (b'Q', b"E ") } else { (b'C', b"Z ") };
        let etp = if class == b'Q' { b'Y' } else { b'N' };
        let tier = if s.half_spread < 2.0 { b'1' } else { b'2' };
        let ipo = if s.is_new { b'Y' } else { b'N' };
        self.tape.put(b'R', 39, locate, |w| {
            let w = w.text(&s.name).byte(market).byte(b'N').u32(s.round_lot).byte(b'N').byte(class).text(sub);
            w.byte(b'P').byte(b'N').byte(ipo).byte(tier).byte(etp).u32(u32::from(etp == b'Y')).byte(b'N')
        });
        self.observe(locate);
        self.trading_state(symbol, b'T', b"    ");
        self.short_sale(symbol, b'0');
        if symbol.is_multiple_of(4) {
            self.position(symbol, b'A');
        }
    }

    /// Whether a symbol trades, and why not.
    pub(super) fn trading_state(&mut self, symbol: usize, state: u8, reason: &[u8; 4]) {
        let name = &self.symbols[symbol].name;
        self.tape.put(b'H', 25, symbol as u16 + 1, |w| w.text(name).byte(state).byte(b' ').text(reason));
        self.observe(symbol as u16 + 1);
    }

    /// Whether short sales are restricted.
    pub(super) fn short_sale(&mut self, symbol: usize, action: u8) {
        let name = &self.symbols[symbol].name;
        self.tape.put(b'Y', 20, symbol as u16 + 1, |w| w.text(name).byte(action));
        self.observe(symbol as u16 + 1);
    }

    /// What a market maker is to a symbol.
    pub(super) fn position(&mut self, symbol: usize, state: u8) {
        let name = &self.symbols[symbol].name;
        let fields = [b'Y', b'N', state];
        self.tape.put(b'L', 26, symbol as u16 + 1, |w| w.text(b"MKRA").text(name).text(&fields));
        self.observe(symbol as u16 + 1);
    }

    /// The imbalance before a cross.
    pub(super) fn imbalance(&mut self, symbol: usize, cross: u8) {
        let lot = u64::from(self.symbols[symbol].round_lot);
        let paired = lot * u64::from(self.dice.below(200));
        let excess = lot * u64::from(self.dice.below(40));
        let direction = match excess {
            0 => b'N',
            e if e % 2 == 0 => b'B',
            _ => b'S',
        };
        let price = self.symbols[symbol].middle() * PER_TICK;
        let name = &self.symbols[symbol].name;
        self.tape.put(b'I', 50, symbol as u16 + 1, |w| {
            let w = w.u64(paired).u64(excess).byte(direction).text(name).u32(price).u32(price).u32(price);
            w.byte(cross).byte(b'L')
        });
        self.observe(symbol as u16 + 1);
    }

    /// The opening or closing cross of the symbol of a rank: at most [`super::session::MAX_CROSS`] messages.
    pub(super) fn auction(&mut self, rank: usize, kind: u8) {
        let symbol = usize::from(self.by_rank[rank]);
        self.clock.reach(self.clock.now() + 1_500);
        self.stamp();
        self.imbalance(symbol, kind);
        let side = self.any_side();
        let both = self.books.best(symbol, side.opposite()).is_some();
        let Some(tick) = self.books.best(symbol, side).filter(|_| both) else {
            return self.cross_trade(symbol, kind, 0, 0);
        };
        let mut displayed = 0;
        for _ in 0..=self.dice.below(CROSSED) {
            if self.books.best(symbol, side) == Some(tick) {
                displayed += self.execute(symbol, side, u32::MAX, Some(tick * PER_TICK), false);
            }
        }
        let undisplayed = self.symbols[symbol].round_lot * self.dice.below(100);
        self.cross_trade(symbol, kind, u64::from(displayed) + u64::from(undisplayed), tick * PER_TICK);
    }

    /// The bulk report of a cross; without shares it did not happen.
    pub(super) fn cross_trade(&mut self, symbol: usize, kind: u8, shares: u64, price: u32) {
        let number = if shares > 0 { self.next_match(symbol) } else { 0 };
        let name = &self.symbols[symbol].name;
        self.tape.put(b'Q', 40, symbol as u16 + 1, |w| w.u64(shares).text(name).u32(price).u64(number).byte(kind));
        self.observe(symbol as u16 + 1);
    }

    /// Half a tick between the touch prices, or the makers' estimate where a side is empty.
    pub(super) fn reference_price(&self, symbol: usize) -> u32 {
        match (self.books.best(symbol, Side::Bid), self.books.best(symbol, Side::Ask)) {
            (Some(bid), Some(ask)) => (bid + ask) * PER_TICK / 2,
            _ => self.symbols[symbol].middle() * PER_TICK,
        }
    }
}
