//! Databento's own files: each decodes completely, versions agree, and counts and sums match independent figures.

use crate::{data, trial};
use feeds::{FEEDS, Request};
use flow::records::{Add, Bar, BarFlow, Cancel, Replace, Trade};
use flow::{Count, Event, Inputs, Kind, Listings, Params, Polled, Px, Side};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The inputs of a file.
struct Read {
    inputs: Vec<(Event, u64)>,
    counts: Vec<Count>,
    listings: Listings,
}

impl Read {
    fn of(path: &Path) -> Read {
        let feed = flow::find(FEEDS, "dbn").expect("the feed is registered");
        let request = Request { paths: vec![path.into()], date: None, params: Params::defaults(feed.params) };
        let mut source = feed
            .input(&request, feeds::FEEDS)
            .map(feeds::Input::start)
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut queue = Inputs::with_capacity(1024);
        let (mut inputs, mut listings) = (Vec::new(), Listings::default());
        loop {
            match source.poll(&mut queue).unwrap_or_else(|e| panic!("{}: {e}", path.display())) {
                Polled::Ended => break,
                Polled::Idle(_) | Polled::Anew => std::thread::yield_now(),
                Polled::Ready => {
                    while let Some((event, record)) = queue.front() {
                        listings.observe(event);
                        inputs.push((*event, record));
                        queue.pop();
                    }
                }
            }
        }
        for (event, _) in &inputs {
            assert!(event.instrument < source.instruments(), "{event:?}");
            assert!(listings.get(event.instrument).is_some(), "{}: not listed: {event:?}", path.display());
            assert_ne!(event.kind, Kind::Anomaly, "{}: {event:?}", path.display());
        }
        Read { inputs, counts: source.counts(), listings }
    }

    fn count(&self, name: &str) -> u64 {
        self.counts.iter().find(|c| c.name == name).map_or(0, |c| c.count)
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Event> {
        self.inputs.iter().map(|(e, _)| e).filter(move |e| e.kind == kind)
    }

    fn trades(&self) -> Vec<(Trade, Side)> {
        self.of_kind(Kind::Trade).map(|e| (*e.record::<Trade>(), e.side())).collect()
    }
}

/// A naive order-by-order book built from the inputs.
#[derive(Default)]
struct Book {
    orders: BTreeMap<u64, (Side, i64, u64)>,
}

impl Book {
    fn of(read: &Read) -> Book {
        let mut book = Book::default();
        read.inputs.iter().for_each(|(event, _)| book.apply(event));
        book
    }

    fn apply(&mut self, event: &Event) {
        match event.kind {
            Kind::Clear => self.orders.clear(),
            Kind::Add => {
                let add = *event.record::<Add>();
                assert_eq!(self.orders.insert(add.order_ref, (event.side(), add.px.0, add.qty.0)), None);
            }
            Kind::Cancel => {
                let cancel = *event.record::<Cancel>();
                let order = self.orders.get_mut(&cancel.order_ref).expect("the order is known");
                assert_eq!((order.0, order.1), (event.side(), cancel.px.0));
                order.2 = order.2.checked_sub(cancel.qty.0).expect("no more than there is");
                if order.2 == 0 {
                    self.orders.remove(&cancel.order_ref);
                }
            }
            Kind::Replace => {
                let replace = *event.record::<Replace>();
                let order = (event.side(), replace.px.0, replace.qty.0);
                assert!(self.orders.insert(replace.order_ref, order).is_some(), "the order is known");
            }
            _ => {}
        }
    }

    /// The levels of a side from the best, in cents.
    fn levels(&self, side: Side) -> Vec<(i64, u64)> {
        let mut levels = BTreeMap::<i64, u64>::new();
        let orders = self.orders.values().filter(|(s, ..)| *s == side);
        orders.for_each(|(_, px, qty)| *levels.entry(px / 10_000_000).or_default() += qty);
        if side == Side::Buy { levels.into_iter().rev().collect() } else { levels.into_iter().collect() }
    }

    /// The number of levels of a side, and their sum.
    fn size(&self, side: Side) -> (usize, u64) {
        let levels = self.levels(side);
        (levels.len(), levels.iter().map(|(_, qty)| qty).sum())
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.to_string_lossy().contains(".dbn") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn every_file(root: &Path) {
    let files = files(root);
    assert!(files.len() >= 100, "{} files", files.len());
    let (mut records, mut inputs) = (0, 0);
    for path in &files {
        let read = Read::of(path);
        let by_type = read.counts.iter().filter(|c| !c.name.starts_with("mbo ") && !c.name.starts_with("flag-"));
        records += by_type.filter(|c| c.name != "passed-over").map(|c| c.count).sum::<u64>();
        inputs += read.inputs.len();
    }
    println!("{} files, {records} records, {inputs} inputs", files.len());
}

fn versions(root: &Path) {
    let mut schemas: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in files(&root.join("dbn")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        schemas.entry(name.split('.').nth(1).unwrap().to_owned()).or_default().push(path);
    }
    assert!(schemas.len() >= 14);
    for (schema, paths) in schemas {
        let first = Read::of(&paths[0]);
        for other in &paths[1..] {
            let read = Read::of(other);
            assert_eq!(
                read.inputs.len(),
                first.inputs.len(),
                "{schema}: {} and {}",
                paths[0].display(),
                other.display()
            );
            for (ours, theirs) in read.inputs.iter().zip(&first.inputs) {
                assert_eq!(ours, theirs, "{schema}: {} and {}", paths[0].display(), other.display());
            }
        }
    }
}

fn esm4(path: &Path) {
    let read = Read::of(path);
    let counts = ["R", "A", "C", "M", "T", "F"].map(|action| read.count(&format!("mbo {action}")));
    assert_eq!(counts, [1, 13_678, 80, 27, 5, 5]);
    let side = |side| read.of_kind(Kind::Add).filter(|e| e.side() == side).count();
    assert_eq!([side(Side::Sell), side(Side::Buy)], [5_322, 8_356]);
    let trades = read.trades();
    assert!(trades.iter().all(|(t, side)| t.px == Px(5_214_250_000_000) && *side == Side::Buy));
    assert_eq!(trades.iter().map(|(t, _)| t.qty.0).sum::<u64>(), 6);
    assert_eq!(read.listings.iter().map(|l| l.symbol.as_str()).collect::<Vec<_>>(), ["ESM4"]);
    let book = Book::of(&read);
    assert_eq!(book.orders.len(), 13_598);
    assert_eq!(book.levels(Side::Buy)[..3], [(521_400, 28), (521_375, 34), (521_350, 46)]);
    assert_eq!(book.levels(Side::Sell)[..3], [(521_425, 17), (521_450, 16), (521_475, 51)]);
    assert_eq!((book.size(Side::Buy), book.size(Side::Sell)), ((976, 26_220), (571, 19_752)));
}

fn esh4(path: &Path) {
    let read = Read::of(path);
    let side = |side| read.of_kind(Kind::Add).filter(|e| e.side() == side).count();
    assert_eq!([side(Side::Buy), side(Side::Sell)], [5_192, 3_533]);
    let book = Book::of(&read);
    assert_eq!((book.levels(Side::Buy)[0], book.levels(Side::Sell)[0]), ((479_900, 16), (479_950, 23)));
    assert_eq!((book.size(Side::Buy), book.size(Side::Sell)), ((892, 19_424), (559, 18_880)));
}

fn trades_of_the_quotes(quotes: &Path, trades: &Path) {
    let (quotes, trades) = (Read::of(quotes), Read::of(trades));
    assert_eq!(quotes.trades(), trades.trades());
    let trades = trades.trades();
    let sum = |side| trades.iter().filter(|(_, s)| *s == side).map(|(t, _)| t.qty.0).sum::<u64>();
    assert_eq!((trades.len(), sum(Side::Buy), sum(Side::Sell)), (120, 142, 111));
    let notional: i128 = trades.iter().map(|(t, _)| i128::from(t.px.0) * i128::from(t.qty.0)).sum();
    assert_eq!((notional / 253 + 500) / 1_000, 5_529_033_597);
    let last = *quotes.of_kind(Kind::Quote).last().unwrap().record::<flow::records::Quote>();
    let ends = (last.bid_px.0, last.bid_qty.0, last.ask_px.0, last.ask_qty.0);
    assert_eq!(ends, (5_529_000_000_000, 24, 5_529_250_000_000, 6));
}

/// The trades, aggregated by minute, equal the four bars of the same minutes.
fn bars(bars: &Path, trades: &Path) {
    let (bars, trades) = (Read::of(bars), Read::of(trades));
    let volumes: Vec<u64> = bars.of_kind(Kind::BarFlow).map(|e| e.record::<BarFlow>().volume.0).collect();
    assert_eq!((volumes.len(), volumes.iter().sum::<u64>()), (60, 2_742));
    let mut built: BTreeMap<u32, (Bar, u64)> = BTreeMap::new();
    for (trade, _) in trades.trades() {
        let (px, start_s) = (trade.px, (trade.exchange_ts.0 / 60_000_000_000) as u32 * 60);
        let first = Bar { open: px, high: px, low: px, close: px, start_s, interval_s: 60 };
        let (bar, volume) = built.entry(start_s).or_insert((first, 0));
        (bar.high, bar.low, bar.close) = (bar.high.max(px), bar.low.min(px), px);
        *volume += trade.qty.0;
    }
    assert_eq!(built.values().map(|(_, v)| *v).collect::<Vec<_>>(), [18, 23, 175, 37]);
    let esu4 = bars.listings.iter().find(|l| l.symbol == "ESU4").expect("ESU4 is listed").instrument;
    let own: Vec<&Event> = bars.inputs.iter().map(|(e, _)| e).filter(|e| e.instrument == esu4).collect();
    let told = own.windows(2).filter(|w| w[0].kind == Kind::Bar);
    let told: BTreeMap<u32, (Bar, u64)> = told
        .map(|w| (*w[0].record::<Bar>(), w[1].record::<BarFlow>().volume.0))
        .map(|(bar, volume)| (bar.start_s, (bar, volume)))
        .collect();
    for (start, bar) in &built {
        assert_eq!(told.get(start), Some(bar));
    }
}

fn live(path: &Path) {
    let read = Read::of(path);
    assert_eq!(read.count("symbol-mapping"), 20);
    assert!(read.listings.iter().all(|l| !l.symbol.starts_with('#')), "every instrument was mapped");
}

/// Every listing of a file with definitions has the multiplier and the tick that a reading of its records of its own gives.
fn multipliers(root: &Path) {
    let mut table = Vec::new();
    for path in files(root) {
        let read = Read::of(&path);
        for (symbol, (multiplier, tick)) in defined(&path) {
            let listed =
                read.listings.iter().find(|l| l.symbol == symbol).unwrap_or_else(|| panic!("{symbol} is listed"));
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            assert_eq!((listed.terms.multiplier, listed.terms.tick_px.0), (multiplier, tick), "{name} {symbol}");
            table.push((name, symbol, multiplier / Px::ONE, tick));
        }
    }
    table
        .iter()
        .for_each(|(name, symbol, multiplier, tick)| println!("{name:<40} {symbol:<22} {multiplier:>4} {tick:>10}"));
    let of = |symbol: &str| table.iter().find(|row| row.1 == symbol).map(|row| (row.2, row.3));
    let told = [
        ("ESM4", 50, 250_000_000),
        ("ESU4", 50, 250_000_000),
        ("NQU4", 20, 250_000_000),
        ("ESM4 C4250", 50, 0),
        ("ESM4 P5250", 50, 0),
        ("AAPL  250221C00250000", 100, 0),
        ("NVDA", 1, 0),
    ];
    for (symbol, multiplier, tick) in told {
        assert_eq!(of(symbol), Some((multiplier, tick)), "{symbol}");
    }
}

/// Multiplier and tick by symbol, with Databento's own decoder: a share is 1, what tells a unit is that, an option of OPRA is
/// 100 shares.
fn defined(path: &Path) -> BTreeMap<String, (i64, i64)> {
    use dbn::decode::{DbnMetadata, DecodeRecordRef};
    let stream = feeds::reader::open_streams(path).unwrap().next().expect("a stream").unwrap();
    let policy = dbn::VersionUpgradePolicy::UpgradeToV3;
    let mut decoder = dbn::decode::DbnDecoder::with_upgrade_policy(stream.read, policy).unwrap();
    let is_opra = decoder.metadata().dataset == "OPRA.PILLAR";
    let mut all = BTreeMap::new();
    while let Some(record) = decoder.decode_record_ref().unwrap() {
        let Some(message) = record.get::<dbn::InstrumentDefMsg>() else { continue };
        let told = |n: i64| if n == i64::MAX { 0 } else { n };
        let multiplier = match message.instrument_class as u8 {
            b'K' => Px::ONE,
            _ if is_opra => 100 * Px::ONE,
            _ => told(message.unit_of_measure_qty),
        };
        all.insert(message.raw_symbol().unwrap().to_owned(), (multiplier, told(message.min_price_increment)));
    }
    all
}

/// The orders of ESM4 with its definition beside them: every listing of it has its terms.
fn esm4_defined(path: &Path, definition: &Path) {
    let feed: &'static feeds::Feed = flow::find(FEEDS, "dbn").expect("the feed is registered");
    let request =
        |path: &Path| (feed, Request { paths: vec![path.into()], date: None, params: Params::defaults(feed.params) });
    for (files, of_data) in [([path, definition], 0), ([definition, path], 1)] {
        let opened = feeds::found(&files.map(request), FEEDS).remove(of_data).expect("a file");
        let (mut source, mut queue) = (opened.start(), Inputs::with_capacity(1024));
        let mut listed = Vec::new();
        while !matches!(source.poll(&mut queue).unwrap(), Polled::Ended) {
            while let Some((event, _)) = queue.front() {
                listed.extend(event.get::<flow::records::Listing>().map(|l| (l.multiplier, l.tick_px.0)));
                queue.pop();
            }
        }
        assert_eq!(listed, [(50 * Px::ONE, 250_000_000)]);
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    const MBO: &str = "databento/nautilus/orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst";
    const DEFINITION: &str = "databento/nautilus/orderbooks_definition.dbn.zst";
    const SNAPSHOT: &str = "databento/nautilus/esh4-glbx-mdp3-20231224.mbo.dbn.zst";
    const QUOTES: &str = "databento/nautilus/futures_mbp-1_2024-07-01T23-58_2024-07-02T00-02.dbn.zst";
    const TRADES: &str = "databento/nautilus/futures_trades_2024-07-01T23-58_2024-07-02T00-02.dbn.zst";
    const BARS: &str = "databento/nautilus/futures_ohlcv-1m_2024-07-01T23-40_2024-07-02T00-10.dbn.zst";
    const LIVE: &str = "databento/databento-python/LIVE/test_data.live.dbn.zst";
    let trial = |name: &str, file, run: fn(PathBuf)| trial(format!("dbn::{name}"), file, run);
    vec![
        trial("every_file_decodes_whole", "databento", |root| every_file(&root)),
        trial("versions_give_the_same_inputs", "databento", |root| versions(&root)),
        trial("every_listing_has_the_terms_of_its_definition", "databento", |root| multipliers(&root)),
        trial("esm4_with_its_definition", MBO, |file| esm4_defined(&file, &data(DEFINITION))),
        trial("esm4_orders", MBO, |file| esm4(&file)),
        trial("esh4_snapshot", SNAPSHOT, |file| esh4(&file)),
        trial("the_trades_of_the_quotes_are_the_trades", QUOTES, |quotes| trades_of_the_quotes(&quotes, &data(TRADES))),
        trial("the_trades_make_the_bars", BARS, |file| bars(&file, &data(TRADES))),
        trial("a_live_session_is_named", LIVE, |file| live(&file)),
    ]
}
