//! The files: what they say, and that a row is in them once, whatever fails.

use super::files::hour_of;
use super::reset::reset;
use super::sink::{ParquetSink, Settings};
use super::step::FAILS_AT;
use crate::journal::Position;
use crate::tables::Rows;
use crate::tailer::{Names, Occasion, Tailer, TailerError};
use ::parquet::basic::Compression;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use flow::records::{Bust, Fill, FillCost, Trade};
use flow::{Event, EventId, FieldType, Flags, Kind, Ns, OrderId, Px, Qty, Record};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const RUN: u64 = 0xab;
/// 2012-06-21 09:30 UTC.
const BEGIN: u64 = 1_340_271_000 * Ns::SECOND;

struct Nameless;

impl Names for Nameless {
    fn name(&self, _: FieldType, _: Kind, _: u64) -> Option<&str> {
        None
    }
}

fn sink(dir: &Path, resumes: bool, tables: &[&str], batch_rows: usize, rows_per_file: u64) -> ParquetSink {
    let tables: Vec<_> = tables.iter().map(|name| (*name).to_owned()).collect();
    let rows = Rows::new(&tables, Arc::new(Nameless));
    let (compression, longest) = (Compression::SNAPPY, Duration::from_secs(3_600));
    let dir = dir.to_owned();
    let mut sink = ParquetSink::new(Settings { dir, tables, compression, rows_per_file, batch_rows, longest });
    sink.at(RUN, rows, resumes);
    sink
}

fn event<R: Record>(seq: u64, ts: u64, record: &R) -> Event {
    Event { id: EventId::new(seq, 0, 0), source: 3, ..Event::new(Ns(ts), 1, Flags::NONE, record) }
}

/// Trades, and each fifth input a fill with its cost behind it; some minutes between two of them.
fn events(count: u64) -> Vec<Event> {
    let order_id = OrderId(1 << 56 | 7 << 40 | 3).0;
    let one = |seq: u64| {
        let ts = BEGIN + seq * 97 * Ns::SECOND;
        let px = Px((seq as i64 - 20) * 1_000_000_001);
        match seq % 5 {
            3 => event(seq, ts, &Fill { order_id, px, qty: Qty(9), match_id: seq, cause: 0 }),
            4 => event(seq, ts, &FillCost { order_id, fee: 5, match_id: seq - 1, ..FillCost::default() }),
            _ => event(seq, ts, &Trade { exchange_ts: Ns(u64::MAX), px, qty: Qty(seq), ..Trade::default() }),
        }
    };
    (1..=count).map(one).collect()
}

fn behind(event: &Event) -> Position {
    Position { run: RUN, journal: RUN, seq: event.id.seq(), at: event.ts, outcomes: 0, told: 0 }
}

/// All files below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

type Shown = BTreeMap<String, String>;

/// The rows of a table, with the place of their file.
fn rows(dir: &Path, table: &str) -> Vec<(String, Shown)> {
    let mut shown = Vec::new();
    for path in files(&dir.join(table)) {
        let place = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let cells = row.get_column_iter().map(|(name, field)| (name.clone(), field.to_string()));
            shown.push((place.clone(), cells.filter(|(_, value)| value != "null").collect()));
        }
    }
    shown
}

/// What a run of the sink came to.
enum End {
    Done,
    Killed,
}

/// Delivers events from where the sink is to their end, or to its death behind so many.
fn deliver(
    sink: &mut ParquetSink,
    events: &[Event],
    saved: &mut Option<Position>,
    dies_behind: Option<usize>,
) -> Result<End, TailerError> {
    let from = sink.position()?.or(*saved).map_or(0, |position| position.seq as usize);
    for (taken, at) in (from..events.len()).enumerate() {
        if dies_behind.is_some_and(|behind| behind == taken) {
            return Ok(End::Killed);
        }
        let is_due = sink.is_due(events[at].ts) || at % 7 == 0;
        if at > 0 && is_due && !sink.is_amid() {
            *saved = sink.commit(&behind(&events[at - 1]), Occasion::Between)?.or(*saved);
        }
        sink.take(RUN, &events[at])?;
    }
    *saved = sink.commit(&behind(events.last().unwrap()), Occasion::Over)?;
    Ok(End::Done)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_row_is_in_the_files_once_whatever_fails(
        faults in prop::collection::vec((1..120_u64, any::<bool>()), 0..12),
        deaths in prop::collection::vec(0..200_usize, 0..6),
        batch_rows in 1..40_usize,
        rows_per_file in 3..60_u64,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("files");
        let (events, mut saved) = (events(200), None);
        let (mut faults, mut deaths) = (faults.into_iter(), deaths.into_iter());
        let mut one = sink(&dir, false, &[], batch_rows, rows_per_file);
        for attempt in 0.. {
            prop_assert!(attempt < 40);
            let fault = faults.next();
            FAILS_AT.set(fault.map_or(0, |(at, _)| at));
            let end = deliver(&mut one, &events, &mut saved, deaths.next());
            FAILS_AT.set(0);
            let is_killed = match end {
                Ok(End::Done) => break,
                Ok(End::Killed) => true,
                Err(error) => {
                    prop_assert!(error.transient, "{}", error);
                    fault.is_some_and(|(_, kills)| kills)
                }
            };
            // What is readable at any time is whole, and nothing is there twice.
            let seqs: Vec<_> = rows(&dir, "trades").into_iter().map(|(_, row)| row["seq"].clone()).collect();
            let mut once = seqs.clone();
            once.sort();
            once.dedup();
            prop_assert_eq!(once.len(), seqs.len());
            if is_killed {
                drop(one);
                one = sink(&dir, saved.is_some(), &[], batch_rows, rows_per_file);
            }
        }
        let mut found = Vec::new();
        for table in ["trades", "fills"] {
            for (place, row) in rows(&dir, table) {
                let seq: u64 = row["seq"].parse().unwrap();
                let of = &events[seq as usize - 1];
                let hour = format!("{table}/day=2012-06-21/{:02}-00000000000000ab-", hour_of(of.ts) % 24);
                prop_assert!(place.starts_with(&hour), "{} {}", place, hour);
                if table == "fills" {
                    prop_assert_eq!(&row["fee"], "0.000000005");
                }
                found.push(seq);
            }
        }
        found.sort_unstable();
        let wanted: Vec<u64> = (1..=200).filter(|seq| seq % 5 != 4).collect();
        prop_assert_eq!(found, wanted);
        let drafts = files(&dir.join("_tidegate")).iter().filter(|path| path.extension().unwrap_or_default() == "draft").count();
        prop_assert_eq!(drafts, 0);
    }
}

#[test]
fn values_are_exact_and_what_fits_nowhere_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = sink(dir.path(), false, &[], 1_000, 1_000);
    assert_eq!(one.position().unwrap(), None);
    let trade = |seq, px| event(seq, BEGIN, &Trade { px: Px(px), qty: Qty(1 << 62), ..Trade::default() });
    let prices = [i64::MAX - 1, i64::MIN + 1, -1, 0, 1_000_000_000, 585_330_000_001];
    let mut taken: Vec<_> = (1..).zip(prices).map(|(seq, px)| trade(seq, px)).collect();
    taken.push(event(7, BEGIN, &Bust { match_id: u64::MAX, qty: Qty(u64::MAX), ..Bust::default() }));
    taken.iter().for_each(|event| one.take(RUN, event).unwrap());
    let position = behind(taken.last().unwrap());
    assert_eq!(one.commit(&position, Occasion::Between).unwrap(), None, "nothing is due");
    assert_eq!(rows(dir.path(), "trades"), []);
    assert_eq!(one.commit(&position, Occasion::Stop).unwrap(), Some(position));
    assert!(one.said()[0].starts_with("1 events make no row"));
    let shown = rows(dir.path(), "trades");
    let found: Vec<_> = shown.iter().map(|(_, row)| row["px"].as_str()).collect();
    let wanted = ["9223372036.854775806", "-9223372036.854775807", "-0.000000001", "0.000000000", "1.000000000"];
    assert_eq!(found[..5], wanted);
    assert_eq!((found[5], shown[0].1["qty"].as_str()), ("585.330000001", "4611686018427387904"));
    assert!(!shown[0].1.contains_key("symbol") && shown[0].1["inferred"] == "false");
    let letters = files(&dir.path().join("dead_letters"));
    assert!(fs::read_to_string(&letters[0]).unwrap().contains("qty: it is above 2^63 - 1"));
    assert_eq!(rows(dir.path(), "fills"), [], "no file without rows");
    for path in files(dir.path()) {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o77, 0);
    }
}

#[test]
fn a_fill_without_its_cost_waits_and_is_never_there_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = sink(dir.path(), false, &[], 1_000, 1_000);
    one.position().unwrap();
    let (all, order_id) = (events(4), OrderId(1 << 56 | 7 << 40 | 3).0);
    all[..3].iter().for_each(|event| one.take(RUN, event).unwrap());
    let position = behind(&all[2]);
    assert_eq!(one.commit(&position, Occasion::Stop).unwrap(), None, "a cut would part it from its cost");
    assert_eq!(one.commit(&position, Occasion::Over).unwrap(), Some(position), "it never comes");
    let late = event(4, BEGIN, &FillCost { order_id, match_id: 3, ..FillCost::default() });
    one.take(RUN, &late).unwrap();
    one.commit(&behind(&late), Occasion::Over).unwrap();
    let fills = rows(dir.path(), "fills");
    assert!(fills.len() == 1 && !fills[0].1.contains_key("fee"));
    let letters = fs::read_to_string(&files(&dir.path().join("dead_letters"))[0]).unwrap();
    assert!(letters.contains("was written before, without it"), "{letters}");
}

#[test]
fn a_folder_that_is_not_as_it_was_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("files");
    let refused = |sink: &mut ParquetSink, word: &str, transient: bool| {
        let error = sink.position().unwrap_err();
        assert!(error.to_string().contains(word) && error.transient == transient, "{error}");
    };
    refused(&mut sink(&dir, true, &[], 9, 9), "rows are in another folder", false);
    let mut one = sink(&dir, false, &["trades"], 9, 9);
    one.position().unwrap();
    refused(&mut sink(&dir, true, &["trades"], 9, 9), "another process", false);
    one.position().unwrap();
    drop(one);
    refused(&mut sink(&dir, true, &["fills"], 9, 9), "of the tables trades", false);
    let text = files(&dir).into_iter().find(|path| path.ends_with("position.json")).unwrap();
    fs::write(&text, "{}").unwrap();
    refused(&mut sink(&dir, true, &["trades"], 9, 9), "no position of this sink", false);
    fs::remove_dir_all(&dir).unwrap();
    fs::write(&dir, "a file").unwrap();
    refused(&mut sink(&dir, false, &[], 9, 9), "see that the folder can be written", true);
}

/// A reset that fails at any step leaves a sink that is refused or one that begins anew, and the next reset brings it to its end. The
/// files of another run in the folder stay.
#[test]
fn a_reset_removes_the_files_of_its_run_alone_whatever_fails() {
    let events = events(60);
    let write = |dir: &Path, saved: &mut Option<Position>| {
        let mut sink = sink(dir, saved.is_some(), &["trades", "fills"], 10, 1_000);
        deliver(&mut sink, &events, saved, None).map(drop)
    };
    for fails_at in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        let (dir, mut saved) = (folder.path(), None);
        write(dir, &mut saved).unwrap();
        let whole = rows(dir, "trades");
        let other = dir.join("trades/day=2012-06-21/09-00000000000000cd-000001.parquet");
        fs::create_dir_all(dir.join("_tidegate/00000000000000cd")).unwrap();
        fs::write(&other, "another run").unwrap();
        let said = reset(dir, RUN, false).unwrap();
        assert!(said.contains(&format!("{} files of this run", files(dir).len() - 3)), "{said}");
        FAILS_AT.set(fails_at);
        let failed = reset(dir, RUN, true).is_err();
        FAILS_AT.set(0);
        if failed {
            // The follower still has its position: the sink goes on only where nothing was removed yet.
            let went_on = write(dir, &mut saved.clone()).is_ok();
            fs::remove_file(&other).unwrap();
            assert!(!went_on || rows(dir, "trades") == whole, "rows are missing after a failure at step {fails_at}");
            fs::write(&other, "another run").unwrap();
            reset(dir, RUN, true).unwrap();
        }
        let left = files(dir);
        assert_eq!(left, std::slice::from_ref(&other), "after a failure at step {fails_at}");
        fs::remove_file(&other).unwrap();
        write(dir, &mut None).unwrap();
        assert_eq!(rows(dir, "trades"), whole);
    }
}
