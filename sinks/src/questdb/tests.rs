//! Rows that a server refuses by themselves, at a server that does.

use super::client::Client;
use super::dead_letters::DeadLetters;
use super::schema::Schema;
use super::server::Server;
use crate::tables::Rows;
use crate::tailer::Names;
use flow::records::Trade;
use flow::{Event, EventId, FieldType, Flags, Kind, Ns, Px, Qty};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The server here has no tables, so none differs.
const SCHEMA: Schema = Schema { partition: "DAY", ttl_days: 0 };

struct Nameless;

impl Names for Nameless {
    fn name(&self, _: FieldType, _: Kind, _: u64) -> Option<&str> {
        None
    }
}

/// How often each row was taken, by what it says of `seq`.
type Taken = Arc<Mutex<BTreeMap<String, u32>>>;

/// Takes rows over HTTP as QuestDB does, all of a call or none: those with a `seq` in `refused` it refuses.
fn server(refused: &'static [u64], declared: &'static str) -> (String, Taken) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, taken) = (listener.local_addr().unwrap().to_string(), Taken::default());
    let keep = Arc::clone(&taken);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let keep = Arc::clone(&keep);
            std::thread::spawn(move || while serve(&stream, refused, declared, &keep).is_some() {});
        }
    });
    (address, taken)
}

fn serve(mut stream: &TcpStream, refused: &[u64], declared: &str, taken: &Taken) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let answer = |status: &str, text: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Type: {declared}\r\nContent-Length: {}\r\n\r\n{text}", text.len())
    };
    let seqs = seqs_of(&body);
    let reply = if !head.starts_with("POST") {
        answer("200 OK", r#"{"config":{"line.proto.support.versions":[1,2],"cairo.max.file.name.length":127}}"#)
    } else if seqs.iter().any(|seq| refused.iter().any(|bad| seq == &bad.to_string())) {
        answer("400 Bad Request", r#"{"code":"invalid","message":"it takes no such row","line":1,"errorId":"x-1"}"#)
    } else {
        let mut taken = taken.lock().unwrap();
        seqs.into_iter().for_each(|seq| *taken.entry(seq).or_default() += 1);
        "HTTP/1.1 204 No Content\r\n\r\n".to_owned()
    };
    stream.write_all(reply.as_bytes()).ok()
}

/// The values of `seq`, a line a row.
fn seqs_of(body: &str) -> Vec<String> {
    body.lines().filter_map(|line| Some(line.split_once("seq=")?.1.split('i').next()?.to_owned())).collect()
}

fn trade(seq: u64, ts: u64) -> Event {
    let trade = Trade { px: Px(5), qty: Qty(seq), ..Trade::default() };
    Event { id: EventId::new(seq, 0, 0), ..Event::new(Ns(ts), 1, Flags::NONE, &trade) }
}

#[test]
fn a_row_that_is_refused_by_itself_is_a_dead_letter_and_no_other_is() {
    ["application/json", "application/json; charset=utf-8"].into_iter().for_each(refuses);
}

fn refuses(declared: &'static str) {
    let (address, taken) = server(&[3, 400, 401, 999], declared);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let (timeout, mut dead) = (Duration::from_secs(10), DeadLetters::new(path.clone()));
    let mut client = Client::connect(Server::new(&address, timeout, None), timeout, Vec::new()).unwrap();
    let mut rows = Rows::new(&["trades".to_owned()], Arc::new(Nameless));
    for seq in 1..=1_000 {
        // Two are after the last year that the server has.
        let ts = if seq % 500 == 0 { u64::MAX - seq } else { seq };
        let taken = rows.take(7, &trade(seq, ts), &mut |row| client.keep(7, row, &mut dead)).unwrap();
        assert_eq!(taken, crate::tables::Taken::Whole);
    }
    assert_eq!(client.waiting(), 998);
    client.flush(&rows, &mut dead, &SCHEMA).unwrap();
    assert_eq!(client.waiting(), 0);
    let lost = [3, 400, 401, 500, 999, 1_000];
    let wanted = (1..=1_000).filter(|seq| !lost.contains(seq)).map(|seq: u64| (seq.to_string(), 1));
    assert_eq!(*taken.lock().unwrap(), wanted.collect::<BTreeMap<_, _>>(), "each other row once");
    let said = dead.save().unwrap().unwrap();
    assert!(said.starts_with("6 events could not be written as rows; they are kept in"), "{said}");
    let text = std::fs::read_to_string(path).unwrap();
    let letters: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut seqs: Vec<_> = letters.iter().map(|letter| letter["seq"].as_u64().unwrap()).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, lost);
    let refused = letters.iter().find(|letter| letter["seq"] == 400).unwrap();
    assert_eq!((&refused["why"], &refused["table"]), (&"it takes no such row".into(), &"trades".into()));
    let late = letters.iter().find(|letter| letter["seq"] == 500).unwrap();
    assert_eq!(late["why"], "ts: the time is after the year 2261");
    // The event itself is in it.
    let hex = refused["event"].as_str().unwrap();
    let bytes: Vec<_> = (0..64).map(|at| u8::from_str_radix(&hex[2 * at..][..2], 16).unwrap()).collect();
    assert_eq!(bytemuck::pod_read_unaligned::<Event>(&bytes), trade(400, 400));
}

#[test]
fn a_day_of_refused_rows_is_a_fault_of_something_else() {
    let (address, _) = server(&[1], "application/json");
    let folder = tempfile::tempdir().unwrap();
    let (timeout, mut dead) = (Duration::from_secs(10), DeadLetters::new(folder.path().join("dead.jsonl")));
    let mut client = Client::connect(Server::new(&address, timeout, None), timeout, Vec::new()).unwrap();
    let mut rows = Rows::new(&["trades".to_owned()], Arc::new(Nameless));
    for _ in 0..200 {
        let taken = rows.take(7, &trade(1, 1), &mut |row| client.keep(7, row, &mut dead)).unwrap();
        assert_eq!(taken, crate::tables::Taken::Whole);
    }
    let error = client.flush(&rows, &mut dead, &SCHEMA).unwrap_err();
    assert!(!error.transient && error.what.contains("it takes no such row"), "{error}");
    assert!(!folder.path().join("dead.jsonl").exists(), "nothing is saved of it");
}
