//! Two ways to the same gate: the same bytes.

use super::rig::{Rig, cents, id, passed};
use flow::records::{Bust, Cancelled, Fill};
use flow::{Listings, Qty, Side, Stage, StateReader, StateWriter};

fn saved(rig: &Rig) -> Vec<u8> {
    let listings = Listings::default();
    let mut writer = StateWriter::new(&listings);
    rig.stage.save(&mut writer);
    writer.into_bytes()
}

fn approve(rig: &mut Rig, counter: u64) {
    let request = flow::records::Request { order_id: id(counter), ..rig.terms(10, 10_000) };
    assert!(passed(rig.ask(Side::Buy, &request)));
}

fn end(rig: &mut Rig, counter: u64) {
    rig.input(1, Side::Buy, &Cancelled { order_id: id(counter), ..Default::default() });
}

fn fill(rig: &mut Rig, counter: u64, match_id: u64) {
    rig.input(1, Side::Buy, &Fill { order_id: id(counter), match_id, px: cents(10_000), qty: Qty(2), cause: 0 });
}

fn bust(rig: &mut Rig, counter: u64, match_id: u64) {
    rig.input(1, Side::Buy, &Bust { order_id: id(counter), match_id, px: cents(10_000), qty: Qty(2), fee: 0 });
}

/// Orders that came and went, in one way; never were, in the other. Ends, refusals and busts in another order.
#[test]
fn equal_gates_are_equal_bytes() {
    let (mut one, mut two) = (Rig::new(&[("open_order_slots", 8)]), Rig::new(&[("open_order_slots", 8)]));
    (1..=6).for_each(|n| approve(&mut one, n));
    [2, 6, 4].iter().for_each(|n| end(&mut one, *n));
    [1, 3, 5, 6].iter().for_each(|n| approve(&mut two, *n));
    end(&mut two, 6);
    assert!(!passed(two.buy(1_000_000)), "what is refused leaves no trace");
    for (rig, busts) in [(&mut one, [7, 9]), (&mut two, [9, 7])] {
        (7..=9).for_each(|number| fill(rig, 3, number));
        busts.iter().for_each(|number| bust(rig, 3, *number));
        bust(rig, 3, 7);
        rig.ms += 10_000;
        rig.market(9_999, 10_001);
    }
    approve(&mut one, 7);
    approve(&mut two, 7);
    let bytes = saved(&one);
    assert!(bytes == saved(&two));
    let mut three = Rig::new(&[("open_order_slots", 8)]);
    let listings = Listings::default();
    let mut reader = StateReader::new(&listings, &bytes);
    three.stage.load(&mut reader).and_then(|()| reader.finish()).expect("it loads");
    assert!(saved(&three) == bytes);
    assert!(saved(&Rig::new(&[("open_order_slots", 8)])) != bytes);
}
