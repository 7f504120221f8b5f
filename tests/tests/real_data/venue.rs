//! The simulated venue on the sample of AAPL: an order of ours at the touch is filled exactly when the shares ahead of it
//! are gone.
//!
//! What is ahead, and when it is gone, is found out here from the raw messages alone, byte by byte, in a map of orders
//! and a list of those ahead. The venue gets the inputs of the feed.

use feeds::itch::ItchDecoder;
use flow::records::{Fill, Route};
use flow::{Action, Approved, Event, EventId, Flags, Ns, OrderType, Params, Px, Qty, Side, Tif};
use stages::Space;
use stages::exchange_sim::{PARAMS, Replies, SimulatedVenue, book_params};
use std::collections::BTreeMap;
use std::path::Path;
use tidegate_tests::Case;

const SAMPLE: &str = "nasdaq_itch/locate-13-10k.bin";
/// The locate of AAPL.
const AAPL: u32 = 13;
/// What our order wants.
const WANTED: u64 = 150;

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("venue::filled_when_the_shares_ahead_are_gone", &[SAMPLE], |p| filled(&p[0])),
        Case::new("venue::the_worked_queue", &[SAMPLE], |p| worked(&p[0])),
    ]
}

/// A message about orders; prices in 1/10,000.
#[derive(Clone, Copy, Debug)]
enum Raw {
    Add { id: u64, bid: bool, px: i64, qty: u64 },
    Less { id: u64, qty: u64, executed: bool },
    Replace { id: u64, new: u64, px: i64, qty: u64 },
    Hidden { px: i64, qty: u64 },
    Other,
}

fn raw(bytes: &[u8]) -> Vec<Raw> {
    let mut messages = Vec::new();
    let mut rest = bytes;
    while rest.len() > 2 {
        let len = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
        messages.push(message(&rest[2..2 + len]));
        rest = &rest[2 + len..];
    }
    messages
}

fn message(m: &[u8]) -> Raw {
    let number = |at: usize, len: usize| m[at..at + len].iter().fold(0_u64, |n, b| n << 8 | u64::from(*b));
    match m[0] {
        b'A' | b'F' => Raw::Add { id: number(11, 8), bid: m[19] == b'B', px: number(32, 4) as i64, qty: number(20, 4) },
        b'E' => Raw::Less { id: number(11, 8), qty: number(19, 4), executed: true },
        b'X' => Raw::Less { id: number(11, 8), qty: number(19, 4), executed: false },
        b'D' => Raw::Less { id: number(11, 8), qty: u64::MAX, executed: false },
        b'U' => Raw::Replace { id: number(11, 8), new: number(19, 8), px: number(31, 4) as i64, qty: number(27, 4) },
        b'P' => Raw::Hidden { px: number(32, 4) as i64, qty: number(20, 4) },
        _ => Raw::Other,
    }
}

/// The orders that live: side, price, what is left. References rise with time, so their order is that of the queues.
type Live = BTreeMap<u64, (bool, i64, u64)>;

/// Applies a message; the order that it was about as it was before, and what it lost.
fn apply(live: &mut Live, message: Raw) -> Option<(u64, (bool, i64, u64), u64)> {
    match message {
        Raw::Add { id, bid, px, qty } => {
            assert!(live.last_key_value().is_none_or(|(last, _)| *last < id), "references rise");
            live.insert(id, (bid, px, qty));
            None
        }
        Raw::Less { id, qty, .. } => {
            let was = live[&id];
            let qty = qty.min(was.2);
            live.get_mut(&id).expect("looked at just now").2 -= qty;
            if qty == was.2 {
                live.remove(&id);
            }
            Some((id, was, qty))
        }
        Raw::Replace { id, new, px, qty } => {
            let was = live.remove(&id).expect("a known order");
            live.insert(new, (was.0, px, qty));
            Some((id, was, was.2))
        }
        Raw::Hidden { .. } | Raw::Other => None,
    }
}

fn touch(live: &Live, bid: bool) -> Option<i64> {
    let prices = live.values().filter(|o| o.0 == bid).map(|o| o.1);
    if bid { prices.max() } else { prices.min() }
}

/// What an order of ours that rests from message `from` on should live through.
#[derive(Debug, Default)]
struct Story {
    bid: bool,
    px: i64,
    /// References and shares ahead at the start.
    ahead: Vec<(u64, u64)>,
    /// Message, shares that were ahead and left: number of the message, reference, shares, whether executed.
    gone: Vec<(usize, u64, u64, bool)>,
    /// Shares ahead after the last message that was looked at.
    left: u64,
    /// Message and shares of each fill.
    fills: Vec<(usize, u64)>,
}

/// Finds it out from the raw messages.
fn story(messages: &[Raw], from: usize, bid: bool) -> Option<Story> {
    let mut live = Live::new();
    for message in &messages[..from] {
        apply(&mut live, *message);
    }
    let px = touch(&live, bid)?;
    let queue = live.iter().filter(|(_, o)| (o.0, o.1) == (bid, px)).map(|(id, o)| (*id, o.2));
    let mut story = Story { bid, px, ahead: queue.collect(), ..Story::default() };
    let mut ahead: BTreeMap<u64, u64> = story.ahead.iter().copied().collect();
    let better = |ours: i64, than: i64| if bid { ours > than } else { ours < than };
    let mut open = WANTED;
    for (number, message) in (from + 1..).zip(&messages[from..]) {
        let clear = ahead.is_empty();
        let struck = apply(&mut live, *message);
        let mut comes = 0;
        if let Some((id, (side, at, _), qty)) = struck {
            let executed = matches!(message, Raw::Less { executed: true, .. });
            if let Some(left) = ahead.get_mut(&id) {
                *left -= qty;
                story.gone.push((number, id, qty, executed));
                ahead.retain(|_, left| *left > 0);
            } else if executed && side == bid && (better(px, at) || (at == px && clear)) {
                comes = qty;
            }
        }
        comes += match *message {
            Raw::Hidden { px: at, qty } if better(px, at) || (at == px && clear) => qty,
            Raw::Add { bid: side, px: at, qty, .. } if side != bid && !better(at, px) => qty,
            Raw::Replace { px: at, qty, .. } if struck?.1.0 != bid && !better(at, px) => qty,
            _ => 0,
        };
        let fill = comes.min(open);
        open -= fill;
        if fill > 0 {
            story.fills.push((number, fill));
        }
        if open == 0 {
            break;
        }
    }
    story.left = ahead.values().sum();
    Some(story)
}

/// What the simulated venue makes of the same order.
struct Simulated {
    ahead: u64,
    fills: Vec<(usize, u64)>,
    left: Option<u64>,
}

/// The inputs of the feed by number of the message.
fn inputs(bytes: &[u8]) -> Vec<(Event, usize)> {
    let mut all = Vec::new();
    let mut decoder = ItchDecoder::new(None);
    feeds::drive::run(&mut decoder, &[bytes], 1 << 16, 4_096, |event, record| all.push((*event, record as usize)))
        .expect("the sample decodes");
    all
}

fn simulated(inputs: &[(Event, usize)], from: usize, story: &Story) -> Simulated {
    let mut params = Params::defaults(PARAMS);
    for (name, text) in [("max_orders", "8192"), ("max_levels", "1024"), ("max_books", "16"), ("max_own_orders", "16")]
    {
        let param = PARAMS.iter().find(|p| p.name == name).expect("a parameter");
        params.set(param, param.parse(name, text).expect("in its range"));
    }
    let book = book_params(&params, &Params::defaults(stages::book::PARAMS));
    let mut venue =
        SimulatedVenue::new(&params, &book, Space { instruments: 16, fills: 64, positions: 64 }).expect("it builds");
    let mut replies = Replies::new();
    let mut simulated = Simulated { ahead: 0, fills: Vec::new(), left: None };
    let mut waiting = true;
    for (seq, (event, record)) in (1..).zip(inputs) {
        if waiting && *record > from {
            waiting = false;
            let side = if story.bid { Side::Buy } else { Side::Sell };
            let route = Route {
                order_id: 1,
                px: Px::from_scaled(story.px, 4),
                qty: Qty(WANTED),
                action: Action::New.code(),
                order_type: OrderType::Limit.code(),
                tif: Tif::GoodTillCancelled.code(),
                ..Route::default()
            };
            let route = Event::new(event.ts, AAPL, Flags::side_only(side), &route);
            venue.on_route(event.ts, &Approved::grant(route), None, &mut replies);
            assert_eq!(replies.len(), 1, "acknowledged and not marketable");
            simulated.ahead = venue.queue_position(1).expect("it rests").ahead;
            replies.clear();
        }
        venue.on_market(
            &Event { id: EventId::new(seq, 0, 0), ts: Ns(event.ts.0), source: 1, ..*event },
            None,
            &mut replies,
        );
        for (_, fill) in replies.iter() {
            if let Some(fill) = fill.get::<Fill>() {
                assert_eq!(fill.px, Px::from_scaled(story.px, 4), "at our price");
                simulated.fills.push((*record, fill.qty.0));
            }
        }
        replies.clear();
    }
    simulated.left = venue.queue_position(1).map(|s| s.ahead);
    simulated
}

fn filled(file: &Path) {
    let bytes = std::fs::read(file).expect("the sample can be read");
    let (messages, inputs) = (raw(&bytes), inputs(&bytes));
    assert_eq!(messages.len(), 10_000);
    let (mut whole, mut queued, mut by_queue) = (0, 0, 0);
    for (n, from) in (400..9_800).step_by(157).enumerate() {
        let Some(story) = story(&messages, from, n % 2 == 0) else { continue };
        let simulated = simulated(&inputs, from, &story);
        let ahead: u64 = story.ahead.iter().map(|a| a.1).sum();
        assert_eq!(simulated.ahead, ahead, "shares ahead after message {from}");
        assert_eq!(simulated.fills, story.fills, "after message {from}: {story:?}");
        let all = story.fills.iter().map(|f| f.1).sum::<u64>() == WANTED;
        assert_eq!(simulated.left, (!all).then_some(story.left), "after message {from}");
        whole += u32::from(all);
        queued += u32::from(ahead > 0);
        by_queue += u32::from(all && story.gone.iter().any(|g| g.3));
    }
    assert!(whole >= 30 && queued >= 30 && by_queue >= 5, "{whole} whole, {queued} queued, {by_queue} by executions");
}

/// The case on the page of the venue.
fn worked(file: &Path) {
    let bytes = std::fs::read(file).expect("the sample can be read");
    let (messages, inputs) = (raw(&bytes), inputs(&bytes));
    let story = story(&messages, 1_306, false).expect("there is an ask");
    assert_eq!(story.px, 3_217_000);
    assert_eq!(story.ahead, [(253_049, 50), (402_721, 100), (403_761, 30)]);
    let gone = [
        (1_307, 253_049, 24, true),
        (1_308, 403_761, 30, false),
        (1_316, 253_049, 26, true),
        (1_317, 402_721, 5, true),
        (1_333, 402_721, 10, true),
        (1_354, 402_721, 85, true),
    ];
    assert_eq!(story.gone, gone);
    let simulated = simulated(&inputs, 1_306, &story);
    assert_eq!((simulated.ahead, simulated.fills, simulated.left), (180, vec![(1_355, 100), (1_368, 50)], None));
}
