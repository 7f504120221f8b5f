//! The names of the operators whose commands a journal holds.
//!
//! A command that a new journal repeats names the operator who gave it, so the pieces of the name come before it there too.
//! Bound: the pieces of one name an operator.

use flow::records::Name;
use flow::{Event, NameSpace};
use std::collections::BTreeMap;

/// The pieces of the operators' names, by handle.
#[derive(Default)]
pub(super) struct Actors(BTreeMap<u32, Vec<Event>>);

impl Actors {
    /// Takes an input of the old journal.
    pub(super) fn input(&mut self, input: &Event) {
        if let Some(name) = input.get::<Name>().filter(|name| name.space == NameSpace::Actor.code())
            && let Ok(handle) = u32::try_from(name.handle)
        {
            let pieces = self.0.entry(handle).or_default();
            pieces.truncate(name.part.into());
            pieces.push(*input);
        }
    }

    /// The name of an operator; none of the engine itself.
    pub(super) fn name(&self, handle: u32) -> impl Iterator<Item = Event> {
        self.0.get(&handle).into_iter().flatten().copied()
    }
}
