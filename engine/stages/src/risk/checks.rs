//! The registry of checks, in the order in which they are made: one entry each.
//!
//! From an entry come the word, the table for pages and commands, and the call: direct ones, so that the compiler sees the
//! whole gate as one function. `group` closes the list; it judges legs together and is asked by the stage.

use super::gate::Gate;
use super::proposal::Proposal;
use super::{collar, duplicate, group, kill, notional, open_orders, position, quantity, sanity, stale, throttle};
use flow::{IntParam, Param};

/// A check that was not passed: what it allows and what it saw, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub(super) limit: i64,
    pub(super) value: i64,
}

impl Breach {
    /// With a value that may be larger than a record can say.
    #[cold]
    pub(super) fn of(limit: i64, value: i128) -> Option<Breach> {
        let value = i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
        Some(Breach { limit, value })
    }
}

/// An entry of the registry.
#[derive(Clone, Copy, Debug)]
pub struct CheckEntry {
    /// The word.
    pub check: Check,
    /// Number in `refused` and in commands.
    pub number: u16,
    /// Name in rows.
    pub name: &'static str,
    /// Unit of limit and value.
    pub unit: &'static str,
    /// What it refuses, in one sentence.
    pub about: &'static str,
    /// The limit that a command can set.
    pub limit: Option<IntParam>,
    /// Its parameters, the limit among them.
    pub params: &'static [Param],
}

macro_rules! limit {
    ($file:ident) => {
        None
    };
    ($file:ident $limit:ident) => {
        Some($file::$limit)
    };
}

macro_rules! checks {
    ($( $name:ident = $number:literal $text:literal in $unit:literal by $file:ident $($limit:ident)?: $about:literal; )*
        => $last:ident = $last_number:literal $last_text:literal in $last_unit:literal by $last_file:ident: $last_about:literal;) => {
        /// A check. Numbers are part of the journal's format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Check {
            $( #[doc = $about] $name = $number, )*
            #[doc = $last_about] $last = $last_number
        }

        /// Every check, in the order in which they are made.
        pub const CHECKS: &[CheckEntry] = &[
            $( CheckEntry {
                check: Check::$name, number: $number, name: $text, unit: $unit, about: $about, limit: limit!($file $($limit)?),
                params: $file::PARAMS,
            }, )*
            CheckEntry {
                check: Check::$last, number: $last_number, name: $last_text, unit: $last_unit, about: $last_about, limit: None,
                params: $last_file::PARAMS,
            },
        ];

        /// The first check that the order does not pass.
        #[inline]
        pub(super) fn first_breach(gate: &Gate, proposal: &Proposal) -> Option<(Check, Breach)> {
            $( if let Some(breach) = $file::breach(gate, proposal) {
                return Some((Check::$name, breach));
            } )*
            None
        }
    };
}

checks! {
    Kill = 1 "kill" in "state" by kill: "Trading is halted.";
    Sanity = 2 "sanity" in "flaw" by sanity: "The order makes no sense: listing, side, type, quantity, price, tick, id.";
    Quantity = 3 "max-quantity" in "smallest units" by quantity LIMIT: "The order is for more than one order may be.";
    Notional = 4 "max-notional" in "currency" by notional LIMIT: "The order is worth more than one order may be.";
    Collar = 5 "price-collar" in "basis points" by collar LIMIT: "The price is too far from the market's.";
    Position = 6 "position" in "smallest units" by position LIMIT: "The position would be too large if all open orders of that side were filled.";
    OpenOrders = 7 "open-orders" in "orders" by open_orders LIMIT: "Too many orders would be open.";
    Throttle = 8 "throttle" in "messages" by throttle LIMIT: "Too many messages within the window.";
    Stale = 9 "stale-data" in "ms" by stale LIMIT: "The market of the instrument has not been heard of for too long.";
    Duplicate = 10 "duplicate-id" in "counter" by duplicate: "The id is not above the last one of its account and strategy.";
    => Group = 11 "group" in "legs" by group: "Another leg of its group was refused, or did not come.";
}

impl Check {
    /// Its entry.
    pub fn entry(self) -> &'static CheckEntry {
        &CHECKS[usize::from(self as u16) - 1]
    }

    /// The check of that number.
    pub fn from_code(code: u16) -> Option<Check> {
        CHECKS.iter().find(|entry| entry.number == code).map(|entry| entry.check)
    }
}

/// Name of the check of that number, for rows and summaries.
pub fn check_name(number: u16) -> &'static str {
    Check::from_code(number).map_or("unknown", |check| check.entry().name)
}
