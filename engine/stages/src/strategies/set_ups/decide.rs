//! Holds a market against the conditions of a set-up, in their order.
//!
//! Bound: the nodes of a leg. Worst case: a plan for each.

use super::super::emit::price;
use super::Model;
use super::market::{Leg, Market, NODES, Node};
use super::params::Settings;
use flow::{Px, Real, TargetType, Unmet};

/// Stop and target of an entry, before they are rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    pub(in super::super) stop: Px,
    /// The target, or how many distances of the stop away it is.
    pub(in super::super) target: Target,
}

/// Where a target is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Target {
    /// At a price.
    At(Px, TargetType),
    /// So many times the risk away.
    Risk(f64),
}

/// Prices of an entry that meets every condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) node: Px,
    pub(super) stop: Px,
    pub(super) target: Px,
    pub(super) target_type: TargetType,
    /// Reward over risk.
    pub(super) reward: f64,
    /// Score of the flow that decided.
    pub(super) score: i16,
}

/// The first condition that is not met: it, what it looks at, what that would have to be, and the node that it is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NotMet {
    pub(super) unmet: Unmet,
    pub(super) value: Real,
    pub(super) threshold: Real,
    pub(super) node: Px,
    pub(super) target_type: TargetType,
}

impl NotMet {
    fn of(unmet: Unmet, value: impl Into<Option<f64>>, threshold: impl Into<Option<f64>>) -> NotMet {
        let (value, threshold) = (Real::of(value), Real::of(threshold));
        NotMet { unmet, value, threshold, node: Px::NONE, target_type: TargetType::None }
    }

    fn about(self, node: Px) -> NotMet {
        NotMet { node, ..self }
    }
}

/// The entries that meet every condition, from the lowest node up; or why there is none.
pub(super) type Verdict = Result<([Option<Entry>; NODES], usize), NotMet>;

/// Holds a market against all conditions; `outside` is how far away the hours are, in seconds below zero, if they are not on.
pub(super) fn verdict<M: Model>(
    market: &Market,
    settings: &Settings<M>,
    trusted: bool,
    outside: Option<f64>,
) -> Verdict {
    if !trusted {
        return Err(NotMet::of(Unmet::Data, None, None));
    }
    if outside.is_some() {
        return Err(NotMet::of(Unmet::Hours, outside, 0.0));
    }
    let direction = market.leg.map(|leg| leg.direction);
    if !settings.model.acts_in(market.state(settings.rules), direction) {
        return Err(NotMet::of(Unmet::State, market.momentum.known(), market.threshold(settings.rules).known()));
    }
    let Some(leg) = &market.leg else { return Err(NotMet::of(Unmet::Leg, None, None)) };
    if !leg.is_closed {
        let (back, size) = (leg.forth(leg.extreme, market.px), leg.forth(leg.extreme, leg.start));
        return Err(NotMet::of(Unmet::LegOpen, back as f64 * 100.0 / size as f64, None));
    }
    let Some(nearest) = nearest(leg, market.px) else { return Err(NotMet::of(Unmet::Node, 0.0, 1.0)) };
    if !leg.is_touched() {
        let away = (market.px.0 - nearest.px.0).unsigned_abs() as f64 * 10_000.0 / nearest.px.0 as f64;
        return Err(NotMet::of(Unmet::Pullback, away, None).about(nearest.px));
    }
    entries(market, leg, settings)
}

/// The entries at the nodes that price has come back to.
fn entries<M: Model>(market: &Market, leg: &Leg, settings: &Settings<M>) -> Verdict {
    let touched = || leg.nodes().iter().filter(|node| node.is_touched);
    let Some(first) = touched().find(|node| !leg.has_told(node.px)) else {
        let node = touched().next().map_or(Px::NONE, |node| node.px);
        return Err(NotMet::of(Unmet::Signalled, None, None).about(node));
    };
    let score = market.score(settings.rules, leg);
    if score < i16::from(settings.least_flow) {
        return Err(NotMet::of(Unmet::Flow, f64::from(score), f64::from(settings.least_flow)).about(first.px));
    }
    let (mut found, mut len, mut refused) = ([None; NODES], 0, None);
    for node in touched().filter(|node| !leg.has_told(node.px)) {
        match entry(market, leg, settings, node) {
            Ok(entry) => {
                found[len] = Some(Entry { score, ..entry });
                len += 1;
            }
            Err(not_met) => refused = refused.or(Some(not_met)),
        }
    }
    match refused {
        Some(not_met) if len == 0 => Err(not_met),
        _ => Ok((found, len)),
    }
}

/// The entry at a node, if it is worth its risk.
fn entry<M: Model>(market: &Market, leg: &Leg, settings: &Settings<M>, node: &Node) -> Result<Entry, NotMet> {
    let px = market.px;
    let refused = |not_met: NotMet| not_met.about(node.px);
    let Some(plan) = settings.model.plan(market, leg, node.px, settings.stop_rows) else {
        return Err(refused(NotMet::of(Unmet::Stop, price(px), None)));
    };
    let stop = leg.short(plan.stop, market.tick);
    let risk = leg.forth(px, stop);
    let (target, target_type) = match plan.target {
        Target::At(target, what) => (target, what),
        Target::Risk(times) => (leg.beyond(px, (risk as f64 * times) as i64), TargetType::Risk),
    };
    let target = leg.short(target, market.tick);
    let reward = leg.forth(target, px);
    let refuse = |not_met: NotMet| NotMet { target_type, ..refused(not_met) };
    if risk <= 0 {
        return Err(refuse(NotMet::of(Unmet::Stop, price(px), price(stop))));
    }
    if reward <= 0 {
        return Err(refuse(NotMet::of(Unmet::Target, price(px), price(target))));
    }
    let reward = reward as f64 / risk as f64;
    if reward < settings.least_reward {
        return Err(refuse(NotMet::of(Unmet::Reward, reward, settings.least_reward)));
    }
    Ok(Entry { node: node.px, stop, target, target_type, reward, score: 0 })
}

/// The node nearest to a price, of equal ones the lower; those that have given a signal too.
fn nearest(leg: &Leg, px: Px) -> Option<&Node> {
    leg.nodes().iter().min_by_key(|node| (px.0.abs_diff(node.px.0), node.px))
}

/// Confidence of an entry: 50, a quarter of the score of flow, and five for each risk that the reward is, up to four; of 100.
pub(super) fn confidence(entry: &Entry) -> f64 {
    (50.0 + 0.25 * f64::from(entry.score) + 5.0 * entry.reward.min(4.0)).min(100.0) / 100.0
}
