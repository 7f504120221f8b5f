//! Values of single symbols: `[momentum.symbol.AAPL]`.
//!
//! Below a section stands a table for each symbol, with those of the section's parameters that may differ from symbol to
//! symbol. Bound: one look at each key.

use super::data_file::content;
use super::fault::{Fault, Place};
use super::keys::SYMBOL;
use super::nearest::one_of;
use super::read::Reading;
use super::settings::{Settings, entry_advice, key_advice};
use flow::{Param, Params};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// What is said of a parameter that no symbol can have.
const OF_ALL: &str = "the same for every symbol";

impl<'i> Reading<'i> {
    /// The tables of a section.
    pub(super) fn symbols(&mut self, section: &str, tables: DeTable<'i>, params: &'static [Param], to: &mut Params) {
        for (symbol, values) in tables {
            let (span, symbol) = (symbol.span(), symbol.into_inner());
            let key = format!("{section}.{SYMBOL}.{symbol}");
            self.stands(&key, &span);
            match values.into_inner() {
                DeValue::Table(table) => self.of_symbol(&key, &symbol, table, params, to),
                _ => self.fault(&span, &key, "not a table", "write a table of parameters for each symbol"),
            }
        }
    }

    fn of_symbol(&mut self, key: &str, symbol: &str, table: DeTable<'i>, params: &'static [Param], to: &mut Params) {
        let named: Vec<_> = table.iter().map(|(name, _)| (name.get_ref().to_string(), name.span())).collect();
        let read = self.params(key, table, params, Params::defaults(params));
        for (name, span) in named {
            let Some(param) = params.iter().find(|p| p.name == name) else { continue };
            match read.value(param.name) {
                Some(value) if param.per_symbol => to.set_for(symbol, param, value.clone()),
                _ => self.fault(&span, &format!("{key}.{name}"), OF_ALL, &names(params, &name)),
            }
        }
    }
}

/// The parameters that a symbol may have.
fn names(params: &'static [Param], name: &str) -> String {
    one_of(name, params.iter().filter(|p| p.per_symbol).map(|p| p.name))
}

impl Settings {
    /// Sets `SYMBOL.param` of a section; a symbol may have points.
    pub(super) fn set_symbol(
        &mut self,
        here: Place,
        key: &str,
        section: &str,
        name: &str,
        text: &str,
    ) -> Result<(), Fault> {
        let Some((symbol, name)) = name.rsplit_once('.') else {
            return Err(Fault::new(here, key, "no parameter", "write section.symbol.SYMBOL.parameter=value"));
        };
        let symbol = symbol.strip_prefix('"').and_then(|s| s.strip_suffix('"')).unwrap_or(symbol).to_owned();
        let advice = self.section_advice(section);
        let Some((params, values)) = self.section(section) else {
            return Err(Fault::new(here, key, &format!("no section {section:?}"), &advice));
        };
        let Some(param) = params.iter().find(|p| p.name == name) else {
            return Err(Fault::new(here, key, "no such parameter", &key_advice(name, params)));
        };
        if !param.per_symbol {
            return Err(Fault::new(here, key, OF_ALL, &names(params, name)));
        }
        match content(param, key, text, Path::new("")).and_then(|text| param.parse(key, &text)) {
            Ok(value) => values.set_for(&symbol, param, value),
            Err(e) => return Err(Fault::new(here, &e.key, &e.found, &entry_advice(param, key, &e))),
        }
        self.places.insert(format!("{section}.{SYMBOL}.{symbol}.{name}"), here);
        Ok(())
    }
}
