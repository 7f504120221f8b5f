//! Delivery to a sink that fails, is killed and comes back: each event once in what it has committed.

use crate::common::{fan_out, input, outcome, spec, write};
use flow::{Event, EventId, FieldType, Kind, Kinds, Ns};
use proptest::prelude::*;
use sinks::journal::{Gap, Journal, Member, Position};
use sinks::tailer::{
    Counters, Delivery, DeliveryError, Following, Names, Occasion, Reference, Runner, Tailer, TailerError, deliver,
};
use std::cell::Cell;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A run without names.
struct Nameless;

impl Names for Nameless {
    fn name(&self, _: FieldType, _: Kind, _: u64) -> Option<&str> {
        None
    }
}

impl Reference for Nameless {
    fn names(&self) -> Arc<dyn Names> {
        Arc::new(Nameless)
    }

    fn begins_with(&self, _: &Member) -> Result<Vec<Event>, String> {
        Ok(Vec::new())
    }
}

/// A sink whose errors are given: by the number of a call of it, whether it may work later.
struct Memory {
    /// What is durable, and how far it reaches.
    committed: (Vec<EventId>, Option<Position>),
    taken: Vec<EventId>,
    /// Whether it saves the position with its data.
    keeps: bool,
    /// It makes durable at each so many commits, and at the last one.
    every: u64,
    calls: u64,
    errors: Vec<(u64, bool)>,
}

impl Memory {
    fn call(&mut self) -> Result<(), TailerError> {
        self.calls += 1;
        let error = self.errors.iter().find(|(call, _)| *call == self.calls);
        error.map_or(Ok(()), |(_, transient)| {
            let (what, next) = ("the database is away".to_owned(), "start it".to_owned());
            Err(TailerError { what, next, transient: *transient })
        })
    }
}

impl Tailer for Memory {
    fn kinds(&self) -> Kinds {
        Kinds::ALL
    }

    fn position(&mut self) -> Result<Option<Position>, TailerError> {
        self.taken.clear();
        self.call()?;
        Ok(self.committed.1.filter(|_| self.keeps))
    }

    fn take(&mut self, journal: u64, event: &Event) -> Result<(), TailerError> {
        assert_ne!(journal, 0);
        self.call()?;
        self.taken.push(event.id);
        Ok(())
    }

    fn gap(&mut self, gap: &Gap) -> Result<(), TailerError> {
        panic!("nothing is missing: {gap}");
    }

    fn commit(&mut self, position: &Position, occasion: Occasion) -> Result<Option<Position>, TailerError> {
        self.call()?;
        if occasion == Occasion::Between && !self.calls.is_multiple_of(self.every) {
            return Ok(self.committed.1);
        }
        self.committed.0.append(&mut self.taken);
        self.committed.1 = Some(*position);
        // What is durable may be so although the sink could not say it.
        self.call()?;
        Ok(Some(*position))
    }

    fn is_due(&mut self, next: Ns) -> bool {
        next.0.is_multiple_of(7)
    }
}

/// The ids of all events up to an input.
fn ids(through: u64) -> Vec<EventId> {
    let events = |s| std::iter::once(input(s)).chain((0..fan_out(s)).map(move |n| outcome(s, n)));
    (1..=through).flat_map(events).map(|event| event.id).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_is_committed_has_each_event(
        errors in prop::collection::vec((1..300_u64, prop::bool::weighted(0.8)), 0..5),
        keeps in any::<bool>(),
        every in 1..5_u64,
        stop_at in 1..400_u64,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (mut inputs, mut outcomes) = Journal::create(dir.path(), &spec(64, 1)).unwrap();
        write(&mut inputs, &mut outcomes, 1..=40);
        let mut sink = Memory { committed: (Vec::new(), None), taken: Vec::new(), keeps, every, calls: 0, errors };
        let what = Following { dir: dir.path().to_owned(), name: "sink".to_owned(), newest: false, once: true, opened: None };
        let counters = Counters::default();
        let what = Delivery { what: &what, reference: &Nameless, counters: &counters };
        let (mut said, looks) = (0_u64, Cell::new(0_u64));
        // Once it is told to stop; after that, and after each error that does not pass, it is started again.
        let stops = || { looks.set(looks.get() + 1); looks.get() == stop_at };
        for written in [40, 80] {
            if written == 80 {
                write(&mut inputs, &mut outcomes, 41..=80);
            }
            for _ in 0..12 {
                let before = sink.errors.iter().filter(|(call, _)| *call <= sink.calls).count();
                match deliver(&what, &mut sink, &stops, &mut |_| said += 1) {
                    Ok(_) if looks.get() != stop_at => {}
                    Ok(_) => looks.set(stop_at + 1),
                    Err(DeliveryError::Tailer(error)) => {
                        prop_assert!(!error.transient);
                        prop_assert!(sink.errors.iter().filter(|(call, _)| *call <= sink.calls).count() > before);
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            let mut once = sink.committed.0.clone();
            if keeps {
                prop_assert!(once.is_sorted(), "in order");
            } else {
                once.sort_unstable();
                once.dedup();
            }
            prop_assert_eq!(once, ids(written), "each once where the position is with the data, else at least once");
        }
    }
}

/// A sink that has half of something behind each odd input, and one whose database does not answer.
struct Halves {
    last: u64,
    is_amid: bool,
    committed: Arc<Mutex<Vec<u64>>>,
    hangs: Duration,
}

impl Tailer for Halves {
    fn kinds(&self) -> Kinds {
        Kinds::ALL
    }

    fn take(&mut self, _: u64, event: &Event) -> Result<(), TailerError> {
        self.last = event.id.seq();
        Ok(())
    }

    fn is_amid(&self) -> bool {
        self.is_amid
    }

    fn commit(&mut self, position: &Position, _: Occasion) -> Result<Option<Position>, TailerError> {
        std::thread::sleep(self.hangs);
        self.committed.lock().unwrap().push(self.last);
        Ok(Some(*position))
    }
}

fn runs(dir: &std::path::Path, is_amid: bool, hangs: Duration, once: bool) -> (Runner, Arc<Mutex<Vec<u64>>>) {
    let committed = Arc::<Mutex<Vec<u64>>>::default();
    let sink = Halves { last: 0, is_amid, committed: Arc::clone(&committed), hangs };
    let what = Following { dir: dir.to_owned(), name: "halves".to_owned(), newest: false, once, opened: None };
    (Runner::start(what, Box::new(sink), Box::new(Nameless), drop).unwrap(), committed)
}

#[test]
fn half_of_something_is_not_committed_and_a_stop_waits_for_no_sink() {
    let dir = tempfile::tempdir().unwrap();
    let (mut inputs, mut outcomes) = Journal::create(dir.path(), &spec(64, 1)).unwrap();
    write(&mut inputs, &mut outcomes, 1..=40);
    let (runner, committed) = runs(dir.path(), true, Duration::ZERO, true);
    assert!(runner.wait(Duration::from_secs(30)).unwrap().is_ok());
    assert_eq!(*committed.lock().unwrap(), [0; 0], "it comes again, whole");
    let (runner, committed) = runs(dir.path(), false, Duration::ZERO, true);
    assert!(runner.wait(Duration::from_secs(30)).unwrap().is_ok());
    let counts = runner.counts();
    assert_eq!((*committed.lock().unwrap()).last(), Some(&40));
    assert_eq!((counts.seq, counts.gaps, counts.retries, counts.trouble), (40, 0, 0, None));
    assert_eq!(counts.events, ids(40).len() as u64, "the first attempt saved no position behind its events");
    // From here on nothing is committed for an hour.
    write(&mut inputs, &mut outcomes, 41..=50);
    let (runner, _) = runs(dir.path(), false, Duration::from_secs(3_600), true);
    let begun = Instant::now();
    while runner.counts().events < ids(50).len() as u64 - ids(40).len() as u64 {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(1));
    }
    runner.stop();
    assert!(runner.wait(Duration::from_millis(50)).is_none(), "whoever stops it goes on");
}
