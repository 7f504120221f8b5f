//! The binary `tidegate`.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use tidegate::os::Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    tidegate::commands::main()
}
