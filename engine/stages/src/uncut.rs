//! The uncut pipeline: from names to its stages, in their order.
//!
//! A name is that of a stage, a measure, a strategy, or an instance of one. The measures of one family make one stage, and so
//! do the instances of one strategy; every stage has the position that its entry, or its family, holds for ever, so the ids
//! of events do not depend on what else runs.

use crate::Space;
use crate::book::{BookStage, Weighing};
use crate::instances::{Instanced, Instances};
use crate::measures::{Family, Host, MEASURES, Many, MeasureEntry};
use crate::registry::{BOOK, STAGES, StageEntry};
use crate::strategies::{STRATEGIES, Setup, Several, StrategyEntry};
use flow::{ParamError, Params, Registered, Stage, StrategyId};

/// Every entry that `stages` of a configuration can name.
pub fn entries() -> impl Iterator<Item = &'static dyn Registered> {
    let stages = STAGES.iter().map(|entry| entry as &dyn Registered);
    let measures = MEASURES.iter().map(|entry| entry as &dyn Registered);
    stages.chain(measures).chain(STRATEGIES.iter().map(|entry| entry as &dyn Registered))
}

/// What runs under a name: an entry's own name, or that of an instance.
pub struct Running<E: 'static> {
    /// The name.
    pub name: String,
    /// Its entry.
    pub entry: &'static E,
    /// Its number; 0 for a measure's own name.
    pub number: u16,
}

/// A stage of the uncut pipeline, not yet built.
pub enum Part {
    /// One with an entry of its own.
    Stage(&'static StageEntry),
    /// The book with the measures that run, some of which want it to tell them what its depth comes to.
    Book(&'static StageEntry, Vec<Running<MeasureEntry>>),
    /// A strategy with those of its instances that run, at least one, in the order of their numbers.
    Strategy(&'static StrategyEntry, Vec<Running<StrategyEntry>>),
    /// A family with those of its measures that run, at least one.
    Measures(Family, Vec<Running<MeasureEntry>>),
}

impl Part {
    /// Its fixed position.
    pub fn position(&self) -> u8 {
        match self {
            Part::Stage(entry) | Part::Book(entry, _) => entry.position,
            Part::Strategy(entry, _) => entry.position(),
            Part::Measures(family, _) => family.position(),
        }
    }

    /// The names in it.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Part::Stage(entry) | Part::Book(entry, _) => vec![entry.name],
            Part::Strategy(_, instances) => instances.iter().map(|one| one.name.as_str()).collect(),
            Part::Measures(_, measures) => measures.iter().map(|one| one.name.as_str()).collect(),
        }
    }

    /// The strategy in it, as the first of its instances runs.
    pub fn strategy(&self) -> Option<&Running<StrategyEntry>> {
        match self {
            Part::Strategy(_, instances) => instances.first(),
            _ => None,
        }
    }

    /// Builds it; `params` has the parameters of every name that runs, and `beside` are the instances of the pipeline.
    ///
    /// # Errors
    /// What the stage, or each of the instances, does not accept.
    pub fn build<'a>(
        &self,
        params: impl Fn(&str) -> &'a Params,
        beside: &Instances,
        space: Space,
    ) -> Result<Box<dyn Stage>, Vec<ParamError>> {
        match self {
            Part::Stage(entry) => (entry.build)(params(entry.name), space).map_err(|e| vec![e]),
            Part::Book(entry, measures) => {
                let asked = weighings(measures, &params).map_err(|fault| vec![fault])?;
                let says_orders = measures.iter().any(|one| one.entry.build.asks_orders);
                let says_levels = measures.iter().any(|one| one.entry.build.asks_levels);
                let book = BookStage::new(params(entry.name), space).weighing(&asked);
                Ok(Box::new(book.saying_orders(says_orders).saying_levels(says_levels)))
            }
            Part::Strategy(entry, instances) if instances.len() > Several::MOST => {
                let (most, found) = (Several::MOST, format!("{} instances of {}", instances.len(), entry.name));
                let valid = format!("valid: at most {most} instances of a strategy in pipeline.stages");
                Err(vec![ParamError { key: "pipeline.stages".to_owned(), found, valid }])
            }
            Part::Strategy(entry, instances) => {
                let mut built = all_built(instances, |one| {
                    let measures = beside.of(Instanced::Measures);
                    let setup = Setup { number: StrategyId(one.number), measures, space };
                    (entry.build)(params(&one.name), setup).map_err(|fault| of_instance(fault, entry.name, &one.name))
                })?;
                match built.len() {
                    1 => Ok(built.remove(0)),
                    _ => Ok(Box::new(Several::new(built))),
                }
            }
            Part::Measures(_, measures) => match measures.as_slice() {
                [one] if one.number == 0 => (one.entry.build.alone)(params(&one.name), space)
                    .map_err(|fault| vec![of_instance(fault, one.entry.name, &one.name)]),
                several => {
                    let built = all_built(several, |one| {
                        (one.entry.build.among)(params(&one.name), one.number as u8, space)
                            .map_err(|fault| of_instance(fault, one.entry.name, &one.name))
                    })?;
                    Ok(Box::new(Host::new(Many::new(built), space)))
                }
            },
        }
    }
}

/// The different weighings that measures want the book to tell, in their order.
fn weighings<'a>(
    measures: &[Running<MeasureEntry>],
    params: impl Fn(&str) -> &'a Params,
) -> Result<Vec<Weighing>, ParamError> {
    let mut asked: Vec<Weighing> = Vec::new();
    for weighing in measures.iter().filter_map(|one| (one.entry.build.weighing)(params(&one.name))) {
        if !asked.contains(&weighing) {
            asked.push(weighing);
        }
    }
    if asked.len() <= Weighing::MOST {
        return Ok(asked);
    }
    let (most, found) = (Weighing::MOST, format!("measures of {} different depths", asked.len()));
    let valid =
        format!("valid: at most {most}; let some have the same levels, weighting and lambda, or leave some out");
    Err(ParamError { key: "pipeline.stages".to_owned(), found, valid })
}

/// All of them, or every fault.
fn all_built<E, B>(
    running: &[Running<E>],
    build: impl Fn(&Running<E>) -> Result<B, ParamError>,
) -> Result<Vec<B>, Vec<ParamError>> {
    let (mut built, mut faults) = (Vec::new(), Vec::new());
    for one in running {
        match build(one) {
            Ok(one) => built.push(one),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(built) } else { Err(faults) }
}

/// A fault in a parameter of an entry, as one of the instance of that name.
fn of_instance(fault: ParamError, entry: &str, name: &str) -> ParamError {
    let key = fault.key.strip_prefix(entry).map(|rest| format!("{name}{rest}"));
    ParamError { key: key.unwrap_or(fault.key), ..fault }
}

/// The stages that the enabled names make, in the order of the pipeline, without instances.
pub fn uncut(enabled: impl Fn(&str) -> bool) -> Vec<Part> {
    Instances::default().uncut(enabled)
}

impl Instances {
    /// Whether what runs under that name acts at pulses, so that a pipeline with it has the stage `pulse` too.
    pub fn acts_at_pulses(&self, name: &str) -> bool {
        self.strategy_names().any(|strategy| strategy == name)
    }

    /// Whether what runs under that name follows fills, so that a pipeline with it has the stage `portfolio` too.
    pub fn follows_fills(&self, name: &str) -> bool {
        matches!(name, "orders" | "risk") || self.acts_at_pulses(name)
    }

    /// The stages that the enabled names make, in the order of the pipeline.
    pub fn uncut(&self, enabled: impl Fn(&str) -> bool) -> Vec<Part> {
        let measures = |of: Option<Family>| {
            let own = MEASURES.iter().filter(|m| of.is_none_or(|family| m.family == family));
            own.flat_map(|entry| self.running(Instanced::Measures, entry, 0, &enabled)).collect()
        };
        let stages = STAGES.iter().filter(|entry| enabled(entry.name)).map(|entry| match entry.name {
            BOOK => Part::Book(entry, measures(None)),
            _ => Part::Stage(entry),
        });
        let strategies = STRATEGIES.iter().map(|entry| {
            let running = self.running(Instanced::Strategies, entry, entry.number.0, &enabled);
            Part::Strategy(entry, running.collect())
        });
        let families = Family::ALL.into_iter().map(|family| Part::Measures(family, measures(Some(family))));
        let mut parts: Vec<Part> =
            stages.chain(strategies).chain(families).filter(|part| !part.names().is_empty()).collect();
        parts.sort_by_key(Part::position);
        parts
    }

    /// What runs of an entry: the plain instance, then the others by number.
    fn running<'a, E: Registered>(
        &'a self,
        registry: Instanced,
        entry: &'static E,
        number: u16,
        enabled: &'a impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = Running<E>> {
        let own = std::iter::once((entry.name(), number));
        let others = self.of(registry).iter().filter(move |instance| instance.uses == entry.name());
        let others = others.map(|instance| (instance.name.as_str(), instance.number));
        own.chain(others).filter(move |(name, _)| enabled(name)).map(move |(name, number)| Running {
            name: name.to_owned(),
            entry,
            number,
        })
    }
}
