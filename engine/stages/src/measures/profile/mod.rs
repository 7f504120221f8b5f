//! Volume profile: how much was traded at which price, and what that comes to.
//!
//! For every instrument four profiles: of the session that runs, of its last minutes, of the session before, and of several past
//! sessions together. Each has a point of control, a value area (by one row and by two), and nodes. The first two are emitted when one
//! of these prices changes and whenever a minute has ended, the others when a session begins. All is counted in integers.
//!
//! A [`Profile`] is a type of its own: whoever follows prices of another range, a leg for instance, owns one, hands it a [`Rows`] and
//! asks [`Shape`] and [`NodeFinder`] what it comes to.
//!
//! Bound: the rows of all profiles of all instruments come from one pool, each profile has at most so many, and an instrument's
//! table of profiles is taken with its first print. Worst case: the first print of a session adds up all past sessions and emits two
//! profiles with their nodes; any other print looks twice at every row of two profiles.

mod bars;
mod emit;
mod grid;
mod letters;
mod market;
mod nodes;
mod params;
mod rows;
mod saved;
mod shape;

pub use grid::Grid;
pub use nodes::{Node, NodeFinder, Nodes};
pub use params::PARAMS;
pub(super) use params::ROW_TICKS;
pub use rows::{Profile, RowSums, Rows};
pub use saved::SavedProfile;
pub use shape::{Shape, Span};

use super::{Context, Measure, counted, counted_before, emit};
use crate::Space;
use crate::pool::{self, Pool};
use bars::Waiting;
use emit::Emitter;
use flow::records::{self, Bar, BarFlow, Listing, Memory};
use flow::{
    Calendar, Event, Flags, GrowingTable, Kind, Kinds, Lasting, Mic, Out, ParamError, Params, ProfileOf, Px, Qty,
    Sessions, VolumeFrom,
};
use letters::{Letters, half_hour};
use market::{Market, Place, Print};
use params::Settings;

/// The measure `profile`.
pub struct VolumeProfile(Settings);

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Instrument {
    /// Its market in the pool; [`pool::NONE`] before its first print.
    market: u32,
    calendar: Calendar,
    tick: Px,
    /// A bar whose volume is still to come.
    waiting: Option<Waiting>,
}

impl Instrument {
    const UNKNOWN: Instrument = Instrument { market: pool::NONE, calendar: Calendar::Utc, tick: Px(0), waiting: None };
}

/// Its state.
pub struct State {
    instruments: GrowingTable<Instrument>,
    markets: Pool<Market>,
    rows: Rows,
    letters: Letters,
    sessions: Sessions,
    /// Room for the volumes of a profile, while it is looked at.
    volumes: Box<[u64]>,
    finder: NodeFinder,
}

impl Measure for VolumeProfile {
    type Records =
        (records::Profile, records::ProfileArea, records::ProfileRow, records::ProfileNode, records::ProfileLetters);
    type State = State;

    /// Two profiles with all their nodes, two more, a row and its letters.
    const FAN_OUT: usize = 2 * (2 + Nodes::MOST) + 2 * 2 + 2;

    fn new(params: &Params, space: Space) -> Result<(VolumeProfile, State), ParamError> {
        let settings = Settings::read(params)?;
        let rows = settings.rows();
        let state = State {
            instruments: GrowingTable::new(space.instruments as usize, Instrument::UNKNOWN),
            markets: Pool::new(space.instruments, Market::new(0)),
            volumes: flow::table(rows.most(), 0),
            finder: NodeFinder::new(rows.most()),
            rows,
            letters: settings.room_for_letters(),
            sessions: Sessions::default(),
        };
        Ok((VolumeProfile(settings), state))
    }

    #[inline(always)]
    fn reads(&self) -> Kinds {
        let prints: &[Kind] = match self.0.volume_from {
            VolumeFrom::Trades => &[Kind::Trade, Kind::BrokenTrade],
            _ => &[Kind::Bar, Kind::BarFlow],
        };
        Kinds::of(prints).or(Kinds::of(&[Kind::Listing, Kind::Session]))
    }

    fn terms(&self) -> Vec<u64> {
        self.0.terms()
    }

    const LASTS: bool = true;

    fn remember(&self, state: &State, to: &mut Lasting) {
        state.remember(to);
    }

    fn recall(&self, state: &mut State, instrument: u32, row: &Memory) {
        state.recall(instrument, row, &self.0);
    }

    #[inline]
    fn run(&self, state: &mut State, _: &Context, event: &Event, out: &mut Out) {
        match event.kind {
            Kind::Trade => {
                let Some(trade) = counted(event) else { return };
                let sums = RowSums::of(trade.qty, event.side());
                self.trade(state, event, &Print { ts: event.ts, px: trade.px, sums }, out);
            }
            Kind::BrokenTrade => self.broken(state, event, out),
            Kind::Bar => state.bar(event, self.0.bar_s),
            Kind::BarFlow => self.bar(state, event, out),
            Kind::Listing => state.listing(event),
            Kind::Session => state.sessions.take(event.record()),
            _ => {}
        }
    }
}

impl State {
    /// An instrument's place and its market, which it gets now if it has none.
    #[inline]
    fn market(&mut self, instrument: u32) -> Option<(Instrument, u32)> {
        let at = instrument as usize;
        if at == 0 || at >= self.instruments.bound() {
            return None;
        }
        let of = self.instruments[at];
        if of.market != pool::NONE {
            return Some((of, of.market));
        }
        let number = self.markets.take()?;
        self.markets[number] = Market::new(number);
        self.instruments[at].market = number;
        Some((of, number))
    }

    #[cold]
    fn listing(&mut self, event: &Event) {
        let listing: &Listing = event.record();
        let at = event.instrument as usize;
        let Some(of) = self.instruments.get_mut(at).filter(|_| at != 0) else { return };
        (of.calendar, of.tick) = (Calendar::of(Mic(listing.calendar)), listing.tick_px);
        if of.market != pool::NONE {
            self.markets[of.market].forget_hours();
        }
    }

    /// A bar, whose volume comes next.
    fn bar(&mut self, event: &Event, length_s: u32) {
        let (bar, at): (&Bar, _) = (event.record(), event.instrument as usize);
        if bar.interval_s != length_s || event.flags.has(Flags::SNAPSHOT) || at == 0 || at >= self.instruments.bound() {
            return;
        }
        self.instruments[at].waiting = Waiting::of(bar);
    }

    fn emitter<'a>(
        &'a mut self,
        settings: &'a Settings,
        event: &'a Event,
        out: &'a mut Out,
    ) -> (&'a mut Pool<Market>, Emitter<'a>) {
        let State { markets, rows, volumes, finder, .. } = self;
        (markets, Emitter { settings, rows, volumes, finder, event, out })
    }
}

impl VolumeProfile {
    #[inline]
    fn trade(&self, state: &mut State, event: &Event, print: &Print, out: &mut Out) {
        let Some(number) = self.enter(state, event, print, out) else { return };
        let row = state.markets[number].add(&mut state.rows, print, &self.0);
        self.emit_changes(state, number, row, event, out);
        if let Some(row) = row.filter(|_| self.0.letters) {
            self.letter(state, number, row, event, out);
        }
    }

    /// What comes before a print: the end of a minute, and the beginning of a session. Says in which market it counts, if it does.
    #[inline]
    fn enter(&self, state: &mut State, event: &Event, print: &Print, out: &mut Out) -> Option<u32> {
        let (instrument, number) = state.market(event.instrument)?;
        let market = &mut state.markets[number];
        let place = market.place(print.ts, instrument.calendar, &state.sessions);
        if place == Place::First {
            market.begin(&mut state.rows, self.0.grid(print.px, instrument.tick), &self.0);
            state.letters.begin(number, &mut market.lettered);
            self.emit_past(state, number, event, out);
        } else if market.ends_minute(print) {
            market.is_minute_open = false;
            self.emit_minute(state, number, event, out);
        }
        (place != Place::Outside).then_some(number)
    }

    /// Emits the letters of a row of the session, if there is another.
    fn letter(&self, state: &mut State, number: u32, row: i64, event: &Event, out: &mut Out) {
        let market = &mut state.markets[number];
        let letter = half_hour(market.began.unwrap_or(event.ts), event.ts);
        if let Some(letters) = state.letters.add(number, &mut market.lettered, row, 1 << letter) {
            let (px, count) = (market.session.grid().lowest(row), letters.count_ones() as u8);
            let record = records::ProfileLetters { px, letters, letter, count, ..Default::default() };
            emit(&record, Flags::NONE, event, out);
        }
    }

    #[cold]
    fn broken(&self, state: &mut State, event: &Event, out: &mut Out) {
        let Some(trade) = counted_before(event) else { return };
        let Some((_, number)) = state.market(event.instrument) else { return };
        let print = Print { ts: trade.trade_ts, px: trade.px, sums: RowSums::of(trade.qty, event.side()) };
        let row = state.markets[number].take(&mut state.rows, &print, &self.0);
        self.emit_changes(state, number, row, event, out);
    }

    /// The volume of a bar, spread over its prices.
    #[cold]
    fn bar(&self, state: &mut State, event: &Event, out: &mut Out) {
        let (flow, at): (&BarFlow, _) = (event.record(), event.instrument as usize);
        if flow.interval_s != self.0.bar_s || at == 0 || at >= state.instruments.bound() {
            return;
        }
        let Some(waiting) = state.instruments[at].waiting.take() else { return };
        let of = |qty: Qty| qty.known().map_or(0, |qty| qty.0);
        let sums = RowSums { volume: of(flow.volume), bought: of(flow.buy_volume), sold: of(flow.sell_volume) };
        if sums.volume == 0 {
            return;
        }
        let first = Print { ts: waiting.start(), px: waiting.open, sums };
        let Some(number) = self.enter(state, event, &first, out) else { return };
        let State { markets, rows, .. } = state;
        let market = &mut markets[number];
        for print in waiting.spread(&sums, market.session.grid(), rows.most(), self.0.volume_from) {
            market.add(rows, &print, &self.0);
        }
        self.emit_changes(state, number, None, event, out);
    }

    /// Emits the row that has changed, and the profiles whose prices have.
    #[inline]
    fn emit_changes(&self, state: &mut State, number: u32, row: Option<i64>, event: &Event, out: &mut Out) {
        let (markets, mut emitter) = state.emitter(&self.0, event, out);
        let market = &mut markets[number];
        if let Some(row) = row {
            emitter.row(&market.session, row);
        }
        emitter.changes(ProfileOf::Session, &market.session, &mut market.last_session);
        emitter.changes(ProfileOf::Rolling, &market.rolling, &mut market.last_rolling);
    }

    /// Emits the session and its last minutes with their nodes, as they are when a minute has ended.
    #[cold]
    fn emit_minute(&self, state: &mut State, number: u32, event: &Event, out: &mut Out) {
        let (markets, mut emitter) = state.emitter(&self.0, event, out);
        let market = &mut markets[number];
        emitter.nodes(ProfileOf::Session, &market.session, 0, &mut market.last_session);
        emitter.nodes(ProfileOf::Rolling, &market.rolling, 0, &mut market.last_rolling);
    }

    /// Emits the session before the one that begins, and the past ones together.
    #[cold]
    fn emit_past(&self, state: &mut State, number: u32, event: &Event, out: &mut Out) {
        let (markets, mut emitter) = state.emitter(&self.0, event, out);
        let market = &markets[number];
        if market.sessions > 0 {
            emitter.nodes(ProfileOf::Previous, &market.past[0], 1, &mut Default::default());
            let sessions = market.sessions as u8;
            emitter.nodes(ProfileOf::Composite, &market.composite, sessions, &mut Default::default());
        }
    }
}
