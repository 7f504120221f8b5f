//! Donchian channel: the highest and the lowest price of the last bars.
//!
//! A bar that breaks out of a channel must not be in it. So the channel is that of the bars before, and the one with the bar in it follows
//! for those who draw it.
//!
//! Bound: per instrument a ring of highs and lows. Worst case: a thousand of them, looked at twice.

use super::any_bars::{AnyBars, EVENT_BARS, OF, WANTED};
use super::bar_hours::INTERVAL;
use super::{Context, Measure, Rings};
use crate::Space;
use flow::records::{self, DonchianNow};
use flow::{ChannelBreak, Event, Flags, IntParam, Kind, Kinds, Param, ParamError, Params, Px, divide_half_even};

const BARS: IntParam<u16> = IntParam::new("bars", (1, 1_000), "20", "bars of the channel").unit("bars");

/// Parameters.
pub const PARAMS: &[Param] = &[OF.param(), INTERVAL.param(), EVENT_BARS.param(), BARS.param()];

/// The measure `donchian`.
pub struct Donchian {
    bars_of: AnyBars,
    bars: u16,
}

/// High and low of a bar.
type Reach = (Px, Px);

impl Measure for Donchian {
    type Records = (records::Donchian, DonchianNow);
    type State = Rings<Reach>;

    fn new(params: &Params, space: Space) -> Result<(Donchian, Rings<Reach>), ParamError> {
        let bars_of = AnyBars::new("donchian", params)?;
        let bars = params.get(BARS);
        Ok((Donchian { bars_of, bars }, Rings::new(space, bars)))
    }

    const WANTS: &'static [&'static [Kind]] = WANTED;

    #[inline(always)]
    fn reads(&self) -> Kinds {
        self.bars_of.reads()
    }

    fn terms(&self) -> Vec<u64> {
        let [interval_s, instance] = self.bars_of.terms();
        vec![interval_s, instance, self.bars.into()]
    }

    /// Nothing of it rests on sides.
    #[inline(always)]
    fn badge(&self, _: &Rings<Reach>, _: &Event) -> Flags {
        Flags::NONE
    }

    fn on(&self, reaches: &mut Rings<Reach>, _: &Context, event: &Event) -> Option<Self::Records> {
        let bar = self.bars_of.bar(event)?;
        let instrument = event.instrument;
        if !reaches.has(instrument) {
            return None;
        }
        let before = reaches.full(instrument).and_then(channel);
        reaches.push(instrument, (bar.high, bar.low));
        let now = reaches.full(instrument).and_then(channel);
        let broke = match before {
            Some((upper, _)) if bar.close > upper => ChannelBreak::Up,
            Some((_, lower)) if bar.close < lower => ChannelBreak::Down,
            _ => ChannelBreak::None,
        };
        let (upper, lower) = before.unwrap_or((Px::NONE, Px::NONE));
        let (upper_now, lower_now) = now.unwrap_or((Px::NONE, Px::NONE));
        let first = records::Donchian {
            close: bar.close,
            upper,
            lower,
            start_s: bar.start_s,
            interval_s: bar.interval_s,
            bars: self.bars,
            broke: broke.code(),
            ..records::Donchian::default()
        };
        let middle = |(upper, lower): Reach| Px(divide_half_even(i128::from(upper.0) + i128::from(lower.0), 2));
        let middle_now = now.map_or(Px::NONE, middle);
        Some((first, DonchianNow { upper_now, lower_now, middle_now, ..DonchianNow::default() }))
    }
}

/// The highest high and the lowest low.
fn channel(reaches: impl Iterator<Item = Reach>) -> Option<Reach> {
    reaches.reduce(|(upper, lower), (high, low)| (upper.max(high), lower.min(low)))
}
