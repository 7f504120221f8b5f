//! The past from Alpaca: bars of a minute, trades and quotes over HTTP, into a file that is replayed.
//!
//! ```text
//!  pages (client) ─► rows on the disk (kept) ─► messages (rows) ─► merged by time, translated as live ones are ─► packed file
//! ```
//!
//! The rows of each page are appended to a file as they came, and behind them what page is the next. So whoever is cut off goes on
//! with that page, and ends with the same bytes as who was not. When all pages are there, the rows are merged by time and become the
//! inputs that the live feed would have made of them, in the packed form ([`crate::packed`]): it holds any input bit for bit, with
//! nanoseconds, with exact prices, with the venue of each trade, and all symbols in one file. `csv` has bars alone, LEAN's files have milliseconds and four decimals. What
//! no input has, the letters of the conditions and the tape, stays in the file of rows, for who keeps it.
//!
//! Prices are read from the digits of the JSON, and no float is between. Bound: a page in memory, and a row of each symbol while they
//! are merged. Worst case: Alpaca refuses for longer than ten requests in a row; what is there stays, to go on from.

mod ask;
mod client;
mod going;
mod kept;
mod merge;
mod pace;
mod rows;
#[cfg(feature = "tls")]
mod tls;

pub use ask::{Ask, Channel};
pub use going::{FetchError, Watcher};
pub use merge::{Merged, packed};

use super::AUTHORITIES;
use client::{Client, Trouble};
use flow::Params;
use kept::Kept;
use pace::Pace;
use std::path::Path;

/// The certificates of authorities that the feed's parameters name.
pub fn authorities(params: &Params) -> &str {
    params.get(AUTHORITIES)
}

/// Whether this file is what the fetch would give: one that was killed after its end needs nothing more.
pub fn is_there(ask: &Ask, channels: &[Channel], path: &Path) -> bool {
    crate::packed::about(path).is_ok_and(|about| about.source == ask.name(channels))
}

/// Gets what is still missing of a channel into the file of its rows; how many rows there are in all.
///
/// # Errors
/// When it was stopped, was refused, or a file fails.
pub fn fetch(ask: &Ask, channel: Channel, rows: &Path, watcher: &dyn Watcher) -> Result<u64, FetchError> {
    let client = Client::new(ask)?;
    let mut kept = Kept::open(rows, &ask.head(channel))?;
    if kept.rows() > 0 {
        watcher.say(&format!("{}: going on after {} rows", channel.name(), kept.rows()));
    }
    let mut pace = Pace::new(crate::live::arrival().0);
    watcher.has(kept.rows());
    while !kept.is_whole() {
        if watcher.stops() {
            return Err(FetchError::Stopped);
        }
        let target = ask.target(channel, kept.next());
        match client.get(&target) {
            Ok(answer) => match kept::Page::of(&answer.body, channel) {
                Ok(page) => {
                    kept.append(&page)?;
                    watcher.has(kept.rows());
                    pace.went_well();
                    pace.rest(answer.rests_until, watcher)?;
                }
                Err(why) => pace.failed(&Trouble::passing(format!("an answer cannot be read: {why}")), watcher)?,
            },
            Err(trouble) => pace.failed(&trouble, watcher)?,
        }
    }
    Ok(kept.rows())
}

#[cfg(test)]
mod tests;
