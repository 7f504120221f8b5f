//! A configuration of the engine in a folder of its own, and what is done to the process that runs it.

use super::process::Life;
use super::retimed;
use crate::scratch::forget_memory;
use crate::{Outcome, Scratch, run, tidegate};
use feeds::synthetic::{Synthetic, SyntheticConfig};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Stages of a pipeline that trades at random.
const STAGES: &str = "stages = [\"book\", \"bars\", \"random\", \"orders\", \"risk\", \"router\"]\n";
/// Limits that let nearly everything through.
const RISK: &str = "[risk]\nmax_quantity = 5000\nmax_notional = 100000000\ncollar_bps = 5000\nmax_position = 1000000\n\
                    max_messages = 4000\nmax_data_age_ms = 60000\n";

/// A service, and its files.
pub struct Service {
    folder: Scratch,
    config: String,
    /// Further options of every start.
    options: Vec<String>,
    /// Variables of every start.
    variables: Vec<(String, String)>,
    /// Where its journal is, if not in its folder.
    journal: Option<PathBuf>,
    lives: std::cell::Cell<u64>,
}

impl Service {
    /// A service with this configuration.
    ///
    /// # Panics
    /// When there is no room for a folder.
    pub fn new(config: impl Into<String>) -> Service {
        Service::within(Scratch::new(), config)
    }

    fn within(folder: Scratch, config: impl Into<String>) -> Service {
        Service {
            folder,
            config: config.into(),
            options: Vec::new(),
            variables: Vec::new(),
            journal: None,
            lives: std::cell::Cell::new(0),
        }
    }

    /// Trades at random with a venue on this port. Under the wall clock it takes inputs as fast as it can and writes a hundred
    /// megabytes a second, so its folder is in memory where that is possible; no watchdog looks at a machine of a test.
    ///
    /// # Panics
    /// When there is no room for a folder.
    pub fn trading(port: u16) -> Service {
        let folder = Scratch::in_memory();
        Service::within(
            folder,
            format!(
                "[pipeline]\n{STAGES}clock = \"wall\"\nstall_ms = 0\n[router]\nvenue = \"wire\"\n\
             [wire]\naddress = \"127.0.0.1:{port}\"\ntimeout_ms = 500\n[random]\nevery = 8\nmax_position = 900000\n\
             max_open = 100\n{RISK}[journal]\nsegment_records = 16384\nroll = \"never\"\n\
             [[input]]\nfeed = \"synthetic\"\nmessages = 1000000000\nsymbols = 4\nlive_orders = 400\n"
            ),
        )
    }

    /// Trades at random on paper, on a day of so many messages.
    pub fn paper(messages: u64) -> Service {
        Service::new(format!(
            "[pipeline]\n{STAGES}[random]\nevery = 40\n{RISK}[journal]\nsegment_records = 16384\nroll = \"never\"\n\
             [[input]]\nfeed = \"synthetic\"\nmessages = {messages}\nsymbols = 6\nlive_orders = 600\n"
        ))
    }

    /// Trades at random on paper, on days of so many messages, each a file whose numbers of instruments are its own.
    ///
    /// # Panics
    /// When there is no room for the files.
    pub fn paper_over_days(days: u64, messages: u64) -> Service {
        let service = Service::new(format!(
            "[pipeline]\n{STAGES}[random]\nevery = 40\n{RISK}[journal]\nsegment_records = 16384\nroll = \"never\"\n\
             [[input]]\nfeed = \"itch\"\nfiles = [\"day_*.itch\"]\n"
        ));
        for seed in 1..=days {
            let config = SyntheticConfig { messages, seed, symbols: 6, live_orders: 600, ..SyntheticConfig::default() };
            let mut day = Vec::new();
            Synthetic::new(&config).expect("a valid day").write_to(&mut day, |_| ()).expect("a vector takes it");
            std::fs::write(service.path(&format!("day_202001{:02}.itch", 26 + seed)), day).expect("a folder");
        }
        service
    }

    /// The same, and nobody has to wait for the market to open: what comes before half past nine comes one second before it.
    ///
    /// # Panics
    /// When there is no room for its file.
    pub fn paper_at_the_open(messages: u64) -> Service {
        Service::paper_from_the_open_on(messages, 6)
    }

    /// The same with so many symbols.
    ///
    /// # Panics
    /// When there is no room for its file.
    pub fn paper_from_the_open_on(messages: u64, symbols: u32) -> Service {
        const OPEN_NS: u64 = 34_200_000_000_000;
        Service::paper_retimed(messages, symbols, |ns| ns.max(OPEN_NS - 1_000_000_000))
    }

    /// Trades at random on paper, on a day whose messages come one after another at the same distance from 3 h to 20 h.
    ///
    /// # Panics
    /// When there is no room for its file.
    pub fn paper_evenly(messages: u64, symbols: u32) -> Service {
        const HOUR_NS: u64 = 3_600_000_000_000;
        let mut passed = 0;
        Service::paper_retimed(messages, symbols, |_| {
            passed += 1;
            3 * HOUR_NS + (u128::from(17 * HOUR_NS) * passed / u128::from(messages)) as u64
        })
    }

    fn paper_retimed(messages: u64, symbols: u32, when: impl FnMut(u64) -> u64) -> Service {
        let config = SyntheticConfig { messages, symbols, live_orders: 100 * symbols, ..SyntheticConfig::default() };
        let service = Service::new(format!(
            "[pipeline]\n{STAGES}[random]\nevery = 40\n{RISK}[journal]\nsegment_records = 16384\nroll = \"never\"\n\
             [[input]]\nfeed = \"itch\"\nfiles = [\"day.itch\"]\ndate = \"{}\"\n",
            config.date
        ));
        let file = std::fs::File::create(service.path("day.itch")).expect("the folder is writable");
        retimed::write(&config, file, when);
        service
    }

    /// The same with `--set` of this, at every start.
    #[must_use]
    pub fn with(mut self, setting: impl Into<String>) -> Service {
        self.options.extend(["--set".to_owned(), setting.into()]);
        self
    }

    /// The same with this variable in the environment of its process, or without it.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: Option<&str>) -> Service {
        self.variables.retain(|(known, _)| known != name);
        self.variables.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        self
    }

    /// The same with its journal there.
    #[must_use]
    pub fn with_journal(mut self, journal: PathBuf) -> Service {
        self.journal = Some(journal);
        self
    }

    /// A file of its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its journal.
    pub fn journal(&self) -> PathBuf {
        self.journal.clone().unwrap_or_else(|| self.path("journal"))
    }

    /// Gives it this configuration from now on, while it runs or not.
    ///
    /// # Panics
    /// When the folder is full.
    pub fn reconfigure(&mut self, config: impl Into<String>) {
        self.config = config.into();
        self.config();
    }

    /// The text of its configuration.
    pub fn text(&self) -> &str {
        &self.config
    }

    /// The configuration, written to a file.
    ///
    /// # Panics
    /// When the folder is full.
    pub fn config(&self) -> PathBuf {
        let path = self.path("service.toml");
        std::fs::write(&path, &self.config).expect("the folder is writable");
        path
    }

    /// The command that starts it, its journal at `journal`.
    pub fn command(&self, journal: &Path, speed: &str) -> Command {
        let mut command = Command::new(tidegate());
        command.arg("run").arg(self.config()).arg("--journal").arg(journal);
        command.args(["--speed", speed]).args(&self.options).stdin(Stdio::null()).stdout(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts it.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(&self, speed: &str) -> Life {
        self.start_at(&self.journal(), speed)
    }

    /// Starts it with another journal.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_at(&self, journal: &Path, speed: &str) -> Life {
        self.lives.set(self.lives.get() + 1);
        let output = self.path(&format!("life-{}.txt", self.lives.get()));
        let file = std::fs::File::create(&output).expect("the folder is writable");
        let mut command = self.command(journal, speed);
        Life { child: command.stderr(file).spawn().expect("tidegate starts"), output }
    }

    /// Starts it with a standard error that nobody reads.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_unread(&self, speed: &str) -> Life {
        let mut command = self.command(&self.journal(), speed);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("tidegate starts");
        drop(child.stderr.take());
        Life { child, output: self.path("unread.txt") }
    }

    /// Runs it to its end, with these further options.
    pub fn finish(&self, more: &[&str]) -> Outcome {
        let (config, journal) = (self.config(), self.journal());
        let fixed = ["run".as_ref(), config.as_os_str(), "--journal".as_ref(), journal.as_os_str()];
        let rest = self.options.iter().map(OsStr::new).chain(more.iter().map(OsStr::new));
        run(fixed.into_iter().chain(rest))
    }

    /// Whether commands can be given.
    pub fn listens(&self) -> bool {
        UnixStream::connect(self.socket()).is_ok()
    }

    /// The control socket.
    pub fn socket(&self) -> PathBuf {
        self.journal().join("control.sock")
    }

    /// `tidegate ctl JOURNAL` with these words.
    pub fn ctl(&self, words: &[&str]) -> Outcome {
        let journal = self.journal();
        run(["ctl".as_ref(), journal.as_os_str()].into_iter().chain(words.iter().map(OsStr::new)))
    }

    /// `tidegate SUBCOMMAND` with the journal after it.
    pub fn about(&self, words: &[&str]) -> Outcome {
        let journal = self.journal();
        run(words.iter().map(OsStr::new).chain([journal.as_os_str()]))
    }

    /// The status of the running engine.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn status(&self) -> Value {
        serde_json::from_str(&self.ctl(&["status", "--json"]).expect(0).stdout).expect("one JSON object")
    }

    /// Writes bytes to the control socket and reads the answer, without `ctl`.
    ///
    /// # Errors
    /// When nobody listens or answers.
    pub fn say(&self, bytes: &[u8]) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(self.socket())?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(bytes)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Service {
    /// A journal that lies elsewhere goes too.
    fn drop(&mut self) {
        if let Some(journal) = &self.journal {
            forget_memory(journal);
            let _ = std::fs::remove_dir_all(journal);
        }
    }
}
