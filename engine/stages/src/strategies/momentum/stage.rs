//! The stage: checks entries at the pulse after a `cvd`, exits at the pulse after a `book-top`.
//!
//! A condition whose value is unknown is not met. Bound: as the module above.

use super::super::Setup;
use super::super::changed::Changed;
use super::super::emit::{self, Touch, Why};
use super::super::session::Within;
use super::super::universe::{Universe, index};
use super::params::{Fixed, OF_WINDOWS, PARAMS, Settings};
use super::state::InstrumentState;
use crate::measures::counted_before;
use flow::records::{
    Bar, BookTop, Booked, Cancelled, Cvd, Imbalance, Intent, Listing, Memory, Refused, Reject, Signal, Vpin,
};
use flow::{
    Booking, Calendar, Event, GrowingTable, Kind, Kinds, Lasting, Mic, Ns, OrderId, Out, ParamError, Params, PerSymbol,
    Px, Real, Reduces, Scope, Sessions, Side, Stage, StateError, StateReader, StateWriter, StrategyId, Tick, Tif,
    TradingState,
};

/// The most events of one decision: a signal, three reasons, an intent.
const DECISION: usize = 5;
/// The most instruments on which it decides at one pulse: each may first leave and then enter.
const AT_ONCE: usize = Out::CAP / (2 * DECISION);

/// Aggressive volume came: an entry may be due.
const FLOW: u8 = 1;
/// The touch changed with a position open: an exit may be due.
const TOUCH: u8 = 2;

/// The strategy.
pub struct MomentumStage {
    number: StrategyId,
    universe: Universe,
    instruments: GrowingTable<InstrumentState>,
    changed: Changed,
    sessions: Sessions,
    fixed: Fixed,
    settings: PerSymbol<Settings>,
    /// The input that broke a trade last: the `cvd` that it causes reports no new one. Of no use after its input, so not saved.
    breaking: u64,
    ended: bool,
}

impl MomentumStage {
    /// Builds the strategy with the parameters of [`super::PARAMS`].
    ///
    /// # Errors
    /// When there are too many symbols, or a parameter does not parse.
    pub fn new(params: &Params, setup: Setup<'_>) -> Result<MomentumStage, ParamError> {
        let Setup { number, space, .. } = setup;
        Ok(MomentumStage {
            number,
            universe: Universe::new("momentum", params, space.instruments)?,
            instruments: GrowingTable::new(space.instruments as usize, InstrumentState::NONE),
            changed: Changed::new(space.instruments),
            sessions: Sessions::default(),
            fixed: Fixed::read(params, setup.measures)?,
            settings: PerSymbol::new(PARAMS, number.0, params, space.instruments, Settings::read)?,
            breaking: 0,
            ended: false,
        })
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// As [`MomentumStage::new`].
    pub fn build(params: &Params, setup: Setup<'_>) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(MomentumStage::new(params, setup)?))
    }

    /// Whether a report is about an order of this strategy.
    fn is_ours(&self, id: u64) -> bool {
        let id = OrderId(id);
        (id.account(), id.strategy()) == (self.fixed.account, self.number)
    }

    /// Checks the conditions of an entry, and enters; says whether it did.
    fn enter(&mut self, at: u32, now: Ns, out: &mut Out) -> bool {
        let set = self.settings.get(at);
        let Settings { cooldown_ns, max_age_ns, hours, short, .. } = *set;
        let state = &mut self.instruments[at as usize];
        let fresh = state.touch.is_two_sided() && now.0.saturating_sub(state.touch_ts.0) <= max_age_ns;
        if state.is_working(now, cooldown_ns) || state.position != 0 || now < state.cooldown_until || !fresh {
            return false;
        }
        let (net, volume) = state.flow.net();
        let side = if net < 0.0 { Side::Sell } else { Side::Buy };
        let toward = if net < 0.0 { -1.0 } else { 1.0 };
        let flows = net * toward >= set.min_flow && net != 0.0 && volume >= set.min_volume;
        let leans = state.imbalance * toward >= set.min_imbalance;
        let calm = set.max_vpin >= 1.0 || state.vpin <= set.max_vpin;
        if !flows || !leans || !calm || (side == Side::Sell && !short) {
            return false;
        }
        let Some(range) = state.atr.value(set.atr_bars).filter(|range| *range > 0.0) else { return false };
        if state.day.place(state.exchange_ts, state.calendar, hours, &self.sessions) != Within::Window {
            return false;
        }
        let (tick, entry) = (state.tick, state.touch.on(state.tick).against(side));
        let away = |ranges: f64, sign: f64| level(entry, range * ranges, tick, sign);
        (state.stop, state.target) = (away(set.stop_atr, -toward), away(set.target_atr, toward));
        (state.working, state.patience) = (set.qty, Ns(now.0.saturating_add(set.patience_ns)));
        let calmness = if state.vpin.is_nan() { 0.5 } else { 1.0 - state.vpin };
        let signal = Signal {
            entry,
            stop: state.stop,
            target: state.target,
            confidence: Real::of(((net * toward + state.imbalance.abs() + calmness) / 3.0).clamp(0.0, 1.0)),
            strategy: self.number,
            ..Default::default()
        };
        let why = [
            (Kind::Cvd, net, set.min_flow * toward),
            (Kind::Imbalance, state.imbalance, set.min_imbalance * toward),
            (Kind::Vpin, state.vpin, set.max_vpin),
        ];
        let measures = if set.max_vpin >= 1.0 { 2 } else { 3 };
        let intent = emit::new_order(self.number, self.fixed.account, entry, set.qty, Tif::ImmediateOrCancel);
        emit::intent(out, at, side, &intent);
        emit::signal(out, at, side, &signal, &why[..measures]);
        true
    }

    /// Checks the conditions of an exit, and leaves; says whether it did.
    fn leave(&mut self, at: u32, now: Ns, out: &mut Out) -> bool {
        let Settings { cooldown_ns, hours, patience_ns, .. } = *self.settings.get(at);
        let state = &mut self.instruments[at as usize];
        if state.position == 0 || !state.touch.is_two_sided() || state.is_working(now, cooldown_ns) {
            return false;
        }
        let side = if state.position > 0 { Side::Sell } else { Side::Buy };
        let px = state.touch.on(state.tick).against(side);
        let touched = |level: Px, below: bool| level != Px::NONE && if below { px <= level } else { px >= level };
        let long = side == Side::Sell;
        let why: Why = if state.day.place(state.exchange_ts, state.calendar, hours, &self.sessions) != Within::Window {
            let day = 86_400 * Ns::SECOND;
            (Kind::Status, (state.exchange_ts.0 % day / Ns::SECOND) as f64, state.day.end_s(hours).into())
        } else if touched(state.stop, long) {
            (Kind::BookTop, emit::price(px), emit::price(state.stop))
        } else if touched(state.target, !long) {
            (Kind::BookTop, emit::price(px), emit::price(state.target))
        } else if state.stop == Px::NONE {
            // After a bust, or carried over from another journal: the position has no stop.
            (Kind::Position, state.position as f64, 0.0)
        } else {
            return false;
        };
        let qty = state.position.unsigned_abs();
        (state.working, state.patience) = (qty, Ns(now.0.saturating_add(patience_ns)));
        let signal = Signal {
            entry: px,
            stop: Px::NONE,
            target: Px::NONE,
            confidence: Real::of(1.0),
            strategy: self.number,
            ..Default::default()
        };
        let exit = emit::new_order(self.number, self.fixed.account, px, qty, Tif::ImmediateOrCancel);
        emit::intent(out, at, side, &Intent { reduces: Reduces::Only.code(), ..exit });
        emit::signal(out, at, side, &signal, &[why]);
        true
    }

    /// Decides on what changed.
    #[inline]
    fn pulse(&mut self, now: Ns, out: &mut Out) {
        if self.changed.len() > 0 {
            self.decide(now, out);
        }
    }

    #[inline(never)]
    fn decide(&mut self, now: Ns, out: &mut Out) {
        let mut left = AT_ONCE;
        while left > 0 && out.room() >= 2 * DECISION {
            let Some((at, why)) = self.changed.take() else { return };
            if self.ended || !self.universe.trusts(at) {
                continue;
            }
            let left_it = why & TOUCH != 0 && self.leave(at, now, out);
            let entered = why & FLOW != 0 && self.enter(at, now, out);
            left -= usize::from(left_it || entered);
        }
        if self.changed.len() > 0 {
            out.ask_for_pulse();
        }
    }

    #[inline]
    fn top(&mut self, event: &Event, out: &mut Out) {
        let top: &BookTop = event.record();
        let state = &mut self.instruments[event.instrument as usize];
        state.touch = Touch::of(top);
        (state.touch_ts, state.exchange_ts) = (event.ts, top.exchange_ts.known().unwrap_or(event.ts));
        if !self.ended && state.position != 0 {
            self.changed.note(event.instrument, TOUCH);
            out.ask_for_pulse();
        }
    }

    /// What the portfolio has booked of an order of ours: a fill, or one that was taken back.
    fn booked(&mut self, event: &Event) {
        let booked: &Booked = event.record();
        if !self.is_ours(booked.order_id) {
            return;
        }
        let cooldown_ns = self.settings.get(event.instrument).cooldown_ns;
        let state = &mut self.instruments[event.instrument as usize];
        if booked.what == Booking::Busted.code() {
            state.bust(event.side(), booked.qty.0, event.ts, cooldown_ns);
        } else {
            let of_working = if booked.what == Booking::Filled.code() { booked.qty.0 } else { 0 };
            state.fill(event.side(), booked.qty.0, of_working, event.ts, cooldown_ns);
        }
    }

    /// Sets a parameter.
    #[cold]
    fn command(&mut self, event: &Event, out: &mut Out) {
        if self.settings.command(event, out) != Some(OF_WINDOWS) {
            return;
        }
        // Without an instrument it may be any of them.
        let changed = (event.instrument != 0).then(|| self.settings.get(event.instrument));
        for (at, state) in (0..).zip(self.instruments.values_mut()) {
            if changed.is_none_or(|changed| std::ptr::eq(self.settings.get(at), changed)) {
                state.flow.empty();
            }
        }
    }

    /// Takes a broken trade out of the flow. It is no reason to trade.
    #[cold]
    fn broken(&mut self, event: &Event) {
        self.breaking = event.id.seq();
        if let Some(trade) = counted_before(event) {
            let state = &mut self.instruments[event.instrument as usize];
            state.flow.take_out(trade, event.side(), self.settings.get(event.instrument).lookback_ns);
        }
    }

    fn order_ended(&mut self, id: u64, event: &Event) {
        if self.is_ours(id) {
            let cooldown_ns = self.settings.get(event.instrument).cooldown_ns;
            self.instruments[event.instrument as usize].settle(event.ts, cooldown_ns);
        }
    }

    /// Takes back what an earlier journal told.
    #[cold]
    fn recall(&mut self, event: &Event, position: u8) {
        let row: &Memory = event.record();
        if row.position() == position {
            self.instruments[event.instrument as usize].recall(row);
        }
    }

    /// Updates the state of an instrument, and notes what changed.
    #[inline]
    fn update(&mut self, event: &Event, out: &mut Out) {
        let state = &mut self.instruments[event.instrument as usize];
        state.known = true;
        match event.kind {
            Kind::BookTop => self.top(event, out),
            Kind::Imbalance if event.record::<Imbalance>().instance == self.fixed.imbalance => {
                state.imbalance = event.record::<Imbalance>().l1.into();
            }
            Kind::Cvd if event.record::<Cvd>().instance != self.fixed.cvd => {}
            Kind::Cvd if event.id.seq() == self.breaking => state.flow.restate(event.record()),
            Kind::Cvd => {
                state.flow.add(event.ts, self.settings.get(event.instrument).lookback_ns, event.record::<Cvd>());
                if !self.ended && self.universe.has(event.instrument) {
                    self.changed.note(event.instrument, FLOW);
                    out.ask_for_pulse();
                }
            }
            Kind::Vpin if event.record::<Vpin>().instance == self.fixed.vpin => {
                state.vpin = event.record::<Vpin>().vpin.into()
            }
            Kind::Bar => {
                let bar: &Bar = event.record();
                if bar.interval_s == self.fixed.bar_s {
                    self.settings.bar_closed();
                    state.atr.add(bar, self.settings.get(event.instrument).atr_bars);
                }
            }
            Kind::Listing => {
                self.universe.listing(event);
                let listing: &Listing = event.record();
                (state.calendar, state.tick) = (Calendar::of(Mic(listing.calendar)), Tick::of(listing));
            }
            Kind::Booked => self.booked(event),
            Kind::BrokenTrade => self.broken(event),
            Kind::Cancelled => self.order_ended(event.record::<Cancelled>().order_id, event),
            Kind::Reject => self.order_ended(event.record::<Reject>().order_id, event),
            Kind::Refused => self.order_ended(event.record::<Refused>().order_id, event),
            _ => {}
        }
    }
}

/// The price that far above the entry, or below it if the sign is negative: at least one tick away, and never nearer for
/// being on the tick.
fn level(entry: Px, distance: f64, tick: Tick, sign: f64) -> Px {
    let units = ((distance * Px::ONE as f64) as i64).max(tick.at(entry)).max(1);
    if sign < 0.0 { tick.down(Px(entry.0.saturating_sub(units))) } else { tick.up(Px(entry.0.saturating_add(units))) }
}

impl Stage for MomentumStage {
    fn reads(&self) -> Kinds {
        Kinds::of(&[
            Kind::Name,
            Kind::Command,
            Kind::DataState,
            Kind::Listing,
            Kind::BookTop,
            Kind::Imbalance,
            Kind::Cvd,
            Kind::Vpin,
            Kind::Bar,
            Kind::Booked,
            Kind::Cancelled,
            Kind::Reject,
            Kind::Refused,
            Kind::BrokenTrade,
            Kind::EndOfInput,
            Kind::Memory,
            Kind::Session,
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
        AT_ONCE * 2 * DECISION
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        match event.kind {
            Kind::Name => {
                self.universe.name(event);
                self.settings.name(event);
            }
            Kind::Command => self.command(event, out),
            Kind::DataState => self.universe.data_state(event),
            Kind::EndOfInput => self.ended = true,
            Kind::Session => self.sessions.take(event.record()),
            Kind::Pulse => self.pulse(event.ts, out),
            _ if event.instrument == 0 || event.instrument as usize >= self.instruments.bound() => {}
            Kind::Memory => self.recall(event, out.position()),
            _ => self.update(event, out),
        }
    }

    fn remember(&self, to: &mut Lasting) {
        let known = (0..).zip(self.instruments.values()).filter(|(_, state)| state.known);
        known.for_each(|(instrument, state)| state.remember(instrument, to));
    }

    fn trading_state(&self, to: &mut TradingState) {
        to.add_params(self.settings.in_force().into_iter().map(|(_, row)| row));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.universe.save(to);
        to.put(&self.ended);
        self.sessions.save(to);
        let known = self.instruments.values().iter().enumerate().filter(|(_, w)| w.known);
        let mut known: Vec<_> = known.map(|(at, w)| (to.key(at as u32), *w)).collect();
        known.sort_by(|a, b| a.0.cmp(&b.0));
        to.put(&known);
        self.changed.save(to);
        self.settings.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.universe.load(from)?;
        self.ended = from.get()?;
        self.sessions.load(from)?;
        self.breaking = 0;
        self.instruments.clear();
        for (key, state) in from.get::<Vec<(String, InstrumentState)>>()? {
            let at = index(&key, from, self.instruments.bound())?;
            self.instruments[at] = state;
        }
        self.changed.load(from)?;
        self.settings.load(from)
    }
}
