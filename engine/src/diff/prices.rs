//! The last price of each instrument, at which both sides are valued. Bound: a price an instrument.

use flow::records::Trade;
use flow::{Event, Flags, Kind, Kinds, Px, Sink, SinkError};
use std::sync::{Arc, Mutex};

/// The last price of each instrument, by the rule by which positions are valued.
pub(crate) struct LastPrices {
    prices: Vec<Px>,
    to: Arc<Mutex<Vec<Px>>>,
}

impl LastPrices {
    /// Of instruments below `instruments`; the prices are in the second one once the run has ended.
    pub(crate) fn new(instruments: u32) -> (LastPrices, Arc<Mutex<Vec<Px>>>) {
        let to = Arc::default();
        (LastPrices { prices: vec![Px::NONE; instruments as usize], to: Arc::clone(&to) }, to)
    }
}

impl Sink for LastPrices {
    fn kinds(&self) -> Kinds {
        Kinds::of(&[Kind::Trade])
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        let trade: &Trade = event.record();
        let counts = trade.qty.0 != 0 && trade.px != Px::NONE && !event.flags.has(Flags::SNAPSHOT);
        if counts && let Some(last) = self.prices.get_mut(event.instrument as usize) {
            *last = trade.px;
        }
        Ok(())
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        *self.to.lock().expect("no thread panics while it holds the lock") = std::mem::take(&mut self.prices);
        Ok(())
    }
}
