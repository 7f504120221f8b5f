//! After it is built a stage allocates nothing, whatever comes.
//!
//! Counted for the thread of the test alone: the others go on beside it.

mod exchange_sim;
mod gate;
mod pipeline;
mod trading;
