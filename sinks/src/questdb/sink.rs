//! The sink: rows into a buffer, the buffer to the server, and behind the acknowledgement a look at the tables.
//!
//! Bound: `batch_rows` rows in the buffer with their events, so that a refused row can be found by halving. Worst case: one call
//! to a server that does not answer, `timeout_ms`.

use super::client::Client;
use super::dead_letters::{self, DeadLetters};
use super::reset::reset;
use super::schema::{Found, JOURNALS, Schema};
use super::server::Server;
use crate::journal::{Gap, Position};
use crate::tables::{Rows, Taken, id_of};
use crate::tailer::{Occasion, Place, Reset, Tailer, TailerError};
use flow::{Event, Kinds, SecretPlace};
use secret::Secret;
use std::time::Duration;

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
        let empty = rows.unrecorded(place.recorded);
        if !empty.is_empty() {
            let names = empty.join(", ");
            (place.say)(format!("the run records nothing for {names}: `outcomes.kinds` says what it records"));
        }
        let dead = DeadLetters::new(dead_letters::path(place.dir, place.follower));
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
        if let Some(work) = &mut self.work {
            work.rows.restart();
            work.dead.restart();
            let found = self.settings.make_tables(&server, work)?;
            self.client = Some(Client::connect(server, self.settings.timeout, found)?);
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
        if client.waiting() >= settings.batch_rows {
            client.flush(rows, dead, &settings.schema)?;
        }
        Ok(())
    }

    fn gap(&mut self, _: &Gap) -> Result<(), TailerError> {
        Ok(())
    }

    fn is_amid(&self) -> bool {
        self.work.as_ref().is_some_and(|work| work.rows.is_amid())
    }

    fn commit(&mut self, position: &Position, _: Occasion) -> Result<Option<Position>, TailerError> {
        let (settings, work, client) = self.parts()?;
        let Work { rows, dead, resumes, said } = work;
        rows.close(&mut |row| client.keep(position.journal, row, dead))?;
        client.flush(rows, dead, &settings.schema)?;
        settings.schema.check(&client.server, rows.tables(), &client.found)?;
        said.extend(client.resume_suspended()?);
        said.extend(dead.save()?);
        *resumes = true;
        Ok(Some(*position))
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

    fn reset(&mut self, what: &Reset<'_>) -> Result<Option<String>, TailerError> {
        let said = reset(&self.server()?, what)?;
        if what.removes {
            dead_letters::remove(&dead_letters::path(what.dir, what.follower))?;
        }
        Ok(Some(said))
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
        Schema::make_views(server, tables)?;
        Ok(found)
    }
}
