//! A step in the words of a trader, for text and page alike: the values of its row, in the order in which one reads them.

use super::name::name;
use super::story::{Relative, Step};
use crate::rows::words::{bar, quote, shown, span, trade, values};
use flow::records::{Ack, Intent, Order, Reason, Refused, ReplaceRequest, Request, Route};
use flow::{Action, Kind, OrderId, Reduces, SIMULATED_EXCHANGE};
use stages::Instances;

/// A step's time after another: `+950 ns`.
pub(super) fn after(from: u64, to: u64) -> String {
    if to >= from { format!("+{}", span(to - from)) } else { format!("-{}", span(from - to)) }
}

/// Quantity, price, type and time in force of a row that has them.
fn terms(step: &Step) -> String {
    let (qty, px) = (step.text("qty"), step.text("px"));
    let at = if px.is_empty() { "at the market".to_owned() } else { format!("at {px}") };
    let side = Some(step.text("side")).filter(|side| side != "none").unwrap_or_default();
    let order_type = Some(step.text("type")).filter(|name| name != "market").unwrap_or_default();
    let words = [side, qty, at, order_type, step.text("tif")];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The value of a column, for people; empty if it is absent.
fn value(step: &Step, column: &str) -> String {
    step.row.iter().find(|(name, _)| *name == column).map(|(_, cell)| shown(cell)).unwrap_or_default()
}

fn group(number: u32, legs: u8) -> String {
    if number == 0 { String::new() } else { format!(", leg of group {number}, {legs} legs") }
}

fn reduces(code: u8) -> &'static str {
    match Reduces::from_code(code) {
        Some(Reduces::Only) => ", only reduces",
        Some(Reduces::Commanded) => ", closes by command",
        _ => "",
    }
}

fn refused(step: &Step) -> String {
    let Refused { check, level, .. } = *step.event().record();
    let entry = stages::risk::check(check);
    let unit = entry.map_or("", |entry| entry.unit);
    let of = if level == 0 { String::new() } else { format!(", of {}", step.text("level")) };
    let about = entry.map_or("", |entry| entry.about);
    let (value, limit) = (step.text("value"), step.text("limit"));
    format!("{}: value {value}, limit {limit} ({unit}{of}). {about}", step.text("check"))
}

fn route(step: &Step) -> String {
    let Route { venue, action, order_id, replaces, .. } = *step.event().record();
    let to = if venue == SIMULATED_EXCHANGE { "sim".to_owned() } else { format!("venue {venue}") };
    match Action::from_code(action) {
        Some(Action::Cancel) => format!("cancel to {to}"),
        Some(Action::CancelAll) => format!("cancel of all orders to {to}"),
        Some(Action::Replace) => format!("to {to}: {}, in place of {replaces}", terms(step)),
        _ if order_id == 0 => format!("to {to}"),
        _ => format!("to {to}: {}", terms(step)),
    }
}

fn replace_request(step: &Step, own: OrderId, names: &Instances) -> String {
    let ReplaceRequest { order_id, new_id, .. } = *step.event().record();
    if new_id == own.0 {
        format!("in place of {}: {}", name(OrderId(order_id), names), terms(step))
    } else {
        format!("to be replaced by {}: {}", name(OrderId(new_id), names), terms(step))
    }
}

fn position(step: &Step) -> String {
    let average = step.text("avg_px");
    let at = if average.is_empty() { String::new() } else { format!(" at {average}") };
    let money = ["realised", "unrealised", "fees"].map(|column| (column, step.text(column)));
    let money = money.iter().filter(|(_, text)| !text.is_empty()).map(|(column, text)| format!(", {column} {text}"));
    format!("{}{at}{}", step.text("qty"), money.collect::<String>())
}

/// What a step says.
pub(super) fn words(step: &Step, own: OrderId, names: &Instances) -> String {
    let text = |column| step.text(column);
    let event = step.event();
    match event.kind {
        Kind::BookTop => quote(&step.row),
        Kind::Trade => trade(&step.row),
        Kind::Position => position(step),
        Kind::Bar => bar(&step.row),
        Kind::Reason => {
            let reason: &Reason = event.record();
            let measure = flow::kind_info(Kind(reason.measure as u8)).map_or("unknown", |info| info.name);
            let known = |column| Some(value(step, column)).filter(|t| !t.is_empty()).unwrap_or_else(|| "–".to_owned());
            format!("{measure} {}, threshold {}", known("value"), known("threshold"))
        }
        Kind::Signal => {
            let also = ["stop", "target", "confidence"].map(|column| (column, value(step, column)));
            let also = also.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!(", {name} {text}"));
            format!("{} by {}, entry {}{}", text("side"), text("strategy"), text("entry"), also.collect::<String>())
        }
        Kind::Intent => {
            let Intent { group: number, legs, reduces: code, action, .. } = *event.record();
            let what = Action::from_code(action).map_or("unknown", Action::name);
            if action == Action::Cancel.code() {
                return what.to_owned();
            }
            format!("{what} {}{}{}", terms(step), group(number, legs), reduces(code))
        }
        Kind::Request => {
            let Request { group: number, legs, reduces: code, .. } = *event.record();
            format!("{}{}{}", terms(step), group(number, legs), reduces(code))
        }
        Kind::ReplaceRequest => replace_request(step, own, names),
        Kind::CancelRequest if text("order_id") == "0" => "of all orders".to_owned(),
        Kind::CancelRequest => "of this order".to_owned(),
        Kind::Order => {
            let Order { group: number, legs, .. } = *event.record();
            format!("approved: {}{}", terms(step), group(number, legs))
        }
        Kind::Refused => refused(step),
        Kind::Route => route(step),
        Kind::Sent => format!("{} handed to the connection of the venue", text("action")),
        Kind::Arrival => "it reached the simulated exchange".to_owned(),
        _ => answer(step, own, names),
    }
}

/// What the venue said, and what that was to the positions.
fn answer(step: &Step, own: OrderId, names: &Instances) -> String {
    let text = |column| step.text(column);
    match step.event().kind {
        Kind::Ack => {
            let ack: &Ack = step.event().record();
            match ack.replaces {
                0 => format!("the venue has it as {}", text("venue_order")),
                id if id == own.0 => format!("replaced by {}", name(OrderId(ack.order_id), names)),
                id => format!("it has replaced {}", name(OrderId(id), names)),
            }
        }
        Kind::Fill => {
            let fee =
                Some(text("fee")).filter(|fee| !fee.is_empty()).map_or_else(String::new, |fee| format!(", fee {fee}"));
            format!(
                "{} at {}{fee}, liquidity {}, match {}",
                text("qty"),
                text("px"),
                text("liquidity"),
                text("match_id")
            )
        }
        Kind::Cancelled => format!("{} cancelled: {}", text("qty"), text("reason")),
        Kind::Reject => format!("{} rejected: {}", text("action"), text("reason")),
        Kind::Bust => format!("{} at {} taken back, match {}", text("qty"), text("px"), text("match_id")),
        Kind::Booked => format!("{} {}, number {}", text("qty"), text("what"), text("number")),
        _ => values(&step.row),
    }
}

/// One line of another order.
pub(super) fn relative(of: &Relative) -> String {
    let at = of.seq.map_or_else(String::new, |seq| format!(", asked for at input {seq}"));
    format!("{}; {}{at}", of.terms, of.state)
}
