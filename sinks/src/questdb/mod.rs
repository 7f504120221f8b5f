//! Rows in QuestDB: the [tables](crate::tables) of a run in a database, while it happens.
//!
//! **Idea.** Rows go over HTTP, where the server acknowledges each batch once it is in its write-ahead log; only then the position
//! is saved. What was not acknowledged comes again, and the key of a row makes a repetition harmless. So no row is missing and
//! none is there twice, whatever is killed. Prices are integers; views show them as decimals.
//!
//! **Trouble.** A server that is away, stopped or out of space is tried again; the run knows nothing of it. A table that is not
//! as it was made ends the sink, with the statements that mend it. A row that the server refuses by itself is a dead letter: kept in a file
//! with the reason, so that one row does not stop all others. A table that the server has suspended is resumed.
//!
//! Bound: one batch of rows and their events. Worst case: a server that is away for longer than the journals are held: a gap,
//! which is said.

mod client;
mod dead_letters;
mod reset;
mod schema;
mod server;
mod sink;
#[cfg(test)]
mod tests;

use crate::tables::TABLES;
use crate::tailer::Tailer;
use flow::{ChoiceParam, IntParam, ListParam, Param, ParamError, Params, SecretParam, TextParam, choices};
use schema::Schema;
use sink::{QuestDb, Settings};
use std::time::Duration;

const ADDRESS: TextParam =
    TextParam::new("address", "127.0.0.1:9000", "where the server answers over HTTP").unit("host:port");
const USER: TextParam = TextParam::new("user", "", "user of the server; empty: it asks for none");
const PASSWORD: SecretParam = SecretParam::new("password", "password of that user");
const TABLES_PARAM: ListParam = ListParam::new("tables", "", "tables that are written; none named: all");
const PARTITION: ChoiceParam<&'static str> = ChoiceParam::new(
    "partition",
    choices! { "hour" => "HOUR", "day" => "DAY", "week" => "WEEK", "month" => "MONTH" },
    "day",
    "size of a partition of a new table",
);
const TTL_DAYS: IntParam =
    IntParam::new("ttl_days", (0, 36_500), "0", "days after which the server removes a partition; 0: never").unit("d");
const BATCH_ROWS: IntParam<usize> =
    IntParam::new("batch_rows", (1, 1_000_000), "50_000", "most rows that are sent at once").unit("rows");
const TIMEOUT_MS: IntParam =
    IntParam::new("timeout_ms", (100, 600_000), "10_000", "how long the server may take for an answer").unit("ms");
const NEW_TABLES: ChoiceParam<bool> = ChoiceParam::new(
    "new_tables",
    choices! { "first" => false, "always" => true },
    "first",
    "when missing tables are made; first: when nothing was written yet; always: also later, and rows from before are not in them",
);

/// The sink's parameters.
pub(crate) const PARAMS: &[Param] = &[
    ADDRESS.param(),
    USER.param(),
    PASSWORD.param(),
    TABLES_PARAM.param(),
    PARTITION.param(),
    TTL_DAYS.param(),
    BATCH_ROWS.param(),
    TIMEOUT_MS.param(),
    NEW_TABLES.param(),
];

/// Opens the sink; it connects when the first event is to come.
pub(crate) fn open(params: &Params) -> Result<Box<dyn Tailer>, ParamError> {
    let tables = params.get(TABLES_PARAM);
    if let Some(unknown) = tables.iter().find(|name| TABLES.iter().all(|spec| spec.name != **name)) {
        let names = TABLES.iter().map(|spec| spec.name).collect::<Vec<_>>().join(", ");
        return Err(ParamError { key: "tables".to_owned(), found: unknown.clone(), valid: names });
    }
    let timeout = Duration::from_millis(params.get(TIMEOUT_MS));
    let settings = Settings {
        address: params.get(ADDRESS).to_owned(),
        user: Some(params.get(USER).to_owned()).filter(|user| !user.is_empty()),
        password: params.get(PASSWORD),
        tables: tables.to_vec(),
        schema: Schema { partition: params.get(PARTITION), ttl_days: params.get(TTL_DAYS) },
        batch_rows: params.get(BATCH_ROWS),
        timeout,
        makes_tables_later: params.get(NEW_TABLES),
    };
    Ok(Box::new(QuestDb::new(settings)))
}
