//! What each strategy of each account holds and has open of an instrument, and the sums of it by level.
//!
//! A sum is kept as it changes, so an order asks for one number a level. Sums are exact in 128 bits: what is added to one
//! can be taken from it again, whatever came between. What is zero is forgotten. Bound: `max_holdings`, and as many sums for
//! each of them as one order has levels. With no room left no order opens another.

use super::level::Mode;
use super::set::LevelSet;
use crate::by_key::{ByKey, Keyed};
use crate::risk::exposure::Exposure;
use flow::{Account, IntParam, OrderId, Side, StrategyId};

/// The most holdings.
pub(in crate::risk) const MAX_HOLDINGS: IntParam<usize> = IntParam::new(
    "max_holdings",
    (1, 1_048_576),
    "65_536",
    "positions and open sides by account, strategy and instrument, which limits by scope add up; taken as they come",
)
.unit("positions");

/// Positions and open orders, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::risk) struct Sum {
    /// Signed position.
    pub(in crate::risk) position: i128,
    /// Open quantity of buys and of sells.
    pub(in crate::risk) open: [i128; 2],
    /// Open orders.
    pub(in crate::risk) orders: i64,
}

impl Sum {
    pub(in crate::risk) const NONE: Sum = Sum { position: 0, open: [0; 2], orders: 0 };

    /// What changed from one exposure to another.
    pub(in crate::risk) fn between(before: &Exposure, after: &Exposure) -> Sum {
        let open = |side| i128::from(after.open(side)) - i128::from(before.open(side));
        Sum {
            position: i128::from(after.position) - i128::from(before.position),
            open: [open(Side::Buy), open(Side::Sell)],
            orders: 0,
        }
    }

    /// So many orders more.
    pub(in crate::risk) fn of_orders(orders: i64) -> Sum {
        Sum { orders, ..Sum::NONE }
    }

    /// One open order of so much.
    pub(in crate::risk) fn of_order(side: Side, open: u64) -> Sum {
        let mut sum = Sum::of_orders(1);
        sum.open[usize::from(side == Side::Sell)] = open.into();
        sum
    }

    /// A position.
    pub(super) fn of_position(position: i128) -> Sum {
        Sum { position, ..Sum::NONE }
    }

    fn add(&mut self, other: &Sum) {
        self.position += other.position;
        self.open[0] += other.open[0];
        self.open[1] += other.open[1];
        self.orders += other.orders;
    }

    fn negative(&self) -> Sum {
        Sum { position: -self.position, open: self.open.map(|open| -open), orders: -self.orders }
    }

    /// Open quantity of a side.
    pub(in crate::risk) fn open(&self, side: Side) -> i128 {
        self.open[usize::from(side == Side::Sell)]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    key: u64,
    sum: Sum,
}

impl Keyed for Entry {
    const VACANT: Entry = Entry { key: 0, sum: Sum::NONE };

    #[inline]
    fn key(&self) -> u64 {
        self.key
    }
}

/// Adds to the entry of a key, makes it if need be and removes it if nothing is left; `false` if there is no room.
fn add(to: &mut ByKey<Entry>, key: u64, change: &Sum) -> bool {
    let Some(entry) = to.get_mut(key) else {
        return *change == Sum::NONE || to.add(Entry { key, sum: *change }).is_some();
    };
    entry.sum.add(change);
    if entry.sum == Sum::NONE {
        to.remove(key);
    }
    true
}

/// Account and strategy as in an order id, then the instrument; never 0, since no instrument is.
#[inline]
fn holder(order: OrderId, at: usize) -> u64 {
    order.0 >> 40 << 32 | at as u64
}

/// Never 0, since levels count from 1 here.
#[inline]
fn of_level(level: usize, mode: Mode, at: usize) -> u64 {
    (level as u64 + 1) << 33 | (mode as u64) << 32 | at as u64
}

fn in_instrument(all: &ByKey<Entry>, at: usize) -> impl Iterator<Item = (OrderId, &Sum)> {
    let of = all.iter().filter(move |entry| entry.key as u32 as usize == at);
    of.map(|entry| (OrderId(entry.key >> 32 << 40), &entry.sum))
}

/// All of them.
pub(super) struct Holdings {
    all: ByKey<Entry>,
    by_level: ByKey<Entry>,
    /// A change had no room: which sums are wrong is not known.
    lost: bool,
}

impl Holdings {
    /// Room for so many holdings, and for their sums at so many levels each.
    pub(super) fn new(limit: usize, levels: usize) -> Holdings {
        Holdings { all: ByKey::new(limit), by_level: ByKey::new(limit.saturating_mul(levels)), lost: false }
    }

    /// The most holdings, if an order of that account and strategy would need one more.
    #[inline]
    pub(super) fn is_full(&self, order: OrderId, at: usize) -> Option<i64> {
        let full = self.lost || self.all.len() == self.all.limit() && self.all.get(holder(order, at)).is_none();
        full.then_some(self.all.limit() as i64)
    }

    /// The sum of a level in an instrument, over the accounts of a mode.
    #[inline]
    pub(super) fn sum(&self, level: usize, mode: Mode, at: usize) -> Sum {
        self.by_level.get(of_level(level, mode, at)).map_or(Sum::NONE, |entry| entry.sum)
    }

    /// Changes what the account and strategy of an order hold, and the sums of these levels.
    pub(super) fn change(&mut self, order: OrderId, at: usize, mode: Mode, levels: LevelSet, change: &Sum) {
        self.lost |= !add(&mut self.all, holder(order, at), change);
        for level in levels.iter() {
            self.lost |= !add(&mut self.by_level, of_level(level, mode, at), change);
        }
    }

    /// An instrument leaves some levels and enters others: what is held of it moves. `of` gives the mode of an account, and
    /// those of the levels that its strategy is in.
    pub(super) fn moved(
        &mut self,
        at: usize,
        (left, entered): (LevelSet, LevelSet),
        of: impl Fn(OrderId, LevelSet) -> (Mode, LevelSet),
    ) {
        let Holdings { all, by_level, lost } = self;
        for (order, sum) in in_instrument(all, at) {
            for (levels, sum) in [(left, sum.negative()), (entered, *sum)] {
                let (mode, levels) = of(order, levels);
                levels.iter().for_each(|level| *lost |= !add(by_level, of_level(level, mode, at), &sum));
            }
        }
    }

    /// Who holds something of an instrument, and what.
    pub(super) fn of_instrument(&self, at: usize) -> impl Iterator<Item = (OrderId, &Sum)> {
        in_instrument(&self.all, at)
    }

    /// Positions that are not zero: account, strategy, index and quantity, in no order.
    pub(super) fn positions(&self) -> impl Iterator<Item = (Account, StrategyId, u32, i128)> {
        let held = self.all.iter().filter(|entry| entry.sum.position != 0);
        held.map(|entry| {
            let order = OrderId(entry.key >> 32 << 40);
            (order.account(), order.strategy(), entry.key as u32, entry.sum.position)
        })
    }

    pub(super) fn has_lost(&self) -> bool {
        self.lost
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self, lost: bool) {
        self.all.clear();
        self.by_level.clear();
        self.lost = lost;
    }

    /// Whether another one fits.
    pub(super) fn has_room(&self) -> bool {
        self.all.len() < self.all.limit()
    }
}
