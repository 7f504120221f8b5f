//! Pullbacks: price that comes back to a low-volume node of a closed leg.
//!
//! A touch is the first trade within a node's band that comes from outside it. It holds for some minutes, as price that pulls back has
//! the flow against it and the flow has to turn first; while it holds, every trade asks whether flow goes with the leg. Bound: the
//! nodes that are emitted of a profile. Worst case: a trade looks at each.

use super::leg::Leg;
use super::params::Settings;
use crate::measures::profile::Nodes;
use flow::{FlowDirection, LegType, MarketBalance, Ns, PriceDirection, PullbackStep, Px, Real};
use serde::{Deserialize, Serialize};

/// What the last bar that has closed says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Numbers {
    pub(super) atr: Real,
    pub(super) flow_start_s: u32,
    pub(super) score: u8,
    pub(super) direction: u8,
    pub(super) published_score: u8,
    pub(super) published_direction: u8,
    pub(super) state: u8,
    pub(super) published_state: u8,
    /// Whether sides were inferred that the flow rests on.
    pub(super) is_inferred: bool,
}

impl Numbers {
    pub(super) const UNKNOWN: Numbers = Numbers {
        atr: Real::NONE,
        flow_start_s: 0,
        score: 0,
        direction: FlowDirection::None.code(),
        published_score: 0,
        published_direction: FlowDirection::None.code(),
        state: MarketBalance::Unknown.code(),
        published_state: MarketBalance::Unknown.code(),
        is_inferred: false,
    };

    /// Whether flow goes with a leg: by the rules `tidegate`, and by the rules `published`. An impulse asks for a market that is
    /// out of balance in its direction too.
    fn with(&self, leg: &Leg, settings: &Settings) -> [bool; 2] {
        let (flow, state) = match leg.direction {
            PriceDirection::Up => (FlowDirection::Buy.code(), MarketBalance::Up.code()),
            PriceDirection::Down => (FlowDirection::Sell.code(), MarketBalance::Down.code()),
        };
        let is_with = |direction: u8, score: u8, least: u8, of_market: u8| {
            direction == flow && score >= least && (leg.of == LegType::Reclaim || of_market == state)
        };
        [
            is_with(self.direction, self.score, settings.least_flow, self.state),
            is_with(
                self.published_direction,
                self.published_score,
                settings.published_least_flow,
                self.published_state,
            ),
        ]
    }
}

/// A low-volume node of the leg, and price by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pullback {
    /// The node.
    pub(super) px: Px,
    /// Its ordinal among the nodes that are emitted.
    pub(super) index: u8,
    /// Whether the last trade was within its band.
    is_near: bool,
    /// When price touched it, while that holds.
    touched: Option<Ns>,
    /// Whether flow has gone with the leg since: by `tidegate`, by `published`.
    pub(super) with_flow: [bool; 2],
}

/// The pullbacks to the nodes of a closed leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pullbacks {
    nodes: [Pullback; Nodes::MOST],
    len: u8,
    /// Height of the leg's rows.
    row: Px,
}

impl Pullbacks {
    /// No nodes, of a leg with rows of this height.
    pub(super) fn none(row: Px) -> Pullbacks {
        Pullbacks { row, ..Pullbacks::default() }
    }

    /// Adds a node.
    pub(super) fn add(&mut self, px: Px, index: u8) {
        self.nodes[usize::from(self.len)] = Pullback { px, index, ..Pullback::default() };
        self.len += 1;
    }

    fn live(&mut self) -> &mut [Pullback] {
        &mut self.nodes[..usize::from(self.len)]
    }

    /// Whether there can be so many nodes.
    pub(super) fn is_valid(&self) -> bool {
        usize::from(self.len) <= Nodes::MOST
    }

    /// Emits what a trade makes of them.
    #[inline]
    pub(super) fn trade(
        &mut self,
        (ts, px): (Ns, Px),
        leg: &Leg,
        numbers: &Numbers,
        settings: &Settings,
        mut emit: impl FnMut(&Pullback, PullbackStep),
    ) {
        let row = self.row;
        for node in self.live() {
            let is_near = node.is_near(px, row, leg, settings);
            let was_near = std::mem::replace(&mut node.is_near, is_near);
            let is_too_far = !leg.is_back(px, 0, settings.most_retraced);
            match node.touched {
                Some(since) if ts.0 > since.0 + settings.hold_s * Ns::SECOND => {
                    node.end(PullbackStep::Expired, &mut emit)
                }
                Some(_) if is_too_far => node.end(PullbackStep::Passed, &mut emit),
                _ => {}
            }
            if node.touched.is_none() && is_near && !was_near {
                node.touched = Some(ts);
                node.with_flow = numbers.with(leg, settings);
                emit(node, PullbackStep::Touched);
            } else if node.touched.is_some() {
                let with = numbers.with(leg, settings);
                let known = node.with_flow;
                node.with_flow = [known[0] | with[0], known[1] | with[1]];
                if node.with_flow != known {
                    emit(node, PullbackStep::WithFlow);
                }
            }
        }
    }

    /// Ends all that hold.
    pub(super) fn end(&mut self, why: PullbackStep, mut emit: impl FnMut(&Pullback, PullbackStep)) {
        self.live().iter_mut().filter(|node| node.touched.is_some()).for_each(|node| node.end(why, &mut emit));
        *self = Pullbacks::default();
    }
}

impl Pullback {
    /// Whether a price is within the band of the node, on the side of the extreme, and has come back as far as it should.
    fn is_near(&self, px: Px, row: Px, leg: &Leg, settings: &Settings) -> bool {
        let distance = leg.forth(px, self.px);
        let by_rows = i128::from(settings.band_rows) * i128::from(row.0);
        let by_price = i128::from(settings.band_bps) * i128::from(self.px.0.unsigned_abs());
        distance >= 0
            && (distance <= by_rows || distance * 10_000 <= by_price)
            && leg.is_back(px, settings.least_retraced, settings.most_retraced)
    }

    fn end(&mut self, why: PullbackStep, emit: &mut impl FnMut(&Pullback, PullbackStep)) {
        emit(self, why);
        (self.touched, self.with_flow) = (None, [false; 2]);
    }

    /// How far a price is from the node, towards the extreme, in basis points of the node.
    pub(super) fn distance(&self, px: Px, leg: &Leg) -> Real {
        Real::of((leg.forth(px, self.px) * 10_000) as f64 / self.px.0.unsigned_abs() as f64)
    }
}
