//! LOBSTER's published sample files: counts, volumes and injected levels against independent figures.
//!
//! Reads `TIDEGATE_DATA` (default `../shared/data` beside the workspace); without it every test is ignored by name.

use crate::trial;
use feeds::{FEEDS, Request};
use flow::records::{Exec, Level, Name, Trade};
use flow::{AnomalyKind, Flags, Inputs, Kind, Params, Polled, Side, Source};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// The known figures of a sample file.
struct Known {
    symbol: &'static str,
    zip: &'static str,
    depth: usize,
    counts: &'static [(&'static str, u64)],
    visible: (u64, &'static str),
    hidden: (u64, &'static str),
    buyers: u64,
    sellers: u64,
    last: [(i64, u64); 2],
}

const GOOG: Known = Known {
    symbol: "GOOG",
    zip: "lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip",
    depth: 10,
    counts: &[
        ("submission", 71_258),
        ("cancellation", 19),
        ("deletion", 64_961),
        ("execution", 7_765),
        ("hidden-execution", 3_913),
        ("levels-injected", 44_451),
        ("rows-equal", 147_915),
        ("rows-differing", 0),
    ],
    visible: (492_509, "569.271693"),
    hidden: (213_616, "569.827603"),
    buyers: 354_732,
    sellers: 351_393,
    last: [(5_651_200, 200), (5_652_200, 42)],
};

const AAPL: Known = Known {
    symbol: "AAPL",
    zip: "lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip",
    depth: 1,
    counts: &[
        ("submission", 54_818),
        ("cancellation", 252),
        ("deletion", 28_437),
        ("execution", 23_658),
        ("hidden-execution", 11_332),
        ("levels-injected", 30_071),
        ("rows-equal", 118_496),
        ("rows-differing", 0),
    ],
    visible: (1_845_964, "582.625662"),
    hidden: (1_004_176, "582.906037"),
    buyers: 1_314_336,
    sellers: 1_535_804,
    last: [(5_775_400, 410), (5_776_700, 300)],
};

/// Sums over the inputs of one file, with both sides of the book rebuilt from the inputs alone.
#[derive(Default)]
struct Sums {
    symbol: String,
    qty: [u64; 2],
    notional: [u128; 2],
    buyers: u64,
    sellers: u64,
    injected: u64,
    anomalies: BTreeMap<u16, u64>,
    books: [BTreeMap<i64, u64>; 2],
    backward: u64,
    last_ts: u64,
}

impl Sums {
    fn trade(&mut self, hidden: bool, px: i64, qty: u64, aggressor: Side) {
        self.qty[usize::from(hidden)] += qty;
        self.notional[usize::from(hidden)] += px as u128 * u128::from(qty);
        match aggressor {
            Side::Buy => self.buyers += qty,
            Side::Sell => self.sellers += qty,
            Side::None => panic!("a trade without an aggressor"),
        }
    }

    /// A naive book by level, which shows that the inputs alone rebuild the file's last row.
    fn shift(&mut self, side: Side, px: i64, by: i64) {
        let book = &mut self.books[usize::from(side == Side::Sell)];
        let left =
            book.get(&px).copied().unwrap_or(0).checked_add_signed(by).expect("a level never goes below nothing");
        if left == 0 {
            book.remove(&px)
        } else {
            book.insert(px, left)
        };
    }

    fn see(&mut self, event: &flow::Event) {
        use flow::records::{Add, Anomaly, Cancel, Delete};
        self.backward += u64::from(event.ts.0 < self.last_ts);
        self.last_ts = event.ts.0;
        let side = event.side();
        match event.kind {
            Kind::Name => self.symbol = String::from_utf8_lossy(&event.record::<Name>().text).trim_matches('\0').into(),
            Kind::Add => self.shift(side, event.record::<Add>().px.0, event.record::<Add>().qty.0 as i64),
            Kind::Cancel => self.shift(side, event.record::<Cancel>().px.0, -(event.record::<Cancel>().qty.0 as i64)),
            Kind::Delete => self.shift(side, event.record::<Delete>().px.0, -(event.record::<Delete>().qty.0 as i64)),
            Kind::Exec => {
                let exec = *event.record::<Exec>();
                self.shift(side, exec.px.0, -(exec.qty.0 as i64));
                self.trade(false, exec.px.0, exec.qty.0, side.opposite());
            }
            Kind::Trade => {
                let trade = *event.record::<Trade>();
                self.trade(event.flags.has(Flags::HIDDEN), trade.px.0, trade.qty.0, side);
            }
            Kind::Level => {
                let level = *event.record::<Level>();
                self.injected += u64::from(level.qty.0 > 0);
                let book = &mut self.books[usize::from(side == Side::Sell)];
                if level.qty.0 == 0 {
                    book.remove(&level.px.0)
                } else {
                    book.insert(level.px.0, level.qty.0)
                };
            }
            Kind::Anomaly => *self.anomalies.entry(event.record::<Anomaly>().what).or_default() += 1,
            _ => {}
        }
    }

    fn vwap(&self, hidden: usize) -> String {
        let tenth_micro = self.notional[hidden] * 10 / u128::from(self.qty[hidden]) / 1_000;
        let micro = (tenth_micro + 5) / 10;
        format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
    }
}

/// The two sides of an orderbook row, parsed independently of the feed.
fn sides(row: &str) -> [BTreeMap<i64, u64>; 2] {
    let fields: Vec<i64> = row.split(',').map(|f| f.parse().unwrap()).collect();
    let side = |at: usize| {
        let levels = fields.chunks(4).map(move |level| (level[at] * 100_000, level[at + 1] as u64));
        levels.filter(|(_, qty)| *qty > 0).collect()
    };
    [side(2), side(0)]
}

/// Reads every input; after each complete row, the book rebuilt from the inputs must equal that row of the file.
fn drain(source: &mut dyn Source, sums: &mut Sums, rows: impl BufRead) {
    let mut inputs = Inputs::with_capacity(1024);
    let (mut rows, mut seen) = (rows.lines(), 0);
    loop {
        match source.poll(&mut inputs).unwrap() {
            Polled::Ended => {
                assert!(rows.next().is_none(), "rows are left over after {seen}");
                return;
            }
            Polled::Idle(_) | Polled::Anew => std::thread::yield_now(),
            Polled::Ready => {
                while let Some((event, record)) = inputs.front() {
                    sums.see(event);
                    if event.flags.has(Flags::LAST_OF_GROUP) && event.kind != Kind::Listing {
                        seen += 1;
                        assert_eq!(seen, record, "every row closes one group");
                        assert_eq!(sums.books, sides(&rows.next().unwrap().unwrap()), "row {record}");
                    }
                    inputs.pop();
                }
            }
        }
    }
}

fn open(paths: Vec<PathBuf>) -> Box<dyn Source> {
    let feed = flow::find(FEEDS, "lobster").expect("the feed is registered");
    let request = Request { paths, date: None, params: Params::defaults(feed.params) };
    feed.input(&request, feeds::FEEDS).map(feeds::Input::start).unwrap_or_else(|e| panic!("{e}"))
}

fn check(known: &Known, paths: Vec<PathBuf>) {
    let streams = paths.iter().flat_map(|path| feeds::reader::open_streams(path).unwrap());
    let rows = streams.map(Result::unwrap).find(|s| s.name.contains("_orderbook_")).expect("an orderbook file");
    let (mut source, mut sums) = (open(paths), Sums::default());
    drain(&mut *source, &mut sums, BufReader::new(rows.read));
    let counts = source.counts();
    for (name, count) in known.counts {
        let found = counts.iter().find(|c| c.name == *name).map(|c| c.count);
        assert_eq!(found, Some(*count), "{name}");
    }
    assert_eq!(sums.anomalies, BTreeMap::new(), "{} is a mismatch", AnomalyKind::Mismatch as u16);
    assert_eq!((sums.symbol.as_str(), sums.backward), (known.symbol, 0));
    assert_eq!(sums.injected, known.counts[5].1 + 2 * known.depth as u64, "injected levels and the first row's");
    assert_eq!(sums.qty, [known.visible.0, known.hidden.0]);
    assert_eq!([sums.vwap(0), sums.vwap(1)], [known.visible.1, known.hidden.1]);
    assert_eq!((sums.buyers, sums.sellers), (known.buyers, known.sellers));
    let best = [sums.books[0].last_key_value(), sums.books[1].first_key_value()];
    let best = best.map(|level| level.map(|(px, qty)| (px / 100_000, *qty)).expect("a book with two sides"));
    assert_eq!(best, known.last);
}

fn unpacked(zip: &Path, to: &Path) -> Vec<PathBuf> {
    let streams = feeds::reader::open_streams(zip).unwrap();
    let csv = streams.map(Result::unwrap).filter(|s| s.name.ends_with(".csv"));
    csv.map(|mut stream| {
        let path = to.join(&stream.name);
        std::io::copy(&mut stream.read, &mut std::fs::File::create(&path).unwrap()).unwrap();
        path
    })
    .collect()
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("lobster::goog_from_the_zip".to_owned(), GOOG.zip, |zip| check(&GOOG, vec![zip])),
        trial("lobster::aapl_from_the_zip".to_owned(), AAPL.zip, |zip| check(&AAPL, vec![zip])),
        trial("lobster::aapl_from_two_files".to_owned(), AAPL.zip, |zip| {
            let folder = tempfile::tempdir().unwrap();
            check(&AAPL, unpacked(&zip, folder.path()))
        }),
    ]
}
