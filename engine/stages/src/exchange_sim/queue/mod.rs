//! Queue position where the feed reports no orders: pluggable models, one file and one entry each.
//!
//! A feed by level reports how much rests at a price, not whose it is. When a level shrinks by more than its trades
//! explain, somebody cancelled, ahead of us or behind. A model estimates how many of those shares were ahead. The
//! estimate is clamped: no more leave ahead than were ahead, no more leave behind than were behind. Bound: O(1).

mod model;
mod power;
mod pro_rata_behind;

pub(super) use model::QueueModel;

use flow::Params;
use power::Power;
use pro_rata_behind::ProRataBehind;

/// An entry of the registry of queue models.
struct Entry {
    name: &'static str,
    build: fn(&Params) -> Box<dyn QueueModel>,
}

/// Every model.
const QUEUES: &[Entry] = &[
    Entry { name: "pro-rata-behind", build: |_| Box::new(ProRataBehind) },
    Entry { name: "power", build: |params| Box::new(Power::new(params)) },
];

/// Their names.
pub(super) const NAMES: &[&str] = &["pro-rata-behind", "power"];

/// The model that the parameter `queue_model` names.
pub(super) fn build(params: &Params) -> Box<dyn QueueModel> {
    let name = params.text("queue_model");
    let entry = QUEUES.iter().find(|l| l.name == name).expect("the parameter is a choice of these names");
    (entry.build)(params)
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
    fn every_model_has_its_entry_and_its_name() {
        assert_eq!(QUEUES.iter().map(|l| l.name).collect::<Vec<_>>(), NAMES);
    }

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
