//! Tables of a pipeline's meters: where its time goes, how full its rings are, latencies.

use super::numbers::{UNKNOWN, grouped};
use super::screen::{INDENT, wrapped};
use super::table::{Align, Cell, column, table};
use crate::pipeline::{GroupLoad, RingLoad};
use crate::report::Percentiles;
use std::collections::BTreeMap;

/// The groups with their stages; the tables below name the groups alone.
pub(crate) fn groups(groups: &[String]) -> String {
    let groups: Vec<_> = groups.iter().map(|g| g.replace('+', ", ")).collect();
    wrapped(&format!("groups    {}", groups.join(" | ")), INDENT) + "\n"
}

fn per_cent(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole.max(1) as f64)
}

/// Nanoseconds as microseconds; unknown if nothing was measured.
fn micros(ns: u64, count: u64) -> String {
    if count == 0 { UNKNOWN.to_owned() } else { format!("{}.{}", grouped(ns / 1_000), ns / 100 % 10) }
}

/// How each group spent its time.
pub(crate) fn load(load: &[GroupLoad]) -> String {
    if load.is_empty() {
        return String::new();
    }
    let columns = [
        column("load", Align::Left),
        column("busy", Align::Right),
        column("idle", Align::Right),
        column("stalled", Align::Right),
        column("turns", Align::Right).spare(),
        column("max turn µs", Align::Point),
        column("stalls", Align::Right).spare(),
        column("max stall µs", Align::Point),
    ];
    let row = |g: &GroupLoad| {
        let [busy, idle, stalled] = [g.busy_ns, g.idle_ns, g.stalled_ns].map(|part| per_cent(part, g.total_ns()));
        let (turn, stall) = (micros(g.longest_turn_ns, g.turns), micros(g.longest_stall_ns, g.stalls));
        let cells = [g.group.clone(), busy, idle, stalled, grouped(g.turns), turn, grouped(g.stalls), stall];
        cells.map(Cell::from).to_vec()
    };
    table(&columns, &load.iter().map(row).collect::<Vec<_>>())
}

/// How full each ring was; rings that never held an event are left out.
pub(crate) fn rings(rings: &[RingLoad]) -> String {
    let waits: String = rings.iter().filter_map(measured).collect();
    let used: Vec<_> = rings.iter().filter(|r| r.events > 0).collect();
    if used.is_empty() {
        return waits;
    }
    let columns = [
        column("rings", Align::Left),
        column("capacity", Align::Right),
        column("high water", Align::Right),
        column("passed", Align::Right),
        column("found full", Align::Right),
    ];
    let row = |r: &&RingLoad| {
        let numbers = [r.capacity, r.high_water, r.events, r.refused].map(|n| Cell::from(grouped(n)));
        std::iter::once(Cell::from(r.ring.clone())).chain(numbers).collect()
    };
    table(&columns, &used.iter().map(row).collect::<Vec<_>>()) + &waits
}

/// How its ends wait, if that was measured.
fn measured(ring: &RingLoad) -> Option<String> {
    let (pauses, hop) = ring.pauses.zip(ring.hop_ns)?;
    let many = if pauses == 1 { "pause" } else { "pauses" };
    let text =
        format!("waits     {}: {pauses} {many} between two looks, measured {} ns one way", ring.ring, grouped(hop));
    Some(wrapped(&text, INDENT) + "\n")
}

/// Latency percentiles of every measured stage.
pub(crate) fn latency(latency: &BTreeMap<String, Percentiles>) -> String {
    let measured: Vec<_> = latency.iter().filter(|(_, l)| l.samples > 0).collect();
    if measured.is_empty() {
        return String::new();
    }
    let columns = [
        column("latency, ns (sampled)", Align::Left),
        column("p50", Align::Right),
        column("p90", Align::Right),
        column("p99", Align::Right),
        column("p99.9", Align::Right),
        column("max", Align::Right),
    ];
    let row = |(name, l): &(&String, &Percentiles)| {
        let times = [l.p50_ns, l.p90_ns, l.p99_ns, l.p999_ns, l.max_ns].map(|n| Cell::from(grouped(n)));
        std::iter::once(Cell::from(name.as_str())).chain(times).collect()
    };
    table(&columns, &measured.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::screen::WIDTH;

    #[test]
    fn tables_fit_the_screen_however_large_their_numbers() {
        let name = |i: usize| format!("core{i}");
        let load = |i| GroupLoad {
            group: name(i),
            busy_ns: 86_400_000_000_000,
            turns: 20_000_000_000,
            longest_turn_ns: 5_156_766_123,
            stalls: 1_234_567,
            longest_stall_ns: 1_234_567_890,
            ..GroupLoad::default()
        };
        let ring = |i| RingLoad {
            ring: format!("{} > {}", name(i), name(i + 1)),
            capacity: 16_777_216,
            high_water: 16_777_216,
            events: 123_456_789_012,
            refused: 1_234_567_890,
            pauses: Some(4),
            hop_ns: Some(1_000_000),
            ..RingLoad::default()
        };
        let times = Percentiles {
            samples: 1,
            p50_ns: 1_234_567,
            p90_ns: 12_345_678,
            p99_ns: 123_456_789,
            p999_ns: 123_456_789,
            max_ns: 1_234_567_890,
        };
        let times = BTreeMap::from([("group core10".to_owned(), times), ("tick to order".to_owned(), times)]);
        let mut text = groups(&(0..12).map(|i| format!("{}: stage-{i}", name(i))).collect::<Vec<_>>());
        text += &super::load(&(0..12).map(load).collect::<Vec<_>>());
        text += &rings(&(0..11).map(ring).collect::<Vec<_>>());
        text += &latency(&times);
        assert_eq!(text.lines().find(|line| line.chars().count() > WIDTH), None, "{text}");
    }

    #[test]
    fn what_was_not_measured_is_no_zero() {
        let idle = GroupLoad { group: "core0".to_owned(), idle_ns: 1, ..GroupLoad::default() };
        let row = load(&[idle]).lines().nth(1).map(|l| l.split_whitespace().collect::<Vec<_>>().join(" "));
        assert_eq!(row.as_deref(), Some("core0 0.0 % 100.0 % 0.0 % 0 – 0 –"));
    }
}
