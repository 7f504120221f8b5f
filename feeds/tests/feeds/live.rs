//! Live sources that a thread supplies: what the sender adds to the messages, and how the source ends.

use feeds::live::{Handed, RingSender, RingSource, SLOTS};
use flow::records::{Anomaly, Cursor, Gap, Trade};
use flow::{AnomalyKind, Event, FeedError, Flags, Inputs, Ns, Polled, Resumed, Resumption, Selection, Source, Symbols};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};

/// A message of one input.
fn message() -> [Event; 1] {
    [Event::new(Ns(0), 1, Flags::LAST_OF_GROUP, &Trade { exchange_ts: Ns(3), ..Trade::default() })]
}

/// What an input is: the number of a cursor, the ends of a gap, the count of an anomaly, the arrival of a message.
#[derive(Debug, PartialEq, Eq)]
enum Is {
    Cursor(u64, u64),
    Gap(u64, u64),
    Missing(u64),
    Trade(u64),
    Beside,
}

fn is(event: &Event) -> Is {
    if let Some(cursor) = event.get::<Cursor>() {
        Is::Cursor(cursor.session, cursor.next)
    } else if let Some(gap) = event.get::<Gap>() {
        Is::Gap(gap.expected, gap.received)
    } else if let Some(anomaly) = event.get::<Anomaly>() {
        assert_eq!(anomaly.what, AnomalyKind::SequenceGap as u16);
        Is::Missing(anomaly.detail)
    } else if event.flags.has(Flags::LAST_OF_PACKET) {
        Is::Trade(event.ts.0)
    } else {
        Is::Beside
    }
}

/// All that a source gives, and how it ends.
fn drain(source: &mut RingSource) -> (Vec<Event>, Result<(), FeedError>) {
    let (mut all, mut queue) = (Vec::new(), Inputs::with_capacity(256));
    loop {
        match source.poll(&mut queue) {
            Ok(Polled::Ended) => return (all, Ok(())),
            Err(error) => return (all, Err(error)),
            Ok(Polled::Idle(_) | Polled::Anew) => std::thread::yield_now(),
            Ok(Polled::Ready) => {
                while let Some((event, _)) = queue.front() {
                    all.push(*event);
                    queue.pop();
                }
            }
        }
    }
}

/// What a source gives whose thread does this and ends in order.
fn given(resumed: Option<Resumed>, work: impl FnOnce(&mut RingSender) + Send + 'static) -> Vec<Is> {
    let mut source = RingSource::new("test", 2, |mut sender| {
        work(&mut sender);
        sender.end();
    });
    if let Some(record) = resumed {
        source.resume(&record);
    }
    let (all, end) = drain(&mut source);
    assert!(end.is_ok());
    all.iter().map(is).collect()
}

#[test]
fn a_missing_number_is_a_gap_before_the_next_message_and_a_repeated_one_is_left_out() {
    let all = given(None, |sender| {
        sender.begin(9, None);
        for (sequence, at) in [(5, 10), (6, 11), (8, 12), (8, 13), (7, 14), (9, 15)] {
            let handed = sender.send(sequence, Ns(at), &message());
            assert_eq!(handed == Handed::Before, at == 13 || at == 14);
        }
        assert_eq!(sender.expected(), Some(10));
    });
    let before = [Is::Cursor(9, 5), Is::Trade(10), Is::Trade(11)];
    let after = [Is::Gap(7, 8), Is::Missing(1), Is::Cursor(9, 8), Is::Trade(12), Is::Trade(15)];
    assert_eq!(all, before.into_iter().chain(after).collect::<Vec<_>>());
}

#[test]
fn a_cursor_comes_after_256_messages_or_100_ms_and_not_before() {
    let cursors = |every: u64| {
        let all = given(None, move |sender| {
            sender.begin(1, None);
            (0..1_000).for_each(|n| assert_eq!(sender.send(n, Ns(n * every), &message()), Handed::Over));
        });
        all.iter().filter_map(|one| if let Is::Cursor(_, next) = one { Some(*next) } else { None }).collect::<Vec<_>>()
    };
    assert_eq!(cursors(1), [0, 256, 512, 768]);
    assert_eq!(cursors(1_000_000), [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
}

#[test]
fn a_message_without_inputs_is_no_gap() {
    let all = given(None, |sender| {
        sender.begin(1, None);
        sender.send(1, Ns(1), &message());
        sender.send(2, Ns(2), &[]);
        sender.send(3, Ns(3), &message());
    });
    assert_eq!(all, [Is::Cursor(1, 1), Is::Trade(1), Is::Trade(3)]);
}

#[test]
fn what_a_full_ring_had_no_room_for_is_a_gap() {
    let (is_full, drained) = (mpsc::channel::<u64>(), mpsc::channel::<()>());
    let mut source = RingSource::new("test", 2, move |mut sender| {
        sender.begin(1, None);
        let first_left_out = (1..).find(|n| sender.send(*n, Ns(1), &message()) == Handed::Full).unwrap();
        assert_eq!(sender.send(first_left_out + 1, Ns(1), &message()), Handed::Full);
        is_full.0.send(first_left_out).unwrap();
        drained.1.recv().unwrap();
        assert_eq!(sender.send(first_left_out + 2, Ns(2), &message()), Handed::Over);
        sender.end();
    });
    let mut queue = Inputs::with_capacity(256);
    source.poll(&mut queue).unwrap();
    let left_out = is_full.1.recv().unwrap();
    assert!(left_out as usize > SLOTS - SLOTS / 100);
    let mut before = queue.waiting().len();
    loop {
        let mut queue = Inputs::with_capacity(256);
        match source.poll(&mut queue).unwrap() {
            Polled::Ready => before += queue.waiting().len(),
            _ => break,
        }
    }
    drained.0.send(()).unwrap();
    let (after, end) = drain(&mut source);
    assert!(end.is_ok() && before as u64 >= left_out);
    let after: Vec<_> = after.iter().map(is).collect();
    assert_eq!(after, [Is::Gap(left_out, left_out + 2), Is::Missing(2), Is::Cursor(1, left_out + 2), Is::Trade(2)]);
}

#[test]
fn after_a_restart_numbers_go_on_in_their_session_and_begin_anew_in_another() {
    let cursor = Some(Cursor { session: 4, next: 100, ..Cursor::default() });
    let record = Resumed { inputs: 50, cursor, since: 9, messages_since: 7 };
    let mut source = RingSource::new("test", 2, drop);
    assert_eq!(source.resume(&record), Resumption::Live { expected: Some(107) });
    let from = |session, sequence| {
        given(Some(record), move |sender| {
            sender.begin(session, None);
            sender.send(sequence, Ns(1), &message());
        })
    };
    assert_eq!(from(4, 110), [Is::Gap(107, 110), Is::Missing(3), Is::Cursor(4, 110), Is::Trade(1)]);
    assert_eq!(from(4, 107), [Is::Cursor(4, 107), Is::Trade(1)]);
    assert_eq!(from(4, 106), []);
    assert_eq!(from(5, 1), [Is::Cursor(5, 1), Is::Trade(1)]);
}

#[test]
fn who_joins_late_has_missed_what_was_before_and_what_belongs_to_no_message_moves_no_number() {
    let all = given(None, |sender| {
        assert!(sender.send_beside(Ns(1), &[message(), message()].concat()));
        sender.begin(1, Some(1));
        sender.send(4, Ns(2), &message());
        sender.begin(1, Some(1));
        sender.send(5, Ns(3), &message());
        assert_eq!(sender.expected(), Some(6));
    });
    let cursor = |next| Is::Cursor(1, next);
    assert_eq!(
        all,
        [Is::Beside, Is::Beside, Is::Gap(1, 4), Is::Missing(3), cursor(4), Is::Trade(2), cursor(5), Is::Trade(3)]
    );
}

#[test]
fn a_message_longer_than_the_queue_comes_whole_and_a_result_alone_comes_at_once() {
    let part = Event { flags: Flags::NONE, ..message()[0] };
    let mut source = RingSource::new("test", 2, move |mut sender| {
        sender.begin(1, None);
        sender.send(1, Ns(1), &vec![part; 1_000]);
        sender.send_beside(Ns(2), &[part]);
        while !sender.is_abandoned() {
            std::thread::yield_now();
        }
    });
    let (mut all, mut queue) = (Vec::new(), Inputs::with_capacity(256));
    while all.len() < 1_002 {
        source.poll(&mut queue).unwrap();
        while let Some((event, _)) = queue.front() {
            all.push(*event);
            queue.pop();
        }
    }
    let closes = |e: &&Event| e.flags.has(Flags::LAST_OF_PACKET) || e.flags.has(Flags::LAST_OF_GROUP);
    assert_eq!((all.iter().filter(closes).count(), all.len()), (2, 1_002));
}

#[test]
fn a_lost_connection_is_a_gap_at_once() {
    let all = given(None, |sender| {
        sender.disconnected(Ns(1));
        sender.begin(1, None);
        sender.send(1, Ns(2), &message());
        sender.disconnected(Ns(3));
    });
    let unknown = Gap::UNKNOWN;
    assert_eq!(all, [Is::Gap(unknown, unknown), Is::Cursor(1, 1), Is::Trade(2), Is::Gap(2, unknown)]);
}

#[test]
fn nothing_starts_before_the_first_poll_and_a_thread_that_ends_without_a_word_is_an_error() {
    let started = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&started);
    let mut source = RingSource::new("test", 2, move |mut sender| {
        seen.store(true, Ordering::SeqCst);
        sender.begin(1, None);
        sender.send(1, Ns(1), &message());
    });
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert!(!started.load(Ordering::SeqCst));
    let (all, end) = drain(&mut source);
    assert_eq!((all.len(), end.is_err()), (2, true));
    let mut queue = Inputs::with_capacity(256);
    assert_eq!(source.poll(&mut queue).unwrap(), Polled::Ended);
}

#[test]
fn the_thread_learns_which_symbols_are_watched() {
    let (said, heard) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let mut source = RingSource::new("test", 2, move |sender| {
        while wait.recv().is_ok() {
            said.send(sender.watched()).expect("the test listens");
        }
        sender.end();
    });
    let some = |symbols: &[&str]| Some(symbols.iter().map(|symbol| (*symbol).to_owned()).collect::<Symbols>());
    let watched = |symbols: &[&str]| Selection { symbols: some(symbols), shard: None };
    source.watch(&watched(&["A"]));
    let mut queue = Inputs::with_capacity(256);
    source.poll(&mut queue).expect("the thread starts");
    let asked = || {
        go.send(()).expect("the thread listens");
        heard.recv().expect("the thread answers")
    };
    assert_eq!((asked(), asked()), (Some(some(&["A"])), None), "what was said before it started, once");
    source.watch(&watched(&["B"]));
    source.watch(&Selection::default());
    assert_eq!((asked(), asked()), (Some(None), None), "the last of several");
    drop(go);
}
