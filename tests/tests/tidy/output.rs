//! Nothing waits for whoever reads standard error: only the console writes to it.
//!
//! A print macro panics when its pipe is closed and waits when it is full, on whatever thread it is called. So none stands
//! in what the binary is made of, and one file names standard error.

use crate::tokens::{parse, words};
use crate::tree::{Text, rust};

/// The folders that the binary is built from.
const BUILT: &[&str] =
    &["engine/src/", "engine/flow/src/", "engine/stages/src/", "feeds/src/", "sinks/src/", "ring/src/"];

/// The one file that writes to standard error, one that asks how wide it is, and one that sends a child's to a file.
const MAY: &[(&str, &[&str])] = &[
    ("engine/src/cli/console.rs", &["stderr"]),
    ("engine/src/cli/screen.rs", &["stderr"]),
    ("engine/src/cli/questdb/server.rs", &["stderr"]),
];

const MACROS: &[&str] = &["print", "println", "eprint", "eprintln", "dbg"];

fn faults(file: &Text) -> Vec<String> {
    let may = |word: &str| MAY.iter().any(|(path, words)| *path == file.path && words.contains(&word));
    let words = words(parse(file)).into_iter();
    let wrong = words.filter(|w| {
        (MACROS.contains(&w.word.as_str()) && w.next == "!") || (w.word == "stderr" && w.next.starts_with('('))
    });
    let wrong = wrong.filter(|w| !may(&w.word));
    wrong.map(|w| format!("{}:{}: {} may wait for its reader; use cli/console.rs", file.path, w.line, w.word)).collect()
}

/// Without the tests inside the sources and what only measures.
fn is_built(file: &Text) -> bool {
    BUILT.iter().any(|folder| file.path.starts_with(folder))
        && !file.path.ends_with("/tests.rs")
        && file.path != "ring/src/model.rs"
}

#[test]
fn only_the_console_writes_to_standard_error() {
    crate::none(rust().iter().filter(|f| is_built(f)).flat_map(faults).collect());
}

#[test]
fn a_print_is_found() {
    let found = |path: &str, text: &str| faults(&Text::new(path, text)).len();
    assert_eq!(found("engine/src/a.rs", "fn f() { eprintln!(\"x\"); print!(\"y\"); }"), 2);
    assert_eq!(found("engine/src/a.rs", "fn f() { let to = std::io::stderr(); }"), 1);
    assert_eq!(found("engine/src/cli/console.rs", "fn f() { let to = std::io::stderr(); }"), 0);
    assert_eq!(found("engine/src/a.rs", "fn f() { writeln!(to, \"print!\"); format!(\"x\"); print(1); }"), 0);
}
