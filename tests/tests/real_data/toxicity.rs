//! Measures of flow on LOBSTER's samples, against figures that were found from the message files alone.

use super::{each, replay, rows};
use serde::Deserialize;
use std::path::Path;
use tidegate_tests::Case;

const GOOG: &str = "lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip";
const AAPL: &str = "lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip";

/// What is known of a sample, with windows of 50 buckets.
struct Known {
    bucket: u64,
    buckets: u64,
    /// Sum of |bought - sold| over all full buckets.
    imbalance: u64,
    /// First, last, highest and lowest value, six decimals.
    vpin: [&'static str; 4],
    /// Bought and sold by the aggressor.
    sides: [u64; 2],
}

const OF_GOOG: Known = Known {
    bucket: 5_000,
    buckets: 141,
    imbalance: 188_020,
    vpin: ["0.263584", "0.279952", "0.294176", "0.240232"],
    sides: [354_732, 351_393],
};

const OF_AAPL: Known = Known {
    bucket: 20_000,
    buckets: 142,
    imbalance: 768_590,
    vpin: ["0.262006", "0.280774", "0.296802", "0.250654"],
    sides: [1_314_336, 1_535_804],
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("toxicity::vpin_of_goog", &[GOOG], |p| vpin(&p[0], &OF_GOOG)),
        Case::new("toxicity::vpin_of_aapl", &[AAPL], |p| vpin(&p[0], &OF_AAPL)),
        Case::new("toxicity::signed_volume_of_goog", &[GOOG], |p| cvd(&p[0], &OF_GOOG)),
        Case::new("toxicity::signed_volume_of_aapl", &[AAPL], |p| cvd(&p[0], &OF_AAPL)),
        Case::new("toxicity::bulk_vpin_of_goog", &[GOOG], |p| bulk(&p[0], &OF_GOOG)),
        Case::new("toxicity::imbalance_of_goog", &[GOOG], |p| imbalance(&p[0])),
    ]
}

/// A row of `vpin`.
#[derive(Deserialize, Debug)]
struct Vpin {
    vpin: Option<f64>,
    buckets: u64,
    bucket_qty: u64,
    buy_qty: u64,
    sell_qty: u64,
    unsigned_qty: u64,
    mode: String,
    closed: u64,
    window: u64,
    bucket_buy_qty: u64,
    bucket_sell_qty: u64,
}

/// A row of `cvd`.
#[derive(Deserialize, Debug)]
struct Cvd {
    cvd: i64,
    buy_qty: u64,
    sell_qty: u64,
    unsigned_qty: u64,
    trades: u64,
}

/// A row of `imbalance`.
#[derive(Deserialize, Debug)]
struct Imbalance {
    record: u64,
    l1: Option<f64>,
    depth: Option<f64>,
    mid: Option<String>,
    levels: usize,
}

/// A replay through the whole pipeline of measures, with these settings.
fn measured<'a>(file: &'a Path, emit: &'a str, set: &'a [String]) -> Vec<&'a str> {
    let mut arguments = replay("lobster", file, emit);
    arguments.extend(["--set", "pipeline.stages=book,bars,cvd,imbalance,vpin"]);
    set.iter().for_each(|s| arguments.extend(["--set", s]));
    arguments
}

fn vpin(file: &Path, known: &Known) {
    let all: Vec<Vpin> = rows(&measured(file, "vpin", &[format!("vpin.bucket_qty={}", known.bucket)]));
    let (mut counted, mut sum) = (0, 0);
    for row in &all {
        counted += row.closed;
        assert_eq!((row.buckets, row.bucket_qty, row.window), (counted, known.bucket, 50), "{row:?}");
        assert_eq!((row.unsigned_qty, row.mode.as_str()), (0, "exact"), "{row:?}");
        assert_eq!(row.bucket_buy_qty + row.bucket_sell_qty, known.bucket, "{row:?}");
        assert!(row.buy_qty + row.sell_qty >= counted * known.bucket, "{row:?}");
        assert_eq!(row.closed, 1, "no trade of the sample closes two buckets, so each is printed");
        sum += row.bucket_buy_qty.abs_diff(row.bucket_sell_qty);
        assert_eq!(row.vpin.is_some(), counted >= 50, "{row:?}");
    }
    assert_eq!((counted, sum), (known.buckets, known.imbalance));
    let values: Vec<f64> = all.iter().filter_map(|row| row.vpin).collect();
    assert_eq!(values.len() as u64, known.buckets - 49);
    let (first, last) = (values[0], values[values.len() - 1]);
    let (high, low) = values.iter().fold((0_f64, 1_f64), |(h, l), v| (h.max(*v), l.min(*v)));
    assert_eq!([first, last, high, low].map(|v| format!("{v:.6}")), known.vpin);
}

fn cvd(file: &Path, known: &Known) {
    let (mut last, mut rows) = (None, 0);
    each(&measured(file, "cvd", &[]), |row: Cvd| {
        rows += 1;
        assert_eq!((row.cvd, row.trades), (row.buy_qty as i64 - row.sell_qty as i64, rows), "{row:?}");
        last = Some(row);
    });
    let last = last.expect("the sample has trades");
    assert_eq!(([last.buy_qty, last.sell_qty], last.unsigned_qty), (known.sides, 0));
}

/// All volume of closed bars is in the buckets, and what was bought and sold of it sums up.
fn bulk(file: &Path, known: &Known) {
    let set = [format!("vpin.bucket_qty={}", known.bucket), "vpin.mode=bulk".to_owned()];
    let all: Vec<Vpin> = rows(&measured(file, "vpin", &set));
    let closed: u64 = all.iter().map(|row| row.closed).sum();
    assert_eq!(closed, known.buckets);
    for row in &all {
        assert_eq!(row.mode, "bulk");
        assert!(row.vpin.is_none_or(|v| (0.0..=1.0).contains(&v)) && row.vpin.is_some() == (row.buckets >= 50));
    }
    let last = all.last().expect("buckets closed");
    let (volume, total) = (last.buy_qty + last.sell_qty, known.sides[0] + known.sides[1]);
    assert!(volume <= total && volume >= known.buckets * known.bucket);
}

/// A row of the book, as its file has it.
struct Row(Vec<i64>);

impl Row {
    /// Quantities of the best `n` levels of a side, 3 for the bids and 1 for the asks.
    fn sum(&self, n: usize, side: usize) -> i64 {
        self.0.chunks(4).take(n).map(|level| level[side]).sum()
    }
}

/// Both measures at every new touch, from the row of the book file that stands after the same message.
fn imbalance(file: &Path) {
    let books: Vec<Row> = super::lobster::book_rows(file)
        .iter()
        .map(|line| Row(line.split(',').map(|f| f.parse().expect("a number")).collect()))
        .collect();
    let balance = |bid: i64, ask: i64| (bid - ask) as f64 / (bid + ask) as f64;
    let mut seen = 0;
    each(&measured(file, "imbalance", &["imbalance.levels=5".to_owned()]), |row: Imbalance| {
        seen += 1;
        let book = &books[row.record as usize - 1];
        let expected = (balance(book.0[3], book.0[1]), balance(book.sum(5, 3), book.sum(5, 1)));
        let (l1, depth) = (row.l1.expect("both sides are there"), row.depth.expect("all levels are known"));
        let off = (l1 - expected.0).abs().max((depth - expected.1).abs());
        assert!(off < 1e-12 && row.levels == 5, "{row:?} for {expected:?}");
        let mid = row.mid.as_deref().expect("both sides are there");
        assert_eq!(mid.parse::<f64>().expect("a number"), (book.0[0] + book.0[2]) as f64 / 20_000.0);
    });
    assert!(seen > 10_000, "{seen} new touches");
}
