//! Which rings and channels join the threads of a pipeline: one table.
//!
//! Every row says who publishes, who takes, how many slots there are, what happens when they are full, and why. The threads
//! are built from these rows, the meters take their names from them, and `tidegate graph` prints them. Between two threads
//! there is nothing else. Bound: a row a cut, three for the way to a venue and back, two for operators and rows.

use super::parts::GroupPlan;
use serde::Serialize;

/// Slots of the rings that lead back to the head, which takes from them whenever it waits: small ones are enough.
const BACK: usize = 4_096;

/// What a link carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carries {
    /// Events that a later group reads, from one group to the next.
    Events,
    /// Routes and refusals, from the tail back to the head.
    Returns,
    /// Routes, from the tail to the gateway.
    Routes,
    /// What was sent and what the venue answered, from the gateway to the head.
    Answers,
    /// Commands of operators.
    Commands,
    /// File and record of each input, for rows.
    Origins,
}

/// One end of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct End {
    /// Thread: a group, `gateway`, or `control`.
    pub thread: String,
    /// Part of a group's thread, where not all of it is meant.
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

    /// The part, or the thread if all of it is meant.
    pub fn name(&self) -> &str {
        self.part.unwrap_or(&self.thread)
    }
}

/// A ring or a channel between two threads: one row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// What it carries.
    pub carries: Carries,
    /// Who publishes.
    pub from: End,
    /// Who takes.
    pub to: End,
    /// Slots of a ring; a channel has none and grows.
    pub slots: Option<usize>,
    /// What happens when it is full.
    pub when_full: String,
    /// Why it is there, and why it is of this size.
    pub why: String,
}

impl Link {
    /// The name under which the meters show it.
    pub fn name(&self) -> String {
        format!("{} > {}", self.from.name(), self.to.name())
    }
}

/// What the table follows from.
pub(super) struct Shape<'a> {
    pub(super) groups: &'a [GroupPlan],
    /// Slots of a ring between two groups.
    pub(super) capacity: usize,
    /// Whether orders leave the pipeline.
    pub(super) trades: bool,
    /// Name and slots of the ring of routes, where a gateway takes them.
    pub(super) gateway: Option<(&'static str, usize)>,
}

/// All rings and channels between the threads of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Wiring(Vec<Link>);

impl Wiring {
    /// The table of such a pipeline.
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
                when_full: "the tail waits; the head takes from it in each of its own waits".to_owned(),
                why: "refusals, and routes to the simulated venue, enter again as inputs".to_owned(),
            });
        }
        if let Some((venue, slots)) = shape.gateway {
            links.push(Link {
                carries: Carries::Routes,
                from: tail(),
                to: End::whole("gateway"),
                slots: Some(slots),
                when_full: "it cannot fill: it is larger than what `orders` lets be on the way".to_owned(),
                why: format!("the venue {venue} is slow and its thread is not one of the pipeline"),
            });
            links.push(Link {
                carries: Carries::Answers,
                from: End::whole("gateway"),
                to: head(),
                slots: Some(BACK),
                when_full: "the gateway sleeps until there is room".to_owned(),
                why: "what was sent, and what the venue answers, are inputs".to_owned(),
            });
        }
        links.push(Link {
            carries: Carries::Commands,
            from: End::whole("control"),
            to: head(),
            slots: None,
            when_full: "it grows: a person or a script commands, not the market".to_owned(),
            why: "commands are inputs; only `tidegate run` takes them".to_owned(),
        });
        links.push(Link {
            carries: Carries::Origins,
            from: head(),
            to: tail(),
            slots: None,
            when_full: "it grows by what the pipeline holds, since rows take with the tail".to_owned(),
            why: "a row names file and record; only while rows are printed".to_owned(),
        });
        Wiring(links)
    }

    /// Every row.
    pub fn links(&self) -> &[Link] {
        &self.0
    }

    /// The ring that leads out of a group, by its number; none out of the last.
    pub fn out_of(&self, group: usize) -> Option<&Link> {
        self.0.iter().filter(|l| l.carries == Carries::Events).nth(group)
    }

    /// The one link that carries this; none where the pipeline has none.
    pub fn carrying(&self, what: Carries) -> Option<&Link> {
        self.0.iter().find(|l| l.carries == what)
    }
}

fn cut(pair: &[GroupPlan], capacity: usize) -> Link {
    let [before, after] = pair else { unreachable!("windows of two") };
    Link {
        carries: Carries::Events,
        from: End::whole(&before.name),
        to: End::whole(&after.name),
        slots: Some(capacity),
        when_full: format!("{} waits, and so does what is before it; nothing is dropped", before.name),
        why: format!("the cut before {}", after.members.first().expect("a group has a part")),
    }
}
