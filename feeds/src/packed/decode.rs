//! Unpacks a segment: its head, and its runs input by input.
//!
//! The bytes of a run are believed once their checksum is right, and even then an input that would leave its run or its segment
//! is a fault and no panic, so a file that was made to deceive is refused as one that was damaged. Bound: a run has a cursor and
//! the last inputs by kind, [`super::model::SLOTS`] and one more. An input costs two loads and an addition a word; no loop goes
//! over its bytes.

use super::fields::{Fields, put};
use super::model::{
    Item, LONGEST, Listed, Model, ORDER, PLACE, PREDICTORS, Predicted, RAW, RECORD, Slot, TIME, WHO, Words, is_input,
    joined, shape_number, unfolded,
};
use flow::LOCAL_INSTRUMENTS;
use prefetch_index::prefetch_index;

/// Bytes that must follow the last run in memory, so that every load has eight bytes.
pub(super) const BEHIND: usize = LONGEST + 16;

/// A run in the directory of its segment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RunAt {
    /// 0 = the one that every reader needs.
    pub(super) instrument: u32,
    pub(super) inputs: u64,
    /// Where it begins, behind the head.
    pub(super) offset: u64,
    pub(super) len: u64,
    pub(super) crc: u32,
}

/// The head of a segment.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) model: Model,
    pub(super) runs: Vec<RunAt>,
}

impl Head {
    /// Reads a head whose runs take `len` bytes and have `inputs` inputs; `None` if it is none.
    pub(super) fn read(bytes: &[u8], len: u64, inputs: u64) -> Option<Head> {
        let mut fields = Fields(bytes);
        let model = Model::read(&mut fields)?;
        let (mut runs, mut instrument, mut offset, mut all) = (Vec::new(), 0_u32, 0_u64, 0_u64);
        for i in 0..fields.count(7)? {
            let step = u32::try_from(fields.number()?).ok()?;
            instrument = instrument.checked_add(step)?;
            let (inputs, len, crc) = (fields.number()?, fields.number()?, fields.u32()?);
            if (i > 0 && step == 0) || instrument >= LOCAL_INSTRUMENTS || inputs > len {
                return None;
            }
            runs.push(RunAt { instrument, inputs, offset, len, crc });
            (offset, all) = (offset.checked_add(len)?, all.checked_add(inputs)?);
        }
        (fields.0.is_empty() && offset == len && all == inputs).then_some(Head { model, runs })
    }
}

impl Head {
    /// The bytes of a head.
    pub(super) fn write(&self) -> Vec<u8> {
        let (mut to, mut previous) = (Vec::new(), 0);
        self.model.write(&mut to);
        put(&mut to, self.runs.len() as u64);
        for run in &self.runs {
            [u64::from(run.instrument - previous), run.inputs, run.len].into_iter().for_each(|n| put(&mut to, n));
            to.extend(run.crc.to_le_bytes());
            previous = run.instrument;
        }
        to
    }
}

/// A run that is being unpacked: one line of the cache.
#[repr(align(64))]
pub(super) struct Cursor {
    at: usize,
    end: usize,
    /// Inputs of it that are left, the next one included.
    left: u64,
    /// Number of the next input's shape.
    shape: usize,
    /// The place of the next input, if one is left.
    place: u64,
    /// Where the last one stood.
    last_place: u64,
    record: u64,
    /// Its last input lies here, and behind it its last ones by slot.
    memory: usize,
}

const _: () = assert!(size_of::<Cursor>() == 64);

/// Why an input cannot be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Impossible;

impl Cursor {
    /// The start of a run, whose bytes lie there in the memory that [`Cursor::take`] is given, with [`BEHIND`] more behind them.
    /// `before` are place and record before the segment's first input.
    pub(super) fn new(
        run: &RunAt,
        bytes: std::ops::Range<usize>,
        model: &Model,
        before: [u64; 2],
        memory: &mut Vec<Words>,
    ) -> Cursor {
        let first = memory.len();
        memory.push([0; 8]);
        memory[first] = model.begin(run.instrument, memory);
        let [last_place, record] = before;
        let (at, end) = (bytes.start, bytes.end);
        Cursor { at, end, left: run.inputs, shape: RAW, place: 0, last_place, record, memory: first }
    }

    /// Has what the next input needs brought into the cache.
    #[inline(always)]
    pub(super) fn prefetch(&self, bytes: &[u8], model: &Model, memory: &[Words]) {
        prefetch_index(bytes, self.at);
        prefetch_index(memory, self.memory);
        prefetch_index(memory, self.memory + 1 + model.shapes.get(self.shape).map_or(0, |listed| listed.slot));
    }

    /// The place of the next input.
    #[inline(always)]
    pub(super) fn place(&self) -> Option<u64> {
        (self.left > 0).then_some(self.place)
    }

    /// Looks at the next input, if one is left: its shape and its place, which must be below `end`.
    #[inline(always)]
    pub(super) fn look(&mut self, bytes: &[u8], model: &Model, end: u64) -> Result<(), Impossible> {
        if self.left == 0 {
            return if self.at == self.end { Ok(()) } else { Err(Impossible) };
        }
        if self.at >= self.end {
            return Err(Impossible);
        }
        let (shape, len) = shape_number(bytes[self.at], bytes[self.at + 1]);
        let listed = model.shapes.get(shape).ok_or(Impossible)?;
        let place_len = if shape == RAW { 8 } else { usize::from(listed.shape.lengths[0]) };
        let skipped = load(bytes, self.at + len, place_len);
        self.at += len + place_len;
        self.shape = shape;
        self.place = self.last_place.wrapping_add(1).checked_add(skipped).ok_or(Impossible)?;
        if self.place < end { Ok(()) } else { Err(Impossible) }
    }

    /// Takes the input that was looked at.
    #[inline(always)]
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        model: &Model,
        memory: &mut [Words],
        to: &mut Item,
    ) -> Result<(), Impossible> {
        let places = self.place.wrapping_sub(self.last_place);
        let Listed { shape, slot } = model.shapes[self.shape];
        if self.shape == RAW {
            self.take_raw(bytes, model, memory, to)?;
        } else {
            let record_len = usize::from(shape.lengths[1]);
            let moved = unfolded(load(bytes, self.at, record_len));
            self.at += record_len;
            self.record = self.record.wrapping_add(places).wrapping_add(moved);
            let (last, of_kind) = (self.memory, self.memory + 1 + slot);
            let before = [&memory[last], &memory[of_kind]];
            let (words, at) = words(bytes, self.at, &model.slots[slot], &shape.lengths, before);
            (memory[last], memory[of_kind], self.at) = (words, words, at);
            to[..RECORD].copy_from_slice(&words);
            to[WHO] = joined(shape.head, words[WHO]);
        }
        (to[RECORD], to[PLACE]) = (self.record, self.place);
        self.last_place = self.place;
        self.left -= 1;
        // An input has no number yet.
        if to[0] == 0 { Ok(()) } else { Err(Impossible) }
    }

    #[cold]
    fn take_raw(&mut self, bytes: &[u8], model: &Model, memory: &mut [Words], to: &mut Item) -> Result<(), Impossible> {
        self.record = load(bytes, self.at, 8);
        for (i, word) in to[..RECORD].iter_mut().enumerate() {
            *word = load(bytes, self.at + 8 + 8 * i, 8);
        }
        self.at += 8 + 8 * RECORD;
        let (head, words) = super::model::words_of(to);
        (memory[self.memory], memory[self.memory + 1 + model.slot_of(head as u8)]) = (words, words);
        if is_input(head) { Ok(()) } else { Err(Impossible) }
    }
}

/// The words of an input from `at` on, and where it ends.
#[inline(always)]
fn words(bytes: &[u8], mut at: usize, slot: &Slot, lengths: &[u8; 10], [last, of_kind]: [&Words; 2]) -> (Words, usize) {
    let mut predicted: Predicted = [[0; 8], *last, *of_kind, [0; 8]];
    let mut words = [0; 8];
    for (w, length) in ORDER.into_iter().zip(&lengths[2..]) {
        let length = usize::from(*length);
        let moved = unfolded(load(bytes, at, length)).wrapping_mul(slot.unit[w]);
        at += length;
        words[w] = predicted[usize::from(slot.predictor[w]) & (PREDICTORS - 1)][w].wrapping_add(moved);
        if w == TIME {
            predicted[PREDICTORS - 1] = [words[TIME]; 8];
        }
    }
    (words, at)
}

/// A number of up to eight bytes.
#[inline(always)]
fn load(bytes: &[u8], at: usize, len: usize) -> u64 {
    /// What of eight bytes belongs to a number of so many.
    const MASKS: [u64; 16] = [
        0,
        0xff,
        0xffff,
        0xff_ffff,
        0xffff_ffff,
        0xff_ffff_ffff,
        0xffff_ffff_ffff,
        0xff_ffff_ffff_ffff,
        !0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ];
    let eight = bytes[at..].first_chunk().expect("eight bytes follow every number");
    u64::from_le_bytes(*eight) & MASKS[len & 15]
}
