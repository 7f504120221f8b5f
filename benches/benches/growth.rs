//! How the cost of the book grows: with the symbols, and with the orders at rest.
//!
//! Each series changes one of the two and times as many messages of the same exchange everywhere, with books that were
//! filled before. A ratio is to the first of its series, in the same round. Bound: 2 M orders at rest are brought by 9 M
//! messages, some 300 MB.

use benches::day::{Day, book};
use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};

/// That of the binary.
#[global_allocator]
static ALLOCATOR: tidegate::os::Allocator = tidegate::os::Allocator;

/// Messages that bring so many orders; an exchange grows its books before it changes them.
const fn filling(live_orders: u64) -> u64 {
    400_000 + live_orders * 9 / 2
}

fn main() {
    let mut report = Report::new("growth");
    let symbols = [("1 symbol", 1), ("200 symbols", 200), ("2,000 symbols", 2_000), ("8,000 symbols", 8_000)];
    let days = symbols.map(|(name, symbols)| Day::new(name, symbols, 20_000, filling(20_000)));
    series(&mut report, "20,000 live orders", &days);
    let orders = [("190,000 live orders", 190_000), ("2,000,000 live orders", 2_000_000)];
    let days = orders.map(|(name, live)| Day::new(name, 8_000, live, filling(u64::from(live))));
    series(&mut report, "8,000 symbols", &days);
}

fn series(report: &mut Report, group: &str, days: &[Day]) {
    days.iter().for_each(|day| println!("  {group}, {}: {} at the end", day.name, day.live_orders()));
    let mut contenders: Vec<_> =
        days.iter().map(|day| Contender::new(day.name, || Run { check: 0, ..book(day) })).collect();
    compare(report, group, days[0].timed.messages, count(11), &mut contenders);
}
