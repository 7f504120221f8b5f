//! Ids as text, for venues that know no numbers.
//!
//! An execution that has only a text as its id gets a number that follows from the text, so it is told twice under the same
//! number and booked once. Our own order id travels as the client's id of the order and comes back as what it was. Bound: 64
//! bits of BLAKE3. Worst case: two of a thousand million executions have the same number with a probability of 3 %, and then
//! only those of the same order are confused.

use crate::OrderId;

/// What our ids begin with in a client id, so that those of others are told apart.
const PREFIX: &str = "tg-";
/// Digits of an id.
const DIGITS: usize = 16;

/// The `match_id` of an execution whose id is a text; never 0, which is no name.
pub fn match_id(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    let first: [u8; 8] = hash.as_bytes()[..8].try_into().expect("eight bytes");
    u64::from_le_bytes(first).max(1)
}

impl OrderId {
    /// The id as the client's id of the order: `tg-` and 16 hexadecimal digits.
    pub fn client_id(self) -> String {
        format!("{PREFIX}{:0DIGITS$x}", self.0)
    }

    /// The id in such a text; `None` if it is not one of ours.
    pub fn of_client_id(text: &str) -> Option<OrderId> {
        let digits = text.strip_prefix(PREFIX)?;
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let is_ours = digits.len() == DIGITS && digits.bytes().all(is_digit);
        u64::from_str_radix(digits, 16).ok().filter(|id| is_ours && *id != 0).map(OrderId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Account, StrategyId};

    #[test]
    fn our_ids_come_back_and_no_others_do() {
        for id in [OrderId(1), OrderId(u64::MAX), OrderId::new(Account(3), StrategyId(900), 17)] {
            assert_eq!(OrderId::of_client_id(&id.client_id()), Some(id));
        }
        let others = ["", "tg-", "tg-0", "tg-0000000000000000", "tg-00000000000000AB", "tg-+000000000000001", "7"];
        for text in others {
            assert_eq!(OrderId::of_client_id(text), None, "{text}");
        }
    }

    #[test]
    fn a_text_has_one_number_on_every_machine() {
        assert_eq!(match_id("0000e0d5.6560f9a1.01.01"), match_id("0000e0d5.6560f9a1.01.01"));
        assert_ne!(match_id("0000e0d5.6560f9a1.01.01"), match_id("0000e0d5.6560f9a1.01.02"));
        assert_ne!(match_id(""), 0);
    }
}
