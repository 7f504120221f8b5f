//! How one input is told from those before it: the model of a segment, which packing and unpacking share.
//!
//! An input is eight words of eight bytes, its record and its place. Each word is stored as its distance from a prediction,
//! divided by a unit, in as few bytes as hold it, often none. What is predicted is chosen for each kind and word: nothing, the
//! same word of the run's last input, that of its last input of the same kind, or this input's time. The unit is the greatest
//! common divisor of all distances, so prices cost ticks. Header and lengths together are the input's shape; a segment lists
//! its shapes, and an input begins with the number of its own. Whatever no shape holds is stored as it is ([`RAW`]).
//!
//! Bound: [`SLOTS`] kinds are told apart, [`MOST_SHAPES`] shapes listed. Worst case: an input without a shape, 81 bytes.

use super::fields::{Fields, put};
use flow::{Kind, kind_info};

/// An input: the words of its event, its record and its place in the stream.
pub(super) type Item = [u64; 10];
/// Where an item has its record and its place.
pub(super) const RECORD: usize = 8;
pub(super) const PLACE: usize = 9;

/// The words of an event, of which [`WHO`] has the instrument alone.
pub(super) type Words = [u64; 8];
/// The words with the time, and with instrument, kind, source and flags.
pub(super) const TIME: usize = 1;
pub(super) const WHO: usize = 2;
/// The words in the order in which they are stored: the time comes first, since others are predicted from it.
pub(super) const ORDER: [usize; 8] = [TIME, 0, WHO, 3, 4, 5, 6, 7];
/// Lengths of an input: place, record, and the words in their order.
pub(super) type Lengths = [u8; 10];

/// Kinds that are told apart; all others are one more.
pub(super) const SLOTS: usize = 15;
/// Number of the shape of an input that is stored as it is.
pub(super) const RAW: usize = 0;
/// Shapes below this number take one byte.
const SHORT: usize = 192;
/// The most shapes, [`RAW`] included.
pub(super) const MOST_SHAPES: usize = SHORT + (256 - SHORT) * 256;
/// The most bytes of an input.
pub(super) const LONGEST: usize = 2 + 80;

/// What a word is told from: nothing, the run's last input, its last input of this kind, the time of this input.
pub(super) const PREDICTORS: usize = 4;
pub(super) const NOTHING: u8 = 0;
pub(super) const LAST: u8 = 1;
pub(super) const OF_KIND: u8 = 2;

/// The four predictions of each word.
pub(super) type Predicted = [Words; PREDICTORS];

/// How the inputs of one kind are predicted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slot {
    /// What the first input of a run is predicted from.
    pub(super) base: Words,
    pub(super) predictor: [u8; 8],
    pub(super) unit: Words,
}

/// Header and lengths of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Shape {
    /// Kind, source and flags.
    pub(super) head: u32,
    pub(super) lengths: Lengths,
}

/// A shape with the slot of its kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Listed {
    pub(super) shape: Shape,
    pub(super) slot: usize,
}

/// The model of a segment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Model {
    /// The kinds of the slots but the last, which is for all others.
    pub(super) kinds: Vec<u8>,
    pub(super) slots: Vec<Slot>,
    /// What the first input of a run has as its last one.
    pub(super) start: Words,
    /// The shapes by number; the first stands for [`RAW`].
    pub(super) shapes: Vec<Listed>,
}

/// Header and words of an item's event.
pub(super) fn words_of(item: &Item) -> (u32, Words) {
    let mut words = *item.first_chunk().expect("an item has more words");
    let head = (words[WHO] >> 32) as u32;
    words[WHO] &= u64::from(u32::MAX);
    (head, words)
}

/// The word that holds a header and an instrument.
#[inline(always)]
pub(super) fn joined(head: u32, instrument: u64) -> u64 {
    u64::from(head) << 32 | instrument & u64::from(u32::MAX)
}

/// Whether a header is one that a source's inputs have.
pub(super) fn is_input(head: u32) -> bool {
    let [kind, source, ..] = head.to_le_bytes();
    source == 0 && kind_info(Kind(kind)).is_some()
}

/// A signed number so that small ones have few bytes.
pub(super) fn folded(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

/// The reverse of [`folded`].
#[inline(always)]
pub(super) fn unfolded(number: u64) -> u64 {
    number >> 1 ^ (number & 1).wrapping_neg()
}

/// How many bytes hold it.
pub(super) fn bytes_of(number: u64) -> u8 {
    (u64::BITS - number.leading_zeros()).div_ceil(8) as u8
}

impl Shape {
    pub(super) fn kind(self) -> u8 {
        self.head as u8
    }
}

impl Model {
    /// The slot of a kind.
    pub(super) fn slot_of(&self, kind: u8) -> usize {
        self.kinds.iter().position(|k| *k == kind).unwrap_or(self.kinds.len())
    }

    /// What a run of this instrument begins with: its last input, and the last ones by slot.
    pub(super) fn begin(&self, instrument: u32, kinds: &mut Vec<Words>) -> Words {
        let of = |words: &Words| {
            let mut words = *words;
            words[WHO] = u64::from(instrument);
            words
        };
        kinds.extend(self.slots.iter().map(|slot| of(&slot.base)));
        of(&self.start)
    }

    /// Appends it to the head of a segment.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        let put_words = |to: &mut Vec<u8>, words: &Words| words.iter().for_each(|w| to.extend(w.to_le_bytes()));
        to.push(self.kinds.len() as u8);
        to.extend(&self.kinds);
        put_words(to, &self.start);
        for slot in &self.slots {
            put_words(to, &slot.base);
            to.extend(slot.predictor);
            slot.unit.iter().for_each(|unit| put(to, *unit));
        }
        put(to, self.shapes.len() as u64 - 1);
        for Listed { shape, .. } in &self.shapes[1..] {
            to.extend(shape.head.to_le_bytes());
            let pairs = shape.lengths.as_chunks::<2>().0.iter();
            to.extend(pairs.map(|[low, high]| low | high << 4));
        }
    }

    /// Reads it from the head of a segment; `None` if it is none.
    pub(super) fn read(from: &mut Fields<'_>) -> Option<Model> {
        let words = |from: &mut Fields<'_>| -> Option<Words> {
            let mut words = [0; 8];
            for word in &mut words {
                *word = from.u64()?;
            }
            Some(words)
        };
        let count = usize::from(from.byte()?);
        if count > SLOTS {
            return None;
        }
        let kinds = from.take(count)?.to_vec();
        let start = words(from)?;
        let mut slots = Vec::with_capacity(count + 1);
        for _ in 0..=count {
            let (base, predictor, mut unit) = (words(from)?, from.array()?, [0; 8]);
            for unit in &mut unit {
                *unit = from.number()?;
            }
            slots.push(Slot { base, predictor, unit });
        }
        if slots.iter().any(|slot| slot.predictor.iter().any(|p| usize::from(*p) >= PREDICTORS)) {
            return None;
        }
        let mut model = Model { kinds, slots, start, shapes: vec![Listed::raw()] };
        let shapes = from.count(9)?;
        if shapes >= MOST_SHAPES {
            return None;
        }
        for _ in 0..shapes {
            let (head, packed) = (from.u32()?, from.array::<5>()?);
            let lengths = std::array::from_fn(|i| packed[i / 2] >> (4 * (i % 2)) & 15);
            if lengths.iter().any(|length| *length > 8) || !is_input(head) {
                return None;
            }
            let shape = Shape { head, lengths };
            model.shapes.push(Listed { shape, slot: model.slot_of(shape.kind()) });
        }
        Some(model)
    }
}

impl Listed {
    pub(super) fn raw() -> Listed {
        Listed { shape: Shape { head: 0, lengths: [0; 10] }, slot: 0 }
    }
}

/// The number of a shape as it is stored.
pub(super) fn put_shape(to: &mut Vec<u8>, number: usize) {
    match number.checked_sub(SHORT) {
        None => to.push(number as u8),
        Some(long) => to.extend([(SHORT + long / 256) as u8, long as u8]),
    }
}

/// The number of the shape that begins with these two bytes, and how many it takes.
#[inline(always)]
pub(super) fn shape_number(first: u8, second: u8) -> (usize, usize) {
    let short = usize::from(first);
    if short < SHORT { (short, 1) } else { (SHORT + (short - SHORT) * 256 + usize::from(second), 2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_shape_come_back() {
        for number in [0, 1, -1, 5, -300, i64::MAX, i64::MIN, i64::MIN + 1] {
            assert_eq!(unfolded(folded(number)) as i64, number);
        }
        assert_eq!([0, 1, 255, 256, u64::MAX].map(bytes_of), [0, 1, 1, 2, 8]);
        for number in [0, 1, SHORT - 1, SHORT, SHORT + 1, SHORT + 256, MOST_SHAPES - 1] {
            let mut bytes = Vec::new();
            put_shape(&mut bytes, number);
            let len = bytes.len();
            bytes.push(7);
            assert_eq!(shape_number(bytes[0], bytes[1]), (number, len));
        }
    }

    #[test]
    fn a_model_comes_back_and_a_cut_one_does_not() {
        let slot = |n: u64| Slot { base: [n; 8], predictor: [0, 1, 2, 3, 0, 1, 2, 3], unit: [1 + n * 1_000; 8] };
        let shape = Shape { head: 0x1234_0001, lengths: [0, 1, 2, 3, 4, 5, 6, 7, 8, 0] };
        let listed = Listed { shape, slot: 1 };
        let model =
            Model { kinds: vec![3], slots: vec![slot(0), slot(9)], start: [4; 8], shapes: vec![Listed::raw(), listed] };
        let mut bytes = Vec::new();
        model.write(&mut bytes);
        assert_eq!(Model::read(&mut Fields(&bytes)), Some(model));
        assert!((0..bytes.len()).all(|cut| Model::read(&mut Fields(&bytes[..cut])).is_none()));
    }
}
