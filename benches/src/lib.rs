//! Benchmarks: criterion micro benches and open-loop programs, rivals beside.
