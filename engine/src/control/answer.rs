//! A command that has been submitted, and the answer that it gets.
//!
//! The ticket says whether it entered, the risk stage what became of it, the kill switch whether a gateway has carried it
//! out beside the pipeline. Whatever of this is not known when the answer is due is said to be unknown, and a command
//! that the head has not taken by then is given up, unless it is a halt or a cancel-all. Of these two the end of a run
//! may still leave a trace: cancels that have left, and a note that halts the next run.

use super::message::ControlReply;
use super::parameter::{Parameter, text};
use super::reloading::Steps;
use crate::gateway::{KillSwitch, Pull};
use crate::ingress::Ticket;
use flow::records::CommandOutcome;
use flow::{CommandAction, CommandResult, Effective};
use stages::Instances;
use stages::risk::{LIMIT, LimitTarget, check, check_name};
use std::sync::Arc;

/// Whether a command pulls the kill switch.
pub(super) fn kills(action: CommandAction) -> bool {
    matches!(action, CommandAction::Halt | CommandAction::CancelAll)
}

/// A submitted command.
pub(super) struct Submitted {
    pub(super) ticket: Arc<Ticket>,
    /// The pull of the kill switch, if there is a gateway that sees it.
    pub(super) pull: Option<Pull>,
    /// What it asks for. A halt that this run does not store is noted for the next one.
    pub(super) action: CommandAction,
    /// The instances of the pipeline.
    pub(super) instances: Arc<Instances>,
    /// The new limit that it asks for.
    pub(super) wanted: i64,
    pub(super) outcome: Option<CommandOutcome>,
    /// Inputs join with it; the head alone carries that out.
    pub(super) joins: bool,
    /// It is a step of what a configuration brings.
    pub(super) steps: Option<Box<Steps>>,
}

impl Submitted {
    /// Whether it pulls the kill switch: such a command is never given up.
    pub(super) fn kills(&self) -> bool {
        kills(self.action)
    }

    /// Whether the gateway has handed the cancels to its socket.
    fn is_carried_out(&self, switch: &KillSwitch) -> bool {
        self.pull.is_some_and(|pull| switch.is_carried_out(pull))
    }

    /// Whether everything is known but whether the gateway has carried it out.
    pub(super) fn waits_for_gateway(&self, switch: &KillSwitch) -> bool {
        let is_known = self.outcome.is_some() || self.ticket.is_given_up();
        self.pull.is_some() && is_known && !self.is_carried_out(switch)
    }

    /// The answer; `None` while there is time and something to wait for.
    pub(super) fn answer(&self, switch: &KillSwitch, is_due: bool) -> Option<ControlReply> {
        let seq = self.ticket.stored();
        if let (true, Some(seq)) = (self.joins, seq) {
            return Some(ControlReply::Applied { seq, old: 0, new: 0, waits_for: None });
        }
        if let (Some(outcome), Some(seq)) = (&self.outcome, seq)
            && !self.waits_for_gateway(switch)
        {
            return Some(self.became(seq, outcome));
        }
        if self.ticket.is_given_up() && (is_due || !self.waits_for_gateway(switch)) {
            return Some(self.ended(switch));
        }
        if !is_due {
            return None;
        }
        if !self.kills() && self.ticket.give_up() {
            let why = "the engine had no room for it within a second (it may be repeating its record)".to_owned();
            return Some(ControlReply::NotCarriedOut { why });
        }
        if self.is_carried_out(switch) {
            return Some(ControlReply::InForce { seq });
        }
        let why = match (seq, self.outcome.is_some()) {
            (Some(seq), true) => {
                format!("the pipeline has carried it out (input {seq}), but no cancel has reached the venue yet")
            }
            (Some(seq), false) => format!("it is stored as input {seq}, and the pipeline has not come to it yet"),
            (None, _) => "the engine has it, and has not stored it yet".to_owned(),
        };
        Some(ControlReply::NotKnown { why })
    }

    /// The answer if the run has ended and has not stored it.
    fn ended(&self, switch: &KillSwitch) -> ControlReply {
        if self.is_carried_out(switch) {
            return ControlReply::InForce { seq: None };
        }
        let ended = "the run has ended";
        match (self.action == CommandAction::Halt, self.pull) {
            (true, _) => {
                ControlReply::NotKnown { why: format!("{ended} without storing it; a note halts the next run") }
            }
            (false, Some(_)) => ControlReply::NotKnown { why: format!("{ended}, and no cancel is known to have left") },
            (false, None) => ControlReply::NotCarriedOut { why: ended.to_owned() },
        }
    }

    /// What became of a parameter.
    fn set(&self, seq: u64, outcome: &CommandOutcome) -> ControlReply {
        let CommandOutcome { target, old, new, result, .. } = *outcome;
        let Some(Parameter { param, .. }) = Parameter::of_target(&self.instances, target) else {
            return ControlReply::Refused { why: format!("there is no parameter with the number {target}") };
        };
        let (in_force, is_now) = (text(param, old), param.effective == Effective::Now);
        let waits_for = (!is_now).then(|| param.effective.name().to_owned());
        let why = match CommandResult::from_code(result) {
            Some(CommandResult::Applied) => return ControlReply::Applied { seq, old, new, waits_for },
            Some(CommandResult::WrongOld) if is_now => format!("the value of {} in force is {in_force}", param.name),
            Some(CommandResult::WrongOld) => format!("the last value of {} is {in_force}", param.name),
            Some(CommandResult::OutOfRange) => format!("{}; {in_force} is in force", param.valid()),
            Some(CommandResult::TooMany) => "64 instruments have values of their own by command already".to_owned(),
            _ => "no instrument of that symbol is listed, or several are: then write SYMBOL@MIC, such as AAPL@XNAS"
                .to_owned(),
        };
        ControlReply::Refused { why }
    }

    fn became(&self, seq: u64, outcome: &CommandOutcome) -> ControlReply {
        if outcome.action == CommandAction::SetParam.code() {
            return self.set(seq, outcome);
        }
        let CommandOutcome { target, old, new, result, .. } = *outcome;
        let limit = LimitTarget::of_code(target);
        let table = format!("{LIMIT}[{}]", limit.table);
        let of = if limit.table == 0 { String::new() } else { format!(" in {table}") };
        let name = check_name(limit.check).to_owned() + &of;
        let why = match CommandResult::from_code(result) {
            Some(CommandResult::Applied) => return ControlReply::Applied { seq, old, new, waits_for: None },
            Some(CommandResult::WrongOld) => format!("the limit of {name} in force is {new}"),
            Some(CommandResult::OutOfRange) => {
                let range = check(limit.check).and_then(|entry| entry.limit_range());
                let range = range.map_or(String::new(), |r| format!(" from {} to {}", r.start(), r.end()));
                format!("a limit of {name} is a number{range}; {new} is in force")
            }
            Some(CommandResult::AboveCeiling) => format!(
                "{} is above what commands may set {name} to ({} in {}, or else the limit configured); {new} is in force",
                self.wanted,
                stages::risk::CEILINGS.name(),
                if limit.table == 0 { "[risk]" } else { &table },
            ),
            Some(CommandResult::NotHalted) => "trading is not halted, so there is nothing to resume".to_owned(),
            Some(CommandResult::TooMany) => "64 commands to flatten are being carried out; see status".to_owned(),
            Some(CommandResult::UnknownTarget) if outcome.action != CommandAction::SetLimit.code() => {
                "no instrument of that symbol is listed, or several are: then write SYMBOL@MIC, such as AAPL@XNAS"
                    .to_owned()
            }
            Some(CommandResult::UnknownTarget) | None => {
                format!("there is no limit of {name}; one that the configuration does not set needs a restart")
            }
        };
        ControlReply::Refused { why }
    }
}
