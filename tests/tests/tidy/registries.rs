//! Adding a plug-in is one file, one registry entry and one page: this fails when the entry or the page is missing.

use flow::{Params, Registered};
use std::collections::BTreeSet;

/// A registry and the folder of its pages.
struct Registry {
    name: &'static str,
    pages: &'static str,
    entries: Vec<&'static dyn Registered>,
    /// Pages of the folder that show how to add to it, or what several entries share.
    guides: &'static [&'static str],
}

fn erased<R: Registered>(entries: &'static [R]) -> Vec<&'static dyn Registered> {
    entries.iter().map(|l| l as &dyn Registered).collect()
}

fn registries() -> Vec<Registry> {
    vec![
        Registry { name: "FEEDS", pages: "feeds/docs", entries: erased(feeds::FEEDS), guides: &["feeds/docs/live.md"] },
        Registry {
            name: "STAGES, MEASURES, STRATEGIES and VENUES",
            pages: "engine/stages/docs",
            entries: stages::entries().chain(erased(stages::exchange_sim::VENUES)).collect(),
            guides: &["engine/stages/docs/measures.md", "engine/stages/docs/sessions.md"],
        },
        Registry {
            name: "SINKS and GATEWAYS",
            pages: "sinks/docs",
            entries: erased(sinks::SINKS).into_iter().chain(erased(sinks::GATEWAYS)).collect(),
            guides: &["sinks/docs/follow.md", "sinks/docs/sinks.md"],
        },
    ]
}

/// Whether `name` is lower-case words of letters and digits joined by `joint`.
fn is_named(name: &str, joint: char) -> bool {
    let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split(joint).all(word)
}

fn entry_faults(entry: &dyn Registered) -> Vec<String> {
    let mut faults = Vec::new();
    if !is_named(entry.name(), '-') {
        faults.push("a name is lower-case words joined by hyphens".to_owned());
    }
    if entry.about().trim().is_empty() {
        faults.push("says nothing about itself".to_owned());
    }
    let mut names = BTreeSet::new();
    for param in entry.params() {
        if !is_named(param.name, '_') || !names.insert(param.name) {
            faults.push(format!("the parameter {:?} is not a new name in snake_case", param.name));
        }
        if param.about.trim().is_empty() {
            faults.push(format!("the parameter {} says nothing about itself", param.name));
        }
        if let Err(wrong) = param.parse(param.name, param.default) {
            faults.push(format!("the default of {wrong}"));
        }
    }
    if faults.is_empty() {
        let defaults = Params::defaults(entry.params());
        assert_eq!(defaults.iter().count(), entry.params().len());
    }
    faults.into_iter().map(|f| format!("{}: {f}", entry.name())).collect()
}

/// Pages that exist without an entry, and entries without a page.
fn page_faults(registry: &Registry) -> Vec<String> {
    let root = tidegate_tests::root();
    let named = registry.entries.iter().map(|l| l.doc()).chain(registry.guides.iter().copied());
    let named: BTreeSet<String> = named.map(str::to_owned).collect();
    let folder = std::fs::read_dir(root.join(registry.pages)).into_iter().flatten();
    let there = folder.map(|entry| entry.expect("a folder can be read").file_name().to_string_lossy().into_owned());
    let there: BTreeSet<String> = there.map(|name| format!("{}/{name}", registry.pages)).collect();
    let lost = there.difference(&named).map(|p| format!("{p}: no entry of {} names this page", registry.name));
    let missing = named.difference(&there).map(|p| format!("{p}: named in {}, not there", registry.name));
    lost.chain(missing).collect()
}

#[test]
fn every_entry_is_whole_and_new() {
    for registry in registries() {
        crate::none(registry.entries.iter().flat_map(|l| entry_faults(*l)).collect());
        let names: BTreeSet<&str> = registry.entries.iter().map(|l| l.name()).collect();
        assert_eq!(names.len(), registry.entries.len(), "{}: two entries of one name", registry.name);
    }
}

#[test]
fn every_entry_has_its_page_and_every_page_its_entry() {
    crate::none(registries().iter().flat_map(page_faults).collect());
}

#[test]
fn a_wrong_entry_is_found() {
    use flow::{Effective, Param, ParamType};
    struct Wrong;
    impl Registered for Wrong {
        fn name(&self) -> &'static str {
            "Two Words"
        }
        fn doc(&self) -> &'static str {
            "feeds/docs/no-such-page.md"
        }
        fn about(&self) -> &'static str {
            ""
        }
        fn params(&self) -> &'static [Param] {
            const PARAM: Param = Param {
                name: "camelCase",
                ty: ParamType::Int(1, 2),
                unit: "",
                default: "3",
                effective: Effective::Now,
                per_symbol: false,
                about: " ",
            };
            &[PARAM]
        }
    }
    assert_eq!(entry_faults(&Wrong).len(), 5);
    let wrong = Registry { name: "WRONG", pages: "feeds/docs", entries: vec![&Wrong], guides: &[] };
    assert!(page_faults(&wrong).iter().any(|f| f.contains("no-such-page")));
    assert!(is_named("order_table2", '_') && !is_named("_x", '_') && !is_named("a__b", '_') && !is_named("2a", '_'));
}
