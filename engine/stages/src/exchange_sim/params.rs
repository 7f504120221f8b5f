//! Parameters of the simulated venue.
//!
//! The limits of its book have the names and ranges of the book stage's, so one value can serve both. The rest sets
//! latency, queue model, fees and table sizes. Nothing changes while it runs.

use super::{latency, queue};
use flow::{Effective, Param, ParamType};

const fn int(
    name: &'static str,
    low: u64,
    high: u64,
    unit: &'static str,
    default: &'static str,
    about: &'static str,
) -> Param {
    Param { name, ty: ParamType::Int(low, high), unit, default, effective: Effective::Restart, about }
}

const fn float(
    name: &'static str,
    low: f64,
    high: f64,
    unit: &'static str,
    default: &'static str,
    about: &'static str,
) -> Param {
    Param { name, ty: ParamType::Float(low, high), unit, default, effective: Effective::Restart, about }
}

const fn choice(name: &'static str, of: &'static [&'static str], default: &'static str, about: &'static str) -> Param {
    Param { name, ty: ParamType::Choice(of), unit: "", default, effective: Effective::Restart, about }
}

/// An hour: no latency is longer.
const LONGEST: u64 = 3_600_000_000_000;

/// What can be set.
pub const PARAMS: &[Param] = &[
    choice("latency", latency::NAMES, "constant", "model of the time to the venue and back"),
    int("order_latency_ns", 0, LONGEST, "ns", "50000", "time to the venue; the floor of the constant model"),
    int("reply_latency_ns", 0, LONGEST, "ns", "50000", "time back"),
    int("jitter_ns", 0, LONGEST, "ns", "0", "most that is added to each time, drawn by the event's id"),
    Param {
        name: "latency_file",
        ty: ParamType::Text,
        unit: "",
        default: "",
        effective: Effective::Restart,
        about: "file of the recorded model: rows ts_ns,order_ns,reply_ns under that header",
    },
    int("service_ns", 0, LONGEST, "ns", "1000", "time that a message takes at the gateway, in the rate model"),
    choice(
        "queue_model",
        queue::NAMES,
        "pro-rata-behind",
        "how a level's decrease without a trade is divided, where orders are not known",
    ),
    float("queue_power", 0.1, 16.0, "", "3", "exponent of the queue model power"),
    float(
        "taker_fee_per_share_nano",
        -1e12,
        1e12,
        "1e-9 currency",
        "3000000",
        "fee a share (a whole unit) that takes liquidity; negative = rebate",
    ),
    float(
        "maker_fee_per_share_nano",
        -1e12,
        1e12,
        "1e-9 currency",
        "0",
        "fee a share (a whole unit) that adds liquidity; negative = rebate",
    ),
    float("taker_fee_bps", -1e4, 1e4, "basis points", "0", "fee on the value of what takes liquidity"),
    float("maker_fee_bps", -1e4, 1e4, "basis points", "0", "fee on the value of what adds liquidity"),
    int(
        "max_own_orders",
        16,
        1_048_576,
        "orders",
        "16384",
        "orders of ours that rest at once; as many done ones are remembered",
    ),
    int(
        "max_taken_levels",
        16,
        1_048_576,
        "levels",
        "65536",
        "displayed levels of which we took something; nothing is taken from others when it is full",
    ),
    int(
        "max_orders",
        16,
        16_777_216,
        "orders",
        "1048576",
        "live orders in all of the venue's books together, as of the stage book",
    ),
    int(
        "max_levels",
        16,
        16_777_216,
        "levels",
        "262144",
        "price levels in all of the venue's books together, as of the stage book",
    ),
    int("max_books", 1, 1_048_576, "books", "16384", "instruments that have a book, as of the stage book"),
];
