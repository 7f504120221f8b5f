//! Which limit a command sets: one of the section, or one of a table.
//!
//! A table is named by its number, from 1, in the order of the configuration that the journal records. Bound: two numbers.

use super::checks::{CHECKS, check};

/// The name of the tables of limits.
pub const LIMIT: &str = "limit";

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LimitTarget {
    /// Number of the table; 0 = the section.
    pub table: u16,
    /// Number of the check.
    pub check: u16,
}

impl LimitTarget {
    /// As the target of a command: the table shifted by 16 bits, and the check.
    pub const fn code(self) -> u32 {
        (self.table as u32) << 16 | self.check as u32
    }

    /// What the target of a command names.
    pub const fn of_code(code: u32) -> LimitTarget {
        LimitTarget { table: (code >> 16) as u16, check: code as u16 }
    }

    /// Its key in a configuration: `risk.max_position`, `limit[2].max_position`; none of a check without a limit.
    pub fn key(self) -> Option<String> {
        let name = check(self.check)?.limit?.name();
        Some(if self.table == 0 { format!("risk.{name}") } else { format!("{LIMIT}[{}].{name}", self.table) })
    }

    /// The limit of that key.
    pub fn named(key: &str) -> Option<LimitTarget> {
        let (section, name) = key.rsplit_once('.')?;
        let table = match section {
            "risk" => 0,
            table => {
                table.strip_prefix(LIMIT)?.strip_prefix('[')?.strip_suffix(']')?.parse().ok().filter(|n| *n > 0)?
            }
        };
        let entry = CHECKS.iter().find(|entry| entry.limit.is_some_and(|limit| limit.name() == name))?;
        Some(LimitTarget { table, check: entry.number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_limit() {
        for (key, table, check) in [("risk.max_notional", 0, 4), ("limit[2].max_position", 2, 6)] {
            let target = LimitTarget { table, check };
            assert_eq!((LimitTarget::named(key), target.key().as_deref()), (Some(target), Some(key)));
            assert_eq!(LimitTarget::of_code(target.code()), target);
        }
        for key in ["limit[0].max_position", "limit[65536].max_position", "limit[2].account", "limit.max_position"] {
            assert_eq!(LimitTarget::named(key), None, "{key}");
        }
        assert_eq!(LimitTarget { table: 0, check: 1 }.key(), None);
    }
}
