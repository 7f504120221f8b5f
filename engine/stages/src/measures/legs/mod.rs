//! Legs: the way of price out of a range, or back into it, with the volume that was traded on it and the rows where little was.
//!
//! An impulse leg is looked for while price has broken out, a reclaim leg after a breakout has failed. Start and extreme are trades, found at
//! the end of a minute over the last minutes; from then on trades decide: a leg closes when price comes back a part of it, its profile
//! is looked at for nodes, and price that comes to a low-volume node is a pullback. What a bar says comes from the measures before: `breakout`
//! says whether price is out, `market-state` how far it moves in a minute, `flow` where aggressors go. All is counted in integers, but for
//! the comparison with the average true range.
//!
//! Bound: per instrument its last minutes and one leg; their volume lies in two pools for all. Worst case: the end of a minute at which a leg is
//! found, linear in the entries of its minutes; else a trade that closes a leg, linear in the leg's rows.

mod emit;
mod entries;
mod leg;
mod market;
mod minutes;
mod params;
mod pullbacks;
mod saved;
mod volume;

pub use params::PARAMS;

use super::profile::{Nodes, Rows};
use super::{Context, Measure, Needs, counted, counted_before, inferred};
use crate::Space;
use crate::pool::{self, Pool};
use emit::Room;
use entries::Entries;
use flow::records::{self, Bar, BarFlow, Breakout, Flow, Listing, MarketState, MarketStateNumbers};
use flow::{Event, Flags, GrowingTable, Kind, Kinds, Out, ParamError, Params, Px};
use market::{Market, Tools};
use params::Settings;

/// The measure `legs`.
pub struct Legs(Settings);

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Instrument {
    /// Its market in the pool; [`pool::NONE`] before its first trade.
    market: u32,
    tick: Px,
}

impl Instrument {
    const UNKNOWN: Instrument = Instrument { market: pool::NONE, tick: Px(0) };
}

/// Its state.
pub struct State {
    instruments: GrowingTable<Instrument>,
    markets: Pool<Market>,
    entries: Entries,
    rows: Room,
}

impl Measure for Legs {
    type Records = (records::Leg, records::LegProfile, records::LegNode, records::Pullback, records::PullbackFlow);
    type State = State;

    /// A touch of every node that expires, and another.
    const FAN_OUT: usize = 2 * 2 * Nodes::MOST;

    fn new(params: &Params, space: Space) -> Result<(Legs, State), ParamError> {
        let settings = Settings::read(params)?;
        let state = State {
            instruments: GrowingTable::new(space.instruments as usize, Instrument::UNKNOWN),
            markets: Pool::new(space.instruments, Market::new(0)),
            entries: Entries::new(settings.max_entries),
            rows: Room::new(Rows::new(settings.max_blocks, settings.max_rows), Settings::MOST_ROWS),
        };
        Ok((Legs(settings), state))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::Bar], &[Kind::MarketState], &[Kind::Breakout]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const {
            Kinds::of(&[
                Kind::Trade,
                Kind::BrokenTrade,
                Kind::Bar,
                Kind::BarFlow,
                Kind::Flow,
                Kind::MarketState,
                Kind::MarketStateNumbers,
                Kind::Breakout,
                Kind::BreakoutRange,
                Kind::Listing,
            ])
        }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs::HOURS
    }

    fn terms(&self) -> Vec<u64> {
        self.0.terms()
    }

    #[inline]
    fn run(&self, state: &mut State, context: &Context, event: &Event, out: &mut Out) {
        match event.kind {
            Kind::Trade => {
                let Some(trade) = counted(event) else { return };
                let Some(number) = state.made(event.instrument) else { return };
                let (market, mut tools) = self.tools(state, number, event, out);
                market.trade(&mut tools, context, trade.px, trade.qty);
            }
            Kind::Listing => {
                let at = event.instrument as usize;
                if let Some(of) = state.instruments.get_mut(at).filter(|_| at != 0) {
                    of.tick = event.record::<Listing>().tick_px;
                }
            }
            _ => self.bar(state, event, out),
        }
    }
}

impl State {
    /// An instrument's market, which it gets now if it has none.
    #[inline]
    fn made(&mut self, instrument: u32) -> Option<u32> {
        let at = instrument as usize;
        if at == 0 || at >= self.instruments.bound() {
            return None;
        }
        let number = self.instruments[at].market;
        if number != pool::NONE {
            return Some(number);
        }
        let number = self.markets.take()?;
        self.markets[number] = Market::new(number);
        self.instruments[at].market = number;
        Some(number)
    }
}

impl Legs {
    fn tools<'a>(
        &'a self,
        state: &'a mut State,
        number: u32,
        event: &'a Event,
        out: &'a mut Out,
    ) -> (&'a mut Market, Tools<'a>) {
        let State { instruments, markets, entries, rows } = state;
        let tick = instruments[event.instrument as usize].tick;
        (&mut markets[number], Tools { settings: &self.0, entries, rows, tick, event, out })
    }

    /// What a bar says, and what follows from it; and broken trades. Of several instances of a measure the plain one is read.
    #[cold]
    fn bar(&self, state: &mut State, event: &Event, out: &mut Out) {
        let number = state.instruments.get(event.instrument as usize).map_or(pool::NONE, |of| of.market);
        if number == pool::NONE || event.flags.has(Flags::SNAPSHOT) || !self.reads().has(event.kind) {
            return;
        }
        let interval_s = self.0.interval_s;
        let (market, mut tools) = self.tools(state, number, event, out);
        match event.kind {
            Kind::Bar => {
                let bar: &Bar = event.record();
                if bar.interval_s == interval_s {
                    market.bar_s = Some(bar.start_s);
                }
            }
            Kind::BarFlow if event.record::<BarFlow>().interval_s == interval_s => market.minute(&mut tools),
            Kind::Flow if event.record::<Flow>().interval_s == interval_s => {
                market.flow(event.record(), inferred(event) != Flags::NONE);
            }
            Kind::MarketState => market.state(event.record::<MarketState>()),
            Kind::MarketStateNumbers => market.state_numbers(event.record::<MarketStateNumbers>()),
            Kind::Breakout => market.announce(event.record::<Breakout>()),
            Kind::BreakoutRange => market.breakout(&mut tools, event.record()),
            Kind::BrokenTrade => {
                if let Some(trade) = counted_before(event) {
                    market.broken(&mut tools, trade);
                }
            }
            _ => {}
        }
    }
}

impl Market {
    fn flow(&mut self, flow: &Flow, is_inferred: bool) {
        if flow.instance != 0 {
            return;
        }
        let numbers = &mut self.numbers;
        (numbers.flow_start_s, numbers.is_inferred) = (flow.start_s, is_inferred);
        (numbers.score, numbers.direction) = (flow.score, flow.direction);
        (numbers.published_score, numbers.published_direction) = (flow.published_score, flow.published_direction);
    }

    fn state(&mut self, state: &MarketState) {
        self.is_state_open = state.instance == 0;
        if self.is_state_open {
            (self.numbers.state, self.numbers.published_state) = (state.state, state.published_state);
        }
    }

    /// The numbers of the state before.
    fn state_numbers(&mut self, numbers: &MarketStateNumbers) {
        if std::mem::take(&mut self.is_state_open) {
            self.numbers.atr = numbers.atr;
        }
    }

    /// A breakout, whose range comes next.
    fn announce(&mut self, breakout: &Breakout) {
        let Breakout { what, direction, since_s, start_s, .. } = *breakout;
        self.waiting = (breakout.instance == 0).then_some([what.into(), direction.into(), since_s, start_s]);
    }
}
