//! A naive exchange: every order, the market's and ours, in one plain vector a price level, in the order of time.
//!
//! Who is ahead of whom is where they stand in the vector; nothing is counted ahead of time. It shares no code with the
//! venue. Our orders are entries that the market does not see: they are not displayed and nobody trades with them.

use super::harness::{Emitted, Terms};
use flow::{Px, Side, Tif};
use std::collections::{BTreeMap, BTreeSet};

/// How many orders that are done the venue remembers here.
const MEMORY: usize = 16;
/// Nanoseconds of a day.
pub(crate) const DAY: u64 = 86_400_000_000_000;

#[derive(Clone, Debug)]
struct Ours {
    whole: u64,
    filled: u64,
    /// The day after which it ends.
    day: Option<u64>,
    /// Who came first.
    since: u64,
}

#[derive(Clone, Debug)]
struct Entry {
    id: u64,
    /// What is left.
    qty: u64,
    ours: Option<Ours>,
}

/// Bid or ask, and price as a rank: the smaller, the better.
type Spot = (bool, i64);

fn spot(side: Side, px: i64) -> Spot {
    if side == Side::Buy { (true, -px) } else { (false, px) }
}

fn price(spot: Spot) -> i64 {
    if spot.0 { -spot.1 } else { spot.1 }
}

#[derive(Clone, Debug, Default)]
struct Market {
    levels: BTreeMap<Spot, Vec<Entry>>,
    taken: BTreeMap<Spot, u64>,
    halted: bool,
}

impl Market {
    fn shown(&self, spot: Spot) -> u64 {
        self.levels.get(&spot).map_or(0, |l| l.iter().filter(|e| e.ours.is_none()).map(|e| e.qty).sum())
    }

    /// No more can have been taken of a level than it shows; returns what is over.
    fn forget(&mut self, spot: Spot) -> u64 {
        let (shown, taken) = (self.shown(spot), self.taken.remove(&spot).unwrap_or(0));
        if taken.min(shown) > 0 {
            self.taken.insert(spot, taken.min(shown));
        }
        self.levels.retain(|_, level| !level.is_empty());
        taken.saturating_sub(shown)
    }

    fn find(&self, reference: u64) -> Option<(Spot, usize)> {
        self.levels.iter().find_map(|(spot, level)| {
            let at = level.iter().position(|e| e.ours.is_none() && e.id == reference)?;
            Some((*spot, at))
        })
    }

    /// Levels of the other side that an order on `bid` accepts, best first, with what can be had there.
    fn offers(&self, bid: bool, accepts: impl Fn(i64) -> bool) -> Vec<(Spot, u64)> {
        let all = self.levels.keys().filter(|s| s.0 != bid && self.shown(**s) > 0 && accepts(price(**s)));
        all.map(|s| (*s, self.shown(*s).saturating_sub(self.taken.get(s).copied().unwrap_or(0)))).collect()
    }

    fn take(&mut self, offers: &[(Spot, u64)], mut wanted: u64) -> Vec<(i64, u64)> {
        let mut had = Vec::new();
        for (spot, qty) in offers {
            let qty = (*qty).min(wanted);
            if qty > 0 {
                *self.taken.entry(*spot).or_default() += qty;
                had.push((price(*spot), qty));
                wanted -= qty;
            }
        }
        had
    }

    /// Our orders on a side, best price first, then by time.
    fn ours(&self, bid: bool) -> Vec<(Spot, u64)> {
        let side = self.levels.iter().filter(|(s, _)| s.0 == bid);
        side.flat_map(|(s, l)| l.iter().filter(|e| e.ours.is_some()).map(|e| (*s, e.id))).collect()
    }
}

/// All of it.
#[derive(Default)]
pub(crate) struct Reference {
    markets: BTreeMap<u32, Market>,
    /// Ids that are done, the last [`MEMORY`].
    done: Vec<u64>,
    entered: u64,
    pub(crate) emitted: Vec<Emitted>,
}

impl Reference {
    fn market(&mut self, instrument: u32) -> &mut Market {
        self.markets.entry(instrument).or_default()
    }

    fn remember(&mut self, id: u64) {
        self.done.push(id);
        if self.done.len() > MEMORY {
            self.done.remove(0);
        }
    }

    fn whereabouts(&self, id: u64) -> Option<(u32, Spot, usize)> {
        self.markets.iter().find_map(|(instrument, market)| {
            market.levels.iter().find_map(|(spot, level)| {
                let at = level.iter().position(|e| e.ours.is_some() && e.id == id)?;
                Some((*instrument, *spot, at))
            })
        })
    }

    /// Price, shares ahead, open and filled of each order of ours.
    pub(crate) fn standing(&self) -> Vec<(u64, i64, u64, u64, u64)> {
        let mut all = Vec::new();
        for (spot, level) in self.markets.values().flat_map(|m| &m.levels) {
            let mut ahead = 0;
            for entry in level {
                match &entry.ours {
                    None => ahead += entry.qty,
                    Some(ours) => all.push((entry.id, price(*spot), ahead, entry.qty, ours.filled)),
                }
            }
        }
        all
    }

    fn hit(&mut self, instrument: u32, spot: Spot, id: u64, qty: u64, liquidity: u8) {
        let level = self.market(instrument).levels.get_mut(&spot).unwrap();
        let at = level.iter().position(|e| e.ours.is_some() && e.id == id).unwrap();
        level[at].qty -= qty;
        level[at].ours.as_mut().unwrap().filled += qty;
        if level[at].qty == 0 {
            level.remove(at);
            self.remember(id);
        }
        self.emitted.push(Emitted::Fill(id, price(spot), qty, liquidity));
    }

    pub(crate) fn expire(&mut self, instrument: u32, now: u64) {
        for bid in [true, false] {
            for (spot, id) in self.market(instrument).ours(bid) {
                let level = self.market(instrument).levels.get_mut(&spot).unwrap();
                let at = level.iter().position(|e| e.ours.is_some() && e.id == id).unwrap();
                if level[at].ours.as_ref().unwrap().day.is_some_and(|day| day < now / DAY) {
                    let entry = level.remove(at);
                    self.remember(id);
                    self.emitted.push(Emitted::Cancelled(id, entry.qty, 4));
                }
            }
        }
    }

    // --- the market ---

    pub(crate) fn halt(&mut self, instrument: u32, halted: bool) {
        self.market(instrument).halted = halted;
    }

    pub(crate) fn clear(&mut self, instrument: u32) {
        let market = self.market(instrument);
        market.levels.values_mut().for_each(|l| l.retain(|e| e.ours.is_some()));
        market.levels.retain(|_, level| !level.is_empty());
    }

    pub(crate) fn add(&mut self, instrument: u32, side: Side, px: i64, id: u64, qty: u64) {
        let (market, at) = (self.market(instrument), spot(side, px));
        market.forget(at);
        market.levels.entry(at).or_default().push(Entry { id, qty, ours: None });
    }

    /// An order that was there all along: behind the market's orders, before those of ours that are behind all of them.
    pub(crate) fn restate(&mut self, instrument: u32, side: Side, px: i64, id: u64, qty: u64) {
        let level = self.market(instrument).levels.entry(spot(side, px)).or_default();
        let place = level.iter().rposition(|e| e.ours.is_none()).map_or(0, |last| last + 1);
        level.insert(place, Entry { id, qty, ours: None });
    }

    /// Takes shares off an order of the market; `trade` = they were executed.
    pub(crate) fn reduce(&mut self, instrument: u32, reference: u64, qty: u64, trade: bool) {
        let Some((spot, at)) = self.market(instrument).find(reference) else { return };
        let level = &self.market(instrument).levels[&spot];
        let qty = qty.min(level[at].qty);
        let first = level.iter().position(|e| e.ours.is_none()).unwrap();
        let before: BTreeSet<u64> = level[..first].iter().map(|e| e.id).collect();
        if trade {
            // Whoever of ours stands at a better price, or here before everybody, would have had it.
            let mut left = qty;
            for (where_, id) in self.market(instrument).ours(spot.0) {
                let better = where_ < spot;
                if better || (where_ == spot && before.contains(&id)) {
                    let level = &self.market(instrument).levels[&where_];
                    let open = level.iter().find(|e| e.ours.is_some() && e.id == id).unwrap().qty;
                    let fill = open.min(left);
                    left -= fill;
                    if fill > 0 {
                        self.hit(instrument, where_, id, fill, 1);
                    }
                }
            }
        }
        let (_, at) = self.market(instrument).find(reference).unwrap();
        let level = self.market(instrument).levels.get_mut(&spot).unwrap();
        level[at].qty -= qty;
        level.retain(|e| e.qty > 0);
        self.market(instrument).forget(spot);
    }

    pub(crate) fn replace(&mut self, instrument: u32, reference: u64, new: u64, px: i64, qty: u64) {
        let Some((at, place)) = self.market(instrument).find(reference) else { return };
        let market = self.market(instrument);
        let level = market.levels.get_mut(&at).unwrap();
        if reference == new && price(at) == px && qty <= level[place].qty {
            level[place].qty = qty;
            market.forget(at);
            return;
        }
        level.remove(place);
        // Of what was taken here, what is left here cannot be more than is shown; the rest moves on with the order.
        let moves = market.forget(at).min(qty);
        let to = (at.0, if at.0 { -px } else { px });
        market.forget(to);
        market.levels.entry(to).or_default().push(Entry { id: new, qty, ours: None });
        if moves > 0 {
            *market.taken.entry(to).or_default() += moves;
        }
    }

    /// A trade with somebody who was not displayed.
    pub(crate) fn hidden(&mut self, instrument: u32, aggressor: Side, px: i64, qty: u64) {
        let mut left = qty;
        for bid in [true, false] {
            let side = if bid { Side::Buy } else { Side::Sell };
            let at = spot(side, px);
            for (where_, id) in self.market(instrument).ours(bid) {
                let level = &self.market(instrument).levels[&where_];
                let place = level.iter().position(|e| e.ours.is_some() && e.id == id).unwrap();
                let first = level[..place].iter().all(|e| e.ours.is_some());
                if where_ < at || (where_ == at && first && aggressor != side) {
                    let fill = level[place].qty.min(left);
                    left -= fill;
                    if fill > 0 {
                        self.hit(instrument, where_, id, fill, 1);
                    }
                }
            }
        }
    }

    /// What the other side displays at or through our price is ours.
    pub(crate) fn crossed(&mut self, instrument: u32) {
        if self.market(instrument).halted {
            return;
        }
        for bid in [true, false] {
            for (at, id) in self.market(instrument).ours(bid) {
                let limit = price(at);
                let market = self.market(instrument);
                let offers = market.offers(bid, |px| if bid { px <= limit } else { px >= limit });
                let open = market.levels[&at].iter().find(|e| e.ours.is_some() && e.id == id).unwrap().qty;
                let had: u64 = market.take(&offers, open).iter().map(|h| h.1).sum();
                if had > 0 {
                    self.hit(instrument, at, id, had, 1);
                }
            }
        }
    }

    // --- the pipeline ---

    fn known(&self, id: u64) -> bool {
        self.done.contains(&id) || self.whereabouts(id).is_some()
    }

    pub(crate) fn enter(&mut self, terms: Terms, now: u64, room: usize) {
        let Terms { instrument, side, id, px, qty, tif } = terms;
        let market = px == Px::NONE;
        let rests = !market && matches!(tif, Tif::Day | Tif::GoodTillCancelled);
        let other = self.market(instrument).offers(side == Side::Buy, |_| true);
        let live: usize = self.standing().len();
        let reason = if qty == 0 {
            Some(4)
        } else if self.known(id) {
            Some(5)
        } else if !market && px.0 <= 0 {
            Some(4)
        } else if self.market(instrument).halted {
            Some(7)
        } else if market && other.is_empty() {
            Some(3)
        } else if rests && live == room {
            Some(6)
        } else {
            None
        };
        if let Some(reason) = reason {
            return self.emitted.push(Emitted::Reject(id, 1, reason));
        }
        self.expire(instrument, now);
        self.emitted.push(Emitted::Ack(id, 0));
        let day = (tif == Tif::Day).then_some(now / DAY);
        let ours = Ours { whole: qty, filled: 0, day, since: 0 };
        let left = self.arrive(terms, ours);
        let reason = match tif {
            Tif::FillOrKill => 3,
            _ if market => 5,
            _ => 2,
        };
        if left > 0 && !rests {
            self.emitted.push(Emitted::Cancelled(id, left, reason));
        }
        if left == 0 || !rests {
            self.remember(id);
        }
    }

    /// Walks the depth, lets the rest stand if it may; what was left.
    fn arrive(&mut self, terms: Terms, mut ours: Ours) -> u64 {
        let Terms { instrument, side, id, px, tif, .. } = terms;
        let bid = side == Side::Buy;
        let accepts = |at: i64| px == Px::NONE || if bid { at <= px.0 } else { at >= px.0 };
        let offers = self.market(instrument).offers(bid, accepts);
        let mut left = ours.whole - ours.filled;
        if tif == Tif::FillOrKill && offers.iter().map(|o| o.1).sum::<u64>() < left {
            return left;
        }
        for (at, qty) in self.market(instrument).take(&offers, left) {
            self.emitted.push(Emitted::Fill(id, at, qty, 2));
            left -= qty;
            ours.filled += qty;
        }
        let rests = px != Px::NONE && matches!(tif, Tif::Day | Tif::GoodTillCancelled);
        if rests && left > 0 {
            self.entered += 1;
            ours.since = self.entered;
            let level = self.market(instrument).levels.entry(spot(side, px.0)).or_default();
            level.push(Entry { id, qty: left, ours: Some(ours) });
        }
        left
    }

    /// Where a live order is; or why there is none.
    fn live(&mut self, id: u64, now: u64) -> Result<(u32, Spot, usize), u32> {
        if let Some((instrument, ..)) = self.whereabouts(id) {
            self.expire(instrument, now);
        }
        self.whereabouts(id).ok_or(if self.done.contains(&id) { 2 } else { 1 })
    }

    fn out(&mut self, (instrument, at, place): (u32, Spot, usize)) -> Entry {
        let entry = self.market(instrument).levels.get_mut(&at).unwrap().remove(place);
        self.remember(entry.id);
        entry
    }

    pub(crate) fn cancel(&mut self, id: u64, now: u64) {
        match self.live(id, now) {
            Ok(at) => {
                let entry = self.out(at);
                self.emitted.push(Emitted::Cancelled(id, entry.qty, 1));
            }
            Err(reason) => self.emitted.push(Emitted::Reject(id, 2, reason)),
        }
    }

    pub(crate) fn cancel_all(&mut self, instrument: u32) {
        let mut all: Vec<(u64, u64)> = Vec::new();
        for (at, market) in &self.markets {
            let entries = market.levels.values().flatten().filter(|_| instrument == 0 || instrument == *at);
            all.extend(entries.filter_map(|e| e.ours.as_ref().map(|o| (o.since, e.id))));
        }
        all.sort_unstable();
        for (_, id) in all {
            let at = self.whereabouts(id).unwrap();
            let entry = self.out(at);
            self.emitted.push(Emitted::Cancelled(id, entry.qty, 6));
        }
    }

    pub(crate) fn renew(&mut self, terms: Terms, old: u64, now: u64) {
        let Terms { id, px, qty, .. } = terms;
        let (instrument, at, place) = match self.live(old, now) {
            Ok(at) => at,
            Err(reason) => return self.emitted.push(Emitted::Reject(id, 3, reason)),
        };
        let ours = self.market(instrument).levels[&at][place].ours.clone().unwrap();
        let reason = if qty == 0 || px == Px::NONE || px.0 <= 0 {
            Some(4)
        } else if self.known(id) {
            Some(5)
        } else if qty <= ours.filled {
            Some(2)
        } else {
            self.market(instrument).halted.then_some(7)
        };
        if let Some(reason) = reason {
            return self.emitted.push(Emitted::Reject(id, 3, reason));
        }
        self.emitted.push(Emitted::Ack(id, old));
        if price(at) == px.0 && qty <= ours.whole {
            let entry = &mut self.market(instrument).levels.get_mut(&at).unwrap()[place];
            (entry.id, entry.qty) = (id, qty - ours.filled);
            entry.ours.as_mut().unwrap().whole = qty;
            self.remember(old);
            return;
        }
        self.out((instrument, at, place));
        let side = if at.0 { Side::Buy } else { Side::Sell };
        let tif = Tif::GoodTillCancelled;
        let terms = Terms { instrument, side, tif, ..terms };
        if self.arrive(terms, Ours { whole: qty, ..ours }) == 0 {
            self.remember(id);
        }
    }
}
