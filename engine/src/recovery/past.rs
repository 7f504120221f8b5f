//! What the journals of a run hold, from the first input on, without reading all of them.
//!
//! Beside the state that it begins with, a journal that follows another has a summary of all before it: the inputs that a new
//! journal would begin with if it carried them over, and the orders that may be open. It is in the form in which
//! [`super::carry`] reads a journal, so whoever needs what happened earlier reads the last summary and then the logs behind
//! it. It lies beside the snapshots and bears the id of its journal. Where there is none yet, the logs of the journal before are read
//! too, from its own summary on. Bound: the summary is as large as what a carry-over takes.

use super::sealed;
use super::snapshot_error::SnapshotError;
use flow::records::Route;
use flow::{Action, Event, Flags, KnownOrder, Ns, OpenOrder, Qty};
use serde::{Deserialize, Serialize};
use sinks::journal::Member;
use std::path::PathBuf;

/// Version of the file format.
const FORMAT: u32 = 1;
const EXTENSION: &str = "before";

/// A summary of the journals before one.
#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
    journal_id: u64,
    inputs: Vec<u8>,
    routes: Vec<u8>,
}

/// What the journals of a run hold.
pub(super) struct Past<'a> {
    /// The last input that the summary includes.
    pub(super) through: u64,
    /// The summary: inputs, and the routes of orders that may be open.
    pub(super) inputs: Vec<Event>,
    pub(super) routes: Vec<Event>,
    /// The journals behind it.
    pub(super) journals: &'a [Member],
}

impl<'a> Past<'a> {
    /// Of these journals, the oldest first: from the last summary on.
    ///
    /// # Errors
    /// When a summary cannot be read or is damaged.
    pub(super) fn of(journals: &'a [Member]) -> Result<Past<'a>, SnapshotError> {
        for at in (0..journals.len()).rev() {
            let member = &journals[at];
            if let Some(saved) = read(member)? {
                let (through, events) = (member.info.after(), |bytes: &[u8]| {
                    bytes.chunks_exact(size_of::<Event>()).map(bytemuck::pod_read_unaligned).collect()
                });
                let (inputs, routes) = (events(&saved.inputs), events(&saved.routes));
                return Ok(Past { through, inputs, routes, journals: &journals[at..] });
            }
        }
        match journals.first().filter(|first| first.info.follows.is_some()) {
            Some(first) => Err(SnapshotError::NoSummary(path(first))),
            None => Ok(Past { through: 0, inputs: Vec::new(), routes: Vec::new(), journals }),
        }
    }
}

/// The route of an order that may be open, with what it was sent for.
pub(super) fn route_of(routed: &Routed) -> Event {
    let Routed { venue, order, qty } = *routed;
    let action = Action::New.code();
    let route = Route { order_id: order.order_id.0, qty: Qty(qty), venue, action, ..Route::default() };
    Event::new(Ns(0), order.instrument, Flags::NONE.with_side(order.side), &route)
}

/// An order that left.
#[derive(Clone, Copy)]
pub(super) struct Routed {
    /// The venue's number in its run.
    pub(super) venue: u16,
    pub(super) order: OpenOrder,
    /// What it was sent for, in smallest units.
    pub(super) qty: u64,
}

impl Routed {
    /// The order, of which nothing else is known.
    pub(super) fn known(&self) -> KnownOrder {
        let (executed, matches) = (Qty(0), Vec::new());
        KnownOrder { order: self.order, qty: Qty(self.qty), acknowledged: false, executed, matches }
    }
}

/// The order of a route, if it makes one.
pub(super) fn order_of(event: &Event) -> Option<Routed> {
    let route = event.get::<Route>().filter(|route| Action::makes_an_order(route.action))?;
    let order_id = flow::OrderId(route.order_id);
    let order = OpenOrder { order_id, instrument: event.instrument, side: event.side() };
    Some(Routed { venue: route.venue, order, qty: route.qty.0 })
}

/// Whether the journal has its summary.
pub(super) fn has_summary(member: &Member) -> bool {
    path(member).exists()
}

/// Writes the summary of the journals before one beside it.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write(member: &Member, inputs: &[Event], routes: &[Event]) -> Result<(), SnapshotError> {
    let bytes = |events: &[Event]| bytemuck::cast_slice(events).to_vec();
    let journal_id = member.info.journal_id;
    let saved = Saved { format: FORMAT, journal_id, inputs: bytes(inputs), routes: bytes(routes) };
    sealed::write(&path(member), &sealed::bytes(&saved))
}

fn path(member: &Member) -> PathBuf {
    sealed::path(&member.dir, member.info.after(), EXTENSION)
}

fn read(member: &Member) -> Result<Option<Saved>, SnapshotError> {
    let (path, ours) = (path(member), member.info.journal_id);
    if !path.exists() {
        return Ok(None);
    }
    let saved: Saved = sealed::read(&path, FORMAT)?;
    match saved.journal_id == ours {
        true => Ok(Some(saved)),
        false => Err(SnapshotError::OtherJournal { path, theirs: saved.journal_id, ours }),
    }
}

/// What is wrong with the summary of a journal, if it has one.
pub(super) fn fault(member: &Member) -> Option<SnapshotError> {
    read(member).err()
}
