//! Reports all faults in one pass: those of the configuration text and those of the plan that follows from it.

use super::Plan;
use crate::config::{Draft, Faults, Settings};
use flow::Kinds;

/// The settings of a draft. If the draft has faults, the faults of the plan are added as far as it can be built.
///
/// # Errors
/// All faults, in the order of the text.
pub fn checked(mut draft: Draft) -> Result<Settings, Faults> {
    if !draft.faults.is_empty() {
        let space = draft.settings.space(1);
        let plan = || flow::planned(|| Plan::build(&draft.settings, space, Kinds::NONE).err()).0;
        let more = draft.readable().then(plan).flatten();
        draft.faults.extend(more.into_iter().flat_map(|f| f.0));
        draft.faults.sort_by(|a, b| a.place.cmp(&b.place));
    }
    draft.finish()
}
