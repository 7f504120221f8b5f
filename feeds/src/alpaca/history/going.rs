//! How a fetch goes: what its watcher learns meanwhile, and why it may not come to its end.

/// Why a fetch did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Somebody asked for a stop; the same fetch goes on later.
    #[error("stopped; run the same command again to go on from here")]
    Stopped,
    /// Something must be changed first.
    #[error("{0}")]
    Refused(String),
    /// It was tried for long enough; the same fetch goes on later.
    #[error("{0}; run the same command later to go on from here")]
    GaveUp(String),
    /// A file cannot be read or written.
    #[error("{0}")]
    File(String),
}

/// Who watches it.
pub trait Watcher {
    /// Whether to stop.
    fn stops(&self) -> bool;
    /// So many rows are there.
    fn has(&self, rows: u64);
    /// Something worth saying.
    fn say(&self, sentence: &str);
}
