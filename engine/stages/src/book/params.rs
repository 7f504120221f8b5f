//! The parameters of the stage: how much it holds. Bound: each is a total over all books.

use super::books::Limits;
use crate::Space;
use flow::{IntParam, Param, Params};

/// The values of [`MAX_ORDERS`].
pub(crate) const MAX_ORDERS_RANGE: (u64, u64) = (16, 16_777_216);
/// The values of [`MAX_LEVELS`].
pub(crate) const MAX_LEVELS_RANGE: (u64, u64) = (16, 16_777_216);
/// The values of [`MAX_BOOKS`].
pub(crate) const MAX_BOOKS_RANGE: (u64, u64) = (1, 1_048_576);
/// Live orders of all books.
pub const MAX_ORDERS: IntParam<u32> = IntParam::new(
    "max_orders",
    MAX_ORDERS_RANGE,
    "1048576",
    "live orders in all books; 48 bytes each, taken as they come",
)
.unit("orders");
/// Price levels of all books.
const MAX_LEVELS: IntParam<u32> = IntParam::new(
    "max_levels",
    MAX_LEVELS_RANGE,
    "262144",
    "price levels in all books; 110 bytes each, taken as they come",
)
.unit("levels");
/// Instruments that have a book.
const MAX_BOOKS: IntParam<u32> = IntParam::new(
    "max_books",
    MAX_BOOKS_RANGE,
    "16384",
    "instruments that have a book; 580 bytes each, taken as they come",
)
.unit("books");
pub(super) const MAX_PRINTS: IntParam<usize> = IntParam::new(
    "max_prints",
    (16, 16_777_216),
    "262144",
    "last trades of all instruments together that can still be broken; 48 bytes each, taken as they come",
)
.unit("trades");

/// How much the books hold: orders, levels, books.
pub(crate) const LIMITS: [Param; 3] = [MAX_ORDERS.param(), MAX_LEVELS.param(), MAX_BOOKS.param()];

/// What can be set.
pub const PARAMS: &[Param] = &[MAX_ORDERS.param(), MAX_LEVELS.param(), MAX_BOOKS.param(), MAX_PRINTS.param()];

/// The limits that the parameters set.
pub(super) fn limits(params: &Params, space: Space) -> Limits {
    let (books, orders, levels) = (params.get(MAX_BOOKS), params.get(MAX_ORDERS), params.get(MAX_LEVELS));
    Limits { instruments: space.instruments, books, orders, levels }
}
