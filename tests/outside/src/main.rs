//! `tidegate` with a plug-in of each kind that another crate can add: one file and one entry each, nothing else.

#![forbid(unsafe_code)]

mod clock;
mod desk;
mod prices;
mod ticks;

use std::process::ExitCode;
use tidegate::Registries;
use tidegate::os::Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    let feeds = Registries::default().with_feed(&ticks::FEED).with_feed(&clock::FEED);
    tidegate::main(feeds.with_gateway(&desk::GATEWAY).with_sink(&prices::SINK))
}
