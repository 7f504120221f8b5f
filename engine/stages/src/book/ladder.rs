//! The price levels of all books in order: one B+ tree per side, from one shared pool of nodes.
//!
//! Keys rise towards the touch: a bid's key is its price, an ask's the negative, so both sides share the code and the
//! best level is the last entry of the last leaf. The book points at that leaf, the *tip*: up to [`WIDTH`] levels nearest
//! the touch in one contiguous piece of memory, where nearly every search ends after a few compares. Other searches start
//! at the root. Nodes split when full and merge when three quarters empty; the gap between the two keeps a flickering
//! level from splitting and merging for ever.
//!
//! Bound: a side with n levels has at most n / 4 + 1 nodes, so a pool of `levels / 4 + 2 × books` never runs out,
//! whatever the history. Worst case of a search, insertion or removal: [`MAX_HEIGHT`] nodes, each moving at most
//! [`WIDTH`] entries.

use crate::pool::{NONE, Pool};
use prefetch_index::prefetch_index;

/// Entries of a node, a multiple of four.
const WIDTH: usize = 20;
/// Key of an unused entry, above every price.
const UNUSED: i64 = i64::MAX;
/// A node with fewer entries is merged with, or filled from, its neighbour; the root is exempt.
const LOW: usize = 5;
/// Two neighbours are merged when together they hold no more than this, so that a merged node is not full.
const JOIN: usize = 15;
/// Height of a tree of 2^32 levels in which every node holds [`LOW`] entries, rounded up.
const MAX_HEIGHT: usize = 16;

/// Four cache lines. A leaf maps keys to levels, an inner node the lower bounds of its children to the children.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Node {
    keys: [i64; WIDTH],
    items: [u32; WIDTH],
    left: u32,
    right: u32,
    len: u16,
    height: u16,
}

const _: () = assert!(size_of::<Node>() == 256);

impl Node {
    const VACANT: Node =
        Node { keys: [UNUSED; WIDTH], items: [NONE; WIDTH], left: NONE, right: NONE, len: 0, height: 0 };

    #[inline]
    fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Number of keys at or below `key`: first the group of four, then the entry within it. Counted without a branch, which
    /// would be mispredicted; unused keys are higher than any.
    #[inline]
    fn rank(&self, key: i64) -> usize {
        let keys = &self.keys;
        let four: usize = (0..WIDTH / 4 - 1).map(|i| usize::from(keys[4 * i + 3] <= key)).sum();
        4 * four + keys[4 * four..][..4].iter().map(|k| usize::from(*k <= key)).sum::<usize>()
    }

    /// The child whose subtree holds `key`; a key below the first bound is in the first child.
    #[inline]
    fn child(&self, key: i64) -> usize {
        self.rank(key).saturating_sub(1)
    }

    /// Inserts an entry; the node is not full. Unused entries move along.
    #[inline]
    fn put(&mut self, at: usize, key: i64, item: u32) {
        self.keys.copy_within(at..WIDTH - 1, at + 1);
        self.items.copy_within(at..WIDTH - 1, at + 1);
        self.keys[at] = key;
        self.items[at] = item;
        self.len += 1;
    }

    /// Removes an entry; an [`UNUSED`] key moves up from the end.
    #[inline]
    fn take(&mut self, at: usize) {
        self.keys.copy_within(at + 1.., at);
        self.items.copy_within(at + 1.., at);
        self.keys[WIDTH - 1] = UNUSED;
        self.len -= 1;
    }
}

/// One side of a book: its tree, the leaf at the touch and the best level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Half {
    root: u32,
    tip: u32,
    /// The best level; [`NONE`] when the side is empty.
    pub(super) best: u32,
}

impl Half {
    pub(super) const EMPTY: Half = Half { root: NONE, tip: NONE, best: NONE };
}

/// Where a key is, or would be inserted: `at` entries of the leaf are at or below it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    leaf: u32,
    at: usize,
}

/// The path from the root down: the nodes, and the child taken in each (in the leaf, the rank of the key).
struct Path {
    nodes: [u32; MAX_HEIGHT],
    at: [usize; MAX_HEIGHT],
    len: usize,
}

/// The node pool of all trees.
pub(super) struct Ladder {
    nodes: Pool<Node>,
}

impl Ladder {
    /// Room for `levels` levels on any `2 × books` sides.
    pub(super) fn new(levels: u32, books: u32) -> Ladder {
        Ladder { nodes: Pool::new(levels / 4 + 2 * books + 1, Node::VACANT) }
    }

    /// Prefetches the tip of a side, four cache lines, without waiting for it.
    #[inline]
    pub(super) fn fetch(&self, half: &Half) {
        if half.tip != NONE {
            let tip = &self.nodes[half.tip];
            [0, 8, 16].into_iter().for_each(|key| prefetch_index(tip.keys.as_slice(), key));
            prefetch_index(tip.items.as_slice(), 8);
        }
    }

    /// The level at `key`, or the position where it would be inserted.
    #[inline]
    pub(super) fn find(&self, half: &Half, key: i64) -> Result<u32, Place> {
        if half.root == NONE {
            return Err(Place { leaf: NONE, at: 0 });
        }
        let leaf = self.leaf_of(half, key);
        let node = &self.nodes[leaf];
        let at = node.rank(key);
        if at > 0 && node.keys[at - 1] == key { Ok(node.items[at - 1]) } else { Err(Place { leaf, at }) }
    }

    #[inline]
    fn leaf_of(&self, half: &Half, key: i64) -> u32 {
        if half.tip == half.root || key >= self.nodes[half.tip].keys[0] {
            return half.tip;
        }
        let mut at = half.root;
        while self.nodes[at].height > 0 {
            let node = &self.nodes[at];
            at = node.items[node.child(key)];
        }
        at
    }

    /// Inserts `level` at the position that [`Ladder::find`] returned for `key`.
    #[inline]
    pub(super) fn insert(&mut self, half: &mut Half, place: Place, key: i64, level: u32) {
        if place.leaf == NONE {
            let leaf = self.node(0);
            self.nodes[leaf].put(0, key, level);
            *half = Half { root: leaf, tip: leaf, best: level };
            return;
        }
        if self.nodes[place.leaf].len() < WIDTH {
            self.nodes[place.leaf].put(place.at, key, level);
        } else {
            self.insert_splitting(half, key, level);
        }
        self.refresh(half);
    }

    /// Removes the level at `key`, which must exist.
    #[inline]
    pub(super) fn remove(&mut self, half: &mut Half, key: i64) {
        let leaf = self.leaf_of(half, key);
        let node = &mut self.nodes[leaf];
        let at = node.rank(key) - 1;
        debug_assert_eq!(node.keys[at], key, "a level that is not in its tree");
        node.take(at);
        let len = node.len();
        if leaf != half.root && len < LOW {
            self.rebalance(half, key);
        } else if len == 0 {
            self.nodes.give(leaf);
            *half = Half::EMPTY;
            return;
        }
        self.refresh(half);
    }

    #[inline]
    fn refresh(&self, half: &mut Half) {
        let tip = &self.nodes[half.tip];
        half.best = tip.items[tip.len() - 1];
    }

    fn node(&mut self, height: u16) -> u32 {
        let node = self.nodes.take().expect("the pool holds every tree that the levels allow");
        self.nodes[node] = Node { height, ..Node::VACANT };
        node
    }

    fn path(&self, half: &Half, key: i64) -> Path {
        let mut path = Path { nodes: [NONE; MAX_HEIGHT], at: [0; MAX_HEIGHT], len: 0 };
        let mut at = half.root;
        loop {
            let node = &self.nodes[at];
            path.nodes[path.len] = at;
            path.at[path.len] = if node.height == 0 { node.rank(key) } else { node.child(key) };
            path.len += 1;
            if node.height == 0 {
                return path;
            }
            at = node.items[path.at[path.len - 1]];
        }
    }

    fn insert_splitting(&mut self, half: &mut Half, key: i64, level: u32) {
        let path = self.path(half, key);
        let (mut key, mut item) = (key, level);
        for depth in (0..path.len).rev() {
            let node = path.nodes[depth];
            let at = if depth + 1 == path.len { path.at[depth] } else { path.at[depth] + 1 };
            if self.nodes[node].len() < WIDTH {
                self.nodes[node].put(at, key, item);
                return;
            }
            let right = self.split(half, node);
            let kept = self.nodes[node].len();
            if at <= kept {
                self.nodes[node].put(at, key, item);
            } else {
                self.nodes[right].put(at - kept, key, item);
            }
            (key, item) = (self.nodes[right].keys[0], right);
        }
        let root = self.node(self.nodes[half.root].height + 1);
        self.nodes[root].put(0, i64::MIN, half.root);
        self.nodes[root].put(1, key, item);
        half.root = root;
    }

    /// Moves the upper half of a node into a new right neighbour.
    fn split(&mut self, half: &mut Half, node: u32) -> u32 {
        let right = self.node(self.nodes[node].height);
        self.shift_left_to_right(node, right, WIDTH / 2);
        let after = std::mem::replace(&mut self.nodes[node].right, right);
        (self.nodes[right].left, self.nodes[right].right) = (node, after);
        if after != NONE {
            self.nodes[after].left = right;
        }
        if half.tip == node {
            half.tip = right;
        }
        right
    }

    fn rebalance(&mut self, half: &mut Half, key: i64) {
        let path = self.path(half, key);
        for depth in (1..path.len).rev() {
            let node = path.nodes[depth];
            if self.nodes[node].len() >= LOW {
                break;
            }
            let parent = path.nodes[depth - 1];
            let second = path.at[depth - 1].max(1);
            let (left, right) = (self.nodes[parent].items[second - 1], self.nodes[parent].items[second]);
            if self.nodes[right].height > 0 {
                self.nodes[right].keys[0] = self.nodes[parent].keys[second];
            }
            let (l, r) = (self.nodes[left].len(), self.nodes[right].len());
            if l + r > JOIN {
                let even = (l + r) / 2;
                if l > even {
                    self.shift_left_to_right(left, right, l - even);
                } else {
                    self.shift_right_to_left(left, right, even - l);
                }
                self.nodes[parent].keys[second] = self.nodes[right].keys[0];
                break;
            }
            self.shift_right_to_left(left, right, r);
            self.unlink(half, left, right);
            self.nodes[parent].take(second);
        }
        while self.nodes[half.root].height > 0 && self.nodes[half.root].len() == 1 {
            let child = self.nodes[half.root].items[0];
            self.nodes.give(half.root);
            half.root = child;
        }
    }

    /// Frees `right`, which is empty; `left` is its neighbour.
    fn unlink(&mut self, half: &mut Half, left: u32, right: u32) {
        let after = self.nodes[right].right;
        self.nodes[left].right = after;
        if after != NONE {
            self.nodes[after].left = left;
        }
        if half.tip == right {
            half.tip = left;
        }
        self.nodes.give(right);
    }

    fn shift_left_to_right(&mut self, left: u32, right: u32, n: usize) {
        let from = self.nodes[left];
        let to = &mut self.nodes[right];
        let (len, start) = (to.len(), from.len() - n);
        to.keys.copy_within(..len, n);
        to.items.copy_within(..len, n);
        to.keys[..n].copy_from_slice(&from.keys[start..start + n]);
        to.items[..n].copy_from_slice(&from.items[start..start + n]);
        to.len += n as u16;
        let rest = &mut self.nodes[left];
        rest.keys[start..].fill(UNUSED);
        rest.len -= n as u16;
    }

    fn shift_right_to_left(&mut self, left: u32, right: u32, n: usize) {
        let from = self.nodes[right];
        let to = &mut self.nodes[left];
        let len = to.len();
        to.keys[len..len + n].copy_from_slice(&from.keys[..n]);
        to.items[len..len + n].copy_from_slice(&from.items[..n]);
        to.len += n as u16;
        let rest = &mut self.nodes[right];
        rest.keys.copy_within(n..from.len(), 0);
        rest.items.copy_within(n..from.len(), 0);
        rest.keys[from.len() - n..].fill(UNUSED);
        rest.len -= n as u16;
    }

    /// The levels of a side, best first.
    pub(super) fn levels(&self, half: &Half) -> impl Iterator<Item = u32> + '_ {
        let mut leaf = half.tip;
        let mut at = if leaf == NONE { 0 } else { self.nodes[leaf].len() };
        std::iter::from_fn(move || {
            if leaf == NONE {
                return None;
            }
            at -= 1;
            let level = self.nodes[leaf].items[at];
            if at == 0 {
                leaf = self.nodes[leaf].left;
                at = if leaf == NONE { 0 } else { self.nodes[leaf].len() };
            }
            Some(level)
        })
    }

    /// Frees a whole tree and passes each of its levels to `each`.
    pub(super) fn drain(&mut self, half: &mut Half, mut each: impl FnMut(u32)) {
        let mut first = half.root;
        while first != NONE {
            let below = if self.nodes[first].height > 0 { self.nodes[first].items[0] } else { NONE };
            let mut at = first;
            while at != NONE {
                let node = &self.nodes[at];
                if node.height == 0 {
                    node.items[..node.len()].iter().for_each(|level| each(*level));
                }
                let right = node.right;
                self.nodes.give(at);
                at = right;
            }
            first = below;
        }
        *half = Half::EMPTY;
    }

    /// Nodes in use.
    #[cfg(test)]
    fn used(&self) -> usize {
        self.nodes.capacity() - self.nodes.left()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Checks lengths, order, bounds and links of every node below `at`; returns the entries of its leaves.
    fn check(ladder: &Ladder, half: &Half, at: u32, low: i64, high: i64) -> usize {
        let node = &ladder.nodes[at];
        assert!(node.len() >= if at == half.root { 1 } else { LOW }, "a node with {} entries", node.len());
        assert!(at != half.root || node.height == 0 || node.len() > 1, "a root with one child");
        let keys = &node.keys[..node.len()];
        assert!(node.keys[node.len()..].iter().all(|k| *k == UNUSED), "a key behind the last entry");
        assert!(keys.windows(2).all(|w| w[0] < w[1]), "keys out of order");
        if node.height == 0 {
            assert!(keys.iter().all(|k| (low..high).contains(k)), "a key outside the bounds of its leaf");
            return node.len();
        }
        let mut entries = 0;
        for i in 0..node.len() {
            let child = node.items[i];
            assert_eq!(ladder.nodes[child].height + 1, node.height);
            let from = if i == 0 { low } else { node.keys[i] };
            let to = node.keys[..node.len()].get(i + 1).copied().unwrap_or(high);
            entries += check(ladder, half, child, from, to);
        }
        entries
    }

    fn run(steps: &[(bool, i64)]) {
        let mut ladder = Ladder::new(steps.len() as u32, 1);
        let (mut half, mut reference) = (Half::EMPTY, BTreeMap::new());
        for (i, (insert, key)) in steps.iter().enumerate() {
            match ladder.find(&half, *key) {
                Ok(level) => {
                    assert_eq!(reference.get(key), Some(&level));
                    if !insert {
                        ladder.remove(&mut half, *key);
                        reference.remove(key);
                    }
                }
                Err(place) => {
                    assert!(!reference.contains_key(key));
                    if *insert {
                        ladder.insert(&mut half, place, *key, i as u32);
                        reference.insert(*key, i as u32);
                    }
                }
            }
            assert_eq!(half.best, reference.values().next_back().copied().unwrap_or(NONE));
            assert!(ladder.used() <= reference.len() / 4 + 1, "{} nodes for {} levels", ladder.used(), reference.len());
            if half.root != NONE && i % 16 == 0 {
                assert_eq!(check(&ladder, &half, half.root, i64::MIN, i64::MAX), reference.len());
            }
        }
        assert!(ladder.levels(&half).eq(reference.values().rev().copied()));
        let mut drained = Vec::new();
        ladder.drain(&mut half, |level| drained.push(level));
        assert!(drained.iter().eq(reference.values()) && ladder.used() == 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_side_is_a_sorted_map(steps in prop::collection::vec((prop::bool::weighted(0.6), 0..600i64), 1..3_000)) {
            run(&steps);
        }
    }

    #[test]
    fn rising_falling_and_emptied_from_either_end() {
        let up = (0..2_000).map(|k| (true, k));
        let down = (0..2_000).rev().map(|k| (true, k));
        run(&up.clone().chain((0..2_000).map(|k| (false, k))).collect::<Vec<_>>());
        run(&down.chain((0..2_000).rev().map(|k| (false, k))).collect::<Vec<_>>());
        run(&up.chain((0..2_000).filter(|k| k % 7 != 0).map(|k| (false, k))).collect::<Vec<_>>());
    }
}
