//! The feeds on recorded data: every file decodes whole, and counts and sums are those that other programs found.
//!
//! The files are in the folder of `TIDEGATE_DATA` (default `../shared/data` beside the project). A test whose file is
//! missing is reported as ignored, by its name.

mod alpaca;
mod csv;
mod dbn;
mod itch;
mod lean;
mod lean_bars;
mod lobster;
mod packed;

use libtest_mimic::{Arguments, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A file of the recorded data.
fn data(file: &str) -> PathBuf {
    let folder = std::env::var_os("TIDEGATE_DATA").map(PathBuf::from);
    folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data")).join(file)
}

/// A test that fails by panicking and is given the path of its file.
fn trial(name: String, file: &str, run: impl FnOnce(PathBuf) + Send + 'static) -> Trial {
    let path = data(file);
    let missing = !path.exists();
    let run = move || match missing {
        true => Err(format!("{} is missing: set TIDEGATE_DATA", path.display()).into()),
        false => {
            run(path);
            Ok(())
        }
    };
    Trial::test(name, run).with_kind("data").with_ignored_flag(missing)
}

fn main() -> ExitCode {
    let trials = [
        alpaca::trials(),
        csv::trials(),
        dbn::trials(),
        itch::trials(),
        lean::trials(),
        lean_bars::trials(),
        lobster::trials(),
        packed::trials(),
    ]
    .into_iter()
    .flatten()
    .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
