//! The tables in the server: made where they are missing, compared where they are there.
//!
//! **Idea.** Nothing is written into a table that is not as it was made. A table is looked at before the first row and again behind
//! each commit, before the position is saved: should somebody have altered it meanwhile, the rows of that commit come again once
//! it is mended. A difference is an error with the statements that mend it; columns that others have added are left alone.
//!
//! A view shows the prices of a table as exact decimals, without the journals that another one has replaced.
//!
//! Bound: two statements a table. Worst case: a table whose key or partitioning differs, which no statement mends.

use super::server::Server;
use crate::tables::{Column, ColumnType, Table};
use crate::tailer::TailerError;
use serde_json::Value as Json;
use std::fmt::Write as _;
use std::time::Duration;

/// The table that says which journals the views show. One that it does not name is shown.
pub(super) const JOURNALS: &str = "journals";

/// How tables are made.
pub(super) struct Schema {
    /// Size of a partition.
    pub(super) partition: &'static str,
    /// Days after which the server removes partitions; 0 = never.
    pub(super) ttl_days: u64,
}

/// The table that latencies are shown of, and the view that shows them.
const ORDERS: &str = "orders";
const LATENCY: &str = "latency";

/// Leaves out journals in whose place others are shown.
fn shown_journals() -> String {
    format!(
        "journal NOT IN (SELECT journal FROM (SELECT journal, is_shown FROM {JOURNALS} LATEST ON ts PARTITION BY journal) \
         WHERE NOT is_shown)"
    )
}

/// The view of a table: prices as decimals.
fn view(table: &Table) -> String {
    let shown = |column: &Column| {
        let name = &column.name;
        match name.strip_suffix(crate::tables::SCALED) {
            Some(plain) => {
                format!("cast(cast(\"{name}\" AS DECIMAL(19, 0)) * 0.000000001m AS DECIMAL(19, 9)) AS \"{plain}\"")
            }
            None => format!("\"{name}\""),
        }
    };
    let columns = table.columns.iter().map(shown).collect::<Vec<_>>().join(", ");
    format!("SELECT {columns} FROM {} WHERE {}", table.spec.name, shown_journals())
}

/// The view of latencies, from the table of orders: from the route to the hand-over, and from there to the answer, by the clock
/// of the run.
fn latency() -> String {
    let of = "journal, symbol, account, strategy, order_id, kind";
    format!(
        "SELECT ts, {of}, ts::long - before_ns AS took_ns FROM \
         (SELECT ts, {of}, lag(ts::long) OVER (PARTITION BY order_id ORDER BY ts) AS before_ns FROM {ORDERS} \
         WHERE kind IN ('route', 'sent', 'ack', 'reject') AND {}) WHERE kind <> 'route'",
        shown_journals()
    )
}

/// What makes a table the one that it was: a table that is made anew has another number, and a column another place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    id: i64,
    /// The places of our columns.
    places: Vec<Option<usize>>,
}

/// The name of the view of a table.
fn view_name(table: &str) -> String {
    format!("{table}_view")
}

/// The names of all views of these tables.
pub(super) fn view_names(tables: &[&str]) -> Vec<String> {
    let latency = tables.contains(&ORDERS).then(|| LATENCY.to_owned());
    tables.iter().copied().map(view_name).chain(latency).collect()
}

/// A type in the server's words.
const fn type_name(ty: ColumnType) -> &'static str {
    match ty {
        ColumnType::Word => "SYMBOL",
        ColumnType::Small => "INT",
        ColumnType::Long => "LONG",
        ColumnType::Float => "DOUBLE",
        ColumnType::Truth => "BOOLEAN",
        ColumnType::Time => "TIMESTAMP_NS",
    }
}

fn key(table: &Table) -> String {
    table.columns.iter().filter(|column| column.is_key).map(|column| &*column.name).collect::<Vec<_>>().join(", ")
}

impl Schema {
    /// The statement that makes a table.
    pub(super) fn create(&self, table: &Table) -> String {
        let columns = table.columns.iter().map(|column| format!("\"{}\" {}", column.name, type_name(column.ty)));
        let ttl = if self.ttl_days == 0 { String::new() } else { format!(" TTL {} DAYS", self.ttl_days) };
        format!(
            "CREATE TABLE IF NOT EXISTS {} ({}) TIMESTAMP(ts) PARTITION BY {}{ttl} WAL DEDUP UPSERT KEYS({})",
            table.spec.name,
            columns.collect::<Vec<_>>().join(", "),
            self.partition,
            key(table)
        )
    }

    /// The statement that makes the table of what the views show.
    pub(super) fn create_journals() -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {JOURNALS} (ts TIMESTAMP_NS, journal SYMBOL, is_shown BOOLEAN, instead_of SYMBOL) \
             TIMESTAMP(ts) PARTITION BY YEAR WAL"
        )
    }

    /// The statement that says which journals are shown from `ts` on: each with the one in whose place it is, if any. It is one
    /// transaction.
    pub(super) fn show(ts: Duration, journals: &[(String, bool, Option<String>)]) -> String {
        let ts = ts.as_nanos();
        let rows = journals.iter().map(|(journal, is_shown, instead_of)| {
            let instead_of = instead_of.as_ref().map_or_else(|| "NULL".to_owned(), |old| format!("'{old}'"));
            format!("({ts}, '{journal}', {is_shown}, {instead_of})")
        });
        format!("INSERT INTO {JOURNALS} VALUES {}", rows.collect::<Vec<_>>().join(", "))
    }

    /// Makes the views of tables, unless they are there as they are to be.
    pub(super) fn make_views(server: &Server, tables: &[Table]) -> Result<(), TailerError> {
        let there = server.run("SELECT view_name, view_sql FROM views() WHERE view_status = 'valid'")?;
        let orders = tables.iter().find(|table| table.spec.name == ORDERS).map(|_| (LATENCY.to_owned(), latency()));
        let views = tables.iter().map(|table| (view_name(table.spec.name), view(table))).chain(orders);
        for (name, sql) in views {
            if there.iter().all(|row| (text(&row[0]), text(&row[1])) != (&*name, &*sql)) {
                server.run(&format!("CREATE OR REPLACE VIEW {name} AS ({sql})"))?;
            }
        }
        Ok(())
    }

    /// The tables as they are there.
    pub(super) fn found(&self, server: &Server, tables: &[Table]) -> Result<Vec<Option<Found>>, TailerError> {
        let listed = self.listed(server)?;
        let one = |table: &Table| {
            let row = listed.iter().find(|row| text(&row[0]) == table.spec.name);
            let Some(id) = row.and_then(|row| row[1].as_i64()) else { return Ok(None) };
            Ok(Some(Found { id, places: places(table, &columns(server, table)?) }))
        };
        tables.iter().map(one).collect()
    }

    fn listed(&self, server: &Server) -> Result<Vec<Vec<Json>>, TailerError> {
        server.run(
            "SELECT table_name, id, designatedTimestamp, partitionBy, walEnabled, dedup, ttlValue, ttlUnit FROM tables()",
        )
    }

    /// Compares the tables in the server with what they are to be, and with what they were `before`.
    ///
    /// # Errors
    /// What differs, with the statements that mend it.
    pub(super) fn check(&self, server: &Server, tables: &[Table], before: &[Found]) -> Result<(), TailerError> {
        let listed = self.listed(server)?;
        let (mut faults, mut mend, mut again) = (String::new(), String::new(), false);
        for (table, before) in tables.iter().zip(before) {
            let name = table.spec.name;
            let row = listed.iter().find(|row| text(&row[0]) == name);
            match row {
                Some(row) if row[1].as_i64() == Some(before.id) => {
                    self.check_table(table, row, &mut faults, &mut mend);
                    let columns = columns(server, table)?;
                    let (is_dedup, places) = (row[5] == Json::Bool(true), places(table, &columns));
                    check_columns(table, &columns, is_dedup, &mut faults, &mut mend);
                    let moved = before.places.iter().zip(&places).position(|(was, is)| is.is_some() && was != is);
                    if let Some(at) = moved {
                        let column = &table.columns[at].name;
                        let _ = write!(faults, "{name}.{column} was dropped and made anew, so earlier rows lack it; ");
                        again = true;
                    }
                }
                found => {
                    let what = if found.is_some() { "was made anew" } else { "is gone" };
                    let _ = write!(faults, "{name} {what} while rows were written; ");
                    let _ = write!(mend, "DROP TABLE IF EXISTS {name}; ");
                    again = true;
                }
            }
        }
        if faults.is_empty() {
            return Ok(());
        }
        let (faults, mend) = (faults.trim_end_matches("; "), mend.trim_end());
        let next = if again {
            let mend = if mend.is_empty() { String::new() } else { format!("run {mend} then ") };
            format!("{mend}`tidegate journal forget`: the next start writes all rows that journals have")
        } else {
            format!("no row is lost. Mend it, then start the sink again: {mend}")
        };
        let what = format!("the tables in QuestDB are not as they were made: {faults}");
        Err(TailerError { what, next, transient: false })
    }

    fn check_table(&self, table: &Table, row: &[Json], faults: &mut String, mend: &mut String) {
        let name = table.spec.name;
        let (is_wal, is_dedup) = (row[4] == Json::Bool(true), row[5] == Json::Bool(true));
        if text(&row[2]) != "ts" || text(&row[3]) != self.partition || !is_wal {
            let found = format!("by {} on {:?}", text(&row[3]), text(&row[2]));
            let _ = write!(faults, "{name} is partitioned {found}, not by {} on ts; ", self.partition);
            let _ = write!(mend, "RENAME TABLE {name} TO {name}_before; ");
        }
        if !is_dedup {
            let _ = write!(faults, "{name} keeps repeated rows; ");
            let _ = write!(mend, "ALTER TABLE {name} DEDUP ENABLE UPSERT KEYS({}); ", key(table));
        }
        let days = match (row[6].as_u64(), text(&row[7])) {
            (Some(0) | None, _) => Some(0),
            (Some(days), "DAY") => Some(days),
            (Some(weeks), "WEEK") => Some(weeks * 7),
            _ => None,
        };
        if days != Some(self.ttl_days) {
            let _ = write!(faults, "{name} is kept for {} {}, not {} days; ", row[6], text(&row[7]), self.ttl_days);
            let ttl = if self.ttl_days == 0 { "0h".to_owned() } else { format!("{}d", self.ttl_days) };
            let _ = write!(mend, "ALTER TABLE {name} SET TTL {ttl}; ");
        }
    }
}

/// The columns of a table as the server says them.
fn columns(server: &Server, table: &Table) -> Result<Vec<Vec<Json>>, TailerError> {
    server.run(&format!("SHOW COLUMNS FROM {}", table.spec.name))
}

/// The places of our columns among them.
fn places(table: &Table, found: &[Vec<Json>]) -> Vec<Option<usize>> {
    table.columns.iter().map(|column| found.iter().position(|row| text(&row[0]) == column.name)).collect()
}

/// Compares the columns: name, type, whether it is the time, whether it is part of the key.
fn check_columns(table: &Table, found: &[Vec<Json>], has_key: bool, faults: &mut String, mend: &mut String) {
    let name = table.spec.name;
    let mut key_differs = false;
    for column in &table.columns {
        let (wanted, ty) = (&column.name, type_name(column.ty));
        let Some(row) = found.iter().find(|row| text(&row[0]) == wanted) else {
            let _ = write!(faults, "{name} has no column {wanted}; ");
            let _ = write!(mend, "ALTER TABLE {name} ADD COLUMN \"{wanted}\" {ty}; ");
            continue;
        };
        if text(&row[1]) != ty {
            let _ = write!(faults, "{name}.{wanted} is {}, not {ty}; ", text(&row[1]));
            let _ = write!(mend, "ALTER TABLE {name} ALTER COLUMN \"{wanted}\" TYPE {ty}; ");
        }
        key_differs |= has_key && (row[8] == Json::Bool(true)) != column.is_key;
    }
    if key_differs {
        let _ = write!(faults, "{name} has another key; ");
        let _ = write!(mend, "ALTER TABLE {name} DEDUP ENABLE UPSERT KEYS({}); ", key(table));
    }
}

/// A text in the server's answer.
fn text(value: &Json) -> &str {
    value.as_str().unwrap_or("")
}
