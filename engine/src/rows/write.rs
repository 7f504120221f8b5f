//! The sink that prints rows.
//!
//! It reads listings and the origins of inputs from the sequence itself. Bound: one waiting first with its followers
//! per kind of row and source.

use super::cell::Cell;
use super::depth::Depths;
use super::filter::Filter;
use super::one::{CameFrom, common};
use super::render::{Print, Scale};
use super::schema::{Made, RowKind};
use crate::ingress::{Origin, Origins};
use flow::{Event, Kind, Kinds, Listings, Ns, Sink, SinkError};
use serde::Serializer;
use serde::ser::SerializeMap;
use stages::Instances;
use std::io::{self, Write};
use std::sync::Arc;

/// Output format of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    Jsonl,
    /// Comma-separated, with a header; one kind only.
    Csv,
}

enum Writer {
    Jsonl(Box<dyn Write + Send>),
    Csv(Box<csv::Writer<Box<dyn Write + Send>>>),
}

/// Prints rows of the chosen kinds.
pub struct RowSink {
    kinds: Vec<Arc<RowKind>>,
    reads: Kinds,
    filter: Filter,
    names: Arc<Instances>,
    levels: usize,
    inputs: Vec<String>,
    origins: Option<Origins>,
    origin: Option<Origin>,
    listings: Listings,
    depths: Depths,
    /// By kind of row: the first events that wait for their followers, one of each source.
    waiting: Vec<Vec<Vec<Event>>>,
    writer: Writer,
    rows: u64,
    /// First and last time of the rows that the filter's times leave out.
    outside: Option<[Ns; 2]>,
}

impl RowSink {
    /// Prints `kinds` to `to`. `inputs` are the names of the inputs; without `origins`, input and record are null.
    pub fn new(
        kinds: Vec<RowKind>,
        format: Format,
        filter: Filter,
        levels: usize,
        inputs: Vec<String>,
        origins: Option<Origins>,
        to: Box<dyn Write + Send>,
    ) -> RowSink {
        let definitions = Kinds::of(&[Kind::Name, Kind::Listing]);
        let reads = kinds.iter().fold(definitions, |all, k| all.or(k.reads));
        let writer = match format {
            Format::Jsonl => Writer::Jsonl(Box::new(io::BufWriter::with_capacity(1 << 16, to))),
            Format::Csv => Writer::Csv(Box::new(csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(to))),
        };
        let (listings, depths) = Default::default();
        let (origin, waiting, rows) = (None, vec![Vec::new(); kinds.len()], 0);
        let kinds = kinds.into_iter().map(Arc::new).collect();
        let names = Arc::default();
        RowSink {
            kinds,
            reads,
            filter,
            names,
            levels,
            inputs,
            origins,
            origin,
            listings,
            depths,
            waiting,
            writer,
            rows,
            outside: None,
        }
    }

    /// Names strategies by their instances.
    #[must_use]
    pub fn with_names(mut self, names: Arc<Instances>) -> RowSink {
        self.names = names;
        self
    }

    /// Writes the CSV header, so that it is there even if no row follows.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn begin(mut self) -> Result<RowSink, SinkError> {
        if let Writer::Csv(writer) = &mut self.writer {
            writer.write_record(self.kinds[0].columns.iter().map(|c| c.name)).map_err(|e| failed(csv_error(e)))?;
        }
        Ok(self)
    }

    /// Takes in a name or a listing without printing it.
    pub fn learn(&mut self, event: &Event) {
        self.listings.observe(event);
    }

    /// Moves on to the record of this event: the depth of the record before is now complete.
    fn turn_to(&mut self, event: &Event) -> Result<(), SinkError> {
        let Some(origins) = &mut self.origins else {
            if self.depths.has_changed() && self.origin.is_none_or(|o| o.seq != event.id.seq()) {
                self.flush_depth()?;
            }
            self.origin = Some(Origin { seq: event.id.seq(), input: None, record: None, exchange_ts: None });
            return Ok(());
        };
        let now = origins.of(event.id.seq());
        let key = |o: Option<Origin>| o.map(|o| (o.input, o.record));
        if key(now) != key(self.origin) {
            self.flush_depth()?;
        }
        self.origin = now;
        Ok(())
    }

    fn flush_depth(&mut self) -> Result<(), SinkError> {
        let Some(kind) = self.kinds.iter().find(|k| matches!(k.made, Made::Depth)).cloned() else {
            return Ok(());
        };
        for (instrument, event) in self.depths.take_changed() {
            let scale = Scale::of(self.listings.get(instrument));
            let sides = self.depths.best(instrument, self.levels).map(|side| {
                let levels = side.into_iter().map(|(px, qty)| vec![scale.px(px), scale.qty(qty)]);
                Cell::List(levels.collect())
            });
            self.row(&kind, &event, instrument, sides.to_vec())?;
        }
        Ok(())
    }

    fn show(&mut self, at: usize, event: &Event) -> Result<(), SinkError> {
        let kind = Arc::clone(&self.kinds[at]);
        let Made::Shown { values, follower } = &kind.made else {
            return Ok(());
        };
        let waiting = &mut self.waiting[at];
        let place = waiting.iter().position(|events| events[0].source == event.source);
        let mut events = place.map(|place| waiting.swap_remove(place)).unwrap_or_default();
        if event.kind == kind.kind {
            events.clear();
        }
        if event.kind == kind.kind || events.first().is_some_and(|first| first.instrument == event.instrument) {
            events.push(*event);
        }
        let Some(first) = events.first() else { return Ok(()) };
        let followers = follower.map_or(0, |f| f.times.map_or(1, |field| field.number(&first.body) as usize));
        if events.len() <= followers {
            waiting.push(events);
            return Ok(());
        }
        let print = Print { scale: Scale::of(self.listings.get(event.instrument)), names: &self.names };
        let cells = values.iter().map(|value| print.cell(value, &events)).collect();
        self.row(&kind, &events[0], event.instrument, cells)
    }

    fn row(&mut self, kind: &RowKind, event: &Event, instrument: u32, cells: Vec<Cell>) -> Result<(), SinkError> {
        let symbol = self.listings.get(instrument).map(|l| l.symbol.as_str());
        let record = self.origin.and_then(|o| o.record);
        if !self.filter.passes(symbol, record) {
            return Ok(());
        }
        if !self.filter.holds(event.ts) {
            let [first, last] = self.outside.unwrap_or([event.ts; 2]);
            self.outside = Some([first.min(event.ts), last.max(event.ts)]);
            return Ok(());
        }
        let from = CameFrom {
            exchange_ts: self.origin.and_then(|o| o.exchange_ts),
            input: self.origin.and_then(|o| o.input).and_then(|i| self.inputs.get(i)).map(String::as_str),
            record,
        };
        let common = common(kind, event, symbol, from);
        let row = common.iter().chain(&cells);
        match &mut self.writer {
            Writer::Csv(writer) => writer.write_record(row.map(Cell::to_csv)).map_err(|e| failed(csv_error(e)))?,
            Writer::Jsonl(writer) => {
                json(&mut *writer, kind, row).and_then(|()| writer.write_all(b"\n")).map_err(failed)?;
            }
        }
        self.rows += 1;
        if self.filter.limit.is_some_and(|limit| self.rows >= limit) {
            self.flush()?;
            return Err(SinkError { what: "the row limit is reached".into(), next: "raise --limit", closed: true });
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        match &mut self.writer {
            Writer::Csv(writer) => writer.flush().map_err(failed),
            Writer::Jsonl(writer) => writer.flush().map_err(failed),
        }
    }
}

fn json<'a>(to: &mut dyn Write, kind: &RowKind, row: impl Iterator<Item = &'a Cell>) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::new(to);
    let mut map = serializer.serialize_map(Some(kind.columns.len()))?;
    for (column, cell) in kind.columns.iter().zip(row) {
        map.serialize_entry(column.name, cell)?;
    }
    SerializeMap::end(map)?;
    Ok(())
}

fn csv_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(e) => e,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn failed(error: io::Error) -> SinkError {
    let closed = error.kind() == io::ErrorKind::BrokenPipe;
    SinkError { what: format!("cannot write rows: {error}"), next: "check where standard output goes", closed }
}

impl Sink for RowSink {
    fn kinds(&self) -> Kinds {
        self.reads
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        if event.is_echo() {
            return Ok(());
        }
        self.turn_to(event)?;
        self.listings.observe(event);
        self.depths.apply(event);
        for i in 0..self.kinds.len() {
            if self.kinds[i].reads.has(event.kind) {
                self.show(i, event)?;
            }
        }
        Ok(())
    }

    fn finished(&mut self, seq: u64) -> Result<(), SinkError> {
        // Origins of inputs without rows would pile up in the channel.
        if let Some(origins) = &mut self.origins {
            let _ = origins.of(seq);
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        self.flush_depth()?;
        if let Some(outside) = self.outside.filter(|_| self.rows == 0) {
            // Nobody else sets it.
            let _ = self.filter.missed.set(outside);
        }
        self.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::row_kind;
    use flow::records::{Fill, FillCost};
    use flow::{EventId, Flags};
    use std::sync::{Mutex, PoisonError};

    #[derive(Clone, Default)]
    struct Printed(Arc<Mutex<Vec<u8>>>);

    impl Write for Printed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Fills of two venues on one instrument: the costs come behind both.
    #[test]
    fn what_two_venues_send_may_lie_between_a_fill_and_its_cost() {
        let of = |event: Event, seq, source| Event { id: EventId::new(seq, 0, 0), source, ..event };
        let fill = |seq, source, match_id| {
            let fill = Fill { order_id: match_id, match_id, ..Fill::default() };
            of(Event::new(Ns(5), 1, Flags::NONE, &fill), seq, source)
        };
        let cost = |seq, source, match_id| {
            let cost = FillCost { order_id: match_id, match_id, fee: 7, ..FillCost::default() };
            of(Event::new(Ns(5), 1, Flags::NONE, &cost), seq, source)
        };
        let printed = Printed::default();
        let kinds = vec![row_kind("fill").unwrap()];
        let to = Box::new(printed.clone());
        let mut sink = RowSink::new(kinds, Format::Jsonl, Filter::default(), 0, Vec::new(), None, to);
        // The third fill is one whose cost never comes.
        let of_two = [fill(1, 3, 31), fill(2, 4, 41), cost(3, 3, 31), fill(4, 3, 32), cost(5, 4, 41)];
        let events = of_two.into_iter().chain([fill(6, 3, 33), cost(7, 3, 33)]);
        events.for_each(|event| sink.take(&event).unwrap());
        sink.end().unwrap();
        let text = String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
        let rows = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let found: Vec<_> = rows.map(|row| (row["match_id"].clone(), row["fee"].is_null())).collect();
        assert_eq!(found, ["31", "41", "33"].map(|id| (id.into(), false)));
    }
}
