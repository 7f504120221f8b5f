//! Parameters that every strategy has: what it trades, for whom, how much.

use flow::{IntParam, ListParam, Params, TextParam};

/// The instruments of a strategy.
pub(super) const SYMBOLS: ListParam = ListParam::new("symbols", "", "symbols to trade; none = every instrument");
/// The symbols that a strategy with these parameters trades; none = every instrument.
pub fn traded_symbols(params: &Params) -> &[String] {
    params.get(SYMBOLS)
}

/// The account of its orders.
pub(super) const ACCOUNT: IntParam<u8> = IntParam::new("account", (1, 255), "1", "account that its orders are for");
/// The venue of its orders, which the configuration reads.
pub const STRATEGY_VENUE: TextParam =
    TextParam::new("venue", "", "venue of its orders; empty: `sim` if its account is paper, else that of `router`");
/// The quantity of its orders.
pub(super) const QTY: IntParam =
    IntParam::new("qty", (1, 1_000_000_000_000), "100", "quantity of an order").unit("smallest units");
