//! The texts of several days as one stream, with a mark between them.

use super::lines::MARK;
use std::collections::VecDeque;
use std::io::{self, Read};

/// Ends the last line of a day, which may have no end, and parts it from the next day.
const BETWEEN: &[u8] = &[b'\n', MARK, b'\n'];

/// The files of several days as one stream.
pub(crate) struct Joined {
    parts: VecDeque<Box<dyn Read + Send>>,
    mark: &'static [u8],
}

impl Joined {
    pub(crate) fn new(parts: impl Iterator<Item = Box<dyn Read + Send>>) -> Joined {
        Joined { parts: parts.collect(), mark: &[] }
    }
}

impl Read for Joined {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.mark.is_empty() {
                return self.mark.read(to);
            }
            let Some(part) = self.parts.front_mut() else { return Ok(0) };
            match part.read(to)? {
                0 if !to.is_empty() => {
                    drop(self.parts.pop_front());
                    self.mark = if self.parts.is_empty() { &[] } else { BETWEEN };
                }
                n => return Ok(n),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_joined_with_a_mark_between_them() {
        let part = |text: &'static str| Box::new(text.as_bytes()) as Box<dyn Read + Send>;
        let joined = |parts: &[&'static str]| {
            let mut text = String::new();
            Joined::new(parts.iter().map(|p| part(p))).read_to_string(&mut text).expect("they are texts");
            text
        };
        assert_eq!(joined(&["a\n"]), "a\n");
        assert_eq!(joined(&["a\n", "b"]), "a\n\n\x1c\nb");
        assert_eq!(joined(&["a", "", "b\n"]), "a\n\x1c\n\n\x1c\nb\n");
    }
}
