//! The journal's reader and verifier: a whole journal of a few small segments whose files are edited in places.
//!
//! The input is a row of edits of five bytes: file, offset (two bytes), what to do, value. Whatever is edited, opening,
//! reading, listing and verifying end without a panic; and when it was one edit and the journal is still called whole,
//! the events read are those that were written, or the first of them.
#![no_main]

use flow::records::Add;
use flow::{Event, EventId, Flags, Ns, Sink};
use sinks::journal::{Journal, JournalReader, JournalSpec, verify};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::TempDir;

/// Inputs that were written, each with one outcome: more than two segments of [`SEGMENT`].
const INPUTS: u64 = 150;
const SEGMENT: u64 = 64;

/// A journal and what its files hold unedited.
struct Whole {
    folder: TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
    events: [Vec<Event>; 2],
}

static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = folder.path().join("journal");
    let mut spec = JournalSpec::new("fuzz", "");
    spec.segment_records = SEGMENT;
    let (mut inputs, mut outcomes) = Journal::create(&dir, &spec).expect("a new journal");
    for seq in 1..=INPUTS {
        let mut event = Event::new(Ns(seq), 1, Flags::LAST_OF_GROUP, &Add::default());
        event.id = EventId::new(seq, 0, 0);
        inputs.append(&event).expect("there is room");
        event.id = EventId::new(seq, 1, 0);
        outcomes.take(&event).expect("there is room");
        outcomes.finished(seq).expect("there is room");
    }
    Journal::close(inputs, outcomes).expect("it closes");
    let mut files = Vec::new();
    collect(&dir, &mut files);
    files.sort();
    let events = read(&dir).expect("it reads");
    assert!(events.iter().all(|log| log.len() as u64 == INPUTS), "the journal is as it was written");
    Whole { folder, files, events }
});

/// Every file in a folder with its bytes.
fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let bytes = fs::read(&path).expect("the file can be read");
            files.push((path, bytes));
        }
    }
}

/// Both logs; `None` when one of them is refused.
fn read(dir: &Path) -> Option<[Vec<Event>; 2]> {
    let reader = JournalReader::open(dir).ok()?;
    // None of these may panic, whatever they answer.
    let _ = (reader.gaps(), reader.closed(), reader.completed_through(), reader.list());
    Some([reader.inputs().collect::<Result<_, _>>().ok()?, reader.outcomes().collect::<Result<_, _>>().ok()?])
}

/// Applies one edit to a file's bytes.
fn edit(bytes: &mut Vec<u8>, offset: usize, what: u8, value: u8) {
    let at = offset % (bytes.len() + 1);
    match what % 4 {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, value),
        2 => bytes.iter_mut().skip(at).take(8).for_each(|b| *b = value),
        _ => bytes.iter_mut().skip(at).take(1).for_each(|b| *b ^= value),
    }
}

libfuzzer_sys::fuzz_target!(|edits: &[u8]| {
    let whole = &*WHOLE;
    let dir = whole.folder.path().join("journal");
    let mut edited: Vec<(usize, Vec<u8>)> = Vec::new();
    for &[file, high, low, what, value] in edits.as_chunks::<5>().0.iter().take(16) {
        let file = usize::from(file) % whole.files.len();
        let at = edited.iter().position(|(f, _)| *f == file).unwrap_or_else(|| {
            edited.push((file, whole.files[file].1.clone()));
            edited.len() - 1
        });
        edit(&mut edited[at].1, usize::from(u16::from_be_bytes([high, low])), what, value);
    }
    for (file, bytes) in &edited {
        fs::write(&whole.files[*file].0, bytes).expect("the file can be written");
    }
    let (read, verified) = (read(&dir), verify(&dir, 16));
    for (file, _) in &edited {
        fs::write(&whole.files[*file].0, &whole.files[*file].1).expect("the file can be written");
    }
    if let (1, Ok(verified), Some(read)) = (edits.len() / 5, verified, read)
        && verified.is_intact()
    {
        for (log, written) in read.iter().zip(&whole.events) {
            assert!(written.starts_with(log), "called whole, but other events are read");
        }
    }
});
