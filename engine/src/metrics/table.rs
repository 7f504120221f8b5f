//! Every metric: its name, type, unit, labels and what it says. The page `engine/docs/metrics.md` repeats this table.
//!
//! **The rule of names.** `tidegate_SUBJECT_WHAT[_UNIT][_total]`. The subject is what has the metric: `group`, `ring`, `feed`. The
//! unit is the base unit: seconds, bytes, events. A number of things that are named by `WHAT` has none, and neither has what is
//! in the unit of its label: money in its `currency`, a limit in the unit of its `check`. `_total` ends the name of a counter, and of
//! nothing else. A label is one word that names the subject. A value that is not known is left out, never 0.

use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// What comes before each name.
pub const PREFIX: &str = "tidegate";

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// It only rises, and begins anew with the process or the journal.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Times, counted by length.
    Histogram,
    /// Labels alone.
    Info,
}

impl Type {
    pub(super) const fn of(self) -> MetricType {
        match self {
            Type::Counter => MetricType::Counter,
            Type::Gauge => MetricType::Gauge,
            Type::Histogram => MetricType::Histogram,
            Type::Info => MetricType::Info,
        }
    }

    /// What ends its name.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Type::Counter => "_total",
            Type::Info => "_info",
            Type::Gauge | Type::Histogram => "",
        }
    }
}

/// A metric; see the rule of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Subject and what, without prefix and unit.
    pub name: &'static str,
    /// How it behaves.
    pub ty: Type,
    /// Its base unit; empty for none.
    pub unit: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, in a sentence.
    pub help: &'static str,
}

impl Metric {
    pub(super) fn unit(&self) -> Option<Unit> {
        match self.unit {
            "" => None,
            "seconds" => Some(Unit::Seconds),
            "bytes" => Some(Unit::Bytes),
            other => Some(Unit::Other(other.to_owned())),
        }
    }

    /// Its whole name, as a query has it.
    pub fn full_name(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!("_{}", self.unit) };
        format!("{PREFIX}_{}{unit}{}", self.name, self.ty.suffix())
    }
}

macro_rules! metrics {
    ($($(#[$about:meta])* $id:ident = $ty:ident $name:literal $unit:literal [$($label:literal),*] $help:literal;)*) => {
        $(pub(super) const $id: Metric =
            Metric { name: $name, ty: Type::$ty, unit: $unit, labels: &[$($label),*], help: $help };)*

        /// All of them, in the order in which they are shown.
        pub const METRICS: &[Metric] = &[$($id),*];
    };
}

metrics! {
    BUILD = Info "build" "" ["version", "build"] "The version and the build that runs; journals bear the build.";
    READY = Gauge "ready" "" [] "1 once the record is replayed and every feed and venue is up, else 0; /readyz says what is missing.";
    HEALTHY = Gauge "healthy" "" [] "1 while the pipeline moves, else 0; /healthz says what stands still.";
    STARTED = Gauge "process_start_time" "seconds" [] "When the process began, since 1970.";
    CPU = Counter "process_cpu" "seconds" [] "Processor time of all threads of the process.";
    RESIDENT = Gauge "process_resident_memory" "bytes" [] "Memory of the process that is in use.";
    OPEN_FILES = Gauge "process_open_files" "" [] "File descriptors that are open.";
    THREADS = Gauge "process_threads" "" [] "Threads of the process.";

    ADMITTED = Counter "pipeline_inputs_admitted" "" [] "Number of the last input that entered, over the whole run.";
    FINISHED = Counter "pipeline_inputs_finished" "" [] "Number of the last input that the pipeline has finished.";
    PENDING = Gauge "pipeline_inputs_pending" "" [] "Inputs that have entered and are not finished.";
    TURNS = Counter "pipeline_head_turns" "" [] "Turns of the head, which stand still while it hangs.";
    STALLED = Gauge "pipeline_stalled" "" [] "1 while an input is not finished for longer than pipeline.stall_ms, else 0.";
    RECOVERED = Gauge "pipeline_recovered" "" [] "1 once the recorded inputs are replayed and accepted, else 0.";

    GROUP_BUSY = Counter "group_busy" "seconds" ["group"] "Time of turns that took events, without waits for room.";
    GROUP_IDLE = Counter "group_idle" "seconds" ["group"] "Time of turns that found no events.";
    GROUP_BLOCKED = Counter "group_blocked" "seconds" ["group"] "Time of waits for room in the ring behind the group.";
    GROUP_TURNS = Counter "group_turns" "" ["group"] "Turns that took events.";
    GROUP_WAITS = Counter "group_waits" "" ["group"] "Waits for room in the ring behind the group.";
    GROUP_LONGEST_TURN = Gauge "group_longest_turn" "seconds" ["group"] "The longest turn so far, without its waits.";
    GROUP_LONGEST_WAIT = Gauge "group_longest_wait" "seconds" ["group"] "The longest wait for room so far.";
    GROUP_SINCE_TURN = Gauge "group_since_turn" "seconds" ["group"] "Time since the last turn that is accounted for: it grows while the group hangs.";
    GROUP_LATENCY = Histogram "group_latency" "seconds" ["group"] "Pass of an event through a whole group, sampled.";
    STAGE_LATENCY = Histogram "stage_latency" "seconds" ["stage"] "Work of a stage on an event, sampled.";

    RING_CAPACITY = Gauge "ring_capacity" "events" ["ring"] "Slots of the ring.";
    RING_OCCUPANCY = Gauge "ring_occupancy" "events" ["ring"] "Slots in use now, nearly.";
    RING_HIGH_WATER = Gauge "ring_high_water" "events" ["ring"] "Most slots that were seen in use.";
    RING_EVENTS = Counter "ring_published" "events" ["ring"] "Events that were published, watermarks included.";
    RING_FULL = Counter "ring_found_full" "" ["ring"] "Attempts to publish that found the ring full.";
    RING_EMPTY = Counter "ring_found_empty" "" ["ring"] "Attempts to take that found the ring empty.";
    RING_HOP = Gauge "ring_hop" "seconds" ["ring"] "One way between the cores of the ring's ends, as measured at the start.";

    FEED_STANDING = Gauge "feed_standing" "" ["feed", "standing"] "1 for how the feed stands now (opening, up, ended, failed), 0 for the others.";
    FEED_INPUTS = Counter "feed_inputs" "" ["feed"] "Inputs of the feed, from the journal that was current when the process began.";
    FEED_LAST = Gauge "feed_last_input_time" "seconds" ["feed"] "When the last input of the feed entered, by the clock of the run, since 1970.";
    FEED_AGE = Gauge "feed_age" "seconds" ["feed"] "Time since the last input of the feed; under the exchange's clock up to the newest input of all feeds.";

    VENUE_SESSION = Gauge "venue_session" "" ["venue", "session"] "1 for how the session stands now (opening, settling, open, lost, ended), 0 for the others.";
    VENUE_SINCE = Gauge "venue_session_age" "seconds" ["venue"] "For how long the session has stood so.";
    VENUE_HEARD = Gauge "venue_silence" "seconds" ["venue"] "Time since the venue was last heard.";
    VENUE_LOST = Counter "venue_sessions_lost" "" ["venue"] "Sessions that were lost or could not be opened.";
    VENUE_BACK = Counter "venue_sessions_regained" "" ["venue"] "Lost sessions that came back.";
    VENUE_OPEN_ORDERS = Gauge "venue_open_orders" "" ["venue"] "Orders that may be open at the venue.";
    VENUE_UNANSWERED = Gauge "venue_routes_unanswered" "" ["venue"] "Routes without an answer.";
    VENUE_LATE = Counter "venue_routes_late" "" ["venue"] "Routes that were without an answer for too long.";
    VENUE_UNSOLICITED = Counter "venue_unsolicited" "" ["venue"] "Executions and orders that came and that nobody here sent, of a venue that numbers nothing.";
    VENUE_UNEXPLAINED = Gauge "venue_orders_unexplained" "" ["venue"] "Orders of which such a venue says more than it tells: their instruments are blocked there.";
    VENUE_UNKNOWN = Gauge "venue_orders_unknown" "" ["venue"] "Orders of which such a venue cannot say anything: likewise.";
    CLOSED = Gauge "kill_switch_closed" "" [] "1 while no new order leaves, whatever the pipeline approves, else 0.";
    PULLS = Counter "kill_switch_pulls" "" [] "Halts and cancels of everything that were handed to the gateways.";

    DISK_BEHIND = Gauge "journal_segments_behind" "" [] "Full segments in memory that are not on the disk yet.";
    DISK_BOUND = Gauge "journal_segments_behind_bound" "" [] "How many there may be before inputs wait.";
    DISK_WAITING = Gauge "journal_waiting" "seconds" [] "For how long inputs have been waiting for the disk now.";
    DISK_WAITS = Counter "journal_waits" "" [] "How often inputs have begun to wait for the disk.";
    FOLLOWER_BEHIND = Gauge "follower_behind" "events" ["follower"] "Events of the journal that a follower has not committed: sinks are followers.";
    FOLLOWER_AGE = Gauge "follower_behind" "seconds" ["follower"] "Time of the run between the last input that a follower has committed and the newest.";
    FOLLOWER_RUNS = Gauge "follower_running" "" ["follower"] "1 while a process goes by the name of the follower, else 0.";

    READ_SEQ = Gauge "last_values_seq" "" [] "Number of the last input that the last values include.";
    READ_BEHIND = Gauge "last_values_behind" "" [] "Inputs that the pipeline has finished and the last values do not include.";
    READ_GAPS = Counter "last_values_gaps" "" [] "Pieces of the journal that were gone before the last values had read them.";
    STALE = Gauge "instruments_stale" "" [] "Instruments without market data for metrics.stale_ms, in market hours.";
    EVENTS = Counter "events" "" ["kind"] "Inputs and recorded outcomes by kind, from the journal that was current when the process began.";
    ANOMALIES = Counter "anomalies" "" ["anomaly"] "Anomalies of the run.";
    COMMANDS = Counter "commands" "" ["action", "result"] "Commands of operators by what became of them, counted likewise.";
    HALTED = Gauge "trading_halted" "" ["reason"] "1 for the reason for which trading is halted; left out while it trades.";
    REFUSALS = Counter "risk_refusals" "" ["check"] "Orders that risk refused, by the first check that they failed.";
    LIMIT = Gauge "risk_limit" "" ["check", "table"] "The limit in force, in the unit of its check; table 0 is the section [risk].";
    LIMIT_CEILING = Gauge "risk_limit_ceiling" "" ["check", "table"] "The most that a command may set it to.";
    LIMIT_USED = Gauge "risk_limit_used" "" ["check", "table"] "What is used of a limit on a sum: the largest position, the orders open at venues.";
    BOUND = Gauge "bound" "" ["what"] "The bound of a table of the pipeline.";
    BOUND_USED = Gauge "bound_used" "" ["what"] "What is used of it.";
    POSITIONS = Gauge "positions" "" ["account"] "Positions that are not flat.";
    REALISED = Gauge "position_realised" "" ["account", "currency"] "Realised profit before fees, in the currency, of all positions whose multiplier is known.";
    FEES = Gauge "position_fees" "" ["account", "currency"] "Fees, in the currency, as far as they are known.";

    SINK_EVENTS = Counter "sink_taken" "events" ["sink"] "Events that the sink of this process took, repetitions included.";
    SINK_COMMITS = Counter "sink_commits" "" ["sink"] "Commits.";
    SINK_RETRIES = Counter "sink_retries" "" ["sink"] "Errors after which it went on.";
    SINK_GAPS = Counter "sink_gaps" "" ["sink"] "Pieces of the journal that were gone before it had read them.";
    SINK_SEQ = Gauge "sink_committed_seq" "" ["sink"] "The last input that it has committed with its outcomes.";
    SINK_COMMITTED = Gauge "sink_committed_time" "seconds" ["sink"] "The time of that input by the clock of the run, since 1970.";
    SINK_WAITING = Gauge "sink_waiting" "" ["sink"] "1 while it waits after an error, else 0.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_follows_the_rule() {
        const UNITS: [&str; 4] = ["", "seconds", "bytes", "events"];
        let is_word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase());
        for metric in METRICS {
            let name = metric.name;
            assert!(UNITS.contains(&metric.unit), "{name}: {} is no base unit", metric.unit);
            assert!(name.split('_').all(is_word), "{name}: words in lower case");
            let ends = ["total", "info", "seconds", "bytes", "events", "ns", "ms"];
            // The events of the run are counted by that name.
            let is_plain = name == "events" || ends.iter().all(|end| !name.ends_with(&format!("_{end}")));
            assert!(is_plain, "{name}: the suffix comes from type and unit");
            assert!(metric.labels.iter().all(|label| is_word(label)), "{name}: {:?}", metric.labels);
            assert!(metric.help.ends_with('.') && !metric.help.contains('\n'), "{name}: {}", metric.help);
            let is_time = matches!(metric.ty, Type::Histogram);
            assert!(!is_time || metric.unit == "seconds", "{name}: times are in seconds");
        }
        let mut names: Vec<_> = METRICS.iter().map(Metric::full_name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), METRICS.len(), "two metrics have one name");
    }

    /// The table as the page has it.
    fn table() -> String {
        let mut table = "| name | type | labels | what it says |\n|---|---|---|---|\n".to_owned();
        for metric in METRICS {
            let ty = format!("{:?}", metric.ty).to_lowercase();
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            let Metric { help, .. } = metric;
            table += &format!("| `{}` | {ty} | {} | {help} |\n", metric.full_name(), labels.join(", "));
        }
        table
    }

    /// The page is written anew with `TIDEGATE_BLESS=1`.
    #[test]
    fn the_page_has_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
        let page = std::fs::read_to_string(path).unwrap();
        let (before, _) = page.split_once("| name | type |").expect("the page has a table");
        let (_, after) = page.rsplit_once("|\n").expect("a table ends with a row");
        let wanted = format!("{before}{}{after}", table());
        if std::env::var_os("TIDEGATE_BLESS").is_some() {
            std::fs::write(path, &wanted).unwrap();
        }
        let stands = std::fs::read_to_string(path).unwrap();
        assert!(stands == wanted, "docs/metrics.md differs from the code: run with TIDEGATE_BLESS=1 to write it anew");
    }
}
