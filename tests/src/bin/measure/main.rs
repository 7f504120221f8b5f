//! Measures from outside what a halt, a stop and a bad disk cost a running engine, and what it holds while it runs.
//!
//! `measure halt [ROUNDS]`, `measure stop [ROUNDS]`, `measure disk [SECONDS]`, `measure footprint [SECONDS]`,
//! `measure soak [SECONDS [RATE]]`, `measure lost [SECONDS [LOSSES]]`: each prints one table. The engine is the binary of the same profile, or that of
//! `TIDEGATE_BIN`. Bound: a minute for anything that should happen, then it panics.

#![forbid(unsafe_code)]

mod disk;
mod footprint;
mod halt;
mod held;
mod lost;
mod soak;
mod stop;
mod times;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, default| words.get(place).map_or(Some(default), |word| word.parse().ok());
    let what = words.first().map_or("", String::as_str);
    let amounts = match what {
        "halt" | "stop" => number(1, 20).zip(Some(0)),
        "disk" => number(1, 5).zip(Some(0)),
        "footprint" => number(1, 60).zip(Some(0)),
        "soak" => number(1, 900).zip(number(2, 200_000)),
        "lost" => number(1, 1_200).zip(number(2, 50)),
        _ => None,
    };
    match (what, amounts) {
        ("halt", Some((rounds, _))) => halt::measure(rounds),
        ("stop", Some((rounds, _))) => stop::measure(rounds),
        ("disk", Some((seconds, _))) => disk::measure(seconds),
        ("footprint", Some((seconds, _))) => footprint::measure(seconds),
        ("soak", Some((seconds, rate))) => soak::measure(seconds, rate),
        ("lost", Some((seconds, losses))) => lost::measure(seconds, losses),
        _ => {
            eprintln!(
                "usage: measure halt [ROUNDS] | stop [ROUNDS] | disk [SECONDS] | footprint [SECONDS] | soak [SECONDS [RATE]] \
                 | lost [SECONDS [LOSSES]]"
            );
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
