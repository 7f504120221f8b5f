//! Orders and fills of the strategy `random` on recorded and synthetic days: none has a price that its instrument's exchange
//! would not take.
//!
//! The step is told here by what the instrument is, not by the engine: a US stock moves in cents from one dollar up.

use super::{each, replay};
use serde_json::Value;
use tidegate_tests::Case;

/// In ten-thousandths of a dollar.
const DOLLAR: u64 = 10_000;

/// Feed, file, the steps below one dollar and from there up, and the terms that the operator states.
type Day = (&'static str, &'static str, [u64; 2], &'static [&'static str]);

const STOCK: [u64; 2] = [1, 100];
/// E-mini S&P 500: a quarter of a point.
const ES: [u64; 2] = [2_500; 2];

const DAYS: [Day; 5] = [
    ("itch", "nasdaq_itch/locate-13-10k.bin", STOCK, &[]),
    ("lobster", "lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip", STOCK, &[]),
    ("lobster", "lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip", STOCK, &[]),
    (
        "dbn",
        "databento/nautilus/orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst",
        ES,
        &["instrument.ESM4.tick=0.25", "instrument.ESM4.multiplier=50"],
    ),
    (
        "dbn",
        "databento/nautilus/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst",
        ES,
        &["instrument.ESU4.tick=0.25", "instrument.ESU4.multiplier=50"],
    ),
];

/// A strategy that asks for prices at random, of one share or contract at a time, with room for a contract.
const RANDOM: [&str; 4] = [
    "pipeline.stages=book,bars,random,orders,risk,router",
    "random.every=5",
    "random.qty=1",
    "risk.max_notional=100000000",
];

pub(super) fn cases() -> Vec<Case> {
    let recorded = DAYS.map(|(feed, file, steps, terms)| {
        let name = format!("ticks::{}", file.rsplit('/').next().unwrap_or(file));
        Case::new(name, &[file], move |p| {
            let mut arguments = replay(feed, &p[0], "order,fill");
            arguments.extend(terms.iter().flat_map(|term| ["--set", term]));
            let orders = on_steps(arguments, steps);
            assert!(orders > 20, "{orders} orders");
        })
    });
    let made = Case::new("ticks::synthetic", &[], |_| {
        let day = ["replay", "--feed", "synthetic", "--emit", "order,fill", "--set", "synthetic.messages=150000"];
        assert!(on_steps(day.to_vec(), STOCK) > 200);
    });
    recorded.into_iter().chain([made]).collect()
}

/// Asserts that every price is a multiple of its step; how many orders have one.
fn on_steps(mut arguments: Vec<&str>, [low, high]: [u64; 2]) -> u64 {
    arguments.extend(RANDOM.iter().flat_map(|setting| ["--set", setting]));
    let mut orders = 0;
    each(&arguments, |row: Value| {
        let Some(px) = row["px"].as_str().map(super::ten_thousandths) else { return };
        assert_eq!(px % if px < DOLLAR { low } else { high }, 0, "{row}");
        orders += u64::from(row["kind"] == "order");
    });
    orders
}
