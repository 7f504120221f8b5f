//! Definitions in files of their own: which data they define, whatever the order of the inputs.

use crate::dbn::{LAST, T0, header, mbo, metadata, stream};
use dbn::encode::EncodeRecord;
use dbn::{InstrumentDefMsg, SType, Schema, rtype};
use feeds::{FEEDS, Feed, Input, Request};
use flow::records::Listing;
use flow::{Event, FeedError, Inputs, Kind, Listings, Params, Polled, Px};
use std::path::PathBuf;

const DAY: u64 = 86_400_000_000_000;
const QUARTER: i64 = Px::ONE / 4;

/// A future whose contract is worth so many times its price, with a tick of a quarter.
fn future(id: u32, symbol: &str, ts: u64, multiplier: i64) -> InstrumentDefMsg {
    let mut message = InstrumentDefMsg {
        hd: header::<InstrumentDefMsg>(rtype::INSTRUMENT_DEF, id, ts),
        ts_recv: ts,
        min_price_increment: QUARTER,
        unit_of_measure_qty: if multiplier == 0 { i64::MAX } else { multiplier * Px::ONE },
        instrument_class: b'F' as _,
        activation: T0 - 100 * DAY,
        expiration: T0 + 100 * DAY,
        ..InstrumentDefMsg::default()
    };
    symbol.bytes().zip(&mut message.raw_symbol).for_each(|(byte, to)| *to = byte as _);
    message
}

fn definitions(records: &[InstrumentDefMsg]) -> Vec<u8> {
    stream(&dbn::Metadata { dataset: "GLBX.MDP3".into(), ..metadata(Some(Schema::Definition), &[]) }, |to| {
        records.iter().for_each(|record| to.encode_record(record).unwrap());
    })
}

/// One order of instrument 7, which the mappings call so.
fn data(symbol: Option<&str>) -> Vec<u8> {
    let names: Vec<_> = symbol.iter().map(|symbol| (*symbol, "7")).collect();
    let metadata = dbn::Metadata { dataset: "GLBX.MDP3".into(), ..metadata(Some(Schema::Mbo), &names) };
    stream(&metadata, |to| to.encode_record(&mbo(b'A', 1, 5_000_000_000, 10, b'B', LAST)).unwrap())
}

/// What an input gave, and how it ended.
struct Given {
    inputs: Vec<Event>,
    listings: Listings,
    end: Result<(), FeedError>,
}

impl Given {
    /// Symbol, multiplier and tick of each listing.
    fn terms(&self) -> Vec<(String, i64, i64)> {
        let terms = |l: &flow::Listed| (l.symbol.clone(), l.terms.multiplier / Px::ONE, l.terms.tick_px.0);
        self.listings.iter().map(terms).collect()
    }
}

/// The inputs of these files, in this order.
fn run(files: &[&[u8]]) -> Vec<Given> {
    let folder = tempfile::tempdir().unwrap();
    let feed: &'static Feed = flow::find(FEEDS, "dbn").unwrap();
    let request = |(i, bytes): (usize, &&[u8])| {
        let path: PathBuf = folder.path().join(format!("{i}.dbn"));
        std::fs::write(&path, bytes).unwrap();
        (feed, Request { paths: vec![path], date: None, params: Params::defaults(feed.params) })
    };
    let requests: Vec<_> = files.iter().enumerate().map(request).collect();
    feeds::found(&requests, FEEDS).into_iter().map(|opened| given(opened.unwrap())).collect()
}

fn given(opened: Input) -> Given {
    let (mut source, mut queue) = (opened.start(), Inputs::with_capacity(1024));
    let (mut inputs, mut listings) = (Vec::new(), Listings::default());
    let end = loop {
        match source.poll(&mut queue) {
            Err(e) => break Err(e),
            Ok(Polled::Ended) => break Ok(()),
            Ok(Polled::Idle(_) | Polled::Anew) => std::thread::yield_now(),
            Ok(Polled::Ready) => {
                while let Some((event, _)) = queue.front() {
                    listings.observe(event);
                    inputs.push(*event);
                    queue.pop();
                }
            }
        }
    };
    Given { inputs, listings, end }
}

/// What a file of definitions makes of an order of instrument 7, in both orders of the inputs.
fn joined(symbol: Option<&str>, records: &[InstrumentDefMsg]) -> (String, i64, i64) {
    let (data, beside) = (data(symbol), definitions(records));
    let after = run(&[&data, &beside]);
    let before = run(&[&beside, &data]);
    assert_eq!(after[0].inputs, before[1].inputs, "the order of the inputs changes nothing");
    for given in [&after[1], &before[0]] {
        assert!(given.inputs.is_empty() && given.end.is_ok(), "what defines lists nothing itself");
    }
    let first = after[0].inputs.iter().find(|e| e.get::<Listing>().is_some()).expect("a listing");
    let of_order = after[0].inputs.iter().find(|e| e.kind == Kind::Add).expect("an order");
    assert_eq!(after[0].terms().len(), 1);
    assert!(
        first.instrument == of_order.instrument && first.record::<Listing>().book == 2,
        "listed once, with its terms"
    );
    after[0].terms().remove(0)
}

#[test]
fn an_instrument_is_defined_by_its_id_on_its_day_and_else_by_its_symbol() {
    let named = |symbol: &str, multiplier| (symbol.to_owned(), multiplier, QUARTER);
    let esm4 = |id, ts| future(id, "ESM4", ts, 50);
    assert_eq!(joined(Some("ESM4"), &[esm4(7, T0)]), named("ESM4", 50));
    assert_eq!(joined(None, &[esm4(7, T0)]), named("ESM4", 50), "the definition names what has no name");
    assert_eq!(joined(Some("ESM4"), &[esm4(9, T0)]), named("ESM4", 50), "under another number");
    assert_eq!(joined(Some("ESM4"), &[esm4(9, T0 + 3 * DAY)]), named("ESM4", 50), "of another day");
    let unknown = |symbol: &str| (symbol.to_owned(), 0, 0);
    assert_eq!(joined(None, &[esm4(7, T0 - DAY)]), unknown("#7"), "numbers are given anew every day");
    assert_eq!(joined(Some("NQM4"), &[esm4(7, T0)]), unknown("NQM4"), "the number has another symbol");
    let expired = InstrumentDefMsg { expiration: T0 - 2 * DAY, ..esm4(9, T0 - 9 * DAY) };
    assert_eq!(joined(Some("ESM4"), &[expired]), unknown("ESM4"), "the same symbol ten years before");
}

#[test]
fn the_last_definition_before_the_record_counts() {
    let at = |days: i64, multiplier| future(7, "ESM4", T0.wrapping_add_signed(days * DAY as i64), multiplier);
    assert_eq!(joined(Some("ESM4"), &[at(1, 3), at(-2, 1), at(-1, 2)]).1, 2);
    assert_eq!(joined(Some("ESM4"), &[at(2, 3), at(1, 2)]).1, 2, "or else the first after it");
    let (one, two) = (definitions(&[at(-1, 2)]), definitions(&[at(-2, 1)]));
    let data = data(Some("ESM4"));
    let all = [run(&[&data, &one, &two]).remove(0), run(&[&two, &one, &data]).remove(2)];
    assert_eq!(all[0].inputs, all[1].inputs, "whatever the order of the files");
    assert_eq!(all[0].terms()[0].1, 2);
}

#[test]
fn a_spread_has_the_terms_of_its_legs_if_they_agree() {
    let leg = |index: u16, symbol: &str, id| {
        let mut leg = InstrumentDefMsg {
            leg_count: 2,
            leg_index: index,
            leg_instrument_id: id,
            instrument_class: b'S' as _,
            min_price_increment: i64::MAX,
            ..future(7, "ESM4-ESU4", T0, 0)
        };
        symbol.bytes().zip(&mut leg.leg_raw_symbol).for_each(|(byte, to)| *to = byte as _);
        leg
    };
    let spread =
        |second: i64| [leg(0, "ESM4", 1), leg(1, "ESU4", 2), future(1, "ESM4", T0, 50), future(2, "ESU4", T0, second)];
    assert_eq!(joined(Some("ESM4-ESU4"), &spread(50)), ("ESM4-ESU4".to_owned(), 50, QUARTER));
    assert_eq!(joined(Some("ESM4-ESU4"), &spread(20)), ("ESM4-ESU4".to_owned(), 0, 0), "the legs do not agree");
    assert_eq!(joined(Some("ESM4-ESU4"), &spread(50)[..3]).1, 0, "a leg is not known");
    // Within one stream the legs come first.
    let [first, second, near, far] = spread(50);
    let alone = run(&[&definitions(&[near, far, first, second])]).remove(0);
    assert!(alone.terms().contains(&("ESM4-ESU4".to_owned(), 50, QUARTER)), "{:?}", alone.terms());
}

#[test]
fn definitions_alone_list_what_they_define_and_others_are_left_alone() {
    let (esm4, nqm4) = (future(7, "ESM4", T0, 50), future(8, "NQM4", T0, 20));
    let alone = run(&[&definitions(&[esm4.clone(), nqm4])]).remove(0);
    assert_eq!(alone.terms(), [("ESM4".to_owned(), 50, QUARTER), ("NQM4".to_owned(), 20, QUARTER)]);
    let other = dbn::Metadata { dataset: "XEUR.EOBI".into(), ..metadata(Some(Schema::Definition), &[]) };
    let other = stream(&other, |to| to.encode_record(&esm4).unwrap());
    let given = run(&[&data(Some("ESM4")), &other]);
    assert_eq!(given[0].terms(), [("ESM4".to_owned(), 0, 0)], "another dataset");
    assert_eq!(given[1].terms().len(), 1, "it lists what it defines");
}

#[test]
fn a_damaged_file_of_definitions_says_so_itself() {
    let whole = definitions(&[future(7, "ESM4", T0, 50), future(8, "NQM4", T0, 20)]);
    let given = run(&[&data(Some("ESM4")), &whole[..whole.len() - 9]]);
    assert!(given[0].end.is_ok() && given[1].end.as_ref().unwrap_err().what.contains("the stream ends after"));
    let mixed = [whole, data(Some("ESM4"))].concat();
    let given = run(&[&data(Some("ESM4")), &mixed]);
    assert!(given[1].end.as_ref().unwrap_err().what.contains("has other records too"), "no order is lost in silence");
}

#[test]
fn symbols_of_the_user_join_by_number() {
    let named = [("ES.c.0", "7")];
    let metadata = dbn::Metadata { dataset: "GLBX.MDP3".into(), ..metadata(Some(Schema::Mbo), &named) };
    let metadata = dbn::Metadata { stype_in: Some(SType::Continuous), ..metadata };
    let data = stream(&metadata, |to| to.encode_record(&mbo(b'A', 1, 5_000_000_000, 10, b'B', LAST)).unwrap());
    let given = run(&[&data, &definitions(&[future(7, "ESM4", T0, 50)])]);
    assert_eq!(given[0].terms(), [("ES.c.0".to_owned(), 50, QUARTER)]);
}
