//! Registry entries of measures, and the families in which they run.

use super::named::Named;
use super::{Host, Measure, MeasureSet, One};
use crate::Space;
use crate::book::Weighing;
use flow::{Field, Kind, Kinds, Param, ParamError, Params, RecordGroup, Scope, Stage};

/// Measures that run in one stage. The pipeline is cut between families, never inside one, so event ids do not depend on
/// cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Flow: what trades and orders do.
    Flow,
    /// Book: what rests in the book.
    Book,
    /// Toxicity: how dangerous it is to trade.
    Toxicity,
    /// Blend: what several of those before come to together.
    Blend,
    /// Profile: what was traded at which price.
    Profile,
    /// State: whether the market is in balance, and where it has broken out.
    State,
    /// Legs: the way of price from one turn to the next.
    Legs,
    /// Alerts: what a trader wants to see at once.
    Alerts,
    /// Indicators: what the usual formulas make of bars and trades.
    Indicators,
    /// Pairs: how two instruments move together.
    Pairs,
}

impl Family {
    /// Every family, in pipeline order.
    pub const ALL: [Family; 10] = [
        Family::Flow,
        Family::Book,
        Family::Toxicity,
        Family::Blend,
        Family::Profile,
        Family::State,
        Family::Legs,
        Family::Alerts,
        Family::Indicators,
        Family::Pairs,
    ];

    /// The fixed position of its stage in event ids; see [`crate::STAGES`].
    pub const fn position(self) -> u8 {
        match self {
            Family::Flow => 32,
            Family::Book => 36,
            Family::Toxicity => 40,
            Family::Blend => 42,
            Family::Profile => 44,
            Family::State => 48,
            Family::Legs => 52,
            Family::Alerts => 56,
            Family::Indicators => 60,
            Family::Pairs => 64,
        }
    }
}

/// Builds the stage of a family with one measure.
type BuildStage = fn(&Params, Space) -> Result<Box<dyn Stage>, ParamError>;
/// Builds a measure for a stage that hosts several.
type BuildMeasure = fn(&Params, u8, Space) -> Result<Box<dyn MeasureSet>, ParamError>;

/// How a measure is built, and what it emits.
pub struct Build {
    /// Kinds that it emits.
    pub emits: &'static [Kind],
    /// Kinds without which it knows nothing, as [`Measure::WANTS`] has them.
    pub wants: &'static [&'static [Kind]],
    /// Whether what it says of an instrument depends on others.
    pub scope: Scope,
    /// The depth that it wants the book to tell.
    pub weighing: fn(&Params) -> Option<Weighing>,
    /// Whether it wants the book to say of every order that it shows where it stands.
    pub asks_orders: bool,
    /// Whether it wants the best levels with each of those.
    pub asks_levels: bool,
    /// Builds it as the only running measure of its family.
    pub alone: BuildStage,
    /// Builds it as one of several; with a number that is not 0, as an instance that says so in all that it emits.
    pub among: BuildMeasure,
}

impl Build {
    /// The builders of a measure.
    pub const fn of<M: Measure>() -> Build {
        Build {
            emits: M::Records::KINDS,
            wants: M::WANTS,
            scope: M::SCOPE,
            weighing: M::weighing,
            asks_orders: M::ASKS_ORDERS,
            asks_levels: M::ASKS_LEVELS,
            alone: |params, space| Ok(Box::new(Host::<One<M>>::alone(params, space)?)),
            among: |params, number, space| {
                let one = One::<M>::new(params, number, space)?;
                Ok(if number == 0 { Box::new(one) } else { Box::new(Named::new(one, number)) })
            },
        }
    }
}

/// An entry of the registry.
pub struct MeasureEntry {
    /// Name in configurations and on the command line.
    pub name: &'static str,
    /// Page of documentation.
    pub doc: &'static str,
    /// Description, in one sentence.
    pub about: &'static str,
    /// Parameters.
    pub params: &'static [Param],
    /// The family whose stage runs it.
    pub family: Family,
    /// Fields of its kinds that a summary shows, with the last value for each instrument.
    pub summary: &'static [(Kind, &'static str)],
    /// Its builders.
    pub build: Build,
}

flow::registered!(MeasureEntry);

impl MeasureEntry {
    /// The fields that a summary shows, each with its kind.
    ///
    /// # Panics
    /// When a kind has no such field, which a test of the registry rules out.
    pub fn summary_fields(&self) -> impl Iterator<Item = (Kind, &'static Field)> {
        self.summary.iter().map(|(kind, name)| {
            let fields = flow::kind_info(*kind).map_or(&[][..], |info| info.fields);
            (*kind, fields.iter().find(|f| f.name == *name).expect("a kind has the fields that its entry names"))
        })
    }
}

/// The kinds that a summary reads of all these measures.
pub(super) const fn summary_kinds(entries: &[MeasureEntry]) -> Kinds {
    let (mut kinds, mut entry) = (Kinds::NONE, 0);
    while entry < entries.len() {
        let (fields, mut at) = (entries[entry].summary, 0);
        while at < fields.len() {
            kinds = kinds.or(Kinds::of(&[fields[at].0]));
            at += 1;
        }
        entry += 1;
    }
    kinds
}

/// The kinds that these measures emit.
pub(super) const fn emitted_kinds(entries: &[MeasureEntry]) -> Kinds {
    let (mut kinds, mut entry) = (Kinds::NONE, 0);
    while entry < entries.len() {
        kinds = kinds.or(Kinds::of(entries[entry].build.emits));
        entry += 1;
    }
    kinds
}
