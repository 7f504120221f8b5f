//! Datagrams in fragments of IP packets: any order, copies, other traffic between, and what is lost.

use super::captures::{SESSION, clean, ethernet, mold, orders, pcap};
use super::*;
use etherparse::{IpFragOffset, IpNumber, Ipv4Header, Ipv6FragmentHeader, Ipv6Header, UdpHeader};

/// The UDP datagram of a payload, in pieces of `most` bytes with their offsets.
fn pieces(payload: &[u8], most: usize) -> Vec<(usize, bool, Vec<u8>)> {
    let udp = UdpHeader::without_ipv4_checksum(1, 26_477, payload.len()).unwrap();
    let datagram = [&udp.to_bytes()[..], payload].concat();
    let last = datagram.len().div_ceil(most) - 1;
    datagram.chunks(most).enumerate().map(|(i, piece)| (i * most, i < last, piece.to_vec())).collect()
}

fn frame(ether_type: [u8; 2], packet: &[u8]) -> Vec<u8> {
    [&[1, 0, 0x5e, 0, 0, 1, 2, 0, 0, 0, 0, 1][..], &ether_type, packet].concat()
}

/// The frames of a payload in IPv4 fragments of at most 64 bytes.
fn fragments(id: u16, payload: &[u8]) -> Vec<Vec<u8>> {
    let made = pieces(payload, 64).into_iter().map(|(at, more, bytes)| {
        let mut ip = Ipv4Header::new(bytes.len() as u16, 16, IpNumber::UDP, [10, 0, 0, 1], [224, 0, 0, 1]).unwrap();
        (ip.identification, ip.more_fragments) = (id, more);
        ip.fragment_offset = IpFragOffset::try_new(at as u16 / 8).unwrap();
        ip.header_checksum = ip.calc_header_checksum();
        frame([8, 0], &[&ip.to_bytes()[..], &bytes].concat())
    });
    made.collect()
}

/// The same over IPv6.
fn fragments_v6(id: u32, payload: &[u8]) -> Vec<Vec<u8>> {
    let made = pieces(payload, 64).into_iter().map(|(at, more, bytes)| {
        let part = Ipv6FragmentHeader::new(IpNumber::UDP, IpFragOffset::try_new(at as u16 / 8).unwrap(), more, id);
        let ip = Ipv6Header {
            payload_length: 8 + bytes.len() as u16,
            next_header: IpNumber::IPV6_FRAGMENTATION_HEADER,
            source: [1; 16],
            destination: [2; 16],
            ..Ipv6Header::default()
        };
        frame([0x86, 0xdd], &[&ip.to_bytes()[..], &part.to_bytes(), &bytes].concat())
    });
    made.collect()
}

/// Decodes frames; returns orders, anomalies and the counts of fragments and of datagrams with fragments missing.
fn decoded(frames: &[Vec<u8>]) -> (Vec<u64>, Vec<(AnomalyKind, u64)>, [u64; 2]) {
    let mut decoder = ItchDecoder::new(date());
    let (inputs, end) = drive::collect(&mut decoder, &[&pcap(frames)], 999, 0);
    assert_eq!(end, Ok(()));
    let counts = ["fragments", "datagrams with fragments missing"].map(|name| count(&decoder, name));
    (orders(&inputs), anomalies(&inputs), counts)
}

#[test]
fn every_packet_in_fragments_in_order_and_the_last_first() {
    let packets = [mold(SESSION, 1, 3), mold(SESSION, 4, 2), mold(SESSION, 6, 0), mold(SESSION, 6, 9)];
    for make in [|id: u16, p: &[u8]| fragments(id, p), |id: u16, p: &[u8]| fragments_v6(id.into(), p)] {
        let mut frames: Vec<Vec<Vec<u8>>> = packets.iter().zip(1..).map(|(packet, id)| make(id, packet)).collect();
        assert_eq!(frames.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1, 4]);
        let want: Vec<u64> = (1..15).collect();
        clean(&pcap(&frames.concat()), &want);
        frames.iter_mut().for_each(|of_one| of_one.reverse());
        clean(&pcap(&frames.concat()), &want);
    }
}

#[test]
fn one_packet_in_fragments_among_whole_ones_and_of_two_at_once() {
    let [four, eight] = [(1, mold(SESSION, 4, 4)), (2, mold(SESSION, 8, 4))].map(|(id, packet)| fragments(id, &packet));
    let whole = [ethernet(&mold(SESSION, 1, 3)), ethernet(&mold(SESSION, 12, 1))];
    let frames = [&whole[..1], &eight[..1], &four[..1], &eight[1..], &four[1..], &whole[1..]].concat();
    clean(&pcap(&frames), &(1..13).collect::<Vec<u64>>());
}

#[test]
fn a_copy_of_every_fragment_changes_nothing() {
    let frames = fragments(1, &mold(SESSION, 1, 4));
    let twice: Vec<Vec<u8>> = frames.iter().flat_map(|f| [f.clone(), f.clone()]).collect();
    clean(&pcap(&twice), &[1, 2, 3, 4]);
    clean(&pcap(&[&frames[..], &frames].concat()), &[1, 2, 3, 4]);
}

#[test]
fn a_fragment_that_is_missing_is_told_and_counted() {
    let lost = fragments(1, &mold(SESSION, 4, 4));
    for missing in 0..lost.len() {
        let mut frames = lost.clone();
        frames.remove(missing);
        frames.insert(0, ethernet(&mold(SESSION, 1, 3)));
        frames.push(ethernet(&mold(SESSION, 8, 1)));
        let want = vec![(AnomalyKind::BadPacket, 2), (AnomalyKind::SequenceGap, 4)];
        assert_eq!(decoded(&frames), (vec![1, 2, 3, 8], want, [lost.len() as u64 - 1, 1]), "{missing}");
    }
}

#[test]
fn fragments_without_end_are_bounded() {
    let firsts = |of: std::ops::Range<u16>| of.map(|id| fragments(id, &mold(SESSION, id.into(), 4)).remove(0));
    let mut frames: Vec<Vec<u8>> = firsts(1..1_001).collect();
    frames.extend(fragments(2_000, &mold(SESSION, 1, 4)));
    let (orders, anomalies, counts) = decoded(&frames);
    assert_eq!((orders, counts), (vec![1, 2, 3, 4], [1_002, 1_000]));
    let packets: Vec<u64> = anomalies.iter().map(|(_, packet)| *packet).collect();
    assert_eq!(packets[..937], (1..938).collect::<Vec<u64>>(), "each as its place is needed");
}

#[test]
fn fragments_of_another_protocol_are_no_datagrams() {
    let mut frame = fragments(1, &mold(SESSION, 1, 4)).remove(0);
    frame[14 + 9] = 6;
    frame[14 + 10..14 + 12].fill(0);
    assert_eq!(decoded(&[frame]), (vec![], vec![], [0, 0]));
}
