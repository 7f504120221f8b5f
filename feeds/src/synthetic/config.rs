//! What a synthetic day is made of, and what it cannot be.

use chrono::NaiveDate;
use std::fmt;

/// The bells after the start of the day: open, close, end of hours, end of messages.
pub(super) const CLOSING_MESSAGES: u64 = 4;

/// Messages of the start of the day: three for each symbol, a market maker's position for one symbol in four, the start of
/// messages, the start of hours and the circuit-breaker levels.
pub(super) const fn opening_messages(symbols: u32) -> u64 {
    3 * symbols as u64 + (symbols as u64).div_ceil(4) + 3
}

/// A synthetic day. The same configuration gives the same bytes on every machine and in every build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntheticConfig {
    /// Seed of everything that is left to chance.
    pub seed: u64,
    /// Messages of the whole file, exactly.
    pub messages: u64,
    /// Symbols, numbered from locate 1.
    pub symbols: u32,
    /// Orders that rest at once, about, once the ramp-up is over.
    pub live_orders: u32,
    /// The trading date. It is not in the bytes, which count from midnight.
    pub date: NaiveDate,
}

impl Default for SyntheticConfig {
    fn default() -> SyntheticConfig {
        let date = NaiveDate::from_ymd_opt(2026, 1, 5).expect("a date");
        SyntheticConfig { seed: 1, messages: 1_000_000, symbols: 500, live_orders: 20_000, date }
    }
}

/// Why a configuration cannot be met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} = {found}: {why}; valid: {valid}")]
pub struct ConfigError {
    /// Name of the setting.
    pub key: &'static str,
    /// What it was.
    pub found: u64,
    /// What is wrong with it.
    pub why: String,
    /// What would be valid, given the other settings.
    pub valid: String,
}

impl SyntheticConfig {
    /// The most symbols.
    pub const MAX_SYMBOLS: u32 = 8_000;
    /// The most orders that can be asked to rest.
    pub const MAX_LIVE_ORDERS: u32 = 2_000_000;
    /// The most messages of a file.
    pub const MAX_MESSAGES: u64 = 10_000_000_000;
    /// The fewest resting orders for each symbol.
    pub const MIN_ORDERS_PER_SYMBOL: u32 = 2;

    /// The fewest messages that a day of so many symbols can have: all of its administrative messages and a handful more.
    pub const fn min_messages(symbols: u32) -> u64 {
        opening_messages(symbols) + CLOSING_MESSAGES + 16
    }

    /// Checks the settings against their ranges and each other, and reports everything that is wrong.
    ///
    /// # Errors
    /// One for each setting that cannot be met.
    pub fn validate(&self) -> Result<(), ConfigErrors> {
        let mut errors = Vec::new();
        let mut check = |key, found: u64, low: u64, high: u64, unit: &str| {
            let why = match found {
                f if f < low => format!("too few, {unit}"),
                f if f > high => format!("too many, {unit}"),
                _ => return,
            };
            errors.push(ConfigError { key, found, why, valid: format!("{low} to {high}") });
        };
        check("symbols", self.symbols.into(), 1, Self::MAX_SYMBOLS.into(), "a day has at least one and at most 8,000");
        let symbols = self.symbols.clamp(1, Self::MAX_SYMBOLS);
        let least = Self::MIN_ORDERS_PER_SYMBOL * symbols;
        let unit = format!("each of {symbols} symbols needs {}", Self::MIN_ORDERS_PER_SYMBOL);
        check("live_orders", self.live_orders.into(), least.into(), Self::MAX_LIVE_ORDERS.into(), &unit);
        let unit = format!("the day of {symbols} symbols begins and ends with administrative messages");
        check("messages", self.messages, Self::min_messages(symbols), Self::MAX_MESSAGES, &unit);
        if errors.is_empty() { Ok(()) } else { Err(ConfigErrors(errors)) }
    }
}

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.0.iter().map(ConfigError::to_string).collect();
        f.write_str(&all.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}
