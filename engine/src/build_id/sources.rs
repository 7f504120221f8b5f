//! A hash of the sources, which names a build.
//!
//! Only the build script and a test include this file. The engine's results depend on the sources of its workspace crates,
//! the versions of all other crates (`Cargo.lock`), their features (`Cargo.toml`), and nothing else. Debug and release give
//! the same outcomes, so the profile is not part of the name, and neither are tests, benches, documents, the compiler, the
//! machine, the time, or [what stands beside a run](counts). Any change of a source, even in a comment, makes another build. The hash is XXH3 (128 bit): it
//! tells builds apart but does not protect against forgery. Bound: the sources are read once.

use std::io;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// Folders of the workspace crates that make up the binary.
pub(crate) const CRATES: [&str; 8] =
    ["engine", "engine/flow", "engine/stages", "feeds", "ring", "secret", "sinks", "tuning"];

/// Whether a feature, by the name of its variable, changes what the engine computes. Sinks beside a run do not, and neither does
/// how a connection is secured: a binary with them goes on with what one without them wrote.
pub(crate) fn counts(feature: &str) -> bool {
    let beside = ["CARGO_FEATURE_PARQUET", "CARGO_FEATURE_QUESTDB", "CARGO_FEATURE_TLS"];
    feature.starts_with("CARGO_FEATURE_") && !beside.contains(&feature)
}

/// The source files under `root`, with the texts that are compiled in, relative to it and sorted by name: in a workspace those of [`CRATES`]; in a package of
/// the engine alone its own, while all other crates are versions in `Cargo.lock`.
///
/// # Errors
/// When a folder cannot be read.
pub(crate) fn files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let is_workspace = CRATES.iter().all(|folder| root.join(folder).join("Cargo.toml").is_file());
    let crates: &[&str] = if is_workspace { &CRATES } else { &[""] };
    let mut found = vec![PathBuf::from("Cargo.lock"), PathBuf::from("Cargo.toml")];
    for folder in crates {
        let folder = Path::new(folder);
        found.extend(["Cargo.toml", "build.rs"].map(|name| folder.join(name)));
        collect(root, &folder.join("src"), &mut found)?;
    }
    found.retain(|file| root.join(file).is_file());
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(root, &path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "txt") {
            found.push(path);
        }
    }
    Ok(())
}

/// The hash of file names and contents, as hex; `features` are those that the engine is built with.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn hash(root: &Path, files: &[PathBuf], features: &str) -> io::Result<String> {
    let mut hash = Xxh3::new();
    let mut put = |bytes: &[u8]| {
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    put(features.as_bytes());
    for file in files {
        let name: Vec<_> = file.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        put(name.join("/").as_bytes());
        put(&std::fs::read(root.join(file))?);
    }
    Ok(format!("{:032x}", hash.digest128()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn id(root: &Path) -> String {
        hash(root, &files(root).expect("readable"), "").expect("readable")
    }

    /// Copies the sources, and a file that is not a source.
    fn copied(from: &Path, to: &Path) {
        for file in files(from).expect("readable") {
            let to = to.join(&file);
            fs::create_dir_all(to.parent().expect("a folder")).expect("writable");
            fs::copy(from.join(file), to).expect("writable");
        }
        fs::write(to.join("engine/src/notes.md"), "not a source").expect("writable");
    }

    #[test]
    fn the_same_sources_are_the_same_build_wherever_they_are() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = tempfile::tempdir().expect("a folder");
        copied(&root, folder.path());
        assert_eq!(id(&root), id(folder.path()));
        let features = if cfg!(feature = "deliberate-faults") { "CARGO_FEATURE_DELIBERATE_FAULTS" } else { "" };
        let here = hash(&root, &files(&root).expect("readable"), features).expect("readable");
        assert!(super::super::build_id().ends_with(&here), "this build was made from these sources");
        assert_ne!(id(&root), hash(&root, &files(&root).expect("files"), "deliberate-faults").expect("a hash"));
        assert!(counts("CARGO_FEATURE_ZSTD_C") && !counts("CARGO_PKG_NAME"));
        assert!(!counts("CARGO_FEATURE_QUESTDB") && !counts("CARGO_FEATURE_TLS"));
    }

    #[test]
    fn another_line_or_version_or_file_is_another_build() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = tempfile::tempdir().expect("a folder");
        copied(&root, folder.path());
        let mut seen = vec![id(folder.path())];
        let data = "engine/flow/src/calendar/exceptions.txt";
        for file in
            ["engine/stages/src/lib.rs", "ring/Cargo.toml", "Cargo.lock", data, "feeds/src/new.rs", "engine/build.rs"]
        {
            let path = folder.path().join(file);
            let mut text = fs::read(&path).unwrap_or_default();
            text.extend(b"\n");
            fs::write(&path, text).expect("writable");
            let now = id(folder.path());
            assert!(!seen.contains(&now), "{file}");
            seen.push(now);
        }
        fs::rename(folder.path().join("feeds/src/new.rs"), folder.path().join("feeds/src/other.rs"))
            .expect("it is there");
        assert!(!seen.contains(&id(folder.path())), "a file of another name");
    }

    #[test]
    fn the_engine_alone_has_an_id_too() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let own = files(root).expect("readable");
        assert!(own.contains(&PathBuf::from("src/main.rs")) && own.iter().all(|f| !f.starts_with("flow")));
    }
}
