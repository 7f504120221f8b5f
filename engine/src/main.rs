//! The binary `tidegate`.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use tidegate::Registries;
use tidegate::os::Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    tidegate::main(Registries::default())
}
