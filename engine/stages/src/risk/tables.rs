//! The tables of the configuration that the gate reads beside its section: `[[limit]]` and `[account.2]`.
//!
//! A table sets some of its keys; what it leaves out is not in its parameters. The configuration adds to a table what it
//! alone knows: the number of a strategy, and that of an account.

use super::breach::CheckEntry;
use super::checks::{CEILINGS, CHECKS, CURRENCY, limited};
use super::levels::{Level, LimitScope, MAX_LEVELS, Mode};
use super::limits;
use super::rates::Stated;
use super::target::LIMIT;
use flow::{
    Account, ChoiceParam, Currency, IntParam, Param, ParamError, Params, StrategyId, TextParam, Value, choices,
};

const VALID_CURRENCY: &str = "valid: a currency code of ISO 4217, as USD";

/// The name of the tables of pairs of currencies.
pub const PAIR: &str = "pair";
/// The name of the tables of accounts.
pub const ACCOUNT: &str = "account";

const OF_ACCOUNT: IntParam<u8> = IntParam::new("account", (1, 255), "1", "limits of this account");
const OF_STRATEGY: TextParam = TextParam::new("strategy", "", "limits of this strategy, by its name");
const OF_SYMBOL: TextParam =
    TextParam::new("symbol", "", "limits in this symbol: SYMBOL at all venues, or SYMBOL@MIC at one");
const OF_CURRENCY: TextParam = TextParam::new("currency", "", "limits in what trades in this currency");

/// The keys of a table's scope.
pub const SCOPE: [&str; 4] = [OF_ACCOUNT.name(), OF_STRATEGY.name(), OF_SYMBOL.name(), OF_CURRENCY.name()];

/// The number of a table's strategy, which the configuration adds.
pub const STRATEGY_NUMBER: IntParam<u16> =
    IntParam::new("strategy_number", (1, 65_535), "1", "number of the strategy of a table of limits");
/// The number of an account, which the configuration adds to its table.
pub const ACCOUNT_NUMBER: IntParam<u8> = IntParam::new("number", (1, 255), "1", "number of the account");

const MODE: ChoiceParam<Mode> = ChoiceParam::new(
    "mode",
    choices! { Mode::Live.name() => Mode::Live, Mode::Paper.name() => Mode::Paper },
    Mode::Live.name(),
    "live or paper: limits over several accounts add up the accounts of each for themselves",
);

const ACCOUNT_CURRENCY: TextParam = TextParam::new(
    "currency",
    "",
    "currency of its profit and of the limits in money of its tables; without it that of the section risk",
);

const PAIR_SYMBOL: TextParam = TextParam::new("symbol", "", "symbol of the pair");
const PAIR_BASE: TextParam = TextParam::new("base", "", "currency that is priced");
const PAIR_QUOTE: TextParam = TextParam::new("quote", "", "currency of the price");

/// The keys of a table of limits: its scope, then every limit, then how far commands may raise them.
pub const LIMIT_KEYS: &[Param] = &limit_keys();
/// The keys of a table of an account.
pub const ACCOUNT_KEYS: &[Param] = &[MODE.param(), ACCOUNT_CURRENCY.param()];

const fn limit_keys() -> [Param; 5 + limited()] {
    let mut keys = [OF_ACCOUNT.param(); 5 + limited()];
    (keys[1], keys[2], keys[3]) = (OF_STRATEGY.param(), OF_SYMBOL.param(), OF_CURRENCY.param());
    let (mut len, mut at) = (4, 0);
    while at < CHECKS.len() {
        if let Some(limit) = CHECKS[at].limit {
            keys[len] = limit.param();
            len += 1;
        }
        at += 1;
    }
    keys[len] = CEILINGS.param();
    keys
}

/// The name of the strategy of a table of limits; empty without one.
pub fn strategy_of(table: &Params) -> &str {
    table.find(OF_STRATEGY).unwrap_or_default()
}

/// The scope of a table of limits whose strategy has its number.
///
/// # Errors
/// When a key has a text that says nothing.
pub fn scope_of(table: &Params) -> Result<LimitScope, ParamError> {
    let wrong = |key: &str, found: &str, valid: &str| ParamError {
        key: key.to_owned(),
        found: format!("{found:?}"),
        valid: valid.to_owned(),
    };
    let mut scope = LimitScope { account: table.find(OF_ACCOUNT).map(Account), ..LimitScope::default() };
    scope.strategy = table.find(STRATEGY_NUMBER).map(StrategyId);
    if let Some(text) = table.find(OF_SYMBOL) {
        let valid = "valid: a symbol, as AAPL, or one at a venue, as AAPL@XNAS";
        scope.set_symbol(text).ok_or_else(|| wrong(OF_SYMBOL.name(), text, valid))?;
    }
    if let Some(text) = table.find(OF_CURRENCY) {
        let code = Currency::parse(text).map(|currency| currency.whole().0);
        scope.currency = Some(code.ok_or_else(|| wrong(OF_CURRENCY.name(), text, VALID_CURRENCY))?);
    }
    Ok(scope)
}

/// The limits that a table sets, in the order of [`CHECKS`].
fn limits_of(table: &Params) -> Box<[Option<i64>]> {
    let limit = |entry: &CheckEntry| entry.limit.and_then(|limit| table.find(limit));
    CHECKS.iter().map(|entry| limit(entry).map(limits::number)).collect()
}

/// The most that commands may set these limits of a table to.
fn ceilings_of(table: &Params, limits: &[Option<i64>]) -> Box<[Option<i64>]> {
    let ceiling = |name: &str| table.find(CEILINGS)?.get(name).map(|ceiling| limits::number(*ceiling));
    CHECKS.iter().zip(limits).map(|(entry, limit)| limit.map(|limit| ceiling(entry.name).unwrap_or(limit))).collect()
}

/// The first ceiling of a table that is below its limit, or of a limit that it does not set: key, what is found, what is valid.
fn wrong_ceiling(table: &Params, limits: &[Option<i64>]) -> Option<(String, String, String)> {
    let ceilings = table.find(CEILINGS)?;
    CHECKS.iter().zip(limits).find_map(|(entry, limit)| {
        let (ceiling, name) = (limits::number(*ceilings.get(entry.name)?), entry.limit?.name());
        let key = format!(".{}.{}", CEILINGS.name(), entry.name);
        match limit {
            None => Some((key, format!("the table sets no {name}"), format!("set {name}, or take the ceiling out"))),
            Some(limit) if ceiling < *limit => {
                let found = format!("{ceiling} is below the configured limit {limit}");
                Some((key, found, format!("valid: {limit} or more, or a lower limit")))
            }
            Some(_) => None,
        }
    })
}

/// What a table of limits is for, as it is written: the keys of its scope with their values. It is the same table wherever
/// it stands in another configuration.
pub type WrittenScope = Vec<(&'static str, String)>;

/// A limit of a table, as configured.
#[derive(Clone, Debug)]
pub struct TableLimit {
    /// Number of the table, from 1, in the order of the configuration.
    pub table: u16,
    /// What it is for.
    pub scope: WrittenScope,
    /// The check.
    pub check: &'static CheckEntry,
    /// The limit.
    pub limit: i64,
    /// The most that a command may set.
    pub ceiling: i64,
}

/// The limits of these tables, table by table.
pub fn table_limits(tables: &[Params]) -> Vec<TableLimit> {
    let mut all = Vec::new();
    for (table, of) in (1..).zip(tables) {
        let limits = limits_of(of);
        let scope: WrittenScope = SCOPE.iter().filter_map(|key| Some((*key, of.value(key)?.to_string()))).collect();
        for ((check, limit), ceiling) in CHECKS.iter().zip(&limits).zip(ceilings_of(of, &limits)) {
            if let (Some(limit), Some(ceiling)) = (*limit, ceiling) {
                all.push(TableLimit { table, scope: scope.clone(), check, limit, ceiling });
            }
        }
    }
    all
}

/// The table of a pair: what one unit of `base` costs in `quote` is the price of this symbol.
pub fn pair(symbol: &str, base: Currency, quote: Currency) -> Params {
    let mut table = Params::default();
    let texts = [(PAIR_SYMBOL, symbol.to_owned()), (PAIR_BASE, base.to_string()), (PAIR_QUOTE, quote.to_string())];
    texts.into_iter().for_each(|(key, text)| table.set(&key.param(), Value::Text(text)));
    table
}

/// The pairs that the configuration states.
pub(super) fn pairs(params: &Params) -> Vec<Stated> {
    let stated = |table: &Params| {
        let code = |key| Currency::parse(table.find(key)?);
        let symbol = table.find(PAIR_SYMBOL)?.to_owned();
        Some(Stated { symbol, base: code(PAIR_BASE)?, quote: code(PAIR_QUOTE)? })
    };
    params.tables(PAIR).iter().filter_map(stated).collect()
}

/// The currency of the limits of the section, and of each account's: its own, or that of the section. Unknown = of the
/// listing.
///
/// # Errors
/// When a text is no code.
pub(super) fn currencies(params: &Params) -> Result<(Currency, [Currency; 256]), ParamError> {
    let code = |key: String, text: &str| match Currency::parse(text) {
        Some(code) => Ok(code.whole().0),
        None if text.is_empty() => Ok(Currency::UNKNOWN),
        None => Err(ParamError { key, found: format!("{text:?}"), valid: VALID_CURRENCY.to_owned() }),
    };
    let firm = code("risk.currency".to_owned(), params.get(CURRENCY))?;
    let mut by_account = [firm; 256];
    for table in params.tables(ACCOUNT) {
        let (number, text) = (table.find(ACCOUNT_NUMBER).unwrap_or(0), table.find(ACCOUNT_CURRENCY));
        if let Some(text) = text {
            by_account[usize::from(number)] = code(format!("{ACCOUNT}.{number}.currency"), text)?;
        }
    }
    Ok((firm, by_account))
}

/// What is wrong with the tables of limits and accounts: too many, two of one scope, one without a limit, or with a key that
/// says nothing.
pub fn limit_faults(params: &Params) -> Vec<ParamError> {
    let mut faults = levels(params).1;
    faults.extend(currencies(params).err());
    faults
}

/// The tables of limits, the most specific first, and what is wrong with those that are left out.
pub(super) fn levels(params: &Params) -> (Vec<Level>, Vec<ParamError>) {
    let (mut levels, mut faults) = (Vec::<Level>::new(), Vec::new());
    let mut fault = |at: usize, key: &str, found: String, valid: &str| {
        faults.push(ParamError { key: format!("{LIMIT}[{}]{key}", at + 1), found, valid: valid.to_owned() });
    };
    for (at, table) in params.tables(LIMIT).iter().enumerate() {
        if at == MAX_LEVELS {
            fault(at, "", "one table too many".to_owned(), &format!("valid: at most {MAX_LEVELS} tables"));
            break;
        }
        let limits = limits_of(table);
        if limits.iter().all(Option::is_none) {
            let names = CHECKS.iter().filter_map(|entry| Some(entry.limit?.name())).collect::<Vec<_>>().join(", ");
            fault(at, "", "no limit".to_owned(), &format!("set one at least: {names}"));
        }
        if let Some((key, found, valid)) = wrong_ceiling(table, &limits) {
            fault(at, &key, found, &valid);
        }
        let ceilings = ceilings_of(table, &limits);
        match scope_of(table) {
            Err(e) => fault(at, &format!(".{}", e.key), e.found, &e.valid),
            Ok(scope) => match levels.iter().find(|level| level.scope == scope) {
                Some(other) => {
                    fault(at, "", format!("the scope of {LIMIT}[{}]", other.number), "write one table for a scope");
                }
                None => {
                    let (number, configured) = (at as u16 + 1, limits.clone());
                    levels.push(Level { number, scope, limits, configured, ceilings });
                }
            },
        }
    }
    levels.sort_by_key(|level| level.scope.rank());
    (levels, faults)
}

/// The number of an account, if its table says that it is paper.
pub fn paper(table: &Params) -> Option<u8> {
    table.find(ACCOUNT_NUMBER).filter(|_| table.find(MODE) == Some(Mode::Paper))
}

/// The mode of every account, by its number.
pub(super) fn modes(params: &Params) -> [Mode; 256] {
    let mut modes = [Mode::Live; 256];
    for table in params.tables(ACCOUNT) {
        let number = table.find(ACCOUNT_NUMBER).unwrap_or(0);
        modes[usize::from(number)] = table.find(MODE).unwrap_or(Mode::Live);
    }
    modes
}

/// Adds the number that the configuration gives to a table.
pub fn numbered<T: Copy>(mut table: Params, key: IntParam<T>, number: u64) -> Params {
    table.set(&key.param(), Value::Int(number));
    table
}

/// What a run with these limits will never do, though a table says so: a limit that a lower one of a wider scope hides.
///
/// A limit that commands may raise hides as much as its ceiling. Positions net within a scope, so of two scopes one hides
/// the other there only if they hold the same positions of an instrument. Money in two currencies cannot be compared.
///
/// Each is the number of a table, the limit's parameter, and what hides it.
pub fn hidden_limits(params: &Params) -> Vec<(u16, &'static str, String)> {
    let (levels, ceilings) = (levels(params).0, limits::ceilings(params));
    let (firm, by_account) = currencies(params).unwrap_or((Currency::UNKNOWN, [Currency::UNKNOWN; 256]));
    let currency = |scope: &LimitScope| scope.account.map_or(firm, |account| by_account[usize::from(account.0)]);
    let by_account_scope = LimitScope::default();
    let mut hidden = Vec::new();
    for level in &levels {
        for (place, entry) in CHECKS.iter().enumerate() {
            let (Some(limit), Some(param)) = (level.limits[place], entry.limit) else { continue };
            let holds_the_same = |wide: &LimitScope| {
                entry.name != "position" || (wide.account, wide.strategy) == (level.scope.account, level.scope.strategy)
            };
            let in_firm = level.scope.account.is_some() && level.scope.strategy.is_none() || entry.name != "position";
            let is_comparable =
                |wide: &LimitScope| entry.name != "max-notional" || currency(wide) == currency(&level.scope);
            let firm =
                Some((0, &by_account_scope, ceilings[place])).filter(|_| in_firm && is_comparable(&by_account_scope));
            let wider = levels.iter().filter(|wide| wide.number != level.number && wide.scope.contains(&level.scope));
            let wider = wider.filter(|wide| holds_the_same(&wide.scope) && is_comparable(&wide.scope));
            let wider = wider.filter_map(|wide| Some((wide.number, &wide.scope, wide.ceilings[place]?)));
            if let Some((by, _, lower)) = firm.into_iter().chain(wider).find(|(_, _, lower)| *lower <= limit) {
                let of = if by == 0 { "[risk]".to_owned() } else { format!("{LIMIT}[{by}]") };
                hidden.push((level.number, param.name(), format!("{limit} never refuses, since {of} allows {lower}")));
            }
        }
    }
    hidden.sort_unstable();
    hidden
}
