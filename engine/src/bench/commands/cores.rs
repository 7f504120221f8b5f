//! `tidegate bench hop` and `tidegate bench ring`.

use super::output::{Progress, print, ratio, spread, table};
use crate::bench::Setting;
use crate::bench::hop::{self, Beside, Hop, Hops, LINKS, Placement, Standing, Trips, WAITS};
use crate::bench::rings::{self, SlotCost, SlotCosts};
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
    placement: Placement,
    standing: Standing,
    /// The phase ring as the pipeline waits, its rival with what suits it best.
    rings: Vec<Hop>,
    /// All links with every wait.
    waits: Vec<Hop>,
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
    let progress = Progress::new(&what, u64::from(args.rounds) * (LINKS.len() * WAITS.len()) as u64);
    let trips = Trips { timed: args.trips, warm: args.trips / 5 };
    let hops = hop::measure(&LINKS, hop::own_wait(), args.rounds as usize, trips, || progress.step());
    drop(progress);
    let table = hop_table(&hops);
    let raw = hops.rows[0].clone();
    let result = HopResult {
        setting: setting.end(),
        rounds: args.rounds,
        trips: args.trips,
        raw_p50_ns: raw.p50_ns,
        raw_p50_ns_low: raw.p50_ns_low,
        raw_p50_ns_high: raw.p50_ns_high,
        raw_p99_ns: raw.p99_ns,
        raw_max_ns: raw.max_ns,
        rings: vec![hops.own(1).clone(), hops.best(2).clone()],
        placement: hops.placement,
        standing: hops.standing,
        waits: hops.rows,
    };
    print(args.json, &result, &result.setting, &table)
}

/// Every link with every wait, and what follows: where the cores lie, and how the phase ring stands.
fn hop_table(hops: &Hops) -> String {
    let row = |h: &Hop| {
        let p50 = spread(h.p50_ns, h.p50_ns_low, h.p50_ns_high);
        let ratio = ratio(h.ratio, h.ratio_low, h.ratio_high);
        vec![format!("{}, {}", h.name, h.wait), p50, grouped(h.p99_ns), grouped(h.max_ns), ratio]
    };
    let rows: Vec<_> = hops.rows.iter().map(row).collect();
    let table = table(&["one way", "p50 ns", "p99 ns", "max ns", "to best raw"], &rows);
    let Standing { wait, to_raw, to_best_rival } = &hops.standing;
    let beside = |b: &Beside| {
        let ratio = ratio(b.ratio, b.ratio_low, b.ratio_high);
        format!("to {} at its best ({}): {ratio}\n", b.name, b.wait)
    };
    let placement = hops.placement.words(hops.rows[0].p50_ns);
    format!("{table}\n{placement}\nphase as the pipeline waits ({wait}), {}", beside(to_raw))
        + "  "
        + &beside(to_best_rival)
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
    placement: Placement,
    raw_p50_ns: f64,
    /// The phase ring as the pipeline waits, its rival with what suits it best.
    rings: Vec<SlotCost>,
    /// Both with every wait.
    waits: Vec<SlotCost>,
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
    let progress = Progress::new(&what, u64::from(args.rounds) * (shapes.len() * WAITS.len()) as u64);
    let own = hop::own_wait();
    let SlotCosts { placement, raw_ns, rings, waits } =
        rings::measure(&shapes, own, args.rounds as usize, args.slots, || progress.step());
    drop(progress);
    let row = |c: &SlotCost| {
        let cost = spread(c.ns_per_slot, c.ns_per_slot_low, c.ns_per_slot_high);
        let (capacity, batch) = (grouped(c.capacity as u64), c.batch.to_string());
        vec![format!("{}, {}", c.name, c.wait), capacity, batch, cost, ratio(c.ratio, c.ratio_low, c.ratio_high)]
    };
    let rows: Vec<_> = rings.iter().map(row).collect();
    let heading = ["ring, wait", "capacity", "batch", "ns/slot", "to disruptor"];
    let table = table(&heading, &rows)
        + &format!("\n{}\nphase waits as the pipeline does, disruptor as suits it best\n", placement.words(raw_ns));
    let result = RingResult {
        setting: setting.end(),
        rounds: args.rounds,
        slots: args.slots,
        placement,
        raw_p50_ns: raw_ns,
        rings,
        waits,
    };
    print(args.json, &result, &result.setting, &table)
}
