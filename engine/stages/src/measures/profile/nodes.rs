//! High-volume and low-volume nodes: rows that stand out of the smoothed profile.
//!
//! Volumes are smoothed with a Gaussian of one row, cut at four, whose weights are integers: every step is exact, so a node is
//! the same on any machine. A row is a high-volume node where the smoothed profile has a peak that stands out by a share of its
//! maximum, and a low-volume node where it has such a hollow. How far a peak stands out is its prominence: the least that one has
//! to go down from it to come to a higher one, or to the end of the profile. The lowest and the highest row are never nodes, nor
//! are rows side by side that are equal.
//!
//! Bound: the most prominent [`Nodes::MOST`]; three numbers a row of the largest profile. Worst case: linear in the rows, as every row
//! enters and leaves a stack once.

/// Weights of a row and of its neighbours at 1 to 4 rows, in 2^-32: exp(-k²/2) over the sum of the nine. Together they are 2^32.
const WEIGHTS: [u32; 5] = [1_713_449_152, 1_039_259_446, 231_890_127, 19_034_701, 574_798];
const REACH: usize = WEIGHTS.len() - 1;

/// A peak or a hollow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its row, counted from the lowest.
    pub row: usize,
    /// A peak, else a hollow.
    pub is_high: bool,
    /// How far it stands out of the smoothed profile, in 2^-32 of a unit of volume.
    pub prominence: u128,
}

/// The nodes of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nodes {
    kept: [Node; Nodes::MOST],
    len: usize,
    /// How many there are, kept or not.
    pub found: usize,
    /// The maximum of the smoothed profile, which prominences are measured by; in the same unit.
    pub maximum: u128,
}

impl Nodes {
    /// The most that are kept.
    pub const MOST: usize = 10;
    const NONE: Nodes = {
        let none = Node { row: 0, is_high: false, prominence: 0 };
        Nodes { kept: [none; Nodes::MOST], len: 0, found: 0, maximum: 0 }
    };

    /// The most prominent, from the lowest row up.
    pub fn kept(&self) -> &[Node] {
        &self.kept[..self.len]
    }

    /// Keeps a node if it is among the most prominent; of equal ones, that which was offered first.
    fn offer(&mut self, node: Node) {
        self.found += 1;
        let place = self.kept().iter().position(|kept| kept.prominence < node.prominence).unwrap_or(self.len);
        if place < Nodes::MOST {
            self.len = (self.len + 1).min(Nodes::MOST);
            self.kept[place..self.len].rotate_right(1);
            self.kept[place] = node;
        }
    }
}

/// A row on the way up or down from those behind it.
#[derive(Clone, Copy, Default)]
struct Step {
    height: u128,
    /// The least height since the last higher row.
    base: u128,
}

/// Room to look for nodes, for profiles of up to so many rows.
pub struct NodeFinder {
    smoothed: Box<[u128]>,
    /// The base on the lower side of every row.
    bases: Box<[u128]>,
    stack: Box<[Step]>,
}

impl NodeFinder {
    /// Room for so many rows.
    pub fn new(rows: usize) -> NodeFinder {
        let numbers = || flow::table(rows, 0);
        NodeFinder { smoothed: numbers(), bases: numbers(), stack: flow::table(rows, Step::default()) }
    }

    /// The nodes of these rows whose prominence is at least so many percent of the maximum. Rows beyond the room are not looked at.
    pub fn find(&mut self, volumes: &[u64], percent: u8) -> Nodes {
        let volumes = &volumes[..volumes.len().min(self.smoothed.len())];
        smooth(volumes, &mut self.smoothed);
        let (rows, mut nodes) = (volumes.len(), Nodes::NONE);
        let maximum = self.smoothed[..rows].iter().copied().max().unwrap_or(0);
        nodes.maximum = maximum;
        for is_high in [true, false] {
            if !is_high {
                // Hollows are the peaks of the profile upside down.
                self.smoothed[..rows].iter_mut().for_each(|height| *height = maximum - *height);
            }
            self.peaks(rows, |row, prominence| {
                if prominence * 100 >= maximum * u128::from(percent) {
                    nodes.offer(Node { row, is_high, prominence });
                }
            });
        }
        nodes.kept[..nodes.len].sort_by_key(|node| node.row);
        nodes
    }

    /// Hands over every row that is higher than both beside it, with its prominence, from the uppermost down.
    fn peaks(&mut self, rows: usize, mut found: impl FnMut(usize, u128)) {
        let NodeFinder { smoothed, bases, stack } = self;
        let mut depth = 0;
        for at in 0..rows {
            bases[at] = base(stack, &mut depth, smoothed[at]);
        }
        depth = 0;
        for at in (0..rows).rev() {
            let above = base(stack, &mut depth, smoothed[at]);
            let is_inside = at > 0 && at + 1 < rows;
            if is_inside && smoothed[at] > smoothed[at - 1] && smoothed[at] > smoothed[at + 1] {
                found(at, smoothed[at] - above.max(bases[at]));
            }
        }
    }
}

/// Puts a row on the stack, whose rows fall from the bottom up, and says the least height between the last higher one and it.
#[inline]
fn base(stack: &mut [Step], depth: &mut usize, height: u128) -> u128 {
    let mut base = height;
    while *depth > 0 && stack[*depth - 1].height <= height {
        *depth -= 1;
        base = base.min(stack[*depth].base);
    }
    stack[*depth] = Step { height, base };
    *depth += 1;
    base
}

/// Smooths; beyond an edge the profile goes on mirrored, the edge row itself first.
fn smooth(volumes: &[u64], to: &mut [u128]) {
    let rows = volumes.len();
    let weighed = |at: usize, weight: u32| u128::from(volumes[at]) * u128::from(weight);
    for (at, smoothed) in (0..rows).zip(to) {
        let sides = (1..=REACH).map(|by| {
            let beside = weighed(mirrored(at + 2 * rows * REACH - by, rows), WEIGHTS[by]);
            beside + weighed(mirrored(at + by, rows), WEIGHTS[by])
        });
        *smoothed = weighed(at, WEIGHTS[0]) + sides.sum::<u128>();
    }
}

/// The row that stands at a place beyond the edges.
#[inline]
fn mirrored(at: usize, rows: usize) -> usize {
    let at = if at < rows { at } else { at % (2 * rows) };
    if at < rows { at } else { 2 * rows - 1 - at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find(volumes: &[u64], percent: u8) -> Vec<(usize, bool)> {
        let nodes = NodeFinder::new(64).find(volumes, percent);
        nodes.kept().iter().map(|node| (node.row, node.is_high)).collect()
    }

    #[test]
    fn the_weights_are_a_gaussian_and_together_one() {
        let [middle, sides @ ..] = WEIGHTS.map(u64::from);
        assert_eq!(middle + 2 * sides.iter().sum::<u64>(), 1 << 32);
        let total: f64 = (-4..=4).map(|k| libm::exp(-f64::from(k * k) / 2.0)).sum();
        for (k, weight) in (0..).zip(WEIGHTS) {
            let exact = libm::exp(-f64::from(k * k) / 2.0) / total * 4_294_967_296.0;
            assert!((exact - f64::from(weight)).abs() < 2.0, "{k}: {exact}");
        }
    }

    /// Rows 10.0 to 10.9. The prominence of the hollow is 17 % of the maximum, so with 20 % only the peaks are left.
    #[test]
    fn the_worked_profile() {
        assert_eq!(find(&[5, 10, 40, 60, 100, 50, 20, 80, 30, 5], 1), [(4, true), (6, false), (7, true)]);
    }

    #[test]
    fn edges_and_plateaus_are_no_nodes() {
        assert_eq!(find(&[], 20), []);
        assert_eq!(find(&[9], 20), []);
        assert_eq!(find(&[1, 9], 20), []);
        assert_eq!(find(&[7; 30], 20), []);
        assert_eq!(find(&[0, 0, 0, 0, 0, 0, 9, 9, 0, 0, 0, 0, 0, 0], 20), [], "two rows alike are a plateau");
        let peaks: Vec<u64> = (0..60).map(|at| if at % 12 == 6 { 100 } else { 0 }).collect();
        let all = find(&peaks, 20);
        assert_eq!(all, [6, 18, 30, 42, 54].map(|row| (row, true)), "what lies flat between them is no hollow");
        let mut finder = NodeFinder::new(200);
        let many: Vec<u64> = (0..200).map(|at| if at % 10 == 5 { 100 + at } else { 0 }).collect();
        let nodes = finder.find(&many, 20);
        assert!(nodes.found > Nodes::MOST && nodes.kept().len() == Nodes::MOST);
        assert!(nodes.kept().is_sorted_by_key(|node| node.row));
    }

    /// Prominence as its definition says, looking at all rows for each.
    fn reference(volumes: &[u64], percent: u8) -> Vec<Node> {
        let n = volumes.len() as i64;
        let at = |at: i64| {
            let at = at.rem_euclid(2 * n);
            u128::from(volumes[(if at < n { at } else { 2 * n - 1 - at }) as usize])
        };
        let smooth = |row: i64| (-4..=4).map(|k| at(row + k) * u128::from(WEIGHTS[k.unsigned_abs() as usize])).sum();
        let smoothed: Vec<u128> = (0..n).map(smooth).collect();
        let maximum = smoothed.iter().copied().max().unwrap_or(0);
        let mut nodes = Vec::new();
        for is_high in [true, false] {
            let height: Vec<u128> = smoothed.iter().map(|h| if is_high { *h } else { maximum - h }).collect();
            for row in 1..(n as usize).saturating_sub(1) {
                let top = height[row];
                if top <= height[row - 1] || top <= height[row + 1] {
                    continue;
                }
                let below = height[..row].iter().rev().take_while(|h| **h <= top).min().unwrap();
                let above = height[row + 1..].iter().take_while(|h| **h <= top).min().unwrap();
                let prominence = top - below.max(above);
                if prominence * 100 >= maximum * u128::from(percent) {
                    nodes.push(Node { row, is_high, prominence });
                }
            }
        }
        nodes.sort_by_key(|node| node.row);
        nodes
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn nodes_are_those_of_the_definition(
            volumes in prop::collection::vec(prop_oneof![0_u64..4, 0_u64..1_000], 0..64),
            percent in 0_u8..60,
        ) {
            let (nodes, all) = (NodeFinder::new(64).find(&volumes, percent), reference(&volumes, percent));
            prop_assert_eq!(nodes.found, all.len());
            if all.len() <= Nodes::MOST {
                prop_assert_eq!(nodes.kept(), &all[..]);
            } else {
                let least = nodes.kept().iter().map(|node| node.prominence).min().unwrap();
                prop_assert!(nodes.kept().iter().all(|node| all.contains(node)));
                prop_assert!(all.iter().filter(|node| node.prominence > least).all(|node| nodes.kept().contains(node)));
            }
        }
    }
}
