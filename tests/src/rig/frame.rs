//! The frames of the wire, written down a second time from its page (`sinks/docs/wire.md`).
//!
//! What the adapter reads and writes is checked against this and not against itself. Each direction of a session counts its
//! frames; the count is not sent, but the checksum covers it.

use flow::Event;

/// Bytes of a header: length of the payload, checksum, journal.
const HEADER: usize = 16;
/// Bytes of an event.
const EVENT: usize = size_of::<Event>();

/// Frames on their way out.
pub(super) struct Writer {
    number: u64,
    pub(super) journal: u64,
}

fn checksum(number: u64, length: u32, journal: u64, payload: &[u8]) -> u32 {
    let sum = crc32c::crc32c(&number.to_le_bytes());
    let sum = crc32c::crc32c_append(sum, &length.to_le_bytes());
    let sum = crc32c::crc32c_append(sum, &journal.to_le_bytes());
    crc32c::crc32c_append(sum, payload)
}

impl Writer {
    /// The frames of a session with this journal.
    pub(super) fn new(journal: u64) -> Writer {
        Writer { number: 0, journal }
    }

    /// Appends an event's frame.
    pub(super) fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        self.push(bytemuck::bytes_of(event), out);
    }

    /// Appends a frame that says nothing but that its sender lives.
    pub(super) fn heartbeat(&mut self, out: &mut Vec<u8>) {
        self.push(&[], out);
    }

    fn push(&mut self, payload: &[u8], out: &mut Vec<u8>) {
        let length = payload.len() as u32;
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&checksum(self.number, length, self.journal, payload).to_le_bytes());
        out.extend_from_slice(&self.journal.to_le_bytes());
        out.extend_from_slice(payload);
        self.number += 1;
    }
}

/// Frames on their way in.
#[derive(Default)]
pub(super) struct Reader {
    number: u64,
    bytes: Vec<u8>,
}

impl Reader {
    /// Takes what was read; the events that are whole now, each with its journal. Heartbeats are left out.
    ///
    /// # Errors
    /// What is wrong with the first frame that is none.
    pub(super) fn take(&mut self, read: &[u8]) -> Result<Vec<(u64, Event)>, String> {
        self.bytes.extend_from_slice(read);
        let (mut events, mut at) = (Vec::new(), 0);
        while let Some((header, rest)) = self.bytes[at..].split_first_chunk::<HEADER>() {
            let word = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
            let journal = u64::from_le_bytes(header[8..].try_into().expect("eight bytes"));
            let length = word(0) as usize;
            if length > EVENT {
                return Err(format!("frame {}: a payload of {length} bytes", self.number));
            }
            let Some(payload) = rest.get(..length) else { break };
            if word(4) != checksum(self.number, word(0), journal, payload) {
                return Err(format!("frame {}: the checksum does not fit", self.number));
            }
            if length == EVENT {
                events.push((journal, bytemuck::pod_read_unaligned(payload)));
            }
            self.number += 1;
            at += HEADER + length;
        }
        self.bytes.drain(..at);
        Ok(events)
    }
}
