//! What returns to the merge: refusals, orders that arrive at the simulated exchange and its answers, and what gateways say.
//!
//! During a replay the recorded one enters, and whoever would have made it learns that it has. Bound: one input.

use super::{Ingress, Phase};
use crate::deliberate::{Fault, is_on};
use crate::ingress::IngressError;
use crate::ingress::sim_replies::{Returned, arrival_of};
use crate::pipeline::Group;
use flow::{Event, Ns};

impl Ingress {
    /// What a gateway says.
    pub(super) fn enter_answer(&mut self, gateway: usize, at: Ns, to: &mut Event) -> Result<(), IngressError> {
        let Some(replies) = self.live_replies.get_mut(gateway) else {
            self.phase = Phase::Ended;
            let recorded = self.retrace.as_ref().map(|r| format!("{:?}", r.take())).unwrap_or_default();
            return Err(IngressError::Diverged { recorded, made: format!("no gateway of number {gateway}") });
        };
        let event = match &self.retrace {
            Some(retrace) => {
                let recorded = retrace.take();
                replies.replay(&recorded);
                recorded
            }
            None => replies.take(),
        };
        self.next_gateway = gateway + 1;
        self.admit_own(event, at, to)
    }

    /// A refusal, or what the simulated exchange says; `false` if it is no input.
    pub(super) fn enter_return(&mut self, at: Ns, to: &mut Event, group: &Group) -> Result<bool, IngressError> {
        if let Some(refusals) = &mut self.refusals {
            let event = match &self.retrace {
                Some(retrace) => {
                    refusals.replay();
                    retrace.take()
                }
                None => refusals.take(),
            };
            self.admit_own(event, at, to)?;
            return Ok(true);
        }
        let is_wall = self.clock.wall().is_some();
        let returns = self.returns.as_mut().expect("a return was chosen, so there are returns");
        let taken = match &self.retrace {
            Some(retrace) if is_wall => returns.take_recorded(&retrace.take(), to),
            _ => returns.take(to),
        };
        match taken {
            None => {
                self.phase = Phase::Ended;
                let recorded = self.retrace.as_ref().map(|r| format!("{:?}", r.take())).unwrap_or_default();
                Err(IngressError::Diverged { recorded, made: "no venue reply".to_owned() })
            }
            Some(Returned::Arrival) => {
                let route = *to;
                if is_wall {
                    self.admit_own(arrival_of(&route, at), at, to)?;
                }
                self.now = self.now.max(at);
                self.returns.iter_mut().for_each(|returns| returns.arrive(self.now, route, self.seq, group));
                Ok(is_wall)
            }
            Some(Returned::Input) => {
                let at = if is_on(Fault::RawDue) { to.ts } else { at };
                self.origin(None, None, to);
                self.stamp(to, at)?;
                Ok(true)
            }
        }
    }
}
