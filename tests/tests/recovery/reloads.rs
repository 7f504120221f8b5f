//! Inputs that are added while the service runs: they join it, its record says so, and it goes on with them whenever it is killed.

use flow::records::{Command as Commanded, Listing, Name};
use flow::{CommandAction, Event, NameSpace};
use rustix::process::Signal;
use sinks::journal::JournalReader;
use std::path::Path;
use std::time::Duration;
use tidegate_tests::rig::{Life, Service};
use tidegate_tests::{amount, draw, run, seed};

fn inputs(journal: &Path) -> Vec<Event> {
    JournalReader::open(journal).expect("a journal").inputs().map_while(Result::ok).collect()
}

/// The command by which inputs joined: its `seq`, the number of the first and how many.
fn joins(inputs: &[Event]) -> Vec<(u64, u32, i64)> {
    let command = |e: &Event| Some((e.id.seq(), *e.get::<Commanded>()?));
    let all = inputs.iter().filter_map(command).filter(|(_, c)| c.action == CommandAction::AddInputs.code());
    all.map(|(seq, c)| (seq, c.target, c.new)).collect()
}

/// How many inputs came of a source.
fn of_source(inputs: &[Event], number: u8) -> usize {
    inputs.iter().filter(|e| e.source == number).count()
}

/// A service on paper, with a file of other symbols beside it that its configuration does not name yet.
fn with_files(service: Service, files: &[&str]) -> Service {
    for (file, prefix) in files.iter().zip(["B", "C", "D"]) {
        let path = service.path(file);
        let words =
            ["synth", "--messages", "20000", "--symbols", "3", "--live-orders", "300", "--prefix", prefix, "--out"];
        run(words.map(std::ffi::OsStr::new).into_iter().chain([path.as_os_str()])).expect(0);
    }
    service
}

/// The text of its configuration with another file as its last input.
fn with_input(text: &str, file: &str) -> String {
    format!("{text}[[input]]\nfeed = \"itch\"\nfiles = [{file:?}]\n")
}

fn running(service: &Service, speed: &str) -> Life {
    let mut life = service.start(speed);
    life.until("a first input", || service.listens() && !inputs(&service.journal()).is_empty());
    life
}

/// The journal is whole, and running it again gives what it holds.
fn verify(service: &Service) {
    service.about(&["journal", "verify"]).expect(0);
    service.about(&["replay", "--verify", "--journal"]).expect(0);
}

/// Every input of each source of files comes once, in the order of the file: what came is the beginning of what the file has.
fn is_whole(service: &Service, file: &str, number: u8) {
    let path = service.path(file);
    let alone = service.path("alone");
    let words = ["replay", "--input"].map(std::ffi::OsStr::new).into_iter();
    let words = words.chain([path.as_os_str(), "--journal".as_ref(), alone.as_os_str()]);
    run(words).expect(0);
    let bodies = |all: Vec<Event>, number| -> Vec<_> {
        let of = all.into_iter().filter(|e| e.source == number);
        of.map(|e| (e.kind, e.body)).collect()
    };
    let (came, whole) = (bodies(inputs(&service.journal()), number), bodies(inputs(&alone), 1));
    assert!(came.len() > 100, "{} came", came.len());
    assert!(came == whole[..came.len()], "what came is not what the file has");
    std::fs::remove_dir_all(alone).expect("it was written");
}

#[test]
fn an_input_that_is_added_joins_and_the_run_goes_on_with_it() {
    let mut service = with_files(Service::paper(400_000), &["b_20260105.itch", "c_20260105.itch"]);
    let before = service.text().to_owned();
    let mut life = running(&service, "1200x");
    service.reconfigure(with_input(service.text(), "b_20260105.itch"));
    let said = service.ctl(&["--actor", "ada", "reload"]).expect(0).stderr;
    assert!(said.contains("source 2 is ") && said.contains("b_20260105.itch (input "), "{said}");
    let said = service.ctl(&["reload"]).expect(0).stderr;
    assert!(said.contains("nothing was added"), "{said}");
    let status = service.status();
    let feeds = status["trading"]["feeds"].as_array().expect("feeds").clone();
    assert!(
        feeds.len() == 2 && feeds[1]["name"].as_str().is_some_and(|name| name.ends_with("b_20260105.itch")),
        "{feeds:?}"
    );
    life.until("its inputs", || of_source(&inputs(&service.journal()), 2) > 200);
    // Killed, with a snapshot behind it, and without.
    service.about(&["snapshot", "--journal"]).expect(0);
    life.kill();
    verify(&service);
    let mut life = running(&service, "1200x");
    let count = of_source(&inputs(&service.journal()), 2);
    life.until("more of it", || of_source(&inputs(&service.journal()), 2) > count + 200);
    service.reconfigure(with_input(service.text(), "c_20260105.itch"));
    let said = service.ctl(&["reload"]).expect(0).stderr;
    assert!(said.contains("source 3 is "), "{said}");
    life.until("its inputs", || of_source(&inputs(&service.journal()), 3) > 200);
    let (status, _) = life.stop(Signal::TERM);
    assert!(status.success());
    verify(&service);
    let (now, all) = (service.text().to_owned(), inputs(&service.journal()));
    let joined = joins(&all);
    assert_eq!(joined.iter().map(|(_, first, count)| (*first, *count)).collect::<Vec<_>>(), [(2, 1), (3, 1)]);
    for (seq, number, _) in joined {
        assert!(all.iter().filter(|e| u32::from(e.source) == number).all(|e| e.id.seq() > seq), "it comes after");
    }
    let listed = all.iter().filter(|e| e.get::<Listing>().is_some()).map(|e| e.source).collect::<Vec<_>>();
    assert_eq!([1, 2, 3].map(|n| listed.iter().filter(|source| **source == n).count()), [6, 3, 3]);
    // The record names what joined, and by whom.
    let names = all.iter().filter_map(|e| e.get::<Name>()).filter(|n| n.space == NameSpace::Input.code());
    let text: Vec<u8> = names.flat_map(|n| n.text[..n.len.into()].to_vec()).collect();
    let text = String::from_utf8(text).expect("UTF-8");
    assert!(
        text.contains("feed = \"itch\"") && text.contains("b_20260105.itch") && text.contains("c_20260105.itch"),
        "{text}"
    );
    // It goes on with what it has, and not with less.
    service.reconfigure(with_input(&before, "b_20260105.itch"));
    let refused = service.finish(&["--speed", "max"]).expect(1).stderr;
    assert!(refused.contains("input[3] was added while it ran (") && refused.contains("c_20260105.itch"), "{refused}");
    service.reconfigure(with_input(&with_input(&before, "b_20260105.itch"), "b_20260105.itch"));
    let refused = service.finish(&["--speed", "max"]).expect(1).stderr;
    assert!(refused.contains("and the configuration has another one: put it back"), "{refused}");
    service.reconfigure(now);
    service.finish(&["--speed", "max"]).expect(0);
    verify(&service);
    is_whole(&service, "b_20260105.itch", 2);
    is_whole(&service, "c_20260105.itch", 3);
}

#[test]
fn a_run_that_is_killed_while_an_input_joins_goes_on_with_it() {
    let mut random = seed();
    let (mut answered, mut between) = (0, 0);
    for round in 0..amount(6, 100) {
        let mut service = with_files(Service::paper(200_000), &["b_20260105.itch"]);
        let clock = if round % 2 == 0 { "event" } else { "wall" };
        service = service.with(format!("pipeline.clock={clock}"));
        let life = running(&service, "600x");
        service.reconfigure(with_input(service.text(), "b_20260105.itch"));
        let journal = service.journal();
        let asked = std::thread::spawn(move || run(["ctl".as_ref(), journal.as_os_str(), "reload".as_ref()]));
        std::thread::sleep(Duration::from_micros(draw(&mut random, 25_000)));
        life.kill();
        let was_told = asked.join().expect("it does not panic").code == Some(0);
        let before = joins(&inputs(&service.journal()));
        assert!(before.len() == 1 || !was_told, "it was told that it has joined");
        answered += usize::from(was_told);
        verify(&service);
        service.finish(&["--speed", "max"]).expect(0);
        verify(&service);
        let all = inputs(&service.journal());
        between += usize::from(before.is_empty());
        assert_eq!(joins(&all).iter().map(|(_, first, n)| (*first, *n)).collect::<Vec<_>>(), [(2, 1)], "it joins once");
        is_whole(&service, "b_20260105.itch", 2);
    }
    println!("{answered} were told, {between} joined after the kill");
}

#[test]
fn what_is_not_an_input_at_the_end_is_refused_and_nothing_happens() {
    let mut service = with_files(Service::paper(2_000_000), &["b_20260105.itch", "c_20260105.itch"]);
    let first = service.text().to_owned();
    let begun = with_input(&first, "b_20260105.itch");
    service.reconfigure(begun.clone());
    let mut life = running(&service, "1200x");
    let many = (0..252).fold(begun.clone(), |text, _| with_input(&text, "c_20260105.itch"));
    let cases = [
        (begun.replace("every = 40", "every = 41"), "random.every: was 40, is 41"),
        (first.clone(), "input[2]: was {"),
        (with_input(&first, "c_20260105.itch"), "input[2].files[1]: was "),
        (with_input(&with_input(&first, "c_20260105.itch"), "b_20260105.itch"), "input[2].files[1]: was "),
        (begun.replace("seed = 3", "seed = 4").replace("symbols = 6", "symbols = 7"), "input[1].symbols: was 6, is 7"),
        (format!("{begun}[[input]]\nfeed = \"itsch\"\n"), "itch"),
        (with_input(&begun, "nowhere.itch"), "nowhere.itch"),
        (with_input(&begun, "service.toml"), "is not itch data"),
        (many, "254 inputs; 1 to 253"),
        (format!("{begun}[instrument.\"B\"]\ntick = \"0.01\"\n"), "instrument"),
        (begun.replace("[pipeline]", "[pipline]"), "pipeline"),
    ];
    for (text, why) in cases {
        service.reconfigure(text);
        let refused = service.ctl(&["reload"]).expect(1).stderr;
        assert!(refused.contains("reload is refused: ") && refused.contains(why), "{why}: {refused}");
    }
    service.reconfigure(begun.clone());
    assert!(life.runs() && joins(&inputs(&service.journal())).is_empty());
    // Two at once are one command.
    service.reconfigure(with_input(&with_input(&begun, "c_20260105.itch"), "c_20260105.itch"));
    let said = service.ctl(&["reload"]).expect(0).stderr;
    assert!(said.contains("source 3 is ") && said.contains("source 4 is "), "{said}");
    life.until("its inputs", || of_source(&inputs(&service.journal()), 3) > 100);
    life.kill();
    let all = inputs(&service.journal());
    assert_eq!(joins(&all).iter().map(|(_, first, count)| (*first, *count)).collect::<Vec<_>>(), [(3, 2)]);
    verify(&service);
}
