//! The index of one segment: which of its records are of an order, and which are of a key.
//!
//! Four tables behind each other: orders, sorted by id, each with its records; keys, sorted, each with its records and with
//! the last record and the number of all records that it had before this segment. So the last value of a key before any
//! record is found in the index of that record's segment alone, however long ago it was. A look is two binary searches.
//!
//! Bound: four bytes a record of a key and of an order, 16 an order, 32 a key that ever came. Worst case: a key of every
//! instrument in every segment.

use super::layout::{Key, Layout};
use super::pages::{Pages, Unusable, paged};
use bytemuck::{Pod, Zeroable};
use flow::{Event, OrderId};
use serde::{Deserialize, Serialize};
use sinks::journal::LogKind;
use std::collections::BTreeMap;
use std::path::Path;

/// An order, and where its records stand.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
struct OrderEntry {
    id: u64,
    first: u32,
    count: u32,
}

/// A key, and where its records stand.
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[repr(C)]
struct KeyEntry {
    key: u64,
    /// The last record of the key before this segment; 0 = none.
    before: u64,
    /// How many it had before.
    earlier: u64,
    first: u32,
    count: u32,
}

/// How many entries each table has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tables {
    orders: u64,
    refs: u64,
    keys: u64,
    records: u64,
}

impl Tables {
    fn refs_at(&self) -> u64 {
        self.orders * size_of::<OrderEntry>() as u64
    }

    fn keys_at(&self) -> u64 {
        self.refs_at() + self.refs * 4
    }

    fn records_at(&self) -> u64 {
        self.keys_at() + self.keys * size_of::<KeyEntry>() as u64
    }
}

/// The ids of an account and strategy that a segment has: the two in one number, the least counter and the greatest.
pub(super) type Range = (u32, u64, u64);

/// Account and strategy of an order in one number.
pub(super) fn pair_of(order: OrderId) -> u32 {
    (order.0 >> 40) as u32
}

/// What is known of a part without opening it, and by what it is known again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PartInfo {
    /// Of the outcomes, or of the inputs.
    pub(super) outcomes: bool,
    /// Number of its segment.
    pub(super) segment: u64,
    /// How many of its records are indexed: all of the segment, or those that were written.
    pub(super) records: u64,
    /// Number of the first record of the segment.
    pub(super) first_record: u64,
    /// The last of these records, by which the segment is known again.
    pub(super) last: [u64; 8],
    /// Which ids it has.
    pub(super) ranges: Vec<Range>,
    pub(super) tables: Tables,
    /// Says whose the pages of its file are.
    pub(super) tag: u64,
}

impl PartInfo {
    /// The log that it is of.
    pub(super) fn log(&self) -> LogKind {
        if self.outcomes { LogKind::Outcomes } else { LogKind::Inputs }
    }

    /// Whether the segment may have something of an order.
    pub(super) fn may_have(&self, order: OrderId) -> bool {
        let is_of = |range: &Range| (range.1..=range.2).contains(&order.counter());
        let found = self.ranges.binary_search_by_key(&pair_of(order), |range| range.0);
        found.is_ok_and(|at| is_of(&self.ranges[at]))
    }
}

/// For each key: its last record so far, and how many there were.
pub(super) type Carried = BTreeMap<Key, (u64, u64)>;

/// Collects the index of a segment, record by record.
pub(super) struct Builder<'a> {
    layout: &'a Layout,
    orders: BTreeMap<u64, Vec<u32>>,
    keys: BTreeMap<Key, Vec<u32>>,
    records: u32,
    last: Event,
}

impl<'a> Builder<'a> {
    pub(super) fn new(layout: &'a Layout) -> Builder<'a> {
        let last = Event::zeroed();
        Builder { layout, orders: BTreeMap::new(), keys: BTreeMap::new(), records: 0, last }
    }

    /// Takes the next record of the segment.
    pub(super) fn take(&mut self, event: &Event) {
        let index = self.records;
        for order in self.layout.orders(event) {
            let refs = self.orders.entry(order).or_default();
            if refs.last() != Some(&index) {
                refs.push(index);
            }
        }
        // Only what came from outside stands for its source.
        let source = (event.id.position() == 0).then(|| Key::of_source(event.source));
        for key in self.layout.key(event).into_iter().chain(source) {
            self.keys.entry(key).or_default().push(index);
        }
        (self.records, self.last) = (index + 1, *event);
    }

    /// The part of a segment, with the content of its file; `carried` goes on behind it.
    pub(super) fn finish(self, mut info: PartInfo, carried: &mut Carried) -> (PartInfo, Vec<u8>) {
        let keys: Vec<Key> = self.keys.keys().copied().filter(|key| !carried.contains_key(key)).collect();
        keys.into_iter().for_each(|key| {
            carried.insert(key, (0, 0));
        });
        let (mut orders, mut refs) = (Vec::new(), Vec::<u32>::new());
        for (id, of) in &self.orders {
            orders.push(OrderEntry { id: *id, first: refs.len() as u32, count: of.len() as u32 });
            refs.extend(of);
        }
        let (mut entries, mut records) = (Vec::new(), Vec::<u32>::new());
        for (key, (before, earlier)) in carried.iter_mut() {
            let of = self.keys.get(key).map_or(&[][..], Vec::as_slice);
            let (first, count) = (records.len() as u32, of.len() as u32);
            entries.push(KeyEntry { key: key.0, before: *before, earlier: *earlier, first, count });
            records.extend(of);
            *earlier += u64::from(count);
            if let Some(last) = of.last() {
                *before = info.first_record + u64::from(*last);
            }
        }
        info.ranges = ranges(&orders);
        let count = |n: usize| n as u64;
        info.tables = Tables {
            orders: count(orders.len()),
            refs: count(refs.len()),
            keys: count(entries.len()),
            records: count(records.len()),
        };
        (info.records, info.last) = (self.records.into(), bytemuck::cast(self.last));
        let mut content: Vec<u8> = bytemuck::cast_slice(&orders).to_vec();
        content.extend_from_slice(bytemuck::cast_slice(&refs));
        content.extend_from_slice(bytemuck::cast_slice(&entries));
        content.extend_from_slice(bytemuck::cast_slice(&records));
        info.tag = tag(&info, self.layout, &content);
        (info, content)
    }
}

/// The ranges of ids of some orders, which are sorted.
fn ranges(orders: &[OrderEntry]) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    for entry in orders {
        let id = OrderId(entry.id);
        match ranges.last_mut().filter(|range| range.0 == pair_of(id)) {
            Some(range) => range.2 = id.counter(),
            None => ranges.push((pair_of(id), id.counter(), id.counter())),
        }
    }
    ranges
}

/// A number that no other part has.
fn tag(info: &PartInfo, layout: &Layout, content: &[u8]) -> u64 {
    let of = [layout.number, u64::from(info.outcomes), info.segment, info.records];
    let head: Vec<u8> = of.iter().chain(&info.last).flat_map(|word| word.to_le_bytes()).collect();
    xxhash_rust::xxh3::xxh3_64_with_seed(content, xxhash_rust::xxh3::xxh3_64(&head))
}

/// The bytes of the file of a part.
pub(super) fn file(info: &PartInfo, content: &[u8]) -> Vec<u8> {
    paged(content, info.tag)
}

/// A part, open for looks.
#[derive(Debug)]
pub(super) struct Part {
    pages: Pages,
    tables: Tables,
    first_record: u64,
}

/// What a part says of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provenance) struct Found {
    pub(in crate::provenance) key: Key,
    /// Number of its last record.
    pub(in crate::provenance) record: u64,
    /// How many records it has up to that one.
    pub(in crate::provenance) count: u64,
}

impl Part {
    pub(super) fn open(info: &PartInfo, path: &Path) -> Result<Part, Unusable> {
        Ok(Part::of(info, Pages::open(path, info.tag)?))
    }

    /// In memory.
    pub(super) fn held(info: &PartInfo, content: &[u8]) -> Part {
        Part::of(info, Pages::of(content, info.tag))
    }

    fn of(info: &PartInfo, pages: Pages) -> Part {
        Part { pages, tables: info.tables, first_record: info.first_record }
    }

    fn entry<T: Pod + Default>(&mut self, table: u64, at: u64) -> Result<T, Unusable> {
        let mut entry = T::default();
        self.pages.read(table + at * size_of::<T>() as u64, bytemuck::bytes_of_mut(&mut entry))?;
        Ok(entry)
    }

    /// The first of `count` places for which `before` does not hold.
    fn partition(
        &mut self,
        count: u64,
        mut before: impl FnMut(&mut Part, u64) -> Result<bool, Unusable>,
    ) -> Result<u64, Unusable> {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if before(self, middle)? { low = middle + 1 } else { high = middle }
        }
        Ok(low)
    }

    /// The records of an order, in their order.
    pub(super) fn of_order(&mut self, order: OrderId) -> Result<Vec<u64>, Unusable> {
        let count = self.tables.orders;
        let at = self.partition(count, |part, at| Ok(part.entry::<OrderEntry>(0, at)?.id < order.0))?;
        if at == count {
            return Ok(Vec::new());
        }
        let entry: OrderEntry = self.entry(0, at)?;
        if entry.id != order.0 {
            return Ok(Vec::new());
        }
        let refs = self.tables.refs_at();
        let record = |place: u32| Ok(self.first_record + u64::from(self.entry::<u32>(refs, place.into())?));
        (entry.first..entry.first + entry.count).map(record).collect()
    }

    /// The nearest ids of orders here: the greatest up to this one, and the least behind it.
    pub(super) fn around(&mut self, order: OrderId) -> Result<[Option<OrderId>; 2], Unusable> {
        let count = self.tables.orders;
        let at = self.partition(count, |part, at| Ok(part.entry::<OrderEntry>(0, at)?.id <= order.0))?;
        let mut id = |at: Option<u64>| {
            let at = at.filter(|at| *at < count);
            at.map(|at| self.entry::<OrderEntry>(0, at).map(|entry| OrderId(entry.id))).transpose()
        };
        Ok([id(at.checked_sub(1))?, id(Some(at))?])
    }

    fn find(&mut self, key: Key) -> Result<u64, Unusable> {
        let table = self.tables.keys_at();
        self.partition(self.tables.keys, |part, at| Ok(part.entry::<KeyEntry>(table, at)?.key < key.0))
    }

    /// The last record of a key entry up to `through`.
    fn last(&mut self, entry: &KeyEntry, through: u64) -> Result<Option<Found>, Unusable> {
        let (table, first) = (self.tables.records_at(), self.first_record);
        let record = move |part: &mut Part, at: u64| {
            Ok::<_, Unusable>(first + u64::from(part.entry::<u32>(table, u64::from(entry.first) + at)?))
        };
        let within = self.partition(entry.count.into(), |part, at| Ok(record(part, at)? <= through))?;
        let found = match within.checked_sub(1) {
            Some(at) => record(self, at)?,
            None => entry.before,
        };
        let (key, count) = (Key(entry.key), entry.earlier + within);
        Ok((found != 0).then_some(Found { key, record: found, count }))
    }

    /// The last record of a key up to that one, which is in this segment.
    pub(super) fn last_of(&mut self, key: Key, through: u64) -> Result<Option<Found>, Unusable> {
        let at = self.find(key)?;
        if at == self.tables.keys {
            return Ok(None);
        }
        let entry: KeyEntry = self.entry(self.tables.keys_at(), at)?;
        if entry.key == key.0 { self.last(&entry, through) } else { Ok(None) }
    }

    /// The last records of all keys of an instrument up to that one, which is in this segment.
    pub(super) fn last_of_all(&mut self, instrument: u32, through: u64) -> Result<Vec<Found>, Unusable> {
        let (mut found, mut at) = (Vec::new(), self.find(Key::first_of(instrument))?);
        while at < self.tables.keys {
            let entry: KeyEntry = self.entry(self.tables.keys_at(), at)?;
            if Key(entry.key).instrument() != instrument {
                break;
            }
            found.extend(self.last(&entry, through)?);
            at += 1;
        }
        Ok(found)
    }

    /// All records of a key in this segment up to that one, and the last one before the segment; 0 = none.
    pub(super) fn all_of(&mut self, key: Key, through: u64) -> Result<(Vec<u64>, u64), Unusable> {
        let at = self.find(key)?;
        if at == self.tables.keys {
            return Ok((Vec::new(), 0));
        }
        let entry: KeyEntry = self.entry(self.tables.keys_at(), at)?;
        if entry.key != key.0 {
            return Ok((Vec::new(), 0));
        }
        let table = self.tables.records_at();
        let mut all = Vec::new();
        for at in entry.first..entry.first + entry.count {
            all.push(self.first_record + u64::from(self.entry::<u32>(table, at.into())?));
        }
        all.retain(|record| *record <= through);
        Ok((all, entry.before))
    }

    /// What the next segment's index goes on from.
    pub(super) fn carried(&mut self) -> Result<Carried, Unusable> {
        let mut carried = Carried::new();
        for at in 0..self.tables.keys {
            let entry: KeyEntry = self.entry(self.tables.keys_at(), at)?;
            let found = self.last(&entry, u64::MAX)?;
            carried.insert(Key(entry.key), found.map_or((0, 0), |found| (found.record, found.count)));
        }
        Ok(carried)
    }
}
