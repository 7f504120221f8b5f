//! `tidegate fetch`: the past of a vendor, into a file that `replay` reads.
//!
//! What came so far lies in the folder under a name that begins with a point; who starts the same fetch again goes on with it, and ends
//! with the same file. The file appears under its name when it is whole. Bound: that of [`feeds::alpaca::history`].

use super::console::{self, Progress};
use super::exit::{Exit, Failure};
use super::numbers::grouped;
use super::screen::{INDENT, wrapped};
use super::signals::Signals;
use super::target::{NewFile, may_write};
use crate::config::{Draft, Settings};
use crate::registries::Registries;
use chrono::NaiveDate;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum};
use feeds::alpaca::history::{self, Ask, Channel, FetchError, Watcher};
use feeds::live::arrival;
use feeds::packed::SUFFIX;
use feeds::reader::date;
use flow::{Mic, Ns, SecretPlace, midnight, zone_of};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The vendors.
#[derive(Subcommand)]
pub(crate) enum FetchCommand {
    /// Bars of a minute, trades and quotes of US stocks from Alpaca.
    Alpaca(AlpacaArgs),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Trades,
    Quotes,
    Bars,
}

impl What {
    fn channel(self) -> Channel {
        match self {
            What::Trades => Channel::Trades,
            What::Quotes => Channel::Quotes,
            What::Bars => Channel::Bars,
        }
    }
}

/// Options of `fetch alpaca`.
#[derive(Args)]
#[command(
    after_help = "A fetch that was cut off goes on where it was: run the same command again. Trades alone have no quotes to infer the\n\
    aggressor from: fetch trades,quotes.\n\n\
    Examples:\n  \
    tidegate fetch alpaca --symbols AAPL,SPY --from 2026-11-02 --to 2026-11-06 --what bars --out data\n  \
    tidegate fetch alpaca --symbols AAPL --from 2026-11-02 --to 2026-11-02 --what trades,quotes --out data\n  \
    tidegate replay --input data/alpaca-iex-bars-2026-11-02-2026-11-06.tidepack --emit bar"
)]
pub(crate) struct AlpacaArgs {
    /// Symbols, separated by commas.
    #[arg(long, required = true, value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    symbols: Vec<String>,
    /// First date in New York, YYYY-MM-DD.
    #[arg(long, value_parser = date::parse)]
    from: NaiveDate,
    /// Last date in New York, which is fetched too; if left out, the first one.
    #[arg(long, value_parser = date::parse)]
    to: Option<NaiveDate>,
    /// What: trades, quotes, bars (of a minute); several, separated by commas, become one file.
    #[arg(long, default_value = "bars", value_enum, value_delimiter = ',')]
    what: Vec<What>,
    /// Folder of the file; it is made if it is not there.
    #[arg(long, default_value = ".", value_name = "DIR")]
    out: PathBuf,
    /// Whose data: iex, or sip for all exchanges, where the plan has them.
    #[arg(long, default_value = "iex")]
    source: String,
    /// How prices are adjusted, of bars: raw, split, dividend, all.
    #[arg(long, default_value = "raw", value_parser = ["raw", "split", "dividend", "all"])]
    adjustment: String,
    /// Place of the key's identity: env:NAME, file:PATH, credential:NAME.
    #[arg(long, default_value = "env:APCA_API_KEY_ID", value_name = "PLACE")]
    key: String,
    /// Place of the key's secret.
    #[arg(long, default_value = "env:APCA_API_SECRET_KEY", value_name = "PLACE")]
    secret: String,
    /// Where to ask: https://HOST:PORT, or http://HOST:PORT of a fake.
    #[arg(long, default_value = "https://data.alpaca.markets")]
    address: String,
    /// Rows of a page.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    page: u32,
    /// Set a parameter of the feed: alpaca.quote_sizes=shares, alpaca.signing=tick.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Overwrite a file that exists.
    #[arg(long)]
    force: bool,
    /// Keep the rows as they came, beside the file: conditions, tapes and all.
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(command: &FetchCommand, registries: &Registries) -> Result<Exit, Failure> {
    let FetchCommand::Alpaca(args) = command;
    let signals = Signals::take()?;
    let ask = ask(args, registries)?;
    let mut channels: Vec<Channel> = args.what.iter().map(|what| what.channel()).collect();
    channels.sort_unstable();
    channels.dedup();
    let kinds = channels.iter().map(|channel| channel.name()).collect::<Vec<_>>().join("-");
    let (from, to) = (args.from, args.to.unwrap_or(args.from));
    let name = format!("alpaca-{}-{kinds}-{from}-{to}", args.source);
    let out = args.out.join(format!("{name}.{SUFFIX}"));
    let rows = |channel: &Channel| {
        let name = format!(".alpaca-{}-{}-{from}-{to}.rows", args.source, channel.name());
        let kept = args.out.join(format!("alpaca-{}-{}-{from}-{to}.jsonl", args.source, channel.name()));
        Rows { channel: *channel, path: args.out.join(name), kept: Some(kept).filter(|_| args.keep) }
    };
    let files: Vec<_> = channels.iter().map(rows).collect();
    if !args.force && history::is_there(&ask, &channels, &out) {
        files.iter().try_for_each(Rows::tidy)?;
        console::say(format!("{} is there already, of the same fetch; --force fetches it anew", out.display()));
        return Ok(Exit::Done);
    }
    may_write(&out, args.force)?;
    let failed = |e: io::Error| Failure::failed(format!("{}: {e}; choose another folder", args.out.display()));
    std::fs::create_dir_all(&args.out).map_err(failed)?;
    let (began, now) = (Instant::now(), arrival());
    let mut count = 0;
    for Rows { channel, path, .. } in &files {
        let progress = Progress::new(channel.name(), None, true);
        count += history::fetch(&ask, *channel, path, &Shown { signals: &signals, progress }).map_err(said)?;
    }
    let written = write(&ask, &files, &out, args.force, &signals)?;
    files.iter().try_for_each(Rows::tidy)?;
    let text = format!(
        "fetched   {} rows of {} symbols into {}: {} inputs, {} bytes, {:.1} s",
        grouped(count),
        grouped(ask.symbols.len() as u64),
        out.display(),
        grouped(written.0),
        grouped(written.1),
        began.elapsed().as_secs_f64()
    );
    console::show(
        wrapped(&text, INDENT)
            + "\n"
            + &wrapped(&format!("next      tidegate replay --input {}", out.display()), INDENT),
    );
    if ask.to >= now {
        console::warn("the last day was not over: the file ends with what was there; --force fetches it anew");
    }
    if count == 0 {
        console::warn(
            "nothing is there of these symbols at these times: see how they are spelled, and whether the market was open",
        );
    }
    Ok(if count == 0 { Exit::Check } else { Exit::Done })
}

/// The file of a channel's rows while it is fetched, and where it is kept.
struct Rows {
    channel: Channel,
    path: PathBuf,
    kept: Option<PathBuf>,
}

impl Rows {
    /// Removes or keeps what is no longer needed, if that has not been done.
    fn tidy(&self) -> Result<(), Failure> {
        let Rows { path, kept, .. } = self;
        let done = kept.as_ref().map_or_else(|| std::fs::remove_file(path), |kept| std::fs::rename(path, kept));
        match done {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(Failure::failed(format!("{}: {e}", path.display()))),
            _ => Ok(()),
        }
    }
}

/// Packs the rows; how many inputs and bytes that made.
fn write(ask: &Ask, files: &[Rows], out: &Path, force: bool, signals: &Signals) -> Result<(u64, u64), Failure> {
    let failed =
        |e: io::Error| Failure::failed(format!("{}: {e}; choose another folder or free some space", out.display()));
    let to = BufWriter::with_capacity(1 << 20, NewFile::beside(out).map_err(failed)?);
    let files: Vec<_> = files.iter().map(|rows| (rows.channel, rows.path.clone())).collect();
    let merged = history::packed(ask, &files, to, &|| signals.came()).map_err(said)?;
    let bytes = merged.to.into_inner().map_err(|e| failed(e.into_error()))?.publish(force).map_err(failed)?;
    merged.contents.about.warnings.iter().for_each(console::warn);
    Ok((merged.contents.inputs, bytes))
}

fn said(error: FetchError) -> Failure {
    match error {
        FetchError::Refused(_) => Failure::usage(error),
        _ => Failure::failed(error),
    }
}

/// The fetch that the options ask for.
fn ask(args: &AlpacaArgs, registries: &Registries) -> Result<Ask, Failure> {
    let mut draft = Draft::from(Settings::of(registries.clone()));
    // A recorded trade says where it was, unless that is set otherwise.
    draft.set("--fetch", "alpaca.venues=true");
    draft.set("--source", &format!("alpaca.source={}", args.source));
    args.set.iter().for_each(|assignment| draft.set("--set", assignment));
    let params = draft.finish()?.feeds["alpaca"].clone();
    let place = |text: &str, option: &str| {
        let valid = "write env:NAME, file:PATH or credential:NAME";
        SecretPlace::parse(text).ok_or_else(|| Failure::usage(format!("{option}: it names no place; {valid}")))
    };
    let zone = zone_of(Mic(*b"XNYS"));
    let last = args.to.unwrap_or(args.from);
    let after = last.succ_opt().map(|after| midnight(after, zone));
    let (from, to) = (midnight(args.from, zone), after.map_or(Ns::NONE, |after| Ns(after.0.saturating_sub(1))));
    if args.from > last {
        return Err(Failure::usage(format!("--from {} is after --to {last}", args.from)));
    }
    if !args.address.starts_with("http://") && !args.address.starts_with("https://") {
        return Err(Failure::usage(format!(
            "--address {:?}: write http://HOST:PORT or https://HOST:PORT",
            args.address
        )));
    }
    Ok(Ask {
        address: args.address.clone(),
        key: place(&args.key, "--key")?,
        secret: place(&args.secret, "--secret")?,
        authorities: history::authorities(&params).to_owned(),
        symbols: args.symbols.iter().cloned().collect(),
        from,
        to,
        adjustment: args.adjustment.clone(),
        page: args.page as usize,
        params,
    })
}

/// Says what goes on, on a terminal with a line of progress.
struct Shown<'a> {
    signals: &'a Signals,
    progress: Progress,
}

impl Watcher for Shown<'_> {
    fn stops(&self) -> bool {
        self.signals.came()
    }

    fn has(&self, rows: u64) {
        self.progress.set(rows);
    }

    fn say(&self, sentence: &str) {
        console::say(sentence);
    }
}
