//! Where an instant lies: the journal of the run, and the last input up to it.
//!
//! Bound: two reads a journal, and a binary search in one, over its segments and then within one.

use super::error::InstantError;
use super::moment::{Moment, on_its_day};
use flow::{Event, Ns};
use sinks::journal::{Home, JournalError, Member};

/// Where an instant lies.
#[derive(Clone, Debug)]
pub struct Place {
    /// The journal.
    pub member: Member,
    /// The last input up to the instant.
    pub input: Event,
}

impl Place {
    /// The place of an instant in the journals of a run.
    ///
    /// # Errors
    /// When it lies outside, or a journal cannot be read.
    pub fn of(moment: Moment, home: &Home) -> Result<Place, InstantError> {
        let [first, last] = range(home)?;
        let outside = |side| {
            let [first, last] = [first, last].map(Box::new);
            Err(InstantError::Outside { asked: moment.to_string(), side, first, last })
        };
        let (before, after) = ("before the first input", "after the last input");
        let ts = match moment {
            Moment::Input(seq) if seq < first.id.seq() => return outside(before),
            Moment::Input(seq) if seq > last.id.seq() => return outside(after),
            Moment::Input(seq) => return numbered(home, seq),
            Moment::Time(ts) => ts,
            Moment::OfDay(time) => on_its_day(time, &first, &last)?,
        };
        match ts {
            ts if ts < first.ts => outside(before),
            ts if ts > last.ts => outside(after),
            ts => timed(home, ts),
        }
    }
}

/// The first input and the last.
fn range(home: &Home) -> Result<[Event; 2], InstantError> {
    let first = home.journals().iter().find_map(|member| first_of(member).transpose()).transpose()?;
    let mut last = None;
    for member in home.journals().iter().rev() {
        let seq = member.reader().last_input_seq()?;
        if seq > member.info.after() {
            let mut inputs = member.reader().inputs();
            inputs.seek_seq(seq)?;
            last = inputs.next().transpose()?;
            break;
        }
    }
    first.zip(last).map(|(first, last)| [first, last]).ok_or(InstantError::Empty)
}

fn first_of(member: &Member) -> Result<Option<Event>, JournalError> {
    member.reader().inputs().next().transpose()
}

fn numbered(home: &Home, seq: u64) -> Result<Place, InstantError> {
    let member = home.journals().iter().rev().find(|member| member.info.after() < seq).ok_or(InstantError::Empty)?;
    let mut inputs = member.reader().inputs();
    inputs.seek_seq(seq)?;
    let input = inputs.next().transpose()?.ok_or(InstantError::Empty)?;
    Ok(Place { member: member.clone(), input })
}

/// The last input up to this time, which lies between the first and the last.
fn timed(home: &Home, ts: Ns) -> Result<Place, InstantError> {
    for member in home.journals().iter().rev() {
        if first_of(member)?.is_none_or(|first| first.ts > ts) {
            continue;
        }
        let mut inputs = member.reader().inputs();
        inputs.seek_behind(ts)?;
        inputs.seek_record(inputs.next_record() - 1);
        let input = inputs.next().transpose()?.ok_or(InstantError::Empty)?;
        return Ok(Place { member: member.clone(), input });
    }
    Err(InstantError::Empty)
}
