//! Tables of limits and accounts: `[[limit]]` and `[account.2]`.
//!
//! A table of limits names the orders that it is for and sets limits of the section `risk` for them; `[account.2]` says what an
//! account is. The gate reads both beside its section, with strategies by their numbers. Bound: one look at each key.

use super::fault::Fault;
use super::nearest::one_of;
use super::read::{Found, Reading};
use super::settings::{Settings, table};
use crate::config::keys;
use flow::{IntParam, Params, StrategyId};
use stages::risk::{self, ACCOUNT, LIMIT};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::{DeArray, DeTable, DeValue};

impl<'i> Reading<'i> {
    /// The tables of limits.
    pub(super) fn limits(&mut self, entries: DeArray<'i>) {
        for (at, entry) in entries.into_iter().enumerate() {
            let (span, key) = (entry.span(), format!("{LIMIT}[{}]", at + 1));
            self.stands(&key, &span);
            let mut read = Params::default();
            match entry.into_inner() {
                DeValue::Table(table) => read = self.params(&key, table, risk::LIMIT_KEYS, read),
                _ => self.fault(&span, &key, "not a table", "write [[limit]] with a scope and limits"),
            }
            self.draft.settings.limits.push(read);
        }
    }

    /// The tables of accounts, by number.
    pub(super) fn accounts(&mut self, tables: DeTable<'i>) {
        for (number, value) in tables {
            let (span, number) = (number.span(), number.into_inner());
            let key = format!("{ACCOUNT}.{number}");
            self.stands(&key, &span);
            match (number.parse::<u8>().ok().filter(|number| *number > 0), value) {
                (Some(number), value) if value.get_ref().is_table() => self.account(number, &key, value),
                (Some(_), _) => self.fault(&span, &key, "not a table", "write [account.2] with mode"),
                (None, _) => self.fault(&span, &key, &number, "valid: the number of an account, from 1 to 255"),
            }
        }
    }

    fn account(&mut self, number: u8, key: &str, value: Found<'i>) {
        let DeValue::Table(table) = value.into_inner() else { return };
        let read = self.params(key, table, risk::ACCOUNT_KEYS, Params::default());
        self.draft.settings.accounts.insert(number, read);
    }

    /// What is wrong with the tables together, when all is read; gives each table of limits its name.
    pub(super) fn limits_read(&mut self) {
        let settings = &mut self.draft.settings;
        let mut faults = Vec::new();
        for (at, table) in settings.limits.iter().enumerate() {
            let (name, key) = (risk::strategy_of(table), format!("{LIMIT}[{}].strategy", at + 1));
            if table.value("strategy").is_some() && settings.instances.strategy_number(name).is_none() {
                let valid = one_of(name, settings.instances.strategy_names());
                faults.push(Fault::of_settings(&key, &format!("no strategy {name:?}"), &valid));
            }
        }
        let is_ours = |f: &Fault| f.key.starts_with(LIMIT) || f.key.starts_with(ACCOUNT);
        if faults.is_empty() && !self.draft.faults.iter().any(is_ours) {
            let params = settings.risk_tables();
            faults = risk::limit_faults(&params).into_iter().map(Fault::from).collect();
        }
        if !faults.is_empty() {
            // They have been told; the gate would tell some of them again.
            let placed = settings.placed(faults).0;
            (settings.limits, settings.accounts) = (Vec::new(), BTreeMap::new());
            return self.draft.faults.extend(placed);
        }
        let names = settings.limit_names();
        settings.instances.name_limits(names);
    }

    /// What stands under a name of these tables without being one.
    pub(super) fn no_limits(&mut self, span: &Range<usize>, name: &str) {
        let (found, valid) = match name {
            LIMIT => ("not an array of tables", "write [[limit]] with a scope and limits"),
            _ => ("not a table of accounts", "write [account.2] with mode"),
        };
        self.fault(span, name, found, valid);
    }
}

impl Settings {
    /// The parameters of the gate with its tables of limits, accounts and pairs, strategies by their numbers.
    pub(super) fn risk_tables(&self) -> Params {
        let mut params = self.stages["risk"].clone();
        for table in &self.limits {
            let number = self.instances.strategy_number(risk::strategy_of(table));
            params.add_table(LIMIT, with_number(table, risk::STRATEGY_NUMBER, number.map(|StrategyId(n)| n.into())));
        }
        for (number, table) in &self.accounts {
            params.add_table(ACCOUNT, with_number(table, risk::ACCOUNT_NUMBER, Some((*number).into())));
        }
        for (symbol, stated) in &self.instruments {
            if let Some((base, quote)) = stated.pair() {
                params.add_table(risk::PAIR, risk::pair(symbol, base, quote));
            }
        }
        params
    }

    /// What the tables of limits are for, in words.
    fn limit_names(&self) -> Vec<String> {
        let name = |table: &Params| {
            risk::scope_of(table).map_or_else(|_| String::new(), |scope| scope.name(risk::strategy_of(table)))
        };
        self.risk_tables().tables(LIMIT).iter().map(name).collect()
    }

    /// What is valid in these tables and yet will disappoint.
    pub fn limit_warnings(&self) -> Vec<String> {
        let params = self.risk_tables();
        let hidden = risk::hidden_limits(&params).into_iter();
        let hidden = hidden.map(|(number, limit, why)| format!("{LIMIT}[{number}].{limit} = {why}"));
        let running = self.pipeline.get(keys::STAGES);
        let strategies: Vec<&str> = running
            .iter()
            .map(String::as_str)
            .filter(|name| self.instances.strategy_names().any(|strategy| strategy == *name))
            .collect();
        let accounts: Vec<u8> = strategies.iter().filter_map(|name| account_of(&self.stages[*name])).collect();
        let unused = (1..).zip(&self.limits).filter_map(|(number, table)| {
            let strategy = risk::strategy_of(table);
            if !strategy.is_empty() && !strategies.contains(&strategy) {
                return Some(format!("{LIMIT}[{number}] never refuses: {strategy} is not among pipeline.stages"));
            }
            let account = account_of(table).filter(|account| !strategies.is_empty() && !accounts.contains(account))?;
            Some(format!(
                "{LIMIT}[{number}] never refuses: no strategy of this configuration trades in account {account}"
            ))
        });
        let paper = self.paper_warnings(&strategies);
        hidden.chain(unused).chain(paper).chain(self.venue_warnings()).collect()
    }

    /// Writes the tables as the configuration has them.
    pub(super) fn limits_into(&self, root: &mut toml::Table) {
        if !self.limits.is_empty() {
            let limits = self.limits.iter().map(|limit| table(limit).into()).collect::<Vec<toml::Value>>();
            root.insert(LIMIT.into(), limits.into());
        }
        if !self.accounts.is_empty() {
            let accounts = self.accounts.iter().map(|(number, account)| (number.to_string(), table(account).into()));
            root.insert(ACCOUNT.into(), accounts.collect::<toml::Table>().into());
        }
    }
}

fn with_number<T: Copy>(table: &Params, key: IntParam<T>, number: Option<u64>) -> Params {
    number.map_or_else(|| table.clone(), |number| risk::numbered(table.clone(), key, number))
}

/// The account that a strategy trades in, or that a table is for.
pub(super) fn account_of(params: &Params) -> Option<u8> {
    match params.value(ACCOUNT) {
        Some(flow::Value::Int(account)) => u8::try_from(*account).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Draft;
    use std::path::Path;

    const DESK: &str = "[pipeline]\nstages = [\"book\", \"mom-fast\", \"orders\", \"risk\", \"router\"]\n\
                        [[strategy]]\nuse = \"momentum\"\nname = \"mom-fast\"\naccount = 2\n\
                        [account.2]\nmode = \"paper\"\n";

    fn found(text: &str) -> Vec<String> {
        let faults = Draft::parse(text, Path::new("a.toml")).faults;
        faults.iter().map(|f| format!("{} {}: {}", f.place, f.key, f.found)).collect()
    }

    #[test]
    fn tables_are_read_and_a_journal_repeats_them() {
        let text = DESK.to_owned()
            + "[[limit]]\naccount = 2\nstrategy = \"mom-fast\"\nsymbol = \"AAPL@XNAS\"\nmax_position = 100\n\
               [[limit]]\ncurrency = \"GBX\"\nmax_notional = 50_000\nmax_open_orders = 5\n[[limit]]\nmax_messages = 9\n";
        let draft = Draft::parse(&text, Path::new("a.toml"));
        assert_eq!(draft.faults, []);
        let settings = draft.settings;
        let names: Vec<_> = (1..=4).map(|number| settings.instances.limit(number)).collect();
        assert_eq!(names, [Some("account 2, mom-fast, AAPL@XNAS"), Some("GBP"), Some("firm"), None]);
        assert_eq!(settings.limit_warnings(), [""; 0]);
        let recorded = settings.to_toml();
        let again = Draft::parse(&recorded, Path::new("journal.toml"));
        assert_eq!((again.faults, again.settings.to_toml()), (Vec::new(), recorded));
        assert_eq!(again.settings.risk_tables(), settings.risk_tables());
    }

    #[test]
    fn every_fault_of_a_table_has_its_place() {
        let text = DESK.to_owned()
            + "[account.0]\n[account.x]\n[account.3]\nmode = \"papr\"\nmood = 1\n\
               [[limit]]\nacount = 2\nmax_position = -1\naccount = 256\n";
        let wanted = [
            "a.toml:9:10 account.0: 0",
            "a.toml:10:10 account.x: x",
            "a.toml:12:8 account.3.mode: \"papr\"",
            "a.toml:13:1 account.3.mood: no such parameter",
            "a.toml:15:1 limit[1].acount: no such parameter",
            "a.toml:16:16 limit[1].max_position: -1",
            "a.toml:17:11 limit[1].account: 256",
        ];
        assert_eq!(found(&text), wanted);
        let strategy = DESK.to_owned() + "[[limit]]\nstrategy = \"mom-fats\"\nmax_position = 1\n";
        assert_eq!(found(&strategy), ["a.toml:10:12 limit[1].strategy: no strategy \"mom-fats\""]);
        let together = DESK.to_owned()
            + "[[limit]]\nsymbol = \"A@XY\"\n[[limit]]\ncurrency = \"usd\"\n[[limit]]\naccount = 2\n\
               [[limit]]\naccount = 2\nmax_position = 1\n";
        let wanted = [
            "a.toml:9:1 limit[1]: no limit",
            "a.toml:10:10 limit[1].symbol: \"A@XY\"",
            "a.toml:11:1 limit[2]: no limit",
            "a.toml:12:12 limit[2].currency: \"usd\"",
            "a.toml:13:1 limit[3]: no limit",
            "a.toml:15:1 limit[4]: the scope of limit[3]",
        ];
        assert_eq!(found(&together), wanted);
        let many: String = (0..257).map(|n| format!("[[limit]]\nsymbol = \"S{n}\"\nmax_quantity = 1\n")).collect();
        assert_eq!(found(&many), ["a.toml:769:1 limit[257]: one table too many"]);
        assert_eq!(found("limit = 1\naccount = 2\n").len(), 2);
    }

    #[test]
    fn currencies_and_pairs_are_read_and_a_journal_repeats_them() {
        let text = DESK.to_owned()
            + "currency = \"GBp\"\n[risk]\ncurrency = \"USD\"\n[instrument.\"EURUSD\"]\npair = [\"EUR\", \"USD\"]\n";
        let mut draft = Draft::parse(&text, Path::new("a.toml"));
        draft.set("--set", "instrument.GBPUSD.pair=GBP,USD");
        assert_eq!(draft.faults, []);
        let recorded = draft.settings.to_toml();
        let again = Draft::parse(&recorded, Path::new("journal.toml"));
        assert_eq!((again.faults, again.settings.to_toml()), (Vec::new(), recorded));
        assert_eq!(again.settings.risk_tables(), draft.settings.risk_tables());
        assert_eq!(draft.settings.risk_tables().tables("pair").len(), 2);
        let wrong = DESK.to_owned() + "currency = \"usd\"\n[instrument.\"EURUSD\"]\npair = [\"EUR\", \"EUR\"]\n";
        let wanted = ["a.toml:9:12 account.2.currency: \"usd\"", "a.toml:11:8 instrument.\"EURUSD\".pair: EUR,EUR"];
        assert_eq!(found(&wrong), wanted);
    }

    #[test]
    fn what_can_never_refuse_is_said() {
        let text = DESK.to_owned()
            + "[risk]\nmax_position = 100\nmax_quantity = 50\nceilings = { max-quantity = 80 }\n\
               [[limit]]\nstrategy = \"mom-fast\"\nmax_position = 100\nmax_quantity = 80\n\
               [[limit]]\naccount = 2\nmax_position = 100\nmax_quantity = 79\nmax_open_orders = 4\n\
               [[limit]]\naccount = 2\nsymbol = \"A\"\nmax_open_orders = 4\nmax_position = 99\n\
               [[limit]]\naccount = 3\nmax_quantity = 1\n\
               [[limit]]\nstrategy = \"momentum\"\nmax_quantity = 1\n";
        let draft = Draft::parse(&text, Path::new("a.toml"));
        assert_eq!(draft.faults, []);
        let wanted = [
            "limit[1].max_quantity = 80 never refuses, since [risk] allows 80",
            "limit[2].max_position = 100 never refuses, since [risk] allows 100",
            "limit[3].max_open_orders = 4 never refuses, since limit[2] allows 4",
            "limit[4] never refuses: no strategy of this configuration trades in account 3",
            "limit[5] never refuses: momentum is not among pipeline.stages",
        ];
        assert_eq!(draft.settings.limit_warnings(), wanted);
    }
}
