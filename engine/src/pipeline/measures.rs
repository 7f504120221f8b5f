//! The last values of the measures, and the last trade, by instrument: for the summary, and for whoever asks of an instant.
//!
//! The registry of measures says what they emit, so this file names none. A run has the end of its pipeline get what a summary
//! shows; of the other kinds it keeps what comes there because it is recorded or printed. Bound: one event per instrument,
//! kind and instance, taken as instruments are listed.

use flow::{Event, FieldType, GrowingTable, Kind, Kinds, StateError, StateReader, StateWriter};
use stages::Instances;
use stages::measures::{MEASURE_KINDS, MEASURES, MeasureEntry, SUMMARY_KINDS};

/// The last events of the kinds of measures, and the last trades.
pub struct LastMeasures {
    kept: Vec<Kept>,
    /// Where a kind is kept that a single instance has; of other kinds [`ELSEWHERE`].
    single: [u16; Kind::COUNT],
}

const ELSEWHERE: u16 = u16::MAX;

/// The last events of a kind, of one instance of its measure, by instrument; an event of kind 0 where there was none.
struct Kept {
    kind: Kind,
    /// The number of the instance.
    number: u8,
    /// Where a body of that kind says the instance.
    says: Option<usize>,
    /// The kind that it follows, which says the instance for both.
    follows: Option<Kind>,
    events: GrowingTable<Event>,
}

impl Kept {
    #[inline]
    fn put(&mut self, event: &Event) {
        if let Some(last) = self.events.get_mut(event.instrument as usize) {
            *last = *event;
        }
    }
}

impl LastMeasures {
    /// The kinds that it asks for.
    pub const READS: Kinds = SUMMARY_KINDS;
    /// The kinds that it keeps, if they come.
    pub const KEEPS: Kinds = MEASURE_KINDS.or(Kinds::of(&[Kind::Trade]));

    /// No values yet, for instrument numbers below `count`, of the measures with these instances.
    pub fn new(count: u32, instances: &Instances) -> LastMeasures {
        let none: Event = bytemuck::Zeroable::zeroed();
        let kept = |(kind, number): (Kind, u8)| {
            let info = flow::kind_info(kind);
            let says = info.and_then(|info| info.fields.iter().find(|f| f.ty == FieldType::Instance));
            let follows = info.and_then(|info| info.follows).map(|follows| follows.first);
            let events = GrowingTable::new(count as usize, none);
            Kept { kind, number, says: says.map(|field| field.offset - 24), follows, events }
        };
        let numbers = |entry: &'static MeasureEntry| {
            let numbers = instances.measures(entry).map(|(_, number)| number).collect::<Vec<_>>();
            let of = move |kind: &Kind| numbers.clone().into_iter().map(|number| (*kind, number)).collect::<Vec<_>>();
            entry.build.emits.iter().flat_map(of)
        };
        let kept: Vec<Kept> = MEASURES.iter().flat_map(numbers).chain([(Kind::Trade, 0)]).map(kept).collect();
        let mut single = [ELSEWHERE; Kind::COUNT];
        for (at, of) in (0..).zip(&kept).filter(|(_, of)| kept.iter().filter(|k| k.kind == of.kind).count() == 1) {
            single[usize::from(of.kind.0)] = at;
        }
        LastMeasures { kept, single }
    }

    /// Takes memory for an instrument that is listed.
    pub fn list(&mut self, instrument: u32) {
        self.kept.iter_mut().for_each(|kept| kept.events.reach(instrument as usize));
    }

    /// Keeps an event of a measure and a trade; ignores all others.
    #[inline]
    pub fn observe(&mut self, event: &Event) {
        if let Some(only) = self.kept.get_mut(usize::from(self.single[usize::from(event.kind.0)])) {
            only.put(event);
        } else if LastMeasures::KEEPS.has(event.kind) {
            self.keep(event);
        }
    }

    #[inline(never)]
    fn keep(&mut self, event: &Event) {
        let Some(at) = self.kept.iter().position(|kept| kept.kind == event.kind) else { return };
        let Kept { says, follows, .. } = self.kept[at];
        let number = match (says, follows) {
            (Some(says), _) => event.body[says],
            (None, Some(first)) => self.latest(first, event.instrument),
            (None, None) => 0,
        };
        self.keep_as(number, event);
    }

    fn keep_as(&mut self, number: u8, event: &Event) {
        let of_kind = self.kept.iter_mut().find(|kept| kept.kind == event.kind && kept.number == number);
        of_kind.into_iter().for_each(|kept| kept.put(event));
    }

    /// The instance of the latest event of a kind and an instrument: a follower comes before another of the kind that it follows.
    fn latest(&self, kind: Kind, instrument: u32) -> u8 {
        let of_kind = self.kept.iter().filter(|kept| kept.kind == kind);
        let latest = of_kind.max_by_key(|kept| kept.events.get(instrument as usize).map_or(0, |event| event.id.0));
        latest.map_or(0, |kept| kept.number)
    }

    /// Saves the last events, by listing key.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        let of = |kept: &'_ Kept| {
            let events = kept.events.values().iter().filter(|e| e.kind.0 != 0);
            events.map(|e| (to.key(e.instrument), kept.number, bytemuck::bytes_of(e).to_vec())).collect::<Vec<_>>()
        };
        let saved: Vec<_> = self.kept.iter().flat_map(of).collect();
        to.put(&saved);
    }

    /// Restores what [`LastMeasures::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        for (key, number, bytes) in from.get::<Vec<(String, u8, Vec<u8>)>>()? {
            let event = bytemuck::try_pod_read_unaligned::<Event>(&bytes);
            let event = event.map_err(|_| StateError::Inconsistent("an event that is not 64 bytes"))?;
            self.keep_as(number, &Event { instrument: from.instrument(&key)?, ..event });
        }
        Ok(())
    }

    /// The last event of a kind, of one instance of its measure, and an instrument.
    pub fn last(&self, kind: Kind, number: u8, instrument: u32) -> Option<&Event> {
        let kept = self.kept.iter().find(|kept| kept.kind == kind && kept.number == number)?;
        kept.events.get(instrument as usize).filter(|event| event.kind == kind)
    }
}
