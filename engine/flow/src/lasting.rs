//! What outlives a journal.
//!
//! A journal ends, and another build or configuration may begin the next one. A saved state would not fit it. What a stage or
//! a measure has learned over days, and must not lose, it says as rows of plain numbers: an owner, a key, an index, three
//! values. Each owner defines its keys for good, as a file format; the next journal begins with the rows as `memory` inputs.
//! Bound: as many rows as the owners have tables.

use crate::Ns;
use crate::records::Memory;

/// The rows that a pipeline leaves behind.
#[derive(Clone, Debug, Default)]
pub struct Lasting {
    rows: Vec<(u32, Memory)>,
    owner: u16,
    as_of: Ns,
}

impl Lasting {
    /// No row yet; what follows holds as of that time.
    pub fn new(as_of: Ns) -> Lasting {
        Lasting { as_of, ..Lasting::default() }
    }

    /// The rows that follow are those of the stage at `position`.
    pub fn begin_stage(&mut self, position: u8) {
        self.owner = position.into();
    }

    /// The rows that follow are those of its member with this ordinal: of a measure in its family, for instance.
    pub fn begin_member(&mut self, ordinal: u8) {
        self.owner = Memory::owner(self.owner as u8, ordinal);
    }

    /// Adds a row of an instrument; 0 = of none.
    pub fn put(&mut self, instrument: u32, key: u16, index: u32, [first, second, third]: [i64; 3]) {
        let (owner, as_of) = (self.owner, self.as_of);
        self.rows.push((instrument, Memory { owner, key, index, first, second, third, as_of }));
    }

    /// The rows, each with its instrument.
    pub fn into_rows(self) -> Vec<(u32, Memory)> {
        self.rows
    }
}

impl Memory {
    /// The owner that is a member of the stage at `position`.
    pub fn owner(position: u8, ordinal: u8) -> u16 {
        u16::from(ordinal) << 8 | u16::from(position)
    }

    /// The position of the owner's stage.
    pub fn position(&self) -> u8 {
        self.owner as u8
    }

    /// The owner's ordinal in its stage.
    pub fn ordinal(&self) -> usize {
        usize::from(self.owner >> 8)
    }

    /// The values.
    pub fn values(&self) -> [i64; 3] {
        [self.first, self.second, self.third]
    }
}
