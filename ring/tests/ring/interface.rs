//! The contract of both rings, step by step on one thread: order, capacity, bounded takes, closing, disconnecting,
//! panics, counters. Every test runs on every kind.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::event::Event;
use ring::{Consumer, Kind, MARK, Producer, Refused, RingError, Taken, channel};

fn pair(kind: Kind, capacity: usize) -> (Producer<Event>, Consumer<Event>) {
    channel(kind, capacity).expect("a valid capacity")
}

/// Publishes the events of this range; all must fit.
fn publish(producer: &mut Producer<Event>, numbers: std::ops::Range<u64>) {
    for number in numbers {
        assert_eq!(producer.try_publish(&Event::numbered(number)), Ok(()), "event {number}");
    }
}

/// Takes at most `max` events, which must be the events of this range.
fn take(consumer: &mut Consumer<Event>, max: usize, numbers: std::ops::Range<u64>) {
    let mut got = Vec::new();
    let taken = consumer.take(max, |event| got.push(*event));
    let expected: Vec<Event> = numbers.map(Event::numbered).collect();
    assert_eq!(got, expected);
    assert_eq!(taken, if expected.is_empty() { Taken::Empty } else { Taken::Events(expected.len()) });
}

#[test]
fn events_come_out_in_order_and_whole_over_many_laps() {
    for kind in Kind::ALL {
        for capacity in [1, 2, 4, 64] {
            let (mut producer, mut consumer) = pair(kind, capacity);
            for lap in 0..9 {
                let first = lap * capacity as u64;
                publish(&mut producer, first..first + capacity as u64);
                take(&mut consumer, usize::MAX, first..first + capacity as u64);
                take(&mut consumer, 1, 0..0);
            }
        }
    }
}

#[test]
fn a_full_ring_refuses_until_something_was_taken() {
    for kind in Kind::ALL {
        for capacity in [1, 2, 16] {
            let (mut producer, mut consumer) = pair(kind, capacity);
            let end = capacity as u64;
            publish(&mut producer, 0..end);
            for _ in 0..3 {
                assert_eq!(producer.try_publish(&Event::numbered(end)), Err(Refused::Full));
            }
            take(&mut consumer, 1, 0..1);
            publish(&mut producer, end..end + 1);
            assert_eq!(producer.try_publish(&Event::numbered(end + 1)), Err(Refused::Full));
            take(&mut consumer, usize::MAX, 1..end + 1);
        }
    }
}

#[test]
fn a_take_is_bounded_and_zero_takes_nothing() {
    for kind in Kind::ALL {
        let (mut producer, mut consumer) = pair(kind, 64);
        publish(&mut producer, 0..50);
        take(&mut consumer, 0, 0..0);
        take(&mut consumer, 1, 0..1);
        take(&mut consumer, 30, 1..31);
        take(&mut consumer, 30, 31..50);
        publish(&mut producer, 50..51);
        drop(producer);
        assert_eq!(consumer.take(0, |_| ()), Taken::Empty, "not drained, so not closed");
        take(&mut consumer, 1, 50..51);
        assert_eq!(consumer.take(1, |_| ()), Taken::Closed);
    }
}

/// Slots are freed during a long take, after every eighth of the capacity, so a waiting producer can go on.
#[test]
fn a_long_take_frees_slots_on_the_way() {
    for kind in Kind::ALL {
        for capacity in [2_u64, 8, 64] {
            let (mut producer, mut consumer) = pair(kind, capacity as usize);
            let numbered = |number| Event([number, 0, 0, 0, 0, 0, 0, 0]);
            let mut published = 0;
            while producer.try_publish(&numbered(published)).is_ok() {
                published += 1;
            }
            let taken = consumer.take(3 * capacity as usize, |event| {
                let handed = event.0[0];
                while producer.try_publish(&numbered(published)).is_ok() {
                    published += 1;
                }
                let freed = published - capacity;
                assert!(handed - freed < capacity.div_ceil(8), "{kind} {capacity}: {freed} freed at event {handed}");
            });
            assert_eq!(
                taken,
                Taken::Events(3 * capacity as usize),
                "what came in meanwhile is taken too, up to the bound"
            );
        }
    }
}

#[test]
fn a_batch_publishes_what_fits() {
    for kind in Kind::ALL {
        let (mut producer, mut consumer) = pair(kind, 8);
        let events: Vec<Event> = (0..20).map(Event::numbered).collect();
        assert_eq!(producer.try_publish_batch(&[]), Ok(0));
        assert_eq!(producer.try_publish_batch(&events[..3]), Ok(3));
        assert_eq!(producer.try_publish_batch(&events[3..]), Ok(5), "larger than the ring: the part that fits");
        assert_eq!(producer.try_publish_batch(&events[8..]), Err(Refused::Full));
        assert_eq!(producer.try_publish_batch(&[]), Ok(0), "nothing fits into a full ring");
        take(&mut consumer, 6, 0..6);
        assert_eq!(producer.try_publish_batch(&events[8..]), Ok(6));
        take(&mut consumer, usize::MAX, 6..14);
        assert_eq!(producer.counters().producer().full, 3);
    }
}

#[test]
fn a_dropped_producer_closes_after_what_it_published() {
    for kind in Kind::ALL {
        let (mut producer, mut consumer) = pair(kind, 4);
        publish(&mut producer, 0..3);
        drop(producer);
        take(&mut consumer, 2, 0..2);
        take(&mut consumer, 2, 2..3);
        assert_eq!(consumer.take(2, |_| ()), Taken::Closed);
        assert_eq!(consumer.take(2, |_| ()), Taken::Closed);

        let (producer, mut consumer) = pair(kind, 4);
        drop(producer);
        assert_eq!(consumer.take(2, |_| ()), Taken::Closed, "nothing was ever published");
    }
}

#[test]
fn a_dropped_consumer_disconnects_apart_from_full() {
    for kind in Kind::ALL {
        for published in [0, 1, 4] {
            let (mut producer, consumer) = pair(kind, 4);
            publish(&mut producer, 0..published);
            assert!(!producer.is_disconnected());
            drop(consumer);
            assert!(producer.is_disconnected());
            assert_eq!(producer.try_publish(&Event::numbered(9)), Err(Refused::Disconnected));
            assert_eq!(producer.try_publish_batch(&[Event::numbered(9)]), Err(Refused::Disconnected));
            assert_eq!(producer.counters().producer().full, 0);
        }
    }
}

/// After a panic in the closure, the event it was processing is gone, earlier ones do not repeat, later ones still
/// come.
#[test]
fn a_caught_panic_loses_and_repeats_nothing() {
    for kind in Kind::ALL {
        for (capacity, at) in [(1, 0), (4, 2), (16, 0), (16, 1), (16, 7), (16, 15), (64, 63)] {
            let (mut producer, mut consumer) = pair(kind, capacity);
            publish(&mut producer, 0..capacity as u64);
            let mut seen = 0;
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                consumer.take(usize::MAX, |event| {
                    assert_eq!(*event, Event::numbered(seen));
                    seen += 1;
                    if seen == at + 1 {
                        std::panic::resume_unwind(Box::new("on purpose"));
                    }
                })
            }));
            assert!(unwound.is_err());
            assert_eq!(consumer.counters().consumer().taken, at + 1);
            take(&mut consumer, usize::MAX, at + 1..capacity as u64);
            publish(&mut producer, 100..100 + capacity as u64);
            take(&mut consumer, usize::MAX, 100..100 + capacity as u64);
            assert_eq!(consumer.counters().consumer().taken, 2 * capacity as u64);
        }
    }
}

#[test]
fn both_ends_count() {
    for kind in Kind::ALL {
        let (mut producer, mut consumer) = pair(kind, 8);
        let counters = producer.counters();
        publish(&mut producer, 0..6);
        assert_eq!(counters.occupancy(), 6);
        take(&mut consumer, 4, 0..4);
        take(&mut consumer, 4, 4..6);
        take(&mut consumer, 4, 0..0);
        take(&mut consumer, 4, 0..0);
        let consumed = counters.consumer();
        assert_eq!((consumed.taken, consumed.empty), (6, 2));
        publish(&mut producer, 6..14);
        assert!(counters.producer().high_water >= 6, "{counters:?}");
        assert_eq!(producer.try_publish(&Event::numbered(14)), Err(Refused::Full));
        let produced = counters.producer();
        assert_eq!((produced.published, produced.full, produced.high_water), (14, 1, 8));
        drop((producer, consumer));
        assert_eq!(counters.occupancy(), 8, "a handle outlives both ends");
    }
}

#[test]
fn the_reserved_bit_must_be_clear_and_a_rejected_value_changes_nothing() {
    for kind in Kind::ALL {
        let (mut producer, mut consumer) = pair(kind, 4);
        let mut marked = Event::numbered(1);
        marked.0[0] |= MARK;
        assert!(catch_unwind(AssertUnwindSafe(|| producer.try_publish(&marked))).is_err());
        let batch = [Event::numbered(0), marked];
        assert!(catch_unwind(AssertUnwindSafe(|| producer.try_publish_batch(&batch))).is_err());
        take(&mut consumer, 4, 0..0);
        publish(&mut producer, 0..4);
        take(&mut consumer, 4, 0..4);
    }
}

#[test]
fn a_ring_reports_its_kind_and_capacity_and_rejects_others() {
    for kind in Kind::ALL {
        let (producer, consumer) = pair(kind, 32);
        assert_eq!((producer.kind(), producer.capacity()), (kind, 32));
        assert_eq!((consumer.kind(), consumer.capacity()), (kind, 32));
        let refused = channel::<Event>(kind, 48).unwrap_err();
        assert_eq!(refused, RingError::Capacity { capacity: 48, nearest: 64 });
    }
}
