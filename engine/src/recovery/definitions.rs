//! The last name and listing of each instrument, as the events that define it.
//!
//! Whoever starts without the inputs before needs them first: a snapshot, and a journal that carries over another. Bound: a
//! few events an instrument, however often it is listed.

use super::snapshot::Snapshot;
use flow::records::Name;
use flow::{Event, Kind, Kinds, Listings, NameSpace, Sink, SinkError};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Names and listing by instrument.
#[derive(Clone, Debug, Default)]
pub(super) struct Definitions(BTreeMap<u32, (Vec<Event>, Option<Event>)>);

impl Definitions {
    /// Takes a name or a listing; anything else is nothing to it.
    pub(super) fn take(&mut self, event: &Event) {
        if let Some(name) = event.get::<Name>() {
            if name.space == NameSpace::Symbol.code() {
                let (names, _) = self.0.entry(event.instrument).or_default();
                if name.part == 0 {
                    names.clear();
                }
                names.push(*event);
            }
        } else if event.kind == Kind::Listing {
            self.0.entry(event.instrument).or_default().1 = Some(*event);
        }
    }

    /// The events that define an instrument.
    pub(super) fn get(&self, instrument: u32) -> impl Iterator<Item = &Event> {
        self.0.get(&instrument).into_iter().flat_map(|(names, listing)| names.iter().chain(listing))
    }

    /// Those that are defined.
    pub(super) fn instruments(&self) -> impl Iterator<Item = u32> {
        self.0.keys().copied()
    }

    /// All of the events, as bytes.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let events = self.0.values().flat_map(|(names, listing)| names.iter().chain(listing));
        events.flat_map(|event| bytemuck::bytes_of(event).iter().copied()).collect()
    }

    /// The listings.
    pub(super) fn listings(&self) -> Listings {
        let mut listings = Listings::default();
        self.0.values().flat_map(|(names, listing)| names.iter().chain(listing)).for_each(|e| listings.observe(e));
        listings
    }
}

/// Collects them at the end of a pipeline.
#[derive(Clone, Debug, Default)]
pub(crate) struct DefinitionsSoFar(Arc<Mutex<Definitions>>);

impl DefinitionsSoFar {
    /// Goes on from those of a snapshot.
    pub(crate) fn go_on_from(&self, snapshot: Option<&Snapshot>) {
        snapshot.into_iter().flat_map(Snapshot::defined).for_each(|event| self.now().take(&event));
    }

    /// Those so far.
    pub(super) fn now(&self) -> MutexGuard<'_, Definitions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sink that collects them.
    pub(crate) fn sink(&self) -> Box<dyn Sink> {
        Box::new(self.clone())
    }
}

impl Sink for DefinitionsSoFar {
    fn kinds(&self) -> Kinds {
        Kinds::of(&[Kind::Name, Kind::Listing])
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.now().take(event);
        Ok(())
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        Ok(())
    }
}
