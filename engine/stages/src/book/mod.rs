//! The book stage: order books from market data, and the events that their changes cause.
//!
//! [`Books`] holds the orders and levels of all instruments and knows nothing of events. [`Book`] is a read-only view of
//! one book. [`BookStage`] applies messages and emits `level`, `trade`, `book-top` and anomalies, and what measures ask
//! for: the depth of each [`Weighing`], and where an order stands that it shows. The listing decides how a book is kept: by order, by level, from quotes, or not at all. `docs/book.md` has the rules, parameters and cost.
//!
//! Bound: the parameters; all memory is allocated and written at construction. Worst case: a `clear`, linear in what it
//! empties; a break, which walks over the trades that are remembered.

mod books;
mod doubt;
mod ladder;
mod levels;
mod order;
mod outcome;
mod params;
mod prefetcher;
mod prints;
mod publish;
mod refs;
mod shortcuts;
mod showing;
mod stage;
mod state;
mod touch;
mod trades;
mod view;
mod weighing;

pub use books::{BookId, Books, Keeping, Limits, Place};
pub use order::LevelChange;
pub(crate) use order::order_ref_of;
pub use outcome::{Fault, LevelUpdate, Reduced, Replaced};
pub(crate) use params::{LIMITS, MAX_BOOKS_RANGE, MAX_LEVELS_RANGE, MAX_ORDERS_RANGE};
pub use params::{MAX_ORDERS, PARAMS};
pub(crate) use stage::ORDER_MESSAGES;
pub use stage::{BookStage, shown_by};
pub use touch::Top;

pub use view::{Ahead, Book, Depth, Resting};
pub use weighing::Weighing;
