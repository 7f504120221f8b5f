//! The parameters of the strategy `momentum`, and the settings read from them.

use super::super::common::{ACCOUNT, QTY, STRATEGY_VENUE, SYMBOLS};
use super::super::session::{Hours, SESSION_END, SESSION_START};
use crate::instance::Instance;
use flow::{Account, BoolParam, FloatParam, IntParam, Interval, Ns, Param, ParamError, Params, StrategyId, TextParam};

/// Number of the strategy `momentum`.
pub const MOMENTUM: StrategyId = StrategyId(1);

const LOOKBACK: IntParam =
    IntParam::new("lookback", (0, 86_400), "60", "time over which signed volume is summed").unit("s");
const MIN_FLOW: FloatParam =
    FloatParam::new("min_flow", (0.0, 1.0), "0.3", "net signed volume that it takes, as a part of the signed volume");
const MIN_VOLUME: IntParam =
    IntParam::new("min_volume", (0, 1_000_000_000_000_000), "1000", "signed volume of the lookback that it takes")
        .unit("smallest units");
const MIN_IMBALANCE: FloatParam = FloatParam::new(
    "min_imbalance",
    (-1.0, 1.0),
    "0.2",
    "imbalance at the touch that it takes, towards the side of the trade",
);
const MAX_VPIN: FloatParam =
    FloatParam::new("max_vpin", (0.0, 1.0), "0.6", "VPIN above which nothing is entered; 1 = not measures for");
const CVD: TextParam = TextParam::new("cvd", "cvd", "instance of the measure cvd that it reads");
const IMBALANCE: TextParam =
    TextParam::new("imbalance", "imbalance", "instance of the measure imbalance that it reads");
const VPIN: TextParam = TextParam::new("vpin", "vpin", "instance of the measure vpin that it reads");
const BAR: TextParam = TextParam::new("bar", "1m", "length of the bars whose range is averaged; one of the stage bars");
const ATR_BARS: IntParam<u32> =
    IntParam::new("atr_bars", (1, 1_000), "14", "bars that the true range is averaged over").unit("bars");
const STOP_ATR: FloatParam =
    FloatParam::new("stop_atr", (0.1, 100.0), "1.5", "distance of the stop, in average true ranges");
const TARGET_ATR: FloatParam =
    FloatParam::new("target_atr", (0.1, 100.0), "3", "distance of the target, in average true ranges");
const COOLDOWN: IntParam = IntParam::new(
    "cooldown",
    (0, 86_400),
    "30",
    "pause of an instrument after a position was closed or an order came to nothing",
)
.unit("s");
const MAX_AGE: IntParam =
    IntParam::new("max_age", (0, 3_600_000), "5000", "age of the last top above which nothing is entered").unit("ms");
const PATIENCE: IntParam =
    IntParam::new("patience", (0, 86_400), "10", "time after which an order without an answer is given up").unit("s");
const SHORT: BoolParam = BoolParam::new("short", true, "whether it sells what it does not have");

/// The name of the parameter that the windows of flow depend on.
pub(super) const OF_WINDOWS: &str = LOOKBACK.name();

/// What can be set.
pub const PARAMS: &[Param] = &[
    SYMBOLS.param(),
    ACCOUNT.param(),
    STRATEGY_VENUE.param(),
    QTY.live().per_symbol().param(),
    LOOKBACK.live().per_symbol().param(),
    MIN_FLOW.live().per_symbol().param(),
    MIN_VOLUME.live().per_symbol().param(),
    MIN_IMBALANCE.live().per_symbol().param(),
    MAX_VPIN.live().per_symbol().param(),
    CVD.param(),
    IMBALANCE.param(),
    VPIN.param(),
    BAR.param(),
    ATR_BARS.next_bar().per_symbol().param(),
    STOP_ATR.live().per_symbol().param(),
    TARGET_ATR.live().per_symbol().param(),
    COOLDOWN.live().per_symbol().param(),
    MAX_AGE.live().per_symbol().param(),
    PATIENCE.live().per_symbol().param(),
    SESSION_START.per_symbol().param(),
    SESSION_END.per_symbol().param(),
    SHORT.live().per_symbol().param(),
];

/// What is the same for every symbol, as long as a run lasts.
pub(super) struct Fixed {
    pub(super) account: Account,
    /// The instances of the measures that it reads.
    pub(super) cvd: u8,
    pub(super) imbalance: u8,
    pub(super) vpin: u8,
    pub(super) bar_s: u32,
}

impl Fixed {
    /// Reads it.
    ///
    /// # Errors
    /// When `bar` is not an interval, or there is no such instance of a measure.
    pub(super) fn read(params: &Params, measures: &[Instance]) -> Result<Fixed, ParamError> {
        let found = params.get(BAR).to_owned();
        let bar = found.parse::<Interval>();
        let bar = bar.map_err(|e| ParamError { key: "momentum.bar".to_owned(), found, valid: e.to_string() })?;
        Ok(Fixed {
            account: Account(params.get(ACCOUNT)),
            cvd: reads(CVD, params, measures)?,
            imbalance: reads(IMBALANCE, params, measures)?,
            vpin: reads(VPIN, params, measures)?,
            bar_s: bar.seconds(),
        })
    }
}

/// The settings of an instrument.
pub(super) struct Settings {
    pub(super) qty: u64,
    pub(super) lookback_ns: u64,
    pub(super) min_flow: f64,
    pub(super) min_volume: u64,
    pub(super) min_imbalance: f64,
    pub(super) max_vpin: f64,
    pub(super) atr_bars: u32,
    pub(super) stop_atr: f64,
    pub(super) target_atr: f64,
    pub(super) cooldown_ns: u64,
    pub(super) max_age_ns: u64,
    pub(super) patience_ns: u64,
    pub(super) hours: Hours,
    pub(super) short: bool,
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// When a time is not a time of day.
    pub(super) fn read(params: &Params) -> Result<Settings, ParamError> {
        let seconds = |time| params.get(time) * Ns::SECOND;
        Ok(Settings {
            qty: params.get(QTY),
            lookback_ns: seconds(LOOKBACK),
            min_flow: params.get(MIN_FLOW),
            min_volume: params.get(MIN_VOLUME),
            min_imbalance: params.get(MIN_IMBALANCE),
            max_vpin: params.get(MAX_VPIN),
            atr_bars: params.get(ATR_BARS),
            stop_atr: params.get(STOP_ATR),
            target_atr: params.get(TARGET_ATR),
            cooldown_ns: seconds(COOLDOWN),
            max_age_ns: params.get(MAX_AGE) * 1_000_000,
            patience_ns: seconds(PATIENCE),
            hours: Hours::read("momentum", params)?,
            short: params.get(SHORT),
        })
    }
}

/// The instance that a parameter names, of the measure with the parameter's name.
fn reads(measure: TextParam, params: &Params, measures: &[Instance]) -> Result<u8, ParamError> {
    let (entry, found) = (measure.name(), params.get(measure));
    let mut of = measures.iter().filter(|instance| instance.uses == entry);
    let number = (found == entry).then_some(0);
    let number = number.or_else(|| of.clone().find(|one| one.name == found).map(|one| one.number as u8));
    number.ok_or_else(|| {
        let others = of.by_ref().map(|one| one.name.as_str());
        let names: Vec<_> = std::iter::once(entry).chain(others).collect();
        let (key, found) = (format!("momentum.{entry}"), found.to_owned());
        ParamError { key, found, valid: format!("valid: {}", names.join(", ")) }
    })
}
