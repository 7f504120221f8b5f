//! The feeds on bytes that are written out or made here.

mod ahead;
mod alpaca;
#[cfg(feature = "tls")]
mod alpaca_tls;
mod csv;
mod dbn;
mod dbn_definitions;
mod dbn_shapes;
mod itch;
mod lean;
mod live;
mod lobster;
mod packed;
mod pipes;
mod reader;
mod synthetic;
