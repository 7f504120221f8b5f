//! What the tail remembers of trading, for the summary.
//!
//! Bound: one entry per position that was ever opened and per check that ever refused; one measure of each kind per
//! instrument. Nothing is allocated after the first event of each.

use crate::pipeline::{Latency, Stopwatch};
use flow::records::{Cvd, Position, PositionMoney, Refused, Vpin};
use flow::{Event, Kind, Kinds, Listings, Px, StateError, StateReader, StateWriter, decimal};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose position: account, strategy, instrument.
type Holder = (u16, u16, u32);

/// Positions, refusals and measures as they stand.
pub struct TradeStats {
    positions: BTreeMap<Holder, (Position, PositionMoney)>,
    refused: BTreeMap<u16, u64>,
    vpins: Vec<Option<Vpin>>,
    cvds: Vec<Option<Cvd>>,
    stopwatch: Option<Stopwatch>,
    tick_to_order: Histogram<u64>,
}

/// What is saved of a position.
#[derive(Serialize, Deserialize)]
struct Saved {
    account: u16,
    strategy: u16,
    key: String,
    position: Vec<u8>,
    money: Vec<u8>,
}

/// A position at the end of the run.
#[derive(Clone, Debug, Serialize)]
pub struct PositionReport {
    /// Account.
    pub account: u16,
    /// Strategy.
    pub strategy: String,
    /// Symbol.
    pub symbol: String,
    /// Signed quantity.
    pub qty: i64,
    /// Average entry price; absent when flat.
    pub avg_px: Option<String>,
    /// Realised profit before fees.
    pub realised: String,
    /// Profit of the open part at the last price.
    pub unrealised: String,
    /// Fees.
    pub fees: String,
}

/// Profit and loss of all positions.
#[derive(Clone, Debug, Serialize)]
pub struct PnlReport {
    /// Realised profit before fees.
    pub realised: String,
    /// Profit of open parts.
    pub unrealised: String,
    /// Fees.
    pub fees: String,
    /// Realised and unrealised profit less fees.
    pub net: String,
}

/// Toxicity of an instrument at the end of the run.
#[derive(Clone, Debug, Serialize)]
pub struct ToxicityReport {
    /// Symbol.
    pub symbol: String,
    /// Absent before there are enough buckets.
    pub vpin: Option<f64>,
    /// Buckets closed.
    pub buckets: u64,
    /// Cumulative volume delta.
    pub cvd: Option<i64>,
}

impl TradeStats {
    /// What it reads.
    pub const READS: Kinds = Kinds::of(&[
        Kind::Signal,
        Kind::Order,
        Kind::Refused,
        Kind::Fill,
        Kind::Position,
        Kind::PositionMoney,
        Kind::Vpin,
        Kind::Cvd,
    ]);

    /// Nothing yet; with a stopwatch, orders are timed.
    pub fn new(instruments: u32, stopwatch: Option<Stopwatch>) -> TradeStats {
        let count = instruments as usize;
        TradeStats {
            positions: BTreeMap::new(),
            refused: BTreeMap::new(),
            vpins: vec![None; count],
            cvds: vec![None; count],
            stopwatch,
            tick_to_order: crate::pipeline::histogram(),
        }
    }

    /// Remembers an event of the end of the pipeline.
    #[inline]
    pub fn observe(&mut self, event: &Event) {
        let at = event.instrument as usize;
        match event.kind {
            Kind::Refused => *self.refused.entry(event.record::<Refused>().check).or_default() += 1,
            Kind::Position => {
                let position: Position = *event.record();
                self.positions.entry((position.account, position.strategy, event.instrument)).or_default().0 = position;
            }
            Kind::PositionMoney => {
                let money: PositionMoney = *event.record();
                self.positions.entry((money.account, money.strategy, event.instrument)).or_default().1 = money;
            }
            Kind::Vpin => {
                if let Some(vpin) = self.vpins.get_mut(at) {
                    *vpin = Some(*event.record());
                }
            }
            Kind::Cvd => {
                if let Some(cvd) = self.cvds.get_mut(at) {
                    *cvd = Some(*event.record());
                }
            }
            _ => {}
        }
    }

    /// The positions, by listing key.
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
    }

    /// The other way round.
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
        Ok(())
    }

    /// An order leaves the pipeline.
    #[inline]
    pub fn left(&mut self, route: &Event) {
        if let Some(ns) = self.stopwatch.as_ref().and_then(|s| s.passed(route.id.seq())) {
            self.tick_to_order.saturating_record(ns.max(1));
        }
    }

    /// Times from an input to the order that it caused, if any were measured.
    pub fn tick_to_order(&self) -> Option<Latency> {
        let histogram = self.tick_to_order.clone();
        (!histogram.is_empty()).then(|| Latency { name: "tick to order".to_owned(), histogram })
    }

    /// Refusals by check.
    pub fn refused(&self) -> BTreeMap<String, u64> {
        self.refused.iter().map(|(check, n)| (stages::risk::check_name(*check).to_owned(), *n)).collect()
    }

    /// All positions.
    pub fn positions(&self, listings: &Listings) -> Vec<PositionReport> {
        self.positions.iter().map(|(holder, held)| position(*holder, held, listings)).collect()
    }

    /// Profit and loss of all positions.
    pub fn pnl(&self) -> PnlReport {
        let sum =
            |get: fn(&PositionMoney) -> i64| self.positions.values().map(|(_, m)| i128::from(get(m))).sum::<i128>();
        let (realised, unrealised, fees) = (sum(|m| m.realised), sum(|m| m.unrealised), sum(|m| m.fees));
        let money = |nano| decimal(nano, 9, 2);
        PnlReport {
            realised: money(realised),
            unrealised: money(unrealised),
            fees: money(fees),
            net: money(realised + unrealised - fees),
        }
    }

    /// Toxicity of an instrument, if it was measured.
    pub fn toxicity(&self, instrument: u32, symbol: &str) -> Option<ToxicityReport> {
        let vpin = self.vpins.get(instrument as usize).copied().flatten();
        let cvd = self.cvds.get(instrument as usize).copied().flatten();
        (vpin.is_some() || cvd.is_some()).then(|| ToxicityReport {
            symbol: symbol.to_owned(),
            vpin: vpin.map(|v| v.vpin).filter(|v| v.is_finite()),
            buckets: vpin.map_or(0, |v| v.buckets),
            cvd: cvd.map(|c| c.cvd),
        })
    }
}

fn position(holder: Holder, (held, money): &(Position, PositionMoney), listings: &Listings) -> PositionReport {
    let (account, strategy, instrument) = holder;
    let listed = listings.get(instrument);
    let decimals = listed.map_or(2, flow::Listed::price_decimals);
    let avg = (held.qty != 0).then_some(held.avg_px).and_then(Px::known);
    PositionReport {
        account,
        strategy: strategy_name(strategy),
        symbol: listed.map_or_else(|| format!("#{instrument}"), |l| l.symbol.clone()),
        qty: held.qty,
        avg_px: avg.map(|px| decimal(px.0.into(), 9, decimals)),
        realised: decimal(money.realised.into(), 9, 2),
        unrealised: decimal(money.unrealised.into(), 9, 2),
        fees: decimal(money.fees.into(), 9, 2),
    }
}

/// Name of a strategy, or its number.
fn strategy_name(strategy: u16) -> String {
    stages::strategies::name(strategy).map_or_else(|| strategy.to_string(), str::to_owned)
}
