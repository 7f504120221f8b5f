//! The files of the project: everything that version control would keep.

use std::path::Path;

/// A text file, with its path from the root of the project.
pub(crate) struct Text {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Text {
    #[cfg(test)]
    pub(crate) fn new(path: &str, text: &str) -> Text {
        Text { path: path.to_owned(), text: text.to_owned() }
    }

    /// Whether it is Rust.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it lies in one of the folders.
    pub(crate) fn is_in(&self, folders: &[&str]) -> bool {
        folders.iter().any(|f| self.path.starts_with(f))
    }
}

/// Every text file that is not ignored; binary fixtures are left out.
pub(crate) fn files() -> Vec<Text> {
    let root = tidegate_tests::root();
    let mut walk = ignore::WalkBuilder::new(&root);
    walk.hidden(false).require_git(false).parents(false).git_global(false).filter_entry(|e| e.file_name() != ".git");
    let mut files: Vec<Text> = walk
        .build()
        .map(|entry| entry.expect("the project's folders can be read"))
        .filter(|entry| entry.file_type().is_some_and(|t| t.is_file()))
        .filter_map(|entry| read(&root, entry.path()))
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.iter().any(|f| f.path == "Cargo.toml"), "the walk starts at the root of the project");
    files
}

/// The Rust files among them.
pub(crate) fn rust() -> Vec<Text> {
    files().into_iter().filter(Text::is_rust).collect()
}

fn read(root: &Path, path: &Path) -> Option<Text> {
    let text = String::from_utf8(std::fs::read(path).ok()?).ok()?;
    Some(Text { path: path.strip_prefix(root).ok()?.to_str()?.to_owned(), text })
}
