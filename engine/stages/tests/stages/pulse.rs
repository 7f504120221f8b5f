//! The stage `pulse`: one after each group, none within one, and none while another source's group is open.

use crate::harness::{self, Pipeline, kinds};
use flow::records::{Fill, Gap, Level, Listing, Pulse, Tick, Trade};
use flow::{Event, Flags, Kind, Listings, Ns, Record};
use stages::pulse::PulseStage;

fn of<R: Record>(source: u8, at_ms: u64, flags: Flags, record: &R) -> Event {
    Event { source, ..Event::new(Ns(at_ms * 1_000_000), 3, flags, record) }
}

const LAST: Flags = Flags::LAST_OF_GROUP;

#[test]
fn it_comes_after_the_last_of_a_group_and_after_each_input_that_is_one() {
    let mut pipeline = Pipeline::new(PulseStage::new());
    let level = Level::default();
    assert!(pipeline.feed(&of(1, 0, Flags::NONE, &level)).is_empty());
    let emitted = pipeline.feed(&of(1, 0, LAST, &level));
    assert_eq!((kinds(&emitted), emitted[0].0.instrument), (vec![Kind::Pulse], 3));
    assert_eq!(emitted[0].0.record::<Pulse>().cause, u16::from(Kind::Level.0));
    for single in [of(253, 1, Flags::NONE, &Tick::default()), of(255, 1, Flags::NONE, &Fill::default())] {
        assert_eq!(kinds(&pipeline.feed(&single)), [Kind::Pulse]);
    }
    assert!(!flow::Stage::reads(&pipeline.stage).has(Listing::KIND), "nobody acts on a listing");
}

#[test]
fn a_group_of_another_source_is_waited_for_but_not_for_ever() {
    let mut pipeline = Pipeline::new(PulseStage::new());
    let (level, trade) = (Level::default(), Trade::default());
    assert!(pipeline.feed(&of(1, 0, Flags::NONE, &level)).is_empty());
    for other in [of(2, 1, LAST, &trade), of(255, 1, Flags::NONE, &Fill::default())] {
        assert!(pipeline.feed(&other).is_empty(), "the book of source 1 is half new");
    }
    // A state that is saved in the middle of a group goes on in the middle of it.
    let bytes = harness::saved(&pipeline.stage, &Listings::default());
    let mut other = Pipeline::new(PulseStage::new());
    harness::load(&mut other.stage, &Listings::default(), &bytes).unwrap();
    for pipeline in [&mut pipeline, &mut other] {
        assert_eq!(kinds(&pipeline.feed(&of(1, 2, LAST, &level))), [Kind::Pulse]);
        assert!(pipeline.feed(&of(1, 3, Flags::NONE, &level)).is_empty());
        assert!(pipeline.feed(&of(2, 1_003, LAST, &trade)).is_empty(), "a second has not passed");
        assert_eq!(kinds(&pipeline.feed(&of(2, 1_004, LAST, &trade))), [Kind::Pulse]);
        // What was given up is a group again when it goes on, and a gap ends it.
        assert!(pipeline.feed(&of(1, 1_005, Flags::NONE, &level)).is_empty());
        assert_eq!(kinds(&pipeline.feed(&of(1, 1_006, LAST, &Gap::default()))), [Kind::Pulse]);
    }
}
