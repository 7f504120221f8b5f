//! Files whose content is a setting: they are read with the configuration, once.
//!
//! A run depends on what such a file holds, so the content takes the path's place before anything looks at the settings.
//! The journal then records it with them, a restart compares it, and a replay needs no file. A value of several lines is
//! content already, as it stands in a journal; a value of one line is a path. Bound: [`MOST_BYTES`] a file.

use flow::{Param, ParamError, ParamType};
use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

/// The most bytes of a file.
pub(super) const MOST_BYTES: u64 = 16 << 20;

/// The text of a value: for a file, what it holds. A relative path starts from the folder `base`.
///
/// # Errors
/// When the file cannot be read, holds no lines, is too long or no text.
pub(super) fn content<'a>(param: &Param, key: &str, text: &'a str, base: &Path) -> Result<Cow<'a, str>, ParamError> {
    if !matches!(param.ty, ParamType::File) || text.is_empty() || text.contains('\n') {
        return Ok(text.into());
    }
    let fault =
        |found: String| ParamError { key: key.to_owned(), found: format!("{text}: {found}"), valid: param.valid() };
    let content = text_in(&base.join(text)).map_err(fault)?;
    if content.is_empty() {
        return Err(fault("it is empty".to_owned()));
    }
    if content.contains('\n') { Ok(content.into()) } else { Err(fault("it has only one line".to_owned())) }
}

/// What a file holds.
///
/// # Errors
/// Why it cannot be read, in words.
pub(super) fn text_in(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|e| e.to_string())?;
    if text.len() as u64 > MOST_BYTES { Err(format!("it has more than {} MiB", MOST_BYTES >> 20)) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::FileParam;

    #[test]
    fn a_path_becomes_what_the_file_holds_and_lines_stay() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rows.csv"), "a,b\n1,2\n").unwrap();
        std::fs::write(folder.path().join("one.csv"), "a,b").unwrap();
        std::fs::write(folder.path().join("none.csv"), "").unwrap();
        std::fs::write(folder.path().join("bytes.csv"), b"a\n\xff\n").unwrap();
        let long = std::fs::File::create(folder.path().join("long.csv")).unwrap();
        long.set_len(MOST_BYTES + 1).unwrap();
        let param = FileParam::new("rows", "rows").param();
        let read = |text: &str| content(&param, "x.rows", text, folder.path()).map(Cow::into_owned);
        assert_eq!((read("rows.csv"), read("")), (Ok("a,b\n1,2\n".into()), Ok(String::new())));
        assert_eq!(read("c,d\n3,4"), Ok("c,d\n3,4".into()));
        for (text, found) in [
            ("no.csv", "No such file"),
            ("one.csv", "only one line"),
            ("none.csv", "empty"),
            ("bytes.csv", "UTF-8"),
            ("long.csv", "more than 16 MiB"),
            (".", "directory"),
        ] {
            let fault = read(text).unwrap_err();
            assert!(fault.key == "x.rows" && fault.found.contains(found), "{fault}");
        }
    }
}
