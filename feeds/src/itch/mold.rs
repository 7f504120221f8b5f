//! MoldUDP64 1.00: packets of numbered messages, and what their numbers say.
//!
//! A packet is a header of 20 bytes (session, sequence number of the first message, count) and `count` blocks, each a
//! 16-bit length and a message. [`Sequencer`] looks at headers only and says what of a packet is new, and what is
//! missing before it. It knows one session and the next number: nothing grows.

/// Count of a packet that ends the session.
const END_OF_SESSION: u16 = 0xffff;

/// What opens a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) session: [u8; 10],
    /// Number of the first message, or of the next one if there is none.
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

    /// Messages in the packet: none in a heartbeat and at the end of the session.
    pub(super) fn messages(&self) -> u16 {
        if self.count == END_OF_SESSION { 0 } else { self.count }
    }

    /// Whether all blocks are whole in `payload`.
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

/// The message of the block at the front of `bytes`; `None` if it is cut short.
pub(super) fn block(bytes: &[u8]) -> Option<&[u8]> {
    let (len, rest) = bytes.split_first_chunk::<2>()?;
    rest.get(..usize::from(u16::from_be_bytes(*len)))
}

/// Missing messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) expected: u64,
    pub(super) received: u64,
}

/// What a packet brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is of another session than the one that runs; skip it. `first`: none of that session came just before.
    Foreign { first: bool },
    /// It is of the session that runs.
    Ours {
        /// It opens a new session after the end of the last one.
        restarted: bool,
        /// What is missing before it.
        missing: Option<Missing>,
        /// So many of its first messages were seen already.
        seen: u16,
    },
}

/// Follows the sequence numbers of one session.
///
/// The first packet's session and number are where it starts: captures begin in the middle. A packet of another session
/// is foreign, until the session was ended by its own packet: then the next session starts anew. Number 0, which no
/// session uses, marks packets that were framed again by somebody: as long as all are 0 nothing is concluded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sequencer {
    session: Option<[u8; 10]>,
    foreign: Option<[u8; 10]>,
    expected: u64,
    ended: bool,
}

impl Sequencer {
    pub(super) fn see(&mut self, header: &Header) -> Seen {
        let restarted = match self.session {
            Some(session) if session == header.session => false,
            Some(_) if !self.ended => {
                let first = self.foreign.replace(header.session) != Some(header.session);
                return Seen::Foreign { first };
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
        let seen = (self.expected - header.sequence).min(header.messages().into()) as u16;
        if self.expected > 0 {
            self.expected = self.expected.max(header.sequence.saturating_add(header.messages().into()));
        }
        self.ended = header.count == END_OF_SESSION;
        Seen::Ours { restarted, missing, seen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [u8; 10] = *b"SESSION  A";
    const B: [u8; 10] = *b"SESSION  B";

    fn see(s: &mut Sequencer, session: [u8; 10], sequence: u64, count: u16) -> Seen {
        s.see(&Header { session, sequence, count })
    }

    fn ours(missing: Option<(u64, u64)>, seen: u16) -> Seen {
        let missing = missing.map(|(expected, received)| Missing { expected, received });
        Seen::Ours { restarted: false, missing, seen }
    }

    #[test]
    fn numbers_tell_gaps_and_repeats() {
        let mut s = Sequencer::default();
        assert_eq!(see(&mut s, A, 100, 3), ours(None, 0), "captures begin in the middle");
        assert_eq!(see(&mut s, A, 103, 0), ours(None, 0), "heartbeat");
        assert_eq!(see(&mut s, A, 100, 3), ours(None, 3), "duplicate");
        assert_eq!(see(&mut s, A, 102, 3), ours(None, 1), "overlap");
        assert_eq!(see(&mut s, A, 107, 1), ours(Some((105, 107)), 0), "gap");
        assert_eq!(see(&mut s, A, 107, 1), ours(None, 1), "a gap is told once");
        assert_eq!(see(&mut s, A, 110, 0), ours(Some((108, 110)), 0), "a heartbeat tells what is missing at the tail");
        assert_eq!(see(&mut s, A, 111, 0xffff), ours(Some((110, 111)), 0), "so does the end");
        assert_eq!(see(&mut s, A, 111, 0xffff), ours(None, 0), "which is repeated");
    }

    #[test]
    fn another_session_waits_for_the_end_of_the_first() {
        let mut s = Sequencer::default();
        see(&mut s, A, 5, 1);
        assert_eq!(see(&mut s, B, 1, 1), Seen::Foreign { first: true });
        assert_eq!(see(&mut s, B, 2, 1), Seen::Foreign { first: false });
        assert_eq!(see(&mut s, A, 6, 0xffff), ours(None, 0));
        assert_eq!(see(&mut s, B, 3, 1), Seen::Ours { restarted: true, missing: None, seen: 0 });
        assert_eq!(see(&mut s, B, 4, 1), ours(None, 0));
    }

    #[test]
    fn zero_throughout_concludes_nothing() {
        let mut s = Sequencer::default();
        for _ in 0..3 {
            assert_eq!(see(&mut s, [0; 10], 0, 2), ours(None, 0));
        }
        assert_eq!(see(&mut s, [0; 10], 50, 2), ours(None, 0));
        assert_eq!(see(&mut s, [0; 10], 53, 2), ours(Some((52, 53)), 0));
        assert_eq!(see(&mut s, [0; 10], u64::MAX, 2), ours(Some((55, u64::MAX)), 0));
    }

    #[test]
    fn a_packet_must_hold_its_blocks() {
        let packet = |count: u16, blocks: &[u8]| [&A[..], &7u64.to_be_bytes(), &count.to_be_bytes(), blocks].concat();
        let whole = |bytes: &[u8]| Header::read(bytes).map(|h| h.is_whole(bytes));
        assert_eq!(whole(&packet(2, &[0, 1, b'S', 0, 0])), Some(true), "an empty block is legal");
        assert_eq!(whole(&packet(1, &[0, 1, b'S', 9, 9])), Some(true), "padding is passed over");
        assert_eq!(whole(&packet(2, &[0, 1, b'S', 0])), Some(false));
        assert_eq!(whole(&packet(1, &[0, 2, b'S'])), Some(false));
        assert_eq!(whole(&packet(0xffff, &[])), Some(true));
        assert_eq!(whole(&packet(0, &[])[..19]), None);
    }
}
