//! The stages against naive twins that share no code with them, and at the sizes where a bad structure shows.

mod bars_random;
mod bars_twin;
mod book_random;
mod book_rules;
mod book_scale;
mod book_state;
mod book_twin;
mod harness;
mod orders_busts;
mod orders_harness;
mod orders_random;
mod orders_rules;
mod orders_twin;
mod signals_momentum;
mod signals_plain;
mod stream;
mod toxicity_bulk;
mod toxicity_cvd;
mod toxicity_imbalance;
mod toxicity_trades;
mod toxicity_vpin;
