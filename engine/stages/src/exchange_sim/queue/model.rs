//! What a model of the queue is.

/// Divides a decrease of a level that is no trade.
pub(in crate::exchange_sim) trait QueueModel: Send {
    /// How many of `gone` shares stood ahead of us, where `ahead` and `behind` stood before.
    fn ahead_part(&self, gone: u64, ahead: u64, behind: u64) -> u64;
}
