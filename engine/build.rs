//! Gives the build an id of its own: see `src/build_id/sources.rs`.

#[path = "src/build_id/sources.rs"]
mod sources;

use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os != "linux") {
        println!(
            "cargo::error=Tidegate runs on Linux only; build it on Linux, or in a virtual machine or container that runs it"
        );
    }
    let own = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo says where the crate lies"));
    let workspace = own.parent().unwrap_or(&own);
    let is_whole = sources::CRATES.iter().all(|folder| workspace.join(folder).join("Cargo.toml").is_file());
    let root: &Path = if is_whole { workspace } else { &own };
    let files = sources::files(root)?;
    let features: Vec<_> = std::env::vars().map(|(name, _)| name).filter(|name| sources::counts(name)).collect();
    let folders = sources::CRATES.map(|folder| root.join(folder).join("src"));
    let watched = files.iter().map(|file| root.join(file)).chain(folders);
    for path in watched.filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    println!("cargo::rustc-env=TIDEGATE_SOURCES={}", sources::hash(root, &files, &features.join(","))?);
    Ok(())
}
