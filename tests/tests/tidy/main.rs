//! The shape of the project, checked.
//!
//! What the architecture says about arrows between crates, sizes, essays, registries and `unsafe` holds because this
//! test reads the sources and fails otherwise. Each checker takes text and gives back the faults as sentences, so that
//! it is itself tested on text that is wrong. `cargo test --test tidy -- --nocapture sizes` prints the statistics.

mod approval;
mod arrows;
mod circles;
mod data_files;
mod output;
mod plug_ins;
mod registries;
mod sizes;
mod sources;
mod tokens;
mod tree;
mod unsafety;
mod uses;
mod vocabulary;

/// Fails with one line per fault.
#[track_caller]
fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{} fault(s):\n{}", faults.len(), faults.join("\n"));
}
