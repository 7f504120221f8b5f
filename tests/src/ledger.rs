//! What a journal must agree on with the ledger of the venue that it traded with.
//!
//! Nothing was sent twice, every answer that the venue gave stands once in the input log, every route that left the pipeline
//! was sent or is recorded as never sent, and positions and fees are those of the ledger.

use crate::journals::{check, logs};
use crate::venue::Venue;
use flow::records::{Ack, Fill, Position, PositionMoney, Reject, Route, Sent};
use flow::{Action, Event, Gateway, Kind, RejectReason};
use serde_json::Value;
use sinks::journal::LogReader;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Every event of a log.
///
/// # Panics
/// When a record is damaged.
pub fn events(log: LogReader) -> Vec<Event> {
    log.map(|event| event.expect("a whole record")).collect()
}

/// Whether the input is an answer that the venue of a gateway numbered.
pub fn is_answer(input: &Event, gateway: Gateway) -> bool {
    let kinds = [Kind::Ack, Kind::Fill, Kind::FillCost, Kind::Reject, Kind::Cancelled, Kind::Bust];
    let made_here = |r: &Reject| r.reason == RejectReason::NeverSent.code();
    input.source == gateway.source() && kinds.contains(&input.kind) && !input.get::<Reject>().is_some_and(made_here)
}

/// What of an answer must come through.
fn meaning(event: &Event) -> (Kind, u32, u16, [u8; 40]) {
    (event.kind, event.instrument, event.flags.0, event.body)
}

/// Every answer once and in order; the answers before `from` were another journal's.
fn same_answers(inputs: &[Event], gateway: Gateway, answers: &[Event], from: usize) {
    let recorded: Vec<_> = inputs.iter().filter(|e| is_answer(e, gateway)).map(meaning).collect();
    let given: Vec<_> = answers[from..].iter().map(meaning).collect();
    let same = recorded.iter().zip(&given).take_while(|(a, b)| a == b).count();
    assert_eq!((recorded.len(), same), (given.len(), given.len()), "answers recorded, equal; answers given");
}

/// Positions and fees at the end, by account, strategy and instrument.
fn positions(outcomes: &[Event]) -> BTreeMap<(u64, u64, u64), (i64, i64)> {
    let mut all: BTreeMap<_, (i64, i64)> = BTreeMap::new();
    for event in outcomes {
        if let Some(p) = event.get::<Position>() {
            all.entry((p.account.0.into(), p.strategy.0.into(), event.instrument.into())).or_default().0 = p.qty;
        } else if let Some(m) = event.get::<PositionMoney>() {
            all.entry((m.account.0.into(), m.strategy.0.into(), event.instrument.into())).or_default().1 = m.fees;
        }
    }
    all
}

fn ledger_positions(ledger: &Value) -> BTreeMap<(u64, u64, u64), (i64, i64)> {
    let one = |row: &Value| {
        let key = |at: usize| row[at].as_u64().expect("a number");
        ((key(0), key(1), key(2)), (row[3].as_i64().expect("a number"), row[4].as_i64().expect("a number")))
    };
    ledger["positions"].as_array().expect("a list").iter().map(one).collect()
}

/// What is recorded of the routes to a gateway's venue, by their ids.
struct Routes {
    made: BTreeSet<u64>,
    /// Also twice.
    sent: Vec<u64>,
    never: BTreeSet<u64>,
}

impl Routes {
    fn of([inputs, outcomes]: [&[Event]; 2], gateway: Gateway) -> Routes {
        let is_there = |e: &&Event| e.get::<Route>().is_some_and(|route| route.venue == gateway.venue());
        let made = outcomes.iter().filter(is_there).map(|e| e.id.0).collect();
        let inputs = || inputs.iter().filter(|input| input.source == gateway.source());
        let sent = inputs().filter_map(|e| e.get::<Sent>()).map(|s| s.cause).filter(|c| *c != 0).collect();
        let never = inputs().filter_map(|e| e.get::<Reject>());
        let never = never.filter(|r| r.reason == RejectReason::NeverSent.code()).map(|r| r.cause).collect();
        Routes { made, sent, never }
    }

    fn settled(&self) -> BTreeSet<u64> {
        self.sent.iter().chain(&self.never).copied().collect()
    }
}

/// Whether it is recorded of each route to a gateway's venue that it was sent, or never was. A run that stops waits for a venue
/// for a while only, and leaves what is in doubt to the next.
///
/// # Panics
/// When a record is damaged.
pub fn is_settled(dir: &Path, gateway: Gateway) -> bool {
    let [inputs, outcomes] = logs(dir);
    let routes = Routes::of([&inputs, &outcomes], gateway);
    routes.settled() == routes.made
}

/// Every route that left the pipeline was sent, or it is recorded that it never was; nobody settled one twice as sent.
fn settled(inputs: &[Event], outcomes: &[Event], gateway: Gateway) -> usize {
    let routes = Routes::of([inputs, outcomes], gateway);
    let once: BTreeSet<u64> = routes.sent.iter().copied().collect();
    assert_eq!(once.len(), routes.sent.len(), "a route is recorded as sent twice");
    let (made, both) = (&routes.made, routes.settled());
    assert!(both == *made, "{} routes, {} of them settled", made.len(), both.intersection(made).count());
    routes.never.len()
}

/// An order of which it is recorded that it never was sent is one that the venue never took.
fn never_means_never(inputs: &[Event], answers: &[Event]) {
    let rejects = |of: &[Event], made_here: bool| -> BTreeSet<u64> {
        let all = of.iter().filter_map(|e| e.get::<Reject>()).filter(|r| r.action != Action::Cancel.code());
        let made = |r: &&Reject| (r.reason == RejectReason::NeverSent.code()) == made_here;
        all.filter(made).map(|r| r.order_id).collect()
    };
    let mut taken = rejects(answers, false);
    taken.extend(answers.iter().filter_map(|e| e.get::<Ack>()).map(|a| a.order_id));
    let both = rejects(inputs, true).intersection(&taken).count();
    assert_eq!(both, 0, "orders that the venue has are recorded as never sent");
}

/// Compares the journal in `dir` with the ledger of the only venue, and repeats it; the answers before `from` were another
/// journal's.
///
/// # Panics
/// When they differ.
pub fn compared(dir: &Path, venue: &mut Venue, ledger: &Value, from: usize) {
    check(dir);
    compared_at(dir, (Gateway::new(0), &|_| true), venue, ledger, from);
}

/// Compares what the journal in `dir` holds of a gateway's venue, where these strategies trade, with its ledger; the answers
/// before `from` were another journal's.
///
/// # Panics
/// When they differ.
pub fn compared_at(
    dir: &Path,
    (gateway, trades_there): (Gateway, &dyn Fn(u64) -> bool),
    venue: &mut Venue,
    ledger: &Value,
    from: usize,
) {
    let [inputs, outcomes] = logs(dir);
    let answers = venue.answers(&dir.with_extension("answers"));
    same_answers(&inputs, gateway, &answers, from);
    let mut held = positions(&outcomes);
    held.retain(|(_, strategy, _), _| trades_there(*strategy));
    assert_eq!(held, ledger_positions(ledger), "positions and fees");
    let never = settled(&inputs, &outcomes, gateway);
    never_means_never(&inputs, &answers);
    assert_eq!(ledger["duplicates"], 0);
    let fills = answers.iter().filter(|a| a.get::<Fill>().is_some()).count();
    println!(
        "{} inputs, {} orders at the venue, {} answers, {fills} fills, {} busts, {never} routes never sent",
        inputs.len(),
        ledger["orders"],
        answers.len(),
        ledger["busts"],
    );
}
