//! Which of a list of symbols an instrument has.
//!
//! The symbols are sorted. A symbol comes in pieces (`name` inputs) before its listing; each piece narrows the range of those
//! that still match, and what the last one leaves is the symbol, if it is one of the list. Nothing is copied or allocated.
//! Bound: [`SymbolIndex::MOST`] symbols, four bytes an instrument, none without symbols. Worst case of a piece: two binary
//! searches.

use crate::records::Name;
use crate::{Event, NameSpace, StateError, StateReader, StateWriter, table};

/// A sorted list of symbols, and for each instrument the place of its symbol there.
pub struct SymbolIndex {
    symbols: Box<[String]>,
    /// Per instrument the places that it may still have: from the first up to the second.
    places: Box<[(u16, u16)]>,
}

impl SymbolIndex {
    /// The most symbols.
    pub const MOST: usize = 32_768;

    /// No instrument has any of these symbols yet. Those past [`SymbolIndex::MOST`] are left out.
    pub fn new<'a>(symbols: impl IntoIterator<Item = &'a String>, instruments: u32) -> SymbolIndex {
        let mut symbols: Vec<String> = symbols.into_iter().cloned().collect();
        symbols.sort_unstable();
        symbols.dedup();
        symbols.truncate(SymbolIndex::MOST);
        let instruments = if symbols.is_empty() { 0 } else { instruments as usize };
        SymbolIndex { symbols: symbols.into(), places: table(instruments, (0, 0)) }
    }

    /// Whether it has no symbols.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// The symbols, in their order.
    pub fn symbols(&self) -> &[String] {
        &self.symbols
    }

    /// The place of an instrument's symbol.
    #[inline]
    pub fn of(&self, instrument: u32) -> Option<usize> {
        let (first, end) = *self.places.get(instrument as usize)?;
        (first < end).then_some(first.into())
    }

    /// Takes a piece of a name.
    pub fn name(&mut self, event: &Event) {
        let name: &Name = event.record();
        let Some(place) = self.places.get_mut(event.instrument as usize) else { return };
        if name.space != NameSpace::Symbol.code() {
            return;
        }
        let range = if name.part == 0 { (0, self.symbols.len()) } else { (place.0.into(), place.1.into()) };
        let (from, len) = (usize::from(name.part) * name.text.len(), usize::from(name.len).min(name.text.len()));
        let is_last = name.part.saturating_add(1) >= name.parts;
        let (first, end) = narrowed(&self.symbols, range, from, &name.text[..len], is_last);
        *place = (first as u16, end as u16);
    }

    /// Saves what the instruments have.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        let known = self.places.iter().enumerate().filter(|(_, (first, end))| first < end);
        let mut known: Vec<_> = known.map(|(at, place)| (to.key(at as u32), *place)).collect();
        known.sort_unstable();
        to.put(&known);
    }

    /// Loads what [`SymbolIndex::save`] wrote.
    ///
    /// # Errors
    /// When it is not of this list, or of more instruments.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.places.fill((0, 0));
        for (key, place) in from.get::<Vec<(String, (u16, u16))>>()? {
            let at = from.instrument(&key)? as usize;
            let (limit, found) = (self.places.len(), at + 1);
            let slot = self.places.get_mut(at).ok_or(StateError::TooLarge { what: "instruments", found, limit })?;
            if place.0 >= place.1 || usize::from(place.1) > self.symbols.len() {
                return Err(StateError::Inconsistent("a symbol that is not configured"));
            }
            *slot = place;
        }
        Ok(())
    }
}

/// The part of a range of symbols, equal up to `from`, that goes on with this piece; with the last one, the one that ends
/// with it.
fn narrowed(symbols: &[String], range: (usize, usize), from: usize, piece: &[u8], is_last: bool) -> (usize, usize) {
    let (first, end) = range;
    let of = &symbols[first..end.max(first)];
    let part = |symbol: &String| {
        let rest = symbol.as_bytes().get(from..).unwrap_or_default();
        let len = rest.len().min(piece.len());
        rest[..len].cmp(piece)
    };
    let low = of.partition_point(|symbol| part(symbol).is_lt());
    let high = of.partition_point(|symbol| part(symbol).is_le());
    // The shortest of those that begin alike comes first.
    let ends = |at: usize| of.get(at).is_some_and(|symbol| symbol.len() == from + piece.len());
    match is_last {
        true if low < high && ends(low) => (first + low, first + low + 1),
        true => (0, 0),
        false => (first + low, first + high),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Flags, Ns};

    fn pieces(symbol: &str) -> Vec<Event> {
        let parts = symbol.len().div_ceil(24) as u8;
        let piece = |(part, bytes): (usize, &[u8])| {
            let mut name = Name { part: part as u8, parts, len: bytes.len() as u8, ..Name::default() };
            name.text[..bytes.len()].copy_from_slice(bytes);
            Event::new(Ns(0), 1, Flags::NONE, &name)
        };
        symbol.as_bytes().chunks(24).enumerate().map(piece).collect()
    }

    #[test]
    fn each_of_many_symbols_is_found_and_no_other() {
        let long = "X".repeat(24);
        let mut all: Vec<String> = (0..500).map(|n| format!("S{n}")).collect();
        all.extend([long.clone(), format!("{long}A"), format!("{long}AB"), "A".to_owned(), "AA".to_owned()]);
        let mut index = SymbolIndex::new(&all, 2);
        let sorted = index.symbols().to_vec();
        let mut found = |symbol: &str| {
            pieces(symbol).iter().for_each(|event| index.name(event));
            index.of(1).map(|at| sorted[at].clone())
        };
        for symbol in &all {
            assert_eq!(found(symbol).as_ref(), Some(symbol));
        }
        for other in ["", "S", "S500", "AAA", &format!("{long}B"), &format!("{long}ABC"), &"X".repeat(23), "B"] {
            let none = if other.is_empty() { found("?") } else { found(other) };
            assert_eq!(none, None, "{other}");
        }
    }
}
