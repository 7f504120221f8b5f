//! The stage: takes what measures say, and decides at the pulse.
//!
//! Bound: as the module above.

use super::super::Setup;
use super::super::changed::Changed;
use super::super::emit::{self, price};
use super::super::session::Within;
use super::super::universe::{Universe, index};
use super::Model;
use super::decide::{Entry, NotMet, confidence, verdict};
use super::market::{Change, Market};
use super::params::Settings;
use crate::measures::counted;
use flow::records::{self, Signal};
use flow::{
    Event, Flags, GrowingTable, Kind, Kinds, Ns, Out, ParamError, Params, PerSymbol, PriceDirection, Real, Scope,
    Sessions, Side, Stage, StateError, StateReader, StateWriter, StrategyId, TradingState, Unmet,
};

/// What an entry emits: a signal, four reasons, and how far the set-up is.
const EACH: usize = 6;

/// A trade that counts came: an entry may be due.
const TRADE: u8 = 1;
/// Something of the set-up changed.
const SET_UP: u8 = 2;
/// A minute has ended.
const MINUTE: u8 = 4;

/// A strategy that waits for a set-up.
pub struct SetupStage<M> {
    number: StrategyId,
    universe: Universe,
    markets: GrowingTable<Market>,
    changed: Changed,
    sessions: Sessions,
    settings: PerSymbol<Settings<M>>,
    ended: bool,
}

impl<M: Model> SetupStage<M> {
    /// Builds the strategy with the parameters of its model.
    ///
    /// # Errors
    /// When there are too many symbols, or a time is no time of day.
    pub fn new(params: &Params, setup: Setup<'_>) -> Result<SetupStage<M>, ParamError> {
        let Setup { number, space, .. } = setup;
        Ok(SetupStage {
            number,
            universe: Universe::new(M::NAME, params, space.instruments)?,
            markets: GrowingTable::new(space.instruments as usize, Market::NONE),
            changed: Changed::new(space.instruments),
            sessions: Sessions::default(),
            settings: PerSymbol::new(M::PARAMS, number.0, params, space.instruments, Settings::read)?,
            ended: false,
        })
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// As [`SetupStage::new`].
    pub fn build(params: &Params, setup: Setup<'_>) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(SetupStage::<M>::new(params, setup)?))
    }

    #[inline]
    fn note(&mut self, at: u32, why: u8, out: &mut Out) {
        if !self.ended && self.universe.has(at) {
            self.changed.note(at, why);
            out.ask_for_pulse();
        }
    }

    /// Takes an event of an instrument.
    #[inline]
    fn update(&mut self, event: &Event, out: &mut Out) {
        let (at, market) = (event.instrument, &mut self.markets[event.instrument as usize]);
        if event.kind == Kind::Trade {
            if let Some(trade) = counted(event) {
                market.is_known = true;
                market.trade(trade.px);
                if market.leg.is_some() {
                    self.note(at, TRADE, out);
                }
            }
        } else {
            market.is_known = true;
            match market.take::<M>(event) {
                Change::Nothing => {}
                Change::Some => self.note(at, SET_UP, out),
                Change::Minute => self.note(at, MINUTE, out),
            }
        }
    }

    #[inline]
    fn pulse(&mut self, now: Ns, out: &mut Out) {
        if self.changed.len() > 0 {
            self.decide(now, out);
        }
    }

    #[inline(never)]
    fn decide(&mut self, now: Ns, out: &mut Out) {
        let mut waiting = self.changed.len();
        while waiting > 0 && out.room() >= EACH {
            let Some((at, why)) = self.changed.take() else { return };
            waiting -= 1;
            if !self.ended {
                self.decide_on(at, why, now, out);
            }
        }
        if self.changed.len() > 0 {
            out.ask_for_pulse();
        }
    }

    /// Decides on an instrument.
    fn decide_on(&mut self, at: u32, why: u8, now: Ns, out: &mut Out) {
        let (settings, market) = (self.settings.get(at), &mut self.markets[at as usize]);
        if why == TRADE && !market.leg.is_some_and(|leg| leg.is_closed && leg.is_touched()) {
            return;
        }
        let within = market.day.place(now, market.calendar, settings.hours, &self.sessions);
        let outside = (within != Within::Window).then(|| market.day.outside_s(now));
        let verdict = verdict(market, settings, self.universe.trusts(at), outside);
        let emitter = Emitter { strategy: self.number, at, settings, market };
        match verdict {
            Ok((entries, len)) if why & TRADE != 0 => {
                let entries = entries[..len.min(out.room() / EACH)].iter().flatten();
                entries.clone().for_each(|entry| emitter.enter(entry, out));
                let market = &mut self.markets[at as usize];
                for entry in entries.clone() {
                    market.told = Some((Unmet::None.code(), entry.node));
                    market.leg.iter_mut().for_each(|leg| leg.tell(entry.node));
                }
                if entries.count() < len {
                    self.note(at, TRADE, out);
                }
            }
            // What is met without a trade may be an entry with the next one.
            Ok(_) => {}
            Err(not_met) => {
                let told = Some((not_met.unmet.code(), not_met.node));
                if why & MINUTE != 0 || market.told != told {
                    emitter.not_met(&not_met, out);
                    self.markets[at as usize].told = told;
                }
            }
        }
    }
}

/// Emits what was decided of an instrument.
struct Emitter<'a, M> {
    strategy: StrategyId,
    at: u32,
    settings: &'a Settings<M>,
    market: &'a Market,
}

impl<M> Emitter<'_, M> {
    fn side(&self) -> Side {
        match self.market.leg.map(|leg| leg.direction) {
            Some(PriceDirection::Up) => Side::Buy,
            Some(PriceDirection::Down) => Side::Sell,
            None => Side::None,
        }
    }

    fn setup(&self, not_met: &NotMet, out: &mut Out) {
        let record = records::Setup {
            px: self.market.px,
            node_px: not_met.node,
            value: not_met.value,
            threshold: not_met.threshold,
            strategy: self.strategy,
            unmet: not_met.unmet.code(),
            target: not_met.target_type.code(),
            rules: self.settings.rules.code(),
            ..Default::default()
        };
        out.push(self.at, Flags::side_only(self.side()), &record);
    }

    #[cold]
    fn not_met(&self, not_met: &NotMet, out: &mut Out) {
        self.setup(not_met, out);
    }

    #[cold]
    fn enter(&self, entry: &Entry, out: &mut Out) {
        let (market, settings) = (self.market, self.settings);
        let Some(leg) = &market.leg else { return };
        let signal = Signal {
            entry: market.px,
            stop: entry.stop,
            target: entry.target,
            confidence: Real::of(confidence(entry)),
            strategy: self.strategy,
            ..Default::default()
        };
        let state = (market.momentum.into(), market.threshold(settings.rules).into());
        let why = [
            (Kind::MarketState, state.0, state.1),
            (Kind::Leg, price(leg.extreme), price(leg.start)),
            (Kind::Pullback, price(market.px), price(entry.node)),
            (Kind::Flow, f64::from(entry.score), f64::from(settings.least_flow)),
        ];
        emit::signal(out, self.at, self.side(), &signal, &why);
        let met = NotMet {
            unmet: Unmet::None,
            value: Real::of(entry.reward),
            threshold: Real::of(settings.least_reward),
            node: entry.node,
            target_type: entry.target_type,
        };
        self.setup(&met, out);
    }
}

impl<M: Model> Stage for SetupStage<M> {
    fn reads(&self) -> Kinds {
        Kinds::of(&[
            Kind::Name,
            Kind::Command,
            Kind::DataState,
            Kind::Listing,
            Kind::Trade,
            Kind::MarketState,
            Kind::MarketStateNumbers,
            Kind::Flow,
            Kind::Profile,
            Kind::ProfileNode,
            Kind::Breakout,
            Kind::BreakoutRange,
            Kind::Leg,
            Kind::LegProfile,
            Kind::LegNode,
            Kind::Pullback,
            Kind::EndOfInput,
            Kind::Session,
            Kind::Pulse,
        ])
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Signal, Kind::Reason, Kind::Setup, Kind::CommandOutcome])
    }

    fn scope(&self) -> Scope {
        Scope::Instrument
    }

    fn fan_out(&self) -> usize {
        Out::CAP
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        match event.kind {
            Kind::Name => {
                self.universe.name(event);
                self.settings.name(event);
            }
            Kind::Command => drop(self.settings.command(event, out)),
            Kind::DataState => self.universe.data_state(event),
            Kind::EndOfInput => self.ended = true,
            Kind::Session => self.sessions.take(event.record()),
            Kind::Pulse => self.pulse(event.ts, out),
            _ if event.instrument == 0 || event.instrument as usize >= self.markets.bound() => {}
            _ if event.flags.has(Flags::SNAPSHOT) && event.kind != Kind::Listing => {}
            _ => {
                if event.kind == Kind::Listing {
                    self.universe.listing(event);
                }
                self.update(event, out);
            }
        }
    }

    fn trading_state(&self, to: &mut TradingState) {
        to.add_params(self.settings.in_force().into_iter().map(|(_, row)| row));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.universe.save(to);
        to.put(&self.ended);
        self.sessions.save(to);
        let known = self.markets.values().iter().enumerate().filter(|(_, market)| market.is_known);
        let mut known: Vec<_> = known.map(|(at, market)| (to.key(at as u32), *market)).collect();
        known.sort_by(|a, b| a.0.cmp(&b.0));
        to.put(&known);
        self.changed.save(to);
        self.settings.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.universe.load(from)?;
        self.ended = from.get()?;
        self.sessions.load(from)?;
        self.markets.clear();
        for (key, market) in from.get::<Vec<(String, Market)>>()? {
            if !market.is_valid() {
                return Err(StateError::Inconsistent("a set-up with more nodes than there is room for"));
            }
            let at = index(&key, from, self.markets.bound())?;
            self.markets[at] = market;
        }
        self.changed.load(from)?;
        self.settings.load(from)
    }
}
