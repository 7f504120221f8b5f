//! The strategy `momentum`, naively: as [`crate::naive_stages`], on the standard collections.

use crate::naive_stages::{Naive, Tally};
use flow::records::{Bar, BookTop, Cvd, Imbalance, Intent, Listing, Reason, Signal, Vpin};
use flow::{Action, Event, Kind, Ns, OrderType, Px, Qty, Real, Tif};
use std::collections::{BTreeMap, HashMap};

/// What the strategy knows of an instrument.
#[derive(Default)]
struct InstrumentState {
    tick: flow::Tick,
    touch: Option<(Px, Px, Ns)>,
    measures: HashMap<Kind, f64>,
    /// Slots of time: signed and whole volume.
    flow: BTreeMap<u64, (i64, u64)>,
    last: (i64, u64),
    bars: Vec<f64>,
    close: Option<Px>,
    average: f64,
    working_until: Option<Ns>,
    rest_until: Ns,
}

/// Entries of the strategy `momentum` with its defaults, but at any time of day; its orders get no answer.
#[derive(Default)]
pub struct Momentum {
    tracked: HashMap<u32, InstrumentState>,
    /// The input after which it decides, its instrument and its time.
    due: Option<(u64, u32, Ns)>,
}

const LOOKBACK: u64 = 60 * Ns::SECOND;
const ATR_BARS: usize = 14;

impl InstrumentState {
    fn bar(&mut self, bar: &Bar) {
        let (high, low) = match self.close.replace(bar.close) {
            None => (bar.high, bar.low),
            Some(close) => (bar.high.max(close), bar.low.min(close)),
        };
        let (range, n) = ((high.0 - low.0) as f64 / Px::ONE as f64, ATR_BARS as f64);
        self.bars.push(range);
        self.average = match self.bars.len() {
            ATR_BARS => self.bars.iter().sum::<f64>() / n,
            _ => (self.average * (n - 1.0) + range) / n,
        };
    }

    fn flow(&mut self, now: Ns, cvd: &Cvd) {
        let (slot, all) = (now.0 / (LOOKBACK / 16), cvd.buy_qty.0 + cvd.sell_qty.0);
        self.flow.retain(|at, _| at + 16 > slot);
        let sums = self.flow.entry(slot).or_default();
        *sums = (sums.0 + cvd.cvd - self.last.0, sums.1 + all - self.last.1);
        self.last = (cvd.cvd, all);
    }

    fn enter(&mut self, instrument: u32, now: Ns, tally: &mut Tally) {
        if self.working_until.is_some_and(|until| now >= until) {
            (self.working_until, self.rest_until) = (None, Ns(now.0 + 30 * Ns::SECOND));
        }
        let Some((bid, ask, seen_at)) = self.touch else { return };
        let fresh = bid != Px::NONE && ask != Px::NONE && bid < ask && now.0 - seen_at.0 <= 5 * Ns::SECOND;
        if self.working_until.is_some() || now < self.rest_until || !fresh {
            return;
        }
        let sums = self.flow.values().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
        let net = if sums.1 == 0 { 0.0 } else { sums.0 as f64 / sums.1 as f64 };
        let toward = if net < 0.0 { -1.0 } else { 1.0 };
        let measure = |kind| self.measures.get(&kind).copied().unwrap_or(f64::NAN);
        let (lean, vpin) = (measure(Kind::Imbalance), measure(Kind::Vpin));
        let flows = net * toward >= 0.3 && net != 0.0 && sums.1 >= 1_000;
        let ranged = self.bars.len() >= ATR_BARS && self.average > 0.0;
        let wanted = flows && lean * toward >= 0.2 && vpin <= 0.6 && ranged;
        if !wanted {
            return;
        }
        let tick = self.tick;
        let entry = if toward > 0.0 { tick.up(ask) } else { tick.down(bid) };
        let away = |ranges: f64, sign: f64| {
            let units = ((self.average * ranges * Px::ONE as f64) as i64).max(tick.at(entry)).max(1);
            if sign < 0.0 { tick.down(Px(entry.0 - units)) } else { tick.up(Px(entry.0 + units)) }
        };
        let signal = Signal {
            entry,
            stop: away(1.5, -toward),
            target: away(3.0, toward),
            confidence: Real::of(((net * toward + lean.abs() + (1.0 - vpin)) / 3.0).clamp(0.0, 1.0)),
            strategy: stages::strategies::MOMENTUM,
            reasons: 3,
            ..Default::default()
        };
        let intent = Intent {
            px: entry,
            qty: Qty(100),
            strategy: stages::strategies::MOMENTUM,
            account: flow::Account(1),
            action: Action::New.code(),
            order_type: OrderType::Limit.code(),
            tif: Tif::ImmediateOrCancel.code(),
            ..Default::default()
        };
        tally.push(instrument, &intent);
        tally.push(instrument, &signal);
        let why = [(Kind::Cvd, net, 0.3 * toward), (Kind::Imbalance, lean, 0.2 * toward), (Kind::Vpin, vpin, 0.6)];
        for (index, (measure, value, threshold)) in (0..).zip(why) {
            let (strategy, measure) = (stages::strategies::MOMENTUM, u16::from(measure.0));
            let (value, threshold) = (Real::of(value), Real::of(threshold));
            tally.push(instrument, &Reason { value, threshold, strategy, measure, index, ..Default::default() });
        }
        self.working_until = Some(Ns(now.0 + 10 * Ns::SECOND));
    }
}

impl Naive for Momentum {
    fn on_event(&mut self, event: &Event, tally: &mut Tally) {
        if let Some((_, instrument, ts)) = self.due.take_if(|(seq, ..)| *seq != event.id.seq()) {
            self.tracked.entry(instrument).or_default().enter(instrument, ts, tally);
        }
        let tracked = self.tracked.entry(event.instrument).or_default();
        match event.kind {
            Kind::Listing => tracked.tick = flow::Tick::of(event.record::<Listing>()),
            Kind::BookTop => {
                let top: &BookTop = event.record();
                tracked.touch = Some((top.bid_px, top.ask_px, event.ts));
            }
            Kind::Imbalance => drop(tracked.measures.insert(event.kind, event.record::<Imbalance>().l1.into())),
            Kind::Vpin => drop(tracked.measures.insert(event.kind, event.record::<Vpin>().vpin.into())),
            Kind::Bar if event.record::<Bar>().interval_s == 60 => tracked.bar(event.record()),
            Kind::Cvd => {
                tracked.flow(event.ts, event.record());
                self.due = Some((event.id.seq(), event.instrument, event.ts));
            }
            _ => {}
        }
    }
}
