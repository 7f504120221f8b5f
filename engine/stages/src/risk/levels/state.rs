//! Saving and loading what the levels keep: limits in force, positions by account, strategy and the key of the listing, and
//! message times.
//!
//! Levels are named by the numbers of their tables, which stand in the configuration of the same journal. Sums are not
//! saved: they follow from positions and open orders. Without levels nothing is saved.

use super::{Level, Levels, Sum};
use flow::{Account, Ns, OrderId, StateError, StateReader, StateWriter, StrategyId};
use std::collections::BTreeMap;

impl Levels {
    /// Saves all but open orders.
    pub(in crate::risk) fn save(&self, to: &mut StateWriter<'_>) {
        if self.is_empty() {
            return;
        }
        to.put(&self.in_force());
        self.symbols.save(to);
        let listed = self.by_instrument.iter().enumerate().filter(|(_, set)| **set != self.unlisted);
        let mut listed: Vec<(String, Vec<u16>)> = listed
            .map(|(at, set)| {
                let mut numbers: Vec<u16> = set.iter().map(|level| self.number(level)).collect();
                numbers.sort_unstable();
                (to.key(at as u32), numbers)
            })
            .collect();
        listed.sort_unstable();
        to.put(&listed);
        let positions = self.holdings.positions();
        let mut positions: Vec<_> =
            positions.map(|(account, strategy, at, qty)| (to.key(at), account, strategy, qty)).collect();
        positions.sort_unstable();
        to.put(&(positions, self.holdings.has_lost()));
        let times = self.levels.iter().zip(&self.messages).filter_map(|(level, rings)| {
            Some((level.number, rings.as_ref()?.each_ref().map(|messages| messages.counting())))
        });
        let mut times: Vec<(u16, [Vec<Ns>; 2])> = times.collect();
        times.sort_unstable();
        to.put(&times);
    }

    /// Loads what [`Levels::save`] wrote with the same tables; there are no open orders.
    ///
    /// # Errors
    /// When it is not of these tables, or of more instruments.
    pub(in crate::risk) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        const OTHER: StateError = StateError::Inconsistent("limits of other tables");
        if self.is_empty() {
            return Ok(());
        }
        self.orders.fill([0; 2]);
        self.by_instrument.fill(self.unlisted);
        for (number, place, limit) in from.get::<Vec<(u16, u16, i64)>>()? {
            let (now, most) = self.limit_mut(number, usize::from(place)).ok_or(OTHER)?;
            if !(0..=most).contains(&limit) {
                return Err(StateError::Inconsistent("a limit that no command could have set"));
            }
            *now = limit;
        }
        self.symbols.load(from)?;
        let place = |levels: &Levels, number: u16| levels.levels.iter().position(|level| level.number == number);
        for (key, numbers) in from.get::<Vec<(String, Vec<u16>)>>()? {
            let at = self.known(from.instrument(&key)?)?;
            let mut set = super::LevelSet::NONE;
            for number in numbers {
                set.add(place(self, number).ok_or(OTHER)?);
            }
            self.by_instrument[at] = set;
        }
        let (positions, lost) = from.get::<(Vec<(String, Account, StrategyId, i128)>, bool)>()?;
        self.holdings.clear(lost);
        for (key, account, strategy, qty) in positions {
            let (at, order) = (self.known(from.instrument(&key)?)?, OrderId::new(account, strategy, 0));
            if at == 0 || qty == 0 || !self.holdings.has_room() {
                return Err(StateError::Inconsistent("an impossible position"));
            }
            self.change(order, at, &Sum::of_position(qty));
        }
        for rings in self.messages.iter_mut().flatten().flatten() {
            rings.restore(&[]);
        }
        for (number, times) in from.get::<Vec<(u16, [Vec<Ns>; 2])>>()? {
            let level = place(self, number).ok_or(OTHER)?;
            for (ring, times) in self.messages[level].as_mut().ok_or(OTHER)?.iter_mut().zip(times) {
                if times.len() > ring.room() {
                    return Err(StateError::TooLarge { what: "messages", found: times.len(), limit: ring.room() });
                }
                ring.restore(&times);
            }
        }
        Ok(())
    }

    /// The limits in force: number of the table, place of the check, limit.
    fn in_force(&self) -> Vec<(u16, u16, i64)> {
        let of = |level: &Level| {
            let (number, limits) = (level.number, (0..).zip(level.limits.to_vec()));
            limits.filter_map(move |(place, limit)| Some((number, place, limit?)))
        };
        let mut limits: Vec<_> = self.levels.iter().flat_map(of).collect();
        limits.sort_unstable();
        limits
    }

    fn known(&self, instrument: u32) -> Result<usize, StateError> {
        let (at, limit) = (instrument as usize, self.by_instrument.len());
        if at < limit { Ok(at) } else { Err(StateError::TooLarge { what: "instruments", found: at + 1, limit }) }
    }

    /// Whether the strategies of each account add up to what it holds, as far as anything is kept.
    pub(in crate::risk) fn agree(&self, positions: impl Iterator<Item = (Account, u32, i64)>) -> bool {
        if self.is_empty() || self.holdings.has_lost() {
            return true;
        }
        let mut left = BTreeMap::<(Account, u32), i128>::new();
        for (account, _, at, qty) in self.holdings.positions() {
            *left.entry((account, at)).or_default() += qty;
        }
        for (account, at, qty) in positions {
            *left.entry((account, at)).or_default() -= i128::from(qty);
        }
        left.values().all(|left| *left == 0)
    }
}
