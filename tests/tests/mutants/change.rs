//! Changes of bytes.

use tidegate_tests::draw;

/// Changes `bytes` once.
pub(super) fn change(bytes: &mut Vec<u8>, random: &mut u64) {
    let len = bytes.len() as u64;
    if len < 8 {
        return bytes.extend(std::iter::repeat_with(|| draw(random, 256) as u8).take(40));
    }
    let at = draw(random, len) as usize;
    let part = at..(at + 1 + draw(random, 64) as usize).min(bytes.len());
    match draw(random, 8) {
        0 => bytes[at] ^= 1 << draw(random, 8),
        1 => bytes[part].fill_with(|| draw(random, 256) as u8),
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(part)),
        4 => drop(bytes.splice(at..at, std::iter::repeat_with(|| draw(random, 256) as u8).take(part.len()))),
        5 => drop(bytes.splice(at..at, bytes[part].to_vec())),
        6 => bytes[part].fill([0, 0xff, 0x7f, 0x80][draw(random, 4) as usize]),
        _ => number(bytes, at, random),
    }
}

/// Takes the bytes at `at` for a number, a length for example, and alters it.
fn number(bytes: &mut [u8], at: usize, random: &mut u64) {
    let width = [2, 4, 8][draw(random, 3) as usize];
    let at = at.min(bytes.len() - width);
    let big = draw(random, 2) == 0;
    let mut word = [0; 8];
    word[..width].copy_from_slice(&bytes[at..at + width]);
    if big {
        word[..width].reverse();
    }
    let old = u64::from_le_bytes(word);
    let new = match draw(random, 8) {
        0 => 0,
        1 => 1,
        2 => old.wrapping_add(1),
        3 => old.wrapping_sub(1),
        4 => old.wrapping_mul(2),
        5 => u64::MAX,
        6 => i64::MAX as u64 >> (64 - 8 * width),
        _ => draw(random, 1 << 16),
    };
    word = new.to_le_bytes();
    if big {
        word[..width].reverse();
    }
    bytes[at..at + width].copy_from_slice(&word[..width]);
}
