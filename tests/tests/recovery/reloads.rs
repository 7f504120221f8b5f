//! Inputs that are added while the service runs: they join it, its record says so, and it goes on with them whenever it is killed.

use flow::records::{Command as Commanded, Listing, Name};
use flow::{CommandAction, Event, Kind, Listings, NameSpace};
use rustix::process::Signal;
use sinks::journal::JournalReader;
use std::collections::BTreeMap;
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
    let all = inputs.iter().filter_map(command).filter(|(_, c)| c.action == CommandAction::Reload.code());
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
    assert!(said.contains("nothing has changed"), "{said}");
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
        std::thread::sleep(Duration::from_micros(draw(&mut random, 40_000)));
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
        (begun.replace("every = 40", "every = 40\naccount = 2"), "random.account: was 1, is 2"),
        (first.clone(), "input[2]: was {"),
        (with_input(&first, "c_20260105.itch"), "input[2].files[1]: was "),
        (with_input(&with_input(&first, "c_20260105.itch"), "b_20260105.itch"), "input[2].files[1]: was "),
        (begun.replace("seed = 3", "seed = 4").replace("symbols = 6", "symbols = 7"), "input[1].symbols: was 6, is 7"),
        (format!("{begun}[[input]]\nfeed = \"itsch\"\n"), "itch"),
        (with_input(&begun, "nowhere.itch"), "nowhere.itch"),
        (with_input(&begun, "service.toml"), "is not itch data"),
        (many, "254 inputs; 1 to 245"),
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

/// The text of a configuration whose last input watches these symbols.
fn watching(text: &str, symbols: &[&str]) -> String {
    format!("{text}watch = {symbols:?}\n")
}

/// The symbol that each instrument was listed with.
fn symbols(inputs: &[Event]) -> BTreeMap<u32, String> {
    let mut listings = Listings::default();
    inputs.iter().for_each(|input| listings.observe(input));
    let all = inputs.iter().map(|input| input.instrument).filter_map(|i| Some((i, listings.get(i)?.symbol.clone())));
    all.collect()
}

/// What came of a symbol after its listing: the kind and the body of each input but gaps.
fn data_of(inputs: &[Event], symbol: &str) -> Vec<(Kind, [u8; 40])> {
    let symbols = symbols(inputs);
    let of = |e: &&Event| e.source <= 2 && symbols.get(&e.instrument).is_some_and(|s| s == symbol);
    let inputs = inputs.iter().filter(of).filter(|e| !matches!(e.kind, Kind::Gap | Kind::Name | Kind::Listing));
    inputs.map(|e| (e.kind, e.body)).collect()
}

/// The gaps of a symbol, in the order of the record.
fn gaps_of(inputs: &[Event], symbol: &str) -> Vec<u64> {
    let symbols = symbols(inputs);
    let of = |e: &&Event| e.kind == Kind::Gap && symbols.get(&e.instrument).is_some_and(|s| s == symbol);
    inputs.iter().filter(of).map(|e| e.id.seq()).collect()
}

/// All that the file has of a symbol.
fn whole_data(service: &Service, file: &str, symbol: &str) -> Vec<(Kind, [u8; 40])> {
    let (path, alone) = (service.path(file), service.path("alone"));
    let words = ["replay", "--input"].map(std::ffi::OsStr::new).into_iter();
    run(words.chain([path.as_os_str(), "--journal".as_ref(), alone.as_os_str()])).expect(0);
    let data = data_of(&inputs(&alone), symbol);
    std::fs::remove_dir_all(alone).expect("it was written");
    data
}

const FILE: &str = "b_20260105.itch";

#[test]
fn symbols_are_watched_and_watched_no_more_while_it_runs() {
    let mut service = with_files(Service::paper(400_000), &[FILE]);
    let begun = with_input(service.text(), FILE);
    service.reconfigure(watching(&begun, &["BAAAA"]));
    let mut life = running(&service, "1200x");
    life.until("its inputs", || of_source(&inputs(&service.journal()), 2) > 100);
    service.reconfigure(watching(&begun, &["BAAAA", "BEEUB"]));
    let said = service.ctl(&["reload"]).expect(0).stderr;
    assert!(said.contains("of source 2 only BAAAA BEEUB is watched (input "), "{said}");
    life.until("the other symbol", || data_of(&inputs(&service.journal()), "BEEUB").len() > 50);
    service.about(&["snapshot", "--journal"]).expect(0);
    life.kill();
    verify(&service);
    let mut life = running(&service, "1200x");
    service.reconfigure(watching(&begun, &["BEEUB"]));
    let said = service.ctl(&["reload"]).expect(0).stderr;
    assert!(said.contains("of source 2 only BEEUB is watched"), "{said}");
    life.until("a gap", || !gaps_of(&inputs(&service.journal()), "BAAAA").is_empty());
    life.kill();
    // What the configuration says after a stop holds without a command of anybody.
    service.reconfigure(begun.clone());
    service.finish(&["--speed", "max"]).expect(0);
    verify(&service);
    let all = inputs(&service.journal());
    let symbols: Vec<String> = symbols(&all).into_values().filter(|symbol| symbol.starts_with('B')).collect();
    assert_eq!(symbols.iter().map(String::as_str).collect::<Vec<_>>(), ["BAAAA", "BEEUB", "BIJOC"], "in this order");
    // Of what was watched first all came until it was watched no more, and again from the last start on.
    let (came, whole) = (data_of(&all, "BAAAA"), whole_data(&service, FILE, "BAAAA"));
    let (one, two) = (gaps_of(&all, "BAAAA"), whole.len() - came.len());
    let head = data_of(&all.iter().filter(|e| e.id.seq() < one[0]).copied().collect::<Vec<_>>(), "BAAAA");
    assert!(one.len() == 2 && two > 0 && head.len() > 30, "{one:?}, {two}, {}", head.len());
    assert!(came[..head.len()] == whole[..head.len()] && came[head.len()..] == whole[head.len() + two..]);
    // What was watched later begins in the middle, behind its listing and a gap, and goes to the end.
    for symbol in ["BEEUB", "BIJOC"] {
        let (came, whole) = (data_of(&all, symbol), whole_data(&service, FILE, symbol));
        assert!(came.len() < whole.len() && came == whole[whole.len() - came.len()..], "{symbol}");
        assert_eq!(gaps_of(&all, symbol).len(), 1, "{symbol}");
    }
    let watching = all.iter().filter(|e| e.kind == Kind::Watching).map(|e| e.source).collect::<Vec<_>>();
    assert_eq!(watching, [2, 2, 2]);
    let outcomes = JournalReader::open(&service.journal()).expect("a journal").outcomes();
    let doubtful = outcomes.map_while(Result::ok).filter(|e| e.kind == Kind::DataState).count();
    assert!(doubtful >= 3, "{doubtful}: the book says that its data are doubtful");
}

#[test]
fn a_run_that_is_killed_while_its_symbols_change_goes_on_with_them() {
    let mut random = seed();
    for round in 0..amount(4, 60) {
        let mut service = with_files(Service::paper(100_000), &[FILE]);
        let begun = with_input(service.text(), FILE);
        let choices = [&["BAAAA"][..], &["BEEUB"], &["BAAAA", "BIJOC"], &[]];
        service.reconfigure(watching(&begun, choices[0]));
        let mut told = 0;
        for _ in 0..3 {
            let mut life = running(&service, "1200x");
            life.until("its socket", || service.listens());
            let choice = choices[draw(&mut random, choices.len() as u64) as usize];
            service.reconfigure(watching(&begun, choice));
            let journal = service.journal();
            let asked = std::thread::spawn(move || run(["ctl".as_ref(), journal.as_os_str(), "reload".as_ref()]));
            std::thread::sleep(Duration::from_micros(draw(&mut random, 150_000)));
            life.kill();
            told += usize::from(asked.join().expect("it does not panic").code == Some(0));
            verify(&service);
        }
        service.reconfigure(begun);
        service.finish(&["--speed", "max"]).expect(0);
        verify(&service);
        let all = inputs(&service.journal());
        for symbol in ["BAAAA", "BEEUB", "BIJOC"] {
            // In pieces, each behind a gap, that come in the order of the file; the last goes to its end.
            let (came, whole) = (data_of(&all, symbol), whole_data(&service, FILE, symbol));
            let mut rest = whole.iter().rev();
            assert!(
                came.iter().rev().all(|one| rest.any(|other| other == one)),
                "round {round}: {symbol}: not in order"
            );
            assert!(came.last() == whole.last(), "round {round}: {symbol}: its end did not come");
        }
        println!("round {round}: {told} were told");
    }
}
