//! Levels of one side that grow at once, and what becomes of the orders that made them grow.
//!
//! A growth is one price: it begins with an order that is displayed there, and takes those that come within a time. It has grown when
//! the level is several times its usual size, and would not be without them. Where enough levels have grown within that time they are a
//! wave, which is watched for a time.
//!
//! Bound: [`GROWTHS`] prices. Worst case: a look at each.

use flow::{Ns, Px};
use serde::{Deserialize, Serialize};

/// Prices that are looked at, at once.
const GROWTHS: usize = 16;

/// What makes a wave.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Levels, or more.
    pub(super) levels: u32,
    /// Times the median, or more.
    pub(super) times: f64,
    pub(super) grow_ns: u64,
    pub(super) pulled_ns: u64,
    /// Of what was displayed, or more; and or less: in per cent.
    pub(super) pulled_part: f64,
    pub(super) taken_part: f64,
}

/// A price at which orders are displayed one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Growth {
    /// [`Px::NONE`] = none.
    px: Px,
    /// Tells its orders from those of an earlier one in its place.
    number: u32,
    orders: u32,
    began: Ns,
    /// When it had grown; [`Ns::NONE`] before.
    grown: Ns,
    /// What rests of its orders.
    left: u64,
    /// What rested of them when it had grown, and what came after; and what became of that.
    displayed: u64,
    pulled: u64,
    taken: u64,
    /// Quantity of the level, and its median.
    level: u64,
    median: u64,
}

impl Growth {
    const NONE: Growth = Growth {
        px: Px::NONE,
        number: 0,
        orders: 0,
        began: Ns(0),
        grown: Ns::NONE,
        left: 0,
        displayed: 0,
        pulled: 0,
        taken: 0,
        level: 0,
        median: 0,
    };

    fn has_grown(&self) -> bool {
        self.px != Px::NONE && self.grown != Ns::NONE
    }
}

/// The wave that is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Grown {
    /// Bits of the growths; 0 = none is.
    growths: u16,
    began: Ns,
    /// The last instant.
    until: Ns,
}

/// An order that a book shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Display {
    pub(super) ts: Ns,
    pub(super) px: Px,
    pub(super) qty: u64,
    /// Quantity of its level with it, and the median of its level.
    pub(super) level: u64,
    pub(super) median: u64,
}

/// A growth that an order is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    at: u8,
    number: u32,
}

/// How quantity of an order leaves its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaves {
    Pulled,
    Taken,
}

/// A wave that was pulled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pulled {
    pub(super) levels: u32,
    pub(super) orders: u32,
    pub(super) displayed: u64,
    pub(super) pulled: u64,
    pub(super) taken: u64,
    /// All levels together when they had grown, and their medians.
    pub(super) level: u64,
    pub(super) median: u64,
    /// The lowest and the highest price.
    pub(super) low: Px,
    pub(super) high: Px,
    pub(super) began: Ns,
    pub(super) grown: Ns,
}

/// One side of a book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wave {
    growths: [Growth; GROWTHS],
    watched: Grown,
    /// Number of the last growth.
    last: u32,
}

impl Default for Wave {
    fn default() -> Wave {
        Wave { growths: [Growth::NONE; GROWTHS], watched: Grown::default(), last: 0 }
    }
}

impl Wave {
    /// What lies too far back is forgotten.
    fn forget(&mut self, now: Ns, limits: &Limits) {
        if now > self.watched.until {
            self.end();
        }
        for (at, growth) in self.growths.iter_mut().enumerate() {
            let is_over = now.0.saturating_sub(growth.began.0) > limits.grow_ns && self.watched.growths >> at & 1 == 0;
            if growth.px != Px::NONE && is_over {
                *growth = Growth::NONE;
            }
        }
    }

    /// The wave is watched no more.
    fn end(&mut self) {
        for (at, growth) in self.growths.iter_mut().enumerate() {
            if self.watched.growths >> at & 1 == 1 {
                *growth = Growth::NONE;
            }
        }
        self.watched = Grown::default();
    }

    /// An order is displayed at a level whose median is known; says of which growth it is, if it is of any.
    pub(super) fn display(&mut self, order: &Display, limits: &Limits) -> Option<Place> {
        self.forget(order.ts, limits);
        let known = self.growths.iter().position(|growth| growth.px == order.px);
        let at = known.or_else(|| self.growths.iter().position(|growth| growth.px == Px::NONE))?;
        let growth = &mut self.growths[at];
        if known.is_none() {
            self.last = self.last.wrapping_add(1);
            *growth = Growth { px: order.px, number: self.last, began: order.ts, ..Growth::NONE };
        } else if order.ts.0.saturating_sub(growth.began.0) > limits.grow_ns {
            // It is watched, and what comes now is none of it.
            return None;
        }
        growth.left = growth.left.saturating_add(order.qty);
        growth.orders = growth.orders.saturating_add(1);
        if growth.has_grown() {
            growth.displayed = growth.displayed.saturating_add(order.qty);
        } else {
            let least = limits.times * order.median as f64;
            let before = order.level.saturating_sub(growth.left);
            if order.level as f64 >= least && (before as f64) < least {
                (growth.grown, growth.displayed) = (order.ts, growth.left);
                (growth.level, growth.median) = (order.level, order.median);
                let place = Place { at: at as u8, number: growth.number };
                self.gather(at, order.ts, limits);
                return Some(place);
            }
        }
        Some(Place { at: at as u8, number: growth.number })
    }

    /// A level has grown: it joins the wave, or makes one with others.
    fn gather(&mut self, at: usize, now: Ns, limits: &Limits) {
        let until = Ns(now.0.saturating_add(limits.pulled_ns));
        if self.watched.growths != 0 {
            if now.0.saturating_sub(self.watched.began.0) <= limits.grow_ns {
                self.watched.growths |= 1 << at;
                self.watched.until = until;
            }
            return;
        }
        // Those that began longer ago are forgotten already.
        let (mut growths, mut began) = (0_u16, now);
        for (at, growth) in self.growths.iter().enumerate().filter(|(_, growth)| growth.has_grown()) {
            growths |= 1 << at;
            began = began.min(growth.began);
        }
        if growths.count_ones() >= limits.levels {
            self.watched = Grown { growths, began, until };
        }
    }

    /// Quantity of an order leaves; says so if by this pull a wave has been pulled.
    pub(super) fn leave(&mut self, place: Place, how: Leaves, qty: u64, now: Ns, limits: &Limits) -> Option<Pulled> {
        let at = usize::from(place.at);
        let growth =
            self.growths.get_mut(at).filter(|growth| growth.px != Px::NONE && growth.number == place.number)?;
        growth.left = growth.left.saturating_sub(qty);
        if !growth.has_grown() {
            return None;
        }
        let sum = if how == Leaves::Pulled { &mut growth.pulled } else { &mut growth.taken };
        *sum = sum.saturating_add(qty);
        let is_watched = self.watched.growths >> at & 1 == 1 && now <= self.watched.until;
        if how == Leaves::Taken || qty == 0 || !is_watched {
            return None;
        }
        let found = self.pulled();
        let of = |part: f64| part * found.displayed as f64;
        let is_pulled = found.pulled as f64 * 100.0 >= of(limits.pulled_part);
        if !is_pulled || found.taken as f64 * 100.0 > of(limits.taken_part) {
            return None;
        }
        self.end();
        Some(found)
    }

    /// What the wave comes to.
    fn pulled(&self) -> Pulled {
        let mut all = Pulled {
            levels: 0,
            orders: 0,
            displayed: 0,
            pulled: 0,
            taken: 0,
            level: 0,
            median: 0,
            low: Px(i64::MAX),
            high: Px(i64::MIN),
            began: self.watched.began,
            grown: Ns(0),
        };
        for (_, of) in self.growths.iter().enumerate().filter(|(at, _)| self.watched.growths >> at & 1 == 1) {
            all.levels += 1;
            all.orders = all.orders.saturating_add(of.orders);
            all.displayed = all.displayed.saturating_add(of.displayed);
            all.pulled = all.pulled.saturating_add(of.pulled);
            all.taken = all.taken.saturating_add(of.taken);
            all.level = all.level.saturating_add(of.level);
            all.median = all.median.saturating_add(of.median);
            (all.low, all.high) = (all.low.min(of.px), all.high.max(of.px));
            all.grown = all.grown.max(of.grown);
        }
        all
    }
}
