//! The instruments that a strategy trades, given as symbols.
//!
//! A symbol arrives in pieces (`name` inputs) before its listing. A bit set per instrument holds the configured symbols that
//! still match; each piece clears the others, and what is left after the last piece is the symbol. Nothing is copied or
//! allocated.
//!
//! It also knows whose data are doubtful after a gap: on those nobody decides.
//!
//! Bound: [`MAX_SYMBOLS`] symbols, ten bytes per instrument. Worst case: a piece is compared with every symbol.

use flow::records::Name;
use flow::{Event, NameSpace, ParamError, Params, StateError, StateReader, StateWriter, Trust, table};

/// The most symbols.
pub const MAX_SYMBOLS: usize = 64;

/// The instruments of a list of symbols; of an empty list, all instruments.
pub(super) struct Universe {
    symbols: Box<[String]>,
    /// Per instrument, a bit for each symbol that it may still have.
    candidates: Box<[u64]>,
    trust: Trust,
}

impl Universe {
    /// Contains no instrument until it is named; with an empty list, every instrument.
    ///
    /// # Errors
    /// When the list is too long.
    pub(super) fn new(stage: &str, params: &Params, instruments: u32) -> Result<Universe, ParamError> {
        let symbols: Box<[String]> = params.get(super::common::SYMBOLS).into();
        if symbols.len() > MAX_SYMBOLS {
            let (key, found) = (format!("{stage}.symbols"), symbols.join(","));
            return Err(ParamError { key, found, valid: format!("valid: up to {MAX_SYMBOLS} symbols") });
        }
        Ok(Universe { symbols, candidates: table(instruments as usize, 0), trust: Trust::new(instruments) })
    }

    /// Whether the strategy trades an instrument; never index 0 or one past the space.
    #[inline]
    pub(super) fn has(&self, instrument: u32) -> bool {
        let known = self.candidates.get(instrument as usize).filter(|_| instrument != 0);
        known.is_some_and(|bits| *bits != 0 || self.symbols.is_empty())
    }

    /// Whether the data of an instrument can be acted on.
    #[inline]
    pub(super) fn trusts(&self, instrument: u32) -> bool {
        !self.trust.is_doubtful(instrument)
    }

    /// Takes note of whose data an instrument's are: its listing's. Names come from others too.
    pub(super) fn listing(&mut self, event: &Event) {
        self.trust.belongs(event.instrument, event.source);
    }

    /// Takes note of a `data-state`.
    pub(super) fn data_state(&mut self, event: &Event) {
        self.trust.take(event);
    }

    /// Applies a piece of a name.
    pub(super) fn name(&mut self, event: &Event) {
        let name: &Name = event.record();
        let Some(bits) = self.candidates.get_mut(event.instrument as usize) else { return };
        if name.space != NameSpace::Symbol.code() {
            return;
        }
        if name.part == 0 {
            *bits = !0;
        }
        let (from, len) = (usize::from(name.part) * name.text.len(), usize::from(name.len).min(name.text.len()));
        let is_last = name.part.saturating_add(1) >= name.parts;
        let fits = |symbol: &String| {
            let rest = symbol.as_bytes().get(from..).unwrap_or_default();
            rest.starts_with(&name.text[..len]) && (!is_last || rest.len() == len)
        };
        let left = self.symbols.iter().enumerate().filter(|(_, s)| fits(s)).fold(0, |left, (i, _)| left | 1 << i);
        *bits &= left;
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let named = self.candidates.iter().enumerate().filter(|(_, bits)| **bits != 0);
        let mut named: Vec<_> = named.map(|(at, bits)| (to.key(at as u32), *bits)).collect();
        named.sort_unstable();
        to.put(&named);
        self.trust.save(to);
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.candidates.fill(0);
        for (key, bits) in from.get::<Vec<(String, u64)>>()? {
            let at = index(&key, from, self.candidates.len())?;
            self.candidates[at] = bits;
        }
        self.trust.load(from)
    }
}

/// The instrument of a listing key, below `limit`.
pub(super) fn index(key: &str, from: &StateReader<'_>, limit: usize) -> Result<usize, StateError> {
    let at = from.instrument(key)? as usize;
    if at >= limit {
        return Err(StateError::TooLarge { what: "instruments", found: at + 1, limit });
    }
    Ok(at)
}
