//! The page of kinds is generated from the code: `KINDS.md` must be what this test would write.
//!
//! To write it anew: `TIDEGATE_BLESS=1 cargo test -p tidegate-flow --test kinds_page`.

use flow::{AnomalyKind, Field, FieldType, Flags, KINDS, KINDS_INSIDE, KindInfo, kind_info};
use std::fmt::Write;

fn meaning(field: &Field) -> String {
    let number = |letter: char| format!("{letter}{}", field.size * 8);
    match field.ty {
        FieldType::Price | FieldType::Average => "i64, price in 1e-9; `i64::MAX` = absent".to_owned(),
        FieldType::Qty => "u64, instrument's smallest unit".to_owned(),
        FieldType::TimeNs => "u64, ns since 1970-01-01 UTC; `u64::MAX` = absent".to_owned(),
        FieldType::Start => "u32, s since 1970-01-01 UTC; 0 = absent".to_owned(),
        FieldType::Seconds | FieldType::Interval => "u32, s".to_owned(),
        FieldType::Int => number('i'),
        FieldType::Float => "f64; NaN = absent".to_owned(),
        FieldType::Text => format!("{} bytes of ASCII", field.size),
        FieldType::Step => "i64, price in 1e-9; 0 = not known".to_owned(),
        FieldType::Factor => "i64, 1e-9; 0 = not known".to_owned(),
        FieldType::Nano => "i64, 1e-9; `i64::MIN` = absent".to_owned(),
        FieldType::Money => "i64, money in 1e-9; `i64::MIN` = absent".to_owned(),
        FieldType::OrderId => "u64, order id".to_owned(),
        FieldType::Account => "u8, account".to_owned(),
        FieldType::Strategy => "u16, strategy".to_owned(),
        FieldType::Check => "u16, check".to_owned(),
        FieldType::Limit => "u16, table of limits; 0 = none".to_owned(),
        FieldType::Instance => "u8, instance; 0 = of the measure's own name".to_owned(),
        FieldType::Kind => "u16, kind".to_owned(),
        FieldType::Volume => "u64, instrument's smallest unit; `u64::MAX` = absent".to_owned(),
        FieldType::Sequence => "u64; `u64::MAX` = absent".to_owned(),
        FieldType::Uid | FieldType::Count => "u32; `u32::MAX` = absent".to_owned(),
        FieldType::Uint | FieldType::Id | FieldType::Enum(_) | FieldType::Code(_) | FieldType::Detail => number('u'),
    }
}

/// What the kinds around it have to do with a kind.
fn relations(kind: &KindInfo) -> String {
    let mut text = String::new();
    if let Some(follows) = kind.follows {
        let first = kind_info(follows.first).unwrap().name;
        let times = follows.times.map_or("once".to_owned(), |field| format!("as often as its `{field}` says"));
        text += &format!("Follows `{first}`, {times}: together they are one row.\n\n");
    }
    text
}

/// What the page says of a kind.
fn section(kind: &KindInfo) -> String {
    let (name, number, about) = (kind.name, kind.kind.0, kind.about.trim());
    let heads = "| offset | field | type | what |\n|---|---|---|---|\n";
    let mut text = format!("\n## {name} ({number})\n\n{about}\n\n{}{heads}", relations(kind));
    for field in kind.fields {
        writeln!(text, "| {} | `{}` | {} | {} |", field.offset, field.name, meaning(field), field.about_in_full())
            .unwrap();
    }
    if kind.reserved > 0 {
        writeln!(text, "| {} | reserved | {} bytes | 0 |", 64 - kind.reserved, kind.reserved).unwrap();
    }
    text
}

fn page() -> String {
    let mut page = String::from(
        "# Kinds of events\n\nGenerated from `engine/flow/src/records`; a test keeps it equal to the code. An event is 64 bytes, \
         little-endian:\n`id` u64 @0 · `ts` u64 ns @8 · `instrument` u32 @16 · `kind` u8 @20 · `source` u8 @21 · `flags` u16 @22 · body of 40 bytes \
         @24.\nOffsets below are from the first byte of the event; bytes not named are 0.\n\nIn JSON rows, times and \
         ids (of orders, references, matches, events) are text, and so is any other integer beyond 2^53 - 1: a parser that keeps\nnumbers as \
         doubles would change them. In CSV they are digits as ever.\n",
    );
    page += "\nFlags: bits 0–1 side (0 none, 1 buy, 2 sell)";
    for (flag, name) in Flags::NAMES {
        write!(page, " · bit {} {name}", flag.0.trailing_zeros()).unwrap();
    }
    page += ".\n";
    KINDS.iter().for_each(|kind| page += &section(kind));
    page += "\n# Inside the pipeline\n\nWhat stages tell each other and nobody else. It follows from the events around it, so no journal, row or \
             export has it, the\noutcome hash leaves it out, and no configuration names it. Its ordinals are counted apart, from 32768, and it changes \
             no other\nid.\n";
    KINDS_INSIDE.iter().for_each(|kind| page += &section(kind));
    page += "\n# Anomalies\n\n| code | name | `detail` is |\n|---|---|---|\n";
    for what in AnomalyKind::ALL {
        writeln!(page, "| {} | {} | {} |", *what as u16, what.name(), what.detail()).unwrap();
    }
    page
}

#[test]
fn the_page_of_kinds_is_the_codes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/KINDS.md");
    if std::env::var_os("TIDEGATE_BLESS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let stands = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stands == page(), "KINDS.md differs from the code: run with TIDEGATE_BLESS=1 to write it anew");
}
