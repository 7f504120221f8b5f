//! What can be set of the profiles, and which of it gives their state its meaning.

use super::letters::Letters;
use super::{Grid, Rows};
use flow::{BoolParam, ChoiceParam, IntParam, Interval, Param, ParamError, Params, Px, TextParam, VolumeFrom};

/// The most minutes of the rolling profile.
pub(super) const MOST_MINUTES: usize = 60;
/// The most past sessions.
pub(super) const MOST_SESSIONS: usize = 20;

const VALUE_AREA: IntParam<u8> =
    IntParam::new("value_area", (1, 100), "70", "share of the volume that a value area holds at least").unit("%");
const PROMINENCE: IntParam<u8> = IntParam::new(
    "prominence",
    (1, 100),
    "20",
    "least prominence of a node, as a share of the maximum of the smoothed profile",
)
.unit("%");
/// The height of the rows of a profile, and of what goes by the same rows.
pub(in crate::measures) const ROW_TICKS: IntParam = IntParam::new(
    "row_ticks",
    (0, 1_000_000_000_000),
    "0",
    "height of a row; 0 = 0.05 % of the first price of the session, rounded half up, and one tick at least",
)
.unit("ticks");
const MINUTES: IntParam = IntParam::new(
    "minutes",
    (1, MOST_MINUTES as u64),
    "60",
    "length of the rolling profile: the minute that runs and those before it",
)
.unit("minutes");
const SESSIONS: IntParam<usize> =
    IntParam::new("sessions", (1, MOST_SESSIONS as u64), "20", "most past sessions in the composite").unit("sessions");
const VOLUME_FROM: ChoiceParam<VolumeFrom> = ChoiceParam::new(
    "volume_from",
    VolumeFrom::CHOICES,
    "trades",
    "what the volume is taken from: every trade at its price, or bars, spread as named",
);
const BAR: TextParam = TextParam::new("bar", "1m", "length of the bars, if volume is taken from bars");
const MAX_ROWS: IntParam<usize> = IntParam::new(
    "max_rows",
    (16, Rows::MOST as u64),
    "1024",
    "most rows of a profile, from its lowest to its highest; volume beyond is left out and counted",
)
.unit("rows");
const MAX_BLOCKS: IntParam<usize> = IntParam::new(
    "max_blocks",
    (16, 4_194_304),
    "65536",
    "blocks of sixteen rows of all profiles of all instruments; 392 bytes each, taken as they come",
)
.unit("blocks");

const LETTERS: BoolParam = BoolParam::new(
    "letters",
    false,
    "emit in which half hours from the open on each row of the session was traded, if volume is taken from trades",
);

/// Parameters.
pub const PARAMS: &[Param] = &[
    VALUE_AREA.param(),
    PROMINENCE.param(),
    ROW_TICKS.param(),
    MINUTES.param(),
    SESSIONS.param(),
    VOLUME_FROM.param(),
    BAR.param(),
    MAX_ROWS.param(),
    MAX_BLOCKS.param(),
    LETTERS.param(),
];

/// What was set.
pub(super) struct Settings {
    pub(super) value_area: u8,
    pub(super) prominence: u8,
    row_ticks: u64,
    pub(super) minutes: u64,
    pub(super) sessions: usize,
    pub(super) volume_from: VolumeFrom,
    pub(super) bar_s: u32,
    max_rows: usize,
    max_blocks: usize,
    pub(super) letters: bool,
}

impl Settings {
    pub(super) fn read(params: &Params) -> Result<Settings, ParamError> {
        let text = params.get(BAR);
        let bar = text.parse::<Interval>().map_err(|e| {
            let (key, found) = ("profile.bar".to_owned(), text.to_owned());
            ParamError { key, found, valid: e.to_string() }
        })?;
        Ok(Settings {
            value_area: params.get(VALUE_AREA),
            prominence: params.get(PROMINENCE),
            row_ticks: params.get(ROW_TICKS),
            minutes: params.get(MINUTES),
            sessions: params.get(SESSIONS),
            volume_from: params.get(VOLUME_FROM),
            bar_s: bar.seconds(),
            max_rows: params.get(MAX_ROWS),
            max_blocks: params.get(MAX_BLOCKS),
            letters: params.get(LETTERS),
        })
    }

    /// The memory of the rows.
    pub(super) fn rows(&self) -> Rows {
        Rows::new(self.max_blocks, self.max_rows)
    }

    /// The memory of the letters.
    pub(super) fn room_for_letters(&self) -> Letters {
        Letters::new(if self.letters { self.max_blocks } else { 0 })
    }

    /// The grid of a session that begins at this price.
    pub(super) fn grid(&self, px: Px, tick: Px) -> Grid {
        if self.row_ticks == 0 { Grid::of_price(px, tick) } else { Grid::of_ticks(self.row_ticks, tick) }
    }

    pub(super) fn terms(&self) -> Vec<u64> {
        let whole = [self.max_rows, self.max_blocks, self.sessions].map(|number| number as u64);
        let shares = [u64::from(self.value_area), u64::from(self.prominence), self.row_ticks, self.minutes];
        let bars = [u64::from(self.volume_from.code()), u64::from(self.bar_s), u64::from(self.letters)];
        [&whole[..], &shares, &bars].concat()
    }
}
