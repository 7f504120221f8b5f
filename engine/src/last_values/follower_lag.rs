//! How far the followers of a run are behind it: sinks, and whoever else reads the journal under a name.
//!
//! Bound: a small file and a look at the last segments a follower.

use sinks::journal::{Home, Lag, Registered};
use std::path::Path;

/// How far a follower of the run is behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowerLag {
    /// Its name.
    pub name: String,
    /// Whether a process goes by its name now.
    pub is_running: bool,
    /// What it has not read, as its saved position says; `None` if that cannot be read.
    pub lag: Option<Lag>,
}

impl FollowerLag {
    /// Those of the run in `dir`; none if they cannot be listed now.
    pub(super) fn of_all(dir: &Path) -> Vec<FollowerLag> {
        let (Ok(all), Ok(home)) = (Registered::list(dir), Home::open(dir)) else { return Vec::new() };
        let lag = |one: Registered| {
            let lag = one.saved.ok().and_then(|saved| Lag::of(&home, &saved.position).ok());
            FollowerLag { name: one.name, is_running: one.is_running, lag }
        };
        all.into_iter().map(lag).collect()
    }
}
