//! The limits in force on the screen of `ctl status`: those of the section, then the tables beside them.

use super::numbers::{decimal, grouped};
use super::screen::{INDENT, wrapped};
use crate::control::{LimitStatus, TableStatus};

/// Most tables without details.
const TABLES: usize = 3;

/// The limits of the section `risk`, and the tables of limits; without details the first few.
pub(super) fn limits(limits: &[LimitStatus], tables: &[TableStatus], details: bool) -> String {
    let of_section: Vec<_> = limits.iter().map(in_force).collect();
    let shown = &tables[..tables.len().min(if details { usize::MAX } else { TABLES })];
    let more = match tables.len() - shown.len() {
        0 => String::new(),
        n => format!("{INDENT}and {} more tables of limits\n", grouped(n as u64)),
    };
    let section = wrapped(&format!("limits    {}", of_section.join(", ")), INDENT);
    format!("{section}\n{}{more}", shown.iter().map(table).collect::<String>())
}

fn in_force(of: &LimitStatus) -> String {
    let ceiling = if of.ceiling > of.limit { format!(" (up to {})", signed(of.ceiling)) } else { String::new() };
    limit(&of.check, of.limit) + &ceiling
}

fn table(of: &TableStatus) -> String {
    let limits: Vec<_> = of.limits.iter().map(in_force).collect();
    wrapped(&format!("{INDENT}{}: {}", of.scope, limits.join(", ")), INDENT) + "\n"
}

fn limit(check: &str, limit: i64) -> String {
    let refuses = if limit == 0 { " (refuses every order)" } else { "" };
    format!("{check} {}{refuses}", signed(limit))
}

fn signed(n: i64) -> String {
    decimal(Some(&n.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_tables_are_told_and_with_details_all() {
        let limit = |check: &str, limit, ceiling| LimitStatus { check: check.to_owned(), limit, ceiling };
        let of_section = [limit("max-quantity", 1_000, 5_000), limit("max-notional", 250_000, 250_000)];
        let table = |n: u16| TableStatus {
            table: n,
            scope: format!("account {n}, mom-fast, AAPL@XNAS"),
            limits: vec![limit("position", 1_500, 2_000), limit("open-orders", 0, 0)],
        };
        let tables: Vec<_> = (1..=5).map(table).collect();
        let few = "\
limits    max-quantity 1,000 (up to 5,000), max-notional 250,000
          account 1, mom-fast, AAPL@XNAS: position 1,500 (up to 2,000),
          open-orders 0 (refuses every order)
          account 2, mom-fast, AAPL@XNAS: position 1,500 (up to 2,000),
          open-orders 0 (refuses every order)
          account 3, mom-fast, AAPL@XNAS: position 1,500 (up to 2,000),
          open-orders 0 (refuses every order)
          and 2 more tables of limits
";
        assert_eq!(limits(&of_section, &tables, false), few);
        let all = limits(&of_section, &tables, true);
        assert!(all.contains("account 5, mom-fast") && !all.contains("more tables"), "{all}");
        assert_eq!(limits(&of_section, &[], false).lines().count(), 1);
    }
}
