//! Volume profiles: the worked numbers, sessions, broken trades, bounds, bars, and what outlives a journal.

use crate::harness::{self, Emitted, INSTRUMENTS, Pipeline};
use flow::records::{
    Bar, BarFlow, BrokenTrade, Listing, Memory, Profile as ProfileRecord, ProfileArea, ProfileLetters, ProfileNode,
    ProfileRow, Session, Trade,
};
use flow::{
    Calendar, Event, Flags, Kind, Lasting, Ns, ProfileNodeType, ProfileOf, Px, Qty, Record, SessionPhase, Side, Stage,
    VolumeFrom,
};
use proptest::prelude::*;
use stages::Space;
use stages::measures::profile::VolumeProfile;
use stages::measures::{Host, One};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
/// 2026-01-12 09:30 in New York; the date begins at 05:00 UTC.
const OPEN: u64 = 1_768_228_200;
const MIDNIGHT: u64 = 1_768_194_000;
const DAY: u64 = 86_400;
const MINUTE: u64 = 60;
/// A tenth, the tick of the listing.
const TENTH: i64 = Px::ONE / 10;

type Stages = Pipeline<Host<One<VolumeProfile>>>;

fn event<R: Record>(seconds: f64, side: Side, record: &R) -> Event {
    Event::new(Ns((seconds * 1e3) as u64 * 1_000_000), 1, Flags::LAST_OF_GROUP.with_side(side), record)
}

fn pipeline(set: &[(&str, &str)]) -> Stages {
    let mut pipeline = Pipeline::new(Host::alone(&harness::params("profile", set), SPACE).unwrap());
    let listing = Listing { tick_px: Px(TENTH), calendar: *b"XNYS", ..Listing::default() };
    pipeline.feed(&event(0.0, Side::None, &listing));
    pipeline
}

/// The calendar says the hours of a date that is so many days after the first.
fn hours(day: u64, close_s: u64) -> Event {
    let [start, open, close] = [MIDNIGHT, OPEN, OPEN + close_s].map(|at| at + day * DAY);
    let session = Session {
        open_ts: Ns(open * Ns::SECOND),
        close_ts: Ns(close * Ns::SECOND),
        start_s: start as u32,
        end_s: (start + DAY) as u32,
        calendar: Calendar::UsEquities.code(),
        phase: SessionPhase::Pre.code(),
        ..Session::default()
    };
    Event { instrument: 0, ..event(start as f64, Side::None, &session) }
}

fn trade(seconds: f64, tenths: i64, qty: u64, side: Side) -> Event {
    event(seconds, side, &Trade { px: Px(tenths * TENTH), qty: Qty(qty), ..Trade::default() })
}

fn broken(at: f64, of: &Event) -> Event {
    let trade: &Trade = of.record();
    let record = BrokenTrade { trade_ts: of.ts, px: trade.px, qty: trade.qty, ..BrokenTrade::default() };
    event(at, of.side(), &record)
}

fn of<R: Record>(emitted: &[Emitted]) -> Vec<R> {
    emitted.iter().filter_map(|e| e.0.get::<R>().copied()).collect()
}

/// The profile of that sort among these, with its area.
fn profile(emitted: &[Emitted], what: ProfileOf) -> Option<(ProfileRecord, ProfileArea)> {
    let mut both = of::<ProfileRecord>(emitted).into_iter().zip(of::<ProfileArea>(emitted));
    both.rfind(|(first, _)| first.of == what.code())
}

fn tenths(px: Px) -> f64 {
    px.0 as f64 / TENTH as f64
}

const WORKED: [u64; 10] = [5, 10, 40, 60, 100, 50, 20, 80, 30, 5];

/// Feeds the worked rows from 10.0 up in the first minute, and says what the first trade of the second causes.
fn worked(set: &[(&str, &str)]) -> Vec<Emitted> {
    let mut pipeline = pipeline(set);
    pipeline.feed(&hours(0, 23_400));
    for (at, qty) in (0..).zip(WORKED) {
        pipeline.feed(&trade(OPEN as f64 + at as f64, 100 + at, qty, Side::Buy));
    }
    pipeline.feed(&trade((OPEN + MINUTE) as f64, 104, 1, Side::Sell))
}

#[test]
fn the_worked_numbers() {
    let emitted = worked(&[("prominence", "1")]);
    let (first, area) = (of::<ProfileRecord>(&emitted)[0], of::<ProfileArea>(&emitted)[0]);
    let prices = [first.poc, first.val, first.vah, area.val2, area.vah2].map(tenths);
    assert_eq!(prices, [104.0, 102.0, 107.0, 102.0, 108.0]);
    let numbers = (first.volume, first.rows, area.row_px, area.poc_qty, area.left_out, first.sessions);
    assert_eq!(numbers, (Qty(400), 10, Px(TENTH), Qty(100), Qty(0), 0));
    assert_eq!((first.of, first.volume_from), (ProfileOf::Session.code(), VolumeFrom::Trades.code()));
    let nodes = of::<ProfileNode>(&emitted);
    let (high, low) = (ProfileNodeType::High.code(), ProfileNodeType::Low.code());
    let of_session: Vec<_> = nodes.iter().filter(|n| n.of == first.of).map(|n| (tenths(n.px), n.node)).collect();
    assert_eq!(of_session, [(104.0, high), (106.0, low), (107.0, high)]);
    assert_eq!((first.nodes, nodes.len()), (3, 6), "of the last hour too");
    let row = of::<ProfileRow>(&emitted);
    assert_eq!(
        (row[0].px, row[0].volume, row[0].buy_volume, row[0].sell_volume),
        (Px(104 * TENTH), Qty(101), Qty(100), Qty(1))
    );
    let only: Vec<_> = of::<ProfileNode>(&worked(&[])).iter().map(|n| tenths(n.px)).collect();
    assert_eq!(only, [104.0, 104.0], "with a fifth of the maximum");
}

#[test]
fn a_session_is_from_its_open_to_its_close() {
    let mut pipeline = pipeline(&[]);
    pipeline.feed(&hours(0, 12_600));
    let open = OPEN as f64;
    assert!(pipeline.feed(&trade(open - 0.001, 100, 7, Side::Buy)).is_empty());
    assert_eq!(of::<ProfileRow>(&pipeline.feed(&trade(open, 100, 1, Side::Buy))).len(), 1);
    assert_eq!(of::<ProfileRow>(&pipeline.feed(&trade(open + 12_599.999, 100, 2, Side::Buy))).len(), 1);
    let after = pipeline.feed(&trade(open + 12_600.0, 100, 4, Side::Buy));
    assert_eq!(profile(&after, ProfileOf::Session).unwrap().0.volume, Qty(3), "the end of its last minute is told");
    assert_eq!(
        profile(&after, ProfileOf::Rolling).unwrap().0.volume,
        Qty(2),
        "an hour later the first trade is not in it"
    );
    assert!(of::<ProfileRow>(&after).is_empty());
    assert!(pipeline.feed(&trade(open + 12_700.0, 100, 4, Side::Buy)).is_empty());

    pipeline.feed(&hours(1, 23_400));
    let open = open + DAY as f64;
    let next = pipeline.feed(&trade(open, 103, 9, Side::Buy));
    let (previous, composite) =
        (profile(&next, ProfileOf::Previous).unwrap().0, profile(&next, ProfileOf::Composite).unwrap().0);
    assert_eq!((previous.volume, previous.sessions, composite.volume, composite.sessions), (Qty(3), 1, Qty(3), 1));
    assert_eq!(profile(&next, ProfileOf::Session).unwrap().0.volume, Qty(9));
    pipeline.feed(&hours(2, 23_400));
    let third = pipeline.feed(&trade(open + DAY as f64, 104, 5, Side::Buy));
    let composite = profile(&third, ProfileOf::Composite).unwrap();
    assert_eq!((composite.0.volume, composite.0.sessions, composite.0.rows), (Qty(12), 2, 4));
    assert_eq!(profile(&third, ProfileOf::Previous).unwrap().0.volume, Qty(9));
}

#[test]
fn hours_that_are_not_known_are_the_whole_date_and_a_closed_date_has_none() {
    let mut without = pipeline(&[]);
    assert!(!without.feed(&trade(MIDNIGHT as f64, 100, 1, Side::Buy)).is_empty());
    let mut closed = pipeline(&[]);
    let mut said = hours(0, 1);
    let mut session: Session = *said.record();
    (session.open_ts, session.close_ts, session.phase) = (Ns::NONE, Ns::NONE, SessionPhase::Closed.code());
    said = Event { instrument: 0, ..event(MIDNIGHT as f64, Side::None, &session) };
    closed.feed(&said);
    assert!(closed.feed(&trade(OPEN as f64, 100, 1, Side::Buy)).is_empty());
}

#[test]
fn what_finds_no_row_is_told() {
    let mut pipeline = pipeline(&[("max_rows", "16"), ("row_ticks", "1")]);
    pipeline.feed(&hours(0, 23_400));
    pipeline.feed(&trade(OPEN as f64, 100, 5, Side::Buy));
    assert!(pipeline.feed(&trade(OPEN as f64, 116, 7, Side::Buy)).is_empty(), "a seventeenth row");
    let emitted = pipeline.feed(&trade(OPEN as f64, 101, 6, Side::Buy));
    for what in [ProfileOf::Session, ProfileOf::Rolling] {
        let (first, area) = profile(&emitted, what).unwrap();
        assert_eq!((first.volume, first.rows, area.left_out), (Qty(11), 2, Qty(7)));
    }
    let later = trade((OPEN + 60 * MINUTE) as f64, 101, 1, Side::Buy);
    pipeline.feed(&later);
    let emitted = pipeline.feed(&trade((OPEN + 61 * MINUTE) as f64, 101, 1, Side::Buy));
    assert_eq!(profile(&emitted, ProfileOf::Session).unwrap().1.left_out, Qty(7));
    assert_eq!(profile(&emitted, ProfileOf::Rolling).unwrap().1.left_out, Qty(0), "its minute has left");
}

#[test]
fn without_its_last_trade_a_profile_has_no_prices() {
    let mut pipeline = pipeline(&[]);
    pipeline.feed(&hours(0, 23_400));
    let only = trade(OPEN as f64, 100, 5, Side::Sell);
    pipeline.feed(&only);
    let emitted = pipeline.feed(&broken(OPEN as f64 + 1.0, &only));
    let (first, area) = profile(&emitted, ProfileOf::Session).unwrap();
    assert_eq!([first.poc, first.vah, first.val, area.vah2, area.val2], [Px::NONE; 5]);
    assert_eq!((first.volume, first.rows, of::<ProfileRow>(&emitted)[0].volume), (Qty(0), 0, Qty(0)));
    assert!(pipeline.feed(&broken(OPEN as f64 + 2.0, &only)).is_empty(), "there is nothing to take out");
}

#[test]
fn a_bar_is_spread_and_every_row_says_so() {
    let mut pipeline = pipeline(&[("volume_from", "bars-evenly"), ("row_ticks", "1")]);
    pipeline.feed(&hours(0, 23_400));
    let px = |tenths: i64| Px(tenths * TENTH);
    let feed = |pipeline: &mut Stages, minute: u64, interval_s, (low, high): (i64, i64)| {
        let start_s = (OPEN + minute * MINUTE) as u32;
        let bar = Bar { open: px(low), high: px(high), low: px(low), close: px(high), start_s, interval_s };
        let flow = BarFlow { volume: Qty(10), interval_s, ..BarFlow::UNKNOWN };
        let ts = (OPEN + (minute + 1) * MINUTE) as f64;
        assert!(pipeline.feed(&event(ts, Side::None, &bar)).is_empty());
        pipeline.feed_again(&event(ts, Side::None, &flow))
    };
    assert!(feed(&mut pipeline, 0, 5, (100, 103)).is_empty(), "of another length");
    let first = profile(&feed(&mut pipeline, 0, 60, (100, 103)), ProfileOf::Session).unwrap();
    assert_eq!((first.0.volume, first.0.rows, first.1.poc_qty), (Qty(10), 4, Qty(3)));
    assert_eq!(first.0.volume_from, VolumeFrom::BarsEvenly.code());
    let next = profile(&feed(&mut pipeline, 1, 60, (103, 104)), ProfileOf::Session).unwrap();
    assert_eq!((next.0.volume, next.0.rows, tenths(next.0.poc)), (Qty(20), 5, 103.0));
}

#[test]
fn half_hours_have_letters() {
    let mut pipeline = pipeline(&[("letters", "true"), ("row_ticks", "1")]);
    pipeline.feed(&hours(0, 23_400));
    let mut told = |minute: u64, tenths: i64| {
        let emitted = pipeline.feed(&trade((OPEN + minute * MINUTE) as f64, tenths, 1, Side::Buy));
        of::<ProfileLetters>(&emitted).first().map(|l| (l.px.0 / TENTH, l.letters, l.letter, l.count))
    };
    assert_eq!(told(0, 100), Some((100, 1, 0, 1)));
    assert_eq!(told(29, 100), None);
    assert_eq!(told(30, 100), Some((100, 3, 1, 2)));
    assert_eq!(told(389, 101), Some((101, 1 << 12, 12, 1)), "M, the last of a whole day");
}

/// What a stage says that lasts, as the inputs of the next journal.
fn memory(stage: &impl Stage) -> Vec<Event> {
    let mut lasting = Lasting::new(Ns(7));
    lasting.begin_stage(1);
    stage.remember(&mut lasting);
    let row = |(instrument, row): (u32, Memory)| Event::new(Ns(0), instrument, Flags::SNAPSHOT, &row);
    lasting.into_rows().into_iter().map(row).collect()
}

/// Days on which trades fall, seconds until the next, prices, quantities.
fn steps() -> impl Strategy<Value = Vec<(u64, i64, u64, bool)>> {
    let gap = prop_oneof![8 => 0_u64..40, 2 => 0_u64..4_000, 1 => 20_000_u64..90_000];
    prop::collection::vec((gap, 100_i64..140, 1_u64..50, any::<bool>()), 1..80)
}

fn tape(steps: &[(u64, i64, u64, bool)]) -> Vec<Event> {
    let mut at = OPEN;
    let mut days = 0..;
    let mut tape = vec![];
    for (gap, tenths, qty, bought) in steps {
        at += gap;
        while MIDNIGHT + tape_days(&tape) * DAY <= at {
            tape.push(hours(days.next().unwrap(), 23_400));
        }
        tape.push(trade(at as f64, *tenths, *qty, if *bought { Side::Buy } else { Side::Sell }));
    }
    tape
}

fn tape_days(tape: &[Event]) -> u64 {
    tape.iter().filter(|event| event.kind == Kind::Session).count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn a_broken_trade_has_never_been(steps in steps(), which in prop::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let set = [("row_ticks", "2"), ("minutes", "5"), ("sessions", "3")];
        let (mut whole, mut without) = (pipeline(&set), pipeline(&set));
        let tape = tape(&steps);
        let last_day = tape.iter().rposition(|event| event.kind == Kind::Session).unwrap();
        // Of the last session, but for its first trade, which begins it.
        let said: Session = *tape[last_day].record();
        let is_inside = |event: &Event| said.open_ts <= event.ts && event.ts < said.close_ts;
        let inside = (last_day + 1..tape.len()).filter(|at| is_inside(&tape[*at]));
        let candidates: Vec<usize> = inside.skip(1).collect();
        let mut broken_once: Vec<usize> =
            which.iter().filter(|_| !candidates.is_empty()).map(|at| candidates[at.index(candidates.len())]).collect();
        broken_once.sort_unstable();
        broken_once.dedup();
        tape.iter().for_each(|event| drop(whole.feed(event)));
        let end = tape.last().unwrap().ts.0 as f64 / 1e9;
        for at in &broken_once {
            whole.feed(&broken(end, &tape[*at]));
        }
        for (at, event) in tape.iter().enumerate() {
            // Time passes all the same: what is left out there is a trade without a price.
            let event = if broken_once.contains(&at) { Event { flags: event.flags.with(Flags::VOLUME_ONLY), ..*event } } else { *event };
            without.feed(&event);
        }
        prop_assert_eq!(memory(&whole.stage), memory(&without.stage));
        let next = trade(end + 60.0, 120, 5, Side::Buy);
        let [mut left, mut right] = [whole.feed(&next), without.feed(&next)];
        // Which prices were told last differs by what was told of the broken trades, and of minutes the last one is what differs.
        let rows = |emitted: &mut Vec<Emitted>| { emitted.retain(|e| e.0.kind == Kind::ProfileRow); };
        [&mut left, &mut right].into_iter().for_each(rows);
        prop_assert_eq!(left, right);
        let later = trade(end + 120.0, 120, 5, Side::Buy);
        let [left, right] = [whole.feed(&later), without.feed(&later)];
        prop_assert_eq!(left, right);
    }

    #[test]
    fn sessions_outlive_a_journal(steps in steps(), at in any::<prop::sample::Index>()) {
        let set = [("minutes", "5"), ("sessions", "3"), ("letters", "true")];
        let tape = tape(&steps);
        let at = at.index(tape.len());
        let mut whole = pipeline(&set);
        tape[..at].iter().for_each(|event| drop(whole.feed(event)));
        let mut next = pipeline(&set);
        memory(&whole.stage).iter().for_each(|row| assert!(next.feed(row).is_empty()));
        prop_assert_eq!(memory(&next.stage), memory(&whole.stage));
        // The calendar says the date again.
        let said = tape[..at].iter().rfind(|event| event.kind == Kind::Session);
        said.iter().for_each(|session| drop(next.feed(session)));
        for event in &tape[at..] {
            let [left, right] = [&mut whole, &mut next].map(|pipeline| {
                let mut emitted = pipeline.feed(event);
                let lasting = [ProfileOf::Previous.code(), ProfileOf::Composite.code()];
                emitted.retain(|e| [Kind::ProfileRow, Kind::ProfileLetters].contains(&e.0.kind)
                    || e.0.get::<ProfileRecord>().is_some_and(|p| lasting.contains(&p.of)));
                emitted
            });
            prop_assert_eq!(left, right);
        }
        prop_assert_eq!(memory(&next.stage), memory(&whole.stage));
    }

    /// Nothing that stands in a file makes a stage panic.
    #[test]
    fn any_row_is_survived(rows in prop::collection::vec(any::<(u16, u32, u32, [i64; 3])>(), 1..60), steps in steps()) {
        let mut stage = pipeline(&[("sessions", "2"), ("max_rows", "16"), ("max_blocks", "16")]);
        for (key, index, instrument, [first, second, third]) in rows {
            let (key, index) = (key % 6, (index % 4) << 16 | index >> 30);
            let row = Memory { owner: 1, key, index, first, second, third, as_of: Ns(1) };
            stage.feed(&Event::new(Ns(1), instrument % 3, Flags::SNAPSHOT, &row));
        }
        tape(&steps).iter().for_each(|event| drop(stage.feed(event)));
    }
}
