//! Files that are decompressed by several threads: what is used before damage, and that dropping a source ends them all.

use crate::reader::{Folder, drain, noise, outcome, source, zstd};
use flow::{Inputs, Polled, Source};
use std::path::Path;
use std::time::{Duration, Instant};

/// Messages of a frame, of which about a megabyte is left when they are packed.
const MESSAGES: usize = 110_000;
const FRAMES: usize = 5;

/// A file of several frames, and where each of them begins.
fn frames() -> (Vec<u8>, Vec<usize>) {
    let plain = noise((MESSAGES * FRAMES) as u64);
    let frames: Vec<_> = plain.chunks(plain.len() / FRAMES).map(zstd).collect();
    let starts = frames.iter().scan(0, |at, frame| Some(std::mem::replace(at, *at + frame.len()))).collect();
    assert!(frames.iter().all(|frame| frame.len() > 1 << 20), "each is work for a thread of its own");
    (frames.concat(), starts)
}

/// How many threads of this process decompress ahead.
fn helpers() -> usize {
    let name = |task: std::io::Result<std::fs::DirEntry>| std::fs::read_to_string(task.ok()?.path().join("comm")).ok();
    std::fs::read_dir("/proc/self/task").unwrap().filter_map(name).filter(|name| name.trim() == "feed-unpack").count()
}

fn first_inputs(path: &Path) -> impl Source {
    let (mut source, mut inputs) = (source(path), Inputs::with_capacity(0));
    while source.poll(&mut inputs).unwrap() != Polled::Ready {}
    source
}

#[test]
fn damage_in_a_frame_is_reported_after_all_frames_before_it() {
    let folder = Folder::new();
    let (bytes, starts) = frames();
    let whole = folder.file("whole.zst", &bytes);
    let plain = folder.file("plain", &noise((MESSAGES * FRAMES) as u64));
    assert!(drain(&mut source(&whole)) == drain(&mut source(&plain)), "in order");
    for (frame, at) in starts.into_iter().enumerate().skip(1) {
        let damaged = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = bytes.clone();
            change(&mut bytes);
            let (inputs, end) = outcome(&folder.file(name, &bytes));
            (inputs, end.unwrap_err())
        };
        let (inputs, e) = damaged("magic.zst", &|bytes| bytes[at] ^= 0xff);
        assert_eq!(
            (inputs, e.record, e.offset),
            (MESSAGES * frame, (MESSAGES * frame) as u64 + 1, offset(frame)),
            "{e}"
        );
        assert!(e.what.contains("bytes follow a whole zstd stream") && e.what.contains("magic.zst"), "{e}");
        let (inputs, e) = damaged("sum.zst", &|bytes| bytes[at - 1] ^= 1);
        assert_eq!((inputs, e.offset), (MESSAGES * frame, offset(frame)), "{e}");
        assert!(e.what.contains("the checksum of its content does not match"), "{e}");
        let (inputs, e) = damaged("cut.zst", &|bytes| bytes.truncate(at + 1_000_000));
        assert!((MESSAGES * frame..MESSAGES * (frame + 1)).contains(&inputs), "{inputs}: {e}");
        assert!(e.next.contains("it was cut short: get all of it"), "{e}");
        assert!(e.what.contains(&format!("at or before byte {} of the file", at + 1_000_000)), "{e}");
    }
}

/// Where a frame begins in the uncompressed stream.
fn offset(frame: usize) -> u64 {
    (noise(1).len() * MESSAGES * frame) as u64
}

#[test]
fn a_dropped_source_ends_all_that_decompress_for_it() {
    let folder = Folder::new();
    let path = folder.file("day.zst", &frames().0);
    for opened in 0..1_000 {
        // Before anything was read, while the helpers work, and when they wait.
        let source =
            if opened % 4 == 0 { Box::new(first_inputs(&path)) } else { Box::new(source(&path)) as Box<dyn Source> };
        if opened % 40 == 0 {
            std::thread::sleep(Duration::from_millis(50));
        }
        drop(source);
    }
    let start = Instant::now();
    while helpers() > 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "{} threads still run", helpers());
        std::thread::sleep(Duration::from_millis(5));
    }
}
