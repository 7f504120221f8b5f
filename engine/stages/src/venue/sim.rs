//! The venue itself: its parts, and the way in for what the market and the line say.

use super::Replies;
use super::latency::{Lanes, Sample};
use super::queue::{self, QueueModel};
use crate::Space;
use crate::book::BookStage;
use flow::{Approved, Event, EventId, Kinds, Ns, Out, ParamError, Params, Stage, StateError, StateReader, StateWriter};

/// A venue that fills orders against the market's own book. See the module.
pub struct SimulatedVenue {
    pub(super) lanes: Lanes,
    pub(super) queue: Box<dyn QueueModel>,
    pub(super) book: BookStage,
    /// What the book says is for nobody: the venue looks at the book itself.
    pub(super) unheard: Out,
}

impl SimulatedVenue {
    /// Builds it with the parameters of [`super::PARAMS`].
    ///
    /// # Errors
    /// When the latency model is `recorded`: that one is built by [`SimulatedVenue::with_recorded`].
    pub fn new(params: &Params, space: Space) -> Result<SimulatedVenue, ParamError> {
        SimulatedVenue::with_recorded(params, space, Vec::new())
    }

    /// [`SimulatedVenue::new`] with the rows of the latency model `recorded`, in the order of time.
    ///
    /// # Errors
    /// When that model is chosen and the rows are none or not in order.
    pub fn with_recorded(params: &Params, space: Space, rows: Vec<Sample>) -> Result<SimulatedVenue, ParamError> {
        Ok(SimulatedVenue {
            lanes: Lanes::new(params, rows)?,
            queue: queue::build(params),
            book: BookStage::new(params, space),
            unheard: Out::new(flow::POSITION_VENUE, Kinds::NONE),
        })
    }

    /// The latency model's floor: nothing that the line sends comes back earlier.
    pub fn least_latency(&self) -> u64 {
        self.lanes.least()
    }

    /// When an event that left the line (a route, or a refusal) at `ts` with id `id` arrives. Called once an event, in
    /// the tail's order; later calls never give earlier times.
    pub fn arrival(&mut self, id: EventId, ts: Ns) -> Ns {
        self.lanes.arrival(id, ts)
    }

    /// A market input has been stamped: books it and fills what rests.
    pub fn on_market(&mut self, event: &Event, _replies: &mut Replies) {
        if self.book.reads().has(event.kind) {
            self.unheard.begin(event);
            self.book.on_event(event, &mut self.unheard);
        }
    }

    /// An approved route arrives at `now`.
    pub fn on_route(&mut self, _now: Ns, _route: &Approved<Event>, _replies: &mut Replies) {}

    /// State out, as canonical bytes.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        self.lanes.save(to);
        self.book.save(to);
    }

    /// State in, into a venue that was built with the same parameters.
    ///
    /// # Errors
    /// When the bytes are no such state, or exceed the bounds.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.lanes.load(from)?;
        self.book.load(from)
    }
}
