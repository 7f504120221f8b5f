//! Which crate may use which, and within the engine which module: the arrows of the architecture.
//!
//! Between crates they are read from `cargo metadata`, so the check sees what is built: normal, build and test dependencies
//! alike. Between modules they are read from the sources.

use crate::tree::rust;
use crate::uses::{Use, uses};
use cargo_metadata::{MetadataCommand, Package};
use std::collections::BTreeSet;

/// What a member may use of the workspace, itself always included.
enum May {
    Only(&'static [&'static str]),
    Any,
}

const PREFIX: &str = "tidegate-";

/// One line a member. A member that is not here is a fault: say first where it stands.
const ARROWS: &[(&str, May)] = &[
    ("tidegate-ring", May::Only(&[])),
    ("tidegate-tuning", May::Only(&[])),
    ("tidegate-flow", May::Only(&[])),
    ("tidegate-stages", May::Only(&["tidegate-flow"])),
    ("tidegate-secret", May::Only(&["tidegate-flow"])),
    ("tidegate-feeds", May::Only(&["tidegate-flow", "tidegate-secret"])),
    ("tidegate-sinks", May::Only(&["tidegate-flow", "tidegate-secret"])),
    (
        "tidegate",
        May::Only(&[
            "tidegate-ring",
            "tidegate-flow",
            "tidegate-stages",
            "tidegate-secret",
            "tidegate-feeds",
            "tidegate-sinks",
            "tidegate-tuning",
        ]),
    ),
    ("tidegate-benches", May::Any),
    ("tidegate-tests", May::Any),
];

/// External crates that one member alone may use.
const SOLE_USERS: &[(&str, &str)] = &[("disruptor", "tidegate-ring")];

/// The sources of the engine.
const ENGINE: &str = "engine/src";

/// A row for each module of the engine, and those that it uses. A module stands below all that it uses, so the arrows go up
/// and there is no circle.
const MODULES: &[(&str, &[&str])] = &[
    ("build_id", &[]),
    ("registries", &[]),
    ("config", &["registries"]),
    ("deliberate", &[]),
    ("os", &[]),
    ("ahead", &["os"]),
    ("plan", &["config"]),
    ("pipeline", &["deliberate", "plan"]),
    ("gateway", &["pipeline"]),
    ("ingress", &["config", "deliberate", "gateway", "pipeline"]),
    ("rows", &["ingress"]),
    ("plot", &["pipeline", "rows"]),
    ("discover", &[]),
    ("drive", &["ahead", "deliberate", "gateway", "ingress", "pipeline", "plan"]),
    ("assembly", &["config", "drive", "gateway", "ingress", "pipeline", "plan"]),
    ("recovery", &["assembly", "build_id", "config", "drive", "gateway", "ingress", "pipeline", "plan", "registries"]),
    ("diff", &["ingress", "rows"]),
    ("report", &["diff", "drive", "ingress", "pipeline", "plan", "recovery", "rows"]),
    ("last_values", &["config", "ingress", "pipeline", "recovery", "registries", "report", "rows"]),
    ("metrics", &["build_id", "config", "drive", "gateway", "ingress", "last_values"]),
    ("provenance", &["config", "drive", "recovery", "registries", "rows"]),
    (
        "run",
        &[
            "assembly", "build_id", "config", "diff", "drive", "gateway", "ingress", "pipeline", "plan", "recovery",
            "report", "rows",
        ],
    ),
    ("control", &["config", "drive", "gateway", "ingress", "last_values", "pipeline", "recovery", "report", "run"]),
    (
        "instant",
        &[
            "assembly",
            "build_id",
            "config",
            "control",
            "drive",
            "ingress",
            "pipeline",
            "recovery",
            "registries",
            "rows",
        ],
    ),
    (
        "cli",
        &[
            "config",
            "control",
            "diff",
            "discover",
            "drive",
            "ingress",
            "instant",
            "last_values",
            "metrics",
            "pipeline",
            "plan",
            "plot",
            "provenance",
            "recovery",
            "registries",
            "report",
            "rows",
            "run",
        ],
    ),
    (
        "bench",
        &["ahead", "build_id", "cli", "config", "drive", "os", "pipeline", "recovery", "registries", "report", "run"],
    ),
    ("commands", &["bench", "cli", "os", "registries"]),
];

/// Faults of the arrows between modules under `rows`.
fn wrong_modules(rows: &[(&str, &[&str])], uses: &[Use]) -> Vec<String> {
    let module = |path: &str| {
        let inside = path.trim_start_matches(ENGINE).trim_start_matches('/');
        inside.split(['/', '.']).next().unwrap_or_default().to_owned()
    };
    let is_inside = |u: &&Use| module(&u.from) != "lib" && module(&u.from) != module(&u.to);
    let arrows: BTreeSet<(String, String)> =
        uses.iter().filter(is_inside).map(|u| (module(&u.from), module(&u.to))).collect();
    let place = |name: &str| rows.iter().position(|(row, _)| *row == name);
    let may = |from: &str, to: &str| rows.iter().any(|(row, uses)| *row == from && uses.contains(&to));
    let wrong = arrows.iter().filter(|(from, to)| !may(from, to));
    let gone = rows.iter().flat_map(|(from, to)| to.iter().map(move |to| (*from, *to)));
    let gone: Vec<_> = gone.collect();
    let up = gone.iter().filter(|(from, to)| place(to).is_none_or(|to| Some(to) >= place(from)));
    let unused = gone.iter().filter(|(from, to)| !arrows.contains(&((*from).to_owned(), (*to).to_owned())));
    wrong
        .map(|(from, to)| format!("the module {from} may not use {to}"))
        .chain(up.map(|(from, to)| format!("the module {to} must stand above {from}, which uses it")))
        .chain(unused.map(|(from, to)| format!("the module {from} does not use {to} any more")))
        .collect()
}

#[test]
fn arrows_between_modules_of_the_engine_go_one_way() {
    let files = rust();
    let own: Vec<_> = files.iter().filter(|f| f.path.starts_with(&format!("{ENGINE}/"))).collect();
    let own: Vec<_> = own.into_iter().filter(|f| f.path != format!("{ENGINE}/main.rs")).collect();
    crate::none(wrong_modules(MODULES, &uses(ENGINE, &own)));
}

#[test]
fn a_wrong_arrow_between_modules_is_found() {
    let arrow = |from: &str, to: &str| Use { from: from.to_owned(), to: to.to_owned(), by: String::new() };
    let uses =
        [arrow("engine/src/plan/mod.rs", "engine/src/config/fault.rs"), arrow("engine/src/lib.rs", "engine/src/a.rs")];
    let found = |rows: &[(&str, &[&str])]| wrong_modules(rows, &uses);
    assert_eq!(found(&[("config", &[]), ("plan", &["config"])]), [""; 0]);
    assert_eq!(found(&[("config", &[]), ("plan", &[])]), ["the module plan may not use config"]);
    assert_eq!(
        found(&[("plan", &["config"]), ("config", &[])]),
        ["the module config must stand above plan, which uses it"]
    );
    assert_eq!(
        found(&[("a", &[]), ("config", &["a"]), ("plan", &["config"])]),
        ["the module config does not use a any more"]
    );
}

fn members() -> Vec<Package> {
    let mut command = MetadataCommand::new();
    let metadata = command.manifest_path(tidegate_tests::root().join("Cargo.toml")).no_deps().exec();
    metadata.expect("the workspace has metadata").packages
}

/// Faults of one member's dependencies, given by name.
fn wrong_arrows<'a>(member: &str, uses: impl Iterator<Item = &'a str>) -> Vec<String> {
    let Some((_, may)) = ARROWS.iter().find(|(name, _)| *name == member) else {
        return vec![format!("{member}: this test does not know where the member stands")];
    };
    let within = |name: &str| name == "tidegate" || name.starts_with(PREFIX);
    let allowed = |name: &str| match may {
        May::Any => true,
        May::Only(names) => !within(name) || name == member || names.contains(&name),
    };
    let sole = |name: &str| SOLE_USERS.iter().all(|(external, user)| *external != name || *user == member);
    uses.filter(|name| !allowed(name) || !sole(name)).map(|name| format!("{member} may not use {name}")).collect()
}

#[test]
fn arrows_are_those_of_the_architecture() {
    let members = members();
    let faults =
        members.iter().flat_map(|m| wrong_arrows(m.name.as_str(), m.dependencies.iter().map(|d| d.name.as_str())));
    crate::none(faults.collect());
    let gone = ARROWS.iter().filter(|(name, _)| !members.iter().any(|m| m.name.as_str() == *name));
    crate::none(gone.map(|(name, _)| format!("{name}: no such member any more")).collect());
}

#[test]
fn every_member_takes_the_lints_of_the_workspace() {
    let inherits = |member: &&Package| {
        let manifest = std::fs::read_to_string(&member.manifest_path).expect("a manifest can be read");
        let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
        manifest.get("lints").and_then(|l| l.get("workspace")).and_then(toml::Value::as_bool) == Some(true)
    };
    let faults = members()
        .iter()
        .filter(|m| !inherits(m))
        .map(|m| format!("{}: add [lints] workspace = true", m.name))
        .collect();
    crate::none(faults);
}

/// The id of a build is a hash of the sources that the binary is made of: of the engine and all that it may use.
#[test]
fn the_build_id_covers_what_the_engine_is_made_of() {
    let root = tidegate_tests::root();
    let text = std::fs::read_to_string(root.join("engine/src/build_id/sources.rs")).expect("it can be read");
    let list = text.split("CRATES: [").nth(1).and_then(|rest| rest.split(';').nth(1)).expect("the list of crates");
    let listed: std::collections::BTreeSet<_> = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    let Some((_, May::Only(uses))) = ARROWS.iter().find(|(name, _)| *name == "tidegate") else {
        panic!("the engine does not stand in the table")
    };
    let is_part = |member: &&Package| member.name.as_str() == "tidegate" || uses.contains(&member.name.as_str());
    let folder = |member: &Package| {
        let folder = member.manifest_path.parent().expect("a manifest stands in a folder");
        let folder = folder.as_std_path().canonicalize().expect("it is there");
        let root = root.canonicalize().expect("it is there");
        folder.strip_prefix(root).expect("it is below the root").to_str().expect("UTF-8").to_owned()
    };
    let made_of: std::collections::BTreeSet<_> = members().iter().filter(is_part).map(folder).collect();
    assert_eq!(listed, made_of);
}

#[test]
fn wrong_arrows_are_found() {
    let wrong = |member, uses: &[&str]| wrong_arrows(member, uses.iter().copied()).len();
    assert_eq!(wrong("tidegate-stages", &["tidegate-flow", "tidegate-stages", "serde"]), 0);
    assert_eq!(wrong("tidegate-stages", &["tidegate-feeds"]), 1);
    assert_eq!(wrong("tidegate-flow", &["tidegate", "tidegate-ring"]), 2);
    assert_eq!(wrong("tidegate-ring", &["disruptor"]), 0);
    assert_eq!(wrong("tidegate-benches", &["tidegate", "disruptor"]), 1);
    assert_eq!(wrong("tidegate-new", &[]), 1);
}
