//! What can be set of legs and pullbacks, and which of it gives their state its meaning.

use crate::measures::bar_hours::length_below_a_day;
use crate::measures::profile::Rows;
use flow::{FloatParam, IntParam, Param, ParamError, Params, TextParam};

/// The most minutes that are kept.
pub(super) const MOST_MINUTES: usize = 60;
/// The most parts of a leg; a row is as high as a part, but for what rounding takes.
const MOST_PARTS: u64 = 200;

const INTERVAL: TextParam = TextParam::new(
    "interval",
    "1m",
    "length of the bars, below a day, one that the pipeline or a feed provides; that of `state`, `breakout` and `flow`",
);
const MINUTES: IntParam<usize> = IntParam::new(
    "minutes",
    (1, MOST_MINUTES as u64),
    "60",
    "most bars with trades in which the start of a leg is looked for, the one that has just ended included",
)
.unit("bars");
const ATR_TIMES: FloatParam =
    FloatParam::new("atr_times", (0.0, 1e6), "2", "a leg counts from so many average true ranges on");
const CLOSED: IntParam<u8> =
    IntParam::new("closed", (1, 100), "25", "a leg is closed when price has come back so much of it").unit("%");
const PARTS: IntParam<u32> = IntParam::new(
    "parts",
    (1, MOST_PARTS),
    "40",
    "rows of a leg are its size over this, rounded down to ticks, and one tick at least",
);
const PROMINENCE: IntParam<u8> = IntParam::new(
    "prominence",
    (1, 100),
    "20",
    "least prominence of a node, as a share of the maximum of the smoothed profile",
)
.unit("%");
const BAND_ROWS: IntParam<u32> =
    IntParam::new("band_rows", (0, 1_000), "2", "a pullback touches a node within so many rows of the leg")
        .unit("rows");
const BAND_BPS: IntParam<u32> =
    IntParam::new("band_bps", (0, 10_000), "5", "or within so much of the node's price, whichever is more").unit("bps");
const LEAST_RETRACED: IntParam<u8> =
    IntParam::new("least_retraced", (0, 100), "25", "and price has come back so much of the leg at the least")
        .unit("%");
const MOST_RETRACED: IntParam<u8> = IntParam::new("most_retraced", (0, 100), "79", "and so much at the most").unit("%");
const HOLD: IntParam = IntParam::new("hold", (1, 86_400), "300", "how long a touch holds, at the most").unit("s");
const LEAST_FLOW: IntParam<u8> =
    IntParam::new("least_flow", (0, 100), "40", "rules `tidegate`: least score of flow that goes with the leg")
        .unit("points");
const PUBLISHED_LEAST_FLOW: IntParam<u8> =
    IntParam::new("published_least_flow", (0, 100), "70", "rules `published`: the same").unit("points");
const MAX_ROWS: IntParam<usize> = IntParam::new(
    "max_rows",
    (16, Rows::MOST as u64),
    "4096",
    "most rows in which the volume of a leg is kept until it is closed; they are ticks, or twice as high as often as it takes",
)
.unit("rows");
const MAX_BLOCKS: IntParam<usize> = IntParam::new(
    "max_blocks",
    (16, 4_194_304),
    "65536",
    "blocks of sixteen such rows of all legs; 392 bytes each, taken as they come",
)
.unit("blocks");
const MAX_ENTRIES: IntParam<u32> = IntParam::new(
    "max_entries",
    (16, 4_194_304),
    "262144",
    "blocks of sixteen entries of volume in the minutes of all instruments; 264 bytes each, taken as they come",
)
.unit("blocks");

/// Parameters.
pub const PARAMS: &[Param] = &[
    INTERVAL.param(),
    MINUTES.param(),
    ATR_TIMES.param(),
    CLOSED.param(),
    PARTS.param(),
    PROMINENCE.param(),
    BAND_ROWS.param(),
    BAND_BPS.param(),
    LEAST_RETRACED.param(),
    MOST_RETRACED.param(),
    HOLD.param(),
    LEAST_FLOW.param(),
    PUBLISHED_LEAST_FLOW.param(),
    MAX_ROWS.param(),
    MAX_BLOCKS.param(),
    MAX_ENTRIES.param(),
];

/// What was set.
pub(super) struct Settings {
    pub(super) interval_s: u32,
    pub(super) minutes: usize,
    pub(super) atr_times: f64,
    pub(super) closed: u8,
    pub(super) parts: u32,
    pub(super) prominence: u8,
    pub(super) band_rows: u32,
    pub(super) band_bps: u32,
    pub(super) least_retraced: u8,
    pub(super) most_retraced: u8,
    pub(super) hold_s: u64,
    pub(super) least_flow: u8,
    pub(super) published_least_flow: u8,
    pub(super) max_rows: usize,
    pub(super) max_blocks: usize,
    pub(super) max_entries: u32,
}

impl Settings {
    pub(super) fn read(params: &Params) -> Result<Settings, ParamError> {
        Ok(Settings {
            interval_s: length_below_a_day("legs.interval", params.get(INTERVAL))?.seconds(),
            minutes: params.get(MINUTES),
            atr_times: params.get(ATR_TIMES),
            closed: params.get(CLOSED),
            parts: params.get(PARTS),
            prominence: params.get(PROMINENCE),
            band_rows: params.get(BAND_ROWS),
            band_bps: params.get(BAND_BPS),
            least_retraced: params.get(LEAST_RETRACED),
            most_retraced: params.get(MOST_RETRACED),
            hold_s: params.get(HOLD),
            least_flow: params.get(LEAST_FLOW),
            published_least_flow: params.get(PUBLISHED_LEAST_FLOW),
            max_rows: params.get(MAX_ROWS),
            max_blocks: params.get(MAX_BLOCKS),
            max_entries: params.get(MAX_ENTRIES),
        })
    }

    /// The most rows in which nodes are looked for: a part is rounded down by less than half, and the lowest and the highest
    /// row may be cut.
    pub(super) const MOST_ROWS: usize = 2 * MOST_PARTS as usize + 2;

    pub(super) fn terms(&self) -> Vec<u64> {
        let whole = [self.minutes, self.max_rows, self.max_blocks].map(|number| number as u64);
        let shares = [self.closed, self.prominence, self.least_retraced, self.most_retraced].map(u64::from);
        let rows = [self.parts, self.band_rows, self.band_bps].map(u64::from);
        let flow = [
            self.hold_s,
            self.least_flow.into(),
            self.published_least_flow.into(),
            self.max_entries.into(),
            self.interval_s.into(),
        ];
        [&whole[..], &shares, &rows, &flow, &[self.atr_times.to_bits()]].concat()
    }
}
