//! Decoding ITCH: bytes in memory to what the pipeline reads, beside the crates `itch5` and `itchy`.
//!
//! All read the same million messages, without the types that `itchy` cannot read (`h`, `O`), and must agree on a sum
//! over references, quantities and prices. What they do is not the same: ours checks each message and makes an event of
//! 64 bytes that waits in a queue and is popped; `itch5` casts and hands over references in place, so its cost is that of
//! the fields that are read; `itchy` copies into an enum. `itch5, no fields` finds the messages and looks at nothing: the
//! floor of framing and dispatch. `tidegate, no fields` makes every input and takes it from the queue: decoding without
//! the reader's own guess at the kind.
//!
//! Interleaved rounds give the figures; criterion, which runs one after the other, follows for comparison with its saved
//! baseline.

use benches::market::{Market, decode, queue};
use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use criterion::{Criterion, Throughput};
use feeds::itch::ItchDecoder;
use flow::records::{Add, Cancel, Delete, Exec, Replace};
use flow::{Event, Kind, Px};
use itch5::messages as m;
use itch5::{MessageHandler, Parser};
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

const MESSAGES: u64 = 1_000_000;
/// One unit of the wire's prices.
const UNIT: i64 = Px::from_scaled(1, 4).0;

/// The sum that all must agree on, over the messages that change a book.
#[derive(Default)]
struct Sum(u64);

impl Sum {
    #[inline(always)]
    fn add(&mut self, reference: u64, shares: u64, price: u64) {
        self.0 = self.0.wrapping_add(reference ^ (shares << 20) ^ (price << 40));
    }

    #[inline(always)]
    fn event(&mut self, event: &Event) {
        let px = |px: Px| px.known().map_or(0, |p| (p.0 / UNIT) as u64);
        match event.kind {
            Kind::Add => {
                let r: &Add = event.record();
                self.add(r.order_ref, r.qty.0, px(r.px));
            }
            Kind::Exec => {
                let r: &Exec = event.record();
                self.add(r.order_ref, r.qty.0, px(r.px));
            }
            Kind::Cancel => {
                let r: &Cancel = event.record();
                self.add(r.order_ref, r.qty.0, 0);
            }
            Kind::Delete => self.add(event.record::<Delete>().order_ref, 0, 0),
            Kind::Replace => {
                let r: &Replace = event.record();
                self.add(r.order_ref ^ r.new_ref, r.qty.0, px(r.px));
            }
            _ => {}
        }
    }

    #[inline(always)]
    fn body(&mut self, body: &itchy::Body) {
        use itchy::Body;
        match body {
            Body::AddOrder(b) => self.add(b.reference, b.shares.into(), b.price.raw().into()),
            Body::OrderExecuted { reference, executed, .. } => self.add(*reference, (*executed).into(), 0),
            Body::OrderExecutedWithPrice { reference, executed, price, .. } => {
                self.add(*reference, (*executed).into(), price.raw().into());
            }
            Body::OrderCancelled { reference, cancelled } => self.add(*reference, (*cancelled).into(), 0),
            Body::DeleteOrder { reference } => self.add(*reference, 0, 0),
            Body::ReplaceOrder(b) => {
                self.add(b.old_reference ^ b.new_reference, b.shares.into(), b.price.raw().into());
            }
            _ => {}
        }
    }
}

impl MessageHandler for Sum {
    fn on_add_order_no_mpid_attribution(&mut self, b: &m::AddOrderNoMPIDAttribution) -> ControlFlow<()> {
        self.add(b.order_reference_number(), b.shares().into(), b.price().into_u32().into());
        ControlFlow::Continue(())
    }

    fn on_add_order_with_mpid_attribution(&mut self, b: &m::AddOrderWithMPIDAttribution) -> ControlFlow<()> {
        self.add(b.order_reference_number(), b.shares().into(), b.price().into_u32().into());
        ControlFlow::Continue(())
    }

    fn on_order_executed(&mut self, b: &m::OrderExecuted) -> ControlFlow<()> {
        self.add(b.order_reference_number(), b.executed_shares().into(), 0);
        ControlFlow::Continue(())
    }

    fn on_order_executed_with_price(&mut self, b: &m::OrderExecutedWithPrice) -> ControlFlow<()> {
        self.add(b.order_reference_number(), b.executed_shares().into(), b.execution_price().into_u32().into());
        ControlFlow::Continue(())
    }

    fn on_order_cancel(&mut self, b: &m::OrderCancel) -> ControlFlow<()> {
        self.add(b.order_reference_number(), b.cancelled_shares().into(), 0);
        ControlFlow::Continue(())
    }

    fn on_order_delete(&mut self, b: &m::OrderDelete) -> ControlFlow<()> {
        self.add(b.order_reference_number(), 0, 0);
        ControlFlow::Continue(())
    }

    fn on_order_replace(&mut self, b: &m::OrderReplace) -> ControlFlow<()> {
        let references = b.original_order_reference_number() ^ b.new_order_reference_number();
        self.add(references, b.shares().into(), b.price().into_u32().into());
        ControlFlow::Continue(())
    }
}

/// Looks at nothing.
struct Blind;

impl MessageHandler for Blind {}

fn timed(work: impl FnOnce() -> u64) -> Run {
    let start = Instant::now();
    let check = black_box(work());
    Run { time: start.elapsed(), check }
}

fn ours(market: &Market) -> Run {
    let (mut decoder, mut windows, mut queue) = (ItchDecoder::new(None), market.window(), queue());
    timed(|| {
        let mut sum = Sum::default();
        decode(&mut decoder, &mut windows, &mut queue, |event, _| sum.event(event));
        sum.0
    })
}

/// The inputs are made and taken, and nothing is read of them but the instrument.
fn unread(market: &Market) -> Run {
    let (mut decoder, mut windows, mut queue) = (ItchDecoder::new(None), market.window(), queue());
    timed(|| {
        let mut sum = 0;
        decode(&mut decoder, &mut windows, &mut queue, |event, _| sum ^= u64::from(event.instrument));
        sum
    })
}

fn with_itch5(market: &Market) -> Run {
    timed(|| {
        let mut sum = Sum::default();
        Parser::new(black_box(&market.bytes)).parse_stream(&mut sum).expect("its own format");
        sum.0
    })
}

fn with_itchy(market: &Market) -> Run {
    timed(|| {
        let mut sum = Sum::default();
        for message in itchy::MessageStream::from_reader(black_box(market.bytes.as_slice())) {
            sum.body(&message.expect("its own format").body);
        }
        sum.0
    })
}

fn blind(market: &Market) -> Run {
    timed(|| {
        Parser::new(black_box(&market.bytes)).parse_stream(&mut Blind).expect("its own format");
        0
    })
}

fn main() {
    let market = Market::new(MESSAGES, 200, 20_000).without(b"hO");
    let sum = ours(&market).check;
    let mut contenders = vec![
        Contender::new("tidegate", || ours(&market)),
        Contender::new("itch5", || with_itch5(&market)),
        Contender::new("itchy", || with_itchy(&market)),
        Contender::new("tidegate, no fields", || Run { check: sum, ..unread(&market) }),
        Contender::new("itch5, no fields", || Run { check: sum, ..blind(&market) }),
    ];
    let mut report = Report::new("decode");
    compare(&mut report, "decode", market.messages, count(41), &mut contenders);
    let mut criterion = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(1));
    criterion = criterion.warm_up_time(Duration::from_millis(300)).configure_from_args();
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(market.messages));
    for contender in &mut contenders {
        group.bench_function(contender.name, |b| b.iter_custom(|n| (0..n).map(|_| (contender.run)().time).sum()));
    }
    group.finish();
    criterion.final_summary();
}
