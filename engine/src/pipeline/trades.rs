//! Trading totals that the tail keeps for the summary.
//!
//! Bound: one entry per position ever opened and per check that ever refused. Allocates only on the first event of each.

use super::stopwatch::Stopwatch;
use super::times::histogram;
use flow::records::{Position, PositionMoney, Refused};
use flow::{Account, Event, Kind, Kinds, StateError, StateReader, StateWriter, StrategyId, TradingState, known_money};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Key of a position: account, strategy, instrument.
pub type Holder = (Account, StrategyId, u32);

/// The refusals of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    /// How many.
    pub count: u64,
    /// The instrument of the first.
    pub first: u32,
}

/// Sums over positions, in 1e-9, and of how many of them a part is not known and left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pnl {
    /// Realised profit before fees.
    pub realised: i128,
    /// Profit of what is open.
    pub unrealised: i128,
    /// Fees.
    pub fees: i128,
    /// Positions of instruments without a multiplier, whose profit is not known.
    pub without_multiplier: u64,
    /// Positions with a fee that is not known.
    pub without_fees: u64,
}

impl Pnl {
    /// Adds a position.
    pub fn add(&mut self, money: &PositionMoney) {
        let PositionMoney { realised, unrealised, fees, .. } = *money;
        let sums = [(&mut self.realised, realised), (&mut self.unrealised, unrealised), (&mut self.fees, fees)];
        sums.into_iter().for_each(|(sum, one)| *sum += known_money(one).map_or(0, i128::from));
        self.without_multiplier += u64::from(known_money(realised).is_none());
        self.without_fees += u64::from(known_money(fees).is_none());
    }

    /// Profit less fees.
    pub fn net(&self) -> i128 {
        self.realised + self.unrealised - self.fees
    }
}

/// Account and currency, whose money is summed: that of two accounts or of two currencies is not one sum. The currency is that
/// of the listing, padded with zeros.
pub type Purse = (Account, [u8; 4]);

/// Current positions, and refusals by check.
pub struct TradeStats {
    positions: BTreeMap<Holder, (Position, PositionMoney)>,
    refused: BTreeMap<u16, Refusals>,
    stopwatch: Option<Stopwatch>,
    tick_to_order: Histogram<u64>,
}

/// A position in a snapshot.
#[derive(Serialize, Deserialize)]
struct Saved {
    account: Account,
    strategy: StrategyId,
    key: String,
    position: Vec<u8>,
    money: Vec<u8>,
}

impl TradeStats {
    /// The kinds that it reads.
    pub const READS: Kinds =
        Kinds::of(&[Kind::Signal, Kind::Order, Kind::Refused, Kind::Fill, Kind::Position, Kind::PositionMoney]);

    /// Empty totals; with a stopwatch, orders are timed.
    pub fn new(stopwatch: Option<Stopwatch>) -> TradeStats {
        TradeStats { positions: BTreeMap::new(), refused: BTreeMap::new(), stopwatch, tick_to_order: histogram() }
    }

    /// Takes an event at the end of the pipeline.
    #[inline]
    pub fn observe(&mut self, event: &Event) {
        match event.kind {
            Kind::Refused => {
                let first = Refusals { count: 0, first: event.instrument };
                self.refused.entry(event.record::<Refused>().check).or_insert(first).count += 1;
            }
            Kind::Position => {
                let position: Position = *event.record();
                self.positions.entry((position.account, position.strategy, event.instrument)).or_default().0 = position;
            }
            Kind::PositionMoney => {
                let money: PositionMoney = *event.record();
                self.positions.entry((money.account, money.strategy, event.instrument)).or_default().1 = money;
            }
            _ => {}
        }
    }

    /// Saves the positions, sorted by listing key, and the refusals.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        let bytes = |(holder, (held, money)): (&Holder, &(Position, PositionMoney))| Saved {
            account: holder.0,
            strategy: holder.1,
            key: to.key(holder.2),
            position: bytemuck::bytes_of(held).to_vec(),
            money: bytemuck::bytes_of(money).to_vec(),
        };
        let mut saved: Vec<_> = self.positions.iter().map(bytes).collect();
        saved.sort_unstable_by(|a, b| (a.account, a.strategy, &a.key).cmp(&(b.account, b.strategy, &b.key)));
        to.put(&saved);
        to.put(&self.refused.iter().map(|(check, of)| (*check, of.count, to.key(of.first))).collect::<Vec<_>>());
    }

    /// Restores what [`TradeStats::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        for saved in from.get::<Vec<Saved>>()? {
            let record =
                |bytes: &[u8]| <[u8; 40]>::try_from(bytes).map_err(|_| StateError::Inconsistent("a short record"));
            let (held, money) = (record(&saved.position)?, record(&saved.money)?);
            let holder = (saved.account, saved.strategy, from.instrument(&saved.key)?);
            self.positions.insert(holder, (bytemuck::cast(held), bytemuck::cast(money)));
        }
        for (check, count, first) in from.get::<Vec<(u16, u64, String)>>()? {
            self.refused.insert(check, Refusals { count, first: from.instrument(&first)? });
        }
        Ok(())
    }

    /// Times an order that leaves the pipeline.
    #[inline]
    pub fn left(&mut self, route: &Event) {
        if let Some(ns) = self.stopwatch.as_ref().and_then(|s| s.passed(route.id.seq())) {
            self.tick_to_order.saturating_record(ns.max(1));
        }
    }

    /// The stopwatch that times orders.
    pub fn stopwatch(&self) -> Option<&Stopwatch> {
        self.stopwatch.as_ref()
    }

    /// Latencies from an input to the order that it caused, if any were measured.
    pub fn tick_to_order(&self) -> Option<&Histogram<u64>> {
        Some(&self.tick_to_order).filter(|times| !times.is_empty())
    }

    /// Refusals by check number.
    pub fn refused(&self) -> &BTreeMap<u16, Refusals> {
        &self.refused
    }

    /// All positions with their money: what the stages say of it now, or what they said with the last fill.
    pub fn positions(&self, now: &TradingState) -> BTreeMap<Holder, (Position, PositionMoney)> {
        let mut positions = self.positions.clone();
        for (instrument, money) in &now.money {
            if let Some(held) = positions.get_mut(&(money.account, money.strategy, *instrument)) {
                held.1 = *money;
            }
        }
        positions
    }
}
