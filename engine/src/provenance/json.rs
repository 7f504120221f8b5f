//! A story as one JSON object. Its fields are a public contract: `docs/why.md` lists them. Rows are those of an export.

use super::deep::Deep;
use super::story::{Cause, Relative, Row, Step, Story};
use flow::EventId;
use serde_json::{Map, Value, json};
use sinks::journal::LogKind;
use stages::Instances;
use stages::risk::Checked;

/// The id of an event: the seq of its input, the position of its stage, its ordinal there.
fn event_id(id: EventId) -> Value {
    json!({ "seq": id.seq(), "position": id.position(), "ordinal": id.ordinal() })
}

/// A row in the order of its columns.
fn row_json(row: &Row) -> Value {
    let cell = |cell| serde_json::to_value(cell).expect("a cell is a plain value");
    Value::Object(row.iter().map(|(name, of)| ((*name).to_owned(), cell(of))).collect::<Map<_, _>>())
}

fn log_json(log: LogKind) -> Value {
    json!(log.name())
}

fn step_json(step: &Step, story: &Story) -> Value {
    let since = i128::from(step.event().ts.0) - i128::from(story.began().0);
    json!({
        "chapter": step.chapter.name(),
        "event": event_id(step.id()),
        "log": log_json(step.log),
        "since_ns": since as i64,
        "caused_by": step.because,
        "row": row_json(&step.row),
    })
}

fn cause_json(cause: &Cause) -> Value {
    let origin = &cause.origin;
    let files = origin.files.iter().map(|(file, is_there)| json!({ "file": file, "is_there": is_there }));
    let cursor = origin.cursor.map(|(session, next)| json!({ "session": session.to_string(), "next": next }));
    json!({
        "event": event_id(cause.event.id),
        "kind": flow::kind_info(cause.event.kind).map(|info| info.name),
        "ts_ns": cause.event.ts.0.to_string(),
        "source": {
            "number": origin.source,
            "name": origin.name,
            "files": files.collect::<Vec<_>>(),
            "input_of_source": origin.number,
            "record": Value::Null,
            "cursor": cursor,
        },
        "actor": cause.actor,
        "row": cause.row.as_ref().map(row_json),
    })
}

fn relative_json(relative: &Relative, names: &Instances) -> Value {
    json!({
        "relation": relative.relation.name(),
        "order_id": relative.order.0.to_string(),
        "name": super::name::name(relative.order, names),
        "seq": relative.seq,
        "terms": relative.terms,
        "state": relative.state,
    })
}

fn deep_json(deep: &Deep) -> Value {
    let check = |of: &Checked| {
        let entry = stages::risk::check(of.check);
        json!({
            "check": entry.map(|entry| entry.name),
            "unit": entry.map(|entry| entry.unit),
            "level": of.level,
            "limit": of.limit,
            "value": of.value,
            "passes": of.passes,
        })
    };
    json!({ "repeated_after": deep.from, "checks": deep.checks.iter().map(check).collect::<Vec<_>>() })
}

/// The whole story.
pub(super) fn json(story: &Story, names: &Instances) -> Value {
    let steps = |steps: &[Step]| steps.iter().map(|step| step_json(step, story)).collect::<Vec<_>>();
    let order = story.order;
    json!({
        "order": {
            "order_id": order.0.to_string(),
            "hex": format!("0x{:x}", order.0),
            "name": story.name,
            "account": order.account().0,
            "strategy": names.strategy_name(order.strategy()),
            "counter": order.counter(),
            "symbol": story.symbol,
            "terms": story.terms,
        },
        "journal": { "folder": story.journal.0, "number": story.journal.1 },
        "state": story.outcome.state,
        "outcome": story.outcome.words,
        "filled": super::story::qty(story.outcome.filled, story.steps.first().and_then(|s| story.listings.get(s.event().instrument))),
        "cause": story.cause.as_ref().map(cause_json),
        "known": steps(&story.known),
        "steps": steps(&story.steps),
        "relatives": story.relatives.iter().map(|of| relative_json(of, names)).collect::<Vec<_>>(),
        "missing": story.missing,
        "deep": story.deep.as_ref().map(deep_json),
    })
}
