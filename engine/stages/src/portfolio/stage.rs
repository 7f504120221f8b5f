//! The stage: books fills, takes back what is busted, and says what is held.
//!
//! After a bust it is as if the fill had never happened: the position is rebuilt from the fills that stand, in their order.
//! That is what a clearing house does, and the only rule under which average price and realised profit hold no part of a
//! void trade. A trade in the other direction at the bust's price would give the same money in total, but split it by an
//! average that the void trade has moved.

use super::executions::{Execution, Executions, FillReport, NO_FILL, Unbooked};
use super::money::{Holding, Terms};
use super::positions::{Entry, Key};
use crate::Space;
use crate::by_key::ByKey;
use flow::records::{Anomaly, Booked, Bust, DropCopy, FillCost, Listing, Position, PositionMoney, Trade};
use flow::{
    Account, AnomalyKind, Booking, CopyOf, Event, Flags, GrowingTable, Kind, Kinds, NO_MONEY, Ns, OrderId, Out, Param,
    ParamError, Params, Px, Qty, Scope, Side, Stage, StateError, StateReader, StateWriter, StrategyId, TradingState,
    known_money, money,
};

/// It has none: its sizes are those of the pipeline.
pub const PARAMS: &[Param] = &[];

/// What is kept per instrument.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Instrument {
    /// `None` before its listing.
    pub(super) terms: Option<Terms>,
    /// Price of its last trade.
    pub(super) last_px: Px,
}

impl Instrument {
    pub(super) const UNLISTED: Instrument = Instrument { terms: None, last_px: Px::NONE };
}

/// Positions and the fills that made them.
pub struct PortfolioStage {
    pub(super) positions: ByKey<Entry>,
    /// The fills that a bust may still name.
    pub(super) fills: Executions,
    pub(super) instruments: GrowingTable<Instrument>,
    /// The last fill was reported before: the cost that follows it was too.
    pub(super) reported_twice: Option<(OrderId, u64)>,
}

impl PortfolioStage {
    /// Nothing is held.
    pub fn new(space: Space) -> PortfolioStage {
        PortfolioStage {
            positions: ByKey::new(space.positions),
            fills: Executions::new(space.fills),
            instruments: GrowingTable::new(space.instruments as usize, Instrument::UNLISTED),
            reported_twice: None,
        }
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// None.
    pub fn build(_params: &Params, space: Space) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(PortfolioStage::new(space)))
    }

    /// All positions: account, strategy, instrument, holding.
    pub fn positions(&self) -> impl Iterator<Item = (Account, StrategyId, u32, Holding)> {
        self.positions.iter().map(|p| (p.key.account(), p.key.strategy(), p.key.instrument(), p.holding()))
    }

    fn is_listed(&self, instrument: u32) -> bool {
        self.instruments.get(instrument as usize).is_some_and(|i| i.terms.is_some())
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

    /// Books a fill; whether it was booked.
    fn fill(&mut self, event: &Event, out: &mut Out) -> bool {
        let fill = Execution::of(event);
        let (order_id, terms) = (fill.order.0, (fill.px, Qty(fill.qty)));
        let refused = |what, detail, out: &mut Out| {
            push_anomaly(what, event, detail, out);
            false
        };
        if !self.is_listed(event.instrument) {
            return refused(AnomalyKind::UnknownInstrument, u64::from(event.instrument), out);
        }
        if event.side() == Side::None || fill.qty == 0 || fill.px == Px::NONE {
            return refused(AnomalyKind::BadValue, order_id, out);
        }
        let (corrects, what) = match self.fills.told(&fill) {
            FillReport::Twice => {
                self.reported_twice = Some((fill.order, fill.match_id));
                push_anomaly_at(AnomalyKind::RepeatedFill, event, fill.match_id, terms, out);
                return false;
            }
            FillReport::Correction { of, qty } if fill.qty > qty => (of, Booking::Enlarged),
            FillReport::Correction { of, .. } => (of, Booking::Corrected),
            FillReport::First => (0, Booking::Filled),
        };
        let Some(entry) = self.book(fill) else {
            return refused(AnomalyKind::PositionsFull, self.positions.limit() as u64, out);
        };
        let number = self.fills.booked();
        let booked = Booked { number, order_id, qty: terms.1, corrects, ..booked(what) };
        push_position(&entry, event, out);
        push_booked(&booked, event.side(), event, out);
        true
    }

    /// Books an execution that nobody here asked for; what was carried over was said before.
    #[cold]
    fn drop_copy(&mut self, event: &Event, out: &mut Out) {
        let copy: &DropCopy = event.record();
        if copy.what == CopyOf::Execution.code() && self.fill(event, out) && !event.flags.has(Flags::SNAPSHOT) {
            let terms = (copy.px, copy.qty);
            push_anomaly_at(AnomalyKind::UnsolicitedFill, event, copy.match_id, terms, out);
        }
    }

    /// Books a fill in its position and remembers it; `None` if there is no room for the position.
    pub(super) fn book(&mut self, fill: Execution) -> Option<Entry> {
        let key = key_of(&fill);
        self.positions.open(key.word(), || Entry::at(key))?;
        if let Some(gone) = self.fills.make_room() {
            self.forget(&gone);
        }
        let at = self.fills.add(fill);
        let entry = self.positions.open(key.word(), || Entry::at(key)).expect("it was opened");
        if !fill.busted {
            entry.now.fill(&fill);
        }
        let before = std::mem::replace(&mut entry.newest, at);
        if before == NO_FILL {
            entry.oldest = at;
        }
        let entry = *entry;
        if before != NO_FILL {
            self.fills.at_mut(before).next = at;
        }
        Some(entry)
    }

    /// Forgets the oldest fill: its position's base sum takes it in.
    fn forget(&mut self, gone: &Execution) {
        let entry = self.positions.get_mut(key_of(gone).word()).expect("a remembered fill has a position");
        if !gone.busted {
            entry.base.fill(gone);
        }
        entry.oldest = gone.next;
        if gone.next == NO_FILL {
            entry.newest = NO_FILL;
        }
    }

    fn fill_cost(&mut self, event: &Event, out: &mut Out) {
        let cost: &FillCost = event.record();
        let id = OrderId(cost.order_id);
        if self.reported_twice.take() == Some((id, cost.match_id)) {
            return;
        }
        if !self.is_listed(event.instrument) {
            return push_anomaly(AnomalyKind::UnknownInstrument, event, u64::from(event.instrument), out);
        }
        let limit = self.positions.limit() as u64;
        let key = Key::of(id, event.instrument);
        let Some(entry) = self.positions.open(key.word(), || Entry::at(key)) else {
            return push_anomaly(AnomalyKind::PositionsFull, event, limit, out);
        };
        entry.charge(known_money(cost.fee));
        let entry = *entry;
        self.push_money(&entry, event, out);
    }

    /// Takes back a fill.
    #[cold]
    fn bust(&mut self, event: &Event, out: &mut Out) {
        let bust: &Bust = event.record();
        let at = match self.fills.bust(event) {
            Ok(at) => at,
            Err(why) => return unbooked(why, event, out),
        };
        let (busted, number) = (*self.fills.at(at), self.fills.number_at(at));
        let entry = self.remake(key_of(&busted));
        entry.charge(known_money(bust.fee).map(|fee| -fee));
        let entry = *entry;
        let qty = Qty(busted.qty);
        let taken_back = Booked { number, order_id: busted.order.0, qty, ..booked(Booking::Busted) };
        push_position(&entry, event, out);
        self.push_money(&entry, event, out);
        push_booked(&taken_back, busted.side, event, out);
    }

    /// Rebuilds a position: its base sum, then the remembered fills that stand.
    fn remake(&mut self, key: Key) -> &mut Entry {
        let entry = self.positions.get_mut(key.word()).expect("a remembered fill has a position");
        entry.now = entry.base;
        let mut next = entry.oldest;
        while next != NO_FILL {
            let fill = self.fills.at(next);
            if !fill.busted {
                entry.now.fill(fill);
            }
            next = fill.next;
        }
        entry
    }

    /// Pushes the money of a position.
    fn push_money(&self, entry: &Entry, event: &Event, out: &mut Out) {
        out.push(event.instrument, Flags::LAST_OF_GROUP, &self.money(entry));
    }

    /// Realised profit, and unrealised profit at the last trade, or else at the last fill; neither is known without a
    /// multiplier.
    fn money(&self, entry: &Entry) -> PositionMoney {
        let Instrument { terms, last_px } = self.instruments[entry.key.instrument() as usize];
        let profit = |product: i128| terms.map_or(NO_MONEY, |terms| terms.money(product));
        let mark = last_px.known().or(entry.now.last_px.known());
        PositionMoney {
            realised: profit(entry.now.holding.realised),
            unrealised: profit(mark.map_or(0, |px| entry.now.holding.unrealised(px))),
            fees: if entry.lacks_a_fee { NO_MONEY } else { money(entry.fees) },
            account: entry.key.account(),
            strategy: entry.key.strategy(),
            ..Default::default()
        }
    }
}

pub(super) fn key_of(fill: &Execution) -> Key {
    Key::of(fill.order, fill.instrument)
}

fn booked(what: Booking) -> Booked {
    Booked { what: what.code(), ..Booked::default() }
}

/// What was carried over from another journal is marked as its report is. It comes last: whoever sees that an order has ended
/// knows what is held by then.
fn push_booked(booked: &Booked, side: Side, event: &Event, out: &mut Out) {
    let carried = if event.flags.has(Flags::SNAPSHOT) { Flags::SNAPSHOT } else { Flags::NONE };
    out.push(event.instrument, Flags::side_only(side).with(carried), booked);
}

fn push_position(entry: &Entry, event: &Event, out: &mut Out) {
    let holding = &entry.now.holding;
    let (account, strategy) = (entry.key.account(), entry.key.strategy());
    let record = Position { qty: holding.qty, avg_px: holding.avg_px(), account, strategy, ..Default::default() };
    out.push(event.instrument, Flags::NONE, &record);
}

fn unbooked(why: Unbooked, event: &Event, out: &mut Out) {
    let bust: &Bust = event.record();
    let what = match why {
        Unbooked::Unknown => AnomalyKind::UnknownFill,
        Unbooked::Repeated => AnomalyKind::RepeatedBust,
        Unbooked::Mismatch => AnomalyKind::BustMismatch,
    };
    push_anomaly_at(what, event, bust.match_id, (bust.px, bust.qty), out);
}

fn push_anomaly(what: AnomalyKind, event: &Event, detail: u64, out: &mut Out) {
    push_anomaly_at(what, event, detail, (Px::NONE, Qty(0)), out);
}

/// [`push_anomaly`] with a price and a quantity that explain it.
#[cold]
fn push_anomaly_at(what: AnomalyKind, event: &Event, detail: u64, (px, qty): (Px, Qty), out: &mut Out) {
    let anomaly = what.event_at(event.ts, event.instrument, Ns::NONE, detail, px, qty);
    out.push(event.instrument, anomaly.flags, anomaly.record::<Anomaly>());
}

impl Stage for PortfolioStage {
    fn reads(&self) -> Kinds {
        Kinds::of(&[Kind::Listing, Kind::Trade, Kind::Fill, Kind::FillCost, Kind::Bust, Kind::DropCopy])
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Booked, Kind::Position, Kind::PositionMoney, Kind::Anomaly])
    }

    fn scope(&self) -> Scope {
        Scope::Global
    }

    /// A bust: the position, its money, and what the bust was. A drop copy: the position, what it was, and that nobody sent it.
    fn fan_out(&self) -> usize {
        3
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        match event.kind {
            Kind::Trade => self.trade(event),
            Kind::Fill => {
                self.fill(event, out);
            }
            Kind::DropCopy => self.drop_copy(event, out),
            Kind::FillCost => self.fill_cost(event, out),
            Kind::Bust => self.bust(event, out),
            Kind::Listing => self.listing(event),
            _ => {}
        }
    }

    /// Reads its positions once.
    fn trading_state(&self, to: &mut TradingState) {
        to.money.extend(self.positions.iter().map(|entry| (entry.key.instrument(), self.money(entry))));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.save_state(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.load_state(from)
    }
}
