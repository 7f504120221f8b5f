//! What a configuration brings to a running engine, one command after the other.
//!
//! Each value that differs is a command of its own, as if the operator had set it: it names the value before, its stage decides,
//! and the answer says what was set. The next one is handed over when the one before is in force. If one is refused, what
//! follows is left out, and the answer says what was set before it. Inputs join last, since files are open then and nothing refuses them.
//! Bound: one command at a time; its steps are the differences.

use super::message::{AddedInput, ControlReply, ControlRequest, SetValue, WatchedInput};
use crate::drive::Control;
use crate::pipeline::Answer;
use crate::run::{Change, Joining, Reloaded};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How long the pipeline may take to say what is in force, and before that to repeat its record.
const PATIENCE: Duration = Duration::from_secs(5);

/// A step: a value that is set, or inputs that join.
pub(super) enum Step {
    Set(Change),
    Join(Joining),
}

/// The steps to come, and what those before have done.
pub(super) struct Steps {
    actor: String,
    left: VecDeque<Step>,
    /// The value that is being set.
    setting: Option<SetValue>,
    set: Vec<SetValue>,
    added: Vec<AddedInput>,
    watched: Vec<WatchedInput>,
}

impl Steps {
    pub(super) fn new(actor: String, reloaded: Reloaded) -> Steps {
        let sets = reloaded.changes.into_iter().map(Step::Set);
        let left = sets.chain(reloaded.joining.map(Step::Join)).collect();
        Steps { actor, left, setting: None, set: Vec::new(), added: Vec::new(), watched: Vec::new() }
    }

    /// The next step.
    pub(super) fn next(&mut self) -> Option<Step> {
        let mut step = self.left.pop_front()?;
        match &mut step {
            Step::Set(Change { key, symbol, from, to }) => {
                let (key, symbol, from, to) = (key.clone(), symbol.clone(), from.clone(), to.clone());
                self.setting = Some(SetValue { key, symbol, from, to, seq: 0 });
            }
            Step::Join(joining) => {
                let added = std::mem::take(&mut joining.added);
                self.added = added.into_iter().map(|(number, name)| AddedInput { number, name }).collect();
                let watched = std::mem::take(&mut joining.watched);
                self.watched = watched.into_iter().map(|(number, symbols)| WatchedInput { number, symbols }).collect();
            }
        }
        Some(step)
    }

    /// The request that sets a value, as an operator would ask.
    pub(super) fn request(&self, change: &Change) -> ControlRequest {
        ControlRequest::set(&self.actor, &change.key, &change.from, &change.to, change.symbol.as_deref())
    }

    /// The step that was handed over is in force, as input `seq`.
    pub(super) fn done(&mut self, seq: u64) {
        self.set.extend(self.setting.take().map(|value| SetValue { seq, ..value }));
    }

    /// The answer when all is done; inputs have joined as input `seq`.
    pub(super) fn reply(self, seq: Option<u64>) -> ControlReply {
        let Steps { set, added, watched, .. } = self;
        ControlReply::Reloaded { seq, set, added, watched }
    }

    /// The answer when a step has failed.
    pub(super) fn failed(&self, reply: ControlReply) -> ControlReply {
        let told = |why: String| {
            let value = self.setting.as_ref().map_or_else(|| "the inputs".to_owned(), SetValue::name);
            let set: Vec<String> = self.set.iter().map(SetValue::to_string).collect();
            let before = if set.is_empty() {
                "nothing was set".to_owned()
            } else {
                format!("set before it: {}", set.join("; "))
            };
            format!("{value}: {why}; {before}")
        };
        match reply {
            ControlReply::Refused { why } => ControlReply::Refused { why: told(why) },
            ControlReply::NotCarriedOut { why } => ControlReply::NotCarriedOut { why: told(why) },
            ControlReply::NotKnown { why } => ControlReply::NotKnown { why: told(why) },
            other => other,
        }
    }
}

/// What the pipeline says is in force. It waits for it, so this is never called on the control thread.
///
/// # Errors
/// When it does not answer, or still repeats its record.
pub(super) fn answered(control: &Control) -> Result<Answer, String> {
    let (begun, mut asked) = (Instant::now(), Instant::now());
    let mut why = "the pipeline does not say what is in force";
    while begun.elapsed() < PATIENCE {
        if control.inquiry.is_answered_since(asked) {
            match control.inquiry.answer() {
                Some((_, answer)) if !answer.head.replaying => return Ok(answer),
                _ => (why, asked) = ("the engine still repeats its record", Instant::now()),
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(why.to_owned())
}
