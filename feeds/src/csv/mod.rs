//! CSV: bars in files of text, of any vendor.
//!
//! A row is a bar; a header says which column is what (`columns`), and what a file does not tell the settings must
//! (`plan`). Prices and times are read as integers (`text::decimal`, `time`). Several files are one input, each of an
//! instrument, merged by time (`decoder`). Bound: a row of each file, and a file that is newest first whole (`file`).

mod columns;
mod decoder;
mod file;
mod parts;
mod plan;
mod rows;
mod settings;
mod time;

pub use decoder::Csv;

use crate::reader::{Stream, open_streams};
use crate::{Feed, Files, FindError, Open, OpenError, Opened, Request};
use file::{File, MOST};
use flow::Params;
use plan::{Plan, Settings};
use rows::Row;
use std::path::Path;
use std::sync::Arc;

/// The most files of one input: each has a thread that reads it.
const MOST_FILES: usize = 64;

/// The entry in the registry.
pub const FEED: Feed = Feed {
    name: "csv",
    doc: "feeds/docs/csv.md",
    about: "bars in CSV files of any vendor, one file or several, each of one symbol",
    params: settings::PARAMS,
    open: Open::Bytes { files: Files::Merged, recognise: plan::is_known, find },
};

/// A file before it is read.
struct Found {
    name: String,
    path: String,
    symbol: String,
    stream: Stream,
}

fn find(request: &Request) -> Result<Opened, FindError> {
    let settings = Arc::new(settings::of(&request.params)?);
    let (mut found, mut memory) = (Vec::new(), 0);
    for path in &request.paths {
        for stream in open_streams(path)? {
            let file = looked_at(path, stream?, &settings, &request.params)?;
            memory += file.memory(path, &settings);
            found.push(file);
        }
    }
    if found.is_empty() || found.len() > MOST_FILES {
        return Err(OpenError {
            what: format!("{} files of bars are given as one input, which may have 1 to {MOST_FILES}", found.len()),
            next: "give further files as an input of their own".to_owned(),
        }
        .into());
    }
    let name = found.iter().map(|file| file.path.as_str()).collect::<Vec<_>>().join(", ");
    let (streams, files): (Vec<_>, Vec<_>) =
        found.into_iter().map(|file| (file.stream.read, (file.name, file.path, file.symbol))).unzip();
    let decoder = Box::new(decoder_of(files, &settings, &request.params)?);
    Ok(Opened { name, warnings: Vec::new(), decoder, streams, memory, part: None })
}

/// A file whose head tells enough, together with the settings.
fn looked_at(path: &Path, stream: Stream, settings: &Settings, params: &Params) -> Result<Found, FindError> {
    let shown = path.display().to_string();
    let name = if stream.is_member { format!("{shown}:{}", stream.name) } else { shown.clone() };
    if !stream.is_pipe && !settings::is_table(&stream.head) {
        return Err(FindError::other_feed(path, &stream.head));
    }
    if !stream.is_pipe {
        let plan = Plan::of(&stream.head, &name, &shown, settings);
        plan.map_err(|unsettled| OpenError { what: unsettled.what, next: unsettled.next })?;
    }
    let symbol = symbol_of(params, if stream.is_pipe { "" } else { &stream.name });
    Ok(Found { symbol, name, path: shown, stream })
}

impl Found {
    /// Bytes that its rows may take while it is read: those of a file that is newest first, by its length.
    fn memory(&self, path: &Path, settings: &Settings) -> u64 {
        let plan = Plan::of(&self.stream.head, &self.name, &self.path, settings);
        let waits = self.stream.is_pipe || plan.is_ok_and(|plan| plan.is_newest_first);
        let most = (MOST * size_of::<Row>()) as u64;
        // A packed row takes some 6 bytes at least.
        let len = std::fs::metadata(path).map_or(u64::MAX, |file| file.len());
        if waits { most.min(len.saturating_mul(size_of::<Row>() as u64 / 6)) } else { 0 }
    }
}

/// The symbol that is set, or else that of a file's name.
fn symbol_of(params: &Params, name: &str) -> String {
    match params.get(settings::SYMBOL) {
        "" => symbol_in(name).to_owned(),
        given => given.to_owned(),
    }
}

/// The symbol in `SPY_1min.csv`: what comes before the first underscore or point.
fn symbol_in(name: &str) -> &str {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    name.split(['_', '.']).next().filter(|symbol| !symbol.is_empty()).unwrap_or("UNKNOWN")
}

/// A decoder of files, each a name for messages, its path and its symbol.
fn decoder_of(
    files: Vec<(String, String, String)>,
    settings: &Arc<Settings>,
    params: &Params,
) -> Result<Csv, OpenError> {
    let mut symbols: Vec<String> = Vec::new();
    let mut read = Vec::new();
    for (name, path, symbol) in files {
        let at = symbols.iter().position(|known| *known == symbol).unwrap_or(symbols.len());
        if at == symbols.len() {
            symbols.push(symbol);
        }
        read.push(File::new(name, path, at as u32 + 1, settings.clone()));
    }
    let definitions = symbols.iter().map(|symbol| settings::definition(symbol, params));
    Ok(Csv::new(read, definitions.collect::<Result<_, _>>()?))
}

/// A decoder of files with these names, under these parameters; its windows are the files.
///
/// # Errors
/// When a parameter is not valid.
pub fn decoder(names: &[&str], params: &Params) -> Result<Csv, OpenError> {
    let settings = Arc::new(settings::of(params)?);
    let files = names.iter().map(|name| ((*name).to_owned(), (*name).to_owned(), symbol_of(params, name)));
    decoder_of(files.collect(), &settings, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_the_symbol() {
        for (name, symbol) in [
            ("SPY_1min.csv", "SPY"),
            ("data/AAPL.csv.gz", "AAPL"),
            ("week\\ES-H9_5s.csv", "ES-H9"),
            ("_1min.csv", "UNKNOWN"),
            ("", "UNKNOWN"),
        ] {
            assert_eq!(symbol_in(name), symbol, "{name}");
        }
    }
}
