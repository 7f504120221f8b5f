//! The stages against naive references that share no code with them, and at the sizes where a bad structure shows.

mod bars_random;
mod bars_reference;
mod book_random;
mod book_reference;
mod book_rules;
mod book_scale;
mod book_state;
mod harness;
mod measures_bulk;
mod measures_cvd;
mod measures_imbalance;
mod measures_trades;
mod measures_vpin;
mod orders_busts;
mod orders_harness;
mod orders_random;
mod orders_reference;
mod orders_rules;
mod strategies_momentum;
mod strategies_plain;
mod stream;
