//! The arithmetic of one position.
//!
//! The cost of the open part and the proceeds of the closed parts are kept as price times quantity in `i128`. Nothing is
//! divided until a part is closed (its share of the cost is rounded half to even at 1e-9 of the price) or a figure is
//! reported; then the listing's multiplier and quantity scale turn the product into money. A fill that crosses zero closes
//! the whole position and opens a new one with the remainder.
//!
//! Bound: quantities saturate at the limits of `i64`, sums at those of `i128`; nothing wraps or panics.

use flow::records::Listing;
use flow::{NO_MONEY, Px, Side, divide_half_even, money};
use serde::{Deserialize, Serialize};

/// The terms of a listing that P&L depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Money per unit of price and quantity, in 1e-9; 0 = not known.
    pub multiplier: i64,
    /// Scale of the smallest quantity.
    pub qty_decimals: u8,
}

impl Terms {
    /// The terms of a listing; a multiplier below 0 is none.
    pub fn of(listing: &Listing) -> Terms {
        Terms { multiplier: listing.multiplier.max(0), qty_decimals: listing.qty_decimals.min(18) }
    }

    /// Price times quantity as money in 1e-9; [`NO_MONEY`] without a multiplier.
    pub fn money(self, product: i128) -> i64 {
        if self.multiplier == 0 {
            return NO_MONEY;
        }
        let unit = i128::from(Px::ONE) * 10_i128.pow(u32::from(self.qty_decimals));
        let multiplier = i128::from(self.multiplier);
        let nano = match product.checked_mul(multiplier) {
            Some(scaled) => divide_half_even(scaled, unit),
            None => divide_half_even(product, unit).saturating_mul(self.multiplier),
        };
        money(nano.into())
    }
}

/// A position with its P&L.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// Signed quantity.
    pub qty: i64,
    /// Cost of the open part: signed, price times quantity.
    pub cost: i128,
    /// Profit of the closed parts before fees: price times quantity.
    pub realised: i128,
    /// Fees so far, in 1e-9.
    pub fees: i128,
}

impl Holding {
    /// Applies a fill.
    pub fn fill(&mut self, side: Side, px: Px, qty: u64) {
        let size = i64::try_from(qty).unwrap_or(i64::MAX);
        let signed = if side == Side::Sell { -size } else { size };
        let opposite = self.qty != 0 && (self.qty > 0) != (signed > 0);
        if !opposite {
            self.open(px, signed);
        } else if signed.unsigned_abs() <= self.qty.unsigned_abs() {
            self.close(px, signed);
        } else {
            let rest = signed + self.qty;
            self.close(px, -self.qty);
            self.open(px, rest);
        }
    }

    fn open(&mut self, px: Px, signed: i64) {
        self.qty = self.qty.saturating_add(signed).max(-i64::MAX);
        self.cost = self.cost.saturating_add(i128::from(px.0) * i128::from(signed));
    }

    /// Closes a part: `signed` is opposite to the position and not larger. The share of the cost is divided in two steps,
    /// since the whole product may not fit; an odd unit of the first step moves to the second, so that ties round on the sum.
    fn close(&mut self, px: Px, signed: i64) {
        let (held, part) = (i128::from(self.qty.unsigned_abs()), i128::from(signed.unsigned_abs()));
        let (each, rest) = (self.cost.div_euclid(held), self.cost.rem_euclid(held));
        let whole = each.saturating_mul(part);
        let odd = whole & 1;
        let tail = divide_half_even(rest * part + odd * held, held);
        let share = (whole - odd).saturating_add(i128::from(tail));
        let brought = -(i128::from(px.0) * i128::from(signed));
        self.realised = self.realised.saturating_add(brought.saturating_sub(share));
        self.cost = self.cost.saturating_sub(share);
        self.qty += signed;
        if self.qty == 0 {
            self.cost = 0;
        }
    }

    /// Average entry price, rounded half to even at 1e-9; [`Px::NONE`] when flat.
    pub fn avg_px(&self) -> Px {
        match i128::from(self.qty) {
            0 => Px::NONE,
            qty => Px(divide_half_even(if qty < 0 { self.cost.saturating_neg() } else { self.cost }, qty.abs())),
        }
    }

    /// Profit of the open part at a price: price times quantity.
    pub fn unrealised(&self, px: Px) -> i128 {
        (i128::from(px.0) * i128::from(self.qty)).saturating_sub(self.cost)
    }
}
