//! Frames on the byte stream: a header with length, checksum and journal, then the payload.
//!
//! The checksum covers the frame's number within its session and direction too, which is not sent: both ends count. So a
//! byte that changed, a frame that comes twice or that is missing, and a stream that slipped by some bytes are all found at
//! the frame in question. Bound: the bytes of one read and of an incomplete frame on the way in; what the socket had no room
//! for on the way out.

use flow::Event;

/// Bytes of a header: length, checksum, journal.
const HEADER: usize = 16;
/// Bytes of an event.
const EVENT: usize = size_of::<Event>();
/// Bytes of a proof.
pub(super) const PROOF: usize = 32;

/// What a frame carries; its length says which.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Payload {
    /// Nothing: the sender is alive.
    Heartbeat,
    /// The sender has the secret.
    Proof([u8; PROOF]),
    /// An event.
    Event(Event),
}

/// The bytes are not a frame of this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadFrame {
    /// Number of the frame in its session, from 0.
    pub(super) number: u64,
}

fn checksum(number: u64, length: [u8; 4], journal: [u8; 8], payload: &[u8]) -> u32 {
    let head = crc32c::crc32c_append(crc32c::crc32c(&number.to_le_bytes()), &length);
    crc32c::crc32c_append(crc32c::crc32c_append(head, &journal), payload)
}

/// Frames on their way out.
#[derive(Default)]
pub(super) struct Outgoing {
    number: u64,
    bytes: Vec<u8>,
    /// How many of the bytes the socket has.
    given: usize,
}

impl Outgoing {
    /// Adds a frame.
    pub(super) fn push(&mut self, journal: u64, payload: &[u8]) {
        let (length, journal) = ((payload.len() as u32).to_le_bytes(), journal.to_le_bytes());
        let sum = checksum(self.number, length, journal, payload);
        self.number += 1;
        for part in [&length[..], &sum.to_le_bytes(), &journal, payload] {
            self.bytes.extend_from_slice(part);
        }
    }

    /// The bytes that the socket does not have yet.
    pub(super) fn left(&self) -> &[u8] {
        &self.bytes[self.given..]
    }

    /// The socket took `n` bytes of them.
    pub(super) fn gave(&mut self, n: usize) {
        self.given += n;
        if self.given == self.bytes.len() {
            self.bytes.clear();
            self.given = 0;
        }
    }
}

/// Frames on their way in.
#[derive(Default)]
pub(super) struct Incoming {
    number: u64,
    bytes: Vec<u8>,
    /// How many of the bytes were taken.
    taken: usize,
}

impl Incoming {
    /// Adds what was read. Called when no whole frame is left.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, if it is here as a whole.
    pub(super) fn next(&mut self, journal: u64) -> Result<Option<Payload>, BadFrame> {
        let bytes = &self.bytes[self.taken..];
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else { return Ok(None) };
        let bad = BadFrame { number: self.number };
        let part = |at: usize| <[u8; 4]>::try_from(&header[at..at + 4]).expect("four bytes");
        let length = u32::from_le_bytes(part(0)) as usize;
        if ![0, PROOF, EVENT].contains(&length) {
            return Err(bad);
        }
        let Some(payload) = rest.get(..length) else { return Ok(None) };
        let named = <[u8; 8]>::try_from(&header[8..]).expect("eight bytes");
        if u32::from_le_bytes(part(4)) != checksum(self.number, part(0), named, payload)
            || named != journal.to_le_bytes()
        {
            return Err(bad);
        }
        self.number += 1;
        self.taken += HEADER + length;
        Ok(Some(match length {
            0 => Payload::Heartbeat,
            PROOF => Payload::Proof(payload.try_into().expect("its length was compared")),
            _ => Payload::Event(bytemuck::pod_read_unaligned(payload)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::Sent;
    use flow::{Flags, Ns};

    fn event(order_id: u64) -> Event {
        Event::new(Ns(0), 3, Flags::NONE, &Sent { order_id, ..Sent::default() })
    }

    fn frames(n: u64) -> Vec<u8> {
        let mut out = Outgoing::default();
        (0..n).for_each(|i| out.push(7, bytemuck::bytes_of(&event(i))));
        out.push(7, &[]);
        out.left().to_vec()
    }

    #[test]
    fn frames_come_as_they_went_however_they_are_cut() {
        let bytes = frames(3);
        for cut in 0..bytes.len() {
            let (mut incoming, mut found) = (Incoming::default(), Vec::new());
            for part in [&bytes[..cut], &bytes[cut..]] {
                incoming.add(part);
                while let Some(payload) = incoming.next(7).unwrap() {
                    found.push(payload);
                }
            }
            let expected = [Payload::Event(event(0)), Payload::Event(event(1)), Payload::Event(event(2))];
            assert_eq!((&found[..3], found[3]), (&expected[..], Payload::Heartbeat));
        }
    }

    #[test]
    fn a_flipped_byte_a_repeated_and_a_missing_frame_and_another_journal_are_found() {
        let bytes = frames(2);
        let all = |bytes: &[u8], journal| {
            let mut incoming = Incoming::default();
            incoming.add(bytes);
            loop {
                match incoming.next(journal) {
                    Ok(Some(_)) => {}
                    Ok(None) => return incoming.taken == bytes.len(),
                    Err(_) => return false,
                }
            }
        };
        assert!(all(&bytes, 7) && !all(&bytes, 8));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(!all(&flipped, 7), "byte {at}");
        }
        let frame = HEADER + EVENT;
        assert!(!all(&[&bytes[..frame], &bytes[..frame]].concat(), 7), "a frame twice");
        assert!(!all(&bytes[frame..], 7), "a frame less");
    }
}
