//! A market for the fake to tell of: made up, from a seed.
//!
//! Each symbol has a price that wanders in cents, a quote of one to three cents around it, and trades at the bid or at the ask.
//! A few trades are odd lots, a few are average prices; rarely one is cancelled or corrected, or trading is halted for a while.
//! Minutes have bars ([`super::minute`]). Price bands are 5 % around a reference price, which is the price at the turn of
//! a minute, or when that has moved by 1 %.
//! What comes is a function of the seed and of the times that it is asked at. Bound: a price and a last trade a symbol.

use super::minute::{Due, LATE_QTY, Minutes};
use super::wire::{Body, Sent};
use flow::Ns;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

struct Stock {
    symbol: String,
    tape: char,
    cents: u64,
    trades: u64,
    last: (u64, f64, u64),
    is_halted: bool,
    /// The reference price of its bands; 0 = it is to have a new one.
    reference: u64,
    minutes: Minutes,
}

impl Stock {
    fn sent(&self, time: Ns, body: Body) -> Sent {
        Sent { symbol: self.symbol.clone(), tape: self.tape, time, body }
    }
}

/// A market of some symbols.
pub struct Market {
    stocks: Vec<Stock>,
    random: Xoshiro256PlusPlus,
}

impl Market {
    /// A market of these symbols.
    pub fn new(symbols: &[&str], seed: u64) -> Market {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let stock = |(n, symbol): (usize, &&str)| Stock {
            symbol: (*symbol).to_owned(),
            tape: ['A', 'B', 'C'][n % 3],
            cents: 2_000 + random.next_u64() % 48_000,
            trades: 0,
            last: (0, 0.0, 0),
            is_halted: false,
            reference: 0,
            minutes: Minutes::default(),
        };
        let stocks = symbols.iter().enumerate().map(stock).collect();
        Market { stocks, random }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random.next_u64() % below
    }

    /// What happens next, at this time: mostly one message, and what the turn of a minute brings before it.
    pub fn next(&mut self, time: Ns) -> Vec<Sent> {
        let mut sent: Vec<_> = (0..self.stocks.len()).flat_map(|n| self.due(n, time)).collect();
        let n = self.draw(self.stocks.len() as u64) as usize;
        let kind = self.draw(1_000);
        let body = match kind {
            0 => self.halted(n),
            // A halt does not last.
            _ if self.stocks[n].is_halted && kind < 50 => self.halted(n),
            1..4 => self.taken_back(n),
            4..6 => self.corrected(n),
            6..600 => Some(self.quoted(n)),
            _ => self.traded(n),
        };
        let stock = &self.stocks[n];
        sent.extend(body.into_iter().map(|body| stock.sent(time, body)));
        sent
    }

    /// What a stock has to tell by now of its minutes and its bands.
    fn due(&mut self, n: usize, now: Ns) -> Vec<Sent> {
        let stock = &mut self.stocks[n];
        let mut sent = Vec::new();
        loop {
            match stock.minutes.due(now) {
                Due::Nothing => break,
                Due::Bar(start, bar) => {
                    sent.push(stock.sent(start, bar));
                    stock.reference = 0;
                }
                Due::Again(start, minute, late) => {
                    stock.trades += 1;
                    let conditions = ["@", "Z"].map(str::to_owned).into();
                    let (id, px) = (stock.trades, dollars(late.cents));
                    let trade = Body::Trade { id, exchange: 'V', px, qty: LATE_QTY, conditions };
                    sent.push(stock.sent(late.time, trade));
                    sent.push(stock.sent(start, Body::UpdatedBar(minute)));
                }
            }
        }
        if stock.cents.abs_diff(stock.reference) * 100 >= stock.reference {
            stock.reference = stock.cents;
            let (up, down) = (dollars(stock.cents * 105 / 100), dollars(stock.cents * 95 / 100));
            sent.push(stock.sent(now, Body::Luld { up, down, indicator: 'B' }));
        }
        sent
    }

    fn quoted(&mut self, n: usize) -> Body {
        let (step, wide) = (self.draw(3), 1 + self.draw(3));
        let (bid_size, ask_size) = (1 + self.draw(9), 1 + self.draw(9));
        let stock = &mut self.stocks[n];
        stock.cents = (stock.cents + step).max(102) - 1;
        let bid = stock.cents - wide / 2;
        Body::Quote { bid: (dollars(bid), bid_size), ask: (dollars(bid + wide), ask_size) }
    }

    fn traded(&mut self, n: usize) -> Option<Body> {
        let (side, size, what) = (self.draw(2), self.draw(4), self.draw(20));
        let stock = &mut self.stocks[n];
        if stock.is_halted {
            return None;
        }
        stock.trades += 1;
        let px = dollars(stock.cents + side);
        let (qty, conditions) = match what {
            0..8 => (1 + 7 * size, vec!["@", "I"]),
            8 => (1_000, vec![if stock.tape == 'C' { "W" } else { "B" }]),
            9..12 => (100 * (1 + size), vec!["@", "F"]),
            _ => (100 * (1 + size), vec!["@"]),
        };
        stock.last = (stock.trades, px, qty);
        stock.minutes.trade(stock.cents + side, qty);
        let conditions = conditions.into_iter().map(str::to_owned).collect();
        Some(Body::Trade { id: stock.trades, exchange: 'V', px, qty, conditions })
    }

    fn taken_back(&mut self, n: usize) -> Option<Body> {
        let (id, px, qty) = std::mem::take(&mut self.stocks[n].last);
        (id != 0).then_some(Body::Cancel { id, exchange: 'V', px, qty })
    }

    fn corrected(&mut self, n: usize) -> Option<Body> {
        let stock = &mut self.stocks[n];
        let old = std::mem::take(&mut stock.last);
        stock.trades += u64::from(old.0 != 0);
        let new = (stock.trades, old.1, old.2 + 1);
        (old.0 != 0).then_some(Body::Correction { exchange: 'V', old, new })
    }

    fn halted(&mut self, n: usize) -> Option<Body> {
        let stock = &mut self.stocks[n];
        stock.is_halted = !stock.is_halted;
        let code = match (stock.tape, stock.is_halted) {
            ('C', true) => "H",
            ('C', false) => "T",
            (_, true) => "2",
            (_, false) => "3",
        };
        let reason = if stock.is_halted { "T1" } else { "" };
        Some(Body::Status { code: code.to_owned(), reason: reason.to_owned() })
    }
}

fn dollars(cents: u64) -> f64 {
    cents as f64 / 100.0
}
