//! Chance that can be repeated: a small generator and the seed that it prints.

use std::time::SystemTime;

/// The next number of a small generator, below `below`.
pub fn draw(random: &mut u64, below: u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    *random % below
}

/// A seed from the clock, printed, so that a failing run can be repeated.
///
/// # Panics
/// When the clock stands before 1970.
pub fn seed() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let seed = since.as_nanos() as u64 | 1;
    println!("seed {seed}");
    seed
}
