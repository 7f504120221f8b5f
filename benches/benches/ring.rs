//! The rings as streams: what a slot costs when slots are many.
//!
//! One thread publishes, one takes, on cores of their own, both spinning; as much at once as the batch holds. Time runs from
//! the first publication to the last slot taken. The phase ring waits as a pipeline does, which measures its pauses when it
//! begins, and in two rows as named; each of the others with what suits it best, found in rounds before. Beside both rings: `rtrb` (chunks of the same size), a bounded channel of
//! crossbeam, and `copy`, the limit: one core that copies the slots into a buffer of the ring's size and reads them there,
//! without a second core to tell. All carry 64 bytes and must deliver them in order. A ring that runs full or dry is part of
//! the figure: the slower side sets the pace.

use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count, interleave, median};
use crossbeam_channel::{Receiver, Sender};
use ring::thread::cores;
use ring::{Idle, Kind};
use std::hint::black_box;
use std::time::Instant;
use tidegate::bench::hop::{Parcel, Placement, WAITS, glance, own_wait};
use tidegate::bench::rings::{Give, Take, stream};

/// Rounds of the floor before and after, which tell where the cores lie.
const GLANCES: usize = 5;
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
fn over(batch: (usize, usize), idle: Idle, ends: (impl Give, impl Take)) -> Run {
    Run { time: stream(batch, SLOTS, idle, ends), check: CHECK }
}

/// The wait with which this is done soonest.
fn best_wait(run: impl Fn(Idle) -> Run) -> Idle {
    let mut times = vec![Vec::new(); WAITS.len()];
    interleave(count(5), WAITS.len(), |which| times[which].push(run(WAITS[which]).time.as_secs_f64()));
    let soonest = (0..WAITS.len()).min_by(|a, b| median(&times[*a]).total_cmp(&median(&times[*b])));
    WAITS[soonest.expect("there are waits")]
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
    let own = WAITS[own_wait()];
    let mut raw_ns = glance(GLANCES);
    for capacity in CAPACITIES {
        for batch in BATCHES.into_iter().filter(|(_, most)| *most <= capacity) {
            let ring = |kind, idle| over(batch, idle, ring::channel(kind, capacity).expect("a power of two"));
            let rtrb = |idle| {
                let (giver, taker) = rtrb::RingBuffer::new(capacity);
                over(batch, idle, (Rtrb(giver), Rtrb(taker)))
            };
            let crossbeam = |idle| {
                let (giver, taker) = crossbeam_channel::bounded(capacity);
                over(batch, idle, (Crossbeam(giver), Crossbeam(taker)))
            };
            let disruptor = |idle| ring(Kind::Disruptor, idle);
            let best = [best_wait(disruptor), best_wait(rtrb), best_wait(crossbeam)];
            let mut contenders = [
                Contender::new("phase", || ring(Kind::Phase, own)),
                Contender::new("disruptor", || disruptor(best[0])),
                Contender::new("rtrb", || rtrb(best[1])),
                Contender::new("crossbeam", || crossbeam(best[2])),
                Contender::new("copy", || copy(capacity, batch.0)),
                Contender::new("phase, spin", || ring(Kind::Phase, Idle::Spin)),
                Contender::new("phase, hint", || ring(Kind::Phase, Idle::SpinHint)),
            ];
            let group = format!("{capacity} slots, {} given, {} taken", batch.0, batch.1);
            compare(&mut report, &group, SLOTS, count(21), &mut contenders);
        }
    }
    raw_ns.extend(glance(GLANCES));
    report.note(&Placement::of(&raw_ns).words(median(&raw_ns)));
}
