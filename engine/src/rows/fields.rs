//! The fields of one event, as its row prints them: for those who show an event and not a table of them.

use super::cell::Cell;
use super::column::own_columns;
use super::render::{Print, Scale};
use flow::{Event, Listed, Px, Qty, kind_info};
use stages::Instances;
use std::borrow::Cow;

/// A field of an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Its name, that of its column.
    pub name: &'static str,
    /// Its unit, or the names that it can have; empty if it has neither.
    pub unit: Cow<'static, str>,
    /// Its value.
    pub value: Cell,
}

/// The fields of an event, in the order of its kind; without its listing, prices have the shortest exact decimals.
pub fn fields(event: &Event, listed: Option<&Listed>, names: &Instances) -> Vec<Shown> {
    let Some(info) = kind_info(event.kind) else { return Vec::new() };
    let print = Print { scale: Scale::of(listed), names };
    let shown = own_columns(info).into_iter().map(|(column, value)| Shown {
        name: column.name,
        unit: column.unit,
        value: print.cell(&value, std::slice::from_ref(event)),
    });
    shown.collect()
}

/// A price of an instrument.
pub(crate) fn price(px: Px, listed: Option<&Listed>) -> Cell {
    Scale::of(listed).px(px)
}

/// A quantity of an instrument.
pub(crate) fn quantity(qty: Qty, listed: Option<&Listed>) -> Cell {
    Scale::of(listed).qty(qty)
}
