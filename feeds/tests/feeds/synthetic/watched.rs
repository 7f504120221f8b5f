//! A day of which some stocks are watched: what is given of them is what the whole day gives, and the rest is counted.

use super::{bytes_of, config};
use feeds::itch::ItchDecoder;
use flow::records::Name;
use flow::{Decoder, Event, Inputs, Kind, Selection, Step, Symbols, Window};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// An input with its record.
type Placed = (Event, u64);

/// The inputs of a day, cut into pieces of `cut` bytes, how many they are with those that were left out, and the records behind
/// which the choices hold, which are made before these calls of the decoder.
fn decoded(
    bytes: &[u8],
    cut: usize,
    room: usize,
    choices: &BTreeMap<usize, Selection>,
) -> (Vec<Placed>, u64, Vec<u64>) {
    let mut decoder = ItchDecoder::new(chrono::NaiveDate::from_ymd_opt(2026, 1, 5));
    let mut windows = [Window::with_capacity(cut + (512 << 10))];
    let (mut to, mut all, mut left_out, mut calls) = (Inputs::with_capacity(room), Vec::new(), 0, 0);
    let (mut pieces, mut changes) = (bytes.chunks(cut), Vec::new());
    loop {
        if let Some(watched) = choices.get(&calls) {
            decoder.watch(watched);
            changes.push(decoder.records());
        }
        calls += 1;
        let step = decoder.decode(&mut windows, &mut to).expect("a whole day");
        while let Some((event, record)) = to.front() {
            all.push((*event, record));
            to.pop();
        }
        left_out += to.take_left_out();
        match step {
            Step::Ended => {
                let inputs = all.len() as u64 + left_out;
                return (all, inputs, changes);
            }
            Step::Full => {}
            Step::Starved => match pieces.next() {
                Some(piece) => windows[0].append(piece),
                None => windows[0].end(),
            },
        }
    }
}

/// The symbol of each locate.
fn symbols(all: &[Placed]) -> BTreeMap<u32, String> {
    let text = |name: &Name| String::from_utf8_lossy(&name.text[..name.len.into()]).into_owned();
    all.iter().filter_map(|(event, _)| Some((event.instrument, text(event.get()?)))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_watched_is_given_as_the_whole_day_gives_it(
        seed in 0..1_000_u64,
        cut in 700..40_000_usize,
        room in prop::sample::select(vec![0_usize, 200, 1_024]),
        chosen in prop::collection::vec((0..60_usize, prop::collection::vec(any::<bool>(), 8)), 1..4),
        part in prop::option::of("[12]/2"),
    ) {
        let bytes = bytes_of(&config(seed, 9_000, 8, 300));
        let (whole, inputs, _) = decoded(&bytes, cut, room, &BTreeMap::new());
        let names = symbols(&whole);
        let shard = part.map(|part| part.parse().expect("a part"));
        let watched = |mask: &Vec<bool>| {
            let of = names.values().zip(mask).filter(|(_, is)| **is).map(|(name, _)| name.clone());
            Selection { symbols: Some(of.collect::<Symbols>()), shard }
        };
        let choices: BTreeMap<usize, Selection> = chosen.iter().map(|(call, mask)| (*call, watched(mask))).collect();
        let (some, counted, changes) = decoded(&bytes, cut, room, &choices);
        prop_assert_eq!(counted, inputs, "what is left out is counted");
        // By the record of an input: which choice it was decoded under.
        let in_force = |record: u64| {
            let at = changes.iter().filter(|first| **first < record).count();
            at.checked_sub(1).map(|at| choices.values().nth(at).expect("made"))
        };
        let is_rare = |event: &Event| !matches!(event.kind, Kind::Add | Kind::Exec | Kind::Cancel | Kind::Delete | Kind::Replace);
        let is_of = |(event, record): &&Placed| {
            is_rare(event) || in_force(*record).is_none_or(|watched| watched.has(&names[&event.instrument]))
        };
        // Of others some are given too, which the engine leaves out: those that are rare, or lie across two pieces.
        prop_assert!(some.iter().filter(is_of).eq(whole.iter().filter(is_of)));
        let others = |all: &[Placed]| all.iter().filter(|placed| !is_of(placed)).count();
        let (given, of_all) = (others(&some), others(&whole));
        prop_assert!(given <= of_all / 8 + 4 * (bytes.len() / cut + 1), "{given} of {of_all} others were given");
    }
}
