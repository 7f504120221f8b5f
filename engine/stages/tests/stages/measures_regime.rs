//! Regimes of volatility: the worked numbers, when one is entered and left, and what has no return.

use crate::harness::{self, INSTRUMENTS};
use crate::measures_indicators::{STOCK, alone, bar, near};
use crate::measures_state::minute;
use crate::measures_trades::opening;
use crate::strategies_plain::named;
use flow::VolatilityRegime::{self, High, Low, Normal, Unknown};
use flow::records::{Regime, RegimeChange};
use stages::Space;
use stages::measures::regime::Regime as RegimeMeasure;
use stages::measures::{Host, Measure, One};

type Stages = crate::harness::Pipeline<Host<One<RegimeMeasure>>>;

/// What is said of a close, in hundredths.
fn feed(pipeline: &mut Stages, at: u32, close: i64) -> (Regime, Option<RegimeChange>) {
    let emitted = pipeline.feed(&bar(minute(0, at), [close; 3]));
    (*emitted[0].0.record(), emitted.get(1).map(|change| *change.0.record()))
}

fn regime(code: u8) -> VolatilityRegime {
    VolatilityRegime::from_code(code).unwrap()
}

/// Closes that go up and down by so many hundredths of 100, in turn; the regime at each.
fn regimes(set: &[(&str, &str)], moves: &[i64]) -> Vec<VolatilityRegime> {
    let mut pipeline: Stages = alone("regime", set);
    feed(&mut pipeline, 0, 10_000);
    let mut all = Vec::new();
    for (at, by) in (1..).zip(moves) {
        // A window of one move and back: two bars a move.
        feed(&mut pipeline, 2 * at, 10_000 + by);
        all.push(regime(feed(&mut pipeline, 2 * at + 1, 10_000).0.regime));
    }
    all
}

#[test]
fn the_worked_percentile() {
    let mut pipeline: Stages = alone("regime", &[("bars", "2"), ("least", "4")]);
    let closes = [10_000, 10_100, 10_200, 10_150, 10_160, 10_160, 10_400];
    let all: Vec<_> = (0..).zip(closes).map(|(at, close)| feed(&mut pipeline, at, close)).collect();
    assert!(all[..2].iter().all(|(r, _)| r.realised.known().is_none()));
    let worked = [0.014002743634, 0.011009781409, 0.005011711062, 0.000984736663, 0.023347363997];
    all[2..].iter().zip(worked).for_each(|((found, _), expected)| {
        assert!((found.realised.known().unwrap() - expected).abs() < 1e-12, "{found:?}");
    });
    assert!(all[..6].iter().all(|(r, change)| r.percentile.known().is_none() && change.is_none()));
    let (last, change) = all[6];
    let expected = Regime {
        realised: last.realised,
        percentile: last.percentile,
        start_s: minute(0, 6),
        interval_s: 60,
        bars: 2,
        among: 4,
        regime: High.code(),
        ..Regime::default()
    };
    assert_eq!((last, last.percentile.known(), change), (expected, Some(100.0), None), "the first is no change");
    assert_eq!(regime(all[5].0.regime), Unknown);
}

#[test]
fn equal_values_count_half() {
    let mut pipeline: Stages = alone("regime", &[("bars", "2"), ("least", "2"), ("history", "3")]);
    let all: Vec<_> = (0..6).map(|at| feed(&mut pipeline, at, 10_000).0).collect();
    assert_eq!(all.iter().map(|r| r.among).collect::<Vec<_>>(), [0, 0, 0, 1, 2, 3]);
    near(all[4].percentile, 50.0);
    assert_eq!(regime(all[5].regime), Normal);
    assert_eq!(feed(&mut pipeline, 6, 10_000).0.among, 3, "the history is three at most");
}

#[test]
fn a_change_says_what_was_and_what_is() {
    let mut pipeline: Stages = alone("regime", &[("bars", "2"), ("least", "3"), ("leave", "0")]);
    let changes: Vec<_> = (0..)
        .zip([10_000, 10_100, 10_000, 10_100, 10_000, 10_100, 10_300, 10_300, 10_300])
        .filter_map(|(at, close)| feed(&mut pipeline, at, close).1)
        .collect();
    let said = |c: &RegimeChange| (regime(c.was), regime(c.regime), (c.start_s - minute(0, 0)) / 60);
    // Equal moves are normal; one of two hundredths is the highest, and a rest the lowest.
    assert_eq!(changes.iter().map(said).collect::<Vec<_>>(), [(Normal, High, 6), (High, Low, 8)]);
    near(changes[1].percentile, 0.0);
}

#[test]
fn a_regime_is_left_farther_away_than_it_is_entered() {
    let moves: Vec<i64> = (1..=20).map(|n| n * 10).chain([185, 155]).collect();
    let set = |leave| [("bars", "2"), ("history", "200"), ("least", "30"), ("high", "90"), ("leave", leave)];
    let (loose, tight) = (regimes(&set("20"), &moves), regimes(&set("0"), &moves));
    assert_eq!((loose[19], tight[19]), (High, High));
    assert_eq!((loose[20], tight[20]), (High, Normal), "at a percentile of 87.5");
    assert_eq!((loose[21], tight[21]), (Normal, Normal), "below 70");
    assert!(loose.contains(&Unknown) && tight.contains(&Unknown));
}

#[test]
fn a_price_that_is_not_above_zero_begins_returns_anew() {
    let mut pipeline: Stages = alone("regime", &[("bars", "2"), ("least", "1")]);
    let closes = [100, 101, 100, 0, 100, 101, 100];
    let all: Vec<_> = (0..).zip(closes).map(|(at, close)| feed(&mut pipeline, at, close).0).collect();
    let known: Vec<_> = all.iter().map(|r| r.realised.known().is_some()).collect();
    assert_eq!(known, [false, false, true, false, false, false, true]);
    assert_eq!((all[6].among, all[6].percentile.known()), (1, Some(50.0)), "the values before are still there");
}

#[test]
fn no_more_can_be_needed_than_is_kept() {
    let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
    let params = harness::params("regime", &[("history", "100"), ("least", "101")]);
    let refused = RegimeMeasure::new(&params, space).err().expect("more than the history");
    assert_eq!((refused.key.as_str(), refused.found.as_str()), ("regime.least", "101"));
}

#[test]
fn limits_decide_where_they_are_set_and_symbols_may_have_their_own() {
    let closes = [10_000, 10_100, 10_200, 10_150, 10_160, 10_160, 10_400];
    let run = |symbol: Option<&str>, set: &[(&str, &str)], own: &[(&str, &str)]| {
        let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
        let mut params = harness::params("regime", set);
        for (name, value) in own {
            let param = stages::measures::regime::PARAMS.iter().find(|p| p.name == *name).unwrap();
            params.set_for("AAPL", param, param.parse(name, value).unwrap());
        }
        let mut pipeline: Stages = harness::Pipeline::new(Host::alone(&params, space).unwrap());
        symbol.into_iter().flat_map(|symbol| named(STOCK, symbol)).for_each(|event| drop(pipeline.feed(&event)));
        let listings = opening().0.into_iter().filter(|event| event.kind == flow::Kind::Listing);
        listings.for_each(|event| drop(pipeline.feed(&event)));
        (0..).zip(closes).map(|(at, close)| regime(feed(&mut pipeline, at, close).0.regime)).collect::<Vec<_>>()
    };
    let worked = [Unknown, Unknown, High, Normal, Normal, Low, High];
    let limits = [("low_volatility", "0.005"), ("high_volatility", "0.012")];
    let set = [("bars", "2"), limits[0], limits[1]];
    assert_eq!(run(None, &set, &[]), worked);
    assert_eq!(run(Some("AAPL"), &set[..1], &limits), worked);
    assert_eq!(run(Some("MSFT"), &set[..1], &limits), [Unknown; 7], "its own history is short");
    let equal = [("bars", "2"), ("low_volatility", "0.1"), ("high_volatility", "0.1")];
    assert_eq!(run(None, &equal, &[])[2..], [Low; 5]);
}

#[test]
fn limits_are_two_or_none() {
    let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
    for (set, key, valid) in [
        (&[("low_volatility", "0.2")][..], "regime.high_volatility", "0.2 or more"),
        (&[("high_volatility", "0.2")][..], "regime.low_volatility", "up to 0.2"),
        (
            &[("low_volatility", "0.3"), ("high_volatility", "0.2")][..],
            "regime.high_volatility",
            "regime.low_volatility, 0.3",
        ),
    ] {
        let refused = RegimeMeasure::new(&harness::params("regime", set), space).err().expect("one of two");
        assert!(refused.key == key && refused.valid.contains(valid), "{refused}");
    }
}
