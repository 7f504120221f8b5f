//! A quantity that symbols may have of their own, and that changes as sessions begin.
//!
//! Every instrument runs with the quantity that was accepted when its session began. A command, or a configuration that goes on
//! from another journal, is thus never in the middle of a session: the instrument takes it at the first event of the next one.
//! An instrument that has had no session yet waits for nothing.
//!
//! Bound: [`PerSymbol`], and eight bytes an instrument. Worst case: a command reads all sets of values again; saying what is in
//! force looks at every instrument.

use flow::{
    Event, GrowingTable, IntParam, Kind, Out, Param, ParamError, ParamInForce, Params, PerSymbol, StateError,
    StateReader, StateWriter, Value,
};
use std::collections::BTreeMap;

/// A quantity by instrument.
pub struct BySession {
    param: Param,
    /// The last one that was accepted.
    accepted: PerSymbol<u64>,
    /// The one that the session of an instrument runs with; [`BySession::NONE`] = there was no session yet.
    running: GrowingTable<u64>,
}

impl BySession {
    /// No session yet. It is above every value that a parameter of this type may have.
    const NONE: u64 = u64::MAX;

    /// The quantities of the parameter `param`, one of `entry`.
    ///
    /// # Errors
    /// As [`PerSymbol::new`].
    pub fn new(
        entry: &'static [Param],
        param: IntParam,
        params: &Params,
        instruments: u32,
    ) -> Result<BySession, ParamError> {
        let accepted = PerSymbol::new(entry, 0, params, instruments, move |of| Ok(of.get(param)))?;
        let running = GrowingTable::new(instruments as usize, BySession::NONE);
        Ok(BySession { param: param.param(), accepted, running })
    }

    /// Takes memory for an instrument that is listed.
    pub fn reach(&mut self, at: usize) {
        self.running.reach(at);
    }

    /// The quantity of the session that an instrument is in, if there was one.
    #[inline]
    pub fn running(&self, at: usize) -> Option<u64> {
        self.running.get(at).copied().filter(|quantity| *quantity != BySession::NONE)
    }

    /// A session of an instrument begins: the quantity that it runs with, if that is another than before.
    pub fn begin(&mut self, at: usize) -> Option<u64> {
        let accepted = *self.accepted.get(at as u32);
        (std::mem::replace(&mut self.running[at], accepted) != accepted).then_some(accepted)
    }

    /// What of an instrument outlives its journal: the quantity that its session runs with, and that of the configuration.
    pub fn lasting(&self, at: usize) -> Option<[i64; 3]> {
        Some([self.running(at)?.cast_signed(), self.configured(at)?.cast_signed(), 0])
    }

    /// Takes it back, unless the configuration has another quantity now; says which quantity the session runs with.
    pub fn recall(&mut self, at: usize, [running, configured, _]: [i64; 3]) -> Option<u64> {
        let Some(Value::Int(quantity)) = self.param.of_bits(running) else { return None };
        let same = self.configured(at) == Some(configured.cast_unsigned());
        same.then(|| self.running[at] = quantity).map(|()| quantity)
    }

    fn configured(&self, at: usize) -> Option<u64> {
        match self.accepted.configured(at as u32, &self.param) {
            Some(Value::Int(quantity)) => Some(*quantity),
            _ => None,
        }
    }

    /// Says under which number commands name the instance.
    pub fn belongs_to(&mut self, owner: u16) {
        self.accepted.belongs_to(owner);
    }

    /// Takes a piece of an instrument's name, or a command.
    pub fn vary(&mut self, event: &Event, out: &mut Out) {
        match event.kind {
            Kind::Name => self.accepted.name(event),
            Kind::Command => drop(self.accepted.command(event, out)),
            _ => {}
        }
    }

    /// What commands may set. Where sessions still run with an earlier quantity, it is the one of the first such instrument, and
    /// the accepted one waits.
    pub fn in_force(&self) -> Vec<ParamInForce> {
        let mut still = BTreeMap::new();
        for at in (1..self.running.values().len()).rev() {
            let (instrument, running) = (at as u32, self.running(at));
            if running.is_some_and(|running| running != *self.accepted.get(instrument)) {
                let place = self.accepted.place(&self.param);
                still.insert((self.accepted.source(instrument, place), place), running.map(u64::cast_signed));
            }
        }
        let still = |set, at| still.get(&(set, at)).copied().flatten();
        self.accepted.in_force_while(still).into_iter().map(|(_, row)| row).collect()
    }

    /// Saves what was accepted; what sessions run with is saved by whoever uses it.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        to.put(&self.configured(0));
        self.accepted.save(to);
    }

    /// Loads it; no instrument has had a session then.
    ///
    /// # Errors
    /// As [`PerSymbol::load`]; when the configuration has another quantity.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        if from.get::<Option<u64>>()? != self.configured(0) {
            return Err(StateError::Inconsistent("a measure with other parameters"));
        }
        self.running.clear();
        self.accepted.load(from)
    }

    /// Takes back what the session of an instrument runs with, as it was saved; `false` if no parameter has such a value.
    pub fn load_running(&mut self, at: usize, quantity: u64) -> bool {
        let is_one = self.param.of_bits(quantity.cast_signed()).is_some();
        self.running[at] = if is_one { quantity } else { BySession::NONE };
        is_one
    }
}
