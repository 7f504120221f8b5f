//! `tidegate schema`: lists the kinds of rows, or the columns of one.

use super::exit::{Exit, Failure, output};
use super::rows::no_such_kind;
use super::screen::wrapped;
use crate::rows::{Column, RowKind, row_kind, row_kinds};
use clap::Args;
use std::io::{self, Write};

/// Options of `schema`.
#[derive(Args)]
#[command(after_help = "Example: tidegate schema book-top")]
pub(crate) struct SchemaArgs {
    /// Kind whose columns to list; all kinds if left out.
    kind: Option<String>,
    /// Print one JSON object to standard output.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &SchemaArgs) -> Result<Exit, Failure> {
    let kinds = match &args.kind {
        None => row_kinds(),
        Some(name) => vec![row_kind(name).ok_or_else(|| no_such_kind(name, name))?],
    };
    let mut to = io::BufWriter::new(io::stdout().lock());
    let written = if args.json { json(&mut to, &kinds) } else { text(&mut to, &kinds, args.kind.is_some()) };
    output(written.and_then(|()| to.flush()), Exit::Done)
}

fn json(to: &mut impl Write, kinds: &[RowKind]) -> io::Result<()> {
    let shown = kinds.iter().map(|k| {
        let columns = k
            .columns
            .iter()
            .map(|c| serde_json::json!({ "name": c.name, "type": c.ty, "unit": c.unit, "about": c.about }));
        serde_json::json!({ "kind": k.name, "about": k.about.trim(), "columns": columns.collect::<Vec<_>>() })
    });
    writeln!(to, "{}", serde_json::json!({ "kinds": shown.collect::<Vec<_>>() }))
}

/// A list of kinds, each with its first sentence; or one kind with its columns.
fn text(to: &mut impl Write, kinds: &[RowKind], columns: bool) -> io::Result<()> {
    for kind in kinds {
        let about = kind.about.trim();
        if columns {
            writeln!(to, "{}", wrapped(&format!("{}: {about}", kind.name), "    "))?;
            listed(to, &kind.columns)?;
        } else {
            let first = about.split_once(". ").map_or(about, |(first, _)| first);
            hanging(to, &format!("{:16} ", kind.name), first.trim_end_matches('.'))?;
        }
    }
    Ok(())
}

fn listed(to: &mut impl Write, columns: &[Column]) -> io::Result<()> {
    let widest = |text: fn(&Column) -> &str| columns.iter().map(|c| text(c).len()).max().unwrap_or(0);
    let (names, types) = (widest(|c| c.name), widest(|c| &c.ty));
    for c in columns {
        let unit = if c.unit.is_empty() { String::new() } else { format!(" [{}]", c.unit) };
        hanging(to, &format!("  {:names$}  {:types$}  ", c.name, c.ty), &format!("{}{unit}", c.about))?;
    }
    Ok(())
}

/// A term and its text, wrapped to the right of the term.
fn hanging(to: &mut impl Write, term: &str, text: &str) -> io::Result<()> {
    writeln!(to, "{}", wrapped(&format!("{term}{text}"), &" ".repeat(term.chars().count())))
}
