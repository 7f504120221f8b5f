//! A real Prometheus scrapes a run and its sink, and answers every query of the dashboard and every rule of the alerts.

use crate::page::started;
use rustix::process::Signal;
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Stdio};
use tidegate_tests::rig::{Adverse, HostileVenue, Service};
use tidegate_tests::{Case, Prometheus, http, root};

/// What a test run has nothing to show for: it trades through a venue of its own, in one group, and has no sink.
const EMPTY: &[&str] =
    &["tidegate_position", "tidegate_sink", "tidegate_follower", "anomalies", "refusals", "group_blocked"];

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("promtool_accepts_the_page", &[], |_| accepted()).with_prometheus(),
        Case::new("prometheus_answers_every_query_and_every_rule", &[], |_| scraped()).with_prometheus(),
    ]
}

fn promtool(arguments: &[&str], input: &str) {
    let mut command = Command::new("promtool");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads");
    let done = child.wait_with_output().expect("it ends");
    let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(done.status.success(), "promtool {arguments:?}: {said}");
}

fn accepted() {
    let venue = HostileVenue::start(Adverse::Nothing);
    let service = Service::trading(venue.port).with("metrics.listen=127.0.0.1:0");
    let (mut life, at) = started(&service, "1x");
    life.until("orders", || venue.seen().orders() > 20);
    let (status, text) = http::get(&at, "/metrics", "text/plain").expect("it answers");
    assert_eq!(status, 200);
    life.kill();
    promtool(&["check", "metrics"], &text);
    let config = root().join("tuning/prometheus/prometheus.yml");
    promtool(&["check", "config", config.to_str().expect("a path of text")], "");
    // That of the containers, beside the alerts as it lies there.
    let together = service.path("compose");
    std::fs::create_dir(&together).expect("the folder is writable");
    for (from, to) in [("compose/prometheus.yml", "prometheus.yml"), ("prometheus/alerts.yml", "alerts.yml")] {
        std::fs::copy(root().join("tuning").join(from), together.join(to)).expect("the folder is writable");
    }
    promtool(&["check", "config", together.join("prometheus.yml").to_str().expect("a path of text")], "");
}

fn scraped() {
    let venue = HostileVenue::start(Adverse::Nothing);
    let service = Service::trading(venue.port).with("metrics.listen=127.0.0.1:0").with("pipeline.preset=split");
    let (mut life, at) = started(&service, "1x");
    let shipped = std::fs::read_to_string(root().join("tuning/prometheus/prometheus.yml")).expect("it is there");
    let config = shipped.replace("127.0.0.1:9464", &at).replace("5s", "1s");
    let config = config.replace("alerts.yml", root().join("tuning/prometheus/alerts.yml").to_str().expect("a path"));
    let path = service.path("prometheus.yml");
    std::fs::write(&path, config).expect("the folder is writable");
    let prometheus = Prometheus::start(&path, &service.path("prometheus"));
    prometheus.until("tidegate_ready == 1");
    // A rate needs two scrapes.
    prometheus.until("rate(tidegate_pipeline_inputs_finished_total[1m]) > 0");
    prometheus.until("rate(tidegate_events_total{kind=\"order\"}[1m]) > 0");
    rules(&prometheus);
    dashboard(&prometheus);
    let kept = prometheus.query("tidegate_build_info");
    assert!(kept[0]["metric"]["build"].as_str().is_some_and(|build| build.starts_with("tidegate ")), "{kept:?}");
    service.ctl(&["halt"]).expect(0);
    prometheus.until("ALERTS{alertname=\"TradingHalted\",alertstate=\"firing\"}");
    assert!(life.runs());
    life.stop(Signal::KILL);
    prometheus.until("ALERTS{alertname=\"TidegateDown\"}");
}

/// Every rule is evaluated without an error, and none fires while all is well.
fn rules(prometheus: &Prometheus) {
    let all = || -> Vec<Value> {
        let groups = prometheus.ask("/api/v1/rules");
        groups["groups"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|g| g["rules"].as_array().cloned())
            .flatten()
            .collect()
    };
    let began = std::time::Instant::now();
    while all().iter().any(|rule| rule["health"] == "unknown") {
        assert!(began.elapsed().as_secs() < 60, "a rule is not evaluated");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let rules = all();
    assert!(rules.len() > 15, "{} rules", rules.len());
    for rule in rules {
        assert_eq!(rule["health"], "ok", "{rule}");
        assert_ne!((&rule["state"], &rule["labels"]["severity"]), (&"firing".into(), &"page".into()), "{rule}");
        assert!(rule["annotations"]["next"].is_string(), "{}: says what to do", rule["name"]);
    }
}

/// Every query of the dashboard is answered, and gives something where the run has something to show.
fn dashboard(prometheus: &Prometheus) {
    let text = std::fs::read_to_string(root().join("tuning/grafana/service.json")).expect("it is there");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let expressions: Vec<&str> = targets.filter_map(|target| target["expr"].as_str()).collect();
    assert!(expressions.len() > 25);
    for expression in expressions {
        let query = expression.replace("$__rate_interval", "1m");
        assert!(!query.contains('$'), "{query}: another macro");
        let found = prometheus.query(&query);
        let may_be_empty = EMPTY.iter().any(|one| query.contains(one));
        assert!(may_be_empty || !found.is_empty(), "{query} gives nothing");
    }
}
