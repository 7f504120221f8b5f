//! The vocabulary of Tidegate: events, records, prices, ids, and the traits of stages, sources and sinks.
