//! LEAN's ticks of five stock-days: counts, volumes and signed volumes against figures of another program.

use crate::trial;
use feeds::{FEEDS, Request};
use flow::records::{Name, Trade};
use flow::{Flags, Inputs, Kind, Ns, Params, Polled, Side, Source, Value, midnight, zone_of};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The known figures of a day.
struct Known {
    symbol: &'static str,
    day: &'static str,
    /// Trades, shares and VWAP of all of the day, and of the regular session.
    all: (u64, u64, &'static str),
    regular: (u64, u64, &'static str),
    /// By the tick rule over all prints: bought, sold, unsigned.
    ticked: [u64; 3],
    /// By Lee and Ready over the prints that make a price, or by the tick rule where there are no quotes.
    signed: [u64; 3],
    /// Shares whose side follows from a quote.
    quoted: u64,
    /// Prints and shares that make no price, and those of auctions.
    volume_only: (u64, u64),
    auction: (u64, u64),
    /// Without one of IBM that is marked suspicious.
    quotes: u64,
}

const DAYS: [Known; 5] = [
    Known {
        symbol: "SPY",
        day: "20131007",
        all: (250_601, 97_062_721, "167.906729"),
        regular: (241_504, 81_975_673, "167.930229"),
        ticked: [47_043_793, 50_016_879, 2_049],
        signed: [42_104_491, 42_767_273, 2_049],
        quoted: 0,
        volume_only: (335, 11_024_331),
        auction: (558, 1_164_577),
        quotes: 0,
    },
    Known {
        symbol: "SPY",
        day: "20131008",
        all: (451_545, 178_346_557, "166.395717"),
        regular: (440_353, 154_413_631, "166.383778"),
        ticked: [98_178_767, 80_167_580, 210],
        signed: [82_979_304, 78_346_854, 210],
        quoted: 0,
        volume_only: (361, 16_465_161),
        auction: (313, 555_028),
        quotes: 0,
    },
    Known {
        symbol: "SPY",
        day: "20131009",
        all: (439_677, 165_525_328, "165.531770"),
        regular: (428_958, 144_554_931, "165.527906"),
        ticked: [84_084_978, 81_439_750, 600],
        signed: [74_219_419, 73_771_054, 600],
        quoted: 0,
        volume_only: (287, 16_675_356),
        auction: (501, 858_899),
        quotes: 0,
    },
    Known {
        symbol: "IBM",
        day: "20131007",
        all: (24_293, 3_960_352, "182.500507"),
        regular: (24_106, 3_753_440, "182.529045"),
        ticked: [1_937_320, 2_022_749, 283],
        signed: [1_771_969, 1_845_389, 0],
        quoted: 3_269_506,
        volume_only: (70, 52_403),
        auction: (3, 290_591),
        quotes: 109_066,
    },
    Known {
        symbol: "BAC",
        day: "20131007",
        all: (88_172, 64_411_712, "13.861906"),
        regular: (86_434, 60_286_316, "13.862880"),
        ticked: [30_597_434, 33_813_778, 500],
        signed: [29_586_498, 31_204_521, 0],
        quoted: 57_859_079,
        volume_only: (123, 417_494),
        auction: (5, 3_203_199),
        quotes: 476_855,
    },
];

impl Known {
    fn file(&self, kind: &str) -> String {
        format!("lean/equity/usa/tick/{}/{}_{kind}.zip", self.symbol.to_lowercase(), self.day)
    }
}

/// Sums over some trades.
#[derive(Default, PartialEq, Eq, Debug)]
struct Sum {
    trades: u64,
    shares: u64,
    notional: u128,
}

impl Sum {
    fn add(&mut self, trade: &Trade) {
        self.trades += 1;
        self.shares += trade.qty.0;
        self.notional += trade.px.0 as u128 * u128::from(trade.qty.0);
    }

    fn told(&self) -> (u64, u64, String) {
        let micro = (self.notional * 10 / u128::from(self.shares) / 1_000 + 5) / 10;
        (self.trades, self.shares, format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000))
    }

    fn pair(&self) -> (u64, u64) {
        (self.trades, self.shares)
    }
}

/// What the inputs of a day come to.
#[derive(Default)]
struct Day {
    symbol: String,
    all: Sum,
    regular: Sum,
    volume_only: Sum,
    auction: Sum,
    /// Bought, sold, unsigned, of what makes a price outside auctions.
    signed: [u64; 3],
    quoted: u64,
    quotes: u64,
    /// Shares by cent, of the regular session's prints that make a price.
    profile: BTreeMap<i64, u64>,
    last: Ns,
}

const REGULAR: std::ops::Range<u64> = 34_200_000_000_000..57_600_000_000_000;

impl Day {
    fn see(&mut self, event: &flow::Event, midnight: Ns) {
        assert!(event.ts >= self.last, "time goes back");
        self.last = event.ts;
        if event.kind == Kind::Name {
            self.symbol = String::from_utf8_lossy(&event.record::<Name>().text).trim_matches('\0').into();
        }
        self.quotes += u64::from(event.kind == Kind::Quote);
        let Some(trade) = event.get::<Trade>() else { return };
        let is_regular = REGULAR.contains(&(trade.exchange_ts.0 - midnight.0));
        self.all.add(trade);
        if is_regular {
            self.regular.add(trade);
        }
        if event.flags.has(Flags::VOLUME_ONLY) {
            assert_eq!(event.side(), Side::None, "it has no aggressor");
            return self.volume_only.add(trade);
        }
        if is_regular {
            *self.profile.entry(trade.px.0 / 10_000_000).or_default() += trade.qty.0;
        }
        if event.flags.has(Flags::AUCTION) {
            assert_eq!(event.side(), Side::None, "it has no aggressor");
            return self.auction.add(trade);
        }
        let side = event.side();
        assert_eq!(event.flags.has(Flags::INFERRED_AGGRESSOR), side != Side::None, "no side is told");
        self.signed[[2, 0, 1][side as usize]] += trade.qty.0;
        self.quoted += if event.flags.has(Flags::BY_QUOTE) { trade.qty.0 } else { 0 };
    }
}

fn open(paths: Vec<PathBuf>, settings: &[(&str, &str)]) -> Box<dyn Source> {
    let feed = flow::find(FEEDS, "lean").expect("the feed is registered");
    let mut params = Params::defaults(feed.params);
    for (name, value) in settings {
        let param = feed.params.iter().find(|param| param.name == *name).expect("a parameter");
        params.set(param, Value::Text((*value).to_owned()));
    }
    let request = Request { paths, date: None, params };
    feed.input(&request, FEEDS).map(feeds::Input::start).unwrap_or_else(|e| panic!("{e}"))
}

fn read(known: &Known, paths: Vec<PathBuf>, settings: &[(&str, &str)]) -> Day {
    let (mut source, mut inputs, mut day) = (open(paths, settings), Inputs::with_capacity(1024), Day::default());
    let midnight = midnight(date(known.day), zone_of(flow::Mic(*b"XNYS")));
    loop {
        match source.poll(&mut inputs).unwrap() {
            Polled::Ended => return day,
            Polled::Idle(_) | Polled::Anew => std::thread::yield_now(),
            Polled::Ready => {
                while let Some((event, _)) = inputs.front() {
                    day.see(event, midnight);
                    inputs.pop();
                }
            }
        }
    }
}

fn date(day: &str) -> chrono::NaiveDate {
    chrono::NaiveDate::parse_from_str(day, "%Y%m%d").expect("a date")
}

/// All prints by the tick rule, as the figures were made; then by conditions and with the quotes, if there are any.
fn check(known: &Known, trades: PathBuf) {
    let day = read(known, vec![trades.clone()], &[("signing", "tick"), ("prints", "all")]);
    let told =
        |sum: &Sum, (trades, shares, vwap): (u64, u64, &str)| assert_eq!(sum.told(), (trades, shares, vwap.to_owned()));
    assert_eq!(day.symbol, known.symbol);
    told(&day.all, known.all);
    told(&day.regular, known.regular);
    assert_eq!((day.signed, day.quoted, day.volume_only.trades), (known.ticked, 0, 0));
    let quotes = trades.with_file_name(format!("{}_quote.zip", known.day));
    let files = std::iter::once(trades).chain(Some(quotes).filter(|quotes| quotes.exists())).collect();
    let day = read(known, files, &[]);
    told(&day.all, known.all);
    assert_eq!((day.signed, day.quoted, day.quotes), (known.signed, known.quoted, known.quotes));
    assert_eq!((day.volume_only.pair(), day.auction.pair()), (known.volume_only, known.auction));
}

/// The cents with the most shares, of the prints that make a price: an average-price print is none of them.
fn busiest_cent(trades: PathBuf, known: &Known, cent: i64) {
    let day = read(known, vec![trades], &[]);
    let most = day.profile.iter().max_by_key(|(_, shares)| **shares).map(|(cent, _)| *cent);
    assert_eq!(most, Some(cent));
}

pub(crate) fn trials() -> Vec<Trial> {
    let days = DAYS.iter().map(|known| {
        let name = format!("lean::{}_{}", known.symbol.to_lowercase(), known.day);
        trial(name, &known.file("trade"), |trades| check(known, trades))
    });
    let cents = [(1, 16_595), (2, 16_573)].map(|(at, cent)| {
        let known = &DAYS[at];
        trial(format!("lean::busiest_cent_of_{}", known.day), &known.file("trade"), move |trades| {
            busiest_cent(trades, known, cent);
        })
    });
    let three = trial("lean::three_days_in_order".to_owned(), &DAYS[0].file("trade"), |first| {
        let files = DAYS[..3].iter().rev().map(|known| first.with_file_name(format!("{}_trade.zip", known.day)));
        let day = read(&DAYS[0], files.collect(), &[]);
        assert_eq!(day.all.trades, DAYS[..3].iter().map(|known| known.all.0).sum::<u64>());
        let [bought, ..] = day.signed;
        assert_eq!(bought, DAYS[..3].iter().map(|known| known.signed[0]).sum::<u64>(), "each day begins anew");
    });
    days.chain(cents).chain([three]).collect()
}
