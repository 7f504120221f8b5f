//! The operator's terms, put into the listings of a source before they enter, so that the journal holds them as they were used.
//!
//! Only a configuration that states terms pays for them: one look at the kind of each input. Bound: one entry a listing.

use crate::config::InstrumentSettings;
use flow::records::Listing;
use flow::{Event, Listings};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The terms that the operator states, by symbol.
pub type Stated = Arc<BTreeMap<String, InstrumentSettings>>;

/// The terms for one source.
pub(super) struct StatedTerms {
    stated: Stated,
    /// The symbols of the source so far.
    symbols: Listings,
    /// What the feed told otherwise.
    replaced: BTreeSet<String>,
}

impl StatedTerms {
    /// `None` if nothing is stated.
    pub(super) fn new(stated: &Stated) -> Option<StatedTerms> {
        let (stated, symbols, replaced) = (Arc::clone(stated), Listings::default(), BTreeSet::new());
        (!stated.is_empty()).then_some(StatedTerms { stated, symbols, replaced })
    }

    /// Puts the terms into the listings among `inputs`.
    pub(super) fn apply(&mut self, inputs: &mut [Event]) {
        for input in inputs {
            self.symbols.observe(input);
            if input.get::<Listing>().is_none() {
                continue;
            }
            let Some(symbol) = self.symbols.get(input.instrument).map(|listed| &listed.symbol) else { continue };
            if let Some(terms) = self.stated.get(symbol) {
                let changed = terms.apply(input.record_mut());
                self.replaced
                    .extend(changed.iter().map(|change| format!("[instrument.{symbol:?}] {change} as the feed tells")));
            }
        }
    }

    /// What the feed told otherwise, for the user.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        self.replaced.iter().cloned()
    }
}
