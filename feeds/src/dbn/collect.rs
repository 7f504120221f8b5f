//! Reads files of definitions whole, before a run begins.
//!
//! Bound: a block of [`BLOCK`] bytes for each stream in turn, besides the definitions themselves. Worst case: the time of
//! reading all of them.

use super::decoder::Dbn;
use super::definitions::Definitions;
use flow::{Count, Decoder, FeedError, Inputs, Kind, Step, Window};
use std::io::Read;

/// Bytes that are read at once.
const BLOCK: usize = 256 << 10;

/// Reads the definitions of streams, and indexes them. What remains of each stream is a decoder without inputs, which has its
/// counts, and its error if it could not be read to its end.
pub(super) fn read(streams: Vec<Box<dyn Read + Send>>) -> (Definitions, Vec<Box<dyn Decoder>>, u64) {
    let mut definitions = Definitions::default();
    let mut left: Vec<Box<dyn Decoder>> = Vec::new();
    for stream in streams {
        let mut dbn = Dbn::collecting();
        let end = drain(&mut dbn, stream);
        definitions.extend(dbn.collected());
        left.push(Box::new(Drained { dbn, end }));
    }
    definitions.index();
    let bytes = definitions.bytes();
    (definitions, left, bytes)
}

/// Decodes a stream to its end.
fn drain(dbn: &mut Dbn, mut stream: Box<dyn Read + Send>) -> Result<(), FeedError> {
    let (mut windows, mut inputs, mut block) =
        ([Window::with_capacity(4 * BLOCK)], Inputs::with_capacity(0), vec![0; BLOCK]);
    loop {
        let step = dbn.decode(&mut windows, &mut inputs);
        if inputs.waiting().iter().any(|input| input.kind != Kind::Anomaly) {
            return Err(FeedError {
                what: "a file that begins with definitions has other records too".to_owned(),
                offset: windows[0].offset(),
                record: dbn.records(),
                next: "beside other files of its dataset, give the definitions and the rest as files of their own",
            });
        }
        while !inputs.is_empty() {
            inputs.pop();
        }
        match step? {
            Step::Ended => return Ok(()),
            Step::Full => {}
            Step::Starved => match stream.read(&mut block) {
                Ok(0) => windows[0].end(),
                Ok(n) => windows[0].append(&block[..n]),
                Err(e) => {
                    let (offset, record) = (windows[0].offset(), dbn.records() + 1);
                    let next = "all earlier definitions are used; check the file and the disk";
                    return Err(FeedError { what: e.to_string(), offset, record, next });
                }
            },
        }
    }
}

/// What remains of a stream of definitions.
struct Drained {
    dbn: Dbn,
    end: Result<(), FeedError>,
}

impl Decoder for Drained {
    fn decode(&mut self, _: &mut [Window], _: &mut Inputs) -> Result<Step, FeedError> {
        self.end.clone().map(|()| Step::Ended)
    }

    fn instruments(&self) -> u32 {
        1
    }

    fn counts(&self) -> Vec<Count> {
        self.dbn.counts()
    }

    fn records(&self) -> u64 {
        self.dbn.records()
    }

    fn warnings(&self) -> Vec<String> {
        self.dbn.warnings()
    }
}
