//! Rows a second into QuestDB: the sink, from a journal, beside the bare client library with the same rows in memory.
//!
//! `cargo run --release -p tidegate-sinks --features questdb --example questdb_rate -- JOURNAL HOST:PORT ROUNDS`
//!
//! Both write the same rows in batches of the same size into the same tables, empty before each turn, and take turns. The time
//! begins with the first row, the connection and the tables being there, and ends when the server has acknowledged the last one. The sink reads the journal, makes the rows, looks at the tables and saves
//! its position within that time; the bare client does nothing but encode and send. Memory: all rows, some 1 KB each.

use flow::{Event, FieldType, Kind, Kinds, Params};
use questdb::ingress::{ColumnName, Sender, TableName, TimestampNanos};
use sinks::journal::{Follow, Followed, Member, Position};
use sinks::tables::{ColumnType, Rows, Value};
use sinks::tailer::{Counters, Delivery, Following, Names, Occasion, Place, Reference, Tailer, TailerError, deliver};
use sinks::{SINKS, SinkPlace};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

const BATCH: usize = 50_000;

struct Nameless;

impl Names for Nameless {
    fn name(&self, _: FieldType, _: Kind, _: u64) -> Option<&str> {
        None
    }
}

impl Reference for Nameless {
    fn names(&self) -> Arc<dyn Names> {
        Arc::new(Nameless)
    }

    fn begins_with(&self, _: &Member) -> Result<Vec<Event>, String> {
        Ok(Vec::new())
    }
}

/// A sink, when its first event came, and when its last commit was acknowledged.
struct Timed(Box<dyn Tailer>, Option<Instant>, Instant);

impl Tailer for Timed {
    fn begin(&mut self, place: &mut Place<'_>) -> Result<(), TailerError> {
        self.0.begin(place)
    }

    fn kinds(&self) -> Kinds {
        self.0.kinds()
    }

    fn learn(&mut self, event: &Event) {
        self.0.learn(event);
    }

    fn position(&mut self) -> Result<Option<Position>, TailerError> {
        self.0.position()
    }

    fn take(&mut self, journal: u64, event: &Event) -> Result<(), TailerError> {
        self.1.get_or_insert_with(Instant::now);
        self.0.take(journal, event)
    }

    fn is_amid(&self) -> bool {
        self.0.is_amid()
    }

    fn commit(&mut self, position: &Position, occasion: Occasion) -> Result<Option<Position>, TailerError> {
        let durable = self.0.commit(position, occasion)?;
        self.2 = Instant::now();
        Ok(durable)
    }
}

/// A value of the bare client's rows.
enum Owned {
    Word(String),
    Long(i64),
    Float(f64),
    Truth(bool),
    Time(i64),
}

struct OwnedRow {
    table: &'static str,
    ts: i64,
    /// Symbols first.
    values: Vec<(Arc<str>, Owned)>,
}

/// All rows of a run.
fn rows_of(dir: &Path) -> Result<Vec<OwnedRow>, Box<dyn Error>> {
    let (mut rows, mut all) = (Rows::new(&[], Arc::new(Nameless)), Vec::new());
    let names: Vec<Vec<Arc<str>>> = rows
        .tables()
        .iter()
        .map(|table| table.columns.iter().map(|column| column.name.as_str().into()).collect())
        .collect();
    for found in Follow::open(dir, rows.reads())? {
        let Followed::Event(event) = found? else { continue };
        let taken = rows.take(1, &event, &mut |row| {
            let mut values = Vec::new();
            for is_word in [true, false] {
                for (column, name) in row.table.columns.iter().zip(&names[row.number]) {
                    if column.name == "ts" || (column.ty == ColumnType::Word) != is_word {
                        continue;
                    }
                    let value = match row.value(column) {
                        Value::Absent | Value::Unfit(_) => continue,
                        Value::Word(word) => Owned::Word(word.into_owned()),
                        Value::Long(number) => Owned::Long(number),
                        Value::Float(number) => Owned::Float(number),
                        Value::Truth(is_true) => Owned::Truth(is_true),
                        Value::Time(ns) => Owned::Time(ns),
                    };
                    values.push((Arc::clone(name), value));
                }
            }
            all.push(OwnedRow { table: row.table.spec.name, ts: row.ts().0 as i64, values });
            Ok::<_, Box<dyn Error>>(())
        })?;
        let _ = taken;
    }
    Ok(all)
}

/// The bare client: encodes and sends.
fn bare(address: &str, rows: &[OwnedRow]) -> Result<f64, Box<dyn Error>> {
    let mut sender = Sender::from_conf(format!("http::addr={address};request_timeout=60000;"))?;
    let mut buffer = sender.new_buffer();
    let begun = Instant::now();
    for batch in rows.chunks(BATCH) {
        for row in batch {
            buffer.table(TableName::new_unchecked(row.table))?;
            for (name, value) in &row.values {
                let name = ColumnName::new_unchecked(name);
                match value {
                    Owned::Word(word) => buffer.symbol(name, word)?,
                    Owned::Long(number) => buffer.column_i64(name, *number)?,
                    Owned::Float(number) => buffer.column_f64(name, *number)?,
                    Owned::Truth(is_true) => buffer.column_bool(name, *is_true)?,
                    Owned::Time(ns) => buffer.column_ts(name, TimestampNanos::new(*ns))?,
                };
            }
            buffer.at(TimestampNanos::new(row.ts))?;
        }
        sender.flush(&mut buffer)?;
    }
    Ok(rows.len() as f64 / begun.elapsed().as_secs_f64())
}

/// The sink.
fn sink(address: &str, dir: &Path, rows: usize) -> Result<f64, Box<dyn Error>> {
    let entry = SINKS.iter().find(|entry| entry.name == "questdb").ok_or("no sink questdb")?;
    let SinkPlace::BesideIt(open) = entry.place else { return Err("it works beside a run".into()) };
    let mut params = Params::defaults(entry.params);
    for (name, value) in [("address", address), ("batch_rows", &BATCH.to_string())] {
        let param = entry.params.iter().find(|param| param.name == name).ok_or("no such parameter")?;
        params.set(param, param.parse(name, value)?);
    }
    // As at the first start.
    match std::fs::remove_file(dir.join("followers/rate.toml")) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    let what = Following { dir: dir.to_owned(), name: "rate".to_owned(), newest: false, once: true, opened: None };
    let counters = Counters::default();
    let delivery = Delivery { what: &what, reference: &Nameless, counters: &counters };
    let mut tailer = Timed(open(&params)?, None, Instant::now());
    deliver(&delivery, &mut tailer, &|| false, &mut |said| eprintln!("{said}"))?;
    let begun = tailer.1.ok_or("there is no event")?;
    Ok(rows as f64 / (tailer.2 - begun).as_secs_f64())
}

/// Empties the tables, and waits until they are.
fn empty(address: &str) -> Result<(), Box<dyn Error>> {
    let run = |sql: &str| -> Result<String, Box<dyn Error>> {
        let mut answer = ureq::get(format!("http://{address}/exec")).query("query", sql).call()?;
        Ok(answer.body_mut().read_to_string()?)
    };
    for table in sinks::tables::TABLES {
        // Where it is not there yet, nothing is to be emptied.
        let _ = run(&format!("TRUNCATE TABLE {}", table.name));
    }
    while !run("SELECT name FROM wal_tables() WHERE writerTxn < sequencerTxn")?.contains("\"count\":0") {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [dir, address, rounds] = args.as_slice() else {
        return Err("questdb_rate JOURNAL HOST:PORT ROUNDS".into());
    };
    let (dir, rounds) = (PathBuf::from(dir), rounds.parse::<u32>()?);
    let rows = rows_of(&dir)?;
    println!("{} rows, batches of {BATCH}", rows.len());
    // The first turn makes the tables, and counts for nothing.
    sink(address, &dir, rows.len())?;
    let mut ratios = Vec::new();
    for round in 1..=rounds {
        empty(address)?;
        let bare = bare(address, &rows)?;
        empty(address)?;
        let sink = sink(address, &dir, rows.len())?;
        println!("round {round}: bare {bare:.0}, sink {sink:.0} rows/s, ratio {:.2}", sink / bare);
        ratios.push(sink / bare);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ratios.len() / 2]);
    Ok(())
}
