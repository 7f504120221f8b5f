//! Databento Binary Encoding, versions 1 to 3.
//!
//! The `dbn` crate reads the bytes; this feed maps each record to inputs of the pipeline: orders, levels, quotes,
//! trades, bars, definitions and statuses. See [`Dbn`] and the feed's page.
//!
//! Bound: one buffer, and one slot per instrument up to 65,535. Worst case: an MBP-10 record that changes all of its
//! levels.

mod bars;
mod collect;
mod decoder;
mod definitions;
mod fields;
mod instruments;
mod tally;
mod terms;
mod translate;

pub use decoder::Dbn;

use crate::reader::open_streams;
use crate::{DatasetPart, Feed, Files, FindError, Open, Opened, Request, drive};
use dbn::Schema;
use definitions::Beside;
use flow::Ns;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The entry in the registry.
pub const FEED: Feed = Feed {
    name: "dbn",
    doc: "feeds/docs/dbn.md",
    about: "Databento DBN versions 1 to 3, any schema, plain or zstd",
    params: &[],
    open: Open::Bytes { files: Files::OneADay, recognise, find },
};

fn recognise(head: &[u8]) -> bool {
    decoder::is_header(head)
}

fn find(request: &Request) -> Result<Opened, FindError> {
    let path = request.path();
    let mut streams = open_streams(path)?;
    let Some(first) = streams.next().transpose()? else { return Err(FindError::other_feed(path, &[])) };
    if streams.next().is_some() || !first.may_be(recognise) {
        return Err(FindError::other_feed(path, &first.head));
    }
    let (name, decoder) = (path.display().to_string(), Box::new(Dbn::new()));
    let part = Some(part_of(&first.head));
    Ok(Opened { name, warnings: Vec::new(), decoder, streams: vec![first.read], memory: 0, part })
}

/// What the first bytes of a stream say of it: dataset and schema stand in the same place in all versions.
fn part_of(head: &[u8]) -> DatasetPart {
    let dataset = head.get(8..24).and_then(|bytes| bytes.try_into().ok());
    let schema = head.get(24..26).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes);
    DatasetPart { dataset, defines: schema == Some(Schema::Definition as u16) }
}

/// Files of definitions define the instruments of the other inputs of their dataset, and make no inputs then. Without such an
/// input they list what they define. A pipe may turn out to be of any dataset.
pub(crate) fn join(mut inputs: Vec<&mut Opened>) {
    inputs.retain(|input| input.part.is_some());
    let parts: Vec<_> = inputs.iter().filter_map(|input| input.part).collect();
    let data: BTreeSet<_> = parts.iter().filter(|part| !part.defines).map(|part| part.dataset).collect();
    let defined: BTreeSet<_> = parts.iter().filter(|part| part.defines).filter_map(|part| part.dataset).collect();
    let (mut beside, mut memory) = (Beside::new(), 0);
    for dataset in defined.into_iter().filter(|dataset| data.contains(&Some(*dataset)) || data.contains(&None)) {
        let defining =
            |input: &&mut &mut Opened| input.part == Some(DatasetPart { dataset: Some(dataset), defines: true });
        let mut streams = Vec::new();
        let mut decoders = Vec::new();
        for input in inputs.iter_mut().filter(defining) {
            streams.append(&mut input.streams);
            decoders.push(&mut input.decoder);
        }
        let (definitions, left, bytes) = collect::read(streams);
        decoders.into_iter().zip(left).for_each(|(decoder, left)| *decoder = left);
        if !definitions.is_empty() {
            beside.insert(dataset, Arc::new(definitions));
            memory += bytes;
        }
    }
    for input in inputs.iter_mut().filter(|input| input.part.is_some_and(|part| !part.defines)) {
        input.decoder = Box::new(Dbn::beside(beside.clone()));
        input.memory += std::mem::take(&mut memory);
    }
}

/// Decodes arbitrary bytes, for a fuzz target; the first byte says how they are cut. Never panics.
pub fn fuzz(bytes: &[u8]) {
    let [cut, stream @ ..] = bytes else { return };
    let mut last = Ns(0);
    // An error is as valid an outcome as success.
    let _ = drive::run(&mut Dbn::new(), &[stream], usize::from(*cut) * 16, 0, |event, _| last = event.ts);
}
