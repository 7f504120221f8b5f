//! Volume-weighted average price since an anchor: market hours, a trade date, a week, or a moment.
//!
//! What was paid and how much was traded are two sums of integers, divided once. From trades it is exact, and a broken trade leaves it; from
//! bars each counts at the mean of its high, low and close, whose thirds are added up undivided. The bands need the squares of prices as well;
//! these are of distances from the first price, so that they fit and nothing is lost where prices hardly differ.
//!
//! Bound: 176 bytes an instrument. Sums that no integer holds are lost until the next anchor, and the average is absent. Worst case: a
//! trade that begins a session looks up its hours.

use super::bar_hours::{BarHours, INTERVAL, length, start_of, whole_bar};
use super::{Context, Measure, Needs, PerInstrument, counted, counted_before};
use crate::Space;
use flow::records::{self, BarFlow, VwapBands};
use flow::{
    ChoiceParam, Event, Flags, FloatParam, IntParam, Kind, Kinds, Ns, Param, ParamError, Params, Px, Qty, Real,
    VolumeFrom, VwapAnchor, choices, divide_half_even, product,
};
use serde::{Deserialize, Serialize};

const VOLUME_FROM: ChoiceParam<VolumeFrom> = ChoiceParam::new(
    "volume_from",
    choices! { "trades" => VolumeFrom::Trades, "bars-typical" => VolumeFrom::BarsTypical },
    "trades",
    "what it is made of: every trade, or bars at the mean of their high, low and close",
);
const ANCHOR: ChoiceParam<VwapAnchor> = ChoiceParam::new(
    "anchor",
    VwapAnchor::CHOICES,
    "hours",
    "when it begins: with market hours, a trade date, a week of them, or once",
);
const SINCE_S: IntParam<u32> =
    IntParam::new("since_s", (0, u32::MAX as u64), "0", "with the anchor `once`: Unix time from which on trades count")
        .unit("seconds");
const TIMES: FloatParam =
    FloatParam::new("times", (0.0, 100.0), "2", "standard deviations between the average and a band");

/// Parameters.
pub const PARAMS: &[Param] = &[VOLUME_FROM.param(), INTERVAL.param(), ANCHOR.param(), SINCE_S.param(), TIMES.param()];

/// The measure `vwap`.
pub struct Vwap {
    volume_from: VolumeFrom,
    interval_s: u32,
    anchor: VwapAnchor,
    since: Ns,
    times: f64,
}

/// What the measure emits together.
type Averaged = (records::Vwap, VwapBands);

/// What was paid and traded since an anchor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sums {
    /// Prices times quantities; of bars, three times that.
    paid: i128,
    /// The first price; of bars, three times that.
    origin: i128,
    /// How far prices are from the first one, times quantities; and the squares of that distance, times quantities.
    off: i128,
    squares: i128,
    volume: u64,
    /// Trades or bars.
    count: u32,
    /// Whether the sums became too large.
    are_lost: bool,
    /// The first trade, or the start of the first bar; meaningless before.
    since: Ns,
}

impl Sums {
    fn add(&mut self, px: i128, qty: Qty, at: Ns) {
        if self.count == 0 {
            (self.since, self.origin) = (at, px);
        }
        self.count = self.count.saturating_add(1);
        self.take(self.volume.checked_add(qty.0), px, qty.0.into());
    }

    fn take_out(&mut self, px: Px, qty: Qty) {
        self.count = self.count.saturating_sub(1);
        self.take(self.volume.checked_sub(qty.0), px.0.into(), -i128::from(qty.0));
    }

    /// Adds a quantity at a price, or takes one below zero out.
    fn take(&mut self, volume: Option<u64>, px: i128, qty: i128) {
        match volume.zip(self.with(px, qty)) {
            Some((volume, [paid, off, squares])) => {
                (self.volume, self.paid, self.off, self.squares) = (volume, paid, off, squares);
            }
            None => self.are_lost = true,
        }
    }

    /// The sums with a quantity at a price; none where an integer does not hold one of them.
    fn with(&self, px: i128, qty: i128) -> Option<[i128; 3]> {
        let away = px.checked_sub(self.origin)?;
        let (paid, off) = (product(px, qty)?, product(away, qty)?);
        let squares = product(off, away)?;
        Some([self.paid.checked_add(paid)?, self.off.checked_add(off)?, self.squares.checked_add(squares)?])
    }

    /// The average of `parts` to a price; absent without volume.
    fn average(&self, parts: i128) -> Px {
        if self.are_lost || self.volume == 0 {
            return Px::NONE;
        }
        Px(divide_half_even(self.paid, parts * i128::from(self.volume)))
    }

    /// The standard deviation of prices from their average, of `parts` to a price; absent without volume.
    fn deviation(&self, parts: i128) -> Real {
        if self.are_lost || self.volume == 0 {
            return Real::NONE;
        }
        let (off, squares, volume) = (self.off as f64, self.squares as f64, self.volume as f64);
        let variance = ((squares - off * off / volume) / volume).max(0.0);
        Real::of(variance.sqrt() / (parts * i128::from(Px::ONE)) as f64)
    }
}

/// A bar whose volumes come next: its start and close, and its high, low and close together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    start: Ns,
    close: Px,
    thirds: i128,
}

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    hours: BarHours,
    sums: Sums,
    /// Price of the last trade, or close of the last bar.
    px: Px,
    bar: Option<Waiting>,
}

impl Measure for Vwap {
    type Records = (records::Vwap, VwapBands);
    type State = PerInstrument<Now>;

    fn new(params: &Params, space: Space) -> Result<(Vwap, Self::State), ParamError> {
        let measure = Vwap {
            volume_from: params.get(VOLUME_FROM),
            interval_s: length("vwap.interval", params.get(INTERVAL))?.seconds(),
            anchor: params.get(ANCHOR),
            since: Ns(u64::from(params.get(SINCE_S)) * Ns::SECOND),
            times: params.get(TIMES),
        };
        Ok((measure, PerInstrument::new(space)))
    }

    #[inline]
    fn reads(&self) -> Kinds {
        match self.volume_from {
            VolumeFrom::Trades => const { Kinds::of(&[Kind::Trade, Kind::BrokenTrade]) },
            _ => const { Kinds::of(&[Kind::Bar, Kind::BarFlow]) },
        }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs::HOURS
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.volume_from.code().into(), self.interval_s.into(), self.anchor.code().into(), self.since.0]
    }

    /// Nothing of it rests on sides.
    #[inline(always)]
    fn badge(&self, _: &Self::State, _: &Event) -> Flags {
        Flags::NONE
    }

    #[inline]
    fn on(&self, markets: &mut Self::State, context: &Context, event: &Event) -> Option<Self::Records> {
        match event.kind {
            Kind::Trade => {
                let trade = counted(event)?;
                let now = self.at(markets, context, event.instrument, event.ts)?;
                now.px = trade.px;
                now.sums.add(trade.px.0.into(), trade.qty, event.ts);
                Some(self.record(now))
            }
            Kind::BrokenTrade => self.broken(markets, context, event),
            Kind::Bar => {
                let bar = whole_bar(event, self.interval_s)?;
                let thirds = [bar.high, bar.low, bar.close].iter().map(|px| i128::from(px.0)).sum();
                let waiting = Waiting { start: start_of(bar), close: bar.close, thirds };
                markets.get_mut(event.instrument)?.bar = Some(waiting);
                None
            }
            _ => self.bar(markets, context, event),
        }
    }
}

impl Vwap {
    /// What is known of an instrument, if what happens there counts; another session begins anew.
    #[inline]
    fn at<'m>(
        &self,
        markets: &'m mut PerInstrument<Now>,
        context: &Context,
        instrument: u32,
        ts: Ns,
    ) -> Option<&'m mut Now> {
        let now = markets.get_mut(instrument)?;
        if self.anchor == VwapAnchor::Once {
            return (ts >= self.since).then_some(now);
        }
        if let Some(hours) = now.hours.next(instrument, ts, context) {
            let goes_on = self.anchor == VwapAnchor::Week && now.hours.are_of_week(instrument, ts, context);
            now.sums = if goes_on { now.sums } else { Sums::default() };
            now.hours = hours;
        }
        (self.anchor != VwapAnchor::Hours || now.hours.hold(ts)).then_some(now)
    }

    /// Takes a broken trade out, if it is in the sums.
    #[cold]
    fn broken(&self, markets: &mut PerInstrument<Now>, context: &Context, event: &Event) -> Option<Averaged> {
        let (trade, instrument) = (counted_before(event)?, event.instrument);
        let now = markets.get_mut(instrument)?;
        let is_in = match self.anchor {
            VwapAnchor::Once => true,
            VwapAnchor::Session => now.hours.are_of(instrument, trade.trade_ts, context),
            VwapAnchor::Week => now.hours.are_of_week(instrument, trade.trade_ts, context),
            VwapAnchor::Hours => {
                now.hours.are_of(instrument, trade.trade_ts, context) && now.hours.hold(trade.trade_ts)
            }
        };
        if !is_in || now.sums.count == 0 || trade.trade_ts < now.sums.since {
            return None;
        }
        now.sums.take_out(trade.px, trade.qty);
        Some(self.record(now))
    }

    /// The volumes of a bar.
    fn bar(&self, markets: &mut PerInstrument<Now>, context: &Context, event: &Event) -> Option<Averaged> {
        let flow: &BarFlow = event.get()?;
        if flow.interval_s != self.interval_s {
            return None;
        }
        let bar = markets.get_mut(event.instrument)?.bar.take()?;
        let volume = flow.volume.known()?;
        let now = self.at(markets, context, event.instrument, bar.start)?;
        now.px = bar.close;
        now.sums.add(bar.thirds, volume, bar.start);
        Some(self.record(now))
    }

    #[inline]
    fn record(&self, now: &Now) -> Averaged {
        let parts = if self.volume_from == VolumeFrom::Trades { 1 } else { 3 };
        let (vwap, deviation) = (now.sums.average(parts), now.sums.deviation(parts));
        let average = records::Vwap {
            vwap,
            px: now.px,
            volume: Qty(now.sums.volume),
            since_s: (now.sums.since.0 / Ns::SECOND) as u32,
            trades: now.sums.count,
            volume_from: self.volume_from.code(),
            anchor: self.anchor.code(),
            ..records::Vwap::default()
        };
        let band = |times: f64| match vwap.known().zip(deviation.known()) {
            Some((Px(nano), deviation)) => Real::of(nano as f64 / Px::ONE as f64 + times * deviation),
            None => Real::NONE,
        };
        let (upper, lower) = (band(self.times), band(-self.times));
        (average, VwapBands { deviation, upper, lower, ..VwapBands::default() })
    }
}
