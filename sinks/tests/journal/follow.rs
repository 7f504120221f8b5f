//! Readers in one order: against a naive reading of the whole logs, beside a writer, over rolls, gaps and removals.

use crate::common::{enter, examine, fan_out, input, outcome, outcomes_through, spec, trades, upkeep, write};
use crate::disks::small;
use flow::records::Add;
use flow::{Event, Kinds, Ns, Record, Sink};
use proptest::prelude::*;
use sinks::journal::{
    Begin, Follow, Followed, Follower, Follows, Gap, Home, InputLog, Journal, JournalSpec, Missing, OutcomeLog,
    Position, Registered, Saved, holders,
};
use std::path::{Path, PathBuf};

/// All events up to an input, each input before its outcomes, made without a journal.
fn naive(through: u64, kinds: Kinds) -> Vec<Event> {
    let all = (1..=through).flat_map(|s| std::iter::once(input(s)).chain((0..fan_out(s)).map(move |n| outcome(s, n))));
    all.filter(|event| kinds.has(event.kind)).collect()
}

fn adds() -> Kinds {
    Kinds::of(&[Add::KIND])
}

/// A run that rolls.
struct Rolling {
    dir: PathBuf,
    spec: JournalSpec,
    first: u64,
    logs: Option<(InputLog, OutcomeLog)>,
    last: u64,
}

impl Rolling {
    fn begin(dir: &Path, spec: JournalSpec) -> Rolling {
        let (inputs, outcomes) = Journal::create(dir, &spec).unwrap();
        let first = inputs.info().journal_id;
        Rolling { dir: dir.to_owned(), spec, first, logs: Some((inputs, outcomes)), last: 0 }
    }

    fn write(&mut self, count: u64) {
        let (inputs, outcomes) = self.logs.as_mut().unwrap();
        write(inputs, outcomes, self.last + 1..=self.last + count);
        self.last += count;
    }

    /// As a run does it: the next journal begins, and then the old one is closed and the next one says how.
    fn roll(&mut self) {
        let (inputs, outcomes) = self.logs.take().unwrap();
        let info = inputs.info().clone();
        Home::make_room(&self.dir).unwrap();
        let spec = JournalSpec {
            number: info.number + 1,
            follows: Some(Follows { journal_id: info.journal_id, first_id: self.first }),
            ..self.spec.clone()
        };
        let place = Home::place(&self.dir, info.number + 1);
        let (mut next, out) = Journal::create(&place, &spec).unwrap();
        next.begin(&Begin { after: self.last, at: Ns(7), state: "snapshots/a.snap".to_owned() }, b"state").unwrap();
        self.logs = Some((next, out));
        self.write(3);
        Journal::close(inputs, outcomes).unwrap();
        let home = Home::open(&self.dir).unwrap();
        let before = home.before(info.number + 1).unwrap();
        let previous = sinks::journal::Previous::of(&before.dir, &before.info).unwrap().unwrap();
        previous.write(&place).unwrap();
    }

    fn stop(&mut self) {
        let (inputs, outcomes) = self.logs.take().unwrap();
        Journal::close(inputs, outcomes).unwrap();
    }

    fn go_on(&mut self) {
        let dir = Home::open(&self.dir).unwrap().current().dir.clone();
        let resumed = examine(&dir).unwrap().accept(upkeep(1)).unwrap();
        self.logs = Some((resumed.inputs, resumed.outcomes));
    }
}

/// What comes until nothing more does: events, and gaps.
fn all(follow: &mut Follow) -> (Vec<Event>, Vec<Gap>) {
    let (mut events, mut gaps) = (Vec::new(), Vec::new());
    for found in follow {
        match found.unwrap() {
            Followed::Event(event) => events.push(event),
            Followed::Gap(gap) => gaps.push(gap),
        }
    }
    (events, gaps)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever the run does meanwhile, and wherever the reader is opened anew at its position.
    #[test]
    fn a_reader_has_each_event_once_and_in_order(
        pages in 1u64..4,
        steps in prop::collection::vec((0u8..4, 0u64..300, 0usize..400), 1..10),
        wanted in 0u8..3,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("journal");
        let mut run = Rolling::begin(&dir, spec(64 * pages, 1));
        let kinds = [Kinds::ALL, adds(), trades()][usize::from(wanted)];
        let mut follow = Follow::open(&dir, kinds).unwrap();
        let mut seen = Vec::new();
        for (what, count, read) in steps {
            run.write(count);
            for _ in 0..read {
                let Some(found) = follow.next() else { break };
                match found.unwrap() {
                    Followed::Event(event) => seen.push(event),
                    Followed::Gap(gap) => prop_assert!(false, "{gap}"),
                }
            }
            match what {
                0 => run.roll(),
                1 => {
                    run.stop();
                    run.go_on();
                }
                2 => follow = Follow::open_at(&dir, kinds, &follow.reached()).unwrap(),
                _ => {}
            }
        }
        run.write(1);
        let (rest, gaps) = all(&mut follow);
        prop_assert!(gaps.is_empty());
        seen.extend(rest);
        prop_assert!(seen == naive(run.last, kinds));
        prop_assert!(!follow.is_over().unwrap());
        run.logs.as_ref().unwrap().0.end();
        run.stop();
        prop_assert!(follow.next().is_none() && follow.is_over().unwrap());
    }
}

/// Three readers beside a writer that rolls twice; nobody waits for anybody.
#[test]
fn readers_beside_a_writer_miss_nothing() {
    const EACH: u64 = 8_000;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let mut run = Rolling::begin(&dir, spec(1_024, 5));
    let last = 3 * EACH + 6;
    std::thread::scope(|scope| {
        let readers = [Kinds::ALL, adds(), trades()].map(|kinds| {
            let dir = &dir;
            scope.spawn(move || {
                let (mut follow, mut seen) = (Follow::open(dir, kinds).unwrap(), Vec::new());
                loop {
                    match follow.next().transpose().unwrap() {
                        Some(Followed::Event(event)) => seen.push(event),
                        Some(Followed::Gap(gap)) => panic!("{gap}"),
                        None if follow.reached().seq == last => break,
                        None => std::thread::yield_now(),
                    }
                }
                seen.extend(all(&mut follow).0);
                assert!(seen == naive(last, kinds), "{} events", seen.len());
            })
        });
        run.write(EACH);
        run.roll();
        run.write(EACH);
        run.roll();
        run.write(EACH);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    run.stop();
}

#[test]
fn a_reader_that_begins_now_misses_what_was() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let mut run = Rolling::begin(&dir, small());
    run.write(1_000);
    let mut follow = Follow::open_newest(&dir, Kinds::ALL).unwrap();
    assert!(follow.next().is_none());
    run.write(500);
    assert!(all(&mut follow).0 == naive(1_500, Kinds::ALL)[naive(1_000, Kinds::ALL).len()..]);
    run.stop();
}

/// What an input has left out is told before what follows, and once, also to a reader that goes on there.
#[test]
fn outcomes_that_were_left_out_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let freezer = crate::disks::Freezer::default();
    let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), freezer.disk()).unwrap();
    write(&mut inputs, &mut outcomes, 1..=100);
    let mut follow = Follow::open(&dir, Kinds::ALL).unwrap();
    assert_eq!(all(&mut follow).1, []);
    freezer.set(true);
    enter(&mut inputs, &input(101)).unwrap();
    (0..20_000).for_each(|n| outcomes.take(&outcome(101, n)).unwrap());
    let lost = outcomes.lost();
    assert!(lost > 10_000, "{lost}");
    assert!(follow.next().is_none(), "nobody knows yet what of it will be there");
    outcomes.finished(101).unwrap();
    freezer.set(false);
    crate::disks::until("there is room again", || inputs.ready().unwrap());
    write(&mut inputs, &mut outcomes, 102..=2_000);
    let told = Followed::Gap(Gap { from: 101, to: 101, missing: Missing::Outcomes });
    assert_eq!(follow.next().unwrap().unwrap(), told);
    let mut again = Follow::open_at(&dir, Kinds::ALL, &follow.reached()).unwrap();
    let (events, gaps) = all(&mut follow);
    assert_eq!((gaps.len(), events.len() as u64), (0, left_of_101(lost) + 1 + expected_behind_101()));
    assert!(all(&mut again) == (events, gaps));
    Journal::close(inputs, outcomes).unwrap();
    let (_, gaps) = all(&mut Follow::open(&dir, Kinds::ALL).unwrap());
    assert_eq!(gaps, [Gap { from: 101, to: 101, missing: Missing::Outcomes }]);
}

fn left_of_101(lost: u64) -> u64 {
    20_000 - lost
}

fn expected_behind_101() -> u64 {
    (102..=2_000).map(|seq| 1 + fan_out(seq)).sum()
}

/// Outcomes without an end, as a disk that never came back leaves them, end with the journal.
#[test]
fn a_journal_that_ends_with_outcomes_left_out_is_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let freezer = crate::disks::Freezer::default();
    let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), freezer.disk()).unwrap();
    write(&mut inputs, &mut outcomes, 1..=100);
    freezer.set(true);
    enter(&mut inputs, &input(101)).unwrap();
    (0..20_000).for_each(|n| outcomes.take(&outcome(101, n)).unwrap());
    freezer.set(false);
    Journal::close(inputs, outcomes).unwrap();
    let (events, gaps) = all(&mut Follow::open(&dir, adds()).unwrap());
    assert!(events == naive(101, adds()));
    assert_eq!(gaps, [Gap { from: 101, to: 101, missing: Missing::Outcomes }]);
}

/// Old outcome segments go at the high-water mark, whoever reads: a slow reader is told.
#[test]
fn outcomes_that_were_dropped_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let mut low = spec(64, 1);
    low.upkeep.high_water_bytes = 2_000_000;
    let (mut inputs, mut outcomes) = Journal::create(&dir, &low).unwrap();
    write(&mut inputs, &mut outcomes, 1..=20);
    let mut follow = Follow::open(&dir, Kinds::ALL).unwrap();
    let mut events = all(&mut follow).0;
    for seq in 21..=1_000u64 {
        enter(&mut inputs, &input(seq)).unwrap();
        (0..40).for_each(|n| outcomes.take(&outcome(seq, n)).unwrap());
        outcomes.finished(seq).unwrap();
    }
    Journal::close(inputs, outcomes).unwrap();
    let dropped = sinks::journal::JournalReader::open(&dir).unwrap().gaps().unwrap().dropped;
    let (rest, gaps) = all(&mut follow);
    events.extend(rest);
    assert!(gaps.len() == 1 && gaps[0].to == dropped.through_seq && gaps[0].missing == Missing::Outcomes, "{gaps:?}");
    let inputs: Vec<_> = events.iter().filter(|e| e.id.position() == 0).copied().collect();
    assert!(inputs.into_iter().eq((1..=1_000).map(input)), "the inputs are all there");
    assert!(events.is_sorted_by_key(|e| e.id.seq()));
    let before = outcomes_through(20).len() as u64;
    let missing = before + 980 * 40 - events.iter().filter(|e| e.id.position() > 0).count() as u64;
    assert!(missing > 20_000 && missing <= dropped.through_record, "{missing} of {dropped:?}");
}

/// A journal that was removed is a gap; one that was read to its end before is none.
#[test]
fn a_journal_that_is_gone_is_told_once() {
    for read in [0, 700, usize::MAX] {
        for anew in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let dir = folder.path().join("journal");
            let mut run = Rolling::begin(&dir, spec(64, 1));
            run.write(1_000);
            let mut follow = Follow::open(&dir, Kinds::ALL).unwrap();
            let seen: Vec<_> = follow.by_ref().take(read).map(Result::unwrap).collect();
            let position = follow.reached();
            for _ in 0..2 {
                run.roll();
                run.write(500);
                let home = Home::open(&dir).unwrap();
                home.remove(&home.journals()[0]).unwrap();
            }
            if anew {
                follow = Follow::open_at(&dir, Kinds::ALL, &position).unwrap();
                assert!(follow.reached() == position, "it moves with the gap");
            }
            let (events, gaps) = all(&mut follow);
            // One that was open has read ahead.
            let (ahead, behind) = events.split_at(events.partition_point(|event| event.id.seq() <= 1_503));
            let ahead = seen.into_iter().chain(ahead.iter().map(|event| Followed::Event(*event)));
            let from = ahead.clone().last().map_or(1, |last| match last {
                Followed::Event(event) => event.id.seq(),
                Followed::Gap(gap) => gap.to,
            });
            assert_eq!(gaps, [Gap { from, to: 1_503, missing: Missing::Both }], "{read} read");
            assert!(
                naive(1_503, Kinds::ALL).into_iter().map(Followed::Event).zip(ahead).all(|(one, other)| one == other)
            );
            assert!(behind == &naive(run.last, Kinds::ALL)[naive(1_503, Kinds::ALL).len()..]);
            run.stop();
        }
    }
}

#[test]
fn a_journal_that_was_read_and_is_gone_is_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let mut run = Rolling::begin(&dir, small());
    run.write(1_000);
    let mut follow = Follow::open(&dir, Kinds::ALL).unwrap();
    let before = all(&mut follow).0;
    let position = follow.reached();
    run.roll();
    let home = Home::open(&dir).unwrap();
    home.remove(&home.journals()[0]).unwrap();
    for mut follow in [follow, Follow::open_at(&dir, Kinds::ALL, &position).unwrap()] {
        let (events, gaps) = all(&mut follow);
        assert!(gaps.is_empty(), "{gaps:?}");
        assert!([before.clone(), events].concat() == naive(1_003, Kinds::ALL));
    }
    run.stop();
}

/// A position that the journals do not have is refused.
#[test]
fn a_position_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let mut run = Rolling::begin(&dir, small());
    run.write(300);
    let mut follow = Follow::open(&dir, Kinds::ALL).unwrap();
    all(&mut follow);
    let right = follow.reached();
    Follow::open_at(&dir, Kinds::ALL, &right).unwrap();
    let wrong: [(Position, &str); 4] = [
        (Position { seq: 301, ..right }, "it has no input 301"),
        (Position { at: Ns(5), ..right }, "its input 300 is another one"),
        (Position { run: 1, ..right }, "it is of another run"),
        (Position { journal: 1, ..right }, "its journal is gone"),
    ];
    for (position, why) in wrong {
        let said = Follow::open_at(&dir, Kinds::ALL, &position).unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
    }
    run.stop();
}

/// Names are saved, held by one process at a time, and hold the journals that were not read.
#[test]
fn a_follower_with_a_name_holds_what_it_has_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let mut run = Rolling::begin(&dir, small());
    run.write(200);
    assert!(Follower::take(&dir, "../x").is_err() && Follower::take(&dir, "").is_err());
    let mut follow = Follow::open(&dir, adds()).unwrap();
    let mut desk = Follower::take(&dir, "desk").unwrap();
    assert!(desk.saved().is_none() && Registered::list(&dir).unwrap().is_empty());
    let save = |desk: &mut Follower, position| desk.save(Saved { output_bytes: Some(7), position }).unwrap();
    save(&mut desk, follow.reached());
    let said = Follower::take(&dir, "desk").unwrap_err().to_string();
    assert!(said.contains("is running already"), "{said}");
    run.roll();
    run.roll();
    let home = Home::open(&dir).unwrap();
    let held = |at: usize| holders(&home, &home.journals()[at]).unwrap();
    assert_eq!([held(0), held(1)], [["desk"], ["desk"]]);
    let mut other = Follower::take(&dir, "archive").unwrap();
    follow.by_ref().take(201).for_each(|found| assert!(found.is_ok()));
    save(&mut other, follow.reached());
    assert_eq!(held(0), ["desk"]);
    assert_eq!(held(1), ["archive", "desk"]);
    drop(desk);
    let list = Registered::list(&dir).unwrap();
    let list: Vec<_> = list.iter().map(|one| (one.name.as_str(), one.is_running)).collect();
    assert_eq!(list, [("archive", true), ("desk", false)]);
    let desk = Follower::take(&dir, "desk").unwrap();
    assert_eq!(desk.saved().unwrap().output_bytes, Some(7));
    desk.forget().unwrap();
    assert!(Follower::take(&dir, "desk").unwrap().forget().unwrap_err().to_string().contains("no follower"));
    assert_eq!(held(0), [""; 0]);
    all(&mut follow);
    save(&mut other, follow.reached());
    assert_eq!(held(1), [""; 0]);
    run.stop();
}
