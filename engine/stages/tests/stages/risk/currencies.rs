//! Limits in money of several currencies, worked by hand.

use super::levels::{Levelled, account};
use flow::records::{BookTop, DataState, Listing, Name};
use flow::{Currency, Px, Side};
use stages::risk;

const GBPUSD: u32 = 4;
const EURUSD: u32 = 5;

/// Limits in dollars, account 2 in pounds, account 3 in euros; no pair is listed yet.
fn gate() -> Levelled {
    let code = |text: &str| Currency::parse(text).unwrap();
    let pairs = [("GBPUSD", "GBP", "USD"), ("EURUSD", "EUR", "USD")];
    let pairs = pairs.map(|(symbol, base, quote)| (risk::PAIR, risk::pair(symbol, code(base), code(quote))));
    let accounts = [(2, "GBP"), (3, "EUR")].map(|(n, code)| (risk::ACCOUNT, account(n, &[("currency", code)])));
    let set = [("currency", "USD"), ("max_notional", "1000"), ("max_data_age_ms", "86_400_000")];
    let tables = ["account=2 max_notional=400", "account=3 max_notional=909"];
    Levelled::beside(&set, &tables, accounts.into_iter().chain(pairs))
}

fn list(gate: &mut Levelled, instrument: u32, symbol: &str) {
    let mut name = Name { part: 0, parts: 1, len: symbol.len() as u8, ..Name::default() };
    name.text[..symbol.len()].copy_from_slice(symbol.as_bytes());
    gate.input(instrument, Side::None, &name);
    let terms = Listing {
        venue: *b"XOFF",
        currency: *b"USD\0",
        tick_px: Px(10_000),
        multiplier: Px::ONE,
        ..Listing::default()
    };
    gate.input(instrument, Side::None, &terms);
}

/// A mid in 1e-4, quoted two of them wide.
fn quote(gate: &mut Levelled, instrument: u32, mid: i64) {
    let px = |n: i64| Px(n * Px::ONE / 10_000);
    gate.input(instrument, Side::None, &BookTop { bid_px: px(mid - 1), ask_px: px(mid + 1), ..BookTop::default() });
}

#[test]
fn pence_become_pounds_and_pounds_dollars() {
    let mut gate = gate();
    // Instrument 3 trades at 100.00 pence.
    let refused = |gate: &mut Levelled, qty| gate.buy((1, 7), 3, qty).1;
    assert_eq!(refused(&mut gate, 1), Some(("rate-unknown", 0, 0, 1)));
    assert_eq!(gate.buy((1, 7), 1, 10).1, None, "dollars need no rate");
    list(&mut gate, GBPUSD, "GBPUSD");
    assert_eq!(refused(&mut gate, 1), Some(("rate-unknown", 0, 0, 2)));
    quote(&mut gate, GBPUSD, 12_500);
    assert_eq!(refused(&mut gate, 800), None, "80,000 pence are 800 pounds are 1,000 dollars");
    assert_eq!(refused(&mut gate, 801), Some(("max-notional", 0, 1_000, 1_002)));
    gate.reload();
    assert_eq!(refused(&mut gate, 801), Some(("max-notional", 0, 1_000, 1_002)));
    gate.ms += 60_000;
    assert_eq!(refused(&mut gate, 1), None);
    gate.ms += 1;
    assert_eq!(refused(&mut gate, 1), Some(("rate-unknown", 0, 0, 3)));
    assert_eq!(gate.buy((1, 7), 1, 1).1, None);
    gate.input(GBPUSD, Side::None, &BookTop { bid_px: Px(Px::ONE), ask_px: Px::NONE, ..BookTop::default() });
    assert_eq!(refused(&mut gate, 1), Some(("rate-unknown", 0, 0, 2)));
    quote(&mut gate, GBPUSD, 12_500);
    assert_eq!(refused(&mut gate, 1), None);
    gate.input(GBPUSD, Side::None, &DataState { state: 2, ..DataState::default() });
    assert_eq!(refused(&mut gate, 1), Some(("rate-unknown", 0, 0, 2)));
}

#[test]
fn an_account_has_its_own_currency_the_other_way_round_and_over_a_third() {
    let mut gate = gate();
    list(&mut gate, GBPUSD, "GBPUSD");
    quote(&mut gate, GBPUSD, 12_500);
    assert_eq!(gate.buy((2, 7), 1, 5).1, None, "500 dollars are 400 pounds");
    assert_eq!(gate.buy((2, 7), 1, 6).1, Some(("max-notional", 1, 400, 480)));
    assert_eq!(gate.buy((2, 7), 1, 11).1, Some(("max-notional", 1, 400, 880)), "the account's limit is named");
    assert_eq!(gate.buy((2, 7), 3, 401).1, Some(("max-notional", 1, 400, 401)));
    assert_eq!(gate.buy((3, 7), 3, 1).1, Some(("rate-unknown", 0, 0, 1)), "no way into euros");
    list(&mut gate, EURUSD, "EURUSD");
    quote(&mut gate, EURUSD, 11_000);
    assert_eq!(gate.buy((3, 7), 3, 799).1, None, "799 pounds are 998.75 dollars are 907.96 euros");
    assert_eq!(gate.buy((3, 7), 3, 800).1, Some(("max-notional", 2, 909, 910)));
    gate.reload();
    assert_eq!(gate.buy((3, 7), 3, 800).1, Some(("max-notional", 2, 909, 910)));
    assert_eq!(gate.buy((3, 7), 1, 9).1, None, "900 dollars are 818.18 euros");
}

#[test]
fn without_currencies_money_is_compared_as_it_stands() {
    let mut gate = Levelled::beside(&[("max_notional", "1000")], &[], []);
    assert_eq!(gate.buy((1, 7), 3, 10).1, None);
    assert_eq!(gate.buy((1, 7), 3, 11).1, Some(("max-notional", 0, 1_000, 1_100)));
}
