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
        let venue = |v: &Venue| ("venue".to_owned(), format!("venue {}", v.name));
        let sink = |(i, s): (usize, &Output)| (format!("sink{}", i + 1), s.name.clone());
        let threads = ["gateway", "control"]
            .into_iter()
            .filter(|name| self.links.iter().any(|l| l.from.thread == *name || l.to.thread == *name));
        let mut nodes: Vec<_> = self.sources.iter().enumerate().map(source).collect();
        nodes.extend(self.groups.iter().map(group));
        nodes.extend(threads.map(|name| (name.to_owned(), name.to_owned())));
        nodes.extend(self.venues.iter().map(venue));
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
            (l.from.thread.clone(), l.to.thread.clone(), format!("{what}\n{size}\n{}", l.when_full))
        };
        let venue = |v: &Venue| (v.thread.clone(), "venue".to_owned(), String::from("orders"));
        let sink = |(i, s): (usize, &Output)| (s.from.clone(), format!("sink{}", i + 1), s.when_full.to_owned());
        let mut edges: Vec<_> = self.sources.iter().enumerate().map(source).collect();
        edges.extend(self.links.iter().map(link));
        edges.extend(self.venues.iter().map(venue));
        edges.extend(self.sinks.iter().enumerate().map(sink));
        edges
    }
}
