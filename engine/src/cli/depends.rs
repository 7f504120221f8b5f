//! What a running engine depends on, as `ctl status` tells it: venues, feeds, the disk. Bound: two lines each, of a venue that
//! numbers nothing four.

use super::numbers::{UNKNOWN, grouped};
use super::screen::{INDENT, wrapped};
use super::table::Tone;
use crate::control::{FeedStatus, ReconciledReport, VenueReport};
use sinks::journal::DiskState;

/// A line of a screen, wrapped.
pub(super) fn line(tone: Tone, text: &str) -> String {
    format!("{}\n", tone.paint(&wrapped(text, INDENT)))
}

/// The session with a venue, one of so many.
pub(super) fn venue(venue: &VenueReport, venues: usize) -> String {
    let tone = if venue.session == "open" { Tone::Plain } else { Tone::Notice };
    let since = venue.for_ms.map_or_else(|| UNKNOWN.to_owned(), duration);
    let heard = venue.heard_ms.map_or_else(|| "never heard".to_owned(), |ms| format!("heard {} ago", duration(ms)));
    let [lost, back] = [venue.lost, venue.back].map(grouped);
    // If there is only one, nobody has to be told which.
    let name = if venues > 1 { format!("{} ", venue.venue) } else { String::new() };
    let stands = format!("venue     {name}{} for {since}, {heard}; lost {lost}, back {back}", venue.session);
    let mut text = line(tone, &stands);
    let [open, unanswered, late] = [venue.open_orders, venue.unanswered, venue.late].map(grouped);
    text += &line(
        Tone::Plain,
        &format!("          orders open there {open}, routes unanswered {unanswered}, late so far {late}"),
    );
    text + &venue.reconciled.as_ref().map(reconciled).unwrap_or_default()
}

/// What a venue that numbers nothing was asked when its session opened, and what it has not explained since.
fn reconciled(report: &ReconciledReport) -> String {
    let [asked, made, came] = [report.asked, report.made, report.came].map(grouped);
    let [unsolicited, unexplained, unknown] = [report.unsolicited, report.unexplained, report.unknown].map(grouped);
    let tone = if report.unexplained + report.unknown == 0 { Tone::Plain } else { Tone::Bad };
    let opened = format!("          at its opening: orders asked for {asked}, answers made {made}, executions {came}");
    let now = format!("          not explained {unexplained}, not known {unknown}, sent by others {unsolicited}");
    line(Tone::Plain, &opened) + &line(tone, &now)
}

/// A feed.
pub(super) fn feed(feed: &FeedStatus) -> String {
    let behind = if feed.exchange_time { " before the newest" } else { " ago" };
    let last = feed.age_ms.map_or_else(|| "none yet".to_owned(), |ms| format!("the last {}{behind}", duration(ms)));
    let ended = if feed.ended { ", ended" } else { "" };
    let failed = feed.failed.iter().map(|why| format!(", nothing more comes: {why}")).collect::<String>();
    let tone = if feed.failed.is_some() { Tone::Bad } else { Tone::Plain };
    line(tone, &format!("feed      {}: {} inputs, {last}{ended}{failed}", feed.name, grouped(feed.inputs)))
}

/// How far the disk is behind.
pub(super) fn disk(disk: &DiskState) -> String {
    let [behind, limit, waits] = [disk.behind, disk.limit, disk.waits].map(grouped);
    let text = format!("disk      {behind} of {limit} segments behind");
    match disk.waiting_ms {
        None => line(Tone::Plain, &format!("{text}; inputs have waited {waits} times")),
        Some(ms) => {
            let why = disk.no_room.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
            line(Tone::Notice, &format!("{text}: inputs have been waiting for {}{why}", duration(ms)))
        }
    }
}

/// A duration of milliseconds as people say it.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms / 1_000 % 60),
        _ => format!("{} h {} min", grouped(ms / 3_600_000), ms / 60_000 % 60),
    }
}
