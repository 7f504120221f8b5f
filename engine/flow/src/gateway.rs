//! Numbers of venues: in the routes of orders, and as the sources of what venues answer.
//!
//! A run has at most one simulated exchange and a few gateways, numbered from 0. So the record says of every order where it
//! went, and of every answer where it came from. Bound: [`Gateway::MOST`] gateways, since each takes a source from the inputs.

use crate::order::{SOURCE_OPERATOR, SOURCE_RETURNS};

/// The simulated exchange in routes. Its answers come from [`SOURCE_RETURNS`], as refusals do.
pub const SIMULATED_EXCHANGE: u16 = 1;

/// A gateway of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gateway(u8);

impl Gateway {
    /// The most gateways of a run.
    pub const MOST: usize = 8;

    /// The least source of a gateway: those of feeds are below.
    pub const LEAST_SOURCE: u8 = SOURCE_OPERATOR - Gateway::MOST as u8;

    /// The gateway of that number, from 0.
    ///
    /// # Panics
    /// When the number is not below [`Gateway::MOST`].
    pub const fn new(number: usize) -> Gateway {
        assert!(number < Gateway::MOST, "a gateway's number is below the most");
        Gateway(number as u8)
    }

    /// Its number, from 0.
    pub const fn number(self) -> usize {
        self.0 as usize
    }

    /// Its venue in routes.
    pub const fn venue(self) -> u16 {
        SIMULATED_EXCHANGE + 1 + self.0 as u16
    }

    /// The source of its inputs.
    pub const fn source(self) -> u8 {
        SOURCE_OPERATOR - 1 - self.0
    }

    /// The gateway to that venue; `None` for the simulated exchange.
    pub const fn of_venue(venue: u16) -> Option<Gateway> {
        match venue.checked_sub(SIMULATED_EXCHANGE + 1) {
            Some(number) if (number as usize) < Gateway::MOST => Some(Gateway(number as u8)),
            _ => None,
        }
    }

    /// The gateway whose inputs have that source.
    pub const fn of_source(source: u8) -> Option<Gateway> {
        if source >= Gateway::LEAST_SOURCE && source < SOURCE_OPERATOR {
            Some(Gateway(SOURCE_OPERATOR - 1 - source))
        } else {
            None
        }
    }
}

/// Whether inputs of that source return to the head: they are refusals, or what a venue says.
pub const fn is_returned(source: u8) -> bool {
    source == SOURCE_RETURNS || Gateway::of_source(source).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_no_two_are_alike() {
        for number in 0..Gateway::MOST {
            let gateway = Gateway::new(number);
            assert_eq!(gateway.number(), number);
            assert_eq!(Gateway::of_venue(gateway.venue()), Some(gateway));
            assert_eq!(Gateway::of_source(gateway.source()), Some(gateway));
        }
        assert_eq!(Gateway::of_venue(SIMULATED_EXCHANGE), None);
        let gateways = (0..=u8::MAX).filter(|source| Gateway::of_source(*source).is_some());
        assert_eq!(gateways.collect::<Vec<_>>(), (Gateway::LEAST_SOURCE..SOURCE_OPERATOR).collect::<Vec<_>>());
        assert!(is_returned(SOURCE_RETURNS) && is_returned(253) && !is_returned(SOURCE_OPERATOR) && !is_returned(245));
    }
}
