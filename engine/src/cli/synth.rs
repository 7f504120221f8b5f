//! `tidegate synth`.

use super::exit::{Exit, Failure};
use clap::Args;
use feeds::synthetic::{Synthetic, SyntheticConfig};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;

/// Options of `synth`.
#[derive(Args)]
#[command(
    after_help = "Example: tidegate synth --out day.itch --messages 10000000 --symbols 500 --live-orders 100000 --seed 1"
)]
pub(crate) struct SynthArgs {
    /// File to write: ITCH 5.0 with a two-byte length before each message.
    #[arg(long)]
    out: PathBuf,
    /// Messages in the file.
    #[arg(long, default_value_t = 2_000_000)]
    messages: u64,
    /// Symbols, up to 8,000.
    #[arg(long, default_value_t = 200)]
    symbols: u32,
    /// Orders that rest at a time, up to 2,000,000.
    #[arg(long, default_value_t = 20_000)]
    live_orders: u32,
    /// Seed: the same options give the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(args: &SynthArgs) -> Result<Exit, Failure> {
    let config = SyntheticConfig {
        seed: args.seed,
        messages: args.messages,
        symbols: args.symbols,
        live_orders: args.live_orders,
        ..SyntheticConfig::default()
    };
    let mut exchange = Synthetic::new(&config).map_err(Failure::usage)?;
    let failed = |e: std::io::Error| {
        Failure::failed(format!("{}: {e}; choose another folder or free some space", args.out.display()))
    };
    let file = File::create(&args.out).map_err(failed)?;
    let mut to = BufWriter::with_capacity(1 << 20, file);
    let bar = bar(args.messages);
    let written = exchange.write_to(&mut to, |messages| bar.set_position(messages)).map_err(failed)?;
    to.flush().map_err(failed)?;
    bar.finish_and_clear();
    eprintln!("{}: {} messages, {written} bytes", args.out.display(), exchange.messages());
    Ok(Exit::Done)
}

fn bar(messages: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} messages  {per_sec}  {eta}");
    ProgressBar::new(messages).with_style(style.expect("the template is valid"))
}
