//! Saved states that are damaged: bits flipped, bytes cut off, put in, taken out, moved.
//!
//! A pipeline is played for a while; the state of one of its stages, or of the venue, is saved, damaged, and loaded into a new one. That is
//! refused with an error, or it gives a stage that works: it saves, loads what it saved, and takes whatever comes. It never panics.

use super::filling::Step;
use super::play::{World, build, build_venue, opened};
use flow::{Ns, StateError, StateReader, StateWriter};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Whose states are damaged; the last is the venue.
const DAMAGED: [&str; 11] =
    ["portfolio", "cvd", "imbalance", "vpin", "momentum", "random", "trend", "reversion", "orders", "risk", "sim"];

/// What is done to the bytes.
type Blow = (u8, u16, u8);

fn strike(bytes: &mut Vec<u8>, (how, place, with): Blow) {
    if bytes.is_empty() {
        return bytes.push(with);
    }
    let at = usize::from(place) % bytes.len();
    match how % 8 {
        0..4 => bytes[at] ^= 1 << (with % 8),
        4 => bytes[at] = with,
        5 => bytes.truncate(at),
        6 => bytes.insert(at, with),
        _ => drop(bytes.remove(at)),
    }
}

fn load(
    world: &World,
    bytes: &[u8],
    load: impl FnOnce(&mut StateReader<'_>) -> Result<(), StateError>,
) -> Result<(), StateError> {
    let mut reader = StateReader::new(&world.listings, bytes);
    load(&mut reader).and_then(|()| reader.finish())
}

/// Damages the state and puts what loads in its place; whether it loads.
fn damaged(world: &mut World, name: &str, blows: &[Blow]) -> bool {
    let place = world.stations.iter().position(|s| s.name == name);
    let turned = world.turned;
    let mut bytes = match place {
        Some(at) => world.saved(|to: &mut StateWriter<'_>| world.stations[at].stage.save(to)),
        None => world.saved(|to: &mut StateWriter<'_>| world.venue.save(None, to)),
    };
    blows.iter().for_each(|blow| strike(&mut bytes, *blow));
    if let Some(at) = place {
        let part = &world.stations[at].part;
        let (mut stage, mut again) = (build(part, turned), build(part, turned));
        if load(world, &bytes, |from| stage.load(from)).is_err() {
            return false;
        }
        let saved = world.saved(|to| stage.save(to));
        load(world, &saved, |from| again.load(from)).unwrap_or_else(|e| panic!("{name} refuses what it saved: {e}"));
        world.stations[at].stage = stage;
        // What was damaged may be where it acts next: it acts at the first pulse, whoever asked for that.
        world.stations[at].asked = true;
    } else {
        let (mut venue, mut again) = (build_venue(turned), build_venue(turned));
        if load(world, &bytes, |from| venue.load(from)).is_err() {
            return false;
        }
        let saved = world.saved(|to| venue.save(None, to));
        load(world, &saved, |from| again.load(from)).unwrap_or_else(|e| panic!("{name} refuses what it saved: {e}"));
        world.venue = venue;
    }
    true
}

/// How often each was loaded, and refused.
type Counts = BTreeMap<&'static str, [u32; 2]>;

fn played(turned: u8, bytes: &[u8], whose: usize, blows: &[Blow], counts: &mut Counts) {
    let mut world = opened(turned);
    let steps = bytes.as_chunks::<16>().0;
    let (before, after) = steps.split_at(steps.len() / 2);
    before.iter().for_each(|step| world.step(Step::of(step)));
    world.damaged = true;
    let loads = damaged(&mut world, DAMAGED[whose], blows);
    counts.entry(DAMAGED[whose]).or_default()[usize::from(!loads)] += 1;
    after.iter().for_each(|step| world.step(Step::of(step)));
    world.until(Ns(i64::MAX as u64));
}

#[test]
fn a_damaged_state_is_refused_or_works() {
    let counts = RefCell::new(Counts::new());
    let bytes = prop::collection::vec(any::<u8>(), 16 * 20..16 * 160);
    let blows = prop::collection::vec(any::<Blow>(), 1..4);
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(8_000);
    proptest!(ProptestConfig::with_cases(cases), |(
        turned in any::<u8>(), bytes in bytes, whose in 0..DAMAGED.len(), blows in blows
    )| {
        played(turned, &bytes, whose, &blows, &mut counts.borrow_mut());
    });
    let counts = counts.into_inner();
    let both = |name: &&str| counts.get(name).is_some_and(|[loaded, refused]| *loaded > 5 && *refused > 5);
    assert!(DAMAGED.iter().all(both), "{counts:?}");
}
