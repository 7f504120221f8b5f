//! Position and open quantities, by account and instrument: what one account holds hides nothing of another's.
//!
//! The account that trades an instrument alone, which is the usual case, has them in the instrument's record, where an order
//! looks anyway; those of further accounts are found [by key](ByKey). What is zero is forgotten, so how many there are
//! follows from positions and open orders alone, whatever their history. Bound: `max_positions`; with no room left no order
//! opens another. Worst case: two places for an account that is not the first.

use super::exposure::Exposure;
use super::market::Market;
use crate::by_key::{ByKey, Keyed};
use flow::{Account, GrowingTable, IntParam};

/// The most of them.
pub(super) const MAX_POSITIONS: IntParam<usize> = IntParam::new(
    "max_positions",
    (1, 1_048_576),
    "65_536",
    "positions and open sides by account and instrument; taken as they come",
)
.unit("positions");

/// That of an account that is not the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Further {
    key: u64,
    exposure: Exposure,
}

impl Keyed for Further {
    const VACANT: Further = Further { key: 0, exposure: Exposure::NONE };

    #[inline]
    fn key(&self) -> u64 {
        self.key
    }
}

/// Never 0, since no instrument is 0.
#[inline]
fn key(account: Account, at: usize) -> u64 {
    u64::from(account.0) << 32 | at as u64
}

/// All that are not zero.
pub(super) struct Exposures {
    further: ByKey<Further>,
    /// How many there are, with the first of each instrument.
    count: usize,
    limit: usize,
    /// A fill had no room: whose position is too low is not known.
    lost: bool,
}

impl Exposures {
    pub(super) fn new(limit: usize) -> Exposures {
        Exposures { further: ByKey::new(limit), count: 0, limit, lost: false }
    }

    /// That of an account in the instrument at `at`.
    #[inline]
    pub(super) fn get(&self, markets: &GrowingTable<Market>, account: Account, at: usize) -> Exposure {
        let market = &markets[at];
        if market.first == Some(account) {
            return market.exposure;
        }
        self.of_further(account, at)
    }

    #[inline(never)]
    fn of_further(&self, account: Account, at: usize) -> Exposure {
        self.further.get(key(account, at)).map_or(Exposure::NONE, |further| further.exposure)
    }

    /// The most that there may be, if no order may add to that of this account.
    #[inline]
    pub(super) fn is_full(&self, held: &Exposure) -> Option<i64> {
        (self.lost || self.count >= self.limit && *held == Exposure::NONE).then_some(self.limit as i64)
    }

    /// A fill was not booked: whose position is too low is not known.
    pub(super) fn lose(&mut self) {
        self.lost = true;
    }

    /// Changes that of an account in the instrument at `at`.
    #[inline]
    pub(super) fn change(
        &mut self,
        markets: &mut GrowingTable<Market>,
        account: Account,
        at: usize,
        change: impl FnOnce(&mut Exposure),
    ) {
        let market = &mut markets[at];
        let is_first = match market.first {
            None => self.further.len() == 0 || self.further.get(key(account, at)).is_none(),
            Some(first) => first == account,
        };
        if !is_first {
            return self.change_further(account, at, change);
        }
        if market.first.is_none() {
            if self.count >= self.limit {
                self.lost = true;
                return;
            }
            market.first = Some(account);
            self.count += 1;
        }
        change(&mut market.exposure);
        if market.exposure == Exposure::NONE {
            market.first = None;
            self.count -= 1;
        }
    }

    #[inline(never)]
    fn change_further(&mut self, account: Account, at: usize, change: impl FnOnce(&mut Exposure)) {
        let key = key(account, at);
        if self.further.get(key).is_none() {
            if self.count >= self.limit || self.further.add(Further { key, exposure: Exposure::NONE }).is_none() {
                self.lost = true;
                return;
            }
            self.count += 1;
        }
        let exposure = &mut self.further.get_mut(key).expect("it is there").exposure;
        change(exposure);
        if *exposure == Exposure::NONE {
            self.further.remove(key);
            self.count -= 1;
        }
    }

    /// Positions that are not zero: account, index and quantity, in no order.
    pub(super) fn positions<'a>(
        &'a self,
        markets: &'a GrowingTable<Market>,
    ) -> impl Iterator<Item = (Account, u32, i64)> + 'a {
        let firsts = (0..).zip(markets.values()).filter_map(|(at, m)| Some((m.first?, at, m.exposure.position)));
        let further = self.further.iter();
        let further = further.map(|f| (Account((f.key >> 32) as u8), f.key as u32, f.exposure.position));
        firsts.chain(further).filter(|(.., position)| *position != 0)
    }

    /// Whether a fill had no room.
    pub(super) fn has_lost(&self) -> bool {
        self.lost
    }

    /// Forgets all of them but those in the records of instruments, which are forgotten with these.
    pub(super) fn clear(&mut self, lost: bool) {
        self.further.clear();
        (self.count, self.lost) = (0, lost);
    }

    /// Whether another one fits.
    pub(super) fn has_room(&self) -> bool {
        self.count < self.limit
    }
}
