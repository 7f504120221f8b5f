//! The atomics and cells of the protocol, and the six orderings on which all of it rests.
//!
//! **Idea.** With `--cfg loom` the same code runs on `loom`'s atomics and cells, which explore every interleaving and
//! every stale value that the memory model allows, and report a cell that two threads touch without an order between
//! them. Each ordering has a name here, in one place; the model checks weaken one at a time to `Relaxed` and expect to
//! be caught, so that none is stronger than it must be and none is untested.
//!
//! Counters are no part of the protocol and stay on the standard library's atomics.

#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::atomic::{AtomicBool, AtomicU64},
};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64};

/// `std`'s cell with the closures of `loom`'s: where a reference would do, a pointer is handed out for one access.
#[cfg(not(loom))]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

/// Defines each ordering as a constant function; under `loom` a check can weaken one to `Relaxed`.
macro_rules! orderings {
    ($($(#[$doc:meta])* $name:ident = $ordering:ident;)*) => {
        /// The orderings of the protocol, by what they order.
        pub(crate) mod order {
            use std::sync::atomic::Ordering;

            /// The names of all of them.
            #[cfg(all(test, loom))]
            pub(crate) const ALL: &[&str] = &[$(stringify!($name)),*];

            $(
                $(#[$doc])*
                #[cfg(not(loom))]
                #[inline(always)]
                pub(crate) const fn $name() -> Ordering {
                    Ordering::$ordering
                }

                $(#[$doc])*
                #[cfg(loom)]
                pub(crate) fn $name() -> Ordering {
                    if super::fault::is(stringify!($name)) { Ordering::Relaxed } else { Ordering::$ordering }
                }
            )*
        }
    };
}

orderings! {
    /// Producer, storing a slot's head word: the body written before it is visible with it.
    mark_set = Release;
    /// Consumer, loading a slot's head word: the body is read after it.
    mark_seen = Acquire;
    /// Consumer, storing its progress: the bodies were read before it.
    freed_set = Release;
    /// Producer, loading the consumer's progress: the slots are written again after it.
    freed_seen = Acquire;
    /// Producer, closing: everything published is visible with it.
    closed_set = Release;
    /// Consumer, loading the closed flag: the last look at the ring comes after it.
    closed_seen = Acquire;
}

/// The ordering that a model check has weakened, if any. Per OS thread: a model runs all its threads on one.
#[cfg(loom)]
pub(crate) mod fault {
    use std::cell::Cell;

    thread_local!(static WEAKENED: Cell<Option<&'static str>> = const { Cell::new(None) });

    /// Whether `name` is weakened.
    pub(crate) fn is(name: &str) -> bool {
        WEAKENED.get() == Some(name)
    }

    /// Weakens `name` (or nothing) from here on.
    #[cfg(test)]
    pub(crate) fn weaken(name: Option<&'static str>) {
        WEAKENED.set(name);
    }
}
