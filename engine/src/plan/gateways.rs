//! The cores of gateways: each is there, and no other thread of the run is pinned to it.
//!
//! A thread that never gives its core up keeps whoever shares it from running, and a group of the pipeline that waits for a
//! gateway to be preempted loses more than the gateway gains. So a core that is named twice is a fault, and more spinning threads
//! than cores are a warning. Bound: one look at each group and each gateway.

use super::parts::GroupPlan;
use crate::config::{Fault, OrderRouting, UsedGateway};
use sinks::GatewayIdle;
use sinks::threading::CORE;

/// The faults of the cores of gateways, beside groups that are pinned to `pinned`, each with its name.
pub(super) fn core_faults(
    routing: &OrderRouting,
    pinned: &[(String, usize)],
    known: &[usize],
    faults: &mut Vec<Fault>,
) {
    let mut taken = pinned.to_vec();
    for UsedGateway { name, threading, .. } in &routing.gateways {
        let Some(core) = threading.core else { continue };
        let free = known.iter().filter(|core| !taken.iter().any(|(_, other)| other == *core));
        let free = free.map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let free = if free.is_empty() { "none is left: leave it out".to_owned() } else { free };
        let key = format!("{name}.{}", CORE.name());
        if !known.contains(&core) {
            faults.push(Fault::of_settings(
                &key,
                &core.to_string(),
                &format!("valid: a free core of this machine: {free}"),
            ));
        } else if let Some((other, _)) = taken.iter().find(|(_, other)| *other == core) {
            let found = format!("{core}, which {other} has");
            faults.push(Fault::of_settings(&key, &found, &format!("valid: a core that no other thread has: {free}")));
        } else {
            taken.push((format!("the gateway {name}"), core));
        }
    }
}

/// How many gateways spin.
pub(super) fn spinning(routing: &OrderRouting) -> usize {
    routing.gateways.iter().filter(|gateway| gateway.threading.idle == GatewayIdle::Spin).count()
}

/// What is said where groups and gateways that spin have fewer cores than they are.
pub(super) fn warning(routing: &OrderRouting, groups: &[GroupPlan], cores: usize) -> Option<String> {
    let (groups, gateways) = (groups.len(), spinning(routing));
    (gateways > 0 && groups + gateways > cores).then(|| {
        format!(
            "{groups} groups and {gateways} gateways that spin share {cores} cores, and a gateway that spins keeps its core from \
             the others: set its idle to sleep"
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;
    use crate::plan::Plan;
    use flow::Kinds;

    const DESK: &str = "[pipeline]\nstages = [\"book\", \"momentum\", \"slow\", \"orders\", \"risk\", \"router\"]\n\
                        clock = \"wall\"\n[[venue]]\nuse = \"wire\"\nname = \"east\"\n[router]\nvenue = \"wire\"\n\
                        [[strategy]]\nuse = \"momentum\"\nname = \"slow\"\nvenue = \"east\"\n";

    /// The faults of the desk with these settings.
    fn faults(set: &[String]) -> Vec<String> {
        let mut settings = Settings::parse(DESK, "desk.toml".as_ref()).expect("it is valid");
        set.iter().for_each(|one| settings.set(one).expect("it is valid by itself"));
        let built = Plan::build(&settings, settings.space(1), Kinds::NONE);
        built.err().map_or_else(Vec::new, |faults| faults.0.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_core_is_there_and_no_other_thread_has_it() {
        let cores = ring::thread::cores();
        let (one, absent) = (cores[0], cores.iter().max().expect("a core") + 1);
        assert_eq!(faults(&[format!("wire.core={one}"), "wire.idle=spin".to_owned()]), [""; 0]);
        for (set, wanted) in [
            (
                vec![format!("wire.core={absent}")],
                format!("wire.core: {absent}; valid: a free core of this machine: {one}"),
            ),
            (
                vec![format!("pipeline.cores={one}"), format!("wire.core={one}")],
                format!("wire.core: {one}, which core0 has; valid: a core that no other thread has"),
            ),
            (
                vec![format!("wire.core={one}"), format!("east.core={one}")],
                format!("east.core: {one}, which the gateway wire has; valid: a core that no other thread has"),
            ),
        ] {
            let found = faults(&set);
            assert!(found.len() == 1 && found[0].contains(&wanted), "{set:?}: {found:?}");
        }
    }

    #[test]
    fn what_is_no_core_and_no_way_to_idle_is_refused_where_it_stands() {
        for (line, wanted) in [
            ("core = \"two\"", "desk.toml:14:8: wire.core: \"two\"; valid: an integer from 0 to 65535, or none"),
            ("core = [1]", "valid: an integer from 0 to 65535, or none"),
            ("idle = \"spn\"", "desk.toml:14:8: wire.idle: \"spn\"; did you mean spin?"),
        ] {
            let text = format!("{DESK}[wire]\n{line}\n");
            let found = Settings::parse(&text, "desk.toml".as_ref()).err().expect("a fault").to_string();
            assert!(found.contains(wanted), "{found}");
        }
    }

    #[test]
    fn more_spinning_threads_than_cores_are_said() {
        let mut settings = Settings::parse(DESK, "desk.toml".as_ref()).expect("it is valid");
        let warnings = |settings: &Settings| {
            let plan = Plan::build(settings, settings.space(1), Kinds::NONE).expect("it is valid");
            plan.warnings().into_iter().filter(|warning| warning.contains("gateways that spin")).count()
        };
        assert_eq!(warnings(&settings), 0);
        settings.set("wire.idle=spin").expect("a way to idle");
        settings.set("east.idle=spin").expect("a way to idle");
        let expected = usize::from(ring::thread::cores().len() < 3);
        assert_eq!(warnings(&settings), expected);
    }
}
