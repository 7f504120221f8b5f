//! Who halted trading, and when: for the status.
//!
//! The risk stage knows whether trading is halted; this remembers the command or the halt that did it, and the names that
//! operators gave. Bound: one halt and [`NAMES`] names, allocated when they come, which is as often as a person commands.

use flow::records::{Command, CommandOutcome, Halt, Name};
use flow::{
    CommandAction, CommandResult, Event, HaltReason, Kind, Kinds, NameSpace, Ns, StateError, StateReader, StateWriter,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most names of operators.
const NAMES: usize = 64;

/// What halted trading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaltCause {
    /// Why: `operator`, `stalled`, `panic` …
    pub reason: String,
    /// The name that the operator gave; empty unless one commanded it.
    pub actor: String,
    /// User id of the operator's process; absent if it is unknown.
    pub uid: Option<u32>,
    /// Wall time of the halt, ns since 1970, in digits, since a double does not hold it; absent if it follows from the inputs
    /// before it.
    pub asked_ts: Option<String>,
    /// Number of its input.
    pub seq: u64,
}

/// The last halt and the names of operators.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct HaltCauses {
    pub(super) halt: Option<HaltCause>,
    names: BTreeMap<u32, String>,
}

impl HaltCauses {
    /// The kinds that it reads.
    pub(super) const READS: Kinds = Kinds::of(&[Kind::Name, Kind::Command, Kind::Halt, Kind::CommandOutcome]);

    #[cold]
    pub(super) fn observe(&mut self, event: &Event) {
        if let Some(name) = event.get::<Name>() {
            self.name(name);
        } else if let Some(halt) = event.get::<Halt>() {
            let reason =
                HaltReason::from_code(halt.reason).map_or_else(|| halt.reason.to_string(), |r| r.name().to_owned());
            let (asked_ts, seq) = (known(halt.asked_ts), event.id.seq());
            self.halt = Some(HaltCause { reason, actor: String::new(), uid: None, asked_ts, seq });
        } else if let Some(command) = event.get::<Command>()
            && command.action == CommandAction::Halt.code()
            && event.id.position() == flow::POSITION_INGRESS
        {
            let actor = self.names.get(&command.actor).cloned().unwrap_or_default();
            let uid = Some(command.uid).filter(|uid| *uid != Command::NO_UID);
            let (reason, asked_ts) = (HaltReason::Operator.name().to_owned(), known(command.asked_ts));
            self.halt = Some(HaltCause { reason, actor, uid, asked_ts, seq: event.id.seq() });
        } else if let Some(outcome) = event.get::<CommandOutcome>()
            && outcome.action == CommandAction::Resume.code()
            && outcome.result == CommandResult::Applied.code()
        {
            self.halt = None;
        }
    }

    fn name(&mut self, name: &Name) {
        let Ok(handle) = u32::try_from(name.handle) else { return };
        if name.space != NameSpace::Actor.code() || (self.names.len() >= NAMES && !self.names.contains_key(&handle)) {
            return;
        }
        let text = self.names.entry(handle).or_default();
        if name.part == 0 {
            text.clear();
        }
        let piece = &name.text[..usize::from(name.len).min(name.text.len())];
        text.push_str(&String::from_utf8_lossy(piece));
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        to.put(self);
    }

    pub(super) fn load(from: &mut StateReader<'_>) -> Result<HaltCauses, StateError> {
        from.get()
    }
}

fn known(ts: Ns) -> Option<String> {
    ts.known().map(|ts| ts.0.to_string())
}
