//! The sink: rows into a buffer, the buffer to the server, and behind the acknowledgement a look at the tables.
//!
//! Bound: `batch_rows` rows in the buffer with their events, so that a refused row can be found by halving. Worst case: one call
//! to a server that does not answer, `timeout_ms`.

use super::dead_letters::DeadLetters;
use super::schema::{Found, JOURNALS, Schema};
use super::server::Server;
use crate::journal::{Gap, Position};
use crate::secret::Secret;
use crate::tables::{Column, ColumnType, Row, Rows, Table, Taken, Value, id_of};
use crate::tailer::{Place, Tailer, TailerError};
use flow::{Event, Kinds, SecretPlace};
use questdb::ErrorCode;
use questdb::ingress::{Buffer, ColumnName, Sender, TableName, TimestampNanos};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long the server may take to show a row that it has acknowledged.
const APPLIED: Duration = Duration::from_secs(30);

/// What the sink was opened with.
pub(super) struct Settings {
    pub(super) address: String,
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretPlace>,
    pub(super) tables: Vec<String>,
    pub(super) schema: Schema,
    pub(super) batch_rows: usize,
    pub(super) timeout: Duration,
    /// Whether missing tables are also made when rows were written before.
    pub(super) makes_tables_later: bool,
}

/// The sink.
pub(super) struct QuestDb {
    settings: Settings,
    /// From `begin` on.
    work: Option<Work>,
    client: Option<Client>,
}

/// What it works with, whether the server is there or not.
struct Work {
    rows: Rows,
    dead: DeadLetters,
    resumes: bool,
    /// What waits to be said by the next call that can.
    said: Vec<String>,
}

/// A server that is there.
struct Client {
    server: Server,
    sender: Sender,
    buffer: Buffer,
    /// The events of the rows in the buffer.
    kept: Vec<Kept>,
    /// The tables as they were found.
    found: Vec<Found>,
}

/// What a row was made of.
#[derive(Clone, Copy)]
struct Kept {
    journal: u64,
    first: Event,
    second: Option<Event>,
}

impl QuestDb {
    pub(super) fn new(settings: Settings) -> QuestDb {
        QuestDb { settings, work: None, client: None }
    }

    fn parts(&mut self) -> Result<(&Settings, &mut Work, &mut Client), TailerError> {
        match (&mut self.work, &mut self.client) {
            (Some(work), Some(client)) => Ok((&self.settings, work, client)),
            _ => Err(TailerError {
                what: "rows came before the server was reached".to_owned(),
                next: "report this".to_owned(),
                transient: false,
            }),
        }
    }

    fn server(&self) -> Result<Server, TailerError> {
        let Settings { address, user, password, timeout, .. } = &self.settings;
        let fault = |what: String, next: &str| TailerError { what, next: next.to_owned(), transient: false };
        let user = match (user, password) {
            (None, _) => None,
            (Some(user), None) => return Err(fault(format!("the user {user:?} has no password"), "set `password`")),
            (Some(user), Some(place)) => {
                let password = Secret::read(place).map_err(|e| fault(e.to_string(), "see that it is there"))?;
                Some((user.clone(), password))
            }
        };
        Ok(Server::new(address, *timeout, user))
    }
}

impl Tailer for QuestDb {
    fn begin(&mut self, place: &mut Place<'_>) -> Result<(), TailerError> {
        let rows = Rows::new(&self.settings.tables, place.names.clone());
        let lacks = |table: &&Table| {
            let outcomes = table.spec.kinds.iter().filter(|kind| kind.is_measure());
            let mut outcomes = outcomes.copied().peekable();
            outcomes.peek().is_some() && outcomes.all(|kind| !place.recorded.has(kind))
        };
        let empty: Vec<_> = rows.tables().iter().filter(lacks).map(|table| table.spec.name).collect();
        if !empty.is_empty() {
            let names = empty.join(", ");
            (place.say)(format!("the run records nothing for {names}: `outcomes.kinds` says what it records"));
        }
        let path = place.dir.join("followers").join(format!("{}.dead.jsonl", place.follower));
        let dead = DeadLetters::new(path);
        self.work = Some(Work { rows, dead, resumes: place.resumes, said: Vec::new() });
        Ok(())
    }

    fn kinds(&self) -> Kinds {
        self.work.as_ref().map_or(Kinds::NONE, |work| work.rows.reads())
    }

    fn learn(&mut self, event: &Event) {
        if let Some(work) = &mut self.work {
            work.rows.learn(event);
        }
    }

    fn position(&mut self) -> Result<Option<Position>, TailerError> {
        self.client = None;
        let server = self.server()?;
        let configuration = server.configuration(self.settings.timeout)?;
        if let Some(work) = &mut self.work {
            work.rows.restart();
            work.dead.restart();
            let found = self.settings.make_tables(&server, work)?;
            let sender = Sender::from_conf(configuration).map_err(|e| refused_by_client(&server, &e))?;
            let buffer = sender.new_buffer();
            self.client = Some(Client { server, sender, buffer, kept: Vec::new(), found });
        }
        Ok(None)
    }

    fn take(&mut self, journal: u64, event: &Event) -> Result<(), TailerError> {
        let (settings, work, client) = self.parts()?;
        let Work { rows, dead, .. } = work;
        let taken = rows.take(journal, event, &mut |row| client.keep(journal, row, dead))?;
        if taken == Taken::WithoutItsFirst {
            dead.add(journal, event, "", "the row that it completes was written before, without it")?;
        }
        if client.kept.len() >= settings.batch_rows {
            client.flush(rows, dead)?;
        }
        Ok(())
    }

    fn gap(&mut self, _: &Gap) -> Result<(), TailerError> {
        Ok(())
    }

    fn is_amid(&self) -> bool {
        self.work.as_ref().is_some_and(|work| work.rows.is_amid())
    }

    fn commit(&mut self, position: &Position) -> Result<(), TailerError> {
        let (settings, work, client) = self.parts()?;
        let Work { rows, dead, resumes, said } = work;
        rows.close(&mut |row| client.keep(position.journal, row, dead))?;
        client.flush(rows, dead)?;
        settings.schema.check(&client.server, rows.tables(), &client.found)?;
        said.extend(client.resume_suspended()?);
        said.extend(dead.save()?);
        *resumes = true;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), TailerError> {
        let (_, work, client) = self.parts()?;
        work.said.extend(client.applied(work.rows.tables())?);
        Ok(())
    }

    fn rebuild(&mut self, rebuild: u64) -> Result<(), TailerError> {
        let (_, _, client) = self.parts()?;
        client.show(&[(id_of(rebuild), false, None)])
    }

    fn rebuilt(&mut self, rebuild: u64, instead_of: &[u64]) -> Result<(), TailerError> {
        let (_, _, client) = self.parts()?;
        let mut states = Vec::new();
        for old in instead_of.iter().copied().map(id_of) {
            let before = format!("SELECT DISTINCT journal FROM {JOURNALS} WHERE instead_of = '{old}'");
            for row in client.server.run(&before)? {
                states.extend(row[0].as_str().map(|journal| (journal.to_owned(), false, None)));
            }
            states.push((old.clone(), false, None));
            states.push((id_of(rebuild), true, Some(old)));
        }
        client.show(&states)
    }

    fn said(&mut self) -> Vec<String> {
        self.work.as_mut().map(|work| std::mem::take(&mut work.said)).unwrap_or_default()
    }
}

impl Settings {
    /// Makes the tables and views that are missing, and compares the others.
    fn make_tables(&self, server: &Server, work: &Work) -> Result<Vec<Found>, TailerError> {
        let tables = work.rows.tables();
        let before = self.schema.found(server, tables)?;
        let missing = tables.iter().zip(&before).filter(|(_, found)| found.is_none()).map(|(table, _)| table);
        let missing: Vec<_> = missing.collect();
        if work.resumes && !self.makes_tables_later && !missing.is_empty() {
            let names = missing.iter().map(|table| table.spec.name).collect::<Vec<_>>().join(", ");
            return Err(TailerError {
                what: format!("QuestDB at {} has no table {names}, but rows were written before", self.address),
                next: "for all rows that journals have, run `tidegate journal forget` and start again; for those from \
                       here on, start with --set new_tables=always"
                    .to_owned(),
                transient: false,
            });
        }
        for table in missing {
            server.run(&self.schema.create(table))?;
        }
        server.run(&Schema::create_journals())?;
        let found = self.schema.found(server, tables)?;
        let found = found.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| TailerError {
            what: format!("QuestDB at {} does not list the tables that were made", self.address),
            next: "see its log".to_owned(),
            transient: true,
        })?;
        self.schema.check(server, tables, &found)?;
        for table in tables {
            server.run(&Schema::create_view(table))?;
        }
        Ok(found)
    }
}

impl Client {
    /// Puts a row into the buffer; one that no column can hold becomes a dead letter.
    fn keep(&mut self, journal: u64, row: &Row<'_>, dead: &mut DeadLetters) -> Result<(), TailerError> {
        let (first, second) = row.events;
        match put(&mut self.buffer, row) {
            Ok(()) => {
                self.kept.push(Kept { journal, first: *first, second: second.copied() });
                Ok(())
            }
            Err(why) => dead.add(journal, first, row.table.spec.name, &why),
        }
    }

    /// Sends the buffer, until the server has acknowledged it.
    fn flush(&mut self, rows: &Rows, dead: &mut DeadLetters) -> Result<(), TailerError> {
        if self.kept.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.sender.flush(&mut self.buffer) {
            if !is_refused(&error) {
                return Err(refused_by_client(&self.server, &error));
            }
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
    fn applied(&self, tables: &[Table]) -> Result<Option<String>, TailerError> {
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
    fn show(&self, states: &[(String, bool, Option<String>)]) -> Result<(), TailerError> {
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
    fn resume_suspended(&self) -> Result<Vec<String>, TailerError> {
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
    let ts = i64::try_from(row.ts().0).map_err(|_| "ts: the time is after the year 2262".to_owned())?;
    buffer.at(TimestampNanos::new(ts)).map_err(failed)
}

/// What the server answered to rows: its code and its message.
fn answer(error: &questdb::Error) -> (String, String) {
    let text = error.msg();
    let json = text.find('{').and_then(|at| serde_json::from_str::<serde_json::Value>(text[at..].trim()).ok());
    let field = |name| json.as_ref()?.get(name)?.as_str().map(str::to_owned);
    (field("code").unwrap_or_default(), field("message").unwrap_or_else(|| text.trim().to_owned()))
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
