//! The files of an input: paths, and patterns that stand for the files that match them.
//!
//! A pattern (`days/*.itch.gz`) is looked up when the configuration is read, so the settings name files; what a journal
//! records are those, and a file that appears later changes no run. Bound: one look at each folder that a pattern names.

use std::path::{Path, PathBuf};

/// The files that `text` names; relative ones start from the folder `base`. `-` is standard input, wherever that is.
///
/// # Errors
/// When a pattern matches no file, or is none; with what was found and what is valid.
pub(super) fn named(text: &str, base: &Path) -> Result<Vec<PathBuf>, (String, String)> {
    let path = base.join(text);
    // A file may have any name, also one that looks like a pattern.
    if text == "-" || !text.contains(['*', '?', '[']) || path.exists() {
        return Ok(vec![if text == "-" { text.into() } else { path }]);
    }
    let folder = glob::Pattern::escape(&base.to_string_lossy());
    let pattern = Path::new(&folder).join(text);
    let valid = || "valid: a path, or a pattern as days/*.itch.gz that matches files".to_owned();
    let found = glob::glob(&pattern.to_string_lossy()).map_err(|e| (format!("{text:?}: {}", e.msg), valid()))?;
    let files =
        found.collect::<Result<Vec<_>, _>>().map_err(|e| (e.to_string(), "let the folder be read".to_owned()))?;
    let files: Vec<_> = files.into_iter().filter(|path| !path.is_dir()).collect();
    if files.is_empty() { Err((format!("no file matches {text:?}"), valid())) } else { Ok(files) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_files_and_a_path_for_itself() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("[odd]");
        std::fs::create_dir_all(base.join("days/old.itch")).unwrap();
        for name in ["days/b.itch", "days/a.itch", "days/a.csv", "x*y"] {
            std::fs::write(base.join(name), "1").unwrap();
        }
        let at = |names: &[&str]| Ok(names.iter().map(|name| base.join(name)).collect::<Vec<_>>());
        assert_eq!(named("days/*.itch", &base), at(&["days/a.itch", "days/b.itch"]), "no folder");
        assert_eq!(named("x*y", &base), at(&["x*y"]));
        assert_eq!(named("none.itch", &base), at(&["none.itch"]), "whoever opens it says that it is missing");
        assert_eq!(named("-", &base), Ok(vec!["-".into()]));
        assert!(named("days/*.dbn", &base).unwrap_err().0.contains("no file matches \"days/*.dbn\""));
        assert!(named("days/[", &base).is_err());
    }
}
