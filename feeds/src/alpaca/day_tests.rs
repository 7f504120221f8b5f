//! A day of trading with two hundred lost connections, without a socket and without a clock: time is an argument.
//!
//! The test is Alpaca: it tells a made-up market second by second, to a session that is connected and subscribed, and to nobody
//! otherwise. Every message then either is an input, once and in its place, or was told while nobody listened, which is what the
//! protocol cannot give again; and between the last one before and the first one after stands one `gap`.

use super::fake::{Body, Market, Sent};
use super::handover::Handover;
use super::message::Encoding;
use super::session::Session;
use super::subscription::Channel;
use super::tests::{credentials, symbols};
use super::{INSTRUMENTS, Manner};
use crate::live::RingSource;
use flow::records::{Break, Gap, Quote, Status, Trade};
use flow::{Event, Inputs, Kind, Ns, SigningRule, Source};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::sync::mpsc::channel;

const SYMBOLS: [&str; 3] = ["AAPL", "MSFT", "SPY"];
/// Half past nine to four in New York.
const OPEN: u64 = 1_700_058_600 * Ns::SECOND;
const DAY_MS: u64 = 23_400_000;
const DISCONNECTS: usize = 200;

/// What a message is known by, whichever way it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    kind: Kind,
    exchange_ts: Ns,
}

fn known(sent: &Sent) -> Vec<Known> {
    let known = |kind| Known { kind, exchange_ts: sent.time };
    match sent.body {
        Body::Trade { .. } => vec![known(Kind::Trade)],
        Body::Quote { .. } => vec![known(Kind::Quote)],
        Body::Status { .. } => vec![known(Kind::Status)],
        Body::Cancel { .. } => vec![known(Kind::Break)],
        Body::Correction { .. } => vec![known(Kind::Break), known(Kind::Trade)],
        Body::Bar(_) | Body::UpdatedBar(_) | Body::Luld { .. } => Vec::new(),
    }
}

fn of(event: &Event) -> Option<Known> {
    let exchange_ts = match event.kind {
        Kind::Trade => event.record::<Trade>().exchange_ts,
        Kind::Quote => event.record::<Quote>().exchange_ts,
        Kind::Status => event.record::<Status>().exchange_ts,
        Kind::Break => event.record::<Break>().exchange_ts,
        _ => return None,
    };
    Some(Known { kind: event.kind, exchange_ts })
}

/// The feed between the other side and the pipeline.
struct Day {
    source: RingSource,
    queue: Inputs,
    handover: Handover,
    events: Vec<Event>,
    encoding: Encoding,
}

impl Day {
    fn new(encoding: Encoding) -> Day {
        let (to, from) = channel();
        let mut source = RingSource::new("day", INSTRUMENTS, move |sender| to.send(sender).expect("it is waited for"));
        let mut queue = Inputs::with_capacity(1 << 12);
        source.poll(&mut queue).expect("it starts");
        let manner = Manner {
            venue: super::IEX.venue,
            rule: SigningRule::LeeReady,
            quote_sizes: super::QuoteSizes::RoundLots,
            says_venues: false,
        };
        let handover = Handover::new(manner, from.recv().expect("the thread hands it over"));
        Day { source, queue, handover, events: Vec::new(), encoding }
    }

    /// A connection, from its greeting to its subscription.
    fn connected(&mut self, at: Ns) -> Session {
        let channels = vec![Channel::Trades, Channel::Quotes, Channel::Statuses];
        let mut session = Session::new(self.encoding, channels, credentials(), symbols(&SYMBOLS));
        self.handover.begin(at);
        let lists =
            serde_json::json!([{"T": "subscription", "trades": SYMBOLS, "quotes": SYMBOLS, "statuses": SYMBOLS}]);
        let success = |msg: &str| serde_json::json!([{"T": "success", "msg": msg}]);
        for control in [success("connected"), success("authenticated"), lists] {
            self.told(&mut session, &control, at);
        }
        assert!(session.is_subscribed());
        session
    }

    fn told(&mut self, session: &mut Session, what: &impl serde::Serialize, at: Ns) {
        let frame = match self.encoding {
            Encoding::Json => serde_json::to_vec(what).expect("plain values"),
            Encoding::MessagePack => rmp_serde::to_vec_named(what).expect("plain values"),
        };
        let turn = self.handover.frame(session, (self.encoding, &frame), at).expect("nothing is refused");
        assert!(turn.answer.is_none_or(|answer| answer.is_ok()));
        self.drain();
    }

    fn drain(&mut self) {
        self.source.poll(&mut self.queue).expect("it goes on");
        while let Some((event, _)) = self.queue.front() {
            self.events.push(*event);
            self.queue.pop();
        }
    }
}

/// A day over connections of this encoding.
fn day(encoding: Encoding, seed: u64) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut draw = move |below: u64| random.next_u64() % below;
    // One in each two hundredth of the day, which outlasts it.
    let every = DAY_MS / DISCONNECTS as u64;
    let starts: Vec<u64> = (0..DISCONNECTS as u64).map(|n| n * every + 1_000 + draw(80_000)).collect();
    let (mut day, mut market) = (Day::new(encoding), Market::new(&SYMBOLS, seed));
    let at = |ms: u64| Ns(OPEN + ms * 1_000_000);
    let mut session = Some(day.connected(at(0)));
    let (mut expected, mut lost, mut losses, mut back) = (vec![Vec::new()], 0, 0, 0);
    let mut starts = starts.into_iter().peekable();
    for ms in (0..DAY_MS).step_by(50) {
        if session.is_none() && ms >= back {
            session = Some(day.connected(at(ms)));
        }
        if session.is_some() && starts.next_if(|start| *start <= ms).is_some() {
            session = None;
            losses += 1;
            // From half a second to half a minute, as the pauses between attempts are.
            back = ms + 500 + draw(29_500);
            assert!(day.handover.lost(at(ms)), "there is room");
            day.drain();
            expected.push(Vec::new());
        }
        let told = market.next(at(ms));
        let told: Vec<_> =
            told.into_iter().filter(|sent| ["trades", "quotes", "statuses"].contains(&sent.channel())).collect();
        let of_these = told.iter().flat_map(known);
        match &mut session {
            Some(session) if !told.is_empty() => {
                expected.last_mut().expect("a stretch").extend(of_these);
                day.told(session, &told, at(ms));
            }
            Some(_) => {}
            None => lost += of_these.count(),
        }
    }
    assert_eq!(losses, DISCONNECTS);
    check(&day.events, &expected, losses);
    assert!(lost > losses && lost < expected.iter().map(Vec::len).sum::<usize>(), "{lost} were told to nobody");
}

fn check(events: &[Event], expected: &[Vec<Known>], losses: usize) {
    let mut stretches = vec![Vec::new()];
    for event in events {
        if let Some(gap) = event.get::<Gap>() {
            assert_eq!(
                (event.instrument, gap.received),
                (0, Gap::UNKNOWN),
                "of the whole source; what is missing nobody knows"
            );
            stretches.push(Vec::new());
        }
        stretches.last_mut().expect("a stretch").extend(of(event));
    }
    assert_eq!(stretches.len(), losses + 1, "one gap a loss, and none beside");
    assert!(stretches == *expected, "what was told to a connection came, once, in order, and on its side of the gap");
    assert_eq!(events.iter().filter(|event| event.kind == Kind::Listing).count(), 3, "symbols are listed once");
    assert!(events.iter().all(|event| event.kind != Kind::Anomaly));
}

#[test]
fn of_a_day_with_two_hundred_lost_connections_what_nobody_heard_is_lost_and_gaps_say_so() {
    day(Encoding::MessagePack, 21);
    day(Encoding::Json, 22);
}
