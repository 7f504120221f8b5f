//! The parameters of the orders stage.

use flow::{IntParam, Param};

/// Most open orders.
pub const MAX_ORDERS: IntParam<usize> =
    IntParam::new("max_orders", (1, 1_048_576), "65536", "open orders; 128 to 256 bytes each, allocated at start-up")
        .unit("orders");
/// Most unanswered requests.
pub const MAX_IN_FLIGHT: IntParam<usize> = IntParam::new(
    "max_in_flight",
    (1, 1_048_576),
    "1024",
    "new orders and replaces that neither risk nor the venue has answered",
)
.unit("orders");
pub(super) const MAX_ACCOUNTS: IntParam<usize> =
    IntParam::new("max_accounts", (1, 4_096), "64", "pairs of account and strategy that send orders").unit("pairs");

/// What can be set.
pub const PARAMS: &[Param] = &[MAX_ORDERS.param(), MAX_IN_FLIGHT.param(), MAX_ACCOUNTS.param()];
