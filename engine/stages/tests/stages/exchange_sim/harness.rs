//! A venue with instruments and a clock, and short names for what the market and the pipeline send.
//!
//! Beside it stands one without a book, which is shown that of a book stage. Whatever a test sends, both answer the same and
//! save the same.

use flow::records::{
    Ack, Add, Cancel, Cancelled, Delete, Exec, Fill, FillCost, Level, Listing, Reject, Replace, Route, Trade,
};
use flow::{
    Action, Approved, Event, EventId, Flags, Kind, Kinds, Listings, Ns, OrderType, Out, Params, Px, Qty, Record, Side,
    Stage, StateReader, StateWriter, Tif,
};
use stages::Space;
use stages::book::BookStage;
use stages::exchange_sim::{PARAMS, Replies, SimulatedVenue, book_params};

/// Instruments here: 1 and 2 by order, 3 by level, 4 quotes.
pub(crate) const BOOKS: [(u32, u8); 4] = [(1, 2), (2, 2), (3, 1), (4, 3)];
/// What an answer takes.
pub(crate) const BACK: u64 = 7;

/// An answer, without what all have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emitted {
    /// Order, what it replaces.
    Ack(u64, u64),
    /// Order, price, quantity, 1 added or 2 removed.
    Fill(u64, i64, u64, u8),
    /// Order, quantity, reason.
    Cancelled(u64, u64, u32),
    /// Order, action, reason.
    Reject(u64, u8, u32),
}

/// A venue under test.
pub(crate) struct SimInstrument {
    pub(crate) venue: SimulatedVenue,
    /// The venue without a book, its answers, and the book that it is shown.
    beside: (SimulatedVenue, Replies, BookStage),
    pub(crate) now: u64,
    pub(crate) replies: Replies,
    /// The last answers, as they came.
    pub(crate) seen: Vec<Event>,
    seq: u64,
}

/// Parameters, some of them set.
pub(crate) fn params(set: &[(&str, &str)]) -> Params {
    let mut params = Params::defaults(PARAMS);
    let small = [("max_orders", "4096"), ("max_levels", "512"), ("max_books", "8"), ("max_own_orders", "16")];
    let back = [("reply_latency_ns", "7"), ("max_taken_levels", "64")];
    for (name, text) in small.iter().chain(&back).chain(set) {
        let param = PARAMS.iter().find(|p| p.name == *name).unwrap();
        params.set(param, param.parse(name, text).unwrap());
    }
    params
}

/// An order message of ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) instrument: u32,
    pub(crate) side: Side,
    pub(crate) id: u64,
    pub(crate) px: Px,
    pub(crate) qty: u64,
    pub(crate) tif: Tif,
}

/// A limit order, good till cancelled.
pub(crate) fn limit(id: u64, side: Side, px: i64, qty: u64) -> Terms {
    Terms { instrument: 1, side, id, px: Px(px), qty, tif: Tif::GoodTillCancelled }
}

impl Terms {
    pub(crate) fn on(self, instrument: u32) -> Terms {
        Terms { instrument, ..self }
    }

    pub(crate) fn tif(self, tif: Tif) -> Terms {
        Terms { tif, ..self }
    }

    pub(crate) fn market(self) -> Terms {
        Terms { px: Px::NONE, ..self }
    }
}

impl SimInstrument {
    pub(crate) fn new(set: &[(&str, &str)]) -> SimInstrument {
        let (params, space) = (params(set), Space { instruments: 8, fills: 64, positions: 64 });
        let book = book_params(&params, &Params::defaults(stages::book::PARAMS));
        let venue = SimulatedVenue::new(&params, &book, space).unwrap();
        let without = SimulatedVenue::without_book(&params, space).unwrap();
        let beside = (without, Replies::new(), BookStage::new(&book, space));
        let mut rig = SimInstrument { venue, beside, now: 1_000, replies: Replies::new(), seen: Vec::new(), seq: 0 };
        for (instrument, book) in BOOKS {
            let listing = Listing { book, instrument_type: 1, calendar: *b"----", ..Listing::default() };
            rig.market(instrument, Flags::NONE, &listing);
        }
        rig
    }

    /// Keys for the states.
    pub(crate) fn listings() -> Listings {
        Listings::default()
    }

    pub(crate) fn saved(&self) -> Vec<u8> {
        let listings = SimInstrument::listings();
        let mut writer = StateWriter::new(&listings);
        self.venue.save(None, &mut writer);
        let (mut beside, (venue, _, book)) = (StateWriter::new(&listings), &self.beside);
        venue.save(Some(book.books()), &mut beside);
        let saved = writer.into_bytes();
        assert!(saved == beside.into_bytes(), "the venue without a book saves other bytes");
        saved
    }

    pub(crate) fn load(&mut self, bytes: &[u8]) -> Result<(), flow::StateError> {
        let mut reader = StateReader::new(&SimInstrument::listings(), bytes);
        let loaded = self.venue.load(&mut reader).and_then(|()| reader.finish());
        let venue = &mut self.beside.0;
        let mut reader = StateReader::new(&SimInstrument::listings(), bytes);
        let passed = venue.load(&mut reader).and_then(|()| reader.finish());
        // A book that cannot be is no fault where it is passed over.
        assert!(passed.is_ok() || loaded.is_err(), "{passed:?}");
        loaded
    }

    /// The same place in time and in the sequence as another, and the same book shown.
    pub(crate) fn join(&mut self, other: &SimInstrument) {
        (self.now, self.seq) = (other.now, other.seq);
        let listings = SimInstrument::listings();
        let mut writer = StateWriter::new(&listings);
        other.beside.2.save(&mut writer);
        self.beside.2.load(&mut StateReader::new(&listings, &writer.into_bytes())).unwrap();
    }

    fn id(&mut self) -> EventId {
        self.seq += 1;
        EventId::new(self.seq, 0, 0)
    }

    /// A market input, as it is.
    pub(crate) fn input(&mut self, event: &Event) -> Vec<Emitted> {
        let event = Event { id: self.id(), ts: Ns(self.now), source: 1, ..*event };
        self.pass(&event);
        self.emitted(event.id)
    }

    /// Passes a stamped input to both venues.
    pub(crate) fn pass(&mut self, event: &Event) {
        self.venue.on_market(event, None, &mut self.replies);
        let (venue, replies, book) = &mut self.beside;
        let concerned = venue.concerns(event);
        if concerned {
            venue.before_market(event, book.books());
        }
        if book.reads().has(event.kind) {
            let mut out = Out::new(1, Kinds::ALL);
            out.begin(event);
            book.on_event(event, &mut out);
        }
        if concerned {
            venue.on_market(event, Some(book.books()), replies);
        }
        self.compare();
    }

    /// So many answers have room, and no more.
    pub(crate) fn take_at_most(&mut self, replies: usize) {
        self.replies = Replies::with_capacity(replies);
        self.beside.1 = Replies::with_capacity(replies);
    }

    /// Both venues answered the same.
    fn compare(&mut self) {
        let replies = &mut self.beside.1;
        assert_eq!(self.replies.events(), replies.events());
        assert_eq!(self.replies.overflowed(), replies.overflowed());
        replies.clear();
    }

    /// A market input that closes its group.
    pub(crate) fn market<R: Record>(&mut self, instrument: u32, flags: Flags, record: &R) -> Vec<Emitted> {
        self.input(&Event::new(Ns(0), instrument, flags.with(Flags::LAST_OF_GROUP), record))
    }

    pub(crate) fn add(&mut self, order_ref: u64, side: Side, px: i64, qty: u64) -> Vec<Emitted> {
        let add = Add { order_ref, px: Px(px), qty: Qty(qty), ..Add::default() };
        self.market(1, Flags::side_only(side), &add)
    }

    pub(crate) fn exec(&mut self, order_ref: u64, qty: u64) -> Vec<Emitted> {
        self.market(1, Flags::NONE, &Exec { order_ref, px: Px::NONE, qty: Qty(qty), ..Exec::default() })
    }

    pub(crate) fn cancel(&mut self, order_ref: u64, qty: u64) -> Vec<Emitted> {
        self.market(1, Flags::NONE, &Cancel { order_ref, qty: Qty(qty), ..Cancel::default() })
    }

    pub(crate) fn delete(&mut self, order_ref: u64) -> Vec<Emitted> {
        self.market(1, Flags::NONE, &Delete { order_ref, ..Delete::default() })
    }

    pub(crate) fn replace(&mut self, order_ref: u64, new_ref: u64, px: i64, qty: u64) -> Vec<Emitted> {
        self.market(1, Flags::NONE, &Replace { order_ref, new_ref, px: Px(px), qty: Qty(qty), ..Replace::default() })
    }

    pub(crate) fn level(&mut self, side: Side, px: i64, qty: u64) -> Vec<Emitted> {
        self.market(3, Flags::side_only(side), &Level { px: Px(px), qty: Qty(qty), ..Level::default() })
    }

    pub(crate) fn trade(&mut self, instrument: u32, flags: Flags, px: i64, qty: u64) -> Vec<Emitted> {
        self.market(instrument, flags, &Trade { px: Px(px), qty: Qty(qty), ..Trade::default() })
    }

    fn route(&mut self, terms: Terms, action: Action, replaces: u64) -> Vec<Emitted> {
        let kind = if terms.px == Px::NONE { OrderType::Market } else { OrderType::Limit };
        let route = Route {
            order_id: terms.id,
            px: terms.px,
            qty: Qty(terms.qty),
            replaces,
            action: action.code(),
            order_type: kind.code(),
            tif: terms.tif.code(),
            ..Route::default()
        };
        let id = self.id();
        let event = Event { id, ..Event::new(Ns(self.now), terms.instrument, Flags::side_only(terms.side), &route) };
        let route = Approved::grant(event);
        self.venue.on_route(Ns(self.now), &route, None, &mut self.replies);
        let (venue, replies, book) = &mut self.beside;
        venue.on_route(Ns(self.now), &route, Some(book.books()), replies);
        self.compare();
        self.emitted(id)
    }

    pub(crate) fn new_order(&mut self, terms: Terms) -> Vec<Emitted> {
        self.route(terms, Action::New, 0)
    }

    pub(crate) fn replace_order(&mut self, terms: Terms, old: u64) -> Vec<Emitted> {
        self.route(terms, Action::Replace, old)
    }

    pub(crate) fn cancel_order(&mut self, id: u64) -> Vec<Emitted> {
        self.route(limit(id, Side::None, 0, 0), Action::Cancel, 0)
    }

    pub(crate) fn cancel_all(&mut self, id: u64, instrument: u32) -> Vec<Emitted> {
        self.route(limit(id, Side::None, 0, 0).on(instrument), Action::CancelAll, 0)
    }

    /// Shares ahead of an order of ours.
    pub(crate) fn ahead(&self, id: u64) -> u64 {
        self.venue.queue_position(id).unwrap_or_else(|| panic!("{id} does not rest")).ahead
    }

    /// Takes the answers; what all have in common is checked here.
    fn emitted(&mut self, cause: EventId) -> Vec<Emitted> {
        let mut emitted = Vec::new();
        self.seen = self.replies.events().to_vec();
        self.replies.clear();
        let mut events = self.seen.iter();
        while let Some(event) = events.next() {
            assert_eq!((event.id, event.source, event.ts), (EventId(0), 255, Ns(self.now + BACK)), "{event:?}");
            let of = |given: u64| assert_eq!(given, cause.0, "{event:?}");
            emitted.push(match event.kind {
                Kind::Ack => {
                    let ack: &Ack = event.record();
                    of(ack.cause);
                    Emitted::Ack(ack.order_id, ack.replaces)
                }
                Kind::Fill => {
                    let fill: &Fill = event.record();
                    of(fill.cause);
                    let cost = events.next().expect("a cost follows its fill");
                    let charged: &FillCost = cost.record();
                    assert_eq!((charged.order_id, charged.match_id), (fill.order_id, fill.match_id));
                    assert_eq!((cost.instrument, cost.flags, cost.ts), (event.instrument, event.flags, event.ts));
                    let per_share = if charged.liquidity == 2 { 3_000_000 } else { 0 };
                    assert_eq!(charged.fee, per_share * fill.qty.0 as i64);
                    Emitted::Fill(fill.order_id, fill.px.0, fill.qty.0, charged.liquidity)
                }
                Kind::Cancelled => {
                    let cancelled: &Cancelled = event.record();
                    let asked = cancelled.reason == 1 || cancelled.reason == 6;
                    of(if asked { cancelled.cause } else { cause.0 + cancelled.cause });
                    Emitted::Cancelled(cancelled.order_id, cancelled.qty.0, cancelled.reason)
                }
                Kind::Reject => {
                    let reject: &Reject = event.record();
                    of(reject.cause);
                    Emitted::Reject(reject.order_id, reject.action, reject.reason)
                }
                other => panic!("{other:?}"),
            });
        }
        emitted
    }
}
