//! The journals of a run after a kill: what has not begun goes, and what has lost its beginning is kept for people.

use crate::common::{read, write};
use crate::disks::small;
use flow::Ns;
use sinks::journal::{Begin, Follows, Home, Journal};
use std::path::Path;

/// A first journal of 300 inputs, and one that follows it with as many more.
fn rolled(dir: &Path) {
    let (mut inputs, mut outcomes) = Journal::create(dir, &small()).unwrap();
    let id = inputs.info().journal_id;
    write(&mut inputs, &mut outcomes, 1..=300);
    Journal::close(inputs, outcomes).unwrap();
    Home::make_room(dir).unwrap();
    let mut spec = small();
    (spec.number, spec.follows) = (2, Some(Follows { journal_id: id, first_id: id }));
    let (mut inputs, mut outcomes) = Journal::create(&Home::place(dir, 2), &spec).unwrap();
    let begin = Begin { after: 300, at: Ns(7), state: "snapshots/300.snap".to_owned() };
    inputs.begin(&begin, b"state").unwrap();
    write(&mut inputs, &mut outcomes, 301..=600);
    Journal::close(inputs, outcomes).unwrap();
}

#[test]
fn a_journal_without_its_beginning_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    for n in 1..=2 {
        let other = folder.path().join("other");
        rolled(&other);
        assert_eq!(Home::open(&other).unwrap().journals().len(), 2);
        assert!(Home::open(&other).unwrap().tidy().unwrap().is_empty(), "both have begun");
        std::fs::remove_file(Home::place(&other, 2).join("begin.toml")).unwrap();
        if n == 1 {
            std::fs::rename(&other, &dir).unwrap();
        } else {
            std::fs::rename(Home::place(&other, 2), Home::place(&dir, 2)).unwrap();
        }
        let home = Home::open(&dir).unwrap();
        let aside = Home::place(&dir, 2).with_extension(format!("lost{n}"));
        assert_eq!((home.journals().len(), home.tidy().unwrap()), (1, vec![aside.clone()]));
        assert!(aside.join("journal.toml").exists() && !Home::place(&dir, 2).exists());
        assert!(Home::open(&dir).unwrap().tidy().unwrap().is_empty(), "it is nobody's any more");
        let _ = std::fs::remove_dir_all(&other);
    }
    assert_eq!(read(&dir).0.len(), 300);
}

#[test]
fn a_journal_that_has_not_begun_goes() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (inputs, outcomes) = Journal::create(&dir, &small()).unwrap();
    let id = inputs.info().journal_id;
    Home::make_room(&dir).unwrap();
    let mut spec = small();
    (spec.number, spec.follows) = (2, Some(Follows { journal_id: id, first_id: id }));
    drop(Journal::create(&Home::place(&dir, 2), &spec).unwrap());
    assert!(Home::open(&dir).unwrap().tidy().unwrap().is_empty());
    assert!(!Home::place(&dir, 2).exists());
    Journal::close(inputs, outcomes).unwrap();
}
