//! What the index finds events by: the orders that a kind refers to, and the key under which its last value is found.
//!
//! Both follow from the table of kinds, so a new kind is indexed without code here. The layout has a number that changes with
//! that table: an index that another one made is not read.
//!
//! Bound: a table of all kinds.

use flow::records::{Name, Position};
use flow::{Event, FieldType, Flags, KINDS, Kind, NameSpace};

/// How the events of a kind are told apart, beside their instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Variant {
    /// Not at all.
    One,
    /// By the instance of a measure, at this byte of the body.
    Instance(usize),
    /// By the length of a bar in seconds, at this byte of the body.
    Interval(usize),
    /// By account and strategy.
    Owner,
    /// By their source, and not by their instrument.
    Source,
    /// By what they name, if that is no instrument.
    Space,
}

/// Instrument, kind and variant in one number; keys of an instrument stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::provenance) struct Key(pub(super) u64);

impl Key {
    /// The key of everything that came from a source.
    pub(in crate::provenance) fn of_source(source: u8) -> Key {
        Key(u64::from(source))
    }

    /// The key of the cursors of a source.
    pub(in crate::provenance) fn of_cursors(source: u8) -> Key {
        Key::new(0, Kind::Cursor, source.into())
    }

    /// The key of the names of that space.
    pub(in crate::provenance) fn of_names(space: NameSpace) -> Key {
        Key::new(0, Kind::Name, space.code().into())
    }

    /// The key of the definitions of an instrument that are of that kind.
    pub(in crate::provenance) fn of_definitions(instrument: u32, kind: Kind) -> Key {
        Key::new(instrument, kind, 0)
    }

    fn new(instrument: u32, kind: Kind, variant: u32) -> Key {
        Key(u64::from(instrument) << 32 | u64::from(kind.0) << 24 | u64::from(variant & 0xff_ffff))
    }

    /// The least key of an instrument.
    pub(super) fn first_of(instrument: u32) -> Key {
        Key::new(instrument, Kind(0), 0)
    }

    /// Its instrument.
    pub(in crate::provenance) fn instrument(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Its kind; 0 is of no kind, but of a source.
    pub(in crate::provenance) fn kind(self) -> Kind {
        Kind((self.0 >> 24) as u8)
    }
}

/// What is indexed of each kind.
#[derive(Debug)]
pub(in crate::provenance) struct Layout {
    /// By kind: where its body names orders.
    orders: Vec<Vec<usize>>,
    /// By kind: how its last value is found, if it is.
    keys: Vec<Option<Variant>>,
    /// Changes with all of that.
    pub(super) number: u64,
}

/// The kinds that define an instrument.
pub(in crate::provenance) const DEFINITIONS: [Kind; 3] = [Kind::Name, Kind::Listing, Kind::Contract];

impl Layout {
    /// The layout of this build.
    pub(in crate::provenance) fn new() -> Layout {
        let (mut orders, mut keys) = (vec![Vec::new(); Kind::COUNT], vec![None; Kind::COUNT]);
        for info in KINDS {
            let place = |field: &flow::Field| field.offset - 24;
            let at = usize::from(info.kind.0);
            orders[at] = info.fields.iter().filter(|f| f.ty == FieldType::OrderId).map(place).collect();
            let byte = |ty| info.fields.iter().find(|f| f.ty == ty).map(place);
            let is_kept = info.kind.is_measure() || info.kind == Kind::Trade || DEFINITIONS.contains(&info.kind);
            // What follows another event is found behind it.
            keys[at] = match info.kind {
                Kind::Position => Some(Variant::Owner),
                Kind::Cursor => Some(Variant::Source),
                Kind::Name => Some(Variant::Space),
                _ if !is_kept || (info.follows.is_some() && info.kind.is_measure()) => None,
                _ => byte(FieldType::Instance)
                    .map(Variant::Instance)
                    .or(byte(FieldType::Interval).map(Variant::Interval))
                    .or(Some(Variant::One)),
            };
        }
        let number = xxhash_rust::xxh3::xxh3_64(format!("{orders:?}{keys:?}").as_bytes());
        Layout { orders, keys, number }
    }

    /// The orders that an event refers to.
    pub(in crate::provenance) fn orders(&self, event: &Event) -> impl Iterator<Item = u64> {
        let places = self.orders[usize::from(event.kind.0)].iter();
        let ids = places.map(|at| word(&event.body, *at)).filter(|id| *id != 0);
        ids.take(if event.is_echo() { 0 } else { usize::MAX })
    }

    /// The key under which the last event like this one is found.
    pub(in crate::provenance) fn key(&self, event: &Event) -> Option<Key> {
        let variant = self.keys[usize::from(event.kind.0)]?;
        let number = match variant {
            Variant::One => 0,
            Variant::Instance(at) => event.body[at].into(),
            Variant::Interval(at) => word(&event.body, at) as u32,
            Variant::Owner => owner(event),
            Variant::Source => return Some(Key::of_cursors(event.source)),
            Variant::Space => match event.record::<Name>().space {
                space if space == NameSpace::Symbol.code() => 0,
                space => return Some(Key::new(0, Kind::Name, space.into())),
            },
        };
        // Trades of a snapshot are of another time.
        let is_past = event.kind == Kind::Trade && event.flags.has(Flags::SNAPSHOT);
        (event.instrument != 0 && !is_past).then(|| Key::new(event.instrument, event.kind, number))
    }
}

/// Account and strategy of a position.
fn owner(event: &Event) -> u32 {
    let Position { account, strategy, .. } = event.record();
    u32::from(account.0) << 16 | u32::from(strategy.0)
}

/// Up to eight bytes of a body.
fn word(body: &[u8; 40], at: usize) -> u64 {
    let mut word = [0; 8];
    let bytes = &body[at..body.len().min(at + 8)];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}
