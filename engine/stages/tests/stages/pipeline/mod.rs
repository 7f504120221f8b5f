//! The whole pipeline under random inputs: no panic, bounds kept, nothing approved that was not asked for, states whole, and the
//! rules of determinism kept by every stage.
//!
//! The fuzz target `pipeline` plays the same.

mod damage;
mod filling;
mod play;
mod rules;
mod rules_broken;

use play::{Tally, play};
use proptest::prelude::*;
use std::cell::Cell;

fn many(tally: Tally, seen: &Cell<Tally>) {
    let sum = seen.get();
    seen.set(Tally {
        orders: sum.orders + tally.orders,
        refused: sum.refused + tally.refused,
        fills: sum.fills + tally.fills,
        busts: sum.busts + tally.busts,
        anomalies: sum.anomalies + tally.anomalies,
    });
}

#[test]
fn any_inputs_in_any_order_are_taken() {
    let seen = Cell::new(Tally::default());
    let bytes = prop::collection::vec(any::<u8>(), 1..16 * 200);
    proptest!(|(bytes in bytes)| many(play(&bytes), &seen));
    let Tally { orders, refused, fills, busts, anomalies } = seen.get();
    let all = orders > 100 && refused > 10 && fills > 50 && busts > 50 && anomalies > 1_000;
    assert!(all, "{:?}", seen.get());
}
