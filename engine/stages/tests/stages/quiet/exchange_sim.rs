//! After it is built the simulated venue allocates nothing, whatever the market and the pipeline send.

use flow::records::{Add, Cancel, Delete, Exec, Level, Listing, Replace, Route, Trade};
use flow::{Approved, Event, EventId, Flags, Kind, Ns, Params, Px, Qty, Record, Side};
use stages::Space;
use stages::exchange_sim::{PARAMS, Replies, SimulatedVenue, book_params};

/// Tables so small that every bound is met.
const SMALL: [(&str, &str); 5] = [
    ("max_own_orders", "32"),
    ("max_taken_levels", "16"),
    ("max_orders", "64"),
    ("max_levels", "32"),
    ("max_books", "4"),
];

/// Numbers that jump about.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

fn event<R: Record>(ts: u64, instrument: u32, side: Side, record: &R) -> Event {
    let event = Event::new(Ns(ts), instrument, Flags::side_only(side).with(Flags::LAST_OF_GROUP), record);
    Event { source: 1, ..event }
}

/// A message of the market or, one time in three, a route.
fn random(dice: &mut Dice, ts: u64) -> Event {
    let side = if dice.below(2) == 0 { Side::Buy } else { Side::Sell };
    let instrument = 1 + dice.below(3) as u32;
    let (order_ref, px, qty) = (dice.below(80), Px(95 + dice.below(10) as i64), Qty(dice.below(50)));
    match dice.below(18) {
        0..5 => event(ts, instrument, side, &Add { order_ref, px, qty, ..Add::default() }),
        5..7 => event(ts, instrument, side, &Exec { order_ref, px, qty, ..Exec::default() }),
        7 => event(ts, instrument, side, &Cancel { order_ref, px, qty, ..Cancel::default() }),
        8 => event(ts, instrument, side, &Delete { order_ref, px, qty, ..Delete::default() }),
        9 => event(ts, instrument, side, &Replace { order_ref, new_ref: order_ref + 1, px, qty, ..Replace::default() }),
        10 => event(ts, instrument, side, &Level { px, qty, ..Level::default() }),
        11 => event(ts, instrument, side, &Trade { px, qty, ..Trade::default() }),
        _ => {
            let [action, order_type, tif] = [4, 2, 4].map(|n| 1 + dice.below(n) as u8);
            let (order_id, replaces) = (1 + dice.below(4_000), 1 + dice.below(4_000));
            event(
                ts,
                instrument,
                side,
                &Route { order_id, px, qty, replaces, action, order_type, tif, ..Route::default() },
            )
        }
    }
}

#[test]
fn nothing_is_allocated_per_event() {
    let mut params = Params::defaults(PARAMS);
    for (name, text) in SMALL {
        let param = PARAMS.iter().find(|p| p.name == name).unwrap();
        params.set(param, param.parse(name, text).unwrap());
    }
    let book = book_params(&params, &Params::defaults(stages::book::PARAMS));
    let mut venue = SimulatedVenue::new(&params, &book, Space { instruments: 8, fills: 64, positions: 64 }).unwrap();
    let mut replies = Replies::with_capacity(256);
    let mut dice = Dice(7);
    let mut events: Vec<Event> =
        (1..4).map(|i| event(1, i, Side::None, &Listing { book: 1 + (i != 3) as u8, ..Listing::default() })).collect();
    events.extend((0..300_000).map(|i| random(&mut dice, i * 3_000_000_000)));
    for (seq, event) in (1..).zip(&mut events) {
        event.id = EventId::new(seq, 0, 0);
    }
    let (mut answers, mut fills) = (0, 0);
    // Of this thread alone: the one that runs the tests does as it likes.
    let allocated = allocation_counter::measure(|| {
        for event in &events {
            if event.kind == Kind::Route {
                let at = venue.arrival(event.id, event.ts);
                venue.on_route(at, &Approved::grant(*event), None, &mut replies);
            } else {
                venue.on_market(event, None, &mut replies);
            }
            answers += replies.len();
            fills += replies.events().iter().filter(|e| e.kind == Kind::Fill).count();
            replies.clear();
        }
    });
    assert_eq!((allocated.count_total, allocated.count_current), (0, 0));
    assert!(answers > 50_000 && fills > 1_000 && !replies.overflowed(), "{answers} answers, {fills} fills");
}
