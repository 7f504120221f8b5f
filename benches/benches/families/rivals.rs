//! The same measures of the crate `wickra-core`, which keeps floats and serves one market by one object.
//!
//! Theirs get what they read already converted, and the object of an instrument by its index: no map, no decoding and no
//! event out are in their time. A measure of ours reads events of 64 bytes, knows sessions and gaps, and gives an event with
//! an identity. What both say is compared before it is timed, where the definitions are the same: they must agree to 1e-9. Not
//! compared are `vpin` (theirs answers at every trade, ours when a bucket closes), `ofi` (their window counts changes, ours
//! seconds) and `spread` (theirs has one for a crossed touch). Of a book they want vectors of levels, which are made before the
//! time begins and dropped within it.

use benches::alone::{SPACE, built, ours, reading};
use benches::chain::Link;
use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use flow::records::{self, Bar, BookTop, Trade};
use flow::{Event, Kind, Kinds, Out, Px, Real, Side};
use std::hint::black_box;
use std::time::Instant;
use wickra_core as rival;
use wickra_core::{Candle, Indicator, Level, OrderBook};

/// What ours says, by its event, and theirs, by its output.
type Values<O> = (fn(&Event) -> Option<f64>, fn(&O) -> f64);

/// What is given to both.
struct Pair<'a, I: Indicator> {
    group: &'a str,
    measure: (&'a str, &'a [(&'a str, &'a str)]),
    unit: Kind,
    /// Theirs, made anew for every instrument.
    new: fn() -> I,
    /// What of an event they read.
    input: fn(&Event) -> Option<I::Input>,
    /// What ours and theirs say, if that is the same.
    same: Option<Values<I::Output>>,
}

impl<I: Indicator> Pair<'_, I>
where
    I::Input: Clone,
{
    fn measure(&self, report: &mut Report, links: &[Link]) {
        let (name, set) = self.measure;
        let link = links.iter().find(|link| link.part.names().contains(&name)).expect("it runs");
        let reads = built(name, set).reads();
        // Theirs cannot take a trade back.
        let is_given = |e: &&Event| reads.has(e.kind) && e.kind != Kind::BrokenTrade;
        let events: Vec<Event> = link.given.iter().filter(is_given).copied().collect();
        let inputs: Vec<(usize, I::Input)> =
            events.iter().filter_map(|e| Some((e.instrument as usize, (self.input)(e)?))).collect();
        self.compare(&events, &inputs);
        let units = events.iter().filter(|e| e.kind == self.unit).count() as u64;
        let mut contenders = [
            Contender::new("tidegate", || Run { check: 0, ..ours(&events, built(name, set)) }),
            Contender::new("wickra-core", || theirs(&inputs, self.new)),
            Contender::new("reading", || reading(&events, 0)),
        ];
        compare(report, self.group, units, count(21), &mut contenders);
    }

    /// What both say, instrument by instrument.
    fn compare(&self, events: &[Event], inputs: &[(usize, I::Input)]) {
        let Some((our, their)) = self.same else { return };
        let (name, set) = self.measure;
        let (mut stage, mut out) = (built(name, set), Out::new(1, Kinds::ALL));
        let mut said: Vec<(usize, f64)> = Vec::new();
        for event in events {
            out.begin(event);
            stage.on_event(event, &mut out);
            said.extend(out.events().iter().filter_map(|e| Some((e.instrument as usize, our(e)?))));
        }
        let mut markets: Vec<I> = (0..SPACE.instruments).map(|_| (self.new)()).collect();
        let answer = |(at, input): &(usize, I::Input)| Some((*at, their(&markets[*at].update(input.clone())?)));
        let answers: Vec<(usize, f64)> = inputs.iter().filter_map(answer).collect();
        assert_eq!(said.len(), answers.len(), "{}: as many numbers", self.group);
        for (at, (own, other)) in said.iter().zip(&answers).enumerate() {
            let near = (own.1 - other.1).abs() <= 1e-9 * own.1.abs().max(1.0);
            assert!(own.0 == other.0 && near, "{}: number {at} is {own:?}, theirs {other:?}", self.group);
        }
    }
}

fn theirs<I: Indicator>(inputs: &[(usize, I::Input)], new: fn() -> I) -> Run
where
    I::Input: Clone,
{
    let mut markets: Vec<I> = (0..SPACE.instruments).map(|_| new()).collect();
    let inputs = inputs.to_vec();
    let start = Instant::now();
    for (at, input) in inputs {
        black_box(markets[at].update(input));
    }
    Run { time: start.elapsed(), check: 0 }
}

fn real(number: Real) -> Option<f64> {
    number.known()
}

fn price(px: Px) -> f64 {
    px.0 as f64 / Px::ONE as f64
}

/// The bar of a minute.
fn bar(event: &Event) -> Option<&Bar> {
    event.get::<Bar>().filter(|bar| bar.interval_s == 60)
}

fn close(event: &Event) -> Option<f64> {
    bar(event).map(|bar| price(bar.close))
}

fn candle(event: &Event) -> Option<Candle> {
    let bar = bar(event)?;
    let [open, high, low, close] = [bar.open, bar.high, bar.low, bar.close].map(price);
    Some(Candle::new_unchecked(open, high, low, close, 1.0, bar.start_s.into()))
}

/// A trade as a bar of its own.
fn printed(event: &Event) -> Option<Candle> {
    let trade: &Trade = event.get()?;
    let px = price(trade.px);
    Some(Candle::new_unchecked(px, px, px, px, trade.qty.0 as f64, event.ts.0 as i64))
}

fn trade(event: &Event) -> Option<rival::Trade> {
    let trade: &Trade = event.get()?;
    let side = match event.side() {
        Side::Buy => rival::Side::Buy,
        Side::Sell => rival::Side::Sell,
        Side::None => return None,
    };
    Some(rival::Trade::new_unchecked(price(trade.px), trade.qty.0 as f64, side, event.ts.0 as i64))
}

fn touch(event: &Event) -> Option<OrderBook> {
    let top: &BookTop = event.get()?;
    let side = |px: Px, qty: u64| {
        px.known().map(|px| Level::new_unchecked(price(px), qty as f64)).into_iter().collect::<Vec<_>>()
    };
    Some(OrderBook::new_unchecked(side(top.bid_px, top.bid_qty.0), side(top.ask_px, top.ask_qty.0)))
}

/// Measures of closes.
fn of_closes(report: &mut Report, links: &[Link]) {
    let (set, unit) = (&[][..], Kind::Bar);
    Pair {
        group: "beside, average (exponential), a bar",
        measure: ("average", set),
        unit,
        new: || rival::Ema::new(20).expect("a valid period"),
        input: close,
        same: Some((|e| real(e.get::<records::Average>()?.average), |out| *out)),
    }
    .measure(report, links);
    Pair {
        group: "beside, average (simple), a bar",
        measure: ("average", &[("method", "sma")]),
        unit,
        new: || rival::Sma::new(20).expect("a valid period"),
        input: close,
        same: Some((|e| real(e.get::<records::Average>()?.average), |out| *out)),
    }
    .measure(report, links);
    Pair {
        group: "beside, rsi, a bar",
        measure: ("rsi", set),
        unit,
        new: || rival::Rsi::new(14).expect("a valid period"),
        input: close,
        same: Some((|e| real(e.get::<records::Rsi>()?.rsi), |out| *out)),
    }
    .measure(report, links);
    Pair {
        group: "beside, macd, a bar",
        measure: ("macd", set),
        unit,
        new: || rival::MacdIndicator::new(12, 26, 9).expect("valid periods"),
        input: close,
        same: Some((|e| real(e.get::<records::Macd>()?.histogram), |out| out.histogram)),
    }
    .measure(report, links);
    Pair {
        group: "beside, bollinger, a bar",
        measure: ("bollinger", set),
        unit,
        new: || rival::BollingerBands::new(20, 2.0).expect("a valid period"),
        input: close,
        same: Some((|e| real(e.get::<records::Bollinger>()?.upper), |out| out.upper)),
    }
    .measure(report, links);
}

/// Measures of whole bars.
fn of_candles(report: &mut Report, links: &[Link]) {
    let (set, unit) = (&[][..], Kind::Bar);
    Pair {
        group: "beside, atr, a bar",
        measure: ("atr", set),
        unit,
        new: || rival::Atr::new(14).expect("a valid period"),
        input: candle,
        same: Some((|e| real(e.get::<records::Atr>()?.atr), |out| *out)),
    }
    .measure(report, links);
    Pair {
        group: "beside, donchian, a bar",
        measure: ("donchian", set),
        unit,
        new: || rival::Donchian::new(20).expect("a valid period"),
        input: candle,
        same: Some((|e| e.get::<records::DonchianNow>()?.upper_now.known().map(price), |out| out.upper)),
    }
    .measure(report, links);
}

/// Measures of trades and of the touch.
fn of_the_market(report: &mut Report, links: &[Link]) {
    Pair {
        group: "beside, vwap, a trade",
        measure: ("vwap", &[("anchor", "session")]),
        unit: Kind::Trade,
        new: rival::Vwap::new,
        input: printed,
        same: Some((|e| e.get::<records::Vwap>()?.vwap.known().map(price), |out| *out)),
    }
    .measure(report, links);
    Pair {
        group: "beside, cvd, a trade",
        measure: ("cvd", &[]),
        unit: Kind::Trade,
        new: rival::CumulativeVolumeDelta::new,
        input: trade,
        same: None,
    }
    .measure(report, links);
    Pair {
        group: "beside, vpin, a trade",
        measure: ("vpin", &[]),
        unit: Kind::Trade,
        new: || rival::Vpin::new(10_000.0, 50).expect("a valid bucket"),
        input: trade,
        same: None,
    }
    .measure(report, links);
    Pair {
        group: "beside, ofi, a top",
        measure: ("ofi", &[]),
        unit: Kind::BookTop,
        new: || rival::OrderFlowImbalance::new(60).expect("a valid window"),
        input: touch,
        same: None,
    }
    .measure(report, links);
    Pair {
        group: "beside, spread, a top",
        measure: ("spread", &[]),
        unit: Kind::BookTop,
        new: rival::QuotedSpread::new,
        input: touch,
        same: None,
    }
    .measure(report, links);
}

/// Every measure that both have.
pub(super) fn beside(report: &mut Report, links: &[Link]) {
    of_closes(report, links);
    of_candles(report, links);
    of_the_market(report, links);
}
