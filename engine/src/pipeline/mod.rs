//! The pipeline: events pass the stages depth first.
//!
//! An event first visits every stage of the group that reads it. Then each event that those stages emitted follows in
//! order, each with all its own consequences. The order does not depend on where the pipeline is cut, because a ring keeps
//! the order in which the group before it emitted. Bound: the recursion is as deep as the group has stages; each stage has
//! one buffer of [`flow::Out::CAP`] events, drained before the stage sees its next event.

mod edge;
mod exit;
mod halt_causes;
mod handover;
mod inquiry;
mod inquiry_tail;
mod load;
mod measures;
mod meter;
mod meters;
mod outcome_hash;
mod quality;
mod records;
mod rehearsing;
mod station;
mod stopwatch;
mod tail;
mod tail_copy;
mod times;
mod trades;
mod trading_state;

pub use edge::{Edge, Slot};
pub use exit::{Accepts, Exit, StallMeter, Stalls};
pub use halt_causes::HaltCause;
pub use handover::{Handover, HandoverPart};
pub use inquiry::{Answer, Inquired, Inquiry};
pub use load::{GroupLoad, LoadMeter, LoadReader};
pub use measures::LastMeasures;
pub use meter::{Latency, Meter};
pub use meters::{GroupMeter, Meters, RingLoad};
pub use quality::Quality;
pub use records::TailStats;
pub use rehearsing::Rehearsing;
pub use station::Group;
pub use stopwatch::Stopwatch;
pub use tail::{Routes, Tail};
pub use tail_copy::TailCopy;
pub use times::{Times, TimesReader, histogram};
pub use trades::{Holder, Pnl, Purse, TradeStats};
pub use trading_state::{FeedState, HeadState, HeldPosition, QuotedInstrument, TailState};
