//! Stages that break a rule of determinism on purpose, each of which must be found.

use super::rules::{Judged, taped};
use flow::records::{Anomaly, Vpin};
use flow::{Event, Flags, Kind, Kinds, Out, Real, Record, Scope, Stage, StateError, StateReader, StateWriter};

/// What is wrong with a stage.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// Nothing.
    None,
    /// It acts on what it is shown ahead.
    LooksAhead,
    /// Something of what it knows is not in its state.
    Forgets,
    /// What it loads comes on top of what it knows.
    Adds,
    /// It does its work only if somebody listens.
    Listens,
    /// What nobody reads is not numbered.
    NumbersWhatIsRead,
    /// It lets a computed NaN through.
    EmitsNan,
    /// It lets the sign of a zero through.
    EmitsSignedZero,
}

/// A stage that counts, and emits the count every seventh time.
struct Broken {
    fault: Fault,
    seen: u64,
    ahead: u64,
}

impl Stage for Broken {
    fn reads(&self) -> Kinds {
        Kinds::of(&[Kind::Add, Kind::Trade])
    }
    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Anomaly, Kind::Vpin])
    }
    fn scope(&self) -> Scope {
        Scope::Global
    }
    fn fan_out(&self) -> usize {
        2
    }
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        if self.fault == Fault::Listens && !out.wants(Kind::Anomaly) {
            return;
        }
        self.seen += 1;
        if !self.seen.is_multiple_of(7) {
            return;
        }
        if self.fault != Fault::NumbersWhatIsRead || out.wants(Kind::Anomaly) {
            let detail = self.seen + if self.fault == Fault::LooksAhead { self.ahead } else { 0 };
            out.push(event.instrument, Flags::NONE, &Anomaly { detail, ..Default::default() });
        }
        let mut vpin = Vpin { vpin: Real::of(0.5), ..Default::default() };
        let around_the_door = match self.fault {
            Fault::EmitsNan => Some(f64::from_bits(0xfff8_0000_0000_0000)),
            Fault::EmitsSignedZero => Some(-0.0),
            _ => None,
        };
        if let Some(number) = around_the_door {
            vpin = of_bytes(number);
        }
        out.push(event.instrument, Flags::NONE, &vpin);
    }
    fn prefetch(&mut self, coming: &[Event]) {
        self.ahead = coming.iter().map(|event| event.id.seq()).sum();
    }
    fn save(&self, to: &mut StateWriter<'_>) {
        to.put(&if self.fault == Fault::Forgets { self.seen / 7 * 7 } else { self.seen });
    }
    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let saved: u64 = from.get()?;
        self.seen = saved + if self.fault == Fault::Adds { self.seen } else { 0 };
        Ok(())
    }
}

/// The record as it would be read from foreign bytes, the one way around the door.
fn of_bytes(number: f64) -> Vpin {
    let mut event = Event::new(flow::Ns(0), 0, Flags::NONE, &Vpin::default());
    event.body[Vpin::FIELDS[0].offset - 24..][..8].copy_from_slice(&number.to_le_bytes());
    *event.record()
}

/// The first rule that a stage with this fault breaks, on a tape that is long enough.
fn verdict(fault: Fault) -> Result<usize, String> {
    let mut state = 1_u64;
    let random = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let bytes: Vec<u8> = (0..16 * 600).map(random).collect();
    let (world, tapes) = taped(&bytes);
    let book = world.stations.iter().position(|station| station.name == "book").expect("it is there");
    let kinds = Kinds::of(&[Kind::Add, Kind::Trade]);
    let tape: Vec<Event> = tapes[book].iter().filter(|event| kinds.has(event.kind)).copied().collect();
    assert!(tape.len() > 50, "{}", tape.len());
    let stage = || Box::new(Broken { fault, seen: 0, ahead: 0 }) as Box<dyn Stage>;
    let judged = Judged { name: "it", position: 9, build: &stage, listings: &world.listings, tape: &tape };
    judged.check(38, Kinds::of(&[Kind::Vpin]))
}

#[test]
fn a_stage_that_breaks_a_rule_is_found() {
    assert!(verdict(Fault::None).is_ok_and(|emitted| emitted > 14));
    for (fault, found) in [
        (Fault::LooksAhead, "it depends on what comes after"),
        (Fault::Forgets, "it goes on differently from a saved state"),
        (Fault::Adds, "it saves other bytes than it loaded"),
        (Fault::Listens, "it depends on who listens"),
        (Fault::NumbersWhatIsRead, "it depends on who listens"),
        (Fault::EmitsNan, "it: vpin holds fff8000000000000"),
        (Fault::EmitsSignedZero, "it: vpin holds 8000000000000000"),
    ] {
        let verdict = verdict(fault).expect_err("a broken rule");
        assert!(verdict.starts_with(found), "{fault:?}: {verdict}");
    }
}
