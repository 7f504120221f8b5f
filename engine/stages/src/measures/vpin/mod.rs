//! VPIN: how one-sided the last buckets of equal volume were.
//!
//! Bought volume is separated from sold volume in one of two ways: by the aggressor of every trade (`exact`), or by the
//! price move of every bar (`bulk`). Both feed the same buckets. Exact signing uses integers, except for the division when
//! a bucket closes. Where trades are signed, a broken one is taken out of what is open; bars come when they are closed.
//!
//! Bound: per instrument, a cache line, a time, a size and a ring of the window. Worst case: a trade that closes more buckets than the
//! window holds, linear in the window.

mod buckets;
mod bulk;

use super::{Aggressor, BySession, Context, Measure, MeasureState, Needs, counted, counted_before, emit, inferred};
use crate::{Space, keyed};
use buckets::{Buckets, Closing, SavedFlow};
use bulk::{Bulk, SavedMoves};
use flow::records::{self, Bar, BarFlow, Memory, VpinFlow};
use flow::{
    ChoiceParam, Event, Flags, IntParam, Interval, Kind, Kinds, Lasting, Out, Param, ParamError, ParamInForce, Params,
    Qty, StateError, StateReader, StateWriter, TextParam, VpinMode,
};

const BUCKET_QTY: IntParam = IntParam::new(
    "bucket_qty",
    (1, Buckets::MAX_QUANTITY),
    "10000",
    "volume of a bucket; must be many times a usual trade, else every bucket is one-sided",
)
.unit("smallest unit of the instrument");
const WINDOW: IntParam<u16> = IntParam::new(
    "window",
    (1, Buckets::MAX_WINDOW),
    "50",
    "number of buckets in the mean; 8 bytes each per instrument, allocated at the start",
)
.unit("buckets");
const MODE: ChoiceParam<VpinMode> = ChoiceParam::new(
    "mode",
    VpinMode::CHOICES,
    "exact",
    "how volume is signed: by the aggressor of every trade, or by the price move of every bar",
);
const BULK_BAR: TextParam =
    TextParam::new("bulk_bar", "1m", "bulk mode: length of the bars, one that the pipeline or a feed provides");
const SIGMA_BARS: IntParam<u16> = IntParam::new(
    "sigma_bars",
    (2, 4_096),
    "390",
    "bulk mode: number of moves in sigma; 8 bytes each per instrument, allocated at the start",
)
.unit("bars");

/// Parameters.
pub const PARAMS: &[Param] = &[
    BUCKET_QTY.next_session().per_symbol().param(),
    WINDOW.param(),
    MODE.param(),
    BULK_BAR.param(),
    SIGMA_BARS.param(),
];

/// The measure `vpin`.
pub struct Vpin {
    window: u16,
    /// Length of the bars to classify; `None` = trades are classified.
    bar_s: Option<u32>,
}

/// Its state.
pub struct Volume {
    buckets: Buckets,
    bulk: Option<Bulk>,
}

/// The records of a closed bucket.
type Closed = (records::Vpin, VpinFlow);

impl Measure for Vpin {
    type Records = Closed;
    type State = Volume;

    fn new(params: &Params, space: Space) -> Result<(Vpin, Volume), ParamError> {
        let text = params.get(BULK_BAR);
        let interval = text.parse::<Interval>().map_err(|e| {
            let (key, found) = ("vpin.bulk_bar".to_owned(), text.to_owned());
            ParamError { key, found, valid: e.to_string() }
        })?;
        let bar_s = (params.get(MODE) == VpinMode::Bulk).then_some(interval.seconds());
        let sizes = BySession::new(PARAMS, BUCKET_QTY.next_session().per_symbol(), params, space.instruments)?;
        let window = params.get(WINDOW);
        let bulk = bar_s.map(|seconds| Bulk::new(space.instruments, seconds, params.get(SIGMA_BARS)));
        let buckets = Buckets::new(space.instruments, sizes, window, bulk.is_some());
        Ok((Vpin { window, bar_s }, Volume { buckets, bulk }))
    }

    #[inline(always)]
    fn reads(&self) -> Kinds {
        match self.bar_s {
            None => Kinds::of(&[Kind::Trade, Kind::BrokenTrade]),
            Some(_) => Kinds::of(&[Kind::Bar, Kind::BarFlow]),
        }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs::SESSIONS
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.window.into(), self.bar_s.unwrap_or(0).into()]
    }

    const VARIES: bool = true;

    fn belongs_to(&self, volume: &mut Volume, owner: u16) {
        volume.buckets.sizes.belongs_to(owner);
    }

    fn vary(&self, volume: &mut Volume, event: &Event, out: &mut Out) {
        volume.buckets.sizes.vary(event, out);
    }

    fn in_force(&self, volume: &Volume) -> Vec<ParamInForce> {
        volume.buckets.sizes.in_force()
    }

    const LASTS: bool = true;

    fn remember(&self, volume: &Volume, to: &mut Lasting) {
        volume.remember(to);
    }

    fn recall(&self, volume: &mut Volume, instrument: u32, row: &Memory) {
        volume.recall(instrument, row);
    }

    fn badge(&self, _: &Volume, event: &Event) -> Flags {
        // A trade that closes a bucket has a side; bars are classified without one.
        if event.kind == Kind::Trade { inferred(event) } else { Flags::NONE }
    }

    fn on(&self, volume: &mut Volume, context: &Context, event: &Event) -> Option<Closed> {
        match event.kind {
            Kind::Trade => volume.trade(context, event),
            Kind::BrokenTrade => {
                volume.broken(context, event);
                None
            }
            Kind::Bar | Kind::BarFlow => volume.bar(context, event),
            _ => None,
        }
    }

    #[inline(always)]
    fn run(&self, volume: &mut Volume, context: &Context, event: &Event, out: &mut Out) {
        if !volume.absorbs(event) {
            self.run_seldom(volume, context, event, out);
        }
    }
}

impl Vpin {
    /// Every case but the usual trade, out of line: output needs stack space that the usual trade should not reserve.
    #[cold]
    #[inline(never)]
    fn run_seldom(&self, volume: &mut Volume, context: &Context, event: &Event, out: &mut Out) {
        if let Some(closed) = self.on(volume, context, event) {
            emit(&closed, self.badge(volume, event), event, out);
        }
    }
}

impl Volume {
    fn remember(&self, to: &mut Lasting) {
        let moves = self.bulk.as_ref().map_or(0, |bulk| bulk.moves.values().len());
        for at in 1..self.buckets.flows.values().len().max(moves) {
            let instrument = at as u32;
            if let Some((rows, ring)) = self.buckets.lasting(at) {
                [SIZE, FLOW, SUMS, SESSION]
                    .into_iter()
                    .zip(rows)
                    .for_each(|(key, row)| to.put(instrument, key, 0, row));
                ring_rows(&ring).for_each(|(index, row)| to.put(instrument, RING, index, row));
            }
            if let Some((moves, ring)) = self.bulk.as_ref().and_then(|bulk| bulk.lasting(at)) {
                to.put(instrument, MOVES, 0, moves);
                ring_rows(&ring).for_each(|(index, row)| to.put(instrument, MOVE_RING, index, row));
            }
        }
    }

    fn recall(&mut self, instrument: u32, row: &Memory) {
        let (at, values) = (instrument as usize, row.values());
        let each = || values.into_iter().filter(|value| *value != NOTHING);
        match (row.key, &mut self.bulk) {
            _ if at >= self.buckets.flows.values().len() => {}
            (SIZE, _) => self.buckets.recall_size(at, values),
            (MOVES, Some(bulk)) => bulk.recall(at, values),
            (MOVE_RING, Some(bulk)) => each().for_each(|by| bulk.push(at, by)),
            _ if self.buckets.sizes.running(at).is_none() => {}
            (FLOW, _) => self.buckets.recall(at, values),
            (SUMS, _) => self.buckets.recall_sums(at, values),
            (SESSION, _) => self.buckets.recall_session(at, values),
            (RING, _) => each().for_each(|imbalance| self.buckets.recall_closed(at, imbalance)),
            _ => {}
        }
    }

    /// Handles the usual trade, which closes no bucket, without a call and without an unpredictable branch.
    #[inline(always)]
    fn absorbs(&mut self, event: &Event) -> bool {
        let Some((at, trade)) = counted(event).and_then(|trade| Some((self.place(event)?, trade))) else {
            return false;
        };
        let aggressor = Aggressor::of(event);
        let begins = self.buckets.flows[at].session.is_over(event.ts);
        !begins && aggressor.is_known() && self.buckets.add_within(at, trade.qty, aggressor)
    }

    #[inline]
    fn place(&self, event: &Event) -> Option<usize> {
        let at = event.instrument as usize;
        (at != 0 && at < self.buckets.flows.bound()).then_some(at)
    }

    /// Handles any trade: it may begin a session, have no aggressor, or close buckets.
    fn trade(&mut self, context: &Context, event: &Event) -> Option<Closed> {
        let (trade, at) = (counted(event)?, self.place(event)?);
        if self.buckets.flows[at].session.is_over(event.ts) {
            self.buckets.begin(at, context.session(event.instrument, event.ts), event.ts);
        }
        let aggressor = Aggressor::of(event);
        if !aggressor.is_known() {
            let flow = &mut self.buckets.flows[at];
            flow.unsigned_qty = flow.unsigned_qty.saturating_add(trade.qty.0);
            return None;
        }
        if self.buckets.add_within(at, trade.qty, aggressor) {
            return None;
        }
        let closing = self.buckets.add_over(at, trade.qty, aggressor, event.ts);
        Some(self.closed(at, closing, VpinMode::Exact))
    }

    /// Takes a broken trade out of the open session and the open bucket.
    fn broken(&mut self, context: &Context, event: &Event) {
        let (Some(trade), Some(at)) = (counted_before(event), self.place(event)) else { return };
        let (aggressor, flow) = (Aggressor::of(event), &mut self.buckets.flows[at]);
        if flow.session == context.session(event.instrument, trade.trade_ts) {
            flow.take_out(trade.qty, aggressor);
        }
        if aggressor.is_known() {
            self.buckets.take_out(at, trade.qty, aggressor, trade.trade_ts);
        }
    }

    fn bar(&mut self, context: &Context, event: &Event) -> Option<Closed> {
        let (at, bulk) = (self.place(event)?, self.bulk.as_mut()?);
        if event.flags.has(Flags::SNAPSHOT) {
            return None;
        }
        if let Some(bar) = event.get::<Bar>() {
            if bar.interval_s == bulk.interval_s {
                bulk.classify(at, bar);
            }
            return None;
        }
        let bar: &BarFlow = event.record();
        let moves = &mut bulk.moves[at];
        let (part, start) = (bar.interval_s == bulk.interval_s).then(|| moves.take()).flatten()?;
        if self.buckets.flows[at].session.is_over(start) {
            self.buckets.begin(at, context.session(event.instrument, start), start);
            moves.carry = Default::default();
        }
        let closing = self.buckets.add_part(at, bar.volume.known()?.0, part, &mut moves.carry)?;
        Some(self.closed(at, closing, VpinMode::Bulk))
    }

    #[cold]
    fn closed(&self, at: usize, closing: Closing, mode: VpinMode) -> Closed {
        let (flow, quantity) = (&self.buckets.flows[at], self.buckets.quantity(at));
        let vpin = records::Vpin {
            vpin: closing.vpin,
            bucket_qty: Qty(quantity),
            buckets: flow.closed,
            closed: u32::try_from(closing.closed).unwrap_or(u32::MAX),
            window: self.buckets.window.into(),
            mode: mode.code(),
            ..records::Vpin::default()
        };
        let volumes = VpinFlow {
            buy_qty: Qty(flow.signed_qty[0]),
            sell_qty: Qty(flow.signed_qty[1]),
            unsigned_qty: Qty(flow.unsigned_qty),
            bucket_buy_qty: Qty(closing.bought),
            bucket_sell_qty: Qty(quantity - closing.bought),
        };
        (vpin, volumes)
    }
}

/// What stands in a row behind the end of a ring.
const NOTHING: i64 = i64::MIN;

/// The rows of a ring, three entries each, from the oldest on.
fn ring_rows(ring: &[i64]) -> impl Iterator<Item = (u32, [i64; 3])> {
    let row = |three: &[i64]| [0, 1, 2].map(|at| three.get(at).copied().unwrap_or(NOTHING));
    (0..).zip(ring.chunks(3).map(row))
}

/// The saved state of an instrument: its buckets and, in bulk mode, the moves of its bars.
type Saved = (Option<SavedFlow>, Option<SavedMoves>);

/// Keys of the rows that outlive a journal; the page describes them.
const FLOW: u16 = 1;
const RING: u16 = 2;
const MOVES: u16 = 3;
const MOVE_RING: u16 = 4;
const SUMS: u16 = 5;
const SESSION: u16 = 6;
const SIZE: u16 = 7;

impl MeasureState for Volume {
    fn list(&mut self, instrument: u32) {
        self.buckets.reach(instrument as usize);
        self.bulk.iter_mut().for_each(|bulk| bulk.reach(instrument as usize));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.buckets.sizes.save(to);
        let moves = self.bulk.as_ref().map_or(0, |bulk| bulk.moves.values().len());
        keyed::save(to, self.buckets.flows.values().len().max(moves), |at| {
            let saved = (self.buckets.saved(at), self.bulk.as_ref().and_then(|b| b.saved(at)));
            (saved.0.is_some() || saved.1.is_some()).then_some(saved)
        });
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.buckets.forget();
        self.buckets.sizes.load(from)?;
        self.bulk.iter_mut().for_each(Bulk::forget);
        keyed::load(from, self.buckets.flows.bound(), |at, (flow, moves): Saved| {
            let flow = flow.is_none_or(|flow| self.buckets.load(at, flow));
            let moves = match (moves, &mut self.bulk) {
                (None, _) => true,
                (Some(moves), Some(bulk)) => bulk.load(at, moves),
                (Some(_), None) => false,
            };
            if flow && moves { Ok(()) } else { Err(StateError::Inconsistent("buckets or bars that do not add up")) }
        })
    }
}
