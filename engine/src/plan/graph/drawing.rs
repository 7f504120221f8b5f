//! Renders the graph for Graphviz and Mermaid.

use super::values::{Graph, Input, Node, Output, Venue};
use crate::plan::{Carries, Link};
use std::fmt::Write;

impl Graph {
    /// In the `dot` language of Graphviz.
    pub fn dot(&self) -> String {
        let quoted =
            |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"));
        let mut text = String::from("digraph tidegate {\n  rankdir=LR;\n  node [shape=box];\n");
        for (id, label) in self.nodes() {
            let _ = writeln!(text, "  {id} [label={}];", quoted(&label));
        }
        for (from, to, label) in self.edges() {
            let _ = writeln!(text, "  {from} -> {to} [label={}];", quoted(&label));
        }
        text + "}\n"
    }

    /// As a Mermaid flowchart.
    pub fn mermaid(&self) -> String {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "#quot;").replace('\n', "<br/>"));
        let mut text = String::from("flowchart LR\n");
        for (id, label) in self.nodes() {
            let _ = writeln!(text, "  {id}[{}]", quoted(&label));
        }
        for (from, to, label) in self.edges() {
            let _ = writeln!(text, "  {from} -->|{}| {to}", quoted(&label));
        }
        text
    }

    /// The boxes: an id of letters and digits, and a label.
    fn nodes(&self) -> Vec<(String, String)> {
        let source =
            |(i, s): (usize, &Input)| (format!("source{}", i + 1), format!("{}\n{}", s.feed, s.files.join("\n")));
        let group = |g: &Node| {
            let cpu = g.cpu.map_or_else(String::new, |cpu| format!(" on cpu {cpu}"));
            (g.name.clone(), format!("{}{cpu}\n{}", g.name, g.stages.join("\n")))
        };
        let venue = |(i, v): (usize, &Venue)| (format!("venue{}", i + 1), format!("venue {}", v.name));
        let sink = |(i, s): (usize, &Output)| (format!("sink{}", i + 1), s.name.clone());
        let gateways = self.links.iter().filter(|l| l.carries == Carries::Routes).map(|l| l.to.thread.as_str());
        let on_core = |name: &str| {
            let cpu = self.venues.iter().find(|venue| venue.thread == name).and_then(|venue| venue.cpu);
            cpu.map_or_else(|| name.to_owned(), |cpu| format!("{name} on cpu {cpu}"))
        };
        let mut nodes: Vec<_> = self.sources.iter().enumerate().map(source).collect();
        nodes.extend(self.groups.iter().map(group));
        nodes.extend(gateways.chain(["control"]).map(|name| (node(name), on_core(name))));
        nodes.extend(self.venues.iter().enumerate().map(venue));
        nodes.extend(self.sinks.iter().enumerate().map(sink));
        nodes.into_iter().map(|(id, label)| (id, label.trim_end().to_owned())).collect()
    }

    /// The arrows: from, to, and a label.
    fn edges(&self) -> Vec<(String, String, String)> {
        let source = |(i, s): (usize, &Input)| (format!("source{}", i + 1), s.to.clone(), String::from("inputs"));
        let link = |l: &Link| {
            let size = l.slots.map_or_else(|| "channel".to_owned(), |n| format!("{n} slots"));
            let what = match l.carries {
                Carries::Events => "events",
                Carries::Returns => "returns",
                Carries::Routes => "routes",
                Carries::Answers => "answers",
                Carries::Commands => "commands",
                Carries::Origins => "origins",
            };
            (node(&l.from.thread), node(&l.to.thread), format!("{what}\n{size}\n{}", l.when_full))
        };
        let venue = |(i, v): (usize, &Venue)| (node(&v.thread), format!("venue{}", i + 1), String::from("orders"));
        let sink = |(i, s): (usize, &Output)| (s.from.clone(), format!("sink{}", i + 1), s.when_full.to_owned());
        let mut edges: Vec<_> = self.sources.iter().enumerate().map(source).collect();
        edges.extend(self.links.iter().map(link));
        edges.extend(self.venues.iter().enumerate().map(venue));
        edges.extend(self.sinks.iter().enumerate().map(sink));
        edges
    }
}

/// The id of a thread's box: letters, digits and underscores.
fn node(thread: &str) -> String {
    thread.replace(' ', "_").replace('-', "__")
}
