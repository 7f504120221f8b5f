//! Chooses, for a segment, what each word of each kind is predicted from, and in which unit.
//!
//! By measurement: for a part of the inputs the bytes that each choice would take are summed, and the least is taken. The units
//! are then the divisors over all inputs, so that every distance is a whole number of them. Bound: [`SAMPLE`] inputs are
//! measured. Worst case: data whose nature changes within a segment, which is stored in more bytes than necessary.

use super::model::{
    Item, LAST, Model, NOTHING, OF_KIND, PREDICTORS, Predicted, SLOTS, Slot, TIME, Words, bytes_of, folded, words_of,
};

/// About how many inputs are measured, and how many of one run.
const SAMPLE: usize = 1 << 15;
const OF_A_RUN: usize = 1 << 12;

/// The inputs of one instrument in a segment, in order.
pub(super) struct Run<'a> {
    /// 0 = those of the source, and all that every reader needs.
    pub(super) instrument: u32,
    pub(super) items: &'a [Item],
}

/// The predictions for an input, from the last one and the last of its kind.
pub(super) fn predictions(words: &Words, last: &Words, of_kind: &Words) -> Predicted {
    let mut time = [words[TIME]; 8];
    // The time itself cannot be told from the time.
    time[TIME] = 0;
    [[0; 8], *last, *of_kind, time]
}

/// Calls `each` on every input of a run with its header, words and predictions.
pub(super) fn follow(model: &Model, run: &Run<'_>, mut each: impl FnMut(&Item, u32, usize, &Words, &Predicted)) {
    let mut kinds = Vec::with_capacity(model.slots.len());
    let mut last = model.begin(run.instrument, &mut kinds);
    let mut slots = [model.kinds.len(); 256];
    model.kinds.iter().enumerate().for_each(|(slot, kind)| slots[usize::from(*kind)] = slot);
    for item in run.items {
        let (head, words) = words_of(item);
        let slot = slots[usize::from(head as u8)];
        each(item, head, slot, &words, &predictions(&words, &last, &kinds[slot]));
        (last, kinds[slot]) = (words, words);
    }
}

/// What a word is, told from a prediction.
#[inline]
pub(super) fn distance(word: u64, predicted: u64) -> i64 {
    word.wrapping_sub(predicted) as i64
}

/// The model of a segment's inputs, in the order of the stream and by runs; its shapes are not listed yet.
pub(super) fn model(stream: &[Item], runs: &[Run<'_>]) -> Model {
    let mut model = begun(stream);
    let sampled = sample(runs);
    let mut units = vec![[[0; 8]; PREDICTORS]; model.slots.len()];
    for run in &sampled {
        follow(&model, run, |_, _, slot, words, predicted| {
            for (unit, predicted) in units[slot].iter_mut().zip(predicted) {
                (0..8).for_each(|w| divide(&mut unit[w], distance(words[w], predicted[w])));
            }
        });
    }
    let mut costs = vec![[[0_u64; 8]; PREDICTORS]; model.slots.len()];
    for run in &sampled {
        follow(&model, run, |_, _, slot, words, predicted| {
            for ((cost, unit), predicted) in costs[slot].iter_mut().zip(&units[slot]).zip(predicted) {
                for w in 0..8 {
                    let distance = distance(words[w], predicted[w]) / whole(unit[w]) as i64;
                    cost[w] += u64::from(bytes_of(folded(distance)));
                }
            }
        });
    }
    for (slot, costs) in model.slots.iter_mut().zip(&costs) {
        for (w, predictor) in slot.predictor.iter_mut().enumerate() {
            let best = (0..PREDICTORS as u8).min_by_key(|p| (costs[usize::from(*p)][w], p != predictor));
            *predictor = best.unwrap_or(NOTHING);
        }
    }
    take_units(&mut model, runs);
    model
}

/// A model that knows the kinds and what runs begin with.
fn begun(stream: &[Item]) -> Model {
    let mut counts = [0_u64; 256];
    stream.iter().for_each(|item| counts[usize::from(words_of(item).0 as u8)] += 1);
    let mut kinds: Vec<u8> = (0..=u8::MAX).filter(|kind| counts[usize::from(*kind)] > 0).collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(counts[usize::from(*kind)]));
    kinds.truncate(SLOTS);
    let first = |is_it: &dyn Fn(u8) -> bool| {
        stream.iter().map(words_of).find(|(head, _)| is_it(*head as u8)).map_or([0; 8], |(_, words)| words)
    };
    let predictor = [NOTHING, LAST, LAST, OF_KIND, OF_KIND, OF_KIND, OF_KIND, OF_KIND];
    let slot = |base| Slot { base, predictor, unit: [1; 8] };
    let mut slots: Vec<Slot> = kinds.iter().map(|kind| slot(first(&|k| k == *kind))).collect();
    slots.push(slot(first(&|kind| !kinds.contains(&kind))));
    Model { kinds, slots, start: first(&|_| true), shapes: Vec::new() }
}

/// The beginnings of some runs.
fn sample<'a>(runs: &[Run<'a>]) -> Vec<Run<'a>> {
    let cut = |run: &Run<'a>| Run { items: &run.items[..run.items.len().min(OF_A_RUN)], ..*run };
    let all: usize = runs.iter().map(|run| run.items.len().min(OF_A_RUN)).sum();
    runs.iter().step_by(all.div_ceil(SAMPLE).max(1)).map(cut).collect()
}

/// Makes the unit one that divides the distance too; 0 is divided by all.
#[inline]
fn divide(unit: &mut u64, distance: i64) {
    if *unit == 1 {
        return;
    }
    let mut rest = distance.unsigned_abs();
    while rest != 0 {
        (*unit, rest) = (rest, *unit % rest);
        // The first round of a distance that the unit divides ends here.
        if *unit == 1 {
            return;
        }
    }
}

/// A unit as it is stored: where all distances are 0, and where it has no positive number of 64 bits, one.
fn whole(unit: u64) -> u64 {
    if unit == 0 || unit > i64::MAX as u64 { 1 } else { unit }
}

/// The units of the predictions that were chosen, over all inputs.
fn take_units(model: &mut Model, runs: &[Run<'_>]) {
    let mut units = vec![[0; 8]; model.slots.len()];
    let chosen: Vec<[usize; 8]> = model.slots.iter().map(|slot| slot.predictor.map(usize::from)).collect();
    for run in runs {
        follow(model, run, |_, _, slot, words, predicted| {
            let (unit, chosen) = (&mut units[slot], &chosen[slot]);
            for w in 0..8 {
                divide(&mut unit[w], distance(words[w], predicted[chosen[w]][w]));
            }
        });
    }
    model.slots.iter_mut().zip(units).for_each(|(slot, unit)| slot.unit = unit.map(whole));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_divides_all_distances() {
        let of = |distances: &[i64]| {
            let mut unit = 0;
            distances.iter().for_each(|d| divide(&mut unit, *d));
            whole(unit)
        };
        assert_eq!(of(&[]), 1);
        assert_eq!(of(&[0, 0]), 1);
        assert_eq!(of(&[0, 30_000_000, -20_000_000, 0]), 10_000_000);
        assert_eq!(of(&[12, 18, 7]), 1);
        assert_eq!(of(&[i64::MIN]), 1);
        assert_eq!(of(&[i64::MIN, 96]), 32);
    }
}
