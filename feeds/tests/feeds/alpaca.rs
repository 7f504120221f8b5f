//! The feed of Alpaca against a server that speaks as Alpaca does: over a socket, in both encodings, with everything going wrong.

use feeds::alpaca::FEED;
use feeds::alpaca::fake::{Body, Fake, Faults, Market, Sent, Settings};
use feeds::{FEEDS, Input, Request};
use flow::records::{Bands, Bar, BarFlow, CorrectedBar, CorrectedBarFlow, Gap, Trade};
use flow::{Event, Inputs, Kind, Ns, Params, Px, Selection, Source};
use std::collections::BTreeMap;
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

    /// Until this holds, or it hangs: a key that was refused alone is tried again after up to a minute.
    pub(crate) fn until(&mut self, mut holds: impl FnMut(&Client) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < Duration::from_secs(600), "it hangs: {:?}", self.said);
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

/// Publishes so many turns of a market; how many messages that were, of the channels that are asked for unless told otherwise.
pub(crate) fn publish(fake: &Fake, market: &mut Market, turns: usize) -> u64 {
    let turn = |_| {
        let messages = market.next(feeds::live::arrival());
        let comes = |sent: &&Sent| ["trades", "quotes", "statuses"].contains(&sent.channel());
        let count = messages.iter().filter(comes).count() as u64;
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
fn bars_are_corrected_by_those_that_come_again_and_bands_are_as_they_were_sent() {
    for encoding in ["msgpack", "json"] {
        let fake = Fake::start(0, Settings::default()).expect("a port");
        let mut market = Market::new(&SYMBOLS, 12);
        let channels = ("channels", "bars,updatedBars,lulds");
        let mut client = Client::new(&fake, "fake-secret", &[("encoding", encoding), channels]);
        client.watch(&SYMBOLS);
        client.until(|c| c.said.iter().any(|said| said.contains("bars (3), updatedBars (3), lulds (3)")));
        let mut sent = Vec::new();
        // Twenty minutes, a turn every 100 ms.
        for turn in 0..12_000 {
            let messages = market.next(Ns(1_700_000_000_000_000_000 + turn * 100_000_000));
            sent.extend(
                messages.iter().filter(|sent| ["bars", "updatedBars", "lulds"].contains(&sent.channel())).cloned(),
            );
            fake.publish(messages);
        }
        client.until(|c| c.source.counts()[0].count >= sent.len() as u64);
        let count = |is: fn(&Body) -> bool| sent.iter().filter(|sent| is(&sent.body)).count();
        let (bars, again) = (count(|b| matches!(b, Body::Bar(_))), count(|b| matches!(b, Body::UpdatedBar(_))));
        assert!(bars > 50 && again > 20, "{bars} bars, {again} again");
        let came =
            [Kind::Bar, Kind::BarFlow, Kind::CorrectedBar, Kind::CorrectedBarFlow].map(|kind| client.count(kind));
        assert_eq!(came, [bars, bars, again, again], "{encoding}");
        check_bars_and_bands(&sent, &client.events);
    }
}

/// Each message, by itself, is what came of it.
fn check_bars_and_bands(sent: &[Sent], events: &[Event]) {
    let exact = |dollars: f64| Px((dollars * 1e9).round() as i64);
    let mut instruments = BTreeMap::new();
    let mut events = events.iter().filter(|e| !matches!(e.kind, Kind::Name | Kind::Listing | Kind::Cursor));
    for message in sent {
        let first = events.next().expect("an input a message");
        let own = *instruments.entry(&message.symbol).or_insert(first.instrument);
        assert_eq!(first.instrument, own, "{message:?}");
        match message.body {
            Body::Luld { up, down, indicator } => {
                let bands: &Bands = first.record();
                assert_eq!((bands.limit_up_px, bands.limit_down_px), (exact(up), exact(down)));
                assert_eq!(
                    (bands.exchange_ts, bands.indicator[0], bands.tape[0]),
                    (message.time, indicator as u8, message.tape as u8)
                );
            }
            Body::Bar(minute) => {
                let (bar, flow): (&Bar, &BarFlow) = (first.record(), events.next().expect("volumes").record());
                assert_eq!([bar.open, bar.high, bar.low, bar.close], minute.prices.map(exact));
                assert_eq!(
                    (flow.volume.0, u64::from(flow.trades), flow.vwap),
                    (minute.volume, minute.trades, exact(minute.vwap))
                );
            }
            Body::UpdatedBar(minute) => {
                let (bar, flow): (&CorrectedBar, &CorrectedBarFlow) =
                    (first.record(), events.next().expect("volumes").record());
                assert_eq!([bar.open, bar.high, bar.low, bar.close], minute.prices.map(exact));
                assert_eq!(Ns(u64::from(bar.start_s) * Ns::SECOND), message.time);
                assert_eq!(
                    (flow.volume.0, u64::from(flow.trades), flow.vwap),
                    (minute.volume, minute.trades, exact(minute.vwap))
                );
            }
            ref other => panic!("{other:?} was not asked for"),
        }
    }
    assert!(events.next().is_none(), "nothing beside");
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
    // It has seen more than the ring holds, so the ring is full.
    let decoded = |client: &Client| {
        let counts = client.source.counts();
        counts.iter().filter(|of| ["trades", "quotes"].contains(&&*of.name)).map(|of| of.count).sum::<u64>()
    };
    let began = Instant::now();
    while decoded(&client) < 75_000 {
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
        assert!(began.elapsed() < Duration::from_secs(600), "{:?}", client.said);
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
