//! The life cycle of an order: one table of legal transitions.
//!
//! ```text
//! pending ─► live ─► partly-filled ─► done ⇄ busted   pending-cancel: to be cancelled before the venue took it
//!    │         ├──► cancel-pending ──► done            cancel-pending: fills may still come
//!    │         └──► replace-pending ─► replaced        replace-pending: fills may still come
//!    └► rejected, refused
//! ```
//!
//! The five states at the end are terminal: the order leaves the table. A terminal order accepts only messages that lost a
//! race (`sent`, and the rejection of a late cancel), and busts and corrections of its fills.

use serde::{Deserialize, Serialize};

/// State of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Requested; no answer from risk or the venue yet.
    Pending,
    /// Pending, with a cancel requested.
    PendingCancel,
    /// Resting at the venue, nothing filled.
    Live,
    /// Resting at the venue, partly filled.
    PartlyFilled,
    /// At the venue, cancel requested.
    CancelPending,
    /// At the venue, replace requested.
    ReplacePending,
    /// Replaced by another order.
    Replaced,
    /// Filled, or cancelled.
    Done,
    /// Rejected by the venue.
    Rejected,
    /// Refused by risk.
    Refused,
    /// Done, and every fill was busted.
    Busted,
}

/// A transition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Its strategy requests a cancel.
    RequestCancel,
    /// Its strategy requests new terms.
    RequestReplace,
    /// The gateway sent a message about it.
    Sent,
    /// Risk refuses the request.
    Refuse,
    /// The venue acknowledges it.
    Ack,
    /// The venue replaces it by another order.
    Replace,
    /// A part of the open quantity is filled.
    PartialFill,
    /// The whole open quantity is filled.
    FinalFill,
    /// The venue rejects it.
    Reject,
    /// The venue rejects the cancel.
    RejectCancel,
    /// Risk or the venue rejects the replace.
    RejectReplace,
    /// The venue cancels the open quantity.
    Cancelled,
    /// A fill is busted, others stand.
    BustPart,
    /// The last standing fill is busted.
    BustRest,
    /// A busted fill is corrected.
    Correct,
}

impl State {
    /// Every state.
    pub const ALL: [State; 11] = [
        State::Pending,
        State::PendingCancel,
        State::Live,
        State::PartlyFilled,
        State::CancelPending,
        State::ReplacePending,
        State::Replaced,
        State::Done,
        State::Rejected,
        State::Refused,
        State::Busted,
    ];

    /// Whether the state is terminal.
    #[inline]
    pub const fn is_terminal(self) -> bool {
        matches!(self, State::Replaced | State::Done | State::Rejected | State::Refused | State::Busted)
    }

    /// Whether the request is unanswered.
    #[inline]
    pub const fn is_in_flight(self) -> bool {
        matches!(self, State::Pending | State::PendingCancel)
    }

    /// The state after a step, or `None` if the step is illegal; `partly`: whether anything is filled.
    #[inline]
    pub const fn after(self, step: Step, partly: bool) -> Option<State> {
        use State::{Busted, CancelPending, Done, Live, PartlyFilled, Pending, PendingCancel, Refused, Rejected};
        use State::{ReplacePending, Replaced};
        let resting = if partly { PartlyFilled } else { Live };
        Some(match (self, step) {
            (_, Step::Sent) => self,
            (Pending, Step::RequestCancel) => PendingCancel,
            (Pending | PendingCancel, Step::Refuse) => Refused,
            (Pending | PendingCancel, Step::Reject) => Rejected,
            (Pending, Step::Ack) => resting,
            (PendingCancel, Step::Ack) => CancelPending,
            (PendingCancel, Step::RejectCancel) => Pending,
            (Live | PartlyFilled, Step::RequestCancel) => CancelPending,
            (Live | PartlyFilled, Step::RequestReplace) => ReplacePending,
            (Live | PartlyFilled, Step::PartialFill) => PartlyFilled,
            (CancelPending | ReplacePending, Step::PartialFill) => self,
            (Live | PartlyFilled | CancelPending | ReplacePending, Step::FinalFill | Step::Cancelled) => Done,
            (CancelPending, Step::RejectCancel) | (ReplacePending, Step::RejectReplace) => resting,
            (ReplacePending, Step::Replace) => Replaced,
            (Replaced | Done | Rejected | Refused | Busted, Step::RejectCancel) => self,
            (Live | PartlyFilled, Step::BustRest) => Live,
            (Live | PartlyFilled, Step::BustPart | Step::Correct) => PartlyFilled,
            (CancelPending | ReplacePending, Step::BustPart | Step::BustRest | Step::Correct) => self,
            (Done, Step::BustPart) | (Done | Busted, Step::Correct) => Done,
            (Done, Step::BustRest) => Busted,
            _ => return None,
        })
    }
}

impl Step {
    /// Every step.
    pub const ALL: [Step; 15] = [
        Step::RequestCancel,
        Step::RequestReplace,
        Step::Sent,
        Step::Refuse,
        Step::Ack,
        Step::Replace,
        Step::PartialFill,
        Step::FinalFill,
        Step::Reject,
        Step::RejectCancel,
        Step::RejectReplace,
        Step::Cancelled,
        Step::BustPart,
        Step::BustRest,
        Step::Correct,
    ];
}
