//! What a check is, what it looks at, and what it says.

use crate::cores::Cores;
use crate::root::Root;
use crate::topology::Topology;
use serde::Serialize;

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It costs latency, or may.
    Wanting,
    /// The host does not say.
    Unknown,
    /// There is no such thing here.
    NotHere,
}

impl Verdict {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Good => "good",
            Verdict::Wanting => "wanting",
            Verdict::Unknown => "unknown",
            Verdict::NotHere => "not here",
        }
    }
}

/// A value that can be written while the system runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The file.
    pub path: String,
    /// What is to be written.
    pub value: String,
    /// What is there now, as it is written back.
    pub was: String,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Name of the check.
    pub check: &'static str,
    /// What it comes to.
    pub verdict: Verdict,
    /// What is there.
    pub found: String,
    /// Why it matters.
    pub why: &'static str,
    /// How to mend it; empty if nothing is to be done.
    pub fix: String,
    /// How to take that back.
    pub undo: String,
    /// What `--apply` writes.
    pub settings: Vec<Setting>,
}

/// A host, and the cores that the pipeline is to have for itself.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its files.
    pub root: Root,
    /// Its cores.
    pub topology: Topology,
    /// The pipeline's.
    pub pipeline: Cores,
}

impl Subject {
    /// A host; without a choice the pipeline has all cores but the first, and all if there are no more than two.
    pub fn new(root: Root, pipeline: Option<Cores>) -> Subject {
        let topology = Topology::of(&root);
        let all = topology.numbers();
        let most = || if all.len() > 2 { all.iter().copied().skip(1).collect() } else { all.clone() };
        let pipeline = pipeline.unwrap_or_else(most);
        Subject { root, topology, pipeline }
    }

    /// The cores that are for everything else.
    pub(super) fn others(&self) -> Cores {
        self.topology.numbers().difference(&self.pipeline).copied().collect()
    }
}

/// A check.
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// Why it matters.
    pub why: &'static str,
    pub(super) look: fn(&Subject) -> Judged,
}

/// What a check came to.
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) found: String,
    pub(super) fix: String,
    pub(super) undo: String,
    pub(super) settings: Vec<Setting>,
}

impl Judged {
    pub(super) fn of(verdict: Verdict, found: impl Into<String>) -> Judged {
        let (fix, undo, settings) = Default::default();
        Judged { verdict, found: found.into(), fix, undo, settings }
    }

    pub(super) fn good(found: impl Into<String>) -> Judged {
        Judged::of(Verdict::Good, found)
    }

    pub(super) fn unknown(found: impl Into<String>) -> Judged {
        Judged::of(Verdict::Unknown, found)
    }

    pub(super) fn not_here(found: impl Into<String>) -> Judged {
        Judged::of(Verdict::NotHere, found)
    }

    pub(super) fn wanting(found: impl Into<String>, fix: impl Into<String>, undo: impl Into<String>) -> Judged {
        Judged { fix: fix.into(), undo: undo.into(), ..Judged::of(Verdict::Wanting, found) }
    }

    /// What can be written while the system runs.
    pub(super) fn by(self, settings: Vec<Setting>) -> Judged {
        Judged { settings, ..self }
    }
}

/// What writing `value` into a file would change; `None` if it is not there.
pub(super) fn setting(root: &Root, path: &str, value: &str) -> Option<Setting> {
    let was = root.read(path)?;
    (was != value).then(|| Setting { path: path.to_owned(), value: value.to_owned(), was })
}

/// The choice in brackets of a file that lists all, as `always [madvise] never`.
pub(super) fn chosen(text: &str) -> Option<&str> {
    Some(text.split_once('[')?.1.split_once(']')?.0)
}
