//! The merge under wall time, with clocks that the test sets.

use super::Ingress;
use crate::ingress::{Admitted, Clock, Head, SourceQueue, TickSource, Times};
use crate::pipeline::Group;
use bytemuck::Zeroable;
use flow::records::{Anomaly, Session, Tick, Trade};
use flow::{AnomalyKind, Count, Definition, Event, FeedError, Flags, Inputs, Kind, Kinds, Ns, Polled, Source};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// 2023-11-14 22:13:20 UTC.
pub(super) const START: u64 = 1_700_000_000 * Ns::SECOND;
const HOUR: i64 = 3_600 * Ns::SECOND as i64;

/// Time that passes when the test says so, and a system clock that is off by as much as it says.
#[derive(Clone, Default)]
pub(super) struct Set(Arc<Mutex<(u64, i64)>>);

impl Set {
    pub(super) fn pass(&self, ns: u64) {
        self.0.lock().unwrap().0 += ns;
    }

    fn set_off(&self, ns: i64) {
        self.0.lock().unwrap().1 = ns;
    }
}

impl Times for Set {
    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.0.lock().unwrap().0)
    }

    fn system(&self) -> Ns {
        let (passed, off) = *self.0.lock().unwrap();
        Ns((START + passed).checked_add_signed(off).unwrap())
    }
}

/// Lists one instrument, then has this many trades at once, then nothing more; it does not end.
struct Live {
    symbol: String,
    trades: u64,
    listed: bool,
}

impl Source for Live {
    fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError> {
        if !std::mem::replace(&mut self.listed, true) {
            let definition = Definition { symbol: self.symbol.clone(), multiplier: 1, ..Definition::default() };
            definition.push(to, Ns(1), 1, 1);
        }
        while self.trades > 0 && to.has_room() {
            self.trades -= 1;
            to.push(Event::new(Ns(1), 1, Flags::LAST_OF_GROUP, &Trade::default()), 1);
        }
        Ok(if to.is_empty() { Polled::Idle(Ns::NONE) } else { Polled::Ready })
    }

    fn instruments(&self) -> u32 {
        2
    }

    fn counts(&self) -> Vec<Count> {
        Vec::new()
    }
}

fn merge(trades: &[u64], heartbeat_s: u64) -> (Set, Ingress) {
    let set = Set::default();
    let source = |(i, trades): (usize, &u64)| {
        let live = Box::new(Live { symbol: format!("S{i}"), trades: *trades, listed: false });
        SourceQueue::new(format!("live {i}"), live, i as u8 + 1)
    };
    let feeds: Vec<_> = trades.iter().enumerate().map(source).collect();
    let ticks = TickSource::new(vec![("5s".parse().unwrap(), 64), ("1m".parse().unwrap(), 64)]);
    let clock = Clock::of_times(Box::new(set.clone()));
    (set, Ingress::new(feeds, ticks.with_heartbeat(heartbeat_s), clock, 4 * trades.len() as u32))
}

/// A group that shows nothing.
pub(super) fn no_stages() -> Group {
    Group::new(Vec::new(), Kinds::NONE, 0)
}

/// What enters now.
pub(super) fn admitted(merge: &mut Ingress) -> Vec<Event> {
    let (mut all, mut event, group) = (Vec::new(), Event::zeroed(), no_stages());
    merge.begin_turn();
    while merge.admit(&mut event, &group).unwrap() == Admitted::One {
        all.push(event);
    }
    all
}

/// The second of a tick, from the start on, and its interval.
type Ticked = Vec<(u64, u32)>;

/// The ticks that enter in `seconds`, by steps of 10 ms; and the anomalies.
fn seconds_of_ticks(set: &Set, merge: &mut Ingress, seconds: u64) -> (Ticked, Vec<(AnomalyKind, u64)>) {
    let (mut ticks, mut anomalies) = (Vec::new(), Vec::new());
    for _ in 0..seconds * 100 {
        set.pass(10_000_000);
        for event in admitted(merge) {
            if let Some(tick) = event.get::<Tick>() {
                assert_eq!(event.ts.0 % Ns::SECOND, 0, "at the second, not when it was seen");
                ticks.push(((event.ts.0 - START) / Ns::SECOND, tick.interval_s));
            } else if let Some(anomaly) = event.get::<Anomaly>() {
                anomalies.push((AnomalyKind::from_code(anomaly.what).unwrap(), anomaly.detail));
            }
        }
    }
    (ticks, anomalies)
}

fn expected(seconds: u64) -> Ticked {
    // The run begins 20 s after a full minute.
    let interval = |s: u64| {
        if (s + 20).is_multiple_of(60) {
            60
        } else if s.is_multiple_of(5) {
            5
        } else {
            1
        }
    };
    (1..=seconds).map(|s| (s, interval(s))).collect()
}

#[test]
fn time_passes_where_nothing_comes_in() {
    let (set, mut merge) = merge(&[1], 1);
    let first = admitted(&mut merge);
    assert_eq!(
        first.iter().map(|e| e.kind).collect::<Vec<_>>(),
        [Kind::Name, Kind::Listing, Kind::Session, Kind::Trade]
    );
    // One second more, so that the last one is past whatever the anchor did.
    let (ticks, anomalies) = seconds_of_ticks(&set, &mut merge, 61);
    assert_eq!((&ticks[..60], anomalies.len()), (&expected(60)[..], 0));
    assert!(ticks.iter().all(|tick| tick.0 <= 61));
}

#[test]
fn a_system_clock_that_is_set_stops_no_time_and_skips_none() {
    for (off, kind) in [(HOUR, AnomalyKind::ForwardClock), (-HOUR, AnomalyKind::BackwardClock)] {
        let (set, mut merge) = merge(&[1], 1);
        admitted(&mut merge);
        set.set_off(off);
        let (ticks, anomalies) = seconds_of_ticks(&set, &mut merge, 31);
        assert_eq!(&ticks[..30], expected(30), "{off}");
        assert_eq!(anomalies, [(kind, HOUR as u64)]);
    }
}

#[test]
fn a_calendar_speaks_when_time_comes_and_a_clock_that_is_set_makes_no_day() {
    const MIDNIGHT: u64 = 1_700_006_400 * Ns::SECOND;
    for off in [0, HOUR, -HOUR, 30 * 24 * HOUR] {
        let (set, mut merge) = merge(&[1], 1);
        let mut said = admitted(&mut merge);
        set.set_off(off);
        for _ in 0..50 * 60 {
            set.pass(60 * Ns::SECOND);
            said.extend(admitted(&mut merge));
        }
        let dates = said.iter().filter_map(|e| e.get::<Session>().map(|s| (e.ts.0 / Ns::SECOND * Ns::SECOND, s.date)));
        let day = 24 * HOUR as u64;
        let expected = [
            (START, 20_231_114),
            (MIDNIGHT, 20_231_115),
            (MIDNIGHT + day, 20_231_116),
            (MIDNIGHT + 2 * day, 20_231_117),
        ];
        assert_eq!(dates.collect::<Vec<_>>(), expected, "{off}");
    }
}

#[test]
fn without_a_heartbeat_only_boundaries_are_ticked() {
    let (set, mut merge) = merge(&[0], 0);
    admitted(&mut merge);
    let (ticks, _) = seconds_of_ticks(&set, &mut merge, 46);
    let boundaries: Vec<_> = expected(45).into_iter().filter(|(s, _)| s.is_multiple_of(5)).collect();
    assert_eq!(ticks, boundaries);
}

#[test]
fn no_source_keeps_another_one_out() {
    let (_, mut merge) = merge(&[u64::MAX, u64::MAX, 10], 1);
    let (mut counts, mut event) = ([0_u64; 3], Event::zeroed());
    merge.begin_turn();
    for _ in 0..3_000 {
        assert_eq!(merge.admit(&mut event, &no_stages()).unwrap(), Admitted::One);
        if event.kind != Kind::Session {
            counts[usize::from(event.source) - 1] += 1;
        }
    }
    // Two more are the name and the listing.
    assert_eq!(counts[2], 12);
    assert!(counts[0].abs_diff(counts[1]) <= 1, "{counts:?}");
}
