//! Writes a packed file from the inputs of a source.
//!
//! Inputs are collected to a segment, which is packed and written when it is full. Which run an input belongs to is decided here:
//! that of its instrument, or the first one, which every reader needs. In there are inputs of the whole source, definitions,
//! whatever comes before the definition of its instrument, and groups of inputs that are of several instruments: what a reader
//! leaves out are whole groups. A segment ends with a group, unless one is longer than a segment.
//!
//! Bound: two segments of inputs at 80 bytes, and the names of the instruments. Worst case: a source that never ends a group,
//! whose inputs are all in the first run.

use super::encode::{Encoded, encode};
use super::end::{About, Contents, HEAD, SegmentAt, head, trailer};
use super::model::{Item, PLACE, RECORD, TIME};
use flow::records::Name;
use flow::{Event, EventId, Flags, Kind, LOCAL_INSTRUMENTS, NameSpace};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// Inputs in a segment.
pub const SEGMENT: usize = 1 << 20;

/// Packs inputs into `to`.
pub struct Packer<W> {
    to: W,
    /// Bytes written.
    at: u64,
    most: usize,
    items: Vec<Item>,
    /// The run of each.
    keys: Vec<u32>,
    group: Group,
    /// The pieces of names that are not complete yet.
    naming: BTreeMap<u32, Vec<u8>>,
    /// By local number.
    is_named: Vec<bool>,
    names: BTreeSet<(u32, String)>,
    inputs: u64,
    segments: Vec<SegmentAt>,
}

/// The group that is not complete yet.
#[derive(Default)]
struct Group {
    /// Its first input in the segment.
    first: usize,
    /// The run of its inputs so far; `None` before the first one.
    key: Option<u32>,
    is_mixed: bool,
}

impl<W: Write> Packer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(to: W) -> io::Result<Packer<W>> {
        Packer::with_segments(to, SEGMENT)
    }

    /// [`Packer::new`] with segments of `most` inputs, at least 1.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn with_segments(mut to: W, most: usize) -> io::Result<Packer<W>> {
        to.write_all(&head())?;
        Ok(Packer {
            to,
            at: HEAD,
            most: most.max(1),
            items: Vec::new(),
            keys: Vec::new(),
            group: Group::default(),
            naming: BTreeMap::new(),
            is_named: Vec::new(),
            names: BTreeSet::new(),
            inputs: 0,
            segments: Vec::new(),
        })
    }

    /// Inputs taken so far.
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// Takes the next input of the source, with its record.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn push(&mut self, event: &Event, record: u64) -> io::Result<()> {
        debug_assert!(event.id == EventId(0) && event.source == 0, "no input of a source: {event:?}");
        self.observe(event);
        let mut item = [0; 10];
        item[..RECORD].copy_from_slice(bytemuck::cast_ref::<Event, [u64; 8]>(event));
        (item[RECORD], item[PLACE]) = (record, self.inputs);
        let key = self.key(event);
        self.items.push(item);
        self.keys.push(key);
        self.inputs += 1;
        self.group.is_mixed |= *self.group.key.get_or_insert(key) != key;
        if event.flags.has(Flags::LAST_OF_GROUP) {
            self.close_group();
            self.group = Group { first: self.items.len(), ..Group::default() };
        }
        let is_full = self.items.len() >= self.most && self.group.key.is_none();
        if is_full || self.items.len() >= 2 * self.most { self.write_segment() } else { Ok(()) }
    }

    /// Ends the file: what the source says at its end, and what it is. Returns what was written to, and the contents.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish(mut self, about: About) -> io::Result<(W, Contents)> {
        self.close_group();
        if !self.items.is_empty() {
            self.write_segment()?;
        }
        let names = self.names.into_iter().collect();
        let contents = Contents { about, inputs: self.inputs, names, segments: self.segments };
        let end = contents.write();
        self.to.write_all(&end)?;
        self.to.write_all(&trailer(&end))?;
        self.to.flush()?;
        Ok((self.to, contents))
    }

    /// Learns the symbol that an input is a piece of.
    fn observe(&mut self, event: &Event) {
        let Some(name) = event.get::<Name>().filter(|name| name.space == NameSpace::Symbol as u8) else { return };
        let local = event.instrument;
        if local >= LOCAL_INSTRUMENTS {
            return;
        }
        let symbol = self.naming.entry(local).or_default();
        if name.part == 0 {
            symbol.clear();
        }
        symbol.extend_from_slice(&name.text[..usize::from(name.len).min(name.text.len())]);
        if u16::from(name.part) + 1 >= u16::from(name.parts) {
            let symbol = self.naming.remove(&local).unwrap_or_default();
            self.is_named.resize(self.is_named.len().max(local as usize + 1), false);
            self.is_named[local as usize] = true;
            self.names.insert((local, String::from_utf8_lossy(&symbol).into_owned()));
        }
    }

    /// The run that an input belongs to if its group does.
    fn key(&self, event: &Event) -> u32 {
        let defines = matches!(event.kind, Kind::Name | Kind::Listing | Kind::Contract);
        let is_named = self.is_named.get(event.instrument as usize).is_some_and(|is_named| *is_named);
        if is_named && !defines { event.instrument } else { 0 }
    }

    fn close_group(&mut self) {
        if self.group.is_mixed {
            self.keys[self.group.first..].fill(0);
        }
    }

    /// Writes what was collected. A group that goes on is one that every reader needs.
    fn write_segment(&mut self) -> io::Result<()> {
        if self.group.key.is_some() {
            self.group.is_mixed = true;
            self.close_group();
            self.group.first = 0;
        } else {
            self.group = Group::default();
        }
        let Encoded { head, runs } = encode(&self.items, &self.keys);
        self.to.write_all(&head)?;
        self.to.write_all(&runs)?;
        let times = || self.items.iter().map(|item| item[TIME]);
        self.segments.push(SegmentAt {
            offset: self.at,
            head_len: head.len() as u64,
            runs_len: runs.len() as u64,
            head_crc: crc32c::crc32c(&head),
            first_place: self.items[0][PLACE],
            inputs: self.items.len() as u64,
            first_record: self.items[0][RECORD],
            first_ts: times().min().unwrap_or(0),
            last_ts: times().max().unwrap_or(0),
        });
        self.at += (head.len() + runs.len()) as u64;
        self.items.clear();
        self.keys.clear();
        Ok(())
    }
}
