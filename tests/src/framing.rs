//! Frames of version 3 of the wire, written a second time from its page (`sinks/docs/wire.md`): a header of 16 bytes with
//! length, checksum and journal, then the payload. What the adapter reads and writes is checked against this.

use flow::Event;

const HEADER: usize = 16;

/// What has come on a connection.
#[derive(Default)]
pub struct Inlet {
    bytes: Vec<u8>,
    number: u64,
}

/// A frame: its journal and its payload.
pub type Frame = (u64, Vec<u8>);

fn sum(number: u64, length: u32, journal: u64, payload: &[u8]) -> u32 {
    let mut covered = number.to_le_bytes().to_vec();
    covered.extend_from_slice(&length.to_le_bytes());
    covered.extend_from_slice(&journal.to_le_bytes());
    covered.extend_from_slice(payload);
    crc32c::crc32c(&covered)
}

impl Inlet {
    /// Takes bytes that came.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// What is wrong with it.
    ///
    /// # Panics
    /// Never: the slices have their lengths.
    pub fn take(&mut self) -> Result<Option<Frame>, String> {
        let word = |at: usize| u32::from_le_bytes(self.bytes[at..at + 4].try_into().expect("four bytes"));
        if self.bytes.len() < HEADER {
            return Ok(None);
        }
        let (length, crc) = (word(0), word(4));
        let journal = u64::from(word(8)) | u64::from(word(12)) << 32;
        if ![0, 32, size_of::<Event>() as u32].contains(&length) {
            return Err(format!("frame {} claims {length} bytes", self.number));
        }
        let end = HEADER + length as usize;
        if self.bytes.len() < end {
            return Ok(None);
        }
        let payload = self.bytes[HEADER..end].to_vec();
        if crc != sum(self.number, length, journal, &payload) {
            return Err(format!("frame {} is damaged", self.number));
        }
        self.bytes.drain(..end);
        self.number += 1;
        Ok(Some((journal, payload)))
    }
}

/// What is to go out on a connection.
#[derive(Default)]
pub struct Outlet {
    /// What the socket does not have yet.
    pub bytes: Vec<u8>,
    number: u64,
}

impl Outlet {
    /// Adds a frame; an empty payload is a heartbeat.
    pub fn push(&mut self, journal: u64, payload: &[u8]) {
        let length = payload.len() as u32;
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(&sum(self.number, length, journal, payload).to_le_bytes());
        self.bytes.extend_from_slice(&journal.to_le_bytes());
        self.bytes.extend_from_slice(payload);
        self.number += 1;
    }

    /// Adds the frame of an event.
    pub fn event(&mut self, journal: u64, event: &Event) {
        self.push(journal, bytemuck::bytes_of(event));
    }
}
