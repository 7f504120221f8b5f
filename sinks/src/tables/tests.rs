//! Tables over the records: every kind has a place or a reason, and rows say what the events say.

use super::rows::PATIENCE;
use super::*;
use crate::tailer::Names;
use flow::records::{Ack, Bust, Contract, Fill, FillCost, Imbalance, Listing, Name, Position, PositionMoney, Trade};
use flow::{Event, EventId, FieldType, Flags, KINDS, Kind, Ns, OrderId, Px, Qty, Real, Record, Side};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Kinds that no table shows, and why.
const NOT_SHOWN: &[(Kind, &str)] = &[
    (Kind::Name, "the symbol of every row"),
    (Kind::Add, "a book order by order: too much for rows, and a replay has it"),
    (Kind::Exec, "likewise; its trade is shown"),
    (Kind::Cancel, "likewise"),
    (Kind::Delete, "likewise"),
    (Kind::Replace, "likewise"),
    (Kind::Clear, "likewise"),
    (Kind::Level, "likewise; the best levels are shown"),
    (Kind::Break, "the broken trade is shown"),
    (Kind::TradeVenue, "what the venues come to is shown, and a replay has it"),
    (Kind::Cursor, "of the source alone"),
    (Kind::Tick, "time passes"),
    (Kind::EndOfInput, "the end of a journal"),
    (Kind::Pulse, "what it follows is shown"),
    (Kind::Watching, "of the source alone"),
    (Kind::Memory, "of the next journal alone"),
];

struct Letters;

impl Names for Letters {
    fn name(&self, ty: FieldType, _: Kind, number: u64) -> Option<&str> {
        (ty == FieldType::Strategy && number == 7).then_some("momentum")
    }
}

type Shown = (String, BTreeMap<String, String>);

fn rows_of(events: &[(u64, Event)], close: bool) -> (Vec<Shown>, Vec<Taken>, bool) {
    let mut rows = Rows::new(&[], Arc::new(Letters));
    let (mut shown, mut taken) = (Vec::new(), Vec::new());
    let mut write = |row: &Row<'_>| {
        let values = row.table.columns.iter().filter_map(|column| match row.value(column) {
            Value::Absent => None,
            value => Some((column.name.clone(), format!("{value:?}"))),
        });
        shown.push((row.table.spec.name.to_owned(), values.collect()));
        Ok::<_, ()>(())
    };
    for (journal, event) in events {
        taken.push(rows.take(*journal, event, &mut write).unwrap());
    }
    let amid = rows.is_amid();
    if close {
        rows.close(&mut write).unwrap();
        assert!(!rows.is_amid());
    }
    (shown, taken, amid)
}

fn event<R: Record>(seq: u64, position: u8, source: u8, flags: Flags, record: &R) -> Event {
    let id = EventId::new(seq, position, 0);
    Event { id, source, ..Event::new(Ns(1_000 + seq), 1, flags, record) }
}

fn fill(seq: u64, source: u8, match_id: u64) -> Event {
    let order_id = OrderId(1 << 56 | 7 << 40 | 3).0;
    let fill = Fill { order_id, px: Px(-1_500_000_000), qty: Qty(9), match_id, cause: 0 };
    event(seq, 0, source, Flags::NONE.with_side(Side::Sell), &fill)
}

fn cost(seq: u64, source: u8, match_id: u64) -> Event {
    let order_id = OrderId(1 << 56 | 7 << 40 | 3).0;
    event(seq, 0, source, Flags::NONE, &FillCost { order_id, fee: 250_000_000, match_id, ..FillCost::default() })
}

#[test]
fn every_kind_is_in_one_table_or_there_is_a_reason() {
    for info in KINDS {
        let tables = TABLES.iter().filter(|spec| Table::of(spec).reads().has(info.kind)).count();
        let reasons = NOT_SHOWN.iter().filter(|(kind, _)| *kind == info.kind).count();
        assert_eq!(tables + reasons, 1, "{}: name it in a table, or here with a reason", info.name);
    }
}

#[test]
fn the_names_of_columns_are_a_contract() {
    let names = |table: &str| {
        let spec = TABLES.iter().find(|spec| spec.name == table).unwrap();
        Table::of(spec).columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>().join(" ")
    };
    let key = "ts journal seq position ordinal";
    assert_eq!(
        names("trades"),
        format!(
            "{key} symbol instrument source aggressor inferred by_quote displayed auction volume_only doubtful exchange_ts px_e9 qty match_id order_ref"
        )
    );
    assert_eq!(
        names("bars"),
        format!(
            "{key} symbol instrument source inferred after_gap open_e9 high_e9 low_e9 close_e9 start interval volume vwap_e9 \
             buy_volume sell_volume trades"
        )
    );
    assert_eq!(
        names("positions"),
        format!("{key} symbol instrument source qty avg_px_e9 strategy account realised_e9 unrealised_e9 fees_e9")
    );
    assert!(names("fills").starts_with(&format!("{key} kind symbol instrument source side doubtful account strategy")));
    for spec in TABLES {
        let table = Table::of(spec);
        let mut names: Vec<_> = table.columns.iter().map(|column| &column.name).collect();
        assert!(
            names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
        );
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table.columns.len(), "{}", spec.name);
    }
}

#[test]
fn a_truth_that_not_every_kind_says_is_a_word() {
    let of = |table: &str, name: &str| {
        let table = Table::of(TABLES.iter().find(|spec| spec.name == table).unwrap());
        table.columns.iter().find(|column| column.name == name).unwrap().ty
    };
    assert_eq!(of("trades", "inferred"), ColumnType::Truth);
    assert_eq!(of("fills", "doubtful"), ColumnType::Word);
}

#[test]
fn what_is_not_known_is_absent_and_what_is_known_is_exact() {
    let name = Name { text: *b"AAPL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", parts: 1, len: 4, ..Name::default() };
    let listing = Listing { tick_px: Px(0), multiplier: 1_000_000_000, venue: *b"XNAS", ..Listing::default() };
    let trade = Trade { exchange_ts: Ns(u64::MAX), px: Px(585_330_000_001), qty: Qty(100), ..Trade::default() };
    let imbalance = Imbalance {
        l1: Real::of(None),
        depth: Real::of(Some(-0.25)),
        mid: Px(i64::MAX),
        weighted_mid: Px(i64::MAX),
        ..Imbalance::default()
    };
    let events = [
        event(1, 0, 0, Flags::NONE, &name),
        event(2, 0, 0, Flags::NONE, &listing),
        event(3, 0, 0, Flags::INFERRED_AGGRESSOR, &trade),
        event(3, 20, 0, Flags::NONE, &imbalance),
    ];
    let (shown, ..) = rows_of(&events.map(|event| (0xab, event)), false);
    let row = |table: &str| shown.iter().find(|(name, _)| name == table).unwrap().1.clone();
    let trade = row("trades");
    let found = |column: &str| trade.get(column).map(String::as_str);
    assert_eq!(found("journal"), Some("Word(\"00000000000000ab\")"));
    assert_eq!(found("symbol"), Some("Word(\"AAPL\")"));
    assert_eq!(found("px_e9"), Some("Long(585330000001)"));
    assert_eq!(found("inferred"), Some("Truth(true)"));
    for absent in ["exchange_ts", "match_id", "order_ref", "aggressor"] {
        assert_eq!(found(absent), None, "{absent}");
    }
    let flow = row("order_flow");
    assert_eq!(flow.get("depth").unwrap(), "Float(-0.25)");
    assert!(["l1", "mid_e9", "weighted_mid_e9"].iter().all(|name| !flow.contains_key(*name)), "{flow:?}");
    assert!(!row("instruments").contains_key("tick_px_e9"), "0 = not known");
}

#[test]
fn a_fill_waits_for_its_cost_over_what_other_venues_send() {
    let events = [fill(1, 3, 31), fill(2, 4, 41), cost(3, 3, 31), fill(4, 3, 32), cost(5, 4, 41)].map(|e| (1, e));
    let (shown, taken, amid) = rows_of(&events, false);
    let found: Vec<_> = shown.iter().map(|(_, row)| (row["match_id"].clone(), row.get("fee_e9").cloned())).collect();
    let fee = Some("Long(250000000)".to_owned());
    assert_eq!(found, [("Long(31)".to_owned(), fee.clone()), ("Long(41)".to_owned(), fee)]);
    assert!(amid, "the third has no cost yet");
    assert_eq!(taken, [Taken::Whole; 5]);
    assert_eq!(shown[0].1["strategy"], "Word(\"momentum\")");
    assert_eq!(shown[0].1["px_e9"], "Long(-1500000000)");
}

#[test]
fn a_fill_whose_cost_comes_late_is_written_twice_under_one_key() {
    let (shown, ..) = rows_of(&[fill(1, 3, 31)].map(|e| (1, e)), true);
    assert_eq!(shown.len(), 1);
    assert!(!shown[0].1.contains_key("fee_e9"));
    let other = |seq| event(seq, 0, 0, Flags::NONE, &Ack::default());
    let mut events = vec![(1, fill(1, 3, 31))];
    events.extend((2..=u64::from(PATIENCE) + 2).map(|seq| (1, other(seq))));
    events.push((1, cost(900_000, 3, 31)));
    let (shown, _, amid) = rows_of(&events, false);
    let fills: Vec<_> = shown.iter().filter(|(table, _)| table == "fills").map(|(_, row)| row).collect();
    assert!(!amid && fills.len() == 2 && fills[0]["seq"] == fills[1]["seq"]);
    assert_eq!((fills[0].get("fee_e9"), fills[1].get("fee_e9").map(String::as_str)), (None, Some("Long(250000000)")));
    let (shown, taken, _) = rows_of(&[(1, cost(5, 3, 31))], true);
    assert_eq!((shown.len(), taken), (0, vec![Taken::WithoutItsFirst]));
}

#[test]
fn ids_keep_their_bits_and_what_fits_nowhere_says_so() {
    let bust = Bust { match_id: u64::MAX, qty: Qty(u64::MAX), fee: 5, ..Bust::default() };
    let (shown, ..) = rows_of(&[(1, event(1, 0, 3, Flags::NONE, &bust))], false);
    assert_eq!(shown[0].1["match_id"], "Long(-1)");
    assert!(shown[0].1["qty"].starts_with("Unfit"));
    let contract = Contract { strike: Px(i64::MAX), expiry: Ns(1 << 63), ..Contract::default() };
    let (shown, ..) = rows_of(&[(1, event(1, 0, 3, Flags::NONE, &contract))], false);
    assert!(shown[0].1["expiry"].starts_with("Unfit") && !shown[0].1.contains_key("strike_e9"));
    let (position, money) = (Position { avg_px: Px(i64::MAX), ..Position::default() }, PositionMoney::default());
    let both = [event(1, 24, 0, Flags::NONE, &position), event(1, 24, 0, Flags::NONE, &money)].map(|e| (1, e));
    let (shown, ..) = rows_of(&both, false);
    assert_eq!((&*shown[0].1["qty"], &*shown[0].1["realised_e9"]), ("Long(0)", "Long(0)"));
    assert!(!shown[0].1.contains_key("avg_px_e9"));
}
