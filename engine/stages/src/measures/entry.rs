//! An entry of the registry of measures, and the families that they run in.

use super::{Host, Measure, MeasureSet, One};
use crate::Space;
use flow::{Field, Kind, Kinds, Param, ParamError, Params, RecordGroup, Stage};

/// Measures that one stage runs. A cut of the pipeline lies between families, never inside one, so the ids of events do
/// not depend on cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// What trades do.
    Flow,
    /// What waits in the book.
    Book,
    /// How dangerous it is to trade.
    Toxicity,
}

impl Family {
    /// Every family, in the order of the pipeline.
    pub const ALL: [Family; 3] = [Family::Flow, Family::Book, Family::Toxicity];

    /// The fixed position of its stage in the ids of events: see [`crate::STAGES`].
    pub const fn position(self) -> u8 {
        match self {
            Family::Flow => 32,
            Family::Book => 36,
            Family::Toxicity => 40,
        }
    }
}

/// How a measure is built and what it emits.
pub struct Build {
    /// Kinds that it emits.
    pub emits: &'static [Kind],
    /// As the only one of its family that runs.
    pub alone: fn(&Params, Space) -> Result<Box<dyn Stage>, ParamError>,
    /// As one of several.
    pub among: fn(&Params, Space) -> Result<Box<dyn MeasureSet>, ParamError>,
}

impl Build {
    /// Of a measure.
    pub const fn of<M: Measure>() -> Build {
        Build {
            emits: M::Records::KINDS,
            alone: |params, space| Ok(Box::new(Host::<One<M>>::alone(params, space)?)),
            among: |params, space| Ok(Box::new(One::<M>::new(params, space)?)),
        }
    }
}

/// An entry of the registry.
pub struct MeasureEntry {
    /// Name in configurations and on the command line.
    pub name: &'static str,
    /// Page of documentation.
    pub doc: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What can be set.
    pub params: &'static [Param],
    /// Which stage runs it.
    pub family: Family,
    /// Fields of what it emits that a summary shows, last values by instrument.
    pub summary: &'static [&'static str],
    /// How it is built.
    pub build: Build,
}

flow::registered!(MeasureEntry);

impl MeasureEntry {
    /// The fields that a summary shows, each with its kind: the first kind that has a field of that name.
    pub fn summary_fields(&self) -> impl Iterator<Item = (Kind, &'static Field)> {
        let kinds = || self.build.emits.iter().filter_map(|kind| flow::kind_info(*kind));
        let find = move |name: &&str| {
            kinds().find_map(|kind| Some((kind.kind, kind.fields.iter().find(|f| f.name == *name)?)))
        };
        self.summary.iter().filter_map(find)
    }

    /// The kinds that a summary reads.
    pub fn summary_kinds(&self) -> Kinds {
        self.summary_fields().fold(Kinds::NONE, |all, (kind, _)| all.or(Kinds::of(&[kind])))
    }
}
