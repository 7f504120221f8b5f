//! Buy and hold: the simplest strategy, to test the pipeline and as a baseline.
//!
//! Buys each of its instruments once, at the market, at the first pulse at which the book has both sides and is not
//! crossed. It does not follow its orders: a refused one is not tried again.
//!
//! Bound: 36 bytes per instrument. Worst case: three events for each of 21 instruments.

use super::Setup;
use super::changed::Changed;
use super::common::{ACCOUNT, QTY, STRATEGY_VENUE, SYMBOLS};
use super::emit::{self, Touch};
use super::universe::{Universe, index};
use flow::records::{BookTop, Memory, Signal};
use flow::{
    Account, Event, GrowingTable, Kind, Kinds, Lasting, Out, Param, ParamError, Params, PerSymbol, Px, Real, Scope,
    Side, Stage, StateError, StateReader, StateWriter, StrategyId, Tif, TradingState, table,
};

/// Number of the strategy `buy-and-hold`.
pub const BUY_AND_HOLD: StrategyId = StrategyId(2);

/// What it emits for an instrument: a signal, its reason and an intent.
const EACH: usize = 3;
/// The most instruments that it buys at one pulse.
const AT_ONCE: usize = Out::CAP / EACH;

/// The key of the rows that outlive a journal: 1 = it bought the instrument.
const BOUGHT: u16 = 1;

/// What can be set.
pub const PARAMS: &[Param] =
    &[SYMBOLS.param(), ACCOUNT.param(), STRATEGY_VENUE.param(), QTY.live().per_symbol().param()];

/// The strategy.
pub struct BuyAndHoldStage {
    number: StrategyId,
    universe: Universe,
    touches: GrowingTable<Touch>,
    changed: Changed,
    bought: Box<[bool]>,
    account: Account,
    /// The quantity of an instrument's order.
    qty: PerSymbol<u64>,
    ended: bool,
}

impl BuyAndHoldStage {
    /// Builds the strategy with the parameters of [`PARAMS`].
    ///
    /// # Errors
    /// When there are too many symbols.
    pub fn new(params: &Params, setup: Setup<'_>) -> Result<BuyAndHoldStage, ParamError> {
        let Setup { number, space, .. } = setup;
        Ok(BuyAndHoldStage {
            number,
            universe: Universe::new("buy-and-hold", params, space.instruments)?,
            touches: GrowingTable::new(space.instruments as usize, Touch::NONE),
            changed: Changed::new(space.instruments),
            bought: table(space.instruments as usize, false),
            account: Account(params.get(ACCOUNT)),
            qty: PerSymbol::new(PARAMS, number.0, params, space.instruments, |of| Ok(of.get(QTY)))?,
            ended: false,
        })
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// As [`BuyAndHoldStage::new`].
    pub fn build(params: &Params, setup: Setup<'_>) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(BuyAndHoldStage::new(params, setup)?))
    }

    #[inline]
    fn top(&mut self, event: &Event, out: &mut Out) {
        let at = event.instrument;
        if !self.ended && self.universe.has(at) && !self.bought[at as usize] {
            self.touches[at as usize] = Touch::of(event.record::<BookTop>());
            self.changed.note(at, 1);
            out.ask_for_pulse();
        }
    }

    #[inline]
    fn pulse(&mut self, out: &mut Out) {
        let (mut left, mut waiting) = (AT_ONCE, self.changed.len());
        while left > 0 && waiting > 0 && out.room() >= EACH {
            let Some((at, _)) = self.changed.take() else { return };
            waiting -= 1;
            if self.ended || self.bought[at as usize] || !self.touches[at as usize].is_two_sided() {
                continue;
            }
            if self.universe.trusts(at) {
                self.buy(at, out);
                left -= 1;
            } else {
                self.changed.note(at, 1);
            }
        }
        if waiting > 0 {
            out.ask_for_pulse();
        }
    }

    /// Takes back what an earlier journal told.
    #[cold]
    fn recall(&mut self, event: &Event, position: u8) {
        let row: &Memory = event.record();
        if (row.position(), row.key) == (position, BOUGHT)
            && let Some(bought) = self.bought.get_mut(event.instrument as usize)
        {
            *bought = row.first == 1;
        }
    }

    #[cold]
    fn buy(&mut self, at: u32, out: &mut Out) {
        let touch = self.touches[at as usize];
        self.bought[at as usize] = true;
        let entry = Signal {
            entry: touch.ask,
            stop: Px::NONE,
            target: Px::NONE,
            confidence: Real::of(1.0),
            strategy: self.number,
            ..Default::default()
        };
        let intent = emit::new_order(self.number, self.account, Px::NONE, *self.qty.get(at), Tif::Day);
        emit::intent(out, at, Side::Buy, &intent);
        let why = (Kind::BookTop, emit::price(touch.ask), emit::price(touch.bid));
        emit::signal(out, at, Side::Buy, &entry, &[why]);
    }
}

impl Stage for BuyAndHoldStage {
    fn reads(&self) -> Kinds {
        Kinds::of(&[
            Kind::Name,
            Kind::Command,
            Kind::Listing,
            Kind::DataState,
            Kind::BookTop,
            Kind::EndOfInput,
            Kind::Memory,
            Kind::Pulse,
        ])
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Signal, Kind::Reason, Kind::Intent, Kind::CommandOutcome])
    }

    fn scope(&self) -> Scope {
        Scope::Instrument
    }

    fn fan_out(&self) -> usize {
        EACH * AT_ONCE
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        match event.kind {
            Kind::BookTop => self.top(event, out),
            Kind::Pulse => self.pulse(out),
            Kind::Name => {
                self.universe.name(event);
                self.qty.name(event);
            }
            Kind::Command => drop(self.qty.command(event, out)),
            Kind::Listing => self.universe.listing(event),
            Kind::DataState => {
                self.universe.data_state(event);
                out.ask_for_pulse();
            }
            Kind::EndOfInput => self.ended = true,
            Kind::Memory => self.recall(event, out.position()),
            _ => {}
        }
    }

    fn remember(&self, to: &mut Lasting) {
        let bought = (0..).zip(&self.bought).filter(|(_, bought)| **bought);
        bought.for_each(|(instrument, _)| to.put(instrument, BOUGHT, 0, [1, 0, 0]));
    }

    fn trading_state(&self, to: &mut TradingState) {
        to.add_params(self.qty.in_force().into_iter().map(|(_, row)| row));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.universe.save(to);
        let bought = self.bought.iter().enumerate().filter(|(_, bought)| **bought);
        let mut bought: Vec<_> = bought.map(|(at, _)| to.key(at as u32)).collect();
        bought.sort_unstable();
        to.put(&(bought, self.ended));
        let touches = self.touches.values().iter().enumerate().filter(|(_, touch)| **touch != Touch::NONE);
        let mut touches: Vec<_> = touches.map(|(at, touch)| (to.key(at as u32), *touch)).collect();
        touches.sort_by(|a, b| a.0.cmp(&b.0));
        to.put(&touches);
        self.changed.save(to);
        self.qty.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.universe.load(from)?;
        self.bought.fill(false);
        let (bought, ended) = from.get::<(Vec<String>, bool)>()?;
        for key in bought {
            let at = index(&key, from, self.bought.len())?;
            self.bought[at] = true;
        }
        self.ended = ended;
        self.touches.clear();
        for (key, touch) in from.get::<Vec<(String, Touch)>>()? {
            let at = index(&key, from, self.touches.bound())?;
            self.touches[at] = touch;
        }
        self.changed.load(from)?;
        self.qty.load(from)
    }
}
