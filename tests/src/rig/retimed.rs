//! A made-up day at other times: each message passes on its way to the file.

use feeds::synthetic::{Synthetic, SyntheticConfig};
use std::io::{self, Write};

/// Writes the day to `to` with the time that `when` gives each message for its own, in nanoseconds since midnight.
pub(super) fn write(config: &SyntheticConfig, to: impl Write, when: impl FnMut(u64) -> u64) {
    let to = Retimed { to, when, changed: Vec::new() };
    Synthetic::new(config).expect("a valid day").write_to(to, |_| ()).expect("there is room for it");
}

struct Retimed<W, F> {
    to: W,
    when: F,
    changed: Vec<u8>,
}

impl<W: Write, F: FnMut(u64) -> u64> Write for Retimed<W, F> {
    /// The generator writes whole messages.
    fn write(&mut self, messages: &[u8]) -> io::Result<usize> {
        self.changed.clear();
        self.changed.extend_from_slice(messages);
        let mut at = 0;
        while at < messages.len() {
            let length = usize::from(u16::from_be_bytes([messages[at], messages[at + 1]]));
            // The end of the day is a length of nothing. In a message there are one byte of type, two of locate, two of
            // tracking; then six of time.
            if length > 0 {
                let time = &mut self.changed[at + 7..at + 13];
                let ns = time.iter().fold(0, |ns, byte| ns << 8 | u64::from(*byte));
                time.copy_from_slice(&(self.when)(ns).to_be_bytes()[2..]);
            }
            at += 2 + length;
        }
        self.to.write_all(&self.changed)?;
        Ok(messages.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
