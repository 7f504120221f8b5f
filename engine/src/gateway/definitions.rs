//! Names and listings, on their way from the tail to the venue.
//!
//! A venue outside the process knows instruments by symbols. The tail puts each name and listing here when it comes by, so
//! before any route of that instrument; the gateway hands them to the adapter before it sends. Bound: one entry for each until
//! the gateway's next turn, nothing per other event. Worst case: an allocation for 31 of them.

use super::Link;
use flow::records::Name;
use flow::{Event, Kind, Kinds, NameSpace, Sink, SinkError};
use std::sync::Arc;

/// Whether it names or lists an instrument.
pub fn is_definition(event: &Event) -> bool {
    event.kind == Kind::Listing || event.get::<Name>().is_some_and(|name| name.space == NameSpace::Symbol.code())
}

/// Takes definitions at the end of the pipeline.
pub struct DefinitionSink(Arc<Link>);

impl DefinitionSink {
    /// A sink for the gateway at the other end of `link`.
    pub fn new(link: Arc<Link>) -> DefinitionSink {
        DefinitionSink(link)
    }
}

impl Sink for DefinitionSink {
    fn kinds(&self) -> Kinds {
        Kinds::of(&[Kind::Name, Kind::Listing])
    }

    fn is_prompt(&self) -> bool {
        true
    }

    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        if is_definition(event) {
            self.0.define(*event);
        }
        Ok(())
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        Ok(())
    }
}
