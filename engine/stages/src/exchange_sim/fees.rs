//! Fees: a rate per share plus basis points of the value, for taking and for adding liquidity. The value is that of the price's
//! size: what trades below zero costs a fee too.
//!
//! The parameters are converted to integers once, at construction (1e-9 of the currency per share, 1e-6 of a basis
//! point). Every fee is exact in integers and rounded half to even at 1e-9 of the currency. Bound: O(1).

use flow::{FloatParam, Liquidity, NO_MONEY, Params, Px, money};

/// Millionths of a basis point in one basis point.
const MICRO: i128 = 1_000_000;
/// Basis points in one.
const BPS: i128 = 10_000;

/// What taking costs a share.
pub(super) const TAKER_PER_SHARE: FloatParam = FloatParam::new(
    "taker_fee_per_share_nano",
    (-1e12, 1e12),
    "3000000",
    "fee a share (a whole unit) that takes liquidity; negative = rebate",
)
.unit("1e-9 currency");
/// What adding costs a share.
pub(super) const MAKER_PER_SHARE: FloatParam = FloatParam::new(
    "maker_fee_per_share_nano",
    (-1e12, 1e12),
    "0",
    "fee a share (a whole unit) that adds liquidity; negative = rebate",
)
.unit("1e-9 currency");
/// What taking costs by value.
pub(super) const TAKER_BPS: FloatParam =
    FloatParam::new("taker_fee_bps", (-1e4, 1e4), "0", "fee on the value of what takes liquidity").unit("basis points");
/// What adding costs by value.
pub(super) const MAKER_BPS: FloatParam =
    FloatParam::new("maker_fee_bps", (-1e4, 1e4), "0", "fee on the value of what adds liquidity").unit("basis points");

/// The rates for one kind of liquidity.
#[derive(Clone, Copy)]
struct Rate {
    /// Nano currency per whole unit.
    per_share: i128,
    /// Millionths of a basis point.
    micro_bps: i128,
}

/// The fee schedule.
pub(super) struct Fees {
    taker: Rate,
    maker: Rate,
}

/// The terms of a listing that a fee depends on.
#[derive(Clone, Copy)]
pub(super) struct Contract {
    /// Money per unit of price and quantity in 1e-9; 0 = not known.
    pub(super) multiplier: i64,
    /// Scale of the smallest quantity.
    pub(super) qty_decimals: u8,
}

impl Fees {
    /// From the fee parameters.
    pub(super) fn new(params: &Params) -> Fees {
        let rate = |per_share: FloatParam, bps: FloatParam| Rate {
            per_share: params.get(per_share).round() as i128,
            micro_bps: (params.get(bps) * MICRO as f64).round() as i128,
        };
        Fees { taker: rate(TAKER_PER_SHARE, TAKER_BPS), maker: rate(MAKER_PER_SHARE, MAKER_BPS) }
    }

    /// The fee in nano currency; negative = a rebate; [`NO_MONEY`] if it depends on a value that is not known.
    pub(super) fn of(&self, liquidity: Liquidity, px: Px, qty: u64, contract: Contract) -> i64 {
        let rate = match liquidity {
            Liquidity::Added => self.maker,
            Liquidity::Removed => self.taker,
        };
        let scale = 10_i128.pow(u32::from(contract.qty_decimals.min(18)));
        let qty = i128::from(qty);
        let shares = divide(rate.per_share * qty, scale);
        if rate.micro_bps == 0 {
            return money(shares);
        }
        if contract.multiplier == 0 {
            return NO_MONEY;
        }
        let value = (i128::from(px.0.unsigned_abs()) * i128::from(contract.multiplier) / i128::from(Px::ONE))
            .saturating_mul(qty);
        let value = divide(value, scale);
        money(shares + divide(value.saturating_mul(rate.micro_bps), MICRO * BPS))
    }
}

/// Division by a positive number, rounded half to even.
fn divide(value: i128, by: i128) -> i128 {
    let (whole, rest) = (value.div_euclid(by), value.rem_euclid(by));
    match (2 * rest).cmp(&by) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Greater => whole + 1,
        std::cmp::Ordering::Equal => whole + (whole & 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE: Contract = Contract { multiplier: Px::ONE, qty_decimals: 0 };

    fn fees(per_share: i128, micro_bps: i128) -> Fees {
        Fees { taker: Rate { per_share, micro_bps }, maker: Rate { per_share: -per_share, micro_bps: 0 } }
    }

    #[test]
    fn by_hand() {
        let px = Px::from_scaled(3_201_400, 4);
        // 100 shares at 0.003 are 0.30; a rebate when they add liquidity.
        assert_eq!(fees(3_000_000, 0).of(Liquidity::Removed, px, 100, SHARE), 300_000_000);
        assert_eq!(fees(3_000_000, 0).of(Liquidity::Added, px, 100, SHARE), -300_000_000);
        // 2.5 basis points of 32,014.00 are 8.0035.
        assert_eq!(fees(0, 2_500_000).of(Liquidity::Removed, px, 100, SHARE), 8_003_500_000);
        // 0.5 of a coin of 1e-8 at 60,000.00, 10 basis points: 30.00.
        let coin = Contract { multiplier: Px::ONE, qty_decimals: 8 };
        assert_eq!(fees(0, 10_000_000).of(Liquidity::Removed, Px(60_000 * Px::ONE), 50_000_000, coin), 30 * Px::ONE);
        // A future of 50 a point at 4,000.25: 1 basis point of 200,012.50.
        let future = Contract { multiplier: 50 * Px::ONE, qty_decimals: 0 };
        let fee = fees(0, 1_000_000).of(Liquidity::Removed, Px(4_000_250_000_000), 1, future);
        assert_eq!(fee, 20_001_250_000);
        // Crude oil of 1,000 barrels at -37.63: 1 basis point of 37,630.00, as at 37.63.
        let crude = Contract { multiplier: 1_000 * Px::ONE, qty_decimals: 0 };
        for px in [-37_630_000_000, 37_630_000_000] {
            assert_eq!(fees(0, 1_000_000).of(Liquidity::Removed, Px(px), 1, crude), 3_763_000_000);
        }
        // Without a multiplier a fee on the value is not known; one per share is.
        let unknown = Contract { multiplier: 0, qty_decimals: 0 };
        assert_eq!(fees(3_000_000, 1_000_000).of(Liquidity::Removed, px, 100, unknown), NO_MONEY);
        assert_eq!(fees(3_000_000, 0).of(Liquidity::Removed, px, 100, unknown), 300_000_000);
        assert_eq!([divide(5, 2), divide(7, 2), divide(-5, 2), divide(-1, 3)], [2, 4, -2, 0]);
    }
}
