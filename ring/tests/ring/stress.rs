//! Two threads on each ring: millions of checked events, small capacities, yields and delays at both ends, ends that
//! are dropped or panic at any moment. Every test runs on every kind.
//!
//! `TIDEGATE_STRESS=N` multiplies the number of events and rounds. With ThreadSanitizer:
//!
//! ```text
//! RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer" \
//!   TSAN_OPTIONS="suppressions=$PWD/ring/tests/tsan.supp halt_on_error=1" \
//!   cargo test -p tidegate-ring --test ring --target x86_64-unknown-linux-gnu stress
//! ```

use std::time::Duration;

use crate::event::{Event, mix};
use ring::thread::{Worker, spawn_pinned};
use ring::{Consumer, Idle, Kind, Producer, Refused, Taken, channel};

/// A small seeded random generator, so that a failing run can be repeated.
struct Dice(u64);

impl Dice {
    /// A generator with this seed.
    fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0) % bound
    }
}

/// Factor on the number of events and rounds.
fn scale() -> u64 {
    std::env::var("TIDEGATE_STRESS").map_or(1, |n| n.parse().expect("TIDEGATE_STRESS is a number"))
}

/// Occasionally delays the next call: by a yield, or by some microseconds.
fn delay(dice: &mut Dice, one_in: u64) {
    if dice.below(one_in) == 0 {
        match dice.below(64) {
            0 => std::thread::sleep(Duration::from_micros(dice.below(50))),
            1..16 => std::thread::yield_now(),
            _ => (0..dice.below(200)).for_each(|_| std::hint::spin_loop()),
        }
    }
}

/// Publishes `events` events, one by one or in batches; returns how many were published before the consumer was
/// dropped.
fn produce(producer: &mut Producer<Event>, events: u64, idle: Idle, dice: &mut Dice, one_in: u64) -> u64 {
    let mut next = 0;
    let mut batch = Vec::with_capacity(16);
    while next < events {
        let published = if dice.below(4) == 0 {
            batch.clear();
            batch.extend((next..events).take(1 + dice.below(15) as usize).map(Event::numbered));
            producer.try_publish_batch(&batch)
        } else {
            producer.try_publish(&Event::numbered(next)).map(|()| 1)
        };
        match published {
            Ok(count) => next += count as u64,
            Err(Refused::Full) => idle.wait(&mut 0),
            Err(Refused::Disconnected) => return next,
        }
        delay(dice, one_in);
    }
    next
}

/// Takes and checks events until the ring is closed or `stop` of them came; returns how many.
fn consume(consumer: &mut Consumer<Event>, stop: u64, idle: Idle, dice: &mut Dice, one_in: u64) -> u64 {
    let mut seen = 0;
    while seen < stop {
        let max = (1 + dice.below(64)).min(stop - seen) as usize;
        let taken = consumer.take(max, |event| {
            assert_eq!(*event, Event::numbered(seen));
            seen += 1;
        });
        match taken {
            Taken::Events(count) => assert!(count <= max),
            Taken::Empty => idle.wait(&mut 0),
            Taken::Closed => break,
        }
        delay(dice, one_in);
    }
    seen
}

fn start_producer(mut producer: Producer<Event>, events: u64, idle: Idle, seed: u64, one_in: u64) -> Worker<u64> {
    let run = move || produce(&mut producer, events, idle, &mut Dice::new(seed), one_in);
    spawn_pinned("producer", None, run).expect("a thread")
}

/// Every event arrives once, in order and intact; then the ring is closed.
#[test]
fn nothing_is_lost_repeated_or_torn() {
    for kind in Kind::ALL {
        for (capacity, events) in [(1, 100_000), (2, 200_000), (8, 500_000), (64, 1_000_000), (4096, 4_000_000)] {
            let events = events * scale();
            let (producer, mut consumer) = channel(kind, capacity).unwrap();
            let counters = consumer.counters();
            let producer = start_producer(producer, events, Idle::Yield, capacity as u64, 100);
            let seen = consume(&mut consumer, u64::MAX, Idle::Yield, &mut Dice::new(!0), 100);
            assert_eq!((seen, producer.join()), (events, Ok(events)), "{kind} {capacity}");
            assert_eq!(consumer.take(1, |_| ()), Taken::Closed);
            let (produced, consumed) = (counters.producer(), counters.consumer());
            assert_eq!((produced.published, consumed.taken), (events, events));
            assert!(
                produced.high_water <= capacity as u64
                    && (produced.full == 0 || produced.high_water == capacity as u64)
            );
        }
    }
}

/// The producer is dropped at a random moment: the consumer gets exactly what was published, then the end.
#[test]
fn a_producer_that_goes_away_loses_nothing() {
    for kind in Kind::ALL {
        for round in 0..300 * scale() {
            let mut dice = Dice::new(round);
            let (producer, mut consumer) = channel(kind, 1 << dice.below(6)).unwrap();
            let producer = start_producer(producer, dice.below(200), Idle::Yield, round, 4);
            let seen = consume(&mut consumer, u64::MAX, Idle::Yield, &mut dice, 4);
            assert_eq!(producer.join(), Ok(seen), "{kind} round {round}");
        }
    }
}

/// The consumer is dropped at a random moment: the producer sees it and does not wait for a free slot for ever.
#[test]
fn a_consumer_that_goes_away_ends_the_producer() {
    for kind in Kind::ALL {
        for round in 0..300 * scale() {
            let mut dice = Dice::new(round);
            let (producer, mut consumer) = channel(kind, 1 << dice.below(6)).unwrap();
            let producer = start_producer(producer, u64::MAX, Idle::Yield, round, 4);
            let seen = consume(&mut consumer, dice.below(200), Idle::Yield, &mut dice, 4);
            drop(consumer);
            let published = producer.join().expect("it returns");
            assert!(published >= seen, "{kind} round {round}: {published} published, {seen} seen");
        }
    }
}

/// A panic in the consumer's closure comes back as a value, and its producer is disconnected.
#[test]
fn a_consumer_that_panics_ends_the_producer() {
    for kind in Kind::ALL {
        for round in 0..100 * scale() {
            let mut dice = Dice::new(round);
            let (producer, mut consumer) = channel::<Event>(kind, 1 << dice.below(6)).unwrap();
            let producer = start_producer(producer, u64::MAX, Idle::Yield, round, 4);
            let doomed = dice.below(200);
            let consume = move || {
                let mut seen = 0;
                loop {
                    let taken = consumer.take(16, |_| {
                        if seen == doomed {
                            std::panic::resume_unwind(Box::new(format!("event {doomed}")));
                        }
                        seen += 1;
                    });
                    if taken == Taken::Empty {
                        Idle::Yield.wait(&mut 0);
                    }
                }
            };
            let consumer: Worker<()> = spawn_pinned("consumer", None, consume).unwrap();
            assert_eq!(consumer.join().unwrap_err().message, format!("event {doomed}"));
            assert!(producer.join().expect("it returns") > doomed, "{kind} round {round}");
        }
    }
}

/// A chain of rings drains in order when its first producer is dropped, as in a pipeline that is cut into groups.
#[test]
fn a_chain_drains_from_its_head() {
    for kind in Kind::ALL {
        let events = 50_000 * scale();
        let (head, mut from) = channel::<Event>(kind, 32).unwrap();
        let head = start_producer(head, events, Idle::Yield, 1, 100);
        let mut links = Vec::new();
        for link in 0..3 {
            let (mut to, next) = channel::<Event>(kind, 4 << link).unwrap();
            let forward = move || {
                loop {
                    let taken = from.take(2, |event| {
                        while to.try_publish(event) == Err(Refused::Full) {
                            Idle::Yield.wait(&mut 0);
                        }
                    });
                    match taken {
                        Taken::Events(_) => {}
                        Taken::Empty => Idle::Yield.wait(&mut 0),
                        Taken::Closed => break,
                    }
                }
            };
            links.push(spawn_pinned(format!("link {link}"), None, forward).unwrap());
            from = next;
        }
        assert_eq!(consume(&mut from, u64::MAX, Idle::Yield, &mut Dice::new(2), 100), events);
        assert_eq!(head.join(), Ok(events));
        assert!(links.into_iter().all(|link| link.join().is_ok()));
    }
}
