//! Rows of single events, as an export prints them.
//!
//! Some kinds share a row with those that follow them; these are looked for behind the event, as a sink of rows takes them. Those of
//! a decision are close behind it. What names an order is known by the index, however far behind it lies: the cost of a fill
//! comes when its venue sends it. Bound: [`FOLLOWERS_WITHIN`] records a row.

use super::model::Row;
use crate::provenance::index::{MemberIndex, Trouble};
use crate::rows::{RowKind, row, row_kinds};
use bytemuck::Zeroable;
use flow::{Event, Listings, follower_of};
use sinks::journal::LogKind;
use stages::Instances;
use std::sync::Arc;

/// How far behind an event its followers are looked for, in records. The money of a position comes with the cost of its fill, and a
/// venue may take a second to say it, in which a busy market fills tens of thousands of records.
const FOLLOWERS_WITHIN: usize = 65_536;

/// Makes rows.
pub(in crate::provenance) struct Book {
    kinds: Vec<RowKind>,
    pub(in crate::provenance) names: Arc<Instances>,
}

impl Book {
    /// With these names of strategies.
    pub(in crate::provenance) fn new(names: Arc<Instances>) -> Book {
        let kinds = row_kinds().into_iter().filter(|kind| !kind.needs_the_past()).collect();
        Book { kinds, names }
    }

    /// The row of events; `None` if they are not whole, or their kind has none.
    pub(in crate::provenance) fn row(&self, events: &[Event], listings: &Listings) -> Option<Row> {
        let info = flow::kind_info(events.first()?.kind)?;
        let kind = self.kinds.iter().find(|kind| kind.name == info.name)?;
        row(kind, events, listings, &self.names)
    }

    /// An event with those that share its row, as a sink of rows takes them: behind it, of its source and instrument, and before
    /// the next one of its kind from there.
    pub(in crate::provenance) fn with_followers(
        &self,
        member: &mut MemberIndex,
        log: LogKind,
        record: u64,
        event: &Event,
    ) -> Result<Vec<Event>, Trouble> {
        let mut events = vec![*event];
        let Some(second) = follower_of(event.kind) else { return Ok(events) };
        let times = second.follows.and_then(|follows| follows.times);
        let field = times.and_then(|name| flow::kind_info(event.kind)?.fields.iter().find(|f| f.name == name));
        let count = field.map_or(1, |field| field.number(&event.body) as usize);
        let (mut chunk, mut next, mut looked) = ([Event::zeroed(); 32], record + 1, 0);
        while events.len() <= count && looked < FOLLOWERS_WITHIN {
            let read = member.records(log).read(next, &mut chunk)?;
            for found in chunk[..read].iter().filter(|found| found.source == event.source) {
                if found.kind == event.kind || events.len() > count {
                    return Ok(events);
                }
                if found.kind == second.kind && found.instrument == event.instrument {
                    events.push(*found);
                }
            }
            if read == 0 {
                break;
            }
            (next, looked) = (next + read as u64, looked + read);
        }
        Ok(events)
    }
}

/// An event with the one that shares its row and names the same order; `behind` are the later ones that name it.
pub(super) fn with_follower_of_order<'a>(
    event: &Event,
    mut behind: impl Iterator<Item = &'a Event>,
) -> Option<Vec<Event>> {
    let second = follower_of(event.kind)?;
    let is_next =
        |found: &&Event| found.source == event.source && (found.kind == event.kind || found.kind == second.kind);
    behind.find(is_next).filter(|found| found.kind == second.kind).map(|found| vec![*event, *found])
}
