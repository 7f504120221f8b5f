//! Registries: one array per kind of plug-in, one entry per plug-in.
//!
//! An entry names the thing, its page of documentation and its parameters. The arrays stand where the plug-ins do
//! (`STAGES`, `FEEDS`, `SINKS`); `validate`, help and configuration are derived from them.

use crate::Param;

/// What every registry entry says.
pub trait Registered {
    /// Name in configurations and on the command line.
    fn name(&self) -> &'static str;
    /// Page of documentation, from the root of the project.
    fn doc(&self) -> &'static str;
    /// What it is, in one sentence.
    fn about(&self) -> &'static str;
    /// What can be set.
    fn params(&self) -> &'static [Param];
}

/// The entry of that name.
pub fn find<'a, R: Registered>(registry: &'a [R], name: &str) -> Option<&'a R> {
    registry.iter().find(|r| r.name() == name)
}

/// Makes an entry of a registry from a struct with the fields `name`, `doc`, `about` and `params`.
#[macro_export]
macro_rules! registered {
    ($entry:ty) => {
        impl $crate::Registered for $entry {
            fn name(&self) -> &'static str {
                self.name
            }
            fn doc(&self) -> &'static str {
                self.doc
            }
            fn about(&self) -> &'static str {
                self.about
            }
            fn params(&self) -> &'static [$crate::Param] {
                self.params
            }
        }
    };
}
