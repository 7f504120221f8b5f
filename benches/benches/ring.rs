//! The rings as streams: what a slot costs when slots are many.
//!
//! One thread publishes, one takes, on cores of their own, both spinning; as much at once as the batch says. Time runs from
//! the first publication to the last slot taken. Beside both rings: `rtrb` (chunks of the same size), a bounded channel of
//! crossbeam, and `copy`, the limit: one core that copies the slots into a buffer of the ring's size and reads them there,
//! without a second core to tell. All carry 64 bytes and must deliver the same sum. A ring that runs full or dry is part of
//! the figure: the slower side sets the pace.

use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use bytemuck::{Pod, Zeroable};
use crossbeam_channel::{Receiver, Sender};
use ring::thread::{cores, spawn_pinned};
use std::hint::{black_box, spin_loop};
use std::time::Instant;

/// Slots of a run.
const SLOTS: u64 = 400_000;
const CAPACITIES: [usize; 4] = [128, 1_024, 16_384, 65_536];
/// Slots published at once, and taken. The second is what a cut does: an event leaves its group at once, the next takes
/// what is there.
const BATCHES: [(usize, usize); 5] = [(1, 1), (1, 64), (8, 8), (64, 64), (256, 256)];

/// What travels: as large as an event.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Parcel([u64; 8]);

impl ring::Slot for Parcel {}

impl Parcel {
    fn numbered(number: u64) -> Parcel {
        Parcel([number; 8])
    }
}

/// The end that publishes.
trait Give: Send + 'static {
    /// As many of these as there is room for.
    fn give(&mut self, parcels: &[Parcel]) -> usize;
}

/// The end that takes.
trait Take: Send + 'static {
    /// At most so many; adds up what they hold.
    fn take(&mut self, most: usize, sum: &mut u64) -> usize;
}

impl Give for ring::Producer<Parcel> {
    fn give(&mut self, parcels: &[Parcel]) -> usize {
        self.try_publish_batch(parcels).unwrap_or(0)
    }
}

impl Take for ring::Consumer<Parcel> {
    fn take(&mut self, most: usize, sum: &mut u64) -> usize {
        match ring::Consumer::take(self, most, |parcel| *sum += parcel.0[7]) {
            ring::Taken::Events(n) => n,
            ring::Taken::Empty => 0,
            ring::Taken::Closed => panic!("the other side is gone"),
        }
    }
}

impl Give for rtrb::Producer<Parcel> {
    fn give(&mut self, parcels: &[Parcel]) -> usize {
        let n = parcels.len().min(self.slots());
        let chunk = self.write_chunk_uninit(n).expect("there are as many slots");
        chunk.fill_from_iter(parcels.iter().copied())
    }
}

impl Take for rtrb::Consumer<Parcel> {
    fn take(&mut self, most: usize, sum: &mut u64) -> usize {
        let n = most.min(self.slots());
        let chunk = self.read_chunk(n).expect("there are as many slots");
        let (first, second) = chunk.as_slices();
        first.iter().chain(second).for_each(|parcel| *sum += parcel.0[7]);
        chunk.commit_all();
        n
    }
}

impl Give for Sender<Parcel> {
    fn give(&mut self, parcels: &[Parcel]) -> usize {
        parcels.iter().take_while(|parcel| self.try_send(**parcel).is_ok()).count()
    }
}

impl Take for Receiver<Parcel> {
    fn take(&mut self, most: usize, sum: &mut u64) -> usize {
        self.try_iter().take(most).map(|parcel| *sum += parcel.0[7]).count()
    }
}

/// Streams the slots between the first two cores.
fn stream((batch, most): (usize, usize), (mut giver, mut taker): (impl Give, impl Take)) -> Run {
    let cores = cores();
    let taking = spawn_pinned("takes", cores.get(1).copied(), move || {
        let (mut taken, mut sum) = (0, 0);
        while taken < SLOTS {
            match taker.take(most, &mut sum) {
                0 => spin_loop(),
                n => taken += n as u64,
            }
        }
        (Instant::now(), sum)
    });
    let giving = spawn_pinned("gives", cores.first().copied(), move || {
        let mut parcels = vec![Parcel::numbered(0); batch];
        let start = Instant::now();
        let mut given = 0;
        while given < SLOTS {
            let wanted = (batch as u64).min(SLOTS - given) as usize;
            (given..).zip(&mut parcels[..wanted]).for_each(|(number, parcel)| *parcel = Parcel::numbered(number));
            let mut rest = &parcels[..wanted];
            while !rest.is_empty() {
                match giver.give(rest) {
                    0 => spin_loop(),
                    n => rest = &rest[n..],
                }
            }
            given += wanted as u64;
        }
        // The ends of a ring are dropped when all was taken, not before.
        (start, giver)
    });
    let (end, check) = taking.expect("the thread can be pinned").join().expect("it does not panic");
    let (start, _giver) = giving.expect("the thread can be pinned").join().expect("it does not panic");
    Run { time: end - start, check }
}

/// The limit: into a buffer and out of it, on one core.
fn copy(capacity: usize, batch: usize) -> Run {
    let mut buffer = vec![Parcel::numbered(0); capacity];
    let mut parcels = vec![Parcel::numbered(0); batch];
    let (mut given, mut sum) = (0, 0);
    let start = Instant::now();
    while given < SLOTS {
        let wanted = (batch as u64).min(SLOTS - given) as usize;
        (given..).zip(&mut parcels[..wanted]).for_each(|(number, parcel)| *parcel = Parcel::numbered(number));
        // Capacity and batch are powers of two: a batch does not straddle the end.
        let place = &mut buffer[given as usize % capacity..][..wanted];
        place.copy_from_slice(black_box(&parcels[..wanted]));
        black_box(&place).iter().for_each(|parcel| sum += parcel.0[7]);
        given += wanted as u64;
    }
    Run { time: start.elapsed(), check: sum }
}

fn main() {
    let mut report = Report::new("ring");
    if cores().len() < 2 {
        println!("  a stream needs two cores");
        return;
    }
    for capacity in CAPACITIES {
        for batch in BATCHES.into_iter().filter(|(_, most)| *most <= capacity) {
            let over = |kind| stream(batch, ring::channel(kind, capacity).expect("a power of two"));
            let mut contenders = [
                Contender::new("line", || over(ring::Kind::Line)),
                Contender::new("disruptor", || over(ring::Kind::Disruptor)),
                Contender::new("rtrb", || stream(batch, rtrb::RingBuffer::new(capacity))),
                Contender::new("crossbeam", || stream(batch, crossbeam_channel::bounded(capacity))),
                Contender::new("copy", || copy(capacity, batch.0)),
            ];
            let group = format!("{capacity} slots, {} given, {} taken", batch.0, batch.1);
            compare(&mut report, &group, SLOTS, count(21), &mut contenders);
        }
    }
}
