//! A venue that numbers nothing: a desk that fills every order at once, at its price, and keeps what it did in a file. It cancels
//! nothing, since nothing rests.
//!
//! Bound: one line an order. Worst case: a file that cannot be written, which ends the session.

use flow::records::{Ack, Fill, Reject, Route};
use flow::{
    Action, Approved, Event, Flags, IntParam, Known, Ns, OpenOrder, Opened, OrderAnswer, OrderId, OrderState,
    ParamError, Params, Patience, Px, Qty, Record, Side, TextParam, Venue, VenueError, VenueReply,
};
use sinks::GatewayEntry;
use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

const FILE: TextParam = TextParam::new("file", "desk.txt", "What the desk has done");
const PRICE: IntParam<u32> = IntParam::new("price", (1, 1_000_000), "100", "Price of a market order");

/// The entry.
pub const GATEWAY: GatewayEntry = GatewayEntry {
    name: "desk",
    doc: "tests/outside/src/desk.rs",
    about: "Fills every order at once",
    params: &[FILE.param(), PRICE.param()],
    open,
};

fn open(params: &Params) -> Result<Box<dyn Venue>, ParamError> {
    let (file, price) = (PathBuf::from(params.get(FILE)), Px::from_scaled(params.get(PRICE).into(), 0));
    Ok(Box::new(Filler { file, price, done: BTreeMap::new(), replies: VecDeque::new(), written: String::new() }))
}

/// A filled order.
#[derive(Clone, Copy)]
struct Done {
    instrument: u32,
    side: Side,
    px: Px,
    qty: Qty,
}

struct Filler {
    file: PathBuf,
    price: Px,
    done: BTreeMap<u64, Done>,
    replies: VecDeque<VenueReply>,
    /// What has yet to go to the file.
    written: String,
}

impl Filler {
    fn answer<R: Record>(&mut self, (instrument, side): (u32, Side), record: &R) {
        let flags = Flags::LAST_OF_GROUP.with_side(side);
        self.replies.push_back(VenueReply::Answer(Event::new(Ns(0), instrument, flags, record)));
    }

    /// The execution of an order; it has the order's number.
    fn fill(&mut self, order_id: u64, Done { instrument, side, px, qty }: Done) {
        self.answer((instrument, side), &Fill { order_id, px, qty, match_id: order_id, ..Fill::default() });
    }

    fn failed(&self, error: &std::io::Error) -> VenueError {
        let (what, place) = (error.to_string(), self.file.display().to_string());
        VenueError { what, place, next: "see that the file can be written", transient: false }
    }
}

/// A line of the file.
fn read(line: &str) -> Option<(u64, Done)> {
    let mut fields = line.split(' ').map(|field| field.parse::<i64>().ok());
    let mut next = || fields.next().flatten();
    let (id, instrument, buys, px, qty) = (next()?, next()?, next()?, next()?, next()?);
    let side = if buys == 1 { Side::Buy } else { Side::Sell };
    let (instrument, qty) = (u32::try_from(instrument).ok()?, Qty(qty.try_into().ok()?));
    Some((id.cast_unsigned(), Done { instrument, side, px: Px(px), qty }))
}

impl Venue for Filler {
    fn patience(&self) -> Patience {
        let second = Duration::from_secs(1);
        Patience { reply: second, answer: Some(second), session: 10 * second }
    }

    fn resume(&mut self, _: &Known) -> Result<Option<Opened>, VenueError> {
        self.replies.clear();
        if self.file.exists() {
            let text = fs::read_to_string(&self.file).map_err(|e| self.failed(&e))?;
            self.done = text.lines().filter_map(read).collect();
        }
        Ok(Some(Opened::Unnumbered))
    }

    fn send(&mut self, route: &Approved<Event>) {
        let (event, Route { order_id, px, qty, action, .. }) = (*route.get(), *route.get().record::<Route>());
        let (of, cause) = ((event.instrument, event.side()), event.id.0);
        if action != Action::New.code() {
            return self.answer(of, &Reject { order_id, cause, action, ..Reject::default() });
        }
        let px = px.known().unwrap_or(self.price);
        let done = Done { instrument: of.0, side: of.1, px, qty };
        let buys = u8::from(of.1 == Side::Buy);
        self.written += &format!("{} {} {buys} {} {}\n", order_id.cast_signed(), of.0, px.0, qty.0);
        self.done.insert(order_id, done);
        self.answer(of, &Ack { order_id, cause, venue_order: order_id, ..Ack::default() });
        self.fill(order_id, done);
    }

    fn ask(&mut self, order_id: OrderId) {
        let done = self.done.get(&order_id.0).copied();
        let is = done.map_or(OrderAnswer::Never, |done| {
            self.fill(order_id.0, done);
            OrderAnswer::Is { state: OrderState::Filled, filled: done.qty }
        });
        self.replies.push_back(VenueReply::Status { order_id, is });
    }

    fn cancels_all(&self) -> bool {
        true
    }

    fn cancel_all(&mut self) {}

    fn cancel(&mut self, _: &OpenOrder) {}

    fn flush(&mut self) -> Result<bool, VenueError> {
        if !self.written.is_empty() {
            let file = OpenOptions::new().create(true).append(true).open(&self.file);
            let written = file.and_then(|mut file| file.write_all(self.written.as_bytes()));
            written.map_err(|e| self.failed(&e))?;
            self.written.clear();
        }
        Ok(true)
    }

    fn poll(&mut self) -> Result<Option<VenueReply>, VenueError> {
        Ok(self.replies.pop_front())
    }

    fn silence(&self) -> Option<Duration> {
        Some(Duration::ZERO)
    }
}
