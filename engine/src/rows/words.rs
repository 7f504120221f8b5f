//! Numbers of records that are words in rows: order types, reasons, checks, strategies.
//!
//! [`WORDS`] names the field of a kind, the column that it becomes, and how its number is said. A number that is no word
//! stands as it is.

use super::cell::Cell;
use super::schema::{Column, column};
use flow::{Action, CancelReason, CommandAction, HaltReason, Kind, KindInfo, OrderId, OrderType, RejectReason, Tif};

/// A field that is a word.
pub(super) struct Word {
    /// The field, in every kind that has it unless `kind` says otherwise.
    field: &'static str,
    kind: Option<Kind>,
    /// The column.
    pub(super) column: Column,
    /// How a number is said.
    pub(super) say: fn(u64) -> Cell,
}

const fn word(
    field: &'static str,
    kind: Option<Kind>,
    name: &'static str,
    about: &'static str,
    say: fn(u64) -> Cell,
) -> Word {
    Word { field, kind, column: column(name, "text", "", about), say }
}

fn said(number: u64, name: Option<&'static str>) -> Cell {
    match (number, name) {
        (0, None) => Cell::Null,
        (_, Some(name)) => Cell::text(name),
        (n, None) => Cell::text(n.to_string()),
    }
}

/// Name of a strategy.
pub(super) fn strategy(number: u64) -> Cell {
    said(number, stages::strategies::name(number as u16))
}

const WORDS: [Word; 9] = [
    word("order_type", None, "type", "limit or market", |n| {
        said(n, OrderType::from_code(n as u8).map(OrderType::name))
    }),
    word("tif", None, "tif", "day, gtc, ioc or fok", |n| said(n, Tif::from_code(n as u8).map(Tif::name))),
    word("check", None, "check", "the check that refused it", |n| said(n, Some(stages::risk::check_name(n as u16)))),
    word("strategy", None, "strategy", "strategy", strategy),
    word("reason", Some(Kind::Reject), "reason", "why", |n| {
        said(n, RejectReason::from_code(n as u32).map(RejectReason::name))
    }),
    word("reason", Some(Kind::Cancelled), "reason", "why", |n| {
        said(n, CancelReason::from_code(n as u32).map(CancelReason::name))
    }),
    word("reason", Some(Kind::Halt), "reason", "why", |n| {
        said(n, HaltReason::from_code(n as u32).map(HaltReason::name))
    }),
    word("action", Some(Kind::Command), "action", "what to do", |n| {
        said(n, CommandAction::from_code(n as u32).map(CommandAction::name))
    }),
    word("action", None, "action", "new, cancel, replace or cancel-all", |n| {
        said(n, Action::from_code(n as u8).map(Action::name))
    }),
];

/// How a field is said, if it is a word.
pub(super) fn find(kind: Kind, field: &str) -> Option<&'static Word> {
    WORDS.iter().find(|w| w.field == field && w.kind.is_none_or(|k| k == kind))
}

/// Columns that an order id stands for beside itself.
pub(super) const OWNER: [Column; 2] =
    [column("account", "integer", "", "account of the order"), column("strategy", "text", "", "strategy of the order")];

/// Whether the kind names one order of ours by its id first.
pub(super) fn is_owned(info: &KindInfo) -> bool {
    let first = info.fields.first().is_some_and(|f| f.name == "order_id");
    first && !info.fields.iter().any(|f| f.name == "account" || f.name == "strategy")
}

/// The cells of [`OWNER`].
pub(super) fn owner(order_id: u64) -> [Cell; 2] {
    let id = OrderId(order_id);
    [Cell::Uint(id.account().into()), strategy(id.strategy().into())]
}
