//! Runs a stage the way a runner does, event by event, and keeps what it emits.

use flow::records::{Anomaly, Booked, Position, PositionMoney, Pulse};
use flow::{
    Event, EventId, Flags, Kind, Kinds, Ns, Out, Param, Params, Scope, Stage, StateError, StateReader, StateWriter,
    TradingState,
};
use stages::Space;
use stages::book::{BookStage, Weighing};
use stages::portfolio::PortfolioStage;
use std::ops::{Deref, DerefMut};

/// Instruments of every test here are below this.
pub(crate) const INSTRUMENTS: u32 = 16;

/// Everything that a stage may emit.
pub(crate) const EVERYTHING: Kinds = Kinds::ALL.or(Kinds::INSIDE);

/// What a stage emitted, without the place in the sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Emitted(pub(crate) Event);

impl Emitted {
    /// The event with all that the runner adds taken away.
    pub(crate) fn bare(event: &Event) -> Emitted {
        Emitted(Event { id: EventId(0), ts: Ns(0), source: 0, ..*event })
    }
}

/// A stage with its buffer and a counter.
pub(crate) struct Pipeline<S> {
    pub(crate) stage: S,
    out: Out,
    seq: u64,
}

impl<S: Stage> Pipeline<S> {
    pub(crate) fn new(stage: S) -> Pipeline<S> {
        Pipeline::wanting(stage, EVERYTHING)
    }

    /// One of which only these kinds are wanted.
    pub(crate) fn wanting(stage: S, wanted: Kinds) -> Pipeline<S> {
        Pipeline { stage, out: Out::new(1, wanted), seq: 0 }
    }

    /// One input through the stage.
    pub(crate) fn feed(&mut self, event: &Event) -> Vec<Emitted> {
        self.feed_from(0, event)
    }

    /// One event through a strategy, which emits nothing for it, and then the pulse.
    pub(crate) fn feed_whole(&mut self, event: &Event) -> Vec<Emitted> {
        assert!(self.feed(event).is_empty(), "a strategy decides at a pulse: {event:?}");
        self.feed(&Event::new(event.ts, event.instrument, Flags::LAST_OF_GROUP, &Pulse::default()))
    }

    /// Begins an input of which what follows is: see [`Pipeline::feed_again`].
    pub(crate) fn next_input(&mut self) {
        self.seq += 1;
    }

    /// Another event of the same input.
    pub(crate) fn feed_again(&mut self, event: &Event) -> Vec<Emitted> {
        self.seq -= 1;
        self.feed(event)
    }

    /// One event, of the stage at `position`, through this one.
    pub(crate) fn feed_from(&mut self, position: u8, event: &Event) -> Vec<Emitted> {
        self.seq += 1;
        let event = Event { id: EventId::new(self.seq, position, 0), ..*event };
        assert!(self.stage.reads().has(event.kind));
        self.out.begin(&event);
        self.stage.on_event(&event, &mut self.out);
        let emitted = self.out.events();
        assert!(emitted.len() <= self.stage.fan_out(), "{} events of one", emitted.len());
        // What stages tell each other is numbered apart, and from the middle on.
        let mut ordinals = [0, 1 << 15];
        for event in emitted {
            assert!(self.stage.emits().has(event.kind), "{event:?}");
            let ordinal = &mut ordinals[usize::from(event.kind.is_inside())];
            assert_eq!(event.id, EventId::new(self.seq, 1, *ordinal));
            *ordinal += 1;
        }
        emitted.iter().map(Emitted::bare).collect()
    }
}

/// A stage that follows fills, behind the portfolio that books them. An input reaches both before what the portfolio makes of
/// it.
pub(crate) struct Behind<S> {
    pub(crate) portfolio: PortfolioStage,
    stage: S,
    told: Out,
    /// Whether what the portfolio emits is emitted.
    shows: bool,
}

impl<S> Deref for Behind<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.stage
    }
}

impl<S> DerefMut for Behind<S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.stage
    }
}

impl<S: Stage> Behind<S> {
    /// Only what the stage itself emits is emitted.
    pub(crate) fn new(space: Space, stage: S) -> Behind<S> {
        Behind { portfolio: PortfolioStage::new(space), stage, told: Out::new(24, Kinds::ALL), shows: false }
    }

    /// What the portfolio emits too.
    pub(crate) fn showing(space: Space, stage: S) -> Behind<S> {
        Behind { shows: true, ..Behind::new(space, stage) }
    }
}

/// Emits what the portfolio did.
fn show(told: &Event, out: &mut Out) {
    let (at, flags) = (told.instrument, told.flags);
    match told.kind {
        Kind::Booked => out.push(at, flags, told.record::<Booked>()),
        Kind::Position => out.push(at, flags, told.record::<Position>()),
        Kind::PositionMoney => out.push(at, flags, told.record::<PositionMoney>()),
        _ => out.push(at, flags, told.record::<Anomaly>()),
    }
}

impl<S: Stage> Stage for Behind<S> {
    fn reads(&self) -> Kinds {
        self.portfolio.reads().or(self.stage.reads())
    }

    fn emits(&self) -> Kinds {
        self.stage.emits().or(if self.shows { self.portfolio.emits() } else { Kinds::NONE })
    }

    fn scope(&self) -> Scope {
        Scope::Global
    }

    fn fan_out(&self) -> usize {
        self.portfolio.fan_out() + 3 * self.stage.fan_out()
    }

    fn on_event(&mut self, event: &Event, out: &mut Out) {
        self.told.begin(event);
        if self.portfolio.reads().has(event.kind) {
            self.portfolio.on_event(event, &mut self.told);
        }
        if self.stage.reads().has(event.kind) {
            self.stage.on_event(event, out);
        }
        for told in self.told.events() {
            if self.shows {
                show(told, out);
            }
            if self.stage.reads().has(told.kind) {
                self.stage.on_event(told, out);
            }
        }
    }

    fn trading_state(&self, to: &mut TradingState) {
        self.portfolio.trading_state(to);
        self.stage.trading_state(to);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.portfolio.save(to);
        self.stage.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.portfolio.load(from)?;
        self.stage.load(from)
    }
}

/// Parameters of a stage or measure, some of them set.
pub(crate) fn params(name: &str, set: &[(&str, &str)]) -> Params {
    let table = stages::entries().find(|entry| entry.name() == name).unwrap().params();
    let mut params = Params::defaults(table);
    for (name, text) in set {
        let param: &Param = table.iter().find(|p| p.name == *name).unwrap();
        params.set(param, param.parse(name, text).unwrap());
    }
    params
}

/// Trades that the books of these tests remember: the fewest that a parameter allows.
pub(crate) const PRINTS: usize = 16;

/// A book stage with these limits.
pub(crate) fn book(orders: u32, levels: u32, books: u32) -> Pipeline<BookStage> {
    let [orders, levels, books] = [orders, levels, books].map(|n| n.to_string());
    let prints = PRINTS.to_string();
    let limits = [("max_orders", &*orders), ("max_levels", &levels), ("max_books", &books), ("max_prints", &prints)];
    let params = params("book", &limits);
    Pipeline::new(BookStage::new(&params, Space { instruments: INSTRUMENTS, fills: 64, positions: 64 }))
}

/// The same, asked for depth.
pub(crate) fn book_weighing(orders: u32, levels: u32, books: u32, asked: &[Weighing]) -> Pipeline<BookStage> {
    Pipeline::new(book(orders, levels, books).stage.weighing(asked))
}

/// What a stage saves.
pub(crate) fn saved(stage: &impl Stage, listings: &flow::Listings) -> Vec<u8> {
    let mut writer = StateWriter::new(listings);
    stage.save(&mut writer);
    writer.into_bytes()
}

/// Loads a stage from what another one saved.
pub(crate) fn load(stage: &mut impl Stage, listings: &flow::Listings, bytes: &[u8]) -> Result<(), flow::StateError> {
    let mut reader = StateReader::new(listings, bytes);
    stage.load(&mut reader)?;
    reader.finish()
}

/// Kinds of what was emitted, in order.
pub(crate) fn kinds(emitted: &[Emitted]) -> Vec<Kind> {
    emitted.iter().map(|s| s.0.kind).collect()
}
