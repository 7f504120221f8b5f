//! `tidegate feed test`: watches the inputs of a configuration for a while and says how they are.
//!
//! Each input is opened as a run opens it and polled as the ingress polls it; there is no pipeline and no journal, so nothing is
//! recorded and nothing can trade. The first messages are shown as they come, then what came by kind, how late it was, what is missing,
//! and what is wrong with what to do. A file is read as fast as it can be; a live input gives what happens now. Bound: what is kept of an
//! input ([`observed`]). Worst case: a connection that hangs is watched to the end of the time that was given.

mod findings;
mod lag;
mod observed;
mod report;
mod tested;

use super::exit::{Exit, Failure, output};
use super::signals::Signals;
use crate::config::Draft;
use crate::registries::Registries;
use crate::run::Preflight;
use clap::{Args, Subcommand};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tested::Tested;

/// How long to wait when nothing came.
const PAUSE: Duration = Duration::from_millis(1);

/// What is done with feeds.
#[derive(Subcommand)]
pub(crate) enum FeedCommand {
    /// Connects to the inputs of a configuration and says what comes, how fast and how late, and what is wrong.
    Test(TestArgs),
}

/// Options of `feed test`.
#[derive(Args)]
#[command(
    after_help = "Ends after --for, at Ctrl-C, or when all inputs have ended. Nothing is recorded and nothing trades.\n\
    Exit codes: 0 all inputs are well, 2 the configuration is not valid, 3 something is wrong.\n\n\
    Examples:\n  tidegate feed test desk.toml\n  tidegate feed test desk.toml --for 60s"
)]
pub(crate) struct TestArgs {
    /// Configuration file, whose [[input]] entries are tested.
    config: PathBuf,
    /// How long: 10s, 500ms, 2m.
    #[arg(long = "for", default_value = "10s", value_name = "TIME", value_parser = time)]
    time: Duration,
    /// How many messages of each input are shown.
    #[arg(long, default_value_t = 5, value_name = "COUNT")]
    show: usize,
}

/// Reads a time such as `10s`.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "s" | "" => 1_000,
        "m" => 60_000,
        _ => 0,
    };
    let ms = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit)).filter(|ms| *ms > 0);
    ms.map(Duration::from_millis).ok_or_else(|| "write 10s, 500ms or 2m".to_owned())
}

pub(crate) fn run(command: &FeedCommand, registries: &Registries) -> Result<Exit, Failure> {
    let FeedCommand::Test(args) = command;
    let (settings, sources) = Preflight::inputs_of_draft(Draft::load(&args.config, registries))?;
    let signals = Signals::take()?;
    let tested = settings.inputs.iter().zip(sources).map(|(input, open)| Tested::new(input, open, args.show));
    let mut tested: Vec<Tested> = tested.collect();
    let mut to = io::stdout();
    let watched = watch(&mut tested, args.time, &signals, &mut to);
    let reports: Vec<_> = tested.iter().map(report::report).collect();
    let text = reports.iter().map(|(text, _)| text.as_str()).collect::<String>();
    let exit = if reports.iter().all(|(_, is_well)| *is_well) { Exit::Done } else { Exit::Check };
    output(watched.and_then(|()| write!(to, "{text}")), exit)
}

/// Watches the inputs until they have ended, the time is over, or a signal comes.
fn watch(tested: &mut [Tested], time: Duration, signals: &Signals, to: &mut dyn Write) -> io::Result<()> {
    let began = Instant::now();
    let several = tested.len() > 1;
    loop {
        let mut has_come = false;
        for one in tested.iter_mut() {
            let lines = one.turn(began, &mut has_come);
            for line in lines {
                let key = if several { format!("{}\n", one.key) } else { String::new() };
                write!(to, "{key}{}", report::line(&line))?;
            }
        }
        if tested.iter().all(|one| one.ended.is_some()) || began.elapsed() >= time || signals.came() {
            return to.flush();
        }
        if !has_come {
            to.flush()?;
            std::thread::sleep(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_and_is_not_nothing() {
        assert_eq!(time("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!((time("2m"), time("3")), (Ok(Duration::from_secs(120)), Ok(Duration::from_secs(3))));
        for text in ["", "s", "0s", "10h", "-1s", "1.5s", "99999999999999999999s", "18446744073709551615m"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
