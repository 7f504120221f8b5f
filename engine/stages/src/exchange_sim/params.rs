//! Parameters of the simulated venue.
//!
//! The limits of its book have the names and ranges of the book stage's, so one value can serve both. The rest sets
//! latency, queue model, fees and table sizes. Nothing changes while it runs.

use super::consumed::MAX_TAKEN_LEVELS;
use super::fees::{MAKER_BPS, MAKER_PER_SHARE, TAKER_BPS, TAKER_PER_SHARE};
use super::latency::{JITTER_NS, LATENCY, LATENCY_FILE, ORDER_LATENCY_NS, REPLY_LATENCY_NS, SERVICE_NS};
use super::queue::{QUEUE_MODEL, QUEUE_POWER};
use super::resting::MAX_OWN_ORDERS;
use crate::book::{MAX_BOOKS, MAX_LEVELS, MAX_ORDERS};
use flow::Param;

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
    Param { about: "live orders in all of the venue's books together, as of the stage book", ..MAX_ORDERS.param() },
    Param { about: "price levels in all of the venue's books together, as of the stage book", ..MAX_LEVELS.param() },
    Param { about: "instruments that have a book, as of the stage book", ..MAX_BOOKS.param() },
];
