//! The history of the fake over HTTP: bars, trades and quotes of the past, page by page.
//!
//! ```text
//!  GET /v2/stocks/{bars,trades,quotes}?symbols&start&end&limit&page_token&sort&timeframe&feed&adjustment
//!      401 key  ·  429 too many, with X-RateLimit-*  ·  422 what is no valid question  ·  403 what the plan does not have
//!      200 {"trades": {"AAPL": […]}, "next_page_token": "…" or null}
//! ```
//!
//! It listens on the port of the stream, and keeps a connection for as long as the client does. Symbols come one after the other, each in the order
//! of time, and a page goes on where the one before it ended. What goes wrong follows from the seed and the number of the request.
//! Bound: a head of [`HEAD`] bytes, [`MOST`] rows a page. Worst case: a client that sends nothing is let go after [`PATIENCE`].

use super::history::{History, LONGEST_DAYS, Row, What};
use super::shared::{Pace, Rest, Shared};
use chrono::DateTime;
use flow::Ns;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The longest head of a request.
const HEAD: usize = 1 << 14;
/// The most rows of a page, and how many there are unless it is said.
const MOST: usize = 10_000;
const PAGE: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a request waits that is slow.
const SLOW: Duration = Duration::from_millis(400);
/// The free plan has nothing of all exchanges that is younger.
const RECENT: u64 = 15 * 60 * Ns::SECOND;
const PATH: &[u8] = b"GET /v2/stocks/";

/// What a request is answered with.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn of(status: u16, message: &str) -> Answer {
        let body = serde_json::to_vec(&serde_json::json!({ "message": message })).expect("a text is JSON");
        Answer { status, headers: Vec::new(), body }
    }
}

/// Whether what comes asks for the past; of a client that says nothing, that it does not.
pub(super) fn is_asked(stream: &TcpStream) -> bool {
    let mut begin = [0; PATH.len()];
    let until = Instant::now() + Duration::from_secs(5);
    // A socket without this limit waits for ever; it is set again by whoever serves it.
    if stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(Duration::from_secs(5)))).is_err() {
        return false;
    }
    while Instant::now() < until {
        match stream.peek(&mut begin) {
            Ok(count) if count == begin.len() || !PATH.starts_with(&begin[..count]) || count == 0 => break,
            Ok(_) => std::thread::sleep(Duration::from_millis(1)),
            Err(_) => return false,
        }
    }
    begin == *PATH
}

/// Answers one request after the other.
pub(super) fn serve(mut stream: TcpStream, shared: &Shared) {
    // What fails here is a client that has gone.
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
    let _ = stream.set_write_timeout(Some(PATIENCE));
    let mut bytes = Vec::new();
    while let Some(head) = head(&mut stream, &mut bytes, shared) {
        if answered(&mut stream, &head, shared).is_err() {
            return;
        }
    }
}

/// The next request's head.
fn head(stream: &mut TcpStream, bytes: &mut Vec<u8>, shared: &Shared) -> Option<Vec<u8>> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            return Some(bytes.drain(..end + 4).collect());
        }
        if bytes.len() > HEAD || Instant::now() > until || shared.is_over.load(Ordering::Acquire) {
            return None;
        }
        let mut more = [0; 4_096];
        match stream.read(&mut more) {
            Ok(0) => return None,
            Ok(count) => bytes.extend_from_slice(&more[..count]),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return None,
        }
    }
}

/// Answers, or makes the request go wrong.
fn answered(stream: &mut TcpStream, head: &[u8], shared: &Shared) -> io::Result<()> {
    let number = shared.tally.asked.fetch_add(1, Ordering::AcqRel);
    let Rest { faults, .. } = &shared.settings.rest;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(faults.seed ^ number << 8);
    let mut happens = |chances: u32| chances != 0 && random.next_u32().is_multiple_of(chances);
    let over = || io::Error::from(ErrorKind::ConnectionAborted);
    let mut wrong = true;
    let (mut answer, mut half) = (None, false);
    if happens(faults.hang_up) {
        shared.tally.rest_faults.fetch_add(1, Ordering::AcqRel);
        return Err(over());
    } else if happens(faults.throttle) {
        answer = Some(too_many(shared.settings.rest.a_minute, Duration::from_secs(1)));
    } else if happens(faults.server) {
        let status = [500, 502, 503, 504][number as usize % 4];
        answer = Some(Answer::of(status, "internal server error occurred"));
    } else if happens(faults.client) {
        answer = Some(Answer::of(408, "request timed out"));
    } else if happens(faults.half) {
        half = true;
    } else if happens(faults.slow) {
        std::thread::sleep(SLOW);
    } else {
        wrong = false;
    }
    shared.tally.rest_faults.fetch_add(u64::from(wrong), Ordering::AcqRel);
    let answer = answer.unwrap_or_else(|| asked(head, shared));
    written(stream, &answer, half)?;
    if half { Err(over()) } else { Ok(()) }
}

fn written(stream: &mut TcpStream, answer: &Answer, half: bool) -> io::Result<()> {
    let reason = match answer.status {
        200 => "OK",
        429 => "Too Many Requests",
        400..500 => "Bad Request",
        _ => "Server Error",
    };
    let mut to = format!("HTTP/1.1 {} {reason}\r\nContent-Type: application/json\r\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        write!(to, "{name}: {value}\r\n")?;
    }
    write!(to, "Content-Length: {}\r\n\r\n", answer.body.len())?;
    let sent = if half { answer.body.len() / 2 } else { answer.body.len() };
    to.extend_from_slice(&answer.body[..sent]);
    stream.write_all(&to)?;
    stream.flush()
}

fn too_many(a_minute: u32, wait: Duration) -> Answer {
    let mut answer = Answer::of(429, "too many requests.");
    answer.headers = limits(a_minute, 0, wait);
    answer
}

fn limits(a_minute: u32, left: u32, wait: Duration) -> Vec<(&'static str, String)> {
    let reset = now().0.div_ceil(Ns::SECOND) + wait.as_secs();
    vec![
        ("X-RateLimit-Limit", a_minute.to_string()),
        ("X-RateLimit-Remaining", left.to_string()),
        ("X-RateLimit-Reset", reset.to_string()),
    ]
}

fn now() -> Ns {
    crate::live::arrival()
}

/// Answers a request as it should be.
fn asked(head: &[u8], shared: &Shared) -> Answer {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    if !matches!(request.parse(head), Ok(httparse::Status::Complete(_))) {
        return Answer::of(400, "bad request");
    }
    let header = |name: &str| {
        let found = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| header.value)
    };
    let (key, secret) = (&shared.settings.key, &shared.settings.secret);
    if header("APCA-API-KEY-ID") != Some(key.as_bytes()) || header("APCA-API-SECRET-KEY") != Some(secret.as_bytes()) {
        return Answer::of(401, "unauthorized.");
    }
    let left = match room(shared) {
        Ok(left) => left,
        Err(wait) => return too_many(shared.settings.rest.a_minute, wait),
    };
    let mut answer = match Question::of(request.path.unwrap_or_default()) {
        Ok(question) => question.answer(&mut shared.history.lock().unwrap_or_else(PoisonError::into_inner)),
        Err(answer) => answer,
    };
    answer.headers = limits(shared.settings.rest.a_minute, left, Duration::from_secs(60));
    answer
}

/// How many requests this minute has room for after this one; else how long until the next one has.
fn room(shared: &Shared) -> Result<u32, Duration> {
    const MINUTE: Duration = Duration::from_secs(60);
    let most = shared.settings.rest.a_minute;
    let mut pace = shared.pace.lock().unwrap_or_else(PoisonError::into_inner);
    let began = pace.began.filter(|began| began.elapsed() < MINUTE);
    if began.is_none() {
        *pace = Pace { began: Some(Instant::now()), count: 0 };
    }
    pace.count += 1;
    let wait = || began.map_or(Duration::ZERO, |began| MINUTE.saturating_sub(began.elapsed()));
    most.checked_sub(pace.count).ok_or_else(wait)
}

/// What is asked for.
struct Question {
    what: What,
    symbols: Vec<String>,
    range: [Ns; 2],
    limit: usize,
    /// Where the page begins: the symbol, and how many of its rows came before.
    begins: (String, usize),
    is_descending: bool,
    interval_s: u32,
}

impl Question {
    fn of(target: &str) -> Result<Question, Answer> {
        let wrong = |what: &str| Answer::of(422, &format!("invalid {what}"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let what = match path {
            "/v2/stocks/trades" => What::Trades,
            "/v2/stocks/quotes" => What::Quotes,
            "/v2/stocks/bars" => What::Bars,
            _ => return Err(Answer::of(404, "endpoint not found.")),
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| pair.split_once('='));
        let given: BTreeMap<&str, String> = pairs.map(|(name, value)| (name, unescaped(value))).collect();
        let text = |name: &str| given.get(name).map(String::as_str).filter(|text| !text.is_empty());
        let mut symbols: Vec<String> = text("symbols").unwrap_or_default().split(',').map(str::to_owned).collect();
        symbols.sort_unstable();
        symbols.dedup();
        let is_symbol =
            |symbol: &String| !symbol.is_empty() && symbol.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
        if !symbols.iter().all(is_symbol) {
            return Err(wrong("symbol"));
        }
        let now = now();
        let [from, to] = ["start", "end"].map(|name| text(name).map(|text| time(text).ok_or_else(|| wrong(name))));
        let (from, to) =
            (from.transpose()?.unwrap_or(Ns(now.0 - now.0 % (86_400 * Ns::SECOND))), to.transpose()?.unwrap_or(now));
        let days = to.0.saturating_sub(from.0) / (86_400 * Ns::SECOND);
        if from > to || days as i64 > LONGEST_DAYS {
            return Err(wrong("range: end is before start, or too far behind it"));
        }
        if text("feed").unwrap_or("sip") == "sip" && to.0 > now.0.saturating_sub(RECENT) && text("end").is_some() {
            return Err(Answer::of(403, "subscription does not permit querying recent SIP data"));
        }
        let is_one_of = |name: &str, known: &[&str]| text(name).is_none_or(|text| known.contains(&text));
        for (name, known) in [
            ("feed", &["iex", "sip", "otc", "boats", "overnight"][..]),
            ("adjustment", &["raw", "split", "dividend", "all"]),
            ("sort", &["asc", "desc"]),
        ] {
            if !is_one_of(name, known) {
                return Err(wrong(name));
            }
        }
        let limit = text("limit").map_or(Ok(PAGE), |text| text.parse().map_err(|_| wrong("limit")))?;
        if !(1..=MOST).contains(&limit) {
            return Err(wrong("limit"));
        }
        let interval_s = match (what, text("timeframe")) {
            (What::Bars, None) => return Err(wrong("timeframe: it is required")),
            (_, frame) => frame.map_or(Some(60), seconds).ok_or_else(|| wrong("timeframe"))?,
        };
        let begins = text("page_token").map_or(Some(Default::default()), place).ok_or_else(|| wrong("page_token"))?;
        let is_descending = text("sort") == Some("desc");
        Ok(Question { what, symbols, range: [from, to], limit, begins, is_descending, interval_s })
    }

    fn answer(&self, history: &mut History) -> Answer {
        let (mut found, mut room): (BTreeMap<&str, Vec<Row>>, usize) = (BTreeMap::new(), self.limit);
        let (mut next, now) = (None, now());
        for symbol in self.symbols.iter().filter(|symbol| **symbol >= self.begins.0) {
            let mut rows = history.rows(self.what, symbol, self.range, self.interval_s, now);
            if self.is_descending {
                rows.reverse();
            }
            let skipped = if *symbol == self.begins.0 { self.begins.1.min(rows.len()) } else { 0 };
            rows.drain(..skipped);
            if rows.is_empty() {
                continue;
            }
            if room == 0 {
                next = Some(token(symbol, skipped));
                break;
            }
            let taken = room.min(rows.len());
            let is_cut = taken < rows.len();
            rows.truncate(taken);
            room -= taken;
            found.insert(symbol, rows);
            if is_cut {
                next = Some(token(symbol, skipped + taken));
                break;
            }
        }
        #[derive(Serialize)]
        struct Page<'a> {
            #[serde(flatten)]
            rows: BTreeMap<&'static str, BTreeMap<&'a str, Vec<Row>>>,
            next_page_token: Option<String>,
        }
        let page = Page { rows: [(self.what.name(), found)].into(), next_page_token: next };
        Answer { status: 200, headers: Vec::new(), body: serde_json::to_vec(&page).expect("texts and numbers") }
    }
}

/// A place in the rows as a token that nobody reads: the symbol's bytes and the count, in hexadecimal digits.
fn token(symbol: &str, count: usize) -> String {
    symbol.bytes().chain([b'|']).chain(count.to_string().bytes()).map(|byte| format!("{byte:02x}")).collect()
}

fn place(token: &str) -> Option<(String, usize)> {
    let pairs = token.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    let bytes = pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect::<Option<Vec<u8>>>()?;
    let text = String::from_utf8(bytes).ok()?;
    let (symbol, count) = text.split_once('|')?;
    Some((symbol.to_owned(), count.parse().ok()?))
}

/// A time as RFC 3339 writes it, or a date.
fn time(text: &str) -> Option<Ns> {
    let at = match text.len() {
        10 => DateTime::parse_from_rfc3339(&format!("{text}T00:00:00Z")),
        _ => DateTime::parse_from_rfc3339(text),
    };
    at.ok()?.timestamp_nanos_opt().and_then(|ns| u64::try_from(ns).ok()).map(Ns)
}

/// The seconds of a timeframe: of minutes and hours.
fn seconds(frame: &str) -> Option<u32> {
    let digits = frame.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let count: u32 = digits.parse().ok()?;
    let (unit, most) = match &frame[digits.len()..] {
        "Min" | "T" => (60, 59),
        "Hour" | "H" => (3_600, 23),
        _ => return None,
    };
    (1..=most).contains(&count).then_some(count * unit)
}

/// A value of a query.
fn unescaped(value: &str) -> String {
    let value = value.replace('+', " ");
    let mut parts = value.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend_from_slice(&part.as_bytes()[2..]);
            }
            None => bytes.extend_from_slice(part.as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const ALL: &str = "symbols=SPY,AAPL&start=2026-01-05&end=2026-01-07T00%3A00%3A00Z&feed=iex";

    fn history() -> History {
        History::new(&["AAPL".to_owned(), "SPY".to_owned()], 5, 2_000)
    }

    fn page(history: &mut History, query: &str) -> Value {
        let question = Question::of(query).unwrap_or_else(|answer| panic!("{query}: {}", answer.status));
        serde_json::from_slice(&question.answer(history).body).expect("JSON")
    }

    /// The rows of all pages, each with its symbol.
    fn rows(history: &mut History, query: &str) -> (Vec<(String, Value)>, usize) {
        let (mut rows, mut pages, mut token) = (Vec::new(), 0, String::new());
        loop {
            let page = page(history, &format!("/v2/stocks/trades?{query}&page_token={token}"));
            let of = page["trades"].as_object().expect("by symbol");
            for (symbol, some) in of {
                rows.extend(some.as_array().expect("rows").iter().map(|row| (symbol.clone(), row.clone())));
            }
            pages += 1;
            match page["next_page_token"].as_str() {
                Some(next) => token = next.to_owned(),
                None => return (rows, pages),
            }
        }
    }

    #[test]
    fn pages_are_the_whole_cut_at_their_limit_in_either_order() {
        let mut history = history();
        let (whole, pages) = rows(&mut history, &format!("{ALL}&limit=10000"));
        assert_eq!(pages, 1);
        for limit in [1, 7, 100, whole.len() - 1, whole.len()] {
            let (cut, pages) = rows(&mut history, &format!("{ALL}&limit={limit}"));
            assert_eq!((cut.len(), pages), (whole.len(), whole.len().div_ceil(limit)), "{limit}");
            assert!(cut == whole, "{limit}");
        }
        let (mut turned, _) = rows(&mut history, &format!("{ALL}&limit=10000&sort=desc"));
        turned.reverse();
        turned.sort_by(|a, b| a.0.cmp(&b.0));
        assert!(turned == whole);
    }

    #[test]
    fn what_is_no_valid_question_is_said() {
        let status = |query: &str| Question::of(query).err().map(|answer| answer.status);
        assert_eq!(status(&format!("/v2/stocks/trades?{ALL}")), None);
        assert_eq!(status("/v2/stocks/news?symbols=SPY"), Some(404));
        assert_eq!(status(&format!("/v2/stocks/bars?{ALL}")), Some(422), "no timeframe");
        assert_eq!(status(&format!("/v2/stocks/bars?{ALL}&timeframe=5Min")), None);
        for wrong in
            ["limit=0", "limit=10001", "sort=up", "feed=xyz", "page_token=zz", "timeframe=1Week", "end=2020-01-01"]
        {
            assert_eq!(status(&format!("/v2/stocks/bars?timeframe=1Min&{ALL}&{wrong}")), Some(422), "{wrong}");
        }
        assert_eq!(status("/v2/stocks/trades?symbols=,"), Some(422));
    }

    #[test]
    fn a_value_is_unescaped() {
        assert_eq!(unescaped("2026-01-05T00%3A00%3A00%2B00:00+x%"), "2026-01-05T00:00:00+00:00 x");
    }
}
