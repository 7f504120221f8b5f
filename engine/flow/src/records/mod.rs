//! The table of kinds: every record with its number, fields, units and offsets.
//!
//! A wide thing is several narrow kinds, each meaningful alone (a bar is [`Bar`] and [`BarFlow`]); readers join them on
//! `seq` and key. The essay of `kind.rs` has the map of numbers; a number is never given twice.

mod control;
mod market;
mod measures;
mod orders;

pub use control::*;
pub use market::*;
pub use measures::*;
pub use orders::*;

use crate::KindInfo;
use crate::kind::Range;

const _: () = {
    assert!(all_in(market::INFOS, Range::MARKET), "a kind of the market has a number of another module");
    assert!(all_in(control::INFOS, Range::CONTROL), "a kind of control has a number of another module");
    assert!(all_in(measures::INFOS, Range::MEASURES), "a measure has a number of another module");
    assert!(all_in(orders::INFOS, Range::ORDERS), "a kind of orders has a number of another module");
};

const fn all_in(infos: &[KindInfo], ranges: &[Range]) -> bool {
    let mut i = 0;
    while i < infos.len() {
        if !Range::any_has(ranges, infos[i].kind) {
            return false;
        }
        i += 1;
    }
    true
}

const LEN: usize = market::INFOS.len() + control::INFOS.len() + measures::INFOS.len() + orders::INFOS.len();

const fn joined() -> [KindInfo; LEN] {
    let parts = [market::INFOS, control::INFOS, measures::INFOS, orders::INFOS];
    let mut table = [market::INFOS[0]; LEN];
    let (mut part, mut at) = (0, 0);
    while part < parts.len() {
        let mut i = 0;
        while i < parts[part].len() {
            table[at] = parts[part][i];
            at += 1;
            i += 1;
        }
        part += 1;
    }
    table
}

pub(crate) const TABLE: &[KindInfo] = &joined();

#[cfg(test)]
mod tests {
    use crate::{FieldType, KINDS, Kind};

    #[test]
    fn every_record_fits_and_no_number_or_name_is_given_twice() {
        for (i, kind) in KINDS.iter().enumerate() {
            assert!(kind.kind.0 > 0 && kind.kind < Kind::WATERMARK, "{}", kind.name);
            assert!(!kind.about.trim().is_empty());
            for later in &KINDS[i + 1..] {
                assert!(kind.kind != later.kind && kind.name != later.name, "{} and {}", kind.name, later.name);
            }
            let mut end = 24;
            for field in kind.fields {
                assert!(field.offset >= end, "{}.{} overlaps", kind.name, field.name);
                end = field.offset + field.size;
                let wanted = match field.ty {
                    FieldType::Price | FieldType::Qty | FieldType::TimeNs | FieldType::Float | FieldType::Nano => 8,
                    FieldType::Seconds | FieldType::Uid => 4,
                    FieldType::Uint | FieldType::Int | FieldType::Text => field.size,
                };
                assert_eq!(field.size, wanted, "{}.{}", kind.name, field.name);
            }
            assert!(end <= 64, "{} ends at {end}", kind.name);
        }
    }
}
