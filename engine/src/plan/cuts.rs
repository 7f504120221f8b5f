//! Where the pipeline is cut, and the groups that result.
//!
//! A cut changes speed and never results, so any place is valid. A group forwards what the stages after it and the tail
//! read.

use super::parts::{GroupPlan, Planned, TAIL};
use crate::config::keys::{self, Preset};
use crate::config::{Fault, Settings, one_of};
use flow::Kinds;
use stages::Part;

/// The cuts, each as the index of the stage after it; the number of stages means the cut before the tail. The name of a
/// measure selects its family.
pub(super) fn cuts(settings: &Settings, parts: &[Part], faults: &mut Vec<Fault>) -> Vec<usize> {
    let named = settings.pipeline.get(keys::CUTS);
    match settings.pipeline.get(keys::PRESET) {
        Preset::Fused => Vec::new(),
        // `pulse` does next to nothing, so it stays with the stage after it.
        Preset::Split => (1..parts.len()).filter(|at| parts[at - 1].names() != ["pulse"]).collect(),
        Preset::Cuts => {
            let index = |name: &String| match name.as_str() {
                TAIL => Some(parts.len()),
                name => parts.iter().position(|part| part.names().contains(&name)),
            };
            for name in named.iter().filter(|n| index(n).is_none()) {
                let places = parts.iter().flat_map(Part::names).chain([TAIL]);
                faults.push(Fault::of_settings("pipeline.cuts", name, &one_of(name, places)));
            }
            let mut cuts: Vec<_> = named.iter().filter_map(index).collect();
            cuts.sort_unstable();
            cuts.dedup();
            cuts
        }
    }
}

pub(super) fn cores(settings: &Settings, groups: usize, faults: &mut Vec<Fault>) -> Vec<usize> {
    let list = settings.pipeline.get(keys::CORES);
    let cores: Vec<usize> = list.iter().filter_map(|c| c.parse().ok()).collect();
    if cores.len() != list.len() || !(cores.is_empty() || cores.len() == groups) {
        let valid = format!("valid: {groups} core numbers, one per group, or an empty list");
        faults.push(Fault::of_settings("pipeline.cores", &list.join(","), &valid));
    }
    let known = if cores.is_empty() { Vec::new() } else { ring::thread::cores() };
    for core in cores.iter().filter(|core| !known.contains(core)) {
        let known: Vec<_> = known.iter().map(ToString::to_string).collect();
        let valid = format!("valid: the cores of this machine: {}", known.join(", "));
        faults.push(Fault::of_settings("pipeline.cores", &core.to_string(), &valid));
    }
    cores
}

pub(super) fn groups(stages: &[Planned], cuts: &[usize], cores: &[usize], tail: Kinds) -> Vec<GroupPlan> {
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([stages.len()]);
    let last = cuts.len();
    let group = |(i, (start, end)): (usize, (usize, usize))| {
        let names = stages[start..end].iter().map(|s| s.name.as_str());
        let head = (i == 0).then_some("ingress");
        let end_name = (i == last).then_some(TAIL);
        let members = head.into_iter().chain(names).chain(end_name).map(str::to_owned).collect();
        let forwards = stages[end..].iter().fold(tail, |kinds, s| kinds.or(s.stage.reads()));
        GroupPlan { name: format!("core{i}"), members, stages: start..end, forwards, core: cores.get(i).copied() }
    };
    starts.zip(ends).enumerate().map(group).collect()
}
