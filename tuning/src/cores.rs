//! Lists of cores as the kernel writes them: `0-3,8`.

use std::collections::BTreeSet;

/// A set of cores.
pub type Cores = BTreeSet<usize>;

/// More than the kernel knows on any machine: a number that is no core would have a range fill the memory.
const MOST: usize = 8_192;

/// The number of a core.
fn number(text: &str) -> Option<usize> {
    text.trim().parse().ok().filter(|number| *number < MOST)
}

/// The cores in a list; what is no list, as `(null)`, names none.
pub fn parse(text: &str) -> Cores {
    let range = |part: &str| match part.split_once('-') {
        Some((first, last)) => number(first).zip(number(last)),
        None => number(part).map(|one| (one, one)),
    };
    text.split(',').filter_map(range).flat_map(|(first, last)| first..=last).collect()
}

/// The cores in a list that a person wrote; `None` if a part of it is none, or is beyond any machine.
pub fn given(text: &str) -> Option<Cores> {
    let mut numbers = text.split(',').flat_map(|part| part.splitn(2, '-'));
    let is_list = numbers.all(|text| number(text).is_some());
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
        assert_eq!(parse("1,0-99999999999"), Cores::from([1]));
        assert_eq!(given("2-4, 7"), Some(Cores::from([2, 3, 4, 7])));
        for wrong in ["", "two", "2,x", "3-1", "0-99999999999", "1-"] {
            assert_eq!(given(wrong), None, "{wrong}");
        }
    }
}
