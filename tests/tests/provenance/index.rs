//! The index is a hint: grown, killed over, damaged, of another journal or absent, the stories are the same.
//!
//! The moments of the kills and the damage differ from run to run; the seed is printed.

use crate::service::{Service, until};
use serde_json::Value;
use sinks::journal::Home;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tidegate_tests::{amount, draw, run, seed};

/// The stories of some orders.
fn stories(service: &Service, orders: &[String]) -> Vec<Value> {
    let mut why = service.why();
    orders.iter().map(|order| why.order(order).unwrap_or_else(|e| panic!("{order}: {e}")).json()).collect()
}

/// Some orders of a run, in no order.
fn some(service: &Service, count: u64, random: &mut u64) -> Vec<String> {
    let all = service.export("request");
    let pick = |_| all[draw(random, all.len() as u64) as usize]["order_id"].as_str().expect("an id").to_owned();
    (0..count).map(pick).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

/// How many inputs are stored.
fn inputs(dir: &Path) -> u64 {
    Home::open(dir).map_or(0, |home| home.current().reader().last_input_seq().unwrap_or(0))
}

#[test]
fn an_index_that_grew_over_kills_and_a_roll_is_one_that_was_made_at_once() {
    let mut random = seed();
    let service = Service::new(amount(250_000, 5_000_000));
    let dir = service.journal();
    let mut life = service.start();
    until("a journal", || Home::exists(&dir));
    let (mut kills, mut grown) = (0, 0);
    for round in 0..amount(4, 40) {
        if round == 0 {
            until("a socket", || UnixStream::connect(dir.join("control.sock")).is_ok());
            run(["ctl".as_ref(), dir.as_os_str(), "--actor".as_ref(), "ada".as_ref(), "roll".as_ref()]).expect(0);
        }
        let before = inputs(&dir);
        until("more inputs", || inputs(&dir) > before + 1_000 || life.try_wait().expect("a child").is_some());
        std::thread::sleep(Duration::from_millis(draw(&mut random, 20)));
        grown += u64::from(service.why().records_read() > 0);
        kills += u64::from(life.try_wait().expect("a child").is_none());
        life.kill().expect("a child");
        life.wait().expect("a child");
        grown += u64::from(service.why().records_read() > 0);
        life = service.start();
    }
    life.wait().expect("a child");
    let journals = Home::open(&dir).expect("a journal").journals().len();
    println!("{kills} kills in the middle, {grown} times the index grew, {journals} journals");
    assert!(kills > 0 && grown > 1, "every life ended before its kill");
    let orders = some(&service, amount(200, 2_000), &mut random);
    let told = stories(&service, &orders);
    fs::remove_dir_all(service.index()).expect("the index");
    assert_eq!(told, stories(&service, &orders));
    assert_eq!(journals, 2);
}

#[test]
fn a_damaged_index_is_made_again() {
    let mut random = seed();
    let service = Service::new(20_000);
    service.finish();
    let orders = some(&service, 20, &mut random);
    let told = stories(&service, &orders);
    let whole: Vec<(PathBuf, Vec<u8>)> =
        files(&service.index()).into_iter().map(|file| (file.clone(), fs::read(file).expect("a file"))).collect();
    assert!(whole.len() > 5, "{}", whole.len());
    let restore = || whole.iter().for_each(|(file, bytes)| fs::write(file, bytes).expect("the folder is writable"));
    for round in 0..amount(60, 1_000) {
        let (file, bytes) = &whole[draw(&mut random, whole.len() as u64) as usize];
        let (other, theirs) = &whole[draw(&mut random, whole.len() as u64) as usize];
        let mut damaged = bytes.clone();
        let what = match round % 4 {
            0 => {
                let at = draw(&mut random, bytes.len() as u64) as usize;
                damaged[at] ^= 1 << draw(&mut random, 8);
                format!("byte {at}")
            }
            1 => {
                damaged.truncate(draw(&mut random, bytes.len() as u64) as usize);
                format!("cut to {}", damaged.len())
            }
            2 => {
                damaged.clone_from(theirs);
                format!("the bytes of {}", other.display())
            }
            _ => "gone".to_owned(),
        };
        if round % 4 == 3 {
            fs::remove_file(file).expect("it is there");
        } else {
            fs::write(file, &damaged).expect("the folder is writable");
        }
        assert_eq!(told, stories(&service, &orders), "{}: {what}", file.display());
        restore();
    }
}

#[test]
fn the_index_of_another_journal_and_a_folder_that_takes_none_are_no_hindrance() {
    let mut random = seed();
    let (service, other) = (Service::new(20_000), Service::new(10_000));
    service.finish();
    other.finish();
    let orders = some(&service, 20, &mut random);
    let told = stories(&service, &orders);
    stories(&other, &some(&other, 3, &mut random));
    // The index of the other journal under the name of this one.
    let folder = |service: &Service| {
        let mut entries = fs::read_dir(service.index()).expect("an index");
        entries.next().expect("a journal").expect("an entry").path()
    };
    let (own, theirs) = (folder(&service), folder(&other));
    for file in files(&theirs) {
        fs::copy(&file, own.join(file.file_name().expect("a name"))).expect("the folder is writable");
    }
    assert_eq!(told, stories(&service, &orders));
    // A file where the folder of the index should be.
    fs::remove_dir_all(service.index()).expect("an index");
    fs::write(service.index(), "").expect("the folder is writable");
    assert_eq!(told, stories(&service, &orders));
}

/// A journal that rolled is asked as a whole, and each of its journals alone.
#[test]
fn one_journal_of_a_run_says_which_other_one_has_the_order() {
    let service = Service::new(250_000);
    let dir = service.journal();
    let mut life = service.start();
    until("a socket", || inputs(&dir) > 5_000 && UnixStream::connect(dir.join("control.sock")).is_ok());
    run(["ctl".as_ref(), dir.as_os_str(), "--actor".as_ref(), "ada".as_ref(), "roll".as_ref()]).expect(0);
    life.wait().expect("a child");
    let second = dir.join("rolled/0002");
    assert!(second.exists());
    let ask = |dir: &Path, order: &str| run(["why".as_ref(), dir.as_os_str(), order.as_ref(), "--json".as_ref()]);
    let story = |order: &str| -> Value { serde_json::from_str(&ask(&dir, order).expect(0).stdout).expect("JSON") };
    assert_eq!(story("1/random/1")["journal"]["number"], 1);
    let last = service.export("request").pop().expect("a request")["order_id"].as_str().expect("an id").to_owned();
    assert_eq!(story(&last)["journal"]["number"], 2);
    ask(&second, &last).expect(0);
    let said = ask(&second, "1/random/1").expect(2).stderr;
    assert!(said.contains("has it"), "{said}");
}
