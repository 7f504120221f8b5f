//! Renders the graph as text.

use super::values::Graph;
use crate::plan::Link;
use ring::Idle;
use std::fmt::Write;
use textwrap::{Options, WordSplitter};

/// Width of the text.
const WIDTH: usize = 80;
/// Indent of wrapped lines: the width of a label and a space.
const INDENT: &str = "          ";

impl Graph {
    /// As text of 80 columns.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let many = if self.groups.len() == 1 { "group" } else { "groups" };
        let _ = writeln!(text, "pipeline  {} {many}, ring {}, clock {}", self.groups.len(), self.ring, self.clock);
        wrapped(&mut text, "idle", idle(self.idle));
        if self.sources.is_empty() {
            text.push_str("source    none configured\n");
        }
        for source in &self.sources {
            wrapped(&mut text, "source", &format!("{} {} > {}", source.feed, source.files.join(" "), source.to));
        }
        for group in &self.groups {
            let pinned = group.cpu.map_or_else(|| "not pinned".to_owned(), |cpu| format!("cpu {cpu}"));
            wrapped(&mut text, &group.name, &format!("{pinned}: {}", group.stages.join(", ")));
        }
        self.links.iter().for_each(|link| push_link(&mut text, link));
        for venue in &self.venues {
            let pinned = venue.cpu.map_or_else(|| "not pinned".to_owned(), |cpu| format!("cpu {cpu}"));
            let idle = venue.idle.map_or_else(String::new, |idle| format!(", {pinned}, idle {idle}"));
            wrapped(&mut text, "venue", &format!("{} on {}{idle}: {}", venue.name, venue.thread, venue.about));
        }
        for sink in &self.sinks {
            wrapped(&mut text, "sink", &format!("{} < {}; full: {}", sink.name, sink.from, sink.when_full));
        }
        text
    }
}

/// How a group waits.
fn idle(idle: Idle) -> &'static str {
    match idle {
        Idle::Spin => "spin: looks again at once",
        Idle::SpinHint => "hint: a pause between two looks",
        Idle::Pauses(_) => {
            "pauses: 1 to 4 between two looks, as measured for each ring between two pinned groups when the run begins; \
             the details of a status tell them"
        }
        Idle::Yield => "yield: leaves the core to others between two looks",
        Idle::Park => "park: sleeps, up to 4 ms at a time",
    }
}

fn push_link(text: &mut String, link: &Link) {
    let is_part = link.from.part.is_some() || link.to.part.is_some();
    let threads = if is_part { format!(" ({} > {})", link.from.thread, link.to.thread) } else { String::new() };
    let (label, size) = match link.slots {
        Some(slots) => ("ring", format!(", {slots} slots")),
        None => ("channel", String::new()),
    };
    wrapped(text, label, &format!("{}{threads}{size}", link.name()));
    wrapped(text, "", &format!("full: {}", link.when_full));
    wrapped(text, "", &format!("why: {}", link.why));
}

/// Writes words after a label, in lines of at most [`WIDTH`]; a longer word is not broken.
fn wrapped(text: &mut String, label: &str, words: &str) {
    let options = Options::new(WIDTH).subsequent_indent(INDENT).break_words(false);
    let options = options.word_splitter(WordSplitter::NoHyphenation);
    let _ = writeln!(text, "{}", textwrap::fill(&format!("{label:9} {words}"), options));
}
