//! What goes out: the journal and the SINKS registry.
