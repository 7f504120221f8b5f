//! Sizes: no file over 700 lines, no function over 70; the medians and ninetieth percentiles are printed.
//!
//! Tables, which are long because what they list is, are exempt by name.

use crate::tokens::{Function, functions, parse};
use crate::tree::{Text, files, rust};

const MAX_FILE: usize = 700;
const MAX_FUNCTION: usize = 70;

/// Files that are one table each.
const TABLES: &[&str] = &[];

/// Extensions of what people write by hand.
const WRITTEN: &[&str] = &["rs", "py", "sh", "html", "css", "js"];

fn long_file(file: &Text) -> Option<String> {
    let lines = file.text.lines().count();
    (lines > MAX_FILE)
        .then(|| format!("{}: {lines} lines, at most {MAX_FILE}: it probably has two subjects", file.path))
}

fn long_functions(path: &str, functions: &[Function]) -> Vec<String> {
    let long = functions.iter().filter(|f| f.lines > MAX_FUNCTION);
    long.map(|f| format!("{path}:{}: fn {} has {} lines, at most {MAX_FUNCTION}", f.line, f.name, f.lines)).collect()
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
    let files = rust();
    let [median, p90, max] = spread(files.iter().map(|f| f.text.lines().count()).collect());
    println!("{} Rust files: median {median} lines, p90 {p90}, max {max} (wanted 200, 450, 700)", files.len());
    let functions: Vec<usize> = files.iter().flat_map(|f| functions(parse(f))).map(|f| f.lines).collect();
    let count = functions.len();
    let [median, p90, max] = spread(functions);
    println!("{count} functions: median {median} lines, p90 {p90}, max {max} (wanted p90 40, max 70)");
}

#[test]
fn what_is_too_long_is_found() {
    let body = "    work();\n".repeat(MAX_FUNCTION);
    let file = Text::new("a.rs", &format!("fn long() {{\n{body}}}\nfn short() {{}}\n"));
    let found = long_functions(&file.path, &functions(parse(&file)));
    assert_eq!(found, ["a.rs:1: fn long has 72 lines, at most 70"]);
    assert!(long_file(&Text::new("a.rs", &"\n".repeat(700))).is_none());
    assert!(long_file(&Text::new("a.rs", &"\n".repeat(701))).is_some());
    assert_eq!(spread(vec![5, 1, 4, 2, 3, 6, 7, 8, 9, 10]), [5, 9, 10]);
}
