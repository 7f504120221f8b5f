//! The rings as streams: what a slot costs when slots are many.
//!
//! One thread publishes, one takes, on cores of their own, both spinning; as much at once as the batch holds. Time runs from
//! the first publication to the last slot taken. Beside both rings: `rtrb` (chunks of the same size), a bounded channel of
//! crossbeam, and `copy`, the limit: one core that copies the slots into a buffer of the ring's size and reads them there,
//! without a second core to tell. All carry 64 bytes and must deliver them in order. A ring that runs full or dry is part of
//! the figure: the slower side sets the pace.

use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use crossbeam_channel::{Receiver, Sender};
use ring::thread::cores;
use std::hint::black_box;
use std::time::Instant;
use tidegate::bench::hop::Parcel;
use tidegate::bench::rings::{Give, Take, stream};

/// Slots of a run.
const SLOTS: u64 = 400_000;
const CAPACITIES: [usize; 4] = [128, 1_024, 16_384, 65_536];
/// Slots published at once, and taken. The second is what a cut does: an event leaves its group at once, the next takes
/// what is there.
const BATCHES: [(usize, usize); 5] = [(1, 1), (1, 64), (8, 8), (64, 64), (256, 256)];

/// The sum over what was delivered: the same for all.
const CHECK: u64 = SLOTS * (SLOTS - 1) / 2;

struct Rtrb<T>(T);

impl Give for Rtrb<rtrb::Producer<Parcel>> {
    fn give(&mut self, parcels: &[Parcel]) -> usize {
        let n = parcels.len().min(self.0.slots());
        let chunk = self.0.write_chunk_uninit(n).expect("there are as many slots");
        chunk.fill_from_iter(parcels.iter().copied())
    }
}

impl Take for Rtrb<rtrb::Consumer<Parcel>> {
    fn take(&mut self, most: usize, mut see: impl FnMut(u64)) -> usize {
        let n = most.min(self.0.slots());
        let chunk = self.0.read_chunk(n).expect("there are as many slots");
        let (first, second) = chunk.as_slices();
        first.iter().chain(second).for_each(|parcel| see(parcel.0[7]));
        chunk.commit_all();
        n
    }
}

struct Crossbeam<T>(T);

impl Give for Crossbeam<Sender<Parcel>> {
    fn give(&mut self, parcels: &[Parcel]) -> usize {
        parcels.iter().take_while(|parcel| self.0.try_send(**parcel).is_ok()).count()
    }
}

impl Take for Crossbeam<Receiver<Parcel>> {
    fn take(&mut self, most: usize, mut see: impl FnMut(u64)) -> usize {
        self.0.try_iter().take(most).map(|parcel| see(parcel.0[7])).count()
    }
}

/// Streams the slots between the first two cores; that they come in order is seen there.
fn over(batch: (usize, usize), ends: (impl Give, impl Take)) -> Run {
    Run { time: stream(batch, SLOTS, ends), check: CHECK }
}

/// The limit: into a buffer and out of it, on one core.
fn copy(capacity: usize, batch: usize) -> Run {
    let mut buffer = vec![Parcel([0; 8]); capacity];
    let mut parcels = vec![Parcel([0; 8]); batch];
    let (mut given, mut sum) = (0, 0);
    let start = Instant::now();
    while given < SLOTS {
        let wanted = (batch as u64).min(SLOTS - given) as usize;
        (given..).zip(&mut parcels[..wanted]).for_each(|(number, parcel)| parcel.0[7] = number);
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
            let ring = |kind| over(batch, ring::channel(kind, capacity).expect("a power of two"));
            let rtrb = || {
                let (giver, taker) = rtrb::RingBuffer::new(capacity);
                over(batch, (Rtrb(giver), Rtrb(taker)))
            };
            let crossbeam = || {
                let (giver, taker) = crossbeam_channel::bounded(capacity);
                over(batch, (Crossbeam(giver), Crossbeam(taker)))
            };
            let mut contenders = [
                Contender::new("phase", || ring(ring::Kind::Phase)),
                Contender::new("disruptor", || ring(ring::Kind::Disruptor)),
                Contender::new("rtrb", rtrb),
                Contender::new("crossbeam", crossbeam),
                Contender::new("copy", || copy(capacity, batch.0)),
            ];
            let group = format!("{capacity} slots, {} given, {} taken", batch.0, batch.1);
            compare(&mut report, &group, SLOTS, count(21), &mut contenders);
        }
    }
}
