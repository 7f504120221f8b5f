//! The values of a graph.

use crate::config::keys::ClockKind;
use crate::config::{InputSettings, Settings};
use crate::plan::{GroupPlan, Link, Plan};
use ring::Idle;
use serde::{Serialize, Serializer};
use stages::exchange_sim::VENUES;
use std::path::PathBuf;

/// A group on its thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// `core0`, `core1`, …
    pub name: String,
    /// Core that its thread is pinned to; absent = not pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<usize>,
    /// Its stages, `ingress` and `tail` included.
    pub stages: Vec<String>,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Input {
    /// Its feed.
    pub feed: &'static str,
    /// Its files; empty if the feed generates its own messages.
    pub files: Vec<String>,
    /// Group that reads it.
    pub to: String,
}

/// A venue that orders go to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Venue {
    /// `sim`, or the name of a gateway.
    pub name: String,
    /// Thread that talks to it.
    pub thread: String,
    /// Core that the thread of a gateway is pinned to; absent = not pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<usize>,
    /// What the thread of a gateway does while there is nothing to do: `sleep` or `spin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle: Option<&'static str>,
    /// Description.
    pub about: &'static str,
}

/// A log that the pipeline writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    /// Name.
    pub name: String,
    /// Group that writes it.
    pub from: String,
    /// What happens when it is full.
    pub when_full: &'static str,
}

fn name_of_idle<S: Serializer>(idle: &Idle, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(idle.name())
}

/// A plan, ready to be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The implementation used for every ring.
    pub ring: &'static str,
    /// `event` or `wall`.
    pub clock: &'static str,
    /// How a group waits that has nothing to do, or whose ring is full.
    #[serde(serialize_with = "name_of_idle")]
    pub idle: Idle,
    /// Sources, in argument order.
    pub sources: Vec<Input>,
    /// Groups, in order.
    pub groups: Vec<Node>,
    /// Rings and channels between threads.
    pub links: Vec<Link>,
    /// Venues; empty if no stage trades.
    pub venues: Vec<Venue>,
    /// Logs.
    pub sinks: Vec<Output>,
}

impl Graph {
    /// The graph of a plan and of the settings that it was built from.
    pub fn of(settings: &Settings, plan: &Plan) -> Graph {
        let name = |group: usize| plan.groups[group].name.clone();
        let (first, last) = (name(0), name(plan.groups.len() - 1));
        let group = |g: &GroupPlan| Node { name: g.name.clone(), cpu: g.core, stages: g.members.clone() };
        let shown = |path: &PathBuf| path.display().to_string();
        let source = |input: &InputSettings| Input {
            feed: input.feed.name,
            files: input.files.iter().map(shown).collect(),
            to: first.clone(),
        };
        Graph {
            ring: plan.ring.name(),
            clock: if plan.clock == ClockKind::Wall { "wall" } else { "event" },
            idle: plan.idle,
            sources: settings.inputs.iter().map(source).collect(),
            groups: plan.groups.iter().map(group).collect(),
            links: plan.wiring.links().to_vec(),
            venues: venues(plan, &first),
            sinks: settings
                .journal_dir
                .iter()
                .flat_map(|dir| journal(&dir.display().to_string(), &first, &last))
                .collect(),
        }
    }

    /// As one JSON object.
    ///
    /// # Panics
    /// Never: a graph is plain values.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("a graph is plain values")
    }
}

fn venues(plan: &Plan, head: &str) -> Vec<Venue> {
    let simulated = VENUES.iter().take(1).filter(|_| plan.routing.simulated);
    let simulated = simulated.map(|v| Venue {
        name: v.name.to_owned(),
        thread: head.to_owned(),
        cpu: None,
        idle: None,
        about: v.about,
    });
    let gateways = plan.routing.gateways.iter().map(|gateway| Venue {
        name: gateway.name.clone(),
        thread: format!("gateway {}", gateway.name),
        cpu: gateway.threading.core,
        idle: Some(gateway.threading.idle.name()),
        about: gateway.entry.about,
    });
    simulated.chain(gateways).collect()
}

/// The two logs of a run.
fn journal(dir: &str, head: &str, tail: &str) -> [Output; 2] {
    let log = |name, from: &str, when_full| Output { name: format!("{dir} {name}"), from: from.to_owned(), when_full };
    [
        log("inputs", head, "the run halts: it never trades on an input that it cannot store"),
        log("outcomes", tail, "it drops the oldest: outcomes can be derived again"),
    ]
}
