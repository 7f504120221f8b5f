//! Saves and loads the venue: instruments with halts and consumed depth, resting orders, finished ids, session, book.
//!
//! Instruments are written by listing key, in key order; orders in time order, from which their lists follow. Equal
//! venues give equal bytes. Bound: the parameters; a state that exceeds them is refused.

use super::SimulatedVenue;
use super::consumed::{self, Place};
use super::instrument::SimInstrument;
use super::resting::{self, OrderStatus, RestingOrder};
use super::sim::OwnBook;
use crate::book::Books;
use flow::{Calendar, Halts, Ns, Px, Side, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// An instrument with its consumed levels: bid or not, price, quantity.
#[derive(Serialize, Deserialize)]
struct SavedInstrument {
    key: String,
    calendar: Calendar,
    multiplier: i64,
    qty_decimals: u8,
    source: u8,
    book: u8,
    signed: bool,
    halts: Halts,
    closed: u8,
    listed: bool,
    taken: Vec<(bool, Px, u64)>,
}

#[derive(Serialize, Deserialize)]
struct SavedResting {
    id: u64,
    venue_order: u64,
    key: String,
    bid: bool,
    px: Px,
    qty: u64,
    filled: u64,
    ahead: u64,
    traded: u64,
    ahead_orders: u32,
    expires: Ns,
}

fn side_of(bid: bool) -> Side {
    if bid { Side::Buy } else { Side::Sell }
}

impl SimulatedVenue {
    /// Saves the state as canonical bytes, with the market's book, be it its own or `shown`: whoever loads it may keep one of its
    /// own.
    ///
    /// # Panics
    /// As [`SimulatedVenue::on_market`].
    pub fn save(&self, shown: Option<&Books>, to: &mut StateWriter<'_>) {
        self.reports.session.save(to);
        to.put(&(self.reports.venue_orders, self.reports.matches));
        let known =
            self.instruments.values().iter().zip(0_u32..).filter(|(d, _)| d.listed || d.halts.any() || d.closed != 0);
        let mut instruments: Vec<SavedInstrument> = known.map(|(d, at)| self.saved_instrument(d, to.key(at))).collect();
        instruments.sort_by(|a, b| a.key.cmp(&b.key));
        to.put(&instruments);
        let orders: Vec<SavedResting> =
            self.resting.by_time().map(|at| saved_resting(self.resting.get(at), to)).collect();
        to.put(&orders);
        to.put(&self.resting.remembered().collect::<Vec<u64>>());
        self.sessions.save(to);
        let books = self.own.as_ref().map(OwnBook::books).or(shown);
        books.expect("a venue without a book is shown one").save(to);
    }

    fn saved_instrument(&self, sim: &SimInstrument, key: String) -> SavedInstrument {
        let mut taken: Vec<_> = self.consumed.of(sim.consumed).map(|(s, px, qty)| (s == Side::Buy, px, qty)).collect();
        taken.sort_unstable();
        let SimInstrument { calendar, multiplier, qty_decimals, source, book, signed, halts, closed, listed, .. } =
            *sim;
        SavedInstrument { key, calendar, multiplier, qty_decimals, source, book, signed, halts, closed, listed, taken }
    }

    /// Replaces the state of a venue that was built with the same parameters.
    ///
    /// # Errors
    /// When the bytes are not such a state, or exceed the bounds.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        for sim in self.instruments.values_mut() {
            self.consumed.clear(&mut sim.consumed);
        }
        self.instruments.clear();
        self.resting.clear();
        self.reports.session.load(from)?;
        (self.reports.venue_orders, self.reports.matches) = from.get()?;
        for saved in from.get::<Vec<SavedInstrument>>()? {
            self.load_instrument(from, saved)?;
        }
        for saved in from.get::<Vec<SavedResting>>()? {
            self.load_order(from, saved)?;
        }
        let done: Vec<u64> = from.get()?;
        if done.len() > self.resting.capacity() {
            let limit = self.resting.capacity();
            return Err(StateError::TooLarge { what: "done orders", found: done.len(), limit });
        }
        for id in done {
            if id == 0 || self.resting.status_of(id) != OrderStatus::Unknown {
                return Err(StateError::Inconsistent("an order id twice, or none"));
            }
            self.resting.remember(id);
        }
        self.sessions.load(from)?;
        match &mut self.own {
            Some(own) => own.books_mut().load(from),
            None => Books::pass_over(from),
        }
    }

    fn load_instrument(&mut self, from: &StateReader<'_>, saved: SavedInstrument) -> Result<(), StateError> {
        let at = from.instrument(&saved.key)? as usize;
        let limit = self.instruments.bound();
        let sim =
            self.instruments.get_mut(at).ok_or(StateError::TooLarge { what: "instruments", found: at + 1, limit })?;
        let SavedInstrument { calendar, multiplier, qty_decimals, source, book, signed, halts, closed, listed, .. } =
            saved;
        let (lists, none) = (sim.lists, consumed::NONE);
        *sim = SimInstrument {
            lists,
            consumed: none,
            calendar,
            multiplier,
            qty_decimals,
            source,
            book,
            signed,
            halts,
            closed,
            listed,
        };
        for (bid, px, qty) in saved.taken {
            if self.consumed.room() == 0 {
                let limit = self.consumed.capacity();
                return Err(StateError::TooLarge { what: "taken levels", found: limit + 1, limit });
            }
            let place = Place { instrument: at as u32, side: side_of(bid), px };
            if qty == 0 || self.consumed.had(place) > 0 {
                return Err(StateError::Inconsistent("a level of which nothing was taken, or one twice"));
            }
            self.consumed.take(&mut sim.consumed, place, qty);
        }
        Ok(())
    }

    fn load_order(&mut self, from: &StateReader<'_>, saved: SavedResting) -> Result<(), StateError> {
        let instrument = from.instrument(&saved.key)?;
        if !self.resting.has_room() {
            let limit = self.resting.capacity();
            return Err(StateError::TooLarge { what: "own orders", found: limit + 1, limit });
        }
        let SavedResting { id, venue_order, px, qty, filled, ahead, traded, ahead_orders, expires, .. } = saved;
        let fits = id != 0 && filled < qty && traded <= ahead && self.resting.status_of(id) == OrderStatus::Unknown;
        let Some(sim) = self.instruments.get_mut(instrument as usize).filter(|_| fits) else {
            return Err(StateError::Inconsistent("an order of ours that cannot be"));
        };
        let side = side_of(saved.bid);
        let terms = RestingOrder { id, venue_order, instrument, side, px, qty, ..RestingOrder::VACANT };
        self.resting.rest(&mut sim.lists, RestingOrder { filled, ahead, traded, ahead_orders, expires, ..terms });
        Ok(())
    }
}

fn saved_resting(order: &resting::RestingOrder, to: &StateWriter<'_>) -> SavedResting {
    let resting::RestingOrder { id, venue_order, px, qty, filled, ahead, traded, ahead_orders, expires, .. } = *order;
    let (key, bid) = (to.key(order.instrument), order.side == Side::Buy);
    SavedResting { id, venue_order, key, bid, px, qty, filled, ahead, traded, ahead_orders, expires }
}
