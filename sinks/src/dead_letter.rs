//! An event of which no row can be made, as a line of text: nothing of it is lost.
//!
//! Bound: a line of some 400 bytes.

use flow::Event;

/// The line: the key of the event, the table, why no row of it shows the event, and its 64 bytes in hexadecimal.
pub(crate) fn line(journal: &str, event: &Event, table: &str, why: &str) -> String {
    let hex: String = bytemuck::bytes_of(event).iter().map(|byte| format!("{byte:02x}")).collect();
    let (id, kind) = (event.id, flow::kind_info(event.kind).map_or("unknown", |info| info.name));
    let line = serde_json::json!({
        "journal": journal, "seq": id.seq(), "position": id.position(), "ordinal": id.ordinal(),
        "kind": kind, "table": table, "why": why, "event": hex,
    });
    line.to_string()
}
