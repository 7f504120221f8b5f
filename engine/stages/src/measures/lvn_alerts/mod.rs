//! Alerts at low-volume nodes: price comes close to where little was traded.
//!
//! The nodes are those of the session before, of past sessions together, and of the legs that are closed. An alert fires once when a
//! trade comes into the band of a node; it is armed again when one is beyond the distance for that, which lies further out. At every
//! bar the nearest node is emitted.
//!
//! Between two bounds, of bands and of those distances, no trade changes anything. So the free space around the last price is kept,
//! and a trade within it costs two comparisons.
//!
//! Bound: ten nodes of each of four profiles an instrument. Worst case: a trade that crosses a bound looks at every node.

mod nodes;

use super::bar_hours::{BarHours, length_below_a_day, start_of, whole_bar};
use super::{Context, Measure, Needs, PerInstrument, counted, emit};
use crate::Space;
use flow::records::{self, Bar, Leg, LegNode, LegProfile, NearestLvn, Profile, ProfileNode};
use flow::{
    Event, Flags, IntParam, Kind, Kinds, LegStep, LegType, Out, Param, ParamError, Params, PriceDirection,
    ProfileNodeType, ProfileOf, Px, Real, Seen, TextParam,
};
use nodes::{Bands, Nodes, Space as Free};
use serde::{Deserialize, Serialize};

const INTERVAL: TextParam = TextParam::new(
    "interval",
    "1m",
    "length of the bars at which the nearest node is emitted, below a day, one that the pipeline or a feed provides",
);
const PROFILE: IntParam<u8> =
    IntParam::new("profile", (0, 255), "0", "number of the instance of `profile` that it reads; 0 = the plain one");
const LEGS: IntParam<u8> =
    IntParam::new("legs", (0, 255), "0", "number of the instance of `legs` that it reads; 0 = the plain one");
const BAND_BPS: IntParam<u32> =
    IntParam::new("band_bps", (1, 10_000), "50", "past sessions: an alert fires within less than this of the node")
        .unit("bps");
const REARM_BPS: IntParam<u32> =
    IntParam::new("rearm_bps", (1, 10_000), "75", "and is armed again beyond this").unit("bps");
const LEG_ROWS: IntParam<u32> =
    IntParam::new("leg_rows", (0, 1_000), "2", "legs: an alert fires within so many rows of the leg").unit("rows");
const LEG_BPS: IntParam<u32> =
    IntParam::new("leg_bps", (0, 10_000), "5", "or within so much of the node's price, whichever is more").unit("bps");
const LEG_REARM: IntParam<u32> =
    IntParam::new("leg_rearm", (100, 10_000), "150", "and is armed again beyond so much of that").unit("per cent");

/// Parameters.
pub const PARAMS: &[Param] = &[
    INTERVAL.param(),
    PROFILE.param(),
    LEGS.param(),
    BAND_BPS.param(),
    REARM_BPS.param(),
    LEG_ROWS.param(),
    LEG_BPS.param(),
    LEG_REARM.param(),
];

/// The measure `lvn-alerts`.
pub struct LvnAlerts {
    interval_s: u32,
    profile: u8,
    legs: u8,
    bands: Bands,
}

/// Places of the profiles in the table of an instrument.
const PREVIOUS: usize = 0;
const COMPOSITE: usize = 1;
const LEG: usize = 2;

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    hours: BarHours,
    /// The last trade of the session, and the one before it at another price.
    last: Option<Px>,
    before: Option<Px>,
    /// The session before, past sessions, an impulse leg, a reclaim leg.
    all: [Nodes; 4],
    /// Whose `leg-profile` comes next.
    waiting: Option<u8>,
    free: Free,
}

impl Measure for LvnAlerts {
    type Records = (records::LvnAlert, NearestLvn);
    type State = PerInstrument<Now>;

    /// An alert at every node of every profile.
    const FAN_OUT: usize = 4 * Nodes::MOST;

    fn new(params: &Params, space: Space) -> Result<(LvnAlerts, Self::State), ParamError> {
        let bands = Bands {
            bps: params.get(BAND_BPS),
            rearm_bps: params.get(REARM_BPS),
            leg_rows: params.get(LEG_ROWS),
            leg_bps: params.get(LEG_BPS),
            leg_rearm: params.get(LEG_REARM),
        };
        let interval_s = length_below_a_day("lvn-alerts.interval", params.get(INTERVAL))?.seconds();
        let (profile, legs) = (params.get(PROFILE), params.get(LEGS));
        Ok((LvnAlerts { interval_s, profile, legs, bands }, PerInstrument::new(space)))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::ProfileNode, Kind::LegNode]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const {
            Kinds::of(&[
                Kind::Trade,
                Kind::Bar,
                Kind::Profile,
                Kind::ProfileNode,
                Kind::Leg,
                Kind::LegProfile,
                Kind::LegNode,
            ])
        }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs::HOURS
    }

    fn terms(&self) -> Vec<u64> {
        let Bands { bps, rearm_bps, leg_rows, leg_bps, leg_rearm } = self.bands;
        let bands = [bps, rearm_bps, leg_rows, leg_bps, leg_rearm].map(u64::from);
        [self.profile.into(), self.legs.into()].into_iter().chain(bands).collect()
    }

    #[inline]
    fn run(&self, state: &mut Self::State, context: &Context, event: &Event, out: &mut Out) {
        let Some(now) = state.get_mut(event.instrument) else { return };
        match event.kind {
            Kind::Trade => {
                if let Some(trade) = counted(event) {
                    self.trade(now, context, event, trade.px, out);
                }
            }
            Kind::Bar => {
                if let Some(bar) = whole_bar(event, self.interval_s) {
                    self.nearest(now, bar, event, out);
                }
            }
            Kind::Profile => self.profile(now, event.record()),
            Kind::ProfileNode => self.profile_node(now, event.record()),
            Kind::Leg => self.leg(now, event.record()),
            Kind::LegProfile => now.leg_profile(event.record()),
            Kind::LegNode => self.leg_node(now, event.record()),
            _ => {}
        }
    }
}

impl LvnAlerts {
    #[inline]
    fn trade(&self, now: &mut Now, context: &Context, event: &Event, px: Px, out: &mut Out) {
        if let Some(hours) = now.hours.next(event.instrument, event.ts, context) {
            *now = Now { hours, ..Now::default() };
        }
        if !now.hours.hold(event.ts) {
            return;
        }
        if now.last != Some(px) {
            (now.before, now.last) = (now.last, Some(px));
        }
        if !now.free.holds(px) {
            self.crossed(now, event, px, out);
        }
    }

    /// A trade has crossed a bound: arms, and fires what it has come to.
    #[cold]
    fn crossed(&self, now: &mut Now, event: &Event, px: Px, out: &mut Out) {
        now.free = Free::ALL;
        let mut fired = [None; 4 * Nodes::MOST];
        let mut count = 0;
        for (place, nodes) in now.all.iter_mut().enumerate() {
            for at in 0..nodes.len() {
                let band = nodes.band(at, &self.bands);
                now.free.narrow(px, &band);
                if nodes.crossed(at, px, &band) {
                    (fired[count], count) = (Some((nodes.px(at), place)), count + 1);
                }
            }
        }
        for at in 0..count {
            let Some((node_px, _)) = fired[at] else { continue };
            let is_done = fired[..at].iter().flatten().any(|(px, _)| *px == node_px);
            if !is_done {
                let of = |place| Seen::of(fired.iter().flatten().any(|one| *one == (node_px, place))).code();
                emit(&alert(now, px, node_px, &of), Flags::NONE, event, out);
            }
        }
    }

    fn profile(&self, now: &mut Now, profile: &Profile) {
        if let Some(place) = past(profile.of).filter(|_| profile.instance == self.profile) {
            now.all[place] = Nodes::default();
            now.free = Free::NONE;
        }
    }

    fn profile_node(&self, now: &mut Now, node: &ProfileNode) {
        let is_low = node.node == ProfileNodeType::Low.code() && node.instance == self.profile;
        if let Some(place) = past(node.of).filter(|_| is_low) {
            now.all[place].add(node.px, now.last, &self.bands);
            now.free = Free::NONE;
        }
    }

    fn leg(&self, now: &mut Now, leg: &Leg) {
        let Some(place) = leg_place(leg.leg).filter(|_| leg.instance == self.legs) else { return };
        let nodes = &mut now.all[place];
        now.free = Free::NONE;
        match LegStep::from_code(leg.what) {
            Some(LegStep::Closed) => {
                nodes.close(PriceDirection::from_code(leg.direction));
                now.waiting = Some(place as u8);
            }
            Some(LegStep::OpenAgain) => nodes.open(),
            _ => *nodes = Nodes::default(),
        }
    }

    fn leg_node(&self, now: &mut Now, node: &LegNode) {
        let is_low = node.node == ProfileNodeType::Low.code() && node.instance == self.legs;
        if let Some(place) = leg_place(node.leg).filter(|_| is_low) {
            now.all[place].add(node.px, now.last, &self.bands);
            now.free = Free::NONE;
        }
    }

    /// Emits the node that is nearest to the close of a bar.
    fn nearest(&self, now: &Now, bar: &Bar, event: &Event, out: &mut Out) {
        if !now.hours.hold(start_of(bar)) {
            return;
        }
        let distance = |px: Px| bar.close.0.abs_diff(px.0);
        let all = now.all.iter().flat_map(|nodes| nodes.live().map(|(px, _)| px));
        let Some(node_px) = all.min_by_key(|px| (distance(*px), *px)) else { return };
        let of = |place: usize| now.all[place].live().find(|(px, _)| *px == node_px);
        let seen = |place| Seen::of(of(place).is_some()).code();
        let nearest = NearestLvn {
            close: bar.close,
            node_px,
            distance: per_cent(bar.close, node_px),
            start_s: bar.start_s,
            armed: Seen::of((0..4).filter_map(of).any(|(_, is_armed)| is_armed)).code(),
            previous: seen(PREVIOUS),
            composite: seen(COMPOSITE),
            impulse: seen(LEG),
            reclaim: seen(LEG + 1),
            ..NearestLvn::default()
        };
        emit(&nearest, Flags::NONE, event, out);
    }
}

impl Now {
    fn leg_profile(&mut self, record: &LegProfile) {
        if let Some(place) = self.waiting.take() {
            self.all[usize::from(place)].set_row(record.row_px);
        }
    }
}

/// The alert of a trade at a node.
fn alert(now: &Now, px: Px, node_px: Px, of: &impl Fn(usize) -> u8) -> records::LvnAlert {
    let from = if px == node_px { now.before.unwrap_or(px) } else { px };
    let direction = if from < node_px { PriceDirection::Up } else { PriceDirection::Down };
    records::LvnAlert {
        px,
        node_px,
        distance: per_cent(px, node_px),
        direction: direction.code(),
        previous: of(PREVIOUS),
        composite: of(COMPOSITE),
        impulse: of(LEG),
        reclaim: of(LEG + 1),
        ..records::LvnAlert::default()
    }
}

/// How far a price is from a node, in per cent of it.
fn per_cent(px: Px, node: Px) -> Real {
    Real::of(px.0.abs_diff(node.0).saturating_mul(100) as f64 / node.0.unsigned_abs() as f64)
}

/// The place of a profile of past sessions.
fn past(of: u8) -> Option<usize> {
    match ProfileOf::from_code(of) {
        Some(ProfileOf::Previous) => Some(PREVIOUS),
        Some(ProfileOf::Composite) => Some(COMPOSITE),
        _ => None,
    }
}

/// The place of a leg.
fn leg_place(leg: u8) -> Option<usize> {
    Some(match LegType::from_code(leg)? {
        LegType::Impulse => LEG,
        LegType::Reclaim => LEG + 1,
    })
}
