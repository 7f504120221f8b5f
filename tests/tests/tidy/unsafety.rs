//! `unsafe` stands in few places, each with its reason.
//!
//! Clippy asks for the reason too, but only in code that this build compiles; here the code of other configurations
//! (`cfg(loom)`, other systems) and the inside of macros count as well.

use crate::tokens::{parse, words};
use crate::tree::{Text, rust};

/// Where `unsafe` may stand: the rings, the mapping of the journal, and one file for what only the system can do.
fn may(path: &str) -> bool {
    path.starts_with("ring/") || path == "sinks/src/journal/mapping.rs" || path == "engine/src/os.rs"
}

/// How many lines of code may stand between the reason and the word, as in a `let` that was broken.
const REACH: usize = 3;

fn has_reason(lines: &[&str], line: usize) -> bool {
    let says = |l: &str| l.contains("SAFETY:") || l.contains("# Safety");
    let above = lines[..line - 1].iter().rev().map(|l| l.trim());
    let mut code = 0;
    for text in above {
        match text {
            _ if text.starts_with("//") && says(text) => return true,
            _ if text.starts_with("//") || text.starts_with("#[") => {}
            "" => return false,
            _ if text.ends_with(['}', ';']) => return false,
            _ => code += 1,
        }
        if code > REACH {
            return false;
        }
    }
    false
}

fn faults(file: &Text) -> Vec<String> {
    let lines: Vec<&str> = file.text.lines().collect();
    let mut faults = Vec::new();
    for word in words(parse(file)).iter().filter(|w| w.word == "unsafe") {
        let place = format!("{}:{}", file.path, word.line);
        if !may(&file.path) {
            faults.push(format!("{place}: unsafe does not belong here"));
        } else if word.next != "fn" && !has_reason(&lines, word.line) {
            faults.push(format!("{place}: unsafe without its SAFETY reason above"));
        }
    }
    faults
}

#[test]
fn unsafe_stands_where_it_may_and_has_its_reason() {
    crate::none(rust().iter().flat_map(faults).collect());
}

/// Roots of the crates with a module of unsafe code: they deny it, and allow it at that module.
const WITH_A_PLACE: &[&str] = &["ring/src/lib.rs", "sinks/src/lib.rs", "engine/src/lib.rs"];

/// A root of a crate or binary that does not forbid unsafe code.
fn unguarded(file: &Text) -> Option<String> {
    let is_root = file.path.ends_with("/src/lib.rs")
        || file.path.ends_with("/src/main.rs")
        || file.path.contains("/src/bin/") && file.path.ends_with("/main.rs");
    let guard =
        if WITH_A_PLACE.contains(&file.path.as_str()) { "#![deny(unsafe_code)]" } else { "#![forbid(unsafe_code)]" };
    (is_root && !file.text.contains(guard)).then(|| format!("{}: without {guard}", file.path))
}

#[test]
fn every_root_forbids_unsafe_code_or_allows_it_at_one_module() {
    crate::none(rust().iter().filter_map(unguarded).collect());
}

#[test]
fn unsafe_without_place_or_reason_is_found() {
    assert!(unguarded(&Text::new("feeds/src/lib.rs", "#![deny(unsafe_code)]")).is_some());
    assert!(unguarded(&Text::new("ring/src/lib.rs", "#![deny(unsafe_code)]")).is_none());
    let reasoned = "fn f() {\n    // SAFETY: the index is below the length,\n    // as the loop says.\n    let x =\n        unsafe { g() };\n}\n";
    assert_eq!(faults(&Text::new("ring/src/a.rs", reasoned)), [""; 0]);
    assert_eq!(faults(&Text::new("feeds/src/a.rs", reasoned)).len(), 1);
    let bare =
        "fn f() {\n    // SAFETY: one.\n    unsafe { g() };\n    unsafe { g() };\n}\nunsafe impl Send for X {}\n";
    assert_eq!(faults(&Text::new("ring/src/a.rs", bare)).len(), 2);
    let in_text = "//! unsafe\nfn f() { let s = \"unsafe\"; }\n";
    assert_eq!(faults(&Text::new("feeds/src/a.rs", in_text)), [""; 0]);
}
