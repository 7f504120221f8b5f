//! The registered feed: opened, polled to its end, rejected.

use super::naive::Naive;
use super::{bytes_of, config};
use feeds::synthetic::{FEED, SyntheticConfig};
use feeds::{FEEDS, OpenError, Request};
use flow::records::Add;
use flow::{Inputs, Params, Polled, Record, Source};

/// Opens the feed as a user does.
fn open(settings: &[(&str, &str)], path: Option<&str>) -> Result<Box<dyn Source>, OpenError> {
    let mut params = Params::defaults(FEED.params);
    for (name, text) in settings {
        let param = FEED.params.iter().find(|p| p.name == *name).expect("a parameter of the feed");
        params.set(param, param.parse(name, text).expect("a valid value"));
    }
    FEED.input(&Request { paths: path.into_iter().map(Into::into).collect(), date: None, params }, feeds::FEEDS)
        .map(feeds::Input::start)
}

#[test]
fn a_day_is_decoded_while_it_is_made() {
    let settings = [("seed", "3"), ("messages", "40000"), ("symbols", "20"), ("live_orders", "900")];
    let mut source = open(&settings, None).expect("opens");
    let (mut inputs, mut adds, mut record) = (Inputs::with_capacity(1_024), 0, 0);
    loop {
        match source.poll(&mut inputs).expect("a valid day") {
            Polled::Ended => break,
            Polled::Idle(_) | Polled::Anew => std::thread::yield_now(),
            Polled::Ready => {
                while let Some((event, number)) = inputs.front() {
                    adds += u64::from(event.kind == Add::KIND);
                    record = number;
                    inputs.pop();
                }
            }
        }
    }
    let naive = Naive::read(&bytes_of(&config(3, 40_000, 20, 900)), |_, _, _| {});
    assert_eq!(adds, naive.counts[&'A'] + naive.counts[&'F']);
    assert_eq!(record, 40_000, "the last message makes an input");
}

#[test]
fn files_and_impossible_days_are_rejected() {
    let said = |r: Result<Box<dyn Source>, OpenError>| r.err().expect("refused").to_string();
    assert!(said(open(&[], Some("day.itch"))).contains("reads no file, but day.itch was given"));
    assert!(said(open(&[("messages", "100")], None)).contains("messages = 100: too few"));
}

#[test]
fn the_registered_defaults_are_those_of_the_configuration() {
    assert!(FEEDS.iter().any(|f| f.name == FEED.name));
    let defaults = SyntheticConfig::from_params(&Params::defaults(FEED.params), None);
    assert_eq!(defaults, SyntheticConfig::default());
}
