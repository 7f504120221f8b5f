//! `tidegate synth`: writes a synthetic day as an ITCH 5.0 file.

use super::console::{self, Progress};
use super::exit::{Exit, Failure};
use super::numbers::grouped;
use super::target::{create, may_write};
use clap::Args;
use feeds::synthetic::{Synthetic, SyntheticConfig};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// Options of `synth`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tidegate synth --out day.itch\n  tidegate synth --out big.itch --messages 10000000 --symbols 500 --seed 2"
)]
pub(crate) struct SynthArgs {
    /// File to write: ITCH 5.0 with a two-byte length before each message.
    #[arg(long)]
    out: PathBuf,
    /// Overwrite the file if it exists.
    #[arg(long)]
    force: bool,
    /// Messages in the file.
    #[arg(long, default_value_t = 2_000_000)]
    messages: u64,
    /// Symbols, up to 8,000.
    #[arg(long, default_value_t = 200)]
    symbols: u32,
    /// Resting orders at any time, up to 2,000,000.
    #[arg(long, default_value_t = 20_000)]
    live_orders: u32,
    /// Seed: the same options give the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What every symbol begins with: up to 4 capital letters and digits.
    #[arg(long, default_value = "")]
    prefix: String,
}

pub(crate) fn run(args: &SynthArgs) -> Result<Exit, Failure> {
    let config = SyntheticConfig {
        seed: args.seed,
        messages: args.messages,
        symbols: args.symbols,
        live_orders: args.live_orders,
        prefix: args.prefix.clone(),
        ..SyntheticConfig::default()
    };
    let mut exchange = Synthetic::new(&config).map_err(Failure::usage)?;
    let failed = |e: std::io::Error| {
        Failure::failed(format!("{}: {e}; choose another folder or free some space", args.out.display()))
    };
    may_write(&args.out, args.force)?;
    let file = create(&args.out, args.force).map_err(failed)?;
    let mut to = BufWriter::with_capacity(1 << 20, file);
    let progress = Progress::new("messages", Some(args.messages), true);
    let written = exchange.write_to(&mut to, |messages| progress.set(messages)).map_err(failed)?;
    to.flush().map_err(failed)?;
    drop(progress);
    let (messages, bytes) = (grouped(exchange.messages()), grouped(written));
    console::say(format!("{}: {messages} messages, {bytes} bytes", args.out.display()));
    Ok(Exit::Done)
}
