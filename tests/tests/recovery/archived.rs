//! Journals that commands store: gone here only once they have come back as they were.

use super::at::files;
use super::going_on::Service;
use tidegate_tests::journals::{count, logs};
use tidegate_tests::{Outcome, Scratch, run};

const STORE: &str = "tar -cC \"$TIDEGATE_JOURNAL\" . > STORE/\"$TIDEGATE_NAME\".tar";
const FETCH: &str = "tar -xC \"$TIDEGATE_JOURNAL\" < STORE/\"$TIDEGATE_NAME\".tar";

/// A day in four journals, of which three are closed.
fn day() -> Service {
    let service = Service::new(6_000);
    let text = std::fs::read_to_string(service.config()).expect("it was written");
    let text = text.replace("roll = \"never\"", "roll = \"09:40 11:00 14:00 America/New_York\"");
    std::fs::write(service.config(), text).expect("the folder is writable");
    service.finish();
    service
}

fn archive(service: &Service, store: &Scratch, [put, get]: [&str; 2]) -> Outcome {
    let commands = [put, get].map(|text| text.replace("STORE", &store.path().display().to_string()));
    let journal = service.journal();
    let words = ["journal".as_ref(), "archive".as_ref(), journal.as_os_str(), "--store".as_ref()];
    let rest = [commands[0].as_ref(), "--fetch".as_ref(), commands[1].as_ref()];
    run(words.into_iter().chain(rest))
}

#[test]
fn what_commands_store_comes_back_whole_and_goes_here() {
    let (service, store) = (day(), Scratch::new());
    let [inputs, outcomes] = logs(&service.journal());
    assert_eq!(count(&service.journal()), 4);
    let said = archive(&service, &store, [STORE, FETCH]).expect(0).stderr;
    assert!(said.matches("verified").count() == 3 && said.contains("3 journals were moved"), "{said}");
    assert_eq!(count(&service.journal()), 1);
    let back = Scratch::new();
    let mut names: Vec<_> = files(store.path()).into_keys().collect();
    names.sort();
    assert_eq!(names.len(), 3);
    for name in names {
        let tar = std::process::Command::new("tar").arg("-xf").arg(name).arg("-C").arg(back.path()).status();
        assert!(tar.expect("tar").success());
    }
    run(["journal".as_ref(), "verify".as_ref(), back.path().as_os_str()]).expect(0);
    let [mut in_store, mut out_store] = logs(back.path());
    let [rest, rest_out] = logs(&service.journal());
    in_store.extend(rest);
    out_store.extend(rest_out);
    assert!(in_store == inputs && out_store == outcomes, "nothing is lost between the store and the run");
    assert!(archive(&service, &store, [STORE, FETCH]).expect(0).stderr.contains("0 journals were moved"));
}

#[test]
fn a_store_that_fails_lies_or_damages_takes_nothing_away() {
    let (service, store) = (day(), Scratch::new());
    let before = files(&service.journal());
    let damaged = format!(
        "{FETCH}; f=$(ls \"$TIDEGATE_JOURNAL\"/inputs/*.seg | head -1); printf X | dd of=\"$f\" bs=1 seek=5000 conv=notrunc 2> /dev/null"
    );
    for (commands, said) in [
        (["false", FETCH], "--store failed for 0001-"),
        (["true", FETCH], "--fetch failed for 0001-"),
        (["true", "true"], "did not come back as it was stored"),
        ([STORE, "exit 7"], "exit status: 7"),
        ([STORE, &damaged], "inputs/00000001.seg did not come back as it was stored"),
    ] {
        let refused = archive(&service, &store, commands).expect(1).stderr;
        assert!(refused.contains(said) && refused.contains("the journal stays where it is"), "{commands:?}: {refused}");
        assert!(files(&service.journal()) == before, "{commands:?}: the run has changed");
    }
}

#[test]
fn a_folder_or_two_commands_and_nothing_between() {
    let run = |words: &[&str]| run(["journal", "archive", "run1"].iter().chain(words)).expect(2).stderr;
    assert!(run(&[]).contains("<TO>"));
    assert!(run(&["--store", "true"]).contains("--fetch"));
    assert!(run(&["there", "--store", "true", "--fetch", "true"]).contains("cannot be used with"));
}
