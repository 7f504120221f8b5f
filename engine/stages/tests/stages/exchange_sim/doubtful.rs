//! Fills that the market would hardly have given are marked: after its close, and on a locked or crossed book.

use super::harness::{Emitted, SimInstrument, limit};
use flow::records::{Exec, Status};
use flow::{Event, Flags, Kind, Ns, Px, Qty, Side, StatusKind, Tif};

/// An order of ours that buys 1 at once, and whether its fill and the fill's cost are marked.
fn marked(rig: &mut SimInstrument, id: u64) -> bool {
    let terms = limit(id, Side::Buy, 101, 1).tif(Tif::ImmediateOrCancel);
    assert_eq!(rig.new_order(terms), [Emitted::Ack(id, 0), Emitted::Fill(id, 101, 1, 2)]);
    let marks: Vec<bool> =
        rig.seen.iter().filter(|e| e.kind != Kind::Ack).map(|e| e.flags.has(Flags::DOUBTFUL)).collect();
    assert!(marks == [true; 2] || marks == [false; 2], "the cost is marked as its fill is");
    marks[0]
}

fn open() -> SimInstrument {
    let mut rig = SimInstrument::new(&[]);
    rig.add(11, Side::Sell, 101, 100);
    rig.add(21, Side::Buy, 99, 100);
    rig
}

fn status(rig: &mut SimInstrument, instrument: u32, what: StatusKind, code: [u8; 4]) {
    rig.market(instrument, Flags::NONE, &Status { code, what: what.code(), ..Status::default() });
}

#[test]
fn after_the_close_of_the_session() {
    let mut rig = open();
    assert!(!marked(&mut rig, 1), "nothing is known of its hours");
    let hours = [(b"O", false), (b"S", false), (b"Q", false), (b"M", true), (b"E", true), (b"C", true), (b"O", false)];
    for (id, (code, closed)) in (2..).zip(hours) {
        status(&mut rig, 0, StatusKind::Session, [code[0], 0, 0, 0]);
        assert_eq!(marked(&mut rig, id), closed, "{}", code.escape_ascii());
    }
    // Another source, and what is no session, close nothing here.
    status(&mut rig, 0, StatusKind::CircuitBreaker, *b"M   ");
    let other = Status { code: *b"M   ", what: StatusKind::Session.code(), ..Status::default() };
    let other = Event { id: flow::EventId(1), ts: Ns(rig.now), source: 2, ..Event::new(Ns(0), 0, Flags::NONE, &other) };
    rig.pass(&other);
    assert!(!marked(&mut rig, 20));
    status(&mut rig, 0, StatusKind::Session, *b"M   ");
    assert!(marked(&mut rig, 21));
    let mut later = SimInstrument::new(&[]);
    later.load(&rig.saved()).unwrap();
    later.join(&rig);
    assert!(marked(&mut later, 22), "a restart does not open it");
}

#[test]
fn after_the_close_of_the_instrument() {
    let mut rig = open();
    for (id, (code, closed)) in (1..).zip([(*b"7\0\0\0", false), (*b"13\0\0", true), (*b"7\0\0\0", false)]) {
        status(&mut rig, 1, StatusKind::Trading, code);
        assert_eq!(marked(&mut rig, id), closed, "{code:?}");
    }
}

#[test]
fn on_a_locked_or_crossed_book() {
    for (px, doubtful) in [(100, false), (101, true), (102, true)] {
        let mut rig = open();
        rig.new_order(limit(1, Side::Buy, 99, 5));
        rig.add(22, Side::Buy, px, 10);
        assert_eq!(marked(&mut rig, 2), doubtful, "a bid at {px}");
        // What rests is marked too: here by an execution, while the book is so.
        let exec = Exec { order_ref: 21, px: Px::NONE, qty: Qty(100), ..Exec::default() };
        rig.market(1, Flags::NONE, &exec);
        rig.add(23, Side::Buy, 98, 5);
        assert_eq!(rig.exec(23, 5), [Emitted::Fill(1, 99, 5, 1)]);
        assert!(rig.seen.iter().all(|e| e.flags.has(Flags::DOUBTFUL) == doubtful));
        rig.delete(22);
        assert!(!marked(&mut rig, 3), "the bid is gone");
    }
}
