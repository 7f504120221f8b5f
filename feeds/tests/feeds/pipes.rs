//! Pipes as inputs: named pipes with a writer, without one, and with the bytes of another feed.

use crate::reader::{Folder, drain, gzip, itch, zip, zstd};
use feeds::{FEEDS, Feed, Input, OpenError, Request, recognised_as};
use flow::{FeedError, Inputs, Params, Polled, Source};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::{self, JoinHandle};

fn pipe(folder: &Folder, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// Writes to a pipe as often as somebody opens it.
fn writer(path: &Path, bytes: &[u8]) -> JoinHandle<()> {
    let (path, bytes) = (path.to_owned(), bytes.to_vec());
    thread::spawn(move || {
        // A reader that refuses the bytes closes the pipe before all are written.
        let _ = OpenOptions::new().write(true).open(path).unwrap().write_all(&bytes);
    })
}

fn feed(name: &str) -> &'static Feed {
    flow::find(FEEDS, name).unwrap()
}

fn request(name: &str, paths: &[&Path]) -> Request {
    let paths = paths.iter().map(|p| p.to_path_buf()).collect();
    Request { paths, date: None, params: Params::defaults(feed(name).params) }
}

fn open(name: &str, paths: &[&Path]) -> Result<Box<dyn Source>, OpenError> {
    feed(name).input(&request(name, paths), FEEDS).map(Input::start)
}

fn count(source: &mut dyn Source) -> (usize, Result<(), FeedError>) {
    let (inputs, end) = drain(source);
    (inputs.len(), end)
}

#[test]
fn a_pipe_gives_the_same_as_a_file() {
    let folder = Folder::new();
    let plain = itch(20_000);
    let file = folder.file("file", &plain);
    let expected = drain(&mut *open("itch", &[&file]).unwrap());
    for (name, bytes) in [("plain", plain.clone()), ("gzip", gzip(&plain)), ("zstd", zstd(&plain))] {
        let path = pipe(&folder, name);
        let writer = writer(&path, &bytes);
        assert_eq!(drain(&mut *open("itch", &[&path]).unwrap()), expected, "{name}");
        writer.join().unwrap();
    }
}

#[test]
fn recognising_the_feed_of_a_pipe_loses_no_byte() {
    let folder = Folder::new();
    for (name, bytes) in [("plain", itch(5)), ("gzip", gzip(&itch(5))), ("long", itch(20_000))] {
        let (path, expected) = (pipe(&folder, name), if name == "long" { 20_000 } else { 5 });
        let writer = writer(&path, &bytes);
        assert_eq!(recognised_as(&path, FEEDS).unwrap().map(|feed| feed.name), Some("itch"), "{name}");
        assert_eq!(
            recognised_as(&path, FEEDS).unwrap().map(|feed| feed.name),
            Some("itch"),
            "{name}: as often as one likes"
        );
        drop(feed("itch").opened(&request("itch", &[&path]), FEEDS).unwrap());
        assert_eq!(count(&mut *open("itch", &[&path]).unwrap()), (expected, Ok(())), "{name}");
        writer.join().unwrap();
    }
}

#[test]
fn a_pipe_without_a_writer_holds_up_nobody() {
    let folder = Folder::new();
    let path = pipe(&folder, "silent");
    for feed in ["itch", "dbn"] {
        let mut source = open(feed, &[&path]).unwrap();
        assert_eq!(source.poll(&mut Inputs::with_capacity(0)), Ok(Polled::Idle(flow::Ns::NONE)), "{feed}");
    }
}

#[test]
fn lobster_takes_two_pipes_the_message_file_first() {
    let folder = Folder::new();
    let (m, b) = ("34200.1,1,1,1,100000,1\n", "2,1,1,1\n");
    let (messages, book) = (pipe(&folder, "messages"), pipe(&folder, "book"));
    let read = |paths: &[&Path], writers: &[(&Path, &str)]| {
        let writers: Vec<_> = writers.iter().map(|(path, bytes)| writer(path, bytes.as_bytes())).collect();
        let end = count(&mut *open("lobster", paths).unwrap());
        writers.into_iter().for_each(|w| w.join().unwrap());
        end
    };
    let both = [(&*messages, m), (&*book, b)];
    let (inputs, end) = read(&[&messages, &book], &both);
    assert!(inputs > 2 && end == Ok(()), "{inputs} {end:?}");
    let file = folder.file("orderbook.csv", b.as_bytes());
    assert_eq!(read(&[&file, &messages], &both[..1]), (inputs, Ok(())), "a file shows which of the two it is");
    let wrong = read(&[&book, &messages], &both).1.unwrap_err().to_string();
    assert!(wrong.contains("message file, row 1: 4 columns instead of 6"), "{wrong}");
}

#[test]
fn what_a_pipe_cannot_give_is_said() {
    let folder = Folder::new();
    let says = |feed: &str, bytes: &[u8], what: &str| {
        // A pipe of its own: what a reader refused lies in the pipe until that reader's thread has closed it.
        let path = pipe(&folder, what);
        let writer = writer(&path, bytes);
        let (inputs, end) = count(&mut *open(feed, &[&path]).unwrap());
        writer.join().unwrap();
        let said = end.unwrap_err().to_string();
        assert!(inputs == 0 && said.contains(what) && said.contains(&*path.to_string_lossy()), "{said}");
        assert!(!said.contains("damaged") && !said.contains("again"), "{said}");
    };
    says("itch", &zip(&[("a", &itch(5))]), "is a zip, which is read from its end");
    says("itch", b"", "nothing came from");
    says("itch", b"DBN\x01 and more", "it looks like dbn: use --feed dbn");
    says("dbn", &gzip(&itch(5)), "it looks like itch: use --feed itch");
}
