//! What sessions left untested: points of control at which nothing has traded since, and extremes where both sides traded.
//!
//! When a session begins, the profile of the one before says where its point of control was; the rows of the profile, as trades leave
//! them, say at its end which were the highest and the lowest and whether both sides traded there. A trade that comes to such a price
//! ends it.
//!
//! Between two such prices no trade changes anything. So the free space around the last price is kept, and a trade within it costs two
//! comparisons.
//!
//! Bound: twenty prices of each of three sorts an instrument. Worst case: a trade that leaves the free space looks at all of them.

use super::bar_hours::BarHours;
use super::{Context, Measure, Needs, PerInstrument, counted, emit};
use crate::Space;
use flow::records::{self, Memory, Profile, ProfileArea, ProfileRow};
use flow::{
    Event, Flags, IntParam, Kind, Kinds, Lasting, LeftPrice, LeftStep, Ns, Out, Param, ParamError, Params, ProfileOf,
    Px,
};
use serde::{Deserialize, Serialize};

const PROFILE: IntParam<u8> =
    IntParam::new("profile", (0, 255), "0", "number of the instance of `profile` that it reads; 0 = the plain one");
const SESSIONS: IntParam<u8> =
    IntParam::new("sessions", (1, MOST as u64), "20", "past sessions whose prices are kept").unit("sessions");

/// Parameters.
pub const PARAMS: &[Param] = &[PROFILE.param(), SESSIONS.param()];

/// The most prices of a sort: one of every session.
const MOST: usize = 20;

/// Keys of the rows that outlive a journal; the page describes them. Below these, the prices by their sort.
const RUNNING: u16 = 4;
const EXTREME: u16 = 5;

/// The measure `untested`.
pub struct Untested {
    profile: u8,
    sessions: u8,
}

/// A price that a session left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Left {
    px: Px,
    row_px: Px,
    session_s: u32,
    /// Sessions that have begun since.
    sessions: u8,
}

/// The prices of a sort, from the oldest on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Lefts {
    all: [Left; MOST],
    len: u8,
}

impl Lefts {
    fn iter(&self) -> impl Iterator<Item = &Left> {
        self.all.iter().take(self.len.into())
    }

    fn push(&mut self, left: Left) {
        if let Some(place) = self.all.get_mut(usize::from(self.len)) {
            (*place, self.len) = (left, self.len + 1);
        }
    }

    /// Lets those go of which `goes` says so, each told to `to`.
    fn part(&mut self, goes: impl Fn(&Left) -> bool, mut to: impl FnMut(&Left)) {
        let before = std::mem::take(self);
        for left in before.iter() {
            if goes(left) { to(left) } else { self.push(*left) }
        }
    }
}

/// An extreme row of the session that runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Extreme {
    px: Option<Px>,
    has_both: bool,
    /// Whether its trades were broken, so that another row is the extreme and nobody knows which.
    is_lost: bool,
}

impl Extreme {
    /// Takes in a row as a trade, or a broken one, left it.
    fn row(&mut self, row: &ProfileRow, is_beyond: impl Fn(Px, Px) -> bool) {
        if self.px.is_none_or(|px| px == row.px || is_beyond(row.px, px)) {
            let has_both = row.buy_volume.0 > 0 && row.sell_volume.0 > 0;
            *self = Extreme { px: Some(row.px), has_both, is_lost: row.volume.0 == 0 };
        }
    }

    /// Its row, if both sides traded there.
    fn unfinished(&self) -> Option<Px> {
        self.px.filter(|_| self.has_both && !self.is_lost)
    }
}

/// Prices between which no trade changes anything; neither bound is among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Free {
    below: i64,
    above: i64,
}

impl Free {
    fn holds(&self, px: Px) -> bool {
        self.below < px.0 && px.0 < self.above
    }
}

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    hours: BarHours,
    /// When the session began that runs, and the one before; 0 = none.
    session: Ns,
    before: Ns,
    /// The last trade of the session.
    last: Option<Px>,
    /// Points of control, highs, lows.
    lefts: [Lefts; 3],
    /// High and low of the session that runs.
    extremes: [Extreme; 2],
    /// Point of control of the profile whose row comes next.
    waiting: Option<Px>,
    free: Free,
}

impl Measure for Untested {
    type Records = records::Untested;
    type State = PerInstrument<Now>;

    /// A trade comes to points of control, and either to highs or to lows.
    const FAN_OUT: usize = 2 * MOST;
    const LASTS: bool = true;

    fn new(params: &Params, space: Space) -> Result<(Untested, Self::State), ParamError> {
        let measure = Untested { profile: params.get(PROFILE), sessions: params.get(SESSIONS) };
        Ok((measure, PerInstrument::new(space)))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::Profile]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Trade, Kind::Profile, Kind::ProfileArea, Kind::ProfileRow]) }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs::HOURS
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.profile.into(), self.sessions.into()]
    }

    #[inline]
    fn run(&self, state: &mut Self::State, context: &Context, event: &Event, out: &mut Out) {
        let Some(now) = state.get_mut(event.instrument) else { return };
        match event.kind {
            Kind::Trade => {
                if let Some(trade) = counted(event) {
                    now.trade(context, event, trade.px, out);
                }
            }
            Kind::ProfileRow => {
                let row: &ProfileRow = event.record();
                if row.instance == self.profile {
                    now.extremes[0].row(row, |px, of| px > of);
                    now.extremes[1].row(row, |px, of| px < of);
                }
            }
            Kind::Profile => {
                let profile: &Profile = event.record();
                let is_it = profile.of == ProfileOf::Previous.code() && profile.instance == self.profile;
                now.waiting = is_it.then_some(profile.poc);
            }
            Kind::ProfileArea => {
                if let Some(poc) = now.waiting.take() {
                    self.begin(now, poc, event, out);
                }
            }
            _ => {}
        }
    }

    fn remember(&self, state: &Self::State, to: &mut Lasting) {
        for (instrument, now) in state.iter().filter(|(_, now)| now.session.0 > 0) {
            let last = now.last.unwrap_or(Px::NONE).0;
            to.put(instrument, RUNNING, 0, [now.session.0.cast_signed(), now.before.0.cast_signed(), last]);
            for (key, lefts) in (1..).zip(&now.lefts) {
                for left in lefts.iter() {
                    to.put(instrument, key, left.sessions.into(), [left.px.0, left.row_px.0, left.session_s.into()]);
                }
            }
            for (at, extreme) in (0..).zip(&now.extremes) {
                if let Some(px) = extreme.px {
                    to.put(instrument, EXTREME, at, [px.0, extreme.has_both.into(), extreme.is_lost.into()]);
                }
            }
        }
    }

    fn recall(&self, state: &mut Self::State, instrument: u32, row: &Memory) {
        let Some(now) = state.get_mut(instrument) else { return };
        let [first, second, third] = row.values();
        match (row.key, u8::try_from(row.index)) {
            (RUNNING, Ok(0)) => {
                let at = |ns: i64| Ns(u64::try_from(ns).unwrap_or(0));
                (now.session, now.before, now.last) = (at(first), at(second), Px(third).known());
            }
            (EXTREME, Ok(at @ 0..=1)) => {
                let extreme = Extreme { px: Px(first).known(), has_both: second != 0, is_lost: third != 0 };
                now.extremes[usize::from(at)] = extreme;
            }
            (key @ 1..=3, Ok(sessions)) if (1..=self.sessions).contains(&sessions) => {
                let session_s = u32::try_from(third).unwrap_or(0);
                let left = Left { px: Px(first), row_px: Px(second), session_s, sessions };
                now.lefts[usize::from(key) - 1].push(left);
            }
            _ => {}
        }
    }
}

impl Untested {
    /// A session has begun, with the profile of the one before: what that left is kept from now on.
    #[cold]
    fn begin(&self, now: &mut Now, poc: Px, event: &Event, out: &mut Out) {
        let area: &ProfileArea = event.record();
        let [high, low] = std::mem::take(&mut now.extremes).map(|extreme| {
            // Where volume found no row, the extreme may be one of those that there was no room for.
            extreme.unfinished().filter(|_| area.left_out.0 == 0)
        });
        for (of, lefts) in SORTS.into_iter().zip(&mut now.lefts) {
            let oldest = self.sessions;
            lefts.part(|left| left.sessions >= oldest, |left| say(of, LeftStep::Forgotten, left, Px::NONE, event, out));
            lefts.all.iter_mut().take(lefts.len.into()).for_each(|left| left.sessions += 1);
        }
        // When a session began that nobody has seen is not known, and neither is what has traded since.
        if now.before.0 > 0 {
            let session_s = u32::try_from(now.before.0 / Ns::SECOND).unwrap_or(u32::MAX);
            for ((of, px), lefts) in SORTS.into_iter().zip([poc.known(), high, low]).zip(&mut now.lefts) {
                if let Some(px) = px {
                    let left = Left { px, row_px: area.row_px, session_s, sessions: 1 };
                    say(of, LeftStep::Made, &left, Px::NONE, event, out);
                    lefts.push(left);
                }
            }
        }
        // The first trade of this session came before.
        if let Some(px) = now.last {
            now.touch(px, px, event, out);
        }
    }
}

/// The sorts of prices, in the order in which they are kept.
const SORTS: [LeftPrice; 3] = [LeftPrice::Poc, LeftPrice::High, LeftPrice::Low];

impl Now {
    #[inline]
    fn trade(&mut self, context: &Context, event: &Event, px: Px, out: &mut Out) {
        if let Some(hours) = self.hours.next(event.instrument, event.ts, context) {
            self.hours = hours;
        }
        if !self.hours.hold(event.ts) {
            return;
        }
        if self.hours.from() != self.session {
            (self.before, self.session) = (self.session, self.hours.from());
            // From the close to the open price went without a trade.
            (self.last, self.free) = (None, Free::default());
        }
        if !self.free.holds(px) {
            self.touch(self.last.unwrap_or(px), px, event, out);
        }
        self.last = Some(px);
    }

    /// A trade after one at `from`: ends what lies between them and the extremes that it is beyond, and finds the free space around it.
    #[cold]
    fn touch(&mut self, from: Px, px: Px, event: &Event, out: &mut Out) {
        let (least, most) = (from.min(px), from.max(px));
        let [pocs, highs, lows] = &mut self.lefts;
        let mut touched = false;
        pocs.part(
            |left| least <= left.px && left.px <= most,
            |left| say(LeftPrice::Poc, LeftStep::Touched, left, px, event, out),
        );
        highs.part(
            |left| left.is_below(px),
            |left| {
                touched = true;
                say(LeftPrice::High, LeftStep::Touched, left, px, event, out);
            },
        );
        // No high lies below a low: the later of their sessions would have ended the other. So one trade ends one sort.
        if !touched {
            lows.part(|left| px < left.px, |left| say(LeftPrice::Low, LeftStep::Touched, left, px, event, out));
        }
        let above = pocs.iter().filter(|left| left.px > px).map(|left| left.px.0);
        let below = pocs.iter().filter(|left| left.px < px).map(|left| left.px.0);
        self.free = Free {
            below: below.chain(lows.iter().map(|left| left.px.0.saturating_sub(1))).max().unwrap_or(i64::MIN),
            above: above.chain(highs.iter().map(Left::top)).min().unwrap_or(i64::MAX),
        };
    }
}

impl Left {
    /// The first price above its row.
    fn top(&self) -> i64 {
        self.px.0.saturating_add(self.row_px.0)
    }

    fn is_below(&self, px: Px) -> bool {
        self.top() <= px.0
    }
}

/// Emits what has become of a price.
#[cold]
fn say(of: LeftPrice, what: LeftStep, left: &Left, trade_px: Px, event: &Event, out: &mut Out) {
    let record = records::Untested {
        px: left.px,
        row_px: left.row_px,
        trade_px,
        session_s: left.session_s,
        sessions: left.sessions,
        of: of.code(),
        what: what.code(),
        ..records::Untested::default()
    };
    emit(&record, Flags::NONE, event, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instrument_has_the_size_of_the_page() {
        assert_eq!(size_of::<Now>(), 1_600);
    }
}
