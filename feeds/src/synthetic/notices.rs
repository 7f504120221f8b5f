//! Messages that move no order: system events, directory, trading states, imbalances; and the crosses.
//!
//! A cross executes a few displayed orders from the front of one side's queue at one price, non-printable, and reports
//! them in bulk together with undisplayed interest. If a side is empty, the cross does not take place and is reported
//! with zero shares.

use super::book::Side;
use super::exchange::{Exchange, PARTICIPANTS, PER_TICK};
use crate::itch::wire;

/// The most displayed orders that one cross executes.
const CROSSED: u32 = 3;

impl Exchange {
    /// Sets the time of the following messages to the clock's.
    pub(super) fn stamp(&mut self) {
        self.tape.set_time(self.clock.now());
    }

    /// A system event.
    pub(super) fn system_event(&mut self, event: u8) {
        self.stamp();
        let head = self.system_head();
        self.emit(head, &wire::SystemEvent { head, event });
    }

    /// The market-wide circuit-breaker levels, for an index that closed at 6,000.
    pub(super) fn breaker_levels(&mut self) {
        self.stamp();
        let level = |percent: u64| 6_000 * 100_000_000 * (100 - percent) / 100;
        let head = self.system_head();
        let levels = wire::MwcbDeclineLevel { head, level_1: level(7), level_2: level(13), level_3: level(20) };
        self.emit(head, &levels);
    }

    /// Directory, trading state, Reg SHO, and a market maker's position for one symbol in four.
    pub(super) fn list_symbol(&mut self, symbol: usize) {
        self.stamp();
        let (s, head) = (&self.symbols[symbol], self.head(symbol));
        let is_fund = symbol % 6 == 4;
        let yes = |flag: bool| if flag { b'Y' } else { b'N' };
        let directory = wire::StockDirectory {
            head,
            stock: s.name,
            market_category: b"QGSNPA"[symbol % 6],
            financial_status: b'N',
            round_lot: s.round_lot,
            round_lots_only: b'N',
            issue_class: if is_fund { b'Q' } else { b'C' },
            issue_subtype: if is_fund { *b"E " } else { *b"Z " },
            authenticity: b'P',
            short_sale_threshold: b'N',
            ipo_flag: yes(s.is_new),
            luld_tier: if s.half_spread < 2.0 { b'1' } else { b'2' },
            etp_flag: yes(is_fund),
            etp_leverage: u32::from(is_fund),
            inverse: b'N',
        };
        self.emit(head, &directory);
        self.trading_state(symbol, b'T', *b"    ");
        self.short_sale(symbol, b'0');
        if symbol.is_multiple_of(4) {
            self.position(symbol, b'A');
        }
    }

    /// Reports whether a symbol trades, and why not.
    pub(super) fn trading_state(&mut self, symbol: usize, state: u8, reason: [u8; 4]) {
        let (head, stock) = (self.head(symbol), self.symbols[symbol].name);
        self.emit(head, &wire::StockTradingAction { head, stock, state, reserved: b' ', reason });
    }

    /// Reports whether short sales are restricted.
    pub(super) fn short_sale(&mut self, symbol: usize, action: u8) {
        let (head, stock) = (self.head(symbol), self.symbols[symbol].name);
        self.emit(head, &wire::RegSho { head, stock, action });
    }

    /// Reports a market maker's position in a symbol.
    pub(super) fn position(&mut self, symbol: usize, state: u8) {
        let (head, stock) = (self.head(symbol), self.symbols[symbol].name);
        let (mpid, primary_market_maker, market_maker_mode) = (PARTICIPANTS[symbol % PARTICIPANTS.len()], b'Y', b'N');
        let position =
            wire::MarketParticipantPosition { head, mpid, stock, primary_market_maker, market_maker_mode, state };
        self.emit(head, &position);
    }

    /// Reports the imbalance before a cross.
    pub(super) fn imbalance(&mut self, symbol: usize, cross: u8) {
        let lot = u64::from(self.symbols[symbol].round_lot);
        let paired = lot * u64::from(self.dice.below(200));
        let excess = lot * u64::from(self.dice.below(40));
        let direction = match excess {
            0 => b'N',
            e if e % 2 == 0 => b'B',
            _ => b'S',
        };
        let (head, price) = (self.head(symbol), self.symbols[symbol].middle() * PER_TICK);
        let imbalance = wire::Imbalance {
            head,
            paired,
            imbalance: excess,
            direction,
            stock: self.symbols[symbol].name,
            far_price: price,
            near_price: price,
            reference_price: price,
            cross_type: cross,
            price_variation: b'L',
        };
        self.emit(head, &imbalance);
    }

    /// The opening or closing cross of the symbol of this rank: at most [`super::session::MAX_CROSS`] messages.
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

    /// The bulk report of a cross; with zero shares it did not take place.
    pub(super) fn cross_trade(&mut self, symbol: usize, kind: u8, shares: u64, price: u32) {
        let match_number = if shares > 0 { self.next_match(symbol) } else { 0 };
        let (head, stock) = (self.head(symbol), self.symbols[symbol].name);
        self.emit(head, &wire::CrossTrade { head, shares, stock, price, match_number, cross_type: kind });
    }

    /// The mid price, or the market makers' estimate if a side is empty.
    pub(super) fn reference_price(&self, symbol: usize) -> u32 {
        match (self.books.best(symbol, Side::Bid), self.books.best(symbol, Side::Ask)) {
            (Some(bid), Some(ask)) => (bid + ask) * PER_TICK / 2,
            _ => self.symbols[symbol].middle() * PER_TICK,
        }
    }
}
