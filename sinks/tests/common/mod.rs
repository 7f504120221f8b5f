//! Events that a test can recreate from their numbers alone.
#![allow(dead_code, reason = "every test binary takes its part")]

use flow::records::{Add, Trade};
use flow::{Event, EventId, Flags, Kinds, Ns, Record, Sink};
use sinks::journal::{
    Examined, InputLog, Journal, JournalError, JournalReader, JournalSpec, LogFull, OutcomeLog, Upkeep,
};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// The input with this seq.
pub(crate) fn input(seq: u64) -> Event {
    let mut event = Event::new(Ns(seq * 1_000), (seq % 97) as u32, Flags::LAST_OF_GROUP, &Add::default());
    event.body[..8].copy_from_slice(&(seq.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_le_bytes());
    event.id = EventId::new(seq, 0, 0);
    event
}

/// How many outcomes the input with this seq has: 0 to 3.
pub(crate) fn fan_out(seq: u64) -> u64 {
    seq.wrapping_mul(0xD134_2543_DE82_EF95) >> 62
}

/// The `n`-th outcome of an input.
pub(crate) fn outcome(seq: u64, n: u64) -> Event {
    let mut event = Event::new(Ns(seq * 1_000), 1, Flags::NONE, &Trade::default());
    event.body[..8].copy_from_slice(&(seq ^ n << 40).to_le_bytes());
    event.id = EventId::new(seq, 3, n as u16);
    event
}

/// All outcomes of the inputs up to `seq`.
pub(crate) fn outcomes_through(seq: u64) -> Vec<Event> {
    (1..=seq).flat_map(|s| (0..fan_out(s)).map(move |n| outcome(s, n))).collect()
}

/// A journal's settings with small segments and quick syncs.
pub(crate) fn spec(segment_records: u64, sync_ms: u64) -> JournalSpec {
    let mut spec = JournalSpec::new("test-build 1", "[pipeline]\npreset = \"fused\"\n");
    spec.segment_records = segment_records;
    spec.upkeep = upkeep(sync_ms);
    spec
}

/// No high-water mark.
pub(crate) fn upkeep(sync_ms: u64) -> Upkeep {
    Upkeep { sync_ms, ..Upkeep::default() }
}

/// Appends an input as soon as there is room for it.
pub(crate) fn enter(inputs: &mut InputLog, event: &Event) -> Result<(), LogFull> {
    while !inputs.ready()? {
        std::thread::yield_now();
    }
    inputs.append(event)
}

/// Writes the inputs of `seqs` and their outcomes.
pub(crate) fn write(inputs: &mut InputLog, outcomes: &mut OutcomeLog, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        enter(inputs, &input(seq)).expect("there is room");
        (0..fan_out(seq)).for_each(|n| outcomes.take(&outcome(seq, n)).expect("outcomes never fail"));
        outcomes.finished(seq).expect("outcomes never fail");
    }
}

/// The contents of both logs.
pub(crate) fn read(dir: &Path) -> (Vec<Event>, Vec<Event>) {
    let reader = JournalReader::open(dir).expect("a journal");
    let all = |log: sinks::journal::LogReader| log.collect::<Result<Vec<_>, _>>().expect("no damage");
    (all(reader.inputs()), all(reader.outcomes()))
}

/// The kinds of [`outcome`].
pub(crate) fn trades() -> Kinds {
    Kinds::of(&[Trade::KIND])
}

/// Examines a journal in order to go on writing it.
pub(crate) fn examine(dir: &Path) -> Result<Examined, JournalError> {
    Journal::examine(dir, &AtomicBool::new(false))
}
