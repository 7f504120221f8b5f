//! Which messages of a packet are new: the sequence numbers of one session, from one feed or from feeds A and B at once.
//!
//! Whatever comes first is used. A packet that comes before its turn waits in order of its number until what is missing has
//! come too, from the other feed or late. Only when [`WAITING`] packets or [`WAITING_BYTES`] bytes wait, or nothing
//! follows, are the missing messages a gap. What comes after its gap is late, not a duplicate: nobody has seen it.
//!
//! The first packet's session and number are the starting point, since captures may begin mid-session. Packets of another
//! session are foreign until an end-of-session packet closes the current one; the next packet then starts a new session. No
//! session uses number 0: it marks packets that were framed again by a tool, and as long as all numbers are 0 none is
//! missing. Bound: the packets that wait and the last [`GAPS`] gaps. Worst case of a packet: a copy of it, and a look at
//! every gap if it is old.

use super::mold::Header;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

/// How many packets may wait. Feed B may be that far behind: milliseconds at the busiest moments of a day.
const WAITING: usize = 1024;

/// How many bytes of packets may wait.
const WAITING_BYTES: usize = 4 << 20;

/// How many gaps are remembered, to tell late messages from duplicates.
const GAPS: usize = 1024;

/// A range of missing messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) expected: u64,
    pub(super) received: u64,
}

/// A packet's place in the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PacketClass {
    /// It belongs to another session and must be skipped. `first`: the previous foreign packet was of a different
    /// session.
    OtherSession { first: bool },
    /// It belongs to the next session, but packets of this one wait: take those first, then ask again.
    NextSession,
    /// Something is missing before it: it must wait ([`Sequencer::hold`]).
    Early,
    /// It is its turn.
    Now(Turn),
}

/// What a packet whose turn it is has to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    /// It opens a new session after the end of the last one.
    pub(super) restarted: bool,
    /// How many of its leading messages are not used.
    pub(super) skip: u16,
    /// Whether one of these was used before.
    pub(super) repeats: bool,
    /// Whether one of these is of a gap that has been reported.
    pub(super) late: bool,
}

/// Follows the sequence numbers of one session.
#[derive(Debug, Default)]
pub(super) struct Sequencer {
    session: Option<[u8; 10]>,
    other: Option<[u8; 10]>,
    expected: u64,
    ended: bool,
    /// The messages that never came, ascending; what was sent before the first packet is the first of them.
    gaps: VecDeque<Range<u64>>,
    /// The packets that wait, by number and count.
    waiting: BTreeMap<(u64, u16), Vec<u8>>,
    waiting_bytes: usize,
    /// One of them ends the session.
    ending: bool,
    /// Nothing is waited for any more, until none waits.
    given_up: bool,
    /// Buffers of packets that waited.
    spare: Vec<Vec<u8>>,
}

impl Sequencer {
    pub(super) fn classify(&mut self, header: &Header) -> PacketClass {
        let restarted = match self.session {
            Some(session) if session == header.session => false,
            Some(_) if self.ending => {
                self.given_up = true;
                return PacketClass::NextSession;
            }
            Some(_) if !self.ended => {
                let first = self.other.replace(header.session) != Some(header.session);
                return PacketClass::OtherSession { first };
            }
            before => {
                let spare = std::mem::take(&mut self.spare);
                *self = Sequencer { session: Some(header.session), spare, ..Sequencer::default() };
                before.is_some()
            }
        };
        if self.expected == 0 && header.sequence > 0 {
            self.expected = header.sequence;
            self.gaps.push_back(0..header.sequence);
        }
        if header.sequence > self.expected {
            return PacketClass::Early;
        }
        PacketClass::Now(Turn { restarted, ..self.turn(header) })
    }

    /// A packet whose turn it is.
    fn turn(&mut self, header: &Header) -> Turn {
        self.ended = header.ends_session();
        if self.expected == 0 {
            return Turn::default();
        }
        let seen = header.sequence..self.expected.min(header.end());
        let skip = seen.end.saturating_sub(seen.start);
        self.expected = self.expected.max(header.end());
        if skip == 0 {
            return Turn::default();
        }
        let overlap = |gap: &Range<u64>| gap.end.min(seen.end).saturating_sub(gap.start.max(seen.start));
        let late: u64 = self.gaps.iter().map(overlap).sum();
        Turn { restarted: false, skip: skip as u16, repeats: late < skip, late: late > 0 }
    }

    /// Takes a packet that is early; `false` if the same one waits already.
    pub(super) fn hold(&mut self, header: &Header, payload: &[u8]) -> bool {
        let key = (header.sequence, header.count);
        if self.waiting.contains_key(&key) {
            return false;
        }
        let mut packet = self.spare.pop().unwrap_or_default();
        packet.clear();
        packet.extend_from_slice(payload);
        self.waiting_bytes += packet.len();
        self.ending |= header.ends_session();
        self.waiting.insert(key, packet);
        true
    }

    /// Nothing follows: what is missing before a packet that waits is a gap. Returns whether any waits.
    pub(super) fn give_up(&mut self) -> bool {
        self.given_up = !self.waiting.is_empty();
        self.given_up
    }

    /// The packet that waited and whose turn it is, with what is missing before it.
    pub(super) fn due(&mut self) -> Option<(Vec<u8>, Option<Missing>)> {
        let (&(sequence, _), _) = self.waiting.first_key_value()?;
        let full = self.waiting.len() >= WAITING || self.waiting_bytes >= WAITING_BYTES;
        if sequence > self.expected && !full && !self.given_up {
            return None;
        }
        let (_, packet) = self.waiting.pop_first()?;
        self.waiting_bytes -= packet.len();
        self.given_up &= !self.waiting.is_empty();
        self.ending &= !self.waiting.is_empty();
        let missing = (sequence > self.expected).then_some(Missing { expected: self.expected, received: sequence });
        if missing.is_some() {
            if self.gaps.len() == GAPS {
                self.gaps.pop_front();
            }
            self.gaps.push_back(self.expected..sequence);
            self.expected = sequence;
        }
        Some((packet, missing))
    }

    /// Takes back the buffer of a packet that waited.
    pub(super) fn reuse(&mut self, packet: Vec<u8>) {
        if self.spare.len() < WAITING {
            self.spare.push(packet);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [u8; 10] = *b"SESSION  A";
    const B: [u8; 10] = *b"SESSION  B";

    fn header(session: [u8; 10], sequence: u64, count: u16) -> Header {
        Header { session, sequence, count }
    }

    fn now(skip: u16, repeats: bool, late: bool) -> PacketClass {
        PacketClass::Now(Turn { restarted: false, skip, repeats, late })
    }

    const NEW: PacketClass = PacketClass::Now(Turn { restarted: false, skip: 0, repeats: false, late: false });

    /// Offers a packet of session A; one that must wait is held.
    fn offer(s: &mut Sequencer, sequence: u64, count: u16) -> PacketClass {
        let header = header(A, sequence, count);
        let class = s.classify(&header);
        if class == PacketClass::Early {
            assert!(s.hold(&header, &[A.as_slice(), &sequence.to_be_bytes(), &count.to_be_bytes()].concat()));
        }
        class
    }

    /// The numbers of the packets whose turn has come, with what is missing before each.
    fn due(s: &mut Sequencer) -> Vec<(u64, Option<(u64, u64)>)> {
        std::iter::from_fn(|| {
            let (packet, missing) = s.due()?;
            let header = Header::read(&packet).unwrap();
            assert!(matches!(s.classify(&header), PacketClass::Now(_)));
            s.reuse(packet);
            Some((header.sequence, missing.map(|m| (m.expected, m.received))))
        })
        .collect()
    }

    #[test]
    fn what_was_used_is_a_duplicate() {
        let mut s = Sequencer::default();
        assert_eq!(offer(&mut s, 100, 3), NEW, "captures begin in the middle");
        assert_eq!(offer(&mut s, 103, 0), NEW, "heartbeat");
        assert_eq!(offer(&mut s, 100, 3), now(3, true, false));
        assert_eq!(offer(&mut s, 102, 3), now(1, true, false), "overlap");
        assert_eq!(offer(&mut s, 98, 4), now(4, true, true), "two from before the beginning, which nobody has seen");
        assert_eq!(due(&mut s), []);
    }

    #[test]
    fn what_is_early_waits_for_what_is_missing() {
        let mut s = Sequencer::default();
        assert_eq!(offer(&mut s, 1, 3), NEW);
        assert_eq!(offer(&mut s, 9, 2), PacketClass::Early);
        assert_eq!(offer(&mut s, 7, 2), PacketClass::Early);
        assert!(!s.hold(&header(A, 7, 2), &[]), "the other feed's copy");
        assert_eq!(due(&mut s), []);
        assert_eq!(offer(&mut s, 4, 3), NEW, "late, and never seen");
        assert_eq!(due(&mut s), [(7, None), (9, None)]);
        assert_eq!(offer(&mut s, 4, 3), now(3, true, false), "now it was seen");
    }

    #[test]
    fn a_gap_is_declared_when_the_window_is_full() {
        let mut s = Sequencer::default();
        offer(&mut s, 1, 1);
        for n in 0..WAITING as u64 {
            assert_eq!((offer(&mut s, 4 + 2 * n, 1), due(&mut s).len()), (PacketClass::Early, usize::from(n == 1023)));
        }
        assert_eq!(offer(&mut s, 2, 3), now(3, true, true), "two are late, and one was used");
        assert_eq!(offer(&mut s, 5, 1), NEW, "the second gap is still waited for");
        assert_eq!(due(&mut s), [(6, None)]);
    }

    #[test]
    fn at_the_end_everything_missing_is_a_gap() {
        let mut s = Sequencer::default();
        offer(&mut s, 1, 1);
        for (sequence, count) in [(9, 0xffff), (6, 2), (4, 0)] {
            assert_eq!(offer(&mut s, sequence, count), PacketClass::Early);
        }
        assert!(s.give_up());
        assert_eq!(due(&mut s), [(4, Some((2, 4))), (6, Some((4, 6))), (9, Some((8, 9)))]);
        assert!(!s.give_up());
    }

    #[test]
    fn another_session_waits_for_the_end_of_the_first() {
        let mut s = Sequencer::default();
        offer(&mut s, 5, 1);
        assert_eq!(s.classify(&header(B, 1, 1)), PacketClass::OtherSession { first: true });
        assert_eq!(s.classify(&header(B, 2, 1)), PacketClass::OtherSession { first: false });
        assert_eq!(offer(&mut s, 8, 0xffff), PacketClass::Early);
        assert_eq!(s.classify(&header(B, 3, 1)), PacketClass::NextSession, "what waits comes first");
        assert_eq!(due(&mut s), [(8, Some((6, 8)))]);
        let restarted = PacketClass::Now(Turn { restarted: true, ..Turn::default() });
        assert_eq!(s.classify(&header(B, 3, 1)), restarted);
        assert_eq!(s.classify(&header(B, 4, 1)), NEW);
    }

    #[test]
    fn numbers_that_are_all_zero_report_no_gap() {
        let mut s = Sequencer::default();
        for _ in 0..3 {
            assert_eq!(offer(&mut s, 0, 2), NEW);
        }
        assert_eq!(offer(&mut s, 50, 2), NEW);
        assert_eq!(offer(&mut s, u64::MAX, 2), PacketClass::Early);
        assert!(s.give_up());
        assert_eq!(due(&mut s), [(u64::MAX, Some((52, u64::MAX)))]);
    }

    #[test]
    fn the_bytes_that_wait_are_bounded() {
        let mut s = Sequencer::default();
        offer(&mut s, 1, 1);
        let packet = vec![0; WAITING_BYTES / 4];
        for n in 0..4 {
            let header = header(A, 10 + n, 1);
            assert_eq!((s.due(), s.classify(&header)), (None, PacketClass::Early));
            assert!(s.hold(&header, &packet));
        }
        assert!(s.due().is_some_and(|(_, missing)| missing.is_some()));
    }
}
