//! Runs a pipeline: one thread per group.
//!
//! The head's thread admits inputs and passes them through its own stages; every other group takes events from its ring. A
//! turn is at most `batch` events; at its end, and before every wait, the group publishes its watermark. When the head
//! ends, its ring closes and the pipeline drains in order. A panic is caught at the edge of its thread; its rings close,
//! so the neighbouring groups stop too. Only these loops read a clock ([`LoadMeter`]). Worst case: a full ring blocks the
//! group before it.

use crate::ahead::Ahead;
use crate::deliberate::{Fault, is_on};
use crate::gateway::{KillSwitch, VenueStatus};
use crate::ingress::{Admitted, FeedStatuses, Head, IngressError, RollRequests};
use crate::pipeline::{
    Edge, Exit, Group, GroupMeter, Handover, HandoverPart, HeadState, Inquired, Inquiry, LoadMeter, Meters, Rehearsing,
    Slot, StallMeter, Stopwatch, Tail,
};
use crate::plan::{GroupPlan, Plan};
use bytemuck::Zeroable;
use flow::{Event, Gateway, Kind};
use quanta::Clock;
use ring::pauses::Measured;
use ring::thread::{Panicked, SpawnError, Worker, spawn_pinned};
use ring::{Consumer, Idle, RingError, Taken};
use sinks::journal::CurrentDisk;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The most time that measuring the way between cores may take before a run, over all cuts.
const MEASURING: Duration = Duration::from_millis(20);

/// Handle by which other threads watch and stop a run.
#[derive(Clone, Default)]
pub struct Control {
    /// Stops the run: nothing more enters from the sources, and the pipeline finishes what has entered.
    pub stop: Arc<AtomicBool>,
    /// Every thread of the pipeline has ended.
    pub ended: Arc<AtomicBool>,
    /// Halts and cancels at the gateways, beside the pipeline.
    pub kill_switch: Arc<KillSwitch>,
    /// The sessions with venues outside the process, by the numbers of gateways.
    pub venues: [Arc<VenueStatus>; Gateway::MOST],
    /// How the sources stand.
    pub feeds: FeedStatuses,
    /// The recorded inputs have been replayed, so the sources continue.
    pub recovered: Arc<AtomicBool>,
    /// The input that the pipeline has not finished for too long, as the watchdog says; 0 while it moves.
    pub stalled: Arc<AtomicU64>,
    /// Turns that the head has taken: it stands still while the head does.
    pub turns: Arc<AtomicU64>,
    /// The last `seq` admitted.
    pub admitted: Arc<AtomicU64>,
    /// The last `seq` finished by the tail.
    pub watermark: Arc<AtomicU64>,
    /// Meters, readable during the run and after it.
    pub meters: Meters,
    /// Asks the pipeline where trading stands.
    pub inquiry: Arc<Inquiry>,
    /// The roll of the journal: what the head asks of the pipeline.
    pub handover: Arc<Handover>,
    /// What operators ask of the roll.
    pub rolls: Arc<RollRequests>,
    /// Watches the disk of the current journal, once one is open for writing.
    pub disk: CurrentDisk,
}

impl Control {
    /// Queues a message for whoever watches the run.
    pub(crate) fn notice(&self, what: String) {
        self.venues[0].notice(what);
    }

    /// The next message to say, if there is one.
    pub fn take_notice(&self) -> Option<String> {
        self.venues.iter().find_map(|venue| venue.take_notice())
    }

    /// Orders that may be open at venues outside the process.
    pub fn open_orders(&self) -> u64 {
        self.venues.iter().map(|venue| venue.open_orders()).sum()
    }
}

/// Why a pipeline did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// A thread could not be started.
    #[error("{0}")]
    Thread(#[from] SpawnError),
    /// A ring could not be created.
    #[error("{0}")]
    Ring(#[from] RingError),
    /// A broken invariant: a bug.
    #[error("{0}; this is a bug: the run was stopped, and no further input was processed")]
    Panicked(#[from] Panicked),
}

/// A finished run.
pub struct Finished<H> {
    /// The head, with its sources.
    pub head: H,
    /// The groups in order, with their stages; the observers that the tail ran are one more.
    pub groups: Vec<Group>,
    /// The tail.
    pub tail: Tail,
    /// The meters.
    pub meters: Meters,
    /// Why the sequence stopped early, if it did.
    pub error: Option<IngressError>,
    /// Whether it ended before its inputs did: [`Control::stop`] stopped it, or nobody takes its rows any more.
    pub stopped: bool,
    /// When the last group ended.
    pub ended: Instant,
}

/// Where a group hands its events: a cut, or the tail.
enum GroupOutput {
    Cut(Box<Edge>),
    End(Box<Tail>),
}

impl GroupOutput {
    /// Drops a ring's producer, which closes the ring and lets the next group end; keeps the tail.
    fn left(self) -> Option<Box<Tail>> {
        match self {
            GroupOutput::Cut(_) => None,
            GroupOutput::End(tail) => Some(tail),
        }
    }
}

struct GroupEnd<H> {
    group: Group,
    tail: Option<Box<Tail>>,
    ended: Instant,
    head: Option<(H, Option<IngressError>, bool)>,
}

/// Runs the pipeline to its end, and blocks meanwhile.
///
/// # Errors
/// When a thread or a ring could not be created, or a group panicked.
pub fn run_pipeline<H: Head + 'static>(
    head: H,
    plan: Plan,
    tail: Tail,
    control: &Control,
) -> Result<Finished<H>, DriveError> {
    // Without it the tables' pages come when they are used.
    let _ahead = Ahead::start(plan.idle).ok();
    // With its room before the threads run: the first may end while others still work, and their allocations are counted.
    let mut groups = Vec::with_capacity(plan.groups.len() + 1);
    let workers = spawn(head, plan, tail, control)?;
    let (mut end, mut ended_head, mut panicked, mut ended) = (None, None, None, Instant::now());
    for worker in workers {
        match worker.join() {
            Ok(done) => {
                groups.push(done.group);
                ended = done.ended;
                ended_head = ended_head.or(done.head);
                end = end.or(done.tail);
            }
            Err(e) => panicked = panicked.or(Some(e)),
        }
    }
    control.ended.store(true, Ordering::Release);
    if let Some(e) = panicked {
        return Err(e.into());
    }
    let (head, error, stopped) = ended_head.expect("the first group returns the head");
    let mut tail = *end.expect("the last group returns the tail");
    groups.extend(tail.take_observers());
    Ok(Finished { head, groups, tail, meters: control.meters.clone(), error, stopped, ended })
}

/// What a group looks at once a turn.
struct Looks {
    load: LoadMeter,
    rehearsing: Rehearsing,
    asked: Inquired,
    handover: HandoverPart,
}

impl Looks {
    /// A turn has taken so many events.
    #[inline(always)]
    fn worked<E: Exit>(&mut self, events: usize, exit: &E) {
        self.load.worked(events, exit);
        self.rehearsing.worked(events);
    }

    /// There was nothing to take: rehearses, then waits.
    #[inline(always)]
    fn idle<E: Exit>(&mut self, group: &Group, exit: &E, wait: impl FnOnce()) {
        let Looks { load, rehearsing, .. } = self;
        load.idle(exit, || {
            rehearsing.idle(group);
            wait();
        });
    }

    /// Looks whether an operator or the head asks for something.
    #[inline(always)]
    fn look<E: Exit>(&mut self, head: impl FnOnce(&mut HeadState), group: &Group, exit: &mut E) {
        self.asked.look(head, group, exit);
        self.handover.look(group, exit);
    }
}

/// How a group takes its turns: batch size, idling, timing.
#[derive(Clone)]
struct Turns {
    batch: usize,
    idle: Idle,
    /// Times orders; the head starts it for each input.
    stopwatch: Option<Stopwatch>,
}

fn spawn<H: Head + 'static>(
    head: H,
    plan: Plan,
    tail: Tail,
    control: &Control,
) -> Result<Vec<Worker<GroupEnd<H>>>, DriveError> {
    let clock = plan.meters.then(Clock::new);
    let measured = measured(&plan, clock.as_ref());
    let turns = Turns { batch: plan.batch, idle: plan.idle, stopwatch: tail.stopwatch().cloned() };
    let idle = |measured: Option<Measured>| measured.map_or(plan.idle, Measured::idle);
    let last = plan.groups.len() - 1;
    let (mut stages, mut rehearsals) = (plan.stages.into_iter(), plan.rehearsals.into_iter());
    // Nothing is allocated here once the first group runs, so that a pipeline's own allocations can be counted.
    let count = plan.groups.len();
    let mut workers = Vec::with_capacity(count);
    let (mut head, mut tail) = (Some(head), Some(tail));
    let mut inlet: Option<Consumer<Slot>> = None;
    for (i, planned) in plan.groups.into_iter().enumerate() {
        let own: Vec<_> = stages.by_ref().take(planned.stages.len()).collect();
        let deciding = if i == last { plan.deciding.saturating_sub(planned.stages.start) } else { own.len() };
        let (group, observers) = Group::and_observers(own, deciding, planned.forwards, plan.sample_every);
        let load = LoadMeter::new(clock.clone());
        let (name, about) = (planned.name.clone(), planned.to_string());
        let times = observers.iter().flat_map(Group::stage_times).chain(group.times()).collect();
        let meter = GroupMeter { name, about, load: load.reader(), times };
        control.meters.add_group(meter);
        let stalls = StallMeter::new(clock.clone());
        let (output, next) = if i == last {
            let tail = tail.take().expect("there is one last group");
            (GroupOutput::End(Box::new(tail.with_observers(observers).with_stalls(stalls))), None)
        } else {
            let row = plan.wiring.out_of(i).expect("a ring leads out of every group but the last");
            let (producer, consumer) = control.meters.ring(plan.ring, row, measured[i])?;
            (GroupOutput::Cut(Box::new(Edge::new(producer, idle(measured[i]), stalls))), Some(consumer))
        };
        let from = std::mem::replace(&mut inlet, next);
        let head = head.take();
        let before = i.checked_sub(1).and_then(|cut| measured[cut]);
        let (control, turns) = (control.clone(), Turns { idle: idle(before), ..turns.clone() });
        let asked = Inquired::new(Arc::clone(&control.inquiry), i, count);
        let handover = HandoverPart::new(Arc::clone(&control.handover), i, count);
        let rehearsing = Rehearsing::new(rehearsals.next().flatten(), plan.ring)?;
        let looks = Looks { load, rehearsing, asked, handover };
        workers.push(spawn_pinned(planned.name, planned.core, move || match (head, from) {
            (Some(head), _) => first(head, group, output, &turns, &control, looks),
            (None, Some(from)) => later(from, group, output, &turns, looks),
            (None, None) => unreachable!("every group but the first has a ring before it"),
        })?);
    }
    Ok(workers)
}

/// What was measured at each cut between two cores of their own, where the groups spin with pauses and nothing is repeated.
fn measured(plan: &Plan, clock: Option<&Clock>) -> Vec<Option<Measured>> {
    let cuts = plan.groups.windows(2);
    let limit = MEASURING / cuts.len().max(1) as u32;
    let wanted = plan.measures_pauses && matches!(plan.idle, Idle::Pauses(_));
    let of_cut = |pair: &[GroupPlan]| {
        let cores = pair[0].core.zip(pair[1].core).filter(|_| wanted)?;
        let clock = clock.cloned();
        // A group that waits reads the clock of its meter between two looks.
        ring::pauses::measure(plan.ring, cores, limit, move || {
            black_box(clock.as_ref().map(Clock::raw));
        })
    };
    cuts.map(of_cut).collect()
}

fn first<H: Head>(
    mut head: H,
    mut group: Group,
    mut output: GroupOutput,
    turns: &Turns,
    control: &Control,
    mut looks: Looks,
) -> GroupEnd<H> {
    let (error, stopped) = match &mut output {
        GroupOutput::Cut(edge) => admit_all(&mut head, &mut group, edge.as_mut(), turns, control, &mut looks),
        GroupOutput::End(tail) => admit_all(&mut head, &mut group, tail.as_mut(), turns, control, &mut looks),
    };
    GroupEnd { group, tail: output.left(), ended: Instant::now(), head: Some((head, error, stopped)) }
}

fn admit_all<H: Head, E: Exit>(
    head: &mut H,
    group: &mut Group,
    exit: &mut E,
    turns: &Turns,
    control: &Control,
    looks: &mut Looks,
) -> (Option<IngressError>, bool) {
    looks.load.begin();
    // With one group the pipeline is idle after every input. Raising the watermark at once saves the head another turn; the
    // sinks are notified at the end of the turn, as always.
    let idles = exit.ends_the_pipeline() && head.awaits_returns();
    let (mut error, mut stopped, mut replays) = (None, false, true);
    let (mut input, mut turn, mut quiet): (Event, u64, u32) = (Zeroable::zeroed(), 0, 0);
    loop {
        head.begin_turn();
        turn += 1;
        replays = begun(head, control, turn, replays);
        stopped = stopped || stops(head, control);
        let (mut state, mut admitted) = (Admitted::One, 0);
        while admitted < turns.batch && state == Admitted::One && !exit.is_closed() {
            match head.admit(&mut input, group) {
                Ok(now) => state = now,
                Err(e) => {
                    error.get_or_insert(e);
                    head.stop();
                    continue;
                }
            }
            if state == Admitted::One {
                if let Some(stopwatch) = &turns.stopwatch {
                    stopwatch.start(head.seq());
                }
                if is_on(Fault::WatermarkFirst) {
                    exit.finished(head.seq(), &mut || head.on_backpressure());
                }
                group.prefetch(head.lookahead());
                group.process(&input, exit, &mut || head.on_backpressure());
                if idles {
                    control.watermark.store(head.seq(), Ordering::Release);
                }
                admitted += 1;
            }
        }
        if admitted > 0 {
            control.admitted.store(head.seq(), Ordering::Relaxed);
            exit.finished(head.seq(), &mut || head.on_backpressure());
            looks.worked(admitted, exit);
            turns.idle.found(&mut quiet);
        }
        looks.look(|to| head.trading_state(to), group, exit);
        if state == Admitted::Ended || exit.is_closed() {
            looks.load.end(exit);
            return (error, stopped || exit.is_closed());
        }
        if state == Admitted::Pending && admitted == 0 {
            looks.idle(group, exit, || turns.idle.wait(&mut quiet));
        }
    }
}

/// Publishes that a turn has begun, and once that the record is replayed; whether it still is.
#[inline(always)]
fn begun<H: Head>(head: &H, control: &Control, turn: u64, replays: bool) -> bool {
    control.turns.store(turn, Ordering::Relaxed);
    if replays && !head.is_replaying() {
        control.recovered.store(true, Ordering::Release);
        return false;
    }
    replays
}

/// Stops the head if somebody asks for it; whether it is stopped.
fn stops<H: Head>(head: &mut H, control: &Control) -> bool {
    let asked = control.stop.load(Ordering::Relaxed);
    if asked {
        head.stop();
    }
    asked
}

fn later<H>(
    mut from: Consumer<Slot>,
    mut group: Group,
    mut output: GroupOutput,
    turns: &Turns,
    mut looks: Looks,
) -> GroupEnd<H> {
    match &mut output {
        GroupOutput::Cut(edge) => take_all(&mut from, &mut group, edge.as_mut(), turns, &mut looks),
        GroupOutput::End(tail) => take_all(&mut from, &mut group, tail.as_mut(), turns, &mut looks),
    }
    GroupEnd { group, tail: output.left(), ended: Instant::now(), head: None }
}

fn take_all<E: Exit>(from: &mut Consumer<Slot>, group: &mut Group, exit: &mut E, turns: &Turns, looks: &mut Looks) {
    looks.load.begin();
    let mut quiet = 0;
    loop {
        let taken = from.take(turns.batch, |slot| {
            if slot.0.kind == Kind::WATERMARK {
                exit.finished(slot.0.id.seq(), &mut || ());
            } else {
                group.process(&slot.0, exit, &mut || ());
            }
        });
        looks.look(|_| (), group, exit);
        match taken {
            Taken::Events(n) => {
                looks.worked(n, exit);
                turns.idle.found(&mut quiet);
            }
            Taken::Empty => looks.idle(group, exit, || turns.idle.wait(&mut quiet)),
            Taken::Closed => break,
        }
        if exit.is_closed() {
            break;
        }
    }
    looks.load.end(exit);
}
