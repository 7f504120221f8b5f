//! Packed files: what comes out is what went in, whole or of some instruments, and damage is found.

use feeds::packed::{About, Contents, Packer, source, unpack};
use flow::records::Name;
use flow::{Count, Event, EventId, Flags, Inputs, KINDS, Kind, Ns, Polled, Selection, Symbols};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// An input with its record.
type Placed = (Event, u64);

/// What a source says at its end.
fn said(records: u64) -> About {
    About {
        feed: "made".to_owned(),
        source: "here".to_owned(),
        instruments: 1 << 16,
        records,
        counts: vec![Count { name: "A".to_owned(), count: 7 }],
        warnings: vec!["a date is missing".to_owned()],
    }
}

fn packed(inputs: &[Placed], segment: usize) -> Vec<u8> {
    let mut packer = Packer::with_segments(Vec::new(), segment).expect("memory");
    inputs.iter().for_each(|(event, record)| packer.push(event, *record).expect("memory"));
    packer.finish(said(inputs.last().map_or(0, |(_, record)| record + 3))).expect("memory").0
}

/// What is given before the end, and whether that was reached.
fn unpacked(bytes: &[u8], watched: &Selection) -> (Vec<Placed>, Result<Contents, String>) {
    let mut given = Vec::new();
    let end = unpack(bytes.to_vec(), watched.clone(), |event, record| given.push((*event, record)));
    (given, end.map_err(|e| e.to_string()))
}

fn all() -> Selection {
    Selection::default()
}

fn only(symbols: &[&str]) -> Selection {
    Selection { symbols: Some(symbols.iter().map(|s| (*s).to_owned()).collect::<Symbols>()), shard: None }
}

const SYMBOLS: [&str; 6] = ["", "AA", "BB", "A_SYMBOL_THAT_IS_LONGER_THAN_ONE_PIECE", "D", "AA"];

/// The name of an instrument as inputs.
fn named(local: u32, symbol: &str, ts: u64) -> Vec<Event> {
    let pieces = symbol.as_bytes().chunks(24);
    let parts = pieces.len() as u8;
    let piece = |(part, bytes): (usize, &[u8])| {
        let mut name = Name { part: part as u8, parts, len: bytes.len() as u8, ..Name::default() };
        name.text[..bytes.len()].copy_from_slice(bytes);
        let flags = if part as u8 + 1 == parts { Flags::LAST_OF_GROUP } else { Flags::NONE };
        Event::new(Ns(ts), local, flags, &name)
    };
    pieces.enumerate().map(piece).collect()
}

/// A word of a body: small, near another, or anything.
fn word() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..200_u64,
        3 => (0..1_000_u64).prop_map(|n| 1_000_000_000_000 + n * 10_000_000),
        1 => any::<u64>(),
        1 => prop::sample::select(vec![u64::MAX, i64::MAX as u64, i64::MIN as u64]),
    ]
}

/// An input of any kind but a name, or the name of an instrument; the steps of its time and record.
fn inputs() -> impl Strategy<Value = Vec<Placed>> {
    let kinds: Vec<Kind> = KINDS.iter().map(|k| k.kind).filter(|k| *k != Kind::Name).collect();
    let one = (
        prop::option::weighted(0.9, prop::sample::select(kinds)),
        (0..6_u32, any::<u16>(), prop::bool::weighted(0.8)),
        prop::array::uniform5(word()),
        prop_oneof![3 => 0..1_000_000_u64, 1 => any::<u64>()],
        prop_oneof![6 => 1..2_u64, 2 => 0..3_u64, 1 => 0..1_000_000_u64],
    );
    prop::collection::vec(one, 0..260).prop_map(|rows| {
        let (mut all, mut ts, mut record) = (Vec::new(), 1_600_000_000_000_000_000_u64, 0);
        for (kind, (local, flags, closes), words, later, step) in rows {
            ts = ts.wrapping_add(later);
            record += step;
            match kind {
                Some(kind) => {
                    let flags = Flags(flags).without(Flags::LAST_OF_PACKET).without(Flags::LAST_OF_GROUP);
                    let flags = if closes { flags.with(Flags::LAST_OF_GROUP) } else { flags };
                    all.push((Event::from_words(Ns(ts), local, kind, flags, words), record));
                }
                None if local > 0 => {
                    all.extend(named(local, SYMBOLS[local as usize], ts).into_iter().map(|event| (event, record)));
                }
                None => {}
            }
        }
        all
    })
}

/// What the merge lets in of these inputs: those of instruments whose symbol is watched or not known, as flags that close groups
/// are passed on.
fn watched_of(inputs: &[Placed], watched: &Selection) -> Vec<Placed> {
    let (mut names, mut text) = (BTreeMap::new(), Vec::new());
    // The merge knows the whole name at its first piece.
    let mut ahead =
        inputs.iter().enumerate().filter_map(|(at, (event, _))| Some((at, event.instrument, event.get::<Name>()?)));
    let mut known: BTreeMap<usize, (u32, String)> = BTreeMap::new();
    let mut first = 0;
    for (at, local, name) in ahead.by_ref() {
        if name.part == 0 {
            text.clear();
            first = at;
        }
        text.extend_from_slice(&name.text[..name.len.into()]);
        if name.part + 1 == name.parts {
            known.insert(first, (local, String::from_utf8(text.clone()).expect("ASCII")));
        }
    }
    let mut kept: Vec<Placed> = Vec::new();
    for (at, (event, record)) in inputs.iter().enumerate() {
        if let Some((local, symbol)) = known.remove(&at) {
            names.insert(local, symbol);
        }
        if names.get(&event.instrument).is_none_or(|symbol| watched.has(symbol)) {
            kept.push((*event, *record));
        } else if let Some((last, _)) = kept.last_mut() {
            last.flags = last.flags.with(Flags(event.flags.0 & Flags::LAST_OF_GROUP.0));
        }
    }
    kept
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_packed_comes_back(inputs in inputs(), segment in prop::sample::select(vec![1_usize, 2, 7, 64, 100, 1_000])) {
        let bytes = packed(&inputs, segment);
        let (given, end) = unpacked(&bytes, &all());
        prop_assert_eq!(&given, &inputs);
        let end = end.expect("it is whole");
        prop_assert_eq!(end.inputs, inputs.len() as u64);
        prop_assert_eq!(end.about, said(inputs.last().map_or(0, |(_, record)| record + 3)));
    }

    #[test]
    fn of_some_instruments_comes_what_comes_of_them(
        inputs in inputs(),
        segment in prop::sample::select(vec![1_usize, 5, 40, 1_000]),
        symbols in prop::sample::subsequence(SYMBOLS[1..5].to_vec(), 0..=4),
    ) {
        let watched = only(&symbols);
        let (given, end) = unpacked(&packed(&inputs, segment), &watched);
        end.expect("it is whole");
        prop_assert!(given.len() <= inputs.len());
        prop_assert_eq!(watched_of(&given, &watched), watched_of(&inputs, &watched));
    }

    #[test]
    fn another_choice_holds_from_where_it_is_made(
        inputs in inputs(),
        segment in prop::sample::select(vec![3_usize, 40, 1_000]),
        mut changes in prop::collection::btree_map(0..8_usize, prop::sample::subsequence(SYMBOLS[1..5].to_vec(), 0..=4), 0..4),
    ) {
        // The record says the place.
        let inputs: Vec<Placed> = inputs.iter().zip(1..).map(|((event, _), place)| (*event, place)).collect();
        let mut source = source(packed(&inputs, segment)).expect("it is whole");
        let (mut queue, mut given, mut left_out, mut polls) = (Inputs::with_capacity(0), Vec::new(), 0, 0);
        let mut made: Vec<(u64, Selection)> = vec![(0, all())];
        loop {
            if let Some(symbols) = changes.remove(&polls) {
                source.watch(&only(&symbols));
                made.push((given.len() as u64 + left_out, only(&symbols)));
            }
            let polled = source.poll(&mut queue).expect("it is whole");
            polls += usize::from(!matches!(polled, Polled::Idle(_)));
            left_out += queue.take_left_out();
            while let Some((event, record)) = queue.front() {
                given.push((*event, record));
                queue.pop();
            }
            if polled == Polled::Ended {
                break;
            }
        }
        prop_assert_eq!(given.len() as u64 + left_out, inputs.len() as u64, "what is left out is counted");
        prop_assert_eq!(source.records(), said(inputs.last().map_or(0, |(_, record)| record + 3)).records);
        let (until, mut rest) = (made.iter().skip(1).map(|(from, _)| *from).chain([u64::MAX]), &given[..]);
        for ((from, watched), until) in made.iter().zip(until) {
            let of_it = rest.partition_point(|(_, record)| *record <= until);
            let (now, later) = rest.split_at(of_it);
            rest = later;
            let whole: Vec<Placed> = inputs.iter().filter(|(_, r)| (*from + 1..=until).contains(r)).copied().collect();
            let names = names(&inputs);
            let is_of = |(event, record): &&Placed| names(event.instrument, *record).is_none_or(|s| watched.has(&s));
            prop_assert!(now.iter().filter(is_of).eq(whole.iter().filter(is_of)), "from {} until {}", from, until);
        }
    }
}

/// The symbol of an instrument at a record, which says the place.
fn names(inputs: &[Placed]) -> impl Fn(u32, u64) -> Option<String> {
    let pieces: Vec<(u32, u64, bool)> = inputs
        .iter()
        .filter_map(|(event, record)| event.get::<Name>().map(|name| (event.instrument, *record, name.part == 0)))
        .collect();
    move |local, record| {
        let is_named = pieces.iter().any(|(of, at, is_first)| *of == local && *at <= record && *is_first);
        is_named.then(|| SYMBOLS[local as usize].to_owned())
    }
}

/// Three instruments among each other, an input a record.
fn day(count: u64) -> Vec<Placed> {
    let mut events: Vec<Event> = (1..4).flat_map(|local| named(local, SYMBOLS[local as usize], 5)).collect();
    events.extend((0..count).map(|n| {
        let words = [1_000 + n * 10, 70 + n, 1_000_000_000 + n % 5 * 10_000_000, 100 * (n % 3), 0];
        Event::from_words(Ns(1_000 + n * 10), 1 + (n * n % 7 % 3) as u32, Kind::Add, Flags::LAST_OF_GROUP, words)
    }));
    events.into_iter().zip(1..).collect()
}

#[test]
fn empty_exact_and_one_more_than_segments() {
    for count in [0, 1, 28, 28 + 32, 28 + 33, 28 + 31] {
        let inputs = if count == 0 { Vec::new() } else { day(count) };
        let (given, end) = unpacked(&packed(&inputs, 32), &all());
        assert_eq!(given, inputs);
        assert_eq!(end.expect("it is whole").segments(), inputs.len().div_ceil(32));
    }
}

#[test]
fn the_inputs_of_a_record_come_in_one_poll() {
    let mut inputs = day(20_000);
    let sizes = [1, 5, 64, 2, 1, 1, 40, 3];
    let records = (1..).flat_map(|record: u64| std::iter::repeat_n(record, sizes[record as usize % sizes.len()]));
    inputs.iter_mut().zip(records).for_each(|((_, at), record)| *at = record);
    let mut source = source(packed(&inputs, 10_000)).expect("it is whole");
    for room in [0, 200, 5_000] {
        let (mut queue, mut given, mut last) = (Inputs::with_capacity(room), Vec::new(), 0);
        while source.poll(&mut queue).expect("it is whole") != Polled::Ended {
            if let Some((_, record)) = queue.front() {
                assert_ne!(record, last, "a record is in two polls");
            }
            while let Some((event, record)) = queue.front() {
                given.push((*event, record));
                last = record;
                queue.pop();
            }
        }
        assert!(given == inputs);
        source = feeds::packed::source(packed(&inputs, 10_000)).expect("it is whole");
    }
}

#[test]
fn a_group_is_longer_than_segments() {
    let mut inputs = day(400);
    inputs[10..390].iter_mut().for_each(|(event, _)| event.flags = Flags::NONE);
    let bytes = packed(&inputs, 16);
    assert_eq!(unpacked(&bytes, &all()).0, inputs);
    let watched = only(&["BB"]);
    assert_eq!(watched_of(&unpacked(&bytes, &watched).0, &watched), watched_of(&inputs, &watched));
}

#[test]
fn more_shapes_than_are_listed() {
    let mut random = 1_u64;
    let mut draw = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        random >> (8 + (random >> 59) % 56)
    };
    let event = |n: u64, draw: &mut dyn FnMut() -> u64| {
        let (words, flags) = (std::array::from_fn(|_| draw()), Flags(draw() as u16).without(Flags::LAST_OF_PACKET));
        Event::from_words(Ns(draw()), n as u32 % 4, KINDS[n as usize % KINDS.len()].kind, flags, words)
    };
    let inputs: Vec<Placed> = (0..60_000).map(|n| (event(n, &mut draw), draw())).collect();
    let (given, end) = unpacked(&packed(&inputs, 50_000), &all());
    end.expect("it is whole");
    assert!(given == inputs);
}

#[test]
fn what_is_not_wanted_is_not_read() {
    let bytes = packed(&day(3_000), 1_000);
    let whole = unpacked(&bytes, &all()).0;
    // Instrument 3 is damaged everywhere, and nobody who does not want it sees that.
    let mut damaged = bytes.clone();
    let is_whole = |bytes: &[u8], symbol: &str| unpacked(bytes, &only(&[symbol])).1.is_ok();
    let mut hurt = 0;
    for at in 16..bytes.len() {
        damaged[at] ^= 0x10;
        if is_whole(&damaged, "AA") && !is_whole(&damaged, SYMBOLS[3]) {
            hurt += 1;
            let (given, end) = unpacked(&damaged, &all());
            let said = end.expect_err("it is damaged");
            assert!(said.contains(&format!("the inputs of {} are damaged", SYMBOLS[3])), "{said}");
            assert!(whole.starts_with(&given));
        }
        damaged[at] ^= 0x10;
    }
    assert!(hurt > bytes.len() / 6, "{hurt} of {}", bytes.len());
}

#[test]
fn damage_and_a_cut_are_found_and_nothing_wrong_is_given() {
    let bytes = packed(&day(90), 40);
    let whole = unpacked(&bytes, &all()).0;
    for at in 0..bytes.len() {
        for flip in [1, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[at] ^= flip;
            let (given, end) = unpacked(&damaged, &all());
            assert!(end.is_err(), "byte {at} ^ {flip}");
            assert!(whole.starts_with(&given), "byte {at} ^ {flip}");
        }
        let (given, end) = unpacked(&bytes[..at], &all());
        assert!(end.is_err() && given.is_empty(), "cut at {at}");
    }
    assert!(unpacked(&[&bytes[..], &[0]].concat(), &all()).1.is_err(), "a byte more");
}

#[test]
fn an_event_that_no_source_gives_is_not_given() {
    let mut inputs = day(5);
    assert_eq!(inputs[4].0.id, EventId(0));
    inputs[4].0.kind = Kind(249);
    assert!(unpacked(&packed(&inputs, 100), &all()).1.is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_an_end_or_an_error(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let _ = unpacked(&bytes, &all());
        let mut day = packed(&day(60), 32);
        edits.iter().for_each(|(at, value)| { let at = at.index(day.len()); day[at] = *value; });
        let _ = unpacked(&day, &only(&["AA"]));
    }
}

/// Each checksum is right again after an edit, so what is read behind it must hold by itself.
#[test]
fn heads_and_runs_made_to_deceive_are_refused_without_a_panic() {
    let bytes = packed(&day(40), 64);
    let mut refused = 0;
    for at in 16..bytes.len() - 24 {
        for value in [0, 1, 7, 0x7f, 0xff] {
            let mut deceives = bytes.clone();
            deceives[at] = value;
            if let Some(sealed) = feeds::packed::seal(&deceives) {
                refused += usize::from(unpacked(&sealed, &all()).1.is_err());
                let _ = unpacked(&sealed, &only(&["BB"]));
            }
        }
    }
    assert!(refused > bytes.len() / 2, "{refused}");
    assert!(feeds::packed::seal(&bytes).is_some_and(|sealed| sealed == bytes));
}
