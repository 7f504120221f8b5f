//! The table of kinds: every record with its number, fields, units and offsets.
//!
//! What does not fit one body is split into several kinds, each meaningful alone (a bar is [`Bar`] and [`BarFlow`]);
//! readers join them on `seq` and key. The essay of `kind.rs` has the map of numbers; no number is ever reused.

mod beside;
mod books;
mod control;
mod fate;
mod indicators;
mod inside;
mod legs;
mod liquidity;
mod market;
mod measures;
mod orders;
mod patterns;

pub use beside::*;
pub use books::*;
pub use control::*;
pub use fate::*;
pub use indicators::*;
pub use inside::*;
pub use legs::*;
pub use liquidity::*;
pub use market::*;
pub use measures::*;
pub use orders::*;
pub use patterns::*;

use crate::kind::Range;
use crate::{Kind, KindInfo};
use std::fmt;

const _: () = {
    assert!(all_in(market::INFOS, Range::MARKET), "a market kind has a number from another module's range");
    assert!(all_in(control::INFOS, Range::CONTROL), "a control kind has a number from another module's range");
    assert!(all_in(measures::INFOS, Range::MEASURES), "a measure has a number from another module's range");
    assert!(all_in(books::INFOS, Range::MEASURES), "a measure of books has a number from another module's range");
    assert!(all_in(fate::INFOS, Range::MEASURES), "a kind of fates has a number from another module's range");
    assert!(all_in(legs::INFOS, Range::MEASURES), "a kind of legs has a number from another module's range");
    assert!(all_in(liquidity::INFOS, Range::MEASURES), "a kind of liquidity has a number from another module's range");
    assert!(all_in(patterns::INFOS, Range::MEASURES), "a kind of patterns has a number from another module's range");
    assert!(all_in(indicators::INFOS, Range::MEASURES), "an indicator has a number from another module's range");
    assert!(all_in(orders::INFOS, Range::ORDERS), "an order kind has a number from another module's range");
    assert!(all_in(beside::INFOS, Range::BESIDE), "a result from beside has a number from another module's range");
    assert!(all_in(inside::INFOS, Range::INSIDE), "what stages tell each other has a number from another range");
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

const LEN: usize = market::INFOS.len()
    + control::INFOS.len()
    + measures::INFOS.len()
    + books::INFOS.len()
    + fate::INFOS.len()
    + legs::INFOS.len()
    + liquidity::INFOS.len()
    + patterns::INFOS.len()
    + indicators::INFOS.len()
    + orders::INFOS.len()
    + beside::INFOS.len();

const fn joined() -> [KindInfo; LEN] {
    let parts = [
        market::INFOS,
        control::INFOS,
        measures::INFOS,
        books::INFOS,
        fate::INFOS,
        legs::INFOS,
        liquidity::INFOS,
        patterns::INFOS,
        indicators::INFOS,
        orders::INFOS,
        beside::INFOS,
    ];
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

/// Every kind that a log or a reader can hold, in the order of a trade's life cycle.
pub const KINDS: &[KindInfo] = &joined();

/// The kinds that stages tell each other and nobody else.
pub const KINDS_INSIDE: &[KindInfo] = inside::INFOS;

/// The entry of a kind, if the kind exists.
pub fn kind_info(kind: Kind) -> Option<&'static KindInfo> {
    KINDS.iter().chain(KINDS_INSIDE).find(|k| k.kind == kind)
}

/// The kind with this name, but for those of [`KINDS_INSIDE`], which nobody names.
pub fn kind_named(name: &str) -> Option<&'static KindInfo> {
    KINDS.iter().find(|k| k.name == name)
}

/// The kind that follows a kind and shares its row, if there is one.
pub fn follower_of(kind: Kind) -> Option<&'static KindInfo> {
    KINDS.iter().find(|k| k.follows.is_some_and(|f| f.first == kind))
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match kind_info(*self) {
            Some(info) => f.write_str(info.name),
            None => write!(f, "kind-{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Field, FieldType};

    /// The widths that a type allows.
    fn widths(field: &Field) -> &'static [usize] {
        match field.ty {
            FieldType::Price | FieldType::Average | FieldType::Qty | FieldType::Volume => &[8],
            FieldType::Sequence | FieldType::TimeNs | FieldType::Float => &[8],
            FieldType::Step | FieldType::Factor => &[8],
            FieldType::Nano | FieldType::Money | FieldType::OrderId | FieldType::Id | FieldType::Detail => &[8],
            FieldType::Seconds | FieldType::Start | FieldType::Interval | FieldType::Uid | FieldType::Count => &[4],
            FieldType::Strategy | FieldType::Check | FieldType::Limit | FieldType::Kind => &[2],
            FieldType::Account | FieldType::Instance => &[1],
            FieldType::Enum(_) | FieldType::Code(_) => &[1, 2, 4],
            FieldType::Uint => &[1, 2, 4, 8],
            FieldType::Int => &[8],
            FieldType::Text => &[4, 24],
        }
    }

    #[test]
    fn every_record_fits_and_no_number_or_name_is_given_twice() {
        let all: Vec<_> = KINDS.iter().chain(KINDS_INSIDE).collect();
        for (i, kind) in all.iter().enumerate() {
            assert!(kind.kind.0 > 0 && kind.kind < Kind::WATERMARK, "{}", kind.name);
            assert!(!kind.about.trim().is_empty());
            for later in &all[i + 1..] {
                assert!(kind.kind != later.kind && kind.name != later.name, "{} and {}", kind.name, later.name);
            }
            let mut end = 24;
            for field in kind.fields {
                assert_eq!(field.offset, end, "{}.{} does not follow the field before", kind.name, field.name);
                end = field.offset + field.size;
                assert!(widths(field).contains(&field.size), "{}.{}", kind.name, field.name);
            }
            assert_eq!(end + kind.reserved, 64, "{}: its fields and the reserved rest are the body", kind.name);
        }
    }

    #[test]
    fn a_follower_has_one_first_that_says_how_often_it_comes() {
        for kind in KINDS.iter().filter(|k| k.follows.is_some()) {
            let follows = kind.follows.unwrap();
            let first = kind_info(follows.first).unwrap();
            assert!(first.follows.is_none(), "{} follows a follower", kind.name);
            assert_eq!(follower_of(first.kind).unwrap().kind, kind.kind, "{} has two followers", first.name);
            let has = |name: &str| first.fields.iter().any(|f| f.name == name);
            assert!(follows.times.is_none_or(has), "{}: its first has no such count", kind.name);
        }
    }

    #[test]
    fn an_order_id_says_whose_it_is_unless_the_record_does() {
        assert_eq!(kind_named("fill").unwrap().order().map(|f| f.name), Some("order_id"));
        assert!(kind_named("cancel-request").unwrap().order().is_none());
        assert!(kind_named("intent").unwrap().order().is_none());
        assert!(kind_named("add").unwrap().order().is_none());
    }
}
