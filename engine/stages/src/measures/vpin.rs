//! VPIN: how one-sided the last buckets of equal volume were.
//!
//! Two ways to tell bought from sold: the aggressor of every trade (`exact`), or the part of a bar that its move says
//! (`bulk`). Either is fed into the same buckets. Exact signing is integers but for the division when a bucket closes.

use super::buckets::{Buckets, Closing, SavedFlow};
use super::bulk::{Bulk, SavedMoves};
use super::session::Calendars;
use super::{Aggressor, traded};
use crate::Space;
use flow::records::{Bar, BarFlow, Vpin, VpinFlow};
use flow::{
    ChoiceParam, Event, Flags, IntParam, Interval, Kind, Kinds, Out, Param, ParamError, Params, Qty, Scope, Stage,
    StateError, StateReader, StateWriter, TextParam, choices,
};
use serde::{Deserialize, Serialize};

const BUCKET_QTY: IntParam = IntParam::new(
    "bucket_qty",
    (1, Buckets::MAX_QUANTITY),
    "10000",
    "volume of a bucket; many times that of a usual trade, else every bucket has one side",
)
.unit("smallest unit of the instrument");
const WINDOW: IntParam<u16> = IntParam::new(
    "window",
    (1, Buckets::MAX_WINDOW),
    "50",
    "buckets that the mean is over; 8 bytes each an instrument, allocated at the start",
)
.unit("buckets");
const MODE: ChoiceParam<u8> = ChoiceParam::new(
    "mode",
    choices! { "exact" => EXACT, "bulk" => BULK },
    "exact",
    "how volume is signed: by the aggressor of every trade, or by the move of every bar",
);
const BULK_BAR: TextParam = TextParam::new(
    "bulk_bar",
    "1m",
    "in bulk mode the length of the bars, one of those that the pipeline or a feed makes",
);
const SIGMA_BARS: IntParam<u16> = IntParam::new(
    "sigma_bars",
    (2, 4_096),
    "390",
    "in bulk mode the last moves that sigma is of; 8 bytes each an instrument, allocated at the start",
)
.unit("bars");

/// What can be set.
pub const PARAMS: &[Param] = &[BUCKET_QTY.param(), WINDOW.param(), MODE.param(), BULK_BAR.param(), SIGMA_BARS.param()];

/// Numbers of the modes in the record.
const EXACT: u8 = 1;
const BULK: u8 = 2;

/// Keeps the buckets of every instrument.
pub struct VpinStage {
    buckets: Buckets,
    calendars: Calendars,
    bulk: Option<Bulk>,
}

impl VpinStage {
    /// Buckets for every instrument of the space.
    ///
    /// # Errors
    /// When the length of the bars is none.
    pub fn new(params: &Params, space: Space) -> Result<VpinStage, ParamError> {
        let text = params.get(BULK_BAR);
        let interval = text.parse::<Interval>().map_err(|e| {
            let (key, found) = ("vpin.bulk_bar".to_owned(), text.to_owned());
            ParamError { key, found, valid: e.to_string() }
        })?;
        let bulk = || Bulk::new(space.instruments, interval.seconds(), params.get(SIGMA_BARS));
        let bulk = (params.get(MODE) == BULK).then(bulk);
        Ok(VpinStage {
            buckets: Buckets::new(space.instruments, params.get(BUCKET_QTY), params.get(WINDOW), bulk.is_some()),
            calendars: Calendars::new(space.instruments),
            bulk,
        })
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// As [`VpinStage::new`].
    pub fn build(params: &Params, space: Space) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(VpinStage::new(params, space)?))
    }

    /// The usual trade closes nothing: it calls nothing either, and takes no branch that could not be guessed.
    #[inline]
    fn trade(&mut self, event: &Event, out: &mut Out) {
        let Some((at, trade)) = traded(event, self.buckets.flows.len()) else { return };
        let aggressor = Aggressor::of(event);
        let over = self.buckets.flows[at].session.is_over(event.ts);
        if over || !aggressor.is_known() || !self.buckets.add_within(at, trade.qty, aggressor) {
            self.rare_trade(at, trade.qty, event, out);
        }
    }

    /// A trade that begins a session, has no aggressor, or closes buckets.
    #[cold]
    #[inline(never)]
    fn rare_trade(&mut self, at: usize, qty: Qty, event: &Event, out: &mut Out) {
        let flow = &mut self.buckets.flows[at];
        if flow.session.is_over(event.ts) {
            flow.begin(self.calendars.session(at, event.ts));
        }
        let aggressor = Aggressor::of(event);
        if !aggressor.is_known() {
            flow.unsigned_qty = flow.unsigned_qty.saturating_add(qty.0);
        } else if !self.buckets.add_within(at, qty, aggressor) {
            let closing = self.buckets.add_over(at, qty, aggressor);
            self.tell(at, closing, EXACT, out);
        }
    }

    fn bar(&mut self, event: &Event, out: &mut Out) {
        let Some(bulk) = &mut self.bulk else { return };
        let at = event.instrument as usize;
        if at == 0 || at >= bulk.moves.len() || event.flags.has(Flags::SNAPSHOT) {
            return;
        }
        if let Some(bar) = event.get::<Bar>() {
            if bar.interval_s == bulk.interval_s {
                bulk.classify(at, bar);
            }
            return;
        }
        let told: &BarFlow = event.record();
        let moves = &mut bulk.moves[at];
        let Some((part, start)) = (told.interval_s == bulk.interval_s).then(|| moves.take()).flatten() else { return };
        let flow = &mut self.buckets.flows[at];
        if flow.session.is_over(start) {
            flow.begin(self.calendars.session(at, start));
            moves.carry = Default::default();
        }
        if let Some(closing) = self.buckets.add_part(at, told.volume.0, part, &mut moves.carry) {
            self.tell(at, closing, BULK, out);
        }
    }

    #[cold]
    fn tell(&self, at: usize, closing: Closing, mode: u8, out: &mut Out) {
        let (flow, quantity) = (&self.buckets.flows[at], self.buckets.quantity);
        let vpin = Vpin {
            vpin: closing.vpin,
            bucket_qty: Qty(quantity),
            buckets: flow.closed,
            closed: u32::try_from(closing.closed).unwrap_or(u32::MAX),
            window: self.buckets.window.into(),
            mode,
            reserved: [0; 7],
        };
        let volumes = VpinFlow {
            buy_qty: Qty(flow.signed_qty[0]),
            sell_qty: Qty(flow.signed_qty[1]),
            unsigned_qty: Qty(flow.unsigned_qty),
            bucket_buy_qty: Qty(closing.bought),
            bucket_sell_qty: Qty(quantity - closing.bought),
        };
        out.push(at as u32, Flags::NONE, &vpin);
        out.push(at as u32, Flags::LAST_OF_GROUP, &volumes);
    }

    /// What a state must have been made with.
    fn terms(&self) -> (u64, u16, Option<u32>) {
        (self.buckets.quantity, self.buckets.window, self.bulk.as_ref().map(|b| b.interval_s))
    }
}

impl Stage for VpinStage {
    fn reads(&self) -> Kinds {
        match self.bulk {
            None => Kinds::of(&[Kind::Listing, Kind::Trade]),
            Some(_) => Kinds::of(&[Kind::Listing, Kind::Bar, Kind::BarFlow]),
        }
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Vpin, Kind::VpinFlow])
    }

    fn scope(&self) -> Scope {
        Scope::Instrument
    }

    fn fan_out(&self) -> usize {
        2
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        match event.kind {
            Kind::Trade => self.trade(event, out),
            Kind::Bar | Kind::BarFlow => self.bar(event, out),
            _ => self.calendars.observe(event),
        }
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        to.put(&self.terms());
        let mut saved = Vec::new();
        for at in 0..self.buckets.flows.len() {
            let (calendar, flow) = (self.calendars.get(at), self.buckets.saved(at));
            let moves = self.bulk.as_ref().and_then(|b| b.saved(at));
            if calendar.is_some() || flow.is_some() || moves.is_some() {
                saved.push(Saved { key: to.key(at as u32), calendar, flow, moves });
            }
        }
        saved.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        to.put(&saved);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        if from.get::<(u64, u16, Option<u32>)>()? != self.terms() {
            return Err(StateError::Inconsistent("buckets of another quantity, window or mode than these"));
        }
        self.buckets.forget();
        self.calendars.forget();
        self.bulk.iter_mut().for_each(Bulk::forget);
        for saved in from.get::<Vec<Saved>>()? {
            let at = from.instrument(&saved.key)? as usize;
            if at >= self.buckets.flows.len() {
                return Err(StateError::TooLarge {
                    what: "instruments",
                    found: at + 1,
                    limit: self.buckets.flows.len(),
                });
            }
            self.calendars.set(at, saved.calendar);
            let flow = saved.flow.is_none_or(|flow| self.buckets.load(at, flow));
            let moves = match (saved.moves, &mut self.bulk) {
                (None, _) => true,
                (Some(moves), Some(bulk)) => bulk.load(at, moves),
                (Some(_), None) => false,
            };
            if !flow || !moves {
                return Err(StateError::Inconsistent("buckets or bars that do not add up"));
            }
        }
        Ok(())
    }
}

/// What is saved of an instrument.
#[derive(Serialize, Deserialize)]
struct Saved {
    key: String,
    calendar: Option<[u8; 4]>,
    flow: Option<SavedFlow>,
    moves: Option<SavedMoves>,
}
