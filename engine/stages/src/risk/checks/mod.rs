//! The registry of risk checks, in the order in which they run: one file and one entry each.
//!
//! A file has the check's `ENTRY` and its `breach`. One macro list makes both the table of entries and the direct calls, so
//! the compiler sees the whole gate as one function. A check that compares what a level adds up says so in the list, with a
//! function for it. `group` closes the table; the stage decides it for all legs at once.
//! A check's number is in its entry and is independent of its place in the table, so a check can be added anywhere.
//!
//! Bound: one pass over the checks per proposal, and in each over the levels of the order; each is O(1), except for a refusal
//! by the throttle.

mod collar;
mod doubtful;
mod duplicate;
mod group;
mod instrument_halted;
mod kill;
mod multiplier;
mod notional;
mod open_orders;
mod position;
mod quantity;
mod rate;
mod sanity;
mod stale;
mod throttle;
mod tick;
mod venue;

pub(super) use collar::REDUCE_COLLAR;
pub(crate) use rate::CURRENCY;
pub use sanity::Flaw;
pub(super) use throttle::RESERVED;

use super::breach::{CheckEntry, Refusal, limit};
use super::explain::{Checked, found};
use super::gate::Gate;
use super::levels::Summed;
use super::proposal::Proposal;
use flow::{Param, ParamType, TableKey, TableParam};

macro_rules! checks {
    ($($check:ident $(($at_level:ident))?)*) => {
        /// Every check, in the order in which they run.
        pub const CHECKS: &[CheckEntry] = &[$($check::ENTRY,)* group::ENTRY];

        /// The first check that the proposal fails. `limits` are those of the section, in the order of [`CHECKS`].
        #[inline(always)]
        pub(super) fn first_breach(gate: &Gate, proposal: &Proposal, limits: &Limits) -> Option<Refusal> {
            if proposal.request.reduces != 0 {
                return first_breach_reducing(gate, proposal, limits);
            }
            if !gate.levels.is_empty() {
                return first_breach_at_levels(gate, proposal, limits);
            }
            $( if let Some(breach) = $check::breach(gate, proposal, limits[const { place($check::ENTRY.number) }]) {
                return Some(Refusal { check: $check::ENTRY.number, level: 0, breach });
            } )*
            None
        }

        /// The same with levels: each check with a limit is made at every level of the order, the most specific first, and
        /// then with the limit of the section.
        #[inline(never)]
        fn first_breach_at_levels(gate: &Gate, proposal: &Proposal, limits: &Limits) -> Option<Refusal> {
            let levels = gate.levels.of(proposal.id(), proposal.at);
            $(
                let at = const { place($check::ENTRY.number) };
                for level in levels.and(gate.levels.limited(at)).iter() {
                    let limit = gate.levels.limit(level, at);
                    let breach = at_level!($check $($at_level)?);
                    if let Some(breach) = breach(gate, proposal, limit, level) {
                        return Some(Refusal { check: $check::ENTRY.number, level: gate.levels.number(level), breach });
                    }
                }
                if let Some(breach) = $check::breach(gate, proposal, limits[at]) {
                    return Some(Refusal { check: $check::ENTRY.number, level: 0, breach });
                }
            )*
            None
        }

        /// What every check finds, at the levels of the order and with the limit of the section.
        #[cold]
        #[inline(never)]
        pub(super) fn all_found(gate: &Gate, proposal: &Proposal, limits: &Limits) -> Vec<Checked> {
            if proposal.request.reduces != 0 {
                return all_found_reducing(gate, proposal);
            }
            let mut all = Vec::new();
            $(
                let at = const { place($check::ENTRY.number) };
                if !gate.levels.is_empty() {
                    let levels = gate.levels.of(proposal.id(), proposal.at);
                    for level in levels.and(gate.levels.limited(at)).iter() {
                        let breach = at_level!($check $($at_level)?);
                        let (number, limit) = (gate.levels.number(level), gate.levels.limit(level, at));
                        all.push(found(&$check::ENTRY, number, Some(limit), |limit| breach(gate, proposal, limit, level)));
                    }
                }
                let breach = |limit| $check::breach(gate, proposal, limit);
                all.push(found(&$check::ENTRY, 0, Some(limits[at]), breach));
            )*
            all
        }
    };
}

/// How a check is made at a level: a function of its own if it compares what the level adds up, else as with the limit of
/// the section, which is of the order alone.
macro_rules! at_level {
    ($check:ident) => {
        |gate, proposal, limit, _| $check::breach(gate, proposal, limit)
    };
    ($check:ident $at_level:ident) => {
        $check::$at_level
    };
}

/// The checks of an order that only reduces a position, which must not fail for what keeps a position from growing: its size
/// and value, the age of its data, a gap, an unknown multiplier or tick. It has a collar of its own and a share of the throttle
/// that no other order can use; under a halt it passes if an operator commanded it.
#[cold]
#[inline(never)]
fn first_breach_reducing(gate: &Gate, proposal: &Proposal, limits: &Limits) -> Option<Refusal> {
    macro_rules! first {
        ($($check:ident $function:ident)*) => {
            $( if let Some(breach) = $check::$function(gate, proposal, limits[const { place($check::ENTRY.number) }]) {
                return Some(Refusal { check: $check::ENTRY.number, level: 0, breach });
            } )*
        };
    }
    first! { kill breach_reducing venue breach instrument_halted breach sanity breach quantity breach_reducing
        collar breach_reducing
    open_orders breach_reducing throttle breach_reducing duplicate breach }
    None
}

/// What the checks of an order that only reduces find. Their limits are their own.
#[cold]
#[inline(never)]
fn all_found_reducing(gate: &Gate, proposal: &Proposal) -> Vec<Checked> {
    macro_rules! all {
        ($($check:ident $function:ident)*) => {
            vec![$( found(&$check::ENTRY, 0, None, |limit| $check::$function(gate, proposal, limit)), )*]
        };
    }
    all! { kill breach_reducing venue breach instrument_halted breach sanity breach quantity breach_reducing
        collar breach_reducing
    open_orders breach_reducing throttle breach_reducing duplicate breach }
}

checks! { kill venue instrument_halted doubtful sanity multiplier tick rate quantity
notional(at_level) collar position(at_level)
open_orders(at_level) throttle(at_level) stale duplicate }

/// The limits in force, in the order of [`CHECKS`]; 0 for a check without one.
pub(super) type Limits = [i64; CHECKS.len()];

/// Number of the check that refuses malformed orders.
pub(super) const SANITY: u16 = sanity::ENTRY.number;
/// Number of the check that refuses what cannot be converted.
pub const RATE: u16 = rate::ENTRY.number;
/// Number of the check that refuses the other legs of a group.
pub(super) const GROUP: u16 = group::ENTRY.number;

/// The checks that compare what a level adds up.
pub(super) const SUMMED: Summed = Summed {
    position: place(position::ENTRY.number),
    open_orders: place(open_orders::ENTRY.number),
    throttle: place(throttle::ENTRY.number),
};

/// Index in [`CHECKS`] of the check with this number, which must occur exactly once.
const fn place(number: u16) -> usize {
    let (mut found, mut at) = (CHECKS.len(), 0);
    while at < CHECKS.len() {
        if CHECKS[at].number == number {
            assert!(found == CHECKS.len(), "two checks have the same number");
            found = at;
        }
        at += 1;
    }
    assert!(found < CHECKS.len(), "no check has this number");
    found
}

/// How far a command may raise each limit, by the check's name. Without an entry: as far as the limit is configured.
pub const CEILINGS: TableParam = TableParam::new(
    "ceilings",
    &ceilings(),
    "the most that a command may set each limit to, by the check's name; without an entry: the configured limit",
);

const fn ceilings() -> [TableKey; limited()] {
    let mut keys = [TableKey { name: "", low: 0, high: 0 }; limited()];
    let (mut len, mut at) = (0, 0);
    while at < CHECKS.len() {
        if let Some(limit) = CHECKS[at].limit
            && let ParamType::Int(low, high) = limit.param().ty
        {
            keys[len] = TableKey { name: CHECKS[at].name, low, high };
            len += 1;
        }
        at += 1;
    }
    keys
}

/// Number of checks with a limit.
pub(super) const fn limited() -> usize {
    let (mut count, mut at) = (0, 0);
    while at < CHECKS.len() {
        count += CHECKS[at].limit.is_some() as usize;
        at += 1;
    }
    count
}

/// The parameters of the gate: the limits in the order of the checks, then the other parameters of the checks, then the
/// ceilings.
pub const PARAMS: &[Param] = &params();

const fn params() -> [Param; count()] {
    let mut all = [limit("", 0, "").param(); count()];
    let (mut len, mut at) = (0, 0);
    while at < CHECKS.len() {
        if let Some(limit) = CHECKS[at].limit {
            all[len] = limit.param();
            len += 1;
        }
        at += 1;
    }
    at = 0;
    while at < CHECKS.len() {
        let mut other = 0;
        while other < CHECKS[at].params.len() {
            all[len] = CHECKS[at].params[other];
            (len, other) = (len + 1, other + 1);
        }
        at += 1;
    }
    all[len] = CEILINGS.param();
    all
}

/// Number of parameters of all checks, and the ceilings.
const fn count() -> usize {
    let (mut count, mut at) = (limited() + 1, 0);
    while at < CHECKS.len() {
        count += CHECKS[at].params.len();
        at += 1;
    }
    count
}

/// The check with this number.
pub fn check(number: u16) -> Option<&'static CheckEntry> {
    CHECKS.iter().find(|entry| entry.number == number)
}

/// Name of the check with this number, for rows and summaries.
pub fn check_name(number: u16) -> &'static str {
    check(number).map_or("unknown", |entry| entry.name)
}
