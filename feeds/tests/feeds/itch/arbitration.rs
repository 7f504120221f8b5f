//! Feeds A and B in one capture: what one of them lost comes from the other, also when it comes late.

use super::captures::{SESSION, clean, ethernet, mold, orders, pcap};
use super::*;
use proptest::prelude::*;

/// Orders and anomalies of packets of two messages with these numbers.
fn decoded(numbers: impl IntoIterator<Item = u64>) -> (Vec<u64>, Vec<(AnomalyKind, u64)>) {
    let frames: Vec<Vec<u8>> = numbers.into_iter().map(|n| ethernet(&mold(SESSION, n, 2))).collect();
    let (inputs, end) = decode(&pcap(&frames));
    assert_eq!(end, Ok(()));
    (orders(&inputs), anomalies(&inputs))
}

#[test]
fn what_one_feed_lost_comes_from_the_other_one_packet_late() {
    clean(&pcap(&[1, 5, 3, 7].map(|n| ethernet(&mold(SESSION, n, 2)))), &[1, 2, 3, 4, 5, 6, 7, 8]);
    // A: 1, 5, 7 and B, one packet late: 1, 3, 5, 7.
    let (orders, anomalies) = decoded([1, 1, 5, 3, 7, 5, 7]);
    assert_eq!(orders, [1, 2, 3, 4, 5, 6, 7, 8]);
    let repeated: Vec<u64> = anomalies.iter().map(|(_, number)| *number).collect();
    assert!(anomalies.iter().all(|(kind, _)| *kind == AnomalyKind::DuplicatePacket), "{anomalies:?}");
    assert_eq!(repeated, [1, 5, 7]);
}

#[test]
fn a_gap_is_declared_when_the_window_has_passed_and_what_comes_then_is_late() {
    let early = (0..1_024).map(|n| 5 + 2 * n);
    let (orders, anomalies) = decoded(std::iter::once(1).chain(early.clone()).chain([3, 3, 5]));
    assert_eq!(orders[..4], [1, 2, 5, 6]);
    assert_eq!(orders.len(), 2 + 2_048);
    let late = [(AnomalyKind::LatePacket, 3), (AnomalyKind::LatePacket, 3), (AnomalyKind::DuplicatePacket, 5)];
    assert_eq!(anomalies, [&[(AnomalyKind::SequenceGap, 2)][..], &late].concat());
    let within = std::iter::once(1).chain(early.take(1_023)).chain([3]);
    assert_eq!(decoded(within).1, []);
}

#[test]
fn what_was_sent_before_the_capture_began_is_no_duplicate() {
    let (orders, anomalies) = decoded([5, 3, 5, 7]);
    assert_eq!(orders, [5, 6, 7, 8]);
    assert_eq!(anomalies, [(AnomalyKind::LatePacket, 3), (AnomalyKind::DuplicatePacket, 5)]);
}

#[test]
fn the_end_of_the_session_waits_for_the_other_feed_too() {
    let other = b"000010060B";
    let end = [&SESSION[..], &7u64.to_be_bytes(), &[0xff, 0xff]].concat();
    let first = [mold(SESSION, 1, 2), mold(SESSION, 5, 2), end.clone()];
    let late = [mold(SESSION, 3, 2), end, mold(other, 1, 1)];
    let (inputs, _) = decode(&pcap(&[first.clone(), late].concat().iter().map(|p| ethernet(p)).collect::<Vec<_>>()));
    assert_eq!(orders(&inputs), [1, 2, 3, 4, 5, 6, 1]);
    // Without the other feed, the next session closes the window.
    let (inputs, _) =
        decode(&pcap(&[&first[..], &[mold(other, 1, 1)]].concat().iter().map(|p| ethernet(p)).collect::<Vec<_>>()));
    assert_eq!((orders(&inputs), anomalies(&inputs)), (vec![1, 2, 5, 6, 1], vec![(AnomalyKind::SequenceGap, 2)]));
    assert_eq!(inputs.iter().filter(|(e, _)| e.kind == Kind::Clear).count(), 1);
}

proptest! {
    /// Two feeds that each lose packets, one behind the other: every message that came is used once and in order, what
    /// neither has is a gap, and how the file is cut changes nothing.
    #[test]
    fn two_feeds_make_one(
        lost in prop::collection::vec((prop::bool::weighted(0.1), prop::bool::weighted(0.1)), 1..200),
        behind in 0usize..40,
        cut in 1usize..3_000,
    ) {
        let number = |i: usize| 1_000 + 2 * i as u64;
        let mut sent = vec![number(0)];
        for i in 0..lost.len() + behind {
            sent.extend(lost.get(i).filter(|l| !l.0).map(|_| number(i + 1)));
            let late = i.checked_sub(behind);
            sent.extend(late.and_then(|i| lost.get(i).filter(|l| !l.1).map(|_| number(i + 1))));
        }
        sent.push(number(lost.len() + 1));
        let file = pcap(&sent.iter().map(|n| ethernet(&mold(SESSION, *n, 2))).collect::<Vec<_>>());
        let whole = decode(&file);
        let came = (0..lost.len() + 2).filter(|i| lost.get(i.wrapping_sub(1)).is_none_or(|l| !l.0 || !l.1));
        let want: Vec<u64> = came.flat_map(|i| [number(i), number(i) + 1]).collect();
        prop_assert_eq!(orders(&whole.0), want);
        let gaps: u64 = anomalies(&whole.0).iter().filter(|a| a.0 == AnomalyKind::SequenceGap).map(|a| a.1).sum();
        prop_assert_eq!(gaps, 2 * lost.iter().filter(|l| l.0 && l.1).count() as u64);
        prop_assert!(anomalies(&whole.0).iter().all(|a| a.0 != AnomalyKind::LatePacket));
        prop_assert_eq!(drive::collect(&mut ItchDecoder::new(date()), &[&file], cut, 0), whole);
    }
}
