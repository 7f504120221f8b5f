//! The last values of the measures, for the summary.
//!
//! The registry of measures decides which fields a summary shows, so this file names none. Bound: one event per instrument
//! and shown kind, taken as instruments are listed.

use flow::{Event, GrowingTable, Kind, Kinds, StateError, StateReader, StateWriter};
use stages::measures::SUMMARY_KINDS;

/// The last events of the kinds that a summary shows.
pub struct LastMeasures {
    /// The last events by kind, then by instrument; an event of kind 0 where there was none.
    kinds: Vec<(Kind, GrowingTable<Event>)>,
}

impl LastMeasures {
    /// The kinds that it reads.
    pub const READS: Kinds = SUMMARY_KINDS;

    /// No values yet, for instrument numbers below `instruments`.
    pub fn new(instruments: u32) -> LastMeasures {
        let none: Event = bytemuck::Zeroable::zeroed();
        let events = || GrowingTable::new(instruments as usize, none);
        LastMeasures { kinds: LastMeasures::READS.iter().map(|kind| (kind, events())).collect() }
    }

    /// Takes memory for an instrument that is listed.
    pub fn list(&mut self, instrument: u32) {
        self.kinds.iter_mut().for_each(|(_, events)| events.reach(instrument as usize));
    }

    /// Keeps an event of a measure; ignores all others.
    #[inline]
    pub fn observe(&mut self, event: &Event) {
        if LastMeasures::READS.has(event.kind) {
            self.keep(event);
        }
    }

    fn keep(&mut self, event: &Event) {
        let of_kind = self.kinds.iter_mut().find(|(kind, _)| *kind == event.kind);
        if let Some(last) = of_kind.and_then(|(_, events)| events.get_mut(event.instrument as usize)) {
            *last = *event;
        }
    }

    /// Saves the last events, by listing key.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        let events = self.kinds.iter().flat_map(|(kind, events)| events.values().iter().filter(|e| e.kind == *kind));
        let saved: Vec<_> = events.map(|e| (to.key(e.instrument), bytemuck::bytes_of(e).to_vec())).collect();
        to.put(&saved);
    }

    /// Restores what [`LastMeasures::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        for (key, bytes) in from.get::<Vec<(String, Vec<u8>)>>()? {
            let event = bytemuck::try_pod_read_unaligned::<Event>(&bytes);
            let event = event.map_err(|_| StateError::Inconsistent("an event that is not 64 bytes"))?;
            self.keep(&Event { instrument: from.instrument(&key)?, ..event });
        }
        Ok(())
    }

    /// The last event of a kind and instrument.
    pub fn last(&self, kind: Kind, instrument: u32) -> Option<&Event> {
        let (_, events) = self.kinds.iter().find(|(k, _)| *k == kind)?;
        events.get(instrument as usize).filter(|event| event.kind == kind)
    }
}
