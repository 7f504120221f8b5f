//! The records of legs and pullbacks.
//!
//! Bound: the nodes that are kept. Worst case: a leg closes, its rows are added up, and nodes are looked for.

use super::leg::Leg;
use super::params::Settings;
use super::pullbacks::{Numbers, Pullback, Pullbacks};
use super::volume::LegVolume;
use crate::measures::emit;
use crate::measures::profile::{Grid, NodeFinder, Rows};
use flow::records::{self, LegNode, LegProfile, PullbackFlow};
use flow::{Event, Flags, LegEnd, LegStep, Out, ProfileNodeType, PullbackStep, Px, Qty, Seen};

/// The rows of all legs, and room to look at those of one.
pub(super) struct Room {
    pub(super) rows: Rows,
    pub(super) volumes: Box<[u64]>,
    pub(super) finder: NodeFinder,
}

impl Room {
    /// Room to look at so many rows.
    pub(super) fn new(rows: Rows, most: usize) -> Room {
        Room { rows, volumes: flow::table(most, 0), finder: NodeFinder::new(most) }
    }
}

/// Emits legs, as events that follow from one event.
pub(super) struct Emitter<'a> {
    pub(super) settings: &'a Settings,
    pub(super) rows: &'a Rows,
    /// Room for the volumes of a leg's rows.
    pub(super) volumes: &'a mut [u64],
    pub(super) finder: &'a mut NodeFinder,
    pub(super) event: &'a Event,
    pub(super) out: &'a mut Out,
}

impl Emitter<'_> {
    /// Emits what has become of a leg, with price where it is.
    #[cold]
    pub(super) fn leg(&mut self, leg: &Leg, volume: &LegVolume, px: Px, what: LegStep, reason: LegEnd) {
        self.leg_with(leg, volume, px, (what, reason), Px::NONE, 0);
    }

    /// Emits a leg that closes and its nodes; gives those of low volume.
    #[cold]
    pub(super) fn closes(&mut self, leg: &Leg, volume: &LegVolume, tick: Px, px: Px) -> Pullbacks {
        let grid = Grid::of_ticks(leg.row_ticks(tick, self.settings.parts), tick);
        let (from, to) = (grid.row(leg.start.px.min(leg.extreme.px)), grid.row(leg.start.px.max(leg.extreme.px)));
        let len = usize::try_from(to - from).unwrap_or(usize::MAX).saturating_add(1).min(self.volumes.len());
        let volumes = &mut self.volumes[..len];
        volume.in_rows(self.rows, grid, from, volumes);
        let nodes = self.finder.find(volumes, self.settings.prominence);
        let state = (LegStep::Closed, LegEnd::None);
        self.leg_with(leg, volume, px, state, grid.height(), nodes.kept().len() as u8);
        let mut pullbacks = Pullbacks::none(grid.height());
        for (index, node) in (0..).zip(nodes.kept()) {
            let kind = if node.is_high { ProfileNodeType::High } else { ProfileNodeType::Low };
            let record = LegNode {
                px: grid.middle(from + node.row as i64),
                volume: Qty(self.volumes[node.row]),
                prominence: flow::Real::of(node.prominence as f64 / nodes.maximum as f64),
                found: nodes.found as u32,
                index,
                node: kind.code(),
                leg: leg.of.code(),
                direction: leg.direction.code(),
                ..LegNode::default()
            };
            emit(&record, Flags::NONE, self.event, self.out);
            if !node.is_high {
                pullbacks.add(record.px, index);
            }
        }
        pullbacks
    }

    fn leg_with(
        &mut self,
        leg: &Leg,
        volume: &LegVolume,
        px: Px,
        (what, reason): (LegStep, LegEnd),
        row: Px,
        nodes: u8,
    ) {
        let first = records::Leg {
            start_px: leg.start.px,
            extreme_px: leg.extreme.px,
            size: Px(i64::try_from(leg.size()).unwrap_or(i64::MAX - 1)),
            retraced: leg.retraced(px),
            what: what.code(),
            reason: reason.code(),
            leg: leg.of.code(),
            direction: leg.direction.code(),
            nodes,
            ..records::Leg::default()
        };
        let profile = LegProfile {
            start_ts: leg.start.ts,
            extreme_ts: leg.extreme.ts,
            volume: Qty(volume.upto.volume()),
            left_out: Qty(leg.left_out.saturating_add(volume.upto.left_out())),
            row_px: row,
        };
        emit(&(first, profile), Flags::NONE, self.event, self.out);
    }
}

/// Emits what has become of a pullback.
#[cold]
pub(super) fn pullback(
    (event, out): (&Event, &mut Out),
    leg: &Leg,
    numbers: &Numbers,
    px: Px,
    node: &Pullback,
    what: PullbackStep,
) {
    let seen = |is: bool| Seen::of(is).code();
    let first = records::Pullback {
        px,
        node_px: node.px,
        distance: node.distance(px, leg),
        retraced: leg.retraced(px),
        what: what.code(),
        leg: leg.of.code(),
        direction: leg.direction.code(),
        index: node.index,
        with_flow: seen(node.with_flow[0]),
        published_with_flow: seen(node.with_flow[1]),
        ..records::Pullback::default()
    };
    let flow = PullbackFlow {
        start_px: leg.start.px,
        extreme_px: leg.extreme.px,
        atr: numbers.atr,
        flow_start_s: numbers.flow_start_s,
        score: numbers.score,
        flow_direction: numbers.direction,
        state: numbers.state,
        published_score: numbers.published_score,
        published_direction: numbers.published_direction,
        published_state: numbers.published_state,
        ..PullbackFlow::default()
    };
    let badge = if numbers.is_inferred { Flags::INFERRED_AGGRESSOR } else { Flags::NONE };
    emit(&(first, flow), badge, event, out);
}
