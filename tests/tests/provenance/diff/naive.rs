//! The comparison of two runs, written again without regard to time or memory.
//!
//! Both logs of both runs are in memory, an order's name is a text, and everything is sorted by it. Nothing is shared with the
//! engine but the layout of records.

use flow::records::{
    Ack, CancelRequest, Cancelled, Fill, Order, Refused, Reject, ReplaceRequest, Request, Route, Sent,
};
use flow::{Event, Gateway, Kind, OrderId, SOURCE_RETURNS};
use std::collections::BTreeMap;
use std::path::Path;
use tidegate_tests::journals::logs;

/// What an event of an order says, without numbers of orders and executions.
type Terms = (u64, Vec<i64>);

/// A run: what each of its orders did, by the order's name and by kind.
pub(crate) struct Run(BTreeMap<String, BTreeMap<&'static str, Vec<Terms>>>);

/// Counts of a kind: same, only before, only now, changed.
pub(crate) type Counts = [u64; 4];

fn is_answer(input: &Event) -> bool {
    input.source == SOURCE_RETURNS || Gateway::of_source(input.source).is_some()
}

/// The order that an event is about, and what it says.
fn read(event: &Event) -> Option<(u64, &'static str, Vec<i64>)> {
    let words = |words: &[u64]| words.iter().map(|word| word.cast_signed()).collect::<Vec<_>>();
    let said = |order, kind, of: &[u64]| Some((order, kind, words(of)));
    let px = |px: flow::Px| px.0.cast_unsigned();
    match event.kind {
        Kind::Request => {
            let Request { order_id, px: at, qty, order_type, tif, legs, reduces, .. } = *event.record();
            said(order_id, "request", &[px(at), qty.0, order_type.into(), tif.into(), legs.into(), reduces.into()])
        }
        Kind::ReplaceRequest => {
            let ReplaceRequest { new_id, px: at, qty, .. } = *event.record();
            said(new_id, "replace-request", &[px(at), qty.0])
        }
        Kind::CancelRequest => said(event.record::<CancelRequest>().order_id, "cancel-request", &[]),
        Kind::Order => {
            let Order { order_id, px: at, qty, order_type, tif, legs, .. } = *event.record();
            said(order_id, "order", &[px(at), qty.0, order_type.into(), tif.into(), legs.into()])
        }
        Kind::Refused if event.id.position() > 0 => {
            let Refused { order_id, limit, value, check, level, .. } = *event.record();
            Some((order_id, "refused", vec![limit, value, check.into(), level.into()]))
        }
        Kind::Route => {
            let Route { order_id, px: at, qty, venue, action, order_type, tif, .. } = *event.record();
            let of = [px(at), qty.0, venue.into(), action.into(), order_type.into(), tif.into()];
            said(order_id, "route", &of)
        }
        Kind::Sent => said(event.record::<Sent>().order_id, "sent", &[event.record::<Sent>().action.into()]),
        Kind::Ack => said(event.record::<Ack>().order_id, "ack", &[]),
        Kind::Fill => {
            let Fill { order_id, px: at, qty, .. } = *event.record();
            said(order_id, "fill", &[px(at), qty.0, event.flags.0.into()])
        }
        Kind::Reject => said(event.record::<Reject>().order_id, "reject", &[event.record::<Reject>().reason.into()]),
        Kind::Cancelled => {
            let Cancelled { order_id, qty, reason, .. } = *event.record();
            said(order_id, "cancelled", &[qty.0, reason.into()])
        }
        _ => None,
    }
}

impl Run {
    pub(crate) fn of(journal: &Path) -> Run {
        let [inputs, outcomes] = logs(journal);
        let mut caused: BTreeMap<u64, Vec<Event>> = BTreeMap::new();
        outcomes.iter().for_each(|outcome| caused.entry(outcome.id.seq()).or_default().push(*outcome));
        let (mut run, mut names) = (Run(BTreeMap::new()), BTreeMap::<u64, String>::new());
        let (mut slot, mut counts) = (0_u64, BTreeMap::<String, u32>::new());
        for input in &inputs {
            let mut by = None;
            if is_answer(input) {
                // A refusal that came back is of its order too.
                let id = input.get::<Refused>().map(|refused| refused.order_id).or(read(input).map(|found| found.0));
                by = id.filter(|id| *id != 0).map(|id| names[&id].clone());
                run.add(&names, input);
            } else {
                slot += 1;
            }
            let cause = by.unwrap_or_else(|| format!("input {slot}"));
            for outcome in caused.get(&input.id.seq()).into_iter().flatten() {
                let made = match outcome.kind {
                    Kind::Request => Some((outcome.record::<Request>().order_id, String::new())),
                    Kind::ReplaceRequest => {
                        let ReplaceRequest { order_id, new_id, .. } = *outcome.record();
                        Some((new_id, names[&order_id].clone()))
                    }
                    _ => None,
                };
                if let Some((id, replaces)) = made {
                    let owner = OrderId(id).0 >> 40;
                    let what = format!("({cause}) {owner} {} {:?} [{replaces}]", outcome.instrument, outcome.side());
                    let nth = counts.entry(what.clone()).or_default();
                    *nth += 1;
                    names.insert(id, format!("{what} {nth}"));
                }
                run.add(&names, outcome);
            }
        }
        run
    }

    fn add(&mut self, names: &BTreeMap<u64, String>, event: &Event) {
        let Some((order, kind, said)) = read(event).filter(|(order, ..)| *order != 0) else { return };
        let of = self.0.entry(names[&order].clone()).or_default();
        of.entry(kind).or_default().push((event.ts.0, said));
    }

    /// What became different, by kind.
    pub(crate) fn against(&self, now: &Run) -> BTreeMap<&'static str, Counts> {
        let mut found = BTreeMap::<&'static str, Counts>::new();
        let nothing = BTreeMap::new();
        let names: std::collections::BTreeSet<&String> = self.0.keys().chain(now.0.keys()).collect();
        for name in names {
            let [before, now] = [self, now].map(|run| run.0.get(name).unwrap_or(&nothing));
            let kinds: std::collections::BTreeSet<_> = before.keys().chain(now.keys()).collect();
            for kind in kinds {
                let [before, now] = [before, now].map(|of| of.get(kind).map_or(&[][..], Vec::as_slice));
                let counts = found.entry(kind).or_default();
                for at in 0..before.len().max(now.len()) {
                    let place = match (before.get(at), now.get(at)) {
                        (Some(a), Some(b)) if a == b => 0,
                        (Some(_), Some(_)) => 3,
                        (Some(_), None) => 1,
                        _ => 2,
                    };
                    counts[place] += 1;
                }
            }
        }
        found
    }
}
