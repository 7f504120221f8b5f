//! The stocks of an input by locate: which are listed, under what name, and which are not watched.
//!
//! Bound: two bits for each of 65,536 locates, and the name of each stock. Worst case: other stocks are watched, which looks at
//! every name.

use super::wire::Stock;
use flow::Selection;

/// Locates are 16 bits.
pub(super) const INSTRUMENTS: u32 = 1 << 16;

/// One bit for each locate.
pub(super) struct Locates(Box<[u64; INSTRUMENTS as usize / 64]>);

impl Locates {
    fn none() -> Locates {
        Locates(Box::new([0; INSTRUMENTS as usize / 64]))
    }

    #[inline(always)]
    pub(super) fn has(&self, locate: u16) -> bool {
        let locate = usize::from(locate);
        self.0[locate / 64] >> (locate % 64) & 1 == 1
    }

    fn set(&mut self, locate: u16, to: bool) {
        let locate = usize::from(locate);
        let (word, bit) = (&mut self.0[locate / 64], 1 << (locate % 64));
        *word = if to { *word | bit } else { *word & !bit };
    }
}

/// The stocks so far.
pub(super) struct Stocks {
    listed: Locates,
    names: Vec<Stock>,
    watched: Selection,
    foreign: Option<Locates>,
}

impl Stocks {
    pub(super) fn none() -> Stocks {
        Stocks { listed: Locates::none(), names: Vec::new(), watched: Selection::default(), foreign: None }
    }

    /// Those that are listed.
    #[inline(always)]
    pub(super) fn listed(&self) -> &Locates {
        &self.listed
    }

    /// Those that are listed and not watched; `None` if all are watched.
    #[inline(always)]
    pub(super) fn foreign(&self) -> Option<&Locates> {
        self.foreign.as_ref()
    }

    /// Lists a stock; returns its symbol.
    pub(super) fn list(&mut self, locate: u16, stock: &Stock) -> String {
        self.listed.set(locate, true);
        let at = usize::from(locate);
        self.names.resize(self.names.len().max(at + 1), [b' '; 8]);
        self.names[at] = *stock;
        let symbol = symbol_of(stock);
        if let Some(foreign) = &mut self.foreign {
            foreign.set(locate, !self.watched.has(&symbol));
        }
        symbol
    }

    /// Only these are watched from now on.
    pub(super) fn watch(&mut self, watched: &Selection) {
        self.watched = watched.clone();
        let mut foreign = Locates::none();
        for (locate, stock) in (0..=u16::MAX).zip(&self.names) {
            foreign.set(locate, self.listed.has(locate) && !watched.has(&symbol_of(stock)));
        }
        self.foreign = (!watched.is_everything()).then_some(foreign);
    }
}

fn symbol_of(stock: &Stock) -> String {
    String::from_utf8_lossy(stock).trim_end_matches([' ', '\0']).to_owned()
}
