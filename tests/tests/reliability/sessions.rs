//! Venues that greet and fall silent, that lie, that serve somebody else: nothing hangs, nothing is traded blindly.

use crate::AT_ONCE;
use rustix::process::Signal;
use std::time::{Duration, Instant};
use tidegate_tests::rig::{Adverse, HostileVenue, Life, Service};

/// A journal with unanswered orders, its venue silent from then on, and a second life over it.
fn second_life(service: &Service, venue: &HostileVenue, then: Adverse) -> Life {
    let mut life = service.start("1x");
    life.until("unanswered orders", || venue.seen().routes > 160);
    life.kill();
    venue.becomes(then);
    let life = service.start("1x");
    std::thread::sleep(Duration::from_millis(1_500));
    life
}

/// However it is silent, it is said, and a stop does not wait for it.
#[test]
fn a_silent_venue_holds_no_stop_up() {
    let silent = [Adverse::SilentAfter(0), Adverse::HeartbeatsAfter(0), Adverse::NoHello, Adverse::DrippingHello];
    for (n, then) in silent.into_iter().enumerate() {
        let venue = HostileVenue::start(Adverse::SilentAfter(150));
        let service = Service::trading(venue.port);
        let mut life = second_life(&service, &venue, then);
        let output = life.output.clone();
        let said = || std::fs::read_to_string(&output).unwrap_or_default();
        life.until("a word about the venue", || said().contains("venue"));
        let signal = [Signal::TERM, Signal::INT, Signal::HUP][n % 3];
        let (status, took) = life.stop(signal);
        println!("{then:?}: {signal:?} took {took:?}");
        // Nobody confirms that the orders are cancelled, which is said.
        assert!(matches!(status.code(), Some(0 | 1)), "{then:?}: {}", said());
        assert!(took < AT_ONCE, "{then:?}: {took:?}");
    }
}

/// A session that falls silent counts as lost, is opened anew, and trading goes on.
#[test]
fn a_silent_session_is_opened_anew() {
    for silence in [Adverse::SilentAfter(100), Adverse::HeartbeatsAfter(100)] {
        let venue = HostileVenue::start(silence);
        let service = Service::trading(venue.port);
        let mut life = service.start("1x");
        life.until("the silence", || venue.seen().routes > 110);
        life.until("another session", || venue.seen().hellos.len() > 1);
        let orders = venue.seen().orders();
        venue.becomes(Adverse::Nothing);
        life.until("more orders", || venue.seen().orders() > orders + 20);
        assert_eq!(venue.seen().twice, 0);
        life.stop(Signal::TERM);
        service.about(&["replay", "--verify", "--journal"]).expect(0);
    }
}

/// An order without an answer blocks its instrument and is asked for, and the others go on.
#[test]
fn an_order_that_is_never_answered_blocks_its_instrument() {
    let venue = HostileVenue::start(Adverse::Forgets(30));
    let service = Service::trading(venue.port).with("wire.answer_ms=300");
    let mut life = service.start("1x");
    life.until("orders after it", || venue.seen().orders() > 120);
    std::thread::sleep(Duration::from_millis(700));
    let status = service.status();
    assert!(life.runs(), "{}", life.said());
    life.stop(Signal::TERM);
    let exported = |kind| service.about(&["journal", "export", "--emit", kind]).expect(0).stdout;
    let anomalies = exported("anomaly");
    assert!(anomalies.contains("unanswered-order"), "{status}\n{anomalies}");
    let refused = exported("refused");
    assert!(refused.lines().any(|row| row.contains("venue")), "{refused}");
    assert!(venue.seen().questions > 0, "it is asked for");
    assert_eq!(venue.seen().twice, 0);
}

/// What breaks the protocol ends the run with its orders cancelled, over a session opened anew if need be.
#[test]
fn a_broken_protocol_leaves_no_orders() {
    let venue = HostileVenue::start(Adverse::RepeatedNumber(200));
    let service = Service::trading(venue.port);
    let life = service.start("1x");
    let output = life.output.clone();
    let status = life.end();
    let said = std::fs::read_to_string(output).unwrap_or_default();
    assert_eq!(status.code(), Some(1), "{said}");
    let seen = venue.seen();
    assert!(!seen.cancel_alls.is_empty() && seen.open().is_empty(), "{} orders are open: {said}", seen.open().len());
}

/// Damaged bytes break the session alone.
#[test]
fn damaged_bytes_break_the_session_alone() {
    for damage in [Adverse::Garbage(200), Adverse::WrongChecksum(200)] {
        let venue = HostileVenue::start(damage);
        let service = Service::trading(venue.port);
        let mut life = service.start("1x");
        life.until("another session", || venue.counts().1 > 1);
        let answers = venue.seen().answers.len();
        life.until("more answers", || venue.seen().answers.len() > answers + 50);
        assert_eq!(venue.counts().0, 0, "{damage:?}");
        let (status, _) = life.stop(Signal::TERM);
        assert_eq!(status.code(), Some(0));
        service.about(&["replay", "--verify", "--journal"]).expect(0);
    }
}

/// A fill for an instrument that no listing has: far away, and just beyond the last.
#[test]
fn an_instrument_that_no_listing_has_makes_no_journal_unreadable() {
    for instrument in [u32::MAX, 5] {
        let venue = HostileVenue::start(Adverse::StrangeInstrument(instrument));
        let service = Service::trading(venue.port);
        let mut life = service.start("1x");
        let since = Instant::now();
        while life.runs() && since.elapsed() < Duration::from_secs(2) {
            std::thread::sleep(Duration::from_millis(10));
        }
        life.stop(Signal::TERM);
        for words in [&["replay", "--verify", "--journal"][..], &["snapshot", "--journal"]] {
            let outcome = service.about(words);
            assert!(matches!(outcome.code, Some(0 | 1)), "{instrument}, {words:?}: {outcome:?}");
        }
        service.about(&["journal", "verify"]).expect(0);
    }
}

/// The second engine at a venue is refused and says why; the first trades on.
#[test]
fn a_second_engine_at_a_venue_is_refused() {
    let venue = HostileVenue::start(Adverse::Nothing);
    let (first, second) = (Service::trading(venue.port), Service::trading(venue.port));
    let mut trading = first.start("1x");
    trading.until("orders", || venue.seen().orders() > 20);
    let refused = second.start("1x");
    let output = refused.output.clone();
    let status = refused.end();
    let said = std::fs::read_to_string(output).unwrap_or_default();
    assert!(said.contains("another engine"), "{said}");
    assert_eq!(status.code(), Some(1), "{said}");
    let orders = venue.seen().orders();
    trading.until("more orders", || venue.seen().orders() > orders + 20);
    assert_eq!(venue.seen().twice, 0);
    trading.stop(Signal::TERM);
    assert!(!trading_said(&first).contains("lost"), "{}", trading_said(&first));
}

fn trading_said(service: &Service) -> String {
    std::fs::read_to_string(service.path("life-1.txt")).unwrap_or_default()
}

/// The place of an engine that was killed is free: for itself at once, for another too.
#[test]
fn the_place_of_a_killed_engine_is_free() {
    let venue = HostileVenue::start(Adverse::Nothing);
    let service = Service::trading(venue.port);
    for n in 1..4 {
        let orders = venue.seen().orders();
        let mut life = service.start("1x");
        life.until("more orders", || venue.seen().orders() > orders + 20);
        life.kill();
        assert_eq!(venue.seen().refused, 0, "life {n}");
    }
    let other = Service::trading(venue.port);
    let hellos = venue.seen().hellos.len();
    let mut life = other.start("1x");
    life.until("another session", || venue.seen().hellos.len() > hellos);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(venue.seen().refused, 0, "{}", life.said());
    life.kill();
}
