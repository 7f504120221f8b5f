//! A QuestDB server of a test, started as a user starts one, and how it fails.
//!
//! `tidegate questdb up` starts it on free ports and a folder of its own. A test asks it over HTTP, kills it, stands it
//! still and starts it again at the same addresses. Where there is no Java or no jar, [`QuestDb::missing`] says so, and a
//! [case](crate::Case::with_questdb) is ignored by name. Bound: some three seconds for a start.

use crate::{http, tidegate};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long the server may take for anything.
const LIMIT: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// A running server; dropped, it is killed.
pub struct QuestDb {
    up: Child,
    /// The process of Java.
    pid: Pid,
    dir: PathBuf,
    /// Its version.
    pub version: String,
    /// Where it answers over HTTP: `HOST:PORT`.
    pub http: String,
    /// Where it answers clients of Postgres.
    pub pg: String,
    /// Where `/status` and `/metrics` are.
    pub health: String,
}

impl QuestDb {
    /// What is missing to start one, if anything.
    pub fn missing() -> Option<String> {
        let java =
            std::env::var_os("JAVA_HOME").map_or_else(|| "java".into(), |home| Path::new(&home).join("bin/java"));
        if !Command::new(java).arg("-version").output().is_ok_and(|output| output.status.success()) {
            return Some("there is no Java".to_owned());
        }
        let stored = ".m2/repository/org/questdb/questdb/9.3.4/questdb-9.3.4.jar";
        let stored = || std::env::var_os("HOME").map(|home| Path::new(&home).join(stored));
        let jar = std::env::var_os("TIDEGATE_QUESTDB_JAR").map(PathBuf::from).or_else(stored);
        let is_there = jar.as_ref().is_some_and(|jar| jar.is_file());
        (!is_there).then(|| format!("there is no server at {}", jar.unwrap_or_default().display()))
    }

    /// Starts one on this folder.
    ///
    /// # Panics
    /// When it does not answer, with what the command said.
    pub fn start(dir: &Path) -> QuestDb {
        QuestDb::start_at(dir, ["127.0.0.1:0"; 3])
    }

    fn start_at(dir: &Path, [http, pg, health]: [&str; 3]) -> QuestDb {
        let mut command = Command::new(tidegate());
        command.args(["questdb", "up", "--json", "--http", http, "--pg", pg, "--health", health, "--dir"]).arg(dir);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut up = command.spawn().expect("the command starts");
        let mut line = String::new();
        let mut out = BufReader::new(up.stdout.take().expect("it is piped"));
        out.read_line(&mut line).expect("it prints text");
        if line.is_empty() {
            let mut said = String::new();
            let _ = up.stderr.take().expect("it is piped").read_to_string(&mut said);
            panic!("the server does not start: {said}");
        }
        let shown: Value = serde_json::from_str(&line).expect("one JSON object");
        let text = |name: &str| shown[name].as_str().expect("a text").to_owned();
        let pid = shown["pid"].as_i64().and_then(|pid| Pid::from_raw(pid as i32)).expect("a process");
        let [version, http, pg, health] = ["version", "http", "pg", "health"].map(text);
        QuestDb { up, pid, dir: dir.to_owned(), version, http, pg, health }
    }

    /// The rows of a statement, or what the server says is wrong with it.
    ///
    /// # Errors
    /// What the server says, or that it does not answer.
    pub fn query(&self, sql: &str) -> Result<Vec<Vec<Value>>, String> {
        let (_, body) = http::get(&self.http, &format!("/exec?query={}", http::escaped(sql)), "*/*")?;
        let answer: Value = serde_json::from_str(&body).map_err(|e| format!("{e}: {body}"))?;
        if let Some(error) = answer["error"].as_str() {
            return Err(error.to_owned());
        }
        let rows = answer["dataset"].as_array().into_iter().flatten();
        Ok(rows.map(|row| row.as_array().cloned().unwrap_or_default()).collect())
    }

    /// Sends rows in the line protocol.
    ///
    /// # Errors
    /// What the server says, or that it does not answer.
    pub fn write(&self, lines: &str) -> Result<(), String> {
        let head = format!("POST /write HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n", self.http, lines.len());
        let (status, body) = self.ask(&(head + lines))?;
        if status == 204 { Ok(()) } else { Err(body) }
    }

    /// Waits until what has been written to a table can be read.
    ///
    /// # Errors
    /// That the table is suspended and why, or what did not happen in time.
    pub fn wait_applied(&self, table: &str) -> Result<(), String> {
        let columns = "select suspended, writerTxn, sequencerTxn, errorMessage from wal_tables()";
        let began = Instant::now();
        loop {
            let rows = self.query(&format!("{columns} where name = '{table}'"))?;
            let row = rows.first().ok_or_else(|| format!("{table} has no log of writes"))?;
            if row[0] == true {
                return Err(format!("{table} is suspended: {}", row[3]));
            }
            if row[1] == row[2] {
                return Ok(());
            }
            if began.elapsed() > LIMIT {
                return Err(format!("{table} is at write {} of {} after {LIMIT:?}", row[1], row[2]));
            }
            sleep(PAUSE);
        }
    }

    /// One question over a connection of its own; the status and the body.
    fn ask(&self, request: &str) -> Result<(u16, String), String> {
        http::ask(&self.http, request)
    }

    /// Kills the server as `kill -9` does; the command then ends by itself.
    ///
    /// # Panics
    /// When it does not end.
    pub fn kill(&mut self) -> ExitStatus {
        self.signal(Signal::KILL);
        self.ended()
    }

    /// Kills the command and not the server.
    ///
    /// # Panics
    /// When it has ended.
    pub fn kill_command(&mut self) {
        self.up.kill().expect("it runs");
        self.up.wait().expect("it is a child");
    }

    /// Stops the server by way of the command.
    ///
    /// # Panics
    /// When it does not end.
    pub fn terminate(&mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.up), Signal::TERM).expect("the command runs");
        self.ended()
    }

    /// Stands the server still: connections are accepted and nothing is answered.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn cont(&self) {
        self.signal(Signal::CONT);
    }

    /// Starts it again, at the same addresses and on the same folder, after it has ended.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn restart(&mut self) {
        let again = QuestDb::start_at(&self.dir, [&self.http, &self.pg, &self.health]);
        *self = again;
    }

    /// How much of the disk its folder takes, in MiB, also what is set aside and holds nothing yet.
    pub fn disk_mib(&self) -> u64 {
        fn blocks(dir: &Path) -> u64 {
            // The server removes files meanwhile.
            let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
            let of = |entry: std::fs::DirEntry| match entry.metadata() {
                Ok(there) if there.is_dir() => blocks(&entry.path()),
                Ok(there) => there.blocks(),
                Err(_) => 0,
            };
            entries.map(of).sum()
        }
        blocks(&self.dir) * 512 / (1 << 20)
    }

    /// Whether the server's process is there; one that has ended and was not taken leave of is not.
    pub fn runs(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid.as_raw_nonzero())).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
    }

    /// What the command has said, once it has ended.
    ///
    /// # Panics
    /// When it is asked twice.
    pub fn said(&mut self) -> String {
        let mut said = String::new();
        let from = self.up.stderr.as_mut().expect("it is piped");
        from.read_to_string(&mut said).expect("it says text");
        said
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("the server runs");
    }

    fn ended(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.up.try_wait().expect("it is a child") {
                return status;
            }
            assert!(began.elapsed() < LIMIT, "the command does not end");
            sleep(PAUSE);
        }
    }
}

impl Drop for QuestDb {
    fn drop(&mut self) {
        // A server whose command has ended has ended too, and its number may be another's.
        if self.up.try_wait().is_ok_and(|ended| ended.is_none()) {
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = self.up.wait();
        }
    }
}
