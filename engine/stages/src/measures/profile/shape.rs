//! The shape of a profile: its point of control and its value areas.
//!
//! Both follow from the volumes of the rows alone, from the lowest to the highest, in integers. A value area grows from the
//! point of control until it holds its share of the volume.
//!
//! Most trades change neither. Every decision on the way to a shape compares two sums, and what is added to rows can move none of them
//! further than by itself: so as long as less is added than the narrowest decision was decided by, the shape is the same and need not be
//! looked for ([`Shape::with_slack`]).
//!
//! Bound: nothing is kept. Worst case: two looks at every row.

/// Rows from one to another, both inside, counted from the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The lowest row inside.
    pub low: usize,
    /// The highest row inside.
    pub high: usize,
}

/// What the volumes of the rows come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The row with most volume.
    pub poc: usize,
    /// The value area that grows by one row at a time.
    pub area: Span,
    /// The value area that grows by two rows at a time.
    pub area2: Span,
}

impl Shape {
    /// The shape of these rows, with value areas of so many percent; `None` where there is no volume.
    pub fn of(volumes: &[u64], percent: u8) -> Option<Shape> {
        Shape::with_slack(volumes, percent).map(|(shape, _)| shape)
    }

    /// The same, and how much may be added to these rows, in whatever parts, before they may have another.
    pub fn with_slack(volumes: &[u64], percent: u8) -> Option<(Shape, u128)> {
        let (poc, mut slack) = poc(volumes)?;
        let total: u128 = volumes.iter().map(|volume| u128::from(*volume)).sum();
        // Volumes are whole, so a share of the total is reached when the next whole number is.
        let share = Share { total, percent: percent.into(), target: (total * u128::from(percent)).div_ceil(100) };
        let [area, area2] = [1, 2].map(|step| area(volumes, poc, &share, step, &mut slack));
        Some((Shape { poc, area, area2 }, slack))
    }
}

/// The volume that a value area has to hold.
struct Share {
    total: u128,
    percent: u128,
    target: u128,
}

/// The row with most volume; of equal ones the nearest to the middle of the range, then the lower. And how much may be added before it
/// may be another.
fn poc(volumes: &[u64]) -> Option<(usize, u128)> {
    let most = *volumes.iter().max().filter(|most| **most > 0)?;
    let from_middle = |at: &usize| (2 * at).abs_diff(volumes.len() - 1);
    let poc = (0..volumes.len()).filter(|at| volumes[*at] == most).min_by_key(from_middle)?;
    let next = volumes[..poc].iter().chain(&volumes[poc + 1..]).max().copied().unwrap_or(0);
    Some((poc, most.saturating_sub(next).saturating_sub(1).into()))
}

/// Grows from the point of control by `step` rows at a time, to the side whose next rows hold more, and up if both hold the
/// same. Where fewer rows are left on a side they are compared and taken as they are; at an edge the other side grows. Lowers `slack` to
/// what its narrowest decision was decided by.
fn area(volumes: &[u64], poc: usize, share: &Share, step: usize, slack: &mut u128) -> Span {
    let sum = |rows: &[u64]| rows.iter().map(|volume| u128::from(*volume)).sum::<u128>();
    let (mut low, mut high, mut held) = (poc, poc, u128::from(volumes[poc]));
    let mut narrowest = *slack;
    while held < share.target {
        // It goes on, even if all that is added lies inside.
        narrowest = narrowest.min(share.target - held - 1);
        let (above, below) = ((high + 1 + step).min(volumes.len()), low.saturating_sub(step));
        let (up, down) = (sum(&volumes[high + 1..above]), sum(&volumes[below..low]));
        if low > 0 && high + 1 < volumes.len() {
            narrowest = narrowest.min(if up >= down { up - down } else { down - up - 1 });
        }
        if low == 0 || (high + 1 < volumes.len() && up >= down) {
            (high, held) = (above - 1, held + up);
        } else {
            (low, held) = (below, held + down);
        }
    }
    // It ends, even if all that is added lies outside.
    *slack = narrowest.min(held * 100 / share.percent - share.total);
    Span { low, high }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(low: usize, high: usize) -> Span {
        Span { low, high }
    }

    /// Rows 10.0 to 10.9.
    #[test]
    fn the_worked_numbers() {
        let volumes = [5, 10, 40, 60, 100, 50, 20, 80, 30, 5];
        let shape = Shape { poc: 4, area: span(2, 7), area2: span(2, 8) };
        assert_eq!(Shape::of(&volumes, 70), Some(shape));
    }

    #[test]
    fn equal_rows_and_edges() {
        assert_eq!(Shape::of(&[], 70), None);
        assert_eq!(Shape::of(&[0, 0], 70), None);
        let of = |volumes: &[u64], percent| Shape::of(volumes, percent).unwrap();
        assert_eq!(of(&[7], 100), Shape { poc: 0, area: span(0, 0), area2: span(0, 0) });
        assert_eq!([of(&[9, 1, 9, 1], 1).poc, of(&[9, 1, 9, 9], 1).poc, of(&[9, 0, 0, 9], 1).poc], [2, 2, 0]);
        assert_eq!(of(&[4, 9, 4], 70).area, span(1, 2), "up if both hold the same");
        assert_eq!(of(&[9, 1, 1], 100).area, span(0, 2), "at the lower edge");
        assert_eq!(of(&[1, 1, 9], 100).area2, span(0, 2), "at the upper edge");
        // One row is left above, of 3; two below hold 4.
        assert_eq!(of(&[0, 2, 2, 9, 3], 65).area2, span(1, 3));
        assert_eq!(of(&[u64::MAX, u64::MAX], 100).area, span(0, 1));
        assert_eq!(of(&[3, 7], 70).area, span(1, 1), "reached exactly");
    }

    /// The rule word by word, one comparison at a time over exact fractions.
    fn reference(volumes: &[u64], percent: u8, step: usize) -> Option<(usize, Span)> {
        let n = volumes.len() as i64;
        let volume = |at: i64| if (0..n).contains(&at) { i128::from(volumes[at as usize]) } else { 0 };
        let middle = |at: i64| (at * 2 - (n - 1)).abs();
        let poc = (0..n).filter(|at| volume(*at) > 0).min_by_key(|at| (-volume(*at), middle(*at), *at))?;
        let (mut low, mut high) = (poc, poc);
        let total: i128 = (0..n).map(volume).sum();
        let held = |low: i64, high: i64| (low..=high).map(volume).sum::<i128>();
        while held(low, high) * 100 < total * i128::from(percent) {
            let up: i128 = (1..=step as i64).map(|by| volume(high + by)).sum();
            let down: i128 = (1..=step as i64).map(|by| volume(low - by)).sum();
            if low == 0 || (high < n - 1 && up >= down) {
                high = (high + step as i64).min(n - 1);
            } else {
                low = (low - step as i64).max(0);
            }
        }
        Some((poc as usize, span(low as usize, high as usize)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn a_shape_is_that_of_the_rule(volumes in prop::collection::vec(0_u64..8, 0..40), percent in 1_u8..=100) {
            let shape = Shape::of(&volumes, percent);
            prop_assert_eq!(shape.map(|s| (s.poc, s.area)), reference(&volumes, percent, 1));
            prop_assert_eq!(shape.map(|s| (s.poc, s.area2)), reference(&volumes, percent, 2));
        }

        #[test]
        fn a_shape_stays_while_no_more_is_added_than_its_slack(
            volumes in prop::collection::vec(0_u64..2_000, 1..30),
            percent in 1_u8..=100,
            added in prop::collection::vec((any::<prop::sample::Index>(), 0_u64..200), 1..20),
        ) {
            let Some((shape, slack)) = Shape::with_slack(&volumes, percent) else { return Ok(()) };
            let (mut grown, mut all) = (volumes.clone(), 0);
            for (at, qty) in added {
                let qty = qty.min((slack - all).min(200) as u64);
                grown[at.index(volumes.len())] += qty;
                all += u128::from(qty);
                prop_assert_eq!(Shape::of(&grown, percent), Some(shape));
            }
        }
    }
}
