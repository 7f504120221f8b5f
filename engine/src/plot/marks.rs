//! What happened, as marks: every one is a row as `--emit` prints it, without what is absent and without what all rows of the page share.

use super::MOST_MARKS;
use crate::rows::{Cell, RowKind, row, row_kind};
use flow::{Event, Kinds, Listings, follower_of};
use serde_json::{Map, Value};
use stages::Instances;

/// The kinds of marks.
const KINDS: [&str; 10] = [
    "breakout",
    "leg",
    "leg-node",
    "pullback",
    "lvn-alert",
    "state-alert",
    "flow-alert",
    "status",
    "gap",
    "data-state",
];
/// Columns that are the same in every row, or say where an input came from.
const LEFT_OUT: [&str; 6] = ["seq", "exchange_ts_ns", "symbol", "input", "record", "instance"];

/// The marks so far.
pub(super) struct Marks {
    kinds: Vec<RowKind>,
    reads: Kinds,
    /// The first event of a row whose follower has not come, with the place of its kind.
    waiting: Option<(usize, Event)>,
    /// The marks, in their order.
    pub(super) marks: Vec<Map<String, Value>>,
    /// How many more there were.
    pub(super) left_out: u64,
}

impl Marks {
    /// No marks yet.
    pub(super) fn new() -> Marks {
        let kinds: Vec<_> = KINDS.iter().map(|name| row_kind(name).expect("a kind of rows")).collect();
        let reads = kinds.iter().fold(Kinds::NONE, |all, kind| all.or(kind.reads));
        Marks { kinds, reads, waiting: None, marks: Vec::new(), left_out: 0 }
    }

    /// What is read.
    pub(super) fn reads(&self) -> Kinds {
        self.reads
    }

    /// Takes an event that is a mark, or a part of one.
    pub(super) fn take(&mut self, event: &Event, listings: &Listings) {
        let follows = |first: &Event| follower_of(first.kind).is_some_and(|follower| follower.kind == event.kind);
        if let Some((at, first)) = self.waiting.take().filter(|(_, first)| follows(first)) {
            self.mark(at, &[first, *event], listings);
        } else if let Some(at) = self.kinds.iter().position(|kind| kind.is_first(event.kind)) {
            match follower_of(event.kind) {
                Some(_) => self.waiting = Some((at, *event)),
                None => self.mark(at, &[*event], listings),
            }
        }
    }

    fn mark(&mut self, at: usize, events: &[Event], listings: &Listings) {
        let Some(cells) = row(&self.kinds[at], events, listings, &Instances::default()) else { return };
        if self.marks.len() == MOST_MARKS {
            self.left_out += 1;
            return;
        }
        let shown = cells.into_iter().filter(|(name, cell)| *cell != Cell::Null && !LEFT_OUT.contains(name));
        let values = shown.map(|(name, cell)| (name.to_owned(), serde_json::to_value(cell).unwrap_or_default()));
        self.marks.push(values.filter(|(_, value)| !value.is_null()).collect());
    }
}
