//! When a book publishes its top: at the end of a group of messages, and only if the touch changed.
//!
//! A book keeps the top that it published last. After a change the touch is compared with that copy and not with the
//! ladder: a level behind the published touch cannot move it, so most messages end after one comparison. While a group
//! is incomplete the book is *dirty* and its top is not published. Bound: O(1).

use super::books::{BookId, Books};
use super::order::{LevelChange, half_of, key_of};
use super::touch::{Top, Touch};
use flow::Side;

impl Books {
    /// The best bid and ask as they stand now.
    #[inline]
    pub fn top(&self, book: BookId) -> Top {
        Top::of(&[self.touch(book, Side::Buy), self.touch(book, Side::Sell)])
    }

    /// One side of the top as it stands now.
    #[inline]
    fn touch(&self, book: BookId, side: Side) -> Touch {
        let best = self.slots[book.0].halves[half_of(side)].best;
        self.levels.get(best).map_or(Touch::NONE, |level| Touch { key: key_of(side, level.px), qty: level.qty })
    }

    /// Publishes the top: returns it if it differs from the one published last, and whether it has just become crossed.
    pub fn publish_top(&mut self, book: BookId) -> Option<(Top, bool)> {
        let now = [self.touch(book, Side::Buy), self.touch(book, Side::Sell)];
        let slot = &mut self.slots[book.0];
        let before = std::mem::replace(&mut slot.published, now);
        slot.dirty = false;
        (now != before).then(|| (Top::of(&now), Top::of(&now).crossed() && !Top::of(&before).crossed()))
    }

    /// Whether the book changed since its top was published.
    #[inline]
    pub(super) fn is_dirty(&self, book: BookId) -> bool {
        self.slots[book.0].dirty
    }

    /// [`Books::publish_top`] where `change` is the only change since: a level behind the touch cannot move it.
    #[inline(always)]
    pub(super) fn publish_top_after(&mut self, book: BookId, change: &LevelChange) -> Option<(Top, bool)> {
        let LevelChange { side, px, qty, .. } = *change;
        let key = key_of(side, px);
        let published = &self.slots[book.0].published;
        if key < published[half_of(side)].key {
            return None;
        }
        let before = Top::of(published);
        let now = if qty > 0 { Touch { key, qty } } else { self.touch(book, side) };
        let published = &mut self.slots[book.0].published;
        if now == published[half_of(side)] {
            return None;
        }
        published[half_of(side)] = now;
        let top = Top::of(published);
        Some((top, top.crossed() && !before.crossed()))
    }

    /// Notes a change within a group that is not complete.
    #[inline]
    pub(super) fn mark_dirty(&mut self, book: BookId) {
        self.slots[book.0].dirty = true;
    }
}
