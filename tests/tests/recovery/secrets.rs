//! A secret is read where it is used and written nowhere: a canary is looked for in everything that the engine writes.

use std::path::Path;
use tidegate_tests::rig::{Adverse, HostileVenue, Service};
use tidegate_tests::{Scratch, run};

const CANARY: &str = "canary-7f3a91";

/// Files below `path` that hold the canary.
fn holding(path: &Path) -> Vec<String> {
    if path.is_dir() {
        let below = std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
        return below.flat_map(|path| holding(&path)).collect();
    }
    let bytes = std::fs::read(path).unwrap_or_default();
    let holds = bytes.windows(CANARY.len()).any(|piece| piece == CANARY.as_bytes());
    if holds { vec![path.display().to_string()] } else { Vec::new() }
}

/// The venue cannot prove that it has the secret, so the secret was read and used.
#[test]
fn a_secret_is_used_and_written_nowhere() {
    let elsewhere = Scratch::new();
    let file = elsewhere.path().join("key");
    std::fs::write(&file, format!("{CANARY}\n")).expect("the folder is writable");
    for place in [format!("file:{}", file.display()), "env:VENUE_KEY".to_owned(), "credential:key".to_owned()] {
        let venue = HostileVenue::start(Adverse::Nothing);
        let folder = elsewhere.path().display().to_string();
        let service = Service::trading(venue.port).with(format!("wire.secret={place}"));
        let service = service.with_variable("VENUE_KEY", Some(CANARY));
        let service = service.with_variable("CREDENTIALS_DIRECTORY", Some(&folder));
        let life = service.start("1x");
        let output = life.output.clone();
        let status = life.end();
        let said = std::fs::read_to_string(output).expect("it said something");
        assert!(said.contains("secret"), "{place} {status:?}: {said}");
        let root = service.path("");
        assert_eq!(holding(&root), [""; 0], "{place}");
        let recorded = std::fs::read_to_string(service.journal().join("journal.toml")).expect("a journal");
        assert!(recorded.contains(&format!("secret = \"{place}\"")), "{recorded}");
        // A recorded run meets no venue, so it needs no secret.
        for words in [["journal", "ls"], ["journal", "verify"], ["replay", "--journal"], ["snapshot", "--journal"]] {
            let shown = service.about(&words);
            assert_ne!(shown.code, Some(2), "{words:?}: {shown:?}");
            assert!(!(shown.stdout + &shown.stderr).contains(CANARY), "{words:?}");
        }
    }
}

#[test]
fn a_secret_that_is_written_out_is_a_fault_that_does_not_repeat_it() {
    let folder = Scratch::new();
    let config = folder.path().join("desk.toml");
    let texts = [
        format!("secret = \"{CANARY}\""),
        format!("secret = {CANARY}"),
        format!("secret = [\"{CANARY}\"]"),
        format!("secret = \"env:{CANARY}\""),
    ];
    for text in texts {
        std::fs::write(&config, format!("[wire]\n{text}\n")).expect("the folder is writable");
        let said = run(["validate".as_ref(), config.as_os_str()]).expect(2);
        assert!(!(said.stdout.clone() + &said.stderr).contains(CANARY), "{text}: {}{}", said.stdout, said.stderr);
        let words = said.stdout + &said.stderr;
        assert!(words.contains("desk.toml:2:"), "{text}: {words}");
    }
    std::fs::write(&config, "[wire]\n").expect("the folder is writable");
    for set in [format!("wire.secret={CANARY}"), format!("wire.secret:{CANARY}")] {
        let said = run(["run".as_ref(), config.as_os_str(), "--set".as_ref(), set.as_ref()]).expect(2);
        let words = said.stdout + &said.stderr;
        assert!(!words.contains(CANARY), "{words}");
        assert!(words.contains("wire.secret"), "{words}");
    }
}
