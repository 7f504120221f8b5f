//! Buckets of equal volume, and how one-sided the last of them were.
//!
//! Volume flows into an instrument's bucket until it holds its quantity; what is over flows into the next. Of each closed
//! bucket the ring keeps |bought - sold|; their sum is kept up to date, so that the mean costs one division, when a
//! bucket closes. Volume is counted in whole shares and what was bought of it in units of 2^-shift shares (`shift` is 0
//! where every trade has one side), both exactly: a bucket holds its quantity to the share, however volume was cut.
//!
//! Bound: a cache line and a ring of the window an instrument. Worst case: a volume that fills more buckets than the
//! window holds; only the last of them are gone through.

use super::super::Aggressor;
use super::super::Session;
use flow::Qty;
use serde::{Deserialize, Serialize};

/// The part of a volume that was bought, in 2^-52 of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part(u64);

impl Part {
    const BITS: u32 = 52;
    pub(super) const HALF: Part = Part(1 << (Part::BITS - 1));
    pub(super) const ALL: Part = Part(1 << Part::BITS);

    /// The nearest part to a probability.
    pub(super) fn of(probability: f64) -> Part {
        let scaled = probability.clamp(0.0, 1.0) * Part::ALL.0 as f64;
        Part((scaled + 0.5) as u64)
    }

    /// What was bought of the first `volume` shares, in units of 2^-shift. Differences of this are parts of pieces, and
    /// sum up to the whole.
    #[inline]
    fn of_first(self, volume: u64, shift: u32) -> u128 {
        (u128::from(volume) * u128::from(self.0)) >> (Part::BITS - shift)
    }
}

/// An instrument's running bucket, the sums over its ring and those of its session.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[repr(align(64))]
pub(super) struct Flow {
    /// Shares in the running bucket.
    filled: u64,
    /// Bought of them, in units.
    bought: u64,
    /// Of what the ring holds.
    sum: u64,
    /// Closed in the session.
    pub(super) closed: u64,
    /// Shares of the session: bought, sold.
    pub(super) signed_qty: [u64; 2],
    pub(super) unsigned_qty: u64,
    pub(super) session: Session,
    /// Where the next imbalance goes.
    head: u16,
    /// How many the ring holds.
    held: u16,
}

const _: () = assert!(size_of::<Flow>() == 64);

impl Flow {
    pub(super) const NONE: Flow = Flow {
        filled: 0,
        bought: 0,
        sum: 0,
        closed: 0,
        signed_qty: [0; 2],
        unsigned_qty: 0,
        session: Session::NONE,
        head: 0,
        held: 0,
    };

    /// Begins a session: its sums anew. The running bucket and the ring go on, since they count volume and not time.
    pub(super) fn begin(&mut self, session: Session) {
        let Flow { filled, bought, sum, head, held, .. } = *self;
        *self = Flow { filled, bought, sum, head, held, session, ..Flow::NONE };
    }
}

/// A place of a ring that holds nothing. Not zero, so that filling memory with it touches it.
const VACANT: u64 = u64::MAX;

/// What closed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing {
    /// How many buckets.
    pub(super) closed: u64,
    /// What was bought in the last of them, to the nearest share.
    pub(super) bought: u64,
    /// The mean imbalance over the window; NaN before it is full.
    pub(super) vpin: f64,
}

/// The buckets of every instrument.
pub(super) struct Buckets {
    pub(super) quantity: u64,
    pub(super) window: u16,
    shift: u32,
    /// Window times quantity, in units.
    whole: f64,
    pub(super) flows: Box<[Flow]>,
    rings: Box<[u64]>,
}

impl Buckets {
    /// The largest quantity of a bucket and the largest window: their product leaves room for the units.
    pub(super) const MAX_QUANTITY: u64 = 1_000_000_000_000_000;
    pub(super) const MAX_WINDOW: u64 = 4_096;

    /// Empty buckets; `fine` where volumes are bought in part.
    pub(super) fn new(instruments: u32, quantity: u64, window: u16, fine: bool) -> Buckets {
        let all = quantity * u64::from(window);
        let shift = if fine { (all.leading_zeros() - 1).min(32) } else { 0 };
        let instruments = instruments as usize;
        Buckets {
            quantity,
            window,
            shift,
            whole: (all << shift) as f64,
            flows: vec![Flow::NONE; instruments].into_boxed_slice(),
            rings: vec![VACANT; instruments * usize::from(window)].into_boxed_slice(),
        }
    }

    /// Adds a volume all of which one side was the aggressor of, if it closes nothing.
    #[inline]
    pub(super) fn add_within(&mut self, at: usize, volume: Qty, aggressor: Aggressor) -> bool {
        debug_assert!(self.shift == 0);
        let flow = &mut self.flows[at];
        let within = volume.0 < self.quantity - flow.filled;
        if within {
            flow.filled += volume.0;
            flow.bought += volume.0 & aggressor.bought;
            flow.count(aggressor.split(volume));
        }
        within
    }

    /// Adds a volume all of which one side was the aggressor of, and which closes a bucket.
    pub(super) fn add_over(&mut self, at: usize, volume: Qty, aggressor: Aggressor) -> Closing {
        self.flows[at].count(aggressor.split(volume));
        self.close(at, volume.0, Part(aggressor.bought & Part::ALL.0))
    }

    /// Adds a volume that was bought in part.
    pub(super) fn add_part(&mut self, at: usize, volume: u64, part: Part, carry: &mut Carry) -> Option<Closing> {
        let flow = &mut self.flows[at];
        let units = part.of_first(volume, self.shift) + u128::from(carry.0);
        let bought = (units >> self.shift) as u64;
        carry.0 = (units & ((1 << self.shift) - 1)) as u64;
        flow.count((bought, volume - bought));
        if volume < self.quantity - flow.filled {
            flow.filled += volume;
            flow.bought += part.of_first(volume, self.shift) as u64;
            return None;
        }
        Some(self.close(at, volume, part))
    }

    /// Closes the running bucket with the first of `volume`, then as many as the rest fills.
    #[cold]
    fn close(&mut self, at: usize, volume: u64, part: Part) -> Closing {
        let mut done = self.quantity - self.flows[at].filled;
        let (further, rest) = ((volume - done) / self.quantity, (volume - done) % self.quantity);
        let (quantity, shift, window) = (self.quantity, self.shift, u64::from(self.window));
        let bought = |from: u64, to: u64| (part.of_first(to, shift) - part.of_first(from, shift)) as u64;
        let mut last = self.flows[at].bought + bought(0, done);
        let left = bought(volume - rest, volume);
        let unseen = further.saturating_sub(window) * quantity;
        let ring = &mut self.rings[at * usize::from(self.window)..][..usize::from(self.window)];
        let flow = &mut self.flows[at];
        flow.push(ring, last.abs_diff((quantity << shift) - last));
        done += unseen;
        while done < volume - rest {
            last = bought(done, done + quantity);
            flow.push(ring, last.abs_diff((quantity << shift) - last));
            done += quantity;
        }
        (flow.filled, flow.bought) = (rest, left);
        flow.closed = flow.closed.saturating_add(1 + further);
        let vpin = if flow.held == self.window { flow.sum as f64 / self.whole } else { f64::NAN };
        Closing { closed: 1 + further, bought: (last + ((1 << shift) >> 1)) >> shift, vpin }
    }

    /// What is saved of an instrument; `None` where nothing happened.
    pub(super) fn saved(&self, at: usize) -> Option<SavedFlow> {
        let mut flow = self.flows[at];
        if flow == Flow::NONE {
            return None;
        }
        let mut ring = self.rings[at * usize::from(self.window)..][..usize::from(self.window)].to_vec();
        if flow.held == self.window {
            ring.rotate_left(usize::from(flow.head));
        }
        ring.truncate(usize::from(flow.held));
        flow.head = 0;
        Some(SavedFlow { flow, ring })
    }

    /// Puts it back; `false` when it cannot have been these buckets'.
    pub(super) fn load(&mut self, at: usize, saved: SavedFlow) -> bool {
        let SavedFlow { mut flow, ring } = saved;
        let (held, most) = (usize::from(flow.held), self.quantity << self.shift);
        let sum: u128 = ring.iter().map(|i| u128::from(*i)).sum();
        let fits = held == ring.len() && held <= usize::from(self.window) && flow.filled < self.quantity;
        let adds_up = sum == u128::from(flow.sum) && ring.iter().all(|i| *i <= most);
        if !fits || !adds_up || flow.bought > flow.filled << self.shift {
            return false;
        }
        flow.head = if flow.held == self.window { 0 } else { flow.held };
        self.flows[at] = flow;
        self.rings[at * usize::from(self.window)..][..held].copy_from_slice(&ring);
        true
    }

    /// Empties everything.
    pub(super) fn forget(&mut self) {
        self.flows.fill(Flow::NONE);
        self.rings.fill(VACANT);
    }
}

impl Flow {
    /// Counts what was bought and sold in the session. Both sums are written, whichever grows.
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

/// The fraction of a share that was bought but is not told yet, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Carry(pub(super) u64);

/// An instrument's buckets, its ring from the oldest on.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedFlow {
    flow: Flow,
    ring: Vec<u64>,
}
