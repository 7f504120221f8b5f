//! The name of this build, which a journal carries: the version, and the hash of the sources.

#[cfg(test)]
mod sources;

/// In one piece, so that the binary holds it as it is printed.
const BUILD_ID: &str = concat!("tidegate ", env!("CARGO_PKG_VERSION"), " ", env!("TIDEGATE_SOURCES"));

/// The build that a journal names.
pub fn build_id() -> String {
    BUILD_ID.to_owned()
}
