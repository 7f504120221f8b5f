//! The stage: trades and ticks in, bars out.
//!
//! A bit per instrument marks those without an open bar, so a tick does not touch them. Bars that close together do so from
//! the shortest interval up, and by instrument index. A broken trade is taken out of the bars that are still open; one that has closed is
//! emitted again, as corrected. Worst case: a tick closes every bar of its slice.

use super::prints::Prints;
use super::sum::Sum;
use crate::Space;
use crate::gaps::Gaps;
use crate::told_hours::ToldHours;
use flow::records::{Anomaly, BrokenTrade, Listing, Tick, Trade};
use flow::{
    AnomalyKind, Calendar, Event, Flags, GrowingTable, IntParam, Interval, Kind, Kinds, ListParam, Mic, Ns, Out, Param,
    ParamError, Params, Px, Scope, Stage, StateError, StateReader, StateWriter, Ticks, table,
};
use serde::{Deserialize, Serialize};

/// The most intervals at once.
pub const MAX_INTERVALS: usize = 8;

/// The lengths of its bars.
pub const INTERVALS: ListParam =
    ListParam::new("intervals", "1m", "bar lengths, up to eight, each from 5s to 1d and an even division of a day");
const MAX_PRINTS: IntParam<usize> = IntParam::new(
    "max_prints",
    (16, 16_777_216),
    "262144",
    "last trades of all instruments together, for a bar with a broken trade; 40 bytes each, taken as they come",
)
.unit("trades");

/// What can be set.
pub const PARAMS: &[Param] = &[INTERVALS.param(), MAX_PRINTS.param()];

/// Keeps the open bars of every instrument.
pub struct BarStage {
    intervals: Box<[Interval]>,
    /// All bars: instrument by instrument, one per interval.
    sums: GrowingTable<Sum>,
    calendars: GrowingTable<Calendar>,
    /// A bit per instrument: it has no open bar.
    idle: Box<[u64]>,
    /// A bit per instrument: it has not traded yet.
    untraded: Box<[u64]>,
    prints: Prints,
    gaps: Gaps,
    /// For bars of an hour and more.
    hours: ToldHours,
}

impl BarStage {
    /// Builds the stage for every instrument of the space.
    ///
    /// # Errors
    /// When an interval is invalid, or there are none or too many.
    pub fn new(params: &Params, space: Space) -> Result<BarStage, ParamError> {
        let texts = params.get(INTERVALS);
        let refused = |valid: String| ParamError { key: "bars.intervals".to_owned(), found: texts.join(","), valid };
        let parsed = texts.iter().map(|t| t.parse::<Interval>()).collect::<Result<Vec<_>, _>>();
        let mut intervals = parsed.map_err(|e| refused(e.to_string()))?;
        intervals.sort_unstable();
        intervals.dedup();
        if intervals.is_empty() || intervals.len() > MAX_INTERVALS {
            return Err(refused(format!("valid: 1 to {MAX_INTERVALS} lengths")));
        }
        let instruments = space.instruments as usize;
        Ok(BarStage {
            sums: GrowingTable::new(instruments * intervals.len(), Sum::CLOSED),
            calendars: GrowingTable::new(instruments, Calendar::Utc),
            idle: table(instruments.div_ceil(64), !0),
            untraded: table(instruments.div_ceil(64), !0),
            intervals: intervals.into_boxed_slice(),
            prints: Prints::new(params.get(MAX_PRINTS)),
            gaps: Gaps::new(space),
            hours: ToldHours::default(),
        })
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// As [`BarStage::new`].
    pub fn build(params: &Params, space: Space) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(BarStage::new(params, space)?))
    }

    fn list(&mut self, at: usize, calendar: Calendar) {
        self.sums.reach((at + 1) * self.intervals.len() - 1);
        if let Some(of_instrument) = self.calendars.get_mut(at) {
            *of_instrument = calendar;
        }
    }

    #[inline]
    fn trade(&mut self, event: &Event, out: &mut Out) {
        let trade: &Trade = event.record();
        let at = event.instrument as usize;
        if at == 0 || at >= self.calendars.bound() || trade.qty.0 == 0 || trade.px == Px::NONE {
            return;
        }
        if event.flags.0 & (Flags::SNAPSHOT.0 | Flags::VOLUME_ONLY.0) != 0 {
            return self.unpriced(event, out);
        }
        self.remember(event, trade);
        self.idle[at / 64] &= !(1 << (at % 64));
        let lengths = self.intervals.len();
        let sums = self.sums.span_mut(at * lengths, lengths);
        for (sum, interval) in sums.iter_mut().zip(&self.intervals) {
            if sum.is_due(event.ts) {
                close(sum, *interval, event.instrument, &self.gaps, out);
            }
            if !sum.is_open() && !sum.spans(event.ts) {
                let (start, end) = interval.bounds(event.ts, || self.hours.day(self.calendars[at], event.ts));
                *sum = Sum::between(start, end);
            }
            sum.add(trade, event.flags);
        }
    }

    #[inline]
    fn remember(&mut self, event: &Event, trade: &Trade) {
        let at = event.instrument as usize;
        let (untraded, bit) = (&mut self.untraded[at / 64], 1 << (at % 64));
        self.prints.remember(event, trade, *untraded & bit != 0);
        *untraded &= !bit;
    }

    /// A trade that makes no price: part of a snapshot, which counts nowhere, or one that counts as volume alone. It opens no
    /// bar, so an interval without another trade has none.
    #[cold]
    fn unpriced(&mut self, event: &Event, out: &mut Out) {
        if event.flags.has(Flags::SNAPSHOT) {
            return;
        }
        let (trade, at): (&Trade, _) = (event.record(), event.instrument as usize);
        self.remember(event, trade);
        self.close_due(event.ts, at, out);
        let lengths = self.intervals.len();
        for (sum, interval) in self.sums.span_mut(at * lengths, lengths).iter_mut().zip(&self.intervals) {
            if !sum.spans(event.ts) {
                let (start, end) = interval.bounds(event.ts, || self.hours.day(self.calendars[at], event.ts));
                *sum = Sum::between(start, end);
            }
            sum.add_besides(trade.qty);
        }
    }

    /// Takes a broken trade out of its bars, open and closed.
    #[cold]
    fn broken(&mut self, event: &Event, out: &mut Out) {
        let (trade, at): (&BrokenTrade, _) = (event.record(), event.instrument as usize);
        let counted = trade.qty.0 != 0 && trade.px != Px::NONE && !event.flags.has(Flags::SNAPSHOT);
        if at == 0 || at >= self.calendars.bound() || !counted {
            return;
        }
        self.prints.forget(event.instrument, trade);
        for length in 0..self.intervals.len() {
            let (place, interval) = (at * self.intervals.len() + length, self.intervals[length]);
            let (start, end) = interval.bounds(trade.trade_ts, || self.hours.day(self.calendars[at], trade.trade_ts));
            let sum = &mut self.sums.span_mut(place, 1)[0];
            let is_corrected = match sum.spans(trade.trade_ts) {
                true => take_out(sum, &mut self.prints, event),
                false => correct(Sum::between(start, end), interval, (&mut self.prints, &self.gaps), event, out),
            };
            if !is_corrected {
                push_uncorrected(event, trade, interval, out);
            }
        }
        self.rest_if_idle(at);
    }

    fn tick(&mut self, ts: Ns, first: usize, last: usize, out: &mut Out) {
        let last = last.min(self.calendars.bound().saturating_sub(1));
        let mut from = first;
        while from <= last {
            let word = !self.idle[from / 64] >> (from % 64);
            if word == 0 {
                from = (from / 64 + 1) * 64;
                continue;
            }
            let at = from + word.trailing_zeros() as usize;
            if at > last {
                return;
            }
            self.close_due(ts, at, out);
            from = at + 1;
        }
    }

    fn close_due(&mut self, ts: Ns, at: usize, out: &mut Out) {
        let lengths = self.intervals.len();
        let sums = self.sums.span_mut(at * lengths, lengths);
        for (sum, interval) in sums.iter_mut().zip(&self.intervals) {
            if sum.is_due(ts) {
                close(sum, *interval, at as u32, &self.gaps, out);
            }
        }
        self.rest_if_idle(at);
    }

    /// Marks an instrument without an open bar.
    fn rest_if_idle(&mut self, at: usize) {
        let lengths = self.intervals.len();
        if !self.sums.span_mut(at * lengths, lengths).iter().any(Sum::is_open) {
            self.idle[at / 64] |= 1 << (at % 64);
        }
    }
}

#[cold]
fn close(sum: &mut Sum, interval: Interval, instrument: u32, gaps: &Gaps, out: &mut Out) {
    let sum = std::mem::replace(sum, Sum::CLOSED);
    let badge = sum.badge().with(gaps.of_bar(instrument, sum.start, sum.end));
    let (bar, flow) = sum.records(interval);
    out.push(instrument, badge, &bar);
    out.push(instrument, badge.with(Flags::LAST_OF_GROUP), &flow);
}

/// Takes a broken trade out of an open bar; `false` if its prices, or all of it, stay as they were.
fn take_out(sum: &mut Sum, prints: &mut Prints, event: &Event) -> bool {
    let trade: &BrokenTrade = event.record();
    if event.flags.has(Flags::VOLUME_ONLY) {
        sum.take_besides(trade);
        return true;
    }
    let Some(left) = sum.without(trade, event.side()) else { return false };
    *sum = if left.is_open() { left } else { left.emptied() };
    if !left.is_open() || !left.is_priced_by(trade.px) {
        return true;
    }
    let prices = prints.prices(event.instrument, &left);
    *sum = prices.map_or(left, |prices| left.with(prices));
    prices.is_some()
}

/// Emits a closed bar anew, `empty` being that of its time; `false` if some of its trades are forgotten.
fn correct(empty: Sum, interval: Interval, (prints, gaps): (&mut Prints, &Gaps), event: &Event, out: &mut Out) -> bool {
    let Some(left) = prints.sum(event.instrument, empty).filter(|sum| !sum.has_saturated()) else { return false };
    // Volume alone makes no bar, so there is none to correct.
    if left.is_open() || !event.flags.has(Flags::VOLUME_ONLY) {
        let badge = left.badge().with(gaps.of_bar(event.instrument, empty.start, empty.end));
        let (bar, flow) = left.corrected(interval);
        out.push(event.instrument, badge, &bar);
        out.push(event.instrument, badge.with(Flags::LAST_OF_GROUP), &flow);
    }
    true
}

fn push_uncorrected(event: &Event, trade: &BrokenTrade, interval: Interval, out: &mut Out) {
    let BrokenTrade { exchange_ts, px, qty, .. } = *trade;
    let (what, length) = (AnomalyKind::UncorrectedBar, interval.seconds().into());
    let anomaly = what.event_at(event.ts, event.instrument, exchange_ts, length, px, qty);
    out.push(event.instrument, anomaly.flags, anomaly.record::<Anomaly>());
}

impl Stage for BarStage {
    fn reads(&self) -> Kinds {
        Kinds::of(&[Kind::Listing, Kind::Session, Kind::Trade, Kind::BrokenTrade, Kind::Tick, Kind::Gap])
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Bar, Kind::BarFlow, Kind::CorrectedBar, Kind::CorrectedBarFlow, Kind::Anomaly])
    }

    fn scope(&self) -> Scope {
        Scope::Instrument
    }

    /// As many whole instruments as fit one slice.
    fn fan_out(&self) -> usize {
        let each = 2 * self.intervals.len();
        Out::CAP / each * each
    }

    fn ticks(&self) -> Ticks {
        Ticks { intervals: self.intervals.to_vec(), per_instrument: 2 * self.intervals.len() }
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        if event.kind == Kind::Trade {
            self.trade(event, out);
        } else if let Some(tick) = event.get::<Tick>().filter(|tick| tick.interval_s != Tick::CLOSE) {
            // That market hours end closes no bar, and its slices are not made for bars: their own ticks follow.
            self.tick(event.ts, tick.first as usize, tick.last as usize, out);
        } else if event.kind == Kind::BrokenTrade {
            self.broken(event, out);
        } else if let Some(listing) = event.get::<Listing>() {
            self.list(event.instrument as usize, Calendar::of(Mic(listing.calendar)));
            self.gaps.list(event);
        } else if event.kind == Kind::Gap {
            self.gaps.gap(event);
        } else if event.kind == Kind::Session {
            self.hours.take(event);
        }
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        let lengths = self.intervals.len();
        to.put(&self.intervals.iter().map(|i| i.seconds()).collect::<Vec<_>>());
        let mut saved = Vec::new();
        for (at, sums) in self.sums.values().chunks(lengths).enumerate() {
            let calendar = self.calendars[at];
            let has_traded = self.untraded[at / 64] & (1 << (at % 64)) == 0;
            if has_traded || calendar != Calendar::Utc {
                saved.push(Saved { key: to.key(at as u32), calendar, has_traded, sums: sums.to_vec() });
            }
        }
        saved.sort_by(|a, b| a.key.cmp(&b.key));
        to.put(&saved);
        self.prints.save(to);
        self.gaps.save(to);
        self.hours.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let lengths = self.intervals.len();
        if !from.get::<Vec<u32>>()?.into_iter().eq(self.intervals.iter().map(|i| i.seconds())) {
            return Err(StateError::Inconsistent("bars of other intervals than configured"));
        }
        self.sums.clear();
        self.calendars.clear();
        self.idle.fill(!0);
        self.untraded.fill(!0);
        for saved in from.get::<Vec<Saved>>()? {
            let at = from.instrument(&saved.key)? as usize;
            if at >= self.calendars.bound() {
                return Err(StateError::TooLarge { what: "instruments", found: at + 1, limit: self.calendars.bound() });
            }
            if saved.sums.len() != lengths {
                return Err(StateError::Inconsistent("an instrument with bars of other intervals"));
            }
            self.list(at, saved.calendar);
            self.sums.span_mut(at * lengths, lengths).copy_from_slice(&saved.sums);
            self.idle[at / 64] &= !(u64::from(saved.sums.iter().any(Sum::is_open)) << (at % 64));
            self.untraded[at / 64] &= !(u64::from(saved.has_traded) << (at % 64));
        }
        self.prints.load(from)?;
        self.gaps.load(from)?;
        self.hours.load(from)
    }
}

/// The saved state of an instrument.
#[derive(Serialize, Deserialize)]
struct Saved {
    key: String,
    calendar: Calendar,
    has_traded: bool,
    sums: Vec<Sum>,
}
