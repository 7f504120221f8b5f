//! Rows in a QuestDB server: a real one, started for each test. Where there is no Java or no server these cases are ignored
//! by name.

mod altered;
mod dashboard;
mod recorded;
mod rig;
mod trouble;
mod up;
mod values;

use std::process::ExitCode;
use tidegate_tests::conclude;

fn main() -> ExitCode {
    let cases = [up::cases(), dashboard::cases(), values::cases(), trouble::cases(), altered::cases()];
    conclude(cases.into_iter().flatten().collect())
}
