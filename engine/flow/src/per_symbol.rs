//! Values that may differ from symbol to symbol, and that may change while they are used.
//!
//! What a section sets for single symbols ([`Params::symbols`]) is resolved when an instrument is named: from then on its
//! values are one index away. A command ([`CommandAction::SetParam`]) changes a value of all instruments that have none of
//! their own, or of one instrument; if it waits for a bar, it takes effect when [`PerSymbol::bar_closed`] is told so. Whether a
//! command is accepted, and what it must name as the old value, does not depend on the bars: the last accepted value counts,
//! also while it waits. A value that waits for sessions is here the accepted one at once: whoever runs on it takes it when the
//! session of an instrument begins, and says which instruments have not yet ([`PerSymbol::in_force_while`]). So the commands of a journal alone say what was set ([`PerSymbol::in_force`] of values that they are
//! given to again).
//!
//! Bound: one set of values for each symbol that the section names and [`SPARE`] for instruments that only commands name;
//! one waiting change a set and parameter; two bytes an instrument. Worst case of a command: all sets are read again.

use crate::records::{Command, CommandOutcome};
use crate::{
    CommandAction, CommandResult, Effective, Event, Flags, Out, POSITION_INGRESS, Param, ParamError, ParamInForce,
    Params, StateError, StateReader, StateWriter, SymbolIndex, Value, table,
};
use std::collections::BTreeMap;

/// How many instruments commands alone may give values of their own.
const SPARE: usize = 64;

/// Reads values from parameters.
type Read<T> = Box<dyn Fn(&Params) -> Result<T, ParamError> + Send>;

/// Values of type `T` by instrument.
pub struct PerSymbol<T> {
    entry: &'static [Param],
    owner: u16,
    read: Read<T>,
    index: SymbolIndex,
    /// By instrument, the set that it uses; 0 = that of all.
    of: Box<[u16]>,
    values: Vec<T>,
    sets: Vec<Set>,
    /// How many of the sets the section has.
    configured: usize,
    /// What the section sets.
    section: Params,
    /// Changes that wait for a bar: by set and parameter, the bits of the value.
    waiting: BTreeMap<(u16, u16), i64>,
}

/// The parameters of a set, and which of them are its own, a bit each.
struct Set {
    params: Params,
    own: u64,
}

impl Set {
    fn has_own(&self, at: u16) -> bool {
        self.own & 1 << at != 0
    }
}

/// Sets with a value of a parameter changed, and what is read from them.
type Tried<T> = Vec<(usize, Params, T)>;

impl<T> PerSymbol<T> {
    /// The values of the instance `owner` with these parameters, which are of `entry`; `read` makes a value of them.
    ///
    /// # Errors
    /// What `read` says; of a symbol's values under the key of the symbol.
    pub fn new(
        entry: &'static [Param],
        owner: u16,
        params: &Params,
        instruments: u32,
        read: impl Fn(&Params) -> Result<T, ParamError> + Send + 'static,
    ) -> Result<PerSymbol<T>, ParamError> {
        assert!(entry.len() <= u64::BITS as usize, "a bit for each parameter");
        let index = SymbolIndex::new(params.symbols().map(|(symbol, _)| symbol), instruments);
        let room = index.symbols().len() + 1 + SPARE;
        let (mut sets, mut values) = (Vec::with_capacity(room), Vec::with_capacity(room));
        values.push(read(params)?);
        sets.push(Set { params: params.without_symbols(), own: 0 });
        for symbol in index.symbols() {
            let params_of = params.of_symbol(symbol);
            let own = |name: &str| params.own_value(symbol, name).is_some();
            let own = entry.iter().enumerate().filter(|(_, p)| own(p.name)).fold(0, |own, (at, _)| own | 1 << at);
            values.push(read(&params_of).map_err(|fault| of_symbol(fault, symbol))?);
            sets.push(Set { params: params_of, own });
        }
        let (of, configured, section) = (table(instruments as usize, 0), sets.len(), params.clone());
        let (read, waiting) = (Box::new(read), BTreeMap::new());
        Ok(PerSymbol { entry, owner, read, index, of, values, sets, configured, section, waiting })
    }

    /// The values of an instrument below the number that it was made for.
    #[inline]
    pub fn get(&self, instrument: u32) -> &T {
        &self.values[usize::from(self.of[instrument as usize])]
    }

    /// The values of all instruments that have none of their own.
    #[inline]
    pub fn of_all(&self) -> &T {
        &self.values[0]
    }

    /// All values that an instrument may have, those of all first.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }

    /// Says whose values they are, if it was not known when they were made.
    pub fn belongs_to(&mut self, owner: u16) {
        self.owner = owner;
    }

    /// Takes a piece of an instrument's name.
    pub fn name(&mut self, event: &Event) {
        self.index.name(event);
        if let Some(of) = self.of.get_mut(event.instrument as usize)
            && usize::from(*of) < self.configured
        {
            *of = self.index.of(event.instrument).map_or(0, |place| place as u16 + 1);
        }
    }

    /// Carries out a command, if it sets one of these values, and says what became of it. Returns the name of the parameter
    /// if values have changed.
    #[cold]
    pub fn command(&mut self, event: &Event, out: &mut Out) -> Option<&'static str> {
        let command: &Command = event.record();
        let is_set = command.action == CommandAction::SetParam.code() && event.id.position() == POSITION_INGRESS;
        if !is_set || command.target >> 16 != u32::from(self.owner) {
            return None;
        }
        let at = command.target as u16;
        let (old, result) = self.set(event.instrument, at, command);
        let effective = self.entry.get(usize::from(at)).map_or(Effective::Now, |param| param.effective);
        let new = if result == CommandResult::Applied { command.new } else { old };
        let Command { action, target, .. } = *command;
        let (result, effective) = (result.code(), effective.code());
        let outcome = CommandOutcome { action, target, old, new, result, effective, reserved: [0; 13] };
        out.push(event.instrument, Flags::NONE, &outcome);
        let now = result == CommandResult::Applied.code() && effective == Effective::Now.code();
        now.then(|| self.entry[usize::from(at)].name)
    }

    /// Carries out a command that sets the parameter `at` of an instrument, or of all for 0. Returns the value before, and what
    /// became of it.
    #[cold]
    pub fn set(&mut self, instrument: u32, at: u16, command: &Command) -> (i64, CommandResult) {
        let Some(param) = self.entry.get(usize::from(at)) else { return (0, CommandResult::UnknownTarget) };
        let used = self.of.get(instrument as usize).copied();
        let (Some(used), false) = (used, instrument != 0 && !param.per_symbol) else {
            return (0, CommandResult::UnknownTarget);
        };
        let old = self.accepted(used, at).unwrap_or(0);
        let Some(value) = param.of_bits(command.new) else { return (old, CommandResult::OutOfRange) };
        if param.effective == Effective::Restart {
            return (old, CommandResult::UnknownTarget);
        }
        if old != command.old {
            return (old, CommandResult::WrongOld);
        }
        let Some(set) = self.set_of(instrument, used) else { return (old, CommandResult::TooMany) };
        let Some(tried) = self.tried(set, at, &value) else { return (old, CommandResult::OutOfRange) };
        if param.effective == Effective::NextBar {
            self.waiting.insert((set, at), command.new);
        } else {
            self.apply(set, at, tried);
        }
        (old, CommandResult::Applied)
    }

    /// The last accepted value: what is in force, or what waits for its bar.
    fn accepted(&self, set: u16, at: u16) -> Option<i64> {
        let of_all = if self.sets[usize::from(set)].has_own(at) { None } else { self.waiting.get(&(0, at)) };
        let waits = self.waiting.get(&(set, at)).or(of_all).copied();
        waits.or_else(|| bits(&self.sets[usize::from(set)].params, &self.entry[usize::from(at)]))
    }

    /// Which set an instrument uses; those that use the same have the same values.
    pub fn used_by(&self, instrument: u32) -> u16 {
        self.of.get(instrument as usize).copied().unwrap_or(0)
    }

    /// The place of one of the parameters.
    ///
    /// # Panics
    /// When it is not one of them.
    pub fn place(&self, param: &Param) -> u16 {
        self.entry.iter().position(|p| p.name == param.name).expect("a parameter of the entry") as u16
    }

    /// Which set has the value of a parameter that an instrument gets.
    pub fn source(&self, instrument: u32, at: u16) -> u16 {
        let used = self.used_by(instrument);
        if self.sets[usize::from(used)].has_own(at) { used } else { 0 }
    }

    /// The value that the section has for an instrument.
    pub fn configured(&self, instrument: u32, param: &Param) -> Option<&Value> {
        let symbol = self.index.of(instrument).and_then(|place| self.index.symbols().get(place));
        let own = symbol.and_then(|symbol| self.section.own_value(symbol, param.name));
        own.or_else(|| self.section.value(param.name))
    }

    /// The parameters that commands may set, each with the set that it is of: of all instruments, then of the single
    /// instruments to which commands gave values of their own, each under the first that uses the set.
    pub fn in_force(&self) -> Vec<(u16, ParamInForce)> {
        self.in_force_while(|_, _| None)
    }

    /// The same where instruments still run with a value that sessions have not replaced yet: `still` gives it, of a set and a
    /// parameter.
    pub fn in_force_while(&self, still: impl Fn(u16, u16) -> Option<i64>) -> Vec<(u16, ParamInForce)> {
        let (live, still) = (|| (0..).zip(self.entry).filter(|(_, param)| param.is_live()).map(|(at, _)| at), &still);
        let of_set = |set| live().filter_map(move |at| Some((set, self.row(set, at, still(set, at))?)));
        let mut rows: Vec<_> = (0..self.sets.len() as u16).flat_map(of_set).collect();
        if rows.last().is_some_and(|(set, _)| *set != 0) {
            let mut first = vec![0; self.sets.len()];
            for instrument in (1..self.of.len()).rev() {
                first[usize::from(self.of[instrument])] = instrument as u32;
            }
            first[0] = 0;
            rows.iter_mut().for_each(|(set, row)| row.instrument = first[usize::from(*set)]);
        }
        rows
    }

    /// One of them, in force with `still` if that is known; `None` if it is the value that all have, or that the section sets
    /// for a symbol.
    fn row(&self, set: u16, at: u16, still: Option<i64>) -> Option<ParamInForce> {
        let (param, of) = (&self.entry[usize::from(at)], &self.sets[usize::from(set)]);
        if set != 0 && !of.has_own(at) && !self.waiting.contains_key(&(set, at)) {
            return None;
        }
        let (accepted, value) = (self.accepted(set, at)?, still.or_else(|| bits(&of.params, param))?);
        let symbol = usize::from(set).checked_sub(1).and_then(|place| self.index.symbols().get(place));
        let own = symbol.and_then(|symbol| self.section.own_value(symbol, param.name));
        let configured = param.bits(own.or_else(|| self.section.value(param.name))?)?;
        let waits = Some(accepted).filter(|accepted| *accepted != value);
        let row = ParamInForce { owner: self.owner, param: at, instrument: 0, value, waits, configured };
        let is_configured = own.is_some() && value == configured && waits.is_none();
        (!is_configured).then_some(row)
    }

    /// The set that an instrument has to itself, made if need be; that of all for no instrument.
    fn set_of(&mut self, instrument: u32, used: u16) -> Option<u16> {
        if instrument == 0 || used != 0 {
            return Some(used);
        }
        if self.sets.len() == self.configured + SPARE {
            return None;
        }
        let params = self.sets[0].params.clone();
        self.values.push((self.read)(&params).ok()?);
        self.sets.push(Set { params, own: 0 });
        self.of[instrument as usize] = (self.sets.len() - 1) as u16;
        Some(self.of[instrument as usize])
    }

    /// The sets as they are with a parameter of one of them changed: this one, and every other that follows it; `None` if the
    /// values then make no sense.
    fn tried(&self, set: u16, at: u16, value: &Value) -> Option<Tried<T>> {
        let follows = |(other, s): &(usize, &Set)| *other == usize::from(set) || (set == 0 && !s.has_own(at));
        let changed = |(other, s): (usize, &Set)| {
            let mut params = s.params.clone();
            params.set(&self.entry[usize::from(at)], value.clone());
            let values = (self.read)(&params).ok()?;
            Some((other, params, values))
        };
        self.sets.iter().enumerate().filter(follows).map(changed).collect()
    }

    fn apply(&mut self, set: u16, at: u16, tried: Tried<T>) {
        for (other, params, values) in tried {
            self.sets[other].params = params;
            self.values[other] = values;
        }
        if set != 0 {
            self.sets[usize::from(set)].own |= 1 << at;
        }
    }

    /// A bar has closed: what waited for it takes effect.
    #[inline]
    pub fn bar_closed(&mut self) {
        if !self.waiting.is_empty() {
            self.next_bar();
        }
    }

    #[cold]
    fn next_bar(&mut self) {
        for ((set, at), bits) in std::mem::take(&mut self.waiting) {
            let value = self.entry[usize::from(at)].of_bits(bits);
            if let Some(tried) = value.and_then(|value| self.tried(set, at, &value)) {
                self.apply(set, at, tried);
            }
        }
    }

    /// Saves the values and who uses which.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        let all = |params: &Params| self.entry.iter().map(|param| bits(params, param)).collect::<Vec<_>>();
        to.put(&self.sets.iter().map(|set| (all(&set.params), set.own)).collect::<Vec<_>>());
        let alone = self.of.iter().enumerate().filter(|(_, set)| usize::from(**set) >= self.configured);
        let mut alone: Vec<_> = alone.map(|(at, set)| (to.key(at as u32), *set)).collect();
        alone.sort_unstable();
        let waiting: Vec<_> = self.waiting.iter().map(|((set, at), bits)| (*set, *at, *bits)).collect();
        to.put(&(alone, waiting));
        self.index.save(to);
    }

    /// Loads what [`PerSymbol::save`] wrote with the same parameters.
    ///
    /// # Errors
    /// When it is not of these parameters.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        const OTHER: StateError = StateError::Inconsistent("values of other parameters");
        let saved = from.get::<Vec<(Vec<Option<i64>>, u64)>>()?;
        if !(self.configured..=self.configured + SPARE).contains(&saved.len()) {
            return Err(OTHER);
        }
        self.sets.truncate(self.configured);
        self.values.truncate(self.configured);
        for (at, (bits, own)) in saved.into_iter().enumerate() {
            let mut params = self.sets[at.min(self.sets.len() - 1)].params.clone();
            for (param, bits) in self.entry.iter().zip(bits) {
                let value = bits.map(|bits| param.of_bits(bits).ok_or(OTHER)).transpose()?;
                value.into_iter().for_each(|value| params.set(param, value));
            }
            let values = (self.read)(&params).map_err(|_| OTHER)?;
            if at < self.sets.len() {
                (self.sets[at], self.values[at]) = (Set { params, own }, values);
            } else {
                self.sets.push(Set { params, own });
                self.values.push(values);
            }
        }
        let (alone, waiting) = from.get::<(Vec<(String, u16)>, Vec<(u16, u16, i64)>)>()?;
        let known = |set: u16| usize::from(set) < self.sets.len();
        let is_sorted = waiting.is_sorted_by(|(set, at, _), (next, then, _)| (set, at) < (next, then));
        if !is_sorted || !waiting.iter().all(|(set, at, _)| known(*set) && usize::from(*at) < self.entry.len()) {
            return Err(OTHER);
        }
        self.waiting = waiting.into_iter().map(|(set, at, bits)| ((set, at), bits)).collect();
        self.index.load(from)?;
        for (at, of) in (0..).zip(&mut self.of) {
            *of = self.index.of(at).map_or(0, |place| place as u16 + 1);
        }
        for (key, set) in alone {
            let at = from.instrument(&key)? as usize;
            let is_spare = (self.configured..self.sets.len()).contains(&set.into());
            *self.of.get_mut(at).filter(|_| is_spare).ok_or(OTHER)? = set;
        }
        Ok(())
    }
}

/// The bits of a parameter's value; texts, lists and tables have none.
fn bits(params: &Params, param: &Param) -> Option<i64> {
    params.value(param.name).and_then(|value| param.bits(value))
}

/// A fault in the values of a symbol: `momentum.qty` becomes `momentum.symbol.AAPL.qty`.
fn of_symbol(fault: ParamError, symbol: &str) -> ParamError {
    let (entry, name) = fault.key.split_once('.').unwrap_or(("", &fault.key));
    ParamError { key: format!("{entry}.symbol.{symbol}.{name}"), ..fault }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventId, IntParam, Kinds, Listings, Ns};

    const QTY: IntParam = IntParam::new("qty", (1, 100), "10", "a quantity").live().per_symbol();
    const BARS: IntParam = IntParam::new("bars", (1, 9), "2", "bars").next_bar();
    const FIXED: IntParam = IntParam::new("fixed", (1, 9), "2", "fixed");
    const ENTRY: &[Param] = &[QTY.param(), BARS.param(), FIXED.param()];

    fn made() -> PerSymbol<(u64, u64)> {
        let read = |params: &Params| Ok((params.get(QTY), params.get(BARS)));
        PerSymbol::new(ENTRY, 7, &Params::defaults(ENTRY), 100, read).unwrap()
    }

    /// Result, value in force and when it takes effect.
    fn set(to: &mut PerSymbol<(u64, u64)>, instrument: u32, at: u32, old: i64, new: i64) -> (CommandResult, i64, u8) {
        let action = CommandAction::SetParam.code();
        let command = Command { action, target: 7 << 16 | at, old, new, ..Command::default() };
        let event = Event { id: EventId::new(1, 0, 0), ..Event::new(Ns(1), instrument, Flags::NONE, &command) };
        let mut out = Out::new(1, Kinds::ALL);
        out.begin(&event);
        to.command(&event, &mut out);
        let said: &CommandOutcome = out.events()[0].record();
        (CommandResult::from_code(said.result).unwrap(), said.new, said.effective)
    }

    #[test]
    fn a_command_changes_what_it_may_and_a_saved_state_has_it() {
        use CommandResult::{Applied, OutOfRange, TooMany, UnknownTarget, WrongOld};
        let mut values = made();
        assert_eq!(set(&mut values, 0, 0, 10, 20), (Applied, 20, 1));
        assert_eq!(set(&mut values, 0, 0, 10, 30), (WrongOld, 20, 1));
        assert_eq!(set(&mut values, 0, 0, 20, 101), (OutOfRange, 20, 1));
        assert_eq!(set(&mut values, 3, 0, 20, 5), (Applied, 5, 1));
        assert_eq!(set(&mut values, 0, 0, 20, 40), (Applied, 40, 1));
        assert_eq!((*values.get(1), *values.get(3)), ((40, 2), (5, 2)), "its own value stays");
        assert_eq!(set(&mut values, 0, 2, 2, 3).0, UnknownTarget, "after a restart only");
        assert_eq!(set(&mut values, 3, 1, 2, 3).0, UnknownTarget, "the same for every symbol");
        assert_eq!(set(&mut values, u32::MAX, 0, 40, 3).0, UnknownTarget);
        assert_eq!(set(&mut values, 0, 1, 2, 4), (Applied, 4, 2));
        assert_eq!(values.get(1).1, 2, "it waits for its bar");
        assert_eq!(set(&mut values, 0, 1, 2, 5), (WrongOld, 4, 2), "what waits counts");
        assert_eq!(set(&mut values, 0, 1, 4, 6), (Applied, 6, 2), "the last one takes its place");
        assert_eq!(set(&mut values, 0, 1, 6, 4), (Applied, 4, 2));
        let (listings, mut again) = (Listings::default(), made());
        let mut state = StateWriter::new(&listings);
        values.save(&mut state);
        let bytes = state.into_bytes();
        again.load(&mut StateReader::new(&listings, &bytes)).unwrap();
        for values in [&mut values, &mut again] {
            values.bar_closed();
            assert_eq!((*values.get(1), *values.get(3)), ((40, 4), (5, 4)));
        }
        let said = |values: &PerSymbol<(u64, u64)>| {
            let rows = values.in_force();
            rows.iter().map(|(_, r)| (r.instrument, r.param, r.value, r.waits, r.configured)).collect::<Vec<_>>()
        };
        assert_eq!(said(&values), [(0, 0, 40, None, 10), (0, 1, 4, None, 2), (3, 0, 5, None, 10)]);
        assert_eq!(set(&mut values, 0, 1, 4, 7), (Applied, 7, 2));
        assert_eq!(said(&values)[1], (0, 1, 4, Some(7), 2));
        let made = (4..100).filter(|at| set(&mut values, *at, 0, 40, 1).0 == Applied).count();
        assert_eq!((made, set(&mut values, 99, 0, 40, 1).0), (SPARE - 1, TooMany));
    }

    /// What is accepted does not depend on when bars close, so whoever has the commands alone comes to the same values.
    #[test]
    fn the_commands_alone_say_what_was_set() {
        const LATER: IntParam = IntParam::new("later", (1, 9), "2", "at the next bar").next_bar().per_symbol();
        const SOME: &[Param] = &[QTY.param(), LATER.param()];
        let mut section = Params::defaults(SOME);
        section.set_for("A", &QTY.param(), Value::Int(7));
        let made = || PerSymbol::new(SOME, 7, &section, 9, |p| Ok((p.get(QTY), p.get(LATER)))).unwrap();
        let mut random = 1_u64;
        let mut draw = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        for _ in 0..200 {
            let (mut one, mut other) = (made(), made());
            for _ in 0..60 {
                let (instrument, at) = (draw(4) as u32, draw(2) as u32);
                let old = one.accepted(one.used_by(instrument), at as u16).unwrap() + i64::from(draw(5) == 0);
                let new = 1 + draw(10) as i64;
                let became = set(&mut one, instrument, at, old, new);
                assert_eq!(set(&mut other, instrument, at, old, new), became);
                other.bar_closed();
                if draw(4) == 0 {
                    one.bar_closed();
                }
            }
            one.bar_closed();
            assert_eq!(one.in_force(), other.in_force());
            assert!((0..9).all(|at| one.get(at) == other.get(at)));
        }
    }
}
