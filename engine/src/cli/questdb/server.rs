//! The server as a child: started, asked until it answers, stopped.
//!
//! It has a process group of its own, so a Ctrl-C reaches only us, who then stop it in order. And it ends with us: where
//! `setpriv` is there, the kernel sends it SIGTERM when this process ends in whatever way, a kill included. That signal
//! belongs to the thread that starts it, which is the first one here and waits for it to the end.
//!
//! Bound: [`READY`] until it answers, [`STOP`] until it has stopped.

use super::address::{Addresses, PATIENCE, reached, version_at};
use super::folder::Folder;
use super::http::get;
use super::java::on_path;
use crate::cli::console;
use crate::cli::exit::Failure;
use crate::cli::signals::{AGAIN, Signals};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long it may take until it answers.
const READY: Duration = Duration::from_secs(60);
/// How often its start is said to go on.
const SAY: Duration = Duration::from_secs(10);
/// How long it may take to stop.
const STOP: Duration = Duration::from_secs(30);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// A server that was started.
pub(super) struct Server<'a> {
    child: Child,
    folder: &'a Folder,
    addresses: Addresses,
    /// Its process.
    pub(super) pid: u32,
}

/// How the start of a server ended, if it did not fail.
pub(super) enum Started {
    /// It answers, and is of this version.
    Ready(String),
    /// A signal came first.
    Stopped,
}

impl<'a> Server<'a> {
    /// Starts it.
    pub(super) fn start(
        java: &Path,
        jar: &Path,
        folder: &'a Folder,
        addresses: Addresses,
    ) -> Result<Server<'a>, Failure> {
        let log = folder.open_log()?;
        let failed = |e: io::Error| Failure::failed(format!("the server does not start: {e}"));
        let mut command = with_our_end(java);
        // Without memory it ends, and that is seen, instead of going on with half of its threads.
        command.args(["-XX:+ExitOnOutOfMemoryError".as_ref(), error_file(folder).as_os_str(), "-p".as_ref()]);
        command.arg(jar).args(["-m", "io.questdb/io.questdb.ServerMain", "-d"]).arg(&folder.dir);
        // Two have an older and a newer name, and whichever the settings have must not hold.
        for (name, address) in [
            ("QDB_HTTP_BIND_TO", addresses.http),
            ("QDB_HTTP_NET_BIND_TO", addresses.http),
            ("QDB_PG_NET_BIND_TO", addresses.pg),
            ("QDB_HTTP_MIN_BIND_TO", addresses.health),
            ("QDB_HTTP_MIN_NET_BIND_TO", addresses.health),
        ] {
            command.env(name, address.to_string());
        }
        let errors = log.try_clone().map_err(failed)?;
        command.stdin(Stdio::null()).stdout(log).stderr(errors).process_group(0);
        let child = command.spawn().map_err(failed)?;
        let pid = child.id();
        Ok(Server { child, folder, addresses, pid })
    }

    /// Waits until it answers.
    pub(super) fn wait_until_ready(&mut self, signals: &Signals) -> Result<Started, Failure> {
        let began = Instant::now();
        let mut said = began;
        while began.elapsed() < READY {
            if let Some(status) = self.ended()? {
                return Err(self.death("ended before it answered", status));
            }
            if signals.came() {
                return Ok(Started::Stopped);
            }
            if let Some(version) = self.answers() {
                return Ok(Started::Ready(version));
            }
            if said.elapsed() >= SAY {
                said = Instant::now();
                console::say(format!("it does not answer yet, after {} s", began.elapsed().as_secs()));
            }
            sleep(PAUSE);
        }
        let lines = self.folder.last_lines();
        self.stop(signals)?;
        Err(Failure::failed(format!("the server did not answer within {} s; {lines}", READY.as_secs())))
    }

    /// Its version, once it is healthy and answers a query, if only that it wants the password of the user's settings.
    fn answers(&self) -> Option<String> {
        let is_well = |address, path| {
            get(reached(address), path, PATIENCE).is_ok_and(|answer| [200, 401].contains(&answer.status))
        };
        let is_up = is_well(self.addresses.health, "/status") && is_well(self.addresses.http, "/exec?query=select%201");
        is_up.then(|| version_at(self.addresses.http))?
    }

    /// Waits until it is to be stopped; that it ends by itself is a failure.
    pub(super) fn wait(&mut self, signals: &Signals) -> Result<(), Failure> {
        while !signals.came() {
            if let Some(status) = self.ended()? {
                return Err(self.death("ended by itself", status));
            }
            sleep(PAUSE);
        }
        Ok(())
    }

    /// Asks it to stop, and kills it if it does not.
    pub(super) fn stop(&mut self, signals: &Signals) -> Result<(), Failure> {
        // One that has ended meanwhile is found below.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let began = Instant::now();
        while self.ended()?.is_none() {
            if signals.came() && began.elapsed() >= AGAIN {
                signals.end_at_next();
            }
            if began.elapsed() >= STOP {
                let killed = self.child.kill().and_then(|()| self.child.wait());
                killed.map_err(|e| Failure::failed(format!("the server cannot be killed: {e}")))?;
                let lines = self.folder.last_lines();
                let limit = STOP.as_secs();
                return Err(Failure::failed(format!(
                    "the server did not stop within {limit} s and was killed; {lines}"
                )));
            }
            sleep(PAUSE);
        }
        Ok(())
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, Failure> {
        self.child.try_wait().map_err(|e| Failure::failed(format!("the server cannot be watched: {e}")))
    }

    fn death(&self, how: &str, status: ExitStatus) -> Failure {
        Failure::failed(format!("the server {how} ({status}); {}", self.folder.last_lines()))
    }
}

/// The program, which gets SIGTERM when this process ends, where that can be arranged.
fn with_our_end(program: &Path) -> Command {
    let knows = |setpriv: &Path| {
        let help = Command::new(setpriv).arg("--help").output();
        help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--pdeathsig"))
    };
    match on_path("setpriv").filter(|setpriv| knows(setpriv)) {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "TERM", "--"]).arg(program);
            command
        }
        None => {
            console::say(
                "there is no setpriv (util-linux): if this process is killed, the server stays and is yours to stop",
            );
            Command::new(program)
        }
    }
}

/// Where Java writes what it knows when it crashes.
fn error_file(folder: &Folder) -> std::ffi::OsString {
    let mut option = OsStr::new("-XX:ErrorFile=").to_owned();
    option.push(folder.dir.join("java-crash-%p.log"));
    option
}
