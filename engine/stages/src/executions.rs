//! The fills that were booked, so that a bust finds the one it reverses, and a fill that is reported twice is booked once.
//!
//! Every stage that follows fills keeps its own table and reverses what it booked itself. Orders, risk and strategies see
//! the same fills and busts and remember equally many, so they agree. A fill is identified by its order and the venue's
//! match number, as FIX does it by ExecID; a bust must also agree in instrument, side, price and quantity, or nothing is
//! reversed. A fill with the identity of a busted one is its correction; with that of one that stands it is the same fill,
//! reported twice, whatever its terms, and changes nothing. Match number 0 is no identity.
//!
//! Bound: the last `Space::fills` fills in a ring, with an [index](HashIndex); the oldest fill is forgotten first. Worst
//! case: colliding identities cost one probe per fill.

use crate::hash_index::HashIndex;
use flow::records::{Bust, Fill};
use flow::{Event, OrderId, Px, Reserve, Side, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// A booked fill.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Execution<T> {
    pub(crate) order: OrderId,
    pub(crate) number: u64,
    pub(crate) px: Px,
    pub(crate) qty: u64,
    pub(crate) instrument: u32,
    pub(crate) side: Side,
    /// Whether the venue has busted it.
    pub(crate) busted: bool,
    /// What the stage that follows it keeps with it.
    pub(crate) note: T,
}

impl<T> Execution<T> {
    /// The execution of a fill that is booked on `side`.
    pub(crate) fn of(event: &Event, side: Side, note: T) -> Execution<T> {
        let fill: &Fill = event.record();
        let (order, number) = (OrderId(fill.order_id), fill.match_id);
        Execution {
            order,
            number,
            px: fill.px,
            qty: fill.qty.0,
            instrument: event.instrument,
            side,
            busted: false,
            note,
        }
    }

    /// Its signed quantity; saturates.
    pub(crate) fn signed(&self) -> i64 {
        let size = i64::try_from(self.qty).unwrap_or(i64::MAX);
        if self.side == Side::Sell { -size } else { size }
    }
}

/// Why a bust reverses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unbooked {
    /// The fill is not known, or forgotten.
    Unknown,
    /// The fill was busted before.
    Repeated,
    /// Instrument, side, price or quantity differ.
    Mismatch,
}

/// An execution as it is saved.
#[derive(Serialize, Deserialize)]
pub(crate) struct Saved<T> {
    order: OrderId,
    number: u64,
    px: Px,
    qty: u64,
    key: String,
    side: Side,
    busted: bool,
    note: T,
}

/// What an identity is hashed from.
fn mixed(order: OrderId, number: u64) -> u64 {
    order.0 ^ number.rotate_left(32)
}

/// The remembered fills.
pub(crate) struct Executions<T> {
    ring: Reserve<Execution<T>>,
    /// Slot of the oldest fill.
    oldest: usize,
    len: usize,
    index: HashIndex,
}

impl<T: Copy> Executions<T> {
    /// Remembers the last `limit` fills, at least one; `note` fills the memory.
    pub(crate) fn new(limit: u32, note: T) -> Executions<T> {
        let limit = limit.max(1) as usize;
        let vacant = Execution {
            order: OrderId(u64::MAX),
            number: 0,
            px: Px::NONE,
            qty: 0,
            instrument: 0,
            side: Side::None,
            busted: false,
            note,
        };
        Executions { ring: Reserve::new(limit, vacant), oldest: 0, len: 0, index: HashIndex::new(limit) }
    }

    /// Capacity.
    pub(crate) fn limit(&self) -> usize {
        self.ring.bound()
    }

    /// Forgets the oldest fill if the ring is full, and returns it.
    pub(crate) fn make_room(&mut self) -> Option<Execution<T>> {
        if self.len < self.limit() {
            return None;
        }
        let gone = self.ring[self.oldest];
        let at = self.seek(gone.order, gone.number);
        if self.index.get(at) == Some(self.oldest as u32) {
            let ring = &self.ring;
            self.index.remove(at, |place| mixed(ring[place as usize].order, ring[place as usize].number));
        }
        self.oldest = (self.oldest + 1) % self.limit();
        self.len -= 1;
        Some(gone)
    }

    /// Remembers a fill and returns its slot; the caller has made room.
    pub(crate) fn add(&mut self, execution: Execution<T>) -> u32 {
        assert!(self.len < self.limit(), "room was made before");
        let place = (self.oldest + self.len) % self.limit();
        match self.ring.get_mut(place) {
            Some(gone) => *gone = execution,
            None => {
                self.ring.push(execution);
            }
        }
        self.len += 1;
        if execution.number != 0 {
            let at = self.seek(execution.order, execution.number);
            self.index.set(at, place as u32);
        }
        place as u32
    }

    /// The execution in a slot that [`Executions::add`] returned and that is not forgotten.
    #[inline]
    pub(crate) fn at(&self, place: u32) -> &Execution<T> {
        &self.ring[place as usize]
    }

    /// [`Executions::at`], mutable.
    #[inline]
    pub(crate) fn at_mut(&mut self, place: u32) -> &mut Execution<T> {
        &mut self.ring[place as usize]
    }

    /// All of them, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Execution<T>> {
        let (first, second) = (&self.ring[self.oldest..], &self.ring[..self.oldest]);
        first.iter().chain(second).take(self.len)
    }

    /// What a fill on `side` is to the fills that are remembered.
    #[inline]
    pub(crate) fn told(&self, event: &Event, side: Side) -> FillReport<T> {
        let fill: &Fill = event.record();
        let Some(place) = self.named(OrderId(fill.order_id), fill.match_id) else { return FillReport::First };
        let found = self.at(place);
        match (found.busted, found.instrument == event.instrument && found.side == side) {
            (false, _) => FillReport::Twice,
            (true, true) => FillReport::Correction(*found),
            (true, false) => FillReport::First,
        }
    }

    /// Marks the execution that a bust names as busted and returns its slot.
    pub(crate) fn bust(&mut self, event: &Event) -> Result<u32, Unbooked> {
        let bust: &Bust = event.record();
        let place = self.named(OrderId(bust.order_id), bust.match_id).ok_or(Unbooked::Unknown)?;
        let found = &mut self.ring[place as usize];
        let side = event.side();
        let agrees = (found.px, found.qty, found.instrument) == (bust.px, bust.qty.0, event.instrument)
            && (side == Side::None || side == found.side);
        match (found.busted, agrees) {
            (true, _) => Err(Unbooked::Repeated),
            (false, false) => Err(Unbooked::Mismatch),
            (false, true) => {
                found.busted = true;
                Ok(place)
            }
        }
    }

    fn named(&self, order: OrderId, number: u64) -> Option<u32> {
        self.index.get(self.seek(order, number))
    }

    /// The slot of an identity in the index, or the slot where it would go.
    fn seek(&self, order: OrderId, number: u64) -> usize {
        self.index.seek(mixed(order, number), |place| {
            let there = &self.ring[place as usize];
            (there.order, there.number) == (order, number)
        })
    }

    /// Forgets all fills.
    pub(crate) fn clear(&mut self) {
        self.index.clear();
        (self.oldest, self.len) = (0, 0);
    }

    /// All fills with their notes, for saving.
    pub(crate) fn saved<N>(&self, to: &StateWriter<'_>, note: impl Fn(T) -> N) -> Vec<Saved<N>> {
        let saved = |e: &Execution<T>| Saved {
            order: e.order,
            number: e.number,
            px: e.px,
            qty: e.qty,
            key: to.key(e.instrument),
            side: e.side,
            busted: e.busted,
            note: note(e.note),
        };
        self.iter().map(saved).collect()
    }
}

impl<N> Saved<N> {
    /// The execution, if the saved values are valid.
    pub(crate) fn loaded<T>(self, from: &StateReader<'_>, note: impl Fn(N) -> T) -> Result<Execution<T>, StateError> {
        let Saved { order, number, px, qty, key, side, busted, note: saved } = self;
        if side == Side::None || qty == 0 || px == Px::NONE {
            return Err(StateError::Inconsistent("a fill without side, quantity or price"));
        }
        let instrument = from.instrument(&key)?;
        Ok(Execution { order, number, px, qty, instrument, side, busted, note: note(saved) })
    }
}

/// What a fill is to the fills that are remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FillReport<T> {
    /// One that was not reported before.
    First,
    /// The correction of this busted one.
    Correction(Execution<T>),
    /// One that stands already.
    Twice,
}

/// What a fill means for positions and open quantities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Booked {
    /// It changes the position and fills open quantity.
    Filled,
    /// It corrects a busted fill: it changes the position, and no open quantity is filled.
    Corrected,
    /// It was reported before: it changes nothing.
    Repeated,
}

impl Executions<()> {
    /// Remembers a fill booked on `side`.
    #[inline]
    pub(crate) fn fill(&mut self, event: &Event, side: Side) -> Booked {
        let fill: &Fill = event.record();
        if side == Side::None || fill.qty.0 == 0 || fill.px == Px::NONE {
            return Booked::Filled;
        }
        let booked = match self.told(event, side) {
            FillReport::Twice => return Booked::Repeated,
            FillReport::Correction(_) => Booked::Corrected,
            FillReport::First => Booked::Filled,
        };
        self.make_room();
        self.add(Execution::of(event, side, ()));
        booked
    }

    /// The signed quantity that a bust takes off a position, if it reverses a fill.
    #[cold]
    pub(crate) fn reversed(&mut self, event: &Event) -> Option<i64> {
        let place = self.bust(event).ok()?;
        Some(self.at(place).signed())
    }

    /// Saves all fills.
    pub(crate) fn save(&self, to: &mut StateWriter<'_>) {
        let saved = self.saved(to, |()| ());
        to.put(&saved);
    }

    /// Replaces all fills by the saved ones.
    pub(crate) fn load(&mut self, from: &mut StateReader<'_>, instruments: usize) -> Result<(), StateError> {
        self.clear();
        let saved: Vec<Saved<()>> = from.get()?;
        too_many(saved.len(), self.limit())?;
        for one in saved {
            let execution = one.loaded(from, |()| ())?;
            if execution.instrument as usize >= instruments {
                let found = execution.instrument as usize + 1;
                return Err(StateError::TooLarge { what: "instruments", found, limit: instruments });
            }
            self.add(execution);
        }
        Ok(())
    }
}

/// An error if there are more fills than fit.
pub(crate) fn too_many(found: usize, limit: usize) -> Result<(), StateError> {
    if found > limit { Err(StateError::TooLarge { what: "fills", found, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Flags, Ns, Qty};
    use std::collections::VecDeque;

    fn fill(order: u64, number: u64, side: Side, px: i64, qty: u64) -> Event {
        let fill = Fill { order_id: order, match_id: number, px: Px(px), qty: Qty(qty), cause: 0 };
        Event::new(Ns(0), 1, Flags::side_only(side), &fill)
    }

    fn bust(order: u64, number: u64, side: Side, px: i64, qty: u64) -> Event {
        let bust = Bust { order_id: order, match_id: number, px: Px(px), qty: Qty(qty), fee: 0 };
        Event::new(Ns(0), 1, Flags::side_only(side), &bust)
    }

    #[test]
    fn a_bust_takes_back_the_fill_that_it_names_once() {
        let mut known = Executions::new(4, ());
        assert_eq!(known.fill(&fill(7, 1, Side::Buy, 10, 5), Side::Buy), Booked::Filled);
        for wrong in [
            bust(7, 1, Side::Sell, 10, 5),
            bust(7, 1, Side::Buy, 11, 5),
            bust(7, 1, Side::Buy, 10, 6),
            Event { instrument: 2, ..bust(7, 1, Side::Buy, 10, 5) },
        ] {
            assert_eq!(known.bust(&wrong), Err(Unbooked::Mismatch), "{wrong:?}");
        }
        assert_eq!(known.bust(&bust(8, 1, Side::Buy, 10, 5)), Err(Unbooked::Unknown));
        assert_eq!(known.bust(&bust(7, 0, Side::Buy, 10, 5)), Err(Unbooked::Unknown));
        assert_eq!(known.reversed(&bust(7, 1, Side::None, 10, 5)), Some(5));
        assert_eq!(known.bust(&bust(7, 1, Side::Buy, 10, 5)), Err(Unbooked::Repeated));
        assert_eq!(
            known.fill(&fill(7, 1, Side::Sell, 9, 4), Side::Sell),
            Booked::Filled,
            "of another side: no correction"
        );
    }

    #[test]
    fn a_correction_can_be_busted_again() {
        let mut known = Executions::new(4, ());
        known.fill(&fill(7, 1, Side::Sell, 10, 5), Side::Sell);
        assert_eq!(known.reversed(&bust(7, 1, Side::Sell, 10, 5)), Some(-5));
        assert_eq!(known.fill(&fill(7, 1, Side::Sell, 9, 4), Side::Sell), Booked::Corrected);
        assert_eq!(known.bust(&bust(7, 1, Side::Sell, 10, 5)), Err(Unbooked::Mismatch), "that one is gone");
        assert_eq!(known.reversed(&bust(7, 1, Side::Sell, 9, 4)), Some(-4));
    }

    #[test]
    fn a_fill_that_is_reported_twice_is_booked_once() {
        let mut known = Executions::new(4, ());
        let first = fill(7, 1, Side::Buy, 10, 5);
        assert_eq!(known.fill(&first, Side::Buy), Booked::Filled);
        for again in [first, fill(7, 1, Side::Buy, 11, 5), fill(7, 1, Side::Sell, 10, 5)] {
            assert_eq!(known.fill(&again, again.side()), Booked::Repeated);
        }
        assert_eq!(known.fill(&fill(7, 2, Side::Buy, 10, 5), Side::Buy), Booked::Filled, "another match");
        assert_eq!(known.fill(&fill(8, 1, Side::Buy, 10, 5), Side::Buy), Booked::Filled, "another order");
        assert_eq!(known.reversed(&bust(7, 1, Side::Buy, 10, 5)), Some(5));
        assert_eq!(known.fill(&fill(7, 1, Side::Buy, 9, 5), Side::Buy), Booked::Corrected);
        assert_eq!(known.fill(&fill(7, 1, Side::Buy, 9, 5), Side::Buy), Booked::Repeated, "so is a correction");
        for _ in 0..2 {
            assert_eq!(known.fill(&fill(9, 0, Side::Buy, 9, 5), Side::Buy), Booked::Filled, "0 is no identity");
        }
    }

    /// Small rings and few identities, so that they wrap, collide and repeat.
    #[test]
    fn the_last_fills_are_known_by_their_names() {
        for limit in [1, 2, 5, 16] {
            let (mut known, mut drawn) = (Executions::new(limit, ()), 1_u64);
            let mut model: VecDeque<(u64, u64, i64, bool)> = VecDeque::new();
            for n in 0..20_000_u64 {
                drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let (order, number) = (1 + (drawn >> 60), drawn >> 40 & 3);
                if drawn >> 20 & 1 == 0 {
                    let latest = model.iter().rev().find(|(o, m, ..)| (*o, *m) == (order, number) && number != 0);
                    let wanted = match latest {
                        None => Booked::Filled,
                        Some((.., true)) => Booked::Corrected,
                        Some(_) => Booked::Repeated,
                    };
                    assert_eq!(known.fill(&fill(order, number, Side::Buy, n as i64, 1), Side::Buy), wanted, "{n}");
                    if wanted != Booked::Repeated {
                        model.push_back((order, number, n as i64, false));
                    }
                    if model.len() > limit as usize {
                        model.pop_front();
                    }
                } else {
                    let latest = model.iter_mut().rev().find(|(o, m, ..)| (*o, *m) == (order, number) && number != 0);
                    let px = latest.as_ref().map_or(0, |l| l.2);
                    let wanted = match latest {
                        None => Err(Unbooked::Unknown),
                        Some((.., true)) => Err(Unbooked::Repeated),
                        Some(l) => {
                            l.3 = true;
                            Ok(())
                        }
                    };
                    assert_eq!(known.bust(&bust(order, number, Side::Buy, px, 1)).map(drop), wanted, "{n}");
                }
                let kept: Vec<_> = known.iter().map(|e| (e.order.0, e.number, e.px.0, e.busted)).collect();
                assert_eq!(kept, Vec::from(model.clone()), "{n}");
            }
        }
    }
}
