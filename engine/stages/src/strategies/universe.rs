//! The instruments that a strategy trades, given as symbols.
//!
//! It also knows whose data are doubtful after a gap: on those nobody decides.
//!
//! Bound: [`MAX_SYMBOLS`] symbols, four bytes per instrument and the table of trust. Worst case: a piece of a name.

use flow::{Event, ParamError, Params, StateError, StateReader, StateWriter, SymbolIndex, Trust};

/// The most symbols.
pub const MAX_SYMBOLS: usize = SymbolIndex::MOST;

/// The instruments of a list of symbols; of an empty list, all instruments.
pub(super) struct Universe {
    symbols: SymbolIndex,
    instruments: u32,
    trust: Trust,
}

impl Universe {
    /// Contains no instrument until it is named; with an empty list, every instrument.
    ///
    /// # Errors
    /// When the list is too long.
    pub(super) fn new(stage: &str, params: &Params, instruments: u32) -> Result<Universe, ParamError> {
        let symbols = params.get(super::common::SYMBOLS);
        if symbols.len() > MAX_SYMBOLS {
            let (key, found) = (format!("{stage}.symbols"), format!("{} symbols", symbols.len()));
            return Err(ParamError { key, found, valid: format!("valid: up to {MAX_SYMBOLS} symbols") });
        }
        Ok(Universe { symbols: SymbolIndex::new(symbols, instruments), instruments, trust: Trust::new(instruments) })
    }

    /// Whether the strategy trades an instrument; never index 0 or one past the space.
    #[inline]
    pub(super) fn has(&self, instrument: u32) -> bool {
        let is_one = instrument != 0 && instrument < self.instruments;
        is_one && (self.symbols.is_empty() || self.symbols.of(instrument).is_some())
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
        self.symbols.name(event);
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        self.symbols.save(to);
        self.trust.save(to);
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.symbols.load(from)?;
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
