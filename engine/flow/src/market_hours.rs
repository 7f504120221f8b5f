//! Market hours, as the statuses of a feed say.
//!
//! Each venue has codes of its own; they are read here alone. What a venue says is the truth: on a half-day it says at 13:00
//! what it says at 16:00 on others, and no clock knows of an hour that was moved this morning. Bound: no state. Worst case:
//! one comparison with each known code.

use crate::records::Status;
use crate::{StatusKind, trimmed};

/// Status codes of an instrument whose market hours are over: DBN's numbers for close and post-close.
const OVER: &[[u8; 4]] = &[*b"12\0\0", *b"13\0\0"];
/// The session code of Nasdaq's end of market hours.
const END_OF_MARKET: [u8; 4] = *b"M\0\0\0";
/// Nasdaq's session codes of an hour that begins: messages, system, market.
const BEGINNINGS: &[[u8; 4]] = &[*b"O\0\0\0", *b"S\0\0\0", *b"Q\0\0\0"];

/// What a status says of market hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarketHours {
    /// They are over.
    Over,
    /// They are on, or are to come.
    On,
}

impl MarketHours {
    /// What a status says of them; `None` if nothing.
    pub fn of(status: &Status) -> Option<MarketHours> {
        let code = trimmed(status.code);
        match StatusKind::from_code(status.what) {
            Some(StatusKind::Trading) if OVER.contains(&code) => Some(MarketHours::Over),
            Some(StatusKind::Session) if code == END_OF_MARKET => Some(MarketHours::Over),
            Some(StatusKind::Session) if !BEGINNINGS.contains(&code) => None,
            Some(StatusKind::Session | StatusKind::Trading) => Some(MarketHours::On),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_end_hours_or_begin_them_or_say_nothing_of_them() {
        let said = |what: StatusKind, code: &[u8; 4]| {
            MarketHours::of(&Status { code: *code, what: what.code(), ..Status::default() })
        };
        assert_eq!(said(StatusKind::Session, b"M   "), Some(MarketHours::Over));
        assert_eq!(said(StatusKind::Session, b"Q\0\0\0"), Some(MarketHours::On));
        assert_eq!(said(StatusKind::Session, b"E\0\0\0"), None);
        assert_eq!(said(StatusKind::Trading, b"12\0\0"), Some(MarketHours::Over));
        assert_eq!(said(StatusKind::Trading, b"T\0\0\0"), Some(MarketHours::On));
        assert_eq!(said(StatusKind::CircuitBreaker, b"M\0\0\0"), None);
    }
}
