//! What a story is made of.

use crate::provenance::deep::Deep;
use crate::rows::Cell;
use flow::{Event, EventId, Listings, Ns, OrderId};
use sinks::journal::LogKind;
use std::path::PathBuf;

/// What a step is to its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::provenance) enum Chapter {
    /// What had been measured last.
    Known,
    /// The same, from a repetition: the outcomes leave it out.
    Repeated,
    /// Signal, reasons, intent.
    Decision,
    /// Request, and the request for what replaces it.
    Request,
    /// Approved or refused.
    Check,
    /// On its way.
    Route,
    /// What the venue said.
    Answer,
    /// What that was to the positions.
    Position,
    /// What was asked to cancel or replace it, and what came of it on our side.
    Change,
}

impl Chapter {
    /// Its name in JSON.
    pub(in crate::provenance) const fn name(self) -> &'static str {
        match self {
            Chapter::Known => "known",
            Chapter::Repeated => "repeated",
            Chapter::Decision => "decision",
            Chapter::Request => "request",
            Chapter::Check => "check",
            Chapter::Route => "route",
            Chapter::Answer => "answer",
            Chapter::Position => "position",
            Chapter::Change => "change",
        }
    }
}

/// A row as an export prints it.
pub(in crate::provenance) type Row = Vec<(&'static str, Cell)>;

/// One recorded event, with those that share its row.
#[derive(Clone, Debug)]
pub(in crate::provenance) struct Step {
    pub(in crate::provenance) chapter: Chapter,
    /// Which journal of the run has it, from 0.
    pub(in crate::provenance) member: usize,
    pub(in crate::provenance) log: LogKind,
    pub(in crate::provenance) record: u64,
    pub(in crate::provenance) events: Vec<Event>,
    pub(in crate::provenance) row: Row,
    /// Of an outcome that another input caused than the order's: kind of that input.
    pub(in crate::provenance) because: Option<&'static str>,
}

impl Step {
    pub(in crate::provenance) fn event(&self) -> &Event {
        &self.events[0]
    }

    pub(in crate::provenance) fn id(&self) -> EventId {
        self.event().id
    }

    /// Name of its row.
    pub(in crate::provenance) fn kind(&self) -> &'static str {
        flow::kind_info(self.event().kind).map_or("unknown", |info| info.name)
    }

    /// The value of a column as text; empty if it is absent.
    pub(in crate::provenance) fn text(&self, column: &str) -> String {
        self.row.iter().find(|(name, _)| *name == column).map(|(_, cell)| cell.to_csv()).unwrap_or_default()
    }

    /// Where it stands among all events.
    pub(in crate::provenance) fn place(&self) -> (u64, bool, u64) {
        (self.id().seq(), self.log == LogKind::Outcomes, self.record)
    }
}

/// Where an input came from.
#[derive(Clone, Debug, Default)]
pub(in crate::provenance) struct Origin {
    /// Number of the source; 0 = the engine itself.
    pub(in crate::provenance) source: u8,
    /// What it is: the feed, the venue, the operator, the clock.
    pub(in crate::provenance) name: String,
    /// Its files as the configuration names them, and whether each is still there.
    pub(in crate::provenance) files: Vec<(PathBuf, bool)>,
    /// The input's number among those that this source has in this journal.
    pub(in crate::provenance) number: Option<u64>,
    /// What the source said last of its place: session, and sequence number of the message that follows.
    pub(in crate::provenance) cursor: Option<(u64, Option<u64>)>,
}

/// The input that an order follows from.
#[derive(Clone, Debug)]
pub(in crate::provenance) struct Cause {
    pub(in crate::provenance) event: Event,
    /// Absent for a kind without a row.
    pub(in crate::provenance) row: Option<Row>,
    pub(in crate::provenance) origin: Origin,
    /// Who asked for it, if it is a command.
    pub(in crate::provenance) actor: Option<String>,
}

/// What another order is to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::provenance) enum Relation {
    /// This one was to take its place.
    Replaces,
    /// It was to take the place of this one.
    ReplacedBy,
    /// A leg of the same group.
    Leg,
    /// This one reduces what a fill of it opened, and was asked for when that came.
    Parent,
    /// It reduces what a fill of this one opened, and was asked for when that came.
    Child,
}

impl Relation {
    /// Its name in JSON and for people.
    pub(in crate::provenance) const fn name(self) -> &'static str {
        match self {
            Relation::Replaces => "replaces",
            Relation::ReplacedBy => "replaced-by",
            Relation::Leg => "leg",
            Relation::Parent => "parent",
            Relation::Child => "child",
        }
    }
}

/// Another order.
#[derive(Clone, Debug)]
pub(in crate::provenance) struct Relative {
    pub(in crate::provenance) relation: Relation,
    pub(in crate::provenance) order: OrderId,
    /// The input at which it was asked for.
    pub(in crate::provenance) seq: Option<u64>,
    /// Its terms and what became of it.
    pub(in crate::provenance) terms: String,
    pub(in crate::provenance) state: String,
}

/// What became of an order, as far as the journal goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::provenance) struct Outcome {
    /// In one word.
    pub(in crate::provenance) state: &'static str,
    /// In a few words.
    pub(in crate::provenance) words: String,
    /// Filled, less what was busted; in the instrument's smallest unit.
    pub(in crate::provenance) filled: u64,
}

/// All of an order.
#[derive(Clone, Debug)]
pub(in crate::provenance) struct Story {
    pub(in crate::provenance) order: OrderId,
    pub(in crate::provenance) name: String,
    /// Symbol, if it was listed.
    pub(in crate::provenance) symbol: Option<String>,
    pub(in crate::provenance) terms: String,
    pub(in crate::provenance) outcome: Outcome,
    /// The journal in which it begins, and its number in the run.
    pub(in crate::provenance) journal: (PathBuf, u64),
    pub(in crate::provenance) cause: Option<Cause>,
    /// What had been measured, in the order of the kinds.
    pub(in crate::provenance) known: Vec<Step>,
    /// What was recorded of it, in the order of events.
    pub(in crate::provenance) steps: Vec<Step>,
    pub(in crate::provenance) relatives: Vec<Relative>,
    /// What the journal does not hold, in words.
    pub(in crate::provenance) missing: Vec<String>,
    pub(in crate::provenance) listings: Listings,
    /// What a repetition added.
    pub(in crate::provenance) deep: Option<Deep>,
}

impl Story {
    /// When the input came that it follows from; without one, its first step.
    pub(in crate::provenance) fn began(&self) -> Ns {
        let first = || self.steps.first().map(|step| step.event().ts);
        self.cause.as_ref().map(|cause| cause.event.ts).or_else(first).unwrap_or(Ns(0))
    }
}
