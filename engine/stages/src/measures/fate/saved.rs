//! Saving and loading the state: by instrument its sums, its orders by reference and its prices.

use super::State;
use super::market::Market;
use super::orders::Order;
use super::prices::Price;
use crate::keyed;
use crate::measures::MeasureState;
use flow::{StateError, StateReader, StateWriter};

/// An instrument with its orders and prices.
type Saved = (Market, Vec<Order>, Vec<Price>);

impl MeasureState for State {
    fn list(&mut self, instrument: u32) {
        self.markets.reach(instrument as usize);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        let (orders, prices, untouched) = (self.orders.sorted(), self.prices.sorted(), Market::default());
        keyed::save(to, self.markets.values().len(), |at| {
            let instrument = at as u32;
            let first = orders.partition_point(|order| order.instrument < instrument);
            let orders: Vec<Order> =
                orders[first..].iter().take_while(|o| o.instrument == instrument).copied().collect();
            let first = prices.partition_point(|price| price.instrument < instrument);
            let prices: Vec<Price> =
                prices[first..].iter().take_while(|p| p.instrument == instrument).copied().collect();
            (self.markets[at] != untouched).then(|| (self.markets[at].clone(), orders, prices))
        });
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.markets.clear();
        self.orders.clear();
        self.prices.clear();
        self.moved = Default::default();
        keyed::load(from, self.markets.bound(), |at, (market, orders, prices): Saved| {
            self.markets[at] = market;
            let instrument = at as u32;
            for order in orders {
                let vacancy = self.orders.vacancy(instrument, order.reference).filter(|_| order.left > 0);
                let Some(vacancy) = vacancy else {
                    return Err(StateError::Inconsistent("an order of nothing, or one reference twice"));
                };
                let limit = self.orders.most();
                if !self.orders.add(vacancy, Order { instrument, ..order }) {
                    return Err(StateError::TooLarge { what: "orders", found: limit + 1, limit });
                }
            }
            for price in prices {
                if !self.prices.load(price, instrument) {
                    let limit = self.orders.most() / 4;
                    return Err(StateError::TooLarge { what: "prices", found: limit + 1, limit });
                }
            }
            Ok(())
        })
    }
}
