//! One table of all rings and channels between the threads of a pipeline.
//!
//! Every row gives producer, consumer, size, what happens when it is full, and why it exists. The threads are built from
//! these rows, the meters are named after them, and `tidegate graph` prints them. Threads are connected by nothing else.
//! Bound: one row per cut, one for the way back, two for each gateway, two for operators and rows.

use super::parts::GroupPlan;
use serde::Serialize;

/// Slots of the rings back to the head. Small ones are enough, because the head takes from them whenever it waits.
const BACK: usize = 4_096;

/// What a link carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carries {
    /// Events that later groups read, from one group to the next.
    Events,
    /// Routes and refusals, from the tail back to the head.
    Returns,
    /// Routes, from the tail to the gateway.
    Routes,
    /// `sent` and the venue's answers, from the gateway to the head.
    Answers,
    /// Operator commands.
    Commands,
    /// File and record of each input, for rows.
    Origins,
}

/// One end of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct End {
    /// Thread: a group, `gateway NAME`, or `control`.
    pub thread: String,
    /// `ingress` or `tail`, when only that part of a group is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<&'static str>,
}

impl End {
    fn whole(thread: &str) -> End {
        End { thread: thread.to_owned(), part: None }
    }

    fn part(thread: &str, part: &'static str) -> End {
        End { thread: thread.to_owned(), part: Some(part) }
    }

    /// The part, or the thread if the whole group is meant.
    pub fn name(&self) -> &str {
        self.part.unwrap_or(&self.thread)
    }
}

/// A ring or a channel between two threads: one row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What it carries.
    pub carries: Carries,
    /// The producer.
    pub from: End,
    /// The consumer.
    pub to: End,
    /// Slots of a ring; `None` for a channel, which grows.
    pub slots: Option<usize>,
    /// What happens when it is full.
    pub when_full: String,
    /// Why it exists, and why it has this size.
    pub why: String,
}

impl Link {
    /// Its name in the meters: `from > to`.
    pub fn name(&self) -> String {
        format!("{} > {}", self.from.name(), self.to.name())
    }
}

/// What determines the table.
pub(super) struct Shape<'a> {
    pub(super) groups: &'a [GroupPlan],
    /// Slots of a ring between two groups.
    pub(super) capacity: usize,
    /// Whether orders leave the pipeline.
    pub(super) trades: bool,
    /// Names of the venues behind gateways, and slots of a ring of routes.
    pub(super) routes: (Vec<&'a str>, usize),
}

/// All rings and channels between the threads of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Wiring(Vec<Link>);

impl Wiring {
    /// The table for a pipeline of this shape.
    pub(super) fn of(shape: &Shape<'_>) -> Wiring {
        let (first, last) = (&shape.groups[0].name, &shape.groups[shape.groups.len() - 1].name);
        let (head, tail) = (|| End::part(first, "ingress"), || End::part(last, "tail"));
        let mut links: Vec<Link> = shape.groups.windows(2).map(|pair| cut(pair, shape.capacity)).collect();
        if shape.trades {
            links.push(Link {
                carries: Carries::Returns,
                from: tail(),
                to: head(),
                slots: Some(BACK),
                when_full: "the tail waits; the head takes from it whenever it waits itself".to_owned(),
                why: "refusals, and routes to the simulated venue, come back as inputs".to_owned(),
            });
        }
        let (venues, slots) = &shape.routes;
        for venue in venues {
            let gateway = || End::whole(&format!("gateway {venue}"));
            links.push(Link {
                carries: Carries::Routes,
                from: tail(),
                to: gateway(),
                slots: Some(*slots),
                when_full: "cannot happen: it holds more routes than `orders` allows in flight".to_owned(),
                why: format!("the venue {venue} is slow, so its thread is off the pipeline"),
            });
            links.push(Link {
                carries: Carries::Answers,
                from: gateway(),
                to: head(),
                slots: Some(BACK),
                when_full: "the gateway keeps them until there is room, and reads the venue no further".to_owned(),
                why: "routes sent and the venue's answers are inputs".to_owned(),
            });
        }
        links.push(Link {
            carries: Carries::Commands,
            from: End::whole("control"),
            to: head(),
            slots: None,
            when_full: "it grows; commands come from a person or a script, not at market rate".to_owned(),
            why: "commands are inputs; only `tidegate run` takes them".to_owned(),
        });
        links.push(Link {
            carries: Carries::Origins,
            from: head(),
            to: tail(),
            slots: None,
            when_full: "it grows to what the pipeline holds, since the tail reads it for rows".to_owned(),
            why: "a row shows file and record; used only while rows are printed".to_owned(),
        });
        Wiring(links)
    }

    /// Every row.
    pub fn links(&self) -> &[Link] {
        &self.0
    }

    /// The ring out of the group with this number; `None` for the last group.
    pub fn out_of(&self, group: usize) -> Option<&Link> {
        self.0.iter().filter(|l| l.carries == Carries::Events).nth(group)
    }

    /// The links that carry `what`: of routes and answers one a gateway, in the order of their numbers.
    pub fn carrying(&self, what: Carries) -> impl Iterator<Item = &Link> {
        self.0.iter().filter(move |l| l.carries == what)
    }
}

fn cut(pair: &[GroupPlan], capacity: usize) -> Link {
    let [before, after] = pair else { unreachable!("windows of two") };
    Link {
        carries: Carries::Events,
        from: End::whole(&before.name),
        to: End::whole(&after.name),
        slots: Some(capacity),
        when_full: format!("{} waits, and so do the groups before it; nothing is dropped", before.name),
        why: format!("the cut before {}", after.members.first().expect("a group has a part")),
    }
}
