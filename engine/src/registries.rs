//! The registries that a binary hands to [`main`](crate::commands::main).
//!
//! A binary of another crate adds entries of its own: its feeds and gateways are then configured, validated and recorded
//! like those that come with the engine, and its sinks get the events of any run. Bound: names are compared one by one, when a configuration is read.

use feeds::{FEEDS, Feed};
use flow::Registered;
use sinks::{GATEWAYS, GatewayEntry, SINKS, SinkEntry};
use stages::Instanced;
use stages::exchange_sim::VENUES;
use stages::risk::{ACCOUNT, LIMIT};

/// The feeds, gateways and sinks that a binary knows.
#[derive(Clone)]
pub struct Registries {
    feeds: Vec<&'static Feed>,
    gateways: Vec<&'static GatewayEntry>,
    sinks: Vec<&'static SinkEntry>,
}

impl Default for Registries {
    /// Those that come with the engine.
    fn default() -> Registries {
        Registries { feeds: FEEDS.to_vec(), gateways: GATEWAYS.iter().collect(), sinks: SINKS.iter().collect() }
    }
}

impl Registries {
    /// Adds a feed.
    ///
    /// # Panics
    /// When another entry has its name.
    #[must_use]
    pub fn with_feed(mut self, feed: &'static Feed) -> Registries {
        self.check_name(feed.name);
        self.feeds.push(feed);
        self
    }

    /// Adds a gateway to a venue.
    ///
    /// # Panics
    /// When another entry has its name.
    #[must_use]
    pub fn with_gateway(mut self, gateway: &'static GatewayEntry) -> Registries {
        self.check_name(gateway.name);
        self.gateways.push(gateway);
        self
    }

    /// Adds a sink.
    ///
    /// # Panics
    /// When another entry has its name.
    #[must_use]
    pub fn with_sink(mut self, sink: &'static SinkEntry) -> Registries {
        self.check_name(sink.name);
        self.sinks.push(sink);
        self
    }

    /// Tables of a configuration that are no sections of entries.
    pub const TABLES: [&'static str; 11] = [
        "pipeline",
        "outcomes",
        "metrics",
        "input",
        "instrument",
        "venue",
        "retired",
        LIMIT,
        ACCOUNT,
        Instanced::Strategies.table(),
        Instanced::Measures.table(),
    ];

    /// Every name that a table of a configuration has; each entry has a section under its own.
    fn names(&self) -> impl Iterator<Item = &'static str> {
        let own = stages::entries().map(|entry| entry.name()).chain(self.feeds.iter().map(|feed| feed.name));
        let venues = VENUES.iter().map(Registered::name).chain(self.gateways.iter().map(|gateway| gateway.name));
        own.chain(venues).chain(self.sinks.iter().map(|sink| sink.name)).chain(Registries::TABLES)
    }

    fn check_name(&self, name: &str) {
        assert!(self.names().all(|other| other != name), "two entries have the name {name:?}");
    }

    /// The feeds.
    pub fn feeds(&self) -> &[&'static Feed] {
        &self.feeds
    }

    /// The feed of that name.
    pub fn feed(&self, name: &str) -> Option<&'static Feed> {
        flow::find(&self.feeds, name).copied()
    }

    /// The sinks.
    pub fn sinks(&self) -> &[&'static SinkEntry] {
        &self.sinks
    }

    /// The gateways.
    pub fn gateways(&self) -> &[&'static GatewayEntry] {
        &self.gateways
    }

    /// The gateway of that name.
    pub fn gateway(&self, name: &str) -> Option<&'static GatewayEntry> {
        flow::find(&self.gateways, name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use feeds::{Open, OpenError};

    fn entry(name: &'static str) -> &'static Feed {
        let open = Open::Live(|_| Err(OpenError { what: "closed".to_owned(), next: "open it".to_owned() }));
        Box::leak(Box::new(Feed { name, doc: "", about: "", params: &[], open }))
    }

    #[test]
    fn an_entry_is_found_beside_those_of_the_engine() {
        let registries = Registries::default().with_feed(entry("mine"));
        assert!(registries.feed("mine").is_some() && registries.feed("itch").is_some());
        assert!(registries.feed("yours").is_none() && registries.gateway("wire").is_some());
        let open =
            |_: &flow::Params| Err(flow::ParamError { key: String::new(), found: String::new(), valid: String::new() });
        let venue = GatewayEntry { name: "desk", doc: "", about: "", params: &[], open };
        let registries = registries.with_gateway(Box::leak(Box::new(venue)));
        assert!(registries.gateway("desk").is_some() && registries.gateways().len() == GATEWAYS.len() + 1);
    }

    /// All registries share one namespace: the tables of a configuration.
    #[test]
    fn no_two_tables_of_a_configuration_have_the_same_name() {
        let registries = Registries::default();
        let mut seen = std::collections::BTreeSet::new();
        let twice: Vec<&str> = registries.names().filter(|name| !seen.insert(*name)).collect();
        assert_eq!(twice, [""; 0]);
        assert!(
            ["pulse", "cvd", "momentum", "sim", "wire", "journal", "itch", "limit"].iter().all(|n| seen.contains(n))
        );
    }

    #[test]
    #[should_panic(expected = "two entries have the name \"input\"")]
    fn a_name_that_a_table_has_is_refused() {
        drop(Registries::default().with_feed(entry("input")));
    }

    #[test]
    #[should_panic(expected = "two entries have the name \"risk\"")]
    fn a_name_that_an_entry_of_another_registry_has_is_refused() {
        drop(Registries::default().with_feed(entry("risk")));
    }
}
