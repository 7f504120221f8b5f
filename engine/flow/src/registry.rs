//! Registries: one array per kind of plug-in, one entry per plug-in.
//!
//! An entry has a name, a documentation page and parameters. Each array is kept beside its plug-ins (`STAGES`, `FEEDS`,
//! `SINKS`); configuration, validation and help are derived from it.

use crate::Param;

/// What every registry entry has.
pub trait Registered {
    /// Name in configurations and on the command line.
    fn name(&self) -> &'static str;
    /// Page of documentation, from the root of the project.
    fn doc(&self) -> &'static str;
    /// What it does, in one sentence.
    fn about(&self) -> &'static str;
    /// Its parameters.
    fn params(&self) -> &'static [Param];
}

impl<R: Registered> Registered for &R {
    fn name(&self) -> &'static str {
        (*self).name()
    }
    fn doc(&self) -> &'static str {
        (*self).doc()
    }
    fn about(&self) -> &'static str {
        (*self).about()
    }
    fn params(&self) -> &'static [Param] {
        (*self).params()
    }
}

/// The entry with that name.
pub fn find<'a, R: Registered>(registry: &'a [R], name: &str) -> Option<&'a R> {
    registry.iter().find(|r| r.name() == name)
}

/// Implements [`Registered`](crate::Registered) for a struct with the fields `name`, `doc`, `about` and `params`.
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
