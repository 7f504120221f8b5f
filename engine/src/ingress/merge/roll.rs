//! The input log within the merge: whether it has room, and its roll: what may enter meanwhile, and the head's part of the
//! state.

use super::{Choice, Ingress, Phase};
use crate::ingress::IngressError;
use crate::ingress::rolling::{Roll, Rolling};
use crate::pipeline::Group;
use flow::{Ns, StateWriter};

impl Ingress {
    /// Whether the log has room for an input. While the disk is too far behind, nothing more is taken from anywhere.
    #[inline]
    pub(super) fn has_room(&mut self) -> Result<bool, IngressError> {
        let Some(log) = &mut self.log else { return Ok(true) };
        log.ready().map_err(|e| {
            self.phase = Phase::Ended;
            IngressError::Log(e)
        })
    }

    /// The choice, unless the journal rolls before it: then another one, or none if the head is to choose again.
    pub(super) fn unless_it_rolls(&mut self, choice: Choice, idle: bool, group: &Group) -> Option<Choice> {
        if self.rolling.is_none() {
            return Some(choice);
        }
        self.roll_before(choice, idle, group)
    }

    fn roll_before(&mut self, choice: Choice, idle: bool, group: &Group) -> Option<Choice> {
        let is_open = self.phase == Phase::Open && self.stopping.is_none() && choice != Choice::Exhausted;
        let settled = self.rolling.as_ref().is_some_and(Rolling::is_near) && self.is_settled();
        let Some(rolling) = self.rolling.as_mut().filter(|_| self.retrace.is_none()) else { return Some(choice) };
        let goes_on = rolling.goes_on();
        if !goes_on && (!is_open || self.seq == 0 || self.commands.has_initial()) {
            return Some(choice);
        }
        rolling.open(self.now);
        // What the outcome log has left out is noted once it has room again.
        if !goes_on && self.log.as_mut().is_some_and(|log| !matches!(log.ready(), Ok(true))) {
            return Some(choice);
        }
        let at = time_of(choice).map(|at| at.max(self.now));
        match rolling.look(at, self.clock.wall().is_some(), idle, settled) {
            Roll::Nothing => Some(choice),
            Roll::Hold => {
                rolling.change(&mut self.log);
                Some(Choice::Pending)
            }
            Roll::Settle => Some(self.settling()),
            Roll::Save => {
                self.begin_next(at.unwrap_or(self.now), group);
                None
            }
        }
    }

    /// What venues outside the process have to say, and nothing else.
    fn settling(&self) -> Choice {
        self.answered(self.clock.arrival(self.now)).unwrap_or(Choice::Pending)
    }

    #[cold]
    fn begin_next(&mut self, at: Ns, group: &Group) {
        let Some(mut rolling) = self.rolling.take() else { return };
        let listings = rolling.listings();
        let mut state = StateWriter::new(&listings);
        self.save(group, &mut state);
        rolling.begin_next(self.seq, at, state.into_bytes());
        self.rolling = Some(rolling);
    }
}

/// When an input enters; `None` if nothing does.
fn time_of(choice: Choice) -> Option<Ns> {
    match choice {
        Choice::Return(at)
        | Choice::Arrival(at)
        | Choice::Tick(at)
        | Choice::Session(at, _)
        | Choice::Command(at)
        | Choice::Answer(_, at)
        | Choice::Feed(_, at)
        | Choice::End(at) => Some(at),
        Choice::Pending | Choice::Exhausted => None,
    }
}
