//! ITCH 5.0 as Nasdaq published it: a single-stock file and MoldUDP64 captures, against independent figures.
//!
//! Reads `TIDEGATE_DATA` (default `../shared/data` beside the workspace); without it every test is ignored by name.

use crate::trial;
use feeds::drive;
use feeds::itch::ItchDecoder;
use feeds::{FEEDS, Request};
use flow::records::{Add, Anomaly, Cancel, Delete, Exec, Listing, Name, Replace, Trade};
use flow::{AnomalyKind, Decoder, Event, Inputs, Kind, Ns, Params, Polled, Px};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use std::path::PathBuf;

const AAPL: &str = "nasdaq_itch/locate-13-10k.bin";
const SENT: &str = "moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0";
const FRAMED_AGAIN: &str = "moldudp64_pcap/Nasdaq.Equities.TotalView.Itch.v5.0.20230822";

/// Messages by type.
type Types = &'static [(&'static str, u64)];

/// Original captures: file, packets, messages by type, messages missing between packets.
const AS_SENT: &[(&str, u64, Types, u64)] = &[
    ("AddOrderNoMpidAttributionMessage", 1, &[("A", 1)], 0),
    ("MarketParticipantPositionMessage", 1, &[("L", 1)], 0),
    ("Multiple.Packets", 2, &[("A", 36), ("F", 2), ("D", 1)], 19_009_117 - 14_764_497),
    ("NetOrderImbalanceIndicatorMessage", 1, &[("I", 1)], 0),
    ("OrderDeleteMessage", 1, &[("D", 1)], 0),
    ("OrderExecutedMessage", 1, &[("E", 1)], 0),
    ("OrderReplaceMessage", 1, &[("U", 1)], 0),
    ("StockTradingActionMessage", 1, &[("H", 1)], 0),
];

/// Captures that their publisher re-framed, one type each: file, packets, type. Their sequence numbers are 0.
const AGAIN: &[(&str, u64, &str)] = &[
    ("AddOrderNoMPID", 5, "A"),
    ("AddOrderWithMPID", 5, "F"),
    ("CrossTrade", 5, "Q"),
    ("LULDAuctionCollar", 5, "J"),
    ("MarketParticipantPosition", 5, "L"),
    ("NetOrderImbalanceIndicator", 5, "I"),
    ("NonCrossTrade", 5, "P"),
    ("OrderCancel", 5, "X"),
    ("OrderDelete", 5, "D"),
    ("OrderExecuted", 5, "E"),
    ("OrderExecutedWithPrice", 5, "C"),
    ("OrderReplace", 5, "U"),
    ("RegSHORestriction", 5, "Y"),
    ("StockTradingAction", 5, "H"),
    ("SystemEvent", 1, "S"),
];

/// The inputs and counts of a file.
struct Read {
    inputs: Vec<(Event, u64)>,
    counts: BTreeMap<String, u64>,
    warnings: Vec<String>,
}

/// Reads a file through the registered feed, reader thread included.
fn read(path: &std::path::Path) -> Read {
    let feed = flow::find(FEEDS, "itch").unwrap();
    let request = Request { paths: vec![path.to_owned()], date: None, params: Params::defaults(feed.params) };
    let mut source = feed.input(&request, feeds::FEEDS).map(feeds::Input::start).unwrap();
    let (mut inputs, mut queue) = (Vec::new(), Inputs::with_capacity(0));
    while source.poll(&mut queue).unwrap() != Polled::Ended {
        while let Some((event, record)) = queue.front() {
            inputs.push((*event, record));
            queue.pop();
        }
    }
    let counts = source.counts().into_iter().filter(|c| c.count > 0).map(|c| (c.name, c.count)).collect();
    Read { inputs, counts, warnings: source.warnings() }
}

fn by_type(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

/// The sum of the quantities, and their mean price in 1e-6, rounded.
fn volume(trades: impl Iterator<Item = (Px, u64)>) -> (u64, i64) {
    let (qty, money) = trades.fold((0, 0), |(q, m), (px, qty)| (q + qty, m + i128::from(px.0) * i128::from(qty)));
    (qty, ((money + i128::from(qty) * 500) / (i128::from(qty) * 1000)) as i64)
}

fn one_stock(path: PathBuf) {
    let file = read(&path);
    let want = [
        ("A", 4758),
        ("D", 4083),
        ("E", 849),
        ("P", 240),
        ("L", 52),
        ("U", 7),
        ("X", 6),
        ("F", 2),
        ("R", 1),
        ("H", 1),
        ("Y", 1),
    ];
    assert_eq!(file.counts, by_type(&want));
    assert_eq!(file.warnings.len(), 1, "there is no date in its name: {:?}", file.warnings);
    let events = || file.inputs.iter().map(|(e, _)| e);
    assert_eq!(events().filter_map(|e| e.get::<Name>()).map(|n| n.text[..4].to_vec()).collect::<Vec<_>>(), [b"AAPL"]);
    assert!(events().all(|e| e.instrument == 13));
    assert!(file.inputs.windows(2).all(|w| w[0].0.ts <= w[1].0.ts && w[0].1 <= w[1].1));
    let last = 28_770_516_505_496 + 5 * 3_600 * Ns::SECOND;
    assert_eq!(file.inputs.last().map(|(e, record)| (e.ts.0, *record)), Some((last, 10_000)));
    let hidden = volume(events().filter_map(|e| e.get::<Trade>()).map(|t| (t.px, t.qty.0)));
    assert_eq!(hidden, (25_470, 321_121_966));
    let live = executed(events());
    assert_eq!(live.len(), 215);
}

/// Follows orders by their references alone; returns those that are live at the end.
fn executed<'a>(events: impl Iterator<Item = &'a Event>) -> BTreeMap<u64, (Px, u64)> {
    let mut live = BTreeMap::new();
    let mut prints = Vec::new();
    for event in events {
        if let Some(a) = event.get::<Add>() {
            assert!(live.insert(a.order_ref, (a.px, a.qty.0)).is_none());
        } else if let Some(x) = event.get::<Cancel>() {
            live.get_mut(&x.order_ref).unwrap().1 -= x.qty.0;
        } else if let Some(d) = event.get::<Delete>() {
            live.remove(&d.order_ref).unwrap();
        } else if let Some(u) = event.get::<Replace>() {
            live.remove(&u.order_ref).unwrap();
            live.insert(u.new_ref, (u.px, u.qty.0));
        } else if let Some(e) = event.get::<Exec>() {
            let order = live.get_mut(&e.order_ref).unwrap();
            order.1 -= e.qty.0;
            prints.push((order.0, e.qty.0));
            live.retain(|r, (_, left)| *r != e.order_ref || *left > 0);
        }
    }
    assert_eq!(volume(prints.into_iter()), (56_086, 321_073_693));
    live
}

fn as_sent(path: PathBuf, packets: u64, types: &[(&str, u64)], missing: u64) {
    let file = read(&path);
    let mut want = by_type(types);
    want.insert("packets".to_owned(), packets);
    if missing > 0 {
        want.insert("gaps".to_owned(), 1);
        want.insert("packets that waited for others".to_owned(), 1);
    }
    assert_eq!(file.counts, want);
    let anomalies = file.inputs.iter().filter_map(|(e, _)| e.get::<Anomaly>()).map(|a| (a.what, a.detail));
    let told: Vec<_> = if missing > 0 { vec![(AnomalyKind::SequenceGap as u16, missing)] } else { vec![] };
    assert_eq!(anomalies.collect::<Vec<_>>(), told);
    assert_eq!(file.inputs.iter().filter(|(e, _)| e.kind == Kind::Gap).count(), told.len());
    on_the_day(&file);
}

fn framed_again(path: PathBuf, packets: u64, code: &str) {
    let file = read(&path);
    let mut want = by_type(&[(code, packets), ("packets", packets)]);
    let empty = if code == "Q" { 3 } else { 0 };
    if empty > 0 {
        want.insert("crosses without shares".to_owned(), empty);
    }
    assert_eq!(file.counts, want);
    assert!(file.inputs.iter().all(|(e, _)| e.kind != Kind::Anomaly));
    let trades = file.inputs.iter().filter_map(|(e, _)| e.get::<Trade>()).count() as u64;
    assert_eq!(trades, if matches!(code, "P" | "Q") { packets - empty } else { 0 });
    on_the_day(&file);
}

/// All captures are from 2023-08-22, shortly before 09:30; all listings are equities.
fn on_the_day(file: &Read) {
    let open = 1_692_711_000 * Ns::SECOND;
    assert!(file.warnings.is_empty(), "{:?}", file.warnings);
    assert!(file.inputs.iter().all(|(e, _)| (open - Ns::SECOND..open + 3_600 * Ns::SECOND).contains(&e.ts.0)));
    assert!(file.inputs.iter().filter_map(|(e, _)| e.get::<Listing>()).all(|l| l.venue == *b"XNAS"));
}

/// Any cut of the real file gives the same inputs.
fn cuts(path: PathBuf) {
    let bytes = std::fs::read(path).unwrap();
    let decoded = |cut, room| drive::collect(&mut ItchDecoder::new(None) as &mut dyn Decoder, &[&bytes], cut, room);
    let whole = decoded(bytes.len(), 1 << 15);
    for (cut, room) in [(1, 128), (37, 129), (4096, 1024), (65_536, 128)] {
        assert!(decoded(cut, room) == whole, "cut {cut}, room {room}");
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("itch::one_stock".to_owned(), AAPL, one_stock),
        trial("itch::one_stock_in_any_cut".to_owned(), AAPL, cuts),
    ];
    for (name, packets, types, missing) in AS_SENT {
        let run = move |path| as_sent(path, *packets, types, *missing);
        trials.push(trial(format!("itch::as_sent::{name}"), &format!("{SENT}/{name}.pcap"), run));
    }
    for (name, packets, code) in AGAIN {
        let run = move |path| framed_again(path, *packets, code);
        trials.push(trial(format!("itch::framed_again::{name}"), &format!("{FRAMED_AGAIN}/{name}.pcap"), run));
    }
    trials
}
