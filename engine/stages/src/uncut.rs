//! The uncut pipeline: from names to its stages, in their order.
//!
//! A name is that of a stage, a measure or a strategy. The measures of one family make one stage; every stage has the position
//! that its entry, or its family, holds for ever, so the ids of events do not depend on what else runs.

use crate::Space;
use crate::measures::{Family, Host, MEASURES, Many, MeasureEntry};
use crate::registry::{STAGES, StageEntry};
use crate::strategies::{STRATEGIES, StrategyEntry};
use flow::{ParamError, Params, Registered, Stage};

/// Every entry that `stages` of a configuration can name.
pub fn entries() -> impl Iterator<Item = &'static dyn Registered> {
    let stages = STAGES.iter().map(|entry| entry as &dyn Registered);
    let measures = MEASURES.iter().map(|entry| entry as &dyn Registered);
    stages.chain(measures).chain(STRATEGIES.iter().map(|entry| entry as &dyn Registered))
}

/// Whether the stage of that name acts at pulses, so that a pipeline with it has the stage `pulse` too.
pub fn acts_at_pulses(name: &str) -> bool {
    STRATEGIES.iter().any(|entry| entry.name == name)
}

/// A stage of the uncut pipeline, not yet built.
pub enum Part {
    /// One with an entry of its own.
    Stage(&'static StageEntry),
    /// A strategy.
    Strategy(&'static StrategyEntry),
    /// A family with those of its measures that run, at least one.
    Measures(Family, Vec<&'static MeasureEntry>),
}

impl Part {
    /// Its fixed position.
    pub fn position(&self) -> u8 {
        match self {
            Part::Stage(entry) => entry.position,
            Part::Strategy(entry) => entry.position(),
            Part::Measures(family, _) => family.position(),
        }
    }

    /// The names in it.
    pub fn names(&self) -> Vec<&'static str> {
        match self {
            Part::Stage(entry) => vec![entry.name],
            Part::Strategy(entry) => vec![entry.name],
            Part::Measures(_, measures) => measures.iter().map(|m| m.name).collect(),
        }
    }

    /// Builds it; `params` has the parameters of a name.
    ///
    /// # Errors
    /// What the stage, or each of the measures, does not accept.
    pub fn build<'a>(
        &self,
        params: impl Fn(&'static str) -> &'a Params,
        space: Space,
    ) -> Result<Box<dyn Stage>, Vec<ParamError>> {
        match self {
            Part::Stage(entry) => (entry.build)(params(entry.name), space).map_err(|e| vec![e]),
            Part::Strategy(entry) => (entry.build)(params(entry.name), space).map_err(|e| vec![e]),
            Part::Measures(_, measures) => match measures.as_slice() {
                [one] => (one.build.alone)(params(one.name), space).map_err(|e| vec![e]),
                several => {
                    let (mut built, mut faults) = (Vec::new(), Vec::new());
                    for measure in several {
                        match (measure.build.among)(params(measure.name), space) {
                            Ok(one) => built.push(one),
                            Err(fault) => faults.push(fault),
                        }
                    }
                    if faults.is_empty() { Ok(Box::new(Host::new(Many::new(built), space))) } else { Err(faults) }
                }
            },
        }
    }
}

/// The stages that the enabled names make, in the order of the pipeline.
pub fn uncut(enabled: impl Fn(&str) -> bool) -> Vec<Part> {
    let stages = STAGES.iter().filter(|entry| enabled(entry.name)).map(Part::Stage);
    let strategies = STRATEGIES.iter().filter(|entry| enabled(entry.name)).map(Part::Strategy);
    let families = Family::ALL.into_iter().map(|family| {
        let own = MEASURES.iter().filter(|m| m.family == family && enabled(m.name));
        Part::Measures(family, own.collect())
    });
    let mut parts: Vec<Part> =
        stages.chain(strategies).chain(families).filter(|part| !part.names().is_empty()).collect();
    parts.sort_by_key(Part::position);
    parts
}
