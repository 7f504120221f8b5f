//! Live sources: the order of arrival, what may not wait for it, errors, and how they go on after a restart.

use super::tests::{START, Set, admitted};
use super::{Ingress, SourceQueue};
use crate::gateway::KillSwitch;
use crate::ingress::directory::Directory;
use crate::ingress::{Asker, Clock, Commands, OperatorCommand, Submission, TickSource};
use flow::records::{Cursor, Gap, Trade};
use flow::{
    CommandAction, Count, Event, FeedError, Flags, Inputs, Kind, Listings, Ns, Polled, Resumed, Resumption, Source,
    StateReader, StateWriter,
};
use std::sync::{Arc, Mutex};

/// Gives what the test puts in: arrivals of trades, or an error. It does not end.
#[derive(Clone, Default)]
struct Live {
    arrivals: Arc<Mutex<Vec<u64>>>,
    fails: Arc<Mutex<bool>>,
    asked: Arc<Mutex<Option<Resumed>>>,
}

impl Source for Live {
    fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError> {
        for arrival in self.arrivals.lock().unwrap().drain(..) {
            to.push(trade(arrival), 1);
        }
        if *self.fails.lock().unwrap() {
            return Err(FeedError { what: "no route to host".to_owned(), offset: 0, record: 2, next: "connect again" });
        }
        Ok(if to.is_empty() { Polled::Idle(Ns::NONE) } else { Polled::Ready })
    }

    fn is_live(&self) -> bool {
        true
    }

    fn resume(&mut self, record: &Resumed) -> Resumption {
        *self.asked.lock().unwrap() = Some(*record);
        Resumption::Live { expected: record.cursor.map(|cursor| cursor.next + record.messages_since) }
    }

    fn instruments(&self) -> u32 {
        2
    }

    fn counts(&self) -> Vec<Count> {
        Vec::new()
    }
}

/// A trade of no instrument, which needs no listing.
fn trade(arrival: u64) -> Event {
    Event::new(Ns(arrival), 0, Flags::LAST_OF_GROUP.with(Flags::LAST_OF_PACKET), &Trade::default())
}

fn merge(sources: &[Live]) -> (Set, Ingress) {
    let set = Set::default();
    let queue = |(i, live): (usize, &Live)| queue(live, i as u8 + 1);
    let feeds: Vec<_> = sources.iter().enumerate().map(queue).collect();
    let clock = Clock::of_times(Box::new(set.clone()));
    (set, Ingress::new(feeds, TickSource::new(Vec::new()), clock, 4))
}

fn queue(live: &Live, id: u8) -> SourceQueue {
    SourceQueue::new("live".to_owned(), Box::new(live.clone()), id)
}

/// Source and time, from the start on, of what enters.
fn entered(merge: &mut Ingress) -> Vec<(u8, u64)> {
    admitted(merge).iter().map(|event| (event.source, event.ts.0 - START)).collect()
}

#[test]
fn what_arrived_first_enters_first_at_its_arrival() {
    let sources = [Live::default(), Live::default()];
    let (set, mut merge) = merge(&sources);
    set.pass(1_000);
    *sources[0].arrivals.lock().unwrap() = [10, 20, 30, 40].map(|at| START + at).to_vec();
    *sources[1].arrivals.lock().unwrap() = [15, 25].map(|at| START + at).to_vec();
    assert_eq!(entered(&mut merge), [(1, 10), (2, 15), (1, 20), (2, 25), (1, 30), (1, 40)]);
    // Time does not go back for what arrived late, nor ahead of the clock for what says so.
    *sources[0].arrivals.lock().unwrap() = [5, 9_000].map(|at| START + at).to_vec();
    assert_eq!(entered(&mut merge), [(1, 40), (1, 1_000)]);
}

#[test]
fn a_command_does_not_wait_for_what_arrived_before_it() {
    let source = Live::default();
    let (set, merge) = merge(std::slice::from_ref(&source));
    let (sender, commands) = Commands::live(Arc::new(KillSwitch::default()));
    let mut merge = merge.with_commands(commands);
    *source.arrivals.lock().unwrap() = (1..=100).map(|at| START + at).collect();
    let halt = OperatorCommand::plain(CommandAction::Halt, Asker::ENGINE).event();
    sender.send(Submission::new(vec![halt], None)).unwrap();
    set.pass(1_000);
    let kinds: Vec<_> = admitted(&mut merge).iter().map(|event| event.kind).collect();
    assert_eq!((kinds[0], kinds.len()), (Kind::Command, 101));
}

#[test]
fn an_error_of_a_live_source_is_a_gap_and_no_end() {
    let sources = [Live::default(), Live::default()];
    let (set, mut merge) = merge(&sources);
    *sources[0].arrivals.lock().unwrap() = vec![START];
    *sources[0].fails.lock().unwrap() = true;
    let first = admitted(&mut merge);
    assert_eq!(first.iter().map(|event| event.kind).collect::<Vec<_>>(), [Kind::Trade, Kind::Gap]);
    assert_eq!((first[1].source, first[1].instrument), (1, 0));
    assert!(merge.feeds()[0].warnings()[0].contains("no route to host"));
    assert_eq!(merge.feeds()[0].trading_state().failed.as_deref(), Some("no route to host"));
    set.pass(1_000);
    *sources[1].arrivals.lock().unwrap() = vec![START + 900];
    assert_eq!(entered(&mut merge), [(2, 900)], "the gap is told once, and the others go on");
}

fn cursor(next: u64) -> Event {
    Event::new(Ns(1), 0, Flags::NONE, &Cursor { session: 7, next, ..Cursor::default() })
}

#[test]
fn a_live_source_goes_on_with_a_gap_from_the_last_message_of_the_record() {
    let live = Live::default();
    let (mut feed, mut directory) = (queue(&live, 3), Directory::new(4));
    let gap = Event::new(Ns(1), 0, Flags::LAST_OF_GROUP, &Gap::default());
    let within = Event { flags: Flags::NONE, ..trade(1) };
    for input in [trade(1), cursor(20), gap, within, trade(1), trade(1)] {
        feed.repeat(&input, &mut directory);
    }
    let listings = Listings::default();
    let mut before = StateWriter::new(&listings);
    feed.save(&mut before);
    let before = before.into_bytes();
    assert!(feed.resume((Ns(5), Some(Ns(9))), false, &mut directory).unwrap());
    let asked = live.asked.lock().unwrap().unwrap();
    assert_eq!((asked.inputs, asked.since, asked.messages_since), (6, 3, 2));
    let [first] = feed.lookahead() else { panic!("a gap and nothing else") };
    let told: &Gap = first.record();
    assert_eq!((first.source, first.ts, told.expected, told.received), (3, Ns(9), 22, Gap::UNKNOWN));
    // A snapshot keeps what the record holds.
    let mut again = queue(&live, 3);
    again.load(&mut StateReader::new(&listings, &before)).unwrap();
    again.resume((Ns(5), Some(Ns(9))), false, &mut directory).unwrap();
    assert_eq!(*live.asked.lock().unwrap(), Some(asked));
}

/// A message of no instrument.
fn of_all(number: u64) -> Event {
    Event { instrument: 0, ..trade(number) }
}

/// Can ask again for what came after its cursor.
struct Repeating(Vec<u64>);

impl Source for Repeating {
    fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError> {
        self.0.drain(..).for_each(|number| to.push(of_all(number), number));
        Ok(if to.is_empty() { Polled::Idle(Ns::NONE) } else { Polled::Ready })
    }

    fn is_live(&self) -> bool {
        true
    }

    fn resume(&mut self, record: &Resumed) -> Resumption {
        let next = record.cursor.map_or(0, |cursor| cursor.next);
        self.0.retain(|number| *number >= next);
        Resumption::Again(record.since)
    }

    fn instruments(&self) -> u32 {
        2
    }

    fn counts(&self) -> Vec<Count> {
        Vec::new()
    }
}

#[test]
fn a_source_that_can_repeat_goes_on_from_its_cursor_without_a_gap() {
    let mut feed = SourceQueue::new("repeating".to_owned(), Box::new(Repeating((1..=9).collect())), 1);
    let mut directory = Directory::new(4);
    for input in [of_all(1), of_all(2), of_all(3), cursor(4), of_all(4), of_all(5)] {
        feed.repeat(&input, &mut directory);
    }
    assert!(feed.resume((Ns(5), Some(Ns(9))), false, &mut directory).unwrap());
    let numbers: Vec<_> = feed.lookahead().iter().map(|event| (event.kind, event.ts.0)).collect();
    assert_eq!(numbers, [6, 7, 8, 9].map(|number| (Kind::Trade, number)));
}

#[test]
fn a_live_source_of_which_nothing_is_recorded_begins_without_a_gap() {
    let mut feed = queue(&Live::default(), 1);
    assert!(feed.resume((Ns(5), Some(Ns(9))), false, &mut Directory::new(4)).unwrap());
    assert!(feed.lookahead().is_empty());
}
