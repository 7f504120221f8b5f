//! A run as it stood at an instant of the past, from its journal.
//!
//! **Idea.** The state after an input is a function of the inputs up to it. So the stages are built as the journal records them,
//! loaded from the nearest snapshot before the instant, and given the inputs from there to the instant; what they then have is
//! what they had. Nothing is written, and only what is read is checked, so it runs beside the live run and takes as long as the
//! inputs behind the snapshot, not as long as the journal. The pipeline is one group whatever the run was cut into, since no
//! cut changes a result, and no core of the run is taken.
//!
//! **Bound.** The memory of a run without its rings; the inputs between two snapshots. **Worst case.** A journal without
//! snapshots: all inputs up to the instant are repeated.

mod error;
mod moment;
mod place;
mod rebuilt;
mod shown;
mod written;

pub use error::InstantError;
pub use moment::{Moment, NoMoment, parse_moment};
pub use place::Place;
pub use rebuilt::{Rebuilt, Took};
pub use shown::{BookShown, Instant, LevelShown, SymbolRow, SymbolShown, ValueShown};
