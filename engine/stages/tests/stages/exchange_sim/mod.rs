//! The simulated venue against a naive exchange that keeps every order, and its rules one by one.

mod doubtful;
mod harness;
mod levels;
mod random;
mod reference;
mod rules;
mod sold_once;
