//! The binary `tidegate`.

use std::process::ExitCode;
use tidegate::os::CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() -> ExitCode {
    tidegate::cli::main()
}
