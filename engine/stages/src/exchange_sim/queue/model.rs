//! The interface of a queue model.

/// Splits a decrease of a level that no trade explains.
pub(in crate::exchange_sim) trait QueueModel: Send {
    /// How many of `gone` cancelled shares were ahead of us, given the shares `ahead` and `behind` before.
    fn ahead_part(&self, gone: u64, ahead: u64, behind: u64) -> u64;
}
