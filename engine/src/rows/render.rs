//! From an event to the cells of its row.

use super::cell::Cell;
use super::schema::Shape;
use super::words;
use flow::records::{Anomaly, Trade};
use flow::{AnomalyKind, Event, Field, FieldType, Flags, KindInfo, Listed, Ns, Px, Qty, decimal};

/// How numbers of an instrument are printed.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    px: u32,
    qty: u32,
}

impl Scale {
    /// The listing's, or the shortest exact decimals when there is none.
    pub(super) fn of(listed: Option<&Listed>) -> Scale {
        Scale {
            px: listed.map_or(2, Listed::price_decimals),
            qty: listed.map_or(0, |l| u32::from(l.terms.qty_decimals)),
        }
    }

    pub(super) fn px(self, px: Px) -> Cell {
        px.known().map_or(Cell::Null, |px| Cell::Text(decimal(px.0.into(), 9, self.px)))
    }

    pub(super) fn qty(self, qty: Qty) -> Cell {
        match self.qty {
            0 => Cell::Uint(qty.0),
            scale => Cell::Text(decimal(qty.0.into(), scale, scale)),
        }
    }
}

/// The cells of a row after the common ones, of a kind that is made of one event.
pub(super) fn cells(shape: Shape, info: &KindInfo, event: &Event, scale: Scale) -> Vec<Cell> {
    match shape {
        Shape::Record { side } => {
            let side = side.then(|| Cell::text(event.side().name()));
            let owned = words::is_owned(info).then(|| words::owner(number(&info.fields[0], event)));
            let fields = info.fields.iter().filter(|f| f.name != "exchange_ts");
            let fields = fields.map(|f| match words::find(info.kind, f.name) {
                Some(word) => (word.say)(number(f, event)),
                None => field(f, event, scale),
            });
            side.into_iter().chain(owned.into_iter().flatten()).chain(fields).collect()
        }
        Shape::Trade => trade(event, scale),
        Shape::Anomaly => anomaly(event, scale),
        Shape::Joined | Shape::Depth => Vec::new(),
    }
}

/// A field's bytes as a number.
fn number(field: &Field, event: &Event) -> u64 {
    let at = field.offset - 24;
    let mut word = [0; 8];
    word[..field.size].copy_from_slice(&event.body[at..at + field.size]);
    u64::from_le_bytes(word)
}

fn field(field: &Field, event: &Event, scale: Scale) -> Cell {
    let at = field.offset - 24;
    let bytes = &event.body[at..at + field.size];
    if field.ty == FieldType::Text {
        let text = String::from_utf8_lossy(bytes);
        return Cell::text(text.trim_end_matches(['\0', ' ']));
    }
    let value = number(field, event);
    match field.ty {
        FieldType::Price => scale.px(Px(value as i64)),
        FieldType::Qty => scale.qty(Qty(value)),
        FieldType::TimeNs => Ns(value).known().map(|ns| ns.0).into(),
        FieldType::Float => Cell::Float(f64::from_bits(value)),
        FieldType::Nano => Cell::Text(decimal((value as i64).into(), 9, 0)),
        FieldType::Uid => Some(value).filter(|uid| *uid != u64::from(u32::MAX)).into(),
        FieldType::Int => Cell::Int(value as i64),
        FieldType::Uint | FieldType::Seconds | FieldType::Text => Cell::Uint(value),
    }
}

fn trade(event: &Event, scale: Scale) -> Vec<Cell> {
    let trade = event.record::<Trade>();
    vec![
        scale.px(trade.px),
        scale.qty(trade.qty),
        Cell::text(event.side().name()),
        Cell::Bool(event.flags.has(Flags::INFERRED_AGGRESSOR)),
        Cell::Bool(!event.flags.has(Flags::HIDDEN)),
        Cell::Bool(event.flags.has(Flags::AUCTION)),
        Cell::Uint(trade.match_id),
        Cell::Uint(trade.order_ref),
    ]
}

fn anomaly(event: &Event, scale: Scale) -> Vec<Cell> {
    let anomaly = event.record::<Anomaly>();
    let (what, detail) = match AnomalyKind::from_code(anomaly.what) {
        Some(what) => (what.name().to_owned(), format!("{} {}", what.detail(), anomaly.detail)),
        None => (format!("anomaly-{}", anomaly.what), anomaly.detail.to_string()),
    };
    vec![Cell::Text(what), Cell::Text(detail), scale.px(anomaly.px), scale.qty(anomaly.qty)]
}
