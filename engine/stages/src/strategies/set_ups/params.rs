//! What can be set of set-ups.

use super::super::session::Hours;
use super::Model;
use flow::{ChoiceParam, FloatParam, IntParam, ParamError, Params, RuleSet, TextParam};

/// The rules by which state and flow are judged.
pub(in super::super) const RULES: ChoiceParam<RuleSet> =
    ChoiceParam::new("rules", RuleSet::CHOICES, "tidegate", "the rules of `state` and `flow` that it goes by");
/// The least score of flow.
pub(in super::super) const LEAST_FLOW: IntParam<u8> = IntParam::new(
    "least_flow",
    (0, 100),
    "0",
    "least score of flow that goes with the leg; 0 = 40 by the rules `tidegate`, 70 by `published`",
)
.unit("points");
/// The least reward over risk.
pub(in super::super) const LEAST_REWARD: FloatParam =
    FloatParam::new("least_reward", (0.0, 1_000.0), "1.5", "least distance of the target, in distances of the stop");
/// How far beyond what it protects a stop lies.
pub(in super::super) const STOP_ROWS: IntParam<u32> =
    IntParam::new("stop_rows", (0, 1_000), "1", "rows of the leg by which the stop lies beyond").unit("rows");

/// Start of its hours: not in the first quarter of an hour of the regular session.
pub(in super::super) const SESSION_START: TextParam =
    TextParam::new("session_start", "09:45", "first signal, wall clock of the listing's calendar");
/// End of its hours: not in the last ten minutes.
pub(in super::super) const SESSION_END: TextParam =
    TextParam::new("session_end", "15:50", "no signal from here on; sooner on a half-day, as the close");

/// The settings of an instrument.
pub(super) struct Settings<M> {
    pub(super) rules: RuleSet,
    pub(super) least_flow: u8,
    pub(super) least_reward: f64,
    pub(super) stop_rows: u32,
    pub(super) hours: Hours,
    pub(super) model: M,
}

impl<M: Model> Settings<M> {
    /// Reads the settings.
    ///
    /// # Errors
    /// When `session_start` or `session_end` is no time of day.
    pub(super) fn read(params: &Params) -> Result<Settings<M>, ParamError> {
        let rules = params.get(RULES);
        let usual = match rules {
            RuleSet::Tidegate => 40,
            RuleSet::Published => 70,
        };
        Ok(Settings {
            rules,
            least_flow: Some(params.get(LEAST_FLOW)).filter(|least| *least > 0).unwrap_or(usual),
            least_reward: params.get(LEAST_REWARD),
            stop_rows: params.get(STOP_ROWS),
            hours: Hours::read(M::NAME, params)?,
            model: M::read(params),
        })
    }
}
