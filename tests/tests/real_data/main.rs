//! Recorded markets through the binary: what it prints against figures found without it.
//!
//! The decoders and the book have tests of their own. These look at the rows that a user gets, so that nothing between
//! the bytes of a file and the text of a row may be wrong: feed, merge, book, bars, tail and printing together. The
//! figures are sums over the files, made by other programs, or other files that come with them.

mod dbn;
#[path = "../pipeline/harness.rs"]
mod harness;
mod itch;
mod lean;
mod lobster;
mod reals;
mod state;
mod ticks;
mod toxicity;
mod venue;

use serde::Deserialize;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use tidegate_tests::{conclude, run, tidegate};

fn main() -> ExitCode {
    conclude(
        [
            itch::cases(),
            lean::cases(),
            lobster::cases(),
            reals::cases(),
            dbn::cases(),
            state::cases(),
            ticks::cases(),
            toxicity::cases(),
            venue::cases(),
        ]
        .into_iter()
        .flatten()
        .collect(),
    )
}

/// A row of `depth`.
#[derive(Deserialize, Debug)]
struct Depth {
    record: u64,
    bids: Vec<(String, u64)>,
    asks: Vec<(String, u64)>,
}

impl Depth {
    /// How many levels each side has and what rests there in all.
    fn totals(&self) -> [(usize, u64); 2] {
        [&self.bids, &self.asks].map(|side| (side.len(), side.iter().map(|(_, qty)| qty).sum()))
    }

    /// The best `n` levels of both sides as text.
    fn best(&self, n: usize) -> [Vec<String>; 2] {
        [&self.bids, &self.asks].map(|side| side.iter().take(n).map(|(px, qty)| format!("{px} x {qty}")).collect())
    }
}

/// A row of `trade`.
#[derive(Deserialize, Debug)]
struct Trade {
    px: String,
    qty: u64,
    aggressor: String,
    displayed: bool,
}

/// Quantity and money of some trades.
#[derive(Default)]
struct Sum {
    qty: u64,
    money: u128,
}

impl Sum {
    fn of<'a>(trades: impl IntoIterator<Item = &'a Trade>) -> Sum {
        let mut sum = Sum::default();
        for trade in trades {
            sum.qty += trade.qty;
            sum.money += u128::from(ten_thousandths(&trade.px)) * u128::from(trade.qty);
        }
        sum
    }

    /// The average price with six decimals, half up.
    fn vwap(&self) -> String {
        let micro = (self.money * 1_000 / u128::from(self.qty) + 5) / 10;
        format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
    }
}

/// A printed price in units of 0.0001.
fn ten_thousandths(px: &str) -> u64 {
    let (whole, part) = px.split_once('.').unwrap_or((px, ""));
    assert!(part.len() <= 4, "{px} has more than four decimals");
    format!("{whole}{part:0<4}").parse().unwrap_or_else(|_| panic!("{px} is no price"))
}

/// The arguments of a replay of one file that prints these kinds.
fn replay<'a>(feed: &'a str, file: &'a Path, emit: &'a str) -> Vec<&'a str> {
    let file = file.to_str().expect("the path of the data is UTF-8");
    vec!["replay", "--feed", feed, "--input", file, "--emit", emit]
}

/// The rows of a replay, each given to `take` as it comes.
fn each<R: for<'a> Deserialize<'a>>(arguments: &[&str], mut take: impl FnMut(R)) {
    let mut command = Command::new(tidegate());
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("tidegate starts");
    for line in BufReader::new(child.stdout.take().expect("piped")).lines() {
        let line = line.expect("rows are UTF-8");
        take(serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line}: {e}")));
    }
    assert!(child.wait().expect("it ends").success(), "{arguments:?}");
}

/// All rows of a replay.
fn rows<R: for<'a> Deserialize<'a>>(arguments: &[&str]) -> Vec<R> {
    let mut all = Vec::new();
    each(arguments, |row| all.push(row));
    all
}

/// The report of a replay that prints nothing else.
fn report(feed: &str, file: &Path) -> Value {
    let file = file.to_str().expect("the path of the data is UTF-8");
    let outcome = run(["replay", "--feed", feed, "--input", file, "--json"]).expect(0);
    serde_json::from_str(&outcome.stdout).expect("one JSON object")
}

/// A row without the file's name, which differs where the same data stands in two files.
fn anonymous(mut row: Value) -> Value {
    row.as_object_mut().expect("a row is an object").remove("input");
    row
}
