//! Provenance: why there is an order, and what became of it, from what was recorded.
//!
//! **Idea.** Every event names the input that caused it, so the way from an order back to its cause, and on to its fills and
//! positions, is in the journal already. An index beside the journal finds the events of an order without a pass over the
//! logs; the story is those events, their neighbours of the same inputs, and the last measures before the decision. It is
//! told as text, as JSON and as a page. Nothing here is written by a run or read by one.
//!
//! Bound: the index is read in pages, a story has the events of one order. Worst case: a journal without an index is read once.

mod deep;
mod error;
mod index;
mod json;
mod name;
mod page;
mod story;
mod text;
mod unknown;
mod words;

pub use error::WhyError;

use crate::config::{Draft, Settings};
use crate::recovery::Notices;
use crate::registries::Registries;
use flow::Kind;
use index::{Index, Trouble};
use sinks::journal::Home;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use story::{Book, Chapter, Story, tell};

/// Where the index of orders is that belongs to the run in `dir`, if there is one: it is made again from the logs whenever it is missing.
pub fn index_of(dir: &Path) -> PathBuf {
    index::folder_of(dir)
}

/// The journals of a run, open for questions about orders.
pub struct Why {
    dir: PathBuf,
    index: Index,
    registries: Registries,
    settings: Settings,
    book: Book,
    notices: Notices,
}

/// The story of an order, to be shown.
pub struct OrderStory {
    story: Story,
    book: Arc<stages::Instances>,
}

impl Why {
    /// Opens the journals in `dir`, and brings their index up to date. That reads what has been written since the last call; the
    /// first time, everything.
    ///
    /// # Errors
    /// When there is no journal, or it cannot be read.
    pub fn open(dir: &Path, registries: &Registries, notices: Notices) -> Result<Why, WhyError> {
        let home = Home::open(dir)?;
        let text = &home.current().info.config_text;
        // What this build cannot read of it, an input of another crate for instance, is not named.
        let settings = Draft::recorded(text, &dir.join("journal.toml"), registries).settings;
        let book = Book::new(Arc::new(settings.instances.clone()));
        let index = Index::open(&home, notices)?;
        Ok(Why { dir: dir.to_owned(), index, registries: registries.clone(), settings, book, notices })
    }

    /// How many records were read to bring the index up to date.
    pub fn records_read(&self) -> u64 {
        self.index.members.iter().map(|member| member.read).sum()
    }

    /// The story of the order that is written like that: its number as rows print it, in decimal or hexadecimal, or
    /// account/strategy/counter.
    ///
    /// # Errors
    /// When the text is no order id, the journals have no such order, or cannot be read.
    pub fn order(&mut self, text: &str) -> Result<OrderStory, WhyError> {
        let order = name::parse(text, &self.book.names)?;
        for attempt in 0..2 {
            let found = match tell(&mut self.index, order, &self.settings, &self.book) {
                Ok(Some(story)) => return Ok(OrderStory { story, book: self.book.names.clone() }),
                Ok(None) => unknown::nearest(&mut self.index, order),
                Err(trouble) => Err(trouble),
            };
            match found {
                Ok(nearest) => {
                    let elsewhere = unknown::elsewhere(&self.dir, order, self.notices)?;
                    let (first, names) = (&self.index.members[0].member, &self.book.names);
                    return Err(unknown::error(order, names, &self.dir, first, nearest, elsewhere));
                }
                Err(Trouble::Journal(error)) => return Err(error),
                Err(Trouble::Index) if attempt == 0 => {
                    self.notices.say("the index is not of this journal, or damaged: it is made anew".to_owned());
                    self.index.rebuild(self.notices)?;
                }
                Err(Trouble::Index) => {}
            }
        }
        Err(WhyError::Changing(self.dir.clone()))
    }
}

impl Why {
    /// Adds what no recorded event holds: the journal is repeated from the nearest snapshot up to the order, with outcomes of
    /// all kinds. That says what each check found, and the measures that the outcomes leave out.
    ///
    /// # Errors
    /// When another build wrote the journal, the order's request is not in it, or the repetition differs from the record.
    pub fn deepen(&mut self, told: &mut OrderStory) -> Result<(), WhyError> {
        let order = told.story.order;
        let request = told.story.steps.iter().find(|step| step.chapter == Chapter::Request);
        let Some(request) = request else {
            let what =
                format!("the request of order {} is not in the journal, so nothing can be repeated up to it", order.0);
            return Err(WhyError::Unknown(what));
        };
        let (member, request) = (&self.index.members[request.member].member, *request.event());
        let decided = told.story.steps.iter().find(|step| step.event().kind == Kind::Intent).map(|step| *step.event());
        let of = (order, &request, &decided.unwrap_or(request));
        let deep = deep::deep(member, &self.registries, self.notices, of)?;
        told.story.deepen(deep, &self.book);
        Ok(())
    }
}

impl OrderStory {
    /// For people, at most 80 columns wide.
    pub fn text(&self) -> String {
        text::text(&self.story, &self.book)
    }

    /// For machines; the page `docs/why.md` lists the fields.
    pub fn json(&self) -> serde_json::Value {
        json::json(&self.story, &self.book)
    }

    /// One HTML page that loads nothing and runs no script.
    pub fn page(&self) -> String {
        page::page(&self.story, &self.book)
    }
}
