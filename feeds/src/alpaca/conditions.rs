//! The conditions of a trade, by the letters of the two consolidated tapes, and what each makes of it.
//!
//! Tapes A and B have the letters of the Consolidated Tape Association, tape C those of Nasdaq's plan. What a print makes follows
//! from all of its conditions: the one that makes least of it decides, and an auction's print has no aggressor. The tapes give an
//! odd lot and a trade outside of market hours no price of the day; here both are trades like any other, because they were traded
//! at that price by somebody: more than half of all trades are odd lots, and a session leaves out what lies outside its hours.
//! What the tapes print a second time, the official open and close, is no trade at all.

use super::message::Conditions;
use flow::Flags;

/// What a condition makes of a trade, from most to least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// It is a trade like any other.
    Regular,
    /// It is an auction's print.
    Auction,
    /// It counts as volume and makes no price.
    VolumeOnly,
    /// It repeats a trade that was printed before.
    Repeated,
}

use Effect::{Auction, Regular, Repeated, VolumeOnly};

type Table = &'static [(&'static str, &'static str, Effect)];

/// Tapes A and B.
const EXCHANGES: Table = &[
    ("@", "regular", Regular),
    (" ", "regular", Regular),
    ("B", "average price", VolumeOnly),
    ("C", "cash", VolumeOnly),
    ("E", "automatic execution", Regular),
    ("F", "intermarket sweep", Regular),
    ("H", "price variation", VolumeOnly),
    ("I", "odd lot", Regular),
    ("K", "rule 127 or 155", Regular),
    ("L", "sold last", VolumeOnly),
    ("M", "official close", Repeated),
    ("N", "next day", VolumeOnly),
    ("O", "opening trade", Auction),
    ("P", "prior reference price", VolumeOnly),
    ("Q", "official open", Repeated),
    ("R", "seller", VolumeOnly),
    ("T", "extended hours", Regular),
    ("U", "extended hours, out of sequence", VolumeOnly),
    ("V", "contingent", VolumeOnly),
    ("X", "cross", Auction),
    ("Z", "out of sequence", VolumeOnly),
    ("4", "derivatively priced", VolumeOnly),
    ("5", "reopening trade", Auction),
    ("6", "closing trade", Auction),
    ("7", "qualified contingent", VolumeOnly),
    ("9", "corrected consolidated close", Repeated),
];

/// Tape C.
const NASDAQ: Table = &[
    ("@", "regular", Regular),
    (" ", "regular", Regular),
    ("A", "acquisition", Regular),
    ("B", "bunched", Regular),
    ("C", "cash", VolumeOnly),
    ("D", "distribution", Regular),
    ("F", "intermarket sweep", Regular),
    ("G", "bunched, sold", VolumeOnly),
    ("H", "price variation", VolumeOnly),
    ("I", "odd lot", Regular),
    ("K", "rule 155", Regular),
    ("L", "sold last", VolumeOnly),
    ("M", "official close", Repeated),
    ("N", "next day", VolumeOnly),
    ("O", "opening print", Auction),
    ("P", "prior reference price", VolumeOnly),
    ("Q", "official open", Repeated),
    ("R", "seller", VolumeOnly),
    ("S", "split", Regular),
    ("T", "extended hours", Regular),
    ("U", "extended hours, out of sequence", VolumeOnly),
    ("V", "contingent", VolumeOnly),
    ("W", "average price", VolumeOnly),
    ("X", "cross", Auction),
    ("Y", "yellow flag", Regular),
    ("Z", "out of sequence", VolumeOnly),
    ("1", "stopped", Regular),
    ("4", "derivatively priced", VolumeOnly),
    ("5", "reopening print", Auction),
    ("6", "closing print", Auction),
    ("7", "qualified contingent", VolumeOnly),
    ("9", "corrected consolidated close", Repeated),
];

/// Both, to be looked at as tables.
#[cfg(test)]
pub(super) const TABLES: [Table; 2] = [EXCHANGES, NASDAQ];

/// What a print is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Print {
    pub(super) effect: Effect,
    /// Conditions that no table has; they make nothing less of it.
    pub(super) unknown: u32,
}

impl Print {
    /// The flags of its trade.
    pub(super) fn flags(self) -> Flags {
        match self.effect {
            Regular => Flags::NONE,
            Auction => Flags::AUCTION,
            VolumeOnly | Repeated => Flags::VOLUME_ONLY,
        }
    }
}

/// What these conditions of a tape make of a print.
pub(super) fn print(tape: char, conditions: &Conditions<'_>) -> Print {
    let table = if tape == 'C' { NASDAQ } else { EXCHANGES };
    let mut print = Print { effect: Regular, unknown: 0 };
    for code in conditions.iter() {
        match table.iter().find(|(known, ..)| *known == code) {
            Some((_, _, effect)) => print.effect = print.effect.max(*effect),
            None => print.unknown += 1,
        }
    }
    print
}
