//! Rows in a QuestDB server: a real one, started for each test. Where there is no Java or no server these cases are ignored
//! by name.

mod up;

use std::process::ExitCode;
use tidegate_tests::conclude;

fn main() -> ExitCode {
    conclude(up::cases())
}
