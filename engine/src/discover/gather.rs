//! The sink that keeps what is learned from.
//!
//! Of a bar only start, close and volume are kept, of a trade its size. A bar that does not begin after the one before it is left out, so
//! every series is in the order of time.

use flow::records::{Bar, BarFlow};
use flow::{Event, Flags, Kind, Kinds, Listings, Px, Sink, SinkError};
use stages::measures::counted;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// A bar with its prices.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneBar {
    /// Its start, Unix time.
    pub(crate) start_s: u32,
    /// Its last price.
    pub(crate) close: Px,
    /// Its volume; `None` = the feed does not tell it.
    pub(crate) volume: Option<u64>,
}

/// What is kept of an instrument.
#[derive(Debug, Default)]
pub(crate) struct Series {
    /// Its bars, in the order of time.
    pub(crate) bars: Vec<OneBar>,
    /// How many trades had which size.
    pub(crate) sizes: BTreeMap<u64, u64>,
    /// Bars that did not begin after the one before.
    pub(crate) left_out: u64,
}

/// What is kept of all.
#[derive(Default)]
pub(crate) struct Gathered {
    /// The instruments.
    pub(crate) listings: Listings,
    /// By instrument.
    pub(crate) series: BTreeMap<u32, Series>,
}

/// Where the sink leaves it at its end.
pub(crate) type Kept = Arc<OnceLock<Gathered>>;

/// Keeps bars of one length, and the sizes of trades.
pub(crate) struct LearnSink {
    interval_s: u32,
    gathered: Gathered,
    /// The instrument whose bar waits for its volume.
    awaits: Option<u32>,
    kept: Kept,
}

impl LearnSink {
    /// Keeps bars of this length; `kept` has them at the end.
    pub(crate) fn new(interval_s: u32, kept: Kept) -> LearnSink {
        LearnSink { interval_s, gathered: Gathered::default(), awaits: None, kept }
    }

    fn bar(&mut self, event: &Event, bar: &Bar) {
        self.awaits = None;
        let has_prices = [bar.high, bar.low, bar.close].iter().all(|px| px.known().is_some());
        if bar.interval_s != self.interval_s || !has_prices || event.flags.has(Flags::SNAPSHOT) {
            return;
        }
        let series = self.gathered.series.entry(event.instrument).or_default();
        if series.bars.last().is_some_and(|last| bar.start_s <= last.start_s) {
            series.left_out += 1;
            return;
        }
        series.bars.push(OneBar { start_s: bar.start_s, close: bar.close, volume: None });
        self.awaits = Some(event.instrument);
    }

    fn volume(&mut self, instrument: u32, flow: &BarFlow) {
        if self.awaits.take() == Some(instrument)
            && let Some(last) = self.gathered.series.get_mut(&instrument).and_then(|series| series.bars.last_mut())
        {
            last.volume = flow.volume.known().map(|volume| volume.0);
        }
    }
}

impl Sink for LearnSink {
    fn kinds(&self) -> Kinds {
        Kinds::of(&[Kind::Name, Kind::Listing, Kind::Trade, Kind::Bar, Kind::BarFlow])
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        match event.kind {
            Kind::Bar => self.bar(event, event.record()),
            Kind::BarFlow => self.volume(event.instrument, event.record()),
            Kind::Trade => {
                if let Some(trade) = counted(event) {
                    let series = self.gathered.series.entry(event.instrument).or_default();
                    *series.sizes.entry(trade.qty.0).or_default() += 1;
                }
            }
            _ => self.gathered.listings.observe(event),
        }
        Ok(())
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        // Nobody else sets it.
        let _ = self.kept.set(std::mem::take(&mut self.gathered));
        Ok(())
    }
}
