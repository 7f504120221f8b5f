//! DBN in the shapes in which it comes: venues that show only their top, several publishers of one instrument, streams
//! that are joined, bars, and times that are not told.

use crate::dbn::{LAST, T0, decode, header, kinds, mbo, metadata, stream};
use dbn::encode::EncodeRecord;
use dbn::{FlagSet, ImbalanceMsg, InstrumentDefMsg, MboMsg, Metadata, OhlcvMsg, Schema, StatMsg, TradeMsg, rtype};
use feeds::dbn::Dbn;
use feeds::drive;
use flow::records::{Add, Anomaly, Bar, BarFlow, Listing, Quote, Trade};
use flow::{AnomalyKind, Decoder, Event, Flags, Kind, Listings, Ns, Px, Qty, Side};
use proptest::prelude::*;

/// The flag of a record that is the top of a book and no order.
const TOP: u8 = 64;
const DAY: u64 = 86_400 * Ns::SECOND;

fn mbo_stream(records: &[MboMsg]) -> Vec<u8> {
    stream(&metadata(Some(Schema::Mbo), &[("TEST", "7")]), |to| {
        records.iter().for_each(|record| to.encode_record(record).unwrap());
    })
}

/// The touch after each quote.
fn touches(inputs: &[(Event, u64)]) -> Vec<[(Px, u64); 2]> {
    let quotes = inputs.iter().filter_map(|(event, _)| event.get::<Quote>());
    quotes.map(|q| [(q.bid_px, q.bid_qty.0), (q.ask_px, q.ask_qty.0)]).collect()
}

fn listings(inputs: &[(Event, u64)]) -> Listings {
    let mut listings = Listings::default();
    inputs.iter().for_each(|(event, _)| listings.observe(event));
    listings
}

#[test]
fn an_add_of_a_top_replaces_its_side() {
    let no_ids = [(b'B', 100, 5), (b'A', 105, 5), (b'B', 90, 3), (b'A', 95, 3), (b'B', i64::MAX, 0)];
    for ids in [[0; 5], [1, 2, 3, 4, 5]] {
        let records: Vec<_> =
            ids.iter().zip(no_ids).map(|(id, (side, px, size))| mbo(b'A', *id, px, size, side, TOP | LAST)).collect();
        let (inputs, end) = decode(&mbo_stream(&records));
        end.unwrap();
        let none = (Px::NONE, 0);
        let expected = [
            [(Px(100), 5), none],
            [(Px(100), 5), (Px(105), 5)],
            [(Px(90), 3), (Px(105), 5)],
            [(Px(90), 3), (Px(95), 3)],
            [none, (Px(95), 3)],
        ];
        assert_eq!(touches(&inputs), expected);
        assert!(inputs.iter().all(|(e, _)| e.kind != Kind::Anomaly && e.kind != Kind::Add));
        assert_eq!(inputs[1].0.record::<Listing>().book, 3, "a venue that shows its top has quotes");
    }
}

#[test]
fn tops_stand_beside_clears_trades_and_groups() {
    let (inputs, end) = decode(&mbo_stream(&[
        mbo(b'R', 0, i64::MAX, 0, b'N', LAST),
        mbo(b'A', 0, 100, 5, b'B', TOP),
        mbo(b'A', 0, 101, 5, b'A', TOP | LAST),
        mbo(b'T', 0, 101, 2, b'B', TOP | LAST),
        mbo(b'R', 0, i64::MAX, 0, b'N', LAST),
        mbo(b'A', 0, 101, 1, b'A', TOP | LAST),
        mbo(b'C', 0, 101, 1, b'A', TOP | LAST),
        mbo(b'A', 0, 101, 1, b'N', TOP | LAST),
    ]));
    end.unwrap();
    let told = [Kind::Name, Kind::Listing];
    let clear = [Kind::Clear];
    let rest = [Kind::Quote, Kind::Quote, Kind::Trade, Kind::Clear, Kind::Quote, Kind::Anomaly, Kind::Anomaly];
    assert_eq!(kinds(&inputs), [&told[..], &clear, &told, &rest].concat());
    let quotes: Vec<_> = inputs.iter().filter(|(e, _)| e.kind == Kind::Quote).collect();
    assert_eq!([0, 1].map(|i| quotes[i].0.flags.has(Flags::LAST_OF_GROUP)), [false, true], "both sides are one group");
    assert_eq!(touches(&inputs)[2], [(Px::NONE, 0), (Px(101), 1)], "a clear empties both sides");
    let whats: Vec<_> = inputs.iter().filter_map(|(e, _)| e.get::<Anomaly>().map(|a| a.what)).collect();
    assert_eq!(whats, [AnomalyKind::UnknownOrder as u16, AnomalyKind::BadValue as u16]);
}

#[test]
fn a_publisher_that_begins_to_show_orders_has_a_book_of_orders() {
    let (inputs, end) = decode(&mbo_stream(&[
        mbo(b'A', 0, 100, 5, b'B', TOP | LAST),
        mbo(b'A', 1, 100, 5, b'B', LAST),
        mbo(b'C', 1, 100, 5, b'B', LAST),
    ]));
    end.unwrap();
    let books = inputs.iter().filter_map(|(e, _)| e.get::<Listing>().map(|l| l.book));
    assert_eq!(books.collect::<Vec<_>>(), [3, 2]);
    assert_eq!(kinds(&inputs)[5..], [Kind::Add, Kind::Cancel]);
}

/// The metadata of a consolidated dataset.
fn consolidated() -> Metadata {
    Metadata { dataset: "EQUS.ALL".into(), ..metadata(Some(Schema::Mbo), &[("TEST", "7")]) }
}

fn published(publisher: dbn::Publisher, mut record: MboMsg) -> MboMsg {
    record.hd.publisher_id = publisher as u16;
    record
}

#[test]
fn each_publisher_of_an_instrument_is_a_listing_at_its_own_venue() {
    use dbn::Publisher::{EqusAllIexg, EqusAllXnas};
    let bytes = stream(&consolidated(), |to| {
        for (publisher, px) in [(EqusAllXnas, 100), (EqusAllIexg, 99), (EqusAllXnas, 98)] {
            to.encode_record(&published(publisher, mbo(b'A', px as u64, px, 1, b'B', LAST))).unwrap();
        }
    });
    let (inputs, end) = decode(&bytes);
    end.unwrap();
    let listed = listings(&inputs);
    let listed: Vec<_> = listed.iter().map(|l| (l.symbol.as_str(), l.venue().as_str().to_owned())).collect();
    assert_eq!(listed, [("TEST", "XNAS".to_owned()), ("TEST", "IEXG".to_owned())]);
    let adds: Vec<_> = inputs.iter().filter(|(e, _)| e.kind == Kind::Add).map(|(e, _)| e.instrument).collect();
    assert_eq!(adds, [1, 2, 1]);
}

#[test]
fn a_definition_holds_for_every_publisher_of_its_symbol() {
    use dbn::Publisher::{EqusAllEqus, EqusAllIexg, EqusAllXnas};
    let mut hd = header::<InstrumentDefMsg>(rtype::INSTRUMENT_DEF, 7, T0);
    hd.publisher_id = EqusAllEqus as u16;
    let raw_symbol = dbn::record::str_to_c_chars("TEST").unwrap();
    let definition = InstrumentDefMsg { hd, raw_symbol, min_price_increment: 50, ..InstrumentDefMsg::default() };
    let bytes = stream(&consolidated(), |to| {
        let add = |publisher| published(publisher, mbo(b'A', 1, 100, 1, b'B', LAST));
        to.encode_record(&add(EqusAllXnas)).unwrap();
        to.encode_record(&definition).unwrap();
        [EqusAllIexg, EqusAllXnas, EqusAllXnas].iter().for_each(|p| to.encode_record(&add(*p)).unwrap());
    });
    let (inputs, end) = decode(&bytes);
    end.unwrap();
    let ticks: Vec<_> = inputs
        .iter()
        .filter_map(|(e, record)| {
            e.get::<Listing>().map(|l| (flow::Mic(l.venue).as_str().to_owned(), l.tick_px.0, *record))
        })
        .collect();
    let of = |venue: &str, tick, record| (venue.to_owned(), tick, record);
    assert_eq!(ticks, [of("XNAS", 0, 1), of("EQUS", 50, 2), of("IEXG", 50, 3), of("XNAS", 50, 4)]);
}

/// Metadata with a symbol for an id on the day of `T0` plus `days`.
fn on_day(days: u64, symbol: &str, id: &str) -> Metadata {
    let day = dbn::record::ts_to_dt(T0 + days * DAY).unwrap().date();
    let interval = dbn::MappingInterval { start_date: day, end_date: day.next_day().unwrap(), symbol: id.into() };
    let mapping = dbn::SymbolMapping { raw_symbol: symbol.into(), intervals: vec![interval] };
    Metadata { mappings: vec![mapping], ..metadata(Some(Schema::Mbo), &[]) }
}

fn later(days: u64, id: u32, mut record: MboMsg) -> MboMsg {
    record.hd.instrument_id = id;
    record.hd.ts_event += days * DAY;
    record.ts_recv += days * DAY;
    record
}

/// Three days: the number of a symbol changes, and the old number is another symbol's.
fn three_days() -> Vec<u8> {
    let day = |days, symbol, id: u32| {
        stream(&on_day(days, symbol, &id.to_string()), |to| {
            to.encode_record(&later(days, id, mbo(b'A', days + 1, 100, 1, b'B', LAST))).unwrap();
        })
    };
    [day(0, "ONE", 7), day(1, "TWO", 7), day(2, "ONE", 9)].concat()
}

#[test]
fn joined_streams_have_the_symbols_of_their_own_metadata() {
    let mut decoder = Dbn::new();
    let (inputs, end) = drive::collect(&mut decoder, &[&three_days()], 1 << 16, 0);
    end.unwrap();
    let listed = listings(&inputs);
    let adds = inputs.iter().filter(|(e, _)| e.kind == Kind::Add);
    let adds: Vec<_> = adds.map(|(e, record)| (listed.get(e.instrument).unwrap().symbol.as_str(), *record)).collect();
    assert_eq!(adds, [("ONE", 1), ("TWO", 2), ("ONE", 3)]);
    assert_eq!(listed.iter().count(), 2, "a symbol that comes again is the same listing");
    assert_eq!(decoder.records(), 3);
}

#[test]
fn joined_streams_may_differ_in_version_and_send_times() {
    let mut old = on_day(1, "TWO", "7");
    (old.version, old.symbol_cstr_len, old.ts_out) = (1, 22, true);
    let mut bytes = three_days();
    let first = bytes.len();
    bytes.extend(stream(&old, |_| {}));
    let record = later(1, 7, mbo(b'A', 9, 100, 1, b'B', LAST));
    let mut raw = AsRef::<[u8]>::as_ref(&record).to_vec();
    raw[0] += 2;
    raw.extend(T0.to_le_bytes());
    bytes.extend(&raw);
    bytes.extend(three_days());
    let (inputs, end) = decode(&bytes);
    end.unwrap();
    assert_eq!(inputs.iter().filter(|(e, _)| e.kind == Kind::Add).count(), 7);
    let (_, end) = decode(&bytes[..first + 40]);
    let error = end.unwrap_err();
    assert_eq!((error.record, error.what.as_str()), (4, "the stream ends within its metadata"));
    bytes[first + 3] = 9;
    let error = decode(&bytes).1.unwrap_err();
    assert_eq!((error.record, error.offset, error.what.as_str()), (4, first as u64, "DBN version 9"));
}

fn bar(kind: u8, ts: u64, volume: u64) -> OhlcvMsg {
    OhlcvMsg { hd: header::<OhlcvMsg>(kind, 7, ts), open: 2, high: 4, low: 1, close: 3, volume }
}

#[test]
fn bars_enter_at_their_end() {
    let minute = 60 * Ns::SECOND;
    let midnight = T0 / DAY * DAY;
    let kinds = [
        (rtype::OHLCV_1S, Ns::SECOND),
        (rtype::OHLCV_1M, minute),
        (rtype::OHLCV_1H, 60 * minute),
        (rtype::OHLCV_1D, DAY),
        (rtype::OHLCV_EOD, DAY),
    ];
    for (kind, length) in kinds {
        let bytes = stream(&metadata(None, &[("TEST", "7")]), |to| {
            to.encode_record(&bar(kind, midnight, 5)).unwrap();
            to.encode_record(&bar(kind, midnight + length, u64::MAX)).unwrap();
        });
        let (inputs, end) = decode(&bytes);
        end.unwrap();
        assert_eq!(listings(&inputs).iter().next().unwrap().symbol, "TEST", "the symbol is that of the bar's day");
        let bars: Vec<_> = inputs.iter().filter_map(|(e, _)| e.get::<Bar>().map(|b| (e.ts.0, b.start_s))).collect();
        let start = |ts: u64| (ts / Ns::SECOND) as u32;
        let expected = [0, 1].map(|i| (midnight + (i + 1) * length, start(midnight + i * length)));
        assert_eq!(bars, expected);
        let volumes: Vec<_> = inputs.iter().filter_map(|(e, _)| e.get::<BarFlow>().map(|b| b.volume.known())).collect();
        assert_eq!(volumes, [Some(Qty(5)), None]);
    }
}

/// A file of several schemas is sorted by the times of its records, and a bar is filed under its start.
#[test]
fn a_bar_waits_for_its_end_among_other_records() {
    let trade = |after: u64, px| TradeMsg {
        hd: header::<TradeMsg>(rtype::MBP_0, 7, T0 + after * Ns::SECOND),
        price: px,
        size: 1,
        ts_recv: T0 + after * Ns::SECOND,
        flags: FlagSet::new(LAST),
        ..TradeMsg::default()
    };
    let bytes = stream(&metadata(None, &[("TEST", "7")]), |to| {
        to.encode_record(&bar(rtype::OHLCV_1M, T0, 1)).unwrap();
        to.encode_record(&bar(rtype::OHLCV_1S, T0, 2)).unwrap();
        [(0, 10), (1, 11), (59, 12), (60, 13)].iter().for_each(|(s, px)| to.encode_record(&trade(*s, *px)).unwrap());
        to.encode_record(&bar(rtype::OHLCV_1M, T0 + 60 * Ns::SECOND, 3)).unwrap();
    });
    let (inputs, end) = decode(&bytes);
    end.unwrap();
    let told: Vec<_> = inputs[2..]
        .iter()
        .filter(|(e, _)| e.kind != Kind::Bar)
        .map(|(e, record)| match e.get::<Trade>() {
            Some(trade) => (e.ts.0, trade.px.0 as u64, *record),
            None => (e.ts.0, e.record::<BarFlow>().volume.0, *record),
        })
        .collect();
    let at = |after: u64| T0 + after * Ns::SECOND;
    let expected = [(0, 10, 3), (1, 2, 2), (1, 11, 4), (59, 12, 5), (60, 1, 1), (60, 13, 6), (120, 3, 7)]
        .map(|(s, n, r)| (at(s), n, r));
    assert_eq!(told, expected);
}

#[test]
fn the_bars_that_wait_are_bounded() {
    let (waiting, more) = (1 << 18, 3);
    let bytes = stream(&metadata(None, &[("TEST", "7")]), |to| {
        (0..waiting + more).for_each(|i| to.encode_record(&bar(rtype::OHLCV_1D, T0, i)).unwrap());
    });
    let mut decoder = Dbn::new();
    let mut seen = Vec::new();
    let mut cut = bytes.clone();
    cut.truncate(bytes.len() - 1);
    let end = drive::run(&mut decoder, &[&cut], 1 << 16, 0, |event, record| {
        seen.extend(event.get::<BarFlow>().map(|flow| (flow.volume.0 + 1, record)));
    });
    assert!(end.unwrap_err().what.contains("after 55 of a record's 56 bytes"), "the error comes after all bars");
    assert_eq!(seen.len() as u64, waiting + more - 1);
    assert!(seen.iter().all(|(volume, record)| volume == record) && seen.is_sorted());
}

#[test]
fn a_bar_at_the_end_of_all_time_is_no_overflow() {
    for ts in [u64::MAX, u64::MAX - 1, 0] {
        let (inputs, end) =
            decode(&stream(&metadata(None, &[]), |to| to.encode_record(&bar(rtype::OHLCV_1D, ts, 1)).unwrap()));
        end.unwrap();
        assert_eq!(kinds(&inputs), [Kind::Name, Kind::Listing, Kind::Bar, Kind::BarFlow]);
    }
}

#[test]
fn a_time_of_zero_is_no_time() {
    let at = |ts_event, ts_recv| {
        let mut record = mbo(b'A', 1, 100, 1, b'B', LAST);
        (record.hd.ts_event, record.ts_recv) = (ts_event, ts_recv);
        record
    };
    let (inputs, end) = decode(&mbo_stream(&[at(0, T0 + 5), at(u64::MAX, T0 + 6), at(T0 + 7, 0), at(0, 0)]));
    end.unwrap();
    let adds = inputs.iter().filter_map(|(e, _)| e.get::<Add>().map(|a| (e.ts, a.exchange_ts)));
    let expected = [(T0 + 5, Ns::NONE), (T0 + 6, Ns::NONE), (T0 + 7, Ns(T0 + 7)), (T0 + 7, Ns::NONE)];
    assert_eq!(adds.collect::<Vec<_>>(), expected.map(|(ts, exchange)| (Ns(ts), exchange)));
    assert_eq!(listings(&inputs).iter().next().unwrap().symbol, "TEST");
}

#[test]
fn what_makes_no_input_is_counted_and_told() {
    let bytes = stream(&metadata(None, &[("TEST", "7")]), |to| {
        let (hd, stat_hd) =
            (header::<ImbalanceMsg>(rtype::IMBALANCE, 7, T0), header::<StatMsg>(rtype::STATISTICS, 7, T0));
        to.encode_record(&ImbalanceMsg { hd, ..ImbalanceMsg::default() }).unwrap();
        (0..2).for_each(|_| to.encode_record(&StatMsg { hd: stat_hd, ..StatMsg::default() }).unwrap());
        let hd = header::<TradeMsg>(rtype::MBP_0, 7, T0);
        to.encode_record(&TradeMsg { hd, price: 5, size: 1, flags: FlagSet::new(LAST), ..TradeMsg::default() })
            .unwrap();
    });
    let mut decoder = Dbn::new();
    let (inputs, end) = drive::collect(&mut decoder, &[&bytes], 1 << 16, 0);
    end.unwrap();
    assert_eq!(inputs.last().unwrap().0.record::<Trade>().px, Px(5));
    let count = |name| decoder.counts().iter().find(|c| c.name == name).map(|c| c.count);
    assert_eq!((count("imbalance"), count("statistics"), decoder.records()), (Some(1), Some(2), 4));
    assert_eq!(decoder.warnings(), ["1 imbalance and 2 statistics records were read; such records make no input"]);
}

proptest! {
    #[test]
    fn cuts_of_joined_streams_change_nothing(cut in 1usize..2000, room in 0usize..300) {
        let bytes = three_days();
        prop_assert_eq!(drive::collect(&mut Dbn::new(), &[&bytes], cut, room), decode(&bytes));
    }

    #[test]
    fn damaged_joined_streams_never_panic(damage in prop::collection::vec((0usize..4000, any::<u8>()), 1..4), cut in 1usize..600) {
        let mut bytes = three_days();
        for (at, byte) in damage {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        prop_assert_eq!(drive::collect(&mut Dbn::new(), &[&bytes], cut, 0), decode(&bytes));
    }

    #[test]
    fn cuts_of_bars_change_nothing(cut in 1usize..2000, room in 0usize..300, bars in prop::collection::vec((0u64..3, 0u8..3), 1..300)) {
        let bytes = stream(&metadata(None, &[("TEST", "7")]), |to| {
            let mut ts = T0;
            for (step, kind) in &bars {
                ts += step * Ns::SECOND;
                to.encode_record(&bar(rtype::OHLCV_1S + kind, ts, 1)).unwrap();
            }
        });
        let (inputs, end) = decode(&bytes);
        prop_assert!(end.is_ok());
        let ends: Vec<_> = inputs.iter().filter(|(e, _)| e.kind == Kind::Bar).map(|(e, _)| e.ts).collect();
        prop_assert!(ends.is_sorted() && ends.len() == bars.len());
        prop_assert_eq!(drive::collect(&mut Dbn::new(), &[&bytes], cut, room), (inputs, end));
    }

    /// Tops as a plain pair of sides keeps them.
    #[test]
    fn tops_are_what_each_side_was_told_last(steps in prop::collection::vec((any::<bool>(), 0i64..4, 0u32..3), 1..40)) {
        let records: Vec<_> = steps
            .iter()
            .map(|(buy, px, size)| {
                let px = if *px == 0 { i64::MAX } else { *px };
                mbo(b'A', 0, px, *size, if *buy { b'B' } else { b'A' }, TOP | LAST)
            })
            .collect();
        let (inputs, end) = decode(&mbo_stream(&records));
        prop_assert!(end.is_ok());
        let mut sides = [(Px::NONE, 0); 2];
        for ((buy, px, size), touch) in steps.iter().zip(touches(&inputs)) {
            sides[usize::from(!buy)] = if *px == 0 { (Px::NONE, 0) } else { (Px(*px), u64::from(*size)) };
            prop_assert_eq!(touch, sides);
        }
        prop_assert!(inputs.iter().all(|(e, _)| e.side() == Side::None || e.kind == Kind::Quote));
    }
}
