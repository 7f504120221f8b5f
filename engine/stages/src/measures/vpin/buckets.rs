//! Buckets of equal volume, and how one-sided the last of them were.
//!
//! Volume fills an instrument's bucket up to its quantity; the excess flows into the next. For each closed bucket a ring
//! keeps |bought - sold| and a running sum, so the mean costs one division, when a bucket closes. Volume is counted in
//! whole shares, and the bought part in units of 2^-shift shares (`shift` is 0 if every trade has one side), both exactly:
//! a bucket holds its quantity to the share, however the volume was split.
//!
//! The quantity may differ from instrument to instrument and change when a session begins ([`BySession`]). The ring and the open
//! bucket are then emptied, since what they hold was measured with another quantity.
//!
//! A broken trade is taken out of the open bucket if all of it lies there: if it came after the volume that opened the bucket.
//!
//! Bound: per instrument, a cache line, a time, a size and a ring of the window. Worst case: a volume that fills more buckets than the
//! window holds; only the last of them are visited.

use super::super::{Aggressor, BySession, Session, take_out};
use flow::{GrowingTable, Ns, Qty, Real};
use serde::{Deserialize, Serialize};

/// The bought part of a volume, in units of 2^-52.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part(u64);

impl Part {
    const BITS: u32 = 52;
    pub(super) const HALF: Part = Part(1 << (Part::BITS - 1));
    pub(super) const ALL: Part = Part(1 << Part::BITS);

    /// The part nearest to a probability.
    pub(super) fn of(probability: f64) -> Part {
        let scaled = probability.clamp(0.0, 1.0) * Part::ALL.0 as f64;
        Part((scaled + 0.5) as u64)
    }

    /// The bought part of the first `volume` shares, in units of 2^-shift. Differences give the parts of pieces, which add
    /// up to the whole.
    #[inline]
    fn of_first(self, volume: u64, shift: u32) -> u128 {
        (u128::from(volume) * u128::from(self.0)) >> (Part::BITS - shift)
    }
}

/// An instrument's running bucket, the sums over its ring and those of its session.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(align(64))]
pub(super) struct Flow {
    /// Shares that the open bucket still takes.
    left: u64,
    /// Bought part of those in it, in units.
    bought: u64,
    /// Sum over the ring.
    sum: u64,
    /// Buckets closed in the session.
    pub(super) closed: u64,
    /// Shares of the session: bought, sold.
    pub(super) signed_qty: [u64; 2],
    pub(super) unsigned_qty: u64,
    pub(super) session: Session,
    /// Slot for the next imbalance.
    head: u16,
    /// Number of imbalances in the ring.
    held: u16,
}

const _: () = assert!(size_of::<Flow>() == 64);

impl Flow {
    pub(super) const NONE: Flow = Flow {
        left: 0,
        bought: 0,
        sum: 0,
        closed: 0,
        signed_qty: [0; 2],
        unsigned_qty: 0,
        session: Session::NONE,
        head: 0,
        held: 0,
    };

    /// Begins a session: resets its sums. The open bucket and the ring continue, since they count volume, not time.
    pub(super) fn begin(&mut self, session: Session) {
        let Flow { left, bought, sum, head, held, .. } = *self;
        *self = Flow { left, bought, sum, head, held, session, ..Flow::NONE };
    }

    /// Begins buckets of that quantity: nothing in the open one, none in the ring.
    fn measure_anew(&mut self, quantity: u64) {
        (self.left, self.bought, self.sum) = (quantity, 0, 0);
        (self.head, self.held) = (0, 0);
    }
}

/// The result of closing buckets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing {
    /// Number of buckets closed.
    pub(super) closed: u64,
    /// Bought part of the last of them, to the nearest share.
    pub(super) bought: u64,
    /// The mean imbalance over the window; unknown before it is full.
    pub(super) vpin: Real,
}

/// The buckets of every instrument.
pub(super) struct Buckets {
    pub(super) sizes: BySession,
    pub(super) window: u16,
    /// Whether volumes can be bought in part.
    fine: bool,
    pub(super) flows: GrowingTable<Flow>,
    /// Since when the open buckets are open, where trades fill them; [`Ns::NONE`] = since ever.
    since: GrowingTable<Ns>,
    /// The rings, one behind the other.
    rings: GrowingTable<u64>,
}

impl Buckets {
    /// The largest bucket quantity and the largest window: their product leaves room for the units.
    pub(super) const MAX_QUANTITY: u64 = 1_000_000_000_000_000;
    pub(super) const MAX_WINDOW: u64 = 4_096;

    /// Empty buckets; `fine` if volumes can be bought in part.
    pub(super) fn new(instruments: u32, sizes: BySession, window: u16, fine: bool) -> Buckets {
        let instruments = instruments as usize;
        Buckets {
            sizes,
            window,
            fine,
            flows: GrowingTable::new(instruments, Flow::NONE),
            since: GrowingTable::new(instruments, Ns::NONE),
            rings: GrowingTable::new(instruments * usize::from(window), 0),
        }
    }

    /// The quantity of an instrument's buckets; 0 before its first session, when there are none.
    pub(super) fn quantity(&self, at: usize) -> u64 {
        self.sizes.running(at).unwrap_or(0)
    }

    /// The unit of bought parts with buckets of that quantity: 2^-shift shares.
    fn shift(&self, quantity: u64) -> u32 {
        let all = quantity * u64::from(self.window);
        if self.fine { (all.leading_zeros() - 1).min(32) } else { 0 }
    }

    /// Begins a session of an instrument, with an event at `now`.
    pub(super) fn begin(&mut self, at: usize, session: Session, now: Ns) {
        let is_first = self.sizes.running(at).is_none();
        if let Some(quantity) = self.sizes.begin(at) {
            self.flows[at].measure_anew(quantity);
            if !is_first {
                self.since[at] = Ns(now.0.saturating_sub(1));
            }
        }
        self.flows[at].begin(session);
    }

    /// Fills the tables up to an instrument.
    pub(super) fn reach(&mut self, at: usize) {
        self.sizes.reach(at);
        self.flows.reach(at);
        self.since.reach(at);
        self.rings.reach((at + 1) * usize::from(self.window) - 1);
    }

    /// Adds a volume with a single aggressor, if it closes no bucket.
    #[inline]
    pub(super) fn add_within(&mut self, at: usize, volume: Qty, aggressor: Aggressor) -> bool {
        debug_assert!(!self.fine);
        let flow = &mut self.flows[at];
        let within = volume.0 < flow.left;
        if within {
            flow.left -= volume.0;
            flow.bought += volume.0 & aggressor.bought;
            flow.count(aggressor.split(volume));
        }
        within
    }

    /// Adds a volume with a single aggressor that closes a bucket, at `now`.
    pub(super) fn add_over(&mut self, at: usize, volume: Qty, aggressor: Aggressor, now: Ns) -> Closing {
        self.flows[at].count(aggressor.split(volume));
        self.since[at] = now;
        self.close(at, volume.0, Part(aggressor.bought & Part::ALL.0))
    }

    /// Takes a volume with a single aggressor, added at `ts`, out of the open bucket, if it is certain that all of it is there.
    /// What came at the very time at which the bucket opened may have come before.
    pub(super) fn take_out(&mut self, at: usize, volume: Qty, aggressor: Aggressor, ts: Ns) {
        let (since, quantity) = (self.since[at], self.quantity(at));
        let flow = &mut self.flows[at];
        let (bought, sold) = aggressor.split(volume);
        let fits = bought <= flow.bought && sold <= quantity - flow.left - flow.bought;
        if (since == Ns::NONE || ts > since) && fits {
            flow.left += volume.0;
            flow.bought -= bought;
        }
    }

    /// Adds a volume of which a part was bought.
    pub(super) fn add_part(&mut self, at: usize, volume: u64, part: Part, carry: &mut Carry) -> Option<Closing> {
        let shift = self.shift(self.quantity(at));
        let flow = &mut self.flows[at];
        let units = part.of_first(volume, shift) + u128::from(carry.0);
        let bought = (units >> shift) as u64;
        carry.0 = (units & ((1 << shift) - 1)) as u64;
        flow.count((bought, volume - bought));
        if volume < flow.left {
            flow.left -= volume;
            flow.bought += part.of_first(volume, shift) as u64;
            return None;
        }
        Some(self.close(at, volume, part))
    }

    /// Closes the open bucket with the first of `volume`, then as many as the rest fills.
    #[cold]
    fn close(&mut self, at: usize, volume: u64, part: Part) -> Closing {
        let (quantity, window) = (self.quantity(at), u64::from(self.window));
        let (shift, mut done) = (self.shift(quantity), self.flows[at].left);
        let (further, rest) = ((volume - done) / quantity, (volume - done) % quantity);
        let bought = |from: u64, to: u64| (part.of_first(to, shift) - part.of_first(from, shift)) as u64;
        let mut last = self.flows[at].bought + bought(0, done);
        let left = bought(volume - rest, volume);
        let unseen = further.saturating_sub(window) * quantity;
        let ring = self.rings.span_mut(at * usize::from(self.window), usize::from(self.window));
        let flow = &mut self.flows[at];
        flow.push(ring, last.abs_diff((quantity << shift) - last));
        done += unseen;
        while done < volume - rest {
            last = bought(done, done + quantity);
            flow.push(ring, last.abs_diff((quantity << shift) - last));
            done += quantity;
        }
        (flow.left, flow.bought) = (quantity - rest, left);
        flow.closed = flow.closed.saturating_add(1 + further);
        let whole = || ((quantity * window) << shift) as f64;
        let vpin = Real::of((flow.held == self.window).then(|| flow.sum as f64 / whole()));
        Closing { closed: 1 + further, bought: (last + ((1 << shift) >> 1)) >> shift, vpin }
    }

    /// What of an instrument outlives its journal, if there is anything: the size of its buckets (in force, configured), the open
    /// one (filled, bought, since when), the sums of the session (buckets, bought, sold), the unsigned quantity and the session;
    /// and the imbalances of the ring, from the oldest on.
    pub(super) fn lasting(&self, at: usize) -> Option<([[i64; 3]; 4], Vec<i64>)> {
        let SavedFlow { quantity, flow, since, ring } = self.saved(at)?;
        let [bought, sold] = flow.signed_qty;
        let size = self.sizes.lasting(at)?;
        let rows = [
            [quantity - flow.left, flow.bought, since.0],
            [flow.closed, bought, sold],
            [flow.unsigned_qty, u64::from(flow.session.code()), 0],
        ];
        let [bucket, sums, session] = rows.map(|row| row.map(|value| value as i64));
        Some(([size, bucket, sums, session], ring.into_iter().map(|imbalance| imbalance as i64).collect()))
    }

    /// Takes the size of an instrument's buckets back; what else is told of them holds for this size alone.
    pub(super) fn recall_size(&mut self, at: usize, row: [i64; 3]) {
        if let Some(quantity) = self.sizes.recall(at, row) {
            self.flows[at].measure_anew(quantity);
        }
    }

    /// Takes the open bucket of an instrument back.
    pub(super) fn recall(&mut self, at: usize, [filled, bought, since]: [i64; 3]) {
        let (filled, bought, quantity) = (filled as u64, bought as u64, self.quantity(at));
        if filled < quantity && bought <= filled << self.shift(quantity) {
            let flow = &mut self.flows[at];
            (flow.left, flow.bought, self.since[at]) = (quantity - filled, bought, Ns(since as u64));
        }
    }

    /// Takes the sums of a session back: buckets closed, bought and sold.
    pub(super) fn recall_sums(&mut self, at: usize, [closed, bought, sold]: [i64; 3]) {
        let flow = &mut self.flows[at];
        (flow.closed, flow.signed_qty) = (closed as u64, [bought as u64, sold as u64]);
    }

    /// Takes back what has no side, and which session it is.
    pub(super) fn recall_session(&mut self, at: usize, [unsigned, session, _]: [i64; 3]) {
        let flow = &mut self.flows[at];
        (flow.unsigned_qty, flow.session) = (unsigned as u64, Session::from_code(session as u32));
    }

    /// Takes the imbalance of a closed bucket back, the oldest first.
    pub(super) fn recall_closed(&mut self, at: usize, imbalance: i64) {
        let (imbalance, quantity) = (imbalance as u64, self.quantity(at));
        if imbalance <= quantity << self.shift(quantity) {
            let window = usize::from(self.window);
            self.flows[at].push(self.rings.span_mut(at * window, window), imbalance);
        }
    }

    /// The saved state of an instrument; `None` if nothing happened.
    pub(super) fn saved(&self, at: usize) -> Option<SavedFlow> {
        let mut flow = self.flows[at];
        if flow == Flow::NONE {
            return None;
        }
        let first = at * usize::from(self.window);
        let mut ring: Vec<u64> = (0..usize::from(flow.held)).map(|i| self.rings[first + i]).collect();
        if flow.held == self.window {
            ring.rotate_left(usize::from(flow.head));
        }
        flow.head = 0;
        Some(SavedFlow { quantity: self.sizes.running(at)?, flow, since: self.since[at], ring })
    }

    /// Restores it; `false` if these buckets cannot have saved it.
    pub(super) fn load(&mut self, at: usize, saved: SavedFlow) -> bool {
        let SavedFlow { quantity, mut flow, since, ring } = saved;
        if !self.sizes.load_running(at, quantity) {
            return false;
        }
        let (held, shift) = (usize::from(flow.held), self.shift(quantity));
        let sum: u128 = ring.iter().map(|i| u128::from(*i)).sum();
        let fits = held == ring.len() && held <= usize::from(self.window) && (1..=quantity).contains(&flow.left);
        let adds_up = sum == u128::from(flow.sum) && ring.iter().all(|i| *i <= quantity << shift);
        if !fits || !adds_up || flow.bought > (quantity - flow.left) << shift {
            return false;
        }
        flow.head = if flow.held == self.window { 0 } else { flow.held };
        (self.flows[at], self.since[at]) = (flow, since);
        self.rings.span_mut(at * usize::from(self.window), usize::from(self.window))[..held].copy_from_slice(&ring);
        true
    }

    /// Empties all buckets.
    pub(super) fn forget(&mut self) {
        self.flows.clear();
        self.since.clear();
        self.rings.clear();
    }
}

impl Flow {
    /// Takes a trade out of the session's sums.
    pub(super) fn take_out(&mut self, volume: Qty, aggressor: Aggressor) {
        let (bought, sold) = aggressor.split(volume);
        let [all_bought, all_sold] = &mut self.signed_qty;
        take_out(all_bought, bought);
        take_out(all_sold, sold);
        take_out(&mut self.unsigned_qty, volume.0 - bought - sold);
    }

    /// Adds to the session's bought and sold sums. Both are written, whichever grows, to avoid a branch.
    #[inline]
    fn count(&mut self, (bought, sold): (u64, u64)) {
        let [all_bought, all_sold] = self.signed_qty;
        self.signed_qty = [all_bought.saturating_add(bought), all_sold.saturating_add(sold)];
    }

    #[inline]
    fn push(&mut self, ring: &mut [u64], imbalance: u64) {
        let at = usize::from(self.head);
        if usize::from(self.held) == ring.len() {
            self.sum -= ring[at];
        } else {
            self.held += 1;
        }
        ring[at] = imbalance;
        self.sum += imbalance;
        self.head = if at + 1 == ring.len() { 0 } else { self.head + 1 };
    }
}

/// The bought fraction of a share that is not yet reported, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Carry(pub(super) u64);

/// An instrument's buckets, with its ring from the oldest on.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedFlow {
    quantity: u64,
    flow: Flow,
    since: Ns,
    ring: Vec<u64>,
}
