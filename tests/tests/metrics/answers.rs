//! What is shown is what was recorded; ready is who works, and an address that is taken is said.

use crate::page::{Page, address, page, started};
use flow::records::{Anomaly, Position, PositionMoney, Refused};
use flow::{AnomalyKind, Kind, kind_info};
use rustix::process::Signal;
use serde_json::Value;
use sinks::journal::Home;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use tidegate_tests::rig::{Life, Service};
use tidegate_tests::{Case, http, journals, tidegate};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("every_total_is_that_of_the_record", &[], |_| totals()),
        Case::new("a_run_without_its_venue_is_alive_and_not_ready", &[], |_| not_ready()),
        Case::new("an_address_that_is_taken_ends_the_run_before_it_begins", &[], |_| taken()),
        Case::new("a_sink_shows_what_it_has_committed", &[], |_| sink()),
    ]
}

/// A service on paper, with its metrics on a free port.
fn paper() -> Service {
    Service::paper_at_the_open(60_000).with("metrics.listen=127.0.0.1:0")
}

/// The page once all is read that the pipeline has finished, and something is held.
fn level(life: &mut Life, at: &str) -> Page {
    let mut found = None;
    life.until("all that there is", || {
        let now = page(at);
        let is_level = now.get("tidegate_last_values_behind") == Some(0.0);
        let has_come = now.by_label("tidegate_positions").values().any(|open| *open > 2.0);
        let pending = now.get("tidegate_pipeline_inputs_pending") == Some(0.0);
        let has_recovered = now.get("tidegate_pipeline_recovered") == Some(1.0);
        found = Some(now).filter(|_| is_level && has_come && pending && has_recovered);
        found.is_some()
    });
    found.expect("it was there")
}

/// Over a start, a roll of the journal, a halt, and a second start.
fn totals() {
    let service = paper();
    let (mut life, at) = started(&service, "1x");
    compared(&service, &level(&mut life, &at), 0);
    service.ctl(&["roll"]).expect(0);
    service.ctl(&["limit", "position", "900000", "--from", "1000000"]).expect(0);
    service.ctl(&["halt"]).expect(0);
    let halted = level(&mut life, &at);
    compared(&service, &halted, 0);
    life.stop(Signal::TERM);
    let (mut life, at) = started(&service, "1x");
    let again = level(&mut life, &at);
    compared(&service, &again, 1);
    for page in [&halted, &again] {
        assert_eq!(page.get("tidegate_trading_halted{reason=\"operator\"}"), Some(1.0));
        assert_eq!(page.get("tidegate_risk_limit{check=\"position\",table=\"0\"}"), Some(900_000.0));
        assert_eq!(page.get("tidegate_ready"), Some(1.0));
    }
    life.stop(Signal::TERM);
}

/// The totals of a page, and those of the journals, added up plainly; events are counted from the journal on that was current when
/// the process began.
#[track_caller]
fn compared(service: &Service, page: &Page, began_in: usize) {
    let seq = page.get("tidegate_last_values_seq").expect("it was read") as u64;
    let home = Home::open(&service.journal()).expect("a journal");
    let after = home.journals()[began_in].info.after();
    let mut recorded = journals::logs(&service.journal()).concat();
    // What comes back to the head is in both logs.
    recorded.retain(|event| event.id.seq() <= seq && !event.is_echo());
    let mut kinds = BTreeMap::<String, f64>::new();
    let (mut refused, mut anomalies) = (BTreeMap::<String, f64>::new(), BTreeMap::<String, f64>::new());
    let (mut held, mut money) = (BTreeMap::new(), BTreeMap::new());
    recorded.sort_by_key(|event| event.id);
    for event in &recorded {
        if event.id.seq() > after {
            *kinds.entry(kind_info(event.kind).expect("a kind").name.to_owned()).or_default() += 1.0;
        }
        if let Some(one) = event.get::<Refused>() {
            *refused.entry(stages::risk::check_name(one.check).to_owned()).or_default() += 1.0;
        } else if let Some(one) = event.get::<Anomaly>() {
            let name = AnomalyKind::from_code(one.what).expect("an anomaly").name();
            *anomalies.entry(name.to_owned()).or_default() += 1.0;
        } else if let Some(one) = event.get::<Position>() {
            held.insert((one.account, one.strategy, event.instrument), one.qty);
        } else if let Some(one) = event.get::<PositionMoney>() {
            money.insert((one.account, one.strategy, event.instrument), (one.realised, one.fees));
        }
    }
    assert_eq!(page.by_label("tidegate_events_total"), kinds);
    assert_eq!(page.by_label("tidegate_risk_refusals_total"), refused);
    assert_eq!(page.by_label("tidegate_anomalies_total"), anomalies);
    let open = held.values().filter(|qty| **qty != 0).count() as f64;
    assert_eq!(page.by_label("tidegate_positions").values().sum::<f64>(), open);
    let largest = held.values().map(|qty| qty.unsigned_abs()).max().unwrap_or(0);
    assert_eq!(page.get("tidegate_risk_limit_used{check=\"position\",table=\"0\"}"), Some(largest as f64));
    let near = |found: Option<f64>, wanted: i64| (found.expect("it is shown") - wanted as f64 / 1e9).abs() < 1e-6;
    let [realised, fees] = ["realised", "fees"]
        .map(|what| page.get(&format!("tidegate_position_{what}{{account=\"1\",currency=\"USD\"}}")));
    assert!(near(realised, money.values().map(|(realised, _)| realised).sum()), "{realised:?} of {money:?}");
    assert!(near(fees, money.values().map(|(_, fees)| fees).sum()), "{fees:?} of {money:?}");
    assert!(!kinds.contains_key(kind_info(Kind::Pulse).expect("a kind").name), "it is not recorded");
}

fn judged(at: &str, path: &str) -> (u16, Value) {
    let (status, body) = http::get(at, path, "*/*").expect("it answers");
    (status, serde_json::from_str(&body).expect("JSON"))
}

fn not_ready() {
    // A port at which nobody answers, for as long as it is held.
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = held.local_addr().expect("a port").port();
    let service = Service::trading(port).with("metrics.listen=127.0.0.1:0");
    let (mut life, at) = started(&service, "1x");
    life.until("the venue that is missing", || {
        let (status, body) = judged(&at, "/readyz");
        status == 503 && body["why"].to_string().contains("the session with the venue wire is not open")
    });
    assert_eq!(judged(&at, "/healthz"), (200, serde_json::json!({ "healthy": true, "why": [] })));
    assert_eq!(judged(&at, "/version").1["name"], "tidegate");
    let (status, other) = judged(&at, "/else");
    assert_eq!((status, &other["pages"][0]), (404, &Value::from("/metrics")));
    assert_eq!(page(&at).get("tidegate_ready"), Some(0.0));
    assert_eq!(page(&at).get("tidegate_venue_session{venue=\"wire\",session=\"open\"}"), Some(0.0));
    life.kill();
}

fn taken() {
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = held.local_addr().expect("a port");
    let service = Service::paper(1_000).with(format!("metrics.listen={at}"));
    let refused = service.finish(&[]).expect(1);
    assert!(refused.stderr.contains(&format!("metrics.listen {at}: ")), "{}", refused.stderr);
    assert!(refused.stderr.contains("another program listens there"), "{}", refused.stderr);
    assert!(!service.journal().exists(), "nothing has begun");
    let wrong = Service::paper(1_000).with("metrics.listen=here").finish(&[]).expect(2);
    assert!(wrong.stderr.contains("metrics.listen: \"here\"; valid: an address"), "{}", wrong.stderr);
}

fn sink() {
    let service = paper();
    let (mut life, at) = started(&service, "1x");
    level(&mut life, &at);
    let folder = service.path("rows");
    let mut command = Command::new(tidegate());
    command.args(["sink", "parquet", "--metrics", "127.0.0.1:0", "--journal"]).arg(service.journal());
    command.args(["--set", &format!("dir={}", folder.display())]);
    let output = service.path("sink.txt");
    let file = std::fs::File::create(&output).expect("the folder is writable");
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().expect("it starts");
    let mut sink = Life { child, output: output.clone() };
    let said = || std::fs::read_to_string(&output).unwrap_or_default();
    sink.until("the address", || address(&said()).is_some());
    let of_sink = address(&said()).expect("it was there");
    sink.until("commits", || {
        page(&of_sink).get("tidegate_sink_commits_total{sink=\"parquet\"}").is_some_and(|commits| commits > 0.0)
    });
    assert_eq!(judged(&of_sink, "/healthz").0, 200);
    assert_eq!(judged(&of_sink, "/readyz").0, 200, "{:?}", judged(&of_sink, "/readyz"));
    let taken = page(&of_sink).get("tidegate_sink_taken_events_total{sink=\"parquet\"}");
    assert!(taken.is_some_and(|taken| taken > 1_000.0), "{taken:?}");
    life.until("the follower", || page(&at).get("tidegate_follower_running{follower=\"parquet\"}") == Some(1.0));
    sink.stop(Signal::TERM);
    life.until("its end", || page(&at).get("tidegate_follower_running{follower=\"parquet\"}") == Some(0.0));
    assert!(page(&at).get("tidegate_follower_behind_events{follower=\"parquet\"}").is_some());
    life.stop(Signal::TERM);
}
