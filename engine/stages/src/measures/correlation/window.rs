//! The returns of all instruments at the last times, and the sums of each two of them.
//!
//! Returns are integers of 1e-12, so what leaves a sum leaves all of it, and a sum is the same however long it has been kept.
//!
//! Bound: [`MOST`] instruments, and times of a parameter. Worst case: a later time, at which the oldest one leaves the sums of all pairs.

use flow::table;

/// The most instruments.
pub(super) const MOST: usize = 64;

/// No return.
const ABSENT: i64 = i64::MIN;
/// How many parts a return of one has.
const PARTS: f64 = 1e12;

/// What two instruments come to over the times that both have.
#[derive(Clone, Copy, Default)]
pub struct Sums {
    common: u32,
    x: i128,
    y: i128,
    xx: i128,
    yy: i128,
    xy: i128,
}

impl Sums {
    /// A return as the integer that is added up.
    pub fn parts(returned: f64) -> i64 {
        (returned * PARTS).round() as i64
    }

    /// Adds what the two have at a time.
    pub fn add(&mut self, x: i64, y: i64) {
        self.common += 1;
        self.take(x.into(), y.into(), 1);
    }

    fn take_out(&mut self, x: i64, y: i64) {
        self.common -= 1;
        self.take(x.into(), y.into(), -1);
    }

    fn take(&mut self, x: i128, y: i128, times: i128) {
        self.x += times * x;
        self.y += times * y;
        self.xx += times * x * x;
        self.yy += times * y * y;
        self.xy += times * x * y;
    }

    /// How many times the two have in common.
    pub fn common(&self) -> u32 {
        self.common
    }

    /// The correlation; none where one of the two does not change.
    pub fn correlation(&self) -> Option<f64> {
        let of = i128::from(self.common);
        let both = of * self.xy - self.x * self.y;
        let [x, y] = [of * self.xx - self.x * self.x, of * self.yy - self.y * self.y];
        let scale = (x as f64).sqrt() * (y as f64).sqrt();
        (x > 0 && y > 0).then(|| (both as f64 / scale).clamp(-1.0, 1.0))
    }
}

/// The last times.
pub(super) struct Window {
    /// When the bars of each began; a ring.
    starts: Box<[u32]>,
    /// Their returns, by time and place.
    returns: Box<[[i64; MOST]]>,
    /// Of each two places, the lower one first.
    sums: Box<[[Sums; MOST]]>,
    /// Slot for the next time.
    head: usize,
    held: usize,
}

impl Window {
    /// An empty one over so many times.
    pub(super) fn new(times: u16) -> Window {
        let times = usize::from(times);
        Window {
            starts: table(times, u32::MAX),
            returns: table(times, [ABSENT; MOST]),
            sums: table(MOST, [Sums::default(); MOST]),
            head: 0,
            held: 0,
        }
    }

    /// Forgets all of it.
    pub(super) fn clear(&mut self) {
        self.starts.fill(u32::MAX);
        self.returns.fill([ABSENT; MOST]);
        self.sums.fill([Sums::default(); MOST]);
        (self.head, self.held) = (0, 0);
    }

    /// The slots from the newest time on.
    fn newest_first(&self) -> impl DoubleEndedIterator<Item = usize> + use<> {
        let (head, times) = (self.head, self.starts.len());
        (1..=self.held).map(move |back| (head + times - back) % times)
    }

    /// The slot of a time. One later than all takes the place of the oldest; an earlier one has none if it was nobody's before.
    pub(super) fn slot(&mut self, start_s: u32) -> Option<usize> {
        match self.newest_first().next() {
            Some(newest) if start_s <= self.starts[newest] => {
                self.newest_first().find(|slot| self.starts[*slot] == start_s)
            }
            _ => Some(self.begin(start_s)),
        }
    }

    fn begin(&mut self, start_s: u32) -> usize {
        let slot = self.head;
        if self.held == self.starts.len() {
            self.leave(slot);
        } else {
            self.held += 1;
        }
        self.starts[slot] = start_s;
        self.head = if slot + 1 == self.starts.len() { 0 } else { slot + 1 };
        slot
    }

    /// Takes the returns of a time out.
    fn leave(&mut self, slot: usize) {
        let returns = std::mem::replace(&mut self.returns[slot], [ABSENT; MOST]);
        for (lower, x) in returns.iter().enumerate().filter(|(_, x)| **x != ABSENT) {
            for (higher, y) in returns.iter().enumerate().skip(lower + 1).filter(|(_, y)| **y != ABSENT) {
                self.sums[lower][higher].take_out(*x, *y);
            }
        }
    }

    /// Adds the return of the instrument at a place; `false` if it has one of that time.
    pub(super) fn add(&mut self, slot: usize, place: usize, returned: f64) -> bool {
        self.put(slot, place, Sums::parts(returned))
    }

    fn put(&mut self, slot: usize, place: usize, returned: i64) -> bool {
        if self.has(slot, place) {
            return false;
        }
        for (other, theirs) in self.returns[slot].iter().enumerate().filter(|(_, theirs)| **theirs != ABSENT) {
            if other < place {
                self.sums[other][place].add(*theirs, returned);
            } else {
                self.sums[place][other].add(returned, *theirs);
            }
        }
        self.returns[slot][place] = returned;
        true
    }

    /// Whether the instrument at a place has a return of that time.
    pub(super) fn has(&self, slot: usize, place: usize) -> bool {
        self.returns[slot][place] != ABSENT
    }

    /// The correlation of two instruments, and how many times they have in common.
    pub(super) fn correlation(&self, one: usize, other: usize) -> (Option<f64>, u16) {
        let sums = &self.sums[one.min(other)][one.max(other)];
        (sums.correlation(), sums.common as u16)
    }

    /// All times from the oldest on, each with the returns that it has by place.
    pub(super) fn saved(&self) -> Vec<(u32, Vec<(u8, i64)>)> {
        let of_slot = |slot: usize| {
            let returns = self.returns[slot].iter().enumerate().filter(|(_, returned)| **returned != ABSENT);
            (self.starts[slot], returns.map(|(place, returned)| (place as u8, *returned)).collect())
        };
        self.newest_first().rev().map(of_slot).collect()
    }

    /// Takes back what was saved; `false` where it cannot be that.
    pub(super) fn restore(&mut self, saved: &[(u32, Vec<(u8, i64)>)]) -> bool {
        self.clear();
        saved.len() <= self.starts.len()
            && saved.is_sorted_by(|a, b| a.0 < b.0)
            && saved.iter().all(|(start_s, returns)| {
                let slot = self.begin(*start_s);
                returns.iter().all(|(place, returned)| {
                    usize::from(*place) < MOST && *returned != ABSENT && self.put(slot, (*place).into(), *returned)
                })
            })
    }
}
