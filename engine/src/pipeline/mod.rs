//! The pipeline: stages passed by events, depth first.
//!
//! The event itself goes on to the end of the group before what it caused does; what it caused follows in order, each
//! with all its own consequences. This order is the same wherever the pipeline is cut, because a ring keeps the order in
//! which the group before it handed events on. Bound: the recursion is as deep as the group has stages; each stage has
//! one buffer of [`flow::Out::CAP`] events, which is read out before the stage sees its next event.

mod edge;
mod exit;
mod load;
mod measures;
mod meter;
mod meters;
mod station;
mod stopwatch;
mod tail;
mod times;
mod trades;

pub use edge::{Edge, Slot};
pub use exit::{Exit, StallMeter, Stalls};
pub use load::{GroupLoad, LoadMeter, LoadReader};
pub use measures::LastMeasures;
pub use meter::{Latency, Meter};
pub use meters::{GroupMeter, Meters, RingLoad};
pub use station::Group;
pub use stopwatch::Stopwatch;
pub use tail::{Tail, TailStats};
pub use times::{Times, TimesReader, histogram};
pub use trades::{Holder, TradeStats};
