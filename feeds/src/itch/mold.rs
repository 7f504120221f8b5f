//! MoldUDP64 1.00: packets of sequenced messages.
//!
//! A packet is a 20-byte header (session, sequence number of the first message, count) and `count` blocks, each a
//! 16-bit length and a message. Which of its messages are new is the [`Sequencer`](super::sequencer::Sequencer)'s question.

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

    /// The number of the message that follows its last one.
    pub(super) fn end(&self) -> u64 {
        self.sequence.saturating_add(self.messages().into())
    }

    /// Whether it ends the session.
    pub(super) fn ends_session(&self) -> bool {
        self.count == END_OF_SESSION
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

#[cfg(test)]
mod tests {
    use super::*;

    const A: [u8; 10] = *b"SESSION  A";

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
