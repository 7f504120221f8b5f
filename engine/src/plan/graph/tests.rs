//! All four renderings show the same pipeline, and each is well formed.

use super::values::Graph;
use crate::config::Settings;
use crate::plan::Plan;
use flow::Kinds;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};

/// The whole pipeline in three pinned groups, with a file name that needs quoting, a journal, and an outside venue.
const SET: [&str; 5] = [
    "pipeline.stages=book,bars,momentum,orders,risk,router",
    "pipeline.preset=cuts",
    "pipeline.cuts=momentum,tail",
    "pipeline.clock=wall",
    "router.venue=wire",
];

fn graph(more: &[&str]) -> Graph {
    let text = "[journal]\ndir = \"run1\"\n[[input]]\nfeed = \"itch\"\nfiles = ['a \"quoted\" day.itch']\n";
    let mut settings = Settings::parse(text, "desk.toml".as_ref()).expect("it is valid");
    SET.iter().chain(more).for_each(|one| settings.set(one).expect("it is valid"));
    let mut plan = Plan::build(&settings, settings.space(1), Kinds::NONE).expect("it is valid");
    // The machine of the test may have fewer cores.
    plan.groups.iter_mut().zip([3, 1, 2]).for_each(|(group, core)| group.core = Some(core));
    plan.routing.gateways.iter_mut().for_each(|gateway| gateway.threading.core = Some(4));
    Graph::of(&settings, &plan)
}

#[test]
fn the_text_shows_everything_in_80_columns() {
    let text = graph(&["pipeline.idle=pauses"]).text();
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for start in [
        "pipeline  3 groups, ring phase, clock wall",
        "idle      pauses: 1 to 4 between two looks",
        "source    itch a \"quoted\" day.itch > core0",
        "core0     cpu 3: ingress, pulse, book, bars",
        "core1     cpu 1: momentum, orders, risk, router",
        "core2     cpu 2: tail",
        "ring      core0 > core1, 16384 slots",
        "ring      core1 > core2, 16384 slots",
        "ring      tail > ingress (core2 > core0), 4096 slots",
        "ring      tail > gateway wire (core2 > gateway wire), 131072 slots",
        "ring      gateway wire > ingress (gateway wire > core0), 4096 slots",
        "channel   control > ingress (control > core0)",
        "venue     wire on gateway wire, cpu 4, idle sleep: A venue",
        "sink      run1 inputs < core0",
        "sink      run1 outcomes < core2",
    ] {
        assert!(text.lines().any(|line| line.starts_with(start)), "{start}\nis not in\n{text}");
    }
    assert_eq!(text.matches("full: ").count(), 5 + 2 + 2, "rings, channels, logs");
}

#[test]
fn a_pipeline_that_does_not_trade_has_no_way_back() {
    let graph = graph(&["pipeline.stages=book", "pipeline.cuts=", "pipeline.cores="]);
    assert_eq!((graph.groups.len(), graph.links.len(), graph.venues.len()), (1, 2, 0));
    assert!(graph.links.iter().all(|link| link.slots.is_none()), "no ring");
}

/// Checks that it is one graph whose arrows join existing boxes; returns the number of boxes and of arrows.
fn dot_checked(dot: &str) -> (usize, usize) {
    let inner = dot.strip_prefix("digraph tidegate {\n").and_then(|rest| rest.strip_suffix("}\n")).expect("one graph");
    let is_id = |id: &str| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let (mut boxes, mut arrows) = (BTreeSet::new(), Vec::new());
    for line in inner.lines().map(|line| line.trim().strip_suffix(';').expect("a statement ends")) {
        let quotes = line.replace("\\\\", "").replace("\\\"", "").matches('"').count();
        assert!(quotes == 0 || quotes == 2, "{line}");
        let Some((head, label)) = line.split_once(" [") else { continue };
        assert!(label.ends_with(']'), "{line}");
        match head.split_once(" -> ") {
            Some((from, to)) => arrows.push((from.to_owned(), to.to_owned())),
            None if head == "node" => {}
            None => assert!(is_id(head) && boxes.insert(head.to_owned()), "{line}"),
        }
    }
    for (from, to) in &arrows {
        assert!(boxes.contains(from) && boxes.contains(to), "{from} -> {to}");
    }
    (boxes.len(), arrows.len())
}

#[test]
fn dot_is_one_graph_whose_arrows_join_its_boxes() {
    let dot = graph(&[]).dot();
    // A source, three groups, gateway, control, venue, two logs; a source, five rings, two channels, the venue, two logs.
    assert_eq!(dot_checked(&dot), (9, 11));
    assert!(dot.contains("a \\\"quoted\\\" day.itch") && dot.contains("gateway wire on cpu 4"), "{dot}");
    // If Graphviz is installed, it must accept the graph too.
    let child = Command::new("dot").arg("-Tsvg").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    if let Ok(mut child) = child {
        child.stdin.take().expect("it is piped").write_all(dot.as_bytes()).expect("it reads");
        let drawn = child.wait_with_output().expect("it ends");
        assert!(drawn.status.success() && String::from_utf8_lossy(&drawn.stdout).contains("core2"), "it is drawn");
    }
}

#[test]
fn mermaid_has_the_same_boxes_and_arrows() {
    let text = graph(&[]).mermaid();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "flowchart LR");
    let arrows = lines[1..].iter().filter(|line| line.contains(" -->|\"")).count();
    let boxes = lines[1..].iter().filter(|line| line.contains("[\"") && line.ends_with("\"]")).count();
    assert_eq!((boxes, arrows, lines.len()), (9, 11, 21));
    assert!(
        text.contains("#quot;quoted#quot;") && lines[1..].iter().all(|line| line.matches('"').count() == 2),
        "{text}"
    );
}

#[test]
fn json_holds_every_value() {
    let graph = graph(&[]);
    let value: serde_json::Value = serde_json::from_str(&graph.json()).expect("it is JSON");
    assert_eq!(value["groups"][1]["stages"], serde_json::json!(["momentum", "orders", "risk", "router"]));
    assert_eq!((&value["groups"][0]["cpu"], &value["clock"]), (&3.into(), &"wall".into()));
    assert_eq!(value["idle"], graph.idle.name());
    let links = value["links"].as_array().expect("a list");
    assert_eq!(links.len(), graph.links.len());
    assert_eq!(links[2]["from"], serde_json::json!({ "thread": "core2", "part": "tail" }));
    assert!(links.iter().all(|l| l["when_full"].is_string() && l["why"].is_string()), "{links:?}");
    assert_eq!((&value["venues"][0]["name"], &value["sinks"][0]["from"]), (&"wire".into(), &"core0".into()));
    assert_eq!((&value["venues"][0]["cpu"], &value["venues"][0]["idle"]), (&4.into(), &"sleep".into()));
}
