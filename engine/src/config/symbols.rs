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

#[cfg(test)]
mod tests {
    use crate::config::{Draft, Settings};
    use std::path::Path;

    fn value(settings: &Settings, name: &str, symbol: &str, param: &str) -> String {
        settings.stages[name].of_symbol(symbol).value(param).expect("a parameter").to_string()
    }

    #[test]
    fn a_symbol_has_what_its_table_sets_and_else_what_all_have() {
        let text = "[[strategy]]\nuse = \"momentum\"\nname = \"fast\"\nqty = 3\n[strategy.symbol.AAPL]\nqty = 7\n\
                    [[strategy]]\nuse = \"momentum\"\nname = \"slow\"\n[strategy.fast.symbol.\"BRK.B\"]\nlookback = 9\n\
                    [momentum.symbol.AAPL]\nshort = false\n";
        let mut draft = Draft::parse(text, Path::new("a.toml"));
        draft.set("--set", "slow.symbol.BRK.B.qty=11");
        assert_eq!(draft.faults, []);
        let read = |settings: &Settings| {
            [
                ("fast", "AAPL", "qty"),
                ("fast", "BRK.B", "qty"),
                ("fast", "BRK.B", "lookback"),
                ("slow", "BRK.B", "qty"),
                ("slow", "AAPL", "qty"),
                ("momentum", "AAPL", "short"),
                ("momentum", "MSFT", "short"),
            ]
            .map(|(name, symbol, param)| value(settings, name, symbol, param))
        };
        let expected = ["7", "3", "9", "11", "100", "false", "true"];
        assert_eq!(read(&draft.settings), expected);
        let text = draft.settings.to_toml();
        let again = Draft::parse(&text, Path::new("journal.toml"));
        assert_eq!(
            (again.faults, read(&again.settings), again.settings.to_toml()),
            (vec![], expected.map(str::to_owned), text)
        );
    }

    #[test]
    fn what_no_symbol_can_have_is_a_fault_at_its_place() {
        let text = "[momentum.symbol.AAPL]\naccount = 2\nqyt = 3\nqty = 0\n[cvd.symbol.A]\nx = 1\n";
        let faults = Draft::parse(text, Path::new("a.toml")).faults;
        let found: Vec<_> = faults.iter().map(|f| format!("{} {}: {}", f.place, f.key, f.found)).collect();
        let wanted = [
            "a.toml:2:1 momentum.symbol.AAPL.account: the same for every symbol",
            "a.toml:3:1 momentum.symbol.AAPL.qyt: no such parameter",
            "a.toml:4:7 momentum.symbol.AAPL.qty: 0",
            "a.toml:5:6 cvd.symbol: no such parameter",
        ];
        assert_eq!(found, wanted);
    }
}
