//! What the screens look like: 80 columns, 24 lines where a user reads to the end, no escape code in a pipe.

use crate::{Named, call, folder, path, says, write};
use tidegate_tests::Outcome;

pub(crate) const SCREENS: &[Named] = &[
    ("the_summary_is_one_screen", summary),
    ("many_measures_are_one_screen_and_with_details_all_are_shown", measured),
    ("details_show_the_machinery", details),
    ("a_replay_is_one_screen", replay),
    ("lists_fit_the_screen", lists),
    ("what_is_configured_and_does_not_run_is_said", idle),
    ("a_measure_without_what_it_reads_is_said", unmet),
    ("what_is_not_known_is_answered_with_the_nearest", nearest),
];

/// No line is wider than a screen, and nothing but text is in it.
#[track_caller]
fn fits(outcome: &Outcome) {
    for text in [&outcome.stdout, &outcome.stderr] {
        let wide = text.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "{text}");
        assert!(!text.contains('\x1b') && !text.contains('\r'), "{text:?}");
    }
}

fn demo(more: &[&str]) -> Outcome {
    let outcome = call(&[&["demo"], more].concat()).expect(0);
    fits(&outcome);
    outcome
}

fn summary() {
    let outcome = says(
        demo(&["--events", "200000"]),
        0,
        &["busiest", "measures", "trading", "pnl", "anomalies", "and 196 more symbols"],
    );
    assert!(outcome.stderr.lines().count() <= 23, "with the prompt it is one screen:\n{}", outcome.stderr);
    assert!(!outcome.stderr.contains("latency, ns"), "{}", outcome.stderr);
    let rows = outcome.stderr.lines().skip_while(|l| !l.starts_with("busiest")).skip(1).take(4);
    let points: Vec<_> = rows.map(|l| l.match_indices('.').map(|(at, _)| at).collect::<Vec<_>>()).collect();
    assert!(points.iter().all(|at| at.len() == 3 && *at == points[0]), "points below each other:\n{}", outcome.stderr);
}

/// The busiest symbols and what is measured of them keep their place, however much is measured.
fn measured() {
    let stages = "pipeline.stages=book,bars,cvd,flow,pace,patterns,venues,vpin,toxicity,profile,state,spread,ofi,price-impact,average,rsi,macd,atr,vwap,\
                  volatility,regime,momentum,orders,risk,router";
    let many = ["--events", "200000", "--set", stages];
    let outcome =
        says(demo(&many), 0, &["flow score", "more values of measures: --details shows all", "and 196 more symbols"]);
    assert!(outcome.stderr.lines().count() <= 23, "with the prompt it is one screen:\n{}", outcome.stderr);
    let all = ["flow score", "patterns score", "venues score", "toxicity", "rsi", "vwap", "volatility", "regime"];
    let detailed = says(demo(&[&many[..], &["--details"]].concat()), 0, &all);
    assert!(!detailed.stderr.contains("more values"), "{}", detailed.stderr);
}

fn details() {
    let small = ["--events", "3000", "--symbols", "5", "--details"];
    let parts = ["groups core0: ingress, pulse, book", "load", "latency, ns", "kinds", "host", "state"];
    says(demo(&small), 0, &parts);
    let split = says(demo(&[&small[..], &["--preset", "split"]].concat()), 0, &parts);
    says(split, 0, &["core0 > core1", "core7 > core8"]);
}

fn replay() {
    let (folder, _) = folder();
    let outcome = call(&["replay", "--input", &path(&folder, "day.itch")]).expect(0);
    fits(&outcome);
    assert!(outcome.stderr.lines().count() <= 23, "{}", outcome.stderr);
}

fn lists() {
    let (folder, _) = folder();
    let dir = path(&folder, "run");
    fits(&call(&["replay", "--input", &path(&folder, "day.itch"), "--journal", &dir]).expect(0));
    let screens: [&[&str]; 6] = [
        &["--help"],
        &["schema"],
        &["schema", "order"],
        &["schema", "listing"],
        &["schema", "vpin"],
        &["bench", "--help"],
    ];
    screens.iter().for_each(|arguments| fits(&call(arguments).expect(0)));
    let listed = call(&["journal", "ls", &dir]).expect(0);
    assert!(listed.stdout.contains("inputs/00000001.seg"), "{}", listed.stdout);
    fits(&listed);
}

fn nearest() {
    let (folder, _) = folder();
    let day = path(&folder, "day.itch");
    let unseen = ["replay", "--input", &day, "--emit", "trade", "--symbols", "ZZZZZZ"];
    says(call(&unseen), 2, &["--symbols ZZZZZZ: the input has no such symbol"]);
    says(call(&["replya"]), 2, &["a similar subcommand exists: 'replay'"]);
    says(call(&["schema", "boktop"]), 2, &["boktop: no such kind; did you mean book-top? valid: "]);
    let stage = ["replay", "--input", &day, "--set", "pipeline.stages=book,bras"];
    says(call(&stage), 2, &["--set: pipeline.stages: bras; did you mean bars? valid: "]);
    says(
        call(&["replay", "--input", &day, "--preset", "fusde"]),
        2,
        &["--preset: pipeline.preset: fusde; did you mean fused?"],
    );
}

/// `validate` and the start of a run say it; it is no fault.
fn idle() {
    let (folder, _) = folder();
    let text = "[pipeline]\nstages = [\"book\", \"momentum-of-the-morning\", \"orders\", \"risk\", \"router\"]\n[momentum]\n\
                qty = 5\n[[measure]]\nuse = \"vpin\"\nname = \"vpin-of-small-buckets-for-thin-markets\"\n\
                [[strategy]]\nuse = \"momentum\"\nname = \"momentum-of-the-morning\"\n\
                [[input]]\nfeed = \"itch\"\nfiles = [\"day.itch\"]\ndate = \"2026-01-05\"\n";
    let config = write(&folder, "idle.toml", text.as_bytes());
    let valid = call(&["validate", &config]).expect(0);
    let ran = call(&["run", &config, "--journal", &path(&folder, "idle"), "--speed", "max"]).expect(0);
    for said in [&valid.stdout, &ran.stderr] {
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        for name in ["vpin-of-small-buckets-for-thin-markets", "momentum"] {
            let wanted = format!("warning {name} does not run: add it to pipeline.stages, or take ");
            assert!(said.contains(&wanted), "{wanted}: {said}");
        }
        assert_eq!(said.matches("does not run").count(), 2, "{said}");
    }
    fits(&valid);
    fits(&ran);
}

/// `validate`, `run` and `replay` say which measure would emit nothing, and what to add.
fn unmet() {
    let (folder, _) = folder();
    let day = path(&folder, "day.itch");
    let replay = |stages: &str, more: &[&str]| {
        let stages = format!("pipeline.stages={stages}");
        let outcome =
            call(&[&["replay", "--input", &day, "--date", "2026-01-05", "--set", &stages], more].concat()).expect(0);
        fits(&outcome);
        outcome.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let state = "state has nothing to go on: add profile to pipeline.stages";
    let alerts = "lvn-alerts has nothing to go on: add profile or legs to pipeline.stages";
    let said = replay("bars,state,lvn-alerts", &[]);
    assert!(said.contains(state) && said.contains(alerts), "{said}");
    assert_eq!(said.matches("warning").count(), 2, "{said}");
    let said = replay("profile,state", &[]);
    let bars = "state reads bars of 1m: add bars to pipeline.stages, unless a feed brings them";
    assert!(said.contains(bars) && said.matches("warning").count() == 1, "{said}");
    let said = replay("bars,profile,state", &["--set", "bars.intervals=5m,1h"]);
    let bars = "state reads bars of 1m: add that to bars.intervals (5m,1h), unless a feed brings them";
    assert!(said.contains(bars) && said.matches("warning").count() == 1, "{said}");
    let said = replay("bars,profile,state", &["--set", "bars.intervals=5m,60s"]);
    assert!(!said.contains("warning"), "{said}");
    for one in ["fate", "imbalance", "spread", "ofi", "depth-slope", "imbalance-variability", "price-impact"] {
        let said = replay(&format!("cvd,{one}"), &[]);
        let book = format!("{one} has nothing to go on: add book to pipeline.stages");
        assert!(said.contains(&book) && said.matches("warning").count() == 1, "{said}");
        let said = replay(&format!("book,{one}"), &[]);
        assert!(!said.contains("warning"), "{said}");
    }
    let said = replay("bars,legs", &[]);
    let legs = ["state", "breakout"].map(|one| format!("legs has nothing to go on: add {one} to pipeline.stages"));
    assert!(legs.iter().all(|legs| said.contains(legs)) && said.matches("warning").count() == 2, "{said}");
    let events = ["--set", "average.of=event-bars"];
    let said = replay("bars,average", &events);
    let bars = "average has nothing to go on: add event-bars to pipeline.stages";
    assert!(said.contains(bars) && said.matches("warning").count() == 1, "{said}");
    assert!(!replay("event-bars,average", &events).contains("warning"));
    let said = replay("event-bars,average", &[&events[..], &["--set", "average.event_bars=3"]].concat());
    let bars = "average has nothing to go on: add instance 3 of event-bars to pipeline.stages";
    assert!(said.contains(bars) && said.matches("warning").count() == 1, "{said}");
    let config = "[pipeline]\nstages = [\"bars\", \"state\"]\n[[input]]\nfeed = \"itch\"\nfiles = [\"day.itch\"]\ndate = \"2026-01-05\"\n";
    let config = write(&folder, "unmet.toml", config.as_bytes());
    let valid = call(&["validate", &config]).expect(0);
    assert!(valid.stdout.contains(state), "{}", valid.stdout);
    let ran = call(&["run", &config, "--journal", &path(&folder, "unmet"), "--speed", "max"]).expect(0);
    assert!(ran.stderr.contains(state), "{}", ran.stderr);
}
