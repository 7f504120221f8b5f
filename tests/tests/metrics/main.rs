//! What a run shows of itself over HTTP, compared with what it recorded, and read by a real Prometheus. Where there is none these
//! cases are ignored by name.

mod answers;
mod keys;
mod page;
mod scraped;

use std::process::ExitCode;
use tidegate_tests::conclude;

fn main() -> ExitCode {
    conclude([answers::cases(), keys::cases(), scraped::cases()].into_iter().flatten().collect())
}
