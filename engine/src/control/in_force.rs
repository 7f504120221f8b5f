//! What is in force: the parameters and limits that commands may set.
//!
//! The stages say it themselves ([`flow::TradingState`]), so an answer is never older than the question, and nothing is
//! derived from commands. Bound: one row a limit, [`flow::TradingState::PARAMS`] rows of parameters.

use super::parameter::{Parameter, text};
use crate::pipeline::Answer;
use flow::{Effective, LevelInForce, LimitInForce, ParamInForce};
use serde::{Deserialize, Serialize};
use stages::Instances;
use stages::risk::{LimitTarget, check};

/// The action that asks for it. It is not a command, and no input results from it.
pub(super) const ACTION: &str = "get";

/// The values that commands may set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InForce {
    /// Number of the last input that they follow from.
    pub seq: u64,
    /// The values: limits, those of the tables, then the parameters of each instance.
    pub values: Vec<ValueInForce>,
    /// How many values of single instruments found no room.
    pub left_out: u64,
}

/// A value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueInForce {
    /// Its key: `mom-fast.qty`, `risk.max_notional`, `limit[2].max_position`.
    pub key: String,
    /// Key of the instrument that has it of its own, `AAPL@XNAS`; absent = all that have none.
    pub instrument: Option<String>,
    /// What the table of a limit is for: `account 2, mom-fast, AAPL`; absent = it is no limit of a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
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
        let limits = answer.stages.limits.iter().filter_map(|of| limit(0, of));
        let of_table = |LevelInForce { table, of }: &LevelInForce| {
            let scope = names.limit(*table).map(str::to_owned);
            Some(ValueInForce { scope, ..limit(*table, of)? })
        };
        let limits = limits.chain(answer.stages.levels.iter().filter_map(of_table));
        let key = |at: u32| answer.tail.quotes.iter().find(|q| q.instrument == at).map(|q| q.key.clone());
        let params = answer.stages.params.iter().filter_map(|row| param(row, names, key));
        InForce {
            seq: answer.head.seq,
            values: limits.chain(params).collect(),
            left_out: answer.stages.params_left_out,
        }
    }
}

/// A limit of the section, 0, or of a table.
fn limit(table: u16, limit: &LimitInForce) -> Option<ValueInForce> {
    let LimitInForce { check: number, limit, configured, .. } = *limit;
    let param = check(number)?.limit?.param();
    Some(ValueInForce {
        key: LimitTarget { table, check: number }.key()?,
        instrument: None,
        scope: None,
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
        scope: None,
        value: text(param, row.value),
        configured: text(param, row.configured),
        waits: row.waits.map(|bits| text(param, bits)),
        effective: param.effective.name().to_owned(),
    })
}
