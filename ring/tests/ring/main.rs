//! Both rings and the threads, through the interface that the engine uses.

mod event;
mod interface;
mod model;
mod stress;
mod threads;
