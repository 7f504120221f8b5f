//! The command `tidegate` and its subcommands.
//!
//! Rows and JSON go to standard output, everything for people to standard error. Exit codes are stable: 0 done, 1 failed,
//! 2 bad usage or configuration, 3 a check failed.

use crate::bench::commands as bench;
use crate::cli::exit::{Exit, Failure};
use crate::cli::{
    at, console, ctl, demo, discover, doctor, fake, feed, fetch, graph, help, journal, last, pack, plot, questdb,
    replay, reset, run, schema, screen, signals, sink, snapshot, synth, validate, why,
};
use crate::os;
use crate::registries::Registries;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use rustix::fs::Mode;
use std::panic;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "tidegate", version, max_term_width = screen::WIDTH)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a synthetic exchange through the whole pipeline, then prints a summary.
    Demo(demo::DemoArgs),
    /// Runs files, or a journal, through the pipeline as fast as possible; prints events as rows.
    Replay(replay::ReplayArgs),
    /// Writes recorded days in a form that is read whole or by instrument, faster than the original.
    Pack(pack::PackArgs),
    /// Draws the day of one symbol as a page: candles, footprints, profile, measures, what happened.
    Plot(plot::PlotArgs),
    /// Learns buckets, volatility limits, look-backs and correlations, as a file to include.
    Discover(discover::DiscoverArgs),
    /// Runs the service: the inputs of a configuration at the pace of the clock, journalled and restartable.
    Run(run::RunArgs),
    /// Commands a running engine: halt, resume, cancel-all, limits; or shows its state.
    Ctl(ctl::CtlArgs),
    /// Shows what a running engine knows last: quotes, trades, bars, books, positions, halts, each with its age.
    Get(last::GetArgs),
    /// Shows a run as it stood at an instant: books, measures, positions, orders, limits.
    At(at::AtArgs),
    /// Writes a snapshot of a run's state, for a faster restart.
    Snapshot(snapshot::SnapshotArgs),
    /// Removes what can be made again from the journals of a run: rows of sinks, positions of followers, caches.
    Reset(reset::ResetArgs),
    /// Writes an ITCH 5.0 file of the synthetic exchange.
    Synth(synth::SynthArgs),
    /// Checks a configuration and lists every fault.
    Validate(validate::ValidateArgs),
    /// Draws the pipeline of a configuration: groups, cores, rings, sources, venues, logs.
    Graph(graph::GraphArgs),
    /// Looks at what this host does to latency: what to mend and how, and what interrupts the pipeline's cores.
    Doctor(doctor::DoctorArgs),
    /// Lists the kinds of rows, or the columns of one.
    Schema(schema::SchemaArgs),
    /// Tells the whole story of an order: its cause, what was measured, checks, fills, positions.
    Why(why::WhyArgs),
    /// Brings what a run does to a database or a file, while it happens, beside the run.
    Sink(sink::SinkArgs),
    /// Measures latency and throughput on this host, with confidence intervals.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Lists, follows, checks and converts the two logs of a run.
    #[command(subcommand)]
    Journal(journal::JournalCommand),
    /// Tests the inputs of a configuration: what comes, how fast, how late, and what is wrong.
    #[command(subcommand)]
    Feed(feed::FeedCommand),
    /// Gets bars, trades and quotes of the past from a vendor, as a file to replay; goes on where it was cut off.
    #[command(subcommand)]
    Fetch(fetch::FetchCommand),
    /// Speaks as a venue does, to try a live feed without an account.
    #[command(subcommand)]
    Fake(fake::FakeCommand),
    /// Starts a QuestDB server.
    #[command(subcommand, name = "questdb")]
    QuestDb(questdb::QuestDbCommand),
}

/// The command line of a binary that knows these feeds.
pub fn command(registries: &Registries) -> clap::Command {
    let feeds = registries.feeds().iter().map(|feed| feed.name).collect::<Vec<_>>().join(", ");
    let feed = format!("Feed of the inputs: {feeds}; recognised by the first bytes if left out");
    let with_feeds = |command: clap::Command| command.mut_arg("feed", |arg| arg.help(feed.clone()));
    let root = Cli::command().mut_subcommand("replay", with_feeds).mut_subcommand("pack", with_feeds);
    let root = root.mut_subcommand("plot", with_feeds).mut_subcommand("discover", with_feeds);
    root.about(help::ABOUT).help_template(help::screen())
}

/// Parses the command line and runs it, in a binary that knows these feeds, gateways and sinks.
pub fn main(registries: Registries) -> ExitCode {
    os::map_what_is_large();
    let parsed = Cli::from_arg_matches(&command(&registries).get_matches()).unwrap_or_else(|e| e.exit());
    console::say_panics();
    signals::take_file_limits();
    let code = match panic::catch_unwind(panic::AssertUnwindSafe(|| run(parsed.command, &registries))) {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            console::fail(format!("tidegate: {}", failure.message));
            failure.exit
        }
        // The panic itself has been said.
        Err(_) => Exit::Failed,
    };
    console::flush();
    code.code()
}

fn run(command: Command, registries: &Registries) -> Result<Exit, Failure> {
    // Journals, snapshots, notes and the data of a server are for the user alone, whatever the umask was.
    if matches!(
        command,
        Command::Run(_)
            | Command::Replay(_)
            | Command::Snapshot(_)
            | Command::Reset(_)
            | Command::Why(_)
            | Command::QuestDb(_)
    ) {
        rustix::process::umask(Mode::RWXG | Mode::RWXO);
    }
    match command {
        Command::Demo(args) => demo::run(&args, registries),
        Command::Replay(args) => replay::run(&args, registries),
        Command::Pack(args) => pack::run(&args, registries),
        Command::Discover(args) => discover::run(&args, registries),
        Command::Plot(args) => plot::run(&args, registries),
        Command::Run(args) => run::run(&args, registries),
        Command::Ctl(args) => ctl::run(&args),
        Command::Get(args) => last::run(&args),
        Command::At(args) => at::run(&args, registries),
        Command::Snapshot(args) => snapshot::run(&args, registries),
        Command::Reset(args) => reset::run(&args, registries),
        Command::Synth(args) => synth::run(&args),
        Command::Validate(args) => validate::run(&args, registries),
        Command::Graph(args) => graph::run(&args, registries),
        Command::Doctor(args) => doctor::run(&args, registries),
        Command::Schema(args) => schema::run(&args),
        Command::Why(args) => why::run(&args, registries),
        Command::Sink(args) => sink::run(&args, registries),
        Command::Bench(command) => bench::run(&command, registries),
        Command::Journal(command) => journal::run(&command),
        Command::Feed(command) => feed::run(&command, registries),
        Command::Fetch(command) => fetch::run(&command, registries),
        Command::Fake(command) => fake::run(&command),
        Command::QuestDb(command) => questdb::run(&command),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cli, command};
    use crate::cli::help::COMMANDS;
    use crate::cli::screen::WIDTH;
    use crate::registries::Registries;
    use clap::{Command, CommandFactory as _, Parser as _};

    #[test]
    fn every_command_has_an_example_that_is_understood() {
        let examples =
            || COMMANDS.iter().flat_map(|(_, rows)| rows.iter().flat_map(|(examples, _)| *examples).copied());
        for example in examples() {
            assert!(Cli::try_parse_from(example.split(' ')).is_ok(), "{example}");
        }
        let known = Cli::command();
        let names = known.get_subcommands().map(Command::get_name);
        let missing: Vec<_> = names.filter(|n| !examples().any(|e| e.split(' ').nth(1) == Some(n))).collect();
        assert_eq!(missing, [""; 0]);
    }

    /// The help of a command and of its subcommands.
    fn screens(mut command: Command) -> Vec<(String, String)> {
        let below: Vec<_> = command.get_subcommands().cloned().collect();
        let own = (command.get_name().to_owned(), command.render_long_help().to_string());
        std::iter::once(own).chain(below.into_iter().flat_map(screens)).collect()
    }

    #[test]
    fn no_help_is_wider_than_a_screen_and_the_first_is_one_screen() {
        let mut root = command(&Registries::default());
        root.build();
        let screens = screens(root);
        for (name, text) in &screens {
            let wide = text.lines().find(|line| line.chars().count() > WIDTH);
            assert_eq!(wide, None, "help of {name}");
        }
        assert!(screens[0].1.lines().count() <= 24, "{}", screens[0].1);
    }
}
