//! The feed of Alpaca against a server that speaks as Alpaca does: over a socket, in both encodings, with everything going wrong.

use feeds::alpaca::FEED;
use feeds::alpaca::fake::{Fake, Faults, Market, Settings};
use feeds::{FEEDS, Input, Request};
use flow::records::{Gap, Trade};
use flow::{Event, Inputs, Kind, Ns, Params, Selection, Source};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A feed with its secrets, and what it has brought.
pub(crate) struct Client {
    source: Box<dyn Source>,
    inputs: Inputs,
    events: Vec<Event>,
    pub(crate) said: Vec<String>,
    _secrets: tempfile::TempDir,
}

impl Client {
    pub(crate) fn new(fake: &Fake, secret: &str, settings: &[(&str, &str)]) -> Client {
        let secrets = tempfile::tempdir().expect("a folder");
        let mut params = Params::defaults(FEED.params);
        let mut set = |name: &str, value: &str| {
            let param = FEED.params.iter().find(|param| param.name == name).expect("a parameter");
            params.set(param, param.parse(name, value).expect("a value"));
        };
        for (name, value) in [("key", "fake-key"), ("secret", secret)] {
            let path = secrets.path().join(name);
            std::fs::write(&path, value).expect("the folder is writable");
            set(name, &format!("file:{}", path.display()));
        }
        set("address", &format!("ws://{}", fake.address()));
        settings.iter().for_each(|(name, value)| set(name, value));
        let request = Request { paths: Vec::new(), date: None, params };
        let Ok(Input::Live(source)) = FEED.input(&request, FEEDS) else { panic!("a live source") };
        Client {
            source,
            inputs: Inputs::with_capacity(1 << 12),
            events: Vec::new(),
            said: Vec::new(),
            _secrets: secrets,
        }
    }

    pub(crate) fn watch(&mut self, symbols: &[&str]) {
        let symbols = Some(symbols.iter().map(|symbol| (*symbol).to_owned()).collect());
        self.source.watch(&Selection { symbols, shard: None });
    }

    fn poll(&mut self) {
        self.source.poll(&mut self.inputs).expect("a live source does not fail");
        let notices = self.source.notices().expect("it says how it stands");
        self.said.extend(std::iter::from_fn(|| notices.take()));
        while let Some((event, _)) = self.inputs.front() {
            self.events.push(*event);
            self.inputs.pop();
        }
    }

    /// Until this holds, or it hangs.
    pub(crate) fn until(&mut self, mut holds: impl FnMut(&Client) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < Duration::from_secs(60), "it hangs: {:?}", self.said);
            self.poll();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.events.iter().filter(|event| event.kind == kind).count()
    }
}

fn authenticated(fake: &Fake) -> u64 {
    fake.tally().authenticated.load(Ordering::Acquire)
}

/// Publishes so many turns of a market; how many messages that were.
pub(crate) fn publish(fake: &Fake, market: &mut Market, turns: usize) -> u64 {
    let turn = |_| {
        let messages = market.next(feeds::live::arrival());
        let count = messages.len() as u64;
        fake.publish(messages);
        count
    };
    (0..turns).map(turn).sum()
}

pub(crate) const SYMBOLS: [&str; 3] = ["AAPL", "MSFT", "SPY"];

#[test]
fn what_is_told_arrives_in_order_and_once_in_both_encodings() {
    for encoding in ["msgpack", "json"] {
        let fake = Fake::start(0, Settings::default()).expect("a port");
        let mut market = Market::new(&SYMBOLS, 7);
        let mut client = Client::new(&fake, "fake-secret", &[("encoding", encoding)]);
        client.watch(&SYMBOLS);
        client.until(|c| c.said.iter().any(|said| said.contains("subscribed to trades (3)")));
        let published = publish(&fake, &mut market, 5_000);
        client.until(|c| c.source.counts()[0].count >= published);
        assert_eq!(fake.tally().messages.load(Ordering::Acquire), published);
        assert!(client.count(Kind::Break) > 0 && client.count(Kind::Status) > 0);
        assert_eq!((client.count(Kind::Listing), client.count(Kind::Gap)), (3, 0), "{encoding}");
        let ids = client.events.iter().filter(|e| e.kind == Kind::Trade);
        let ids: Vec<_> = ids.map(|e| (e.instrument, e.record::<Trade>().match_id)).collect();
        for instrument in 1..=3 {
            let own: Vec<_> = ids.iter().filter(|id| id.0 == instrument).map(|id| id.1).collect();
            assert!(own.windows(2).all(|pair| pair[0] < pair[1]), "{encoding} {instrument}: {own:?}");
            assert!(own.len() > 100, "{encoding} {instrument}: {} trades", own.len());
        }
    }
}

#[test]
fn a_wrong_secret_is_said_and_not_shown() {
    let fake = Fake::start(0, Settings::default()).expect("a port");
    let mut client = Client::new(&fake, "canary-7", &[]);
    client.watch(&SYMBOLS);
    client.until(|c| !c.said.is_empty());
    let said = client.said.remove(0);
    assert!(said.contains("402, auth failed") && said.contains("`secret`") && !said.contains("canary"), "{said}");
    assert_eq!(client.count(Kind::Gap), 0, "nothing had begun");
}

#[test]
fn a_plan_that_is_too_small_is_said_with_its_figures() {
    let fake = Fake::start(0, Settings { symbols: 5, ..Settings::default() }).expect("a port");
    let mut client = Client::new(&fake, "fake-secret", &[]);
    client.watch(&SYMBOLS);
    let figures = "3 symbols with trades and quotes are 6";
    client.until(|c| c.said.iter().any(|said| said.contains("405") && said.contains(figures)));
}

#[test]
fn symbols_are_asked_for_as_they_are_watched() {
    let fake = Fake::start(0, Settings::default()).expect("a port");
    let mut market = Market::new(&SYMBOLS, 8);
    let mut client = Client::new(&fake, "fake-secret", &[]);
    client.watch(&["AAPL"]);
    client.until(|c| c.said.iter().any(|said| said.contains("trades (AAPL)")));
    publish(&fake, &mut market, 500);
    client.until(|c| c.count(Kind::Trade) > 20);
    assert_eq!(client.count(Kind::Listing), 1);
    client.watch(&["AAPL", "SPY"]);
    client.until(|c| c.said.iter().any(|said| said.contains("trades (2)")));
    client.until(|c| c.count(Kind::Listing) == 2);
    publish(&fake, &mut market, 500);
    client.until(|c| c.events.iter().any(|e| e.kind == Kind::Trade && e.instrument == 2));
}

#[test]
fn a_symbol_is_listed_once_there_is_room_for_it() {
    let fake = Fake::start(0, Settings::default()).expect("a port");
    let mut market = Market::new(&["AAPL"], 10);
    let mut client = Client::new(&fake, "fake-secret", &[]);
    client.watch(&["AAPL"]);
    client.until(|c| c.said.iter().any(|said| said.contains("trades (AAPL)")));
    // More than the ring has room for, while nobody takes anything.
    for _ in 0..80 {
        fake.publish((0..1_000).flat_map(|_| market.next(feeds::live::arrival())).collect());
    }
    let began = Instant::now();
    while fake.tally().messages.load(Ordering::Acquire) < 75_000 {
        assert!(began.elapsed() < Duration::from_secs(60), "it hangs");
        std::thread::sleep(Duration::from_millis(5));
    }
    // A message leaves room for three inputs, and a listing is two.
    client.watch(&["AAPL", "MSFT", "QQQ", "SPY"]);
    std::thread::sleep(Duration::from_millis(300));
    client.until(|c| c.count(Kind::Listing) == 4);
    publish(&fake, &mut Market::new(&["MSFT", "QQQ", "SPY"], 11), 500);
    client.until(|c| (2..5).all(|own| c.events.iter().any(|e| e.kind == Kind::Trade && e.instrument == own)));
    assert!(client.count(Kind::Gap) > 0, "what had no room is a gap");
}

/// What the faults do to a frame; each loses a connection, or nothing that the feed could know of.
fn chaos(seed: u64) -> Settings {
    let faults = Faults {
        seed,
        drop: 200,
        duplicate: 150,
        reorder: 150,
        hang_up: 400,
        half: 500,
        garbage: 300,
        refuse: 6,
        silence: 0,
    };
    Settings { faults, ..Settings::default() }
}

#[test]
fn whatever_goes_wrong_it_comes_back_and_every_loss_of_a_connection_is_a_gap() {
    let fake = Fake::start(0, chaos(3)).expect("a port");
    let mut market = Market::new(&SYMBOLS, 9);
    let mut client = Client::new(&fake, "fake-secret", &[]);
    client.watch(&SYMBOLS);
    let began = Instant::now();
    while fake.tally().ended.load(Ordering::Acquire) < 4 {
        assert!(began.elapsed() < Duration::from_secs(120), "{:?}", client.said);
        publish(&fake, &mut market, 5);
        client.poll();
        std::thread::sleep(Duration::from_millis(1));
    }
    let ended = fake.tally().ended.load(Ordering::Acquire);
    let gaps = |c: &Client| c.count(Kind::Gap) as u64;
    client.until(|c| gaps(c) >= ended);
    let back = authenticated(&fake);
    client.until(|_| authenticated(&fake) >= back.max(ended + 1));
    assert_eq!(gaps(&client), ended, "a gap for each, and none beside");
    let gap = client.events.iter().find(|e| e.kind == Kind::Gap).map(|e| *e.record::<Gap>()).expect("a gap");
    assert_eq!((gap.exchange_ts, gap.received), (Ns::NONE, Gap::UNKNOWN), "what is missing nobody knows");
    assert_eq!(client.count(Kind::Listing), 3, "symbols are listed once");
}

#[test]
fn it_cannot_be_opened_without_its_secrets() {
    let params = Params::defaults(FEED.params);
    let Err(error) = FEED.input(&Request { paths: Vec::new(), date: None, params }, FEEDS) else { panic!("it opened") };
    let error = error.to_string();
    assert!(error.contains("TLS") || error.contains("no `key`"), "{error}");
}
