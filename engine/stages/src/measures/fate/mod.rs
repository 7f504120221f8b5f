//! Liquidity fate: where displayed quantity goes.
//!
//! Every displayed share ends as taken, pulled, moved or expired, or it is still there. An order is followed from its display to its end
//! by its reference, and what ends of it is added to the sums of its side: by the rank of its level when it was displayed, by its distance
//! from the best price when it ended, by its age, and by the age of the chain of moves that it ends. The sums are emitted when an interval
//! has ended and when a session has, with the first message after it.
//!
//! What a message will need is fetched ahead of it, since an order lies where no cache has it.
//!
//! Bound: one table of orders and one of prices for all instruments, and about 1.5 kB an instrument. Worst case: a message that ends a
//! session emits all sums of its instrument; a book that is emptied is found by a walk over the tables.

mod ahead;
mod market;
mod orders;
mod prices;
mod saved;
mod sums;

use super::{Context, Measure, Needs};
use crate::Space;
use crate::book::ORDER_MESSAGES;
use crate::lookahead::Lookahead;
use ahead::{Tables, Upcoming};
use flow::records::{self, Cancel, Contract, Delete, Exec, FateApart, FateShown, Level, OrderShown, Replace, Trade};
use flow::{Event, Flags, GrowingTable, IntParam, Kind, Kinds, Ns, Out, Param, ParamError, Params, Px, Side};
use market::{Ending, Market, ROWS};
use orders::{Order, Orders, Place};
use prices::Prices;
use sums::{BEFORE, End, part_of_rank};

const EVERY: IntParam =
    IntParam::new("every", (1, 86_400), "60", "the sums are emitted when an interval of this length has ended")
        .unit("s");
const MAX_ORDERS: IntParam<u32> = IntParam::new(
    "max_orders",
    (16, 16_777_216),
    "1048576",
    "orders of all instruments that are followed; 68 bytes each, taken as they come",
)
.unit("orders");

/// Parameters.
pub const PARAMS: &[Param] = &[EVERY.param(), MAX_ORDERS.param()];

/// The measure `fate`.
pub struct Fate {
    every_ns: u64,
}

/// Its state.
pub struct State {
    markets: GrowingTable<Market>,
    orders: Orders,
    prices: Prices,
    moved: Moved,
    ahead: Lookahead<Upcoming>,
}

/// The order that a replace has ended, until the book shows the one in its place: nothing from one input to the next.
#[derive(Clone, Copy, Default)]
struct Moved {
    seq: u64,
    instrument: u32,
    new_ref: u64,
    chain: Ns,
}

impl Measure for Fate {
    type Records = (records::Fate, FateShown, FateApart);
    type State = State;

    const FAN_OUT: usize = ROWS;
    const ASKS_ORDERS: bool = true;

    fn new(params: &Params, space: Space) -> Result<(Fate, State), ParamError> {
        let most = params.get(MAX_ORDERS);
        let state = State {
            markets: GrowingTable::new(space.instruments as usize, Market::default()),
            orders: Orders::new(most),
            prices: Prices::new(most / 4),
            moved: Moved::default(),
            ahead: Lookahead::new(Upcoming::NOWHERE),
        };
        Ok((Fate { every_ns: params.get(EVERY) * Ns::SECOND }, state))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::OrderShown]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const {
            Kinds::of(&[
                Kind::Listing,
                Kind::Contract,
                Kind::Add,
                Kind::Exec,
                Kind::Cancel,
                Kind::Delete,
                Kind::Replace,
                Kind::Clear,
                Kind::Level,
                Kind::Trade,
                Kind::OrderShown,
            ])
        }
    }

    fn needs(&self) -> Needs {
        Needs { touch: true, ..Needs::SESSIONS }
    }

    const PREFETCHES: Kinds = ORDER_MESSAGES;

    #[inline]
    fn prefetch(&self, state: &mut State, lookahead: &[Event]) {
        let State { markets, orders, ahead, .. } = state;
        ahead.advance(&Tables { markets, orders }, lookahead);
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.every_ns / Ns::SECOND]
    }

    #[inline]
    fn run(&self, state: &mut State, context: &Context, event: &Event, out: &mut Out) {
        let at = event.instrument as usize;
        if at == 0 || at >= state.markets.bound() {
            if event.kind == Kind::Clear {
                state.clear_source(event);
            }
            return;
        }
        match event.kind {
            Kind::Listing => state.listing(event),
            Kind::Contract => state.markets[at].contract(event.record::<Contract>().expiry),
            _ if !state.markets[at].has_orders => {}
            Kind::Level if state.markets[at].is_by_level => state.level(event),
            Kind::OrderShown => state.show(event),
            Kind::Trade => self.trade(state, context, event, out),
            Kind::Clear => {
                // What rested when a session ended was there: it is not lost because the next one begins with an empty book.
                let is_over = state.markets[at].session.is_over(event.ts);
                if is_over {
                    state.clear(event);
                }
                self.enter(state, context, event, out);
                if !is_over {
                    state.clear(event);
                }
            }
            Kind::Add => self.enter(state, context, event, out),
            Kind::Exec | Kind::Cancel | Kind::Delete | Kind::Replace => {
                self.enter(state, context, event, out);
                state.reduce(context, event);
            }
            _ => {}
        }
    }
}

impl Fate {
    /// What comes before a message: the end of an interval, and of a session.
    #[inline]
    fn enter(&self, state: &mut State, context: &Context, event: &Event, out: &mut Out) {
        let market = &mut state.markets[event.instrument as usize];
        if market.ends(event.ts, self.every_ns) {
            market.emit(event, out);
        }
        if market.session.is_over(event.ts) {
            state.begin(context, event);
        }
    }

    /// A trade says by itself what was hidden, and what a feed without executions changes next.
    fn trade(&self, state: &mut State, context: &Context, event: &Event, out: &mut Out) {
        let (trade, aggressor): (&Trade, _) = (event.record(), event.side());
        if event.id.position() != 0 || event.flags.has(Flags::SNAPSHOT) {
            return;
        }
        if event.flags.has(Flags::HIDDEN) {
            self.enter(state, context, event, out);
            state.markets[event.instrument as usize].hide(trade.qty.0);
        } else if aggressor != Side::None && !event.flags.has(Flags::AUCTION) {
            state.markets[event.instrument as usize].print.add(trade.exchange_ts, trade.px, aggressor, trade.qty.0);
        }
    }
}

impl State {
    /// Takes a listing. A book that is kept in another way from now on is empty.
    #[cold]
    fn listing(&mut self, event: &Event) {
        if self.markets[event.instrument as usize].listing(event) {
            self.clear(event);
        }
    }

    /// Begins a session of an instrument.
    #[cold]
    fn begin(&mut self, context: &Context, event: &Event) {
        let market = &mut self.markets[event.instrument as usize];
        let goes_on = !market.is_by_level && !market.has_expired(event.ts);
        market.begin(context.session(event.instrument, event.ts), event.ts);
        if !goes_on {
            self.let_go(|instrument| instrument == event.instrument);
        }
    }

    /// Follows the orders of these instruments no more.
    #[cold]
    fn let_go(&mut self, is: impl Fn(u32) -> bool) {
        self.orders.remove_all(&is);
        self.prices.remove_all(is);
    }

    /// The feed empties the books of a source.
    #[cold]
    fn clear_source(&mut self, event: &Event) {
        for market in self.markets.values_mut().iter_mut().filter(|m| m.has_orders && m.source == event.source) {
            empty(market, event.ts);
        }
        let State { markets, orders, prices, .. } = self;
        let is_its = |instrument: u32| markets[instrument as usize].source == event.source;
        orders.remove_all(is_its);
        prices.remove_all(is_its);
    }

    /// The feed empties a book.
    #[cold]
    fn clear(&mut self, event: &Event) {
        empty(&mut self.markets[event.instrument as usize], event.ts);
        self.let_go(|instrument| instrument == event.instrument);
    }

    /// The book shows an order.
    fn show(&mut self, event: &Event) {
        let OrderShown { order_ref, px, qty, rank, .. } = *event.record();
        let (instrument, is_bid) = (event.instrument, event.side() == Side::Buy);
        let Some(vacancy) = self.orders.vacancy(instrument, order_ref) else { return };
        let Moved { seq, instrument: of, new_ref, chain } = std::mem::take(&mut self.moved);
        let is_moved = (seq, of, new_ref) == (event.id.seq(), instrument, order_ref);
        let is_snapshot = event.flags.has(Flags::SNAPSHOT);
        let rank = if is_snapshot { BEFORE } else { part_of_rank(rank) };
        let market = &mut self.markets[instrument as usize];
        let has_place =
            self.orders.has_room() && (!market.is_by_level || self.prices.reach((instrument, is_bid, px)).is_some());
        if !has_place {
            return market.leave_out(qty.0);
        }
        market.display(is_bid, rank, qty.0);
        let order = Order {
            reference: order_ref,
            left: qty.0,
            px,
            shown: event.ts,
            chain: if is_moved { chain } else { event.ts },
            instrument,
            session: market.session.code(),
            is_bid,
            rank: rank as u8,
        };
        self.orders.add(vacancy, order);
        if market.is_by_level {
            self.add_at_price((instrument, is_bid, px), rank, qty.0);
        }
    }

    /// Puts quantity to a price, which is in sight.
    fn add_at_price(&mut self, at: prices::At, rank: usize, qty: u64) {
        self.unveil(at);
        if let Some(price) = self.prices.find(at) {
            price.left[rank] = price.left[rank].saturating_add(qty);
        }
    }

    /// A level of a book by level: it came into sight, changed, or is gone.
    fn level(&mut self, event: &Event) {
        let level: &Level = event.record();
        let at = (event.instrument, event.side() == Side::Buy, level.px);
        if level.qty.0 > 0 {
            return self.unveil(at);
        }
        let Some(price) = self.prices.find(at).filter(|price| !price.is_veiled) else { return };
        price.is_veiled = true;
        let sums = &mut self.markets[event.instrument as usize].sides[market::half(at.1)];
        sums.ranks
            .iter_mut()
            .zip(price.left)
            .for_each(|(account, left)| account.veiled = account.veiled.saturating_add(left));
    }

    fn unveil(&mut self, at: prices::At) {
        let Some(price) = self.prices.find(at).filter(|price| price.is_veiled) else { return };
        price.is_veiled = false;
        let sums = &mut self.markets[at.0 as usize].sides[market::half(at.1)];
        sums.ranks
            .iter_mut()
            .zip(price.left)
            .for_each(|(account, left)| account.veiled = account.veiled.saturating_sub(left));
    }

    /// An `exec`, `cancel`, `delete` or `replace`.
    fn reduce(&mut self, context: &Context, event: &Event) {
        let message = Message::of(event);
        if self.markets[event.instrument as usize].is_by_level && event.kind == Kind::Replace {
            // A book by level takes none: no feed that has one sends any.
            return;
        }
        match self.orders.find(event.instrument, message.reference) {
            Some(place) => self.reduce_order(place, &message, context, event),
            None => self.end_of_unknown(&message, event),
        }
    }

    /// A message about an order whose display was not seen. Where some were left out it may be one of these.
    fn end_of_unknown(&mut self, message: &Message, event: &Event) {
        let market = &mut self.markets[event.instrument as usize];
        if market.left_out > 0 || message.qty == 0 {
            return;
        }
        let side = event.side();
        match message.what {
            What::Exec => market.end_of_unknown(side, End::Taken, message.qty),
            What::Cancel | What::Delete => {
                let taken = market.print.takes(message.ts, message.px, side == Side::Buy, message.qty);
                if taken > 0 {
                    market.end_of_unknown(side, End::Taken, taken);
                }
                if message.qty > taken {
                    market.end_of_unknown(side, End::Pulled, message.qty - taken);
                }
            }
            What::Replace { .. } => {}
        }
    }

    fn reduce_order(&mut self, place: Place, message: &Message, context: &Context, event: &Event) {
        let Order { left, px: at, chain, .. } = *self.orders.get(place);
        match message.what {
            What::Exec => self.end(place, End::Taken, message.qty.min(left), context, event),
            What::Cancel => self.cancel(place, message.qty.min(left), message, context, event),
            What::Delete => {
                let told = if message.qty == 0 { left } else { message.qty.min(left) };
                self.cancel(place, told, message, context, event);
                if told < left {
                    self.end_unseen(place, event);
                }
            }
            What::Replace { new_ref, px } => {
                let is_known = new_ref != message.reference && self.orders.find(event.instrument, new_ref).is_some();
                if px == Px::NONE || message.qty == 0 || is_known {
                    self.cancel(place, left, message, context, event);
                } else if px == at && message.qty <= left {
                    self.cancel(place, left - message.qty, message, context, event);
                    if new_ref != message.reference {
                        self.orders.rename(place, new_ref);
                    }
                } else {
                    let (seq, instrument) = (event.id.seq(), event.instrument);
                    self.moved = Moved { seq, instrument, new_ref, chain };
                    self.end(place, End::Moved, left, context, event);
                }
            }
        }
    }

    /// Quantity of an order leaves the book: by a trade, as far as one was printed there and then, else because it was cancelled.
    fn cancel(&mut self, place: Place, qty: u64, message: &Message, context: &Context, event: &Event) {
        let Order { px, is_bid, .. } = *self.orders.get(place);
        let taken = self.markets[event.instrument as usize].print.takes(message.ts, px, is_bid, qty);
        // An order that ends has no place any more, so its last part ends last.
        if taken > 0 {
            self.end(place, End::Taken, taken, context, event);
        }
        if qty > taken {
            self.end(place, End::Pulled, qty - taken, context, event);
        }
    }

    /// So much of an order ends so, and the order itself if nothing is left.
    #[inline]
    fn end(&mut self, place: Place, end: End, qty: u64, context: &Context, event: &Event) {
        if qty == 0 {
            return;
        }
        let (order, market) = (self.orders.get(place), &mut self.markets[event.instrument as usize]);
        let since = |then: Ns| event.ts.0.saturating_sub(then.0);
        let ending = Ending {
            is_bid: order.is_bid,
            rank: rank_in(order, market),
            px: order.px,
            age: since(order.shown),
            chain_age: since(order.chain),
        };
        market.end(context.touch(event.instrument), end, qty, &ending);
        self.lower(place, qty, event);
    }

    /// What is left of an order has gone without a message.
    #[cold]
    fn end_unseen(&mut self, place: Place, event: &Event) {
        let (order, market) = (self.orders.get(place), &mut self.markets[event.instrument as usize]);
        let left = order.left;
        market.end_unseen(order.is_bid, rank_in(order, market), left);
        self.lower(place, left, event);
    }

    /// Takes quantity off an order.
    #[inline]
    fn lower(&mut self, place: Place, qty: u64, event: &Event) {
        let Order { is_bid, px, rank, .. } = *self.orders.get(place);
        self.orders.lower(place, qty);
        if self.markets[event.instrument as usize].is_by_level {
            self.lower_price((event.instrument, is_bid, px), usize::from(rank), qty);
        }
    }

    /// Takes it off the price of a book by level.
    fn lower_price(&mut self, at: prices::At, rank: usize, qty: u64) {
        let Some(price) = self.prices.find(at) else { return };
        price.left[rank] = price.left[rank].saturating_sub(qty);
        if price.is_veiled {
            let veiled = &mut self.markets[at.0 as usize].sides[market::half(at.1)].ranks[rank].veiled;
            *veiled = veiled.saturating_sub(qty);
        }
        self.prices.release(at);
    }
}

/// The rank of an order: one of an earlier session rested before.
fn rank_in(order: &Order, market: &Market) -> usize {
    if order.session == market.session.code() { usize::from(order.rank) } else { BEFORE }
}

/// The book of an instrument is emptied.
fn empty(market: &mut Market, ts: Ns) {
    if market.session.is_over(ts) { market.empty_after_session() } else { market.lose() }
}

/// What a message says of an order.
struct Message {
    what: What,
    reference: u64,
    ts: Ns,
    px: Px,
    /// What leaves; of a replace, what is displayed then.
    qty: u64,
}

enum What {
    Exec,
    Cancel,
    Delete,
    Replace { new_ref: u64, px: Px },
}

impl Message {
    fn of(event: &Event) -> Message {
        match event.kind {
            Kind::Exec => {
                let Exec { exchange_ts: ts, order_ref: reference, px, qty, .. } = *event.record();
                Message { what: What::Exec, reference, ts, px, qty: qty.0 }
            }
            Kind::Cancel => {
                let Cancel { exchange_ts: ts, order_ref: reference, px, qty, .. } = *event.record();
                Message { what: What::Cancel, reference, ts, px, qty: qty.0 }
            }
            Kind::Delete => {
                let Delete { exchange_ts: ts, order_ref: reference, px, qty, .. } = *event.record();
                Message { what: What::Delete, reference, ts, px, qty: qty.0 }
            }
            _ => {
                let Replace { exchange_ts: ts, order_ref: reference, new_ref, px, qty } = *event.record();
                Message { what: What::Replace { new_ref, px }, reference, ts, px, qty: qty.0 }
            }
        }
    }
}
