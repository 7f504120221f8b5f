//! Fetches the memory of the next messages while the present one is processed.
//!
//! What a message needs is often found over several places, each of which the one before names: an index, an item, what the item
//! belongs to. With many items none of them is in a cache, and each access waits for the one before. So the steps are taken ahead of
//! time: for the message [`FAR`] ahead the first, [`STEP`] messages later the second, and [`STEP`] messages later still the third. When
//! the lookahead grows, its first messages take all steps at once. Who fetches says what the steps are ([`Fetches`]), and does the same
//! for every message whatever its kind: a branch that is guessed wrong costs more than a fetch for nothing. Nothing is changed; a fetch
//! for nothing (an order that another message removes first) costs time only.
//!
//! Bound: [`ROOM`] messages in flight. Worst case: about 3 ns per message when everything is in the cache anyway.

use flow::{Event, Kind};

/// Distance, in messages, of the first step.
const FAR: usize = 12;
/// Messages between two steps.
const STEP: usize = 4;
/// Slots for the messages in flight, more than [`FAR`]; a power of two.
const ROOM: usize = 16;

/// Memory that messages will need, in three steps.
pub(crate) trait Fetches {
    /// Where a message will go. One that goes nowhere gets an arbitrary place.
    type Upcoming: Copy;

    /// Fetches what the message itself names.
    fn first(&self, event: &Event) -> Self::Upcoming;

    /// Fetches what is named there.
    fn second(&self, upcoming: &Self::Upcoming);

    /// Fetches what is named there in turn.
    fn third(&self, upcoming: &Self::Upcoming);
}

/// The messages whose memory is being fetched.
pub(crate) struct Lookahead<U> {
    upcoming: [U; ROOM],
    /// Number of the message that was first in the last lookahead.
    now: usize,
    /// How many messages followed it in that lookahead.
    left: usize,
}

impl<U: Copy> Lookahead<U> {
    /// No message in flight; `nowhere` is any place.
    pub(crate) const fn new(nowhere: U) -> Lookahead<U> {
        Lookahead { upcoming: [nowhere; ROOM], now: 0, left: 0 }
    }

    /// Takes one step for messages in `lookahead`, whose first is the next event.
    #[inline]
    pub(crate) fn advance(&mut self, of: &impl Fetches<Upcoming = U>, lookahead: &[Event]) {
        // A book by level has no references, and a feed rarely mixes both; a trade looks up no order.
        match lookahead {
            [next, ..] if matches!(next.kind, Kind::Level | Kind::Trade) => {}
            [] => self.left = 0,
            _ => self.step(of, lookahead),
        }
    }

    #[inline]
    fn step(&mut self, of: &impl Fetches<Upcoming = U>, lookahead: &[Event]) {
        if lookahead.len() > self.left {
            self.begin(of, lookahead);
        }
        self.left = lookahead.len() - 1;
        self.now = self.now.wrapping_add(1);
        if let Some(event) = lookahead.get(FAR) {
            self.upcoming[(self.now + FAR) % ROOM] = of.first(event);
        }
        of.second(&self.upcoming[(self.now + FAR - STEP) % ROOM]);
        of.third(&self.upcoming[(self.now + FAR - 2 * STEP) % ROOM]);
    }

    /// Takes all steps at once for messages that had none before them.
    #[cold]
    fn begin(&mut self, of: &impl Fetches<Upcoming = U>, lookahead: &[Event]) {
        if lookahead.len() <= STEP {
            return;
        }
        let first = &lookahead[..lookahead.len().min(FAR)];
        for (i, event) in first.iter().enumerate() {
            self.upcoming[(self.now + 1 + i) % ROOM] = of.first(event);
        }
        (0..first.len()).for_each(|i| of.second(&self.upcoming[(self.now + 1 + i) % ROOM]));
        (0..first.len()).for_each(|i| of.third(&self.upcoming[(self.now + 1 + i) % ROOM]));
    }
}
