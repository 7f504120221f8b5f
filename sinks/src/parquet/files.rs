//! The files since the last cut: one a table and hour, as drafts.
//!
//! Bound: `batch_rows` rows over all of them. Worst case: rows of many hours while no cut may come, since a fill waits for its
//! cost: a file for each.

use super::columns::{Columns, Shape};
use super::dead_letters::DeadLetters;
use super::folder::{DEAD_LETTERS, DRAFT, Finished, Folder};
use super::step::{failed, step};
use crate::journal::Position;
use crate::journal::private::open_file;
use crate::tables::{Row, Table};
use crate::tailer::TailerError;
use ::parquet::basic::Compression;
use ::parquet::errors::ParquetError;
use ::parquet::file::writer::SerializedFileWriter;
use chrono::DateTime;
use flow::Ns;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

const HOUR: u64 = 3_600 * Ns::SECOND;

/// The hour of a time, counted from 1970-01-01 UTC.
pub(super) fn hour_of(ts: Ns) -> u64 {
    ts.0 / HOUR
}

/// The files since the last cut.
pub(super) struct Files {
    folder: Folder,
    shapes: Vec<Shape>,
    open: BTreeMap<(u64, usize), Open>,
    dead: DeadLetters,
    /// Most rows in memory, and how many there are.
    batch_rows: usize,
    rows: usize,
}

/// A draft.
struct Open {
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    finished: Finished,
    columns: Columns,
    rows: u64,
}

impl Files {
    pub(super) fn new(
        folder: Folder,
        tables: &[Table],
        compression: Compression,
        batch_rows: usize,
    ) -> Result<Files, TailerError> {
        let shapes = tables.iter().map(|table| Shape::of(table, compression)).collect::<Result<_, _>>();
        let shapes = shapes.map_err(|e: ParquetError| TailerError {
            what: format!("the tables make no columns of Parquet: {e}"),
            next: "report this".to_owned(),
            transient: false,
        })?;
        Ok(Files { folder, shapes, open: BTreeMap::new(), dead: DeadLetters::default(), batch_rows, rows: 0 })
    }

    /// How far the files reach that are there.
    pub(super) fn position(&self) -> Option<Position> {
        self.folder.position()
    }

    /// Takes an event that completes a row which is written already.
    pub(super) fn late(&mut self, journal: u64, event: &flow::Event) -> Result<(), TailerError> {
        self.dead.late(journal, event)
    }

    /// Takes a row that an event of this journal made or completes; returns how many its file has.
    pub(super) fn add(&mut self, journal: u64, row: &Row<'_>) -> Result<u64, TailerError> {
        if let (true, Some(second)) = (row.is_again, row.events.1) {
            self.late(journal, second)?;
            return Ok(0);
        }
        let key = (hour_of(row.ts()), row.number);
        if !self.open.contains_key(&key) {
            let open = self.begin(key, row.table)?;
            self.open.insert(key, open);
        }
        let open = self.open.get_mut(&key).expect("it was opened");
        if let Err((column, why)) = open.columns.add(row) {
            let why = format!("{column}: {why}");
            self.dead.add(row.journal(), row.events.0, row.table.spec.name, &why)?;
            return Ok(open.rows);
        }
        open.rows += 1;
        self.rows += 1;
        let rows = open.rows;
        if self.rows >= self.batch_rows {
            self.write_most()?;
        }
        Ok(rows)
    }

    /// Writes a row group of the file with the most rows in memory.
    fn write_most(&mut self) -> Result<(), TailerError> {
        let Some(open) = self.open.values_mut().max_by_key(|open| open.columns.rows()) else { return Ok(()) };
        self.rows -= open.columns.rows();
        open.write()
    }

    fn begin(&self, (hour, number): (u64, usize), table: &Table) -> Result<Open, TailerError> {
        let day = DateTime::from_timestamp((hour * 3_600) as i64, 0).unwrap_or_default();
        let (day, hour, name) = (day.format("%Y-%m-%d"), hour % 24, table.spec.name);
        // No two cuts have a draft of one name: a start takes one that the last cut names for its file.
        let draft = format!("{}-{name}-{day}-{hour:02}.{DRAFT}", self.folder.mark());
        let place = vec![name.to_owned(), format!("day={day}"), format!("{hour:02}-{}.parquet", self.folder.mark())];
        let path = self.folder.draft(&draft);
        let file = step(&path, "opening", || open_file(&path).and_then(|file| file.set_len(0).map(|()| file)))?;
        let shape = &self.shapes[number];
        let writer = SerializedFileWriter::new(file, shape.schema.clone(), shape.properties.clone());
        let writer = writer.map_err(|e| failed(&path, "writing", e))?;
        let finished = Finished { draft, place };
        Ok(Open { path, writer, finished, columns: Columns::of(table), rows: 0 })
    }

    /// Ends all files: they are there from now on, and reach up to a position. Says what an operator must know.
    pub(super) fn cut(&mut self, position: Position) -> Result<Option<String>, TailerError> {
        let mut finished = Vec::new();
        for (_, open) in std::mem::take(&mut self.open) {
            finished.extend(open.end()?);
        }
        self.rows = 0;
        let said = match self.dead.take() {
            Some((text, number)) => {
                let file = self.letters(&text)?;
                let path = file.place.join("/");
                finished.push(file);
                Some(format!("{number} events make no row; they are kept in {path} in the folder of the files"))
            }
            None => None,
        };
        self.folder.cut(finished, position)?;
        Ok(said)
    }

    /// The draft of the dead letters.
    fn letters(&self, text: &str) -> Result<Finished, TailerError> {
        let draft = format!("{}-dead_letters.{DRAFT}", self.folder.mark());
        let place = vec![DEAD_LETTERS.to_owned(), format!("{}.jsonl", self.folder.mark())];
        let path = self.folder.draft(&draft);
        step(&path, "writing", || {
            let mut file = open_file(&path)?;
            file.set_len(0)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })?;
        Ok(Finished { draft, place })
    }
}

impl Open {
    fn write(&mut self) -> Result<(), TailerError> {
        let (columns, writer) = (&mut self.columns, &mut self.writer);
        step(&self.path, "writing", || columns.write(writer))
    }

    /// Writes what is left and the footer, and syncs it; `None` if every row of it was a dead letter.
    fn end(mut self) -> Result<Option<Finished>, TailerError> {
        if self.rows == 0 {
            return Ok(None);
        }
        if self.columns.rows() > 0 {
            self.write()?;
        }
        let file = self.writer.into_inner().map_err(|e| failed(&self.path, "writing", e))?;
        step(&self.path, "syncing", || file.sync_all())?;
        Ok(Some(self.finished))
    }
}
