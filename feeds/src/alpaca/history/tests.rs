//! The past against the fake over a socket, with everything going wrong, cut off and gone on with.

use super::{Ask, Channel, FetchError, Watcher, fetch, packed};
use crate::alpaca::FEED;
use crate::alpaca::fake::{Fake, Rest, RestFaults, Settings};
use flow::records::{Bar, Quote, Trade};
use flow::{Event, Inputs, Kind, Ns, Params, Polled, SecretPlace};
use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::atomic::Ordering;
use tempfile::TempDir;

/// 2026-01-05 00:00 and 2026-01-07 00:00 in UTC: two days of a market.
const RANGE: [Ns; 2] = [Ns(1_767_571_200_000_000_000), Ns(1_767_744_000_000_000_000)];

#[derive(Default)]
struct Seen {
    said: RefCell<Vec<String>>,
    rows: Cell<u64>,
    /// Stops once so many rows are there.
    stops_at: Option<u64>,
}

impl Watcher for Seen {
    fn stops(&self) -> bool {
        self.stops_at.is_some_and(|rows| self.rows.get() >= rows)
    }

    fn has(&self, rows: u64) {
        self.rows.set(rows);
    }

    fn say(&self, sentence: &str) {
        self.said.borrow_mut().push(sentence.to_owned());
    }
}

fn fake(faults: RestFaults, a_minute: u32) -> Fake {
    let rest = Rest { a_day: 1_500, faults, a_minute, ..Rest::default() };
    Fake::start(0, Settings { rest, ..Settings::default() }).expect("a port")
}

fn ask(fake: &Fake, folder: &TempDir, secret: &str) -> Ask {
    let place = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the folder is writable");
        SecretPlace::File(path.display().to_string())
    };
    Ask {
        address: format!("http://{}", fake.address()),
        key: place("key", "fake-key"),
        secret: place("secret", secret),
        authorities: String::new(),
        symbols: ["AAPL", "SPY"].map(str::to_owned).into(),
        from: RANGE[0],
        to: RANGE[1],
        adjustment: "raw".to_owned(),
        page: 97,
        params: Params::defaults(FEED.params),
    }
}

fn rows(ask: &Ask, channel: Channel, path: &Path) -> (Result<u64, FetchError>, Vec<String>) {
    let seen = Seen::default();
    let result = fetch(ask, channel, path, &seen);
    (result, seen.said.into_inner())
}

/// The rows of an uncut fetch without faults.
fn whole(channel: Channel) -> Vec<u8> {
    let (fake, folder) = (fake(RestFaults::default(), 100_000), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("rows");
    let (count, said) = rows(&ask(&fake, &folder, "fake-secret"), channel, &path);
    assert!(count.expect("it is fetched") > 300 && said.is_empty(), "{said:?}");
    std::fs::read(path).expect("it was written")
}

#[test]
fn whatever_goes_wrong_the_rows_are_those_of_an_uncut_fetch() {
    let expected = whole(Channel::Bars);
    let faults = RestFaults { seed: 5, client: 9, server: 7, slow: 50, throttle: 40, half: 6, hang_up: 8 };
    let (fake, folder) = (fake(faults, 100_000), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("rows");
    let mut ask = ask(&fake, &folder, "fake-secret");
    let (count, said) = rows(&ask, Channel::Bars, &path);
    count.unwrap_or_else(|e| panic!("{e}: {said:?}"));
    assert!(std::fs::read(&path).expect("it was written") == expected, "{said:?}");
    assert!(fake.tally().rest_faults.load(Ordering::Acquire) > 0 && !said.is_empty());
    ask.symbols.insert("MSFT".to_owned());
    let (other, _) = rows(&ask, Channel::Bars, &path);
    assert!(matches!(other, Err(FetchError::File(why)) if why.contains("the rows of another fetch")));
}

#[test]
fn who_is_stopped_goes_on_with_the_next_page() {
    let expected = whole(Channel::Trades);
    let (fake, folder) = (fake(RestFaults::default(), 100_000), tempfile::tempdir().expect("a folder"));
    let (ask, path) = (ask(&fake, &folder, "fake-secret"), folder.path().join("rows"));
    let mut stops_at = 1;
    loop {
        let seen = Seen { stops_at: Some(stops_at), ..Seen::default() };
        match fetch(&ask, Channel::Trades, &path, &seen) {
            Ok(_) => break,
            Err(FetchError::Stopped) => stops_at = seen.rows.get() + 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(std::fs::read(&path).expect("it was written") == expected);
    let pages = expected.windows(6).filter(|six| six == b"#next ").count() as u64;
    assert_eq!(fake.tally().asked.load(Ordering::Acquire), pages, "each page was asked for once");
}

#[test]
fn the_limit_of_a_minute_is_kept() {
    let (fake, folder) = (
        fake(RestFaults { seed: 1, throttle: 2, ..RestFaults::default() }, 100_000),
        tempfile::tempdir().expect("a folder"),
    );
    let path = folder.path().join("rows");
    let mut ask = ask(&fake, &folder, "fake-secret");
    ask.page = 150;
    let (count, said) = rows(&ask, Channel::Bars, &path);
    count.expect("it is fetched");
    let refused = said.iter().filter(|said| said.contains("429, too many requests; it is asked again in")).count();
    assert!(refused > 0 && refused == said.len(), "{said:?}");
    // Alpaca names a second that is at least one away, so no pause is shorter than what is left of it.
    assert!(!said.iter().any(|said| said.ends_with("0.0 s")), "{said:?}");
}

#[test]
fn a_wrong_key_and_a_plan_are_said_at_once() {
    let (fake, folder) = (fake(RestFaults::default(), 100_000), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("rows");
    let (refused, _) = rows(&ask(&fake, &folder, "canary-3"), Channel::Trades, &path);
    let refused = refused.expect_err("it is refused").to_string();
    assert!(refused.contains("401") && refused.contains("--secret") && !refused.contains("canary"), "{refused}");
    assert_eq!(fake.tally().asked.load(Ordering::Acquire), 1);
}

fn replayed(bytes: Vec<u8>) -> Vec<Event> {
    let mut source = crate::packed::source(bytes).expect("a packed file");
    let (mut inputs, mut events) = (Inputs::with_capacity(1 << 10), Vec::new());
    loop {
        let polled = source.poll(&mut inputs).expect("it is whole");
        while let Some((event, _)) = inputs.front() {
            events.push(*event);
            inputs.pop();
        }
        if polled == Polled::Ended {
            return events;
        }
    }
}

#[test]
fn rows_become_the_inputs_of_the_live_feed_in_the_order_of_time() {
    let (fake, folder) = (fake(RestFaults::default(), 100_000), tempfile::tempdir().expect("a folder"));
    let ask = ask(&fake, &folder, "fake-secret");
    let files = Channel::ALL.map(|channel| {
        let path = folder.path().join(channel.name());
        rows(&ask, channel, &path).0.expect("it is fetched");
        (channel, path)
    });
    let make = || packed(&ask, &files, Vec::new(), &|| false).unwrap_or_else(|e| panic!("{e}"));
    let merged = make();
    assert!(merged.to == make().to, "the same rows are the same bytes");
    let events = replayed(merged.to);
    assert!(events.windows(2).all(|pair| pair[0].ts <= pair[1].ts));
    let of = |kind: Kind| events.iter().filter(move |event| event.kind == kind);
    assert_eq!(of(Kind::Listing).count(), 2);
    assert!(of(Kind::Trade).count() > 100 && of(Kind::Quote).count() > 100 && of(Kind::Bar).count() > 100);
    assert!(
        of(Kind::Trade).all(|e| e.ts == e.record::<Trade>().exchange_ts && e.record::<Trade>().px.0 % 10_000_000 == 0)
    );
    assert!(of(Kind::Quote).all(|e| e.record::<Quote>().bid_qty.0 % 100 == 0));
    assert!(of(Kind::Bar).all(|e| e.ts.0 == (u64::from(e.record::<Bar>().start_s) + 60) * Ns::SECOND));
    let text = std::fs::read_to_string(&files[0].1).expect("it was written");
    let standing = text.lines().filter(|l| l.starts_with('{') && !l.contains("canceled") && !l.contains("incorrect"));
    assert_eq!(of(Kind::Trade).count(), standing.count());
    let (stopped, none) = (packed(&ask, &files, Vec::new(), &|| true), Vec::new());
    assert!(matches!(stopped, Err(FetchError::Stopped)));
    let empty = packed(&ask, &none, Vec::new(), &|| false).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(empty.contents.inputs, 0);
}
