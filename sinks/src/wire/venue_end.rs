//! The venue's end of a connection, for what plays a venue: a benchmark, a test.
//!
//! Bytes in, events out, and the other way round; the socket belongs to the caller. It answers the hello by itself, has no
//! secret, repeats nothing and serves one session. Bound: what was added and not taken yet, and what the socket does not have.

use super::VERSION;
use super::frame::{Hello, unknown};
use super::framing::{Incoming, Outgoing, Payload};
use flow::records::Sent;
use flow::{Event, EventId, Flags, Ns, Record, Side};
use std::time::Duration;

/// The session's bytes are not those of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("frame {0} is not one of an engine; connect an engine that speaks version {VERSION}")]
pub struct NotAnEngine(u64);

/// One end; see the module.
pub struct VenueEnd {
    journal: u64,
    timeout: Duration,
    incoming: Incoming,
    outgoing: Outgoing,
    is_greeted: bool,
    answers: u64,
}

impl VenueEnd {
    /// Serves the engine that writes this journal, 0 = none. It is to send something at least every `timeout`.
    pub fn new(journal: u64, timeout: Duration) -> VenueEnd {
        let (incoming, outgoing) = (Incoming::default(), Outgoing::default());
        VenueEnd { journal, timeout, incoming, outgoing, is_greeted: false, answers: 0 }
    }

    /// Adds bytes that came. Call it when [`VenueEnd::take`] has nothing more.
    pub fn add(&mut self, bytes: &[u8]) {
        self.incoming.add(bytes);
    }

    /// The next route, if one has come as a whole. Hellos and questions are answered: of no order anything is known.
    ///
    /// # Errors
    /// When the bytes are not those of an engine.
    pub fn take(&mut self) -> Result<Option<Event>, NotAnEngine> {
        loop {
            let payload = self.incoming.next(self.journal).map_err(|bad| NotAnEngine(bad.number))?;
            match payload {
                None => return Ok(None),
                Some(Payload::Heartbeat | Payload::Proof(_)) => {}
                Some(Payload::Event(event)) if Hello::parse(&event).is_some() => {
                    let ours = Hello { version: VERSION, timeout: self.timeout, answers: Some(0), nonce: [0; 16] };
                    self.push(&ours.event());
                    self.is_greeted = true;
                }
                Some(Payload::Event(event)) => match event.get::<Sent>() {
                    Some(question) => self.push(&unknown(question.order_id)),
                    None => return Ok(Some(event)),
                },
            }
        }
    }

    /// Gives an answer, with the next number.
    pub fn answer<R: Record>(&mut self, instrument: u32, side: Side, record: &R) {
        self.answers += 1;
        let event = Event::new(Ns(0), instrument, Flags::LAST_OF_GROUP.with_side(side), record);
        self.push(&Event { id: EventId(self.answers), ..event });
    }

    /// Says that it is alive, once the engine has been greeted.
    pub fn beat(&mut self) {
        if self.is_greeted {
            self.outgoing.push(self.journal, &[]);
        }
    }

    /// How many answers it has given.
    pub fn answers(&self) -> u64 {
        self.answers
    }

    /// The bytes that the socket does not have yet.
    pub fn left(&self) -> &[u8] {
        self.outgoing.left()
    }

    /// The socket took `n` of them.
    pub fn gave(&mut self, n: usize) {
        self.outgoing.gave(n);
    }

    fn push(&mut self, event: &Event) {
        self.outgoing.push(self.journal, bytemuck::bytes_of(event));
    }
}
