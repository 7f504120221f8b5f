//! Strategy, orders and answers in a loop: after they are built nothing is allocated, whatever is traded.

use flow::records::{Ack, BookTop, CancelRequest, Cancelled, Fill, FillCost, Listing, Pulse, ReplaceRequest, Request};
use flow::{Event, EventId, Flags, Kind, Kinds, Ns, Out, Params, Px, Qty, Side, Stage};
use stages::{Instances, Space};

fn stage(name: &str, position: u8) -> (Box<dyn Stage>, Out) {
    let entry = stages::entries().find(|entry| entry.name() == name).unwrap();
    let mut params = Params::defaults(entry.params());
    if let Some(every) = entry.params().iter().find(|p| p.name == "every") {
        params.set(every, every.parse("every", "1").unwrap());
    }
    let part = stages::uncut(|other| other == name).pop().unwrap();
    let stage = part.build(|_| &params, &Instances::PLAIN, Space { instruments: 8, fills: 64, positions: 64 });
    (stage.unwrap_or_else(|faults| panic!("{faults:?}")), Out::new(position, Kinds::ALL))
}

/// One input through the strategies and what they want through orders, then the answers to the last new order.
struct Loop {
    strategies: Vec<(Box<dyn Stage>, Out)>,
    orders: (Box<dyn Stage>, Out),
    seq: u64,
    emitted: usize,
}

impl Loop {
    /// An input and its pulse.
    fn input(&mut self, event: &Event) -> Option<Event> {
        self.deliver(event);
        self.deliver(&Event::new(Ns(0), event.instrument, Flags::LAST_OF_GROUP, &Pulse::default()))
    }

    fn deliver(&mut self, event: &Event) -> Option<Event> {
        self.seq += 1;
        let event = Event { id: EventId::new(self.seq, 0, 0), ts: Ns(self.seq * 1_000_000), ..*event };
        let mut last = None;
        for (stage, out) in &mut self.strategies {
            if stage.reads().has(event.kind) {
                out.begin(&event);
                stage.on_event(&event, out);
                for wanted in out.events().iter().filter(|e| e.kind == Kind::Intent) {
                    last = order(&mut self.orders, wanted, &mut self.emitted).or(last);
                }
            }
        }
        order(&mut self.orders, &event, &mut self.emitted);
        last
    }

    fn answer(&mut self, request: &Event) {
        if let Some(cancel) = request.get::<CancelRequest>() {
            let cancelled = Cancelled { order_id: cancel.order_id, ..Default::default() };
            self.input(&Event::new(Ns(0), request.instrument, Flags::NONE, &cancelled));
            return;
        }
        if let Some(replace) = request.get::<ReplaceRequest>() {
            let ack = Ack { order_id: replace.new_id, replaces: replace.order_id, ..Default::default() };
            self.input(&Event::new(Ns(0), request.instrument, Flags::NONE, &ack));
            return;
        }
        let Request { order_id, qty, tif, .. } = *request.record::<Request>();
        let at = request.instrument;
        let side = Flags::side_only(request.side());
        self.input(&Event::new(Ns(0), at, side, &Ack { order_id, ..Default::default() }));
        if order_id % 3 == 0 || (tif < 3 && order_id % 3 == 1) {
            let (px, fee) = (Px(100 * Px::ONE), 7);
            self.input(&Event::new(Ns(0), at, side, &Fill { order_id, px, qty, ..Default::default() }));
            self.input(&Event::new(Ns(0), at, side, &FillCost { order_id, fee, ..Default::default() }));
        } else if tif >= 3 {
            self.input(&Event::new(Ns(0), at, side, &Cancelled { order_id, qty, ..Default::default() }));
        }
    }
}

fn order((stage, out): &mut (Box<dyn Stage>, Out), event: &Event, emitted: &mut usize) -> Option<Event> {
    if !stage.reads().has(event.kind) {
        return None;
    }
    out.begin(event);
    stage.on_event(event, out);
    *emitted += out.events().len();
    let asked = Kinds::of(&[Kind::Request, Kind::CancelRequest, Kind::ReplaceRequest]);
    out.events().iter().copied().find(|e| asked.has(e.kind))
}

#[test]
fn nothing_is_allocated_while_trading() {
    let strategies = (1..).zip(["momentum", "buy-and-hold", "random"]).map(|(at, name)| stage(name, at)).collect();
    let mut all = Loop { strategies, orders: stage("orders", 4), seq: 0, emitted: 0 };
    for instrument in 1..4 {
        all.input(&Event::new(Ns(0), instrument, Flags::NONE, &Listing::default()));
    }
    // Of this thread alone: the one that runs the tests does as it likes.
    let allocated = allocation_counter::measure(|| {
        for i in 0..20_000_u32 {
            let bid_px = Px((100 + i64::from(i % 7)) * Px::ONE);
            let top = BookTop { bid_px, ask_px: Px(bid_px.0 + Px::ONE), bid_qty: Qty(1), ..Default::default() };
            let request = all.input(&Event::new(Ns(0), 1 + i % 3, Flags::side_only(Side::None), &top));
            if let Some(request) = request {
                all.answer(&request);
            }
        }
    });
    assert_eq!((allocated.count_total, allocated.count_current), (0, 0));
    assert!(all.emitted > 20_000, "the loop makes the stages work: {}", all.emitted);
}
