//! The last values of the measures, for the summary.
//!
//! The registry of measures decides which fields a summary shows, so this file names none. Bound: one event per instrument,
//! shown kind and instance, taken as instruments are listed.

use flow::{Event, FieldType, GrowingTable, Kind, Kinds, StateError, StateReader, StateWriter};
use stages::Instances;
use stages::measures::{MEASURES, MeasureEntry, SUMMARY_KINDS};
use std::collections::BTreeSet;

/// The last events of the kinds that a summary shows.
pub struct LastMeasures(Vec<Shown>);

/// The last events of a kind, of one instance of its measure, by instrument; an event of kind 0 where there was none.
struct Shown {
    kind: Kind,
    /// Where a body of that kind says the instance, and which it says.
    instance: Option<(usize, u8)>,
    events: GrowingTable<Event>,
}

impl Shown {
    fn is_of(&self, event: &Event) -> bool {
        event.kind == self.kind && self.instance.is_none_or(|(at, number)| event.body[at] == number)
    }
}

impl LastMeasures {
    /// The kinds that it reads.
    pub const READS: Kinds = SUMMARY_KINDS;

    /// No values yet, for instrument numbers below `count`, of the measures with these instances.
    pub fn new(count: u32, instances: &Instances) -> LastMeasures {
        let none: Event = bytemuck::Zeroable::zeroed();
        let place = |kind| flow::kind_info(kind)?.fields.iter().find(|f| f.ty == FieldType::Instance);
        let shown = |(kind, number): (Kind, u8)| Shown {
            kind,
            instance: place(kind).map(|field| (field.offset - 24, number)),
            events: GrowingTable::new(count as usize, none),
        };
        let numbers = |entry: &'static MeasureEntry| {
            let kinds: BTreeSet<Kind> = entry.summary.iter().map(|(kind, _)| *kind).collect();
            let numbers = instances.measures(entry).map(|(_, number)| number).collect::<Vec<_>>();
            kinds.into_iter().flat_map(move |kind| numbers.clone().into_iter().map(move |number| (kind, number)))
        };
        LastMeasures(MEASURES.iter().flat_map(numbers).map(shown).collect())
    }

    /// Takes memory for an instrument that is listed.
    pub fn list(&mut self, instrument: u32) {
        self.0.iter_mut().for_each(|shown| shown.events.reach(instrument as usize));
    }

    /// Keeps an event of a measure; ignores all others.
    #[inline]
    pub fn observe(&mut self, event: &Event) {
        if LastMeasures::READS.has(event.kind) {
            self.keep(event);
        }
    }

    fn keep(&mut self, event: &Event) {
        let of_kind = self.0.iter_mut().find(|shown| shown.is_of(event));
        if let Some(last) = of_kind.and_then(|shown| shown.events.get_mut(event.instrument as usize)) {
            *last = *event;
        }
    }

    /// Saves the last events, by listing key.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        let events = self.0.iter().flat_map(|shown| shown.events.values().iter().filter(|e| e.kind.0 != 0));
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

    /// The last event of a kind, of one instance of its measure, and an instrument.
    pub fn last(&self, kind: Kind, number: u8, instrument: u32) -> Option<&Event> {
        let is_it = |shown: &&Shown| shown.kind == kind && shown.instance.is_none_or(|(_, of)| of == number);
        let shown = self.0.iter().find(is_it)?;
        shown.events.get(instrument as usize).filter(|event| event.kind == kind)
    }
}
