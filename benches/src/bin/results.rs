//! Prints the page of results from the files that are named, in their order.

use std::path::Path;
use std::process::ExitCode;
use tidegate::bench::compare::ResultFile;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        eprintln!(
            "results: name the files, as target/benches/hop-1700000000.jsonl or what `tidegate bench hop --json` printed"
        );
        return ExitCode::from(2);
    }
    let read: Result<Vec<ResultFile>, _> = files.iter().map(|file| ResultFile::read(Path::new(file))).collect();
    match read {
        Ok(results) => print!("{}", benches::results::markdown(&results)),
        Err(error) => {
            eprintln!("results: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
