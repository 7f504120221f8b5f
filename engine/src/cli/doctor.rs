//! `tidegate doctor`: what this host does to latency, how to mend it, and what is left.
//!
//! Nothing is changed without `--apply`, and `--undo` takes back what that wrote. Bound: one look at the host, and the time of the
//! probes. Worst case: a core that others keep busy; the probe then shows them.

use super::exit::{Exit, Failure, output};
use super::pipeline::PipelineArgs;
use super::screen::{INDENT, wrapped};
use super::table::{Align, Cell, Tone, column, table};
use crate::config::{Draft, Settings};
use crate::plan::Plan;
use crate::registries::Registries;
use clap::Args;
use flow::Kinds;
use ring::Kind;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;
use tuning::change::{self, Done};
use tuning::checks::{Finding, Subject, Verdict, examine};
use tuning::{Cores, Host, Jitter, Root, cores};

/// How long a hop is measured.
const HOP: Duration = Duration::from_millis(50);
/// Columns of the longest bar of the plot.
const BAR: f64 = 40.0;

/// Options of `doctor`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tidegate doctor desk.toml\n  sudo tidegate doctor --cores 2-7 --apply\n  \
    sudo tidegate doctor --undo")]
pub(crate) struct DoctorArgs {
    /// Configuration file, whose cores and cuts are looked at.
    config: Option<PathBuf>,
    #[command(flatten)]
    pipeline: PipelineArgs,
    /// The cores that the pipeline is to have for itself, as 2-7; if left out those of the configuration, else all but the first.
    #[arg(long)]
    cores: Option<String>,
    /// Writes what can be written while the system runs, and notes what was there.
    #[arg(long, conflicts_with = "undo")]
    apply: bool,
    /// Writes back what was there before.
    #[arg(long)]
    undo: bool,
    /// Seconds for which each of the pipeline's cores is watched; 0: none is.
    #[arg(long, default_value_t = 1.0)]
    jitter: f64,
    /// Looks at the files of another host, copied to this folder with their paths, in place of this one's.
    #[arg(long)]
    root: Option<PathBuf>,
    /// Prints a JSON object to standard output.
    #[arg(long, conflicts_with_all = ["apply", "undo"])]
    json: bool,
}

/// A cut: the groups on both sides and their cores.
struct Cut {
    from: (String, usize),
    to: (String, usize),
}

pub(crate) fn run(args: &DoctorArgs, registries: &Registries) -> Result<Exit, Failure> {
    let root = args.root.as_ref().map_or_else(Root::host, Root::at);
    if args.undo {
        let done = change::undo(&root).map_err(Failure::failed)?;
        return output(
            write!(std::io::stdout(), "{}", changes(&done, "nothing was noted: there is nothing to take back")),
            ended(&done),
        );
    }
    let (pinned, cuts) = placed(args, registries)?;
    let wrong = |text: &str| Failure::usage(format!("--cores {text:?} is no list of cores: write 2-7 or 2,4,6"));
    let given = args.cores.as_deref().map(|text| cores::given(text).ok_or_else(|| wrong(text))).transpose()?;
    let chosen = given.or_else(|| Some(pinned).filter(|cores| !cores.is_empty()));
    let subject = Subject::new(root, chosen);
    if let Some(missing) = subject.pipeline.difference(&subject.topology.numbers()).next() {
        let all = cores::text(&subject.topology.numbers());
        return Err(Failure::usage(format!("core {missing} is not online here; there are {all}")));
    }
    let findings = examine(&subject);
    if args.apply {
        let settings: Vec<_> = findings.into_iter().flat_map(|finding| finding.settings).collect();
        let done = change::apply(&subject.root, &settings).map_err(Failure::failed)?;
        let said = changes(&done, "nothing that can be written is wanting") + "taken back by: tidegate doctor --undo\n";
        return output(write!(std::io::stdout(), "{said}"), ended(&done));
    }
    let is_host = subject.root.is_host();
    let hops: Vec<_> = cuts.iter().map(|cut| (cut, hop(cut).filter(|_| is_host))).collect();
    let probes = if is_host { probed(&subject.pipeline, args.jitter) } else { Vec::new() };
    let text = if args.json {
        json_of(&subject, &findings, &hops, &probes)
    } else {
        let placement = cuts_text(&subject, &hops);
        format!("{}{}{placement}{}", heading(&subject), findings_text(&findings), probes_text(&probes))
    };
    let is_well = findings.iter().all(|finding| finding.verdict != Verdict::Wanting);
    output(write!(std::io::stdout(), "{text}"), if is_well { Exit::Done } else { Exit::Check })
}

fn ended(done: &[Done]) -> Exit {
    let is_whole = done.iter().all(|one| !matches!(one, Done::Refused { .. }));
    if is_whole { Exit::Done } else { Exit::Failed }
}

/// The cores of the configuration's groups, and its cuts between two that are pinned.
fn placed(args: &DoctorArgs, registries: &Registries) -> Result<(Cores, Vec<Cut>), Failure> {
    let Some(path) = &args.config else { return Ok(Default::default()) };
    let settings: Settings = args.pipeline.apply(Draft::load(path, registries))?;
    let plan = flow::planned(|| Plan::build(&settings, settings.space(1), Kinds::NONE)).0?;
    let groups: Vec<_> = plan.groups.iter().filter_map(|group| Some((group.to_string(), group.core?))).collect();
    let cut = |two: &[(String, usize)]| Cut { from: two[0].clone(), to: two[1].clone() };
    Ok((groups.iter().map(|(_, core)| *core).collect(), groups.windows(2).map(cut).collect()))
}

/// The time of one way between two cores.
fn hop(cut: &Cut) -> Option<Duration> {
    ring::pauses::measure(Kind::Phase, (cut.from.1, cut.to.1), HOP, || ()).map(|measured| measured.hop)
}

/// What interrupts each core, one after the other.
fn probed(of: &Cores, seconds: f64) -> Vec<(usize, Jitter)> {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    if time.is_zero() {
        return Vec::new();
    }
    let probe = |core: &usize| {
        let worker = ring::thread::spawn_pinned("jitter", Some(*core), move || Jitter::probe(time)).ok()?;
        Some((*core, worker.join().ok()?))
    };
    of.iter().filter_map(probe).collect()
}

fn heading(subject: &Subject) -> String {
    let host = if subject.root.is_host() { titled("host", &Host::here().to_string()) } else { String::new() };
    let count = subject.topology.cores.len();
    host + &titled("cores", &format!("{count}, of which the pipeline is to have {}", cores::text(&subject.pipeline)))
}

/// A title and a text that goes on below itself.
fn titled(title: &str, text: &str) -> String {
    wrapped(&format!("{title:10}{text}"), INDENT) + "\n"
}

fn findings_text(findings: &[Finding]) -> String {
    let row = |finding: &Finding| {
        let tone = if finding.verdict == Verdict::Wanting { Tone::Notice } else { Tone::Plain };
        vec![
            Cell::new(finding.check, Tone::Plain),
            Cell::new(finding.verdict.name(), tone),
            Cell::new(finding.found.as_str(), Tone::Plain),
        ]
    };
    let columns = ["check", "verdict", "found"].map(|name| column(name, Align::Left));
    let rows: Vec<_> = findings.iter().map(row).collect();
    let mut text = format!("\n{}", table(&columns, &rows));
    let wanting: Vec<_> = findings.iter().filter(|finding| finding.verdict == Verdict::Wanting).collect();
    for finding in &wanting {
        text += &format!("\n{}\n", finding.check);
        for (title, words) in
            [("found", finding.found.as_str()), ("why", finding.why), ("fix", &finding.fix), ("undo", &finding.undo)]
        {
            text +=
                &Some(words).filter(|words| !words.is_empty()).map_or_else(String::new, |words| titled(title, words));
        }
    }
    let settings = findings.iter().map(|finding| finding.settings.len()).sum::<usize>();
    let apply = match settings {
        0 => String::new(),
        _ => format!("; sudo tidegate doctor --apply writes {settings} values now"),
    };
    text + &format!("\n{}", titled("in all", &format!("{} of {} wanting{apply}", wanting.len(), findings.len())))
}

fn cuts_text(subject: &Subject, hops: &[(&Cut, Option<Duration>)]) -> String {
    if hops.is_empty() {
        return String::new();
    }
    let columns = [
        column("from", Align::Left),
        column("core", Align::Right),
        column("to", Align::Left),
        column("core", Align::Right),
        column("across", Align::Left),
        column("hop ns", Align::Right),
    ];
    let row = |(cut, hop): &(&Cut, Option<Duration>)| {
        let hop = hop.map_or_else(|| super::numbers::UNKNOWN.to_owned(), |hop| hop.as_nanos().to_string());
        let way = subject.topology.way(cut.from.1, cut.to.1).to_owned();
        let [from, to] = [&cut.from, &cut.to].map(|(name, core)| (name.clone(), core.to_string()));
        [from.0, from.1, to.0, to.1, way, hop].map(Cell::from).to_vec()
    };
    format!("\n{}", table(&columns, &hops.iter().map(row).collect::<Vec<_>>()))
}

/// The gaps of all cores, by length.
fn probes_text(probes: &[(usize, Jitter)]) -> String {
    let mut text = String::new();
    for (core, found) in probes {
        let seconds = found.looked_ns as f64 / 1e9;
        let lost = 100.0 * found.lost_ns as f64 / found.looked_ns.max(1) as f64;
        let longest = found.longest_ns as f64 / 1e3;
        let said = format!("core {core}, {seconds:.1} s: {lost:.3} % lost, longest gap {longest:.1} us");
        text += &format!("\n{}", titled("jitter", &said));
        let most = found.gaps.iter().max().copied().unwrap_or(0).max(1);
        for (from_us, count) in found.classes() {
            // Logarithmic: the rare long ones are what matters.
            let length = (BAR * ((1 + count) as f64).ln() / ((1 + most) as f64).ln()).round() as usize;
            let bar = "#".repeat(if count == 0 { 0 } else { length.max(1) });
            let line = format!("{INDENT}{from_us:>9} us {count:>9} {bar}");
            text += line.trim_end();
            text.push('\n');
        }
    }
    text
}

fn changes(done: &[Done], none: &str) -> String {
    if done.is_empty() {
        return format!("{none}\n");
    }
    let line = |one: &Done| match one {
        Done::Written { path, from, to } => format!("written   {path}: {to}, before it was {from}\n"),
        Done::Left { path, found } => format!("left      {path}: {found}; somebody else has changed it\n"),
        Done::Refused { path, error } => format!("refused   {path}: {error}\n"),
    };
    done.iter().map(line).collect()
}

fn json_of(
    subject: &Subject,
    findings: &[Finding],
    hops: &[(&Cut, Option<Duration>)],
    probes: &[(usize, Jitter)],
) -> String {
    let cut = |(cut, hop): &(&Cut, Option<Duration>)| {
        json!({
            "from": cut.from.0, "from_core": cut.from.1, "to": cut.to.0, "to_core": cut.to.1,
            "across": subject.topology.way(cut.from.1, cut.to.1),
            "hop_ns": hop.map(|hop| u64::try_from(hop.as_nanos()).unwrap_or(u64::MAX)),
        })
    };
    let probe = |(core, found): &(usize, Jitter)| {
        let gaps: Vec<Value> =
            found.classes().map(|(from_us, count)| json!({ "from_us": from_us, "count": count })).collect();
        json!({
            "core": core, "looked_ns": found.looked_ns, "lost_ns": found.lost_ns,
            "longest_ns": found.longest_ns, "gaps": gaps,
        })
    };
    let all = json!({
        "host": subject.root.is_host().then(Host::here),
        "topology": subject.topology,
        "pipeline": subject.pipeline,
        "findings": findings,
        "cuts": hops.iter().map(cut).collect::<Vec<_>>(),
        "jitter": probes.iter().map(probe).collect::<Vec<_>>(),
    });
    format!("{all}\n")
}
