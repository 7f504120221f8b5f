//! Gives the inputs of a packed file in the order of the stream: all of them, or those of the instruments that are watched.
//!
//! A reader thread runs this. It learns from the decoder which symbols are watched before it reads anything, and reads only their
//! runs of each segment, and the first one. The places are gone through slice by slice: a run whose next input lies in the slice
//! unpacks into the slots of its places, then the slots are given in order. Runs wait in the list of the slice in which their next
//! input lies, so one without inputs there costs nothing.
//!
//! What it gives is a row of items of 80 bytes: event, record, place. One whose place is [`MARK`] says that what follows was
//! chosen anew, or that all was given. Behind that there is padding until the decoder has seen it, so that a choice that changes
//! near the end still finds a reader. Bound: the wanted runs of one segment, their last inputs by kind, and [`SLICE`] slots. Worst
//! case: another choice, which reads the rest of a segment again.

use super::decode::{BEHIND, Cursor, Head, Impossible, RunAt};
use super::end::{Contents, SegmentAt};
use super::model::{Item, Words};
use super::store::{Store, fault};
use flow::Selection;
use prefetch_index::prefetch_index;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};

/// Places in a slice.
pub(super) const SLICE: usize = 1 << 13;
/// The place of an item that is no input.
pub(super) const MARK: u64 = u64::MAX;
/// What its first word says: what follows belongs to the choice whose number is its record; or all was given.
pub(super) const CHOSEN: u64 = 1;
pub(super) const ALL: u64 = 2;
/// Bytes between two wanted runs that are read with them rather than skipped.
const NEAR: u64 = 16 << 10;

/// How many runs ahead memory is prefetched: what their inputs need, and twice as far the cursors that say what that is.
const AHEAD: usize = 6;
/// Items of padding at once.
const PADDING: usize = 64;

/// What the decoder asks for.
pub(super) enum Ask {
    /// The inputs from a place on, of what is watched. The choices are numbered.
    Choose(u64, u64, Selection),
    /// Nothing more.
    Done,
}

/// No run.
const NONE: u32 = u32::MAX;

/// The stream.
pub(super) struct Unpacked<S> {
    store: S,
    contents: Arc<Contents>,
    asks: Receiver<Ask>,
    has_begun: bool,
    next: Next,
    /// Which local numbers are wanted; `None` = all.
    wanted: Option<Vec<bool>>,
    /// The first place that is wanted.
    from: u64,
    segment: Segment,
    slots: Vec<Item>,
    /// The slots of this slice that are filled, one bit each.
    filled: [u64; SLICE / 64],
    /// Bytes of the slots that are given next.
    out: Range<usize>,
}

/// What comes next.
enum Next {
    /// The mark of the choice of this number, then that segment.
    Mark(u64, usize),
    Segment(usize),
    Slice(usize, usize),
    Padding,
    Nothing,
}

/// The wanted runs of a segment.
#[derive(Default)]
struct Segment {
    bytes: Vec<u8>,
    head: Option<Head>,
    cursors: Vec<Cursor>,
    /// What the runs remember of their inputs.
    memory: Vec<Words>,
    /// Of each run the one behind it in the list of its slice.
    behind: Vec<u32>,
    /// The first run of each slice.
    slices: Vec<u32>,
    /// The runs of the slice that is unpacked.
    now: Vec<u32>,
}

impl<S: Store> Unpacked<S> {
    pub(super) fn new(store: S, contents: Arc<Contents>, asks: Receiver<Ask>) -> Unpacked<S> {
        Unpacked {
            store,
            contents,
            asks,
            has_begun: false,
            next: Next::Nothing,
            wanted: None,
            from: 0,
            segment: Segment::default(),
            slots: vec![[0; 10]; SLICE],
            filled: [0; SLICE / 64],
            out: 0..0,
        }
    }

    /// Takes what the decoder asks for.
    fn listen(&mut self) {
        let asked = if self.has_begun {
            self.asks.try_recv()
        } else {
            self.has_begun = true;
            self.asks.recv().map_err(|_| TryRecvError::Disconnected)
        };
        match asked {
            Ok(Ask::Choose(number, from, watched)) => {
                let segments = &self.contents.segments;
                let first = segments.partition_point(|at| at.first_place + at.inputs <= from);
                self.wanted = wanted(&self.contents, &watched);
                (self.from, self.next, self.out) = (from, Next::Mark(number, first), 0..0);
            }
            Ok(Ask::Done) | Err(TryRecvError::Disconnected) => (self.next, self.out) = (Next::Nothing, 0..0),
            Err(TryRecvError::Empty) => {}
        }
    }

    /// Has `out` say what comes next, or nothing yet.
    fn advance(&mut self) -> io::Result<()> {
        match self.next {
            Next::Mark(number, segment) => {
                self.mark(CHOSEN, number);
                self.next = Next::Segment(segment);
            }
            Next::Segment(number) if number == self.contents.segments.len() => {
                self.mark(ALL, 0);
                self.next = Next::Padding;
            }
            Next::Segment(number) => {
                self.load(number)?;
                self.next = Next::Slice(number, 0);
            }
            Next::Slice(number, slice) => {
                self.slice(number, slice)?;
                let is_last = (slice + 1) * SLICE >= self.contents.segments[number].inputs as usize;
                self.next = if is_last { Next::Segment(number + 1) } else { Next::Slice(number, slice + 1) };
            }
            Next::Padding => {
                self.slots[..PADDING].fill([0; 10]);
                self.out = 0..PADDING * size_of::<Item>();
            }
            Next::Nothing => {}
        }
        Ok(())
    }

    fn mark(&mut self, what: u64, number: u64) {
        self.slots[0] = [what, 0, 0, 0, 0, 0, 0, 0, number, MARK];
        self.out = 0..size_of::<Item>();
    }

    /// Reads the wanted runs of a segment.
    fn load(&mut self, number: usize) -> io::Result<()> {
        let contents = Arc::clone(&self.contents);
        let (at, name) = (&contents.segments[number], self.store.name());
        let damaged =
            |what: String| fault(format!("{name}: segment {} of {}, {what}", number + 1, contents.segments.len()));
        let mut bytes = vec![0; at.head_len as usize];
        self.store.read_at(&mut bytes, at.offset)?;
        let head =
            (crc32c::crc32c(&bytes) == at.head_crc).then(|| Head::read(&bytes, at.runs_len, at.inputs)).flatten();
        let head = head.ok_or_else(|| damaged("its head is damaged".to_owned()))?;
        let is_wanted = |run: &&RunAt| {
            let local = run.instrument as usize;
            local == 0 || self.wanted.as_ref().is_none_or(|wanted| wanted.get(local).is_some_and(|w| *w))
        };
        let wanted: Vec<&RunAt> = head.runs.iter().filter(is_wanted).collect();
        let segment = &mut self.segment;
        let places = read_runs(&mut self.store, at, &wanted, &mut segment.bytes)?;
        segment.begin(at, &head, &wanted, &places);
        for (run, place) in wanted.iter().zip(places) {
            if crc32c::crc32c(&segment.bytes[place]) != run.crc {
                let of = if run.instrument == 0 { "the source" } else { contents.symbol(run.instrument) };
                let first = at.offset + at.head_len + run.offset;
                let what = format!("the inputs of {of} are damaged, between bytes {first} and {}", first + run.len);
                return Err(damaged(what).into());
            }
        }
        segment.head = Some(head);
        segment.look_at_all(at).map_err(|Impossible| damaged("its runs do not fit into it".to_owned()).into())
    }

    /// Fills the slots of a slice and says which bytes of them are to be given.
    fn slice(&mut self, number: usize, slice: usize) -> io::Result<()> {
        let at = &self.contents.segments[number];
        let first = at.first_place + (slice * SLICE) as u64;
        let places = (at.inputs as usize - slice * SLICE).min(SLICE);
        self.filled = [0; SLICE / 64];
        let unpacked = self.segment.unpack(at, slice, &mut self.slots, &mut self.filled);
        let skipped = self.from.saturating_sub(first).min(places as u64) as usize;
        let all = unpacked.ok().filter(|given| self.wanted.is_some() || *given == places);
        if all.is_none() {
            let what = format!("{}: segment {}, its inputs do not fill their places", self.store.name(), number + 1);
            return Err(fault(what).into());
        }
        let given = if all == Some(places) { skipped..places } else { 0..self.compact(skipped) };
        self.out = given.start * size_of::<Item>()..given.end * size_of::<Item>();
        Ok(())
    }

    /// Moves the filled slots from the one `skipped` on together; returns how many there are.
    fn compact(&mut self, skipped: usize) -> usize {
        let mut given = 0;
        for (word, bits) in self.filled.iter().enumerate() {
            let mut bits = *bits;
            while bits != 0 {
                let slot = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if slot >= skipped {
                    self.slots[given] = self.slots[slot];
                    given += 1;
                }
            }
        }
        given
    }
}

impl Segment {
    /// Cursors for the wanted runs, whose bytes lie at these places.
    fn begin(&mut self, at: &SegmentAt, head: &Head, wanted: &[&RunAt], places: &[Range<usize>]) {
        self.cursors.clear();
        self.memory.clear();
        let before = [at.first_place.wrapping_sub(1), at.first_record.wrapping_sub(1)];
        for (run, place) in wanted.iter().zip(places) {
            self.cursors.push(Cursor::new(run, place.clone(), &head.model, before, &mut self.memory));
        }
        self.behind = vec![NONE; wanted.len()];
        self.slices = vec![NONE; (at.inputs as usize).div_ceil(SLICE)];
    }

    /// Puts each run into the list of the slice in which its first input lies.
    fn look_at_all(&mut self, at: &SegmentAt) -> Result<(), Impossible> {
        let model = &self.head.as_ref().ok_or(Impossible)?.model;
        for (run, cursor) in self.cursors.iter_mut().enumerate() {
            cursor.look(&self.bytes, model, at.first_place + at.inputs)?;
            wait(run, cursor, at, &mut self.behind, &mut self.slices);
        }
        Ok(())
    }

    /// Unpacks the inputs of a slice into the slots of their places; returns how many there are.
    fn unpack(
        &mut self,
        at: &SegmentAt,
        slice: usize,
        slots: &mut [Item],
        filled: &mut [u64; SLICE / 64],
    ) -> Result<usize, Impossible> {
        let Segment { bytes, head, cursors, memory, behind, slices, now, .. } = self;
        let model = &head.as_ref().ok_or(Impossible)?.model;
        let (first, end) = (at.first_place + (slice * SLICE) as u64, at.first_place + at.inputs);
        let until = first + SLICE as u64;
        now.clear();
        let mut run = slices[slice];
        while run != NONE {
            now.push(run);
            run = behind[run as usize];
        }
        let mut given = 0;
        for (i, run) in now.iter().enumerate() {
            if let Some(run) = now.get(i + 2 * AHEAD) {
                prefetch_index(cursors.as_slice(), *run as usize);
            }
            if let Some(run) = now.get(i + AHEAD) {
                cursors[*run as usize].prefetch(bytes, model, memory);
            }
            let cursor = &mut cursors[*run as usize];
            while let Some(place) = cursor.place().filter(|place| *place < until) {
                let slot = (place - first) as usize % SLICE;
                let (word, bit) = (&mut filled[slot / 64], 1 << (slot % 64));
                if *word & bit != 0 {
                    return Err(Impossible);
                }
                *word |= bit;
                cursor.take(bytes, model, memory, &mut slots[slot])?;
                cursor.look(bytes, model, end)?;
                given += 1;
            }
            wait(*run as usize, cursor, at, behind, slices);
        }
        Ok(given)
    }
}

/// Puts a run into the list of the slice in which its next input lies, if one is left.
#[inline]
fn wait(run: usize, cursor: &Cursor, at: &SegmentAt, behind: &mut [u32], slices: &mut [u32]) {
    if let Some(place) = cursor.place() {
        let first = &mut slices[(place - at.first_place) as usize / SLICE];
        behind[run] = std::mem::replace(first, run as u32);
    }
}

/// Reads the wanted runs of a segment, those that lie near each other at once; returns where in `bytes` each lies.
fn read_runs(
    store: &mut dyn Store,
    at: &SegmentAt,
    wanted: &[&RunAt],
    bytes: &mut Vec<u8>,
) -> io::Result<Vec<Range<usize>>> {
    bytes.clear();
    let (mut places, start) = (Vec::with_capacity(wanted.len()), at.offset + at.head_len);
    for near in wanted.chunk_by(|a, b| b.offset - (a.offset + a.len) <= NEAR) {
        let (first, last) = (near[0].offset, &near[near.len() - 1]);
        let (begun, len) = (bytes.len(), (last.offset + last.len - first) as usize);
        bytes.resize(begun + len, 0);
        store.read_at(&mut bytes[begun..], start + first)?;
        places.extend(near.iter().map(|run| {
            let begin = begun + (run.offset - first) as usize;
            begin..begin + run.len as usize
        }));
    }
    bytes.resize(bytes.len() + BEHIND, 0);
    Ok(places)
}

/// The local numbers that are wanted; `None` = all.
fn wanted(contents: &Contents, watched: &Selection) -> Option<Vec<bool>> {
    if watched.is_everything() {
        return None;
    }
    let most = contents.names.last().map_or(0, |(local, _)| *local as usize);
    let mut wanted = vec![false; most + 1];
    for (local, symbol) in &contents.names {
        wanted[*local as usize] |= watched.has(symbol);
    }
    Some(wanted)
}

impl<S: Store> Read for Unpacked<S> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        // An item of which a part was given is given whole.
        if self.out.start.is_multiple_of(size_of::<Item>()) {
            self.listen();
        }
        while self.out.is_empty() {
            match self.next {
                Next::Nothing => return Ok(0),
                _ => self.advance()?,
            }
        }
        let from = &bytemuck::cast_slice::<Item, u8>(&self.slots)[self.out.clone()];
        let n = from.len().min(to.len());
        to[..n].copy_from_slice(&from[..n]);
        self.out.start += n;
        Ok(n)
    }
}
