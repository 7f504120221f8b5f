//! Layering-like orders: levels of one side grow at once, and what made them grow is pulled again.
//!
//! It is a pattern of orders and says nothing of an intent. The book says of every order that it shows at which level it stands and what
//! the levels are; here are only the usual quantities of levels, the few prices where orders have come just now, and the orders that were
//! displayed last, by which an execution or a cancel finds the growth that it is of.
//!
//! Bound: about 8 kB an instrument and one ring of orders for all. Worst case: an order that is displayed looks at sixteen prices, and one
//! that begins a piece of time sorts the samples.

mod usual;
mod wave;

use super::print::Print;
use super::shown_orders::ShownOrders;
use super::{Context, Measure, MeasureState, counted, emit};
use crate::{Space, keyed};
use flow::records::{self, Cancel, Delete, Exec, LayeringLevels, LevelsShown, Listing, OrderShown, Replace, Trade};
use flow::{
    BookKind, Event, Flags, FloatParam, GrowingTable, IntParam, Kind, Kinds, Ns, Out, Param, ParamError, Params, Px,
    Qty, Side, StateError, StateReader, StateWriter,
};
use serde::{Deserialize, Serialize};
use usual::{LEVELS, Levels, SAMPLES, Usual};
use wave::{Display, Leaves, Limits, Place, Pulled, Wave};

const LEAST_LEVELS: IntParam<u32> =
    IntParam::new("least_levels", (1, LEVELS as u64), "3", "levels of a side that grow at once, or more")
        .unit("levels");
const TIMES: FloatParam =
    FloatParam::new("times", (1.0, 1e6), "3", "a level has grown from so many times its median on");
const MEDIAN: IntParam =
    IntParam::new("median", (30, 604_800), "300", "length of the time that a median is of").unit("seconds");
const LEAST_SAMPLES: IntParam<u16> = IntParam::new(
    "least_samples",
    (1, SAMPLES as u64),
    "15",
    "a median is known from so many of its thirty samples on",
);
const GROW_MS: IntParam = IntParam::new("grow_ms", (1, 3_600_000), "500", "they grow within this time").unit("ms");
const PULLED_MS: IntParam =
    IntParam::new("pulled_ms", (1, 86_400_000), "2000", "and are pulled within this time").unit("ms");
const PULLED_PART: FloatParam =
    FloatParam::new("pulled_part", (0.0, 100.0), "80", "so much of what made them grow is pulled, or more")
        .unit("per cent");
const TAKEN_PART: FloatParam =
    FloatParam::new("taken_part", (0.0, 100.0), "5", "and so much of it is executed, or less").unit("per cent");
const MAX_ORDERS: IntParam<u32> = IntParam::new(
    "max_orders",
    (16, 16_777_216),
    "65536",
    "orders that were displayed last, of all instruments; 48 bytes each, taken as they come",
)
.unit("orders");

/// Parameters.
pub const PARAMS: &[Param] = &[
    LEAST_LEVELS.param(),
    TIMES.param(),
    MEDIAN.param(),
    LEAST_SAMPLES.param(),
    GROW_MS.param(),
    PULLED_MS.param(),
    PULLED_PART.param(),
    TAKEN_PART.param(),
    MAX_ORDERS.param(),
];

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// The measure `layering`.
pub struct Layering {
    limits: Limits,
    /// Length of the time between two samples, and the fewest of a median.
    piece_ns: u64,
    least_samples: u16,
}

/// An instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Market {
    is_by_order: bool,
    source: u8,
    print: Print,
    /// The last samples of bids and asks.
    pieces: [u64; 2],
    waves: [Wave; 2],
}

/// What is noted of an order.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Followed {
    place: Place,
    is_bid: bool,
    left: u64,
    px: Px,
}

/// The best levels as the book said them of an order: nothing from one input to the next.
#[derive(Clone, Copy, Default)]
struct Ladder {
    seq: u64,
    instrument: u32,
    told: usize,
    levels: Levels,
}

/// Its state.
pub struct State {
    markets: GrowingTable<Market>,
    /// Bids and asks.
    usual: [Usual; 2],
    orders: ShownOrders<Followed>,
    ladder: Ladder,
}

impl Measure for Layering {
    type Records = (records::Layering, LayeringLevels);
    type State = State;

    const ASKS_ORDERS: bool = true;
    const ASKS_LEVELS: bool = true;

    fn new(params: &Params, space: Space) -> Result<(Layering, State), ParamError> {
        let limits = Limits {
            levels: params.get(LEAST_LEVELS),
            times: params.get(TIMES),
            grow_ns: params.get(GROW_MS) * MS,
            pulled_ns: params.get(PULLED_MS) * MS,
            pulled_part: params.get(PULLED_PART),
            taken_part: params.get(TAKEN_PART),
        };
        let state = State {
            markets: GrowingTable::new(space.instruments as usize, Market::default()),
            usual: [0, 1].map(|_| Usual::new(space, params.get(LEAST_SAMPLES))),
            orders: ShownOrders::new(params.get(MAX_ORDERS), Followed::default()),
            ladder: Ladder::default(),
        };
        let piece_ns = params.get(MEDIAN) * Ns::SECOND / u64::from(SAMPLES);
        Ok((Layering { limits, piece_ns, least_samples: params.get(LEAST_SAMPLES) }, state))
    }

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const {
            Kinds::of(&[
                Kind::Listing,
                Kind::Exec,
                Kind::Cancel,
                Kind::Delete,
                Kind::Replace,
                Kind::Clear,
                Kind::Trade,
                Kind::OrderShown,
                Kind::LevelsShown,
            ])
        }
    }

    fn terms(&self) -> Vec<u64> {
        let Limits { levels, times, grow_ns, pulled_ns, pulled_part, taken_part } = self.limits;
        let parts = [times, pulled_part, taken_part].map(f64::to_bits);
        [&[levels.into(), grow_ns, pulled_ns, self.piece_ns, self.least_samples.into()][..], &parts].concat()
    }

    #[inline]
    fn run(&self, state: &mut State, _: &Context, event: &Event, out: &mut Out) {
        let at = event.instrument as usize;
        if at == 0 || at >= state.markets.bound() {
            if event.kind == Kind::Clear {
                state.clear(event);
            }
            return;
        }
        match event.kind {
            Kind::Listing => state.listing(event),
            _ if !state.markets[at].is_by_order => {}
            Kind::LevelsShown => state.ladder.take(event),
            Kind::OrderShown => self.show(state, event),
            Kind::Trade => state.trade(event),
            Kind::Clear => state.clear(event),
            _ => {
                if let Some(pulled) = self.leave(state, event) {
                    told(&pulled, event, out);
                }
            }
        }
    }
}

impl Layering {
    /// The book shows an order.
    fn show(&self, state: &mut State, event: &Event) {
        let OrderShown { order_ref, px, qty, level_qty, rank, .. } = *event.record();
        if rank as usize > LEVELS || event.flags.has(Flags::SNAPSHOT) {
            return;
        }
        let (instrument, is_bid) = (event.instrument, event.side() == Side::Buy);
        let side = usize::from(!is_bid);
        let State { markets, usual, orders, ladder } = state;
        let market = &mut markets[instrument as usize];
        // 0 is that of no sample yet.
        let piece = event.ts.0 / self.piece_ns + 1;
        if let Some(levels) = ladder.of(event).filter(|_| market.pieces[side] != piece) {
            market.pieces[side] = piece;
            usual[side].sample(instrument, piece, levels);
        }
        let Some(median) = usual[side].of(instrument, rank as usize - 1) else { return };
        let order = Display { ts: event.ts, px, qty: qty.0, level: level_qty.0, median };
        if let Some(place) = market.waves[side].display(&order, &self.limits) {
            orders.push(instrument, order_ref, event.ts, Followed { place, is_bid, left: qty.0, px });
        }
    }

    /// An `exec`, `cancel`, `delete` or `replace`.
    #[inline]
    fn leave(&self, state: &mut State, event: &Event) -> Option<(Side, Pulled)> {
        let (reference, told, ts) = match event.kind {
            Kind::Exec => (event.record::<Exec>().order_ref, event.record::<Exec>().qty, Ns::NONE),
            Kind::Cancel => {
                let Cancel { order_ref, qty, exchange_ts, .. } = *event.record();
                (order_ref, qty, exchange_ts)
            }
            Kind::Delete => {
                let Delete { order_ref, exchange_ts, .. } = *event.record();
                (order_ref, Qty(u64::MAX), exchange_ts)
            }
            // The order in its place is displayed anew.
            _ => (event.record::<Replace>().order_ref, Qty(u64::MAX), event.record::<Replace>().exchange_ts),
        };
        let order = &mut state.orders.find(event.instrument, reference)?.of;
        let qty = told.0.min(order.left);
        order.left -= qty;
        let Followed { place, is_bid, left, px } = *order;
        if left == 0 {
            state.orders.forget(event.instrument, reference);
        }
        let market = &mut state.markets[event.instrument as usize];
        let taken = if event.kind == Kind::Exec { qty } else { market.print.takes(ts, px, is_bid, qty) };
        let wave = &mut market.waves[usize::from(!is_bid)];
        // What was taken comes first: it may keep what is pulled from being enough.
        wave.leave(place, Leaves::Taken, taken, event.ts, &self.limits);
        let pulled = wave.leave(place, Leaves::Pulled, qty - taken, event.ts, &self.limits)?;
        Some((if is_bid { Side::Buy } else { Side::Sell }, pulled))
    }
}

impl Ladder {
    /// The book says five levels, and then the next five.
    fn take(&mut self, event: &Event) {
        let LevelsShown { first, second, third, fourth, fifth } = *event.record();
        if (self.seq, self.instrument) != (event.id.seq(), event.instrument) || self.told == LEVELS {
            *self = Ladder { seq: event.id.seq(), instrument: event.instrument, ..Ladder::default() };
        }
        let five = [first, second, third, fourth, fifth];
        self.levels[self.told..self.told + five.len()].copy_from_slice(&five.map(|qty| qty.0));
        self.told += five.len();
    }

    /// All of them, if the book said them of this input.
    fn of(&self, event: &Event) -> Option<Levels> {
        let is_its = (self.seq, self.instrument, self.told) == (event.id.seq(), event.instrument, LEVELS);
        is_its.then_some(self.levels)
    }
}

impl State {
    #[cold]
    fn listing(&mut self, event: &Event) {
        let listing: &Listing = event.record();
        let market = &mut self.markets[event.instrument as usize];
        market.is_by_order = BookKind::from_code(listing.book) == Some(BookKind::ByOrder);
        market.source = event.source;
    }

    /// A trade of a feed that says by itself what orders then lose.
    #[inline]
    fn trade(&mut self, event: &Event) {
        if event.id.position() != 0 || event.side() == Side::None || event.flags.has(Flags::HIDDEN) {
            return;
        }
        if let Some(&Trade { exchange_ts, px, qty, .. }) = counted(event) {
            self.markets[event.instrument as usize].print.add(exchange_ts, px, event.side(), qty.0);
        }
    }

    /// The feed empties a book, or those of a source.
    #[cold]
    fn clear(&mut self, event: &Event) {
        let State { markets, orders, .. } = self;
        let is_its = |of: u32, market: &Market| match event.instrument {
            0 => market.source == event.source,
            instrument => of == instrument,
        };
        orders.forget_all(|of| markets.get(of as usize).is_some_and(|market| is_its(of, market)));
        for (of, market) in (0..).zip(markets.values_mut()) {
            if is_its(of, market) {
                market.waves = Default::default();
            }
        }
    }
}

fn told((side, of): &(Side, Pulled), event: &Event, out: &mut Out) {
    let is_bid = *side == Side::Buy;
    let (nearest, furthest) = if is_bid { (of.high, of.low) } else { (of.low, of.high) };
    let layering = records::Layering {
        nearest_px: nearest,
        displayed_qty: Qty(of.displayed),
        pulled_qty: Qty(of.pulled),
        taken_qty: Qty(of.taken),
        orders: of.orders,
        levels: of.levels as u8,
        ..records::Layering::default()
    };
    let levels = LayeringLevels {
        furthest_px: furthest,
        level_qty: Qty(of.level),
        median_qty: Qty(of.median),
        began_ts: of.began,
        grown_ts: of.grown,
    };
    emit(&(layering, levels), Flags::side_only(*side), event, out);
}

impl MeasureState for State {
    fn list(&mut self, instrument: u32) {
        self.markets.reach(instrument as usize);
        self.usual.iter_mut().for_each(|usual| usual.list(instrument));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        let untouched = Market::default();
        keyed::save(to, self.markets.values().len(), |at| {
            Some(&self.markets[at]).filter(|market| **market != untouched)
        });
        self.usual.iter().for_each(|usual| usual.save(to));
        self.orders.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.markets.clear();
        self.ladder = Ladder::default();
        keyed::load(from, self.markets.bound(), |at, market: Market| {
            self.markets[at] = market;
            Ok(())
        })?;
        self.usual.iter_mut().try_for_each(|usual| usual.load(from))?;
        self.orders.load(from)
    }
}
