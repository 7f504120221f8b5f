//! Indicators: what the usual formulas make of bars and trades.
//!
//! They are measures, like those of [`super::measures`], with words of their own.

use crate::record::records;
use crate::words::words;
use crate::{Px, Qty, Real};

words! {
    /// How an average weighs its values.
    AverageMethod: u8 {
        /// Exponentially: each the less the older it is.
        Exponential = 1 "ema",
        /// All alike.
        Simple = 2 "sma",
    }
    /// Where a bar closed, of a channel of prices.
    #[derive(Default)]
    ChannelBreak: u8 {
        /// Inside, or the channel is not known.
        #[default]
        None = 0 "none",
        /// Above it.
        Up = 1 "up",
        /// Below it.
        Down = 2 "down",
    }
    /// When an average of prices begins.
    VwapAnchor: u8 {
        /// With market hours; what is outside of them does not count.
        Hours = 1 "hours",
        /// With a trade date.
        Session = 2 "session",
        /// Once, and it goes on over sessions.
        Once = 3 "once",
        /// With a week of trade dates, Monday to Sunday.
        Week = 4 "week",
    }
    /// Which of two lists a turn of price is in.
    SwingType: u8 {
        /// The first of equals counts.
        Swing = 1 "swing",
        /// It stands alone.
        Fractal = 2 "fractal",
    }
    /// Which end of its way price has turned at.
    SwingExtreme: u8 {
        /// At the top.
        High = 1 "high",
        /// At the bottom.
        Low = 2 "low",
    }
    /// What ends a bar that the clock does not end.
    EventBarBy: u8 {
        /// So many trades.
        Trades = 1 "trades",
        /// So much quantity.
        Volume = 2 "volume",
        /// So much money.
        Value = 3 "value",
        /// Prices that lie so far apart.
        Range = 4 "range",
    }
    /// How volatile a market is, by its own measure.
    #[derive(Default)]
    VolatilityRegime: u8 {
        /// It has no history yet.
        #[default]
        Unknown = 0 "unknown",
        /// Less than most of the time.
        Low = 1 "low",
        /// As usual.
        Normal = 2 "normal",
        /// More than most of the time.
        High = 3 "high",
    }
}

records! {
    /// Average of the closes of bars; emitted when a bar closes.
    Average = 200 "average" : after_gap {
        average: Real as Float "the average, in units of the price; absent before there are as many bars",
        close: Px as Price "close of the bar",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar; absent of event bars",
        bars: u16 as Uint "bars of the average",
        method: u8 as Enum(AverageMethod) "how it weighs them",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 12 row [interval, start_ns, close, average, bars, method, instance, after_gap]
    /// Relative strength index of bars; emitted when a bar closes.
    Rsi = 201 "rsi" : after_gap {
        rsi: Real as Float "100 x average gain / (average gain + average loss), 0 to 100; 50 where nothing has changed; absent before there are as many changes",
        close: Px as Price "close of the bar",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar; absent of event bars",
        bars: u16 as Uint "changes that its first averages are of",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 13 row [interval, start_ns, close, rsi, bars, instance, after_gap]
    /// Moving average convergence and divergence of closes; emitted when a bar closes.
    Macd = 202 "macd" : after_gap {
        macd: Real as Float "fast average less slow average, in units of the price; absent before there are as many bars as the slow one has",
        signal: Real as Float "average of these differences; absent before there are enough of them",
        histogram: Real as Float "macd - signal; absent likewise",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar; absent of event bars",
        fast: u16 as Uint "bars of the fast average",
        slow: u16 as Uint "bars of the slow average",
        signal_bars: u16 as Uint "differences in their average",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 1 row [interval, start_ns, macd, signal, histogram, fast, slow, signal_bars, instance, after_gap]
    /// Average true range of bars; emitted when a bar closes.
    Atr = 203 "atr" : after_gap {
        atr: Real as Float "the average, in units of the price; absent before there are as many bars",
        true_range: Px as Price "higher of high and close before, less lower of low and close before; of the first bar high less low",
        close: Px as Price "close of the bar",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar; absent of event bars",
        bars: u16 as Uint "bars that its first average is of",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 5 row [interval, start_ns, close, true_range, atr, bars, instance, after_gap]
    /// Mean of the closes of bars, with a band above and below; emitted when a bar closes.
    Bollinger = 204 "bollinger" : after_gap {
        middle: Real as Float "mean of the last closes, in units of the price; absent before there are as many",
        upper: Real as Float "some standard deviations above it; absent likewise",
        lower: Real as Float "as many below it; absent likewise",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar; absent of event bars",
        bars: u16 as Uint "closes in the mean",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 5 row [interval, start_ns, middle, upper, lower, bars, instance, after_gap]
    /// Highest and lowest price of the bars before a bar; emitted when it closes. Its `donchian-now` follows.
    Donchian = 205 "donchian" : after_gap {
        close: Px as Price "close of the bar",
        upper: Px as Price "highest high of the bars before; absent before there are as many",
        lower: Px as Price "lowest low of them; absent likewise",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar; absent of event bars",
        bars: u16 as Uint "bars of the channel",
        broke: u8 as Enum(ChannelBreak) "whether the bar closed outside the channel of the bars before",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 4 row [interval, start_ns, close, upper, lower, broke, upper_now, lower_now, middle_now, bars, instance, after_gap]
    /// The channel with the bar of a `donchian` in it; follows it.
    DonchianNow = 206 "donchian-now" follows Donchian {
        upper_now: Px as Price "highest high of the last bars; absent before there are as many",
        lower_now: Px as Price "lowest low of them; absent likewise",
        middle_now: Px as Average "half way between them, rounded half to even at 1e-9; absent likewise",
    } reserved 16
    /// Volume-weighted average price since an anchor; emitted after each trade or bar that counts. Its `vwap-bands` follows.
    Vwap = 207 "vwap" : after_gap {
        vwap: Px as Average "price times quantity over quantity, rounded half to even at 1e-9; absent without volume",
        px: Px as Price "price of the last trade, or close of the last bar",
        volume: Qty as Qty "quantity that has counted",
        since_s = "since_ns": u32 as Start "second of the first trade, or start of the first bar, that has counted",
        trades: u32 as Uint "trades, or bars, that have counted",
        volume_from: u8 as Enum(VolumeFrom) "what it is made of",
        anchor: u8 as Enum(VwapAnchor) "when it begins",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 5 row [vwap, px, deviation, upper, lower, volume, trades, since_ns, volume_from, anchor, instance, after_gap]
    /// Pivot levels from a session, for the one after it; emitted when it is over. Its `pivot-levels` follows.
    Pivots = 208 "pivots" : after_gap {
        pivot: Px as Average "P = (high + low + close) / 3 of the session, rounded half to even at 1e-9",
        r1: Px as Average "first resistance, 2P - low, rounded likewise",
        s1: Px as Average "first support, 2P - high, rounded likewise",
        start_s = "start_ns": u32 as Start "start of the bar with which they are known, Unix time",
        since_s = "since_ns": u32 as Start "start of the first bar of the session that counts",
        bars: u32 as Uint "bars of the session that count",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 3 row [start_ns, pivot, r1, s1, r2, s2, r3, s3, close, since_ns, bars, instance, after_gap]
    /// More of `pivots`; follows them.
    PivotLevels = 209 "pivot-levels" follows Pivots {
        r2: Px as Average "second resistance, P + (high - low), rounded likewise",
        s2: Px as Average "second support, P - (high - low), rounded likewise",
        r3: Px as Average "third resistance, high + 2(P - low), rounded likewise",
        s3: Px as Average "third support, low - 2(high - P), rounded likewise",
        close: Px as Price "last close of the session",
    }
    /// A bar that reaches beyond its neighbours; emitted when the last of those to its right closes.
    Swing = 210 "swing" : after_gap {
        px: Px as Price "its high or low",
        before: Px as Price "that of the one of the same list and extreme that was confirmed before; absent at the first",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        confirmed_s = "confirmed_ns": u32 as Start "start of the bar with which it is known",
        interval_s = "interval": u32 as Interval "length of the bars; absent of event bars",
        bars: u16 as Uint "bars on each side",
        what: u8 as Enum(SwingType) "which list it is in",
        extreme: u8 as Enum(SwingExtreme) "whether price has turned at its high or low",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 7 row [interval, start_ns, what, extreme, px, before, bars, confirmed_ns, instance, after_gap]
    /// Volatility of the returns of bars; emitted when a bar closes. Its `volatility-ranges` follows.
    Volatility = 211 "volatility" : after_gap {
        volatility: Real as Float "standard deviation of the last returns, for a year, as a part of the price; absent before there are enough of them",
        zero_mean: Real as Float "the same around zero; absent likewise",
        realised_variance: Real as Float "sum of their squares, not for a year; absent likewise",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar",
        bars: u16 as Uint "returns that it is of",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 5 row [interval, start_ns, volatility, zero_mean, realised_variance, parkinson, garman_klass, rogers_satchell, bars, bars_a_year, instance, after_gap]
    /// Volatility from how far prices reach within the bars of a `volatility`; follows it.
    VolatilityRanges = 212 "volatility-ranges" follows Volatility {
        parkinson: Real as Float "from highs and lows, for a year; absent before there are enough bars with all prices",
        garman_klass: Real as Float "from all four prices, of a price without drift; absent likewise, and where the estimate is below zero",
        rogers_satchell: Real as Float "from all four prices, whatever the drift; absent likewise",
        bars_a_year: u32 as Uint "bars of a year",
    } reserved 12
    /// A bar that ends with what was traded; emitted with the trade that ends it. Its `event-bar-flow` follows.
    EventBar = 213 "event-bar" : after_gap {
        open: Px as Price "first price",
        high: Px as Price "highest price",
        low: Px as Price "lowest price",
        close: Px as Price "last price",
        start_s = "start_ns": u32 as Start "second of its first trade",
        by: u8 as Enum(EventBarBy) "what ends it",
        whole: u8 as Enum(Seen) "whether it has come to its size; `no` for what a session leaves at its end",
        doubtful: u8 as Enum(Seen) "whether a trade that gave it one of its prices was broken, so that high and low may reach too far",
        instance: u8 as Instance "instance of the measure that it is of",
    } row [start_ns, last_ns, by, open, high, low, close, volume, vwap, buy_volume, sell_volume, trades, whole, doubtful, instance, after_gap]
    /// Volumes of an `event-bar`; follows it.
    EventBarFlow = 214 "event-bar-flow" follows EventBar {
        volume: Qty as Qty "quantity of its trades",
        vwap: Px as Average "price times quantity over quantity, rounded half to even at 1e-9",
        buy_volume: Qty as Qty "quantity whose aggressor bought",
        sell_volume: Qty as Qty "quantity whose aggressor sold",
        trades: u32 as Uint "number of its trades",
        last_s = "last_ns": u32 as Start "second of its last trade",
    }
    /// How volatile a market is, of its own history; emitted when a bar closes.
    Regime = 215 "regime" : after_gap {
        realised: Real as Float "root of the sum of the squares of the last returns, as a part of the price; absent before there are as many",
        percentile: Real as Float "how many per cent of its values before are lower, equal ones counting half, 0 to 100; absent before there are enough of them",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar",
        bars: u16 as Uint "returns that it is of",
        among: u16 as Uint "values before that it is compared with",
        regime: u8 as Enum(VolatilityRegime) "what that comes to",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 10 row [interval, start_ns, realised, percentile, regime, among, bars, instance, after_gap]
    /// A market has become more volatile, or less; emitted after its `regime`.
    RegimeChange = 216 "regime-change" : after_gap {
        realised: Real as Float "root of the sum of the squares of the last returns",
        percentile: Real as Float "how many per cent of its values before are lower",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar",
        regime: u8 as Enum(VolatilityRegime) "what it has become",
        was: u8 as Enum(VolatilityRegime) "what it was",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 13 row [interval, start_ns, regime, was, realised, percentile, instance, after_gap]
    /// Bands about a `vwap`; follows it.
    VwapBands = 217 "vwap-bands" follows Vwap {
        deviation: Real as Float "standard deviation of prices from the average, by quantity, in units of the price; absent where it is",
        upper: Real as Float "some of them above it; absent likewise",
        lower: Real as Float "as many below it; absent likewise",
    } reserved 16
    /// How alike the returns of two instruments are; emitted when the later of their bars of a time closes.
    Correlation = 218 "correlation" : after_gap {
        correlation: Real as Float "that of Pearson, -1 to 1; absent before they have enough returns in common, and where one does not change",
        other: u32 as Uint "the other instrument, by its number in the run",
        start_s = "start_ns": u32 as Start "start of the bars, Unix time",
        interval_s = "interval": u32 as Interval "length of the bars",
        common: u16 as Uint "returns that both have",
        bars: u16 as Uint "last times of bars that count",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 15 row [interval, start_ns, other, correlation, common, bars, instance, after_gap]
}
