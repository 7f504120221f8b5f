//! Which instruments have data that can be acted on.
//!
//! The idea: after a gap the book may be wrong until a snapshot, and nobody should act on it. The book decides when data are
//! doubtful and when they are trusted again, and says so with `data-state`; it and all who act keep this table, so that they
//! agree. An event may concern all instruments of a source, since a lost packet may have held any of them: also those that
//! the source lists later.
//!
//! Bound: two bytes per instrument. Worst case: an event for a whole source looks at each of them.

use crate::records::DataState;
use crate::{DataTrust, Event, StateError, StateReader, StateWriter, table};
use serde::{Deserialize, Serialize};

/// How much the data of an instrument are worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    #[default]
    Trusted,
    Doubtful,
    /// Doubtful, and what will make it whole has begun.
    Rebuilding,
}

/// The state of the data of each instrument, and the source that they come from.
pub struct Trust {
    sources: Box<[u8]>,
    states: Box<[State]>,
    /// How many are not trusted.
    doubtful: u32,
    /// Sources of which messages are missing: an instrument that they list only now is doubtful too.
    behind: [u64; 4],
}

impl Trust {
    /// All are trusted, none has a source.
    pub fn new(instruments: u32) -> Trust {
        let len = instruments as usize;
        Trust { sources: table(len, 0), states: table(len, State::Trusted), doubtful: 0, behind: [0; 4] }
    }

    /// This source listed the instrument.
    pub fn belongs(&mut self, instrument: u32, source: u8) {
        if let Some(slot) = self.sources.get_mut(instrument as usize).filter(|_| instrument != 0) {
            let before = std::mem::replace(slot, source);
            if before != source && self.behind[usize::from(source) / 64] >> (source % 64) & 1 == 1 {
                self.set_one(instrument as usize, State::Doubtful);
            }
        }
    }

    /// Whether any instrument is doubtful.
    #[inline]
    pub fn any_doubtful(&self) -> bool {
        self.doubtful > 0
    }

    /// Whether the data of an instrument are doubtful.
    #[inline]
    pub fn is_doubtful(&self, instrument: u32) -> bool {
        self.doubtful > 0 && self.states.get(instrument as usize).is_some_and(|state| *state != State::Trusted)
    }

    /// How many instruments are doubtful, and which, in their order.
    pub fn doubtful(&self) -> (u64, impl Iterator<Item = u32>) {
        let is_doubtful = |at: &usize| self.states[*at] != State::Trusted;
        (
            self.doubtful.into(),
            (0..self.states.len()).filter(is_doubtful).map(|at| at as u32).take(self.doubtful as usize),
        )
    }

    /// Messages of the instrument are missing; of every instrument of the source if it is 0.
    pub fn doubt(&mut self, instrument: u32, source: u8) {
        self.set(instrument, source, State::Doubtful);
    }

    /// The data are whole again; with instrument 0 those of the source, with source 0 too all of them. Says whether anything
    /// was doubtful, if only what the source would list later.
    pub fn restore(&mut self, instrument: u32, source: u8) -> bool {
        let before = (self.doubtful, self.behind);
        self.set(instrument, source, State::Trusted);
        (self.doubtful, self.behind) != before
    }

    /// What will make the data whole has begun, and ends with the group.
    pub fn rebuild(&mut self, instrument: u32) {
        if self.is_doubtful(instrument) {
            self.states[instrument as usize] = State::Rebuilding;
        }
    }

    /// Whether the data become whole with the end of this group.
    pub fn is_rebuilding(&self, instrument: u32) -> bool {
        self.states.get(instrument as usize) == Some(&State::Rebuilding)
    }

    /// Takes note of a `data-state`.
    pub fn take(&mut self, event: &Event) {
        let DataState { state, of, .. } = *event.record();
        if state == DataTrust::Doubtful.code() {
            self.doubt(event.instrument, of);
        } else {
            self.restore(event.instrument, of);
        }
    }

    fn set(&mut self, instrument: u32, source: u8, state: State) {
        if instrument == 0 {
            let bit = 1 << (source % 64);
            match (source, state) {
                (0, _) => self.behind = [if state == State::Trusted { 0 } else { !0 }; 4],
                (_, State::Trusted) => self.behind[usize::from(source) / 64] &= !bit,
                _ => self.behind[usize::from(source) / 64] |= bit,
            }
            for at in 1..self.states.len() {
                if source == 0 || self.sources[at] == source {
                    self.set_one(at, state);
                }
            }
        } else if (instrument as usize) < self.states.len() {
            self.set_one(instrument as usize, state);
        }
    }

    fn set_one(&mut self, at: usize, state: State) {
        let before = std::mem::replace(&mut self.states[at], state);
        match (before == State::Trusted, state == State::Trusted) {
            (true, false) => self.doubtful += 1,
            (false, true) => self.doubtful -= 1,
            _ => {}
        }
    }

    /// Saves what differs from the beginning, by listing key.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        let known = |at: &usize| self.sources[*at] != 0 || self.states[*at] != State::Trusted;
        let known = (0..self.states.len()).filter(known);
        let mut known: Vec<_> = known.map(|at| (to.key(at as u32), self.sources[at], self.states[at])).collect();
        known.sort_by(|a, b| a.0.cmp(&b.0));
        to.put(&(known, self.behind));
    }

    /// Loads what [`Trust::save`] wrote.
    ///
    /// # Errors
    /// When an instrument is unknown or beyond the table.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.sources.fill(0);
        self.states.fill(State::Trusted);
        self.doubtful = 0;
        let (known, behind) = from.get::<(Vec<(String, u8, State)>, [u64; 4])>()?;
        self.behind = behind;
        for (key, source, state) in known {
            let at = from.instrument(&key)? as usize;
            if at >= self.states.len() {
                return Err(StateError::TooLarge { what: "instruments", found: at + 1, limit: self.states.len() });
            }
            self.sources[at] = source;
            self.set_one(at, state);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Listings;

    #[test]
    fn a_gap_concerns_the_instruments_of_its_source_alone() {
        let mut trust = Trust::new(6);
        (1..5).for_each(|i| trust.belongs(i, 1 + (i > 2) as u8));
        trust.doubt(0, 2);
        let doubtful = |trust: &Trust| {
            let (count, which) = trust.doubtful();
            let which: Vec<u32> = which.collect();
            assert_eq!((count, &which), (which.len() as u64, &(0..7).filter(|i| trust.is_doubtful(*i)).collect()));
            which
        };
        assert_eq!(doubtful(&trust), [3, 4]);
        trust.doubt(1, 1);
        trust.rebuild(4);
        trust.rebuild(2);
        assert!(trust.is_rebuilding(4) && !trust.is_rebuilding(2) && trust.is_doubtful(4));
        trust.belongs(5, 2);
        assert!(trust.is_doubtful(5), "listed after the gap");
        let listings = Listings::default();
        let mut writer = StateWriter::new(&listings);
        trust.save(&mut writer);
        let (bytes, mut other) = (writer.into_bytes(), Trust::new(6));
        other.load(&mut StateReader::new(&listings, &bytes)).unwrap();
        for trust in [&mut trust, &mut other] {
            assert!(trust.restore(0, 2) && !trust.restore(0, 2));
            assert_eq!(doubtful(trust), [1]);
            trust.belongs(2, 2);
            assert!(!trust.is_doubtful(2), "the gap is over");
            assert!(trust.restore(0, 0) && !trust.any_doubtful());
            trust.doubt(0, 3);
            assert!(trust.restore(0, 3) && !trust.restore(0, 3), "nothing was listed yet, and it is over all the same");
        }
    }
}
