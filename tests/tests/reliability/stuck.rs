//! A stage that spins for ever holds neither a halt nor a stop up, and nothing that was halted trades on.

use crate::AT_ONCE;
use crate::service_manager::Manager;
use rustix::process::Signal;
use std::time::{Duration, Instant};
use tidegate_tests::http;
use tidegate_tests::rig::{Adverse, HostileVenue, Life, Service};

/// The variable that names the input at which the group of `risk` hangs.
const SPIN: &str = "TIDEGATE_SPIN_AT";

/// Waits until the life, in which a stage is to hang, sends nothing any more.
fn stands_still(venue: &HostileVenue, life: &mut Life) {
    life.until("orders", || venue.seen().open().len() > 20);
    let (mut last, mut since) = (0, Instant::now());
    life.until("the standstill", || {
        let routes = venue.seen().routes;
        if routes != last {
            (last, since) = (routes, Instant::now());
        }
        since.elapsed() > Duration::from_millis(500)
    });
}

#[test]
fn a_halt_reaches_the_venue_past_a_stage_that_spins() {
    for preset in ["fused", "split"] {
        for mass in [true, false] {
            let venue = HostileVenue::start(Adverse::Nothing);
            let service = Service::trading(venue.port).with("pipeline.stall_ms=0").with_variable(SPIN, Some("30000"));
            let service = service.with(format!("pipeline.preset={preset}")).with(format!("wire.mass_cancel={mass}"));
            let mut life = service.start("1x");
            stands_still(&venue, &mut life);
            let open = venue.seen().open().len();
            let since = Instant::now();
            service.ctl(&["halt"]).expect(0);
            life.until("the end of all orders", || venue.seen().open().is_empty());
            let last = venue.seen().ended.values().max().map(|last| last.duration_since(since));
            println!(
                "{preset}, mass cancel {mass}: {open} orders, the last one cancelled {last:?} after the start of ctl"
            );
            assert_eq!(venue.seen().cancel_alls.is_empty(), !mass);
            let (_, took) = life.stop(Signal::TERM);
            assert!(took < AT_ONCE, "{took:?}");
            stays_halted(&venue, &service.with_variable(SPIN, None));
        }
    }
}

/// The watchdog cancels past it, though nobody reads what it says.
#[test]
fn the_watchdog_cancels_past_a_stage_that_spins() {
    let venue = HostileVenue::start(Adverse::Nothing);
    let service = Service::trading(venue.port).with("pipeline.stall_ms=300").with_variable(SPIN, Some("30000"));
    let mut life = service.start_unread("1x");
    life.until("orders", || venue.seen().open().len() > 20);
    life.until("the cancel", || !venue.seen().cancel_alls.is_empty());
    life.until("the end of all orders", || venue.seen().open().is_empty());
    assert!(life.runs());
    life.stop(Signal::TERM);
    assert!(!service.journal().join("panic.toml").exists(), "a stall is no panic");
    stays_halted(&venue, &service.with_variable(SPIN, None));
}

/// A group that hangs is told to the service manager by silence: it ends the process then and starts it again.
#[test]
fn a_stage_that_spins_ends_the_pings_to_the_service_manager() {
    const WATCHDOG_MS: u64 = 1_000;
    for preset in ["fused", "split"] {
        let service = Service::paper(4_000_000).with("pipeline.stall_ms=0").with_variable(SPIN, Some("30000"));
        let (manager, service) = Manager::of(service.with(format!("pipeline.preset={preset}")), WATCHDOG_MS);
        let mut life = service.start("max");
        life.until("the standstill", || manager.has_status("stands still: "));
        let pings = manager.count("WATCHDOG=1");
        assert!(pings > 0, "it was well before: {:?}", manager.told());
        std::thread::sleep(Duration::from_millis(3 * WATCHDOG_MS));
        assert_eq!(manager.count("WATCHDOG=1"), pings, "{preset}: {:?}", manager.told());
        assert!(life.runs(), "it waits for the manager to end it");
        life.kill();
    }
}

/// The next life, in which nothing spins, sends no order.
#[track_caller]
fn stays_halted(venue: &HostileVenue, service: &Service) {
    let orders = venue.seen().orders();
    let (_, hellos) = venue.counts();
    let mut life = service.start("1x");
    life.until("a session", || venue.seen().hellos.len() > hellos);
    std::thread::sleep(Duration::from_millis(500));
    assert!(life.runs(), "{}", life.said());
    assert_eq!(venue.counts().0, 0, "{}", life.said());
    assert_eq!(venue.seen().orders(), orders, "{}", life.said());
    life.stop(Signal::TERM);
}

/// It says so to whoever asks for its health, and to nobody that it is ready.
#[test]
fn a_pipeline_that_spins_is_not_healthy() {
    let venue = HostileVenue::start(Adverse::Nothing);
    let service = Service::trading(venue.port).with("pipeline.stall_ms=300").with_variable(SPIN, Some("30000"));
    let service = service.with("metrics.listen=127.0.0.1:0");
    let mut life = service.start("1x");
    let output = life.output.clone();
    life.until("what stands still", || {
        let said = std::fs::read_to_string(&output).unwrap_or_default();
        let at = said.split_once("metrics   http://").and_then(|(_, rest)| rest.split_once("/metrics"));
        let Some((at, _)) = at else { return false };
        let health = http::get(at, "/healthz", "*/*").expect("it answers");
        let is_stuck = health.0 == 503 && health.1.contains("is not finished: the pipeline stands still");
        let ready = http::get(at, "/readyz", "*/*").expect("it answers");
        is_stuck && ready.0 == 503
    });
    life.stop(Signal::TERM);
}
