//! Random trading: every kind of order, cancels, replaces, groups; exercises the rest of the pipeline in tests.
//!
//! It counts changes and acts at the pulse. Its actions are a pure function of the seed and the events: every draw comes
//! from a splitmix generator whose state is one word. Orders of an instrument that may rest all have the same quantity, and
//! the others at least that, so acks and fills alone tell which of its orders are open. An order with a change pending is left
//! alone until the report arrives, at most `PATIENCE_S` seconds. For as long after a command that sets the quantity, an order
//! that is acknowledged may have the one before: it counts as open until the larger of them is filled. One that was the smaller
//! is forgotten when a cancel of it is rejected.
//!
//! Bound: it follows `OPEN_SLOTS` open orders; further ones are ignored. Worst case: a scan of those orders, and six
//! events.

use super::Setup;
use super::common::{ACCOUNT, QTY, STRATEGY_VENUE, SYMBOLS};
use super::emit::{self, Touch};
use super::occasion::Occasion;
use super::owner::Owner;
use super::universe::{Universe, index};
use flow::records::{Ack, BookTop, Cancelled, Intent, Listing, Reject, Signal};
use flow::{
    Account, Action, Booking, Event, GrowingTable, IntParam, Kind, Kinds, Ns, OrderId, Out, Param, ParamError, Params,
    PerSymbol, Px, Real, Scope, Side, Stage, StateError, StateReader, StateWriter, StrategyId, Tick, Tif, TradingState,
    table,
};
use serde::{Deserialize, Serialize};
use std::hint::black_box;

/// The most open orders that it follows.
const OPEN_SLOTS: usize = 256;
/// The most events of one action: a signal, its reason, two legs.
const ACTION: usize = 4;
/// How long it waits for the report on a change, in seconds.
const PATIENCE_S: u64 = 10;

const SEED: IntParam = IntParam::new("seed", (0, u64::MAX), "1", "seed of the generator");
const EVERY: IntParam =
    IntParam::new("every", (1, 1_000_000_000), "10", "acts at every so many changes of a chosen top and trades of it")
        .unit("events");
const MAX_POSITION: IntParam = IntParam::new(
    "max_position",
    (0, 1_000_000_000_000_000),
    "1000",
    "a position of this size or more is only reduced",
)
.unit("smallest units");
const MAX_OPEN: IntParam<usize> =
    IntParam::new("max_open", (1, OPEN_SLOTS as u64), "20", "with so many orders open it cancels and does not add")
        .unit("orders");

/// Number of the strategy `random`.
pub const RANDOM: StrategyId = StrategyId(3);

/// What can be set.
pub const PARAMS: &[Param] = &[
    SYMBOLS.param(),
    ACCOUNT.param(),
    STRATEGY_VENUE.param(),
    QTY.live().per_symbol().param(),
    SEED.param(),
    EVERY.live().per_symbol().param(),
    MAX_POSITION.live().per_symbol().param(),
    MAX_OPEN.live().param(),
];

/// It acts on every top.
pub const OCCASION: Occasion = Occasion {
    params: &[("every", "1"), ("qty", "1"), ("max_open", "20"), ("max_position", "1000")],
    events: |_, _| (),
};

/// The settings of an instrument.
struct Settings {
    qty: u64,
    every: u64,
    max_position: u64,
    max_open: usize,
}

impl Settings {
    fn read(params: &Params) -> Settings {
        let (qty, every) = (params.get(QTY), params.get(EVERY));
        Settings { qty, every, max_position: params.get(MAX_POSITION), max_open: params.get(MAX_OPEN) }
    }
}

/// An order of ours at the venue.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    id: OrderId,
    instrument: u32,
    /// With so much filled it is done.
    qty: u64,
    filled: u64,
    /// No further change before this time; `Ns(0)` = no change pending.
    busy_until: Ns,
}

/// State per instrument. Not all zero, so that filling memory with it touches the memory.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    touch: Touch,
    tick: Tick,
    position: i64,
}

impl Known {
    const NOTHING: Known = Known { touch: Touch::NONE, tick: Tick::UNKNOWN, position: 0 };
}

/// The strategy.
pub struct RandomStage {
    number: StrategyId,
    universe: Universe,
    known: GrowingTable<Known>,
    open: Box<[Open]>,
    opened: usize,
    drawn: u64,
    chances: u64,
    /// Where it acts at the next pulse; 0 = nowhere.
    due: u32,
    group: u32,
    /// The instrument of its last order: the other leg of a group.
    other: u32,
    ended: bool,
    account: Account,
    settings: PerSymbol<Settings>,
    /// The largest quantity before a command changed one, and until when an order with it may be acknowledged.
    earlier: (u64, Ns),
}

impl RandomStage {
    /// Builds the strategy with the parameters of [`PARAMS`].
    ///
    /// # Errors
    /// When there are too many symbols.
    pub fn new(params: &Params, setup: Setup<'_>) -> Result<RandomStage, ParamError> {
        let Setup { number, space, .. } = setup;
        let vacant = Open { id: OrderId(u64::MAX), instrument: 0, qty: 0, filled: 0, busy_until: Ns(0) };
        Ok(RandomStage {
            number,
            universe: Universe::new("random", params, space.instruments)?,
            known: GrowingTable::new(space.instruments as usize, Known::NOTHING),
            open: table(OPEN_SLOTS, vacant),
            opened: 0,
            drawn: params.get(SEED),
            chances: 0,
            due: 0,
            group: 0,
            other: 0,
            ended: false,
            account: Account(params.get(ACCOUNT)),
            settings: PerSymbol::new(PARAMS, number.0, params, space.instruments, |of| Ok(Settings::read(of)))?,
            earlier: (0, Ns(0)),
        })
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// As [`RandomStage::new`].
    pub fn build(params: &Params, setup: Setup<'_>) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(RandomStage::new(params, setup)?))
    }

    /// A random number below `n`.
    fn draw(&mut self, n: u64) -> u64 {
        self.drawn = self.drawn.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.drawn;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((u128::from(z ^ (z >> 31)) * u128::from(n)) >> 64) as u64
    }

    #[inline(always)]
    fn chance(&mut self, at: u32, out: &mut Out) {
        if self.ended || !self.universe.has(at) || !self.known[at as usize].touch.is_two_sided() {
            return;
        }
        self.chances += 1;
        if self.chances.is_multiple_of(self.settings.get(at).every) {
            self.due = at;
            out.ask_for_pulse();
        }
    }

    #[inline]
    fn pulse(&mut self, now: Ns, out: &mut Out) {
        if self.due != 0 && out.room() < ACTION {
            out.ask_for_pulse();
        } else if self.due != 0 {
            let at = std::mem::take(&mut self.due);
            if !self.ended && self.universe.trusts(at) && self.known[at as usize].touch.is_two_sided() {
                self.act(at, now, out);
            }
        }
    }

    #[cold]
    fn act(&mut self, at: u32, now: Ns, out: &mut Out) {
        let dice = self.draw(100);
        let full = self.opened >= self.settings.of_all().max_open;
        let change = if full || dice < 15 { Some(Action::Cancel) } else { (dice < 30).then_some(Action::Replace) };
        if let Some(action) = change
            && self.opened > 0
        {
            return self.change(action, now, out);
        }
        let mut side = if self.draw(2) == 0 { Side::Buy } else { Side::Sell };
        let position = self.known[at as usize].position;
        let Settings { qty, max_position, .. } = *self.settings.get(at);
        if position.unsigned_abs() >= max_position {
            side = if position > 0 { Side::Sell } else { Side::Buy };
        }
        let (touch, tick) = (self.orderable(at), self.known[at as usize].tick);
        let multiple = 1 + self.draw(3);
        let away = self.draw(4) as i64 * if side == Side::Buy { 1 } else { -1 };
        let join = tick.steps(touch.join(side), -away);
        let cross = tick.steps(touch.against(side), away);
        let order = |px, qty, tif| emit::new_order(self.number, self.account, px, qty, tif);
        let intent = match dice {
            30..45 => order(Px::NONE, qty * multiple, Tif::ImmediateOrCancel),
            45..58 => order(cross, qty * multiple, Tif::ImmediateOrCancel),
            58..68 => order(touch.against(side), qty * multiple, Tif::FillOrKill),
            68..76 => return self.group(at, side, out),
            76..86 => order(join, qty, Tif::Day),
            _ => order(join, qty, Tif::GoodTillCancelled),
        };
        self.other = at;
        emit::intent(out, at, side, &intent);
        self.push_signal(at, side, touch, dice, out);
    }

    /// Two legs: this instrument, and opposite to it the instrument of its last order.
    #[inline(never)]
    fn group(&mut self, at: u32, side: Side, out: &mut Out) {
        self.group = self.group.wrapping_add(1).max(1);
        let other = std::mem::replace(&mut self.other, at);
        let other = if self.universe.has(other)
            && self.universe.trusts(other)
            && self.known[other as usize].touch.is_two_sided()
        {
            other
        } else {
            at
        };
        for (leg, side) in [(at, side), (other, side.opposite())] {
            let px = self.orderable(leg).against(side);
            let qty = self.settings.get(leg).qty;
            let intent = emit::new_order(self.number, self.account, px, qty, Tif::ImmediateOrCancel);
            emit::intent(out, leg, side, &Intent { group: self.group, legs: 2, ..intent });
        }
        self.push_signal(at, side, self.orderable(at), 68, out);
    }

    /// Cancels or replaces a random open order, unless a change is pending.
    #[inline(never)]
    fn change(&mut self, action: Action, now: Ns, out: &mut Out) {
        let pick = self.draw(self.opened as u64) as usize;
        let Open { id, instrument, filled, busy_until, .. } = self.open[pick];
        let touch = self.orderable(instrument);
        let acts = action == Action::Cancel || self.universe.trusts(instrument);
        if now < busy_until || !acts || !touch.is_two_sided() {
            return;
        }
        self.open[pick].busy_until = Ns(now.0.saturating_add(PATIENCE_S * Ns::SECOND));
        let px = if self.draw(2) == 0 { touch.bid } else { touch.ask };
        let qty = self.settings.get(instrument).qty.max(filled.saturating_add(1));
        let intent = emit::new_order(self.number, self.account, px, qty, Tif::Day);
        emit::intent(out, instrument, Side::None, &Intent { action: action.code(), order_id: id.0, ..intent });
    }

    /// The touch at prices that an order may have.
    fn orderable(&self, at: u32) -> Touch {
        let known = &self.known[at as usize];
        known.touch.on(known.tick)
    }

    fn find(&self, id: OrderId) -> Option<usize> {
        self.open[..self.opened].iter().position(|o| o.id == id)
    }

    /// Stops following an order; returns its filled quantity.
    fn close(&mut self, id: OrderId) -> u64 {
        let Some(at) = self.find(id) else { return 0 };
        let filled = self.open[at].filled;
        self.open.copy_within(at + 1..self.opened, at);
        self.opened -= 1;
        filled
    }

    fn owner(&self) -> Owner {
        Owner { account: self.account, strategy: self.number }
    }

    fn ack(&mut self, event: &Event) {
        let ack: &Ack = event.record();
        let id = OrderId(ack.order_id);
        if !self.owner().has(id) || event.instrument as usize >= self.known.bound() {
            return;
        }
        let filled = self.close(OrderId(ack.replaces));
        if self.opened < OPEN_SLOTS {
            let earlier = if event.ts < self.earlier.1 { self.earlier.0 } else { 0 };
            let qty = self.settings.get(event.instrument).qty.max(earlier).max(filled.saturating_add(1));
            self.open[self.opened] = Open { id, instrument: event.instrument, qty, filled, busy_until: Ns(0) };
            self.opened += 1;
        }
    }

    /// Sets a parameter.
    #[cold]
    fn command(&mut self, event: &Event, out: &mut Out) {
        let largest = self.settings.all().map(|of| of.qty).max().unwrap_or(0);
        if self.settings.command(event, out) == Some(QTY.name()) {
            let still = if event.ts < self.earlier.1 { self.earlier.0 } else { 0 };
            self.earlier = (largest.max(still), Ns(event.ts.0.saturating_add(PATIENCE_S * Ns::SECOND)));
        }
    }

    /// What the portfolio has booked; the quantity of a fill that is taken back does not become open again.
    fn booked(&mut self, event: &Event) {
        let Some((booked, adds)) = self.owner().booked(event) else { return };
        let Some(known) = self.known.get_mut(event.instrument as usize) else { return };
        known.position = known.position.saturating_add(adds);
        let id = OrderId(booked.order_id);
        if let Some(at) = self.find(id).filter(|_| booked.what == Booking::Filled.code()) {
            self.open[at].filled = self.open[at].filled.saturating_add(booked.qty.0);
            if self.open[at].filled >= self.open[at].qty {
                self.close(id);
            }
        }
    }
}

impl RandomStage {
    /// The signal of an action: the draw is its confidence.
    fn push_signal(&self, at: u32, side: Side, touch: Touch, dice: u64, out: &mut Out) {
        let entry = Signal {
            entry: touch.against(side),
            stop: Px::NONE,
            target: Px::NONE,
            confidence: Real::of(dice as f64 / 100.0),
            strategy: self.number,
            ..Default::default()
        };
        emit::signal(out, at, side, &entry, &[(Kind::BookTop, dice as f64, 30.0)]);
    }
}

impl Stage for RandomStage {
    fn reads(&self) -> Kinds {
        Kinds::of(&[
            Kind::Name,
            Kind::Command,
            Kind::DataState,
            Kind::Listing,
            Kind::BookTop,
            Kind::Trade,
            Kind::Ack,
            Kind::Booked,
            Kind::Reject,
            Kind::Cancelled,
            Kind::EndOfInput,
            Kind::Pulse,
        ])
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Signal, Kind::Reason, Kind::Intent, Kind::CommandOutcome])
    }

    fn scope(&self) -> Scope {
        Scope::Global
    }

    fn fan_out(&self) -> usize {
        ACTION
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        match event.kind {
            Kind::BookTop => {
                if let Some(known) = self.known.get_mut(event.instrument as usize) {
                    known.touch = Touch::of(event.record::<BookTop>());
                    self.chance(event.instrument, out);
                }
            }
            Kind::Trade => self.chance(event.instrument, out),
            Kind::Pulse => self.pulse(event.ts, out),
            Kind::Ack => self.ack(event),
            Kind::Booked => self.booked(event),
            Kind::Cancelled => drop(self.close(OrderId(event.record::<Cancelled>().order_id))),
            Kind::Reject => {
                let reject: &Reject = event.record();
                if reject.action == Action::Cancel.code() {
                    self.close(OrderId(reject.order_id));
                }
            }
            Kind::Listing => {
                self.universe.listing(event);
                if let Some(known) = self.known.get_mut(event.instrument as usize) {
                    known.tick = Tick::of(event.record::<Listing>());
                }
            }
            Kind::Name => {
                self.universe.name(event);
                self.settings.name(event);
            }
            Kind::Command => self.command(event, out),
            Kind::DataState => self.universe.data_state(event),
            Kind::EndOfInput => self.ended = true,
            _ => {}
        }
    }

    fn warm(&self) {
        let RandomStage { drawn, chances, other, group, account, .. } = self;
        black_box((*drawn, *chances, *other, *group, *account));
        black_box((self.settings.of_all().max_open, self.orderable(*other), self.universe.trusts(*other)));
        black_box(self.open.first().map(|open| open.id));
    }

    fn trading_state(&self, to: &mut TradingState) {
        to.add_params(self.settings.in_force().into_iter().map(|(_, row)| row));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.universe.save(to);
        to.put(&(self.drawn, self.chances, self.group, to.key(self.other), to.key(self.due), self.ended));
        to.put(&self.earlier);
        let known = self.known.values().iter().enumerate().filter(|(_, k)| **k != Known::NOTHING);
        let mut known: Vec<_> = known.map(|(at, k)| (to.key(at as u32), *k)).collect();
        known.sort_by(|a, b| a.0.cmp(&b.0));
        to.put(&known);
        let open = &self.open[..self.opened];
        to.put(&open.iter().map(|o| (to.key(o.instrument), o.id, (o.qty, o.filled), o.busy_until)).collect::<Vec<_>>());
        self.settings.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.universe.load(from)?;
        let limit = self.known.bound();
        let (drawn, chances, group, other, due, ended) = from.get::<(u64, u64, u32, String, String, bool)>()?;
        (self.drawn, self.chances, self.group, self.ended) = (drawn, chances, group, ended);
        (self.other, self.due) = (index(&other, from, limit)? as u32, index(&due, from, limit)? as u32);
        self.earlier = from.get()?;
        self.known.clear();
        for (key, known) in from.get::<Vec<(String, Known)>>()? {
            let at = index(&key, from, limit)?;
            self.known[at] = known;
        }
        let open = from.get::<Vec<(String, OrderId, (u64, u64), Ns)>>()?;
        if open.len() > OPEN_SLOTS {
            return Err(StateError::TooLarge { what: "open orders", found: open.len(), limit: OPEN_SLOTS });
        }
        self.opened = open.len();
        for (slot, (key, id, (qty, filled), busy_until)) in self.open.iter_mut().zip(open) {
            *slot = Open { id, instrument: index(&key, from, limit)? as u32, qty, filled, busy_until };
        }
        self.settings.load(from)
    }
}
