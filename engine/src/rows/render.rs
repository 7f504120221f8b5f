//! Renders an event and its followers as the cells of a row.

use super::cell::Cell;
use super::column::Value;
use flow::records::Anomaly;
use flow::{
    AnomalyKind, Event, Field, FieldType, FlagColumn, Interval, Kind, Listed, Ns, OrderId, Px, Qty, StrategyId, amount,
    decimal, kind_info, name_of,
};
use stages::Instances;

/// Number format of an instrument.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    px: u32,
    qty: u32,
}

impl Scale {
    /// The format of the listing; without one, the shortest exact decimals.
    pub(super) fn of(listed: Option<&Listed>) -> Scale {
        Scale {
            px: listed.map_or(2, Listed::price_decimals),
            qty: listed.map_or(0, |l| u32::from(l.terms.qty_decimals)),
        }
    }

    pub(super) fn px(self, px: Px) -> Cell {
        self.px_of(px, self.px)
    }

    fn px_of(self, px: Px, decimals: u32) -> Cell {
        px.known().map_or(Cell::Null, |px| Cell::Text(decimal(px.0.into(), 9, decimals)))
    }

    pub(super) fn qty(self, qty: Qty) -> Cell {
        match self.qty {
            0 => Cell::Uint(qty.0),
            scale => Cell::Text(decimal(qty.0.into(), scale, scale)),
        }
    }
}

/// The cell of one field of an event.
pub(crate) fn value(field: &Field, event: &Event, listed: &Listed) -> Cell {
    Print { scale: Scale::of(Some(listed)), names: &Instances::default() }.field(field, field.ty, event)
}

/// What a row is rendered with.
#[derive(Clone, Copy)]
pub(super) struct Print<'a> {
    /// Number format of the instrument.
    pub(super) scale: Scale,
    /// Names of strategies.
    pub(super) names: &'a Instances,
}

impl Print<'_> {
    /// The cell of a column, from the events of a row: the first, then its followers.
    pub(super) fn cell(self, value: &Value, events: &[Event]) -> Cell {
        let first = &events[0];
        match value {
            Value::Flag(flag) => flagged(*flag, first),
            Value::Account(id) => Cell::Uint(OrderId(id.number(&first.body)).account().0.into()),
            Value::Strategy(id) => self.strategy(OrderId(id.number(&first.body)).strategy()),
            Value::First(field, ty) => self.field(field, *ty, first),
            Value::Follower(field) => self.field(field, field.ty, &events[1]),
            Value::Each(fields) => {
                let each = |event: &Event| fields.iter().map(|f| self.field(f, f.ty, event)).collect();
                Cell::List(events[1..].iter().map(each).collect())
            }
        }
    }

    fn strategy(self, id: StrategyId) -> Cell {
        named(id.0.into(), self.names.strategy(id))
    }

    fn field(self, field: &Field, ty: FieldType, event: &Event) -> Cell {
        let Print { scale, names } = self;
        if ty == FieldType::Text {
            let text = String::from_utf8_lossy(field.bytes(&event.body));
            return Cell::text(text.trim_end_matches(['\0', ' ']));
        }
        let value = field.number(&event.body);
        match ty {
            FieldType::Price => scale.px(Px(value as i64)),
            FieldType::Average => scale.px_of(Px(value as i64), 9),
            FieldType::Qty => scale.qty(Qty(value)),
            FieldType::Volume => Qty(value).known().map_or(Cell::Null, |qty| scale.qty(qty)),
            FieldType::TimeNs => Ns(value).known().map_or(Cell::Null, |ns| Cell::Long(ns.0)),
            FieldType::OrderId | FieldType::Id => Cell::Long(value),
            FieldType::Interval if value == 0 => Cell::Null,
            FieldType::Interval => Cell::Text(interval(value as u32)),
            FieldType::Float => Cell::Float(f64::from_bits(value)),
            FieldType::Step | FieldType::Factor | FieldType::Start if value == 0 => Cell::Null,
            FieldType::Start => Cell::Long(value * Ns::SECOND),
            FieldType::Step => scale.px(Px(value as i64)),
            FieldType::Factor | FieldType::Nano => amount(value as i64, 0).map_or(Cell::Null, Cell::Text),
            FieldType::Money => amount(value as i64, 2).map_or(Cell::Null, Cell::Text),
            FieldType::Int => Cell::Int(value as i64),
            FieldType::Sequence => Some(value).filter(|known| *known != u64::MAX).into(),
            FieldType::Uid | FieldType::Count => Some(value).filter(|known| *known != u64::from(u32::MAX)).into(),
            FieldType::Strategy => self.strategy(StrategyId(value as u16)),
            FieldType::Instance => named(value, names.measure(value as u8, event.kind)),
            FieldType::Check => named(value, Some(stages::risk::check_name(value as u16))),
            FieldType::Limit => named(value, names.limit(value as u16)),
            FieldType::Kind => Cell::text(kind_info(Kind(value as u8)).map_or("unknown", |k| k.name)),
            FieldType::Enum(words) => named(value, name_of(words, value)),
            FieldType::Detail => detail(value, event, scale),
            FieldType::Uint | FieldType::Seconds | FieldType::Account => Cell::Uint(value),
            FieldType::Code(_) | FieldType::Text => Cell::Uint(value),
        }
    }
}

/// A number shown by name; 0 without a name is absent.
fn named(number: u64, name: Option<&str>) -> Cell {
    match (number, name) {
        (_, Some(name)) => Cell::text(name),
        (0, None) => Cell::Null,
        (n, None) => Cell::text(n.to_string()),
    }
}

fn flagged(flag: FlagColumn, event: &Event) -> Cell {
    flag.is_set(event.flags).map_or_else(|| Cell::text(event.side().name()), Cell::Bool)
}

fn interval(seconds: u32) -> String {
    Interval::from_seconds(seconds).map_or_else(|| format!("{seconds}s"), |i| i.to_string())
}

/// The detail of an anomaly, after its meaning.
fn detail(number: u64, event: &Event, scale: Scale) -> Cell {
    let Some(what) = event.get::<Anomaly>().and_then(|a| AnomalyKind::from_code(a.what)) else {
        return Cell::text(number.to_string());
    };
    let number = if what.details_a_price() { scale.px(Px(number as i64)).to_csv() } else { number.to_string() };
    Cell::Text(format!("{} {number}", what.detail()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_that_is_a_price_is_shown_as_one_below_zero_too() {
        let said = |what: AnomalyKind, number: i64| {
            let event = what.event(Ns(1), 1, Ns::NONE, number as u64);
            detail(number as u64, &event, Scale { px: 2, qty: 0 })
        };
        assert_eq!(said(AnomalyKind::CrossedBook, -12_500_000_000), Cell::text("best ask -12.50"));
        assert_eq!(said(AnomalyKind::BookFull, 12), Cell::text("limit 12"));
    }
}
