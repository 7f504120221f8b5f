//! What is known of an instrument: its session, its minutes, the breakout that it is in, and its leg.
//!
//! There is at most one leg. While price has broken out, its start is looked for at the end of every minute; after a breakout has
//! failed it is the failed extreme. Trades decide what becomes of a leg, and so do the breakouts that bars make. Bound: the minutes, and the
//! rows of one leg. Worst case: a leg is found, and the volume of its minutes is added up.

use super::emit::{Emitter, Room, pullback};
use super::entries::Entries;
use super::leg::{Leg, PocRow, Turn};
use super::minutes::{Minutes, Place, Spot, Stretch, is_beyond, opposite};
use super::params::Settings;
use super::pullbacks::{Numbers, Pullbacks};
use super::volume::LegVolume;
use crate::measures::{Context, Session};
use flow::records::{self, BreakoutRange};
use flow::{BreakoutStep, Event, LegEnd, LegStep, LegType, Ns, Out, PriceDirection, PullbackStep, Px, Qty};
use serde::{Deserialize, Serialize};

/// What a leg is looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Search {
    /// Price is broken out of a range whose point of control is there.
    Out {
        /// Where price went.
        direction: PriceDirection,
        /// The row of the point of control.
        poc: PocRow,
    },
    /// A breakout has failed.
    Failed {
        /// Where price goes now.
        direction: PriceDirection,
        /// The row of the point of control.
        poc: PocRow,
        /// The failed extreme.
        start: Spot,
        /// Its minute.
        start_s: u32,
    },
}

/// What is known of an instrument.
#[derive(Clone, Copy)]
pub(super) struct Market {
    pub(super) session: Session,
    /// Market hours of the session.
    pub(super) from: Ns,
    pub(super) until: Ns,
    /// The last trade.
    pub(super) last: Spot,
    pub(super) numbers: Numbers,
    /// The bar whose volume comes next.
    pub(super) bar_s: Option<u32>,
    /// The breakout whose range comes next: what, direction, since, bar.
    pub(super) waiting: Option<[u32; 4]>,
    /// Whether a state's numbers come next.
    pub(super) is_state_open: bool,
    pub(super) search: Option<Search>,
    pub(super) leg: Option<Leg>,
    pub(super) pullbacks: Pullbacks,
    pub(super) minutes: Minutes,
    pub(super) volume: LegVolume,
}

/// Everything beside the instrument that an event needs.
pub(super) struct Tools<'a> {
    pub(super) settings: &'a Settings,
    pub(super) entries: &'a mut Entries,
    pub(super) rows: &'a mut Room,
    pub(super) tick: Px,
    pub(super) event: &'a Event,
    pub(super) out: &'a mut Out,
}

impl Tools<'_> {
    fn emitter(&mut self) -> Emitter<'_> {
        let Room { rows, volumes, finder } = &mut *self.rows;
        Emitter { settings: self.settings, rows, volumes, finder, event: self.event, out: self.out }
    }
}

impl Market {
    /// Nothing yet; `number` is that of the market among all, from 0.
    pub(super) fn new(number: u32) -> Market {
        Market {
            session: Session::NONE,
            from: Ns(0),
            until: Ns(0),
            last: Spot::default(),
            numbers: Numbers::UNKNOWN,
            bar_s: None,
            waiting: None,
            is_state_open: false,
            search: None,
            leg: None,
            pullbacks: Pullbacks::default(),
            minutes: Minutes::NONE,
            volume: LegVolume::new(number),
        }
    }

    /// A trade that counts.
    #[inline]
    pub(super) fn trade(&mut self, tools: &mut Tools<'_>, context: &Context, px: Px, qty: Qty) {
        let (ts, instrument) = (tools.event.ts, tools.event.instrument);
        if self.session.is_over(ts) {
            self.begin(tools, context.session(instrument, ts), context.market_hours(instrument, ts));
        }
        if ts < self.from || ts >= self.until {
            if ts >= self.until {
                self.close(tools);
            }
            return;
        }
        self.last = Spot { px, ts };
        if self.leg.is_some() {
            self.turn(tools, qty);
        } else if let Some(Search::Failed { direction, poc, start, .. }) = self.search
            && (is_beyond(opposite(direction), px, start.px) || poc.is_reached(direction, px))
        {
            self.search = None;
        }
        self.minutes.take(tools.entries, self.last, qty.0, tools.settings);
    }

    /// A session begins.
    #[cold]
    fn begin(&mut self, tools: &mut Tools<'_>, session: Session, (from, until): (Ns, Ns)) {
        self.close(tools);
        self.minutes.forget(tools.entries);
        (self.session, self.from, self.until) = (session, from, until);
        self.numbers = Numbers::UNKNOWN;
    }

    /// The session is over.
    #[cold]
    fn close(&mut self, tools: &mut Tools<'_>) {
        self.end(tools, LegEnd::Session);
        self.search = None;
    }

    /// What the last trade makes of the leg.
    fn turn(&mut self, tools: &mut Tools<'_>, qty: Qty) {
        let (last, Some(leg)) = (self.last, &mut self.leg) else { return };
        match leg.turn(last.px, tools.settings) {
            Turn::Ends(why) => return self.end(tools, why),
            Turn::Extends(was_closed) => {
                leg.extreme = last;
                self.volume.extend(&mut tools.rows.rows, leg.start.px, last, qty.0);
                if was_closed {
                    leg.is_closed = false;
                    let leg = *leg;
                    tools.emitter().leg(&leg, &self.volume, last.px, LegStep::OpenAgain, LegEnd::None);
                    self.end_pullbacks(tools, &leg, PullbackStep::LegOpen);
                }
                return;
            }
            Turn::Closes => {
                self.volume.add(&mut tools.rows.rows, last.px, qty.0, true);
                leg.is_closed = true;
                let tick = tools.tick;
                self.pullbacks = tools.emitter().closes(leg, &self.volume, tick, last.px);
            }
            Turn::Stays => self.volume.add(&mut tools.rows.rows, last.px, qty.0, true),
        }
        if leg.is_closed {
            let (leg, numbers, event) = (&*leg, &self.numbers, tools.event);
            self.pullbacks.trade((last.ts, last.px), leg, numbers, tools.settings, |node, what| {
                pullback((event, &mut *tools.out), leg, numbers, last.px, node, what);
            });
        }
    }

    /// The leg is over, if there is one.
    fn end(&mut self, tools: &mut Tools<'_>, why: LegEnd) {
        let Some(leg) = self.leg.take() else { return };
        tools.emitter().leg(&leg, &self.volume, self.last.px, LegStep::Ended, why);
        self.end_pullbacks(tools, &leg, PullbackStep::LegOver);
        self.volume.end(&mut tools.rows.rows);
        if matches!(self.search, Some(Search::Failed { .. })) {
            self.search = None;
        }
    }

    fn end_pullbacks(&mut self, tools: &mut Tools<'_>, leg: &Leg, why: PullbackStep) {
        let (numbers, event, px) = (&self.numbers, tools.event, self.last.px);
        self.pullbacks.end(why, |node, what| pullback((event, &mut *tools.out), leg, numbers, px, node, what));
    }

    /// What has become of a breakout.
    #[cold]
    pub(super) fn breakout(&mut self, tools: &mut Tools<'_>, range: &BreakoutRange) {
        let Some([what, direction, since_s, bar_s]) = self.waiting.take() else { return };
        let direction = PriceDirection::from_code(direction as u8);
        let (Some(what), Some(direction)) = (BreakoutStep::from_code(what as u8), direction) else { return };
        let poc = PocRow::of(range.poc, range.row_px);
        match what {
            BreakoutStep::Out => {
                self.end(tools, LegEnd::Breakout);
                self.search = Some(Search::Out { direction, poc });
            }
            BreakoutStep::Accepted => {}
            BreakoutStep::Failed => {
                self.end(tools, LegEnd::Inside);
                self.search = self.failed(opposite(direction), poc, since_s, bar_s);
            }
            BreakoutStep::Returned => {
                self.end(tools, LegEnd::Inside);
                self.search = None;
            }
            BreakoutStep::Ended => self.close(tools),
        }
    }

    /// What to look for after a breakout has failed: nothing if price has come to the point of control since the failed extreme.
    fn failed(&self, direction: PriceDirection, poc: PocRow, since_s: u32, bar_s: u32) -> Option<Search> {
        let start = self.minutes.start_since(direction, since_s, bar_s)?;
        let extreme = self.minutes.extreme(direction, &start, bar_s)?;
        let is_new = !poc.is_reached(direction, extreme.mark.spot.px);
        is_new.then_some(Search::Failed { direction, poc, start: start.mark.spot, start_s: start.start_s })
    }

    /// A minute has ended: its bar has closed, and what follows from that has been seen.
    #[cold]
    pub(super) fn minute(&mut self, tools: &mut Tools<'_>) {
        let Some(start_s) = self.bar_s.take() else { return };
        let start = Ns(u64::from(start_s) * Ns::SECOND);
        if start < self.from || start >= self.until {
            return;
        }
        self.minutes.end_through(tools.entries, start_s);
        if start.0 + u64::from(tools.settings.interval_s) * Ns::SECOND >= self.until.0 {
            self.close(tools);
        } else if self.leg.is_none() {
            self.find(tools, start_s);
        }
    }

    /// Looks for a leg in the minutes up to one.
    fn find(&mut self, tools: &mut Tools<'_>, until_s: u32) {
        let Some((of, direction, poc, start)) = self.start(tools.settings, until_s) else { return };
        let Some(extreme) = self.minutes.extreme(direction, &start, until_s) else {
            self.search = self.search.filter(|search| matches!(search, Search::Out { .. }));
            return;
        };
        let left_out = self.minutes.left_out(start.start_s);
        let (start_at, extreme_at) = (start.mark.spot, extreme.mark.spot);
        let leg = Leg { of, direction, start: start_at, extreme: extreme_at, poc, is_closed: false, left_out };
        let is_long =
            self.numbers.atr.known().is_some_and(|atr| {
                leg.size() > 0 && leg.size() as f64 / Px::ONE as f64 >= tools.settings.atr_times * atr
            });
        if !is_long {
            return;
        }
        self.volume.begin(&mut tools.rows.rows, tools.tick, 1, [start_at.px, extreme_at.px]);
        let (volume, rows) = (&mut self.volume, &mut tools.rows.rows);
        self.minutes.volume(tools.entries, &Stretch { start, extreme }, |entry, is_behind| {
            if entry.qty > 0 {
                volume.add(rows, Px(entry.px), entry.qty, is_behind);
            }
        });
        self.leg = Some(leg);
        tools.emitter().leg(&leg, &self.volume, self.last.px, LegStep::Counts, LegEnd::None);
    }

    /// Where a leg would start.
    fn start(&self, settings: &Settings, until_s: u32) -> Option<(LegType, PriceDirection, PocRow, Place)> {
        Some(match self.search? {
            Search::Out { direction, poc } => {
                let start = self.minutes.start(direction, until_s, settings.minutes, (poc.low, poc.high))?;
                (LegType::Impulse, direction, poc, start)
            }
            Search::Failed { direction, poc, start_s, .. } => {
                (LegType::Reclaim, direction, poc, self.minutes.start_since(direction, start_s, start_s)?)
            }
        })
    }

    /// A trade was broken.
    #[cold]
    pub(super) fn broken(&mut self, tools: &mut Tools<'_>, trade: &records::BrokenTrade) {
        let spot = Spot { px: trade.px, ts: trade.trade_ts };
        if spot.ts < self.from || spot.ts >= self.until || self.session.is_over(tools.event.ts) {
            return;
        }
        self.minutes.break_trade(tools.entries, spot, trade.qty.0, tools.settings.interval_s);
        match self.leg {
            Some(leg) if spot == leg.start || spot == leg.extreme => self.end(tools, LegEnd::Broken),
            Some(leg) if spot.ts >= leg.start.ts => {
                let is_behind = spot.ts > leg.extreme.ts;
                self.volume.take(&mut tools.rows.rows, spot.px, trade.qty.0, is_behind);
            }
            _ => {}
        }
        if matches!(self.search, Some(Search::Failed { start, .. }) if start == spot) {
            self.search = None;
        }
    }
}
