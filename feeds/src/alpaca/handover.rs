//! From the frames of a connection to the ring: what came, by number, and a gap where a connection was lost.
//!
//! The stream has no sequence numbers: the messages of a connection are counted, and each connection is a session of its own. What
//! the network or Alpaca loses within one, nobody can tell. No socket and no clock are in here: the time of an arrival is an
//! argument. Bound: the inputs of one message. Worst case: the ring is full, and messages are a gap from there on.

use super::message::Encoding;
use super::session::{Refused, Session, Turn};
use super::translate::{Manner, Translator};
use crate::live::{Handed, RingSender};
use flow::{Inputs, Kind, Ns};

/// The way of messages to the ring.
pub(super) struct Handover {
    pub(super) sender: RingSender,
    translator: Translator,
    inputs: Inputs,
    /// Messages of this connection.
    number: u64,
}

impl Handover {
    pub(super) fn new(manner: Manner, sender: RingSender) -> Handover {
        let inputs = Inputs::with_capacity(4 * Inputs::MARGIN);
        Handover { sender, translator: Translator::new(manner), inputs, number: 0 }
    }

    /// A connection begins.
    pub(super) fn begin(&mut self, at: Ns) {
        self.number = 0;
        self.sender.begin(at.0, Some(1));
    }

    /// Hands over the messages of a frame that came now, each by its number.
    ///
    /// # Errors
    /// When the connection is of no use any more.
    pub(super) fn frame(
        &mut self,
        session: &mut Session,
        (encoding, bytes): (Encoding, &[u8]),
        at: Ns,
    ) -> Result<Turn, Refused> {
        let Handover { translator, sender, inputs, number } = self;
        let mut fault = None;
        let mut turn = session.frame(encoding, bytes, &mut |message| {
            *number += 1;
            fault = translator.message(message, at, inputs).err().or(fault);
            let lists = inputs.waiting().first().is_some_and(|first| first.kind == Kind::Name);
            if sender.send(*number, at, inputs.waiting()) == Handed::Full && lists {
                translator.unlist(message.symbol.text());
            }
            clear(inputs);
        })?;
        turn.say = turn.say.or(fault.map(|fault| fault.to_string()));
        Ok(turn)
    }

    /// The connection is lost; `false` if there is no room to say so yet.
    pub(super) fn lost(&mut self, at: Ns) -> bool {
        self.translator.forget_quotes();
        self.sender.disconnected(at)
    }

    /// Lists a symbol, if it is not listed yet; `false` if there is no room for that.
    pub(super) fn list(&mut self, symbol: &str, at: Ns) -> bool {
        self.translator.list(symbol, at, &mut self.inputs);
        let has_gone = self.sender.send_beside(at, self.inputs.waiting());
        clear(&mut self.inputs);
        if !has_gone {
            self.translator.unlist(symbol);
        }
        has_gone
    }

    /// Says what came so far.
    pub(super) fn count(&self) {
        self.sender.count(self.translator.counts());
    }
}

pub(super) fn clear(inputs: &mut Inputs) {
    while !inputs.is_empty() {
        inputs.pop();
    }
}
