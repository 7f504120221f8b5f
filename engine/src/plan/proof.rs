//! Proves a pipeline before it runs.
//!
//! Only `risk` emits orders and only `router` emits routes; a strategy has every stage from `orders` to `router` after it; a
//! tick's slice holds at least one instrument; fan-out, positions and group sizes fit; the ring of routes cannot fill.
//! Whatever does not hold is a fault of the configuration.

use super::parts::{GroupPlan, Planned, TickPlan};
use crate::config::keys::ClockKind;
use crate::config::{Fault, OrderRouting, Settings, keys};
use flow::{ExceptionError, Kind, Out, POSITION_INGRESS, POSITION_VENUE};
use stages::orders::{MAX_IN_FLIGHT, MAX_ORDERS};

/// Kinds that only one stage may emit.
const SOLE: &[(Kind, &str)] = &[(Kind::Order, "risk"), (Kind::Route, "router")];

/// The stages that an intent must pass.
const TAIL_OF_INTENTS: &[&str] = &["orders", "risk", "router"];

/// Proves that only risk emits orders and only the router emits routes, that no stage emits operator inputs, and that a
/// strategy has every stage of [`TAIL_OF_INTENTS`] in the pipeline.
pub(super) fn gated(stages: &[Planned], faults: &mut Vec<Fault>) {
    for planned in stages {
        let emits = planned.stage.emits();
        for (kind, sole) in SOLE.iter().filter(|(kind, sole)| emits.has(*kind) && planned.name != *sole) {
            let found = format!("the stage {} emits {kind:?}", planned.name);
            faults.push(Fault::of_settings(
                "pipeline.stages",
                &found,
                &format!("valid: only the stage {sole} emits {kind:?}"),
            ));
        }
        if emits.has(Kind::Command) || emits.has(Kind::Halt) {
            let found = format!("the stage {} emits command or halt", planned.name);
            faults.push(Fault::of_settings("pipeline.stages", &found, "valid: command and halt only as inputs"));
        }
    }
    let Some(trading) = stages.iter().find(|s| s.stage.emits().has(Kind::Intent)) else { return };
    let missing = TAIL_OF_INTENTS.iter().filter(|name| !stages.iter().any(|s| s.name == **name));
    let missing: Vec<_> = missing.copied().collect();
    if !missing.is_empty() {
        let found = format!("{} without {}", trading.name, missing.join(", "));
        faults.push(Fault::of_settings(
            "pipeline.stages",
            &found,
            "valid: a stage that emits intents, together with orders, risk and router",
        ));
    }
}

/// Proves that every stage's fan-out fits [`Out::CAP`], that positions rise among those that decide and again among those
/// that observe, and fit an id, and that no group has more stages than its masks have bits.
pub(super) fn fits(stages: &[Planned], deciding: usize, groups: &[GroupPlan], faults: &mut Vec<Fault>) {
    let mut refuse = |found: &str, valid: &str| faults.push(Fault::of_settings("pipeline.stages", found, valid));
    let mut before = POSITION_INGRESS;
    for (at, planned) in stages.iter().enumerate() {
        if at == deciding {
            before = POSITION_INGRESS;
        }
        let (name, bound, position) = (&planned.name, planned.stage.fan_out(), planned.position);
        if bound > Out::CAP {
            let found = format!("{name} may emit {bound} events for one event");
            refuse(&found, &format!("valid: up to {}; enable fewer measures of that family", Out::CAP));
        }
        if position <= before || position >= POSITION_VENUE {
            let found = format!("{name} at position {position}, after position {before}");
            refuse(&found, "valid: positions from 1 to 126, rising in pipeline order");
        }
        before = position;
    }
    for group in groups.iter().filter(|group| group.stages.len() > GroupPlan::MAX_STAGES) {
        let found = format!("a group of {} stages", group.stages.len());
        refuse(&found, &format!("valid: up to {} stages a group; cut it with pipeline.cuts", GroupPlan::MAX_STAGES));
    }
}

/// More cancel-alls than can be emitted before the gateway takes one.
const MASS_CANCELS: u64 = 64;

/// Where orders go. Gateways need the wall clock.
pub(super) fn routing(settings: &Settings, clock: ClockKind, faults: &mut Vec<Fault>) -> OrderRouting {
    let routing = settings.order_routing().unwrap_or_else(|wrong| {
        faults.extend(wrong);
        OrderRouting::default()
    });
    if let Some(gateway) = routing.gateways.first().filter(|_| clock != ClockKind::Wall) {
        let valid = format!("valid with the venue {}: wall, since its answers arrive in wall time", gateway.name);
        faults.push(Fault::of_settings("pipeline.clock", "event", &valid));
    }
    routing
}

/// The size of a gateway's ring of routes. On its way there a route is a new or replacing order, of which at most
/// `orders.max_in_flight` exist at once, or a cancel, of which each order has at most one. The ring is larger than both together,
/// plus the cancel-alls.
pub(super) fn route_slots(settings: &Settings) -> usize {
    let orders = &settings.stages["orders"];
    let most = (orders.get(MAX_IN_FLIGHT) + orders.get(MAX_ORDERS)) as u64 + MASS_CANCELS;
    let ring = most.next_power_of_two() as usize;
    assert!(ring as u64 >= most && ring <= ring::MAX_CAPACITY, "the parameter ranges of orders fit one ring");
    ring
}

pub(super) fn ticks(settings: &Settings, stages: &[Planned], faults: &mut Vec<Fault>) -> TickPlan {
    let wall = settings.pipeline.get(keys::CLOCK) == ClockKind::Wall;
    let heartbeat_s = if wall { settings.pipeline.get(keys::HEARTBEAT_S) } else { 0 };
    let (calendars, wrong) = settings.calendars();
    let mut plan = TickPlan { intervals: Vec::new(), heartbeat_s, calendars };
    if let Some(wrong) = wrong {
        let found = format!("line {}: {}", wrong.line, wrong.found);
        faults.push(Fault::of_settings("pipeline.calendar_file", &found, ExceptionError::VALID));
    }
    for planned in stages {
        let ticks = planned.stage.ticks();
        if ticks.intervals.is_empty() {
            continue;
        }
        let slice = Out::CAP / ticks.per_instrument.max(1);
        if slice == 0 {
            let found = format!("a tick may emit {} events for one instrument", ticks.per_instrument);
            faults.push(Fault::of_settings(&planned.name, &found, "configure fewer intervals"));
        }
        plan.intervals.extend(ticks.intervals.into_iter().map(|interval| (interval, slice.max(1))));
    }
    // Of each interval the least slice: whichever stage can take fewest says how many.
    plan.intervals.sort_unstable();
    plan.intervals.dedup_by_key(|(interval, _)| *interval);
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Event, Kinds, Scope, Stage, StateError, StateReader, StateWriter};

    /// A stage that emits these kinds, with this fan-out.
    struct Emits(Kinds, usize);

    impl Stage for Emits {
        fn reads(&self) -> Kinds {
            Kinds::NONE
        }
        fn emits(&self) -> Kinds {
            self.0
        }
        fn scope(&self) -> Scope {
            Scope::Global
        }
        fn fan_out(&self) -> usize {
            self.1
        }
        fn on_event(&mut self, _: &Event, _: &mut Out) {}
        fn save(&self, _: &mut StateWriter<'_>) {}
        fn load(&mut self, _: &mut StateReader<'_>) -> Result<(), StateError> {
            Ok(())
        }
    }

    fn faults(entry: &[(&'static str, &[Kind])]) -> Vec<String> {
        let planned = |(name, kinds): &(&'static str, &[Kind])| Planned {
            name: (*name).to_owned(),
            position: 1,
            wanted: Kinds::NONE,
            stage: Box::new(Emits(Kinds::of(kinds), 1)),
        };
        let mut faults = Vec::new();
        gated(&entry.iter().map(planned).collect::<Vec<_>>(), &mut faults);
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_risk_emits_orders_and_only_the_router_routes() {
        let whole: &[(&str, &[Kind])] = &[
            ("momentum", &[Kind::Signal, Kind::Intent]),
            ("orders", &[Kind::Request]),
            ("risk", &[Kind::Order, Kind::Refused]),
            ("router", &[Kind::Route]),
        ];
        assert_eq!(faults(whole), [""; 0]);
        assert_eq!(faults(&whole[1..]), [""; 0]);
        let orders = faults(&[("orders", &[Kind::Order]), ("risk", &[Kind::Route])]);
        assert_eq!(orders.len(), 2);
        assert!(orders[0].contains("the stage orders emits order"), "{orders:?}");
        assert!(orders[1].contains("the stage risk emits route"), "{orders:?}");
        assert_eq!(faults(&[("book", &[Kind::Halt])]).len(), 1);
    }

    #[test]
    fn a_stage_or_group_that_does_not_fit_is_a_fault() {
        let at = |position: u8, bound: usize| Planned {
            name: "some".to_owned(),
            position,
            wanted: Kinds::NONE,
            stage: Box::new(Emits(Kinds::NONE, bound)),
        };
        let faults_at = |deciding: usize, stages: Vec<Planned>| {
            let group = GroupPlan {
                name: String::new(),
                members: Vec::new(),
                stages: 0..stages.len(),
                forwards: Kinds::NONE,
                core: None,
            };
            let mut faults = Vec::new();
            fits(&stages, deciding, &[group], &mut faults);
            faults.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let faults = |stages: Vec<Planned>| faults_at(stages.len(), stages);
        assert_eq!(faults(vec![at(1, 1), at(126, Out::CAP)]), [""; 0]);
        assert_eq!(faults_at(2, vec![at(1, 1), at(120, 1), at(16, 1), at(36, 1)]), [""; 0], "observers");
        assert_eq!(faults_at(2, vec![at(1, 1), at(120, 1), at(36, 1), at(16, 1)]).len(), 1, "observers in order");
        assert_eq!(faults((1..=62).map(|position| at(position, 1)).collect()), [""; 0]);
        for (stages, why) in [
            (vec![at(0, 1)], "position 0"),
            (vec![at(127, 1)], "position 127"),
            (vec![at(8, 1), at(8, 1)], "after position 8"),
            (vec![at(8, Out::CAP + 1)], "65 events"),
            ((1..=63).map(|position| at(position, 1)).collect(), "a group of 63 stages"),
        ] {
            let found = faults(stages);
            assert!(found.len() == 1 && found[0].contains(why), "{why}: {found:?}");
        }
    }

    #[test]
    fn a_strategy_needs_every_stage_up_to_the_router() {
        let alone = faults(&[("momentum", &[Kind::Intent]), ("risk", &[Kind::Order])]);
        assert_eq!(alone.len(), 1);
        assert!(alone[0].contains("momentum without orders, router"), "{alone:?}");
        assert_eq!(faults(&[("momentum", &[Kind::Signal])]), [""; 0]);
    }
}
