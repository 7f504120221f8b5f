//! The load of an open-loop benchmark, as options: rate, duration, and the synthetic exchange that its messages come from.

use crate::bench::open_loop::{Burst, Day, Exchange, Load, OpenLoopError, messages};
use crate::cli::console;
use crate::cli::exit::Failure;
use crate::cli::numbers::grouped;
use clap::Args;

/// Most messages held in memory.
const MOST_MESSAGES: u64 = 400_000_000;

/// The options.
#[derive(Args)]
pub(super) struct LoadArgs {
    /// Messages per second; suffixes k and M.
    #[arg(long, default_value = "1M", value_parser = rate)]
    rate: f64,
    /// Duration, in seconds.
    #[arg(long, default_value_t = 5.0, value_parser = seconds)]
    seconds: f64,
    /// Symbols of the synthetic exchange.
    #[arg(long, default_value_t = 200)]
    symbols: u32,
    /// Approximate number of resting orders.
    #[arg(long, default_value_t = 20_000)]
    live_orders: u32,
    /// Warm-up messages in market hours.
    #[arg(long, default_value_t = 200_000)]
    warm: u64,
    /// Seed of the synthetic exchange.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl LoadArgs {
    /// The load, with these bursts.
    pub(super) fn load(&self, bursts: Vec<Burst>) -> Load {
        let LoadArgs { rate, seconds, symbols, live_orders, warm, seed } = *self;
        Load { rate, seconds, bursts, exchange: Exchange { seed, symbols, live_orders, warm } }
    }
}

/// How many messages the load takes, with the steps of a sweep.
pub(super) fn count(load: &Load, sweep: bool) -> Result<u64, Failure> {
    let count = messages(load, sweep)?;
    if count > MOST_MESSAGES {
        let most = grouped(MOST_MESSAGES);
        let advice = format!("{} messages exceed the {most} that can be held in memory", grouped(count));
        return Err(Failure::usage(format!("{advice}; lower --rate, --seconds or --burst")));
    }
    Ok(count)
}

/// Makes so many messages.
pub(super) fn day(load: &Load, count: u64) -> Result<Day, Failure> {
    let symbols = load.exchange.symbols;
    let mb = count * 34 / 1_000_000;
    console::say(format!("making {} messages of {symbols} symbols, about {mb} MB", grouped(count)));
    Ok(Day::new(load.exchange, count, |_| ()).map_err(OpenLoopError::from)?)
}

fn rate(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.strip_suffix(['k', 'K']) {
        Some(number) => (number, 1e3),
        None => text.strip_suffix(['m', 'M']).map_or((text, 1.0), |number| (number, 1e6)),
    };
    let rate = number.parse::<f64>().ok().map(|n| n * unit).filter(|r| (1.0..=1e9).contains(r));
    rate.ok_or_else(|| "valid: messages per second from 1 to 1000M, such as 1000000, 500k or 1M".to_owned())
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse::<f64>().ok().filter(|s| (0.01..=36_000.0).contains(s));
    seconds.ok_or_else(|| "valid: from 0.01 to 36000".to_owned())
}

impl From<OpenLoopError> for Failure {
    fn from(error: OpenLoopError) -> Failure {
        match error {
            OpenLoopError::Schedule(_) | OpenLoopError::Exchange(_) => Failure::usage(error),
            OpenLoopError::Config(faults) => faults.into(),
            OpenLoopError::Run(error) => error.into(),
            OpenLoopError::Venue(_) | OpenLoopError::Connection(_) | OpenLoopError::Stopped => Failure::failed(error),
        }
    }
}
