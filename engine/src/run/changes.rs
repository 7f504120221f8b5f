//! What a configuration changes in a running engine: the values that commands may set, against those in force.
//!
//! The pipeline says what is in force, the record what else holds. Each value that differs becomes a command, with the value
//! before and after, so that it is recorded and answered like that of an operator. The section then gets back the recorded
//! value: what still differs needs a restart. What the configuration does not say stays: an instrument that has a value by
//! command alone keeps it.
//!
//! Bound: one change a parameter, and one more a symbol that has its own.

use crate::config::{Settings, keys};
use crate::pipeline::Answer;
use flow::{LimitInForce, Param, ParamInForce, Params, Value};
use stages::risk::{CHECKS, CheckEntry, LimitTarget, TableLimit, table_limits};
use std::collections::BTreeSet;

/// A value that is to be set, as texts of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its key: `mom-fast.qty`, `risk.max_notional`, `limit[2].max_position`.
    pub key: String,
    /// The symbol that has it of its own; `None` = all that have none.
    pub symbol: Option<String>,
    /// The value in force.
    pub from: String,
    /// The value that the configuration has.
    pub to: String,
}

/// What `now` changes, those of single symbols first: a symbol that nothing has listed is refused before anything is set. The
/// values that commands may set are afterwards those that `running` began with. `before` is what was read last: a limit that a
/// command has tightened since is loosened only by a configuration that changes it.
///
/// # Errors
/// What no command can set, by its key.
pub(super) fn changes(
    running: &Settings,
    before: &Settings,
    now: &mut Settings,
    answer: &Answer,
) -> Result<Vec<Change>, Vec<String>> {
    let (mut of_symbols, mut of_all, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for name in running.pipeline.get(keys::STAGES) {
        let of = (running.instances.entry(name), running.instances.owner(name));
        let same = now.instances.entry(name).map(|entry| entry.name()) == of.0.map(|entry| entry.name());
        let (Some(entry), Some(number), true) = (of.0, of.1, same) else { continue };
        let rows = answer.stages.params.iter().filter(|row| row.owner == number).copied().collect();
        let Some(section) = now.stages.get_mut(name) else { continue };
        let mut instance =
            Instance { name, params: entry.params(), was: &running.stages[name], now: section, rows, answer };
        of_symbols.extend(instance.of_symbols(&mut refused));
        of_all.extend(instance.of_all());
    }
    let mut limits: Vec<_> = CHECKS.iter().filter_map(|check| limit(check, (running, before), now, answer)).collect();
    let of_tables = table_limits(&running.limits);
    limits.extend(of_tables.iter().filter_map(|limit| limit_of_table(limit, before, now, answer)));
    for limit in limits {
        match limit {
            Ok(change) => of_all.push(change),
            Err(why) => refused.push(why),
        }
    }
    of_symbols.extend(of_all);
    if refused.is_empty() { Ok(of_symbols) } else { Err(refused) }
}

/// What becomes of the limit of a check.
fn limit(
    check: &CheckEntry,
    (running, before): (&Settings, &Settings),
    now: &mut Settings,
    answer: &Answer,
) -> Option<Result<Change, String>> {
    let (limit, in_force) = (check.limit?, answer.stages.limits.iter().find(|l| l.check == check.number)?);
    let section = now.stages.get_mut("risk")?;
    let is_new = section.get(limit) != before.stages["risk"].get(limit);
    let wanted = i64::try_from(section.get(limit)).unwrap_or(i64::MAX);
    section.set(&limit.param(), Value::Int(running.stages["risk"].get(limit)));
    wanted_limit(0, in_force, wanted, is_new)
}

/// What becomes of a limit of a table, which is the one of the same scope, wherever it stands now.
fn limit_of_table(
    running: &TableLimit,
    before: &Settings,
    now: &mut Settings,
    answer: &Answer,
) -> Option<Result<Change, String>> {
    let TableLimit { table, scope, check, .. } = running;
    let level = answer.stages.levels.iter().find(|level| level.table == *table && level.of.check == check.number)?;
    let same = |limit: &TableLimit| limit.scope == *scope && limit.check.number == check.number;
    let [read, is] = [before, now].map(|settings| table_limits(&settings.limits).into_iter().find(same));
    let is = is?;
    let section = &mut now.limits[usize::from(is.table) - 1];
    section.set(&check.limit?.param(), Value::Int(running.limit.unsigned_abs()));
    wanted_limit(*table, &level.of, is.limit, read.is_none_or(|read| read.limit != is.limit))
}

/// The change to a limit that a configuration wants; `is_new` if the one that was read last wanted another.
fn wanted_limit(table: u16, in_force: &LimitInForce, wanted: i64, is_new: bool) -> Option<Result<Change, String>> {
    let LimitInForce { check, limit, ceiling, .. } = *in_force;
    let key = LimitTarget { table, check }.key()?;
    if wanted > ceiling {
        return Some(Err(format!("{key}: {wanted} is above what commands may set ({ceiling})")));
    }
    let is_due = wanted < limit || wanted > limit && is_new;
    is_due.then_some(Ok(Change { key, symbol: None, from: limit.to_string(), to: wanted.to_string() }))
}

/// An instance of a strategy or a measure.
struct Instance<'a> {
    name: &'a str,
    params: &'static [Param],
    was: &'a Params,
    now: &'a mut Params,
    /// What is in force of it.
    rows: Vec<ParamInForce>,
    answer: &'a Answer,
}

impl Instance<'_> {
    fn live(&self) -> impl Iterator<Item = (u16, &'static Param)> + use<> {
        (0..).zip(self.params).filter(|(_, param)| param.is_live())
    }

    /// The last value of a parameter that was accepted, of all instruments.
    fn in_force(&self, at: u16) -> Option<Value> {
        let row = self.rows.iter().find(|row| row.param == at && row.instrument == 0)?;
        self.params[usize::from(at)].of_bits(row.waits.unwrap_or(row.value))
    }

    /// The same of a symbol that has its own.
    fn own_in_force(&self, at: u16, symbol: &str) -> Option<Value> {
        let has_it = |row: &&ParamInForce| {
            let quotes = &self.answer.tail.quotes;
            row.param == at && quotes.iter().any(|q| q.instrument == row.instrument && q.symbol == symbol)
        };
        let param = &self.params[usize::from(at)];
        let set = self.rows.iter().find(has_it).and_then(|row| param.of_bits(row.waits.unwrap_or(row.value)));
        set.or_else(|| self.was.own_value(symbol, param.name).cloned())
    }

    fn change(&self, param: &Param, symbol: Option<&str>, from: &Value, to: &Value) -> Change {
        let key = format!("{}.{}", self.name, param.name);
        Change { key, symbol: symbol.map(str::to_owned), from: from.to_string(), to: to.to_string() }
    }

    fn of_all(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (at, param) in self.live() {
            let (Some(in_force), Some(wanted)) = (self.in_force(at), self.now.value(param.name).cloned()) else {
                continue;
            };
            changes.extend((in_force != wanted).then(|| self.change(param, None, &in_force, &wanted)));
            let was = self.was.value(param.name).cloned();
            was.into_iter().for_each(|was| self.now.set(param, was));
        }
        changes
    }

    fn of_symbols(&mut self, refused: &mut Vec<String>) -> Vec<Change> {
        let mut changes = Vec::new();
        let symbols = self.was.symbols().chain(self.now.symbols()).map(|(symbol, _)| symbol.clone());
        for symbol in symbols.collect::<BTreeSet<_>>() {
            for (at, param) in self.live().filter(|(_, param)| param.per_symbol) {
                let (was, wanted) =
                    (self.was.own_value(&symbol, param.name).cloned(), self.now.own_value(&symbol, param.name));
                let own = self.own_in_force(at, &symbol);
                // A symbol that has none yet gets one, even if it is what all have.
                let in_force = own.clone().or_else(|| self.in_force(at));
                match (wanted, in_force) {
                    (Some(wanted), _) if own.as_ref() == Some(wanted) => {}
                    (Some(wanted), Some(in_force)) => {
                        changes.push(self.change(param, Some(&symbol), &in_force, wanted));
                    }
                    (None, _) if was.is_some() => {
                        let was = was.as_ref().map_or_else(String::new, Value::to_string);
                        refused.push(format!("{}.symbol.{symbol}.{}: was {was}, is absent", self.name, param.name));
                    }
                    _ => {}
                }
                match was {
                    Some(was) => self.now.set_for(&symbol, param, was),
                    None => self.now.forget_for(&symbol, param.name),
                }
            }
        }
        changes
    }
}
