//! What an export says of an order, found by reading all its rows.

use crate::service::{Service, export};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Kinds that name their order in `order_id`.
const OF_ORDER: &str = "request,order,refused,route,sent,ack,fill,reject,cancelled,bust,booked,cancel-request";
/// What had been measured.
pub(crate) const MEASURED: [&str; 8] =
    ["book-top", "bar", "corrected-bar", "cvd", "imbalance", "vpin", "trade", "position"];

/// The rows of a run, and the places of those that name an order and of those that measure a symbol.
pub(crate) struct Rows {
    all: Vec<Value>,
    orders: BTreeMap<String, Vec<usize>>,
    measures: BTreeMap<String, BTreeMap<String, Vec<usize>>>,
}

/// What the rows say of an order.
#[derive(Default)]
pub(crate) struct Expected {
    /// The rows that are of it.
    pub(crate) own: Vec<Value>,
    /// The last row of each measure before its decision, by kind and interval.
    pub(crate) known: BTreeMap<String, Value>,
    /// The input that caused it.
    pub(crate) seq: u64,
}

fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_default()
}

fn measure(row: &Value) -> String {
    format!("{}/{}", text(row, "kind"), text(row, "interval"))
}

impl Rows {
    pub(crate) fn of(service: &Service) -> Rows {
        Rows::of_journal(&service.journal())
    }

    pub(crate) fn of_journal(journal: &Path) -> Rows {
        let kinds = [OF_ORDER, "replace-request,intent,signal,reason", &MEASURED.join(",")].join(",");
        let mut all = export(journal, &kinds);
        // A fill is printed when its cost has come, which at a busy venue is some inputs later.
        all.sort_by_key(|row| row["seq"].as_u64());
        let (mut orders, mut measures) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, BTreeMap<_, Vec<_>>>::new());
        for (place, row) in all.iter().enumerate() {
            let mut named: Vec<_> = ["order_id", "new_id", "replaces"].map(|column| text(row, column)).into();
            named.retain(|id| !id.is_empty() && *id != "0");
            named.dedup();
            named.into_iter().for_each(|id| orders.entry(id.to_owned()).or_default().push(place));
            if MEASURED.contains(&text(row, "kind")) {
                let of = measures.entry(text(row, "symbol").to_owned()).or_default();
                of.entry(measure(row)).or_default().push(place);
            }
        }
        Rows { all, orders, measures }
    }

    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.all.iter().filter(move |row| text(row, "kind") == kind)
    }

    /// The rows of an input.
    pub(crate) fn of_seq<'a>(&'a self, seq: &'a Value) -> impl Iterator<Item = &'a Value> {
        let from = self.all.partition_point(|other| other["seq"].as_u64() < seq.as_u64());
        self.all[from..].iter().take_while(move |other| other["seq"] == *seq)
    }

    /// Whether there is such a row.
    pub(crate) fn has(&self, row: &Value) -> bool {
        self.of_seq(&row["seq"]).any(|other| other == row)
    }

    /// The place of the intent of a request: the last one before it, of the same input, with its terms. An operator's command
    /// has none, and is decided with its request.
    fn intent(&self, at: usize) -> usize {
        let request = &self.all[at];
        if text(request, "reduces") == "commanded" {
            return at;
        }
        let is_replace = text(request, "kind") == "replace-request";
        let columns: &[&str] =
            if is_replace { &["symbol", "px", "order_id"] } else { &["symbol", "side", "px", "type", "tif"] };
        let fits = |row: &Value| {
            let action = if is_replace { "replace" } else { "new" };
            text(row, "kind") == "intent"
                && text(row, "action") == action
                && columns.iter().all(|column| row[*column] == request[*column])
        };
        let same = (0..at).rev().take_while(|place| self.all[*place]["seq"] == request["seq"]);
        same.into_iter().find(|place| fits(&self.all[*place])).expect("a request has an intent")
    }

    /// What is said of an order.
    pub(crate) fn expected(&self, order: &str) -> Expected {
        let asked = |row: &Value| {
            let (kind, id) = (text(row, "kind"), text(row, "order_id"));
            (kind == "request" && id == order) || (kind == "replace-request" && text(row, "new_id") == order)
        };
        let own = &self.orders[order];
        let at = *own.iter().find(|place| asked(&self.all[**place])).expect("a known order");
        let (request, decided) = (&self.all[at], self.intent(at));
        let mut expected = Expected { seq: request["seq"].as_u64().expect("a number"), ..Expected::default() };
        expected.own.extend((decided < at).then(|| self.all[decided].clone()));
        let signal = self.all[decided..]
            .iter()
            .take_while(|row| row["seq"] == request["seq"])
            .find(|row| text(row, "kind") == "signal");
        expected.own.extend(signal.filter(|_| text(request, "kind") == "request").cloned());
        for row in own.iter().map(|place| &self.all[*place]) {
            let (kind, id) = (text(row, "kind"), text(row, "order_id"));
            let is_of = match kind {
                "intent" => text(row, "order_id") == order && text(row, "action") != "new",
                "replace-request" => id == order || text(row, "new_id") == order,
                "ack" => id == order || text(row, "replaces") == order,
                _ => id == order && OF_ORDER.split(',').any(|own| own == kind),
            };
            if is_of {
                if kind == "booked" {
                    // Its row is complete with its money, which comes behind the booking.
                    let is_its = |other: &&Value| text(other, "kind") == "position" && other["symbol"] == row["symbol"];
                    let position = self.of_seq(&row["seq"]).find(is_its);
                    expected.own.push(position.expect("a booking has a position").clone());
                }
                expected.own.push(row.clone());
            }
        }
        // What took its place is of it once the venue has said so.
        let replaced = expected.own.iter().any(|row| text(row, "kind") == "ack" && text(row, "replaces") == order);
        let routes = own.iter().map(|place| &self.all[*place]).filter(|row| text(row, "kind") == "route");
        let mut routes = routes.filter(|row| replaced && text(row, "replaces") == order);
        // Of several tries the last one came through.
        expected.own.extend(routes.next_back().cloned());
        for (measure, places) in &self.measures[text(request, "symbol")] {
            if let Some(last) = places.partition_point(|place| *place < decided).checked_sub(1) {
                expected.known.insert(measure.clone(), self.all[places[last]].clone());
            }
        }
        expected
    }
}

/// The rows of a part of a story.
pub(crate) fn told(story: &Value, part: &str) -> Vec<Value> {
    story[part].as_array().expect("a list").iter().map(|step| step["row"].clone()).collect()
}

/// What a story has measured, by kind and interval.
pub(crate) fn known(story: &Value) -> BTreeMap<String, Value> {
    told(story, "known").into_iter().map(|row| (measure(&row), row)).collect()
}
