//! Bars that are plainly right: all trades of a span are kept and summed when it is over.

use crate::harness::Emitted;
use flow::records::{Bar, BarFlow, BrokenTrade, CorrectedBar, CorrectedBarFlow, Tick, Trade};
use flow::{Event, Flags, Kind, Ns, Px, Qty, Record, Side};
use std::collections::BTreeMap;

const HOUR: u64 = 3_600;

/// A bar: instrument, length, start, trades.
struct Span {
    instrument: u32,
    length: u64,
    start: u64,
    trades: Vec<(Px, u64, Side, u64)>,
}

/// A trade that makes no price, in the span that it belongs to.
struct Besides {
    instrument: u32,
    length: u64,
    start: u64,
    qty: u64,
    match_id: u64,
}

/// The reference of one set of lengths, in seconds, rising.
pub(crate) struct BarReference {
    lengths: Vec<u64>,
    open: Vec<Span>,
    /// Bars that have closed, each with the trades of its volume that make no price.
    closed: Vec<(Span, Vec<Besides>)>,
    /// Trades that make no price and are in no bar yet.
    besides: Vec<Besides>,
    /// What broken trades took out, by length.
    pub(crate) taken: BTreeMap<u64, u64>,
}

/// Start, in seconds, of the span that holds `seconds`. Even instruments are New York's, five hours behind in winter; hours are
/// counted from the beginning of their date, since none are told of a market.
fn start_of(instrument: u32, length: u64, seconds: u64) -> u64 {
    let shift = if length >= HOUR && instrument.is_multiple_of(2) { 5 * 3_600 } else { 0 };
    (seconds - shift) / length * length + shift
}

impl BarReference {
    pub(crate) fn new(lengths: &[u64]) -> BarReference {
        let (open, closed, besides) = (Vec::new(), Vec::new(), Vec::new());
        BarReference { lengths: lengths.to_vec(), open, closed, besides, taken: BTreeMap::new() }
    }

    pub(crate) fn feed(&mut self, event: &Event) -> Vec<Emitted> {
        if let Some(broken) = event.get::<BrokenTrade>() {
            let corrected = self.corrected(event.instrument, broken.match_id);
            self.broken(event.instrument, broken.match_id);
            return corrected;
        }
        let seconds = event.ts.0 / 1_000_000_000;
        let (first, last) = match event.get::<Tick>() {
            Some(tick) => (tick.first, tick.last),
            None => (event.instrument, event.instrument),
        };
        if let Some(trade) = event.get::<Trade>()
            && (trade.qty.0 == 0 || event.flags.has(Flags::SNAPSHOT))
        {
            return Vec::new();
        }
        let over = |s: &Span| (first..=last).contains(&s.instrument) && seconds >= s.start + s.length;
        let (mut closed, open) = std::mem::take(&mut self.open).into_iter().partition::<Vec<_>, _>(over);
        self.open = open;
        closed.sort_by_key(|s| (s.instrument, s.length));
        if event.kind == Kind::Trade {
            let trade: &Trade = event.record();
            for length in self.lengths.clone() {
                let (instrument, start) = (event.instrument, start_of(event.instrument, length, seconds));
                if event.flags.has(Flags::VOLUME_ONLY) {
                    let (qty, match_id) = (trade.qty.0, trade.match_id);
                    self.besides.push(Besides { instrument, length, start, qty, match_id });
                    continue;
                }
                self.span(event.instrument, length, start).trades.push((
                    trade.px,
                    trade.qty.0,
                    event.side(),
                    trade.match_id,
                ));
            }
        }
        let closed: Vec<_> = closed.into_iter().map(|span| (self.take_besides(&span), span)).collect();
        let emitted = closed.iter().flat_map(|(besides, span)| span.emitted(quantity(besides))).collect();
        self.closed.extend(closed.into_iter().map(|(besides, span)| (span, besides)));
        emitted
    }

    /// What belongs to a bar that closes without having made one of its prices.
    fn take_besides(&mut self, span: &Span) -> Vec<Besides> {
        let of_span = |b: &Besides| (b.instrument, b.length, b.start) == (span.instrument, span.length, span.start);
        let (taken, left) = std::mem::take(&mut self.besides).into_iter().partition(of_span);
        self.besides = left;
        taken
    }

    /// The bars that had closed with that trade, without it.
    fn corrected(&mut self, instrument: u32, match_id: u64) -> Vec<Emitted> {
        let mut corrected = Vec::new();
        for (span, besides) in self.closed.iter_mut().filter(|(span, _)| span.instrument == instrument) {
            let (trades, others) = (span.trades.len(), besides.len());
            span.trades.retain(|t| t.3 != match_id);
            besides.retain(|b| b.match_id != match_id);
            if span.trades.len() < trades || (besides.len() < others && !span.trades.is_empty()) {
                corrected.push((span.length, span.corrected(quantity(besides))));
            }
        }
        corrected.sort_by_key(|(length, _)| *length);
        corrected.into_iter().flat_map(|(_, emitted)| emitted).collect()
    }

    /// What is in no bar of this length, since no trade made a price while it could have been.
    pub(crate) fn left_over(&self, length: u64) -> u64 {
        self.besides.iter().filter(|b| b.length == length).map(|b| b.qty).sum()
    }

    fn broken(&mut self, instrument: u32, match_id: u64) {
        for span in self.open.iter_mut().filter(|s| s.instrument == instrument) {
            let taken: u64 = span.trades.iter().filter(|t| t.3 == match_id).map(|t| t.1).sum();
            *self.taken.entry(span.length).or_default() += taken;
            span.trades.retain(|t| t.3 != match_id);
        }
        self.open.retain(|span| !span.trades.is_empty());
        let is_it = |b: &Besides| (b.instrument, b.match_id) == (instrument, match_id);
        for besides in self.besides.iter().filter(|b| is_it(b)) {
            *self.taken.entry(besides.length).or_default() += besides.qty;
        }
        self.besides.retain(|b| !is_it(b));
    }

    fn span(&mut self, instrument: u32, length: u64, start: u64) -> &mut Span {
        let at = self.open.iter().position(|s| (s.instrument, s.length) == (instrument, length));
        let at = at.unwrap_or_else(|| {
            self.open.push(Span { instrument, length, start, trades: Vec::new() });
            self.open.len() - 1
        });
        assert_eq!(self.open[at].start, start);
        &mut self.open[at]
    }
}

fn quantity(besides: &[Besides]) -> u64 {
    besides.iter().map(|b| b.qty).sum()
}

impl Span {
    fn emitted(&self, besides: u64) -> [Emitted; 2] {
        let (bar, flow) = self.records(besides);
        self.event(&bar, &flow)
    }

    fn corrected(&self, besides: u64) -> [Emitted; 2] {
        let (start_s, interval_s) = (self.start as u32, self.length as u32);
        if self.trades.is_empty() {
            let none = Px::NONE;
            let bar = CorrectedBar { open: none, high: none, low: none, close: none, start_s, interval_s };
            return self.event(&bar, &CorrectedBarFlow { vwap: none, interval_s, ..CorrectedBarFlow::default() });
        }
        let (Bar { open, high, low, close, .. }, flow) = self.records(besides);
        let BarFlow { volume, vwap, buy_volume, sell_volume, trades, .. } = flow;
        let flow = CorrectedBarFlow { volume, vwap, buy_volume, sell_volume, trades, interval_s };
        self.event(&CorrectedBar { open, high, low, close, start_s, interval_s }, &flow)
    }

    fn event(&self, bar: &impl Record, flow: &impl Record) -> [Emitted; 2] {
        let bar = Event::new(Ns(0), self.instrument, Flags::NONE, bar);
        let flow = Event::new(Ns(0), self.instrument, Flags::LAST_OF_GROUP, flow);
        [Emitted::bare(&bar), Emitted::bare(&flow)]
    }

    fn records(&self, besides: u64) -> (Bar, BarFlow) {
        let prices = || self.trades.iter().map(|t| t.0);
        let volume = |side: Option<Side>| {
            let of_side = self.trades.iter().filter(|t| side.is_none_or(|s| t.2 == s));
            of_side.map(|t| t.1).sum::<u64>()
        };
        let bar = Bar {
            open: prices().next().unwrap(),
            high: prices().max().unwrap(),
            low: prices().min().unwrap(),
            close: prices().next_back().unwrap(),
            start_s: self.start as u32,
            interval_s: self.length as u32,
        };
        let flow = BarFlow {
            volume: Qty(volume(None) + besides),
            vwap: self.vwap(),
            buy_volume: Qty(volume(Some(Side::Buy))),
            sell_volume: Qty(volume(Some(Side::Sell))),
            trades: self.trades.len() as u32,
            interval_s: self.length as u32,
        };
        (bar, flow)
    }

    /// The nearest of the candidates around the quotient; the even one of two that are as near.
    fn vwap(&self) -> Px {
        let money: i128 = self.trades.iter().map(|t| i128::from(t.0.0) * i128::from(t.1)).sum();
        let volume: i128 = self.trades.iter().map(|t| i128::from(t.1)).sum();
        let near = (money / volume - 1..=money / volume + 1).min_by_key(|v| ((v * volume - money).abs(), v % 2 != 0));
        Px(near.unwrap() as i64)
    }
}
