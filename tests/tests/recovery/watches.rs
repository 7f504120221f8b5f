//! Symbols that an operator has watched, or watched no more, of a live feed: over the socket of a venue, recorded, and kept over a kill.

use feeds::alpaca::fake::{Fake, Market, Settings};
use feeds::live::arrival;
use flow::records::{Command as Commanded, Gap, Trade, Watching};
use flow::{CommandAction, Event, Kind, Listings};
use rustix::process::Signal;
use sinks::journal::JournalReader;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tidegate_tests::rig::{Life, Service};

const SYMBOLS: [&str; 5] = ["AAPL", "AMD", "MSFT", "QQQ", "SPY"];

/// A venue that publishes [`SYMBOLS`] until it is dropped; its plan has room for three of them with trades and quotes.
struct Venue {
    fake: Arc<Fake>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Venue {
    fn open() -> Venue {
        let fake = Arc::new(Fake::start(0, Settings { symbols: 6, ..Settings::default() }).expect("a port"));
        let (stop, told) = (Arc::<AtomicBool>::default(), Arc::clone(&fake));
        let until = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut market = Market::new(&SYMBOLS, 5);
            while !until.load(Ordering::Relaxed) {
                told.publish(market.next(arrival()));
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        Venue { fake, stop, thread: Some(thread) }
    }

    fn service(&self) -> Service {
        let config = format!(
            "[pipeline]\nstages = [\"bars\", \"cvd\"]\nclock = \"wall\"\n[journal]\nsegment_records = 8192\n\
             [[input]]\nfeed = \"alpaca\"\naddress = \"ws://{}\"\nkey = \"env:FAKE_KEY\"\nsecret = \"env:FAKE_SECRET\"\n\
             watch = [\"AAPL\", \"MSFT\"]\n",
            self.fake.address()
        );
        Service::new(config)
            .with_variable("FAKE_KEY", Some("fake-key"))
            .with_variable("FAKE_SECRET", Some("fake-secret"))
    }
}

impl Drop for Venue {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().into_iter().for_each(|thread| thread.join().expect("the venue does not panic"));
    }
}

fn inputs(service: &Service) -> Vec<Event> {
    JournalReader::open(&service.journal()).expect("a journal").inputs().map_while(Result::ok).collect()
}

/// Trades by symbol, with their places among the inputs.
fn trades(service: &Service, symbol: &str) -> Vec<usize> {
    let (all, mut listings) = (inputs(service), Listings::default());
    all.iter().for_each(|input| listings.observe(input));
    let symbol_of = |e: &Event| listings.get(e.instrument).map(|listed| listed.symbol.as_str());
    let is_of = |e: &Event| e.get::<Trade>().is_some() && symbol_of(e) == Some(symbol);
    all.iter().enumerate().filter(|(_, e)| is_of(e)).map(|(place, _)| place).collect()
}

fn running(service: &Service) -> Life {
    let mut life = service.start("max");
    life.until("a first trade", || service.listens() && inputs(service).iter().any(|e| e.kind == Kind::Trade));
    life
}

fn verify(service: &Service) {
    service.about(&["journal", "verify"]).expect(0);
    service.about(&["replay", "--verify", "--journal"]).expect(0);
}

/// What operators have had watched, by who asked: 0 = the engine.
fn commanded(service: &Service) -> Vec<(u32, bool)> {
    let all = inputs(service);
    let of = all.iter().filter_map(Event::get::<Commanded>).filter(|c| c.action == CommandAction::Watch.code());
    of.map(|command| (command.target, command.actor != 0)).collect()
}

#[test]
fn a_symbol_is_watched_and_watched_no_more_while_it_runs_and_after_a_kill() {
    let venue = Venue::open();
    let mut service = venue.service();
    let mut life = running(&service);
    let said = service.ctl(&["--actor", "ada", "watch", "SPY"]).expect(0).stderr;
    assert!(said.contains("; before SPY there was room for "), "{said}");
    assert!(said.contains("SPY is watched. Input 1, alpaca v2/iex, now has 3 symbols"), "{said}");
    life.until("its trades", || trades(&service, "SPY").len() > 20);
    // It has happened before it is answered: the watching is in the record, and the venue sends it.
    let said = service.ctl(&["unwatch", "AAPL", "--input", "alpaca"]).expect(0).stderr;
    assert!(said.contains("AAPL is no longer watched. Input 1, alpaca v2/iex, now has 2 symbols (input "), "{said}");
    service.about(&["snapshot", "--journal"]).expect(0);
    life.kill();
    verify(&service);
    let before = [trades(&service, "AAPL").len(), trades(&service, "SPY").len()];
    let mut life = running(&service);
    life.until("more of it", || trades(&service, "SPY").len() > before[1] + 20);
    assert_eq!(trades(&service, "AAPL").len(), before[0], "what is watched no more stays so");
    let said = service.ctl(&["watch", "AAPL"]).expect(0).stderr;
    assert!(said.contains("AAPL is watched. "), "{said}");
    life.until("its trades again", || trades(&service, "AAPL").len() > before[0] + 20);
    // A configuration that has not changed changes nothing at a start; one that is read again is in force.
    let said = service.ctl(&["reload"]).expect(0).stderr;
    assert!(said.contains("of source 1 only AAPL MSFT is watched"), "{said}");
    let said = service.ctl(&["watch", "QQQ"]).expect(0).stderr;
    assert!(said.contains("now has 3 symbols"), "{said}");
    let (status, _) = life.stop(Signal::TERM);
    assert!(status.success());
    verify(&service);
    service.reconfigure(service.text().replace("\"MSFT\"]", "\"AMD\"]"));
    let mut life = running(&service);
    life.until("what the configuration names now", || !trades(&service, "AMD").is_empty());
    let quiet = trades(&service, "QQQ").len();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(trades(&service, "QQQ").len(), quiet, "another configuration takes the place of what was commanded");
    life.kill();
    verify(&service);
    assert_eq!(commanded(&service), [(1, true); 4]);
    // In the record the command comes first, then the watching and, of what changes, a gap.
    let all = inputs(&service);
    let first = |is: &dyn Fn(&Event) -> bool| all.iter().position(is).expect("it is there");
    let command = first(&|e| e.get::<Commanded>().is_some_and(|c| c.action == CommandAction::Watch.code()));
    let watching = first(&|e| e.get::<Watching>().is_some());
    assert!(command < watching && watching < trades(&service, "SPY")[0]);
    assert!(all[watching..].iter().any(|e| e.get::<Gap>().is_some() && e.instrument != 0), "a gap of what left");
}

#[test]
fn what_a_feed_cannot_do_is_refused_in_words() {
    let venue = Venue::open();
    let service = venue.service();
    let mut life = running(&service);
    service.ctl(&["watch", "SPY"]).expect(0);
    // The plan has room for three symbols: the venue refuses, and the list is again what it was.
    let said = service.ctl(&["watch", "QQQ"]).expect(1).stderr;
    assert!(
        said.contains("watch is refused: Alpaca says 405") && said.contains("4 symbols with trades and quotes are 8"),
        "{said}"
    );
    assert!(said.contains("QQQ is not watched, as before (input "), "{said}");
    assert_eq!(commanded(&service), [(1, true), (1, true), (1, false)], "the engine has taken it back");
    for (words, why) in [
        (&["watch", "SPY"][..], "SPY is watched already"),
        (&["unwatch", "QQQ"], "QQQ is not watched"),
        (&["watch", "QQQ", "--input", "2"], "there is no input \"2\"; inputs: 1 (alpaca)"),
        (&["watch", "QQQ", "--input", "itch"], "there is no input \"itch\"; inputs: 1 (alpaca)"),
    ] {
        let said = service.ctl(words).expect(1).stderr;
        assert!(said.contains(why), "{words:?}: {said}");
    }
    service.ctl(&["watch", " "]).expect(2);
    let more = trades(&service, "SPY").len() + 20;
    life.until("the others go on", || trades(&service, "SPY").len() > more);
    assert!(trades(&service, "QQQ").is_empty());
    // Room is made, and then it fits.
    service.ctl(&["unwatch", "SPY"]).expect(0);
    service.ctl(&["watch", "QQQ"]).expect(0);
    life.until("its trades", || trades(&service, "QQQ").len() > 5);
    life.kill();
    verify(&service);
}

#[test]
fn symbols_of_an_input_that_is_not_live_are_chosen_in_the_configuration() {
    let service = Service::paper(400_000);
    let mut life = service.start("1200x");
    life.until("it listens", || service.listens());
    let said = service.ctl(&["watch", "AAAA"]).expect(1).stderr;
    assert!(said.contains("no input is live: its symbols stand in the configuration"), "{said}");
    let said = service.ctl(&["watch", "AAAA", "--input", "1"]).expect(1).stderr;
    assert!(said.contains("input 1 is of the feed synthetic, which is not live"), "{said}");
    life.kill();
}
