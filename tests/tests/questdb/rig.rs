//! A recorded run, a server, and the sink between them.

use crate::recorded::TABLES;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tidegate_tests::{Outcome, QuestDb, Scratch, run, tidegate};

/// Stages of a run that makes rows of every kind that a replay can make.
const STAGES: &str = "pipeline.stages=book,bars,cvd,flow,footprint,pace,signing,event-bars,patterns,venues,absorption,layering,imbalance,fate,imbalance-variability,spread,ofi,price-impact,depth-slope,vpin,toxicity,profile,state,breakout,untested,legs,\
     lvn-alerts,market-alerts,average,rsi,macd,atr,bollinger,donchian,vwap,pivots,swings,volatility,regime,correlation,random,trend,reversion,orders,risk,router";

/// Stages of a run that trades: enough wherever it does not matter which measures there are.
const TRADING: &str = "pipeline.stages=book,bars,cvd,imbalance,vpin,random,orders,risk,router";

/// A journal and a server.
pub(crate) struct Rig {
    pub(crate) server: QuestDb,
    pub(crate) journal: PathBuf,
    _folder: Scratch,
}

impl Rig {
    /// A synthetic day of so many messages, with every measure.
    pub(crate) fn synthetic(messages: u64) -> Rig {
        Rig::day(messages, STAGES)
    }

    /// A synthetic day of so many messages, traded without most measures.
    pub(crate) fn trading(messages: u64) -> Rig {
        Rig::day(messages, TRADING)
    }

    fn day(messages: u64, stages: &str) -> Rig {
        let folder = Scratch::new();
        let day = folder.path().join("day.itch");
        let day = day.to_str().expect("a path of text");
        run(["synth", "--out", day, "--messages", &messages.to_string(), "--symbols", "20", "--live-orders", "2000"])
            .expect(0);
        Rig::of(folder, stages, &["--input", day, "--date", "2020-01-30", "--set", "random.every=40"])
    }

    /// Recorded data.
    pub(crate) fn data(files: &[PathBuf]) -> Rig {
        let inputs = files.iter().map(|file| file.to_str().expect("a path of text"));
        Rig::of(Scratch::new(), STAGES, &["--input"].into_iter().chain(inputs).collect::<Vec<_>>())
    }

    fn of(folder: Scratch, stages: &str, inputs: &[&str]) -> Rig {
        let journal = folder.path().join("run");
        let to = ["--journal", journal.to_str().expect("a path of text"), "--set", "outcomes.kinds=all"];
        run(["replay", "--set", stages].iter().chain(inputs).chain(&to)).expect(0);
        let server = QuestDb::start(&folder.path().join("server"));
        Rig { server, journal, _folder: folder }
    }

    pub(crate) fn dir(&self) -> &str {
        self.journal.to_str().expect("a path of text")
    }

    /// The sink, to its end.
    pub(crate) fn sink(&self, more: &[&str]) -> Outcome {
        let address = format!("address={}", self.server.http);
        run(["sink", "questdb", "--journal", self.dir(), "--set", &address].iter().chain(more))
    }

    /// The sink, running.
    pub(crate) fn start(&self, more: &[&str]) -> Child {
        let mut command = Command::new(tidegate());
        command.args(["sink", "questdb", "--journal", self.dir(), "--set", &format!("address={}", self.server.http)]);
        command.args(more).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("it starts")
    }

    /// Removes all rows, and what the follower has saved.
    pub(crate) fn anew(&self) {
        for table in TABLES {
            self.query(&format!("truncate table {table}"));
        }
        self.forget();
    }

    pub(crate) fn forget(&self) {
        run(["journal", "forget", self.dir(), "questdb"]).expect(0);
    }

    #[track_caller]
    pub(crate) fn query(&self, sql: &str) -> Vec<Vec<serde_json::Value>> {
        self.server.query(sql).unwrap_or_else(|why| panic!("{sql}: {why}"))
    }

    /// One number.
    #[track_caller]
    pub(crate) fn number(&self, sql: &str) -> u64 {
        self.query(sql)[0][0].as_u64().unwrap_or_else(|| panic!("{sql}: no number"))
    }

    /// What tells the rows of a table from any others: how many, how many keys, and sums over all columns of numbers.
    #[track_caller]
    pub(crate) fn print(&self) -> Vec<(String, String)> {
        TABLES.iter().map(|table| (table.to_string(), self.print_of(table))).collect()
    }

    fn print_of(&self, table: &str) -> String {
        self.server.wait_applied(table).unwrap_or_else(|why| panic!("{table}: {why}"));
        let key = "ts, journal, seq, position, ordinal";
        let rows = self.number(&format!("select count() from {table}"));
        let keys = self.number(&format!("select count() from (select distinct {key} from {table})"));
        assert_eq!(rows, keys, "{table}: a row twice");
        let mut columns = self.query(&format!("show columns from {table}"));
        // One that was dropped and mended stands at the end.
        columns.sort_by_key(|column| column[0].as_str().map(str::to_owned));
        let sums = columns.iter().filter_map(|column| {
            let (name, ty) = (column[0].as_str()?, column[1].as_str()?);
            match ty {
                // Whole numbers, so that no sum depends on its order.
                "LONG" | "INT" => Some(format!("sum(\"{name}\" % 1000003), count(\"{name}\")")),
                "DOUBLE" => Some(format!("sum(cast(\"{name}\" * 1000000 as long)), count(\"{name}\")")),
                "TIMESTAMP_NS" => Some(format!("sum(\"{name}\"::long % 1000003), count(\"{name}\")")),
                "SYMBOL" => Some(format!("count(\"{name}\"), count_distinct(\"{name}\")")),
                _ => Some(format!("sum(case when \"{name}\" then 1 else 0 end)")),
            }
        });
        let sums = sums.collect::<Vec<_>>().join(", ");
        format!("{rows}: {:?}", self.query(&format!("select {sums} from {table}"))[0])
    }
}
