//! `tidegate ctl JOURNAL get`: the values that commands may set, as they are in force.
//!
//! The engine says them; what only a restart changes stands in the configuration that its journal records. One value is printed
//! bare, for scripts; several as a table. Bound: one answer of the engine.

use super::exit::{Exit, Failure, output};
use super::table::{Align, Cell, Tone, column, table};
use crate::config::{Draft, Settings, one_of};
use crate::control::{self, InForce, ValueInForce};
use crate::registries::Registries;
use clap::Args;
use flow::{Param, Value};
use sinks::journal::Home;
use stages::risk::LIMIT;
use std::io::Write as _;
use std::path::Path;

/// Options of `ctl get`.
#[derive(Args)]
pub(crate) struct GetArgs {
    /// A parameter, as mom-fast.qty, risk.max_notional or limit[2].max_position; or an instance, as mom-fast, or a table, as
    /// limit[2]. Without it: all.
    key: Option<String>,
    /// The value of this instrument: its symbol, or SYMBOL@MIC where several venues have it.
    #[arg(long, requires = "key")]
    symbol: Option<String>,
    /// Prints JSON to standard output: an object for one parameter, a list for several.
    #[arg(long)]
    json: bool,
}

/// Shows what the run that writes the journal in this folder has in force.
pub(crate) fn run(journal: &Path, args: &GetArgs) -> Result<Exit, Failure> {
    let home = Home::open(journal).map_err(Failure::failed)?;
    let text = &home.current().info.config_text;
    let settings = Draft::recorded(text, Path::new("journal.toml"), &Registries::default()).settings;
    let in_force = |of: &str| asked(journal).map(|all| of_instance(all, of));
    let text = match args.key.as_deref().map(|key| (key, key.rsplit_once('.'))) {
        None => shown(&asked(journal)?.values, args.json),
        Some((key, None)) if settings.stages.contains_key(key) || is_table(&settings, key) => {
            shown(&in_force(key)?, args.json)
        }
        Some((key, Some((name, _)))) if is_table(&settings, name) => one(&limit(journal, key, name)?, args.json),
        Some((key, None)) => return Err(no_such(key, settings.stages.keys().map(String::as_str))),
        Some((key, Some((name, param)))) => {
            let params = settings.stages.get(name).map(|_| params(&settings, name));
            let Some(params) = params else { return Err(no_such(key, settings.stages.keys().map(String::as_str))) };
            let found = params.iter().find(|p| p.name == param);
            let Some(param) = found else { return Err(no_such(key, params.iter().map(|p| p.name))) };
            if args.symbol.is_some() && !param.per_symbol {
                return Err(Failure::usage(format!("{key} is the same for every symbol")));
            }
            one(&value(journal, &settings, (name, param), args.symbol.as_deref())?, args.json)
        }
    };
    output(write!(std::io::stdout(), "{text}"), Exit::Done)
}

fn asked(journal: &Path) -> Result<InForce, Failure> {
    control::in_force(journal).map_err(Failure::failed)
}

fn of_instance(all: InForce, name: &str) -> Vec<ValueInForce> {
    let is_of = |value: &ValueInForce| value.key.rsplit_once('.').is_some_and(|(of, _)| of == name);
    all.values.into_iter().filter(is_of).collect()
}

/// Whether it names a table of limits.
fn is_table(settings: &Settings, name: &str) -> bool {
    (1..=settings.limits.len()).any(|number| name == format!("{LIMIT}[{number}]"))
}

/// A limit of a table.
fn limit(journal: &Path, key: &str, table: &str) -> Result<ValueInForce, Failure> {
    let of_table = of_instance(asked(journal)?, table);
    let found = of_table.iter().find(|value| value.key == key).cloned();
    found.ok_or_else(|| no_such(key, of_table.iter().filter_map(|value| Some(value.key.rsplit_once('.')?.1))))
}

fn no_such<'a>(key: &str, names: impl Iterator<Item = &'a str>) -> Failure {
    let word = key.rsplit_once('.').map_or(key, |(_, name)| name);
    Failure::usage(format!("{key:?} is not in the configuration; {}", one_of(word, names)))
}

fn params(settings: &Settings, name: &str) -> &'static [Param] {
    let uses = settings.instances.find(name).map_or(name, |(_, instance)| instance.uses);
    stages::entries().find(|entry| entry.name() == uses).map_or(&[], |entry| entry.params())
}

/// One value, of a symbol or of all.
fn value(
    journal: &Path,
    settings: &Settings,
    (name, param): (&str, &Param),
    symbol: Option<&str>,
) -> Result<ValueInForce, Failure> {
    let (key, section) = (format!("{name}.{}", param.name), &settings.stages[name]);
    let own = symbol.map(|symbol| symbol.split_once('@').map_or(symbol, |(symbol, _)| symbol));
    let own = own.and_then(|symbol| section.own_value(symbol, param.name));
    let configured = || own.or_else(|| section.value(param.name)).map_or_else(String::new, Value::to_string);
    let effective = param.effective.name().to_owned();
    let as_configured = |key: String| {
        let instrument = symbol.map(str::to_owned);
        ValueInForce {
            key,
            instrument,
            scope: None,
            value: configured(),
            configured: configured(),
            waits: None,
            effective: effective.clone(),
        }
    };
    if !param.is_live() || !settings.pipeline.get(crate::config::keys::STAGES).iter().any(|running| running == name) {
        return Ok(as_configured(key));
    }
    let all = asked(journal)?;
    let of = |key: &str| all.values.iter().filter(|value| value.key == key).cloned().collect::<Vec<_>>();
    let (of_all, single): (Vec<_>, Vec<_>) = of(&key).into_iter().partition(|value| value.instrument.is_none());
    let is_named = |value: &&ValueInForce| {
        let (instrument, symbol) = (value.instrument.as_deref().unwrap_or_default(), symbol.unwrap_or_default());
        instrument == symbol || instrument.split_once('@').is_some_and(|(own, _)| own == symbol)
    };
    let named: Vec<_> = single.iter().filter(is_named).collect();
    match (symbol, named.as_slice()) {
        (Some(_), [one]) => Ok((*one).clone()),
        (Some(symbol), [_, _, ..]) => Err(Failure::failed(format!(
            "several instruments have the symbol {symbol}: write SYMBOL@MIC, such as AAPL@XNAS"
        ))),
        (Some(symbol), []) if all.left_out > 0 => Err(Failure::failed(format!(
            "{} values of single instruments found no room in the answer; that of {symbol} is not known",
            all.left_out
        ))),
        (Some(_), []) if own.is_some() => Ok(as_configured(key)),
        _ => {
            let missing = || Failure::failed(format!("{key}: the engine does not say it"));
            let found = of_all.into_iter().next().ok_or_else(missing)?;
            Ok(ValueInForce { instrument: symbol.map(str::to_owned), ..found })
        }
    }
}

fn one(value: &ValueInForce, json: bool) -> String {
    match json {
        true => serde_json::to_string(value).expect("a value is plain text") + "\n",
        false => format!("{}\n", value.value),
    }
}

fn shown(values: &[ValueInForce], json: bool) -> String {
    if json {
        return serde_json::to_string(values).expect("values are plain text") + "\n";
    }
    let columns = [
        column("parameter", Align::Left),
        column("of", Align::Left),
        column("in force", Align::Right),
        column("configured", Align::Right),
        column("waits", Align::Right),
        column("takes effect", Align::Left).spare(),
    ];
    let row = |value: &ValueInForce| {
        let differs = value.configured != value.value;
        let tone = if differs { Tone::Notice } else { Tone::Plain };
        let configured = if differs { value.configured.clone() } else { String::new() };
        let of = value.instrument.clone().or_else(|| value.scope.clone()).unwrap_or_default();
        let waits = value.waits.clone().unwrap_or_default();
        let cells = [value.key.clone(), of, value.value.clone(), configured, waits, value.effective.clone()];
        cells.into_iter().map(|text| Cell::new(text, tone)).collect()
    };
    table(&columns, &values.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_the_screen_and_shows_the_configuration_where_it_differs() {
        let value = |key: &str, instrument: Option<&str>, [value, configured]: [&str; 2]| ValueInForce {
            key: key.to_owned(),
            instrument: instrument.map(str::to_owned),
            scope: None,
            value: value.to_owned(),
            configured: configured.to_owned(),
            waits: instrument.map(|_| "7".to_owned()),
            effective: "next bar".to_owned(),
        };
        let text = shown(
            &[
                value("risk.max_notional", None, ["1000000000000000000", "2000000000000000000"]),
                value("momentum-of-the-long-name.min_imbalance", Some("BRK.B@XNYS"), ["5", "5"]),
            ],
            false,
        );
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert_eq!(text.lines().count(), 3);
        assert!(text.contains("2000000000000000000") && text.matches('5').count() == 1, "{text}");
    }
}
