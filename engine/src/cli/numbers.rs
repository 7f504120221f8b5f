//! Numbers for people.

/// A number with thousands apart.
pub(crate) fn grouped(n: u64) -> String {
    indicatif::HumanCount(n).to_string()
}
