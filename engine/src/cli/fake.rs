//! `tidegate fake`: a server that speaks as a venue does, on the loopback, of a market that is made up.
//!
//! Whoever has no account tries the live feed with it. It runs until it is stopped, or for as long as it is told.

use super::console;
use super::exit::{Exit, Failure};
use super::numbers::grouped;
use super::signals::Signals;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use feeds::alpaca::fake::{Fake, Faults, Market, Rest, RestFaults, Settings};
use feeds::live::arrival;
use flow::Ns;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The venues.
#[derive(Subcommand)]
pub(crate) enum FakeCommand {
    /// Alpaca's market data over a WebSocket, and its past over HTTP: trades, quotes, bars, halts, corrections.
    Alpaca(AlpacaArgs),
}

/// Options of `fake alpaca`.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tidegate fake alpaca --port 9100 --symbols AAPL,MSFT,SPY\n  \
    FAKE_KEY=fake-key FAKE_SECRET=fake-secret tidegate run desk.toml --journal run1\n\n\
    with in desk.toml:\n  \
    [pipeline]\n  \
    clock = \"wall\"\n  \
    [[input]]\n  \
    feed = \"alpaca\"\n  \
    address = \"ws://127.0.0.1:9100\"\n  \
    key = \"env:FAKE_KEY\"\n  \
    secret = \"env:FAKE_SECRET\"\n  \
    watch = [\"AAPL\", \"MSFT\", \"SPY\"]")]
pub(crate) struct AlpacaArgs {
    /// Port of the loopback; 0 = one that is free.
    #[arg(long, default_value_t = 9_100)]
    port: u16,
    /// Symbols of the market, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "AAPL,MSFT,SPY", value_parser = NonEmptyStringValueParser::new())]
    symbols: Vec<String>,
    /// Messages a second.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// Seed of the market and of what goes wrong.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Symbols of trades and quotes together that the plan has room for.
    #[arg(long, default_value_t = 30)]
    limit: usize,
    /// One frame or request in so many goes wrong somehow: lost, twice, late, cut off, refused; 0 = none.
    #[arg(long, default_value_t = 0)]
    trouble: u32,
    /// Messages of a day of the past, of all symbols together.
    #[arg(long, default_value_t = 20_000, value_name = "COUNT")]
    a_day: u64,
    /// Requests for the past that a minute has room for.
    #[arg(long, default_value_t = 200, value_name = "COUNT")]
    a_minute: u32,
    /// Milliseconds by which its exchange's clock is ahead of this host's.
    #[arg(long, default_value_t = 0, value_name = "MS")]
    ahead: u64,
    /// Ends by itself after so many seconds; 0 = never.
    #[arg(long = "for", default_value_t = 0, value_name = "SECONDS")]
    seconds: u64,
}

pub(crate) fn run(command: &FakeCommand) -> Result<Exit, Failure> {
    let FakeCommand::Alpaca(args) = command;
    let signals = Signals::take()?;
    let one_in = |share: u32| args.trouble.saturating_mul(share);
    let faults = Faults {
        seed: args.seed,
        drop: one_in(4),
        duplicate: one_in(4),
        reorder: one_in(4),
        garbage: one_in(8),
        hang_up: one_in(12),
        half: one_in(12),
        refuse: if args.trouble == 0 { 0 } else { 4 },
        silence: 0,
    };
    let rest_faults = RestFaults {
        seed: args.seed,
        client: one_in(1),
        server: one_in(1),
        slow: one_in(1),
        throttle: one_in(1),
        half: one_in(1),
        hang_up: one_in(1),
    };
    let rest = Rest {
        symbols: args.symbols.clone(),
        seed: args.seed,
        a_day: args.a_day,
        a_minute: args.a_minute,
        faults: rest_faults,
    };
    let settings = Settings { symbols: args.limit, faults, rest, ..Settings::default() };
    let (key, secret) = (settings.key.clone(), settings.secret.clone());
    let fake = Fake::start(args.port, settings)
        .map_err(|e| Failure::failed(format!("port {} cannot be listened at: {e}; name another --port", args.port)))?;
    let address = fake.address();
    console::say(format!("fake alpaca: ws://{address}, key {key}, secret {secret}; the past at http://{address}"));
    let symbols: Vec<_> = args.symbols.iter().map(String::as_str).collect();
    let mut market = Market::new(&symbols, args.seed);
    let began = Instant::now();
    let end = (args.seconds > 0).then(|| Duration::from_secs(args.seconds));
    let mut told = 0u64;
    while !signals.came() && end.is_none_or(|end| began.elapsed() < end) {
        // As many as are due by now.
        let due = (began.elapsed().as_secs_f64() * f64::from(args.rate)) as u64;
        while told < due {
            fake.publish(market.next(Ns(arrival().0 + args.ahead * 1_000_000)));
            told += 1;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let tally = fake.tally();
    let [connections, messages] = [&tally.connections, &tally.messages].map(|n| n.load(Ordering::Acquire));
    console::say(format!("{} connections, {} messages", grouped(connections), grouped(messages)));
    Ok(Exit::Done)
}
