//! Measures: tops of books, bars, order flow, toxicity.
//!
//! A measure is an `f64`; sums of market quantities stay integers.

use crate::record::records;
use crate::words::words;
use crate::{Ns, Px, Qty, Real};

words! {
    /// Weight of the k-th level in an imbalance over several levels.
    Weighting: u8 {
        /// 1 for every level.
        Equal = 1 "equal",
        /// 1/k.
        Harmonic = 2 "harmonic",
        /// exp(-lambda (k - 1)).
        Exponential = 3 "exponential",
    }
    /// How VPIN separates bought from sold volume.
    VpinMode: u8 {
        /// By the aggressor of each trade.
        Exact = 1 "exact",
        /// By the price change of each bar.
        Bulk = 2 "bulk",
    }
    /// Whether something was seen.
    #[derive(Default)]
    Seen: u8 {
        /// It was not, or not enough is known to tell.
        #[default]
        No = 0 "no",
        /// It was.
        Yes = 1 "yes",
    }
    /// Which extremes of a bar.
    #[derive(Default)]
    Extremes: u8 {
        /// None, or it is not known.
        #[default]
        None = 0 "none",
        /// The high.
        High = 1 "high",
        /// The low.
        Low = 2 "low",
        /// High and low.
        Both = 3 "both",
    }
    /// Where flow goes.
    #[derive(Default)]
    FlowDirection: u8 {
        /// Nowhere, or it is not known.
        #[default]
        None = 0 "none",
        /// Aggressors buy.
        Buy = 1 "buy",
        /// Aggressors sell.
        Sell = 2 "sell",
    }
    /// Whose volume a profile holds.
    ProfileOf: u8 {
        /// Of the session that runs, from its open on.
        Session = 1 "session",
        /// Of the session before.
        Previous = 2 "previous",
        /// Of the last minutes of the session that runs.
        Rolling = 3 "rolling",
        /// Of several past sessions together, without the one that runs.
        Composite = 4 "composite",
    }
    /// What the volume of a profile was taken from.
    VolumeFrom: u8 {
        /// Every trade, at its price.
        Trades = 1 "trades",
        /// Bars, each spread evenly from its low to its high.
        BarsEvenly = 2 "bars-evenly",
        /// Bars, each at its close.
        BarsClose = 3 "bars-close",
        /// Bars, each at the mean of high, low and close.
        BarsTypical = 4 "bars-typical",
    }
    /// How a row stands out of a profile.
    ProfileNodeType: u8 {
        /// More volume than around it.
        High = 1 "high-volume",
        /// Less volume than around it.
        Low = 2 "low-volume",
    }
    /// Whether a market is in balance.
    #[derive(Default)]
    MarketBalance: u8 {
        /// Not enough is known to tell.
        #[default]
        Unknown = 0 "unknown",
        /// It trades around its value area.
        Balance = 1 "balance",
        /// It has left its value area upwards, with momentum.
        Up = 2 "imbalance-up",
        /// It has left its value area downwards, with momentum.
        Down = 3 "imbalance-down",
    }
    /// By whose rules something is judged.
    RuleSet: u8 {
        /// Those of this project.
        Tidegate = 1 "tidegate",
        /// Those of an earlier platform, as it published them.
        Published = 2 "published",
    }
    /// Which way price has gone.
    PriceDirection: u8 {
        /// To higher prices.
        Up = 1 "up",
        /// To lower prices.
        Down = 2 "down",
    }
    /// What has become of a breakout.
    BreakoutStep: u8 {
        /// A bar has closed outside the range: it begins.
        Out = 1 "out",
        /// Price has stayed outside for long; the breakout goes on.
        Accepted = 2 "accepted",
        /// A bar has soon closed inside the range again; it is over.
        Failed = 3 "failed",
        /// A bar has closed inside the range again, later; it is over.
        Returned = 4 "returned",
        /// The session has ended; so has it.
        Ended = 5 "ended",
    }
}

records! {
    /// Best bid and ask of a book; emitted when they change.
    BookTop = 32 "book-top" : doubtful crossed {
        exchange_ts: Ns as TimeNs "exchange time of the event that changed it",
        bid_px: Px as Price "best bid; absent = no bid",
        bid_qty: Qty as Qty "displayed quantity at the bid",
        ask_px: Px as Price "best ask; absent = no ask",
        ask_qty: Qty as Qty "displayed quantity at the ask",
    }
    /// Prices of a bar; joined with `bar-flow` on seq, instrument and interval. Emitted by the pipeline when the bar closes, or read from a feed of bars.
    Bar = 33 "bar" : inferred after_gap {
        open: Px as Price "first price",
        high: Px as Price "highest price",
        low: Px as Price "lowest price",
        close: Px as Price "last price",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar",
    } row [interval, start_ns, open, high, low, close, volume, trades, vwap, buy_volume, sell_volume, inferred, after_gap]
    /// Volumes of a bar; follows its `bar`.
    BarFlow = 34 "bar-flow" follows Bar {
        volume: Qty as Volume "quantity traded",
        vwap: Px as Average "volume-weighted average price, rounded half to even at 1e-9; absent when the feed does not report it",
        buy_volume: Qty as Volume "quantity bought by aggressors",
        sell_volume: Qty as Volume "quantity sold by aggressors",
        trades: u32 as Count "number of trades",
        interval_s = "interval": u32 as Interval "length of the bar",
    }
    /// A bar that has closed, as it is without a trade that was broken since, or as a feed of bars sends it again with trades that came late; joined with `corrected-bar-flow` on seq, instrument and interval.
    CorrectedBar = 39 "corrected-bar" : inferred after_gap {
        open: Px as Price "first price; absent when no trade is left",
        high: Px as Price "highest price",
        low: Px as Price "lowest price",
        close: Px as Price "last price",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar",
    } row [interval, start_ns, open, high, low, close, volume, trades, vwap, buy_volume, sell_volume, inferred, after_gap]
    /// Volumes of a `corrected-bar`; follows it.
    CorrectedBarFlow = 40 "corrected-bar-flow" follows CorrectedBar {
        volume: Qty as Volume "quantity traded",
        vwap: Px as Average "volume-weighted average price, rounded half to even at 1e-9; absent when no trade is left, or the feed does not report it",
        buy_volume: Qty as Volume "quantity bought by aggressors",
        sell_volume: Qty as Volume "quantity sold by aggressors",
        trades: u32 as Count "number of trades",
        interval_s = "interval": u32 as Interval "length of the bar",
    }
    /// Signed volume of an instrument since its session began; emitted after each trade.
    Cvd = 35 "cvd" : inferred after_gap {
        cvd: i64 as Int "cumulative volume delta: quantity bought less quantity sold, in the instrument's smallest unit",
        buy_qty: Qty as Qty "quantity bought by aggressors",
        sell_qty: Qty as Qty "quantity sold by aggressors",
        unsigned_qty: Qty as Qty "quantity of trades without a known aggressor; in neither of the other two",
        trades: u32 as Uint "number of trades",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 3 row [cvd, buy_qty, sell_qty, unsigned_qty, trades, instance, inferred, after_gap]
    /// Imbalance of a book; emitted when its best bid or ask changes.
    Imbalance = 36 "imbalance" : crossed after_gap {
        l1: Real as Float "(bid quantity - ask quantity) / (bid quantity + ask quantity) at the touch, -1 to 1; absent when a side is empty",
        depth: Real as Float "the same over the best levels, weighted; absent when a side is empty or its levels are unknown",
        mid: Px as Price "(bid + ask) / 2; absent when a side is empty",
        weighted_mid: Px as Price "(ask x bid quantity + bid x ask quantity) / (bid quantity + ask quantity), rounded half to even at 1e-9",
        levels: u32 as Uint "number of levels per side in the depth measure",
        weighting: u8 as Code(Weighting) "weight of the k-th level",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 2
    /// Volume-synchronised probability of informed trading; emitted when a bucket closes. Its `vpin-flow` follows.
    Vpin = 37 "vpin" : inferred after_gap {
        vpin: Real as Float "mean of |bought - sold| / bucket quantity over the last buckets, 0 to 1; absent until the window is full",
        bucket_qty: Qty as Qty "quantity per bucket",
        buckets: u64 as Uint "buckets closed since the session began",
        closed: u32 as Uint "buckets closed by this trade or bar",
        window: u32 as Uint "number of buckets in the mean",
        mode: u8 as Enum(VpinMode) "how trades are signed",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 6 row [vpin, buckets, bucket_qty, buy_qty, sell_qty, unsigned_qty, mode, closed, window, bucket_buy_qty, bucket_sell_qty, instance, inferred, after_gap]
    /// The volumes of a `vpin`; follows it.
    VpinFlow = 38 "vpin-flow" follows Vpin {
        buy_qty: Qty as Qty "quantity bought since the session began",
        sell_qty: Qty as Qty "quantity sold since the session began",
        unsigned_qty: Qty as Qty "quantity left out since the session began, because it had no known aggressor",
        bucket_buy_qty: Qty as Qty "quantity bought in the last closed bucket",
        bucket_sell_qty: Qty as Qty "quantity sold in the last closed bucket",
    }
    /// Order flow of a bar in market hours and of the bars before it; emitted when the bar closes. Its `flow-volume` follows.
    Flow = 128 "flow" : inferred after_gap {
        delta: i64 as Int "quantity bought less quantity sold by aggressors in the bar, in the instrument's smallest unit",
        change: Real as Float "sum of the deltas of the last bars, the look-back; absent before there are as many",
        momentum: Real as Float "(change - change of one look-back earlier) / mean |change| of the bars before; absent before these are known",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar",
        score: u8 as Uint "score of aggressive flow by the rules `tidegate`, 0 to 100",
        direction: u8 as Enum(FlowDirection) "where that flow goes",
        published_score: u8 as Uint "score of aggressive flow by the rules `published`, 0 to 100",
        published_direction: u8 as Enum(FlowDirection) "where that flow goes; sell at a change of zero",
        accelerating: u8 as Enum(Seen) "whether the change is larger than one look-back earlier and has the same sign",
        unusual_volume: u8 as Enum(Seen) "whether the volume ratio is above its limit",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 1 row [interval, start_ns, volume, delta, change, momentum, buy_pressure, sell_pressure, side_pressure, volume_ratio, unusual_volume, accelerating, score, direction, published_score, published_direction, inferred, instance, after_gap]
    /// The volumes of a `flow`; follows it.
    FlowVolume = 129 "flow-volume" follows Flow {
        volume: Qty as Qty "quantity traded in the bar, without what is volume alone",
        buy_pressure: Real as Float "what aggressors bought of the bar's volume, in per cent; absent without volume",
        sell_pressure: Real as Float "what they sold of it, in per cent; absent without volume",
        side_pressure: Real as Float "what the side of the change traded of all volume of the look-back, in per cent; absent where the change is zero or not known",
        volume_ratio: Real as Float "volume / mean volume of the bars before; absent before there are enough of them",
    }
    /// A row of a footprint as a trade, or a broken one, left it: what was traded at its prices since the bar began.
    Footprint = 130 "footprint" : inferred after_gap {
        row_px: Px as Price "lowest price of the row",
        buy_qty: Qty as Volume "quantity bought by aggressors; absent when there was no room for the row",
        sell_qty: Qty as Volume "quantity sold by aggressors; absent likewise",
        unsigned_qty: Qty as Volume "quantity without a known aggressor; absent likewise",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s: u16 as Uint "length of the bar, in seconds",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 1
    /// The footprint of a bar, when the bar closes. Its `footprint-rows` follows.
    FootprintBar = 131 "footprint-bar" : inferred after_gap {
        delta: i64 as Int "quantity bought less quantity sold by aggressors, in the instrument's smallest unit",
        max_delta: i64 as Int "largest that it was after a trade of the bar",
        min_delta: i64 as Int "smallest that it was after a trade of the bar",
        poc_px: Px as Price "lowest price of the row with the most volume; absent where trades of the bar are in no row",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s: u16 as Uint "length of the bar, in seconds",
        whole: u8 as Enum(Seen) "whether every trade of the bar is in a row; if not, nothing is said of rows",
        instance: u8 as Instance "instance of the measure that it is of",
    } row [interval_s, start_ns, delta, max_delta, min_delta, poc_px, buy_imbalances, sell_imbalances, buy_stacks, buy_stack_px, buy_stack_rows, sell_stacks, sell_stack_px, sell_stack_rows, unfinished, exhausted, whole, left_out_qty, inferred, instance, after_gap]
    /// What the rows of a `footprint-bar` come to; follows it.
    FootprintRows = 132 "footprint-rows" follows FootprintBar {
        buy_stack_px: Px as Price "lowest price of the longest stack of rows where buyers outweigh; absent without one",
        sell_stack_px: Px as Price "the same of sellers",
        left_out_qty: Qty as Qty "quantity that is in no row, because there was no room",
        buy_imbalances: u16 as Uint "rows where buyers outweigh the sellers one row below",
        sell_imbalances: u16 as Uint "rows where sellers outweigh the buyers one row above",
        buy_stacks: u16 as Uint "stacks of the former: as many in a line as make one, or more",
        sell_stacks: u16 as Uint "stacks of the latter",
        buy_stack_rows: u16 as Uint "rows of the longest stack of the former; of equals it is the highest",
        sell_stack_rows: u16 as Uint "rows of the longest stack of the latter",
        unfinished: u8 as Enum(Extremes) "extremes in whose row both sides traded",
        exhausted: u8 as Enum(Extremes) "extremes of the last bars that this bar made, and in whose row the aggressor hardly traded",
    } reserved 2
    /// Number and size of an instrument's trades in the last seconds; emitted after each trade.
    Pace = 133 "pace" : inferred after_gap {
        volume: Qty as Qty "quantity traded",
        delta: i64 as Int "quantity bought less quantity sold by aggressors, in the instrument's smallest unit",
        mean_qty: Real as Float "volume / number of trades; absent without trades",
        largest_qty: Qty as Qty "quantity of the largest trade",
        trades: u32 as Uint "number of trades",
        window_s: u16 as Uint "length of the window, in seconds",
        whole: u8 as Enum(Seen) "whether the first trade that was seen lies a window back",
        instance: u8 as Instance "instance of the measure that it is of",
    }
    /// A volume profile: where most was traded, and between which prices most of it. Emitted when one of these prices changes, and at the end of a minute. Its `profile-area` follows.
    Profile = 140 "profile" : after_gap {
        poc: Px as Price "point of control: middle of the row with most volume",
        vah: Px as Price "highest tick of the value area",
        val: Px as Price "lowest tick of the value area",
        volume: Qty as Qty "quantity of all rows",
        rows: u16 as Uint "rows from the lowest to the highest with volume",
        of: u8 as Enum(ProfileOf) "whose volume it is",
        sessions: u8 as Uint "past sessions in it; 0 = the one that runs",
        nodes: u8 as Uint "its nodes when its last minute or session ended; those are the `profile-node` behind the row that said so",
        volume_from: u8 as Enum(VolumeFrom) "what the volume was taken from",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 1 row [of, poc, vah, val, vah2, val2, volume, rows, row_px, sessions, nodes, volume_from, poc_qty, left_out, instance, after_gap]
    /// More of a `profile`; follows it.
    ProfileArea = 141 "profile-area" follows Profile {
        vah2: Px as Price "highest tick of the value area that grows by two rows at a time",
        val2: Px as Price "lowest tick of it",
        row_px: Px as Step "height of a row",
        poc_qty: Qty as Qty "quantity in the row with most volume",
        left_out: Qty as Qty "quantity that found no row, because a bound was reached; it is in no other number",
    }
    /// A row of the profile of the session that runs, as it is after a trade in it, or after such a trade was broken.
    ProfileRow = 142 "profile-row" : inferred after_gap {
        px: Px as Price "lowest price of the row",
        volume: Qty as Qty "quantity traded in the row",
        buy_volume: Qty as Qty "of it, bought by aggressors",
        sell_volume: Qty as Qty "of it, sold by aggressors",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 7
    /// A row that stands out of a smoothed profile. All of a profile follow the `profile` that counts them, from the lowest up.
    ProfileNode = 143 "profile-node" : after_gap {
        px: Px as Price "middle of the row",
        volume: Qty as Qty "quantity traded in the row",
        prominence: Real as Float "how far it stands out of the smoothed profile, over the maximum of that, 0 to 1",
        found: u32 as Uint "nodes of the profile; the most prominent of them are emitted",
        index: u8 as Uint "ordinal among those that are emitted, from 0",
        of: u8 as Enum(ProfileOf) "whose profile it is",
        node: u8 as Enum(ProfileNodeType) "how it stands out",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 8
    /// The half hours in which a row of the session that runs was traded; emitted when there is another.
    ProfileLetters = 144 "profile-letters" : after_gap {
        px: Px as Price "lowest price of the row",
        letters: u64 as Uint "a bit for each half hour from the open on; the lowest is the first, A",
        letter: u8 as Uint "the half hour that is new, from 0",
        count: u8 as Uint "how many half hours there are",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 21
    /// How often the rules that infer an aggressor find the one that the feed tells, since the session began; emitted after each trade with one.
    Signing = 160 "signing" : after_gap {
        trades: u32 as Uint "trades whose aggressor the feed tells",
        tick_right: u32 as Uint "trades of which the tick rule says the same",
        tick_wrong: u32 as Uint "trades of which the tick rule says the opposite; of the rest it says nothing",
        quote_right: u32 as Uint "trades of which the quote rule says the same",
        quote_wrong: u32 as Uint "trades of which the quote rule says the opposite; of the rest it says nothing",
        lee_ready_right: u32 as Uint "trades of which Lee and Ready's rule says the same",
        lee_ready_wrong: u32 as Uint "trades of which Lee and Ready's rule says the opposite; of the rest it says nothing",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 11
    /// Whether a market is in balance or on its way to another; emitted when a bar in market hours closes. Its `market-state-numbers` follows.
    MarketState = 176 "market-state" : after_gap {
        close: Px as Price "close of the bar",
        poc: Px as Price "point of control of the last hour, as the bar left it; absent where there is no profile",
        vah: Px as Price "highest tick of its value area",
        val: Px as Price "lowest tick of its value area",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        state: u8 as Enum(MarketBalance) "state by the rules `tidegate`",
        published_state: u8 as Enum(MarketBalance) "state by the rules `published`",
        changed: u8 as Enum(Seen) "whether either is another than at the bar before, or of the first bar of a session, known",
        instance: u8 as Instance "instance of the measure that it is of",
    } row [start_ns, state, published_state, changed, close, poc, vah, val, close_before, momentum, threshold, poc_distance, atr, instance, after_gap]
    /// The numbers that decide a `market-state`; follows it.
    MarketStateNumbers = 177 "market-state-numbers" follows MarketState {
        close_before: Px as Price "close as many bars earlier as momentum looks back; absent before there are as many in the session",
        momentum: Real as Float "(close - that close) / that close, in per cent; absent likewise",
        threshold: Real as Float "least momentum of an imbalance by the rules `tidegate`, in per cent; absent before the true range is known",
        poc_distance: Real as Float "|close - point of control| / point of control, in per cent; decides nothing",
        atr: Real as Float "average true range of the bars of the session, in units of the price; absent before there are enough of them",
    }
    /// What has become of a breakout of price from a range, when a bar in market hours closes. Its `breakout-range` follows.
    Breakout = 178 "breakout" : after_gap {
        close: Px as Price "close of the bar",
        vah: Px as Price "upper end of the range: highest tick of its value area; it is fixed while price is out",
        val: Px as Price "lower end of the range: lowest tick of its value area",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        since_s = "since_ns": u32 as Start "start of the bar with which the breakout began",
        bars: u16 as Uint "bars that have closed since that bar",
        what: u8 as Enum(BreakoutStep) "what has become of it",
        direction: u8 as Enum(PriceDirection) "where price went",
        gap: u8 as Enum(Seen) "whether it began with the first bar of the session",
        crossed: u8 as Enum(Seen) "whether it began on the other side of the range, from a breakout there that has neither failed nor returned",
        range_of: u8 as Enum(ProfileOf) "whose value area the range is: of the session before, or of the last minutes",
        instance: u8 as Instance "instance of the measure that it is of",
    } row [start_ns, what, direction, range_of, gap, crossed, close, vah, val, poc, row_px, extreme, least_px, atr, since_ns, bars, instance, after_gap]
    /// More of a `breakout`; follows it.
    BreakoutRange = 179 "breakout-range" follows Breakout {
        poc: Px as Price "point of control of the range: middle of its row",
        row_px: Px as Step "height of a row of the range",
        extreme: Px as Price "furthest price of the bars from the first of the breakout to this one",
        least_px: Px as Price "how far beyond the range a bar has to close, at the least",
        atr: Real as Float "average true range of the bars of the session, in units of the price; absent before there are enough of them",
    }
}

impl Seen {
    /// Yes or no.
    pub const fn of(is: bool) -> Seen {
        if is { Seen::Yes } else { Seen::No }
    }
}

impl Extremes {
    /// The high, the low, both or none.
    pub const fn of(high: bool, low: bool) -> Extremes {
        match (high, low) {
            (false, false) => Extremes::None,
            (true, false) => Extremes::High,
            (false, true) => Extremes::Low,
            (true, true) => Extremes::Both,
        }
    }

    /// Whether the high is among them.
    pub const fn has_high(self) -> bool {
        matches!(self, Extremes::High | Extremes::Both)
    }

    /// Whether the low is among them.
    pub const fn has_low(self) -> bool {
        matches!(self, Extremes::Low | Extremes::Both)
    }
}

impl BarFlow {
    /// A feed of bars that reports none of it.
    pub const UNKNOWN: BarFlow = BarFlow {
        volume: Qty::NONE,
        vwap: Px::NONE,
        buy_volume: Qty::NONE,
        sell_volume: Qty::NONE,
        trades: u32::MAX,
        interval_s: 0,
    };
}
