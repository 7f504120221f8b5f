//! Every recorded file of every feed, packed and read back: the same inputs with the same records, counts and warnings.

use crate::trial;
use feeds::packed::{About, Packer, source, unpack};
use feeds::{FEEDS, Feed, Input, Request, recognised_as};
use flow::records::Name;
use flow::{Event, Inputs, Params, Polled, Selection, Source};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// An input with its record.
type Placed = (Event, u64);

/// All inputs of a source, and why it ended early.
fn read(source: &mut dyn Source) -> (Vec<Placed>, Option<String>) {
    let (mut inputs, mut queue) = (Vec::new(), Inputs::with_capacity(0));
    loop {
        match source.poll(&mut queue) {
            Ok(Polled::Ended) => return (inputs, None),
            Ok(_) => {}
            Err(error) => return (inputs, Some(error.to_string())),
        }
        while let Some((event, record)) = queue.front() {
            inputs.push((*event, record));
            queue.pop();
        }
    }
}

/// The file as a source; `None` if no feed has it, or it is one of two files of an input.
fn started(path: &Path) -> Option<(&'static Feed, Box<dyn Source>)> {
    let feed = recognised_as(path, FEEDS).ok().flatten()?;
    let request = Request { paths: vec![path.to_owned()], date: None, params: Params::defaults(feed.params) };
    Some((feed, feed.input(&request, FEEDS).map(Input::start).ok()?))
}

fn packed(inputs: &[Placed], about: About, segment: usize) -> Vec<u8> {
    let mut packer = Packer::with_segments(Vec::new(), segment).expect("memory");
    inputs.iter().for_each(|(event, record)| packer.push(event, *record).expect("memory"));
    packer.finish(about).expect("memory").0
}

/// Packs a file and reads it back; false if it is none of a feed, or not whole.
fn comes_back(path: &Path) -> bool {
    let Some((feed, mut original)) = started(path) else { return false };
    let (inputs, error) = read(original.as_mut());
    if error.is_some() {
        return false;
    }
    let about = About::of(original.as_ref(), feed.name);
    for segment in [500, 1 << 20] {
        let bytes = packed(&inputs, about.clone(), segment);
        let mut again = source(bytes.clone()).expect("it is whole");
        let (given, error) = read(again.as_mut());
        assert!(error.is_none() && given == inputs, "{}: {error:?}", path.display());
        let end = (again.counts(), again.records(), again.warnings(), again.instruments());
        let expected = (original.counts(), original.records(), original.warnings(), original.instruments());
        assert_eq!(end, expected, "{}", path.display());
        some(path, &inputs, &bytes);
    }
    true
}

/// The symbols of a file, by local number.
fn symbols(inputs: &[Placed]) -> BTreeMap<u32, String> {
    let mut symbols = BTreeMap::<u32, String>::new();
    for (event, name) in inputs.iter().filter_map(|(event, _)| Some((event, event.get::<Name>()?))) {
        let symbol = symbols.entry(event.instrument).or_default();
        if name.part == 0 {
            symbol.clear();
        }
        symbol.push_str(&String::from_utf8_lossy(&name.text[..name.len.into()]));
    }
    symbols
}

/// Of every third symbol comes what comes of it when all is read.
fn some(path: &Path, inputs: &[Placed], bytes: &[u8]) {
    let names = symbols(inputs);
    let chosen = names.values().step_by(3).cloned().collect();
    let watched = Selection { symbols: Some(chosen), shard: None };
    let mut given = Vec::new();
    unpack(bytes.to_vec(), watched.clone(), |event, record| given.push((*event, record))).expect("it is whole");
    let is_of = |(event, _): &&Placed| names.get(&event.instrument).is_none_or(|symbol| watched.has(symbol));
    assert!(given.iter().filter(is_of).eq(inputs.iter().filter(is_of)), "{}", path.display());
}

fn folder(folder: PathBuf, least: usize) {
    let mut waiting = vec![folder.clone()];
    let mut packed = 0;
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder can be read");
            waiting.extend(entries.map(|entry| entry.expect("a folder can be read").path()));
        } else {
            packed += usize::from(comes_back(&path));
        }
    }
    assert!(packed >= least, "{packed} files of {} were packed", folder.display());
}

pub(crate) fn trials() -> Vec<Trial> {
    let of = |name: &'static str, least| trial(format!("packed::{name}"), name, move |path| folder(path, least));
    vec![of("nasdaq_itch", 1), of("moldudp64_pcap", 20), of("lobster", 2), of("databento", 40)]
}
