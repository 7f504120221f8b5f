//! ITCH 5.0 from hand-written bytes: what each message becomes, both framings, and every error.

mod arbitration;
mod captures;
mod fragments;
mod framing;
mod messages;

use chrono::NaiveDate;
use feeds::drive;
use feeds::itch::ItchDecoder;
use flow::records::Anomaly;
use flow::{AnomalyKind, Decoder, Event, FeedError, Kind};

/// Thursday, in winter: midnight in New York is 05:00 UTC.
const MIDNIGHT: u64 = 1_580_360_400_000_000_000;

fn date() -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(2020, 1, 30)
}

/// A message after its length.
fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes()[..], message].concat()
}

/// Type, locate 7, tracking number 2, time 34,200 s and 5 ns, and the rest of a message.
fn message(code: u8, rest: &[u8]) -> Vec<u8> {
    [&[code, 0, 7, 0, 2, 0x1f, 0x1a, 0xce, 0xd9, 0xf0, 0x05], rest].concat()
}

/// The time in [`message`].
const AT: u64 = MIDNIGHT + 0x1f1a_ced9_f005;

type Decoded = (Vec<(Event, u64)>, Result<(), FeedError>);

fn decode(bytes: &[u8]) -> Decoded {
    drive::collect(&mut ItchDecoder::new(date()), &[bytes], bytes.len(), 0)
}

fn kinds(inputs: &[(Event, u64)]) -> Vec<Kind> {
    inputs.iter().map(|(e, _)| e.kind).collect()
}

fn anomalies(inputs: &[(Event, u64)]) -> Vec<(AnomalyKind, u64)> {
    let anomaly = |e: &Event| e.get::<Anomaly>().map(|a| (AnomalyKind::from_code(a.what).unwrap(), a.detail));
    inputs.iter().filter_map(|(e, _)| anomaly(e)).collect()
}

fn count(decoder: &dyn Decoder, name: &str) -> u64 {
    decoder.counts().iter().find(|c| c.name == name).map_or(0, |c| c.count)
}
