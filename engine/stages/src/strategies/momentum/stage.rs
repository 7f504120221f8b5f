//! The stage: checks entries at the pulse after a `cvd`, exits at the pulse after a `book-top`.
//!
//! A condition whose value is unknown is not met. Bound: as the module above.

use super::super::Setup;
use super::super::changed::Changed;
use super::super::emit::{self, Touch};
use super::super::owner::Owner;
use super::super::session::Within;
use super::super::universe::{Universe, index};
use super::params::{Fixed, OF_WINDOWS, PARAMS, Settings};
use super::state::InstrumentState;
use crate::measures::counted_before;
use flow::records::{Bar, BookTop, Cvd, Imbalance, Listing, Memory, Signal, Vpin};
use flow::{
    Calendar, Event, GrowingTable, Kind, Kinds, Lasting, Mic, Ns, Out, ParamError, Params, PerSymbol, Px, Real, Scope,
    Sessions, Side, Stage, StateError, StateReader, StateWriter, StrategyId, Tick, Tif, TradingState,
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

    fn owner(&self) -> Owner {
        Owner { account: self.fixed.account, strategy: self.number }
    }

    /// Checks the conditions of an entry, and enters; says whether it did.
    fn enter(&mut self, at: u32, now: Ns, out: &mut Out) -> bool {
        let set = self.settings.get(at);
        let Settings { cooldown_ns, max_age_ns, hours, short, .. } = *set;
        let state = &mut self.instruments[at as usize];
        let fresh = state.touch.is_two_sided() && now.0.saturating_sub(state.touch_ts.0) <= max_age_ns;
        if !state.held.may_enter(now, cooldown_ns) || !fresh {
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
        (state.held.stop, state.held.target) = (away(set.stop_atr, -toward), away(set.target_atr, toward));
        state.held.order(set.qty, now, set.patience_ns);
        let calmness = if state.vpin.is_nan() { 0.5 } else { 1.0 - state.vpin };
        let signal = Signal {
            entry,
            stop: state.held.stop,
            target: state.held.target,
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
        let Some(side) = state.held.closing().filter(|_| state.touch.is_two_sided()) else { return false };
        if state.held.is_working(now, cooldown_ns) {
            return false;
        }
        let px = state.touch.on(state.tick).against(side);
        let is_over = state.day.place(state.exchange_ts, state.calendar, hours, &self.sessions) != Within::Window;
        let hours = || emit::hours_over(state.exchange_ts, state.day.end_s(hours));
        let Some((qty, why)) = state.held.leave(px, is_over.then(hours), now, patience_ns) else { return false };
        emit::exit(out, at, side, px, qty, self.owner(), why);
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
        if !self.ended && state.held.position != 0 {
            self.changed.note(event.instrument, TOUCH);
            out.ask_for_pulse();
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
            Kind::BrokenTrade => self.broken(event),
            _ => {
                let owner = self.owner();
                let cooldown_ns = self.settings.get(event.instrument).cooldown_ns;
                self.instruments[event.instrument as usize].held.report(owner, event, cooldown_ns);
            }
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
