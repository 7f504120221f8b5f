//! `tidegate bench hop` and `tidegate bench ring`.

use super::output::{Progress, print, ratio, spread, table};
use crate::bench::Setting;
use crate::bench::hop::{self, Hop, LINKS, Trips};
use crate::bench::rings::{self, SlotCost};
use crate::cli::exit::{Exit, Failure};
use crate::cli::numbers::grouped;
use clap::Args;
use serde::Serialize;

/// Options of `bench hop`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tidegate bench hop\n  tidegate bench hop --rounds 41 --json > hop.json")]
pub(crate) struct HopArgs {
    /// Rounds, each measuring every link once.
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Round trips per link and round.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    trips: u64,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct HopResult {
    #[serde(flatten)]
    setting: Setting,
    rounds: u32,
    trips: u64,
    raw_p50_ns: f64,
    raw_p50_ns_low: f64,
    raw_p50_ns_high: f64,
    raw_p99_ns: u64,
    raw_max_ns: u64,
    rings: Vec<Hop>,
}

fn two_cores() -> Result<(), Failure> {
    match ::ring::thread::cores().len() {
        0 | 1 => Err(Failure::failed("this benchmark needs two cores, and this host has one; run it on a larger host")),
        _ => Ok(()),
    }
}

pub(super) fn hop(args: &HopArgs) -> Result<Exit, Failure> {
    two_cores()?;
    let setting = Setting::begin("hop");
    let what = format!("hop: {} rounds of {} trips over {} links", args.rounds, grouped(args.trips), LINKS.len());
    let progress = Progress::new(&what, u64::from(args.rounds) * LINKS.len() as u64);
    let trips = Trips { timed: args.trips, warm: args.trips / 5 };
    let mut hops = hop::measure(&LINKS, args.rounds as usize, trips, || progress.step());
    drop(progress);
    let row = |h: &Hop| {
        let p50 = spread(h.p50_ns, h.p50_ns_low, h.p50_ns_high);
        vec![h.name.to_owned(), p50, grouped(h.p99_ns), grouped(h.max_ns), ratio(h.ratio, h.ratio_low, h.ratio_high)]
    };
    let rows: Vec<_> = hops.iter().map(row).collect();
    let table = table(&["one way", "p50 ns", "p99 ns", "max ns", "to bare atomics"], &rows);
    let raw = hops.remove(0);
    let result = HopResult {
        setting: setting.end(),
        rounds: args.rounds,
        trips: args.trips,
        raw_p50_ns: raw.p50_ns,
        raw_p50_ns_low: raw.p50_ns_low,
        raw_p50_ns_high: raw.p50_ns_high,
        raw_p99_ns: raw.p99_ns,
        raw_max_ns: raw.max_ns,
        rings: hops,
    };
    print(args.json, &result, &result.setting, &table)
}

/// Options of `bench ring`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tidegate bench ring\n  tidegate bench ring --capacity 16384 --batch 1,64 --json")]
pub(crate) struct RingArgs {
    /// Rounds, each measuring every ring, capacity and batch once.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Slots per round.
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1..))]
    slots: u64,
    /// Capacities, powers of two.
    #[arg(long, value_delimiter = ',', default_values_t = [1_024, 16_384], value_parser = capacity)]
    capacity: Vec<usize>,
    /// Slots published and taken at once.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    batch: Vec<usize>,
    /// Print one JSON object instead of the table.
    #[arg(long)]
    json: bool,
}

fn capacity(text: &str) -> Result<usize, String> {
    let valid = |n: &usize| n.is_power_of_two() && *n <= ::ring::MAX_CAPACITY;
    let wrong = || format!("valid: a power of two up to {}", ::ring::MAX_CAPACITY);
    text.parse().ok().filter(valid).ok_or_else(wrong)
}

#[derive(Serialize)]
struct RingResult {
    #[serde(flatten)]
    setting: Setting,
    rounds: u32,
    slots: u64,
    rings: Vec<SlotCost>,
}

pub(super) fn ring(args: &RingArgs) -> Result<Exit, Failure> {
    two_cores()?;
    let batches: Vec<usize> = args.batch.iter().map(|b| (*b).max(1)).collect();
    let shapes = rings::shapes(&args.capacity, &batches);
    if shapes.is_empty() {
        return Err(Failure::usage("no batch fits any capacity; set a smaller --batch or a larger --capacity"));
    }
    let setting = Setting::begin("ring");
    let what = format!("ring: {} rounds of {} slots in {} shapes", args.rounds, grouped(args.slots), shapes.len());
    let progress = Progress::new(&what, u64::from(args.rounds) * shapes.len() as u64);
    let rings = rings::measure(&shapes, args.rounds as usize, args.slots, || progress.step());
    drop(progress);
    let row = |c: &SlotCost| {
        let cost = spread(c.ns_per_slot, c.ns_per_slot_low, c.ns_per_slot_high);
        let name = format!("{} ring", c.name);
        vec![name, grouped(c.capacity as u64), c.batch.to_string(), cost, grouped(c.slots_per_s as u64)]
    };
    let rows: Vec<_> = rings.iter().map(row).collect();
    let table = table(&["", "capacity", "batch", "ns/slot", "slots/s"], &rows);
    let result = RingResult { setting: setting.end(), rounds: args.rounds, slots: args.slots, rings };
    print(args.json, &result, &result.setting, &table)
}
