//! The story of an order is what was recorded of it: compared with an export, which knows no index.

mod cases;
mod deep;
mod diff;
mod index;
mod rows;
mod service;
mod story;
