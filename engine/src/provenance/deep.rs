//! What no recorded event holds: the journal is repeated up to the order, with the outcomes of all kinds.
//!
//! **Idea.** The pipeline is a function of its inputs, so its state before any order can be had again. From the nearest snapshot
//! the journal is repeated up to the input before the order's, and then that input alone. A gate that is loaded with the state
//! between them takes the events of the input up to the request, and then says what each of its checks finds. What the
//! repetition gives for the order must be what was recorded.
//!
//! Bound: the memory of a run, and the time of a replay from that snapshot. Worst case: no snapshot, and the whole journal.

use super::error::WhyError;
use super::index::{Key, Layout};
use crate::drive::Control;
use crate::recovery::{Notices, Past, RecoveryError, Repeater, Snapshot};
use crate::registries::Registries;
use flow::{Event, Kind, Kinds, OrderId, Out, Sink, SinkError, Stage as _, StateReader, StateWriter};
use sinks::journal::Member;
use stages::risk::{Checked, RiskStage};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What a repetition adds to a story.
#[derive(Clone, Debug, Default)]
pub(super) struct Deep {
    /// The input behind which it began.
    pub(super) from: u64,
    /// What each check found, in their order.
    pub(super) checks: Vec<Checked>,
    /// The last measures that the outcomes leave out, each with its followers.
    pub(super) known: Vec<Vec<Event>>,
}

/// Takes what a repetition gives: the last values of an instrument, and all events of one input.
#[derive(Clone)]
struct Taken(Arc<Mutex<Collected>>);

struct Collected {
    layout: Layout,
    instrument: u32,
    /// Measures that the outcomes leave out.
    wanted: Kinds,
    seq: u64,
    last: BTreeMap<Key, Vec<Event>>,
    /// The events of that input, with the measures up to each.
    events: Vec<Event>,
    /// The measures are as they were before this event.
    until: u64,
    is_over: bool,
}

impl Collected {
    fn take(&mut self, event: &Event) {
        if event.id.seq() == self.seq {
            self.events.push(*event);
            self.is_over |= event.id.0 == self.until;
        }
        if self.is_over || event.instrument != self.instrument || !self.wanted.has(event.kind) {
            return;
        }
        match (self.layout.key(event), flow::kind_info(event.kind).and_then(|info| info.follows)) {
            (Some(key), _) => {
                self.last.insert(key, vec![*event]);
            }
            (None, Some(follows)) => {
                let is_first = |(key, events): &(&Key, &mut Vec<Event>)| {
                    key.kind() == follows.first && events.last().is_some_and(|last| last.id.seq() == event.id.seq())
                };
                if let Some((_, events)) = self.last.iter_mut().find(is_first).filter(|(_, events)| events.len() == 1) {
                    events.push(*event);
                }
            }
            _ => {}
        }
    }
}

impl Sink for Taken {
    fn kinds(&self) -> Kinds {
        Kinds::ALL
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(event);
        Ok(())
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        Ok(())
    }
}

/// The gate as it was before an event of an input; `events` are those of the input in their order.
fn gate_before(
    journal: &Repeater<'_>,
    state: &Snapshot,
    bytes: &[u8],
    events: &[Event],
    request: u64,
) -> Result<Option<RiskStage>, RecoveryError> {
    let (settings, listings) = (&journal.settings, state.listings());
    let space = settings.space(journal.reader.info().instruments);
    let Ok(mut gate) = RiskStage::new(&settings.stage_params("risk"), space) else { return Ok(None) };
    gate.load(&mut StateReader::new(&listings, bytes))?;
    let (reads, mut out) = (gate.reads(), Out::new(1, Kinds::NONE));
    for event in events.iter().take_while(|event| event.id.0 != request) {
        if reads.has(event.kind) {
            out.begin(event);
            gate.on_event(event, &mut out);
        }
    }
    Ok(Some(gate))
}

/// Repeats a journal up to the input of a request.
///
/// # Errors
/// When another build wrote it, it cannot be read, or the repetition differs from the record.
pub(super) fn deep(
    member: &Member,
    registries: &Registries,
    notices: Notices,
    (order, request, decision): (OrderId, &Event, &Event),
) -> Result<Deep, WhyError> {
    let control = Control::default();
    let journal = Repeater::open(member, registries, &control)?;
    let seq = request.id.seq();
    let before = Snapshot::latest(&journal.reader, &member.dir, seq - 1, Past::Read, notices)?;
    let logged = member.info.outcome_kinds;
    let wanted = Kinds::ALL.iter().filter(|kind| kind.is_measure() && !logged.has(*kind));
    let taken = Taken(Arc::new(Mutex::new(Collected {
        layout: Layout::new(),
        instrument: request.instrument,
        wanted: Kinds::of(&wanted.collect::<Vec<_>>()),
        seq,
        last: BTreeMap::new(),
        events: Vec::new(),
        until: decision.id.0,
        is_over: false,
    })));
    let (finished, state) = journal.run(before.as_ref(), seq - 1, vec![Box::new(taken.clone())], Vec::new())?;
    let (mut bytes, listings) = (None, state.listings());
    for (name, _, stage) in finished.groups.iter().flat_map(|group| group.named()) {
        if name == "risk" {
            let mut to = StateWriter::new(&listings);
            stage.save(&mut to);
            bytes = Some(to.into_bytes());
        }
    }
    drop(finished);
    let control = Control::default();
    let again = Repeater::open(member, registries, &control)?;
    again.run(Some(&state), seq, vec![Box::new(taken.clone())], Vec::new())?;
    let collected = taken.0.lock().unwrap_or_else(PoisonError::into_inner);
    if !collected.events.contains(request) {
        return Err(WhyError::Differs { dir: member.dir.clone(), order: order.0 });
    }
    let gate = match &bytes {
        Some(bytes) => gate_before(&journal, &state, bytes, &collected.events, request.id.0)?,
        None => None,
    };
    let asks = matches!(request.kind, Kind::Request | Kind::ReplaceRequest);
    let checks = gate.filter(|_| asks).map_or_else(Vec::new, |gate| gate.checked(request));
    let known = collected.last.values().cloned().collect();
    Ok(Deep { from: before.map_or(0, |before| before.seq), checks, known })
}
