//! Rows in Parquet files: the [tables](crate::tables) of a run for every reader of Parquet, while it happens.
//!
//! **Idea.** A file is readable only with its footer, so rows become durable a file at a time, not each second. Files are drafts
//! until a *cut*: all open files end and are synced, then one small text, replaced as a whole, names them and says how far they
//! reach, and only then they get their names. Events behind the last cut come again after a kill, so no row is missing and none is
//! there twice; what a reader finds is always whole. A cut comes before the first input of another hour, when a file has its
//! rows, after some minutes, and at a stop.
//!
//! **Trouble.** A disk that is full or a folder that cannot be written is tried again from the last cut. A row that has a value
//! that no column can hold is a dead letter, in a file of its own that belongs to the cut like any other.
//!
//! Bound: `batch_rows` rows of all tables together in memory, about 200 bytes each; the table with the most is written then as
//! a row group. Drafts: one file a table and hour. Worst case: a kill just before a cut: the events of an hour, or of `max_minutes`, are read again,
//! and journals are held for as long.

mod columns;
mod dead_letters;
mod files;
mod folder;
mod reset;
mod sink;
mod step;
#[cfg(test)]
mod tests;

use crate::tables::TABLES;
use crate::tailer::Tailer;
use ::parquet::basic::Compression;
use flow::{ChoiceParam, IntParam, ListParam, Param, ParamError, Params, TextParam, choices};
use sink::{ParquetSink, Settings};
use std::path::PathBuf;
use std::time::Duration;

const DIR: TextParam = TextParam::new("dir", "", "folder of the files; made if it is not there");
const TABLES_PARAM: ListParam = ListParam::new("tables", "", "tables that are written; none named: all");
const COMPRESSION: ChoiceParam<Compression> = ChoiceParam::new(
    "compression",
    choices! { "snappy" => Compression::SNAPPY, "none" => Compression::UNCOMPRESSED },
    "snappy",
    "how pages are compressed",
);
const ROWS_PER_FILE: IntParam =
    IntParam::new("rows_per_file", (1, 1_000_000_000), "5_000_000", "rows after which a file ends").unit("rows");
const BATCH_ROWS: IntParam<usize> =
    IntParam::new("batch_rows", (1, 10_000_000), "200_000", "most rows that are kept in memory").unit("rows");
const MAX_MINUTES: IntParam =
    IntParam::new("max_minutes", (1, 1_440), "60", "longest time until rows are in a readable file").unit("min");

/// Its parameters.
pub(crate) const PARAMS: &[Param] = &[
    DIR.param(),
    TABLES_PARAM.param(),
    COMPRESSION.param(),
    ROWS_PER_FILE.param(),
    BATCH_ROWS.param(),
    MAX_MINUTES.param(),
];

/// Opens it with them.
pub(crate) fn open(params: &Params) -> Result<Box<dyn Tailer>, ParamError> {
    let fault =
        |key: &str, found: &str, valid: String| ParamError { key: key.to_owned(), found: found.to_owned(), valid };
    let dir = params.get(DIR);
    if dir.is_empty() {
        return Err(fault("dir", dir, "the folder of the files, as in --set dir=files".to_owned()));
    }
    let tables = params.get(TABLES_PARAM);
    if let Some(unknown) = tables.iter().find(|name| TABLES.iter().all(|spec| spec.name != **name)) {
        return Err(fault("tables", unknown, TABLES.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ")));
    }
    Ok(Box::new(ParquetSink::new(Settings {
        dir: PathBuf::from(dir),
        tables: tables.to_vec(),
        compression: params.get(COMPRESSION),
        rows_per_file: params.get(ROWS_PER_FILE),
        batch_rows: params.get(BATCH_ROWS),
        longest: Duration::from_secs(60 * params.get(MAX_MINUTES)),
    })))
}
