//! Whether an instrument is halted, as the statuses of its feed say.
//!
//! Each venue has codes of its own; they are read here alone, so that the gate and the simulated exchange cannot differ. A
//! trading status and an operational halt are two things, and both must allow trading. An instrument of which no status came
//! counts as one that trades: most feeds send none. Bound: one byte. Worst case: one comparison with each known code.

use crate::StatusKind;
use crate::records::Status;
use serde::{Deserialize, Serialize};

/// Halted by the trading status.
const TRADING: u8 = 1;
/// Halted by an operational halt.
const OPERATIONAL: u8 = 2;

/// Status codes under which nothing trades: Nasdaq's letters for halted, paused and quotation only, then DBN's numbers for
/// halt, pause, suspend, close and "not available".
const STILL: &[[u8; 4]] =
    &[*b"H\0\0\0", *b"P\0\0\0", *b"Q\0\0\0", *b"8\0\0\0", *b"9\0\0\0", *b"10\0\0", *b"12\0\0", *b"15\0\0"];

/// What halts an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halts(u8);

impl Halts {
    /// Nothing halts it.
    pub const NONE: Halts = Halts(0);

    /// Takes note of a status of the instrument.
    pub fn take(&mut self, status: &Status) {
        let code = trimmed(status.code);
        match StatusKind::from_code(status.what) {
            Some(StatusKind::Trading) => self.set(TRADING, STILL.contains(&code)),
            Some(StatusKind::OperationalHalt) => self.set(OPERATIONAL, code == *b"H\0\0\0"),
            _ => {}
        }
    }

    /// Whether anything halts it.
    #[inline]
    pub fn any(self) -> bool {
        self.0 != 0
    }

    fn set(&mut self, halt: u8, on: bool) {
        self.0 = if on { self.0 | halt } else { self.0 & !halt };
    }
}

/// A status code with its padding as zero bytes.
pub fn trimmed(code: [u8; 4]) -> [u8; 4] {
    code.map(|b| if b == b' ' { 0 } else { b })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(what: StatusKind, code: [u8; 4]) -> Status {
        Status { code, what: what.code(), ..Status::default() }
    }

    #[test]
    fn both_halts_must_end() {
        let mut halts = Halts::NONE;
        halts.take(&status(StatusKind::Trading, *b"H   "));
        halts.take(&status(StatusKind::OperationalHalt, *b"H\0\0\0"));
        halts.take(&status(StatusKind::Trading, *b"T   "));
        assert!(halts.any());
        halts.take(&status(StatusKind::OperationalHalt, *b"T\0\0\0"));
        assert_eq!(halts, Halts::NONE);
    }

    #[test]
    fn other_statuses_halt_nothing() {
        let mut halts = Halts::NONE;
        for what in [StatusKind::Session, StatusKind::ShortSale, StatusKind::CircuitBreaker] {
            halts.take(&status(what, *b"H\0\0\0"));
        }
        assert!(!halts.any());
    }
}
