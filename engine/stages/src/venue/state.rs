//! State out and in: terms and halts, what was taken, our orders by time, what is done, the session, the book.
//!
//! Instruments are written by the key of their listing, in the order of the keys; orders in that of time, which is also
//! what their lists follow from. Equal venues give equal bytes. Bound: the parameters; a state that exceeds them is
//! refused.

use super::SimulatedVenue;
use super::desk::Desk;
use super::own::{self, Known, Own};
use super::taken::{self, Place};
use flow::{Mic, Ns, Px, Side, Stage, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// An instrument and what we took of its levels: whether of the bids, price, quantity.
#[derive(Serialize, Deserialize)]
struct SavedDesk {
    key: String,
    calendar: [u8; 4],
    multiplier: i64,
    qty_decimals: u8,
    source: u8,
    book: u8,
    signed: bool,
    halts: u8,
    listed: bool,
    taken: Vec<(bool, Px, u64)>,
}

#[derive(Serialize, Deserialize)]
struct SavedOwn {
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
    /// State out, as canonical bytes.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        self.voice.lanes.save(to);
        to.put(&(self.voice.venue_orders, self.voice.matches));
        let known = self.desks.iter().zip(0_u32..).filter(|(d, _)| d.listed || d.halts != 0);
        let mut desks: Vec<SavedDesk> = known.map(|(d, at)| self.saved_desk(d, to.key(at))).collect();
        desks.sort_by(|a, b| a.key.cmp(&b.key));
        to.put(&desks);
        let orders: Vec<SavedOwn> = self.owns.by_time().map(|at| saved_own(self.owns.get(at), to)).collect();
        to.put(&orders);
        to.put(&self.owns.remembered().collect::<Vec<u64>>());
        self.book.save(to);
    }

    fn saved_desk(&self, desk: &Desk, key: String) -> SavedDesk {
        let mut taken: Vec<_> = self.takens.of(desk.taken).map(|(s, px, qty)| (s == Side::Buy, px, qty)).collect();
        taken.sort_unstable();
        let Desk { calendar, multiplier, qty_decimals, source, book, signed, halts, listed, .. } = *desk;
        SavedDesk { key, calendar: calendar.0, multiplier, qty_decimals, source, book, signed, halts, listed, taken }
    }

    /// State in, into a venue that was built with the same parameters; what was there before is gone.
    ///
    /// # Errors
    /// When the bytes are no such state, or exceed the bounds.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        for desk in &mut self.desks {
            self.takens.clear(&mut desk.taken);
            *desk = Desk::UNLISTED;
        }
        self.owns.clear();
        self.voice.lanes.load(from)?;
        (self.voice.venue_orders, self.voice.matches) = from.get()?;
        for saved in from.get::<Vec<SavedDesk>>()? {
            self.load_desk(from, saved)?;
        }
        for saved in from.get::<Vec<SavedOwn>>()? {
            self.load_own(from, saved)?;
        }
        let done: Vec<u64> = from.get()?;
        if done.len() > self.owns.capacity() {
            let limit = self.owns.capacity();
            return Err(StateError::TooLarge { what: "done orders", found: done.len(), limit });
        }
        for id in done {
            if id == 0 || self.owns.known(id) != Known::Unknown {
                return Err(StateError::Inconsistent("an order id twice, or none"));
            }
            self.owns.remember(id);
        }
        self.book.load(from)
    }

    fn load_desk(&mut self, from: &StateReader<'_>, saved: SavedDesk) -> Result<(), StateError> {
        let at = from.instrument(&saved.key)? as usize;
        let limit = self.desks.len();
        let desk = self.desks.get_mut(at).ok_or(StateError::TooLarge { what: "instruments", found: at + 1, limit })?;
        let SavedDesk { calendar, multiplier, qty_decimals, source, book, signed, halts, listed, .. } = saved;
        let calendar = Mic(calendar);
        let (lists, none) = (desk.lists, taken::NONE);
        *desk = Desk { lists, taken: none, calendar, multiplier, qty_decimals, source, book, signed, halts, listed };
        for (bid, px, qty) in saved.taken {
            if self.takens.room() == 0 {
                let limit = self.takens.capacity();
                return Err(StateError::TooLarge { what: "taken levels", found: limit + 1, limit });
            }
            let place = Place { instrument: at as u32, side: side_of(bid), px };
            if qty == 0 || self.takens.has(place) {
                return Err(StateError::Inconsistent("a level of which nothing was taken, or one twice"));
            }
            self.takens.take(&mut desk.taken, place, qty);
        }
        Ok(())
    }

    fn load_own(&mut self, from: &StateReader<'_>, saved: SavedOwn) -> Result<(), StateError> {
        let instrument = from.instrument(&saved.key)?;
        if !self.owns.has_room() {
            let limit = self.owns.capacity();
            return Err(StateError::TooLarge { what: "own orders", found: limit + 1, limit });
        }
        let SavedOwn { id, venue_order, px, qty, filled, ahead, traded, ahead_orders, expires, .. } = saved;
        let fits = id != 0 && filled < qty && traded <= ahead && self.owns.known(id) == Known::Unknown;
        let Some(desk) = self.desks.get_mut(instrument as usize).filter(|_| fits) else {
            return Err(StateError::Inconsistent("an order of ours that cannot be"));
        };
        let side = side_of(saved.bid);
        let terms = Own { id, venue_order, instrument, side, px, qty, ..Own::VACANT };
        self.owns.rest(&mut desk.lists, Own { filled, ahead, traded, ahead_orders, expires, ..terms });
        Ok(())
    }
}

fn saved_own(own: &own::Own, to: &StateWriter<'_>) -> SavedOwn {
    let own::Own { id, venue_order, px, qty, filled, ahead, traded, ahead_orders, expires, .. } = *own;
    let (key, bid) = (to.key(own.instrument), own.side == Side::Buy);
    SavedOwn { id, venue_order, key, bid, px, qty, filled, ahead, traded, ahead_orders, expires }
}
