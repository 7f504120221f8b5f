//! Parameters of the simulated venue.
//!
//! The limits of its book are those of the book stage, unless it has its own: only then does it never share that stage's. The
//! rest sets latency, queue model, fees and table sizes. Nothing changes while it runs.

use super::consumed::MAX_TAKEN_LEVELS;
use super::fees::{MAKER_BPS, MAKER_PER_SHARE, TAKER_BPS, TAKER_PER_SHARE};
use super::latency::{JITTER_NS, LATENCY, LATENCY_FILE, ORDER_LATENCY_NS, REPLY_LATENCY_NS, SERVICE_NS};
use super::queue::{QUEUE_MODEL, QUEUE_POWER};
use super::resting::MAX_OWN_ORDERS;
use crate::book;
use flow::{OptionalIntParam, Param, Params, Value};

const MAX_ORDERS: OptionalIntParam = OptionalIntParam::new(
    "max_orders",
    book::MAX_ORDERS_RANGE,
    "live orders in all of the venue's books; none: as of the stage book",
)
.unit("orders");
const MAX_LEVELS: OptionalIntParam = OptionalIntParam::new(
    "max_levels",
    book::MAX_LEVELS_RANGE,
    "price levels in all of the venue's books; none: as of the stage book",
)
.unit("levels");
const MAX_BOOKS: OptionalIntParam = OptionalIntParam::new(
    "max_books",
    book::MAX_BOOKS_RANGE,
    "instruments that have a book; none: as of the stage book",
)
.unit("books");

/// What can be set.
pub const PARAMS: &[Param] = &[
    LATENCY.param(),
    ORDER_LATENCY_NS.param(),
    REPLY_LATENCY_NS.param(),
    JITTER_NS.param(),
    LATENCY_FILE.param(),
    SERVICE_NS.param(),
    QUEUE_MODEL.param(),
    QUEUE_POWER.param(),
    TAKER_PER_SHARE.param(),
    MAKER_PER_SHARE.param(),
    TAKER_BPS.param(),
    MAKER_BPS.param(),
    MAX_OWN_ORDERS.param(),
    MAX_TAKEN_LEVELS.param(),
    MAX_ORDERS.param(),
    MAX_LEVELS.param(),
    MAX_BOOKS.param(),
];

/// The parameters of the venue's book, where those of the stage `book` are these.
pub fn book_params(venue: &Params, stage: &Params) -> Params {
    let mut book = stage.clone();
    for (own, of_book) in [MAX_ORDERS, MAX_LEVELS, MAX_BOOKS].into_iter().zip(book::LIMITS) {
        if let Some(limit) = venue.get(own) {
            book.set(&of_book, Value::Int(limit));
        }
    }
    book
}
