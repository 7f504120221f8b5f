//! What the journals of a run do not say by themselves, for the sinks beside it.
//!
//! Bound: the names of one configuration.

use super::journal_names::defined_before;
use flow::{Event, FieldType, Kind, StrategyId};
use sinks::journal::Member;
use sinks::tailer::{Names, Reference};
use stages::Instances;
use std::sync::Arc;

/// What the journals of a run do not say: the names of its configuration, and what snapshots begin with.
pub(super) struct RunReference(pub(super) Arc<Instances>);

/// The names of a configuration.
struct Named(Arc<Instances>);

impl Names for Named {
    fn name(&self, ty: FieldType, kind: Kind, number: u64) -> Option<&str> {
        match ty {
            FieldType::Strategy => self.0.strategy(StrategyId(u16::try_from(number).ok()?)),
            FieldType::Instance => self.0.measure(u8::try_from(number).ok()?, kind),
            FieldType::Check => Some(stages::risk::check_name(u16::try_from(number).ok()?)),
            FieldType::Limit => self.0.limit(u16::try_from(number).ok()?),
            _ => None,
        }
    }
}

impl Reference for RunReference {
    fn names(&self) -> Arc<dyn Names> {
        Arc::new(Named(Arc::clone(&self.0)))
    }

    fn begins_with(&self, member: &Member) -> Result<Vec<Event>, String> {
        defined_before(member).map_err(|failure| failure.message)
    }
}
