//! MoldUDP64 in pcap and pcapng: both byte orders, clocks, link types and VLAN tags, sequences and every error.

use super::*;
use etherparse::PacketBuilder;
use flow::records::Gap;
use flow::{Flags, Ns};

const REF: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];
pub(super) const SESSION: &[u8; 10] = b"000010059B";

/// A MoldUDP64 packet of deletes; each order's reference is its message's sequence number.
pub(super) fn mold(session: &[u8; 10], sequence: u64, messages: u16) -> Vec<u8> {
    let blocks = (0..u64::from(messages)).flat_map(|i| framed(&message(b'D', &(sequence + i).to_be_bytes())));
    [&session[..], &sequence.to_be_bytes(), &messages.to_be_bytes()].concat().into_iter().chain(blocks).collect()
}

pub(super) fn ethernet(payload: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4([10, 0, 0, 1], [233, 54, 12, 111], 20);
    written(builder.udp(1, 26_477), payload)
}

pub(super) fn written(builder: etherparse::PacketBuilderStep<etherparse::UdpHeader>, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    builder.write(&mut frame, payload).unwrap();
    frame
}

/// A pcap file: little-endian, nanoseconds, Ethernet, at 09:30 on 2020-01-30.
pub(super) fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    pcap_as(false, 0xa1b2_3c4d, 1, frames)
}

fn pcap_as(big: bool, magic: u32, link: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let word = |w: u32| if big { w.to_be_bytes() } else { w.to_le_bytes() };
    let half = |w: u16| if big { w.to_be_bytes() } else { w.to_le_bytes() };
    let mut file = [word(magic).as_slice(), &half(2), &half(4), &[0; 8], &word(1 << 18), &word(link)].concat();
    for frame in frames {
        let len = word(frame.len() as u32);
        file.extend([word(1_580_394_600), word(5), len, len].concat());
        file.extend(frame);
    }
    file
}

fn pcapng(big: bool, frames: &[Vec<u8>]) -> Vec<u8> {
    pcapng_as(big, 6, NANOSECONDS, 1_580_394_600_000_000_005, frames)
}

/// The option of an interface whose clock counts in nanoseconds.
const NANOSECONDS: &[(u16, &[u8])] = &[(9, &[9])];

/// A pcapng file: an interface with `options`, then a packet of `time` for each frame, in blocks of type `packet`.
fn pcapng_as(big: bool, packet: u32, options: &[(u16, &[u8])], time: u64, frames: &[Vec<u8>]) -> Vec<u8> {
    let word = |w: u32| if big { w.to_be_bytes() } else { w.to_le_bytes() };
    let half = |w: u16| if big { w.to_be_bytes() } else { w.to_le_bytes() };
    let block = |kind: u32, body: &[u8]| {
        let padded = body.len().next_multiple_of(4);
        let len = word(padded as u32 + 12);
        let padding = vec![0; padded - body.len()];
        [word(kind).as_slice(), &len, body, &padding, &len].concat()
    };
    let section = block(0x0a0d_0d0a, &[word(0x1a2b_3c4d).as_slice(), &half(1), &half(0), &[0xff; 8]].concat());
    let option = |(code, value): &(u16, &[u8])| {
        let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
        [half(*code).as_slice(), &half(value.len() as u16), value, &padding].concat()
    };
    let options = [options.iter().flat_map(option).collect::<Vec<u8>>(), vec![0; 4]].concat();
    // Link type 1, any length.
    let interface = block(1, &[half(1).as_slice(), &half(0), &word(0), &options].concat());
    let mut file = [section, interface].concat();
    for frame in frames {
        let (high, low) = (word((time >> 32) as u32), word(time as u32));
        let len = word(frame.len() as u32);
        let comment = [half(1).as_slice(), &half(2), b"hi\0\0", &[0; 4]].concat();
        let padded = [frame.clone(), vec![0; frame.len().next_multiple_of(4) - frame.len()]].concat();
        file.extend(block(packet, &[word(0).as_slice(), &high, &low, &len, &len, &padded, &comment].concat()));
        file.extend(block(5, &[0; 12]));
    }
    file
}

/// The references of the deleted orders, which identify the messages.
pub(super) fn orders(inputs: &[(Event, u64)]) -> Vec<u64> {
    inputs.iter().filter_map(|(e, _)| e.get::<flow::records::Delete>()).map(|d| d.order_ref).collect()
}

pub(super) fn clean(file: &[u8], want: &[u64]) {
    let (inputs, end) = decode(file);
    assert_eq!((orders(&inputs), anomalies(&inputs), end), (want.to_vec(), vec![], Ok(())));
}

#[test]
fn all_file_formats_carry_the_same() {
    let frames = [ethernet(&mold(SESSION, 5, 2)), ethernet(&mold(SESSION, 7, 1))];
    for big in [false, true] {
        for magic in [0xa1b2_c3d4, 0xa1b2_3c4d] {
            clean(&pcap_as(big, magic, 1, &frames), &[5, 6, 7]);
        }
        clean(&pcapng(big, &frames), &[5, 6, 7]);
    }
    clean(&[pcapng(false, &frames[..1]), pcapng(true, &frames[1..])].concat(), &[5, 6, 7]);
}

#[test]
fn the_captures_time_gives_the_date_only() {
    for file in [pcap(&[ethernet(&mold(SESSION, 5, 1))]), pcapng(true, &[ethernet(&mold(SESSION, 5, 1))])] {
        let mut decoder = ItchDecoder::new(None);
        let (inputs, _) = drive::collect(&mut decoder, &[&file], 16, 0);
        assert_eq!((inputs[0].0.ts, decoder.warnings()), (Ns(AT), vec![]));
    }
    let mut timeless = pcap(&[ethernet(&mold(SESSION, 5, 1))]);
    timeless[24..28].fill(0);
    let mut decoder = ItchDecoder::new(None);
    let (inputs, _) = drive::collect(&mut decoder, &[&timeless], 16, 0);
    assert_eq!((inputs[0].0.ts.0, decoder.warnings().len()), (AT - MIDNIGHT + 5 * 3_600 * 1_000_000_000, 1));
}

#[test]
fn tags_and_links() {
    let payload = mold(SESSION, 5, 1);
    let id = |n| etherparse::VlanId::try_new(n).unwrap();
    let ether = || PacketBuilder::ethernet2([1; 6], [2; 6]);
    let (from, to) = ([10, 0, 0, 1], [233, 54, 12, 111]);
    let one = ether().single_vlan(id(141)).ipv4(from, to, 20).udp(1, 2);
    let two = ether().double_vlan(id(1), id(2)).ipv4(from, to, 20).udp(1, 2);
    let six = ether().ipv6([1; 16], [2; 16], 20).udp(1, 2);
    for builder in [one, two, six] {
        clean(&pcap(&[written(builder, &payload)]), &[5]);
    }
    let raw = written(PacketBuilder::ipv4(from, to, 20).udp(1, 2), &payload);
    clean(&pcap_as(false, 0xa1b2_c3d4, 101, std::slice::from_ref(&raw)), &[5]);
    clean(&pcap_as(false, 0xa1b2_c3d4, 0, &[[&[2, 0, 0, 0][..], &raw].concat()]), &[5]);
    let cooked = [&[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0][..], &raw].concat();
    clean(&pcap_as(false, 0xa1b2_c3d4, 113, &[cooked]), &[5]);
    let tagged = [&[0, 141, 8, 0][..], &raw].concat();
    for (protocol, packet) in [(0x0800u16, &raw), (0x8100, &tagged)] {
        // Protocol, reserved, interface, type of its hardware, type of the packet, length of the address, address.
        let header = [&protocol.to_be_bytes()[..], &[0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]].concat();
        clean(&pcap_as(false, 0xa1b2_c3d4, 276, &[[&header[..], packet].concat()]), &[5]);
        let tunnel = [&[0, 0, 0xff, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &protocol.to_be_bytes(), packet].concat();
        clean(&pcap_as(false, 0xa1b2_c3d4, 113, &[tunnel]), &[5]);
    }
    let padded = [ethernet(&mold(SESSION, 5, 0)), vec![0; 8]].concat();
    clean(&pcap(&[padded]), &[]);
    let (_, end) = decode(&pcap_as(false, 0xa1b2_c3d4, 105, &[raw]));
    let e = end.unwrap_err().to_string();
    assert!(
        e.contains("link type 105; Ethernet, Linux cooked") && !e.contains("damage") && !e.contains("again"),
        "{e}"
    );
}

#[test]
fn clocks_of_interfaces() {
    let at = 1_580_394_600u64;
    let (second, big_second) = ((at - 100).to_le_bytes(), (at - 100).to_be_bytes());
    let minus = (-3_600i64).to_le_bytes();
    for (big, options, time) in [
        (false, &[][..], at * 1_000_000),
        (false, &[(9, &[0][..])], at),
        (false, &[(9, &[0x80 | 20])], at << 20),
        (true, &[(9, &[0x80 | 30])], at << 30),
        (false, &[(9, &[0x80]), (14, &second)], 100),
        (true, &[(14, &big_second), (9, &[3])], 100_000),
        (false, &[(14, &minus)], (at + 3_600) * 1_000_000),
        (true, &[(9, &[0x80 | 127]), (14, &at.to_be_bytes())], u64::MAX),
        (false, &[(9, &[20]), (14, &at.to_le_bytes())], 7),
    ] {
        let file = pcapng_as(big, 6, options, time, &[ethernet(&mold(SESSION, 5, 1))]);
        let mut decoder = ItchDecoder::new(None);
        let (inputs, end) = drive::collect(&mut decoder, &[&file], 16, 0);
        assert_eq!((inputs[0].0.ts, decoder.warnings(), end), (Ns(AT), vec![], Ok(())), "{options:?}");
    }
}

#[test]
fn packets_of_old_writers_are_packets() {
    clean(&pcapng_as(false, 2, NANOSECONDS, 5, &[ethernet(&mold(SESSION, 5, 1))]), &[5]);
    clean(&pcapng_as(true, 2, NANOSECONDS, 5, &[ethernet(&mold(SESSION, 5, 1))]), &[5]);
}

#[test]
fn the_group_names_the_market() {
    let venue = |group: [u8; 4], decoder: ItchDecoder| {
        let add = message(b'A', &[&REF[..], b"B", &[0, 0, 0, 9], b"AAPL    ", &[0, 0, 1, 0]].concat());
        let packet = [&SESSION[..], &5u64.to_be_bytes(), &[0, 1], &framed(&add)].concat();
        let builder = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4([10, 0, 0, 1], group, 20).udp(1, 2);
        let mut decoder = decoder;
        let (inputs, _) = drive::collect(&mut decoder, &[&pcap(&[written(builder, &packet)])], 999, 0);
        let listing = inputs.iter().find_map(|(e, _)| e.get::<flow::records::Listing>()).unwrap();
        (listing.venue, listing.calendar)
    };
    for (group, want) in
        [([233, 54, 12, 111], b"XNAS"), ([233, 54, 12, 40], b"XBOS"), ([233, 86, 230, 45], b"XPSX"), ([1; 4], b"XNAS")]
    {
        assert_eq!(venue(group, ItchDecoder::new(date())), (*want, *b"XNAS"));
        let named = ItchDecoder::new(date()).at_venue(Some(flow::Mic(*b"XBOS")));
        assert_eq!(venue(group, named).0, *b"XBOS", "a name wins");
    }
}

#[test]
fn a_capture_of_something_else_says_so() {
    let mut decoder = ItchDecoder::new(date());
    let arp = [&[0xff; 6][..], &[1; 6], &[8, 6], &[0, 1, 8, 0, 6, 4, 0, 1], &[0; 20]].concat();
    let (inputs, end) = drive::collect(&mut decoder, &[&pcap(&[arp.clone(), arp])], 999, 0);
    assert_eq!((inputs.len(), end), (0, Ok(())));
    assert_eq!(decoder.warnings(), ["no packet of the capture is MoldUDP64 over UDP; it has 2 packets"]);
}

#[test]
fn a_gap_is_reported_once() {
    let file = pcap(&[5, 9, 12, 12].map(|s| ethernet(&mold(SESSION, s, 2))));
    let mut decoder = ItchDecoder::new(date());
    let (inputs, end) = drive::collect(&mut decoder, &[&file], 100, 0);
    assert_eq!((end, orders(&inputs)), (Ok(()), vec![5, 6, 9, 10, 12, 13]));
    let told = [(AnomalyKind::DuplicatePacket, 12), (AnomalyKind::SequenceGap, 2), (AnomalyKind::SequenceGap, 1)];
    assert_eq!(anomalies(&inputs), told);
    let gaps: Vec<_> = inputs.iter().filter_map(|(e, r)| e.get::<Gap>().map(|g| (*g, e.ts, *r))).collect();
    let gap = Gap { exchange_ts: Ns(AT), expected: 7, received: 9, ..Gap::default() };
    assert_eq!((gaps.len(), gaps[0]), (2, (gap, Ns(AT), 5)), "behind the two messages that came twice");
    let names = ["packets", "gaps", "packets seen before", "D"];
    assert_eq!(names.map(|n| count(&decoder, n)), [4, 2, 1, 6]);
}

#[test]
fn heartbeats_and_the_end_reveal_missing_messages() {
    let end_of_session = [&SESSION[..], &9u64.to_be_bytes(), &[0xff, 0xff]].concat();
    let (inputs, end) =
        decode(&pcap(&[mold(SESSION, 5, 1), mold(SESSION, 8, 0), end_of_session].map(|p| ethernet(&p))));
    assert_eq!((orders(&inputs), end), (vec![5], Ok(())));
    assert_eq!(anomalies(&inputs), [(AnomalyKind::SequenceGap, 2), (AnomalyKind::SequenceGap, 1)]);
}

#[test]
fn overlaps_are_cut_and_their_messages_keep_their_numbers_in_the_file() {
    let (inputs, _) = decode(&pcap(&[mold(SESSION, 5, 3), mold(SESSION, 6, 3)].map(|p| ethernet(&p))));
    assert_eq!(orders(&inputs), [5, 6, 7, 8]);
    assert_eq!(anomalies(&inputs), [(AnomalyKind::DuplicatePacket, 6)]);
    assert_eq!(inputs.last().unwrap().1, 6, "two messages of the second packet were passed over");
}

#[test]
fn numbers_that_are_all_zero_report_no_gap() {
    clean(&pcap(&[0, 0, 0].map(|s| ethernet(&mold(&[0; 10], s, 2)))), &[0, 1, 0, 1, 0, 1]);
}

#[test]
fn another_session_is_skipped_until_the_first_ends() {
    let end_of_session = [&SESSION[..], &6u64.to_be_bytes(), &[0xff, 0xff]].concat();
    let other = b"000010060B";
    let packets = [mold(SESSION, 5, 1), mold(other, 70, 1), mold(other, 71, 1), end_of_session, mold(other, 72, 1)];
    let (inputs, _) = decode(&pcap(&packets.map(|p| ethernet(&p))));
    assert_eq!((orders(&inputs), anomalies(&inputs)), (vec![5, 72], vec![(AnomalyKind::BadPacket, 2)]));
    assert_eq!(kinds(&inputs), [Kind::Delete, Kind::Anomaly, Kind::Clear, Kind::Delete]);
}

#[test]
fn a_bad_packet_does_not_move_the_sequence() {
    let whole = mold(SESSION, 6, 2);
    for bad in [&whole[..whole.len() - 1], &whole[..21], &whole[..19]] {
        let packets = [mold(SESSION, 5, 1), bad.to_vec(), mold(SESSION, 6, 2)];
        let (inputs, end) = decode(&pcap(&packets.map(|p| ethernet(&p))));
        assert_eq!((orders(&inputs), end), (vec![5, 6, 7], Ok(())));
        assert_eq!(anomalies(&inputs), [(AnomalyKind::BadPacket, 2)]);
    }
    let mut cut = pcap(&[ethernet(&mold(SESSION, 5, 1)), ethernet(&whole)[..60].to_vec()]);
    let original = 24 + 16 + ethernet(&mold(SESSION, 5, 1)).len() + 12;
    cut[original] = 200;
    let (inputs, end) = decode(&cut);
    assert_eq!((orders(&inputs), anomalies(&inputs), end), (vec![5], vec![(AnomalyKind::BadPacket, 2)], Ok(())));
}

#[test]
fn packets_that_are_not_udp_are_counted() {
    let tcp = {
        let mut frame = Vec::new();
        let ip = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4([10, 0, 0, 1], [10, 0, 0, 2], 20);
        ip.tcp(1, 2, 3, 4).write(&mut frame, b"text").unwrap();
        frame
    };
    let arp = [&[0xff; 6][..], &[1; 6], &[8, 6], &[0, 1, 8, 0, 6, 4, 0, 1], &[0; 20]].concat();
    let file = pcap(&[tcp, arp, ethernet(&mold(SESSION, 5, 1))]);
    clean(&file, &[5]);
    let mut decoder = ItchDecoder::new(date());
    drive::collect(&mut decoder, &[&file], 7, 0).1.unwrap();
    assert_eq!(count(&decoder, "packets that are not UDP"), 2);
}

#[test]
fn an_invalid_message_does_not_end_a_capture() {
    let packet = [
        &SESSION[..],
        &5u64.to_be_bytes(),
        &[0, 4],
        &framed(b"?"),
        &framed(b""),
        &framed(b"Z"),
        &framed(&message(b'D', &REF)),
    ];
    let (inputs, end) = decode(&pcap(&[ethernet(&packet.concat())]));
    assert_eq!((orders(&inputs), end), (vec![1], Ok(())));
    assert_eq!(anomalies(&inputs), [(AnomalyKind::MalformedMessage, 63), (AnomalyKind::UnknownMessage, 90)]);
    assert_eq!(inputs.iter().map(|(_, r)| *r).collect::<Vec<_>>(), [1, 3, 4], "an empty message is passed over");
    assert!(inputs.iter().all(|(e, _)| e.flags.has(Flags::LAST_OF_GROUP)));
}

#[test]
fn a_truncated_capture_reports_where() {
    for file in [
        pcap(&[5, 6].map(|s| ethernet(&mold(SESSION, s, 1)))),
        pcapng(false, &[5, 6].map(|s| ethernet(&mold(SESSION, s, 1)))),
    ] {
        let mut messages = std::collections::BTreeSet::new();
        for kept in 4..file.len() {
            let (inputs, end) = decode(&file[..kept]);
            messages.insert((orders(&inputs).len(), end.is_ok()));
            if let Err(e) = end {
                assert!(e.what.contains("the capture ends inside packet") && e.offset < kept as u64, "{kept}: {e}");
                assert_eq!(e.record, orders(&inputs).len() as u64 + 1);
            }
        }
        assert!(messages.contains(&(1, true)) && messages.contains(&(1, false)), "{messages:?}");
    }
}

#[test]
fn damage_reports_where() {
    let mut file = pcapng(false, &[ethernet(&mold(SESSION, 5, 1))]);
    let interface_len = 28 + 4;
    for (byte, what) in
        [(8, "byte-order mark"), (4, "length"), (28 - 4, "end with its length"), (interface_len, "length")]
    {
        let was = file[byte];
        file[byte] ^= 0x5a;
        let (inputs, end) = decode(&file);
        let e = end.unwrap_err();
        assert!(inputs.is_empty() && (e.what.contains(what) || e.what.contains("ends inside")), "{byte}: {e}");
        file[byte] = was;
    }
    let (_, end) = decode(&pcap_as(true, 0xa1b2_c3d4, 1, &[])[..10]);
    assert!(end.unwrap_err().what.contains("14 bytes are missing"));
}

#[test]
fn cuts_change_nothing_in_captures() {
    let packets = [mold(SESSION, 5, 40), mold(SESSION, 50, 90), mold(SESSION, 60, 100), mold(SESSION, 200, 0)];
    let frames = packets.map(|p| ethernet(&p));
    for file in [pcap(&frames), pcapng(true, &frames)] {
        let whole = drive::collect(&mut ItchDecoder::new(None), &[&file], file.len(), 1 << 12);
        assert_eq!(whole.1, Ok(()));
        for (cut, room) in [(1, 128), (2, 131), (3, 4096), (7, 200), (100, 128), (1500, 129), (1 << 20, 128)] {
            let pieces = drive::collect(&mut ItchDecoder::new(None), &[&file], cut, room);
            assert_eq!(pieces, whole, "cut {cut}, room {room}");
        }
    }
}
