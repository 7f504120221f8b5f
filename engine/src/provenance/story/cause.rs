//! The input that an order follows from, and where that came from.
//!
//! An event has the number of its source, and the journal has the configuration of its run. How many inputs a source had before
//! is counted by the index. Which record of its file an input was is not recorded, so it is not said.

use super::book::Book;
use super::model::{Cause, Origin};
use crate::config::Settings;
use crate::provenance::index::{Key, MemberIndex, Trouble};
use flow::records::{Command, Cursor, Name};
use flow::{Event, Gateway, NameSpace, SOURCE_OPERATOR, SOURCE_RETURNS};
use sinks::journal::LogKind;

/// The input with its origin.
pub(super) fn cause(member: &mut MemberIndex, seq: u64, settings: &Settings, book: &Book) -> Result<Cause, Trouble> {
    let record = member.record_of(seq);
    let event = member.event(LogKind::Inputs, record)?;
    if event.id.seq() != seq {
        return Err(Trouble::Index);
    }
    let listings = member.listings(event.instrument, record)?;
    let events = book.with_followers(member, LogKind::Inputs, record, &event)?;
    let row = book.row(&events, &listings);
    let origin = origin(member, &event, record, settings)?;
    let handle = event.get::<Command>().map(|command| u64::from(command.actor)).filter(|actor| *actor != 0);
    let actor = match handle {
        Some(handle) => text_of(member, NameSpace::Actor, handle, record)?,
        None => None,
    };
    Ok(Cause { event, row, origin, actor })
}

/// Where an input came from.
fn origin(member: &mut MemberIndex, event: &Event, record: u64, settings: &Settings) -> Result<Origin, Trouble> {
    let source = event.source;
    let number = member.last_of(LogKind::Inputs, Key::of_source(source), record)?.map(|found| found.count);
    let cursor = match member.last_of(LogKind::Inputs, Key::of_cursors(source), record)? {
        Some(found) => {
            let Cursor { session, next, .. } = *member.event(LogKind::Inputs, found.record)?.record();
            Some((session, (next != u64::MAX).then_some(next)))
        }
        None => None,
    };
    let input = usize::from(source).checked_sub(1).and_then(|at| settings.inputs.get(at));
    let name = match (source, Gateway::of_source(source), input) {
        (0, ..) => "the engine".to_owned(),
        (SOURCE_OPERATOR, ..) => "operator".to_owned(),
        (SOURCE_RETURNS, ..) => "simulated exchange".to_owned(),
        (_, Some(gateway), _) => venue(settings, gateway),
        (.., Some(input)) => input.feed.name.to_owned(),
        // An input that joined while the engine ran: the record has its settings.
        _ => text_of(member, NameSpace::Input, source.into(), record)?
            .and_then(|text| text.parse::<toml::Table>().ok())
            .and_then(|table| Some(table.get("feed")?.as_str()?.to_owned()))
            .unwrap_or_else(|| "unknown".to_owned()),
    };
    let files = input.map(|input| input.files.iter().map(|file| (file.clone(), file.exists())).collect());
    Ok(Origin { source, name, files: files.unwrap_or_default(), number, cursor })
}

/// The name of a venue outside the process.
fn venue(settings: &Settings, gateway: Gateway) -> String {
    let routing = settings.order_routing().ok();
    let name = routing.and_then(|routing| Some(routing.gateways.get(gateway.number())?.name.clone()));
    name.unwrap_or_else(|| format!("gateway {}", gateway.number()))
}

/// The text that a number of a space stands for at that input.
fn text_of(member: &mut MemberIndex, space: NameSpace, handle: u64, record: u64) -> Result<Option<String>, Trouble> {
    let (mut text, mut found) = (Vec::new(), None);
    for record in member.all_of(LogKind::Inputs, Key::of_names(space), record)? {
        let event = member.event(LogKind::Inputs, record)?;
        let name: &Name = event.get().ok_or(Trouble::Index)?;
        if name.handle != handle {
            continue;
        }
        if name.part == 0 {
            text.clear();
        }
        text.extend_from_slice(&name.text[..usize::from(name.len).min(name.text.len())]);
        if name.part + 1 >= name.parts {
            found = Some(String::from_utf8_lossy(&text).into_owned());
        }
    }
    Ok(found)
}
