//! What outlives a journal: a stage that is told what another one had learned goes on as that one would have.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::measures_trades::{opening, trades};
use flow::records::{Bar, BarFlow, Memory};
use flow::{Event, Flags, Kind, Lasting, Ns, Px, Qty, Stage};
use proptest::prelude::*;
use stages::Space;
use stages::measures::cvd::Cvd;
use stages::measures::vpin::Vpin as VpinMeasure;
use stages::measures::{Family, Host, MEASURES, Many, One};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
/// The position of a stage in these tests.
const POSITION: u8 = 1;

type Alone = Host<One<VpinMeasure>>;

fn vpin(set: &[(&str, &str)]) -> Pipeline<Alone> {
    listed(Host::alone(&harness::params("vpin", set), SPACE).unwrap())
}

fn listed<S: Stage>(stage: S) -> Pipeline<S> {
    let mut pipeline = Pipeline::new(stage);
    opening().0.iter().for_each(|event| assert!(pipeline.feed(event).is_empty()));
    pipeline
}

/// What a stage says that lasts, as the inputs of the next journal.
pub(crate) fn memory(stage: &impl Stage) -> Vec<Event> {
    let mut lasting = Lasting::new(Ns(7));
    lasting.begin_stage(POSITION);
    stage.remember(&mut lasting);
    let event = |(instrument, row): (u32, Memory)| Event::new(Ns(0), instrument, Flags::SNAPSHOT, &row);
    lasting.into_rows().into_iter().map(event).collect()
}

pub(crate) fn told<S: Stage>(mut pipeline: Pipeline<S>, memory: &[Event]) -> Pipeline<S> {
    memory.iter().for_each(|event| assert!(pipeline.feed(event).is_empty()));
    pipeline
}

/// Bars with moves and volumes, each as its two events.
fn bars() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((1..5_u32, -4..5_i64, 0..40_u64), 1..120).prop_map(|steps| {
        let (mut close, mut start_s) = (1_000, 1_768_300_200);
        let bar = |(instrument, by, volume): (u32, i64, u64)| {
            (close, start_s) = (close + by, start_s + 5);
            let bar = Bar { close: Px(close * 10_000_000), start_s, interval_s: 60, ..Default::default() };
            let flow = BarFlow { volume: Qty(volume), interval_s: 60, ..Default::default() };
            let ts = Ns(u64::from(start_s) * Ns::SECOND);
            [Event::new(ts, instrument, Flags::NONE, &bar), Event::new(ts, instrument, Flags::LAST_OF_GROUP, &flow)]
        };
        steps.into_iter().flat_map(bar).collect()
    })
}

/// Cuts the stream in two journals, and compares with one.
fn goes_on<S: Stage>(events: &[Event], at: usize, new: impl Fn() -> Pipeline<S>) {
    let (before, after) = events.split_at(at);
    let mut whole = new();
    for event in before {
        whole.feed(event);
    }
    let mut next = told(new(), &memory(&whole.stage));
    assert_eq!(memory(&next.stage), memory(&whole.stage), "what lasts is taken back whole");
    for event in after {
        assert_eq!(next.feed(event), whole.feed(event));
    }
    assert_eq!(memory(&next.stage), memory(&whole.stage));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn vpin_by_aggressor_goes_on(trades in trades(), at in 0..200_usize, window in 1..8_u32) {
        let at = at % trades.len();
        goes_on(&trades, at, || vpin(&[("bucket_qty", "17"), ("window", &window.to_string())]));
    }

    #[test]
    fn cvd_goes_on_in_its_session(trades in trades(), at in 0..200_usize) {
        let at = at % trades.len();
        goes_on(&trades, at, || listed(Host::<One<Cvd>>::alone(&harness::params("cvd", &[]), SPACE).unwrap()));
    }

    #[test]
    fn vpin_by_bars_goes_on(bars in bars(), at in 0..120_usize, window in 1..8_u32, sigma in 2..9_u32) {
        // Both events of a bar are of one input.
        let at = at % (bars.len() / 2) * 2;
        let (window, sigma) = (window.to_string(), sigma.to_string());
        let set = [("mode", "bulk"), ("bucket_qty", "23"), ("window", &*window), ("sigma_bars", &*sigma)];
        goes_on(&bars, at, || vpin(&set));
    }

    #[test]
    fn other_parameters_leave_it_out(trades in trades()) {
        let mut first = vpin(&[("bucket_qty", "17"), ("window", "3")]);
        trades.iter().for_each(|event| drop(first.feed(event)));
        for other in [&[("bucket_qty", "18"), ("window", "3")], &[("bucket_qty", "17"), ("window", "4")]] {
            let next = told(vpin(other), &memory(&first.stage));
            prop_assert_eq!(memory(&next.stage), memory(&vpin(other).stage));
        }
    }

    /// Nothing that stands in a file makes a stage panic.
    #[test]
    fn any_row_is_survived(rows in prop::collection::vec(any::<(u16, u16, u32, u32, [i64; 3])>(), 1..60)) {
        let mut stage = vpin(&[("mode", "bulk"), ("bucket_qty", "5"), ("window", "3"), ("sigma_bars", "4")]);
        for (owner, key, index, instrument, [first, second, third]) in rows {
            let (owner, key, index) = (owner % 3 * 256 + 1, key % 8, index % 4);
            let row = Memory { owner, key, index, first, second, third, as_of: Ns(1) };
            stage.feed(&Event::new(Ns(1), instrument % 6, Flags::SNAPSHOT, &row));
        }
        for event in [(1, 3), (2, 40), (1, 9)].into_iter().flat_map(|(instrument, volume)| {
            let bar = Bar { close: Px(7), start_s: 60, interval_s: 60, ..Default::default() };
            let flow = BarFlow { volume: Qty(volume), interval_s: 60, ..Default::default() };
            [Event::new(Ns(9), instrument, Flags::NONE, &bar), Event::new(Ns(9), instrument, Flags::NONE, &flow)]
        }) {
            stage.feed(&event);
        }
    }
}

/// In a family of several, each gets its own.
#[test]
fn members_of_a_family_are_told_apart() {
    let entry = MEASURES.iter().find(|entry| entry.name == "vpin").unwrap();
    assert_eq!(entry.family, Family::Toxicity);
    let new = || {
        let of = |qty: &str| (entry.build.among)(&harness::params("vpin", &[("bucket_qty", qty)]), 0, SPACE).unwrap();
        listed(Host::new(Many::new(vec![of("5"), of("9")]), SPACE))
    };
    let mut first = new();
    let trade = |qty| crate::measures_trades::trade(1, flow::Side::Buy, qty);
    [3, 4].into_iter().for_each(|qty| drop(first.feed(&trade(qty))));
    let rows = memory(&first.stage);
    let flows: Vec<_> = rows.iter().map(Event::record::<Memory>).filter(|row| row.key == 1).collect();
    assert_eq!(flows.iter().map(|row| (row.owner, row.first)).collect::<Vec<_>>(), [(1, 2), (257, 7)]);
    assert_eq!(memory(&told(new(), &rows).stage), rows);
    assert!(first.stage.reads().has(Kind::Memory));
}
