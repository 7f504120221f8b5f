//! A row of the past as the message that the stream would have sent.
//!
//! Its prices are read once more from their digits: what a message holds of a JSON number is a double.

use super::ask::Channel;
use crate::alpaca::message::{Message, Value};
use crate::text::decimal;
use flow::Px;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The fields of a row that are prices; `c` only of a bar.
#[derive(Deserialize)]
struct Prices<'a> {
    #[serde(borrow)]
    p: Option<&'a RawValue>,
    #[serde(borrow)]
    ap: Option<&'a RawValue>,
    #[serde(borrow)]
    bp: Option<&'a RawValue>,
    #[serde(borrow)]
    o: Option<&'a RawValue>,
    #[serde(borrow)]
    h: Option<&'a RawValue>,
    #[serde(borrow)]
    l: Option<&'a RawValue>,
    #[serde(borrow)]
    c: Option<&'a RawValue>,
    #[serde(borrow)]
    vw: Option<&'a RawValue>,
}

/// The message of a row.
pub(super) fn message<'a>(channel: Channel, symbol: &'a str, row: &'a [u8]) -> Result<Message<'a>, String> {
    let mut message: Message<'a> = serde_json::from_slice(row).map_err(|e| e.to_string())?;
    let prices: Prices<'a> = serde_json::from_slice(row).map_err(|e| e.to_string())?;
    message.kind = Value::Text(Cow::Borrowed(channel.letter()));
    message.symbol = Value::Text(Cow::Borrowed(symbol));
    let Prices { p, ap, bp, o, h, l, c, vw } = prices;
    let exact = |field: &mut Value<'a>, text: Option<&RawValue>, read: fn(&[u8]) -> Result<Px, &'static str>| {
        let Some(text) = text.filter(|_| matches!(field, Value::Number(_) | Value::Whole(_))) else { return Ok(()) };
        *field = Value::Exact(number(text.get(), read)?);
        Ok::<(), String>(())
    };
    for (field, text) in [(&mut message.p, p), (&mut message.ap, ap), (&mut message.bp, bp)] {
        exact(field, text, decimal::px)?;
    }
    for (field, text) in [(&mut message.o, o), (&mut message.h, h), (&mut message.l, l), (&mut message.c, c)] {
        exact(field, text, decimal::px)?;
    }
    exact(&mut message.vw, vw, decimal::average)?;
    Ok(message)
}

/// A JSON number, exactly; one with an exponent is written out first.
fn number(text: &str, read: fn(&[u8]) -> Result<Px, &'static str>) -> Result<Px, String> {
    let fault = |why: &str| format!("{text} {why}");
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else {
        return read(text.as_bytes()).map_err(fault);
    };
    let exponent: i32 = exponent.parse().ok().filter(|e: &i32| e.abs() < 64).ok_or_else(|| fault("is not a price"))?;
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let point = whole.len() as i32 + exponent;
    let zeros = |count: i32| "0".repeat(count.max(0).unsigned_abs() as usize);
    let all = format!("{}{whole}{part}{}", zeros(1 - point), zeros(point - (whole.len() + part.len()) as i32));
    let (whole, part) = all.split_at(point.max(1).unsigned_abs() as usize);
    read(format!("{sign}{whole}.{part}").as_bytes()).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn px(text: &str) -> Result<i64, String> {
        number(text, decimal::px).map(|px| px.0)
    }

    #[test]
    fn a_number_is_read_from_its_digits() {
        assert_eq!(px("190.1"), Ok(190_100_000_000));
        assert_eq!(px("1.901e2"), Ok(190_100_000_000));
        assert_eq!(px("19010E-2"), Ok(190_100_000_000));
        assert_eq!(px("1e-9"), Ok(1));
        assert_eq!(px("-2.5e-8"), Ok(-25));
        assert_eq!(px("0e5"), Ok(0));
        assert!(px("1e-10").is_err() && px("1e99").is_err() && px("1e10").is_err());
        // No double is this number, nor its thousand-millionth part.
        assert_eq!(px("9007199.254740993"), Ok(9_007_199_254_740_993));
    }

    proptest! {
        #[test]
        fn every_price_comes_back_however_it_is_written(nano in 1..9_223_372_036_854_775_806_i64, shift in 0..12i32) {
            let plain = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
            prop_assert_eq!(px(&plain), Ok(nano));
            prop_assert_eq!(px(&format!("{nano}e-9")), Ok(nano));
            let digits = nano.to_string();
            let (first, rest) = digits.split_at(1);
            let exponent = rest.len() as i32 - 9;
            prop_assert_eq!(px(&format!("{first}.{rest}0E{exponent}")), Ok(nano));
            let zeros = "0".repeat(shift as usize);
            prop_assert_eq!(px(&format!("{nano}{zeros}e-{}", 9 + shift)), Ok(nano));
        }

        #[test]
        fn a_row_becomes_its_message_with_exact_prices(nano in 1..1_000_000_000_000_000_i64, size in 1..1_000_000u64) {
            let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
            let row = format!("{{\"t\":\"2026-01-05T14:30:00.123456789Z\",\"x\":\"V\",\"p\":{text},\"s\":{size},\"c\":[\"@\"],\"i\":7,\"z\":\"C\"}}");
            let message = message(Channel::Trades, "SPY", row.as_bytes()).expect("a row");
            prop_assert_eq!(message.p.px(), Some(Px(nano)));
            prop_assert_eq!((message.symbol.text(), message.letter(), message.s.whole()), ("SPY", Some('t'), Some(size)));
            prop_assert!(matches!(message.c, Value::Conditions(_)));
        }
    }

    #[test]
    fn the_close_of_a_bar_is_a_price() {
        let row = b"{\"t\":\"2026-01-05T14:30:00Z\",\"o\":1.5,\"h\":2,\"l\":1.25,\"c\":1.75,\"v\":10,\"n\":3,\"vw\":1.6666666666666667}";
        let bar = message(Channel::Bars, "SPY", row).expect("a bar");
        assert_eq!(
            [&bar.o, &bar.h, &bar.l, &bar.c].map(|v| v.px().map(|px| px.0 / 10_000_000)),
            [150, 200, 125, 175].map(Some)
        );
        assert_eq!(bar.vw.px(), Some(Px(1_666_666_667)));
    }
}
