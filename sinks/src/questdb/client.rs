//! The connection: a buffer of rows, its way to the server, and what the server says of its tables.
//!
//! Bound: the rows of a batch with their events, so that a refused row can be found by halving. Worst case: a batch of which the
//! server refuses many rows: each costs as many calls as its halves have halves.

use super::dead_letters::DeadLetters;
use super::schema::{Found, JOURNALS, Schema};
use super::server::Server;
use crate::tables::{Column, ColumnType, Row, Rows, Table, Value};
use crate::tailer::TailerError;
use flow::Event;
use questdb::ErrorCode;
use questdb::ingress::{Buffer, ColumnName, Sender, TableName, TimestampNanos};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The last nanosecond of the year 2261, behind which the server has no partitions.
const LATEST: i64 = 9_214_646_399_999_999_999;
/// How long the server may take to show a row that it has acknowledged.
const APPLIED: Duration = Duration::from_secs(30);

/// A server that is there.
pub(super) struct Client {
    pub(super) server: Server,
    sender: Sender,
    buffer: Buffer,
    /// The events of the rows in the buffer.
    kept: Vec<Kept>,
    /// The tables as they were found.
    pub(super) found: Vec<Found>,
}

/// What a row was made of.
#[derive(Clone, Copy)]
struct Kept {
    journal: u64,
    first: Event,
    second: Option<Event>,
}

impl Client {
    /// Connects to a server whose tables were found like that.
    pub(super) fn connect(server: Server, timeout: Duration, found: Vec<Found>) -> Result<Client, TailerError> {
        let sender = Sender::from_conf(server.configuration(timeout)?).map_err(|e| refused_by_client(&server, &e))?;
        let buffer = sender.new_buffer();
        Ok(Client { server, sender, buffer, kept: Vec::new(), found })
    }

    /// How many rows wait.
    pub(super) fn waiting(&self) -> usize {
        self.kept.len()
    }

    /// Puts a row into the buffer; one that no column can hold becomes a dead letter.
    pub(super) fn keep(&mut self, journal: u64, row: &Row<'_>, dead: &mut DeadLetters) -> Result<(), TailerError> {
        let (first, second) = row.events;
        match put(&mut self.buffer, row) {
            Ok(()) => {
                self.kept.push(Kept { journal, first: *first, second: second.copied() });
                Ok(())
            }
            Err(why) => dead.add(journal, first, row.table.spec.name, &why),
        }
    }

    /// Sends the buffer, until the server has acknowledged it. Where it refuses the rows, that is first a matter of the tables: only if
    /// these are as they were made, single rows are looked for.
    pub(super) fn flush(&mut self, rows: &Rows, dead: &mut DeadLetters, schema: &Schema) -> Result<(), TailerError> {
        if self.kept.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.sender.flush(&mut self.buffer) {
            if !is_refused(&error) {
                return Err(refused_by_client(&self.server, &error));
            }
            // It refuses by what it has written down, and shows what it has carried out of that.
            self.applied(rows.tables())?;
            schema.check(&self.server, rows.tables(), &self.found)?;
            let kept = std::mem::take(&mut self.kept);
            self.halve(&kept, &answer(&error).1, rows, dead)?;
        }
        self.buffer.clear();
        self.kept.clear();
        Ok(())
    }

    /// Sends rows of which the server refuses at least one: halves that it takes are written, and what is left alone is a dead letter.
    fn halve(&mut self, kept: &[Kept], why: &str, rows: &Rows, dead: &mut DeadLetters) -> Result<(), TailerError> {
        if let [one] = kept {
            let table = rows.table_of(one.first.kind).map_or("", |table| table.spec.name);
            return dead.add(one.journal, &one.first, table, why);
        }
        let (left, right) = kept.split_at(kept.len() / 2);
        for half in [left, right] {
            self.buffer.clear();
            for Kept { journal, first, second } in half {
                rows.again(*journal, first, second.as_ref(), &mut |row| {
                    put(&mut self.buffer, row).map_err(|why| TailerError {
                        what: format!("a row cannot be made again: {why}"),
                        next: "report this".to_owned(),
                        transient: false,
                    })
                })?;
            }
            match self.sender.flush(&mut self.buffer) {
                Ok(()) => {}
                Err(error) if is_refused(&error) => self.halve(half, &answer(&error).1, rows, dead)?,
                Err(error) => return Err(refused_by_client(&self.server, &error)),
            }
        }
        Ok(())
    }

    /// Waits until the server shows what it has acknowledged; what it does not show by then is said.
    pub(super) fn applied(&self, tables: &[Table]) -> Result<Option<String>, TailerError> {
        let begun = Instant::now();
        loop {
            let behind = self.server.run("SELECT name FROM wal_tables() WHERE writerTxn < sequencerTxn")?;
            let names = behind.iter().filter_map(|row| row[0].as_str());
            let names: Vec<_> = names.filter(|name| tables.iter().any(|table| table.spec.name == *name)).collect();
            if names.is_empty() {
                return Ok(None);
            }
            if begun.elapsed() > APPLIED {
                let names = names.join(", ");
                return Ok(Some(format!(
                    "QuestDB has every row and does not show all of them yet: {names}; `SELECT * FROM wal_tables()` says \
                     how far it is"
                )));
            }
            std::thread::sleep(Duration::from_millis(20));
            self.resume_suspended()?;
        }
    }

    /// Says which journals the views show from now on, and waits until they do.
    pub(super) fn show(&self, states: &[(String, bool, Option<String>)]) -> Result<(), TailerError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.server.run(&Schema::show(now, states))?;
        let behind = format!("SELECT name FROM wal_tables() WHERE name = '{JOURNALS}' AND writerTxn < sequencerTxn");
        let begun = Instant::now();
        while !self.server.run(&behind)?.is_empty() {
            if begun.elapsed() > APPLIED {
                return Err(TailerError {
                    what: format!("QuestDB has taken a row of {JOURNALS} and does not show it"),
                    next: "see its log and wal_tables()".to_owned(),
                    transient: true,
                });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Lets tables go on that the server has suspended, as it does when its disk is full; what it has acknowledged waits in its log.
    pub(super) fn resume_suspended(&self) -> Result<Vec<String>, TailerError> {
        let suspended = self.server.run("SELECT name, errorMessage FROM wal_tables() WHERE suspended")?;
        let mut said = Vec::new();
        for row in suspended {
            let (name, why) = (row[0].as_str().unwrap_or(""), row[1].as_str().unwrap_or(""));
            if crate::tables::TABLES.iter().any(|spec| spec.name == name) {
                self.server.run(&format!("ALTER TABLE {name} RESUME WAL"))?;
                said.push(format!(
                    "QuestDB had suspended {name} ({why}); its rows are safe in the log, and it goes on"
                ));
            }
        }
        Ok(said)
    }
}

/// Puts a row into a buffer; without a trace of it, if a value does not fit.
fn put(buffer: &mut Buffer, row: &Row<'_>) -> Result<(), String> {
    let failed = |e: questdb::Error| e.to_string();
    buffer.set_marker().map_err(failed)?;
    let written = columns(buffer, row);
    match written {
        Ok(()) => buffer.clear_marker(),
        Err(_) => buffer.rewind_to_marker().map_err(failed)?,
    }
    written
}

fn columns(buffer: &mut Buffer, row: &Row<'_>) -> Result<(), String> {
    let failed = |e: questdb::Error| e.to_string();
    buffer.table(TableName::new_unchecked(row.table.spec.name)).map_err(failed)?;
    // The protocol wants symbols first.
    let words = |column: &&Column| column.ty == ColumnType::Word;
    for column in row.table.columns.iter().filter(words).chain(row.table.columns.iter().filter(|c| !words(c))) {
        if column.name == "ts" {
            continue;
        }
        let name = ColumnName::new_unchecked(&column.name);
        let put = match row.value(column) {
            Value::Absent => Ok(&mut *buffer),
            Value::Word(word) => buffer.symbol(name, &*word),
            Value::Long(number) => buffer.column_i64(name, number),
            Value::Float(number) => buffer.column_f64(name, number),
            Value::Truth(is_true) => buffer.column_bool(name, is_true),
            Value::Time(ns) => buffer.column_ts(name, TimestampNanos::new(ns)),
            Value::Unfit(why) => return Err(format!("{}: {why}", column.name)),
        };
        put.map_err(failed)?;
    }
    let ts = i64::try_from(row.ts().0).ok().filter(|ts| *ts <= LATEST).ok_or("ts: the time is after the year 2261")?;
    buffer.at(TimestampNanos::new(ts)).map_err(failed)
}

/// What the server answered to rows: its code and its message. The client library hands on the server's JSON, or, depending on
/// how the server declares it, has made one text of it: `message [id: …, code: …, line: …]`.
fn answer(error: &questdb::Error) -> (String, String) {
    let text = error.msg().trim();
    let plain = text.strip_prefix("Could not flush buffer: ").unwrap_or(text);
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(plain) {
        let field = |name: &str| json.get(name)?.as_str().map(str::to_owned);
        return (field("code").unwrap_or_default(), field("message").unwrap_or_else(|| plain.to_owned()));
    }
    match plain.rsplit_once(" [") {
        Some((message, rest)) => {
            let code = rest.split(", ").find_map(|part| part.strip_prefix("code: "));
            (code.unwrap_or_default().trim_end_matches(']').to_owned(), message.to_owned())
        }
        None => (String::new(), plain.to_owned()),
    }
}

/// Whether the server refuses what the rows say, and not that anything is written at all.
fn is_refused(error: &questdb::Error) -> bool {
    error.code() == ErrorCode::ServerFlushError && answer(error).0 == "invalid"
}

/// An error of the client library, and whether it may pass.
fn refused_by_client(server: &Server, error: &questdb::Error) -> TailerError {
    let (_, message) = answer(error);
    match error.code() {
        ErrorCode::AuthError | ErrorCode::ConfigError | ErrorCode::HttpNotSupported => TailerError {
            what: format!("QuestDB takes no rows: {message}"),
            next: "see its address, its user, and that it is version 9.1 or newer".to_owned(),
            transient: false,
        },
        ErrorCode::ServerFlushError => TailerError {
            what: format!("QuestDB takes no rows now: {message}"),
            next: "see its log and the room on its disk".to_owned(),
            transient: true,
        },
        _ => server.away(&message),
    }
}
