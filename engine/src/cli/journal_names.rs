//! What the rows of a journal are named by: its instances, and the names and listings before a place in it.
//!
//! Bound: one pass over the inputs before that place.

use super::console;
use super::exit::Failure;
use crate::config::instances_in;
use crate::recovery::{Notices, Past, Snapshot};
use crate::rows::RowSink;
use flow::{Event, Kind};
use sinks::journal::{JournalReader, Member};
use stages::Instances;
use std::sync::Arc;

/// The names of the instances that its run had.
pub(super) fn names(reader: &JournalReader) -> Arc<Instances> {
    Arc::new(instances_in(&reader.info().config_text))
}

/// The names and listings that a journal begins with.
pub(super) fn defined_before(member: &Member) -> Result<Vec<Event>, Failure> {
    let start = Snapshot::start(member, Past::Left, Notices(console::say)).map_err(Failure::failed)?;
    Ok(start.iter().flat_map(Snapshot::defined).collect())
}

/// Takes in the names and listings of a journal up to this input.
pub(super) fn learn(sink: &mut RowSink, member: &Member, through: u64) -> Result<(), Failure> {
    defined_before(member)?.iter().for_each(|event| sink.learn(event));
    for event in member.reader().inputs() {
        let event = event.map_err(Failure::failed)?;
        if event.id.seq() > through {
            break;
        }
        if matches!(event.kind, Kind::Name | Kind::Listing) {
            sink.learn(&event);
        }
    }
    Ok(())
}
