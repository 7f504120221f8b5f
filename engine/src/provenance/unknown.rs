//! An order that the journal does not have: what is near, and which journal of the run has it.
//!
//! Bound: one look at each index.

use super::error::WhyError;
use super::index::{Index, Trouble, run_of};
use super::name::name;
use crate::recovery::Notices;
use flow::OrderId;
use sinks::journal::{Home, Member};
use stages::Instances;
use std::path::{Path, PathBuf};

/// The nearest ids that the journals have: the greatest below, and the least above.
pub(super) fn nearest(index: &mut Index, order: OrderId) -> Result<[Option<OrderId>; 2], Trouble> {
    let [mut below, mut above] = [None, None];
    for member in &mut index.members {
        let [before, behind] = member.around(order)?;
        below = below.max(before);
        above = [above, behind].into_iter().flatten().min();
    }
    Ok([below, above])
}

/// The journal of the same run that has the order, where one journal alone was named.
pub(super) fn elsewhere(dir: &Path, order: OrderId, notices: Notices) -> Result<Option<PathBuf>, WhyError> {
    let Some(run) = run_of(dir) else { return Ok(None) };
    let Ok(home) = Home::open(&run) else { return Ok(None) };
    let mut index = Index::open(&home, notices)?;
    for member in &mut index.members {
        match member.of_order(order) {
            Ok(found) if !found.is_empty() => return Ok(Some(member.member.dir.clone())),
            Ok(_) | Err(Trouble::Index) => {}
            Err(Trouble::Journal(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// The error that says all of that.
pub(super) fn error(
    order: OrderId,
    names: &Instances,
    dir: &Path,
    first: &Member,
    nearest: [Option<OrderId>; 2],
    elsewhere: Option<PathBuf>,
) -> WhyError {
    let own = name(order, names);
    let what = format!("{}: no event of order {} ({own})", dir.display(), order.0);
    if let Some(place) = elsewhere {
        return WhyError::Unknown(format!("{what}; {} has it", place.display()));
    }
    let mut near = nearest.into_iter().flatten().map(|id| format!("{} ({})", name(id, names), id.0));
    let near = match (near.next(), near.next()) {
        (Some(one), Some(other)) => format!("the nearest are {one} and {other}"),
        (Some(one), None) => format!("the nearest is {one}"),
        _ => "the journal has no orders".to_owned(),
    };
    let earlier = if first.info.number > 1 && run_of(dir).is_none() {
        let before = first.info.number;
        format!("; the journals of the run before number {before} are not here: name the folder they were moved to")
    } else {
        String::new()
    };
    WhyError::Unknown(format!("{what}; {near}{earlier}"))
}
