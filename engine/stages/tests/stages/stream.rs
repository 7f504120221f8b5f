//! Random messages over domains so small that references, prices and bounds collide all the time.

use flow::records::{Add, Break, Cancel, Clear, Delete, Exec, Level, Listing, Quote, Replace, Trade};
use flow::{BookKind, Definition, Event, Flags, InstrumentType, Kind, Listings, Mic, Ns, Px, Qty, Side};
use flow::{Inputs, Record};
use proptest::prelude::*;

/// What a step is made of; each number is taken modulo what it chooses from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    action: u8,
    instrument: u8,
    reference: u8,
    px: u8,
    qty: u8,
    flags: u8,
}

/// A stream of up to `len` steps.
pub(crate) fn steps(len: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = any::<[u8; 6]>().prop_map(|[action, instrument, reference, px, qty, flags]| Step {
        action,
        instrument,
        reference,
        px,
        qty,
        flags,
    });
    prop::collection::vec(step, 1..len)
}

/// The source of an instrument.
pub(crate) fn source_of(instrument: u32) -> u8 {
    1 + (instrument >= 4) as u8
}

/// The listing of an instrument with a given kind of book.
pub(crate) fn listing(instrument: u32, book: BookKind, instrument_type: InstrumentType) -> Vec<Event> {
    let symbol = format!("S{instrument}");
    let calendar = Mic(if instrument.is_multiple_of(2) { *b"XNAS" } else { *b"----" });
    let (venue, multiplier) = (Mic(*b"XTST"), Px::ONE);
    let definition = Definition { symbol, venue, calendar, instrument_type, book, multiplier, ..Default::default() };
    let mut inputs = Inputs::with_capacity(0);
    definition.push(&mut inputs, Ns(1), instrument, 1);
    let stamped = |e: &Event| Event { source: source_of(instrument), ..*e };
    inputs.waiting().iter().map(stamped).collect()
}

/// The listings that every stream begins with: by order 1, 2 and 4, by level 3, quotes 5, none 6; 7 is not listed.
pub(crate) fn opening() -> (Vec<Event>, Listings) {
    let kinds =
        [BookKind::ByOrder, BookKind::ByOrder, BookKind::ByLevel, BookKind::ByOrder, BookKind::Quotes, BookKind::None];
    let mut listings = Listings::default();
    let mut events = Vec::new();
    for (instrument, kind) in (1..).zip(kinds) {
        for event in listing(instrument, kind, InstrumentType::Equity) {
            listings.observe(&event);
            if event.kind == Kind::Listing {
                events.push(event);
            }
        }
    }
    (events, listings)
}

impl Step {
    /// The message that the step stands for.
    pub(crate) fn event(self, ts: u64) -> Event {
        let side = if self.px.is_multiple_of(2) { Side::Buy } else { Side::Sell };
        let exchange_ts = Ns(ts);
        let order_ref = u64::from(self.reference % 24);
        let qty = Qty(u64::from(self.qty % 9));
        let match_id = u64::from(self.flags / 3 % 12);
        let px = match self.px {
            0 => Px::NONE,
            1 => Px(-5),
            2 => Px(0),
            p => Px(100 + i64::from(p % 8) - if side == Side::Buy { 3 } else { 0 }),
        };
        match self.action {
            0..90 => self.make(ts, side, &Add { exchange_ts, order_ref, px, qty, ..Default::default() }),
            90..120 => {
                let px = if self.flags >= 128 || self.px < 2 { Px::NONE } else { px };
                self.make(ts, side, &Exec { exchange_ts, order_ref, px, qty, match_id })
            }
            120..145 => self.make(ts, side, &Cancel { exchange_ts, order_ref, px, qty, ..Default::default() }),
            145..180 => self.make(ts, side, &Delete { exchange_ts, order_ref, px, qty, ..Default::default() }),
            180..220 => {
                let new_ref = if self.flags.is_multiple_of(3) { order_ref } else { u64::from(self.flags % 24) };
                self.make(ts, side, &Replace { exchange_ts, order_ref, new_ref, px, qty })
            }
            220..236 => {
                let orders = u32::from(self.reference % 5);
                self.make(ts, side, &Level { exchange_ts, px, qty, orders, reserved: [0; 12] })
            }
            236..240 => self.make(ts, side, &Trade { exchange_ts, px, qty, match_id, ..Default::default() }),
            240..244 => self.make(ts, side, &Break { exchange_ts, match_id, ..Default::default() }),
            244..250 => {
                let ask_px = Px(px.0.saturating_add(i64::from(self.reference % 3) - 1));
                let ask_qty = Qty(u64::from(self.reference % 4));
                self.make(ts, side, &Quote { exchange_ts, bid_px: px, bid_qty: qty, ask_px, ask_qty })
            }
            250..253 => self.make(ts, Side::None, &Clear { exchange_ts, ..Default::default() }),
            253 => {
                let clear = Clear { exchange_ts, ..Default::default() };
                let instrument = if self.flags < 60 { 0 } else { u32::from(self.instrument % 8) };
                Event { instrument, source: 1 + self.flags % 2, ..self.make(ts, Side::None, &clear) }
            }
            _ => {
                let listing = Listing { book: self.px % 4, instrument_type: 1 + self.qty % 2, ..Default::default() };
                let event = self.make(ts, Side::None, &listing);
                let own = if self.reference.is_multiple_of(3) { Flags::OWN_REFERENCES } else { Flags::NONE };
                Event { flags: event.flags.with(own), ..event }
            }
        }
    }

    fn make<R: Record>(self, ts: u64, side: Side, record: &R) -> Event {
        let bits = [
            (!self.flags.is_multiple_of(4), Flags::LAST_OF_GROUP),
            (self.flags % 16 == 1, Flags::SNAPSHOT),
            (self.flags % 16 == 5, Flags::NON_PRINTABLE),
            (self.flags % 16 == 9, Flags::AUCTION),
            (self.flags % 16 == 10, Flags::HIDDEN),
            (self.flags % 8 == 3, Flags::LAST_OF_PACKET),
        ];
        let flags = bits.into_iter().filter(|b| b.0).fold(Flags::NONE, |flags, b| flags.with(b.1));
        let side = if self.reference == 255 { Side::None } else { side };
        let instrument = match self.instrument {
            0 => 0,
            1 => 900,
            2..10 => 7,
            i => 1 + u32::from(i % 6),
        };
        let event = Event::new(Ns(ts), instrument, flags.with_side(side), record);
        Event { source: source_of(instrument), ..event }
    }
}
