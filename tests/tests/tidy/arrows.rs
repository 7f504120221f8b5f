//! Which crate may use which: the arrows of the architecture.
//!
//! Read from `cargo metadata`, so the check sees what is built: normal, build and test dependencies alike.

use cargo_metadata::{MetadataCommand, Package};

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
    ("tidegate-feeds", May::Only(&["tidegate-flow"])),
    ("tidegate-sinks", May::Only(&["tidegate-flow"])),
    (
        "tidegate",
        May::Only(&[
            "tidegate-ring",
            "tidegate-flow",
            "tidegate-stages",
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
