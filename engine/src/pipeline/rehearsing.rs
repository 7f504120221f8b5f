//! When a group rehearses: as soon as it has nothing to do, if it has taken [`EVERY`] events since the last time.
//!
//! **Idea.** An order waits for code and for data that only orders touch. A [rehearsal](Rehearsal) runs the code; then the stages
//! [read](flow::Stage::warm) what their next decision will read. Both happen while the group would only wait.
//!
//! **Bound.** One counter. **Worst case.** An input that comes just then waits for the end of it, some hundred nanoseconds; at
//! most one in [`EVERY`] does.

use super::station::Group;
use stages::Rehearsal;

/// Events between two rehearsals. Fewer keep the way warmer, and more inputs meet one.
const EVERY: usize = 16;

/// What a group rehearses, and when.
pub struct Rehearsing {
    what: Option<Box<Rehearsal>>,
    /// Events since the last one.
    since: usize,
}

impl Rehearsing {
    /// Rehearses `what`, if there is something.
    pub fn new(what: Option<Box<Rehearsal>>) -> Rehearsing {
        Rehearsing { what, since: 0 }
    }

    /// The group has taken so many events.
    #[inline]
    pub fn worked(&mut self, events: usize) {
        self.since += events;
    }

    /// The group has nothing to do.
    #[inline]
    pub fn idle(&mut self, group: &Group) {
        if self.since >= EVERY
            && let Some(what) = &mut self.what
        {
            self.since = 0;
            what.run();
            group.warm();
        }
    }
}
