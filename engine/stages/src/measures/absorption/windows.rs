//! The aggressive trades that may still be part of an absorption, by instrument and side.
//!
//! A trade beyond a row ends all that was bought (sold) in this row before it. So what is left of one side lies, from the oldest trade to
//! the newest, in rows that come ever closer to the price: the trades of one row stand together, those of the row that trades now are the
//! newest, and a queue is enough. Every trade says what the queue came to with it, and before the first of its row; what a row has within
//! the window is a difference.
//!
//! Bound: one pool of trades for all instruments. Worst case: a trade that ends many others gives each of them back once.

use crate::pool::{NONE, Pool};
use flow::{Flags, Ns};
use serde::{Deserialize, Serialize};

/// A trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Print {
    pub(super) ts: Ns,
    pub(super) qty: u64,
    pub(super) row: i64,
    pub(super) order: Resting,
    pub(super) is_inferred: bool,
}

/// What is known of the order that a trade took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Resting {
    /// The trade names none.
    Unnamed,
    /// Nobody knows when it was displayed.
    Unknown,
    /// When it was displayed.
    At(Ns),
    /// That it was displayed by then.
    By(Ns),
}

/// Sums of a queue.
#[derive(Clone, Copy, Default)]
struct Sums {
    qty: u128,
    trades: u32,
}

impl Sums {
    fn with(self, qty: u64) -> Sums {
        Sums { qty: self.qty + u128::from(qty), trades: self.trades.wrapping_add(1) }
    }

    fn without(self, qty: u64) -> Sums {
        Sums { qty: self.qty - u128::from(qty), trades: self.trades.wrapping_sub(1) }
    }
}

#[derive(Clone, Copy)]
struct Link {
    print: Print,
    /// With it, and before the first trade of its row.
    through: Sums,
    before: Sums,
    older: u32,
    newer: u32,
}

/// The trades of one side of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Queue {
    oldest: u32,
    newest: u32,
}

impl Default for Queue {
    fn default() -> Queue {
        Queue { oldest: NONE, newest: NONE }
    }
}

/// What a row has traded within its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// The first and the last of these trades.
    pub(super) from: Ns,
    pub(super) until: Ns,
    pub(super) qty: u64,
    pub(super) trades: u32,
    /// Of orders that were displayed before the first of them, and of those that came within; `None` where no trade names its order.
    pub(super) orders: Option<(u64, u64)>,
    /// Whether a side was inferred.
    pub(super) badge: Flags,
}

/// The trades of all instruments.
pub(super) struct Windows(Pool<Link>);

impl Windows {
    /// Room for so many.
    pub(super) fn new(most: u32) -> Windows {
        let print = Print { ts: Ns(0), qty: 0, row: 0, order: Resting::Unnamed, is_inferred: false };
        let (through, before) = (Sums::default(), Sums::default());
        Windows(Pool::new(most, Link { print, through, before, older: NONE, newer: NONE }))
    }

    /// The most trades.
    pub(super) fn most(&self) -> usize {
        self.0.capacity()
    }

    /// Adds a trade; `false` without room.
    #[inline]
    pub(super) fn push(&mut self, queue: &mut Queue, print: Print) -> bool {
        let Some(at) = self.0.take() else { return false };
        let (last, before) = match self.0.get(queue.newest).filter(|_| queue.newest != NONE) {
            None => (Sums::default(), Sums::default()),
            Some(last) if last.print.row == print.row => (last.through, last.before),
            Some(last) => (last.through, last.through),
        };
        self.0[at] = Link { print, through: last.with(print.qty), before, older: queue.newest, newer: NONE };
        *(if queue.newest == NONE { &mut queue.oldest } else { &mut self.0[queue.newest].newer }) = at;
        queue.newest = at;
        true
    }

    fn unlink(&mut self, queue: &mut Queue, at: u32) {
        let Link { older, newer, .. } = self.0[at];
        *(if older == NONE { &mut queue.oldest } else { &mut self.0[older].newer }) = newer;
        *(if newer == NONE { &mut queue.newest } else { &mut self.0[newer].older }) = older;
        self.0.give(at);
    }

    /// Lets the newest trades go in whose row `is` is.
    #[inline]
    pub(super) fn leave(&mut self, queue: &mut Queue, is: impl Fn(i64) -> bool) {
        while queue.newest != NONE && is(self.0[queue.newest].print.row) {
            self.unlink(queue, queue.newest);
        }
    }

    /// Lets the trades up to an instant go.
    #[inline]
    pub(super) fn expire(&mut self, queue: &mut Queue, until: Ns) {
        while queue.oldest != NONE && self.0[queue.oldest].print.ts <= until {
            self.unlink(queue, queue.oldest);
        }
    }

    /// What the row of the newest trade has.
    #[inline]
    pub(super) fn of_newest_row(&self, queue: Queue) -> u64 {
        if queue.newest == NONE {
            return 0;
        }
        let (newest, oldest) = (&self.0[queue.newest], &self.0[queue.oldest]);
        let gone = oldest.through.qty - u128::from(oldest.print.qty);
        u64::try_from(newest.through.qty - newest.before.qty.max(gone)).unwrap_or(u64::MAX)
    }

    /// Takes the trades of the newest row out, and says what they come to.
    #[cold]
    pub(super) fn take_newest_row(&mut self, queue: &mut Queue) -> Option<Taken> {
        let row = self.0.get(queue.newest)?.print.row;
        let prints = std::iter::successors(self.0.get(queue.newest), |link| self.0.get(link.older));
        let prints = prints.map(|link| link.print).take_while(|print| print.row == row);
        let (from, until) = (prints.clone().last()?.ts, prints.clone().next()?.ts);
        let sum = |is: &dyn Fn(&Print) -> bool| {
            prints.clone().filter(|print| is(print)).fold(0_u64, |sum, print| sum.saturating_add(print.qty))
        };
        let stood = sum(&|print| matches!(print.order, Resting::At(ts) | Resting::By(ts) if ts < from));
        let came = sum(&|print| matches!(print.order, Resting::At(ts) if ts >= from));
        let is_named = prints.clone().any(|print| print.order != Resting::Unnamed);
        let is_inferred = prints.clone().any(|print| print.is_inferred);
        let taken = Taken {
            from,
            until,
            qty: sum(&|_| true),
            trades: prints.clone().count() as u32,
            orders: is_named.then_some((stood, came)),
            badge: if is_inferred { Flags::INFERRED_AGGRESSOR } else { Flags::NONE },
        };
        self.leave(queue, |of| of == row);
        Some(taken)
    }

    /// Takes a broken trade out; `false` if it is not here.
    #[cold]
    pub(super) fn take_out(&mut self, queue: &mut Queue, ts: Ns, row: i64, qty: u64) -> bool {
        let is_it = |print: &Print| (print.ts, print.row, print.qty) == (ts, row, qty);
        let mut at = queue.newest;
        while at != NONE && !is_it(&self.0[at].print) {
            at = self.0[at].older;
        }
        if at == NONE {
            return false;
        }
        let mut later = self.0[at].newer;
        while later != NONE {
            let link = &mut self.0[later];
            link.through = link.through.without(qty);
            if link.print.row != row {
                link.before = link.before.without(qty);
            }
            later = link.newer;
        }
        self.unlink(queue, at);
        true
    }

    /// Lets all trades of a queue go.
    pub(super) fn empty(&mut self, queue: &mut Queue) {
        self.leave(queue, |_| true);
    }

    /// The trades of a queue from the oldest on.
    pub(super) fn of(&self, queue: Queue) -> impl Iterator<Item = Print> {
        std::iter::successors(self.0.get(queue.oldest), |link| self.0.get(link.newer)).map(|link| link.print)
    }

    /// Lets all go.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(ts: u64, row: i64, qty: u64) -> Print {
        Print { ts: Ns(ts), qty, row, order: Resting::Unnamed, is_inferred: false }
    }

    #[test]
    fn a_row_has_what_is_left_of_its_window() {
        let (mut windows, mut queue) = (Windows::new(4), Queue::default());
        assert_eq!(windows.of_newest_row(queue), 0);
        for (ts, row, qty, expected) in [(1, 9, 10, 10), (2, 9, 20, 30), (3, 7, 5, 5), (4, 7, 6, 11)] {
            assert!(windows.push(&mut queue, print(ts, row, qty)));
            assert_eq!(windows.of_newest_row(queue), expected);
        }
        assert!(!windows.push(&mut queue, print(5, 7, 1)), "no room");
        windows.leave(&mut queue, |row| row < 8);
        assert_eq!(windows.of_newest_row(queue), 30);
        windows.expire(&mut queue, Ns(1));
        assert_eq!(windows.of_newest_row(queue), 20);
        assert!(windows.push(&mut queue, print(6, 9, 3)) && windows.push(&mut queue, print(7, 8, 2)));
        assert!(windows.take_out(&mut queue, Ns(2), 9, 20) && !windows.take_out(&mut queue, Ns(2), 9, 20));
        assert_eq!(windows.of_newest_row(queue), 2);
        let taken = windows.take_newest_row(&mut queue).unwrap();
        assert_eq!((taken.qty, taken.trades, taken.from, taken.orders), (2, 1, Ns(7), None));
        assert_eq!((windows.of_newest_row(queue), windows.of(queue).count()), (3, 1));
        windows.empty(&mut queue);
        assert_eq!((queue, windows.take_newest_row(&mut queue)), (Queue::default(), None));
    }

    #[test]
    fn orders_stood_or_came_by_the_first_trade() {
        let (mut windows, mut queue) = (Windows::new(9), Queue::default());
        let orders = [
            (Resting::At(Ns(9)), 1),
            (Resting::At(Ns(10)), 2),
            (Resting::By(Ns(9)), 4),
            (Resting::By(Ns(10)), 8),
            (Resting::Unknown, 16),
            (Resting::Unnamed, 32),
        ];
        for (order, qty) in orders {
            assert!(windows.push(&mut queue, Print { order, ..print(10, 3, qty) }));
        }
        assert_eq!(windows.take_newest_row(&mut queue).unwrap().orders, Some((5, 2)));
    }
}
