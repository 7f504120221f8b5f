//! Removes the tables of a run.
//!
//! The server removes no single rows, so tables go as a whole, and only if every row in them is of a journal of this run: what another
//! run wrote, or a journal that is not here any more, could not be written again. While a table is gone and the follower still has its
//! position, the sink is refused, so a kill in between loses no row unseen.
//!
//! Bound: two statements a table. Worst case: a server that does not answer, `timeout_ms`.

use super::schema::{JOURNALS, view_names};
use super::server::Server;
use crate::tables::{TABLES, id_of};
use crate::tailer::{Reset, TailerError};
use std::collections::BTreeSet;

/// Removes the tables with their views, or only looks; says what there is.
pub(super) fn reset(server: &Server, what: &Reset<'_>) -> Result<String, TailerError> {
    let there = names(server, "SELECT table_name FROM tables()")?;
    let tables: Vec<&str> = TABLES.iter().map(|spec| spec.name).filter(|name| there.contains(*name)).collect();
    let own = own(server, what, there.contains(JOURNALS))?;
    let (mut rows, mut others) = (0, BTreeSet::new());
    for table in &tables {
        rows +=
            server.run(&format!("SELECT count() FROM {table}"))?.first().and_then(|row| row[0].as_u64()).unwrap_or(0);
        others.extend(&names(server, &format!("SELECT DISTINCT journal FROM {table}"))? - &own);
    }
    let statements = statements(&tables);
    if !others.is_empty() {
        return Err(kept(server, &others, &statements));
    }
    if what.removes {
        for statement in &statements {
            server.run(statement)?;
        }
    }
    Ok(format!("QuestDB at {}: {} tables with {rows} rows, and their views", server.address(), tables.len()))
}

/// The journals of the run, and those that are shown in place of one of them.
fn own(server: &Server, what: &Reset<'_>, has_journals: bool) -> Result<BTreeSet<String>, TailerError> {
    let mut own: BTreeSet<String> = what.journals.iter().copied().map(id_of).collect();
    if has_journals {
        let quoted = own.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
        own.extend(names(server, &format!("SELECT DISTINCT journal FROM {JOURNALS} WHERE instead_of IN ({quoted})"))?);
    }
    Ok(own)
}

/// What removes the tables: the views first, which nothing shows then.
fn statements(tables: &[&str]) -> Vec<String> {
    let views = view_names(tables).into_iter().map(|view| format!("DROP VIEW IF EXISTS {view}"));
    let tables = tables.iter().copied().chain([JOURNALS]);
    views.chain(tables.map(|table| format!("DROP TABLE IF EXISTS {table}"))).collect()
}

/// The texts that a statement yields.
fn names(server: &Server, sql: &str) -> Result<BTreeSet<String>, TailerError> {
    Ok(server.run(sql)?.iter().filter_map(|row| row[0].as_str().map(str::to_owned)).collect())
}

fn kept(server: &Server, others: &BTreeSet<String>, statements: &[String]) -> TailerError {
    let others = others.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    TailerError {
        what: format!(
            "the tables in QuestDB at {} also have rows of journals that are not here, and a table goes as a whole: {others}",
            server.address()
        ),
        next: format!("if these may go too, `tidegate journal forget` the follower and run: {}", statements.join("; ")),
        transient: false,
    }
}
