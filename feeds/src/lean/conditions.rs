//! The conditions of a trade, as the bits that LEAN writes, and what each makes of it.
//!
//! Names and bits are those of LEAN's `TradeConditionFlags`. What a print makes follows from its conditions alone: one that is
//! volume only makes no price, whatever else stands beside it, and an auction's print has no aggressor. Intermarket sweeps, odd
//! lots and extended hours are trades like any other: a session leaves out what lies outside its hours.

use flow::Flags;

/// What a condition makes of a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// It is a trade like any other.
    Regular,
    /// It counts as volume and makes no price.
    VolumeOnly,
    /// It is an auction's print.
    Auction,
}

use Effect::{Auction, Regular, VolumeOnly};

/// By bit, from the lowest.
pub(super) const CONDITIONS: [(&str, Effect); 32] = [
    ("regular", Regular),
    ("cash", Regular),
    ("next day", Regular),
    ("seller", Regular),
    ("yellow flag", Regular),
    ("intermarket sweep", Regular),
    ("opening print", Auction),
    ("closing print", Auction),
    ("reopening print", Auction),
    ("derivatively priced", VolumeOnly),
    ("form T", Regular),
    ("sold", VolumeOnly),
    ("stopped", Regular),
    ("extended hours", Regular),
    ("out of sequence", VolumeOnly),
    ("split", Regular),
    ("acquisition", Regular),
    ("bunched", Regular),
    ("stock-option", VolumeOnly),
    ("distribution", Regular),
    ("average price", VolumeOnly),
    ("cross", Auction),
    ("price variation", Regular),
    ("rule 155", Regular),
    ("official close", VolumeOnly),
    ("prior reference price", VolumeOnly),
    ("official open", Auction),
    ("CAP election", Regular),
    ("automatic execution", Regular),
    ("trade-through exempt", Regular),
    ("undocumented", Regular),
    ("odd lot", Regular),
];

const fn bits(effect: Effect) -> u32 {
    let (mut bits, mut at) = (0, 0);
    while at < CONDITIONS.len() {
        bits |= ((CONDITIONS[at].1 as u8 == effect as u8) as u32) << at;
        at += 1;
    }
    bits
}

/// What these conditions make of a trade.
pub(super) fn flags(conditions: u32) -> Flags {
    const OUT: u32 = bits(VolumeOnly);
    const AUCTIONS: u32 = bits(Auction);
    let when = |set: u32, flags: Flags| if conditions & set != 0 { flags } else { Flags::NONE };
    when(OUT, Flags::VOLUME_ONLY).with(when(AUCTIONS, Flags::AUCTION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_recorded_trades() {
        for (conditions, expected) in [
            (0x1, Flags::NONE),
            (0x2000_0020, Flags::NONE),
            (0x2002, Flags::NONE),
            (0x8000_0000, Flags::NONE),
            (0x2010_0200, Flags::VOLUME_ONLY),
            (0x10_0000, Flags::VOLUME_ONLY),
            (0x2004_0200, Flags::VOLUME_ONLY),
            (0x100_0000, Flags::VOLUME_ONLY),
            (0x4800, Flags::VOLUME_ONLY),
            (0x2000_0040, Flags::AUCTION),
            (0x2020_0040, Flags::AUCTION),
            (0x400_0000, Flags::AUCTION),
        ] {
            assert_eq!(flags(conditions), expected, "{conditions:x}");
        }
    }

    #[test]
    fn every_name_is_its_own() {
        let names: std::collections::BTreeSet<_> = CONDITIONS.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), CONDITIONS.len());
    }
}
