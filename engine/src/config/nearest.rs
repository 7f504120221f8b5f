//! "Did you mean …?": the known name nearest to an unknown word.
//!
//! Nearness is Jaro similarity, with the threshold that the command-line parser uses, so every part of the command gives
//! the same advice.

/// Least similarity of two words for a suggestion.
const ALIKE: f64 = 0.7;

/// The name nearest to `word`, if one is near enough; ignores case.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let alike = |name: &'a str| (strsim::jaro(&word, &name.to_lowercase()), name);
    let best = names.into_iter().map(alike).filter(|(likeness, _)| *likeness > ALIKE);
    best.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// Advice for a word that is not in `names`: the nearest name, then all names.
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
