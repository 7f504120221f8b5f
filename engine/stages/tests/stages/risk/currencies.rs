//! Limits in money of several currencies, worked by hand.

use super::levels::{Levelled, account};
use flow::records::{BookTop, DataState, Listing, Name};
use flow::{Account, Currency, DataTrust, Px, Side, Valuation};
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

/// What money in 1e-9 is worth; `None` without a rate, or if it is too large.
fn worth(gate: &Levelled, nano: i128, from: &str, to: &str) -> Option<i128> {
    let code = |text| Currency::parse(text).unwrap();
    gate.said().valuation.rate(code(from), code(to))?.convert(nano)
}

#[test]
fn money_is_valued_at_the_last_quote_that_could_be_trusted() {
    let mut gate = gate();
    assert_eq!(worth(&gate, 150, "GBX", "GBP"), Some(2), "half a 1e-9 goes to the even one");
    assert_eq!(worth(&gate, 250, "GBX", "GBP"), Some(2));
    assert_eq!(worth(&gate, 100, "GBX", "USD"), None, "no pair");
    list(&mut gate, GBPUSD, "GBPUSD");
    assert_eq!(worth(&gate, 100, "GBX", "USD"), None, "no quote");
    quote(&mut gate, GBPUSD, 12_500);
    let pounds = |gate: &Levelled| worth(gate, 8_000, "GBX", "USD");
    assert_eq!(pounds(&gate), Some(100), "straight");
    assert_eq!(worth(&gate, 100, "USD", "GBP"), Some(80), "the other way round");
    assert_eq!(worth(&gate, -2, "USD", "GBP"), Some(-2), "-1.6");
    gate.input(GBPUSD, Side::None, &BookTop { bid_px: Px(Px::ONE), ask_px: Px::NONE, ..BookTop::default() });
    assert_eq!(pounds(&gate), Some(100), "a quote of one side is none");
    gate.input(GBPUSD, Side::None, &DataState { state: DataTrust::Doubtful.code(), ..DataState::default() });
    quote(&mut gate, GBPUSD, 20_000);
    assert_eq!(pounds(&gate), Some(100), "a doubtful one neither");
    gate.ms += 86_400_000;
    gate.reload();
    assert_eq!(pounds(&gate), Some(100), "however old it is");
    gate.input(GBPUSD, Side::None, &DataState { state: DataTrust::Trusted.code(), ..DataState::default() });
    quote(&mut gate, GBPUSD, 20_000);
    assert_eq!(pounds(&gate), Some(160));
    assert_eq!(worth(&gate, 8_000, "GBX", "EUR"), None, "no way into euros");
    list(&mut gate, EURUSD, "EURUSD");
    assert_eq!(worth(&gate, 8_000, "GBX", "EUR"), None, "a way, and no quote on it");
    quote(&mut gate, EURUSD, 8_000);
    assert_eq!(worth(&gate, 8_000, "GBX", "EUR"), Some(200), "80 pounds are 160 dollars are 200 euros");
    assert_eq!(worth(&gate, i128::MAX, "GBX", "GBP"), Some(i128::MAX / 100));
    assert_eq!(worth(&gate, i128::MAX, "GBX", "USD"), None, "too large");
}

#[test]
fn every_account_has_its_currency_or_that_of_the_firm() {
    let accounts = gate().said().valuation.accounts;
    let code = |n: u8| accounts.get(&Account(n)).map(ToString::to_string);
    let expected = [(0, None), (1, Some("USD")), (2, Some("GBP")), (3, Some("EUR")), (255, Some("USD"))];
    for (n, currency) in expected {
        assert_eq!(code(n).as_deref(), currency, "{n}");
    }
    assert_eq!(Levelled::beside(&[], &[], []).said().valuation, Valuation::default());
}

#[test]
fn without_currencies_money_is_compared_as_it_stands() {
    let mut gate = Levelled::beside(&[("max_notional", "1000")], &[], []);
    assert_eq!(gate.buy((1, 7), 3, 10).1, None);
    assert_eq!(gate.buy((1, 7), 3, 11).1, Some(("max-notional", 0, 1_000, 1_100)));
}
