//! Measures from outside what a halt, a stop and a bad disk cost a running engine.
//!
//! `measure halt [ROUNDS]`, `measure stop [ROUNDS]`, `measure disk [SECONDS]`: each prints one table. The engine is the binary
//! of the same profile, or that of `TIDEGATE_BIN`. Bound: a minute for anything that should happen, then it panics.

#![forbid(unsafe_code)]

mod disk;
mod halt;
mod stop;
mod times;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |default| words.get(1).map_or(Some(default), |word| word.parse().ok());
    match (words.first().map(String::as_str), number(20), number(5)) {
        (Some("halt"), Some(rounds), _) => halt::measure(rounds),
        (Some("stop"), Some(rounds), _) => stop::measure(rounds),
        (Some("disk"), _, Some(seconds)) => disk::measure(seconds),
        _ => {
            eprintln!("usage: measure halt [ROUNDS] | stop [ROUNDS] | disk [SECONDS]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
