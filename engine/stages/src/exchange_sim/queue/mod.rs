//! Queue position where the feed reports no orders: pluggable models, one file and one entry each.
//!
//! A feed by level reports how much rests at a price, not whose it is. When a level shrinks by more than its trades
//! explain, somebody cancelled, ahead of us or behind. A model estimates how many of those shares were ahead. The
//! estimate is clamped: no more leave ahead than were ahead, no more leave behind than were behind. Bound: O(1).

mod model;
mod power;
mod pro_rata_behind;

pub(super) use model::QueueModel;

use flow::{ChoiceParam, Params, choices};
use power::Power;
pub(super) use power::QUEUE_POWER;
use pro_rata_behind::ProRataBehind;

/// Makes a model.
type Build = fn(&Params) -> Box<dyn QueueModel>;

/// Every model by its name.
pub(super) const QUEUE_MODEL: ChoiceParam<Build> = ChoiceParam::new(
    "queue_model",
    choices! {
        "pro-rata-behind" => |_| Box::new(ProRataBehind),
        "power" => |params| Box::new(Power::new(params)),
    },
    "pro-rata-behind",
    "how a level's decrease without a trade is divided, where orders are not known",
);

/// The model that the parameter `queue_model` names.
pub(super) fn build(params: &Params) -> Box<dyn QueueModel> {
    params.get(QUEUE_MODEL)(params)
}

/// The model's estimate, clamped to what is possible.
pub(super) fn divide(model: &dyn QueueModel, gone: u64, ahead: u64, behind: u64) -> u64 {
    let least = gone.saturating_sub(behind).min(ahead);
    model.ahead_part(gone, ahead, behind).clamp(least, gone.min(ahead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worked_by_hand() {
        let power = Power::of(2.0);
        // 300 ahead, 100 behind, 40 cancelled: in proportion 30 and 10.
        assert_eq!(divide(&ProRataBehind, 40, 300, 100), 30);
        // 90,000 against 10,000: nine tenths from ahead.
        assert_eq!(divide(&power, 40, 300, 100), 36);
        // 100 ahead, 300 behind: 10, and by the squares 4.
        assert_eq!(divide(&ProRataBehind, 40, 100, 300), 10);
        assert_eq!(divide(&power, 40, 100, 300), 4);
        // Rounded down: 40 x 100 / 300 = 13.33, and 40 x 1 / 5 = 8.
        assert_eq!(divide(&ProRataBehind, 40, 100, 200), 13);
        assert_eq!(divide(&power, 40, 100, 200), 8);
        // More cancelled than was behind: the rest was ahead.
        assert_eq!(divide(&power, 90, 100, 10), 89);
        assert_eq!(divide(&power, 50, 10, 45), 5);
        // Nothing behind, nothing ahead.
        assert_eq!(divide(&ProRataBehind, 40, 100, 0), 40);
        assert_eq!(divide(&power, 40, 0, 100), 0);
    }
}
