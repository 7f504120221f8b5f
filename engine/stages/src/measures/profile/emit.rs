//! What a profile emits: records made of its rows.
//!
//! Bound: the nodes that are kept. Worst case: two looks at every row, and the search for nodes. Most prints take neither: the shape is not
//! looked for while it cannot have changed.

use super::market::{LastEmitted, Steady};
use super::params::Settings;
use super::{NodeFinder, Profile, Rows, Shape};
use crate::measures::{emit, inferred};
use flow::records::{self, ProfileArea, ProfileNode, ProfileRow};
use flow::{Event, Flags, Out, ProfileNodeType, ProfileOf, Px, Qty, Real};

/// Emits what follows from one event.
pub(super) struct Emitter<'a> {
    pub(super) settings: &'a Settings,
    pub(super) rows: &'a Rows,
    pub(super) volumes: &'a mut [u64],
    pub(super) finder: &'a mut NodeFinder,
    pub(super) event: &'a Event,
    pub(super) out: &'a mut Out,
}

impl Emitter<'_> {
    /// Emits a row.
    #[inline]
    pub(super) fn row(&mut self, profile: &Profile, row: i64) {
        let sums = profile.row(self.rows, row);
        let record = ProfileRow {
            px: profile.grid().lowest(row),
            volume: Qty(sums.volume),
            buy_volume: Qty(sums.bought),
            sell_volume: Qty(sums.sold),
            ..ProfileRow::default()
        };
        emit(&record, inferred(self.event), self.event, self.out);
    }

    /// Emits a profile if its prices are not those that were emitted last.
    #[inline]
    pub(super) fn changes(&mut self, of: ProfileOf, profile: &Profile, last: &mut LastEmitted) {
        if last.steady.holds(profile) {
            return;
        }
        let found = Shape::with_slack(profile.volumes(self.rows, self.volumes), self.settings.value_area);
        let shape = found.map(|(shape, _)| shape);
        let prices = prices(profile, shape);
        last.steady = found.map_or(Steady::NO, |(_, slack)| Steady::of(profile, slack));
        if last.prices != Some(prices) && (last.prices.is_some() || shape.is_some()) {
            last.prices = Some(prices);
            self.profile(of, profile, shape, 0, last.nodes);
        }
    }

    /// Emits a profile and its nodes.
    #[cold]
    pub(super) fn nodes(&mut self, of: ProfileOf, profile: &Profile, sessions: u8, last: &mut LastEmitted) {
        let volumes = profile.volumes(self.rows, self.volumes);
        let shape = Shape::of(volumes, self.settings.value_area);
        let nodes = self.finder.find(volumes, self.settings.prominence);
        *last = LastEmitted { prices: Some(prices(profile, shape)), nodes: nodes.kept().len() as u8, ..*last };
        self.profile(of, profile, shape, sessions, last.nodes);
        for (index, node) in (0..).zip(nodes.kept()) {
            let row = profile.low() + node.row as i64;
            let kind = if node.is_high { ProfileNodeType::High } else { ProfileNodeType::Low };
            let record = ProfileNode {
                px: profile.grid().middle(row),
                volume: Qty(self.volumes[node.row]),
                prominence: Real::of(node.prominence as f64 / nodes.maximum as f64),
                found: nodes.found as u32,
                index,
                of: of.code(),
                node: kind.code(),
                ..ProfileNode::default()
            };
            emit(&record, Flags::NONE, self.event, self.out);
        }
    }

    fn profile(&mut self, of: ProfileOf, profile: &Profile, shape: Option<Shape>, sessions: u8, nodes: u8) {
        let [poc, vah, val, vah2, val2] = prices(profile, shape);
        let first = records::Profile {
            poc,
            vah,
            val,
            volume: Qty(profile.volume()),
            rows: profile.len() as u16,
            of: of.code(),
            sessions,
            nodes,
            volume_from: self.settings.volume_from.code(),
            ..records::Profile::default()
        };
        let area = ProfileArea {
            vah2,
            val2,
            row_px: profile.grid().height(),
            poc_qty: Qty(shape.map_or(0, |shape| self.volumes[shape.poc])),
            left_out: Qty(profile.left_out()),
        };
        emit(&(first, area), Flags::NONE, self.event, self.out);
    }
}

/// Point of control, and the value areas by one row and by two, each from its highest tick; absent without volume.
#[inline]
fn prices(profile: &Profile, shape: Option<Shape>) -> [Px; 5] {
    let Some(Shape { poc, area, area2 }) = shape else { return [Px::NONE; 5] };
    let (grid, row) = (profile.grid(), |at: usize| profile.low() + at as i64);
    let (high, low) = (|at: usize| grid.highest(row(at)), |at: usize| grid.lowest(row(at)));
    [grid.middle(row(poc)), high(area.high), low(area.low), high(area2.high), low(area2.low)]
}
