//! What is proved of a pipeline before it runs.
//!
//! Orders come from `risk` alone and leave by `router` alone; a strategy has the whole way to a venue behind it; a tick's
//! slice holds at least one instrument; the ring of routes cannot fill. What does not hold is a fault of the configuration.

use super::parts::{GatewayPlan, Planned, TickPlan};
use crate::config::keys::ClockKind;
use crate::config::{Fault, Settings};
use flow::{Kind, Out};
use sinks::GATEWAYS;
use stages::exchange_sim::VENUES;
use stages::orders::{MAX_IN_FLIGHT, MAX_ORDERS};

/// What only one stage may emit.
const SOLE: &[(Kind, &str)] = &[(Kind::Order, "risk"), (Kind::Route, "router")];

/// What an intent must pass.
const TAIL_OF_INTENTS: &[&str] = &["orders", "risk", "router"];

/// Proves that orders come from risk alone and leave by the router alone, that no stage makes an input of its operator,
/// and that what trades has the whole tail behind it.
pub(super) fn gated(stages: &[Planned], faults: &mut Vec<Fault>) {
    for planned in stages {
        let emits = planned.stage.emits();
        for (kind, sole) in SOLE.iter().filter(|(kind, sole)| emits.has(*kind) && planned.name != *sole) {
            let found = format!("the stage {} emits {kind:?}", planned.name);
            faults.push(Fault::of_settings(
                "pipeline.stages",
                &found,
                &format!("valid: {kind:?} from the stage {sole} alone"),
            ));
        }
        if emits.has(Kind::Command) || emits.has(Kind::Halt) {
            let found = format!("the stage {} emits command or halt", planned.name);
            faults.push(Fault::of_settings("pipeline.stages", &found, "valid: command and halt as inputs alone"));
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
            "valid: what emits intents together with orders, risk and router",
        ));
    }
}

/// More cancel-alls than are said before a gateway takes one.
const MASS_CANCELS: u64 = 64;

/// The gateway that the router's venue names; none for the simulated one. An order is on the way to the gateway as new or
/// replacing order, of which `orders.max_in_flight` are at once, or as its cancel, of which each order has one: the ring
/// of routes is larger than both together.
pub(super) fn gateway(settings: &Settings, clock: ClockKind, faults: &mut Vec<Fault>) -> Option<GatewayPlan> {
    let name = settings.stages["router"].get(stages::router::VENUE);
    if flow::find(VENUES, name).is_some() {
        return None;
    }
    let Some(entry) = flow::find(GATEWAYS, name) else {
        let names = VENUES.iter().map(|v| v.name).chain(GATEWAYS.iter().map(|g| g.name));
        faults.push(Fault::of_settings(
            "router.venue",
            name,
            &format!("valid: {}", names.collect::<Vec<_>>().join(", ")),
        ));
        return None;
    };
    if clock != ClockKind::Wall {
        faults.push(Fault::of_settings(
            "pipeline.clock",
            "event",
            &format!("valid with the venue {name}: wall, for it answers when it answers"),
        ));
    }
    let orders = &settings.stages["orders"];
    let most = (orders.get(MAX_IN_FLIGHT) + orders.get(MAX_ORDERS)) as u64 + MASS_CANCELS;
    let ring = most.next_power_of_two() as usize;
    assert!(ring as u64 >= most && ring <= ring::MAX_CAPACITY, "the ranges of orders keep its routes within a ring");
    Some(GatewayPlan { entry, ring })
}

pub(super) fn ticks(stages: &[Planned], faults: &mut Vec<Fault>) -> TickPlan {
    let mut plan = TickPlan { intervals: Vec::new(), slice: Out::CAP };
    for planned in stages {
        let ticks = planned.stage.ticks();
        if ticks.intervals.is_empty() {
            continue;
        }
        let slice = Out::CAP / ticks.per_instrument.max(1);
        if slice == 0 {
            let found = format!("a tick may cause {} events for one instrument", ticks.per_instrument);
            faults.push(Fault::of_settings(planned.name, &found, "configure fewer intervals"));
        }
        plan.slice = plan.slice.min(slice.max(1));
        plan.intervals.extend(ticks.intervals);
    }
    plan.intervals.sort_unstable();
    plan.intervals.dedup();
    plan
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Event, Kinds, Scope, Stage, StateError, StateReader, StateWriter};

    /// A stage that says that it emits these kinds.
    struct Says(Kinds);

    impl Stage for Says {
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
            1
        }
        fn on_event(&mut self, _: &Event, _: &mut Out) {}
        fn save(&self, _: &mut StateWriter<'_>) {}
        fn load(&mut self, _: &mut StateReader<'_>) -> Result<(), StateError> {
            Ok(())
        }
    }

    fn faults(entry: &[(&'static str, &[Kind])]) -> Vec<String> {
        let planned = |(name, kinds): &(&'static str, &[Kind])| Planned {
            name,
            position: 1,
            wanted: Kinds::NONE,
            stage: Box::new(Says(Kinds::of(kinds))),
        };
        let mut faults = Vec::new();
        gated(&entry.iter().map(planned).collect::<Vec<_>>(), &mut faults);
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_order_comes_from_risk_and_leaves_by_the_router() {
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
    fn what_trades_has_the_tail_behind_it() {
        let alone = faults(&[("momentum", &[Kind::Intent]), ("risk", &[Kind::Order])]);
        assert_eq!(alone.len(), 1);
        assert!(alone[0].contains("momentum without orders, router"), "{alone:?}");
        assert_eq!(faults(&[("momentum", &[Kind::Signal])]), [""; 0]);
    }
}
