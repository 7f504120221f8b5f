//! A generated week of ES around Thanksgiving 2026, with its definition, as files of DBN.

use chrono::TimeZone;
use chrono_tz::America::Chicago;
use dbn::encode::{DbnEncoder, EncodeRecord};
use dbn::record::RecordHeader;
use dbn::{FlagSet, InstrumentDefMsg, MappingInterval, MboMsg, Metadata, SType, Schema, SymbolMapping, rtype};
use flow::Ns;
use std::path::{Path, PathBuf};

const MINUTE: u64 = 60 * Ns::SECOND;
const LAST: u8 = 128;
/// A dollar, in the units of a file.
const UNIT: i64 = 1_000_000_000;

pub(crate) fn chicago(day: u32, hour: u32, minute: u32) -> u64 {
    let at = Chicago.with_ymd_and_hms(2026, 11, day, hour, minute, 0).unwrap();
    at.timestamp_nanos_opt().expect("in range") as u64
}

/// The hours that traded: from Tuesday evening to Monday, closed at noon on Thanksgiving and the day after.
fn hours() -> [(u64, u64); 5] {
    let of = |from: (u32, u32), to: (u32, u32)| (chicago(from.0, from.1, 0), chicago(to.0, to.1, 0));
    [
        of((24, 12), (24, 16)),
        of((24, 17), (25, 16)),
        of((25, 17), (26, 12)),
        of((26, 17), (27, 12)),
        of((29, 17), (30, 16)),
    ]
}

fn header<R: dbn::HasRType<Header = RecordHeader>>(kind: u8, ts: u64) -> RecordHeader {
    RecordHeader::new::<R>(kind, 1, 1, ts)
}

/// A file of DBN in the making: ES, instrument 1.
pub(crate) struct File(Vec<u8>);

impl File {
    fn write<R: dbn::encode::DbnEncodable>(schema: Schema, name: &str, records: &[R]) -> PathBuf {
        let day = |day| dbn::record::ts_to_dt(chicago(day, 12, 0)).expect("a time").date();
        let intervals = vec![MappingInterval { start_date: day(20), end_date: day(30), symbol: "1".to_owned() }];
        let metadata = Metadata::builder()
            .dataset("GLBX.MDP3")
            .schema(Some(schema))
            .start(chicago(24, 0, 0))
            .stype_in(Some(SType::RawSymbol))
            .stype_out(SType::InstrumentId)
            .mappings(vec![SymbolMapping { raw_symbol: "ESZ6".to_owned(), intervals }])
            .build();
        let mut file = File(Vec::new());
        let mut encoder = DbnEncoder::new(&mut file.0, &metadata).expect("it is whole");
        records.iter().for_each(|record| encoder.encode_record(record).expect("memory"));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, file.0).expect("the folder of the tests is writable");
        path
    }

    /// 50 dollars a point, a tick of a quarter.
    pub(crate) fn definition() -> PathBuf {
        let ts = chicago(24, 1, 0);
        let mut message = InstrumentDefMsg {
            hd: header::<InstrumentDefMsg>(rtype::INSTRUMENT_DEF, ts),
            ts_recv: ts,
            min_price_increment: UNIT / 4,
            unit_of_measure_qty: 50 * UNIT,
            instrument_class: b'F' as _,
            ..InstrumentDefMsg::default()
        };
        "ESZ6".bytes().zip(&mut message.raw_symbol).for_each(|(byte, to)| *to = byte as _);
        File::write(Schema::Definition, "es-definition.dbn", &[message])
    }

    /// Every ten minutes a bid and an ask, a trade at one of them, and both gone. After each close some quotes, on which the
    /// strategy acts, and then a trade through every price, which nothing that still rests would miss.
    pub(crate) fn week() -> PathBuf {
        let mut records = Vec::new();
        let mut id = 0;
        for (from, to) in hours() {
            for (step, ts) in (from..to).step_by(10 * MINUTE as usize).enumerate() {
                let px = (6_000 + (step as i64 * 7) % 5) * UNIT;
                let is_bought = step % 3 != 0;
                let (bid, ask) = (id + 1, id + 2);
                id += 2;
                let size = 1 + (step as u32 * 5) % 4;
                let (hit, side, at) = if is_bought { (ask, b'A', px + UNIT) } else { (bid, b'B', px) };
                records.extend([
                    order(ts, b'A', bid, b'B', (px, 5), 0),
                    order(ts, b'A', ask, b'A', (px + UNIT, 5), LAST),
                    order(ts + 3 * MINUTE, b'T', 0, if is_bought { b'B' } else { b'A' }, (at, size), 0),
                    order(ts + 3 * MINUTE, b'F', hit, side, (at, size), 0),
                    order(ts + 3 * MINUTE, b'C', hit, side, (at, size), LAST),
                ]);
                let left = |hit_too| if hit_too { 5 - size } else { 5 };
                let gone = ts + 9 * MINUTE;
                records.push(order(gone, b'C', bid, b'B', (px, left(!is_bought)), 0));
                records.push(order(gone, b'C', ask, b'A', (px + UNIT, left(is_bought)), LAST));
            }
            for minutes in 2..18 {
                let (bid, ask, ts) = (id + 1, id + 2, to + minutes * MINUTE);
                id += 2;
                records.extend([
                    order(ts, b'A', bid, b'B', (5_999 * UNIT, 5), 0),
                    order(ts, b'A', ask, b'A', (6_007 * UNIT, 5), LAST),
                    order(ts + MINUTE / 2, b'C', bid, b'B', (5_999 * UNIT, 5), 0),
                    order(ts + MINUTE / 2, b'C', ask, b'A', (6_007 * UNIT, 5), LAST),
                ]);
            }
            for (minutes, side, px) in [(20, b'B', 5_000), (21, b'A', 7_000)] {
                id += 1;
                let (ts, px) = (to + minutes * MINUTE, px * UNIT);
                records.push(order(ts, b'A', id, side, (px, 900), LAST));
                records.push(order(ts + MINUTE / 2, b'T', 0, if side == b'B' { b'A' } else { b'B' }, (px, 900), 0));
                records.push(order(ts + MINUTE / 2, b'F', id, side, (px, 900), 0));
                records.push(order(ts + MINUTE / 2, b'C', id, side, (px, 900), LAST));
            }
        }
        File::write(Schema::Mbo, "es-week.dbn", &records)
    }
}

fn order(ts: u64, action: u8, order_id: u64, side: u8, (price, size): (i64, u32), flags: u8) -> MboMsg {
    MboMsg {
        hd: header::<MboMsg>(rtype::MBO, ts),
        order_id,
        price,
        size,
        flags: FlagSet::new(flags),
        action: action as _,
        side: side as _,
        ts_recv: ts,
        ..MboMsg::default()
    }
}
