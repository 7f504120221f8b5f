//! The fills that were booked, so that a bust finds the one that it takes back, and a fill that is reported twice is booked
//! once.
//!
//! A fill is identified by its order and the venue's match number, as FIX does it by ExecID; a bust must also agree in
//! instrument, side, price and quantity, or nothing is taken back. A fill with the identity of a busted one is its correction;
//! with that of one that stands it is the same fill, reported twice, whatever its terms, and changes nothing. Match number 0
//! is no identity. Fills are numbered in the order in which they are booked, so whoever follows them can name one.
//!
//! Bound: the last `Space::fills` fills in a ring, with an [index](HashIndex); the oldest fill is forgotten first. Worst
//! case: colliding identities cost one probe per fill.

use crate::hash_index::HashIndex;
use flow::records::{Bust, DropCopy, Fill};
use flow::{Event, OrderId, Px, Reserve, Side, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// No remembered fill.
pub(super) const NO_FILL: u32 = u32::MAX;

/// A booked fill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Execution {
    pub(super) order: OrderId,
    pub(super) match_id: u64,
    pub(super) px: Px,
    pub(super) qty: u64,
    pub(super) instrument: u32,
    pub(super) side: Side,
    /// Whether the venue has busted it.
    pub(super) busted: bool,
    /// Slot of the next remembered fill of the same position.
    pub(super) next: u32,
}

impl Execution {
    /// The execution of a fill, or of a drop copy: that of no order of ours, under its account.
    pub(super) fn of(event: &Event) -> Execution {
        let (order, match_id, px, qty) = if let Some(copy) = event.get::<DropCopy>() {
            (OrderId::unsolicited(copy.account), copy.match_id, copy.px, copy.qty)
        } else {
            let fill: &Fill = event.record();
            (OrderId(fill.order_id), fill.match_id, fill.px, fill.qty)
        };
        Execution {
            order,
            match_id,
            px,
            qty: qty.0,
            instrument: event.instrument,
            side: event.side(),
            busted: false,
            next: NO_FILL,
        }
    }
}

/// Why a bust reverses nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unbooked {
    /// The fill is not known, or forgotten.
    Unknown,
    /// The fill was busted before.
    Repeated,
    /// Instrument, side, price or quantity differ.
    Mismatch,
}

/// An execution as it is saved.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    order: OrderId,
    match_id: u64,
    px: Px,
    qty: u64,
    key: String,
    side: Side,
    busted: bool,
}

/// What an identity is hashed from.
fn mixed(order: OrderId, match_id: u64) -> u64 {
    order.0 ^ match_id.rotate_left(32)
}

/// The remembered fills.
pub(super) struct Executions {
    ring: Reserve<Execution>,
    /// How many fills were ever booked: the number of the last one.
    booked: u64,
    len: usize,
    index: HashIndex,
}

impl Executions {
    /// Remembers the last `limit` fills, at least one.
    pub(super) fn new(limit: u32) -> Executions {
        let limit = limit.max(1) as usize;
        let vacant = Execution {
            order: OrderId(u64::MAX),
            match_id: 0,
            px: Px::NONE,
            qty: 0,
            instrument: 0,
            side: Side::None,
            busted: false,
            next: NO_FILL,
        };
        Executions { ring: Reserve::new(limit, vacant), booked: 0, len: 0, index: HashIndex::new(limit) }
    }

    /// Capacity.
    pub(super) fn limit(&self) -> usize {
        self.ring.bound()
    }

    /// How many fills were ever booked.
    pub(super) fn booked(&self) -> u64 {
        self.booked
    }

    /// Slot of the oldest fill, or of the next one if there is none.
    fn oldest(&self) -> usize {
        self.slot_of(self.booked + 1 - self.len as u64)
    }

    /// Slot of the fill with that number.
    fn slot_of(&self, number: u64) -> usize {
        ((number - 1) % self.limit() as u64) as usize
    }

    /// Number of the fill in a slot.
    pub(super) fn number_at(&self, slot: u32) -> u64 {
        let newest = self.slot_of(self.booked) as u64;
        self.booked - (newest + self.limit() as u64 - u64::from(slot)) % self.limit() as u64
    }

    /// Forgets the oldest fill if the ring is full, and returns it.
    pub(super) fn make_room(&mut self) -> Option<Execution> {
        if self.len < self.limit() {
            return None;
        }
        let oldest = self.oldest();
        let gone = self.ring[oldest];
        let at = self.seek(gone.order, gone.match_id);
        if self.index.get(at) == Some(oldest as u32) {
            let ring = &self.ring;
            self.index.remove(at, |slot| mixed(ring[slot as usize].order, ring[slot as usize].match_id));
        }
        self.len -= 1;
        Some(gone)
    }

    /// Remembers a fill and returns its slot; the caller has made room.
    pub(super) fn add(&mut self, execution: Execution) -> u32 {
        assert!(self.len < self.limit(), "room was made before");
        self.booked += 1;
        let slot = self.slot_of(self.booked);
        // A saved state may begin in the middle of the ring.
        self.ring.extend_to(slot + 1, execution);
        self.ring[slot] = execution;
        self.len += 1;
        if execution.match_id != 0 {
            let at = self.seek(execution.order, execution.match_id);
            let ring = &self.ring;
            self.index.set(at, slot as u32, |slot| mixed(ring[slot as usize].order, ring[slot as usize].match_id));
        }
        slot as u32
    }

    /// The execution in a slot that [`Executions::add`] returned and that is not forgotten.
    #[inline]
    pub(super) fn at(&self, slot: u32) -> &Execution {
        &self.ring[slot as usize]
    }

    /// [`Executions::at`], mutable.
    #[inline]
    pub(super) fn at_mut(&mut self, slot: u32) -> &mut Execution {
        &mut self.ring[slot as usize]
    }

    /// All of them, the oldest first.
    fn iter(&self) -> impl Iterator<Item = &Execution> {
        let first = self.booked + 1 - self.len as u64;
        (first..=self.booked).map(|number| &self.ring[self.slot_of(number)])
    }

    /// What a fill is to the fills that are remembered.
    #[inline]
    pub(super) fn told(&self, fill: &Execution) -> FillReport {
        let Some(slot) = self.named(fill.order, fill.match_id) else { return FillReport::First };
        let found = self.at(slot);
        match (found.busted, found.instrument == fill.instrument && found.side == fill.side) {
            (false, _) => FillReport::Twice,
            (true, true) => FillReport::Correction { of: self.number_at(slot), qty: found.qty },
            (true, false) => FillReport::First,
        }
    }

    /// Marks the execution that a bust names as busted and returns its slot.
    pub(super) fn bust(&mut self, event: &Event) -> Result<u32, Unbooked> {
        let bust: &Bust = event.record();
        let slot = self.named(OrderId(bust.order_id), bust.match_id).ok_or(Unbooked::Unknown)?;
        let found = &mut self.ring[slot as usize];
        let side = event.side();
        let agrees = (found.px, found.qty, found.instrument) == (bust.px, bust.qty.0, event.instrument)
            && (side == Side::None || side == found.side);
        match (found.busted, agrees) {
            (true, _) => Err(Unbooked::Repeated),
            (false, false) => Err(Unbooked::Mismatch),
            (false, true) => {
                found.busted = true;
                Ok(slot)
            }
        }
    }

    fn named(&self, order: OrderId, match_id: u64) -> Option<u32> {
        self.index.get(self.seek(order, match_id))
    }

    /// The slot of an identity in the index, or the slot where it would go.
    fn seek(&self, order: OrderId, match_id: u64) -> usize {
        self.index.seek(mixed(order, match_id), |slot| {
            let there = &self.ring[slot as usize];
            (there.order, there.match_id) == (order, match_id)
        })
    }

    /// Forgets all fills; the number of the next one is `booked` and one.
    pub(super) fn begin_after(&mut self, booked: u64) {
        self.index.clear();
        (self.booked, self.len) = (booked, 0);
    }

    /// All fills, for saving.
    pub(super) fn saved(&self, to: &StateWriter<'_>) -> Vec<Saved> {
        let saved = |e: &Execution| Saved {
            order: e.order,
            match_id: e.match_id,
            px: e.px,
            qty: e.qty,
            key: to.key(e.instrument),
            side: e.side,
            busted: e.busted,
        };
        self.iter().map(saved).collect()
    }
}

impl Saved {
    /// The execution, if the saved values are valid.
    pub(super) fn loaded(self, from: &StateReader<'_>) -> Result<Execution, StateError> {
        let Saved { order, match_id, px, qty, key, side, busted } = self;
        if side == Side::None || qty == 0 || px == Px::NONE {
            return Err(StateError::Inconsistent("a fill without side, quantity or price"));
        }
        let instrument = from.instrument(&key)?;
        Ok(Execution { order, match_id, px, qty, instrument, side, busted, next: NO_FILL })
    }
}

/// What a fill is to the fills that are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FillReport {
    /// One that was not reported before.
    First,
    /// The correction of a busted one.
    Correction {
        /// Its number.
        of: u64,
        /// Its quantity.
        qty: u64,
    },
    /// One that stands already.
    Twice,
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Flags, Ns, Qty};
    use std::collections::VecDeque;

    fn fill(order: u64, match_id: u64, side: Side, px: i64, qty: u64) -> Event {
        let fill = Fill { order_id: order, match_id, px: Px(px), qty: Qty(qty), cause: 0 };
        Event::new(Ns(0), 1, Flags::side_only(side), &fill)
    }

    fn bust(order: u64, match_id: u64, side: Side, px: i64, qty: u64) -> Event {
        let bust = Bust { order_id: order, match_id, px: Px(px), qty: Qty(qty), fee: 0 };
        Event::new(Ns(0), 1, Flags::side_only(side), &bust)
    }

    /// Remembers a fill unless it was reported before.
    fn take(known: &mut Executions, fill: &Event) -> FillReport {
        let report = known.told(&Execution::of(fill));
        if report != FillReport::Twice {
            known.make_room();
            known.add(Execution::of(fill));
        }
        report
    }

    #[test]
    fn a_bust_takes_back_the_fill_that_it_names_once() {
        let mut known = Executions::new(4);
        assert_eq!(take(&mut known, &fill(7, 1, Side::Buy, 10, 5)), FillReport::First);
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
        let slot = known.bust(&bust(7, 1, Side::None, 10, 5)).unwrap();
        assert_eq!((known.at(slot).qty, known.number_at(slot)), (5, 1));
        assert_eq!(known.bust(&bust(7, 1, Side::Buy, 10, 5)), Err(Unbooked::Repeated));
        let other_side = fill(7, 1, Side::Sell, 9, 4);
        assert_eq!(take(&mut known, &other_side), FillReport::First, "of another side: no correction");
    }

    #[test]
    fn a_correction_can_be_busted_again() {
        let mut known = Executions::new(4);
        take(&mut known, &fill(7, 1, Side::Sell, 10, 5));
        assert!(known.bust(&bust(7, 1, Side::Sell, 10, 5)).is_ok());
        let correction = fill(7, 1, Side::Sell, 9, 4);
        assert_eq!(take(&mut known, &correction), FillReport::Correction { of: 1, qty: 5 });
        assert_eq!(known.bust(&bust(7, 1, Side::Sell, 10, 5)), Err(Unbooked::Mismatch), "that one is gone");
        let slot = known.bust(&bust(7, 1, Side::Sell, 9, 4)).unwrap();
        assert_eq!(known.number_at(slot), 2);
    }

    #[test]
    fn a_fill_that_is_reported_twice_is_booked_once() {
        let mut known = Executions::new(4);
        let first = fill(7, 1, Side::Buy, 10, 5);
        assert_eq!(take(&mut known, &first), FillReport::First);
        for again in [first, fill(7, 1, Side::Buy, 11, 5), fill(7, 1, Side::Sell, 10, 5)] {
            assert_eq!(take(&mut known, &again), FillReport::Twice);
        }
        assert_eq!(take(&mut known, &fill(7, 2, Side::Buy, 10, 5)), FillReport::First, "another match");
        assert_eq!(take(&mut known, &fill(8, 1, Side::Buy, 10, 5)), FillReport::First, "another order");
        assert!(known.bust(&bust(7, 1, Side::Buy, 10, 5)).is_ok());
        let correction = fill(7, 1, Side::Buy, 9, 5);
        assert_eq!(take(&mut known, &correction), FillReport::Correction { of: 1, qty: 5 });
        assert_eq!(take(&mut known, &correction), FillReport::Twice, "so is a correction");
        for _ in 0..2 {
            assert_eq!(take(&mut known, &fill(9, 0, Side::Buy, 9, 5)), FillReport::First, "0 is no identity");
        }
    }

    /// Small rings and few identities, so that they wrap, collide and repeat.
    #[test]
    fn the_last_fills_are_known_by_their_names() {
        for limit in [1, 2, 5, 16] {
            let (mut known, mut drawn) = (Executions::new(limit), 1_u64);
            let mut model: VecDeque<(u64, u64, i64, bool)> = VecDeque::new();
            for n in 0..20_000_u64 {
                drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let (order, match_id) = (1 + (drawn >> 60), drawn >> 40 & 3);
                let is = |l: &(u64, u64, i64, bool)| (l.0, l.1) == (order, match_id) && match_id != 0;
                let at = model.iter().rposition(is);
                let number = |at: usize, known: &Executions| known.booked() - (model.len() - 1 - at) as u64;
                if drawn >> 20 & 1 == 0 {
                    let wanted = match at {
                        None => FillReport::First,
                        Some(at) if model[at].3 => FillReport::Correction { of: number(at, &known), qty: 1 },
                        Some(_) => FillReport::Twice,
                    };
                    assert_eq!(take(&mut known, &fill(order, match_id, Side::Buy, n as i64, 1)), wanted, "{n}");
                    if wanted != FillReport::Twice {
                        model.push_back((order, match_id, n as i64, false));
                    }
                    if model.len() > limit as usize {
                        model.pop_front();
                    }
                } else {
                    let px = at.map_or(0, |at| model[at].2);
                    let wanted = match at {
                        None => Err(Unbooked::Unknown),
                        Some(at) if model[at].3 => Err(Unbooked::Repeated),
                        Some(at) => Ok(number(at, &known)),
                    };
                    let found = known.bust(&bust(order, match_id, Side::Buy, px, 1));
                    assert_eq!(found.map(|slot| known.number_at(slot)), wanted, "{n}");
                    at.into_iter().for_each(|at| model[at].3 = true);
                }
                let kept: Vec<_> = known.iter().map(|e| (e.order.0, e.match_id, e.px.0, e.busted)).collect();
                assert_eq!(kept, Vec::from(model.clone()), "{n}");
            }
        }
    }
}
