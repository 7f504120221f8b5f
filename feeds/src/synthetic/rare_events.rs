//! Rare events: pauses, halts, broken trades, new listings.
//!
//! A fixed rotation of rare messages takes one turn per interval of market hours, so a file of a few thousand messages
//! already has every message type, and a long one has few of each. A pause or halt stops trading in its symbol (orders
//! are still added and deleted) until its turn to resume, at the latest until the close.

use super::clock::{SECOND, at};
use super::exchange::Exchange;
use crate::itch::wire;

/// The least number of turns in a day that is long enough.
const TURNS_A_DAY: u64 = 26;

/// The state of the rotation, and the symbols that must resume.
pub(super) struct RareEvents {
    interval: u64,
    next: u64,
    turn: u32,
    paused: Option<usize>,
    halted: Option<usize>,
    breached: bool,
}

impl RareEvents {
    /// For market hours of about `messages` messages.
    pub(super) fn new(messages: u64) -> RareEvents {
        let interval = (messages / TURNS_A_DAY).clamp(40, 20_000);
        RareEvents { interval, next: u64::MAX, turn: 0, paused: None, halted: None, breached: false }
    }

    /// Starts market hours.
    pub(super) fn start(&mut self, written: u64) {
        self.next = written + self.interval;
    }

    /// Takes a turn if it is due: at most four messages.
    pub(super) fn turn(&mut self, exchange: &mut Exchange) {
        if exchange.tape.written() < self.next {
            return;
        }
        self.next = exchange.tape.written() + self.interval;
        exchange.stamp();
        // A level 1 decline after 15:25 halts nothing.
        if !self.breached && exchange.clock.now() >= at(15, 25) {
            self.breached = true;
            exchange.breach();
            return;
        }
        let symbol = usize::from(exchange.by_rank[exchange.zipf.draw(&mut exchange.dice)]);
        self.turn = (self.turn + 1) % 11;
        match self.turn {
            1 => self.pause(exchange, symbol),
            2 => exchange.retail_interest(symbol),
            3 => exchange.position(symbol, b'W'),
            4 => self.resume(exchange),
            5 => exchange.break_trade(symbol),
            6 => self.halt(exchange, symbol),
            7 => exchange.short_sale(symbol, b'1'),
            8 => self.lift_halt(exchange),
            9 => exchange.quoting_period(),
            10 => exchange.direct_listing(),
            _ => exchange.imbalance(symbol, b'C'),
        }
    }

    /// Resumes trading in every symbol.
    pub(super) fn resume_all(&mut self, exchange: &mut Exchange) {
        exchange.stamp();
        if let Some(symbol) = self.paused.take() {
            exchange.trading_state(symbol, b'T', *b"    ");
            exchange.symbols[symbol].paused = false;
        }
        self.lift_halt(exchange);
    }

    fn pause(&mut self, exchange: &mut Exchange, symbol: usize) {
        if self.paused.is_none() && !exchange.symbols[symbol].paused {
            exchange.symbols[symbol].paused = true;
            self.paused = Some(symbol);
            exchange.trading_state(symbol, b'P', *b"LUDP");
        }
    }

    fn resume(&mut self, exchange: &mut Exchange) {
        if let Some(symbol) = self.paused.take() {
            exchange.symbols[symbol].paused = false;
            exchange.auction_collar(symbol);
            exchange.imbalance(symbol, b'H');
            let (shares, price) = (10 * exchange.symbols[symbol].round_lot, exchange.reference_price(symbol));
            exchange.cross_trade(symbol, b'H', u64::from(shares), price);
            exchange.trading_state(symbol, b'T', *b"    ");
        }
    }

    fn halt(&mut self, exchange: &mut Exchange, symbol: usize) {
        if self.halted.is_none() && !exchange.symbols[symbol].paused {
            exchange.symbols[symbol].paused = true;
            self.halted = Some(symbol);
            exchange.operational(symbol, b'H');
        }
    }

    fn lift_halt(&mut self, exchange: &mut Exchange) {
        if let Some(symbol) = self.halted.take() {
            exchange.symbols[symbol].paused = false;
            exchange.operational(symbol, b'T');
        }
    }
}

impl Exchange {
    fn breach(&mut self) {
        let head = self.system_head();
        self.emit(head, &wire::MwcbStatus { head, breached: b'1' });
    }

    fn retail_interest(&mut self, symbol: usize) {
        let interest = b"BSAN"[self.dice.below(4) as usize];
        let (head, stock) = (self.head(symbol), self.symbols[symbol].name);
        self.emit(head, &wire::RetailInterest { head, stock, interest });
    }

    fn operational(&mut self, symbol: usize, action: u8) {
        let (head, stock) = (self.head(symbol), self.symbols[symbol].name);
        self.emit(head, &wire::OperationalHalt { head, stock, market: b'Q', action });
    }

    /// Breaks the last trade of the given symbol, or else of the busiest symbol that has one.
    fn break_trade(&mut self, symbol: usize) {
        let traded = std::iter::once(symbol).chain(self.by_rank.iter().map(|&s| usize::from(s)));
        let found = traded.map(|s| (s, self.symbols[s].last_match)).find(|(_, number)| *number > 0);
        if let Some((symbol, number)) = found {
            self.symbols[symbol].last_match = 0;
            let head = self.head(symbol);
            self.emit(head, &wire::BrokenTrade { head, match_number: number });
        }
    }

    fn auction_collar(&mut self, symbol: usize) {
        let reference = self.reference_price(symbol);
        let (upper, lower) = (reference + reference / 20, reference - reference / 20);
        let (head, stock) = (self.head(symbol), self.symbols[symbol].name);
        self.emit(head, &wire::LuldAuctionCollar { head, stock, reference, upper, lower, extension: 0 });
    }

    /// The symbol listed today, if there is one; otherwise the first symbol.
    fn new_listing(&self) -> usize {
        self.symbols.iter().position(|s| s.is_new).unwrap_or(0)
    }

    fn quoting_period(&mut self) {
        let symbol = self.new_listing();
        let (price, release_time) = (self.reference_price(symbol), (self.clock.now() / SECOND) as u32 + 600);
        let (head, stock) = (self.head(symbol), self.symbols[symbol].name);
        self.emit(head, &wire::IpoQuotingPeriod { head, stock, release_time, qualifier: b'A', price });
    }

    fn direct_listing(&mut self) {
        let symbol = self.new_listing();
        let price = self.reference_price(symbol);
        let (low, high, head) = (price - price / 5, price + price / 5, self.head(symbol));
        let discovery = wire::DirectListing {
            head,
            stock: self.symbols[symbol].name,
            open_eligibility: b'Y',
            minimum_price: low,
            maximum_price: high,
            near_price: price,
            near_time: self.clock.now(),
            lower_collar: low,
            upper_collar: high,
        };
        self.emit(head, &discovery);
    }
}
