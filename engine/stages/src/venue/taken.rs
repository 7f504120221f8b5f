//! What we took of levels that the market still displays.
//!
//! Our fills leave no trace in the market's book, so a level goes on displaying shares that we have bought already. The
//! rule that keeps us honest: of a level no more can be taken than it displays less what we took of it before. As the
//! level falls, what we took is taken to be the last that leaves it (`taken = min(taken, displayed)`); what is added is
//! new; and when the level is gone the account is closed. So no displayed share is ever sold to us twice.
//! Bound: one entry a level, a fixed number of entries; without a free one nothing can be taken from a further level.

use flow::{Px, Side};

/// No entry.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Entry {
    side: Side,
    px: Px,
    qty: u64,
    next: u32,
}

/// Entries of all instruments, in one list an instrument whose head the caller keeps.
pub(super) struct Takens {
    entries: Box<[Entry]>,
    free: u32,
    room: usize,
}

impl Takens {
    pub(super) fn new(levels: u32) -> Takens {
        let entry = |at: u32| Entry {
            side: Side::None,
            px: Px::NONE,
            qty: 0,
            next: if at + 1 < levels { at + 1 } else { NONE },
        };
        Takens { entries: (0..levels).map(entry).collect(), free: 0, room: levels as usize }
    }

    fn find(&self, head: u32, side: Side, px: Px) -> Option<u32> {
        let mut at = head;
        while at != NONE {
            let entry = &self.entries[at as usize];
            if (entry.side, entry.px) == (side, px) {
                return Some(at);
            }
            at = entry.next;
        }
        None
    }

    /// How much of a level that displays `shown` can be taken.
    pub(super) fn left(&self, head: u32, side: Side, px: Px, shown: u64) -> u64 {
        match self.find(head, side, px) {
            Some(at) => shown.saturating_sub(self.entries[at as usize].qty),
            None if self.free == NONE => 0,
            None => shown,
        }
    }

    /// Takes some of what [`Takens::left`] said.
    pub(super) fn take(&mut self, head: &mut u32, side: Side, px: Px, qty: u64) {
        if let Some(at) = self.find(*head, side, px) {
            self.entries[at as usize].qty += qty;
            return;
        }
        let at = self.free;
        let entry = &mut self.entries[at as usize];
        self.free = entry.next;
        self.room -= 1;
        *entry = Entry { side, px, qty, next: *head };
        *head = at;
    }

    /// A level displays no more than `shown`.
    pub(super) fn fell(&mut self, head: &mut u32, side: Side, px: Px, shown: u64) {
        let (mut before, mut at) = (NONE, *head);
        while at != NONE {
            let entry = &mut self.entries[at as usize];
            let next = entry.next;
            if (entry.side, entry.px) != (side, px) {
                (before, at) = (at, next);
                continue;
            }
            entry.qty = entry.qty.min(shown);
            if entry.qty == 0 {
                entry.next = self.free;
                self.free = at;
                self.room += 1;
                match before {
                    NONE => *head = next,
                    before => self.entries[before as usize].next = next,
                }
            }
            return;
        }
    }

    /// Every level of an instrument is gone.
    pub(super) fn clear(&mut self, head: &mut u32) {
        while *head != NONE {
            let entry = &mut self.entries[*head as usize];
            let next = entry.next;
            entry.next = self.free;
            self.free = *head;
            self.room += 1;
            *head = next;
        }
    }

    /// The entries of an instrument: side, price, quantity.
    pub(super) fn of(&self, head: u32) -> impl Iterator<Item = (Side, Px, u64)> {
        let mut at = head;
        std::iter::from_fn(move || {
            let entry = self.entries.get(at as usize)?;
            at = entry.next;
            Some((entry.side, entry.px, entry.qty))
        })
    }

    /// Whether something was taken of a level.
    pub(super) fn has(&self, head: u32, side: Side, px: Px) -> bool {
        self.find(head, side, px).is_some()
    }

    /// How many further levels can be entered.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// How many levels can be entered at all.
    pub(super) fn capacity(&self) -> usize {
        self.entries.len()
    }
}
