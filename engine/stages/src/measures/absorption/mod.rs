//! Absorption: much is bought (or sold) at one price, and price does not go through it.
//!
//! What the aggressors of one side trade in one row within a window is compared with what a row that trades has in a minute of the session
//! so far. Where it is several times as much, and price has not been beyond the row since the first of these trades, it waits; if price is
//! not beyond the row for some time more, it is told. On feeds that name orders the rows say how much was taken from orders that had been
//! displayed before the first of the trades, and how much from orders that came after it.
//!
//! Bound: about 1,300 bytes an instrument, one pool of trades and one ring of orders for all. Worst case: that of `windows`; an event
//! tells at most four of a side.

mod market;
mod windows;

use super::profile::{Grid, ROW_TICKS};
use super::shown_orders::ShownOrders;
use super::{Context, Measure, MeasureState, Needs, counted, counted_before, emit};
use crate::{Space, keyed};
use flow::records::{self, AbsorptionOrders, Add, BrokenTrade, Listing, Replace, Trade};
use flow::{
    BoolParam, Event, Flags, FloatParam, GrowingTable, IntParam, Kind, Kinds, Ns, Out, Param, ParamError, Params, Px,
    Qty, Real, Side, StateError, StateReader, StateWriter,
};
use market::{MOST, Market, Waiting};
use windows::{Print, Resting, Windows};

const WINDOW: IntParam = IntParam::new("window", (1, 3_600), "60", "length of the window").unit("seconds");
const TIMES: FloatParam = FloatParam::new(
    "times",
    (1.0, 1e6),
    "3",
    "volume of the window from which on it is one, in times of the session's mean volume a touched row and minute",
);
const AFTER: IntParam =
    IntParam::new("after", (1, 3_600), "30", "price is not beyond the row for so long after it").unit("seconds");
const ORDERS: BoolParam = BoolParam::new(
    "orders",
    true,
    "say from which orders it was taken, where a feed names them; every order that is added is then read",
);
const MAX_TRADES: IntParam<u32> = IntParam::new(
    "max_trades",
    (16, 16_777_216),
    "131072",
    "trades of the windows of all instruments; 144 bytes each, taken as they come",
)
.unit("trades");
const MAX_ORDERS: IntParam<u32> = IntParam::new(
    "max_orders",
    (16, 16_777_216),
    "131072",
    "orders that were displayed last, of all instruments; 32 bytes each, taken as they come",
)
.unit("orders");

/// Parameters.
pub const PARAMS: &[Param] = &[
    WINDOW.param(),
    TIMES.param(),
    AFTER.param(),
    ROW_TICKS.param(),
    ORDERS.param(),
    MAX_TRADES.param(),
    MAX_ORDERS.param(),
];

/// The measure `absorption`.
pub struct Absorption {
    window_ns: u64,
    times: f64,
    after_ns: u64,
    row_ticks: u64,
    orders: bool,
}

/// Its state.
pub struct State {
    markets: GrowingTable<Market>,
    windows: Windows,
    orders: ShownOrders<()>,
}

/// The sides as they are kept: bought, sold.
const SIDES: [Side; 2] = [Side::Buy, Side::Sell];

impl Measure for Absorption {
    type Records = (records::Absorption, AbsorptionOrders);
    type State = State;

    /// Two for each one that waits.
    const FAN_OUT: usize = 2 * 2 * MOST;

    fn new(params: &Params, space: Space) -> Result<(Absorption, State), ParamError> {
        let measure = Absorption {
            window_ns: params.get(WINDOW) * Ns::SECOND,
            times: params.get(TIMES),
            after_ns: params.get(AFTER) * Ns::SECOND,
            row_ticks: params.get(ROW_TICKS),
            orders: params.get(ORDERS),
        };
        let state = State {
            markets: GrowingTable::new(space.instruments as usize, Market::default()),
            windows: Windows::new(params.get(MAX_TRADES)),
            orders: ShownOrders::new(if measure.orders { params.get(MAX_ORDERS) } else { 1 }, ()),
        };
        Ok((measure, state))
    }

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const OF_TRADES: Kinds = Kinds::of(&[Kind::Listing, Kind::Trade, Kind::BrokenTrade, Kind::BookTop]);
        match self.orders {
            true => const { OF_TRADES.or(Kinds::of(&[Kind::Add, Kind::Replace, Kind::Clear])) },
            false => OF_TRADES,
        }
    }

    fn needs(&self) -> Needs {
        Needs::HOURS
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.window_ns, self.times.to_bits(), self.after_ns, self.row_ticks, self.orders.into()]
    }

    #[inline]
    fn run(&self, state: &mut State, context: &Context, event: &Event, out: &mut Out) {
        let at = event.instrument as usize;
        if at == 0 || at >= state.markets.bound() {
            if event.kind == Kind::Clear && self.orders {
                state.clear(event);
            }
            return;
        }
        match event.kind {
            Kind::Trade => {
                state.tell(event, out);
                self.trade(state, context, event);
            }
            Kind::BookTop => state.tell(event, out),
            Kind::Add if self.orders => {
                let Add { order_ref, .. } = *event.record();
                state.show(event, order_ref);
            }
            Kind::Replace if self.orders => {
                let Replace { new_ref, .. } = *event.record();
                state.show(event, new_ref);
            }
            Kind::BrokenTrade => {
                state.tell(event, out);
                state.broken(event);
            }
            Kind::Clear if self.orders => state.clear(event),
            Kind::Listing => {
                let listing: &Listing = event.record();
                state.markets[at].listing(listing.tick_px, listing.book, event.source);
            }
            _ => {}
        }
    }
}

impl Absorption {
    fn trade(&self, state: &mut State, context: &Context, event: &Event) {
        let Some(trade) = counted(event) else { return };
        let State { markets, windows, .. } = state;
        let market = &mut markets[event.instrument as usize];
        if let Some(hours) = market.hours.next(event.instrument, event.ts, context) {
            market.queues.iter_mut().for_each(|queue| windows.empty(queue));
            market.begin(hours);
        }
        if !market.hours.hold(event.ts) {
            return;
        }
        let row = self.grid(market, trade.px).row(trade.px);
        market.go_on(event.ts);
        for (side, aggressor) in SIDES.into_iter().enumerate() {
            let is_through = |of: i64| if aggressor == Side::Buy { row > of } else { row < of };
            windows.leave(&mut market.queues[side], is_through);
            if event.ts.0 > self.window_ns {
                windows.expire(&mut market.queues[side], Ns(event.ts.0 - self.window_ns));
            }
            market.waiting[side].part(|one| is_through(one.row), |_| {});
        }
        market.add(row, trade.qty.0);
        if let Some(side) = SIDES.iter().position(|side| *side == event.side()) {
            self.aggressive(state, event, trade, side, row);
        }
    }

    /// The rows of the session, which its first trade begins.
    fn grid(&self, market: &mut Market, px: Px) -> Grid {
        let (ticks, tick) = (self.row_ticks, market.tick);
        let of = || if ticks == 0 { Grid::of_price(px, tick) } else { Grid::of_ticks(ticks, tick) };
        *market.grid.get_or_insert_with(of)
    }

    /// A trade that has an aggressor.
    #[inline]
    fn aggressive(&self, state: &mut State, event: &Event, trade: &Trade, side: usize, row: i64) {
        let order = state.resting(event, if self.orders { trade.order_ref } else { 0 });
        let State { markets, windows, .. } = state;
        let market = &mut markets[event.instrument as usize];
        let is_inferred = event.flags.has(Flags::INFERRED_AGGRESSOR);
        if let Some(waiting) = market.waiting[side].of_row(row) {
            waiting.after = waiting.after.saturating_add(trade.qty.0);
            return;
        }
        let queue = &mut market.queues[side];
        if !windows.push(queue, Print { ts: event.ts, qty: trade.qty.0, row, order, is_inferred }) {
            // Of what is not whole nothing is told.
            return windows.empty(queue);
        }
        let qty = windows.of_newest_row(*queue);
        let Some(mean) = market.mean().filter(|_| market.waiting[side].has_room()) else { return };
        let least = self.times * mean;
        if qty as f64 >= least
            && let Some(taken) = windows.take_newest_row(&mut market.queues[side])
        {
            market.wait(side, row, &taken, mean, least, self.after_ns);
        }
    }
}

impl State {
    /// What is known of the order that a trade took.
    #[inline]
    fn resting(&mut self, event: &Event, order_ref: u64) -> Resting {
        if order_ref == 0 {
            return Resting::Unnamed;
        }
        let forgotten = self.orders.forgotten();
        match self.orders.find(event.instrument, order_ref) {
            Some(order) => Resting::At(order.ts),
            // A book of orders has it, so it came before all that are remembered.
            None if self.markets[event.instrument as usize].is_by_order => Resting::By(forgotten),
            None => Resting::Unknown,
        }
    }

    /// An order is displayed. Those of a snapshot were before.
    #[inline]
    fn show(&mut self, event: &Event, order_ref: u64) {
        if order_ref != 0 && !event.flags.has(Flags::SNAPSHOT) {
            self.orders.push(event.instrument, order_ref, event.ts, ());
        }
    }

    /// The feed empties a book, or those of a source.
    #[cold]
    fn clear(&mut self, event: &Event) {
        let State { markets, orders, .. } = self;
        match event.instrument {
            0 => orders.forget_all(|of| markets.get(of as usize).is_some_and(|market| market.source == event.source)),
            instrument => orders.forget_all(|of| of == instrument),
        }
    }

    /// Tells what has waited long enough.
    #[inline]
    fn tell(&mut self, event: &Event, out: &mut Out) {
        let market = &mut self.markets[event.instrument as usize];
        let grid = market.grid.unwrap_or_default();
        for (waiting, aggressor) in market.waiting.iter_mut().zip(SIDES) {
            waiting.part(|one| one.due < event.ts, |one| told(grid, aggressor, one, event, out));
        }
    }

    #[cold]
    fn broken(&mut self, event: &Event) {
        let Some(&BrokenTrade { trade_ts, px, qty, .. }) = counted_before(event) else { return };
        let State { markets, windows, .. } = self;
        let market = &mut markets[event.instrument as usize];
        let Some(grid) = market.grid.filter(|_| market.hours.hold(trade_ts)) else { return };
        market.take_out(trade_ts, qty.0);
        let Some(side) = SIDES.iter().position(|side| *side == event.side()) else { return };
        let row = grid.row(px);
        if !windows.take_out(&mut market.queues[side], trade_ts, row, qty.0) {
            market.take_out_of_waiting(side, trade_ts, row, qty.0);
        }
    }
}

#[cold]
fn told(grid: Grid, aggressor: Side, one: &Waiting, event: &Event, out: &mut Out) {
    let absorption = records::Absorption {
        row_px: grid.lowest(one.row),
        height_px: grid.height(),
        qty: Qty(one.qty),
        mean_qty: Real::of(one.mean),
        trades: one.trades,
        ..records::Absorption::default()
    };
    let orders = AbsorptionOrders {
        first_ts: one.from,
        reached_ts: one.reached,
        after_qty: Qty(one.after),
        stood_qty: one.stood,
        came_qty: one.came,
    };
    emit(&(absorption, orders), Flags::side_only(aggressor).with(one.badge), event, out);
}

impl MeasureState for State {
    fn list(&mut self, instrument: u32) {
        self.markets.reach(instrument as usize);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        let untouched = Market::default();
        keyed::save(to, self.markets.values().len(), |at| {
            let market = Some(&self.markets[at]).filter(|market| **market != untouched)?;
            let prints = market.queues.map(|queue| self.windows.of(queue).collect::<Vec<Print>>());
            Some((market.clone(), prints))
        });
        self.orders.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.markets.clear();
        self.windows.clear();
        let State { markets, windows, orders } = self;
        keyed::load(from, markets.bound(), |at, (mut market, prints): (Market, [Vec<Print>; 2])| {
            if !market.is_sound() {
                return Err(StateError::Inconsistent("absorptions that nobody can wait for"));
            }
            for (queue, prints) in market.queues.iter_mut().zip(prints) {
                for print in prints {
                    let limit = windows.most();
                    if !windows.push(queue, print) {
                        return Err(StateError::TooLarge { what: "trades", found: limit + 1, limit });
                    }
                }
            }
            markets[at] = market;
            Ok(())
        })?;
        orders.load(from)
    }
}
