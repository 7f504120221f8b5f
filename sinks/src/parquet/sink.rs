//! The sink: rows into the files, and the moments of a cut.
//!
//! Bound: that of the [files](super::files).

use super::files::{Files, hour_of};
use super::folder::Folder;
use super::reset::reset;
use crate::journal::{Gap, Home, Position};
use crate::tables::{Rows, Taken};
use crate::tailer::{Occasion, Place, Reset, Tailer, TailerError};
use ::parquet::basic::Compression;
use flow::{Event, Kinds, Ns};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What the sink was opened with.
pub(super) struct Settings {
    pub(super) dir: PathBuf,
    pub(super) tables: Vec<String>,
    pub(super) compression: Compression,
    pub(super) rows_per_file: u64,
    pub(super) batch_rows: usize,
    /// The longest time between two cuts.
    pub(super) longest: Duration,
}

/// The sink.
pub(super) struct ParquetSink {
    settings: Settings,
    /// From `begin` on.
    work: Option<Work>,
    /// From `position` on.
    files: Option<Files>,
}

/// What it works with, whether the folder is there or not.
struct Work {
    rows: Rows,
    /// Id of the run.
    run: u64,
    resumes: bool,
    /// When the last cut was, or the start.
    cut_at: Instant,
    /// The hour of the last event, and whether a file has its rows.
    hour: Option<u64>,
    is_full: bool,
    /// What waits to be said.
    said: Vec<String>,
}

impl ParquetSink {
    pub(super) fn new(settings: Settings) -> ParquetSink {
        ParquetSink { settings, work: None, files: None }
    }

    /// What `begin` needs of its place.
    pub(super) fn at(&mut self, run: u64, rows: Rows, resumes: bool) {
        let (cut_at, hour, is_full, said) = (Instant::now(), None, false, Vec::new());
        self.work = Some(Work { rows, run, resumes, cut_at, hour, is_full, said });
    }

    fn parts(&mut self) -> Result<(&Settings, &mut Work, &mut Files), TailerError> {
        match (&mut self.work, &mut self.files) {
            (Some(work), Some(files)) => Ok((&self.settings, work, files)),
            _ => Err(TailerError {
                what: "events came before the folder was opened".to_owned(),
                next: "report this".to_owned(),
                transient: false,
            }),
        }
    }
}

impl Tailer for ParquetSink {
    fn begin(&mut self, place: &mut Place<'_>) -> Result<(), TailerError> {
        let home = Home::open(place.dir).map_err(|e| TailerError {
            what: e.to_string(),
            next: "name the folder of a run".to_owned(),
            transient: false,
        })?;
        let rows = Rows::new(&self.settings.tables, place.names.clone());
        let empty = rows.unrecorded(place.recorded).join(", ");
        if !empty.is_empty() {
            (place.say)(format!("the run records nothing for {empty}: `outcomes.kinds` says what it records"));
        }
        self.at(home.current().info.run_id(), rows, place.resumes);
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
        // Drafts go first, and with them the lock of the folder.
        self.files = None;
        let Some(work) = &mut self.work else { return Ok(None) };
        let Settings { dir, compression, batch_rows, .. } = &self.settings;
        work.rows.restart();
        let tables = work.rows.tables();
        let names = tables.iter().map(|table| table.spec.name.to_owned()).collect();
        let folder = Folder::open(dir, work.run, names, work.resumes)?;
        let files = Files::new(folder, tables, *compression, *batch_rows)?;
        // From now on the folder says how far its files reach, if only that there are none yet.
        (work.resumes, work.cut_at, work.hour, work.is_full) = (true, Instant::now(), None, false);
        Ok(self.files.insert(files).position())
    }

    fn take(&mut self, journal: u64, event: &Event) -> Result<(), TailerError> {
        let (settings, work, files) = self.parts()?;
        let Work { rows, is_full, hour, .. } = work;
        *hour = Some(hour_of(event.ts));
        let taken = rows.take(journal, event, &mut |row| {
            *is_full |= files.add(journal, row)? >= settings.rows_per_file;
            Ok(())
        })?;
        if taken == Taken::WithoutItsFirst {
            files.late(journal, event)?;
        }
        Ok(())
    }

    fn gap(&mut self, _: &Gap) -> Result<(), TailerError> {
        Ok(())
    }

    fn is_amid(&self) -> bool {
        self.work.as_ref().is_some_and(|work| work.rows.is_amid())
    }

    fn is_due(&mut self, next: Ns) -> bool {
        self.work.as_mut().is_some_and(|work| {
            work.is_full |= work.hour.is_some_and(|hour| hour != hour_of(next));
            work.is_full
        })
    }

    fn commit(&mut self, position: &Position, occasion: Occasion) -> Result<Option<Position>, TailerError> {
        let (settings, work, files) = self.parts()?;
        let is_due = work.is_full || work.cut_at.elapsed() >= settings.longest;
        // Half of something is left to the next cut, so that no row is there twice.
        let cuts = match occasion {
            Occasion::Over => true,
            Occasion::Stop => !work.rows.is_amid(),
            Occasion::Between => is_due && !work.rows.is_amid(),
        };
        if cuts && files.position() != Some(*position) {
            work.rows.close(&mut |row| files.add(position.journal, row).map(drop))?;
            work.said.extend(files.cut(*position)?);
            (work.cut_at, work.hour, work.is_full) = (Instant::now(), None, false);
        }
        Ok(files.position())
    }

    fn said(&mut self) -> Vec<String> {
        self.work.as_mut().map(|work| std::mem::take(&mut work.said)).unwrap_or_default()
    }

    fn reset(&mut self, what: &Reset<'_>) -> Result<Option<String>, TailerError> {
        reset(&self.settings.dir, what.run, what.removes).map(Some)
    }

    fn rebuild(&mut self, _: u64) -> Result<(), TailerError> {
        Err(TailerError {
            what: "files that readers may have open are not replaced".to_owned(),
            next: "replay the run with `tidegate replay`, and write the files of that into another folder".to_owned(),
            transient: false,
        })
    }
}
