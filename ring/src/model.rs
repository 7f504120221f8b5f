//! Model checks of the phase ring: `loom` runs both ends through every interleaving and every value that the memory
//! model lets an atomic load return, and reports any body that both ends access without an order between them.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" cargo test -p tidegate-ring --release --lib model
//! ```
//!
//! **What is checked.** Wrap-around on rings of one and two slots, batches, closing at any moment, and a consumer that
//! is dropped. No check passes by luck: with any one of the six orderings of [`order`] weakened to `Relaxed`, at least
//! one model fails (`each_ordering_is_needed`).
//!
//! **Bound.** Waiting loops yield to the checker, which then runs the other end. Small models are explored
//! exhaustively. Those of several laps are explored over all schedules with at most four preemptions (yields not
//! counted), which takes seconds; without that bound they take hours.

use std::panic::catch_unwind;

use loom::thread;

use crate::sync::{fault, order};
use crate::{Consumer, Kind, MARK, Producer, Refused, Slot, Taken, channel};

#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Event([u64; 8]);

impl Slot for Event {}

fn event(number: u64) -> Event {
    Event([number, number, 2, 3, 4, 5, 6, !number])
}

/// One model: its name, the preemption bound (`None`: exhaustive), and its body.
type Model = (&'static str, Option<usize>, fn());

fn explore((_, preemptions, body): Model) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(body);
}

/// Publishes one event at a time and retries while the ring is full.
fn publish_each(mut producer: Producer<Event>, events: u64) {
    for number in 0..events {
        while producer.try_publish(&event(number)) == Err(Refused::Full) {
            thread::yield_now();
        }
    }
}

/// Takes everything until the ring is closed; returns the count.
fn take_all(mut consumer: Consumer<Event>, max: usize) -> u64 {
    let mut seen = 0;
    loop {
        let taken = consumer.take(max, |taken| {
            assert_eq!(*taken, event(seen));
            seen += 1;
        });
        match taken {
            Taken::Events(_) => {}
            Taken::Empty => thread::yield_now(),
            Taken::Closed => return seen,
        }
    }
}

fn pass_each(capacity: usize, events: u64, max: usize) {
    let (producer, consumer) = channel(Kind::Phase, capacity).expect("a valid capacity");
    let producer = thread::spawn(move || publish_each(producer, events));
    assert_eq!(take_all(consumer, max), events);
    producer.join().expect("the producer ends");
}

/// Five events through two slots, one at a time: one slot is written in three laps, the other in two.
fn wrap_two_slots() {
    pass_each(2, 5, 1);
}

/// The same in takes of two: slots are freed after each event and at the end.
fn wrap_two_slots_in_takes() {
    pass_each(2, 4, 2);
}

/// One slot, passed back and forth; its mark flips each time.
fn wrap_one_slot() {
    pass_each(1, 3, 1);
}

/// Batches that fit only in part.
fn wrap_in_batches() {
    let (mut producer, consumer) = channel(Kind::Phase, 2).expect("a valid capacity");
    let producer = thread::spawn(move || {
        let events = [0, 1, 2, 3].map(event);
        let mut next = 0;
        while next < events.len() {
            match producer.try_publish_batch(&events[next..]) {
                Ok(published) => next += published,
                Err(_) => thread::yield_now(),
            }
        }
    });
    assert_eq!(take_all(consumer, 2), 4);
    producer.join().expect("the producer ends");
}

/// The producer closes right after publishing: whenever the consumer sees the flag, it sees the events first.
fn close_after_publishing() {
    let (mut producer, consumer) = channel(Kind::Phase, 2).expect("a valid capacity");
    let producer = thread::spawn(move || {
        assert_eq!(producer.try_publish(&event(0)), Ok(()));
        assert_eq!(producer.try_publish(&event(1)), Ok(()));
    });
    assert_eq!(take_all(consumer, 1), 2);
    producer.join().expect("the producer ends");
}

/// The consumer is dropped after one event: a producer with more events than slots still terminates.
fn abandon() {
    let (mut producer, mut consumer) = channel(Kind::Phase, 1).expect("a valid capacity");
    let producer = thread::spawn(move || {
        for number in 0..3 {
            loop {
                match producer.try_publish(&event(number)) {
                    Ok(()) => break,
                    Err(Refused::Full) => thread::yield_now(),
                    Err(Refused::Disconnected) => return,
                }
            }
        }
        panic!("three events went into one slot of which one was freed");
    });
    while consumer.take(1, |taken| assert_eq!(*taken, event(0))) == Taken::Empty {
        thread::yield_now();
    }
    drop(consumer);
    producer.join().expect("the producer ends");
}

const MODELS: [Model; 6] = [
    ("wrap_two_slots", Some(4), wrap_two_slots),
    ("wrap_two_slots_in_takes", Some(4), wrap_two_slots_in_takes),
    ("wrap_in_batches", Some(4), wrap_in_batches),
    ("wrap_one_slot", None, wrap_one_slot),
    ("close_after_publishing", None, close_after_publishing),
    ("abandon", None, abandon),
];

#[test]
fn every_model_holds() {
    for model in MODELS {
        explore(model);
        println!("{}: holds", model.0);
    }
}

#[test]
fn each_ordering_is_needed() {
    for weakened in order::ALL {
        fault::weaken(Some(weakened));
        let caught = MODELS.into_iter().find(|model| catch_unwind(|| explore(*model)).is_err());
        fault::weaken(None);
        let (model, ..) = caught.unwrap_or_else(|| panic!("no model needs {weakened}"));
        println!("{weakened}: caught by {model}");
    }
}

#[test]
fn model_events_leave_the_reserved_bit_clear() {
    assert!((0..8).all(|number| event(number).0[0] & MARK == 0));
}
