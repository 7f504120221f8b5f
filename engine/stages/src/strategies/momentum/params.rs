//! What can be set of the strategy `momentum`, and the settings read from it.
//!
//! Bound: a handful of numbers.

use super::super::session::Hours;
use super::super::{ACCOUNT, QTY, SYMBOLS};
use flow::{Effective, Interval, Ns, Param, ParamError, ParamType, Params};

const fn int(name: &'static str, high: u64, unit: &'static str, default: &'static str, about: &'static str) -> Param {
    let ty = ParamType::Int(if high == 1_000 { 1 } else { 0 }, high);
    Param { name, ty, unit, default, effective: Effective::Restart, about }
}

const fn float(name: &'static str, low: f64, high: f64, default: &'static str, about: &'static str) -> Param {
    Param { name, ty: ParamType::Float(low, high), unit: "", default, effective: Effective::Restart, about }
}

const fn text(name: &'static str, default: &'static str, about: &'static str) -> Param {
    Param { name, ty: ParamType::Text, unit: "", default, effective: Effective::Restart, about }
}

/// What can be set.
pub const PARAMS: &[Param] = &[
    SYMBOLS,
    ACCOUNT,
    QTY,
    int("lookback", 86_400, "s", "60", "time over which signed volume is summed"),
    float("min_flow", 0.0, 1.0, "0.3", "net signed volume that it takes, as a part of the signed volume"),
    int("min_volume", 1_000_000_000_000_000, "smallest units", "1000", "signed volume of the lookback that it takes"),
    float("min_imbalance", -1.0, 1.0, "0.2", "imbalance at the touch that it takes, towards the side of the trade"),
    float("max_vpin", 0.0, 1.0, "0.6", "VPIN above which nothing is entered; 1 = not asked for"),
    text("bar", "1m", "length of the bars whose range is averaged; one of the stage bars"),
    int("atr_bars", 1_000, "bars", "14", "bars that the true range is averaged over"),
    float("stop_atr", 0.1, 100.0, "1.5", "distance of the stop, in average true ranges"),
    float("target_atr", 0.1, 100.0, "3", "distance of the target, in average true ranges"),
    int(
        "cooldown",
        86_400,
        "s",
        "30",
        "pause of an instrument after a position was closed or an order came to nothing",
    ),
    int("max_age", 3_600_000, "ms", "5000", "age of the last top above which nothing is entered"),
    int("patience", 86_400, "s", "10", "time after which an order without an answer is given up"),
    text("session_start", "09:35", "first entry, wall clock of the listing's calendar"),
    text("session_end", "15:55", "no entry from here on, and what is open is closed"),
    Param {
        name: "short",
        ty: ParamType::Bool,
        unit: "",
        default: "true",
        effective: Effective::Restart,
        about: "whether it sells what it does not have",
    },
];

/// The settings.
pub(super) struct Settings {
    pub(super) account: u8,
    pub(super) qty: u64,
    pub(super) lookback_ns: u64,
    pub(super) min_flow: f64,
    pub(super) min_volume: u64,
    pub(super) min_imbalance: f64,
    pub(super) max_vpin: f64,
    pub(super) bar_s: u32,
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
    /// Reads them.
    ///
    /// # Errors
    /// When the bar is no length or a time is no time of day.
    pub(super) fn read(params: &Params) -> Result<Settings, ParamError> {
        let found = params.text("bar").to_owned();
        let bar = found.parse::<Interval>();
        let bar = bar.map_err(|e| ParamError { key: "momentum.bar".to_owned(), found, valid: e.to_string() })?;
        let seconds = |name| params.int(name) * Ns::SECOND;
        Ok(Settings {
            account: params.int("account") as u8,
            qty: params.int("qty"),
            lookback_ns: seconds("lookback"),
            min_flow: params.float("min_flow"),
            min_volume: params.int("min_volume"),
            min_imbalance: params.float("min_imbalance"),
            max_vpin: params.float("max_vpin"),
            bar_s: bar.seconds(),
            atr_bars: params.int("atr_bars") as u32,
            stop_atr: params.float("stop_atr"),
            target_atr: params.float("target_atr"),
            cooldown_ns: seconds("cooldown"),
            max_age_ns: params.int("max_age") * 1_000_000,
            patience_ns: seconds("patience"),
            hours: Hours::read("momentum", params)?,
            short: params.bool("short"),
        })
    }
}
