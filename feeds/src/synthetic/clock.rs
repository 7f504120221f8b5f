//! When the next agent wakes: a self-exciting point process, scaled to the shape of the day.
//!
//! Arrivals are a Hawkes process with an exponential kernel, drawn exactly (the next arrival is the earlier of one from
//! the background rate and one from the decaying excitement): each arrival raises the rate for a while, so messages
//! come in bursts. The process has a mean gap of 1. The clock scales it so that the time left in a phase is spread over
//! the messages left in it, in proportion to a parabola (busy at the open and the close, quiet at noon); so a file of
//! any length fills the same day. Time never runs backwards or past the end of the phase.

use super::dice::Dice;

/// Share of arrivals triggered by earlier arrivals.
const BRANCHING: f64 = 0.75;
/// Decay rate of the excitement, per mean gap.
const DECAY: f64 = 0.2;

/// Nanoseconds per second.
pub(super) const SECOND: u64 = 1_000_000_000;

/// A time of day in nanoseconds since midnight.
pub(super) const fn at(hour: u64, minute: u64) -> u64 {
    (hour * 3600 + minute * 60) * SECOND
}

/// A phase of the day, with intensity `base + curve × (x - centre)²` for x from 0 to 1.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) base: f64,
    pub(super) curve: f64,
    pub(super) centre: f64,
}

/// Before the open: increasingly busy.
pub(super) const PRE_MARKET: Span = Span { start: at(4, 0), end: at(9, 30), base: 0.3, curve: 2.0, centre: 0.0 };
/// Market hours: three and a half times as busy at both ends as at noon.
pub(super) const MARKET: Span = Span { start: at(9, 30), end: at(16, 0), base: 0.6, curve: 6.0, centre: 0.5 };
/// After the close: increasingly quiet.
pub(super) const AFTER_HOURS: Span = Span { start: at(16, 0), end: at(20, 0), base: 0.2, curve: 3.0, centre: 1.0 };

/// The exchange's clock.
pub(super) struct Clock {
    now: u64,
    span: Span,
    excitement: f64,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock { now: at(3, 0), span: PRE_MARKET, excitement: 0.0 }
    }

    /// The time in nanoseconds since midnight.
    #[inline]
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    /// Moves to a time unless it has passed.
    pub(super) fn reach(&mut self, time: u64) {
        self.now = self.now.max(time);
    }

    /// Begins a phase.
    pub(super) fn enter(&mut self, span: Span) {
        self.span = span;
        self.reach(span.start);
    }

    /// Moves to the next arrival, given that about `left` more are to come in this phase.
    pub(super) fn advance(&mut self, dice: &mut Dice, left: f64) {
        let gap = self.gap(dice);
        let length = (self.span.end - self.span.start) as f64;
        let x = ((self.now - self.span.start) as f64 / length).min(1.0);
        let Span { base, curve, centre, .. } = self.span;
        let cube = |v: f64| v * v * v;
        let ahead = base * (1.0 - x) + curve * (cube(1.0 - centre) - cube(x - centre)) / 3.0;
        let intensity = base + curve * (x - centre) * (x - centre);
        let step = gap * length * ahead / (intensity * left.max(1.0));
        self.now = (self.now + step as u64).min(self.span.end - 1).max(self.now);
    }

    /// The next gap of the process, in units of the mean gap.
    fn gap(&mut self, dice: &mut Dice) -> f64 {
        let mut gap = dice.exponential() / (1.0 - BRANCHING);
        if self.excitement > 0.0 {
            let reach = 1.0 - DECAY * dice.exponential() / self.excitement;
            if reach > 0.0 {
                gap = gap.min(-libm::log(reach) / DECAY);
            }
        }
        self.excitement = self.excitement * libm::exp(-DECAY * gap) + BRANCHING * DECAY;
        gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_have_a_mean_of_one_and_come_in_bursts() {
        let (mut clock, mut dice) = (Clock::new(), Dice::new(9));
        let gaps: Vec<f64> = (0..200_000).map(|_| clock.gap(&mut dice)).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        assert!((0.95..1.05).contains(&mean), "mean gap {mean}");
        let (mut time, mut windows) = (0.0, vec![0u32; 4000]);
        for gap in &gaps {
            time += gap;
            if let Some(window) = windows.get_mut((time / 50.0) as usize) {
                *window += 1;
            }
        }
        let used = &windows[..3500];
        let mean = used.iter().sum::<u32>() as f64 / used.len() as f64;
        let variance = used.iter().map(|&n| (f64::from(n) - mean).powi(2)).sum::<f64>() / used.len() as f64;
        assert!(variance / mean > 3.0, "a Poisson process has 1, this has {}", variance / mean);
    }

    #[test]
    fn a_phase_is_filled_whatever_the_number_of_arrivals() {
        for arrivals in [1_000u32, 100_000] {
            let (mut clock, mut dice, mut noon) = (Clock::new(), Dice::new(1), 0);
            clock.enter(MARKET);
            for i in 0..arrivals {
                clock.advance(&mut dice, f64::from(arrivals - i));
                noon += u32::from((at(12, 0)..at(13, 0)).contains(&clock.now()));
            }
            assert!(clock.now() >= at(15, 45) && clock.now() < at(16, 0), "ends at {}", clock.now());
            assert!(noon < arrivals / 8, "an hour at noon has {noon} of {arrivals}");
        }
    }
}
