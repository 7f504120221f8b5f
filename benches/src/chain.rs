//! The stages of a pipeline one after the other, each of which notes what it was given.
//!
//! What stages tell each other is in no log, so a day that a sink keeps lacks it. Here the inputs of a day go through the stages
//! themselves, by hand and in the order of a pipeline: every event passes the stages that read it, and then what the last of them
//! emitted goes first. Bound: a copy of every event for each stage that reads it, in memory.

use crate::alone::{SPACE, defaults};
use flow::{Event, Kinds, Out, Params, Stage};
use stages::{Instances, Part};
use std::collections::BTreeMap;

/// A stage, and what it was given.
pub struct Link {
    /// What is in it.
    pub part: Part,
    /// The events, in the order in which they came.
    pub given: Vec<Event>,
    stage: Box<dyn Stage>,
    reads: Kinds,
    out: Out,
}

/// The stages that have these names, fed with the inputs among `events`.
///
/// # Panics
/// When one of them has no entry.
pub fn fed(names: &[&str], events: &[Event]) -> Vec<Link> {
    let params: BTreeMap<&str, Params> = names.iter().map(|name| (*name, defaults(name))).collect();
    let link = |part: Part| {
        let stage = part.build(|name| &params[name], &Instances::PLAIN, SPACE).expect("defaults are valid");
        let out = Out::new(part.position(), Kinds::ALL.or(Kinds::INSIDE));
        Link { reads: stage.reads(), part, given: Vec::new(), stage, out }
    };
    let mut links: Vec<Link> = stages::uncut(|name| names.contains(&name)).into_iter().map(link).collect();
    events.iter().filter(|event| event.id.position() == 0).for_each(|input| deliver(&mut links, input));
    links
}

/// A stage of these again, as it was before the first event.
pub fn again(part: &Part) -> Box<dyn Stage> {
    let params: BTreeMap<&str, Params> = part.names().iter().map(|name| (*name, defaults(name))).collect();
    part.build(|name| &params[name], &Instances::PLAIN, SPACE).expect("defaults are valid")
}

fn deliver(links: &mut [Link], event: &Event) {
    let mut emitters = 0_u64;
    for (at, link) in links.iter_mut().enumerate().filter(|(_, link)| link.reads.has(event.kind)) {
        link.given.push(*event);
        link.out.begin(event);
        link.stage.on_event(event, &mut link.out);
        emitters |= u64::from(!link.out.events().is_empty()) << at;
    }
    while emitters != 0 {
        let at = emitters.ilog2() as usize;
        emitters ^= 1 << at;
        let (passed, rest) = links.split_at_mut(at + 1);
        passed[at].out.events().iter().for_each(|caused| deliver(rest, caused));
    }
}
