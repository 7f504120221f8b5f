//! All faults in one pass: those of the text and those of what it adds up to.

use super::Plan;
use crate::config::{Draft, Faults, Settings};
use flow::Kinds;

/// The settings of a draft. Where the draft has faults, those of the plan of what could be set come with them.
///
/// # Errors
/// All faults, in the order in which they stand.
pub fn checked(mut draft: Draft) -> Result<Settings, Faults> {
    if !draft.faults.is_empty() {
        // Stages that could not be read say nothing of what was meant.
        let readable = !draft.faults.iter().any(|f| f.key.is_empty() || f.key == "pipeline.stages");
        let space = draft.settings.space(1);
        let more = readable.then(|| Plan::build(&draft.settings, space, Kinds::NONE).err()).flatten();
        draft.faults.extend(more.into_iter().flat_map(|f| f.0));
        draft.faults.sort_by(|a, b| a.place.cmp(&b.place));
    }
    draft.finish()
}
