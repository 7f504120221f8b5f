//! The stages: against naive references that share no code with them, at the sizes where a bad structure shows, under any
//! inputs, and without an allocation.
//!
//! Random cases that once failed are kept in `proptest-regressions`, a file for each file here, and run first every time.

mod bars_random;
mod bars_reference;
mod book_random;
mod book_reference;
mod book_rules;
mod book_scale;
mod book_state;
mod broken_trades;
mod doubt;
mod exchange_sim;
mod flatten;
mod harness;
mod instances;
mod lasting;
mod measures_alerts;
mod measures_breakout;
mod measures_bulk;
mod measures_cvd;
mod measures_fate;
mod measures_flow;
mod measures_footprint;
mod measures_imbalance;
mod measures_legs;
mod measures_market_alerts;
mod measures_mixed;
mod measures_pace;
mod measures_profile;
mod measures_signing;
mod measures_state;
mod measures_trades;
mod measures_untested;
mod measures_vpin;
mod orders_busts;
mod orders_harness;
mod orders_random;
mod orders_reference;
mod orders_rules;
mod pipeline;
mod portfolio;
mod pulse;
mod quiet;
mod risk;
mod strategies_momentum;
mod strategies_plain;
mod stream;
mod values;
