//! Which cores there are, and what they share.

use crate::cores::{self, Cores};
use crate::root::Root;
use serde::Serialize;

/// A logical core that is online.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Core {
    /// Its number.
    pub number: usize,
    /// The logical cores of the same physical one, itself included.
    pub siblings: Cores,
    /// Those that share its last cache, itself included: a core complex.
    pub complex: Cores,
    /// Its memory node, if the host says so.
    pub node: Option<usize>,
}

/// The cores of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Topology {
    /// By number.
    pub cores: Vec<Core>,
}

const CPU: &str = "/sys/devices/system/cpu";

impl Topology {
    /// That of a host.
    pub fn of(root: &Root) -> Topology {
        let online = cores::parse(&root.read(&format!("{CPU}/online")).unwrap_or_default());
        let list = |path: String, own: usize| {
            let found = cores::parse(&root.read(&path).unwrap_or_default());
            if found.is_empty() { Cores::from([own]) } else { found }
        };
        let core = |number: usize| {
            let of = format!("{CPU}/cpu{number}");
            let last = root.list(&format!("{of}/cache")).into_iter().rfind(|name| name.starts_with("index"));
            let node = root.list(&of).into_iter().find_map(|name| name.strip_prefix("node")?.parse().ok());
            Core {
                number,
                siblings: list(format!("{of}/topology/thread_siblings_list"), number),
                complex: list(format!("{of}/cache/{}/shared_cpu_list", last.unwrap_or_default()), number),
                node,
            }
        };
        Topology { cores: online.into_iter().map(core).collect() }
    }

    /// A core.
    pub fn core(&self, number: usize) -> Option<&Core> {
        self.cores.iter().find(|core| core.number == number)
    }

    /// All cores.
    pub fn numbers(&self) -> Cores {
        self.cores.iter().map(|core| core.number).collect()
    }

    /// The groups of these cores that share something.
    pub fn shared(&self, of: &Cores, what: impl Fn(&Core) -> &Cores) -> Vec<Cores> {
        let mut groups: Vec<Cores> = Vec::new();
        for core in of.iter().filter_map(|number| self.core(*number)) {
            let group: Cores = what(core).intersection(of).copied().collect();
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups
    }

    /// What an event crosses on its way between two cores.
    pub fn way(&self, from: usize, to: usize) -> &'static str {
        let (Some(one), Some(other)) = (self.core(from), self.core(to)) else { return "unknown cores" };
        if from == to {
            "the same core"
        } else if one.siblings.contains(&to) {
            "one physical core"
        } else if one.complex.contains(&to) {
            "one core complex"
        } else if one.node == other.node {
            "two core complexes"
        } else {
            "two memory nodes"
        }
    }
}
