//! Instruments by key: over sources and days, at the bound, and after a restart at any input.

use super::tests::{admitted, no_stages};
use super::{Ingress, SourceQueue};
use crate::config::keys::ClockKind;
use crate::ingress::{Clock, TickSource};
use flow::records::{Anomaly, Cursor, Session, Trade};
use flow::{
    AnomalyKind, BookKind, Count, Definition, Event, FeedError, Flags, Inputs, Kind, Listings, Mic, Ns, Polled, Qty,
    Resumed, Resumption, Source, StateReader, StateWriter,
};

/// What a source tells, in order of time.
#[derive(Clone, Debug)]
enum Step {
    /// A local number stands for this symbol.
    Listing(u64, u32, String),
    /// A trade of a local number.
    Trade(u64, u32),
    /// Where it may be read from again.
    Cursor(u64),
}

#[derive(Clone)]
struct Script {
    told: Vec<Step>,
    at: usize,
}

impl Source for Script {
    fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError> {
        while to.has_room()
            && let Some(told) = self.told.get(self.at)
        {
            self.at += 1;
            match told {
                Step::Listing(ts, local, symbol) => {
                    let (symbol, venue, book) = (symbol.clone(), Mic(*b"XNAS"), BookKind::ByOrder);
                    Definition { symbol, venue, book, ..Definition::default() }.push(to, Ns(*ts), *local, 1);
                }
                Step::Trade(ts, local) => {
                    let trade = Trade { qty: Qty(self.at as u64), ..Trade::default() };
                    to.push(Event::new(Ns(*ts), *local, Flags::LAST_OF_GROUP, &trade), 1);
                }
                Step::Cursor(ts) => {
                    let cursor = Cursor { next: self.at as u64, ..Cursor::default() };
                    to.push(Event::new(Ns(*ts), 0, Flags::LAST_OF_GROUP, &cursor), 1);
                }
            }
        }
        Ok(if to.is_empty() { Polled::Ended } else { Polled::Ready })
    }

    fn resume(&mut self, record: &Resumed) -> Resumption {
        match record.cursor {
            Some(cursor) => {
                self.at = cursor.next as usize;
                Resumption::Again(record.since)
            }
            None => Resumption::Again(record.inputs),
        }
    }

    fn instruments(&self) -> u32 {
        0
    }

    fn counts(&self) -> Vec<Count> {
        Vec::new()
    }
}

fn merge(scripts: &[Vec<Step>], max: u32) -> Ingress {
    let queue = |(i, told): (usize, &Vec<Step>)| {
        SourceQueue::new(format!("script {i}"), Box::new(Script { told: told.clone(), at: 0 }), i as u8 + 1)
    };
    let feeds = scripts.iter().enumerate().map(queue).collect();
    Ingress::new(feeds, TickSource::new(Vec::new()), Clock::new(ClockKind::Event), max + 1)
}

/// Source, kind and instrument of what enters from the sources.
fn entered(scripts: &[Vec<Step>], max: u32) -> Vec<(u8, Kind, u32)> {
    let all = admitted(&mut merge(scripts, max));
    all.iter().filter(|e| e.source != 0).map(|e| (e.source, e.kind, e.instrument)).collect()
}

fn listing(ts: u64, local: u32, symbol: &str) -> Step {
    Step::Listing(ts, local, symbol.to_owned())
}

const NAME: Kind = Kind::Name;
const LISTING: Kind = Kind::Listing;
const TRADE: Kind = Kind::Trade;
const ANOMALY: Kind = Kind::Anomaly;

#[test]
fn a_key_is_one_instrument_over_days_whatever_its_numbers() {
    let first = vec![listing(1, 13, "AAPL"), listing(1, 7, "MSFT"), Step::Trade(2, 7), Step::Trade(3, 13)];
    let second = vec![listing(11, 27, "AAPL"), listing(11, 13, "MSFT"), Step::Trade(12, 13), Step::Trade(13, 27)];
    let [aapl, msft] = [1, 2];
    let day = |id: u8| {
        let lists = |index| [(id, NAME, index), (id, LISTING, index)];
        [&lists(aapl)[..], &lists(msft), &[(id, TRADE, msft), (id, TRADE, aapl)]].concat()
    };
    assert_eq!(entered(&[first.clone(), second.clone()], 9), [day(1), day(2)].concat());
    // The order of the arguments changes nothing but the numbers of the sources.
    assert_eq!(entered(&[second, first], 9), [day(2), day(1)].concat());
}

#[test]
fn what_two_sources_tell_at_once_is_taken_from_the_first() {
    let first = vec![listing(1, 1, "AAPL"), Step::Trade(2, 1), Step::Trade(9, 1)];
    let second =
        vec![listing(3, 5, "MSFT"), listing(3, 6, "AAPL"), Step::Trade(4, 6), Step::Trade(5, 5), Step::Trade(10, 6)];
    let all = entered(&[first, second], 9);
    // The second listing of the key names it, but sets no terms; and there is one anomaly, although the first has ended by
    // the last trade.
    let expected = [
        [(1, NAME, 1), (1, LISTING, 1), (1, TRADE, 1)].as_slice(),
        &[(2, NAME, 2), (2, LISTING, 2), (2, NAME, 1), (2, ANOMALY, 1), (2, TRADE, 2)],
        &[(1, TRADE, 1)],
    ];
    assert_eq!(all, expected.concat());
}

#[test]
fn a_number_that_another_key_takes_is_another_instrument() {
    let told = vec![listing(1, 5, "AAPL"), Step::Trade(2, 5), listing(3, 5, "MSFT"), Step::Trade(4, 5)];
    let lists = |index| [(1, NAME, index), (1, LISTING, index), (1, TRADE, index)];
    assert_eq!(entered(&[told], 9), [lists(1), lists(2)].concat());
}

#[test]
fn beyond_the_bound_and_without_a_listing_data_are_left_out() {
    let told = vec![
        Step::Trade(1, 7),
        Step::Trade(1, 7),
        listing(1, 7, "AAPL"),
        Step::Trade(2, 7),
        listing(3, 8, "MSFT"),
        Step::Trade(4, 8),
        Step::Trade(4, 7),
    ];
    let all = admitted(&mut merge(&[told], 1));
    let whats: Vec<_> = all.iter().filter_map(Event::get::<Anomaly>).map(|a| (a.what, a.detail)).collect();
    assert_eq!(
        whats,
        [(AnomalyKind::UnknownInstrument as u16, 7), (AnomalyKind::InstrumentRange as u16, 8)],
        "once each, with the source's own number"
    );
    let trades: Vec<_> = all.iter().filter(|e| e.kind == TRADE).map(|e| e.instrument).collect();
    assert_eq!(trades, [1, 1]);
}

/// A draw of at most `below`.
fn draw(random: &mut u64, below: u64) -> u64 {
    *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*random >> 33) % below
}

/// What a source with a few numbers and a few symbols tells between two times.
fn script(random: &mut u64, cursors: bool) -> Vec<Step> {
    let (mut ts, mut told) = (draw(random, 40), Vec::new());
    for _ in 0..draw(random, 40) {
        ts += draw(random, 3);
        let local = draw(random, 4) as u32 + 1;
        told.push(match draw(random, 8) {
            0 | 1 => {
                // Two pieces, so that a kill falls between them.
                let symbol = char::from(b'A' + draw(random, 5) as u8);
                listing(ts, local, &symbol.to_string().repeat(30))
            }
            2 if cursors => Step::Cursor(ts),
            _ => Step::Trade(ts, local),
        });
    }
    told
}

/// A merge that has read the first `k` inputs from its record, and what it admits from there on.
fn gone_on(scripts: &[Vec<Step>], record: &[Event], snapshot: usize) -> Vec<Event> {
    let mut merge = merge(scripts, 4);
    let mut listings = Listings::default();
    for (k, input) in record.iter().enumerate() {
        if k == snapshot {
            let mut saved = StateWriter::new(&listings);
            merge.save(&no_stages(), &mut saved);
            let bytes = saved.into_bytes();
            merge = self::merge(scripts, 4);
            merge.load(&mut StateReader::new(&listings, &bytes)).unwrap();
        }
        listings.observe(input);
        (merge.seq, merge.now) = (input.id.seq(), input.ts);
        if let Some(session) = input.get::<Session>() {
            merge.ticks.repeat_session(session, input.ts);
            continue;
        }
        merge.last_feed = usize::from(input.source) - 1;
        merge.feeds[merge.last_feed].repeat(input, &mut merge.directory);
        if input.kind == Kind::Listing {
            merge.note(input, input.ts);
        }
    }
    for (i, feed) in merge.feeds.iter_mut().enumerate() {
        while !feed.resume((merge.now, None), i != merge.last_feed, &mut merge.directory).unwrap() {}
    }
    admitted(&mut merge)
}

#[test]
fn after_a_restart_at_any_input_all_is_decided_as_before() {
    let mut random = 5;
    let (mut refused, mut withheld) = (0, 0);
    for round in 0..300 {
        let scripts: Vec<_> = (0..3).map(|_| script(&mut random, round % 2 == 1)).collect();
        let all = admitted(&mut merge(&scripts, 4));
        let inputs = all.iter().position(|e| e.kind == Kind::EndOfInput).expect("it ends");
        refused += all.iter().filter(|e| e.kind == ANOMALY).count();
        let count = |kind| all.iter().filter(|e| e.kind == kind).count();
        withheld += count(NAME) / 2 - count(LISTING);
        for k in 0..=inputs {
            let rest = gone_on(&scripts, &all[..k], draw(&mut random, 60) as usize);
            assert_eq!(rest, all[k..], "round {round}, gone on after {k} inputs: {scripts:?}");
        }
    }
    assert!(refused > 300 && withheld > 100, "{refused} anomalies, {withheld} listings withheld");
}
