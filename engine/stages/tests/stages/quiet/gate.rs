//! The gate allocates nothing after it is built, whatever is asked of it.

use crate::risk::rig::{Rig, Verdict, id, passed, refusal};
use flow::records::{Ack, Cancelled, Fill, Reject, Request};
use flow::{Event, EventId, Flags, Kinds, Ns, Out, Qty, Side, Stage};

#[test]
fn nothing_is_allocated_per_event() {
    let mut rig = Rig::new(&[
        ("max_open_orders", 50),
        ("open_order_slots", 64),
        ("max_position", 1_000_000_000),
        ("max_messages", 8_192),
    ]);
    assert!(passed(rig.buy(1)) && !matches!(rig.sell(1), Verdict::Commanded(..)));
    assert!(rig.command(4, 3, 10_000, 5_000).len() == 1 && rig.replace(1, 2) == Verdict::Passed(id(3)));
    let mut out = Out::new(11, Kinds::ALL);
    assert_eq!(refusal(rig.buy(6_000)).1, 5_000);
    rig.market(9_999, 10_001);
    let mut events = Vec::new();
    for n in 10..20_000 {
        let side = if n % 3 == 0 { Side::Sell } else { Side::Buy };
        let (group, legs) = if n % 7 < 2 { (n as u32 / 7, 2) } else { (0, 0) };
        let request = Request { order_id: id(n), group, legs, ..rig.terms(n % 200, 10_000) };
        let flags = Flags::side_only(side);
        let event = |at, e: Event| Event {
            id: EventId::new(1_000 + n / 7, at, 0),
            ts: Ns(rig.ms * 1_000_000 + n * 200_000),
            ..e
        };
        events.push(event(9, Event::new(Ns(0), 1, flags, &request)));
        let order_id = id(n - 5);
        let answer = match n % 4 {
            0 if n % 40 == 0 => Event::new(Ns(0), 1, flags, &Ack { order_id, ..Default::default() }),
            1 => Event::new(
                Ns(0),
                1,
                flags,
                &Fill { order_id, qty: Qty(if n % 40 == 1 { 1 } else { 200 }), ..Default::default() },
            ),
            0 | 2 => Event::new(Ns(0), 1, flags, &Cancelled { order_id, ..Default::default() }),
            _ => Event::new(Ns(0), 1, flags, &Reject { order_id, action: 1, ..Default::default() }),
        };
        events.push(event(0, answer));
    }
    let (mut orders, mut emitted) = (0, 0);
    // Of this thread alone: the one that runs the tests does as it likes.
    let allocated = allocation_counter::measure(|| {
        for event in &events {
            out.begin(event);
            rig.stage.on_event(event, &mut out);
            emitted += out.events().len();
            orders += out.events().iter().filter(|e| e.kind == flow::Kind::Order).count();
        }
    });
    assert_eq!((allocated.count_total, allocated.count_current), (0, 0));
    assert!(orders > 500 && emitted > orders + 1_000, "the stream makes the gate work: {orders} of {emitted}");
}
