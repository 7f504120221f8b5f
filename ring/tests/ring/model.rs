//! Both rings against a `VecDeque` as the reference: random interleavings of publishing, batches, bounded takes and
//! drops on small rings. A failing case is shrunk and printed with its seed.

use std::collections::VecDeque;

use crate::event::Event;
use proptest::prelude::*;
use ring::{Consumer, Kind, Producer, Refused, Taken, channel};

/// One call on one of the two ends.
#[derive(Clone, Debug)]
enum Call {
    Publish,
    Batch(usize),
    Take(usize),
    DropProducer,
    DropConsumer,
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        40 => Just(Call::Publish),
        20 => (0..20_usize).prop_map(Call::Batch),
        40 => (0..20_usize).prop_map(Call::Take),
        1 => Just(Call::DropProducer),
        1 => Just(Call::DropConsumer),
    ];
    prop::collection::vec(call, 0..120)
}

/// The ring under test and its reference queue.
struct Pair {
    producer: Option<Producer<Event>>,
    consumer: Option<Consumer<Event>>,
    queue: VecDeque<u64>,
    capacity: usize,
    published: u64,
    taken: u64,
}

impl Pair {
    fn new(kind: Kind, capacity: usize) -> Self {
        let (producer, consumer) = channel(kind, capacity).expect("a valid capacity");
        let (producer, consumer) = (Some(producer), Some(consumer));
        Self { producer, consumer, queue: VecDeque::new(), capacity, published: 0, taken: 0 }
    }

    fn step(&mut self, call: &Call) {
        match *call {
            Call::Publish => self.publish(),
            Call::Batch(len) => self.batch(len),
            Call::Take(max) => self.take(max),
            Call::DropProducer => self.producer = None,
            Call::DropConsumer => self.consumer = None,
        }
    }

    fn room(&self) -> usize {
        self.capacity - self.queue.len()
    }

    fn publish(&mut self) {
        let fits = self.room() > 0;
        let Some(producer) = &mut self.producer else { return };
        let expected = match (&self.consumer, fits) {
            (None, _) => Err(Refused::Disconnected),
            (_, false) => Err(Refused::Full),
            (_, true) => Ok(()),
        };
        assert_eq!(producer.try_publish(&Event::numbered(self.published)), expected);
        self.enqueue(usize::from(expected.is_ok()));
    }

    fn batch(&mut self, len: usize) {
        let fit = self.room().min(len);
        let Some(producer) = &mut self.producer else { return };
        let expected = match &self.consumer {
            None => Err(Refused::Disconnected),
            Some(_) if fit == 0 && len > 0 => Err(Refused::Full),
            Some(_) => Ok(fit),
        };
        let events: Vec<Event> = (self.published..).take(len).map(Event::numbered).collect();
        assert_eq!(producer.try_publish_batch(&events), expected);
        self.enqueue(expected.unwrap_or(0));
    }

    fn enqueue(&mut self, count: usize) {
        self.queue.extend((self.published..).take(count));
        self.published += count as u64;
    }

    fn take(&mut self, max: usize) {
        let Some(consumer) = &mut self.consumer else { return };
        let expected: Vec<Event> = self.queue.drain(..max.min(self.queue.len())).map(Event::numbered).collect();
        let mut got = Vec::new();
        let taken = consumer.take(max, |event| got.push(*event));
        assert_eq!(got, expected);
        match (expected.len(), &self.producer) {
            (0, None) if max > 0 => assert_eq!(taken, Taken::Closed),
            (0, _) => assert_eq!(taken, Taken::Empty),
            (count, _) => assert_eq!(taken, Taken::Events(count)),
        }
        self.taken += expected.len() as u64;
        let counters = consumer.counters();
        assert_eq!((counters.producer().published, counters.consumer().taken), (self.published, self.taken));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_ring_is_a_bounded_queue(kind in prop::sample::select(&Kind::ALL[..]), shift in 0..6_u32, calls in calls()) {
        let mut pair = Pair::new(kind, 1 << shift);
        calls.iter().for_each(|call| pair.step(call));
    }
}
