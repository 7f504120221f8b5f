//! What only the system can do for us: a count of allocations.
//!
//! The binary's allocator is the system's with a switch before it. While the switch is off, which it is but for
//! `tidegate bench line`, an allocation costs one load of a flag that nobody writes and a branch that is always predicted:
//! less than a nanosecond beside the tens that the allocator takes, and nothing at all on a warm line, which does not
//! allocate. While it is on, the allocations of all threads are counted, so a split line is counted whole.
//!
//! A program that has another allocator (a test, a bench) cannot count; [`allocations`] says so.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

static ON: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);
/// One measurement at a time.
static COUNTING: Mutex<()> = Mutex::new(());

/// The system's allocator, which can count.
pub struct CountingAllocator;

#[inline(always)]
fn count() {
    if ON.load(Ordering::Relaxed) {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call is handed to the system's allocator with the arguments that it came with.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the promises of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the promises of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the promises of `realloc`; what was allocated here is the system's.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the promises of `dealloc`; what was allocated here is the system's.
        unsafe { System.dealloc(old, layout) }
    }
}

/// Allocations since counting began.
#[inline]
pub fn allocations_so_far() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// Does `work` while the allocations of all threads are counted. `None` beside what it gives when this program's allocator
/// is another.
pub fn allocations<R>(work: impl FnOnce() -> R) -> (R, Option<u64>) {
    let _one = COUNTING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    COUNT.store(0, Ordering::Relaxed);
    ON.store(true, Ordering::Relaxed);
    drop(black_box(Box::new(0u64)));
    let counts = allocations_so_far() > 0;
    COUNT.store(0, Ordering::Relaxed);
    let done = work();
    ON.store(false, Ordering::Relaxed);
    (done, counts.then(allocations_so_far))
}
