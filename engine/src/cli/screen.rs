//! What the screens share: their width, and how long lines wrap.
//!
//! Every screen fits a terminal of 80 columns and 24 lines; a larger terminal shows the same.

use console::Term;
use textwrap::{Options, WordSplitter};

/// Columns of a screen.
pub(crate) const WIDTH: usize = 80;

/// Indent of continuation lines: the width of a title.
pub(crate) const INDENT: &str = "          ";

/// `text` wrapped between words to the width of a screen; continuation lines begin with `indent`.
pub(crate) fn wrapped(text: &str, indent: &str) -> String {
    broken(text, indent, WIDTH)
}

/// A message for standard error, wrapped to the width of the terminal; not wrapped if there is none.
pub(crate) fn message(text: &str) -> String {
    let term = Term::stderr();
    let width = term.size_checked().filter(|_| term.is_term()).map(|(_, columns)| usize::from(columns));
    width.map_or_else(|| text.to_owned(), |width| broken(text, "    ", width))
}

fn broken(text: &str, indent: &str, width: usize) -> String {
    let options =
        Options::new(width).subsequent_indent(indent).break_words(false).word_splitter(WordSplitter::NoHyphenation);
    text.lines().map(|line| textwrap::fill(line, &options)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_paths_stay_whole() {
        let path = "x".repeat(100);
        let text = wrapped(&format!("{} {path}\nnext", "word ".repeat(20).trim_end()), "  ");
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].len() <= WIDTH && lines[1].starts_with("  word"), "{text}");
        assert_eq!((lines[2].trim_start(), lines[3]), (path.as_str(), "next"));
    }
}
