//! What is in force: the parameters and limits that commands may set.
//!
//! The stages say it themselves ([`flow::TradingState`]), so an answer is never older than the question, and nothing is
//! derived from commands. Bound: one row a limit, [`flow::TradingState::PARAMS`] rows of parameters.

use super::parameter::{Parameter, text};
use crate::pipeline::Answer;
use flow::{Effective, LimitInForce, ParamInForce};
use serde::{Deserialize, Serialize};
use stages::Instances;
use stages::risk::check;

/// The action that asks for it. It is not a command, and no input results from it.
pub(super) const ACTION: &str = "get";

/// The values that commands may set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InForce {
    /// Number of the last input that they follow from.
    pub seq: u64,
    /// The values: limits, then the parameters of each instance.
    pub values: Vec<ValueInForce>,
    /// How many values of single instruments found no room.
    pub left_out: u64,
}

/// A value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueInForce {
    /// Its key: `mom-fast.qty`, `risk.max_notional`.
    pub key: String,
    /// Key of the instrument that has it of its own, `AAPL@XNAS`; absent = all that have none.
    pub instrument: Option<String>,
    /// The value in force, as in a configuration.
    pub value: String,
    /// The value that the configuration of the run has.
    pub configured: String,
    /// The value that waits for its bar or session.
    pub waits: Option<String>,
    /// When a change takes effect: `now`, `next bar`, `next session`.
    pub effective: String,
}

impl InForce {
    /// An answer of the pipeline, whose instances have these names.
    pub(super) fn of(answer: &Answer, names: &Instances) -> InForce {
        let limits = answer.stages.limits.iter().filter_map(limit);
        let key = |at: u32| answer.tail.quotes.iter().find(|q| q.instrument == at).map(|q| q.key.clone());
        let params = answer.stages.params.iter().filter_map(|row| param(row, names, key));
        InForce {
            seq: answer.head.seq,
            values: limits.chain(params).collect(),
            left_out: answer.stages.params_left_out,
        }
    }
}

fn limit(limit: &LimitInForce) -> Option<ValueInForce> {
    let LimitInForce { check: number, limit, configured, .. } = *limit;
    let param = check(number)?.limit?.param();
    Some(ValueInForce {
        key: format!("risk.{}", param.name),
        instrument: None,
        value: limit.to_string(),
        configured: configured.to_string(),
        waits: None,
        effective: param.effective.name().to_owned(),
    })
}

fn param(row: &ParamInForce, names: &Instances, key: impl Fn(u32) -> Option<String>) -> Option<ValueInForce> {
    let Parameter { key: name, param, .. } =
        Parameter::of_target(names, u32::from(row.owner) << 16 | u32::from(row.param))?;
    debug_assert!(param.effective != Effective::Restart, "the stages say what commands may set");
    Some(ValueInForce {
        key: name,
        instrument: (row.instrument != 0)
            .then(|| key(row.instrument).unwrap_or_else(|| format!("#{}", row.instrument))),
        value: text(param, row.value),
        configured: text(param, row.configured),
        waits: row.waits.map(|bits| text(param, bits)),
        effective: param.effective.name().to_owned(),
    })
}
