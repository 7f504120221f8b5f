//! The stage: what comes from strategies, risk and the venue, and what each does to orders and positions.
//!
//! An answer is first matched with its order (id, instrument, side, and for replaces the other order), then taken to the
//! table of the life cycle. Only the fill goes on when that fails: its position changes in any case.

use super::State;
use super::busts::{Note, remembered};
use super::chains::{Chains, Ended};
use super::counters::Counters;
use super::cycle::Step;
use super::intake::Group;
use super::money::{Holding, Terms};
use super::positions::{Key, Place, Positions};
use super::table::{Order, Table};
use crate::Space;
use crate::executions::Executions;
use flow::records::{
    Ack, Anomaly, CancelRequest, Cancelled, Command, Fill, FillCost, Listing, Position, PositionMoney, Refused, Reject,
    Sent, Trade,
};
use flow::{
    Account, Action, AnomalyKind, CommandAction, Event, Flags, IntParam, Kind, Kinds, Ns, OrderId, Out, Param,
    ParamError, Params, Px, Qty, Scope, Side, Stage, StateError, StateReader, StateWriter, StrategyId,
};

/// Orders that may be open at once.
pub const MAX_ORDERS: IntParam<usize> = IntParam::new(
    "max_orders",
    (1, 1_048_576),
    "65536",
    "orders that are not over; 128 to 256 bytes each, allocated at the start",
)
.unit("orders");
/// Orders that may be without an answer at once.
pub const MAX_IN_FLIGHT: IntParam<usize> = IntParam::new(
    "max_in_flight",
    (1, 1_048_576),
    "1024",
    "new and replacing orders that neither risk nor the venue has answered",
)
.unit("orders");
const MAX_POSITIONS: IntParam<usize> = IntParam::new(
    "max_positions",
    (1, 1_048_576),
    "16384",
    "positions, one an account, strategy and instrument; 350 to 700 bytes each, allocated at the start",
)
.unit("positions");
const MAX_ACCOUNTS: IntParam<usize> =
    IntParam::new("max_accounts", (1, 4_096), "64", "pairs of account and strategy that send orders").unit("pairs");

/// What can be set.
pub const PARAMS: &[Param] = &[MAX_ORDERS.param(), MAX_IN_FLIGHT.param(), MAX_POSITIONS.param(), MAX_ACCOUNTS.param()];

/// What is known of an instrument.
#[derive(Clone, Copy)]
pub(super) struct Instrument {
    /// `None` before its listing.
    pub(super) terms: Option<Terms>,
    /// Price of its last trade.
    pub(super) last_px: Px,
    /// The account and strategy that asked for an order last, for which a position is kept; 0 and 0 = none.
    pub(super) kept: (Account, StrategyId),
}

impl Instrument {
    pub(super) const UNLISTED: Instrument =
        Instrument { terms: None, last_px: Px::NONE, kept: (Account::NONE, StrategyId::NONE) };
}

/// Keeps orders, counters and positions.
pub struct OrdersStage {
    pub(super) orders: Table,
    pub(super) counters: Counters,
    pub(super) positions: Positions,
    /// Fills that a bust may still take back, and the orders that they count in.
    pub(super) fills: Executions<Note>,
    pub(super) chains: Chains,
    pub(super) instruments: Box<[Instrument]>,
    pub(super) group: Group,
    pub(super) max_in_flight: usize,
}

impl OrdersStage {
    /// Builds the stage with the parameters of [`PARAMS`].
    pub fn new(params: &Params, space: Space) -> OrdersStage {
        OrdersStage {
            orders: Table::new(params.get(MAX_ORDERS)),
            counters: Counters::new(params.get(MAX_ACCOUNTS)),
            positions: Positions::new(params.get(MAX_POSITIONS)),
            fills: Executions::new(space.fills, Note::NONE),
            chains: Chains::new(space.fills.max(1) as usize),
            instruments: vec![Instrument::UNLISTED; space.instruments as usize].into_boxed_slice(),
            group: Group::NONE,
            max_in_flight: params.get(MAX_IN_FLIGHT),
        }
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// Never: every value in its range makes a stage.
    pub fn build(params: &Params, space: Space) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(OrdersStage::new(params, space)))
    }

    /// The order of that id, unless it is over.
    pub fn order(&self, id: OrderId) -> Option<Order> {
        self.orders.get(id)
    }

    /// Every order that is not over, in no order that means anything.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter()
    }

    /// Every position: account, strategy, instrument, and what is held.
    pub fn positions(&self) -> impl Iterator<Item = (Account, StrategyId, u32, Holding)> {
        self.positions.iter().map(|p| (p.key.account(), p.key.strategy(), p.key.instrument(), p.holding()))
    }

    fn listing(&mut self, event: &Event) {
        if event.instrument != 0
            && let Some(instrument) = self.instruments.get_mut(event.instrument as usize)
        {
            instrument.terms = Some(Terms::of(event.record::<Listing>()));
        }
    }

    #[inline]
    fn trade(&mut self, event: &Event) {
        self.orders.prefetch_next();
        let trade: &Trade = event.record();
        if trade.qty.0 != 0
            && event.instrument != 0
            && trade.px != Px::NONE
            && !event.flags.has(Flags::SNAPSHOT)
            && let Some(instrument) = self.instruments.get_mut(event.instrument as usize)
        {
            instrument.last_px = trade.px;
        }
    }

    /// Takes a step of the order with that id; what the cycle does not allow is told and changes nothing.
    fn step(&mut self, id: OrderId, step: Step, event: &Event, out: &mut Out) -> Option<Order> {
        let Some(mut order) = self.orders.get(id) else {
            self.late(id, step, event, out);
            return None;
        };
        let legal = order.state.after(step, order.filled > 0).filter(|_| order.instrument == event.instrument);
        let Some(state) = legal else {
            tell(AnomalyKind::IllegalTransition, event, id.0, out);
            return None;
        };
        order.state = state;
        order.sent |= step == Step::Sent;
        self.put(order);
        Some(order)
    }

    /// Puts an order back as it is now; of one that is over it is remembered what became of it as long as its fills are.
    fn put(&mut self, order: Order) {
        self.orders.put(order);
        if order.state.is_over()
            && order.state != State::Replaced
            && let Some(chain) = self.chains.get_mut(order.root)
        {
            let Order { state, filled, busted, .. } = order;
            chain.ended = Some(Ended { state, filled, busted });
        }
    }

    /// An answer for an order that is not in the table: over, or never ours.
    fn late(&mut self, id: OrderId, step: Step, event: &Event, out: &mut Out) {
        if !self.counters.has_given(id) {
            tell(AnomalyKind::UnknownOwnOrder, event, id.0, out);
        } else if State::Done.after(step, false).is_none() {
            tell(AnomalyKind::IllegalTransition, event, id.0, out);
        }
    }

    /// An order that was to replace another ends before it did: the other lives on.
    fn give_back(&mut self, ended: Order) {
        if let Some(mut old) = self.orders.get(ended.link)
            && old.link == ended.id
            && let Some(state) = old.state.after(Step::RejectReplace, old.filled > 0)
        {
            (old.state, old.link) = (state, OrderId(0));
            self.orders.put(old);
        }
    }

    fn ack(&mut self, event: &Event, out: &mut Out) {
        let ack: &Ack = event.record();
        let (id, replaces) = (OrderId(ack.order_id), OrderId(ack.replaces));
        let Some(mut order) = self.orders.get(id) else { return self.late(id, Step::Ack, event, out) };
        let old = self.orders.get(replaces);
        let gives_way = |o: &Order| o.link == id && o.state.after(Step::GiveWay, false).is_some();
        let matched = order.link == replaces && (replaces.0 == 0 || old.as_ref().is_some_and(gives_way));
        let (root, filled, busted) = old.map_or((id, 0, 0), |o| (o.root, o.filled, o.busted));
        let state = order.state.after(Step::Ack, filled > 0);
        let (Some(state), true) = (state.filter(|_| order.instrument == event.instrument), matched) else {
            return tell(AnomalyKind::IllegalTransition, event, id.0, out);
        };
        if let Some(mut old) = old {
            old.state = State::Replaced;
            self.put(old);
            if let Some(chain) = self.chains.get_mut(root) {
                chain.last = id;
            }
        }
        order = Order { link: OrderId(0), root, filled, busted, state, ..order };
        if order.left() == 0 {
            order.state = State::Done;
        }
        self.put(order);
    }

    fn reject(&mut self, event: &Event, out: &mut Out) {
        let reject: &Reject = event.record();
        let id = OrderId(reject.order_id);
        let replaces = self.orders.get(id).is_some_and(|o| o.link.0 != 0 && o.state.is_in_flight());
        let step = match Action::from_code(reject.action) {
            Some(Action::Cancel) => Step::RejectCancel,
            Some(Action::Replace) if replaces => Step::Reject,
            Some(Action::New) if !replaces => Step::Reject,
            _ if self.counters.has_given(id) => return tell(AnomalyKind::IllegalTransition, event, id.0, out),
            _ => return tell(AnomalyKind::UnknownOwnOrder, event, id.0, out),
        };
        if let Some(ended) = self.step(id, step, event, out)
            && step == Step::Reject
        {
            self.give_back(ended);
        }
    }

    fn refused(&mut self, event: &Event, out: &mut Out) {
        let refused: &Refused = event.record();
        if let Some(ended) = self.step(OrderId(refused.order_id), Step::Refuse, event, out) {
            self.give_back(ended);
        }
    }

    fn fill(&mut self, event: &Event, out: &mut Out) {
        let fill: &Fill = event.record();
        let id = OrderId(fill.order_id);
        let listed = self.instruments.get(event.instrument as usize).is_some_and(|i| i.terms.is_some());
        if !listed {
            return tell(AnomalyKind::UnknownInstrument, event, u64::from(event.instrument), out);
        }
        let order = self.orders.get(id);
        let side = if event.side() == Side::None { order.map_or(Side::None, |o| o.side) } else { event.side() };
        if side == Side::None || fill.qty.0 == 0 || fill.px == Px::NONE {
            return tell(AnomalyKind::BadValue, event, id.0, out);
        }
        let (root, after) = match (self.fills.corrected(event, side), order) {
            (Some(busted), _) => (self.correct(&busted, event, out), None),
            (None, Some(order)) => match filled(order, side, event) {
                Some(after) => (order.root, Some(after)),
                None => {
                    tell(AnomalyKind::IllegalTransition, event, id.0, out);
                    (OrderId(0), None)
                }
            },
            // What another journal left: only the position is of interest.
            (None, None) if event.flags.has(Flags::SNAPSHOT) => (OrderId(0), None),
            (None, None) => {
                self.late(id, Step::FillPart, event, out);
                (OrderId(0), None)
            }
        };
        let place = self.book(remembered(event, side, root), id);
        if let Some(after) = after {
            self.put(after);
        }
        match place {
            Some(place) => self.tell_position(&place, event, out),
            None => tell(AnomalyKind::OrdersFull, event, self.positions.limit() as u64, out),
        }
    }

    fn fill_cost(&mut self, event: &Event, out: &mut Out) {
        let cost: &FillCost = event.record();
        let id = OrderId(cost.order_id);
        if self.instruments.get(event.instrument as usize).is_none_or(|i| i.terms.is_none()) {
            return tell(AnomalyKind::UnknownInstrument, event, u64::from(event.instrument), out);
        }
        let key = Key::new(id.account(), id.strategy(), event.instrument);
        let limit = self.positions.limit() as u64;
        let Some(place) = self.positions.open(key) else { return tell(AnomalyKind::OrdersFull, event, limit, out) };
        place.fees = place.fees.saturating_add(i128::from(cost.fee));
        let place = *place;
        self.tell_money(&place, event, out);
    }

    pub(super) fn tell_position(&self, place: &Place, event: &Event, out: &mut Out) {
        let record = Position {
            qty: place.now.holding.qty,
            avg_px: place.now.holding.avg_px(),
            strategy: place.key.strategy(),
            account: place.key.account(),
            ..Default::default()
        };
        out.push(event.instrument, Flags::NONE, &record);
    }

    /// Realised profit, and the profit of what is open at the last trade, or else at the last fill.
    pub(super) fn tell_money(&self, place: &Place, event: &Event, out: &mut Out) {
        let Instrument { terms, last_px, .. } = self.instruments[event.instrument as usize];
        let terms = terms.expect("only what is listed is booked");
        let mark = last_px.known().or(place.now.last_px.known());
        let record = PositionMoney {
            realised: terms.money(place.now.holding.realised),
            unrealised: terms.money(mark.map_or(0, |px| place.now.holding.unrealised(px))),
            fees: i64::try_from(place.fees).unwrap_or(if place.fees < 0 { i64::MIN } else { i64::MAX }),
            strategy: place.key.strategy(),
            account: place.key.account(),
            ..Default::default()
        };
        out.push(event.instrument, Flags::LAST_OF_GROUP, &record);
    }

    fn command(&mut self, event: &Event, out: &mut Out) {
        let command: &Command = event.record();
        match CommandAction::from_code(command.action) {
            Some(CommandAction::Halt | CommandAction::CancelAll) => cancel_all(out),
            Some(CommandAction::SkipCounters) => {
                let by = u64::try_from(command.new).unwrap_or(0);
                if by == 0 || !self.counters.skip(command.target, by) {
                    tell(AnomalyKind::BadCommand, event, u64::from(command.target), out);
                }
            }
            _ => {}
        }
    }
}

/// The order after a fill, unless that is more than is left, or not the order's at all.
fn filled(order: Order, side: Side, event: &Event) -> Option<Order> {
    let qty = event.record::<Fill>().qty.0;
    let step = if qty == order.left() { Step::FillRest } else { Step::FillPart };
    let fits = qty <= order.left() && side == order.side && event.instrument == order.instrument;
    let state = order.state.after(step, true).filter(|_| fits)?;
    Some(Order { state, filled: order.filled + qty, ..order })
}

fn cancel_all(out: &mut Out) {
    out.push(0, Flags::LAST_OF_GROUP, &CancelRequest::default());
}

pub(super) fn tell(what: AnomalyKind, event: &Event, detail: u64, out: &mut Out) {
    tell_about(what, event, detail, (Px::NONE, Qty(0)), out);
}

/// [`tell`] with a price and a quantity that explain it.
#[cold]
pub(super) fn tell_about(what: AnomalyKind, event: &Event, detail: u64, (px, qty): (Px, Qty), out: &mut Out) {
    let anomaly = what.event_at(event.ts, event.instrument, Ns::NONE, detail, px, qty);
    out.push(event.instrument, anomaly.flags, anomaly.record::<Anomaly>());
}

impl Stage for OrdersStage {
    fn reads(&self) -> Kinds {
        Kinds::of(&[
            Kind::Listing,
            Kind::Trade,
            Kind::Intent,
            Kind::Refused,
            Kind::Sent,
            Kind::Ack,
            Kind::Fill,
            Kind::FillCost,
            Kind::Reject,
            Kind::Cancelled,
            Kind::Bust,
            Kind::Command,
            Kind::Halt,
        ])
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[
            Kind::Request,
            Kind::CancelRequest,
            Kind::ReplaceRequest,
            Kind::Position,
            Kind::PositionMoney,
            Kind::Anomaly,
        ])
    }

    fn scope(&self) -> Scope {
        Scope::Global
    }

    /// A fill: the anomaly and the position. A bust: the position and its money.
    fn fan_out(&self) -> usize {
        2
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        match event.kind {
            Kind::Trade => self.trade(event),
            Kind::Intent => self.intent(event, out),
            Kind::Ack => self.ack(event, out),
            Kind::Fill => self.fill(event, out),
            Kind::FillCost => self.fill_cost(event, out),
            Kind::Reject => self.reject(event, out),
            Kind::Refused => self.refused(event, out),
            Kind::Sent => {
                let sent: &Sent = event.record();
                if sent.action != Action::CancelAll.code() {
                    self.step(OrderId(sent.order_id), Step::Sent, event, out);
                }
            }
            Kind::Cancelled => {
                let cancelled: &Cancelled = event.record();
                self.step(OrderId(cancelled.order_id), Step::Cancelled, event, out);
            }
            Kind::Bust => self.bust(event, out),
            Kind::Command => self.command(event, out),
            Kind::Halt => cancel_all(out),
            Kind::Listing => self.listing(event),
            _ => {}
        }
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.save_state(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.load_state(from)
    }
}
