//! What comes in: one folder per feed, sans-IO decoders, the FEEDS registry.
