//! Removes closed journals that are older, or take more, than the settings allow.
//!
//! Only whole journals go, the oldest first, and never the current one, nor one whose successor does not know yet how it
//! ended: until then the successor may need it. One that a follower has not read stays too, up to the size `hold_mb`: behind
//! that it goes, and the follower is told a gap. By default all stay. Bound: a look at the size of each file.

use super::carry::CarryError;
use super::notices::Notices;
use crate::config::Settings;
use crate::ingress::wall_now;
use flow::Ns;
use sinks::journal::{HOLD_MB, Home, KEEP_DAYS, KEEP_MB, Member, Previous, bytes_of, holders};

const DAY: u64 = 86_400 * Ns::SECOND;

/// Removes what `settings` do not keep.
pub(super) fn retain(home: &Home, settings: &Settings, notices: Notices) -> Result<(), CarryError> {
    let params = &settings.sinks["journal"];
    let (days, mb, hold) = (params.get(KEEP_DAYS), params.get(KEEP_MB), params.get(HOLD_MB));
    let closed = settled(home)?;
    let sizes = closed.iter().map(|member| bytes_of(member)).collect::<Result<Vec<_>, _>>()?;
    let mut total: u64 = sizes.iter().sum();
    for (member, bytes) in closed.into_iter().zip(sizes) {
        let ended = ended_at(member);
        let is_old = days > 0 && ended.is_some_and(|at| wall_now().0.saturating_sub(at) > days * DAY);
        let why = match (is_old, mb > 0 && total > mb << 20) {
            (true, _) => format!("it ended more than {days} days ago"),
            (false, true) => format!("closed journals took more than {mb} MiB"),
            (false, false) => return Ok(()),
        };
        let held = holders(home, member)?.join(", ");
        let (journal, size) = (member.dir.display(), bytes.div_ceil(1 << 20));
        if !held.is_empty() && total <= hold << 20 {
            notices.say(format!("journal {journal} of {size} MiB stays, although {why}: {held} has not read it"));
            return Ok(());
        }
        home.remove(member)?;
        total -= bytes;
        let gap = match held.is_empty() {
            true => String::new(),
            false => {
                format!("; {held} has not read it and is told a gap, since closed journals took more than {hold} MiB")
            }
        };
        notices.say(format!("journal {journal} of {size} MiB was removed: {why}{gap}"));
    }
    Ok(())
}

/// The journals that nothing needs any more: closed, and their successors know it.
pub(super) fn settled(home: &Home) -> Result<Vec<&Member>, CarryError> {
    let mut settled = Vec::new();
    for pair in home.journals().windows(2) {
        if Previous::read(&pair[1].dir)?.is_none() {
            break;
        }
        settled.push(&pair[0]);
    }
    Ok(settled)
}

/// When a journal was closed, by the clock of the system.
fn ended_at(member: &Member) -> Option<u64> {
    let closed = std::fs::metadata(member.dir.join("closed.toml")).and_then(|found| found.modified()).ok()?;
    let since = closed.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}
