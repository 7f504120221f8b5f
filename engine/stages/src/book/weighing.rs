//! Weighed depth: what the best levels of a book come to, for measures that look behind the touch.
//!
//! A measure does not keep the levels a second time: it asks the stage that has them. Each different [`Weighing`] becomes one
//! `weighed-depth`, directly before the `book-top` that the same input causes, so whoever remembers it from one event to the
//! next knows all that it needs. Where nobody asks, or nobody listens, nothing is computed.
//!
//! Bound: [`Weighing::MOST`] different ones. Worst case: a top walks over as many levels a side for each as it asks for.

use super::view::Book;
use flow::records::WeighedDepth;
use flow::{Event, Flags, Kind, Out, Real, Side, Weighting};

/// The most other events of one input.
pub(super) const EVENTS: usize = 6;

/// How many of the best levels of each side count, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighing {
    levels: u32,
    weighting: Weighting,
    lambda: Real,
}

impl Weighing {
    /// The most different ones of a pipeline: with its other events, those of one input fit what a stage may emit at once.
    pub const MOST: usize = Out::CAP - EVENTS;

    /// The best `levels` levels; `lambda` is the decay of exponential weights and counts for no others.
    pub fn new(levels: u32, weighting: Weighting, lambda: f64) -> Weighing {
        let decays = weighting == Weighting::Exponential;
        Weighing { levels, weighting, lambda: if decays { Real::of(lambda) } else { Real::NONE } }
    }

    /// Whether the event is of this weighing.
    #[inline]
    pub fn is_of(&self, told: &WeighedDepth) -> bool {
        (told.levels, told.weighting, told.lambda) == (self.levels, self.weighting.code(), self.lambda)
    }

    /// The weight of the k-th level, from 1.
    fn weight(&self, k: u32) -> f64 {
        match self.weighting {
            Weighting::Equal => 1.0,
            Weighting::Harmonic => 1.0 / f64::from(k),
            Weighting::Exponential => libm::exp(-f64::from(self.lambda) * f64::from(k - 1)),
        }
    }
}

/// The different weighings of a pipeline, each with its weights, best level first.
pub(super) struct Weighings(Box<[(Weighing, Box<[f64]>)]>);

impl Weighings {
    /// Those that were asked for, in the order in which they were first.
    ///
    /// # Panics
    /// When there are more than [`Weighing::MOST`].
    pub(super) fn new(asked: &[Weighing]) -> Weighings {
        let first = |(at, one): &(usize, &Weighing)| !asked[..*at].contains(one);
        let weights = |one: &Weighing| (1..=one.levels).map(|k| one.weight(k)).collect();
        let all: Box<[_]> = asked.iter().enumerate().filter(first).map(|(_, one)| (*one, weights(one))).collect();
        assert!(all.len() <= Weighing::MOST, "{} different weighings of depth", all.len());
        Weighings(all)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells each of them of a book whose top is about to be told.
    #[inline]
    pub(super) fn tell(&self, book: Book<'_>, event: &Event, flags: Flags, out: &mut Out) {
        if !self.0.is_empty() && out.wants(Kind::WeighedDepth) {
            self.tell_all(book, event, flags, out);
        }
    }

    #[inline(never)]
    fn tell_all(&self, book: Book<'_>, event: &Event, flags: Flags, out: &mut Out) {
        for (Weighing { levels, weighting, lambda }, weights) in &self.0 {
            let weighed = |side| {
                let quantities = book.depth(side).map(|level| level.qty.0 as f64);
                Real::of(weights.iter().zip(quantities).map(|(weight, qty)| weight * qty).sum::<f64>())
            };
            let (bid, ask) = (weighed(Side::Buy), weighed(Side::Sell));
            let (levels, weighting, reserved) = (*levels, weighting.code(), [0; 11]);
            out.push(event.instrument, flags, &WeighedDepth { bid, ask, lambda: *lambda, levels, weighting, reserved });
        }
    }
}
