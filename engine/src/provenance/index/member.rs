//! The index of one journal: made, checked, extended, and asked.
//!
//! Before a look every indexed segment is checked: it is there, and its last record is the one that was indexed. A journal that
//! is closed is known by the hash chains at its ends, and then nothing else is looked at. Segments that are new, and the one
//! that has grown, are read once, in order. What does not fit is made again; nothing is trusted that cannot be checked.
//!
//! Bound: one segment in memory while it is read. Worst case: nothing is indexed, and the whole journal is read once.

use super::catalogue::{Catalogue, publish};
use super::layout::{DEFINITIONS, Key, Layout};
use super::pages::Unusable;
use super::part::{Builder, Carried, Found, Part, PartInfo, file};
use crate::provenance::error::WhyError;
use crate::recovery::{Notices, Past, Snapshot};
use bytemuck::Zeroable;
use flow::{Event, EventId, Listings, OrderId};
use sinks::journal::{LogKind, Member, Records};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Records per read of a pass.
const CHUNK: usize = 4096;

/// What can go wrong with a look.
#[derive(Debug)]
pub(in crate::provenance) enum Trouble {
    /// The journal cannot be read.
    Journal(WhyError),
    /// The index must be made again.
    Index,
}

impl<E: Into<WhyError>> From<E> for Trouble {
    fn from(error: E) -> Trouble {
        Trouble::Journal(error.into())
    }
}

impl From<Unusable> for Trouble {
    fn from(_: Unusable) -> Trouble {
        Trouble::Index
    }
}

/// A journal with its index.
#[derive(Debug)]
pub(in crate::provenance) struct MemberIndex {
    pub(in crate::provenance) member: Member,
    folder: PathBuf,
    catalogue: Catalogue,
    open: BTreeMap<(bool, u64), Part>,
    /// Whether the folder takes the files; else they are held in memory.
    is_kept: bool,
    /// How many records were read to extend it.
    pub(in crate::provenance) read: u64,
    inputs: Records,
    outcomes: Records,
}

impl MemberIndex {
    /// The index of a journal in a folder that may hold one.
    pub(super) fn open(member: &Member, folder: &Path, layout: &Layout) -> MemberIndex {
        let catalogue = Catalogue::read(folder, layout.number, member.info.journal_id);
        MemberIndex {
            member: member.clone(),
            folder: folder.to_owned(),
            catalogue,
            open: BTreeMap::new(),
            is_kept: true,
            read: 0,
            inputs: Records::of(member, LogKind::Inputs),
            outcomes: Records::of(member, LogKind::Outcomes),
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, layout: &Layout) {
        self.catalogue = Catalogue::empty(layout.number, self.member.info.journal_id);
        self.open.clear();
    }

    /// The records of one log.
    pub(in crate::provenance) fn records(&mut self, log: LogKind) -> &mut Records {
        match log {
            LogKind::Inputs => &mut self.inputs,
            LogKind::Outcomes => &mut self.outcomes,
        }
    }

    /// A record that the index names: one that is not there means that the index is of something else.
    pub(in crate::provenance) fn event(&mut self, log: LogKind, record: u64) -> Result<Event, Trouble> {
        self.records(log).get(record)?.ok_or(Trouble::Index)
    }

    /// Checks what is indexed and adds what is not. Returns why the files cannot be kept, if they cannot.
    pub(super) fn refresh(&mut self, layout: &Layout, notices: Notices) -> Result<Option<String>, Trouble> {
        let closed = self.member.reader().closed()?.map(|closed| [closed.inputs.chain, closed.outcomes.chain]);
        if closed.is_some() && self.catalogue.closed == closed {
            return Ok(None);
        }
        let before = self.catalogue.clone();
        let mut failed = None;
        for log in LogKind::BOTH {
            let segments = self.keep(log)?;
            let carried = self.carried(log);
            let mut carried = match carried {
                Ok(carried) => carried,
                Err(_) => {
                    self.cut(log, 0);
                    Carried::new()
                }
            };
            let last = self.parts(log).last().map_or(0, |part| part.segment);
            for segment in segments.into_iter().filter(|segment| *segment > last) {
                failed = self.add(log, segment, layout, &mut carried)?.or(failed);
            }
        }
        if self.catalogue.begins_with.is_none() {
            let start = Snapshot::start(&self.member, Past::Left, notices)?;
            self.catalogue.begins_with = Some(start.map_or_else(Vec::new, |start| start.definitions));
        }
        self.catalogue.closed = closed;
        if self.is_kept
            && self.catalogue != before
            && let Err(error) = fs::create_dir_all(&self.folder).and_then(|()| self.catalogue.write(&self.folder))
        {
            failed = Some(format!("{}: {error}", self.folder.display()));
        }
        Ok(failed)
    }

    fn parts(&self, log: LogKind) -> impl DoubleEndedIterator<Item = &PartInfo> {
        self.catalogue.parts.iter().filter(move |part| part.log() == log)
    }

    /// Forgets the parts of a log from that segment on.
    fn cut(&mut self, log: LogKind, from: u64) {
        self.catalogue.parts.retain(|part| part.log() != log || part.segment < from);
        self.open.retain(|(outcomes, segment), _| *outcomes != (log == LogKind::Outcomes) || *segment < from);
    }

    /// Forgets what is not as it was indexed, and what has grown. Returns the segments that are there.
    fn keep(&mut self, log: LogKind) -> Result<Vec<u64>, Trouble> {
        let segments = self.records(log).segments()?;
        let capacity = self.records(log).capacity();
        let oldest = segments.first().copied().unwrap_or(u64::MAX);
        if log == LogKind::Outcomes {
            // What was dropped is gone; what came before is still known to the parts behind it.
            self.catalogue.parts.retain(|part| part.log() != log || part.segment >= oldest);
        }
        let parts: Vec<PartInfo> = self.parts(log).cloned().collect();
        for part in parts {
            let last = part.first_record + part.records - 1;
            let found = self.records(log).get(last)?;
            let is_same = found.is_some_and(|event| bytemuck::cast::<Event, [u64; 8]>(event) == part.last);
            let has_grown = part.records < capacity && self.records(log).get(last + 1)?.is_some();
            if !is_same || has_grown {
                self.cut(log, part.segment);
                break;
            }
        }
        Ok(segments)
    }

    fn carried(&mut self, log: LogKind) -> Result<Carried, Trouble> {
        let Some(last) = self.parts(log).last().cloned() else { return Ok(Carried::new()) };
        Ok(self.part(&last)?.carried()?)
    }

    /// Reads a segment and indexes it.
    fn add(
        &mut self,
        log: LogKind,
        segment: u64,
        layout: &Layout,
        carried: &mut Carried,
    ) -> Result<Option<String>, Trouble> {
        let capacity = self.records(log).capacity();
        let first_record = (segment - 1) * capacity + 1;
        let (mut builder, mut chunk) = (Builder::new(layout), vec![Event::zeroed(); CHUNK]);
        let mut read = 0;
        while read < capacity {
            let count = self.records(log).read(first_record + read, &mut chunk)?;
            chunk[..count].iter().for_each(|event| builder.take(event));
            read += count as u64;
            if count == 0 {
                break;
            }
        }
        self.read += read;
        if read == 0 {
            return Ok(None);
        }
        let outcomes = log == LogKind::Outcomes;
        let info = PartInfo {
            outcomes,
            segment,
            records: 0,
            first_record,
            last: [0; 8],
            ranges: Vec::new(),
            tables: Default::default(),
            tag: 0,
        };
        let (info, content) = builder.finish(info, carried);
        let kept = fs::create_dir_all(&self.folder).and_then(|()| publish(&self.path(&info), &file(&info, &content)));
        let failed = kept.err().map(|error| format!("{}: {error}", self.folder.display()));
        if failed.is_some() {
            self.is_kept = false;
            self.open.insert((outcomes, segment), Part::held(&info, &content));
        } else {
            self.open.remove(&(outcomes, segment));
        }
        let at = self.catalogue.parts.iter().position(|part| part.outcomes && !outcomes);
        self.catalogue.parts.insert(at.unwrap_or(self.catalogue.parts.len()), info);
        Ok(failed)
    }

    fn path(&self, info: &PartInfo) -> PathBuf {
        self.folder.join(format!("{}-{:08}", info.log(), info.segment))
    }

    fn part(&mut self, info: &PartInfo) -> Result<&mut Part, Unusable> {
        let key = (info.outcomes, info.segment);
        if !self.open.contains_key(&key) {
            self.open.insert(key, Part::open(info, &self.path(info))?);
        }
        Ok(self.open.get_mut(&key).expect("it was just put there"))
    }

    /// The records of both logs that refer to an order, in the order of events.
    pub(in crate::provenance) fn of_order(&mut self, order: OrderId) -> Result<Vec<(LogKind, u64, Event)>, Trouble> {
        let mut all = Vec::new();
        let parts: Vec<PartInfo> = self.catalogue.parts.iter().filter(|part| part.may_have(order)).cloned().collect();
        for part in parts {
            for record in self.part(&part)?.of_order(order)? {
                all.push((part.log(), record, self.event(part.log(), record)?));
            }
        }
        all.sort_by_key(|(log, record, event)| (event.id.seq(), *log == LogKind::Outcomes, *record));
        Ok(all)
    }

    /// The nearest ids: the greatest up to this one, and the least behind it.
    pub(in crate::provenance) fn around(&mut self, order: OrderId) -> Result<[Option<OrderId>; 2], Trouble> {
        let [mut below, mut above] = [None, None];
        let parts = self.catalogue.parts.clone();
        for part in &parts {
            let [before, behind] = self.part(part)?.around(order)?;
            below = below.max(before);
            above = [above, behind].into_iter().flatten().min();
        }
        Ok([below, above])
    }

    /// The last record of a key up to that one.
    pub(in crate::provenance) fn last_of(
        &mut self,
        log: LogKind,
        key: Key,
        through: u64,
    ) -> Result<Option<Found>, Trouble> {
        let Some(part) = self.catalogue.with(log == LogKind::Outcomes, through).cloned() else { return Ok(None) };
        Ok(self.part(&part)?.last_of(key, through)?)
    }

    /// The last records of all keys of an instrument up to that one; up to the end if it is behind it.
    pub(in crate::provenance) fn last_of_all(
        &mut self,
        log: LogKind,
        instrument: u32,
        through: u64,
    ) -> Result<Vec<Found>, Trouble> {
        let within = self.catalogue.with(log == LogKind::Outcomes, through).cloned();
        let last = self.parts(log).last().filter(|last| last.first_record + last.records <= through).cloned();
        let Some(part) = within.or(last) else { return Ok(Vec::new()) };
        Ok(self.part(&part)?.last_of_all(instrument, through)?)
    }

    /// All records of a key up to that one, in their order.
    pub(in crate::provenance) fn all_of(&mut self, log: LogKind, key: Key, through: u64) -> Result<Vec<u64>, Trouble> {
        let (mut all, mut through) = (Vec::new(), through);
        while let Some(part) = self.catalogue.with(log == LogKind::Outcomes, through).cloned() {
            let (mut here, before) = self.part(&part)?.all_of(key, through)?;
            here.append(&mut all);
            (all, through) = (here, before);
        }
        Ok(all)
    }

    /// The definitions of an instrument as they were at that input.
    pub(in crate::provenance) fn listings(&mut self, instrument: u32, through: u64) -> Result<Listings, Trouble> {
        let mut listings = Listings::default();
        self.define(&mut listings, instrument, through)?;
        Ok(listings)
    }

    /// Adds them to others.
    pub(in crate::provenance) fn define(
        &mut self,
        listings: &mut Listings,
        instrument: u32,
        through: u64,
    ) -> Result<(), Trouble> {
        let begins_with = self.catalogue.begins_with.as_deref().unwrap_or_default();
        let begin = begins_with.chunks_exact(size_of::<Event>()).map(bytemuck::pod_read_unaligned::<Event>);
        begin.filter(|event| event.instrument == instrument).for_each(|event| listings.observe(&event));
        let mut records = Vec::new();
        for kind in DEFINITIONS {
            records.extend(self.all_of(LogKind::Inputs, Key::of_definitions(instrument, kind), through)?);
        }
        records.sort_unstable();
        for record in records {
            listings.observe(&self.event(LogKind::Inputs, record)?);
        }
        Ok(())
    }

    /// Number of the record of an input.
    pub(in crate::provenance) fn record_of(&self, seq: u64) -> u64 {
        seq.saturating_sub(self.member.info.after())
    }

    /// All outcomes of an input, each with its number.
    pub(in crate::provenance) fn outcomes_of(&mut self, seq: u64) -> Result<Vec<(u64, Event)>, Trouble> {
        let ends_before = |part: &&PartInfo| EventId(part.last[0]).seq() < seq;
        let parts: Vec<PartInfo> = self.parts(LogKind::Outcomes).skip_while(ends_before).cloned().collect();
        let Some(part) = parts.first() else { return Ok(Vec::new()) };
        let (mut low, mut high) = (part.first_record, part.first_record + part.records);
        while low < high {
            let middle = low + (high - low) / 2;
            let event = self.event(LogKind::Outcomes, middle)?;
            if event.id.seq() < seq { low = middle + 1 } else { high = middle }
        }
        let (mut all, mut chunk, mut next) = (Vec::new(), [Event::zeroed(); 64], low);
        loop {
            let count = self.outcomes.read(next, &mut chunk)?;
            let own = chunk[..count].iter().take_while(|event| event.id.seq() == seq).count();
            all.extend((next..).zip(&chunk[..own]).map(|(record, event)| (record, *event)));
            next += own as u64;
            if count == 0 || own < count {
                return Ok(all);
            }
        }
    }
}
