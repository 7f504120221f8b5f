//! The table of kinds: every record with its number, fields, units and offsets.
//!
//! A wide thing is several narrow kinds, each meaningful alone (a bar is [`Bar`] and [`BarFlow`]); readers join them on
//! `seq` and key. Numbers below 20 are what markets say, from 20 what the engine and its operator say, from 32 what the
//! pipeline measures, from 64 the life of an order; a number is never given twice.

mod control;
mod market;
mod measures;
mod orders;

pub use control::*;
pub use market::*;
pub use measures::*;
pub use orders::*;

use crate::KindInfo;

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
                    FieldType::Seconds => 4,
                    FieldType::Uint | FieldType::Int | FieldType::Text => field.size,
                };
                assert_eq!(field.size, wanted, "{}.{}", kind.name, field.name);
            }
            assert!(end <= 64, "{} ends at {end}", kind.name);
        }
    }
}
