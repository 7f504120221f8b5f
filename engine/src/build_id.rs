//! The name of this build, which a journal records: the version and a hash of the sources.

#[cfg(test)]
mod sources;

/// One string, so that the binary contains it exactly as printed.
const BUILD_ID: &str = concat!("tidegate ", env!("CARGO_PKG_VERSION"), " ", env!("TIDEGATE_SOURCES"));

/// The name of this build, as a journal records it.
pub fn build_id() -> String {
    BUILD_ID.to_owned()
}
