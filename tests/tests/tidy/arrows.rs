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
