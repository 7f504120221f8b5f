//! The decoder: the bars of several files, merged by their end.
//!
//! Of bars that end at the same time the shortest enter first, and of these those of the file that was given first. An
//! instrument is listed with its first bar. Two files of one symbol are one instrument, so a year may be in twelve files; a bar
//! that two of them have is an error. Bound: what each [`File`] holds. Worst case of a bar: one look at every file.

use super::file::{File, Head};
use super::rows::Row;
use crate::bar;
use flow::{Count, Decoder, Definition, FeedError, Inputs, Ns, Step, Window};

/// Decodes files of bars, one window each.
pub struct Csv {
    files: Vec<File>,
    listed: Vec<Listed>,
    bars: u64,
}

/// An instrument of the files.
struct Listed {
    definition: Definition,
    /// End and length of its last bar.
    last: Option<(Ns, u32)>,
}

impl Csv {
    /// A decoder of files whose instruments are these, from local number 1 on.
    pub(super) fn new(files: Vec<File>, definitions: Vec<Definition>) -> Csv {
        let listed = definitions.into_iter().map(|definition| Listed { definition, last: None }).collect();
        Csv { files, listed, bars: 0 }
    }

    /// The file whose bar is the next one.
    fn next(&self) -> Option<usize> {
        let key = |(at, file): (usize, &File)| match &file.head {
            Head::Bar(row) => Some((row.span.end, row.span.interval_s, at)),
            _ => None,
        };
        self.files.iter().enumerate().filter_map(key).min().map(|(.., at)| at)
    }

    /// The bar enters, behind the listing of its instrument if it is the first.
    fn give(&mut self, at: usize, row: &Row, to: &mut Inputs) -> Result<(), FeedError> {
        let instrument = self.files[at].instrument;
        let listed = &mut self.listed[instrument as usize - 1];
        let (end, this) = (row.span.end, (row.span.end, row.span.interval_s));
        match listed.last.replace(this) {
            Some(last) if last == this => {
                return Err(self.files[at].given_twice(&listed.definition.symbol, row));
            }
            Some(_) => {}
            None => listed.definition.push(to, end, instrument, self.bars + 1),
        }
        self.bars += 1;
        bar::push(to, end, instrument, &row.bar, &row.flow, self.bars);
        Ok(())
    }
}

impl Decoder for Csv {
    fn decode(&mut self, windows: &mut [Window], to: &mut Inputs) -> Result<Step, FeedError> {
        assert!(windows.len() == self.files.len(), "every file has a window");
        while to.has_room() {
            // Every file is looked at, so that those which must be read whole go on meanwhile.
            let are_known =
                self.files.iter_mut().zip(&mut *windows).fold(true, |known, (file, window)| file.look(window) && known);
            if !are_known {
                return Ok(Step::Starved);
            }
            if let Some(Head::Failed(error)) = self.files.iter().map(|f| &f.head).find(|h| matches!(h, Head::Failed(_)))
            {
                return Err(error.clone());
            }
            let Some(at) = self.next() else { return Ok(Step::Ended) };
            let Head::Bar(row) = std::mem::replace(&mut self.files[at].head, Head::Unread) else {
                unreachable!("a bar was chosen")
            };
            self.give(at, &row, to)?;
        }
        Ok(Step::Full)
    }

    fn instruments(&self) -> u32 {
        self.listed.len() as u32 + 1
    }

    fn counts(&self) -> Vec<Count> {
        vec![Count { name: "bar".to_owned(), count: self.bars }]
    }

    fn records(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }
}
