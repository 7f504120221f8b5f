//! The tail's part of an answer: positions and profit, and the names and prices of the instruments that are shown.

use super::halt_causes::HaltCause;
use super::records::TailStats;
use super::trading_state::{HeldPosition, MOST, QuotedInstrument, TailState};
use flow::TradingState;
use std::collections::BTreeSet;

impl TailStats {
    /// The last halt that no resume followed.
    pub fn halt(&self) -> Option<HaltCause> {
        self.halts.halt.clone()
    }

    /// Positions and profit, and what the stages' part of an answer has to be shown with.
    pub fn trading_state(&self, stages: &TradingState, to: &mut TailState) {
        for ((account, strategy, instrument), (position, money)) in self.trades.positions(stages) {
            let currency = self.listings.get(instrument).map_or([0; 4], |listed| listed.terms.currency);
            to.pnl.entry((account, currency)).or_default().add(&money);
            if position.qty == 0 {
                continue;
            }
            to.held += 1;
            if to.positions.len() < MOST {
                to.positions.push(HeldPosition { account, strategy, instrument, position, money });
            }
        }
        let held = to.positions.iter().map(|p| p.instrument);
        let ordered = stages.orders.iter().map(|o| o.instrument);
        let flattened = stages.flatten.iter().flat_map(|f| {
            f.of.iter().map(|of| of.instrument).filter(|at| *at != 0).chain(f.positions.iter().map(|p| p.instrument))
        });
        let doubtful = stages.doubtful_instruments.iter().copied();
        let set = stages.params.iter().map(|row| row.instrument).filter(|at| *at != 0);
        let shown: BTreeSet<u32> = held.chain(ordered).chain(flattened).chain(doubtful).chain(set).collect();
        to.quotes.extend(shown.into_iter().map(|instrument| self.quoted(instrument)));
        to.halt = self.halt();
    }

    /// An instrument as an answer shows it.
    pub fn quoted(&self, instrument: u32) -> QuotedInstrument {
        let listed = self.listings.get(instrument);
        let symbol = listed.map_or_else(|| format!("#{instrument}"), |l| l.symbol.clone());
        let decimals = listed.map_or(2, flow::Listed::price_decimals);
        let key = self.listings.key(instrument);
        QuotedInstrument { instrument, symbol, key, decimals, top: self.top(instrument).copied() }
    }
}
