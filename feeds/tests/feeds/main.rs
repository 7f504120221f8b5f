//! The feeds on bytes that are written out or made here.

mod dbn;
mod itch;
mod lobster;
mod reader;
mod synthetic;
