//! Opening and streaming: compression, zip members, cuts, errors, and that dropping a source ends its threads.

use feeds::itch::ItchDecoder;
use feeds::itch::wire::{self, Message};
use feeds::reader::{StreamSource, open_streams};
use feeds::{FEEDS, Input, OpenError, Request, recognised_as};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use flow::{Event, FeedError, Inputs, Params, Polled, Source};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A BinaryFILE with this many messages.
pub(crate) fn itch(messages: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for i in 1..=messages {
        let head = wire::Head { locate: 7, tracking: 0, timestamp: i };
        wire::OrderDelete { head, order_ref: i }.put_framed(&mut bytes);
    }
    bytes
}

/// A BinaryFILE with this many messages that hardly get smaller when they are packed.
pub(crate) fn noise(messages: u64) -> Vec<u8> {
    let (mut noise, mut bytes) = (1u64, Vec::new());
    for i in 0..messages {
        noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let head = wire::Head { locate: 7, tracking: (noise >> 48) as u16, timestamp: i };
        wire::OrderDelete { head, order_ref: noise }.put_framed(&mut bytes);
    }
    bytes
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A zip written from the format's specification: local headers, contents, directory, end. Names ending in `.z` are
/// deflated.
pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in members {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let deflated = name.ends_with(".z");
        let packed = if deflated {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        } else {
            bytes.to_vec()
        };
        let word = |n: usize| (n as u32).to_le_bytes();
        let method = if deflated { [8, 0] } else { [0, 0] };
        let name_len = (name.len() as u16).to_le_bytes();
        let common =
            [&[20, 0, 0, 0], method.as_slice(), &[0; 4], &crc.sum().to_le_bytes(), &word(packed.len())].concat();
        let common = [common, word(bytes.len()).to_vec(), name_len.to_vec(), vec![0, 0]].concat();
        let offset = word(file.len());
        directory.extend([b"PK\x01\x02\x14\0", &common[..], &[0; 10], &offset, name.as_bytes()].concat());
        file.extend([b"PK\x03\x04", &common[..], name.as_bytes(), &packed].concat());
    }
    let (start, len) = ((file.len() as u32).to_le_bytes(), (directory.len() as u32).to_le_bytes());
    let count = (members.len() as u16).to_le_bytes();
    file.extend(directory);
    file.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &len, &start, &[0, 0]].concat());
    file
}

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn contents(path: &Path) -> Result<Vec<(String, Vec<u8>)>, OpenError> {
    let whole = |mut s: feeds::reader::Stream| {
        let mut bytes = Vec::new();
        s.read.read_to_end(&mut bytes).unwrap();
        assert!(bytes.starts_with(&s.head));
        (s.name, bytes)
    };
    open_streams(path)?.map(|stream| stream.map(whole)).collect()
}

/// Reads a source to its end.
pub(crate) fn drain(source: &mut dyn Source) -> (Vec<(Event, u64)>, Result<(), FeedError>) {
    let (mut out, mut inputs) = (Vec::new(), Inputs::with_capacity(0));
    loop {
        match source.poll(&mut inputs) {
            Ok(Polled::Ended) => return (out, Ok(())),
            Ok(Polled::Idle(_) | Polled::Anew) => std::thread::yield_now(),
            Ok(Polled::Ready) => {}
            Err(e) => return (out, Err(e)),
        }
        while let Some((event, record)) = inputs.front() {
            out.push((*event, record));
            inputs.pop();
        }
    }
}

pub(crate) fn source(path: &Path) -> StreamSource {
    let streams = open_streams(path).unwrap().map(|s| s.unwrap().read).collect();
    StreamSource::new(Box::new(ItchDecoder::new(None)), streams)
}

#[test]
fn compression_is_recognised_by_the_first_bytes() {
    let folder = Folder::new();
    let plain = itch(20_000);
    let half = plain.len() / 2;
    let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9][..], &zstd(&plain)].concat();
    let packed = [
        plain.clone(),
        gzip(&plain),
        [gzip(&plain[..half]), gzip(&plain[half..])].concat(),
        zstd(&plain),
        [zstd(&plain[..half]), zstd(&plain[half..])].concat(),
        skipped,
    ];
    for (i, bytes) in packed.iter().enumerate() {
        let path = folder.file(&format!("{i}.csv"), bytes);
        assert_eq!(contents(&path).unwrap(), [(format!("{i}.csv"), plain.clone())]);
        assert_eq!(recognised_as(&path, FEEDS).unwrap().map(|feed| feed.name), Some("itch"));
        assert_eq!(drain(&mut source(&path)).0.len(), 20_000);
    }
}

#[test]
fn members_of_a_zip_stream_side_by_side() {
    let folder = Folder::new();
    let (a, b) = (itch(3_000), itch(20));
    let path = folder.file("x", &zip(&[("folder/", b""), ("a.z", &a), ("b", &b)]));
    assert_eq!(contents(&path).unwrap(), [("a.z".to_owned(), a), ("b".to_owned(), b.clone())]);
    let one = folder.file("one", &zip(&[("readme", b"about"), ("01302020.bin", &b)]));
    let params = Params::defaults(flow::find(FEEDS, "itch").unwrap().params);
    let request = Request { paths: vec![one.clone()], date: None, params };
    let mut opened = flow::find(FEEDS, "itch").unwrap().input(&request, FEEDS).map(Input::start).unwrap();
    assert_eq!(opened.name(), format!("{}:01302020.bin", one.display()));
    assert_eq!((drain(&mut *opened).0.len(), opened.warnings()), (20, vec![]));
    let request = Request { paths: vec![path], ..request };
    let e = flow::find(FEEDS, "itch").unwrap().input(&request, FEEDS).map(Input::start).err().unwrap();
    assert!(e.to_string().contains("2 ITCH members"), "{e}");
}

#[test]
fn a_file_that_cannot_be_opened_reports_why() {
    let folder = Folder::new();
    let says = |path: &Path, what: &str| {
        let e = open_streams(path).err().unwrap().to_string();
        assert!(e.contains(what) && e.contains(&*path.to_string_lossy()) && e.contains("; "), "{e}");
    };
    says(&folder.0.path().join("none"), "does not exist");
    says(folder.0.path(), "is a folder");
    says(&folder.file("empty", b""), "is empty");
    says(&folder.file("hollow", &gzip(b"")), "is empty after decompression");
    says(&folder.file("damaged.gz", &[&[0x1f, 0x8b, 8, 0][..], &[0xff; 40]].concat()), "byte 44");
    says(&folder.file("short.gz", &gzip(&itch(9))[..5]), "unexpected end of file");
    says(&folder.file("short.zst", &[0x28, 0xb5, 0x2f, 0xfd, 0xff, 0xff, 0xff]), "byte 7");
    let z = zip(&[("a", b"abc")]);
    says(&folder.file("cut.zip", &z[..z.len() - 30]), "cannot be read");
    says(&folder.file("none.zip", &zip(&[])), "no files");
}

#[test]
fn damage_is_reported_after_the_good_records() {
    let folder = Folder::new();
    let plain = noise(40_000);
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    let flip = |mut bytes: Vec<u8>| {
        let at = bytes.len() - 6;
        bytes[at] ^= 1;
        bytes
    };
    let flipped_member = {
        let mut z = zip(&[("a", &plain)]);
        z[1000] ^= 1;
        z
    };
    let files = [
        ("cut.gz", cut(gzip(&plain)), 10_000),
        ("sum.gz", flip(gzip(&plain)), 39_000),
        ("cut.zst", cut(zstd(&plain)), 10_000),
        ("flipped.zip", flipped_member, 39_000),
    ];
    for (name, bytes, least) in files {
        let path = folder.file(name, &bytes);
        let (inputs, end) = drain(&mut source(&path));
        let e = end.unwrap_err();
        assert!(inputs.len() >= least, "{name}: {} inputs, {e}", inputs.len());
        assert_eq!(e.record, inputs.len() as u64 + 1, "{name}");
        assert!(e.offset >= inputs.len() as u64 * 21 && e.what.contains(name), "{name}: {e}");
        assert!(e.what.contains("of the file"), "{name}: {e}");
    }
}

/// What a file of ITCH gives: the number of its inputs, and how it ends.
pub(crate) fn outcome(path: &Path) -> (usize, Result<(), FeedError>) {
    let (inputs, end) = drain(&mut source(path));
    (inputs.len(), end)
}

#[test]
fn padding_behind_a_whole_stream_is_ignored() {
    let folder = Folder::new();
    let plain = itch(9);
    let zeros = |n: usize| vec![0; n];
    for (i, packed) in [gzip(&plain), zstd(&plain)].into_iter().enumerate() {
        for n in [1, 3, 512, 70_000] {
            let path = folder.file(&format!("{i}-{n}"), &[packed.clone(), zeros(n)].concat());
            assert_eq!(outcome(&path), (9, Ok(())), "{i}: {n} zero bytes");
            let path = folder.file(&format!("{i}-{n}-more"), &[packed.clone(), zeros(n), packed.clone()].concat());
            let both = contents(&path).unwrap().remove(0).1;
            assert_eq!(both, plain.repeat(2), "{i}: another part behind {n} zero bytes");
        }
    }
}

#[test]
fn bytes_behind_a_whole_stream_are_reported_after_everything_before_them() {
    let folder = Folder::new();
    let few = itch(5);
    let text = b"This text is no part of the stream.\n";
    for (format, packed) in [("gzip", gzip(&few)), ("zstd", zstd(&few))] {
        for (name, tail) in [("text", text.to_vec()), ("padded", [&[0; 600], &text[..]].concat()), ("byte", vec![b'x'])]
        {
            let path = folder.file(&format!("{name}.{format}"), &[packed.clone(), tail].concat());
            assert_eq!(recognised_as(&path, FEEDS).unwrap().map(|feed| feed.name), Some("itch"), "{path:?}");
            let (inputs, end) = outcome(&path);
            let e = end.unwrap_err();
            assert_eq!((inputs, e.record, e.offset), (5, 6, few.len() as u64), "{e}");
            assert!(e.what.contains(&format!("bytes follow a whole {format} stream")), "{e}");
            let said = e.to_string();
            assert!(!["cut short", "damaged", "truncated", "again"].iter().any(|w| said.contains(w)), "{said}");
        }
    }
}

#[test]
fn a_stream_that_is_cut_short_gives_what_it_held() {
    let folder = Folder::new();
    // Stored blocks, so that the cut falls between messages that are whole.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(&itch(9)).unwrap();
    let stored = encoder.finish().unwrap();
    let two_frames = [zstd(&itch(9)), zstd(&itch(9))].concat();
    let two_blocks = {
        // 20,000 messages take several blocks, all of them within the window of the frame.
        let packed = zstd(&itch(20_000));
        packed[..packed.len() - 40].to_vec()
    };
    let files = [
        ("stored.gz", stored[..stored.len() - 30].to_vec(), 5),
        ("sum.gz", stored[..stored.len() - 8].to_vec(), 9),
        ("frames.zst", two_frames[..two_frames.len() - 3].to_vec(), 9),
        ("blocks.zst", two_blocks, 12_000),
    ];
    for (name, bytes, least) in files {
        let (inputs, end) = outcome(&folder.file(name, &bytes));
        let said = end.unwrap_err().to_string();
        assert!(inputs >= least, "{name}: {inputs} inputs, {said}");
        assert!(said.contains(name) && said.contains("it was cut short: get all of it"), "{said}");
    }
}

#[test]
fn any_block_size_gives_the_same() {
    let bytes = itch(40);
    for block in (1..25).chain([1024, 1 << 20]) {
        let stream: Box<dyn Read + Send> = Box::new(Cursor::new(bytes.clone()));
        let mut source = StreamSource::with_blocks(Box::new(ItchDecoder::new(None)), vec![stream], block);
        let (inputs, end) = drain(&mut source);
        assert_eq!((inputs.len(), end), (40, Ok(())), "block {block}");
        assert_eq!(inputs.last().map(|(_, record)| *record), Some(40));
    }
}

/// An endless stream that counts its live instances.
struct Endless(#[expect(dead_code, reason = "held for its count")] Arc<()>);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let one = itch(1);
        let n = buffer.len().min(one.len());
        buffer[..n].copy_from_slice(&one[..n]);
        Ok(n)
    }
}

#[test]
fn a_dropped_source_ends_its_threads() {
    let alive = Arc::new(());
    let stream: Box<dyn Read + Send> = Box::new(Endless(alive.clone()));
    let mut source = StreamSource::new(Box::new(ItchDecoder::new(None)), vec![stream]);
    let mut inputs = Inputs::with_capacity(0);
    while source.poll(&mut inputs).unwrap() != Polled::Ready {}
    drop(source);
    let start = Instant::now();
    while Arc::strong_count(&alive) > 1 {
        assert!(start.elapsed() < Duration::from_secs(10), "the reader still runs");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Yields some messages, then fails or panics.
struct Failing {
    bytes: Cursor<Vec<u8>>,
    panics: bool,
}

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.bytes.read(buffer)? {
            0 if self.panics => panic!("a fault in a decompressor"),
            0 => Err(io::Error::other("the disk is gone")),
            n => Ok(n),
        }
    }
}

#[test]
fn a_reader_that_fails_or_panics_is_an_error_and_not_a_hang() {
    for (panics, what) in [(false, "the disk is gone"), (true, "stopped")] {
        let stream: Box<dyn Read + Send> = Box::new(Failing { bytes: Cursor::new(itch(5)), panics });
        let mut source = StreamSource::new(Box::new(ItchDecoder::new(None)), vec![stream]);
        let (inputs, end) = drain(&mut source);
        let e = end.unwrap_err();
        assert!(e.what.contains(what), "{e}");
        let kept = if panics { 0..=5 } else { 5..=5 };
        assert!(kept.contains(&inputs.len()), "{} inputs", inputs.len());
        assert_eq!(source.poll(&mut Inputs::with_capacity(0)), Err(e), "it stays so");
    }
}

#[test]
fn the_wrong_feed_is_named_with_the_right_one() {
    let folder = Folder::new();
    let dbn = folder.file("x.bin", b"DBN\x01 and more");
    let request = Request { paths: vec![dbn.clone()], date: None, params: Params::default() };
    let e = flow::find(FEEDS, "itch").unwrap().input(&request, FEEDS).map(Input::start).err().unwrap().to_string();
    assert!(e.contains("is not itch data (first bytes: 44 42 4e 01"), "{e}");
    if let Some(feed) = recognised_as(&dbn, FEEDS).unwrap() {
        assert!(e.contains(&format!("it looks like {0}: use --feed {0}", feed.name)), "{e}");
    }
}
