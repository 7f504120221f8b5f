//! Order-flow imbalance: what changes of best bid and ask add to demand and to supply (Cont, Kukanov and Stoikov 2014).
//!
//! A side that keeps its price adds the difference of its quantities, one that moves to a better price all of the new quantity, and one that
//! moves to a worse price takes away all of the old one. Time is cut into pieces of a sixtieth of the window, as in `pace`; a ring keeps the
//! sums of those before the running one. All sums are integers.
//!
//! Bound: per instrument, 59 pieces of 16 bytes. Worst case: a change after a quiet window pushes as many empty pieces.

use super::piece::piece_of;
use super::{Context, Measure, MeasureState, Needs, PerInstrument, Rings, Session, Touch};
use crate::Space;
use flow::records::{BookTop, OrderFlowImbalance};
use flow::{
    Event, IntParam, Kind, Kinds, Ns, Param, ParamError, Params, Px, Qty, StateError, StateReader, StateWriter,
};
use serde::{Deserialize, Serialize};

const WINDOW: IntParam<u16> = IntParam::new("window", (1, 3_600), "60", "length of the window").unit("seconds");

/// Parameters.
pub const PARAMS: &[Param] = &[WINDOW.param()];

/// More than a session can add up to: 2^56 changes of the largest quantity.
const MOST: u128 = 1 << 120;
/// Pieces of a window.
const PIECES: u64 = 60;

/// The measure `ofi`.
pub struct Ofi {
    window_s: u16,
}

/// Sums of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sums {
    session: Session,
    /// Number of the running piece, from the Unix epoch.
    piece: u64,
    /// Of the running piece.
    running: i128,
    /// Of the window: the running piece and those of the ring.
    recent: i128,
    all: i128,
}

/// The sums of all instruments.
pub struct Flows {
    sums: PerInstrument<Sums>,
    /// The pieces before the running one.
    pieces: Rings<i128>,
}

impl Measure for Ofi {
    type Records = OrderFlowImbalance;
    type State = Flows;

    fn new(params: &Params, space: Space) -> Result<(Ofi, Flows), ParamError> {
        let pieces = Rings::new(space, PIECES as u16 - 1);
        Ok((Ofi { window_s: params.get(WINDOW) }, Flows { sums: PerInstrument::new(space), pieces }))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::BookTop]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::BookTop]) }
    }

    fn needs(&self) -> Needs {
        Needs { touch: true, ..Needs::SESSIONS }
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.window_s.into()]
    }

    #[inline]
    fn on(&self, flows: &mut Flows, context: &Context, event: &Event) -> Option<OrderFlowImbalance> {
        let top: &BookTop = event.get()?;
        let sums = flows.sums.get_mut(event.instrument)?;
        let piece = piece_of(event.ts, u64::from(self.window_s) * Ns::SECOND / PIECES, sums.piece);
        if sums.session.is_over(event.ts) {
            // What the night did to the book is no flow of this session.
            *sums = Sums { session: context.session(event.instrument, event.ts), piece, ..Sums::default() };
            flows.pieces.empty(event.instrument);
            return None;
        }
        for _ in 0..piece.saturating_sub(sums.piece).min(PIECES) {
            let gone = flows.pieces.push(event.instrument, std::mem::take(&mut sums.running));
            sums.recent -= gone.unwrap_or_default();
        }
        sums.piece = sums.piece.max(piece);
        let change = change(&context.touch(event.instrument), &Touch::from(top));
        for sum in [&mut sums.running, &mut sums.recent, &mut sums.all] {
            *sum += change;
        }
        Some(OrderFlowImbalance {
            change: limited(change),
            session: limited(sums.all),
            recent: limited(sums.recent),
            window_s: self.window_s,
            ..OrderFlowImbalance::default()
        })
    }
}

/// What a change from one touch to the next adds: demand less supply.
fn change(before: &Touch, now: &Touch) -> i128 {
    let bid = |px, qty| side(px, qty, 1);
    let ask = |px, qty| side(px, qty, -1);
    let demand = added(bid(before.bid_px, before.bid_qty), bid(now.bid_px, now.bid_qty));
    let supply = added(ask(before.ask_px, before.ask_qty), ask(now.ask_px, now.ask_qty));
    demand - supply
}

/// How good a side's price is, and its quantity. An empty side is worse than any: one that appears adds all its quantity, and one that
/// disappears takes it away.
fn side(px: Px, qty: Qty, sign: i128) -> (i128, i128) {
    px.known().map_or((i128::MIN, 0), |px| (sign * i128::from(px.0), i128::from(qty.0)))
}

fn added((good_before, qty_before): (i128, i128), (good, qty): (i128, i128)) -> i128 {
    let new = if good >= good_before { qty } else { 0 };
    let old = if good <= good_before { qty_before } else { 0 };
    new - old
}

/// A sum as a record holds it.
fn limited(sum: i128) -> i64 {
    sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

impl MeasureState for Flows {
    fn list(&mut self, instrument: u32) {
        self.sums.list(instrument);
        self.pieces.list(instrument);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.sums.save(to);
        self.pieces.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.sums.load(from)?;
        self.pieces.load(from)?;
        for (instrument, sums) in self.sums.iter() {
            let each = || self.pieces.held(instrument).chain([sums.running]);
            // Beside sums that a market can have no change overflows.
            let is_sound = each().chain([sums.all]).all(|sum| sum.unsigned_abs() < MOST);
            if !is_sound || each().sum::<i128>() != sums.recent {
                return Err(StateError::Inconsistent(
                    "a window that is not the sum of its pieces, or sums beyond all markets",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(bid: i64, bid_qty: u64, ask: i64, ask_qty: u64) -> Touch {
        let px = |px: i64, qty: u64| if qty == 0 { Px::NONE } else { Px(px) };
        Touch { bid_px: px(bid, bid_qty), bid_qty: Qty(bid_qty), ask_px: px(ask, ask_qty), ask_qty: Qty(ask_qty) }
    }

    fn changes(touches: &[Touch]) -> Vec<i128> {
        touches.windows(2).map(|two| change(&two[0], &two[1])).collect()
    }

    #[test]
    fn the_worked_numbers() {
        let quotes = [
            touch(10_000, 300, 10_002, 100),
            touch(10_001, 200, 10_002, 150),
            touch(10_001, 250, 10_002, 120),
            touch(10_000, 400, 10_002, 120),
            touch(10_000, 380, 10_001, 90),
            touch(10_000, 380, 10_003, 210),
        ];
        assert_eq!(changes(&quotes), [150, 80, -250, -110, 90]);
        assert_eq!(changes(&quotes).iter().sum::<i128>(), -40);
    }

    #[test]
    fn a_side_that_comes_or_goes_counts_whole() {
        let touches =
            [touch(0, 0, 0, 0), touch(10, 7, 0, 0), touch(10, 7, 12, 5), touch(0, 0, 12, 4), touch(0, 0, 0, 0)];
        assert_eq!(changes(&touches), [7, -5, -7 + 1, 4]);
    }

    #[test]
    fn locked_and_crossed_touches_count_like_any_other() {
        let touches = [touch(10, 7, 12, 5), touch(12, 3, 12, 5), touch(13, 2, 12, 5), touch(10, 1, 12, 6)];
        assert_eq!(changes(&touches), [3, 2, -2 - 1]);
    }
}
