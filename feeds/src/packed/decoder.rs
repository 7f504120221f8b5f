//! The decoder of a packed file: takes the inputs that its stream gives, and tells it which are watched.
//!
//! On the pipeline's thread an input is copied and its place compared. The inputs of a record come in one call, as the merge
//! needs those of a definition. What lies between two places was left out, and is counted, so a place among the inputs is the
//! same whatever is watched. When other symbols are watched, what was read ahead is passed over until the stream says that it
//! begins anew. Bound: no state grows with the file.

use super::end::Contents;
use super::model::{Item, PLACE, RECORD};
use super::unpack::{ALL, Ask, CHOSEN, MARK};
use flow::{Count, Decoder, Event, FeedError, Inputs, Selection, Step, Window};
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// An item as the stream gives it.
type Bytes = [u8; size_of::<Item>()];

/// Takes the inputs of a packed file from its stream.
pub(super) struct Packed {
    contents: Arc<Contents>,
    asks: Sender<Ask>,
    watched: Selection,
    /// Number of the choice that is wanted, from 1, and whether the stream knows it.
    wanted: u64,
    is_asked: bool,
    /// Number of the choice to which what comes belongs.
    comes: u64,
    /// Inputs that were given or left out.
    places: u64,
    record: u64,
    ended: bool,
}

impl Packed {
    pub(super) fn new(contents: Arc<Contents>, asks: Sender<Ask>) -> Packed {
        let watched = Selection::default();
        Packed { contents, asks, watched, wanted: 1, is_asked: false, comes: 0, places: 0, record: 0, ended: false }
    }

    /// Tells the stream what is watched, if it does not know. One that has ended has said why.
    fn ask(&mut self) {
        if !std::mem::replace(&mut self.is_asked, true) {
            let _ = self.asks.send(Ask::Choose(self.wanted, self.places, self.watched.clone()));
        }
    }

    /// Passes over what belongs to an earlier choice; returns how many items.
    fn pass_over(&mut self, items: &[Bytes]) -> usize {
        let begins = |item: &Bytes| {
            let item: Item = bytemuck::pod_read_unaligned(item);
            item[PLACE] == MARK && item[0] == CHOSEN && item[RECORD] == self.wanted
        };
        match items.iter().position(begins) {
            Some(at) => {
                self.comes = self.wanted;
                at + 1
            }
            None => items.len(),
        }
    }

    /// Takes the inputs of whole records while there is room, up to the first mark; returns how many.
    fn give(&mut self, items: &[Bytes], to: &mut Inputs) -> usize {
        let (mut given, mut places, mut left_out) = (0, self.places, 0);
        let whole = &items[..whole_records(items)];
        let (events, numbers) = to.spare();
        for ((item, event), number) in whole.iter().zip(events).zip(numbers) {
            let item: Item = bytemuck::pod_read_unaligned(item);
            if item[PLACE] == MARK {
                break;
            }
            (*event, *number) = input_of(&item);
            left_out += item[PLACE] - places;
            places = item[PLACE] + 1;
            (given, self.record) = (given + 1, item[RECORD]);
        }
        to.fill(given);
        // The record whose inputs were begun is ended: for that the queue has a margin.
        for item in whole[given..].iter().take(if given > 0 { Inputs::MARGIN - 1 } else { 0 }) {
            let item: Item = bytemuck::pod_read_unaligned(item);
            if item[PLACE] == MARK || item[RECORD] != self.record {
                break;
            }
            let (event, record) = input_of(&item);
            to.push(event, record);
            left_out += item[PLACE] - places;
            places = item[PLACE] + 1;
            given += 1;
        }
        self.places = places;
        to.leave_out(left_out);
        given
    }

    /// All was given.
    fn end(&mut self, to: &mut Inputs) {
        to.leave_out(self.contents.inputs - self.places);
        self.places = self.contents.inputs;
        self.ended = true;
        // A stream that is gone needs to know nothing.
        let _ = self.asks.send(Ask::Done);
    }
}

impl Decoder for Packed {
    fn decode(&mut self, windows: &mut [Window], to: &mut Inputs) -> Result<Step, FeedError> {
        self.ask();
        let window = &mut windows[0];
        loop {
            if self.ended {
                return Ok(Step::Ended);
            }
            let items: &[Bytes] = window.bytes().as_chunks().0;
            let first: Item = items.first().map_or([0; 10], |first| bytemuck::pod_read_unaligned(first));
            let taken = if self.comes != self.wanted {
                self.pass_over(items)
            } else if first[PLACE] == MARK && first[0] == ALL {
                self.end(to);
                1
            } else if !to.has_room() {
                return Ok(Step::Full);
            } else {
                self.give(items, to)
            };
            if taken == 0 {
                return if window.ended() { Err(self.broken_off(window)) } else { Ok(Step::Starved) };
            }
            window.consume(taken * size_of::<Item>());
        }
    }

    fn watch(&mut self, watched: &Selection) {
        if self.is_asked && *watched != self.watched {
            self.wanted += 1;
            self.is_asked = false;
        }
        self.watched = watched.clone();
    }

    fn instruments(&self) -> u32 {
        self.contents.about.instruments
    }

    fn counts(&self) -> Vec<Count> {
        if self.ended { self.contents.about.counts.clone() } else { Vec::new() }
    }

    fn records(&self) -> u64 {
        if self.ended { self.contents.about.records } else { self.record }
    }

    fn warnings(&self) -> Vec<String> {
        self.contents.about.warnings.clone()
    }
}

/// How many of these items are those of whole records: the last one may go on behind them. A record of more inputs than one may
/// have is cut.
fn whole_records(items: &[Bytes]) -> usize {
    let record = |item: &Bytes| {
        let item: Item = bytemuck::pod_read_unaligned(item);
        (item[PLACE] != MARK).then_some(item[RECORD])
    };
    let Some(last) = items.last().and_then(record) else { return items.len() };
    let begun = items.iter().rev().take(Inputs::MARGIN).take_while(|item| record(item) == Some(last)).count();
    if begun == Inputs::MARGIN { items.len() } else { items.len() - begun }
}

/// The input of an item, with its record.
#[inline(always)]
fn input_of(item: &Item) -> (Event, u64) {
    let words: [u64; 8] = *item.first_chunk().expect("an item has more words");
    (bytemuck::cast(words), item[RECORD])
}

impl Packed {
    fn broken_off(&self, window: &Window) -> FeedError {
        FeedError {
            what: "the stream of a packed file broke off".to_owned(),
            offset: window.offset(),
            record: self.record + 1,
            next: "this is a fault of the program: report it",
        }
    }
}
