//! Random traffic for the gate: markets, requests that are often just at a limit, and a venue's answers.

use super::checker::Level;
use flow::records::{Ack, Anomaly, BookTop, Bust, Cancelled, Clear, Command, DataState, Fill, Halt, Listing, Name};
use flow::records::{Order, Reject, ReplaceRequest, Request, Status, Trade};
use flow::{Account, AnomalyKind, Event, EventId, Flags, Ns, OrderId, Px, Qty, Record, Side, StrategyId};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use std::collections::BTreeMap;

/// Price in dollars, tick in 1e-9, multiplier, decimals of quantity; of the last two the tick or the multiplier is unknown.
const LISTED: [(i64, i64, i64, u8); 8] = [
    (100, 10_000_000, 1, 0),
    (1, 100_000, 1, 0),
    (5_000, 250_000_000, 50, 0),
    (-17, 10_000_000, 1, 2),
    (30, 1, 1, 0),
    (50, 1, 1, 0),
    (30, 0, 1, 0),
    (30, 10_000_000, 0, 0),
];

/// The types of the listed: the second is a US stock about $1.00, the fourth a spread about zero.
const TYPES: [u8; 8] = [0, 1, 2, 8, 0, 0, 0, 0];

/// Instruments: those listed, one that is not, and one out of range.
pub(crate) const INSTRUMENTS: u32 = 10;

/// The symbol of an instrument: the first two have the same at two venues.
pub(crate) fn symbol(instrument: u32) -> &'static str {
    ["", "ALFA", "ALFA", "A-SYMBOL-OF-MORE-THAN-ONE-PIECE", "SPREAD", "ECHO", "FOX", "GOLF", "HOTEL", "", ""]
        [instrument.min(10) as usize]
}

pub(crate) struct Traffic {
    rng: TestRng,
    seq: u64,
    ts: u64,
    burst: u32,
    halted: bool,
    lost: bool,
    /// An instrument that halts, and by which status.
    still: Option<(u32, u8)>,
    /// Whether the data of some instrument are doubtful.
    doubtful: bool,
    mids: BTreeMap<u32, i64>,
    counters: BTreeMap<(Account, StrategyId), u64>,
    /// Orders that left, and may still be answered.
    pub(crate) live: Vec<(u32, Side, Order)>,
    pub(crate) limits: BTreeMap<u16, i64>,
    /// The tables whose limits commands set.
    pub(crate) levels: Vec<Level>,
    /// Executions so far.
    fills: Vec<Event>,
}

impl Traffic {
    pub(crate) fn new(seed: u64, limits: &BTreeMap<u16, i64>) -> Traffic {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Traffic {
            rng: TestRng::from_seed(RngAlgorithm::ChaCha, &bytes),
            seq: 0,
            ts: 1_000_000_000,
            burst: 0,
            halted: false,
            lost: false,
            still: None,
            doubtful: false,
            mids: (1..).zip(LISTED.map(|l| l.0 * Px::ONE)).collect(),
            counters: BTreeMap::new(),
            live: Vec::new(),
            limits: limits.clone(),
            levels: Vec::new(),
            fills: Vec::new(),
        }
    }

    fn below(&mut self, n: u64) -> u64 {
        self.rng.next_u64() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn event<R: Record>(&self, instrument: u32, side: Side, record: &R) -> Event {
        let id = EventId::new(self.seq, 0, 0);
        Event { id, source: 1, ..Event::new(Ns(self.ts), instrument, Flags::side_only(side), record) }
    }

    /// The listings.
    pub(crate) fn opening(&mut self) -> Vec<Event> {
        let listing = |(letter, (_, tick, multiplier, decimals)): (u8, &(i64, i64, i64, u8))| Listing {
            venue: [b'X', b'T', b'S', letter],
            calendar: *b"XNAS",
            currency: if letter == b'E' { *b"GBX\0" } else { *b"USD\0" },
            instrument_type: TYPES[usize::from(letter - b'A')],
            tick_px: Px(*tick),
            multiplier: multiplier * Px::ONE,
            qty_decimals: *decimals,
            ..Default::default()
        };
        let listings: Vec<_> = (b'A'..).zip(&LISTED).map(listing).collect();
        self.seq += 1;
        let listed = |(i, l): (u32, &Listing)| {
            let pieces = symbol(i).as_bytes().chunks(24);
            let (parts, mut part) = (pieces.len() as u8, 0);
            let name = |piece: &[u8]| {
                let mut name = Name { part, parts, len: piece.len() as u8, ..Name::default() };
                name.text[..piece.len()].copy_from_slice(piece);
                part += 1;
                self.event(i, Side::None, &name)
            };
            let mut events: Vec<_> = pieces.map(name).collect();
            events.push(self.event(i, Side::None, l));
            events
        };
        (1..).zip(&listings).flat_map(listed).collect()
    }

    /// What one input brings: itself, or the requests that stages made of it.
    pub(crate) fn next(&mut self) -> Vec<Event> {
        self.seq += 1;
        if self.burst == 0 && self.one_in(400) {
            self.burst = 60;
        }
        self.burst = self.burst.saturating_sub(1);
        let step = if self.burst > 0 { 20_000 } else { 2_000_000 };
        self.ts += self.below(step);
        if self.one_in(5_000) {
            self.ts += 3_000_000_000;
        }
        match self.below(100) {
            0..32 => vec![self.request(0, 0)],
            32..40 => vec![self.replace()],
            40..44 => self.group(),
            44..78 => vec![self.answer()],
            78..80 => vec![self.taken_back()],
            80..98 => vec![self.market()],
            _ => vec![self.control()],
        }
    }

    fn market(&mut self) -> Event {
        let instrument = [1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 1, 2, 3][self.below(15) as usize];
        let instrument = if self.one_in(1_500) { 6 } else { instrument };
        if self.one_in(4) {
            let flags = if self.one_in(3) { Flags::SNAPSHOT } else { Flags::NONE };
            let event = self.event(instrument, Side::Buy, &Trade { qty: Qty(1), ..Default::default() });
            return Event { flags, ..event };
        }
        let move_by = self.below(21) as i64 - 10;
        let mid = self.mids.get_mut(&instrument).expect("it is listed");
        if instrument == 4 {
            *mid = (*mid + move_by * 20_000_000).clamp(-18 * Px::ONE, 2 * Px::ONE);
        }
        *mid += *mid / 10_000 * move_by;
        let half = mid.abs() / 4_000;
        let (mut bid_px, mut ask_px) = (Px(*mid - half), Px(*mid + half));
        if instrument != 6 && self.one_in(60) {
            bid_px = Px::NONE;
        }
        if instrument != 6 && self.one_in(60) {
            ask_px = Px::NONE;
        }
        self.event(instrument, Side::None, &BookTop { bid_px, ask_px, ..Default::default() })
    }

    fn id(&mut self) -> u64 {
        let pair = if self.one_in(150) { self.below(12) } else { self.below(4) };
        let (account, strategy) = (Account(1 + (pair % 2) as u8), StrategyId(1 + (pair / 2) as u16));
        let counter = self.counters.entry((account, strategy)).or_insert(0);
        *counter += 1;
        let counter = *counter;
        match self.below(100) {
            0..2 => OrderId::new(account, strategy, counter.saturating_sub(1)).0,
            2 => OrderId::new(account, strategy, 1).0,
            3 if self.one_in(4) => OrderId::new(Account::NONE, strategy, counter).0,
            _ => OrderId::new(account, strategy, counter).0,
        }
    }

    fn px(&mut self, instrument: u32) -> Px {
        let mid = self.mids.get(&instrument).copied().unwrap_or(Px::ONE);
        let tick = LISTED.get(instrument as usize - 1).map_or(1, |l| l.1.max(1));
        let bps = match self.below(40) {
            0 => 900,
            1 => 480 + self.below(40) as i64,
            _ => self.below(300) as i64,
        };
        let px = if self.one_in(2) { mid + mid / 10_000 * bps } else { mid - mid / 10_000 * bps };
        let px = px.div_euclid(tick) * tick;
        match self.below(300) {
            0 => Px::NONE,
            1 => Px(0),
            2 | 3 => Px(px + 1),
            _ => Px(px),
        }
    }

    fn qty(&mut self, instrument: u32) -> Qty {
        let usual = if instrument == 3 { 2 } else { 900 };
        Qty(match self.below(60) {
            0 => 0,
            1 => u64::MAX >> self.below(64),
            2 => (self.limits[&3] as u64 + self.below(3)).saturating_sub(1),
            3 => 1 + self.below(6_000),
            _ => 1 + self.below(usual),
        })
    }

    fn request(&mut self, group: u32, legs: u8) -> Event {
        let instrument = if self.one_in(20) {
            [6, 6, 6, 6, 6, 6, 6, 6, 7, 8, 9, 10][self.below(12) as usize]
        } else {
            1 + self.below(5) as u32
        };
        let side = [Side::Buy, Side::Sell][self.below(2) as usize];
        let side = if self.one_in(400) { Side::None } else { side };
        let market = self.one_in(10);
        let px = if market && !self.one_in(50) { Px::NONE } else { self.px(instrument) };
        let (order_type, tif) = (1 + u8::from(market), 1 + self.below(4) as u8);
        let order_type = if self.one_in(400) { 3 } else { order_type };
        let tif = if self.one_in(400) { 0 } else { tif };
        let (order_id, qty) = (self.id(), self.qty(instrument));
        let reduces = if group == 0 && self.one_in(12) { 1 + self.below(2) as u8 } else { 0 };
        let request = Request { order_id, px, qty, group, order_type, tif, legs, reduces, ..Default::default() };
        let event = self.event(instrument, side, &request);
        Event { id: EventId::new(self.seq, 9, 0), ..event }
    }

    fn replace(&mut self) -> Event {
        let Some((instrument, side, order)) = self.any() else { return self.request(0, 0) };
        let instrument = if self.one_in(50) { 1 } else { instrument };
        let side = if self.one_in(50) { side.opposite() } else { side };
        let pair = OrderId(order.order_id);
        let counter = self.counters.entry((pair.account(), pair.strategy())).or_insert(0);
        *counter += 1;
        let new_id = OrderId::new(pair.account(), pair.strategy(), *counter).0;
        let new_id = if self.one_in(50) { self.id() } else { new_id };
        let (px, qty) = (self.px(instrument), self.qty(instrument));
        let replace = ReplaceRequest { order_id: order.order_id, new_id, px, qty, ..Default::default() };
        Event { id: EventId::new(self.seq, 9, 0), ..self.event(instrument, side, &replace) }
    }

    /// Legs of a group, now and then one too few, too many, or of another group.
    fn group(&mut self) -> Vec<Event> {
        let legs = if self.one_in(30) { self.below(20) as u8 } else { 2 + self.below(2) as u8 };
        let group = 1 + self.below(5) as u32;
        let come = if self.one_in(10) { self.below(20) } else { u64::from(legs.max(1)) };
        let mut requests = Vec::new();
        for _ in 0..come.max(1) {
            let legs = if self.one_in(100) { legs + 1 } else { legs };
            let group = if self.one_in(60) { 9 } else { group };
            requests.push(self.request(group, legs));
            if self.one_in(20) {
                requests.push(self.request(0, 0));
            }
        }
        requests
    }

    fn any(&mut self) -> Option<(u32, Side, Order)> {
        let n = self.live.len() as u64;
        let at = self.below(n.max(1)) as usize;
        self.live.get(at).copied()
    }

    /// An answer, mostly a sound one, also when it does not end the order here.
    fn answer(&mut self) -> Event {
        let n = self.live.len();
        if n == 0 {
            return self.market();
        }
        let at = self.below(n as u64) as usize;
        let (instrument, side, Order { order_id, qty, replaces, .. }) = self.live[at];
        let what = if n > 100 { 12 } else { self.below(20) };
        let action = if what < 19 { 1 } else { 2 + self.below(2) as u8 };
        if what >= 11 && action != 2 {
            self.live.swap_remove(at);
        }
        let part = Qty(1 + self.below(qty.0.max(1)));
        match what {
            0..3 => self.event(instrument, side, &Ack { order_id, replaces, ..Default::default() }),
            3..6 => self.executed(instrument, side, Fill { order_id, qty: part, ..Default::default() }),
            6..11 => self.executed(instrument, side, Fill { order_id, qty, ..Default::default() }),
            11..18 => self.event(instrument, side, &Cancelled { order_id, qty, ..Default::default() }),
            _ => self.event(instrument, side, &Reject { order_id, action, cause: part.0 % 2, ..Default::default() }),
        }
    }

    fn executed(&mut self, instrument: u32, side: Side, fill: Fill) -> Event {
        let match_id = if fill.match_id == 0 { self.fills.len() as u64 + 1 } else { fill.match_id };
        let event = self.event(instrument, side, &Fill { match_id, px: Px(7), ..fill });
        self.fills.push(event);
        event
    }

    /// A bust, mostly of one of the last executions, or the correction of one.
    fn taken_back(&mut self) -> Event {
        let far = if self.one_in(20) { 400 } else { 12 };
        let back = self.below(far) as usize;
        let Some(of) = self.fills.iter().rev().nth(back).copied() else { return self.market() };
        let Fill { order_id, match_id, px, qty, .. } = *of.record();
        if self.one_in(4) {
            let qty = Qty(1 + self.below(qty.0.max(1)));
            return self.executed(of.instrument, of.side(), Fill { order_id, match_id, qty, ..Default::default() });
        }
        let qty = if self.one_in(20) { Qty(qty.0 + 1) } else { qty };
        self.event(of.instrument, of.side(), &Bust { order_id, match_id, px, qty, fee: 0 })
    }

    fn control(&mut self) -> Event {
        if self.lost || self.one_in(8) {
            return self.trouble();
        }
        if self.doubtful || self.one_in(20) {
            return self.data_state();
        }
        if self.still.is_some() || self.one_in(20) {
            return self.status();
        }
        if self.one_in(40) {
            let action = if self.halted || self.one_in(2) { 3 } else { 2 };
            return self.event(0, Side::None, &Command { action, ..Default::default() });
        }
        if self.halted || self.one_in(12) {
            self.halted = !self.halted;
            let action = if self.halted { 1 } else { 2 };
            if self.halted && self.one_in(2) {
                return self.event(0, Side::None, &Halt { reason: 1, ..Default::default() });
            }
            return self.event(0, Side::None, &Command { action, ..Default::default() });
        }
        if self.one_in(12) {
            let instrument = if self.one_in(20) { 0 } else { 1 + self.below(5) as u32 };
            return self.event(instrument, Side::None, &Clear::default());
        }
        self.set_limit()
    }

    /// An instrument halts, and trades again; statuses that say neither come too.
    fn status(&mut self) -> Event {
        let (instrument, what, code) = match self.still.take() {
            Some((instrument, what)) => {
                (instrument, what, [*b"T\0\0\0", *b"7\0\0\0", *b"T   "][self.below(3) as usize])
            }
            None => {
                let (instrument, what) = (self.below(6) as u32, 1 + self.below(5) as u8);
                let codes = [*b"H\0\0\0", *b"P   ", *b"Q\0\0\0", *b"8\0\0\0", *b"15\0\0", *b"12  "];
                if matches!(what, 2 | 3) {
                    self.still = Some((instrument, what));
                }
                (instrument, what, codes[self.below(codes.len() as u64) as usize])
            }
        };
        self.event(instrument, Side::None, &Status { code, what, ..Default::default() })
    }

    /// Data of an instrument, a source or all become doubtful, and are trusted again; an operator asks for that too.
    fn data_state(&mut self) -> Event {
        let all = if self.doubtful { self.below(4) > 0 } else { self.one_in(12) };
        let instrument = if all { 0 } else { 1 + self.below(5) as u32 };
        if self.one_in(4) {
            return self.event(instrument, Side::None, &Command { action: 7, ..Default::default() });
        }
        self.doubtful = !self.doubtful;
        let of = match (instrument, self.doubtful) {
            (0, true) => 1 + self.below(2) as u8,
            (0, false) if self.one_in(4) => self.below(3) as u8,
            _ => 0,
        };
        let state = if self.doubtful { 2 } else { 1 };
        self.event(instrument, Side::None, &DataState { state, of, ..Default::default() })
    }

    /// The session is lost and back, an order is not answered; now and then a feed says the same, which does not count.
    fn trouble(&mut self) -> Event {
        let what = match self.any() {
            _ if self.lost => AnomalyKind::SessionBack,
            Some(_) if !self.one_in(6) => AnomalyKind::UnansweredOrder,
            _ => AnomalyKind::SessionLost,
        };
        let source = if self.one_in(10) { 1 } else { 255 };
        if source == 255 {
            self.lost = what == AnomalyKind::SessionLost;
        }
        let order = self.any().map_or(7, |(_, _, order)| order.order_id);
        let event = self.event(0, Side::None, &Anomaly { what: what as u16, detail: order, ..Default::default() });
        Event { source, ..event }
    }

    /// A limit of a table wanders about what it was at first; some that no table has are asked for.
    fn set_in_table(&mut self) -> Event {
        let table = 1 + self.below(self.levels.len() as u64 + 1) as usize;
        let checks: Vec<u16> = self.levels.get(table - 1).map_or_else(Vec::new, |l| l.limits.keys().copied().collect());
        let check = if self.one_in(20) { 3 } else { checks.get(self.below(4) as usize).copied().unwrap_or(6) };
        let known = self.levels.get(table - 1).and_then(|level| level.limits.get(&check)).copied();
        let first = super::configured().get(&(table as u16, check)).copied().unwrap_or(1);
        let old = if self.one_in(8) { 7 } else { known.unwrap_or(0) };
        let new = match self.below(40) {
            0 => i64::MAX,
            1 => -1,
            _ => first * (95 + self.below(13) as i64) / 100,
        };
        let target = (table as u32) << 16 | u32::from(check);
        self.event(0, Side::None, &Command { action: 4, target, old, new, ..Default::default() })
    }

    /// A limit wanders about what it was at first, is now and then unbound, and is bound again.
    fn set_limit(&mut self) -> Event {
        if !self.levels.is_empty() && self.one_in(2) {
            return self.set_in_table();
        }
        let unbound = self.limits.iter().find(|(_, limit)| **limit == 0).map(|(check, _)| u32::from(*check));
        let target = unbound.filter(|_| self.one_in(2)).unwrap_or(self.below(12) as u32);
        let known = self.limits.get(&(target as u16)).copied();
        let old = if self.one_in(8) { 7 } else { known.unwrap_or(0) };
        let new = match known {
            Some(0) | None => super::limits().get(&(target as u16)).copied().unwrap_or(1),
            Some(_) if self.one_in(60) => 0,
            Some(_) if self.one_in(20) => i64::MAX,
            Some(_) => super::limits()[&(target as u16)] * (90 + self.below(21) as i64) / 100,
        };
        self.event(0, Side::None, &Command { action: 4, target, old, new, ..Default::default() })
    }
}
