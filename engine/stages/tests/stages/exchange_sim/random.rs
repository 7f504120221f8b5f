//! Random markets and random orders of ours: answers and queue positions are those of the naive exchange, after every
//! event; and a venue that is saved and loaded in the middle goes on alike.

use super::harness::{Emitted, SimInstrument, Terms};
use super::reference::{DAY, Reference};
use flow::records::{Add, Cancel, Clear, Delete, Exec, Replace, Status, Trade};
use flow::{Event, Flags, Ns, Px, Qty, Record, Side, Tif};

/// Streams in a quick run, and where `TIDEGATE_FULL` is set.
const STREAMS: [u64; 2] = [100, 2_000];
/// Events of a stream.
const EVENTS: usize = 600;

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn side(&mut self) -> Side {
        if self.one_in(2) { Side::Buy } else { Side::Sell }
    }
}

/// What happened over all streams, so that a test that saw nothing is found.
#[derive(Default, Debug)]
struct Seen {
    added: u64,
    removed: u64,
    partly: u64,
    rejected: [u64; 8],
    cancelled: [u64; 7],
    replaced: u64,
}

struct Stream {
    dice: Dice,
    rig: SimInstrument,
    reference: Reference,
    /// A second venue that takes over in the middle.
    other: Option<SimInstrument>,
    /// Whether the orders that are added now were there before.
    restating: bool,
    next_ref: u64,
    next_id: u64,
}

impl Stream {
    fn new(seed: u64) -> Stream {
        let reference = Reference::default();
        let rig = SimInstrument::new(&[]);
        Stream { dice: Dice(seed), rig, reference, other: None, restating: false, next_ref: 0, next_id: 0 }
    }

    /// A price near 100: bids mostly below, asks mostly above, some across.
    fn price(&mut self, side: Side) -> i64 {
        let off = self.dice.below(7) as i64 - 1;
        if side == Side::Buy { 100 - off } else { 101 + off }
    }

    fn some_ref(&mut self) -> u64 {
        self.next_ref.saturating_sub(self.dice.below(30))
    }

    fn some_id(&mut self) -> u64 {
        self.next_id.saturating_sub(self.dice.below(12)).max(1)
    }

    fn step(&mut self) -> Vec<Emitted> {
        self.rig.now += self.dice.below(1_000);
        if self.dice.one_in(300) {
            self.rig.now += DAY / 2;
        }
        if self.dice.below(10) < 7 { self.market() } else { self.pipeline() }
    }

    fn input<R: Record>(
        &mut self,
        instrument: u32,
        flags: Flags,
        record: &R,
        apply: impl FnOnce(&mut Reference),
    ) -> Vec<Emitted> {
        let closes = !self.dice.one_in(6);
        let flags = if closes { flags.with(Flags::LAST_OF_GROUP) } else { flags };
        let event = Event::new(Ns(0), instrument, flags, record);
        self.reference.expire(instrument, self.rig.now);
        apply(&mut self.reference);
        if closes {
            self.reference.crossed(instrument);
        }
        let emitted = self.rig.input(&event);
        if let Some(other) = &mut self.other {
            other.now = self.rig.now;
            assert_eq!(other.input(&event), emitted);
        }
        emitted
    }

    fn market(&mut self) -> Vec<Emitted> {
        let instrument = 1 + self.dice.below(2) as u32;
        let side = self.dice.side();
        let (order_ref, px, qty) = (self.some_ref(), self.price(side), 1 + self.dice.below(300));
        let flags = Flags::side_only(side);
        match self.dice.below(200) {
            0..80 => {
                self.next_ref += 1;
                let id = self.next_ref * 2 + u64::from(instrument - 1);
                let add = Add { order_ref: id, px: Px(px), qty: Qty(qty), ..Add::default() };
                // After a clear the book is restated, until the first order that is news.
                self.restating &= !self.dice.one_in(12);
                if self.restating {
                    let flags = flags.with(Flags::SNAPSHOT);
                    return self.input(instrument, flags, &add, |t| t.restate(instrument, side, px, id, qty));
                }
                self.input(instrument, flags, &add, |t| t.add(instrument, side, px, id, qty))
            }
            80..130 => {
                let order_ref = order_ref * 2 + u64::from(instrument - 1);
                let quiet = self.dice.one_in(10);
                let flags = if quiet { Flags::NON_PRINTABLE } else { Flags::NONE };
                let exec = Exec { order_ref, px: Px::NONE, qty: Qty(qty), ..Exec::default() };
                self.input(instrument, flags, &exec, |t| t.reduce(instrument, order_ref, qty, !quiet))
            }
            130..150 => {
                let order_ref = order_ref * 2 + u64::from(instrument - 1);
                let cancel = Cancel { order_ref, qty: Qty(qty), ..Cancel::default() };
                self.input(instrument, Flags::NONE, &cancel, |t| t.reduce(instrument, order_ref, qty, false))
            }
            150..170 => {
                let order_ref = order_ref * 2 + u64::from(instrument - 1);
                let delete = Delete { order_ref, ..Delete::default() };
                self.input(instrument, Flags::NONE, &delete, |t| t.reduce(instrument, order_ref, u64::MAX, false))
            }
            170..185 => {
                let order_ref = order_ref * 2 + u64::from(instrument - 1);
                let mut new_ref = order_ref;
                if self.dice.one_in(2) {
                    self.next_ref += 1;
                    new_ref = self.next_ref * 2 + u64::from(instrument - 1);
                }
                let replace = Replace { order_ref, new_ref, px: Px(px), qty: Qty(qty), ..Replace::default() };
                self.input(instrument, Flags::NONE, &replace, |t| t.replace(instrument, order_ref, new_ref, px, qty))
            }
            185..197 => {
                let trade = Trade { px: Px(px), qty: Qty(qty), ..Trade::default() };
                let aggressor = if self.dice.one_in(2) { Side::None } else { side };
                let flags = Flags::HIDDEN.with_side(aggressor);
                self.input(instrument, flags, &trade, |t| t.hidden(instrument, aggressor, px, qty))
            }
            197..199 => {
                let halted = self.dice.one_in(4);
                let code = if halted { *b"H\0\0\0" } else { *b"T\0\0\0" };
                let status = Status { code, what: flow::StatusKind::Trading.code(), ..Status::default() };
                self.input(instrument, Flags::NONE, &status, |t| t.halt(instrument, halted))
            }
            _ => {
                self.restating = true;
                self.input(instrument, Flags::NONE, &Clear::default(), |t| t.clear(instrument))
            }
        }
    }

    fn pipeline(&mut self) -> Vec<Emitted> {
        let now = self.rig.now;
        let side = self.dice.side();
        let instrument = 1 + self.dice.below(2) as u32;
        let tif = Tif::ALL[self.dice.below(4) as usize];
        let px = match self.dice.below(40) {
            0..4 => Px::NONE,
            4 => Px(0),
            _ => Px(self.price(side)),
        };
        let qty = if self.dice.one_in(40) { 0 } else { 1 + self.dice.below(400) };
        let fresh = self.next_id + 1;
        let id = if self.dice.one_in(30) { self.some_id() } else { fresh };
        let terms = Terms { instrument, side, id, px, qty, tif };
        let what = self.dice.below(60);
        let old = self.some_id();
        if what < 51 {
            self.next_id = self.next_id.max(id);
        }
        let apply = |rig: &mut SimInstrument| match what {
            0..36 => rig.new_order(terms),
            36..51 => rig.replace_order(terms, old),
            51..59 => rig.cancel_order(old),
            _ => rig.cancel_all(0, instrument - 1),
        };
        match what {
            0..36 => self.reference.enter(terms, now, 16),
            36..51 => self.reference.renew(terms, old, now),
            51..59 => self.reference.cancel(old, now),
            _ => self.reference.cancel_all(instrument - 1),
        }
        let emitted = apply(&mut self.rig);
        if let Some(other) = &mut self.other {
            other.now = now;
            assert_eq!(apply(other), emitted);
        }
        emitted
    }

    fn check(&mut self, emitted: &[Emitted], place: &str) {
        assert_eq!(emitted, std::mem::take(&mut self.reference.emitted), "{place}");
        for (id, px, ahead, open, filled) in self.reference.standing() {
            let own = self.rig.venue.queue_position(id).unwrap_or_else(|| panic!("{place}: {id} does not rest"));
            assert_eq!((own.px.0, own.ahead, own.open, own.filled), (px, ahead, open, filled), "{place}: order {id}");
        }
    }

    /// Saves the venue into one that has another past.
    fn hand_over(&mut self, place: &str) {
        let bytes = self.rig.saved();
        let mut other = SimInstrument::new(&[]);
        other.add(1, Side::Buy, 100, 5);
        other.new_order(super::harness::limit(9, Side::Buy, 100, 5));
        other.load(&bytes).unwrap();
        other.join(&self.rig);
        assert_eq!(other.saved(), bytes, "{place}");
        self.other = Some(other);
    }
}

fn count(seen: &mut Seen, emitted: &[Emitted]) {
    for emitted in emitted {
        match *emitted {
            Emitted::Fill(_, _, qty, liquidity) => {
                *(if liquidity == 1 { &mut seen.added } else { &mut seen.removed }) += 1;
                seen.partly += u64::from(qty < 50);
            }
            Emitted::Reject(_, _, reason) => seen.rejected[reason as usize] += 1,
            Emitted::Cancelled(_, _, reason) => seen.cancelled[reason as usize] += 1,
            Emitted::Ack(_, replaces) => seen.replaced += u64::from(replaces != 0),
        }
    }
}

#[test]
fn fills_and_queue_positions_are_those_of_a_naive_exchange() {
    let streams = STREAMS[usize::from(std::env::var_os("TIDEGATE_FULL").is_some())];
    let mut seen = Seen::default();
    for seed in 0..streams {
        let mut stream = Stream::new(seed.wrapping_mul(0xd134_2543_de82_ef95));
        for event in 0..EVENTS {
            let place = format!("seed {seed}, event {event}");
            if event == EVENTS / 2 {
                stream.hand_over(&place);
            }
            let emitted = stream.step();
            count(&mut seen, &emitted);
            stream.check(&emitted, &place);
        }
        let other = stream.other.as_ref().expect("handed over");
        assert_eq!(other.saved(), stream.rig.saved(), "seed {seed}");
        assert!(!stream.rig.replies.overflowed());
    }
    let each = |counts: &[u64]| counts.iter().all(|n| *n >= streams / 20);
    assert!(each(&[seen.added, seen.removed, seen.partly, seen.replaced]), "{seen:?}");
    assert!(each(&seen.rejected[1..]) && each(&seen.cancelled[1..]), "{seen:?}");
}
