//! The journals of a run, as tests read them: both logs over all of them, and every check that a user has.

use crate::run;
use flow::Event;
use sinks::journal::{Home, HomeLog, LogKind, verify};
use std::path::Path;

/// Inputs and outcomes over all journals of the run in `dir`.
///
/// # Panics
/// When there is none, or a record is damaged.
pub fn logs(dir: &Path) -> [Vec<Event>; 2] {
    let home = Home::open(dir).expect("a journal");
    LogKind::BOTH.map(|log| {
        let events = HomeLog::of(dir, home.journals(), log);
        events.map(|event| event.expect("a whole record")).collect()
    })
}

/// How many journals the run in `dir` has.
///
/// # Panics
/// When there is none.
pub fn count(dir: &Path) -> usize {
    Home::open(dir).expect("a journal").journals().len()
}

/// Verifies the journals in `dir`, and repeats them: all of them as one, and some that follow another from the state that they
/// begin with.
///
/// # Panics
/// When one is not intact, or its repetition differs.
pub fn check(dir: &Path) {
    let home = Home::open(dir).expect("a journal");
    for member in home.journals() {
        let found = verify(&member.dir, 10).expect("it can be read");
        assert!(found.is_intact(), "{}: {:#?}", member.dir.display(), found.faults);
    }
    run([Path::new("journal"), Path::new("verify"), dir]).expect(0);
    let later = home.journals().iter().filter(|member| member.info.follows.is_some());
    // Of many a few are enough.
    let some = later.map(|member| member.dir.as_path()).step_by(home.journals().len().div_ceil(6));
    for dir in [dir].into_iter().chain(some) {
        run([Path::new("replay"), Path::new("--journal"), dir, Path::new("--verify")]).expect(0);
    }
}
