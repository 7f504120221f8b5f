//! The days of one symbol: a message and an orderbook file for each, put in order.
//!
//! The files of a zip, or of several inputs, are told apart by the names that LOBSTER gives them. Days follow each other in
//! two streams, one of messages and one of books; a mark on a line of its own parts them. Each file is opened when its turn
//! comes, so a year needs no more open files than a day.

use super::role::Role;
use crate::OpenError;
use crate::reader::{Stream, date, open_streams};
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// One of the two files of a day.
pub(super) struct File {
    role: Role,
    stream: Stream,
    symbol: Option<String>,
    date: Option<NaiveDate>,
}

/// The two files of a day.
pub(super) struct Pair {
    pub(super) messages: Stream,
    pub(super) book: Stream,
    pub(super) symbol: Option<String>,
    pub(super) date: Option<NaiveDate>,
}

/// The message and orderbook files of these paths, and the first bytes of what is neither.
pub(super) fn files(paths: &[PathBuf]) -> Result<(Vec<File>, Option<Vec<u8>>), OpenError> {
    let (mut files, mut pipes, mut other) = (Vec::new(), Vec::new(), None);
    for path in paths {
        for stream in open_streams(path)? {
            let stream = stream?;
            match Role::of(&stream.head) {
                _ if stream.is_pipe => pipes.push(stream),
                Some(role) => files.push(File::new(role, stream)),
                None => drop(other.get_or_insert(stream.head)),
            }
        }
    }
    for pipe in pipes {
        // Nobody looks at a pipe before it is read, so their order says which is which.
        let has_messages = files.iter().any(|f: &File| f.role == Role::Messages);
        files.push(File::new(if has_messages { Role::Book } else { Role::Messages }, pipe));
    }
    Ok((files, other))
}

impl File {
    fn new(role: Role, stream: Stream) -> File {
        let (symbol, date) = symbol_and_date(&stream.name);
        File { role, symbol: symbol.map(str::to_owned), date, stream }
    }
}

/// Symbol and date from a name of the form `SYMBOL_YYYY-MM-DD_…`; the folder of a zip's member is no part of it.
fn symbol_and_date(name: &str) -> (Option<&str>, Option<NaiveDate>) {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let day = date::in_name(name);
    let symbol = name.split_once('_').map(|(symbol, _)| symbol).filter(|s| !s.is_empty() && day.is_some());
    (symbol, day)
}

fn fault(what: String, next: &str) -> OpenError {
    OpenError { what, next: next.to_owned() }
}

/// The days of one symbol in order. If there are several symbols, `wanted` names the one.
pub(super) fn pairs(mut files: Vec<File>, shown: &str, wanted: &str) -> Result<Vec<Pair>, OpenError> {
    let symbols: BTreeSet<_> = files.iter().filter_map(|f| f.symbol.clone()).collect();
    if symbols.len() > 1 && symbols.contains(wanted) {
        files.retain(|f| f.symbol.as_deref() == Some(wanted));
    } else if symbols.len() > 1 {
        let names = symbols.into_iter().collect::<Vec<_>>().join(", ");
        let next = "name the one to read with lobster.symbol, or give the files of each as an input of its own";
        return Err(fault(format!("{shown} has files of several symbols: {names}"), next));
    }
    let mut days = BTreeMap::new();
    let named = files.len() > 2;
    for file in files {
        if named && file.date.is_none() {
            let next = "name the files of several days as LOBSTER does, SYMBOL_YYYY-MM-DD_…";
            return Err(fault(format!("{} has no day in its name", file.stream.name), next));
        }
        let day: &mut [Option<File>; 2] = days.entry(file.date).or_default();
        let place = &mut day[usize::from(file.role == Role::Book)];
        if let Some(other) = place {
            let what =
                format!("{} and {} are both {} files of one day", other.stream.name, file.stream.name, file.role);
            return Err(fault(what, "give one pair of files of each day"));
        }
        *place = Some(file);
    }
    // One file of a single pair may be without a name that says its day.
    if let [(None, _), (Some(day), _)] = days.iter().map(|(k, v)| (*k, v)).collect::<Vec<_>>()[..] {
        let unnamed = days.remove(&None).into_iter().flatten().flatten();
        let pair = days.get_mut(&Some(day)).expect("the day is there");
        for file in unnamed {
            pair[usize::from(file.role == Role::Book)].get_or_insert(file);
        }
    }
    days.into_iter().map(|(date, files)| pair(date, files, shown)).collect()
}

fn pair(date: Option<NaiveDate>, files: [Option<File>; 2], shown: &str) -> Result<Pair, OpenError> {
    let missing = |which: Role| {
        let of_day = date.map_or_else(String::new, |day| format!(" of {day}"));
        let next = "give the zip itself, or the message and the orderbook CSV file together";
        Err(fault(format!("{shown} contains no {which} file{of_day}"), next))
    };
    match files {
        [Some(messages), Some(book)] => {
            let symbol = messages.symbol.or(book.symbol);
            Ok(Pair { messages: messages.stream, book: book.stream, symbol, date })
        }
        [None, _] => missing(Role::Messages),
        _ => missing(Role::Book),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_symbol_and_day() {
        let day = NaiveDate::from_ymd_opt(2012, 6, 21);
        assert_eq!(symbol_and_date("GOOG_2012-06-21_34200000_57600000_message_10.csv"), (Some("GOOG"), day));
        assert_eq!(symbol_and_date("data/2019_a/GOOG_2012-06-21_message_10.csv"), (Some("GOOG"), day));
        assert_eq!(symbol_and_date("data\\GOOG_2012-06-21_message_10.csv"), (Some("GOOG"), day));
        assert_eq!(symbol_and_date("GOOG_2012-06-21/messages.csv"), (None, None), "a folder's name is not a file's");
        assert_eq!(symbol_and_date("messages.csv"), (None, None));
    }
}
