//! A Prometheus server of a test, on a free port and a folder of its own. Where there is none, [`Prometheus::missing`] says so,
//! and a [case](crate::Case::with_prometheus) is ignored by name.

use crate::http;
use serde_json::Value;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long it may take for anything.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// A running server; dropped, it is killed.
pub struct Prometheus {
    child: Child,
    /// Where it answers: `HOST:PORT`.
    pub at: String,
}

impl Prometheus {
    /// What is missing to start one, if anything.
    pub fn missing() -> Option<String> {
        let runs = |program: &str| Command::new(program).arg("--version").output().is_ok_and(|o| o.status.success());
        let missing = ["prometheus", "promtool"].into_iter().find(|program| !runs(program));
        missing.map(|program| format!("there is no {program}: install the package prometheus"))
    }

    /// Starts one with this configuration, on a folder for its data.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start(config: &Path, data: &Path) -> Prometheus {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", data.display()));
        command.arg(format!("--web.listen-address={free}")).arg("--log.level=warn");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn();
        let server = Prometheus { child: child.expect("it starts"), at: free.to_string() };
        let began = Instant::now();
        while !http::get(&server.at, "/-/ready", "*/*").is_ok_and(|(status, _)| status == 200) {
            assert!(began.elapsed() < LIMIT, "Prometheus is not ready after {LIMIT:?}");
            sleep(PAUSE);
        }
        server
    }

    /// What it answers to a question of its interface.
    ///
    /// # Panics
    /// When it does not answer, or with an error, which is shown.
    #[track_caller]
    pub fn ask(&self, path: &str) -> Value {
        let (_, body) = http::get(&self.at, path, "*/*").expect("it answers");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(answer["status"], "success", "{path}: {body}");
        answer["data"].clone()
    }

    /// The series that an expression gives now, each with its labels and its value.
    #[track_caller]
    pub fn query(&self, expression: &str) -> Vec<Value> {
        let answer = self.ask(&format!("/api/v1/query?query={}", http::escaped(expression)));
        answer["result"].as_array().cloned().unwrap_or_default()
    }

    /// Waits until an expression gives something.
    ///
    /// # Panics
    /// When it does not in time.
    #[track_caller]
    pub fn until(&self, expression: &str) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let found = self.query(expression);
            if !found.is_empty() {
                return found;
            }
            assert!(began.elapsed() < LIMIT, "{expression} gives nothing after {LIMIT:?}");
            sleep(PAUSE);
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
