//! Runs a decoder over bytes in memory, for fuzz targets, tests and tools without a file.
//!
//! A decoder's output must depend neither on how its bytes are cut nor on how full the queue is; the caller chooses
//! both here. Bound: a window holds one cut and half a mebibyte more, as much as the reader's smallest window.

use flow::{Decoder, Event, FeedError, Inputs, Step, Window};

/// Bytes that a window holds in addition to one cut.
const WINDOW: usize = 512 << 10;

/// The decoded inputs with their record numbers, and the result.
pub type Driven = (Vec<(Event, u64)>, Result<(), FeedError>);

/// Decodes `streams` in pieces of `cut` bytes (at least 1) through a queue of `room` inputs, and calls `each` on every
/// input.
///
/// # Errors
/// The decoder's error, or that it asked for bytes past the end.
pub fn run(
    decoder: &mut dyn Decoder,
    streams: &[&[u8]],
    cut: usize,
    room: usize,
    mut each: impl FnMut(&Event, u64),
) -> Result<(), FeedError> {
    let cut = cut.max(1);
    let mut windows: Vec<Window> = streams.iter().map(|_| Window::with_capacity(WINDOW + cut)).collect();
    let mut rest: Vec<&[u8]> = streams.to_vec();
    let mut inputs = Inputs::with_capacity(room);
    loop {
        let step = decoder.decode(&mut windows, &mut inputs);
        let gave = !inputs.is_empty();
        while let Some((event, record)) = inputs.front() {
            each(event, record);
            inputs.pop();
        }
        match step? {
            Step::Ended => return Ok(()),
            Step::Full => assert!(gave, "a decoder that says the queue is full has filled it"),
            Step::Starved => {
                if !supply(&mut windows, &mut rest, cut) {
                    return Err(starved(&windows, decoder.records()));
                }
            }
        }
    }
}

/// [`run`], with all inputs collected.
pub fn collect(decoder: &mut dyn Decoder, streams: &[&[u8]], cut: usize, room: usize) -> Driven {
    let mut inputs = Vec::new();
    let end = run(decoder, streams, cut, room, |event, record| inputs.push((*event, record)));
    (inputs, end)
}

/// Appends the next piece to every window, or ends it; false if nothing changed.
fn supply(windows: &mut [Window], rest: &mut [&[u8]], cut: usize) -> bool {
    let mut fed = false;
    for (window, rest) in windows.iter_mut().zip(rest) {
        let n = cut.min(rest.len()).min(window.room());
        if n > 0 {
            window.append(&rest[..n]);
            *rest = &rest[n..];
            fed = true;
        } else if rest.is_empty() && !window.ended() {
            window.end();
            fed = true;
        }
    }
    fed
}

fn starved(windows: &[Window], records: u64) -> FeedError {
    FeedError {
        what: "the decoder asked for bytes past the end".to_owned(),
        offset: windows.first().map_or(0, Window::offset),
        record: records + 1,
        next: "the record is longer than the window: check that the bytes belong to this feed",
    }
}
