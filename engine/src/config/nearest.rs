//! "Did you mean …?": the known name that is most like a word that is not known.
//!
//! The measure is Jaro's similarity with the command line parser's threshold, so all parts of the command answer alike.

/// From here on two words are alike.
const ALIKE: f64 = 0.7;

/// The name that is most like `word`, if one is like it. Capitals do not matter.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let alike = |name: &'a str| (strsim::jaro(&word, &name.to_lowercase()), name);
    let best = names.into_iter().map(alike).filter(|(likeness, _)| *likeness > ALIKE);
    best.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// Advice for a word that is none of `names`: the nearest of them, then all.
pub fn one_of<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    let meant = nearest(word, names.iter().copied()).map_or_else(String::new, |n| format!("did you mean {n}? "));
    format!("{meant}valid: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first_and_a_stranger_has_none() {
        let names = ["book", "bars", "book-top", "batch"];
        assert_eq!(nearest("btach", names), Some("batch"));
        assert_eq!(nearest("BOOKTOP", names), Some("book-top"));
        assert_eq!(nearest("zzz", names), None);
        assert_eq!(one_of("bar", names), "did you mean bars? valid: book, bars, book-top, batch");
        assert_eq!(one_of("zzz", ["a", "b"]), "valid: a, b");
    }
}
