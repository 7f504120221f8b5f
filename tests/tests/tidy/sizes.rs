//! Sizes: in the source folders no file over 500 lines and no function over 60; in tests and benches, whose cases stand one
//! after the other, 700 and 70. Medians and ninetieth percentiles are printed.
//!
//! Tables, which are long because what they list is, are exempt by name.

use crate::tokens::{Function, functions, parse};
use crate::tree::{Text, files, rust};

/// The most lines of a file and of a function.
struct Limits {
    file: usize,
    function: usize,
}

const SOURCES: Limits = Limits { file: 500, function: 60 };
const TESTS: Limits = Limits { file: 700, function: 70 };

/// Whether the file is a source of what is shipped.
fn is_source(path: &str) -> bool {
    path.contains("src/") && !path.starts_with("tests/") && !path.starts_with("benches/")
}

fn limits(path: &str) -> &'static Limits {
    if is_source(path) { &SOURCES } else { &TESTS }
}

/// Files that are one table each.
const TABLES: &[&str] = &[];

/// Extensions of what people write by hand.
const WRITTEN: &[&str] = &["rs", "py", "sh", "html", "css", "js"];

fn long_file(file: &Text) -> Option<String> {
    let lines = file.text.lines().count();
    let most = limits(&file.path).file;
    (lines > most).then(|| format!("{}: {lines} lines, at most {most}: it probably has two subjects", file.path))
}

fn long_functions(path: &str, functions: &[Function]) -> Vec<String> {
    let most = limits(path).function;
    let long = functions.iter().filter(|f| f.lines > most);
    long.map(|f| format!("{path}:{}: fn {} has {} lines, at most {most}", f.line, f.name, f.lines)).collect()
}

#[test]
fn files_are_short() {
    let written = |f: &Text| {
        f.path.starts_with(".ci/") || f.path.rsplit_once('.').is_some_and(|(_, extension)| WRITTEN.contains(&extension))
    };
    let files: Vec<Text> = files().into_iter().filter(written).collect();
    crate::none(files.iter().filter(|f| !TABLES.contains(&f.path.as_str())).filter_map(long_file).collect());
    let gone: Vec<String> =
        TABLES.iter().filter(|t| !files.iter().any(|f| f.path == **t)).map(|t| t.to_string()).collect();
    crate::none(gone.iter().map(|t| format!("{t}: exempt as a table and not there")).collect());
}

#[test]
fn functions_are_short() {
    crate::none(rust().iter().flat_map(|f| long_functions(&f.path, &functions(parse(f)))).collect());
}

/// Median, ninetieth percentile and maximum.
fn spread(mut sizes: Vec<usize>) -> [usize; 3] {
    sizes.sort_unstable();
    let at = |share: usize| sizes[(sizes.len() * share).div_ceil(100).max(1) - 1];
    [at(50), at(90), at(100)]
}

#[test]
fn sizes() {
    let files: Vec<Text> = rust().into_iter().filter(|f| is_source(&f.path)).collect();
    let [median, p90, max] = spread(files.iter().map(|f| f.text.lines().count()).collect());
    println!("{} source files: median {median} lines, p90 {p90}, max {max} (wanted 120, 300, 500)", files.len());
    let functions: Vec<usize> = files.iter().flat_map(|f| functions(parse(f))).map(|f| f.lines).collect();
    let count = functions.len();
    let [median, p90, max] = spread(functions);
    println!("{count} functions: median {median} lines, p90 {p90}, max {max} (wanted p90 21, max 60)");
}

#[test]
fn what_is_too_long_is_found() {
    let body = "    work();\n".repeat(SOURCES.function);
    let file = Text::new("a/src/a.rs", &format!("fn long() {{\n{body}}}\nfn short() {{}}\n"));
    let found = long_functions(&file.path, &functions(parse(&file)));
    assert_eq!(found, ["a/src/a.rs:1: fn long has 62 lines, at most 60"]);
    let is_long = |path: &str, lines: usize| long_file(&Text::new(path, &"\n".repeat(lines))).is_some();
    assert!(!is_long("a/src/a.rs", 500) && is_long("a/src/a.rs", 501));
    assert!(!is_long("a/tests/a.rs", 700) && is_long("a/tests/a.rs", 701) && !is_long("tests/src/a.rs", 501));
    assert_eq!(spread(vec![5, 1, 4, 2, 3, 6, 7, 8, 9, 10]), [5, 9, 10]);
}
