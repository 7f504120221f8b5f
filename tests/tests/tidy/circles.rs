//! No file depends on itself by way of others.
//!
//! A circle of files is one file in several pieces: none of them can be read, tested or moved alone. What depends on what is
//! found by [`crate::uses`]; the files that reach each other are one circle.

use crate::tree::{Text, rust};
use crate::uses::{Use, uses};
use std::collections::{BTreeMap, BTreeSet};

/// The folders with a `lib.rs` or a `main.rs`, and the files of the crate below each.
pub(crate) fn crates(files: &[Text]) -> Vec<(String, Vec<&Text>)> {
    let in_src = |f: &&Text| f.path.contains("/src/");
    let folder = |f: &Text| f.path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let is_root =
        |f: &&Text| f.path.ends_with("/lib.rs") || (f.path.ends_with("/main.rs") && f.path.contains("/src/bin/"));
    let roots: Vec<String> = files.iter().filter(in_src).filter(is_root).filter_map(folder).collect();
    let nearest = |f: &Text| {
        let around = roots.iter().filter(|root| f.path.starts_with(&format!("{root}/")));
        around.max_by_key(|root| root.len()).cloned()
    };
    let own = |root: &String| {
        let inside =
            files.iter().filter(in_src).filter(|f| !(f.path == format!("{root}/main.rs") && root.ends_with("/src")));
        inside.filter(|f| nearest(f).as_ref() == Some(root)).collect()
    };
    roots.iter().map(|root| (root.clone(), own(root))).collect()
}

/// What is reached from a file, itself only by a circle.
fn reached<'a>(next: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &'a str) -> BTreeSet<&'a str> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(at) = open.pop() {
        open.extend(next.get(at).into_iter().flatten().filter(|to| seen.insert(**to)));
    }
    seen
}

/// The circles among the uses, as sentences.
fn circles(uses: &[Use]) -> Vec<String> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in uses {
        next.entry(&one.from).or_default().insert(&one.to);
    }
    let all: BTreeMap<&str, BTreeSet<&str>> = next.keys().map(|from| (*from, reached(&next, from))).collect();
    let mut found = BTreeSet::new();
    for (from, to) in all.iter().filter(|(from, to)| to.contains(**from)) {
        let back = |other: &&&str| all.get(**other).is_some_and(|reached| reached.contains(from));
        found.insert(to.iter().filter(back).copied().collect::<Vec<_>>());
    }
    let sentence = |circle: &Vec<&str>| {
        let inside = uses.iter().filter(|u| circle.contains(&u.from.as_str()) && circle.contains(&u.to.as_str()));
        let arrows: Vec<_> = inside.map(|u| format!("  {} uses {} of {}", u.from, u.by, u.to)).collect();
        format!("a circle of {} files:\n{}", circle.len(), arrows.join("\n"))
    };
    found.iter().map(sentence).collect()
}

#[test]
fn no_file_depends_on_itself() {
    let files = rust();
    let crates = crates(&files);
    assert!(crates.len() > 7, "the crates are found");
    let found = crates.iter().flat_map(|(root, files)| circles(&uses(root, files)));
    crate::none(found.collect());
}

/// The uses in a crate of these files, as `from > to by path`.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let texts: Vec<Text> = files.iter().map(|(path, text)| Text::new(&format!("a/src/{path}"), text)).collect();
    let short = |path: &str| path.trim_start_matches("a/src/").to_owned();
    let uses = uses("a/src", &texts.iter().collect::<Vec<_>>());
    uses.iter().map(|u| format!("{} > {} by {}", short(&u.from), short(&u.to), u.by)).collect()
}

#[test]
fn names_are_followed_to_the_file_that_defines_them() {
    let lib = ("lib.rs", "pub mod book; mod plan; pub use book::Book; records! { Trade = 1 { px: Px } }");
    let book = ("book/mod.rs", "mod ladder; mod order; pub use ladder::{Book, Side as Face}; pub(crate) use order::*;");
    let ladder = ("book/ladder.rs", "pub struct Book; pub enum Side {} use super::order::Order;");
    let order = ("book/order.rs", "pub struct Order; const X: u8 = 0;");
    let uses = |plan| {
        let files = [lib, book, ladder, order, ("plan.rs", plan)];
        let found = found(&files);
        assert!(found.contains(&"book/ladder.rs > book/order.rs by super::order::Order".to_owned()), "{found:?}");
        found.into_iter().filter(|u| u.starts_with("plan.rs")).map(|u| u[10..].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(uses("use crate::book::Face;"), ["book/ladder.rs by crate::book::Face"]);
    assert_eq!(
        uses("use crate::{Book, book::{self}}; fn f(_: book::Order) {}"),
        ["book/ladder.rs by crate::Book", "book/order.rs by book::Order"]
    );
    assert_eq!(uses("fn f() { use super::book as b; b::order::X.g(); }"), ["book/order.rs by b::order::X"]);
    assert_eq!(uses("m!(vec![crate::book::Order]);"), ["book/order.rs by crate::book::Order"]);
    assert_eq!(uses("use crate::book::*; fn f(_: Order) {}"), ["book/order.rs by Order"]);
    assert_eq!(uses("fn f(_: super::Trade) {}"), ["lib.rs by super::Trade"]);
    assert_eq!(uses("mod inner { use super::super::Book; }"), ["book/ladder.rs by super::super::Book"]);
    assert_eq!(uses("#[cfg(test)] mod tests { use crate::Book; } #[cfg(test)] use crate::book;"), [""; 0]);
    assert_eq!(uses("use flow::Book; use std::book::Order; /// [`crate::Book`]\nfn f() {}"), [""; 0]);
}

#[test]
fn a_circle_is_found_and_a_file_of_re_exports_is_none() {
    let circle = |files: &[(&str, &str)]| {
        let texts: Vec<Text> = files.iter().map(|(path, text)| Text::new(&format!("a/src/{path}"), text)).collect();
        circles(&uses("a/src", &texts.iter().collect::<Vec<_>>()))
    };
    let lib = ("lib.rs", "mod a;");
    let own = ("a/mod.rs", "mod b; mod c; pub use b::B; pub struct A;");
    let tests = ("a/c.rs", "use super::b::B; #[cfg(test)] mod tests;");
    let wrong =
        circle(&[lib, own, ("a/b.rs", "use super::c::C; pub struct B;"), ("a/c.rs", "pub struct C(super::B);")]);
    let said = "a circle of 2 files:\n  a/src/a/b.rs uses super::c::C of a/src/a/c.rs\n  a/src/a/c.rs uses super::B of a/src/a/b.rs";
    assert_eq!(wrong, [said]);
    assert_eq!(circle(&[lib, own, ("a/b.rs", "pub struct B(super::A);"), tests]), [""; 0]);
    let using = ("a/mod.rs", "mod b; pub struct A; fn f() { b::f() }");
    assert_eq!(circle(&[lib, using, ("a/b.rs", "pub fn f() { super::A; }")]).len(), 1);
    let in_tests = ("a/c/tests.rs", "use crate::a::b::B;");
    assert_eq!(
        circle(&[
            lib,
            own,
            ("a/b.rs", "pub struct B; use super::c::C;"),
            ("a/c.rs", "pub struct C; #[cfg(test)] mod tests;"),
            in_tests
        ]),
        [""; 0]
    );
}
