//! The atomics and cells of the ring protocol, and the six memory orderings it depends on.
//!
//! **Idea.** With `--cfg loom` the same code runs on `loom`'s atomics and cells, which explore every interleaving and
//! every stale value that the memory model allows, and report any cell that two threads access without an order between
//! them. Each ordering is named here, in one place. The model checks weaken one at a time to `Relaxed` and must fail,
//! which proves that each is needed and tested.
//!
//! Counters are not part of the protocol and stay on the standard library's atomics.

#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::atomic::{AtomicBool, AtomicU64},
};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64};

/// `std`'s cell with the closures of `loom`'s: each access gets a pointer for its duration, never a reference.
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

/// Defines each ordering as a constant function; under `loom`, a check can weaken one to `Relaxed`.
macro_rules! orderings {
    ($($(#[$doc:meta])* $name:ident = $ordering:ident;)*) => {
        /// The orderings of the protocol, named by what they order.
        pub(crate) mod order {
            use std::sync::atomic::Ordering;

            /// The names of all orderings.
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
    /// Producer, storing a slot's head word: makes the body written before it visible.
    mark_set = Release;
    /// Consumer, loading a slot's head word: the body is read after it.
    mark_seen = Acquire;
    /// Consumer, storing its position: the bodies were read before it.
    freed_set = Release;
    /// Producer, loading the consumer's position: slots are overwritten after it.
    freed_seen = Acquire;
    /// Producer, closing: makes everything published visible.
    closed_set = Release;
    /// Consumer, loading the closed flag: the final drain comes after it.
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
