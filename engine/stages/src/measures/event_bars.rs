//! Bars that end with what was traded and not with the clock: after so many trades, so much quantity or money, or once prices lie so far apart.
//!
//! The trade that brings a bar to its size ends it and is its last one; nothing is split between two bars. A bar is of one session, so what
//! a session leaves at its end is emitted with the first trade of the next, and says that it is not whole.
//!
//! Bound: 112 bytes an instrument. Worst case: a trade that ends the bar of the session before and, alone, makes one: four records.

use super::measure::emit;
use super::{Aggressor, Context, Measure, Needs, PerInstrument, Session, counted, counted_before, take_out};
use crate::Space;
use flow::records::{self, BrokenTrade, EventBarFlow, Trade};
use flow::{
    ChoiceParam, Event, EventBarBy, Flags, FloatParam, Kind, Kinds, Ns, Out, Param, ParamError, Params, Px, Qty, Seen,
    divide_half_even,
};
use serde::{Deserialize, Serialize};

const BY: ChoiceParam<EventBarBy> = ChoiceParam::new(
    "by",
    EventBarBy::CHOICES,
    "trades",
    "what ends a bar: trades, quantity, money, or how far prices lie apart",
);
const SIZE: FloatParam = FloatParam::new(
    "size",
    (1e-9, 1e12),
    "1000",
    "how much of it: trades or units of quantity, which are whole numbers; money or a range of prices, in units of the price",
);

/// Parameters.
pub const PARAMS: &[Param] = &[BY.param(), SIZE.param()];

/// The measure `event-bars`.
pub struct EventBars {
    by: EventBarBy,
    /// Trades or quantity; money and ranges in 1e-9.
    size: i128,
}

/// What a bar has so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sums {
    /// Prices times quantities.
    paid: i128,
    first: Ns,
    last: Ns,
    open: Px,
    high: Px,
    low: Px,
    close: Px,
    volume: u64,
    bought: u64,
    sold: u64,
    trades: u32,
    is_inferred: bool,
    /// A trade that gave it one of its prices was broken.
    is_doubtful: bool,
}

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    session: Session,
    /// When the bar before ended.
    ended: Ns,
    bar: Sums,
}

impl Measure for EventBars {
    type Records = (records::EventBar, EventBarFlow);
    type State = PerInstrument<Now>;

    /// The bar that a session has left, and the one that the first trade of the next makes.
    const FAN_OUT: usize = 4;

    fn new(params: &Params, space: Space) -> Result<(EventBars, Self::State), ParamError> {
        let (by, size) = (params.get(BY), params.get(SIZE));
        let is_counted = matches!(by, EventBarBy::Trades | EventBarBy::Volume);
        if is_counted && size.fract() != 0.0 {
            let (key, found) = ("event-bars.size".to_owned(), size.to_string());
            return Err(ParamError { key, found, valid: "valid: a whole number of trades or of units".to_owned() });
        }
        let parts = if is_counted { 1.0 } else { Px::ONE as f64 };
        Ok((EventBars { by, size: (size * parts).round() as i128 }, PerInstrument::new(space)))
    }

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Trade, Kind::BrokenTrade]) }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs::SESSIONS
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.by.code().into(), self.size as u64, (self.size >> 64) as u64]
    }

    #[inline]
    fn run(&self, markets: &mut Self::State, context: &Context, event: &Event, out: &mut Out) {
        if let Some(trade) = counted(event) {
            self.trade(markets, context, event, trade, out);
        } else if let Some(trade) = counted_before(event) {
            broken(markets, context, event, trade);
        }
    }
}

impl EventBars {
    #[inline]
    fn trade(&self, markets: &mut PerInstrument<Now>, context: &Context, event: &Event, trade: &Trade, out: &mut Out) {
        let Some(now) = markets.get_mut(event.instrument) else { return };
        if now.session.is_over(event.ts) {
            if now.bar.trades > 0 {
                self.close(now, Seen::No, event, out);
            }
            now.session = context.session(event.instrument, event.ts);
        }
        now.bar.add(event, trade);
        if self.is_reached(&now.bar) {
            self.close(now, Seen::Yes, event, out);
        }
    }

    /// Whether a bar has come to its size.
    #[inline]
    fn is_reached(&self, bar: &Sums) -> bool {
        let has = match self.by {
            EventBarBy::Trades => bar.trades.into(),
            EventBarBy::Volume => bar.volume.into(),
            EventBarBy::Value => bar.paid,
            EventBarBy::Range => i128::from(bar.high.0) - i128::from(bar.low.0),
        };
        has >= self.size
    }

    #[cold]
    fn close(&self, now: &mut Now, whole: Seen, event: &Event, out: &mut Out) {
        let bar = std::mem::take(&mut now.bar);
        now.ended = bar.last;
        let of_prices = records::EventBar {
            open: bar.open,
            high: bar.high,
            low: bar.low,
            close: bar.close,
            start_s: second(bar.first),
            by: self.by.code(),
            whole: whole.code(),
            doubtful: if bar.is_doubtful { Seen::Yes } else { Seen::No }.code(),
            ..records::EventBar::default()
        };
        let of_volumes = EventBarFlow {
            volume: Qty(bar.volume),
            vwap: Px(divide_half_even(bar.paid, bar.volume.into())),
            buy_volume: Qty(bar.bought),
            sell_volume: Qty(bar.sold),
            trades: bar.trades,
            last_s: second(bar.last),
        };
        let badge = if bar.is_inferred { Flags::INFERRED_AGGRESSOR } else { Flags::NONE };
        emit(&(of_prices, of_volumes), badge, event, out);
    }
}

/// Takes a broken trade out of the bar that has it. One that was traded when the bar before ended may be in either, and stays.
#[cold]
fn broken(markets: &mut PerInstrument<Now>, context: &Context, event: &Event, trade: &BrokenTrade) {
    let Some(now) = markets.get_mut(event.instrument) else { return };
    let is_of_session = now.session == context.session(event.instrument, trade.trade_ts);
    let bar = &mut now.bar;
    if !is_of_session || bar.trades == 0 || trade.trade_ts <= now.ended || trade.trade_ts < bar.first {
        return;
    }
    bar.take_out(event, trade);
    if bar.trades == 0 {
        *bar = Sums::default();
    }
}

impl Sums {
    #[inline]
    fn add(&mut self, event: &Event, trade: &Trade) {
        let px = trade.px;
        if self.trades == 0 {
            (self.first, self.open, self.high, self.low) = (event.ts, px, px, px);
        }
        (self.last, self.close) = (event.ts, px);
        (self.high, self.low) = (self.high.max(px), self.low.min(px));
        let (bought, sold) = Aggressor::of(event).split(trade.qty);
        self.volume = self.volume.saturating_add(trade.qty.0);
        self.bought = self.bought.saturating_add(bought);
        self.sold = self.sold.saturating_add(sold);
        self.paid = self.paid.saturating_add(i128::from(px.0) * i128::from(trade.qty.0));
        self.trades = self.trades.saturating_add(1);
        self.is_inferred |= event.flags.has(Flags::INFERRED_AGGRESSOR);
    }

    fn take_out(&mut self, event: &Event, trade: &BrokenTrade) {
        let (bought, sold) = Aggressor::of(event).split(trade.qty);
        take_out(&mut self.volume, trade.qty.0);
        take_out(&mut self.bought, bought);
        take_out(&mut self.sold, sold);
        self.paid = self.paid.saturating_sub(i128::from(trade.px.0) * i128::from(trade.qty.0));
        self.trades -= 1;
        self.is_doubtful |= [self.open, self.high, self.low, self.close].contains(&trade.px);
    }
}

fn second(ts: Ns) -> u32 {
    (ts.0 / Ns::SECOND) as u32
}
