//! DBN from synthetic records: what each becomes, what errors report, and that cuts change nothing.

use dbn::encode::{DbnEncoder, EncodeRecord};
use dbn::record::{BidAskPair, RecordHeader};
use dbn::{FlagSet, MboMsg, Mbp1Msg, Mbp10Msg, Metadata, OhlcvMsg, SType, Schema, SymbolMappingMsg, TradeMsg, rtype};
use feeds::dbn::Dbn;
use feeds::drive;
use flow::records::{Anomaly, Bar, BarFlow, Level, Listing, Quote, Trade};
use flow::{AnomalyKind, Decoder, Event, FeedError, Flags, Kind, Listings, Ns, Px, Qty, Side};
use proptest::prelude::*;

pub(crate) const LAST: u8 = 128;
pub(crate) const T0: u64 = 1_700_000_000_000_000_000;

pub(crate) fn metadata(schema: Option<Schema>, names: &[(&str, &str)]) -> Metadata {
    let day = dbn::record::ts_to_dt(T0).unwrap().date();
    let mapping = |(symbol, id): &(&str, &str)| dbn::SymbolMapping {
        raw_symbol: (*symbol).into(),
        intervals: vec![dbn::MappingInterval {
            start_date: day,
            end_date: day.next_day().unwrap(),
            symbol: (*id).into(),
        }],
    };
    Metadata::builder()
        .dataset("XNAS.ITCH")
        .schema(schema)
        .start(T0)
        .stype_in(Some(SType::RawSymbol))
        .stype_out(SType::InstrumentId)
        .mappings(names.iter().map(mapping).collect())
        .build()
}

/// A stream of the records that the closure pushes.
pub(crate) fn stream(metadata: &Metadata, records: impl FnOnce(&mut DbnEncoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    records(&mut DbnEncoder::new(&mut bytes, metadata).unwrap());
    bytes
}

pub(crate) fn decode(bytes: &[u8]) -> (Vec<(Event, u64)>, Result<(), FeedError>) {
    drive::collect(&mut Dbn::new(), &[bytes], 1 << 16, 0)
}

pub(crate) fn kinds(inputs: &[(Event, u64)]) -> Vec<Kind> {
    inputs.iter().map(|(e, _)| e.kind).collect()
}

pub(crate) fn header<R: dbn::HasRType<Header = RecordHeader>>(kind: u8, id: u32, ts: u64) -> RecordHeader {
    RecordHeader::new::<R>(kind, 2, id, ts)
}

pub(crate) fn mbo(action: u8, order_id: u64, px: i64, size: u32, side: u8, flags: u8) -> MboMsg {
    MboMsg {
        hd: header::<MboMsg>(rtype::MBO, 7, T0 + order_id),
        order_id,
        price: px,
        size,
        flags: FlagSet::new(flags),
        action: action as _,
        side: side as _,
        ts_recv: T0 + 1_000,
        ..MboMsg::default()
    }
}

fn pair(bid_px: i64, bid_sz: u32, ask_px: i64, ask_sz: u32) -> BidAskPair {
    BidAskPair { bid_px, ask_px, bid_sz, ask_sz, bid_ct: 1, ask_ct: 2 }
}

#[test]
fn orders_become_inputs_and_every_group_is_closed() {
    let bytes = stream(&metadata(Some(Schema::Mbo), &[("TEST", "7")]), |to| {
        for record in [
            mbo(b'R', 0, i64::MAX, 0, b'N', 32),
            mbo(b'A', 1, 5_000_000_000, 10, b'B', 32 | LAST),
            mbo(b'A', 2, 6_000_000_000, 4, b'A', 0),
            mbo(b'N', 2, i64::MAX, 0, b'N', LAST),
            mbo(b'T', 0, 6_000_000_000, 3, b'B', 0),
            mbo(b'F', 2, 6_000_000_000, 3, b'A', 0),
            mbo(b'C', 2, 6_000_000_000, 3, b'A', LAST),
            mbo(b'M', 1, 5_000_000_000, 9, b'B', LAST),
            mbo(b'A', 3, i64::MAX, 9, b'B', LAST),
            mbo(b'Z', 3, 1, 9, b'B', LAST),
        ] {
            to.encode_record(&record).unwrap();
        }
    });
    let (inputs, end) = decode(&bytes);
    end.unwrap();
    let expected = [
        Kind::Name,
        Kind::Listing,
        Kind::Clear,
        Kind::Add,
        Kind::Add,
        Kind::Trade,
        Kind::Cancel,
        Kind::Replace,
        Kind::Anomaly,
        Kind::Anomaly,
    ];
    assert_eq!(kinds(&inputs), expected);
    let closes: Vec<bool> = inputs[2..8].iter().map(|(e, _)| e.flags.has(Flags::LAST_OF_GROUP)).collect();
    assert_eq!(closes, [false, true, true, false, true, true], "an N closes the group of the order before it");
    assert!(inputs[2].0.flags.has(Flags::SNAPSHOT) && inputs[3].0.flags.has(Flags::SNAPSHOT));
    assert_eq!(inputs[5].0.side(), Side::Buy, "a trade has its aggressor's side");
    assert_eq!(inputs[4].0.side(), Side::Sell);
    assert_eq!(inputs.iter().map(|(_, r)| *r).collect::<Vec<_>>(), [1, 1, 1, 2, 3, 5, 7, 8, 9, 10]);
    let whats: Vec<u16> = inputs[8..].iter().map(|(e, _)| e.record::<Anomaly>().what).collect();
    assert_eq!(whats, [AnomalyKind::BadValue as u16, AnomalyKind::UnknownMessage as u16]);
    assert_eq!(inputs[4].0.ts, Ns(T0 + 2));
}

#[test]
fn listings_carry_symbol_venue_and_book() {
    let bytes = stream(&metadata(None, &[("TEST", "7")]), |to| {
        to.encode_record(&mbo(b'A', 1, 1, 1, b'B', LAST)).unwrap();
        let unnamed = TradeMsg { hd: header::<TradeMsg>(rtype::MBP_0, 9, T0), price: 5, ..TradeMsg::default() };
        to.encode_record(&unnamed).unwrap();
        let mapping = SymbolMappingMsg {
            hd: header::<SymbolMappingMsg>(rtype::SYMBOL_MAPPING, 9, T0),
            stype_out_symbol: dbn::record::str_to_c_chars("LATER").unwrap(),
            ..SymbolMappingMsg::default()
        };
        to.encode_record(&mapping).unwrap();
        to.encode_record(&unnamed).unwrap();
    });
    let (inputs, end) = decode(&bytes);
    end.unwrap();
    let mut listings = Listings::default();
    inputs.iter().for_each(|(e, _)| listings.observe(e));
    let listed: Vec<_> =
        listings.iter().map(|l| (l.symbol.as_str(), l.venue().as_str().to_owned(), l.terms.book)).collect();
    let of = |symbol, book| (symbol, "XNAS".to_owned(), book);
    assert_eq!(listed, [of("TEST", 2), of("#9", 0), of("LATER", 0)]);
    assert_eq!(inputs.iter().filter(|(e, _)| e.kind == Kind::Listing).count(), 3);
    let listed = inputs.iter().filter(|(e, _)| e.kind == Kind::Listing);
    assert!(listed.clone().all(|(e, _)| e.flags.has(Flags::OWN_REFERENCES)), "order ids are the book's own");
}

#[test]
fn quotes_stand_before_their_trade() {
    let record = Mbp1Msg {
        hd: header::<Mbp1Msg>(rtype::MBP_1, 7, T0),
        price: 20,
        size: 5,
        action: b'T' as _,
        side: b'A' as _,
        flags: FlagSet::new(LAST),
        levels: [pair(20, 8, i64::MAX, 0)],
        ..Mbp1Msg::default()
    };
    let (inputs, end) = decode(&stream(&metadata(Some(Schema::Mbp1), &[]), |to| to.encode_record(&record).unwrap()));
    end.unwrap();
    assert_eq!(kinds(&inputs), [Kind::Name, Kind::Listing, Kind::Quote, Kind::Trade]);
    assert_eq!(inputs[1].0.record::<Listing>().book, 3);
    let (quote, trade) = (*inputs[2].0.record::<Quote>(), *inputs[3].0.record::<Trade>());
    assert_eq!((quote.bid_px, quote.bid_qty, quote.ask_px), (Px(20), Qty(8), Px::NONE));
    assert_eq!((trade.px, trade.qty, inputs[3].0.side()), (Px(20), Qty(5), Side::Sell));
}

#[test]
fn ten_levels_become_their_changes() {
    let full: [BidAskPair; 10] = std::array::from_fn(|i| pair(100 - i as i64, 1, 200 + i as i64, 1));
    let mut moved: [BidAskPair; 10] = std::array::from_fn(|i| pair(101 - i as i64, 1, 200 + i as i64, 1));
    moved[0].ask_sz = 5;
    let record = |levels, action: u8| Mbp10Msg {
        hd: header::<Mbp10Msg>(rtype::MBP_10, 7, T0),
        action: action as _,
        flags: FlagSet::new(LAST),
        levels,
        price: 3,
        size: 1,
        ..Mbp10Msg::default()
    };
    let bytes = stream(&metadata(Some(Schema::Mbp10), &[]), |to| {
        to.encode_record(&record(full.clone(), b'A')).unwrap();
        to.encode_record(&record(full.clone(), b'T')).unwrap();
        to.encode_record(&record(moved, b'A')).unwrap();
    });
    let (inputs, end) = decode(&bytes);
    end.unwrap();
    let levels = |record| {
        let of = inputs.iter().filter(move |(e, r)| *r == record && e.kind == Kind::Level);
        of.map(|(e, _)| (e.side(), e.record::<Level>().px.0, e.record::<Level>().qty.0, e.flags)).collect::<Vec<_>>()
    };
    assert_eq!(levels(1).len(), 20);
    assert_eq!(levels(2).len(), 0);
    let (news, seen) = (Flags::NONE.with_side(Side::Buy), Flags::SNAPSHOT.with_side(Side::Buy));
    let last = Flags::LAST_OF_GROUP.with_side(Side::Sell);
    assert_eq!(levels(3), [(Side::Buy, 101, 1, news), (Side::Buy, 91, 0, seen), (Side::Sell, 200, 5, last)]);
}

#[test]
fn bars_are_exact() {
    let bar = OhlcvMsg {
        hd: header::<OhlcvMsg>(rtype::OHLCV_1M, 7, 60_000_000_000),
        open: 1,
        high: 4,
        low: 1,
        close: 2,
        volume: 77,
    };
    let (inputs, _) = decode(&stream(&metadata(Some(Schema::Ohlcv1M), &[]), |to| to.encode_record(&bar).unwrap()));
    let (bar, flow) = (*inputs[2].0.record::<Bar>(), *inputs[3].0.record::<BarFlow>());
    assert_eq!((bar.start_s, bar.interval_s, bar.high, flow.interval_s), (60, 60, Px(4), 60));
    assert_eq!(flow, BarFlow { volume: Qty(77), interval_s: 60, ..BarFlow::UNKNOWN });
}

#[test]
fn one_record_type_supplies_the_trades() {
    let trade = |kind| TradeMsg { hd: header::<TradeMsg>(kind, 7, T0), price: 5, size: 1, ..TradeMsg::default() };
    let quote = Mbp1Msg { hd: header::<Mbp1Msg>(rtype::MBP_1, 7, T0), action: b'T' as _, ..Mbp1Msg::default() };
    let bytes = stream(&metadata(None, &[]), |to| {
        to.encode_record(&trade(rtype::MBP_0)).unwrap();
        to.encode_record(&quote).unwrap();
    });
    let mut decoder = Dbn::new();
    let (inputs, end) = drive::collect(&mut decoder, &[&bytes], 1 << 16, 0);
    end.unwrap();
    assert_eq!(inputs.iter().filter(|(e, _)| e.kind == Kind::Trade).count(), 1);
    assert!(decoder.counts().iter().any(|c| c.name == "passed-over" && c.count == 1));
}

fn sample() -> Vec<u8> {
    stream(&metadata(Some(Schema::Mbo), &[("TEST", "7")]), |to| {
        (1..40).for_each(|i| to.encode_record(&mbo(b'A', i, 9 + i as i64, 1, b'B', LAST)).unwrap());
    })
}

#[test]
fn errors_report_where_and_what_to_do() {
    let whole = sample();
    let start = whole.len() - 39 * 56;
    let says = |bytes: &[u8], record: u64, offset: usize, what: &str| {
        let fault = decode(bytes).1.unwrap_err();
        assert!(fault.what.contains(what), "{fault}");
        assert_eq!((fault.record, fault.offset), (record, offset as u64), "{fault}");
    };
    says(b"", 1, 0, "empty");
    says(b"DBN", 1, 0, "within its metadata");
    says(&whole[..50], 1, 8, "within its metadata");
    says(b"PK\x03\x04abcdefgh", 1, 0, "does not start with DBN");
    says(b"DBN\x04abcdefgh", 1, 0, "version 4");
    says(b"DBN\x01\xff\xff\xff\xff", 1, 0, "metadata of 4294967295 bytes");
    says(&whole[..start + 56 + 20], 2, start + 56, "after 20 of a record's 56 bytes");
    for bad in [0, 3, 13] {
        let mut damaged = whole.clone();
        damaged[start + 112] = bad;
        says(&damaged, 3, start + 112, &format!("an invalid record length of {} bytes", usize::from(bad) * 4));
    }
}

#[test]
fn unknown_and_short_records_are_skipped_with_an_anomaly() {
    let whole = sample();
    let start = whole.len() - 39 * 56;
    for (kind, what) in [(0x77, AnomalyKind::UnknownMessage), (rtype::MBP_10, AnomalyKind::MalformedMessage)] {
        let mut damaged = whole.clone();
        damaged[start + 57] = kind;
        let (inputs, end) = decode(&damaged);
        end.unwrap();
        let anomalies: Vec<_> =
            inputs.iter().filter_map(|(e, r)| e.get::<Anomaly>().map(|a| (a.what, a.detail, *r))).collect();
        assert_eq!(anomalies, [(what as u16, u64::from(kind), 2)]);
        assert_eq!(inputs.iter().filter(|(e, _)| e.kind == Kind::Add).count(), 38);
    }
}

#[test]
fn a_stream_without_records_is_fine() {
    let bytes = stream(&metadata(Some(Schema::Ohlcv1D), &[("TEST", "7")]), |_| {});
    assert_eq!(decode(&bytes), (vec![], Ok(())));
}

#[test]
fn instruments_beyond_the_range_are_left_out() {
    let bytes = stream(&metadata(Some(Schema::Trades), &[]), |to| {
        for id in 1..=65_540 {
            let hd = header::<TradeMsg>(rtype::MBP_0, id, T0);
            to.encode_record(&TradeMsg { hd, price: 5, ..TradeMsg::default() }).unwrap();
        }
    });
    let mut decoder = Dbn::new();
    let (mut trades, mut left_out) = (0, 0);
    drive::run(&mut decoder, &[&bytes], 1 << 16, 0, |event, _| {
        trades += u32::from(event.kind == Kind::Trade);
        left_out += u32::from(event.get::<Anomaly>().is_some_and(|a| a.what == AnomalyKind::InstrumentRange as u16));
    })
    .unwrap();
    assert_eq!((trades, left_out, decoder.instruments()), (65_535, 5, 65_536));
}

proptest! {
    #[test]
    fn cuts_and_queues_change_nothing(cut in 1usize..3000, room in 0usize..300) {
        let bytes = sample();
        prop_assert_eq!(drive::collect(&mut Dbn::new(), &[&bytes], cut, room), decode(&bytes));
    }

    #[test]
    fn damaged_streams_never_panic(damage in prop::collection::vec((0usize..4000, any::<u8>()), 1..4), cut in 1usize..600) {
        let mut bytes = sample();
        for (at, byte) in damage {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        prop_assert_eq!(drive::collect(&mut Dbn::new(), &[&bytes], cut, 0), decode(&bytes));
    }

    #[test]
    fn damaged_old_versions_never_panic(
        version in 1u8..3,
        kind in prop::sample::select(&[rtype::INSTRUMENT_DEF, rtype::STATISTICS, rtype::SYMBOL_MAPPING, rtype::ERROR, rtype::SYSTEM][..]),
        length in 0u8..=255,
        body in prop::collection::vec(any::<u8>(), 0..1100),
    ) {
        let mut old = metadata(None, &[]);
        old.version = version;
        old.symbol_cstr_len = if version == 1 { 22 } else { 71 };
        let mut bytes = stream(&old, |_| {});
        prop_assert_eq!(bytes[3], version);
        bytes.extend([length, kind]);
        bytes.extend(body);
        let _ = decode(&bytes);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        feeds::dbn::fuzz(&bytes);
        feeds::dbn::fuzz(&[&[3], &sample()[..], &bytes].concat());
    }
}
