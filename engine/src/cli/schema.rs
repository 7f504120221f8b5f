//! `tidegate schema`.

use super::exit::{Exit, Failure, output};
use crate::rows::{RowKind, row_kind, row_kinds};
use clap::Args;
use std::io::{self, Write};

/// Options of `schema`.
#[derive(Args)]
#[command(after_help = "Example: tidegate schema book-top")]
pub(crate) struct SchemaArgs {
    /// Kind whose columns are listed; all kinds if left out.
    kind: Option<String>,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &SchemaArgs) -> Result<Exit, Failure> {
    let kinds = match &args.kind {
        None => row_kinds(),
        Some(name) => {
            let names = || row_kinds().iter().map(|k| k.name).collect::<Vec<_>>().join(", ");
            vec![row_kind(name).ok_or_else(|| Failure::usage(format!("{name}: no such kind; valid: {}", names())))?]
        }
    };
    let mut to = io::BufWriter::new(io::stdout().lock());
    let written = if args.json { json(&mut to, &kinds) } else { text(&mut to, &kinds, args.kind.is_some()) };
    match written.and_then(|()| to.flush()) {
        Ok(()) => Ok(Exit::Done),
        Err(e) => output(&e),
    }
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

fn text(to: &mut impl Write, kinds: &[RowKind], columns: bool) -> io::Result<()> {
    for kind in kinds {
        writeln!(to, "{:16} {}", kind.name, kind.about.trim())?;
        if !columns {
            continue;
        }
        for c in &kind.columns {
            let unit = if c.unit.is_empty() { String::new() } else { format!(" [{}]", c.unit) };
            writeln!(to, "  {:18} {:24} {}{unit}", c.name, c.ty, c.about)?;
        }
    }
    Ok(())
}
