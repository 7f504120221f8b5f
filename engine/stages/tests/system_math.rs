//! No mathematics of the system inside the stages.
//!
//! `exp` and its like differ in the last bit between C libraries, so a stage takes them from the crate `libm`, which is
//! compiled with it. The lint in `clippy.toml` sees the stages' own calls; this test sees those of every crate that they
//! bring along: it is a program that links the vocabulary and the stages and nothing else, builds all of them, and looks for
//! the functions among its own symbols, with `nm`.

use flow::{Params, Registered};
use stages::{Instances, Space};
use std::collections::BTreeMap;
use std::process::Command;

/// What C's mathematics offers and does not round correctly. `sqrt`, `fma` and rounding are exact.
const INEXACT: &[&str] = &[
    "exp", "exp2", "exp10", "expm1", "log", "log2", "log10", "log1p", "pow", "sin", "cos", "sincos", "tan", "asin",
    "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "cbrt", "hypot", "erf", "erfc",
    "tgamma", "lgamma", "lgamma_r",
];

/// What a compiler calls for `powi`: it may multiply in another order.
const POWERS: &[&str] = &["__powisf2", "__powidf2"];

/// The functions that may differ among these lines of `nm`: `U exp@GLIBC_2.29`, `0000 T expf`.
fn inexact(symbols: &str) -> Vec<&str> {
    let names = symbols.lines().filter_map(|line| line.split_whitespace().last());
    let plain = names.map(|name| name.split('@').next().unwrap_or(name));
    let is_inexact = |name: &&str| {
        let double = name.strip_suffix(['f', 'l']).unwrap_or(name);
        INEXACT.contains(name) || INEXACT.contains(&double) || POWERS.contains(name)
    };
    plain.filter(is_inexact).collect()
}

#[test]
fn the_stages_call_no_mathematics_of_the_system() {
    let space = Space { instruments: 2, fills: 4, positions: 64 };
    let settings: BTreeMap<_, _> = stages::entries().map(|e| (e.name(), Params::defaults(e.params()))).collect();
    for part in stages::uncut(|_| true) {
        part.build(|name| &settings[name], &Instances::PLAIN, space).unwrap_or_else(|faults| panic!("{faults:?}"));
    }
    for venue in stages::exchange_sim::VENUES {
        (venue.build)(&Params::defaults(venue.params()), &settings["book"], space).expect("the defaults are valid");
    }
    let here = std::env::current_exe().expect("a test has a file");
    let nm = Command::new("nm").arg(here).output().expect("nm is there: it comes with the linker, in binutils");
    let symbols = String::from_utf8_lossy(&nm.stdout);
    assert!(
        nm.status.success() && symbols.contains("libm4math3exp"),
        "the symbols are there: the stages use libm's exp"
    );
    assert_eq!(inexact(&symbols), [""; 0]);
}

#[test]
fn a_call_is_found() {
    let symbols = "                 U exp@GLIBC_2.29\n0000000000001000 T powf\n                 U sqrt@GLIBC_2.2.5\n\
        000000000000d0a0 t _ZN4libm4math3exp3exp17h0E\n                 U fma\n  w __powidf2\n                 U atan2f\n";
    assert_eq!(inexact(symbols), ["exp", "powf", "__powidf2", "atan2f"]);
}
