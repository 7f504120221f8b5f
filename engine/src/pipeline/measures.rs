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
    /// Those of an instrument lie together, in the order of `kept`; an event of kind 0 where there was none. One table, since
    /// each has memory ready beyond what is used.
    events: GrowingTable<Event>,
    /// Where a kind is kept that a single instance has; of other kinds [`ELSEWHERE`].
    single: [u16; Kind::COUNT],
}

const ELSEWHERE: u16 = u16::MAX;

/// A kind, of one instance of its measure.
struct Kept {
    kind: Kind,
    /// The number of the instance.
    number: u8,
    /// Where a body of that kind says the instance.
    says: Option<usize>,
    /// The kind that it follows, which says the instance for both.
    follows: Option<Kind>,
}

impl LastMeasures {
    /// The kinds that it asks for.
    pub const READS: Kinds = SUMMARY_KINDS;
    /// The kinds that it keeps, if they come.
    pub const KEEPS: Kinds = MEASURE_KINDS.or(Kinds::of(&[Kind::Trade]));

    /// No values yet, for instrument numbers below `count`, of the measures with these instances; of the kinds alone that may come,
    /// since what a measure that does not run would take is an event for every instrument.
    pub fn new(count: u32, instances: &Instances, may_come: Kinds) -> LastMeasures {
        let kept = |(kind, number): (Kind, u8)| {
            let info = flow::kind_info(kind);
            let says = info.and_then(|info| info.fields.iter().find(|f| f.ty == FieldType::Instance));
            let follows = info.and_then(|info| info.follows).map(|follows| follows.first);
            Kept { kind, number, says: says.map(|field| field.offset - 24), follows }
        };
        let numbers = |entry: &'static MeasureEntry| {
            let numbers = instances.measures(entry).map(|(_, number)| number).collect::<Vec<_>>();
            let of = move |kind: &Kind| numbers.clone().into_iter().map(|number| (*kind, number)).collect::<Vec<_>>();
            entry.build.emits.iter().flat_map(of)
        };
        let of_measures = MEASURES.iter().flat_map(numbers).filter(|(kind, _)| may_come.has(*kind));
        let kept: Vec<Kept> = of_measures.chain([(Kind::Trade, 0)]).map(kept).collect();
        let mut single = [ELSEWHERE; Kind::COUNT];
        for (at, of) in (0..).zip(&kept).filter(|(_, of)| kept.iter().filter(|k| k.kind == of.kind).count() == 1) {
            single[usize::from(of.kind.0)] = at;
        }
        let events = GrowingTable::new(count as usize * kept.len(), bytemuck::Zeroable::zeroed());
        LastMeasures { kept, events, single }
    }

    /// Takes memory for an instrument that is listed.
    pub fn list(&mut self, instrument: u32) {
        self.events.reach(self.place(instrument, self.kept.len() - 1));
    }

    /// Keeps an event of a measure and a trade; ignores all others.
    #[inline]
    pub fn observe(&mut self, event: &Event) {
        let only = self.single[usize::from(event.kind.0)];
        if only != ELSEWHERE {
            self.put(usize::from(only), event);
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
        let of_kind = self.kept.iter().position(|kept| kept.kind == event.kind && kept.number == number);
        of_kind.into_iter().for_each(|at| self.put(at, event));
    }

    #[inline]
    fn put(&mut self, at: usize, event: &Event) {
        let place = self.place(event.instrument, at);
        if let Some(last) = self.events.get_mut(place) {
            *last = *event;
        }
    }

    /// Where the events of an instrument and a kept kind lie.
    #[inline]
    fn place(&self, instrument: u32, at: usize) -> usize {
        instrument as usize * self.kept.len() + at
    }

    /// The instance of the latest event of a kind and an instrument: a follower comes before another of the kind that it follows.
    fn latest(&self, kind: Kind, instrument: u32) -> u8 {
        let of_kind = self.kept.iter().enumerate().filter(|(_, kept)| kept.kind == kind);
        let id = |at| self.events.get(self.place(instrument, at)).map_or(0, |event| event.id.0);
        of_kind.max_by_key(|(at, _)| id(*at)).map_or(0, |(_, kept)| kept.number)
    }

    /// Saves the last events, by listing key.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        let count = self.kept.len();
        let of = |(at, kept): (usize, &Kept)| {
            let events = self.events.values().iter().skip(at).step_by(count).filter(|e| e.kind.0 != 0);
            events.map(|e| (to.key(e.instrument), kept.number, bytemuck::bytes_of(e).to_vec())).collect::<Vec<_>>()
        };
        let saved: Vec<_> = self.kept.iter().enumerate().flat_map(of).collect();
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
        let at = self.kept.iter().position(|kept| kept.kind == kind && kept.number == number)?;
        self.events.get(self.place(instrument, at)).filter(|event| event.kind == kind)
    }
}
