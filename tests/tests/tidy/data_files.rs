//! No stage and no venue reads a file by its path.
//!
//! What a pipeline computes depends on its inputs and its settings, and both are in the journal. A file that is read by
//! path beside them may be another one tomorrow. So a parameter that names a file is a `FileParam`, whose value is what the
//! file held when the configuration was read; and the modules that a pipeline is made of open no file.

use crate::tokens::{parse, words};
use crate::tree::{Text, rust};
use flow::{Param, ParamType, Registered};

/// Words that say that a text is the place of a file.
const PLACES: &[&str] = &["file", "files", "path", "paths", "dir", "folder", "directory"];

/// What a pipeline is made of.
const PIPELINE: &[&str] = &[
    "engine/flow/src/",
    "engine/stages/src/",
    "engine/src/assembly/",
    "engine/src/plan/",
    "engine/src/pipeline/",
    "engine/src/ingress/",
    "engine/src/drive.rs",
];

/// Words without which no file is opened.
const OPENING: &[&str] = &["fs", "OpenOptions", "from_path"];

/// Whether a parameter is a text that names a file.
fn is_path(param: &Param) -> bool {
    let says = |text: &str| text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| PLACES.contains(&word));
    matches!(param.ty, ParamType::Text | ParamType::List) && (says(param.name) || says(param.about))
}

fn path_faults(entry: &dyn Registered) -> Vec<String> {
    let paths = entry.params().iter().filter(|param| is_path(param));
    paths
        .map(|p| format!("{}.{} names a file: make it a FileParam, whose value is what it holds", entry.name(), p.name))
        .collect()
}

fn opening_faults(file: &Text) -> Vec<String> {
    let found = words(parse(file)).into_iter().filter(|w| OPENING.contains(&w.word.as_str()));
    found.map(|w| format!("{}:{}: {} opens files, which a pipeline does not", file.path, w.line, w.word)).collect()
}

#[test]
fn what_a_stage_or_a_venue_takes_from_a_file_is_its_content() {
    let venues = stages::exchange_sim::VENUES.iter().map(|venue| venue as &dyn Registered);
    let gateways = sinks::GATEWAYS.iter().map(|gateway| gateway as &dyn Registered);
    crate::none(stages::entries().chain(venues).chain(gateways).flat_map(path_faults).collect());
}

#[test]
fn a_pipeline_opens_no_file() {
    crate::none(rust().iter().filter(|file| file.is_in(PIPELINE)).flat_map(opening_faults).collect());
}

#[test]
fn a_path_is_found() {
    use flow::{FileParam, ListParam, TextParam};
    assert!(is_path(&TextParam::new("latency_file", "", "rows of latencies").param()));
    assert!(is_path(&TextParam::new("calendar", "", "a file of holidays").param()));
    assert!(is_path(&ListParam::new("paths", "", "models").param()));
    assert!(!is_path(&FileParam::new("latency_file", "a file of rows").param()));
    assert!(!is_path(&TextParam::new("profile", "", "the profile that is followed").param()));
    let text = "use std::fs; fn f() { csv::Reader::from_path(path); } // fs";
    assert_eq!(opening_faults(&Text::new("engine/src/assembly/a.rs", text)).len(), 2);
}
