//! The findings on each host.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tuning::checks::{Finding, Subject, Verdict, checks, examine};
use tuning::{Cores, Root, Topology, cores};

pub(crate) const HOSTS: [&str; 6] = [
    "cloud-two-threads",
    "laptop",
    "desktop-two-complexes",
    "bare-metal-tuned",
    "server-two-nodes",
    "cloud-foreign-clock",
];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor/hosts").join(name)
}

/// A folder with the files of a host.
pub(crate) fn laid_out(host: &str) -> (tempfile::TempDir, Root) {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(file(&format!("{host}.txt"))).unwrap();
    for part in text.split("\n== ").skip(1) {
        let (path, contents) = part.split_once('\n').unwrap();
        let path = folder.path().join(path.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{}\n", contents.trim_end_matches('\n'))).unwrap();
    }
    let root = Root::at(folder.path());
    (folder, root)
}

fn printed(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let Finding { check, verdict, found, fix, undo, settings, .. } = finding;
        writeln!(text, "{check}: {}: {found}", verdict.name()).unwrap();
        if *verdict == Verdict::Wanting {
            writeln!(text, "  fix   {fix}\n  undo  {undo}").unwrap();
        }
        settings.iter().for_each(|one| writeln!(text, "  write {} to {}", one.value, one.path).unwrap());
    }
    text
}

#[test]
fn each_host_is_judged_as_a_person_judged_it() {
    for host in HOSTS {
        let (_folder, root) = laid_out(host);
        let found = printed(&examine(&Subject::new(root, None)));
        let wanted = file(&format!("{host}.findings"));
        if std::env::var_os("TIDEGATE_BLESS").is_some() {
            std::fs::write(&wanted, &found).unwrap();
        }
        assert!(found == std::fs::read_to_string(wanted).unwrap(), "{host}:\n{found}");
    }
}

#[test]
fn what_was_put_right_wants_nothing() {
    let (_folder, root) = laid_out("bare-metal-tuned");
    for finding in examine(&Subject::new(root, None)) {
        assert!(finding.verdict != Verdict::Wanting, "{finding:?}");
        assert!(finding.settings.is_empty() && finding.fix.is_empty(), "{finding:?}");
    }
}

/// A host that says nothing is not taken for a good one.
#[test]
fn nothing_is_good_where_nothing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let findings = examine(&Subject::new(Root::at(folder.path()), Some(Cores::from([1, 2]))));
    assert_eq!(findings.len(), checks().count());
    for finding in &findings {
        assert!(matches!(finding.verdict, Verdict::Unknown | Verdict::NotHere), "{finding:?}");
    }
}

#[test]
fn every_check_has_a_name_of_its_own_and_says_why() {
    let names: std::collections::BTreeSet<_> = checks().map(|check| check.name).collect();
    assert_eq!(names.len(), checks().count());
    assert!(checks().all(|check| check.why.len() > 20 && !check.why.ends_with('.')));
}

#[test]
fn the_way_between_two_cores_is_what_they_share() {
    let (_folder, root) = laid_out("desktop-two-complexes");
    let topology = Topology::of(&root);
    let ways = [(0, 0), (0, 8), (0, 3), (0, 4), (0, 99)].map(|(from, to)| topology.way(from, to));
    let wanted = ["the same core", "one physical core", "one core complex", "two core complexes", "unknown cores"];
    assert_eq!(ways, wanted);
    let (_folder, root) = laid_out("server-two-nodes");
    assert_eq!(Topology::of(&root).way(1, 11), "two memory nodes");
    let complexes = topology.shared(&cores::parse("1-5"), |core| &core.complex);
    assert_eq!(complexes, [cores::parse("1-3"), cores::parse("4-5")]);
}
