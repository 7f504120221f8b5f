//! Packs a segment: its inputs by instrument, each instrument's as one run.
//!
//! First the model is chosen ([`super::predict`]), then the shapes are counted, then the runs are written, so the inputs are gone
//! through four times. Bound: the inputs twice, and their bytes. Worst case: more shapes than are listed; the rarest inputs are
//! stored as they are then.

use super::decode::{Head, RunAt};
use super::model::{
    Item, LONGEST, Lengths, Listed, MOST_SHAPES, Model, ORDER, PLACE, Predicted, RAW, RECORD, Shape, Slot, Words,
    bytes_of, folded, put_shape,
};
use super::predict::{Run, distance, follow, model};
use std::collections::HashMap;

/// A segment as it is stored.
pub(super) struct Encoded {
    /// The model and the directory of the runs.
    pub(super) head: Vec<u8>,
    /// The runs.
    pub(super) runs: Vec<u8>,
}

/// The numbers of an input that are stored, in order: place, record, words.
type Numbers = [u64; 10];

/// Where a run stands: the place and the record of its last input.
struct At {
    place: u64,
    record: u64,
}

impl At {
    /// Before a segment's first input.
    fn before(stream: &[Item]) -> At {
        At { place: stream[0][PLACE].wrapping_sub(1), record: stream[0][RECORD].wrapping_sub(1) }
    }

    /// How far the next input is: a place is told from the one behind the last, a record from as many records as places.
    fn step(&mut self, item: &Item) -> [u64; 2] {
        let places = item[PLACE].wrapping_sub(self.place);
        let record = self.record.wrapping_add(places);
        (self.place, self.record) = (item[PLACE], item[RECORD]);
        [places - 1, folded(distance(item[RECORD], record))]
    }
}

/// Packs the inputs of a segment, at least one; `keys` are their runs, 0 for the one that every reader needs.
pub(super) fn encode(stream: &[Item], keys: &[u32]) -> Encoded {
    let (items, ends) = by_run(stream, keys);
    let starts = std::iter::once(0).chain(ends.iter().map(|(_, end)| *end));
    let runs: Vec<Run<'_>> =
        starts.zip(&ends).map(|(start, (key, end))| Run { instrument: *key, items: &items[start..*end] }).collect();
    let mut model = model(stream, &runs);
    let numbers = take_shapes(&mut model, stream, &runs);
    write(model, stream, &runs, &numbers)
}

/// The inputs by run, and the end of each run with its key.
fn by_run(stream: &[Item], keys: &[u32]) -> (Vec<Item>, Vec<(u32, usize)>) {
    let most = keys.iter().max().map_or(0, |key| *key as usize);
    let mut next = vec![0_usize; most + 2];
    keys.iter().for_each(|key| next[*key as usize + 1] += 1);
    for key in 0..=most {
        next[key + 1] += next[key];
    }
    let mut items = vec![[0; 10]; stream.len()];
    for (item, key) in stream.iter().zip(keys) {
        items[next[*key as usize]] = *item;
        next[*key as usize] += 1;
    }
    // Each has moved to its end.
    let ends = (0..=most as u32).map(|key| (key, next[key as usize]));
    let mut ends: Vec<(u32, usize)> = ends.collect();
    ends.dedup_by_key(|(_, end)| *end);
    ends.retain(|(_, end)| *end > 0);
    (items, ends)
}

/// The numbers of an input's words, in the order in which they are stored.
fn numbers(slot: &Slot, words: &Words, predicted: &Predicted, step: [u64; 2]) -> Numbers {
    let mut numbers = [0; 10];
    (numbers[0], numbers[1]) = (step[0], step[1]);
    for (number, w) in numbers[2..].iter_mut().zip(ORDER) {
        let distance = distance(words[w], predicted[usize::from(slot.predictor[w])][w]);
        let unit = slot.unit[w] as i64;
        *number = folded(if unit == 1 { distance } else { distance / unit });
    }
    numbers
}

/// Lists the shapes, the most frequent first; returns the number of each input's shape.
fn take_shapes(model: &mut Model, stream: &[Item], runs: &[Run<'_>]) -> Vec<u16> {
    let mut met: HashMap<Shape, u32> = HashMap::new();
    let mut counted: Vec<(u64, Shape)> = Vec::new();
    let mut of: Vec<u32> = Vec::with_capacity(stream.len());
    for run in runs {
        let mut at = At::before(stream);
        follow(model, run, |item, head, slot, words, predicted| {
            let numbers = numbers(&model.slots[slot], words, predicted, at.step(item));
            let shape = Shape { head, lengths: numbers.map(bytes_of) };
            let number = *met.entry(shape).or_insert_with(|| {
                counted.push((0, shape));
                counted.len() as u32 - 1
            });
            counted[number as usize].0 += 1;
            of.push(number);
        });
    }
    let mut order: Vec<usize> = (0..counted.len()).collect();
    order.sort_unstable_by_key(|number| (std::cmp::Reverse(counted[*number].0), counted[*number].1));
    order.truncate(MOST_SHAPES - 1);
    let mut numbers = vec![RAW as u16; counted.len()];
    model.shapes = vec![Listed::raw()];
    for met in order {
        numbers[met] = model.shapes.len() as u16;
        let shape = counted[met].1;
        model.shapes.push(Listed { shape, slot: model.slot_of(shape.kind()) });
    }
    of.into_iter().map(|met| numbers[met as usize]).collect()
}

/// The bytes of a segment whose shapes are listed.
fn write(model: Model, stream: &[Item], runs: &[Run<'_>], shapes: &[u16]) -> Encoded {
    let (mut bytes, mut directory) = (Vec::with_capacity(stream.len() * 16), Vec::with_capacity(runs.len()));
    let mut shapes = shapes.iter();
    for run in runs {
        let (mut at, start) = (At::before(stream), bytes.len());
        follow(&model, run, |item, _, slot, words, predicted| {
            let shape = usize::from(*shapes.next().expect("each input has a shape"));
            let step = at.step(item);
            put_shape(&mut bytes, shape);
            match shape {
                RAW => put_raw(&mut bytes, item, step),
                _ => {
                    let numbers = numbers(&model.slots[slot], words, predicted, step);
                    put_numbers(&mut bytes, &numbers, &model.shapes[shape].shape.lengths);
                }
            }
        });
        let (inputs, offset) = (run.items.len() as u64, start as u64);
        let (len, crc) = ((bytes.len() - start) as u64, crc32c::crc32c(&bytes[start..]));
        directory.push(RunAt { instrument: run.instrument, inputs, offset, len, crc });
    }
    Encoded { head: Head { model, runs: directory }.write(), runs: bytes }
}

/// Stores an input as it is; its place comes first, as in any other.
fn put_raw(to: &mut Vec<u8>, item: &Item, [place, _]: [u64; 2]) {
    let words = [place, item[RECORD]].into_iter().chain(item[..RECORD].iter().copied());
    words.for_each(|word| to.extend(word.to_le_bytes()));
}

#[inline]
fn put_numbers(to: &mut Vec<u8>, numbers: &Numbers, lengths: &Lengths) {
    let (mut bytes, mut len) = ([0; LONGEST + 8], 0);
    for (number, length) in numbers.iter().zip(lengths) {
        bytes[len..len + 8].copy_from_slice(&number.to_le_bytes());
        len += usize::from(*length);
    }
    to.extend_from_slice(&bytes[..len]);
}
