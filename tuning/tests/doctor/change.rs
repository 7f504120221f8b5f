//! What is written can be taken back.

use super::hosts::{HOSTS, laid_out};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tuning::Root;
use tuning::change::{Done, apply, undo};
use tuning::checks::{Setting, Subject, Verdict, examine};

fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            all.extend(files(&entry));
        } else {
            all.insert(entry.clone(), std::fs::read_to_string(&entry).unwrap().trim().to_owned());
        }
    }
    all
}

fn wanted(root: &Root) -> Vec<Setting> {
    examine(&Subject::new(root.clone(), None)).into_iter().flat_map(|finding| finding.settings).collect()
}

/// The kernel shows all choices of some files, and takes one of them.
fn as_the_kernel_shows(root: &Root) {
    let path = root.path("/sys/kernel/mm/transparent_hugepage/enabled");
    let now = std::fs::read_to_string(&path).unwrap();
    if !now.contains('[') {
        let choices = ["always", "madvise", "never"];
        let shown = choices.map(|one| if one == now.trim() { format!("[{one}]") } else { one.to_owned() });
        std::fs::write(path, shown.join(" ")).unwrap();
    }
}

#[test]
fn what_is_applied_is_good_and_undone_it_is_as_before() {
    for host in HOSTS {
        let (folder, root) = laid_out(host);
        let before = files(folder.path());
        let settings = wanted(&root);
        let done = apply(&root, &settings).unwrap();
        assert!(done.iter().all(|one| matches!(one, Done::Written { .. })), "{host}: {done:?}");
        as_the_kernel_shows(&root);
        // The kernel moves an interrupt when it is told to.
        for setting in settings.iter().filter(|one| one.path.ends_with("smp_affinity_list")) {
            let effective = setting.path.replace("smp_affinity_list", "effective_affinity_list");
            root.write(&effective, setting.value.split(['-', ',']).next().unwrap()).unwrap();
        }
        assert_eq!(wanted(&root), [], "{host}");
        let again = apply(&root, &[]).unwrap();
        assert_eq!(again, [], "{host}");
        let taken_back = undo(&root).unwrap();
        assert_eq!(taken_back.len(), settings.len(), "{host}");
        as_the_kernel_shows(&root);
        let mut after = files(folder.path());
        for (path, was) in before.iter().filter(|(path, _)| path.ends_with("effective_affinity_list")) {
            after.insert(path.clone(), was.clone());
        }
        assert_eq!(after, before, "{host}");
        assert_eq!(undo(&root).unwrap(), [], "{host}: nothing is left to take back");
    }
}

#[test]
fn a_second_apply_does_not_forget_what_was_there_first() {
    let (_folder, root) = laid_out("laptop");
    let path = "/proc/sys/net/core/rmem_max";
    let set = |value: &str| {
        let was = root.read(path).unwrap();
        apply(&root, &[Setting { path: path.to_owned(), value: value.to_owned(), was }]).unwrap()
    };
    set("1000");
    set("2000");
    undo(&root).unwrap();
    assert_eq!(root.read(path).as_deref(), Some("212992"));
}

#[test]
fn what_somebody_else_has_changed_since_is_left_alone() {
    let (_folder, root) = laid_out("laptop");
    let path = "/proc/sys/net/core/rmem_max";
    apply(&root, &wanted(&root)).unwrap();
    root.write(path, "999").unwrap();
    let done = undo(&root).unwrap();
    assert!(done.contains(&Done::Left { path: path.to_owned(), found: "999".to_owned() }), "{done:?}");
    assert_eq!(root.read(path).as_deref(), Some("999"));
}

#[test]
fn what_is_refused_is_said_and_the_rest_is_written() {
    let (_folder, root) = laid_out("laptop");
    let mut settings = wanted(&root);
    settings.insert(0, Setting { path: "/proc/sys/gone".to_owned(), value: "1".to_owned(), was: "0".to_owned() });
    let done = apply(&root, &settings).unwrap();
    assert!(matches!(&done[0], Done::Refused { path, .. } if path == "/proc/sys/gone"), "{done:?}");
    assert!(done[1..].iter().all(|one| matches!(one, Done::Written { .. })), "{done:?}");
    assert_eq!(undo(&root).unwrap().len(), settings.len() - 1);
    let governors = examine(&Subject::new(root, None)).into_iter().find(|one| one.check == "frequency governor");
    assert_eq!(governors.unwrap().verdict, Verdict::Wanting);
}

/// Nothing is written that could not be noted, and a note that cannot be read is not taken for none.
#[test]
fn without_a_note_nothing_is_written() {
    let (folder, root) = laid_out("laptop");
    let note = root.path("/var/lib/tidegate/doctor.json");
    std::fs::create_dir_all(note.parent().unwrap()).unwrap();
    std::fs::write(&note, "{").unwrap();
    let before = files(folder.path());
    let said = apply(&root, &wanted(&root)).unwrap_err().to_string();
    assert!(said.contains("doctor.json") && said.contains("mend it, or move it away"), "{said}");
    assert!(undo(&root).is_err() && files(folder.path()) == before);
}
