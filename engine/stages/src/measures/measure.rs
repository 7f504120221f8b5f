//! What a measure is: its parameters, and a step from an event to at most one group of records.
//!
//! A measure holds what was configured and never changes; what it has seen is its state, an array by instrument that the
//! host saves and loads. It reads events and the shared [`Context`], and it reads no clock, allocates nothing and fails
//! never, like every stage. `docs/measures.md` shows how to add one.

use super::{Context, Needs};
use crate::Space;
use flow::records::Trade;
use flow::{Event, Flags, Kinds, Out, ParamError, Params, Px, Qty, RecordGroup, StateError, StateReader, StateWriter};

/// A measure of a market.
pub trait Measure: Send + Sized + 'static {
    /// What it emits: a record, or a tuple of records that belong together.
    type Records: RecordGroup;
    /// What it keeps: [`super::PerInstrument`] of something, or `()`.
    type State: MeasureState;

    /// Reads the parameters and makes the empty state; all memory that it will ever use is allocated and touched here.
    ///
    /// # Errors
    /// When a text is not what it has to be.
    fn new(params: &Params, space: Space) -> Result<(Self, Self::State), ParamError>;

    /// Kinds that it computes from.
    fn reads(&self) -> Kinds;

    /// What it asks of the context.
    fn needs(&self) -> Needs {
        Needs::NONE
    }

    /// Parameters without which a saved state means something else; a state of others is refused.
    fn terms(&self) -> Vec<u64> {
        Vec::new()
    }

    /// Takes an event of the kinds that it reads. Kinds that only its context reads come here too and change nothing.
    fn on(&self, state: &mut Self::State, context: &Context, event: &Event) -> Option<Self::Records>;

    /// Takes an event and pushes what follows from it. The default does; only a measure that seldom emits gains by its
    /// own, which must come to the same as [`Measure::on`].
    #[inline(always)]
    fn run(&self, state: &mut Self::State, context: &Context, event: &Event, out: &mut Out) {
        if let Some(records) = self.on(state, context, event) {
            emit(&records, event, out);
        }
    }
}

/// Pushes what a measure makes of an event.
#[inline]
pub(super) fn emit<R: RecordGroup>(records: &R, event: &Event, out: &mut Out) {
    records.push(event.instrument, event.flags.inherited(), out);
}

/// State out and in.
pub trait MeasureState: Send {
    /// State out, keyed by listing: equal states give equal bytes.
    fn save(&self, to: &mut StateWriter<'_>);
    /// State in, in place of what is here.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError>;
}

/// A measure that keeps nothing.
impl MeasureState for () {
    fn save(&self, _: &mut StateWriter<'_>) {}

    fn load(&mut self, _: &mut StateReader<'_>) -> Result<(), StateError> {
        Ok(())
    }
}

/// The trade of an event, if one took place and is news: with quantity and price, and not part of a snapshot.
#[inline]
pub fn counted(event: &Event) -> Option<&Trade> {
    let trade: &Trade = event.get()?;
    let counts = trade.qty.0 != 0 && trade.px != Px::NONE && !event.flags.has(Flags::SNAPSHOT);
    counts.then_some(trade)
}

/// The aggressor of a trade as masks over its quantity, all ones or all zeros. Its side is as good as random, so a branch
/// on it, or an address made of it, could not be predicted.
#[derive(Clone, Copy)]
pub struct Aggressor {
    /// All ones where the aggressor bought.
    pub bought: u64,
    /// All ones where it sold.
    pub sold: u64,
}

impl Aggressor {
    /// The aggressor of an event.
    #[inline]
    pub fn of(event: &Event) -> Aggressor {
        // The two low bits are the side: 1 buyer, 2 seller.
        let (low, high) = (u64::from(event.flags.0 & 1), u64::from(event.flags.0 >> 1 & 1));
        Aggressor { bought: (low & !high).wrapping_neg(), sold: (high & !low).wrapping_neg() }
    }

    /// Whether there is one.
    #[inline]
    pub fn is_known(self) -> bool {
        self.bought | self.sold != 0
    }

    /// What was bought of a quantity, and what was sold.
    #[inline]
    pub fn split(self, qty: Qty) -> (u64, u64) {
        (qty.0 & self.bought, qty.0 & self.sold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Side;

    #[test]
    fn masks_are_those_of_the_side() {
        for bits in 0..4 {
            let mut event = Event::new(flow::Ns(0), 1, Flags::LAST_OF_GROUP, &Trade::default());
            event.flags.0 |= bits;
            let (bought, sold) = Aggressor::of(&event).split(Qty(7));
            let expected = match event.side() {
                Side::Buy => (7, 0),
                Side::Sell => (0, 7),
                Side::None => (0, 0),
            };
            assert_eq!((bought, sold), expected);
            assert_eq!(Aggressor::of(&event).is_known(), event.side() != Side::None);
        }
    }
}
