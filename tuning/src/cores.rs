//! Lists of cores as the kernel writes them: `0-3,8`.

use std::collections::BTreeSet;

/// A set of cores.
pub type Cores = BTreeSet<usize>;

/// The cores in a list; what is no list, as `(null)`, names none.
pub fn parse(text: &str) -> Cores {
    let number = |text: &str| text.trim().parse::<usize>().ok();
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => number(first).zip(number(last)),
        None => number(part).map(|one| (one, one)),
    };
    text.split(',').filter_map(range).flat_map(|(first, last)| first..=last).collect()
}

/// The cores in a list that a person wrote; `None` if a part of it is none, or is beyond any machine.
pub fn given(text: &str) -> Option<Cores> {
    const MOST: usize = 8_192;
    let is_number = |text: &str| text.trim().parse::<usize>().is_ok_and(|number| number < MOST);
    let is_list = text
        .split(',')
        .all(|part| part.split_once('-').map_or_else(|| is_number(part), |(a, b)| is_number(a) && is_number(b)));
    Some(parse(text)).filter(|cores| is_list && !cores.is_empty())
}

/// A set of cores as such a list; `none` if it is empty.
pub fn text(cores: &Cores) -> String {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for core in cores {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *core => *last = *core,
            _ => ranges.push((*core, *core)),
        }
    }
    if ranges.is_empty() {
        return "none".to_owned();
    }
    let range = |(first, last): &(usize, usize)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    ranges.iter().map(range).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written_as_the_kernel_does() {
        for list in ["0-3,8", "0", "2,4,6-7"] {
            assert_eq!(text(&parse(list)), list);
        }
        assert_eq!((text(&parse("(null)")), text(&parse(""))), ("none".to_owned(), "none".to_owned()));
        assert_eq!(parse("3-1"), Cores::new());
        assert_eq!(given("2-4, 7"), Some(Cores::from([2, 3, 4, 7])));
        for wrong in ["", "two", "2,x", "3-1", "0-99999999999", "1-"] {
            assert_eq!(given(wrong), None, "{wrong}");
        }
    }
}
