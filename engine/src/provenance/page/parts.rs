//! What the timeline and the tables share.

use crate::provenance::story::{Chapter, Step, Story};

/// Text as it may stand in a page.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The steps of a chapter.
pub(super) fn of(story: &Story, chapter: Chapter) -> impl Iterator<Item = &Step> {
    story.steps.iter().filter(move |step| step.chapter == chapter)
}
