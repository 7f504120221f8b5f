//! A sink: one line a trade in a file, each exactly once, since the position is in the same file.
//!
//! Bound: the lines of a run, which are copied at each commit.

use flow::records::Trade;
use flow::{Event, Kind, Kinds, ParamError, Params, TextParam};
use sinks::journal::Position;
use sinks::tailer::{Occasion, Tailer, TailerError};
use sinks::{SinkEntry, SinkPlace};
use std::fs;
use std::path::PathBuf;

const FILE: TextParam = TextParam::new("file", "prices.json", "The file");

/// The entry.
pub const SINK: SinkEntry = SinkEntry {
    name: "prices",
    doc: "tests/outside/src/prices.rs",
    about: "Prices of trades in a file",
    params: &[FILE.param()],
    place: SinkPlace::BesideIt(open),
};

fn open(params: &Params) -> Result<Box<dyn Tailer>, ParamError> {
    Ok(Box::new(Prices { file: PathBuf::from(params.get(FILE)), lines: Vec::new() }))
}

struct Prices {
    file: PathBuf,
    lines: Vec<String>,
}

impl Prices {
    fn failed(&self, error: impl ToString) -> TailerError {
        let what = format!("{}: {}", self.file.display(), error.to_string());
        TailerError { what, next: "see that the file can be written".to_owned(), transient: false }
    }
}

impl Tailer for Prices {
    fn kinds(&self) -> Kinds {
        Kinds::of(&[Kind::Trade])
    }

    fn position(&mut self) -> Result<Option<Position>, TailerError> {
        self.lines.clear();
        if !self.file.exists() {
            return Ok(None);
        }
        let text = fs::read(&self.file).map_err(|e| self.failed(e))?;
        let (position, lines): (Position, Vec<String>) = serde_json::from_slice(&text).map_err(|e| self.failed(e))?;
        self.lines = lines;
        Ok(Some(position))
    }

    fn take(&mut self, journal: u64, event: &Event) -> Result<(), TailerError> {
        let (id, trade): (_, &Trade) = (event.id, event.record());
        self.lines.push(format!("{journal:016x}/{}/{} {} {}", id.seq(), id.position(), trade.px.0, trade.qty.0));
        Ok(())
    }

    fn commit(&mut self, position: &Position, _: Occasion) -> Result<Option<Position>, TailerError> {
        let text = serde_json::to_vec(&(position, &self.lines)).map_err(|e| self.failed(e))?;
        let beside = self.file.with_extension("new");
        fs::write(&beside, text).and_then(|()| fs::rename(&beside, &self.file)).map_err(|e| self.failed(e))?;
        Ok(Some(*position))
    }
}
