//! The context that the measures of a host share: sessions, market hours, the touch, the last trade.
//!
//! A host keeps each part once for all its measures, and only the parts that one of them needs ([`Needs`]). The context is
//! that from **before** the event, so a measure sees both the old state and, in the event, the new one. At a `book-top`,
//! the touch is the previous one; at a `trade`, the last trade is the previous one.
//!
//! Bound: arrays by instrument, and two trade dates a calendar.

use super::session::{Calendars, Session};
use super::{MeasureState, PerInstrument, counted};
use crate::Space;
use crate::told_hours::ToldHours;
use flow::records::BookTop;
use flow::{Event, Kind, Kinds, Ns, Px, Qty, Side, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// The parts of the context that a measure needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// [`Context::session`].
    pub sessions: bool,
    /// [`Context::market_hours`]; sessions must be asked for too.
    pub hours: bool,
    /// [`Context::touch`].
    pub touch: bool,
    /// [`Context::last_trade`].
    pub last_trade: bool,
}

impl Needs {
    /// Nothing but the events.
    pub const NONE: Needs = Needs { sessions: false, hours: false, touch: false, last_trade: false };
    /// Sessions only.
    pub const SESSIONS: Needs = Needs { sessions: true, ..Needs::NONE };
    /// Sessions and their market hours.
    pub const HOURS: Needs = Needs { hours: true, ..Needs::SESSIONS };

    /// The union of two measures' needs.
    pub fn or(self, other: Needs) -> Needs {
        Needs {
            sessions: self.sessions || other.sessions,
            hours: self.hours || other.hours,
            touch: self.touch || other.touch,
            last_trade: self.last_trade || other.last_trade,
        }
    }

    /// Kinds that the context is kept from.
    pub fn reads(self) -> Kinds {
        let when = |asked: bool, kinds: &[Kind]| if asked { Kinds::of(kinds) } else { Kinds::NONE };
        when(self.sessions, &[Kind::Listing])
            .or(when(self.hours, &[Kind::Session]))
            .or(when(self.touch, &[Kind::BookTop]))
            .or(when(self.last_trade, &[Kind::Trade]))
    }
}

/// Best bid and ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// Best bid; [`Px::NONE`] without one.
    pub bid_px: Px,
    /// Quantity at this price.
    pub bid_qty: Qty,
    /// Best ask; [`Px::NONE`] without one.
    pub ask_px: Px,
    /// Quantity at this price.
    pub ask_qty: Qty,
}

impl Default for Touch {
    fn default() -> Touch {
        Touch { bid_px: Px::NONE, bid_qty: Qty(0), ask_px: Px::NONE, ask_qty: Qty(0) }
    }
}

impl From<&BookTop> for Touch {
    #[inline]
    fn from(top: &BookTop) -> Touch {
        Touch { bid_px: top.bid_px, bid_qty: top.bid_qty, ask_px: top.ask_px, ask_qty: top.ask_qty }
    }
}

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastTrade {
    /// Its price.
    pub px: Px,
    /// Its quantity.
    pub qty: Qty,
    /// The aggressor.
    pub side: Side,
    /// Its ingress time.
    pub ts: Ns,
}

/// The context of a host's measures.
pub struct Context {
    calendars: Option<Calendars>,
    hours: Option<ToldHours>,
    touches: Option<PerInstrument<Touch>>,
    trades: Option<PerInstrument<Option<LastTrade>>>,
}

impl Context {
    pub(super) fn new(needs: Needs, space: Space) -> Context {
        Context {
            calendars: needs.sessions.then(|| PerInstrument::new(space)),
            hours: needs.hours.then(ToldHours::default),
            touches: needs.touch.then(|| PerInstrument::new(space)),
            trades: needs.last_trade.then(|| PerInstrument::new(space)),
        }
    }

    /// The session of an instrument at `ts`.
    #[cold]
    pub fn session(&self, instrument: u32, ts: Ns) -> Session {
        asked(self.calendars.as_ref()).session(instrument, ts)
    }

    /// The week of trade dates that an instrument is in at `ts`: its Monday, as eight digits.
    #[cold]
    pub fn week(&self, instrument: u32, ts: Ns) -> u32 {
        asked(self.calendars.as_ref()).week(instrument, ts)
    }

    /// When market hours of an instrument begin and end on the trade date of `ts`: the whole date where they are not known, twice the
    /// same instant where there are none.
    #[cold]
    pub fn market_hours(&self, instrument: u32, ts: Ns) -> (Ns, Ns) {
        let calendar = asked(self.calendars.as_ref()).get(instrument).copied().unwrap_or_default();
        asked(self.hours.as_ref()).of(calendar, ts)
    }

    /// Best bid and ask of an instrument.
    #[inline]
    pub fn touch(&self, instrument: u32) -> Touch {
        asked(self.touches.as_ref()).get(instrument).copied().unwrap_or_default()
    }

    /// The last trade of an instrument that counts; see [`counted`].
    #[inline]
    pub fn last_trade(&self, instrument: u32) -> Option<LastTrade> {
        asked(self.trades.as_ref()).get(instrument).copied().flatten()
    }

    /// Applies an event that the measures have seen, and says whether it lists an instrument. `needs` are those that it was made with; if they are constants, unused
    /// parts cost nothing.
    #[inline(always)]
    pub(super) fn observe(&mut self, event: &Event, needs: Needs) -> bool {
        match event.kind {
            Kind::Trade if needs.last_trade => self.trade(event),
            Kind::BookTop if needs.touch => self.top(event),
            Kind::Session if needs.hours => self.hours.iter_mut().for_each(|hours| hours.take(event)),
            Kind::Listing => {
                self.list(event);
                return true;
            }
            _ => {}
        }
        false
    }

    fn trade(&mut self, event: &Event) {
        let Some(trade) = counted(event) else { return };
        if let Some(last) = self.trades.as_mut().and_then(|trades| trades.get_mut(event.instrument)) {
            *last = Some(LastTrade { px: trade.px, qty: trade.qty, side: event.side(), ts: event.ts });
        }
    }

    fn top(&mut self, event: &Event) {
        if let Some(touch) = self.touches.as_mut().and_then(|touches| touches.get_mut(event.instrument)) {
            *touch = Touch::from(event.record::<BookTop>());
        }
    }

    #[cold]
    fn list(&mut self, event: &Event) {
        self.touches.iter_mut().for_each(|touches| touches.list(event.instrument));
        self.trades.iter_mut().for_each(|trades| trades.list(event.instrument));
        self.calendars.iter_mut().for_each(|calendars| calendars.list(event));
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        self.calendars.iter().for_each(|calendars| calendars.save(to));
        self.hours.iter().for_each(|hours| hours.save(to));
        self.touches.iter().for_each(|touches| touches.save(to));
        self.trades.iter().for_each(|trades| trades.save(to));
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.calendars.iter_mut().try_for_each(|calendars| calendars.load(from))?;
        self.hours.iter_mut().try_for_each(|hours| hours.load(from))?;
        self.touches.iter_mut().try_for_each(|touches| touches.load(from))?;
        self.trades.iter_mut().try_for_each(|trades| trades.load(from))
    }
}

/// A part of the context, which the measure must have named in its needs.
#[inline]
fn asked<T>(kept: Option<T>) -> T {
    kept.expect("a measure names every part of the context that it uses in `needs`")
}
