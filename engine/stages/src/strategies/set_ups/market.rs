//! What is known of an instrument: what bars said last, the leg with its nodes, and the prices that a target may be.
//!
//! Everything comes from the measures; of several instances of one the plain one is read. Bound: the nodes that measures emit, and a
//! number of signals per leg. Worst case: a look at each node.

use super::super::session::Day;
use super::Model;
use crate::measures::profile::Nodes;
use flow::records::{self, Breakout, BreakoutRange, Flow, Listing, MarketState, MarketStateNumbers};
use flow::{
    Calendar, Event, FlowDirection, Kind, LegStep, MarketBalance, Mic, PriceDirection, ProfileNodeType, ProfileOf,
    PullbackStep, Px, Real, RuleSet, Tick,
};
use serde::{Deserialize, Serialize};

/// The most nodes that a profile or a leg emits.
pub(super) const NODES: usize = Nodes::MOST;
/// The most nodes of a leg that may give a signal; behind them the leg gives none.
const TOLD: usize = 16;

/// A low-volume node of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Node {
    pub(super) px: Px,
    /// Its ordinal among all nodes of the leg.
    index: u8,
    /// Whether price has come back to it, and that still holds.
    pub(super) is_touched: bool,
}

/// A leg of the type that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    pub(in super::super) direction: PriceDirection,
    pub(in super::super) start: Px,
    pub(in super::super) extreme: Px,
    /// Height of its rows; of use while it is closed.
    pub(in super::super) row: Px,
    pub(super) is_closed: bool,
    nodes: [Node; NODES],
    held: u8,
    /// Nodes that have given a signal.
    told: [Px; TOLD],
    told_len: u8,
}

impl Leg {
    fn of(leg: &records::Leg, direction: PriceDirection) -> Leg {
        let node = Node { px: Px::NONE, index: 0, is_touched: false };
        Leg {
            direction,
            start: leg.start_px,
            extreme: leg.extreme_px,
            row: Px(0),
            is_closed: false,
            nodes: [node; NODES],
            held: 0,
            told: [Px::NONE; TOLD],
            told_len: 0,
        }
    }

    /// Its low-volume nodes, from the lowest up.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes[..usize::from(self.held)]
    }

    /// Whether price may give a signal with the next trade.
    pub(super) fn is_touched(&self) -> bool {
        self.nodes().iter().any(|node| node.is_touched)
    }

    /// Whether a node has given its signal, or the leg may give no more.
    pub(super) fn has_told(&self, node: Px) -> bool {
        usize::from(self.told_len) == TOLD || self.told[..usize::from(self.told_len)].contains(&node)
    }

    /// A node gives its signal.
    pub(super) fn tell(&mut self, node: Px) {
        if !self.has_told(node) {
            self.told[usize::from(self.told_len)] = node;
            self.told_len += 1;
        }
    }

    /// How far a price lies beyond another, where the leg goes.
    pub(in super::super) fn forth(&self, px: Px, from: Px) -> i64 {
        match self.direction {
            PriceDirection::Up => px.0.saturating_sub(from.0),
            PriceDirection::Down => from.0.saturating_sub(px.0),
        }
    }

    /// The price that lies so far beyond another, where the leg goes.
    pub(in super::super) fn beyond(&self, px: Px, distance: i64) -> Px {
        match self.direction {
            PriceDirection::Up => Px(px.0.saturating_add(distance)),
            PriceDirection::Down => Px(px.0.saturating_sub(distance)),
        }
    }

    /// A price that an order may have and that does not lie further, where the leg goes: a stop goes away from the entry so, and a
    /// target comes towards it.
    pub(super) fn short(&self, px: Px, tick: Tick) -> Px {
        match self.direction {
            PriceDirection::Up => tick.down(px),
            PriceDirection::Down => tick.up(px),
        }
    }
}

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Market {
    pub(super) is_known: bool,
    pub(super) calendar: Calendar,
    pub(super) tick: Tick,
    pub(super) day: Day,
    /// Price of the last trade that counts.
    pub(in super::super) px: Px,
    state: [u8; 2],
    pub(super) momentum: Real,
    /// Least momentum of an imbalance by the rules `tidegate`.
    threshold: Real,
    pub(in super::super) atr: Real,
    score: [u8; 2],
    flow: [u8; 2],
    pub(super) leg: Option<Leg>,
    /// Point of control of the range of the last breakout.
    pub(in super::super) poc: Px,
    /// High-volume nodes of past sessions.
    high: [Px; NODES],
    high_len: u8,
    /// Which kind's further numbers come next: a state's, a leg's, a breakout's.
    waits: [bool; 3],
    /// What was emitted last of the set-up: the condition and its node.
    pub(super) told: Option<(u8, Px)>,
}

/// What an event changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    /// Something of the set-up.
    Some,
    /// A minute has ended.
    Minute,
}

impl Market {
    /// Nothing yet. Not all zero, so that filling memory with it touches the memory.
    pub(super) const NONE: Market = Market {
        is_known: false,
        calendar: Calendar::Utc,
        tick: Tick::UNKNOWN,
        day: Day::NONE,
        px: Px::NONE,
        state: [0; 2],
        momentum: Real::NONE,
        threshold: Real::NONE,
        atr: Real::NONE,
        score: [0; 2],
        flow: [0; 2],
        leg: None,
        poc: Px::NONE,
        high: [Px::NONE; NODES],
        high_len: 0,
        waits: [false; 3],
        told: None,
    };

    /// Whether what was loaded can be.
    pub(super) fn is_valid(&self) -> bool {
        let leg = self.leg.is_none_or(|leg| usize::from(leg.held) <= NODES && usize::from(leg.told_len) <= TOLD);
        leg && usize::from(self.high_len) <= NODES
    }

    /// The state of the market by a set of rules.
    pub(super) fn state(&self, rules: RuleSet) -> MarketBalance {
        MarketBalance::from_code(self.state[place(rules)]).unwrap_or_default()
    }

    /// The least momentum of an imbalance, where it is known.
    pub(super) fn threshold(&self, rules: RuleSet) -> Real {
        if rules == RuleSet::Tidegate { self.threshold } else { Real::NONE }
    }

    /// The score of flow that goes where a leg goes; below zero if it goes the other way, 0 if nowhere.
    pub(super) fn score(&self, rules: RuleSet, leg: &Leg) -> i16 {
        let score = i16::from(self.score[place(rules)]);
        let with = match leg.direction {
            PriceDirection::Up => FlowDirection::Buy,
            PriceDirection::Down => FlowDirection::Sell,
        };
        match FlowDirection::from_code(self.flow[place(rules)]).unwrap_or_default() {
            FlowDirection::None => 0,
            direction if direction == with => score,
            _ => -score,
        }
    }

    /// The nearest high-volume node of past sessions beyond the extreme of a leg.
    pub(in super::super) fn high_beyond(&self, leg: &Leg) -> Option<Px> {
        let beyond = self.high[..usize::from(self.high_len)].iter().filter(|px| leg.forth(**px, leg.extreme) > 0);
        beyond.copied().min_by_key(|px| leg.forth(*px, leg.extreme))
    }

    /// A trade that counts.
    #[inline]
    pub(super) fn trade(&mut self, px: Px) {
        self.px = px;
        if let Some(leg) = &mut self.leg
            && !leg.is_closed
            && leg.forth(px, leg.extreme) > 0
        {
            leg.extreme = px;
        }
    }

    /// Takes what a measure says.
    pub(super) fn take<M: Model>(&mut self, event: &Event) -> Change {
        let waits = std::mem::take(&mut self.waits);
        match event.kind {
            Kind::Listing => {
                let listing: &Listing = event.record();
                (self.calendar, self.tick) = (Calendar::of(Mic(listing.calendar)), Tick::of(listing));
            }
            Kind::MarketState => {
                let state: &MarketState = event.record();
                self.waits[0] = state.instance == 0;
                if self.waits[0] {
                    self.state = [state.state, state.published_state];
                }
            }
            Kind::MarketStateNumbers if waits[0] => {
                let numbers: &MarketStateNumbers = event.record();
                (self.momentum, self.threshold, self.atr) = (numbers.momentum, numbers.threshold, numbers.atr);
                return Change::Minute;
            }
            Kind::Flow => {
                let flow: &Flow = event.record();
                if flow.instance == 0 {
                    self.score = [flow.score, flow.published_score];
                    self.flow = [flow.direction, flow.published_direction];
                }
            }
            Kind::Leg => return self.leg::<M>(event.record()),
            Kind::LegProfile if waits[1] => self.row(event.record()),
            Kind::LegNode => self.node::<M>(event.record()),
            Kind::Pullback => return self.pullback::<M>(event.record()),
            Kind::Breakout => self.waits[2] = event.record::<Breakout>().instance == 0,
            Kind::BreakoutRange if waits[2] => self.poc = event.record::<BreakoutRange>().poc,
            Kind::Profile => {
                let profile: &records::Profile = event.record();
                if profile.instance == 0 && profile.of == ProfileOf::Composite.code() {
                    self.high_len = 0;
                }
            }
            Kind::ProfileNode => self.past_node(event.record()),
            _ => {}
        }
        Change::Nothing
    }

    fn leg<M: Model>(&mut self, said: &records::Leg) -> Change {
        let direction = PriceDirection::from_code(said.direction).filter(|_| said.instance == 0);
        let (Some(direction), Some(step)) = (direction, LegStep::from_code(said.what)) else { return Change::Nothing };
        if said.leg != M::LEG.code() {
            return Change::Nothing;
        }
        let leg = match step {
            LegStep::Ended => {
                self.leg = None;
                return Change::Some;
            }
            LegStep::Counts => self.leg.insert(Leg::of(said, direction)),
            LegStep::Closed | LegStep::OpenAgain => self.leg.get_or_insert_with(|| Leg::of(said, direction)),
        };
        (leg.start, leg.extreme, leg.held) = (said.start_px, said.extreme_px, 0);
        leg.is_closed = step == LegStep::Closed;
        self.waits[1] = leg.is_closed;
        Change::Some
    }

    fn row(&mut self, profile: &records::LegProfile) {
        if let Some(leg) = &mut self.leg {
            leg.row = profile.row_px.known().unwrap_or(Px(0));
        }
    }

    fn node<M: Model>(&mut self, node: &records::LegNode) {
        let is_low = node.node == ProfileNodeType::Low.code();
        let Some(leg) = self.leg.as_mut().filter(|_| node.instance == 0 && node.leg == M::LEG.code()) else { return };
        if is_low && usize::from(leg.held) < NODES {
            leg.nodes[usize::from(leg.held)] = Node { px: node.px, index: node.index, is_touched: false };
            leg.held += 1;
        }
    }

    fn pullback<M: Model>(&mut self, pullback: &records::Pullback) -> Change {
        let Some(leg) = self.leg.as_mut().filter(|_| pullback.instance == 0 && pullback.leg == M::LEG.code()) else {
            return Change::Nothing;
        };
        let held = usize::from(leg.held);
        let Some(node) = leg.nodes[..held].iter_mut().find(|node| node.index == pullback.index) else {
            return Change::Nothing;
        };
        let step = PullbackStep::from_code(pullback.what);
        node.is_touched = matches!(step, Some(PullbackStep::Touched | PullbackStep::WithFlow));
        Change::Some
    }

    fn past_node(&mut self, node: &records::ProfileNode) {
        let is_one = node.instance == 0
            && node.of == ProfileOf::Composite.code()
            && node.node == ProfileNodeType::High.code()
            && usize::from(self.high_len) < NODES;
        if is_one {
            self.high[usize::from(self.high_len)] = node.px;
            self.high_len += 1;
        }
    }
}

/// The place of what is judged by a set of rules.
fn place(rules: RuleSet) -> usize {
    usize::from(rules == RuleSet::Published)
}
