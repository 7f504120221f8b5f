//! Saves and restores a merge for snapshots: clock, sequence, keys, position in every source, ticks, returns, simulated venue.

use super::{Ingress, Phase};
use crate::pipeline::Group;
use flow::{Ns, StateError, StateReader, StateWriter};

impl Ingress {
    /// Saves the state of the merge. The pipeline must be idle; `group` is the head's.
    pub fn save(&self, group: &Group, to: &mut StateWriter<'_>) {
        to.put(&(self.now, self.seq, self.phase == Phase::Returning));
        self.directory.save(to);
        self.joining.save(to);
        to.put(&(self.feeds.len(), self.last_feed));
        self.feeds.iter().for_each(|feed| feed.save(to));
        let active = self.activity.iter().enumerate().filter(|(_, n)| **n > 0);
        to.put(&active.map(|(i, n)| (to.key(i as u32), *n)).collect::<Vec<_>>());
        self.ticks.save(to);
        if let Some(returns) = &self.returns {
            returns.save(group, to);
        }
        self.refusals.iter().for_each(|refusals| refusals.save(to));
        self.live_replies.iter().for_each(|replies| replies.save(to));
    }

    /// Restores what [`Ingress::save`] wrote, into a fresh merge of the same settings.
    ///
    /// # Errors
    /// When the bytes are not a state of such a merge.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let (now, seq, returning) = from.get::<(Ns, u64, bool)>()?;
        (self.now, self.seq) = (now, seq);
        self.phase = if returning { Phase::Returning } else { Phase::Open };
        self.directory.load(from)?;
        self.joining.load(from, &mut self.feeds)?;
        let (feeds, last_feed) = from.get::<(usize, usize)>()?;
        self.last_feed = last_feed;
        if feeds != self.feeds.len() {
            return Err(StateError::Inconsistent("a different number of sources"));
        }
        self.feeds.iter_mut().try_for_each(|feed| feed.load(from))?;
        for (key, n) in from.get::<Vec<(String, u64)>>()? {
            if let Some(count) = self.activity.get_mut(from.instrument(&key)? as usize) {
                *count = n;
            }
        }
        self.ticks.load(from)?;
        self.returns.as_mut().map_or(Ok(()), |returns| returns.load(from))?;
        self.refusals.as_mut().map_or(Ok(()), |refusals| refusals.load(from))?;
        self.live_replies.iter_mut().try_for_each(|replies| replies.load(from))
    }
}
