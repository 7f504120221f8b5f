//! The page of kinds is generated from the code: `KINDS.md` must be what this test would write.
//!
//! To write it anew: `TIDEGATE_BLESS=1 cargo test -p tidegate-flow --test kinds_page`.

use flow::{AnomalyKind, Field, FieldType, Flags, KINDS};
use std::fmt::Write;

fn meaning(field: &Field) -> String {
    match field.ty {
        FieldType::Price => "i64, price in 1e-9; `i64::MAX` = absent".to_owned(),
        FieldType::Qty => "u64, instrument's smallest unit".to_owned(),
        FieldType::TimeNs => "u64, ns since 1970-01-01 UTC; `u64::MAX` = absent".to_owned(),
        FieldType::Seconds => "u32, s".to_owned(),
        FieldType::Uint => format!("u{}", field.size * 8),
        FieldType::Uid => "u32; `u32::MAX` = absent".to_owned(),
        FieldType::Int => format!("i{}", field.size * 8),
        FieldType::Float => "f64; NaN = absent".to_owned(),
        FieldType::Text => format!("{} bytes of ASCII", field.size),
        FieldType::Nano => "i64, 1e-9".to_owned(),
    }
}

fn page() -> String {
    let mut page = String::from(
        "# Kinds of events\n\nGenerated from `engine/flow/src/records`; a test keeps it equal to the code. An event is 64 bytes, \
         little-endian:\n`id` u64 @0 · `ts` u64 ns @8 · `instrument` u32 @16 · `kind` u8 @20 · `source` u8 @21 · `flags` u16 @22 · body of 40 bytes \
         @24.\nOffsets below are from the first byte of the event; bytes not named are 0.\n",
    );
    page += "\nFlags: bits 0–1 side (0 none, 1 buy, 2 sell)";
    for (flag, name) in Flags::NAMES {
        write!(page, " · bit {} {name}", flag.0.trailing_zeros()).unwrap();
    }
    page += ".\n";
    for kind in KINDS {
        write!(
            page,
            "\n## {} ({})\n\n{}\n\n| offset | field | type | what |\n|---|---|---|---|\n",
            kind.name,
            kind.kind.0,
            kind.about.trim()
        )
        .unwrap();
        for field in kind.fields {
            writeln!(page, "| {} | `{}` | {} | {} |", field.offset, field.name, meaning(field), field.about).unwrap();
        }
    }
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
