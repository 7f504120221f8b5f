//! Rules for the text of the sources: essays, nothing left open, nothing that varies from run to run, no places that
//! exist on one machine only.

use crate::tokens::{parse, words};
use crate::tree::{Text, files, rust};

/// Folders of pure logic, where nothing may differ from run to run or from build to build.
const PURE: &[&str] = &["engine/flow/", "engine/stages/"];

/// Words that pure logic may not say: random orders, clocks, orders of floats that are none (a NaN has no place), and orders
/// of equals that a standard library may change. A plain `sort_unstable` compares all that there is, so its equals are the
/// same; by a key, sort stably.
const IMPURE: &[&str] = &[
    "HashMap",
    "HashSet",
    "RandomState",
    "Instant",
    "SystemTime",
    "partial_cmp",
    "sort_unstable_by",
    "sort_unstable_by_key",
    "select_nth_unstable",
    "select_nth_unstable_by",
    "select_nth_unstable_by_key",
];

/// Words that say that something is not finished. In two pieces, so that this file does not hold them itself.
const OPEN: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Folders of one machine and hosts of registries; a user's tools know theirs. In two pieces, as above.
const PLACES: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("crates", ".io"),
    concat!("static.rust", "-lang.org"),
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("deb", ".debian.org"),
    concat!("proxy", ".golang.org"),
    concat!("npm", "js.org"),
    concat!("repo", ".maven"),
];

/// The one place that Cargo writes into its lock file, whatever registry was used.
const LOCKED: &str = concat!("registry+https://github.com/rust-lang/crates", ".io-index");

fn essay(file: &Text) -> Option<String> {
    let opens = file.text.lines().next().is_some_and(|l| l.starts_with("//! ") && l.len() > "//! ".len());
    (!opens).then(|| format!("{}:1: opens without its essay (`//! ...`)", file.path))
}

fn said(file: &Text, banned: &[&str]) -> Vec<String> {
    let found = words(parse(file)).into_iter().filter(|w| banned.contains(&w.word.as_str()));
    found.map(|w| format!("{}:{}: {} is not for pure logic", file.path, w.line, w.word)).collect()
}

/// Whether `text` holds `word` and neither side of it goes on as a word or path would.
fn holds(text: &str, word: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || "_-.~".contains(c);
    let before = |at: usize| text[..at].chars().next_back().is_some_and(goes_on);
    let after = |at: usize| {
        let last = word.chars().next_back().is_some_and(char::is_alphanumeric);
        last && text[at + word.len()..].chars().next().is_some_and(char::is_alphanumeric)
    };
    text.match_indices(word).any(|(at, _)| !before(at) && !after(at))
}

fn holding(file: &Text, banned: &[&str], what: &str) -> Vec<String> {
    let lines = file.text.lines().enumerate();
    let faults = lines.flat_map(|(n, line)| {
        banned.iter().filter(|b| holds(line, b)).map(move |b| format!("{}:{}: {b} {what}", file.path, n + 1))
    });
    faults.collect()
}

#[test]
fn every_module_opens_with_an_essay() {
    crate::none(rust().iter().filter_map(essay).collect());
}

#[test]
fn nothing_is_left_open() {
    crate::none(files().iter().flat_map(|f| holding(f, OPEN, "is left")).collect());
}

#[test]
fn pure_logic_names_nothing_that_varies() {
    crate::none(rust().iter().filter(|f| f.is_in(PURE)).flat_map(|f| said(f, IMPURE)).collect());
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    let files = files();
    let others = files.iter().filter(|f| !f.path.ends_with("Cargo.lock"));
    crate::none(others.flat_map(|f| holding(f, PLACES, "does not exist for others")).collect());
    let locks = files.iter().filter(|f| f.path.ends_with("Cargo.lock"));
    let sources = locks.flat_map(|f| f.text.lines().filter_map(|l| l.strip_prefix("source = ")));
    let strange = sources.filter(|s| s.trim_matches('"') != LOCKED);
    crate::none(strange.map(|s| format!("Cargo.lock: {s} is not the default registry")).collect());
}

#[test]
fn what_is_wrong_is_found() {
    assert!(essay(&Text::new("a.rs", "//! Idea.\n")).is_none());
    assert!(essay(&Text::new("a.rs", "//!\n")).is_some());
    assert!(essay(&Text::new("a.rs", "use std::fmt;\n//! Late.")).is_some());
    let impure = "use std::collections::HashMap; macro_rules! m { () => { Instant::now() } } // HashMap\n";
    assert_eq!(said(&Text::new("a.rs", impure), IMPURE).len(), 2);
    let unordered = "v.sort_by(|a, b| a.partial_cmp(b).unwrap()); v.sort_unstable_by_key(|o| o.px); v.sort_unstable();";
    assert_eq!(said(&Text::new("a.rs", unordered), IMPURE).len(), 2);
    let open = format!("fn a() {{}} // {}: later\nlet method = XX_X;", OPEN[0]);
    assert_eq!(holding(&Text::new("a.rs", &open), OPEN, "is left").len(), 1);
    let place = |text: String| holding(&Text::new("a", &text), PLACES, "").len();
    assert_eq!(place(format!("cd {0}main; open(\"{0}x\")", PLACES[0])), 1);
    assert_eq!(place(format!("engine{}x and sys{}", PLACES[0], &PLACES[1][1..])), 0);
    assert_eq!(place(format!("https://{}/simple", PLACES[4])), 1);
}
