//! MoldUDP64 1.00: packets of sequenced messages.
//!
//! A packet is a 20-byte header (session, sequence number of the first message, count) and `count` blocks, each a
//! 16-bit length and a message. [`Sequencer`] reads headers only: it finds which messages of a packet are new and which
//! are missing before it. It keeps one session and the next expected number, so its memory is constant.

/// The count that marks the end of the session.
const END_OF_SESSION: u16 = 0xffff;

/// A packet's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) session: [u8; 10],
    /// Sequence number of the first message, or of the next one if the packet has none.
    pub(super) sequence: u64,
    pub(super) count: u16,
}

impl Header {
    pub(super) const LEN: usize = 20;

    pub(super) fn read(payload: &[u8]) -> Option<Header> {
        let bytes = payload.first_chunk::<{ Header::LEN }>()?;
        let (session, numbers) = bytes.split_first_chunk::<10>()?;
        let (sequence, count) = numbers.split_first_chunk::<8>()?;
        let count = u16::from_be_bytes(*count.first_chunk()?);
        Some(Header { session: *session, sequence: u64::from_be_bytes(*sequence), count })
    }

    /// Number of messages in the packet: none in a heartbeat or at the end of the session.
    pub(super) fn messages(&self) -> u16 {
        if self.count == END_OF_SESSION { 0 } else { self.count }
    }

    /// Whether `payload` holds all blocks completely.
    pub(super) fn is_whole(&self, payload: &[u8]) -> bool {
        let mut rest = &payload[Header::LEN..];
        (0..self.messages()).all(|_| match block(rest) {
            Some(message) => {
                rest = &rest[2 + message.len()..];
                true
            }
            None => false,
        })
    }
}

/// The message of the first block of `bytes`; `None` if it is truncated.
pub(super) fn block(bytes: &[u8]) -> Option<&[u8]> {
    let (len, rest) = bytes.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_be_bytes(*len)))
}

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
    /// It belongs to the current session.
    ThisSession {
        /// It opens a new session after the end of the last one.
        restarted: bool,
        /// The messages missing before it.
        missing: Option<Missing>,
        /// How many of its leading messages were received before.
        duplicates: u16,
    },
}

/// Follows the sequence numbers of one session.
///
/// The first packet's session and number are the starting point, since captures may begin mid-session. Packets of
/// another session are foreign until an end-of-session packet closes the current one; the next packet then starts a new
/// session. No session uses number 0: it marks packets that were re-framed by a tool, and as long as all numbers are 0
/// no gap is reported.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sequencer {
    session: Option<[u8; 10]>,
    other: Option<[u8; 10]>,
    expected: u64,
    ended: bool,
}

impl Sequencer {
    pub(super) fn classify(&mut self, header: &Header) -> PacketClass {
        let restarted = match self.session {
            Some(session) if session == header.session => false,
            Some(_) if !self.ended => {
                let first = self.other.replace(header.session) != Some(header.session);
                return PacketClass::OtherSession { first };
            }
            before => {
                *self = Sequencer { session: Some(header.session), ..Sequencer::default() };
                before.is_some()
            }
        };
        if self.expected == 0 {
            self.expected = header.sequence;
        }
        let missing =
            (header.sequence > self.expected).then_some(Missing { expected: self.expected, received: header.sequence });
        self.expected = self.expected.max(header.sequence);
        let duplicates = (self.expected - header.sequence).min(header.messages().into()) as u16;
        if self.expected > 0 {
            self.expected = self.expected.max(header.sequence.saturating_add(header.messages().into()));
        }
        self.ended = header.count == END_OF_SESSION;
        PacketClass::ThisSession { restarted, missing, duplicates }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [u8; 10] = *b"SESSION  A";
    const B: [u8; 10] = *b"SESSION  B";

    fn classify(s: &mut Sequencer, session: [u8; 10], sequence: u64, count: u16) -> PacketClass {
        s.classify(&Header { session, sequence, count })
    }

    fn this_session(missing: Option<(u64, u64)>, duplicates: u16) -> PacketClass {
        let missing = missing.map(|(expected, received)| Missing { expected, received });
        PacketClass::ThisSession { restarted: false, missing, duplicates }
    }

    #[test]
    fn sequence_numbers_reveal_gaps_and_duplicates() {
        let mut s = Sequencer::default();
        assert_eq!(classify(&mut s, A, 100, 3), this_session(None, 0), "captures begin in the middle");
        assert_eq!(classify(&mut s, A, 103, 0), this_session(None, 0), "heartbeat");
        assert_eq!(classify(&mut s, A, 100, 3), this_session(None, 3), "duplicate");
        assert_eq!(classify(&mut s, A, 102, 3), this_session(None, 1), "overlap");
        assert_eq!(classify(&mut s, A, 107, 1), this_session(Some((105, 107)), 0), "gap");
        assert_eq!(classify(&mut s, A, 107, 1), this_session(None, 1), "a gap is reported once");
        assert_eq!(
            classify(&mut s, A, 110, 0),
            this_session(Some((108, 110)), 0),
            "a heartbeat reveals messages missing at the end"
        );
        assert_eq!(classify(&mut s, A, 111, 0xffff), this_session(Some((110, 111)), 0), "so does the end");
        assert_eq!(classify(&mut s, A, 111, 0xffff), this_session(None, 0), "which is repeated");
    }

    #[test]
    fn another_session_waits_for_the_end_of_the_first() {
        let mut s = Sequencer::default();
        classify(&mut s, A, 5, 1);
        assert_eq!(classify(&mut s, B, 1, 1), PacketClass::OtherSession { first: true });
        assert_eq!(classify(&mut s, B, 2, 1), PacketClass::OtherSession { first: false });
        assert_eq!(classify(&mut s, A, 6, 0xffff), this_session(None, 0));
        assert_eq!(
            classify(&mut s, B, 3, 1),
            PacketClass::ThisSession { restarted: true, missing: None, duplicates: 0 }
        );
        assert_eq!(classify(&mut s, B, 4, 1), this_session(None, 0));
    }

    #[test]
    fn numbers_that_are_all_zero_report_no_gap() {
        let mut s = Sequencer::default();
        for _ in 0..3 {
            assert_eq!(classify(&mut s, [0; 10], 0, 2), this_session(None, 0));
        }
        assert_eq!(classify(&mut s, [0; 10], 50, 2), this_session(None, 0));
        assert_eq!(classify(&mut s, [0; 10], 53, 2), this_session(Some((52, 53)), 0));
        assert_eq!(classify(&mut s, [0; 10], u64::MAX, 2), this_session(Some((55, u64::MAX)), 0));
    }

    #[test]
    fn a_packet_must_hold_its_blocks() {
        let packet = |count: u16, blocks: &[u8]| [&A[..], &7u64.to_be_bytes(), &count.to_be_bytes(), blocks].concat();
        let whole = |bytes: &[u8]| Header::read(bytes).map(|h| h.is_whole(bytes));
        assert_eq!(whole(&packet(2, &[0, 1, b'S', 0, 0])), Some(true), "an empty block is legal");
        assert_eq!(whole(&packet(1, &[0, 1, b'S', 9, 9])), Some(true), "padding is ignored");
        assert_eq!(whole(&packet(2, &[0, 1, b'S', 0])), Some(false));
        assert_eq!(whole(&packet(1, &[0, 2, b'S'])), Some(false));
        assert_eq!(whole(&packet(0xffff, &[])), Some(true));
        assert_eq!(whole(&packet(0, &[])[..19]), None);
    }
}
