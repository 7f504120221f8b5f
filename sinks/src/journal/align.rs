//! Finds what happened to a sequence of records by comparing two sequences of CRCs, as sealed and as found.
//!
//! One pass with two cursors and at most two records of lookahead: enough to tell a changed record from one that was
//! removed, inserted or swapped with its neighbour. A record moved further is reported as two changes.

/// One difference, at an index of the sealed sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// The bytes differ; the second number is the index in the found sequence.
    Changed(usize, usize),
    /// The record is missing.
    Removed(usize),
    /// An unsealed record precedes it, at the second index, in the found sequence.
    Inserted(usize, usize),
    /// The record and the next one are swapped.
    Swapped(usize),
}

/// The differences, and how many found records the sealed ones account for.
pub(super) fn differences(sealed: &[u32], found: &[u32]) -> (Vec<Difference>, usize) {
    let (mut i, mut j, mut differences) = (0, 0, Vec::new());
    while i < sealed.len() {
        if sealed.get(i) == found.get(j) {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let same = |a: usize, b: usize| found.get(b).is_some_and(|f| sealed.get(a) == Some(f));
        let next = i + 1 < sealed.len();
        if next && same(i, j + 1) && same(i + 1, j) {
            differences.push(Difference::Swapped(i));
            (i, j) = (i + 2, j + 2);
        } else if same(i, j + 1) && (!next || same(i + 1, j + 2)) {
            differences.push(Difference::Inserted(i, j));
            j += 1;
        } else if j >= found.len() || (next && same(i + 1, j) && (i + 2 == sealed.len() || same(i + 2, j + 1))) {
            differences.push(Difference::Removed(i));
            i += 1;
        } else {
            differences.push(Difference::Changed(i, j));
            (i, j) = (i + 1, j + 1);
        }
    }
    (differences, j)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: [u32; 6] = [10, 11, 12, 13, 14, 15];

    fn of(found: &[u32]) -> Vec<Difference> {
        differences(&ROW, found).0
    }

    #[test]
    fn each_difference_is_reported_by_its_name() {
        assert_eq!(of(&ROW), []);
        assert_eq!(of(&[10, 11, 99, 13, 14, 15]), [Difference::Changed(2, 2)]);
        assert_eq!(of(&[10, 11, 13, 14, 15]), [Difference::Removed(2)]);
        assert_eq!(of(&[11, 12, 13, 14, 15]), [Difference::Removed(0)]);
        assert_eq!(of(&[10, 11, 12, 13, 14]), [Difference::Removed(5)]);
        assert_eq!(of(&[10, 11, 11, 12, 13, 14, 15]), [Difference::Inserted(2, 2)]);
        assert_eq!(of(&[10, 11, 12, 13, 14, 14, 15]), [Difference::Inserted(5, 5)]);
        assert_eq!(of(&[10, 12, 11, 13, 14, 15]), [Difference::Swapped(1)]);
        assert_eq!(of(&[10, 11, 12, 13, 15, 14]), [Difference::Swapped(4)]);
        assert_eq!(of(&[]).len(), 6);
    }

    #[test]
    fn what_follows_a_removal_is_aligned_again() {
        assert_eq!(of(&[10, 12, 13, 99, 15]), [Difference::Removed(1), Difference::Changed(4, 3)]);
        assert_eq!(differences(&ROW, &[10, 12, 13, 14, 15, 70]).1, 5);
    }
}
