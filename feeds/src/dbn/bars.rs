//! Bars that wait for their end.
//!
//! A bar is filed under its start, and nobody knows its values before its end. So it waits here until the stream has come
//! that far; then it enters before whatever else has the time of its end. In a file of bars alone that is the next record, in
//! a file of several schemas it may be thousands of trades later.
//!
//! Bound: [`MOST`] bars, of which the earliest enters when one more comes: more than twice as many as there are instruments.
//! Worst case: a tree of that size, in logarithmic time per bar.

use crate::bar;
use flow::records::{Bar, BarFlow};
use flow::{Inputs, Ns};
use std::collections::BTreeMap;

/// The most bars that wait.
const MOST: usize = 1 << 18;

/// A bar, its instrument and the number of its record.
pub(super) struct Waiting {
    pub(super) instrument: u32,
    pub(super) record: u64,
    pub(super) bar: Bar,
    pub(super) flow: BarFlow,
}

/// Bars by their end, those of one end in the order in which they came.
#[derive(Default)]
pub(super) struct Bars {
    waiting: BTreeMap<(Ns, u64), Waiting>,
    came: u64,
}

impl Bars {
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST
    }

    pub(super) fn push(&mut self, end: Ns, bar: Waiting) {
        self.came += 1;
        self.waiting.insert((end, self.came), bar);
    }

    /// The end of the bar that ends first.
    pub(super) fn first(&self) -> Option<Ns> {
        self.waiting.first_key_value().map(|((end, _), _)| *end)
    }

    /// The bar that ends first enters.
    pub(super) fn pop(&mut self, to: &mut Inputs) {
        let Some(((end, _), Waiting { instrument, record, bar, flow })) = self.waiting.pop_first() else { return };
        bar::push(to, end, instrument, &bar, &flow, record);
    }
}
