//! What the families of measures cost: alone, in the whole pipeline, beside others, and in memory.
//!
//! `alone`: a day's inputs go through all stages once, and what each family is given is noted; every family, and every measure
//! in a stage of its own, then gets its events again, with nothing else between. Of ITCH what comes before the open is given but not
//! timed. `all families` is the sum of those of one round.
//! `in the pipeline` puts one family more into the fused pipeline each time: there its events are also numbered, counted and hashed
//! by the tail. Both on a day of the synthetic exchange (ITCH, 200 symbols) and, where `TIDEGATE_DATA` has the day, on LEAN's
//! trades of SPY. `beside wickra-core` is [`rivals`]. `memory` runs the pipeline in a process of its own for each number of
//! families, and asks the kernel for the most that was resident; what a family takes is the difference. Closed loop: throughput,
//! no latency is claimed.
//!
//! `cargo bench … --bench families -- alone` runs that part; the others are `memory`, `pipeline` and `beside`.

mod rivals;

use benches::alone::{add_input, after, built, keeping, reading, settings};
use benches::chain::{Link, again, fed};
use benches::fused;
use benches::market::Market;
use benches::report::Report;
use benches::rounds::{Contender, Ratio, Run, count, least, times};
use feeds::itch::ItchDecoder;
use feeds::synthetic::SyntheticConfig;
use flow::records::Session;
use flow::{Decoder, Event, Kind, Kinds, Ns, Window};
use serde_json::json;
use stages::Part;
use stages::measures::{Family, MEASURES};
use std::path::PathBuf;
use std::process::Command;
use tidegate::bench::Recording;
use tidegate::bench::recording::Wanted;
use tidegate::config::Settings;
use tidegate::run::{Options, execute};

/// That of the binary.
#[global_allocator]
static ALLOCATOR: tidegate::os::Allocator = tidegate::os::Allocator;

/// Tells a process of its own which stages it runs over how many symbols.
const MEMORY: &str = "TIDEGATE_MEMORY_OF";
/// Symbols of the run whose memory is asked for.
const SYMBOLS: u32 = 8_000;
/// Messages of the day of 200 symbols, of which only the first are used.
const DENSE: u64 = 20_000_000;

/// The measures of these families.
fn names(of: impl Fn(Family) -> bool) -> Vec<&'static str> {
    MEASURES.iter().filter(|m| of(m.family)).map(|m| m.name).collect()
}

/// The stages of the pipeline with the first so many families.
fn stages_with(families: usize) -> Vec<&'static str> {
    let mut stages = vec!["book", "bars"];
    stages.extend(names(|family| Family::ALL[..families].contains(&family)));
    stages
}

/// What a time is divided by.
#[derive(Clone, Copy)]
struct Units {
    messages: usize,
    trades: usize,
    /// What a family, or a measure, is given.
    events: usize,
}

/// A day, and how it is counted.
struct Day {
    name: &'static str,
    links: Vec<Link>,
    /// What is timed alone begins here.
    from: Ns,
    /// What is timed alone, and all of it.
    messages: [usize; 2],
    trades: [usize; 2],
}

impl Day {
    fn of(name: &'static str, inputs: &[Event], from: Ns) -> Day {
        let is_message = |e: &&Event| e.id.position() == 0 && !matches!(e.kind, Kind::Tick | Kind::Session);
        let messages = |from: Ns| inputs.iter().filter(is_message).filter(|e| e.ts >= from).count();
        let links = fed(&stages_with(Family::ALL.len()), inputs);
        let in_link =
            |link: &Link, from: Ns| link.given.iter().filter(|e| e.kind == Kind::Trade && e.ts >= from).count();
        let trades = |from: Ns| links.iter().map(|link| in_link(link, from)).max().unwrap_or(0);
        let (messages, trades) = ([from, Ns(0)].map(messages), [from, Ns(0)].map(trades));
        Day { name, links, from, messages, trades }
    }

    /// How many of these events are not timed.
    fn before(&self, given: &[Event]) -> usize {
        given.partition_point(|e| e.ts < self.from)
    }

    fn families(&self) -> impl Iterator<Item = &Link> {
        self.links.iter().filter(|link| matches!(link.part, Part::Measures(..)))
    }

    /// The units of what is timed alone.
    fn units(&self, events: usize) -> Units {
        Units { messages: self.messages[0], trades: self.trades[0], events }
    }

    /// Reports what was measured of a day, in nanoseconds.
    fn row(&self, report: &mut Report, group: &str, name: &str, units: Units, all: &[f64]) {
        let Units { messages, trades, events } = units;
        let per = |units: usize| Ratio::spread(all.iter().map(|ns| ns / units.max(1) as f64).collect());
        let (message, trade) = (per(messages), per(trades));
        report.row(json!({
            "group": format!("{group}, {}", self.name), "name": name, "rounds": all.len(), "events": events,
            "ns_per_message": message.median, "ns_per_message_low": message.low, "ns_per_message_high": message.high,
            "ns_per_trade": trade.median, "ns_per_trade_low": trade.low, "ns_per_trade_high": trade.high,
            "least_ns_per_trade": least(&all.iter().map(|ns| ns / trades as f64).collect::<Vec<_>>()),
            "ns_per_event": per(events).median,
        }));
    }

    /// Every family and every measure.
    fn alone(&self, report: &mut Report) {
        if is_asked("alone") {
            self.families_alone(report);
            self.measures_alone(report);
        }
    }

    /// Every family alone, and their sum.
    fn families_alone(&self, report: &mut Report) {
        let links: Vec<&Link> = self.families().collect();
        let timed = |link: &Link| link.given.len() - self.before(&link.given);
        let run = |link: &Link| Run { check: 0, ..after(self.before(&link.given), &link.given, again(&link.part)) };
        let mut contenders: Vec<_> = links.iter().map(|link| Contender::new("", || run(link))).collect();
        contenders.push(Contender::new("", || {
            let time = links.iter().map(|link| reading(&link.given[self.before(&link.given)..], 0).time).sum();
            Run { time, check: 0 }
        }));
        let all = times(self.name, 1, count(11), &mut contenders);
        for (link, own) in links.iter().zip(&all) {
            let Part::Measures(family, _) = link.part else { continue };
            self.row(report, "family alone", &format!("{family:?}").to_lowercase(), self.units(timed(link)), own);
        }
        let given = links.iter().map(|link| timed(link)).sum();
        let sums: Vec<f64> =
            (0..all[0].len()).map(|round| all[..links.len()].iter().map(|own| own[round]).sum()).collect();
        self.row(report, "family alone", "all families", self.units(given), &sums);
        self.row(report, "family alone", "reading their events", self.units(given), &all[links.len()]);
    }

    /// Every measure in a stage of its own.
    fn measures_alone(&self, report: &mut Report) {
        for link in self.families() {
            let own: Vec<(String, Vec<Event>)> = link
                .part
                .names()
                .into_iter()
                .map(|name| {
                    let reads = built(name, &[]).reads();
                    (name.to_owned(), link.given.iter().filter(|e| reads.has(e.kind)).copied().collect())
                })
                .collect();
            let run = |(name, given): &(String, Vec<Event>)| Run {
                check: 0,
                ..after(self.before(given), given, built(name, &[]))
            };
            let mut contenders: Vec<_> = own.iter().map(|one| Contender::new("", || run(one))).collect();
            for ((name, given), all) in own.iter().zip(times(self.name, 1, count(11), &mut contenders)) {
                self.row(report, "measure alone", name, self.units(given.len() - self.before(given)), &all);
            }
        }
    }

    /// One family more each time.
    fn in_the_pipeline(&self, report: &mut Report, run: impl Fn(&Settings) -> Run) {
        let with = |families| {
            let stages = format!("pipeline.stages={}", stages_with(families).join(","));
            settings(&["pipeline.preset=fused", "pipeline.cores=0", &stages])
        };
        let all: Vec<Settings> = (0..=Family::ALL.len()).map(with).collect();
        let run = &run;
        let mut contenders: Vec<_> =
            all.iter().map(|settings| Contender::new("", move || Run { check: 0, ..run(settings) })).collect();
        let all = times(self.name, 1, count(7), &mut contenders);
        let added = |of: &[f64], to: &[f64]| of.iter().zip(to).map(|(of, to)| of - to).collect::<Vec<_>>();
        let units = |events| Units { messages: self.messages[1], trades: self.trades[1], events };
        self.row(report, "in the pipeline", "book and bars", units(self.messages[1]), &all[0]);
        for (at, family) in Family::ALL.iter().enumerate() {
            let given = self.families().find(|link| matches!(&link.part, Part::Measures(own, _) if own == family));
            let (name, events) = (format!("{family:?} adds").to_lowercase(), given.map_or(1, |link| link.given.len()));
            self.row(report, "in the pipeline", &name, units(events), &added(&all[at + 1], &all[at]));
        }
        let given = self.families().map(|link| link.given.len()).sum();
        self.row(report, "in the pipeline", "all families add", units(given), &added(&all[all.len() - 1], &all[0]));
    }
}

/// The inputs of a day, as a pipeline lets them in.
fn inputs(decoder: Box<dyn Decoder>, windows: Vec<Window>) -> Vec<Event> {
    let (sink, kept) = keeping(Kinds::ALL);
    fused::with_sinks(decoder, windows, &settings(&["pipeline.stages=book"]), vec![sink]);
    std::mem::take(&mut *kept.lock().expect("nobody panics with it"))
}

/// The first messages of a day that is as dense as that of busy symbols, 100,000 messages for each: what a family does once a second or
/// minute must not weigh more than on a real day. Those before the open fill the books and are not timed alone.
fn itch(report: &mut Report) -> Day {
    let (messages, first) = if count(2) > 1 { (DENSE, 2_000_000) } else { (100_000, 50_000) };
    let market = Market::beginning(messages, 200, 20_000, first);
    let date = SyntheticConfig::default().date;
    let decoder = || Box::new(ItchDecoder::new(Some(date)));
    let inputs = inputs(decoder(), market.window().into());
    let openings = inputs.iter().filter_map(|e| e.get::<Session>()?.open_ts.known());
    let opening = openings.filter(|opening| inputs.last().is_some_and(|last| *opening <= last.ts)).max();
    let day = Day::of("ITCH of 200 symbols", &inputs, opening.unwrap_or(Ns(0)));
    report.note(&format!("{}: {} messages after the open, {} trades", day.name, day.messages[0], day.trades[0]));
    day.alone(report);
    if is_asked("pipeline") {
        day.in_the_pipeline(report, |settings| fused::pipeline(decoder(), market.window().into(), settings));
    }
    day
}

/// LEAN's ticks of SPY on 2013-10-07, if they are there.
fn spy(report: &mut Report) {
    let Some(folder) = std::env::var_os("TIDEGATE_DATA") else {
        return report.note("TIDEGATE_DATA is not set, so LEAN's day of SPY is left out");
    };
    let path = PathBuf::from(folder).join("lean/equity/usa/tick/spy/20131007_trade.zip");
    let feed = flow::find(feeds::FEEDS, "lean").expect("it is registered");
    let wanted = Wanted { path, feed: Some(feed), known: vec![feed], date: None, most: 1 << 30 };
    let recording = Recording::read(&wanted).expect("the file is there");
    let decoder = || recording.decoder().expect("the file is there").1;
    let day = Day::of("LEAN SPY 2013-10-07", &inputs(decoder(), recording.windows()), Ns(0));
    report.note(&format!("{}: {} trades", day.name, day.trades[0]));
    day.alone(report);
    if is_asked("pipeline") {
        day.in_the_pipeline(report, |settings| fused::pipeline(decoder(), recording.windows(), settings));
    }
}

/// Runs a day in this process and says what was resident at most, in KiB.
fn take_memory(stages: &str) {
    let messages = if count(2) > 1 { 4_000_000 } else { 200_000 };
    let [stages, symbols, messages] = [
        format!("pipeline.stages={stages}"),
        format!("synthetic.symbols={SYMBOLS}"),
        format!("synthetic.messages={messages}"),
    ];
    let mut settings = settings(&[&stages, &symbols, &messages]);
    add_input(&mut settings, "synthetic", Vec::new());
    let (_, error) = execute(&settings, Options::default()).expect("the day starts");
    assert!(error.is_none(), "{error:?}");
    let status = std::fs::read_to_string("/proc/self/status").expect("the kernel tells it");
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel tells it");
    println!("{}", most.trim().trim_end_matches(" kB"));
}

/// The most that was resident in a process that ran these stages, in bytes.
fn resident(stages: &[&str]) -> u64 {
    let this = std::env::current_exe().expect("a running program has a path");
    let mut command = Command::new(this);
    let ran = command.args(std::env::args().skip(1)).env(MEMORY, stages.join(",")).output().expect("it runs again");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let most: u64 = String::from_utf8_lossy(&ran.stdout).trim().parse().expect("a number of KiB");
    most << 10
}

fn memory(report: &mut Report) {
    let base = resident(&["book", "bars"]);
    let mut row = |name: &str, most: u64, added: u64| {
        report.row(json!({
            "group": format!("memory, {SYMBOLS} symbols"), "name": name,
            "resident_mib": most >> 20, "bytes_per_symbol": added / u64::from(SYMBOLS),
        }));
    };
    row("book and bars", base, base);
    for family in Family::ALL {
        let own = [&["book", "bars"][..], &names(|one| one == family)].concat();
        let most = resident(&own);
        row(&format!("with {family:?}").to_lowercase(), most, most.saturating_sub(base));
    }
    let all = resident(&stages_with(Family::ALL.len()));
    row("with all families", all, all.saturating_sub(base));
    for name in names(|_| true) {
        let most = resident(&["book", "bars", name]);
        row(&format!("with {name}"), most, most.saturating_sub(base));
    }
}

/// Whether a part is asked for: by its name behind `--`, or all of them by none.
fn is_asked(part: &str) -> bool {
    let mut named = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    named.peek().is_none() || named.any(|argument| argument == part)
}

fn main() {
    if let Ok(stages) = std::env::var(MEMORY) {
        return take_memory(&stages);
    }
    let mut report = Report::new("families");
    let report = &mut report;
    if is_asked("memory") {
        memory(report);
    }
    let day = itch(report);
    if is_asked("beside") {
        rivals::beside(report, &day.links);
    }
    drop(day);
    spy(report);
}
