//! The settings of a synthetic day and their limits.

use chrono::NaiveDate;
use std::fmt;

/// System events after the start of the day: open, close, end of hours, end of messages.
pub(super) const CLOSING_MESSAGES: u64 = 4;

/// Messages of the start of the day: three per symbol, a market maker's position for one symbol in four, the start of
/// messages, the start of hours and the circuit-breaker levels.
pub(super) const fn opening_messages(symbols: u32) -> u64 {
    3 * symbols as u64 + (symbols as u64).div_ceil(4) + 3
}

/// A synthetic day. The same configuration produces the same bytes on every machine and in every build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticConfig {
    /// Seed of the random generator.
    pub seed: u64,
    /// Exact number of messages in the file.
    pub messages: u64,
    /// Symbols, numbered from locate 1.
    pub symbols: u32,
    /// Approximate number of resting orders after the ramp-up.
    pub live_orders: u32,
    /// What every symbol begins with: up to [`SyntheticConfig::MAX_PREFIX`] capital letters and digits. Days that run together
    /// need different ones, or their symbols are the same instruments.
    pub prefix: String,
    /// The trading date. It is not part of the bytes, whose times count from midnight.
    pub date: NaiveDate,
}

impl Default for SyntheticConfig {
    fn default() -> SyntheticConfig {
        let date = NaiveDate::from_ymd_opt(2026, 1, 5).expect("a date");
        SyntheticConfig { seed: 1, messages: 1_000_000, symbols: 500, live_orders: 20_000, prefix: String::new(), date }
    }
}

/// Why a configuration is impossible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {found}: {why}; valid: {valid}")]
pub struct ConfigError {
    /// Name of the setting.
    pub key: &'static str,
    /// Its value.
    pub found: String,
    /// What is wrong with the value.
    pub why: String,
    /// What would be valid, given the other settings.
    pub valid: String,
}

impl SyntheticConfig {
    /// The most symbols.
    pub const MAX_SYMBOLS: u32 = 8_000;
    /// The highest target for resting orders.
    pub const MAX_LIVE_ORDERS: u32 = 2_000_000;
    /// The most letters of a prefix: a symbol has eight at most, and four of its own.
    pub const MAX_PREFIX: usize = 4;
    /// The most messages in a file.
    pub const MAX_MESSAGES: u64 = 10_000_000_000;
    /// The fewest resting orders per symbol.
    pub const MIN_ORDERS_PER_SYMBOL: u32 = 2;

    /// The fewest messages of a day with this many symbols: all of its administrative messages and a handful more.
    pub const fn min_messages(symbols: u32) -> u64 {
        opening_messages(symbols) + CLOSING_MESSAGES + 16
    }

    /// About how many bytes of memory its exchange takes: its resting orders, and the price windows of its symbols.
    pub fn memory(&self) -> u64 {
        40 * self.messages.min(self.live_orders.into()) + (8 << 10) * u64::from(self.symbols) + (1 << 20)
    }

    /// Checks the settings against their ranges and against each other, and reports every fault.
    ///
    /// # Errors
    /// One for each impossible setting.
    pub fn validate(&self) -> Result<(), ConfigErrors> {
        let mut errors = Vec::new();
        let mut check = |key, found: u64, low: u64, high: u64, unit: &str| {
            let why = match found {
                f if f < low => format!("too few, {unit}"),
                f if f > high => format!("too many, {unit}"),
                _ => return,
            };
            errors.push(ConfigError { key, found: found.to_string(), why, valid: format!("{low} to {high}") });
        };
        check("symbols", self.symbols.into(), 1, Self::MAX_SYMBOLS.into(), "a day has at least one and at most 8,000");
        let symbols = self.symbols.clamp(1, Self::MAX_SYMBOLS);
        let least = Self::MIN_ORDERS_PER_SYMBOL * symbols;
        let unit = format!("each of {symbols} symbols needs {}", Self::MIN_ORDERS_PER_SYMBOL);
        check("live_orders", self.live_orders.into(), least.into(), Self::MAX_LIVE_ORDERS.into(), &unit);
        let unit = format!("a day of {symbols} symbols begins and ends with administrative messages");
        check("messages", self.messages, Self::min_messages(symbols), Self::MAX_MESSAGES, &unit);
        let fits = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit();
        if self.prefix.len() > Self::MAX_PREFIX || !self.prefix.bytes().all(fits) {
            let (why, valid) = ("every symbol begins with it", "up to 4 capital letters and digits");
            let found = format!("{:?}", self.prefix);
            errors.push(ConfigError { key: "prefix", found, why: why.to_owned(), valid: valid.to_owned() });
        }
        if errors.is_empty() { Ok(()) } else { Err(ConfigErrors(errors)) }
    }
}

/// All faults of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ConfigError::to_string).collect();
        f.write_str(&all.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}
