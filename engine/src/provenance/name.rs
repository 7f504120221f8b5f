//! Order ids as people write them: the number that rows print, in decimal or hexadecimal, or account, strategy and counter.

use super::error::WhyError;
use flow::{Account, OrderId, StrategyId};
use stages::Instances;

/// Reads an order id: `72060891212677121`, `0x100030000000001` or `1/random/1`; a strategy by its name or its number.
///
/// # Errors
/// When it is none of these, with what would be valid.
pub(super) fn parse(text: &str, names: &Instances) -> Result<OrderId, WhyError> {
    let wrong = |what: &str| {
        WhyError::NotAnOrder(format!(
            "{text:?} is no order id: {what}; give the number of a row, in decimal or hexadecimal (0x…), or \
             account/strategy/counter such as 1/momentum/12"
        ))
    };
    let parts: Vec<&str> = text.split('/').collect();
    let id = match parts[..] {
        [one] => match one.strip_prefix("0x").or_else(|| one.strip_prefix("0X")) {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => one.parse().ok(),
        }
        .ok_or_else(|| wrong("it is no number of 64 bits"))?,
        [account, strategy, counter] => {
            let account = account.parse().map_err(|_| wrong("an account is a number from 1 to 255"))?;
            let number = strategy.parse().ok().map(StrategyId).or_else(|| names.strategy_number(strategy));
            let strategy = number.ok_or_else(|| wrong(&format!("the journal has no strategy {strategy:?}")))?;
            let counter = counter.parse().ok().filter(|n| *n <= OrderId::MAX_COUNTER);
            OrderId::new(Account(account), strategy, counter.ok_or_else(|| wrong("its counter is no number"))?).0
        }
        _ => return Err(wrong("it has neither one part nor three")),
    };
    if id == 0 { Err(wrong("0 is none")) } else { Ok(OrderId(id)) }
}

/// An order as account/strategy/counter, the strategy by its name.
pub(super) fn name(order: OrderId, names: &Instances) -> String {
    format!("{}/{}/{}", order.account().0, names.strategy_name(order.strategy()), order.counter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_ways_to_write_an_id_are_one() {
        let names = Instances::default();
        let id = OrderId::new(Account(1), StrategyId(3), 17);
        for text in [id.0.to_string(), format!("0x{:x}", id.0), "1/3/17".to_owned(), name(id, &names)] {
            assert_eq!(parse(&text, &names).unwrap(), id, "{text}");
        }
        assert_eq!(name(id, &names), "1/random/17");
        for text in ["", "0", "x", "0xg", "1/2", "1/nobody/3", "256/3/1", "1/3/-1", "1/3/1099511627776"] {
            assert!(parse(text, &names).is_err(), "{text}");
        }
    }
}
