//! The book: what rests where, and what of it the rest of the pipeline hears.
//!
//! [`Books`] holds the orders and levels of all instruments and knows nothing of events; [`Book`] looks at one of them;
//! [`BookStage`] turns messages into changes and changes into `level`, `trade`, `book-top` and anomalies. How a book is
//! kept (by order, by level, from quotes, not at all) is its listing's word. `docs/book.md` has the rules, the
//! parameters and the cost.
//!
//! Bound: the parameters; all memory is allocated and written at construction. Worst case: a `clear`, linear in what it
//! empties.

mod books;
mod ladder;
mod order;
mod pool;
mod prefetcher;
mod refs;
mod shortcuts;
mod stage;
mod state;
mod view;

pub use books::{BookId, Books, Change, Fault, LevelUpdate, Limits, Place, Replaced, Taken, Top};
pub use stage::{BookStage, PARAMS};
pub use view::{Ahead, Book, Depth, Resting};
