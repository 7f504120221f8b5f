//! BinaryFILE: cuts, endings, errors, dates.

use super::*;
use feeds::itch::wire::{self, Message, TYPES};
use feeds::{FEEDS, Request};
use flow::records::Delete;
use flow::{Params, Polled};
use proptest::prelude::*;

const REF: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];

fn delete() -> Vec<u8> {
    framed(&message(b'D', &REF))
}

fn fault(bytes: &[u8]) -> (usize, FeedError) {
    let (inputs, end) = decode(bytes);
    (inputs.len(), end.unwrap_err())
}

#[test]
fn a_zero_length_ends_the_session_if_nothing_follows() {
    let ended = [delete(), vec![0, 0]].concat();
    for cut in 1..=ended.len() {
        let (inputs, end) = drive::collect(&mut ItchDecoder::new(date()), &[&ended], cut, 0);
        assert_eq!((kinds(&inputs), end), (vec![Kind::Delete], Ok(())), "cut {cut}");
    }
    assert_eq!(decode(&[0, 0]).1, Ok(()));
    for tail in [vec![0], vec![0, 0], delete()] {
        let (inputs, e) = fault(&[ended.clone(), tail].concat());
        assert_eq!((inputs, e.offset, e.record), (1, 21, 2), "{e}");
        assert!(e.what.contains("length of zero"), "{e}");
    }
}

#[test]
fn a_truncated_message_reports_where_and_how_much() {
    let two = [delete(), delete()].concat();
    for kept in 22..two.len() {
        let (inputs, e) = fault(&two[..kept]);
        assert_eq!((inputs, e.offset, e.record), (1, 21, 2));
        let missing = if kept == 22 { "1 of its 2 bytes are".to_owned() } else { format!("{} of its 21", 42 - kept) };
        assert!(e.what.contains(&missing), "{kept}: {e}");
        assert!(e.to_string().contains("at byte 21 (record 2)"), "{e}");
    }
    assert_eq!(decode(&two[..21]).1, Ok(()));
}

#[test]
fn a_byte_that_is_not_a_letter_is_not_a_type() {
    for code in [0, b'1', b' ', 0x80, 0xff] {
        let (inputs, e) = fault(&[delete(), framed(&[code; 30]), delete()].concat());
        assert_eq!((inputs, e.offset, e.record), (1, 23, 2), "{e}");
        assert!(e.what.contains(&format!("{code:#04x}")), "{e}");
    }
}

/// A deletion of this order, this many nanoseconds past the time of [`message`].
fn delete_at(order: u8, late: i64) -> Vec<u8> {
    let mut bytes = delete();
    bytes[20] = order;
    let at = ((AT - MIDNIGHT) as i64 + late).to_be_bytes();
    bytes[7..13].copy_from_slice(&at[2..]);
    bytes
}

#[test]
fn time_that_goes_back_is_an_anomaly() {
    // It goes back by 30 and then by 5, stays behind, and catches up.
    let times = [0, 30, 0, 10, 5, 29, 30, 31];
    let bytes: Vec<u8> = times.iter().zip(1..).flat_map(|(late, order)| delete_at(order, *late)).collect();
    let (inputs, end) = decode(&bytes);
    assert_eq!(
        (anomalies(&inputs), end),
        (vec![(AnomalyKind::BackwardTime, 30), (AnomalyKind::BackwardTime, 5)], Ok(()))
    );
    // The merge keeps its own clock.
    let deletes: Vec<_> = inputs.iter().filter_map(|(e, r)| Some((e.get::<Delete>()?, e.ts, *r))).collect();
    let at: Vec<_> = deletes.iter().map(|(d, _, record)| (d.exchange_ts.0 as i64 - AT as i64, *record)).collect();
    assert_eq!(at, times.iter().copied().zip(1..).collect::<Vec<_>>());
    assert!(deletes.iter().all(|(d, due, _)| d.exchange_ts == *due));
}

#[test]
fn days_that_were_joined_go_back_once() {
    let evening = delete_at(1, 6 * 3_600_000_000_000);
    let start = framed(&message(b'S', b"O"));
    let (inputs, end) = decode(&[evening, start, delete_at(2, 1), delete_at(3, 2)].concat());
    assert_eq!((anomalies(&inputs), end), (vec![(AnomalyKind::BackwardTime, 6 * 3_600_000_000_000)], Ok(())));
}

#[test]
fn an_empty_file_is_valid() {
    assert_eq!(decode(&[]), (vec![], Ok(())));
}

#[test]
fn the_date_gives_midnight_in_new_york() {
    let first = |d: Option<NaiveDate>| {
        let mut decoder = ItchDecoder::new(d);
        let (inputs, _) = drive::collect(&mut decoder, &[&delete()], 64, 0);
        (inputs[0].0.ts.0 - (AT - MIDNIGHT), decoder.warnings())
    };
    assert_eq!(first(date()), (MIDNIGHT, vec![]));
    let summer = first(NaiveDate::from_ymd_opt(2023, 8, 22)).0;
    assert_eq!(summer, 1_692_676_800_000_000_000, "04:00 UTC");
    let (unknown, warnings) = first(None);
    assert_eq!(unknown, 5 * 3_600 * 1_000_000_000);
    assert!(warnings.len() == 1 && warnings[0].contains("--date"), "{warnings:?}");
}

/// Inputs, name and warnings of a source.
type Opened = (Vec<(Event, u64)>, String, Vec<String>);

/// Opens a file with the registered feed and reads it to its end.
fn open(name: &str, bytes: &[u8]) -> Result<Opened, String> {
    open_with(name, bytes, "auto")
}

fn open_with(name: &str, bytes: &[u8], venue: &str) -> Result<Opened, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let feed = flow::find(FEEDS, "itch").unwrap();
    let mut params = Params::defaults(feed.params);
    params.set(&feed.params[0], feed.params[0].parse("itch.venue", venue).unwrap());
    let request = Request { paths: vec![path], date: None, params };
    let mut source = feed.input(&request, feeds::FEEDS).map(feeds::Input::start).map_err(|e| e.to_string())?;
    let mut inputs = flow::Inputs::with_capacity(0);
    let mut out = Vec::new();
    while source.poll(&mut inputs).map_err(|e| e.to_string())? != Polled::Ended {
        while let Some((event, record)) = inputs.front() {
            out.push((*event, record));
            inputs.pop();
        }
    }
    Ok((out, source.name().to_owned(), source.warnings()))
}

#[test]
fn opened_by_the_registry() {
    let (inputs, name, warnings) = open("01302020.NASDAQ_ITCH50", &delete()).unwrap();
    assert_eq!((kinds(&inputs), inputs[0].0.ts.0, warnings), (vec![Kind::Delete], AT, vec![]));
    assert!(name.ends_with("/01302020.NASDAQ_ITCH50"), "{name}");
    assert_eq!(open("x.bin", &delete()).unwrap().2.len(), 1, "a date is missing");
    let (_, _, warnings) = open("x.bin", &[0, 0]).unwrap();
    assert_eq!(warnings.len(), 1, "an empty session is a session");
}

#[test]
fn names_of_nasdaqs_files_say_date_and_market() {
    let add = message(b'A', &[&REF[..], b"B", &[0, 0, 0, 9], b"AAPL    ", &[0, 0, 1, 0]].concat());
    let bytes = [framed(&add), delete()].concat();
    let day = 1_580_360_400_000_000_000;
    for (name, venue, midnight, want) in [
        ("01302020.NASDAQ_ITCH50", "auto", day, b"XNAS"),
        ("S013020-v50.txt", "auto", day, b"XNAS"),
        ("S013020-v50-psx.txt", "auto", day, b"XPSX"),
        ("S030220-v50-bx.txt.gz", "auto", 1_583_125_200_000_000_000, b"XBOS"),
        ("20200130.BX_ITCH_50", "auto", day, b"XBOS"),
        ("20200130.BX_ITCH_50", "XPSX", day, b"XPSX"),
        ("BX_2020-01-30.itch", "auto", day, b"XNAS"),
        ("BX_2020-01-30.itch", "XBOS", day, b"XBOS"),
    ] {
        let (inputs, _, warnings) = open_with(name, &bytes, venue).unwrap();
        let listing = inputs.iter().find_map(|(e, _)| e.get::<flow::records::Listing>()).unwrap();
        assert_eq!((listing.venue, listing.calendar, warnings), (*want, *b"XNAS", vec![]), "{name}");
        assert_eq!(inputs[0].0.ts.0, AT - MIDNIGHT + midnight, "{name}");
    }
}

#[test]
fn a_file_that_is_not_itch_is_rejected() {
    for bytes in
        [&b"34200.1,1,11,5,100000,1\n"[..], b"DBN\x01aaaaaaaaaaaaaaaaaaaa", &[0xff; 64], b"A", &[0, 19, b'1', 0]]
    {
        let e = open("x", bytes).unwrap_err();
        assert!(e.contains("is not itch data (first bytes:"), "{e}");
    }
    let cut = open("x", &delete()[..9]).unwrap_err();
    assert!(cut.contains("12 of its 21 bytes are missing"), "cut in the first message, it is still ITCH: {cut}");
    assert!(open("x", b"").unwrap_err().contains("is empty"));
}

/// Framed messages, mostly valid, otherwise arbitrary bytes.
fn any_framed() -> impl Strategy<Value = Vec<u8>> {
    let random = prop::collection::vec(any::<u8>(), 0..70);
    let real =
        (0..TYPES.len(), prop::collection::vec(any::<u8>(), 64), 0..wire::DAY_NS).prop_map(|(kind, mut bytes, ns)| {
            bytes.truncate(TYPES[kind].len);
            bytes[0] = TYPES[kind].code;
            bytes[5..11].copy_from_slice(&ns.to_be_bytes()[2..]);
            if let b'A' | b'F' = bytes[0] {
                bytes[19] = b'S';
            }
            bytes
        });
    prop_oneof![20 => real, 1 => random].prop_map(|m| framed(&m))
}

proptest! {
    /// Neither the cuts of the bytes nor the room in the queue change the inputs or the error.
    #[test]
    fn cuts_change_nothing(
        messages in prop::collection::vec(any_framed(), 0..60),
        kept in 0.5..1.0f64,
        cut in 1usize..200,
        room in 128usize..300,
    ) {
        let mut bytes = messages.concat();
        bytes.truncate((bytes.len() as f64 * kept) as usize);
        let whole = drive::collect(&mut ItchDecoder::new(date()), &[&bytes], bytes.len(), 1 << 12);
        let pieces = drive::collect(&mut ItchDecoder::new(date()), &[&bytes], cut, room);
        prop_assert_eq!(whole, pieces);
    }

    /// Arbitrary bytes never panic and never stall.
    #[test]
    fn garbage_ends(bytes in prop::collection::vec(any::<u8>(), 0..2000), magic in 0usize..7) {
        let heads: [&[u8]; 7] = [
            b"", &[0xa1, 0xb2, 0xc3, 0xd4], &[0xd4, 0xc3, 0xb2, 0xa1], &[0xa1, 0xb2, 0x3c, 0x4d],
            &[0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0],
            &[0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a], &[0x0a, 0x0d, 0x0d, 0x0a],
        ];
        let _ = decode(&[heads[magic], &bytes].concat());
    }
}

#[test]
fn a_written_message_reads_back() {
    let head = wire::Head { locate: 7, tracking: 2, timestamp: AT - MIDNIGHT };
    let mut bytes = Vec::new();
    wire::OrderDelete { head, order_ref: 1 }.put_framed(&mut bytes);
    assert_eq!(bytes, delete());
}
