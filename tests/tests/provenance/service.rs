//! A run that trades at random on a synthetic day, with groups, replaces and refusals, and its journal.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tidegate::Registries;
use tidegate::provenance::Why;
use tidegate::recovery::Notices;
use tidegate_tests::{Outcome, Scratch, run, tidegate};

/// The run and its folder.
pub(crate) struct Service {
    pub(crate) folder: Scratch,
}

impl Service {
    /// A day of so many messages. Limits are low, so that some orders are refused.
    pub(crate) fn new(messages: u64) -> Service {
        Service::with(messages, "")
    }

    /// The same with more in its configuration.
    pub(crate) fn with(messages: u64, more: &str) -> Service {
        let service = Service { folder: Scratch::new() };
        let text = format!(
            "[pipeline]\nstages = [\"book\", \"bars\", \"cvd\", \"imbalance\", \"vpin\", \"random\", \"orders\", \"risk\", \
             \"router\"]\n[book]\nmax_orders = 65536\nmax_levels = 65536\nmax_books = 64\n[vpin]\nbucket_qty = 1000\n\
             [random]\nseed = 5\nevery = 3\n[risk]\nmax_quantity = 250\nmax_notional = 50000\n\
             [sim]\norder_latency_ns = 20000\nmax_own_orders = 4096\nmax_orders = 65536\nmax_levels = 65536\nmax_books = 64\n\
             {more}[journal]\ndir = \"{}\"\nsegment_records = 8192\nroll = \"never\"\n\
             [[input]]\nfeed = \"synthetic\"\nseed = 3\nmessages = {messages}\nsymbols = 6\nlive_orders = 600\n",
            service.journal().display()
        );
        std::fs::write(service.config(), text).expect("the folder is writable");
        service
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("service.toml")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// The folder of the index.
    pub(crate) fn index(&self) -> PathBuf {
        self.journal().join("why")
    }

    pub(crate) fn start(&self) -> Child {
        let mut command = Command::new(tidegate());
        command.arg("run").arg(self.config()).args(["--speed", "max", "--json"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("tidegate starts")
    }

    /// Runs to the end.
    pub(crate) fn finish(&self) {
        let speed = ["--speed", "max", "--json"].map(std::ffi::OsStr::new);
        run(["run".as_ref(), self.config().as_os_str()].into_iter().chain(speed)).expect(0);
    }

    /// The journal, open for questions.
    pub(crate) fn why(&self) -> Why {
        why(&self.journal())
    }

    /// Rows of these kinds, as an export prints them.
    pub(crate) fn export(&self, kinds: &str) -> Vec<Value> {
        export(&self.journal(), kinds)
    }

    /// The command itself.
    pub(crate) fn ask(&self, order: &str, more: &[&str]) -> Outcome {
        let journal = self.journal();
        let words = ["why".as_ref(), journal.as_os_str(), order.as_ref()];
        run(words.into_iter().chain(more.iter().map(|word| word.as_ref())))
    }
}

/// Rows of these kinds, as an export of a journal prints them.
pub(crate) fn export(journal: &Path, kinds: &str) -> Vec<Value> {
    let words = ["journal".as_ref(), "export".as_ref(), journal.as_os_str(), "--emit".as_ref(), kinds.as_ref()];
    let text = run(words).expect(0).stdout;
    text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

/// A journal, open for questions.
pub(crate) fn why(journal: &Path) -> Why {
    Why::open(journal, &Registries::default(), Notices::default()).expect("a journal")
}

/// Waits for something that comes.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < end, "{what} does not come");
        std::thread::sleep(Duration::from_millis(1));
    }
}
