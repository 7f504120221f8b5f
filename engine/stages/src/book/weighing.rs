//! Weighed depth: what the best levels of a book come to, for measures that look behind the touch.
//!
//! A measure does not keep the levels a second time: it asks the stage that has them. Each different [`Weighing`] becomes one
//! `weighed-depth`, directly before the `book-top` that the same input causes, so whoever remembers it from one event to the
//! next knows all that it needs. Where nobody asks, or nobody listens, nothing is computed. A weighing may also be the slope of a side: how
//! cumulative quantity grows with the distance from the mid, by least squares with integer sums.
//!
//! Bound: [`Weighing::MOST`] different ones. Worst case: a top walks over as many levels a side for each as it asks for.

use super::view::Book;
use flow::records::WeighedDepth;
use flow::{Event, Flags, Kind, Out, Real, Side, Weighting, product};

/// The most other events of one input.
pub(super) const EVENTS: usize = 8;

/// How many of the best levels of each side count, and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighing {
    levels: u32,
    /// `None` = the slope.
    weighting: Option<Weighting>,
    lambda: Real,
}

impl Weighing {
    /// The most different ones of a pipeline: with its other events, those of one input fit what a stage may emit at once.
    pub const MOST: usize = Out::CAP - EVENTS;

    /// The best `levels` levels; `lambda` is the decay of exponential weights and counts for no others.
    pub fn new(levels: u32, weighting: Weighting, lambda: f64) -> Weighing {
        let decays = weighting == Weighting::Exponential;
        Weighing { levels, weighting: Some(weighting), lambda: if decays { Real::of(lambda) } else { Real::NONE } }
    }

    /// The slope of cumulative quantity over the best `levels` levels.
    pub fn slope(levels: u32) -> Weighing {
        Weighing { levels, weighting: None, lambda: Real::NONE }
    }

    /// How a `weighed-depth` names it.
    #[inline]
    fn code(&self) -> u8 {
        self.weighting.map_or(0, Weighting::code)
    }

    /// Whether the event is of this weighing.
    #[inline]
    pub fn is_of(&self, told: &WeighedDepth) -> bool {
        (told.levels, told.weighting, told.lambda) == (self.levels, self.code(), self.lambda)
    }

    /// The weight of the k-th level, from 1.
    fn weight(&self, k: u32) -> f64 {
        match self.weighting {
            None | Some(Weighting::Equal) => 1.0,
            Some(Weighting::Harmonic) => 1.0 / f64::from(k),
            Some(Weighting::Exponential) => libm::exp(-f64::from(self.lambda) * f64::from(k - 1)),
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
        for (weighing, weights) in &self.0 {
            let weighed = |side| {
                let quantities = book.depth(side).map(|level| level.qty.0 as f64);
                Real::of(weights.iter().zip(quantities).map(|(weight, qty)| weight * qty).sum::<f64>())
            };
            let (bid, ask) = match weighing.weighting {
                Some(_) => (weighed(Side::Buy), weighed(Side::Sell)),
                None => slopes(book, weighing.levels),
            };
            let (levels, weighting, lambda) = (weighing.levels, weighing.code(), weighing.lambda);
            out.push(event.instrument, flags, &WeighedDepth { bid, ask, lambda, levels, weighting, reserved: [0; 11] });
        }
    }
}

/// The slopes of bids and asks; absent where a side is empty.
fn slopes(book: Book<'_>, levels: u32) -> (Real, Real) {
    let best = |side| book.depth(side).next().map(|level| i128::from(level.px.0));
    let Some((bid, ask)) = best(Side::Buy).zip(best(Side::Sell)) else { return (Real::NONE, Real::NONE) };
    let of = |side, sign: i128| {
        let points = book.depth(side).take(levels as usize).scan(0, |depth, level| {
            *depth += i128::from(level.qty.0);
            Some((sign * (2 * i128::from(level.px.0) - bid - ask), *depth))
        });
        slope(points).map_or(Real::NONE, Real::of)
    };
    (of(Side::Buy, -1), of(Side::Sell, 1))
}

/// The slope of least squares through points of twice a distance and a depth, by unit of price. None with fewer than two, or where a
/// sum does not fit.
fn slope(points: impl Iterator<Item = (i128, i128)>) -> Option<f64> {
    const UNITS: f64 = 2e9;
    let (mut of, mut x, mut y, mut xx, mut xy) = (0_i128, 0_i128, 0_i128, 0_i128, 0_i128);
    for (distance, depth) in points {
        of += 1;
        x += distance;
        y += depth;
        xx = xx.checked_add(product(distance, distance)?)?;
        xy = xy.checked_add(product(distance, depth)?)?;
    }
    let less = |one: i128, other: i128| product(of, one)?.checked_sub(product(x, other)?);
    let (xx, xy) = (less(xx, x)?, less(xy, y)?);
    (xx > 0).then(|| xy as f64 / xx as f64 * UNITS)
}
