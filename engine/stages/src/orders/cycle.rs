//! The life cycle of an order: one table of what may follow what.
//!
//! ```text
//! pending ─► live ─► partly-filled ─► done ⇄ busted   pending-cancel: to be cancelled before the venue took it
//!    │         ├──► cancel-pending ──► done            cancel-pending: fills may still come
//!    │         └──► replace-pending ─► replaced        replace-pending: fills may still come
//!    └► rejected, refused
//! ```
//!
//! The five states at the end are over: such an order leaves the table. What is over takes nothing any more but news
//! that loses a race (`sent`, and the rejection of a cancel that came too late), and what the venue says of its fills:
//! busts and corrections come after the end, too.

use serde::{Deserialize, Serialize};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Requested; neither risk nor the venue has answered.
    Pending,
    /// As before, and a cancel was asked for.
    PendingCancel,
    /// The venue has it; nothing is filled.
    Live,
    /// The venue has it; a part is filled.
    PartlyFilled,
    /// The venue has it and is asked to cancel it.
    CancelPending,
    /// The venue has it and is asked to replace it.
    ReplacePending,
    /// Another order took its place.
    Replaced,
    /// Filled whole, or cancelled.
    Done,
    /// The venue did not take it.
    Rejected,
    /// Risk did not let it pass.
    Refused,
    /// It was done, and the venue has taken back everything that it had executed.
    Busted,
}

/// What happens to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Its strategy asks for its end.
    AskCancel,
    /// Its strategy asks for new terms.
    AskReplace,
    /// The gateway sent something that concerns it.
    Sent,
    /// Risk refuses it.
    Refuse,
    /// The venue takes it.
    Ack,
    /// The venue put another order into its place.
    GiveWay,
    /// A part of what is left is filled.
    FillPart,
    /// All that is left is filled.
    FillRest,
    /// The venue does not take it.
    Reject,
    /// The venue does not cancel it.
    RejectCancel,
    /// Risk or the venue does not replace it.
    RejectReplace,
    /// What is left of it is gone from the venue.
    Cancelled,
    /// A fill is taken back, others stand.
    BustPart,
    /// The last fill that stood is taken back.
    BustRest,
    /// A fill comes in place of one that was taken back.
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

    /// Whether the order is over.
    #[inline]
    pub const fn is_over(self) -> bool {
        matches!(self, State::Replaced | State::Done | State::Rejected | State::Refused | State::Busted)
    }

    /// Whether the venue has not answered its request yet.
    #[inline]
    pub const fn is_in_flight(self) -> bool {
        matches!(self, State::Pending | State::PendingCancel)
    }

    /// The state after a step, if the step is legal; `partly` says whether anything is filled.
    #[inline]
    pub const fn after(self, step: Step, partly: bool) -> Option<State> {
        use State::{Busted, CancelPending, Done, Live, PartlyFilled, Pending, PendingCancel, Refused, Rejected};
        use State::{ReplacePending, Replaced};
        let resting = if partly { PartlyFilled } else { Live };
        Some(match (self, step) {
            (_, Step::Sent) => self,
            (Pending, Step::AskCancel) => PendingCancel,
            (Pending | PendingCancel, Step::Refuse) => Refused,
            (Pending | PendingCancel, Step::Reject) => Rejected,
            (Pending, Step::Ack) => resting,
            (PendingCancel, Step::Ack) => CancelPending,
            (PendingCancel, Step::RejectCancel) => Pending,
            (Live | PartlyFilled, Step::AskCancel) => CancelPending,
            (Live | PartlyFilled, Step::AskReplace) => ReplacePending,
            (Live | PartlyFilled, Step::FillPart) => PartlyFilled,
            (CancelPending | ReplacePending, Step::FillPart) => self,
            (Live | PartlyFilled | CancelPending | ReplacePending, Step::FillRest | Step::Cancelled) => Done,
            (CancelPending, Step::RejectCancel) | (ReplacePending, Step::RejectReplace) => resting,
            (ReplacePending, Step::GiveWay) => Replaced,
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
        Step::AskCancel,
        Step::AskReplace,
        Step::Sent,
        Step::Refuse,
        Step::Ack,
        Step::GiveWay,
        Step::FillPart,
        Step::FillRest,
        Step::Reject,
        Step::RejectCancel,
        Step::RejectReplace,
        Step::Cancelled,
        Step::BustPart,
        Step::BustRest,
        Step::Correct,
    ];
}
