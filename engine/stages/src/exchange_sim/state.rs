//! State out and in: terms and halts, what was taken, our orders by time, what is done, the session, the book.
//!
//! Instruments are written by the key of their listing, in the order of the keys; orders in that of time, which is also
//! what their lists follow from. Equal venues give equal bytes. Bound: the parameters; a state that exceeds them is
//! refused.

use super::SimulatedVenue;
use super::consumed::{self, Place};
use super::instrument::SimInstrument;
use super::resting::{self, Known, RestingOrder};
use flow::{Mic, Ns, Px, Side, Stage, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// An instrument and what we took of its levels: whether of the bids, price, quantity.
#[derive(Serialize, Deserialize)]
struct SavedInstrument {
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
    /// State out, as canonical bytes.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        self.answers.lanes.save(to);
        to.put(&(self.answers.venue_orders, self.answers.matches));
        let known = self.sim_instruments.iter().zip(0_u32..).filter(|(d, _)| d.listed || d.halts != 0);
        let mut sim_instruments: Vec<SavedInstrument> =
            known.map(|(d, at)| self.saved_instrument(d, to.key(at))).collect();
        sim_instruments.sort_by(|a, b| a.key.cmp(&b.key));
        to.put(&sim_instruments);
        let orders: Vec<SavedResting> =
            self.resting.by_time().map(|at| saved_resting(self.resting.get(at), to)).collect();
        to.put(&orders);
        to.put(&self.resting.remembered().collect::<Vec<u64>>());
        self.book.save(to);
    }

    fn saved_instrument(&self, sim_instrument: &SimInstrument, key: String) -> SavedInstrument {
        let mut taken: Vec<_> =
            self.consumed.of(sim_instrument.taken).map(|(s, px, qty)| (s == Side::Buy, px, qty)).collect();
        taken.sort_unstable();
        let SimInstrument { calendar, multiplier, qty_decimals, source, book, signed, halts, listed, .. } =
            *sim_instrument;
        SavedInstrument {
            key,
            calendar: calendar.0,
            multiplier,
            qty_decimals,
            source,
            book,
            signed,
            halts,
            listed,
            taken,
        }
    }

    /// State in, into a venue that was built with the same parameters; what was there before is gone.
    ///
    /// # Errors
    /// When the bytes are no such state, or exceed the bounds.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        for sim_instrument in &mut self.sim_instruments {
            self.consumed.clear(&mut sim_instrument.taken);
            *sim_instrument = SimInstrument::UNLISTED;
        }
        self.resting.clear();
        self.answers.lanes.load(from)?;
        (self.answers.venue_orders, self.answers.matches) = from.get()?;
        for saved in from.get::<Vec<SavedInstrument>>()? {
            self.load_desk(from, saved)?;
        }
        for saved in from.get::<Vec<SavedResting>>()? {
            self.load_own(from, saved)?;
        }
        let done: Vec<u64> = from.get()?;
        if done.len() > self.resting.capacity() {
            let limit = self.resting.capacity();
            return Err(StateError::TooLarge { what: "done orders", found: done.len(), limit });
        }
        for id in done {
            if id == 0 || self.resting.known(id) != Known::Unknown {
                return Err(StateError::Inconsistent("an order id twice, or none"));
            }
            self.resting.remember(id);
        }
        self.book.load(from)
    }

    fn load_desk(&mut self, from: &StateReader<'_>, saved: SavedInstrument) -> Result<(), StateError> {
        let at = from.instrument(&saved.key)? as usize;
        let limit = self.sim_instruments.len();
        let sim_instrument = self.sim_instruments.get_mut(at).ok_or(StateError::TooLarge {
            what: "instruments",
            found: at + 1,
            limit,
        })?;
        let SavedInstrument { calendar, multiplier, qty_decimals, source, book, signed, halts, listed, .. } = saved;
        let calendar = Mic(calendar);
        let (lists, none) = (sim_instrument.lists, consumed::NONE);
        *sim_instrument = SimInstrument {
            lists,
            taken: none,
            calendar,
            multiplier,
            qty_decimals,
            source,
            book,
            signed,
            halts,
            listed,
        };
        for (bid, px, qty) in saved.taken {
            if self.consumed.room() == 0 {
                let limit = self.consumed.capacity();
                return Err(StateError::TooLarge { what: "taken levels", found: limit + 1, limit });
            }
            let place = Place { instrument: at as u32, side: side_of(bid), px };
            if qty == 0 || self.consumed.has(place) {
                return Err(StateError::Inconsistent("a level of which nothing was taken, or one twice"));
            }
            self.consumed.take(&mut sim_instrument.taken, place, qty);
        }
        Ok(())
    }

    fn load_own(&mut self, from: &StateReader<'_>, saved: SavedResting) -> Result<(), StateError> {
        let instrument = from.instrument(&saved.key)?;
        if !self.resting.has_room() {
            let limit = self.resting.capacity();
            return Err(StateError::TooLarge { what: "own orders", found: limit + 1, limit });
        }
        let SavedResting { id, venue_order, px, qty, filled, ahead, traded, ahead_orders, expires, .. } = saved;
        let fits = id != 0 && filled < qty && traded <= ahead && self.resting.known(id) == Known::Unknown;
        let Some(sim_instrument) = self.sim_instruments.get_mut(instrument as usize).filter(|_| fits) else {
            return Err(StateError::Inconsistent("an order of ours that cannot be"));
        };
        let side = side_of(saved.bid);
        let terms = RestingOrder { id, venue_order, instrument, side, px, qty, ..RestingOrder::VACANT };
        self.resting
            .rest(&mut sim_instrument.lists, RestingOrder { filled, ahead, traded, ahead_orders, expires, ..terms });
        Ok(())
    }
}

fn saved_resting(own: &resting::RestingOrder, to: &StateWriter<'_>) -> SavedResting {
    let resting::RestingOrder { id, venue_order, px, qty, filled, ahead, traded, ahead_orders, expires, .. } = *own;
    let (key, bid) = (to.key(own.instrument), own.side == Side::Buy);
    SavedResting { id, venue_order, key, bid, px, qty, filled, ahead, traded, ahead_orders, expires }
}
