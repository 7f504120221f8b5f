//! The synthetic exchange against a second, naive decoder.

mod bytes;
mod feed;
mod naive;
mod stylised;
mod watched;

use feeds::synthetic::{Synthetic, SyntheticConfig};
use std::io::Read;

/// A small day.
pub(crate) fn config(seed: u64, messages: u64, symbols: u32, live_orders: u32) -> SyntheticConfig {
    SyntheticConfig { seed, messages, symbols, live_orders, ..SyntheticConfig::default() }
}

/// All bytes of a day.
pub(crate) fn bytes_of(config: &SyntheticConfig) -> Vec<u8> {
    let mut bytes = Vec::new();
    Synthetic::new(config).expect("a valid configuration").read_to_end(&mut bytes).expect("no IO");
    bytes
}
