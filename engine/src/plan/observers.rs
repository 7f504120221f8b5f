//! Observers: the stages on which no order depends.
//!
//! Whatever a route follows from, by what the stages read and emit, decides; the rest observes. Observers stand behind the
//! router, so an order does not wait for measures that nobody acts on; which stages these are follows from the strategies
//! that run. Where the tail is on the same thread it passes them what it held back, after the order has left.
//!
//! A stage's `anomaly` is for people: no stage acts on that of another, so it makes nobody a part of the decision. Without
//! orders nothing decides, and the order of the stages is that of their positions. Bound: one round over the stages, from
//! the last to the first, as a stage reads only what those before it emit.

use super::parts::Planned;
use flow::{Kind, Kinds};
use stages::Part;

/// Moves the observers behind the stages that decide; returns how many decide. `parts` are those of `stages`.
pub(super) fn last(parts: &mut Vec<Part>, stages: &mut Vec<Planned>) -> usize {
    assert_eq!(parts.len(), stages.len(), "a part each");
    let decides = deciding(stages);
    if !decides.contains(&true) {
        return stages.len();
    }
    let (mut front, mut behind) = (Vec::new(), Vec::new());
    for ((part, stage), decides) in parts.drain(..).zip(stages.drain(..)).zip(decides) {
        if decides { &mut front } else { &mut behind }.push((part, stage));
    }
    let count = front.len();
    (*parts, *stages) = front.into_iter().chain(behind).unzip();
    count
}

/// Of each stage, whether a route may follow from what it emits.
fn deciding(stages: &[Planned]) -> Vec<bool> {
    let mut wanted = Kinds::of(&[Kind::Route]);
    let mut decides = vec![false; stages.len()];
    for (planned, decides) in stages.iter().zip(&mut decides).rev() {
        let emits = planned.stage.emits().without(Kinds::of(&[Kind::Anomaly]));
        *decides = !emits.and(wanted).is_empty();
        if *decides {
            wanted = wanted.or(planned.stage.reads());
        }
    }
    decides
}

#[cfg(test)]
mod tests {
    use super::*;
    use stages::{Instances, Space};

    /// The names in the order of the plan, and how many of them decide.
    fn order(names: &[&str]) -> (Vec<String>, usize) {
        let besides = |name: &str| name == "pulse" || name == "portfolio" && names.contains(&"orders");
        let mut parts = stages::uncut(|name| names.contains(&name) || besides(name));
        let params: std::collections::BTreeMap<_, _> =
            stages::entries().map(|e| (e.name(), flow::Params::defaults(e.params()))).collect();
        let space = Space { instruments: 2, fills: 2, positions: 64 };
        let planned = |part: &Part| Planned {
            name: part.names().join("+"),
            position: part.position(),
            wanted: Kinds::NONE,
            stage: part.build(|name| &params[name], &Instances::PLAIN, space).expect("the defaults are valid"),
        };
        let mut stages: Vec<_> = parts.iter().map(planned).collect();
        let deciding = last(&mut parts, &mut stages);
        assert!(parts.iter().zip(&stages).all(|(part, stage)| part.position() == stage.position));
        (parts.iter().flat_map(Part::names).map(str::to_owned).collect(), deciding)
    }

    #[test]
    fn what_no_order_depends_on_stands_behind_the_router() {
        const GATE: [&str; 3] = ["orders", "risk", "router"];
        let all = ["book", "bars", "cvd", "imbalance", "vpin"];
        let with = |strategy: &'static str| order(&[&all[..], &[strategy], &GATE].concat());
        let expected =
            ["pulse", "book", "portfolio", "random", "orders", "risk", "router", "bars", "cvd", "imbalance", "vpin"];
        assert_eq!(with("random"), (expected.map(str::to_owned).to_vec(), 7), "it reads no measure");
        let (names, deciding) = with("momentum");
        assert_eq!((names.last().map(String::as_str), deciding), (Some("router"), names.len()), "it reads all of them");
        assert_eq!(
            order(&all),
            ([&["pulse"], &all[..]].concat().into_iter().map(str::to_owned).collect(), 6),
            "without orders all stay where they are"
        );
    }
}
