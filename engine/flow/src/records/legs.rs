//! Legs of price, the nodes of their profiles, pullbacks to these, and alerts at nodes.
//!
//! They are measures, like those of [`super::measures`], with words of their own.

use crate::record::records;
use crate::words::words;
use crate::{Ns, Px, Qty, Real};

words! {
    /// What a leg is of.
    LegType: u8 {
        /// Of price that has left a range.
        Impulse = 1 "impulse",
        /// Of price that has come back into a range after a breakout that failed.
        Reclaim = 2 "reclaim",
    }
    /// What has become of a leg.
    LegStep: u8 {
        /// It is long enough to count.
        Counts = 1 "counts",
        /// Price has come back a part of it: its profile is closed.
        Closed = 2 "closed",
        /// Price has gone beyond its extreme: its profile is open again.
        OpenAgain = 3 "open-again",
        /// It is over.
        Ended = 4 "ended",
    }
    /// Why a leg is over.
    #[derive(Default)]
    LegEnd: u8 {
        /// It is not.
        #[default]
        None = 0 "none",
        /// Price has gone beyond its start.
        Start = 1 "start",
        /// Price has come to the point of control of the range.
        Poc = 2 "poc",
        /// A bar has closed inside the range.
        Inside = 3 "inside",
        /// Another breakout has begun.
        Breakout = 4 "breakout",
        /// The session has ended.
        Session = 5 "session",
        /// The trade at its start or at its extreme was broken.
        Broken = 6 "broken",
    }
    /// What has become of a pullback.
    PullbackStep: u8 {
        /// Price has come to a low-volume node of the leg.
        Touched = 1 "touched",
        /// Flow goes with the leg while the touch holds.
        WithFlow = 2 "with-flow",
        /// The touch has held for its time.
        Expired = 3 "expired",
        /// Price has come back too far.
        Passed = 4 "passed",
        /// The leg is open again.
        LegOpen = 5 "leg-open",
        /// The leg is over.
        LegOver = 6 "leg-over",
    }
}

records! {
    /// What has become of a leg: the way of price from one trade to the furthest one after it. Its `leg-profile` follows.
    Leg = 184 "leg" : after_gap {
        start_px: Px as Price "price of the trade with which it starts",
        extreme_px: Px as Price "its furthest price so far",
        size: Px as Step "distance between the two",
        retraced: Real as Float "how much of it price has come back, in per cent",
        what: u8 as Enum(LegStep) "what has become of it",
        reason: u8 as Enum(LegEnd) "why it is over",
        leg: u8 as Enum(LegType) "what it is of",
        direction: u8 as Enum(PriceDirection) "where it goes",
        nodes: u8 as Uint "nodes of its profile, if that has just closed: the `leg-node` behind this row",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 2 row [what, reason, leg, direction, start_px, extreme_px, size, retraced, start_ns, extreme_ns, volume, left_out, row_px, nodes, instance, after_gap]
    /// More of a `leg`; follows it.
    LegProfile = 185 "leg-profile" follows Leg {
        start_ts = "start_ns": Ns as TimeNs "time of the trade with which it starts",
        extreme_ts = "extreme_ns": Ns as TimeNs "time of the first trade at its extreme",
        volume: Qty as Qty "quantity traded from the one to the other, both inside",
        left_out: Qty as Qty "quantity of its minutes that was left out, because a bound was reached; it is in no other number",
        row_px: Px as Price "height of the rows in which its nodes are looked for; absent where it has not just closed",
    }
    /// A row that stands out of the smoothed profile of a leg. All of a leg follow the `leg` that says it is closed, from the lowest up.
    LegNode = 186 "leg-node" : after_gap {
        px: Px as Price "middle of the row",
        volume: Qty as Qty "quantity traded in the row",
        prominence: Real as Float "how far it stands out of the smoothed profile, over the maximum of that, 0 to 1",
        found: u32 as Uint "nodes of the leg; the most prominent of them are emitted",
        index: u8 as Uint "ordinal among those that are emitted, from 0",
        node: u8 as Enum(ProfileNodeType) "how it stands out",
        leg: u8 as Enum(LegType) "what the leg is of",
        direction: u8 as Enum(PriceDirection) "where the leg goes",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 7
    /// What has become of a pullback: price that comes back to a low-volume node of a leg. Its `pullback-flow` follows.
    Pullback = 187 "pullback" : inferred after_gap {
        px: Px as Price "price of the trade that decides",
        node_px: Px as Price "the node: middle of its row",
        distance: Real as Float "how far that trade is from the node, towards the extreme, in basis points of the node",
        retraced: Real as Float "how much of the leg price has come back, in per cent",
        what: u8 as Enum(PullbackStep) "what has become of it",
        leg: u8 as Enum(LegType) "what the leg is of",
        direction: u8 as Enum(PriceDirection) "where the leg goes",
        index: u8 as Uint "ordinal of the node among those of the leg, from 0",
        with_flow: u8 as Enum(Seen) "whether flow has gone with the leg since the touch, by the rules `tidegate`",
        published_with_flow: u8 as Enum(Seen) "the same by the rules `published`",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 1 row [what, leg, direction, index, px, node_px, distance, retraced, with_flow, published_with_flow, score, flow_direction, state, published_score, published_direction, published_state, atr, start_px, extreme_px, flow_start_ns, inferred, instance, after_gap]
    /// The numbers that decide a `pullback`, all of the last bar that has closed; follows it.
    PullbackFlow = 188 "pullback-flow" follows Pullback {
        start_px: Px as Price "price with which the leg starts",
        extreme_px: Px as Price "furthest price of the leg",
        atr: Real as Float "average true range of the bars of the session, in units of the price; absent before there are enough of them",
        flow_start_s = "flow_start_ns": u32 as Start "start of the bar that the flow is of, Unix time; absent before there is one",
        score: u8 as Uint "score of aggressive flow by the rules `tidegate`, 0 to 100",
        flow_direction: u8 as Enum(FlowDirection) "where that flow goes",
        state: u8 as Enum(MarketBalance) "state of the market by the rules `tidegate`",
        published_score: u8 as Uint "score of aggressive flow by the rules `published`, 0 to 100",
        published_direction: u8 as Enum(FlowDirection) "where that flow goes",
        published_state: u8 as Enum(MarketBalance) "state of the market by the rules `published`",
    } reserved 6
    /// Price has come close to a low-volume node; emitted with the trade that has.
    LvnAlert = 192 "lvn-alert" : after_gap {
        px: Px as Price "price of the trade",
        node_px: Px as Price "the node: middle of its row",
        distance: Real as Float "how far the trade is from the node, in per cent of that",
        direction: u8 as Enum(PriceDirection) "where price goes: down from above the node, up from below",
        previous: u8 as Enum(Seen) "whether it is a node of the session before",
        composite: u8 as Enum(Seen) "whether it is one of past sessions together",
        impulse: u8 as Enum(Seen) "whether it is one of an impulse leg",
        reclaim: u8 as Enum(Seen) "whether it is one of a reclaim leg",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 10
    /// The low-volume node that is nearest to the close of a bar in market hours.
    NearestLvn = 193 "nearest-lvn" : after_gap {
        close: Px as Price "close of the bar",
        node_px: Px as Price "the node: middle of its row",
        distance: Real as Float "how far the close is from the node, in per cent of that",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        armed: u8 as Enum(Seen) "whether an alert can fire at it",
        previous: u8 as Enum(Seen) "whether it is a node of the session before",
        composite: u8 as Enum(Seen) "whether it is one of past sessions together",
        impulse: u8 as Enum(Seen) "whether it is one of an impulse leg",
        reclaim: u8 as Enum(Seen) "whether it is one of a reclaim leg",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 6
    /// A market has come into another state than at the bar before; emitted behind the `market-state` that says so.
    StateAlert = 194 "state-alert" : after_gap {
        close: Px as Price "close of the bar",
        momentum: Real as Float "change of the close over the look-back, in per cent; absent where that is not known",
        threshold: Real as Float "least momentum of an imbalance by the rules `tidegate`, in per cent; absent where that is not known",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        bars: u16 as Uint "bars that the market was in the state before",
        state: u8 as Enum(MarketBalance) "the state",
        state_before: u8 as Enum(MarketBalance) "the one before",
        rules: u8 as Enum(RuleSet) "the rules by which it is",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 6
    /// Flow has become aggressive; emitted behind the `flow` of the bar with which it did.
    FlowAlert = 195 "flow-alert" : inferred after_gap {
        change: Real as Float "sum of the deltas of the last bars, the look-back",
        delta: i64 as Int "quantity bought less quantity sold by aggressors in the bar, in the instrument's smallest unit",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        score: u8 as Uint "score of aggressive flow, 0 to 100",
        direction: u8 as Enum(FlowDirection) "where that flow goes",
        rules: u8 as Enum(RuleSet) "the rules by which it is",
        instance: u8 as Instance "instance of the measure that it is of",
    } reserved 16
}
