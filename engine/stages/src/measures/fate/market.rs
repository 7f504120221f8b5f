//! What is known of an instrument, and the rows that say what its sums come to.

use super::sums::{AGES, BEFORE, DISTANCES, End, Ended, RANKS, Sums, part_of_age, part_of_distance};
use crate::measures::piece::piece_of;
use crate::measures::print::Print;
use crate::measures::{Session, Touch, emit};
use flow::records::{self, FateApart, FateShown, Listing};
use flow::{BookKind, Event, FateBy, FatePart, Flags, InstrumentType, Ns, Out, Px, Qty, Side};
use prefetch_index::prefetch_index;
use serde::{Deserialize, Serialize};
use std::slice::from_ref;

/// An instrument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Market {
    tick: Px,
    is_equity: bool,
    pub(super) has_orders: bool,
    pub(super) is_by_level: bool,
    pub(super) source: u8,
    /// Last trading time of a contract; 0 = none is known.
    expiry: Ns,
    pub(super) session: Session,
    /// Number of the interval of the last message.
    interval: u64,
    /// Whether the sums have changed since they were emitted.
    has_changed: bool,
    /// Whether the feed has emptied the book after the session that is still to be emitted for the last time.
    is_emptied: bool,
    /// Bids and asks.
    pub(super) sides: [Sums; 2],
    /// Of orders whose side no message says: taken, pulled.
    sideless: Ended,
    hidden: u64,
    pub(super) left_out: u64,
    pub(super) print: Print,
}

/// The index of a side.
pub(super) fn half(is_bid: bool) -> usize {
    usize::from(!is_bid)
}

/// The price from which on shares trade in whole cents, and a cent.
const DOLLAR: i64 = 1_000_000_000;
const CENT: i64 = 10_000_000;

impl Market {
    /// Prefetches what every message needs.
    #[inline]
    pub(super) fn fetch(&self) {
        prefetch_index(from_ref(&self.session), 0);
        prefetch_index(from_ref(&self.interval), 0);
        prefetch_index(from_ref(&self.print), 0);
    }

    /// Prefetches what the end of an order of this side and rank needs.
    #[inline]
    pub(super) fn fetch_sums(&self, is_bid: bool, rank: usize) {
        let sums = &self.sides[half(is_bid)];
        prefetch_index(&sums.ranks[..], rank);
    }

    /// Takes a listing; says whether its book begins anew, kept in another way or from another source.
    #[cold]
    pub(super) fn listing(&mut self, event: &Event) -> bool {
        let listing: &Listing = event.record();
        let kind = BookKind::from_code(listing.book).unwrap_or_default();
        let before = (self.has_orders, self.is_by_level, self.source);
        self.tick = listing.tick_px;
        self.is_equity = listing.instrument_type == InstrumentType::Equity as u8;
        self.has_orders = matches!(kind, BookKind::ByOrder | BookKind::ByLevel);
        self.is_by_level = kind == BookKind::ByLevel;
        self.source = event.source;
        before.0 && before != (self.has_orders, self.is_by_level, self.source)
    }

    pub(super) fn contract(&mut self, expiry: Ns) {
        self.expiry = expiry.known().unwrap_or_default();
    }

    /// The price step at a price. The tick of a feed of shares may be the unit of its prices only.
    fn tick(&self, px: Px) -> i64 {
        if self.is_equity && px.0 >= DOLLAR { self.tick.0.max(CENT) } else { self.tick.0 }
    }

    /// Whether an interval or the session has ended before `ts` with something to say of it. What comes next belongs to the next interval.
    #[inline]
    pub(super) fn ends(&mut self, ts: Ns, every_ns: u64) -> bool {
        let interval = piece_of(ts, every_ns, self.interval);
        let (before, is_over) = (std::mem::replace(&mut self.interval, interval), self.session.is_over(ts));
        // That a contract ends changes what there is to say, though no message came.
        (interval != before || is_over) && (self.has_changed || is_over && self.has_expired(ts))
    }

    /// Notes that the book was emptied when the session was over already.
    pub(super) fn empty_after_session(&mut self) {
        self.is_emptied = true;
    }

    /// The book was emptied within the session.
    pub(super) fn lose(&mut self) {
        self.sides.iter_mut().flat_map(|sums| &mut sums.ranks).for_each(super::sums::Account::lose);
        self.has_changed = true;
    }

    /// Begins a session. What is still displayed is carried, if the feed has not emptied the book and the contract goes on.
    pub(super) fn begin(&mut self, session: Session, ts: Ns) {
        let is_over = self.is_emptied || self.is_by_level || self.has_expired(ts);
        let carried = if is_over { [0; 2] } else { [0, 1].map(|side: usize| self.sides[side].left()) };
        self.sides = Default::default();
        for (sums, left) in self.sides.iter_mut().zip(carried) {
            sums.ranks[BEFORE].displayed = left;
        }
        (self.sideless, self.hidden, self.left_out) = (Ended::default(), 0, 0);
        (self.session, self.has_changed, self.is_emptied) = (session, false, false);
    }

    /// Whether the contract's last trading time has passed.
    pub(super) fn has_expired(&self, ts: Ns) -> bool {
        self.expiry.0 > 0 && ts >= self.expiry
    }

    /// An order is displayed.
    pub(super) fn display(&mut self, is_bid: bool, rank: usize, qty: u64) {
        let displayed = &mut self.sides[half(is_bid)].ranks[rank].displayed;
        *displayed = displayed.saturating_add(qty);
        self.has_changed = true;
    }

    /// Displayed quantity for which there is no room.
    pub(super) fn leave_out(&mut self, qty: u64) {
        self.left_out = self.left_out.saturating_add(qty);
        self.has_changed = true;
    }

    /// An execution against an order that is not displayed.
    pub(super) fn hide(&mut self, qty: u64) {
        self.hidden = self.hidden.saturating_add(qty);
        self.has_changed = true;
    }

    /// Quantity of an order that was not displayed in sight: all that is known of it is its end.
    pub(super) fn end_of_unknown(&mut self, side: Side, end: End, qty: u64) {
        self.has_changed = true;
        if side == Side::None {
            return self.sideless.add(end, qty);
        }
        let account = &mut self.sides[half(side == Side::Buy)].ranks[BEFORE];
        account.displayed = account.displayed.saturating_add(qty);
        account.ended.add(end, qty);
    }

    /// Quantity of an order that was displayed in this session.
    pub(super) fn end(&mut self, touch: Touch, end: End, qty: u64, ended: &Ending) {
        let Ending { is_bid, rank, px, age, chain_age } = *ended;
        let (best, tick) = (if is_bid { touch.bid_px } else { touch.ask_px }, self.tick(px));
        let distance = best.known().map(|best| {
            let behind = i128::from(best.0) - i128::from(px.0);
            if is_bid { behind } else { -behind }
        });
        let sums = &mut self.sides[half(is_bid)];
        sums.ranks[rank].ended.add(end, qty);
        if rank != BEFORE {
            sums.distances[part_of_distance(distance, tick)].add(end, qty);
            sums.ages[part_of_age(age)].add(end, qty);
            if end != End::Moved {
                sums.chain_ages[part_of_age(chain_age)].add(end, qty);
            }
        }
        self.has_changed = true;
    }

    /// What is left of an order has gone without a message.
    pub(super) fn end_unseen(&mut self, is_bid: bool, rank: usize, qty: u64) {
        let unseen = &mut self.sides[half(is_bid)].ranks[rank].unseen;
        *unseen = unseen.saturating_add(qty);
        self.has_changed = true;
    }

    /// Emits what the sums have come to, before the event.
    #[cold]
    pub(super) fn emit(&mut self, event: &Event, out: &mut Out) {
        let has_expired = self.session.is_over(event.ts) && self.has_expired(event.ts);
        for (side, sums) in [Side::Buy, Side::Sell].into_iter().zip(&self.sides) {
            for (part, account) in RANKS.into_iter().zip(&sums.ranks) {
                emit_account(side, part, account, has_expired, event, out);
            }
            emit_parts(side, FateBy::Distance, &DISTANCES, &sums.distances, event, out);
            emit_parts(side, FateBy::Age, &AGES, &sums.ages, event, out);
            emit_parts(side, FateBy::ChainAge, &AGES, &sums.chain_ages, event, out);
        }
        if self.sideless != Ended::default() {
            let account =
                super::sums::Account { displayed: self.sideless.all(), ended: self.sideless, ..Default::default() };
            emit_account(Side::None, FatePart::Before, &account, false, event, out);
        }
        if self.hidden > 0 || self.left_out > 0 {
            let (hidden, left_out) = (Qty(self.hidden), Qty(self.left_out));
            emit(&FateApart { hidden, left_out, ..Default::default() }, Flags::NONE, event, out);
        }
        self.has_changed = false;
    }
}

/// The most rows of an instrument.
pub(super) const ROWS: usize = 2 * (2 * RANKS.len() + DISTANCES.len() + 2 * AGES.len()) + 2 + 1;

/// What of an order ends, and where and when it was displayed.
pub(super) struct Ending {
    pub(super) is_bid: bool,
    pub(super) rank: usize,
    pub(super) px: Px,
    pub(super) age: u64,
    pub(super) chain_age: u64,
}

fn emit_account(
    side: Side,
    part: FatePart,
    account: &super::sums::Account,
    has_expired: bool,
    event: &Event,
    out: &mut Out,
) {
    if account.displayed == 0 {
        return;
    }
    let (left, side) = (account.left(), Flags::side_only(side));
    // Of what rested before, messages say what became of it, and not whether the rest is there.
    let veiled = if part == FatePart::Before { left } else { account.veiled };
    let shown = left - veiled.min(left);
    let (expired, still, veiled) = if has_expired { (left, 0, 0) } else { (0, shown, left - shown) };
    emit(&fate(FateBy::Rank, part, &account.ended, expired), side, event, out);
    let record = FateShown {
        displayed: Qty(account.displayed),
        still: Qty(still),
        unknown: Qty(account.lost.saturating_add(veiled)),
        unseen: Qty(account.unseen),
        part: part.code(),
        ..Default::default()
    };
    emit(&record, side, event, out);
}

fn emit_parts(side: Side, by: FateBy, parts: &[FatePart], sums: &[Ended], event: &Event, out: &mut Out) {
    for (part, ended) in parts.iter().zip(sums).filter(|(_, ended)| **ended != Ended::default()) {
        emit(&fate(by, *part, ended, 0), Flags::side_only(side), event, out);
    }
}

fn fate(by: FateBy, part: FatePart, ended: &Ended, expired: u64) -> records::Fate {
    records::Fate {
        taken: Qty(ended.taken),
        pulled: Qty(ended.pulled),
        moved: Qty(ended.moved),
        expired: Qty(expired),
        parts_by: by.code(),
        part: part.code(),
        ..Default::default()
    }
}
