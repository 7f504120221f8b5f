//! What only the system can do for us: large pages for large tables, and a count of allocations.
//!
//! The binary's allocator is the system's with two things before it. **Tables** of 4 MiB and more (orders,
//! levels, references) begin on a large page and ask the kernel for such pages: a table of 50 MB is 25 pages of 2 MiB
//! rather than 12,000 of 4 KiB, more than the processor remembers the places of, and every access to one that it forgot
//! costs a walk through the page tables, on a virtual machine two. Where the kernel has none to give, or is told not to
//! (`transparent_hugepage/enabled` = `never`), the pages are small and nothing else changes. **Counting** is off but for
//! `tidegate bench pipeline`: then an allocation costs one load of a flag that nobody writes, and nothing at all on a warm
//! pipeline, which does not allocate. While it is on, the allocations of all threads are counted, so a split pipeline is counted
//! whole.
//!
//! A program that has another allocator (a test, a bench) has neither; [`allocations`] says so.

#[cfg(target_os = "linux")]
use rustix::mm::{Advice, madvise};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Bytes from which an allocation is a table.
const LARGE: usize = 4 << 20;
/// Bytes of a large page.
const PAGE: usize = 2 << 20;

static ON: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);
/// One measurement at a time.
static COUNTING: Mutex<()> = Mutex::new(());

/// The system's allocator, which puts tables on large pages and can count.
pub struct Allocator;

#[inline(always)]
fn count() {
    if ON.load(Ordering::Relaxed) {
        COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

#[inline(always)]
fn is_table(layout: Layout) -> bool {
    layout.size() >= LARGE && layout.align() <= PAGE
}

/// A table's memory, before anybody wrote to it; null when there is none.
#[cold]
fn table(layout: Layout) -> *mut u8 {
    let Ok(placed) = layout.align_to(PAGE) else { return std::ptr::null_mut() };
    // SAFETY: the size is not 0.
    let at = unsafe { System.alloc(placed) };
    #[cfg(target_os = "linux")]
    if !at.is_null() {
        // SAFETY: whole pages inside what was allocated just now; the advice changes no content. Where it is refused the
        // pages are small.
        let _ = unsafe { madvise(at.cast(), layout.size() / PAGE * PAGE, Advice::LinuxHugepage) };
    }
    at
}

// SAFETY: every call is handed to the system's allocator; a table with an alignment raised to that of a page, in `alloc`
// and `dealloc` alike, since both ask `is_table` of the same layout.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        if is_table(layout) {
            return table(layout);
        }
        // SAFETY: the caller keeps the promises of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        if is_table(layout) {
            let at = table(layout);
            if !at.is_null() {
                // SAFETY: that many bytes were allocated there just now.
                unsafe { at.write_bytes(0, layout.size()) };
            }
            return at;
        }
        // SAFETY: the caller keeps the promises of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.size().max(size) < LARGE {
            count();
            // SAFETY: the caller keeps the promises of `realloc`; what was allocated here is the system's.
            return unsafe { System.realloc(old, layout, size) };
        }
        let Ok(grown) = Layout::from_size_align(size, layout.align()) else { return std::ptr::null_mut() };
        // SAFETY: the size is not 0, as the caller of `realloc` promises.
        let new = unsafe { self.alloc(grown) };
        if !new.is_null() {
            // SAFETY: two allocations, both at least as long as what is copied; the old one is not used any more.
            unsafe {
                new.copy_from_nonoverlapping(old, layout.size().min(size));
                self.dealloc(old, layout);
            }
        }
        new
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        let placed = if is_table(layout) { layout.align_to(PAGE).unwrap_or(layout) } else { layout };
        // SAFETY: the caller keeps the promises of `dealloc`; what was allocated here is the system's, with that layout.
        unsafe { System.dealloc(old, placed) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_begin_on_a_large_page_and_keep_what_they_hold() {
        for size in [LARGE - 1, LARGE, LARGE + 12_345] {
            let layout = Layout::from_size_align(size, 64).expect("a layout");
            // SAFETY: the layout is not empty; what is read was written or allocated zeroed; each layout is the last one.
            unsafe {
                let at = Allocator.alloc_zeroed(layout);
                assert!(std::slice::from_raw_parts(at, size).iter().all(|byte| *byte == 0));
                assert!(size < LARGE || at.addr().is_multiple_of(PAGE));
                (0..size).for_each(|i| at.add(i).write(i as u8));
                for to in [size * 2, LARGE / 2] {
                    let moved = Allocator.alloc(layout);
                    moved.copy_from_nonoverlapping(at, size);
                    let moved = Allocator.realloc(moved, layout, to);
                    assert!((0..size.min(to)).all(|i| moved.add(i).read() == i as u8));
                    Allocator.dealloc(moved, Layout::from_size_align(to, 64).expect("a layout"));
                }
                Allocator.dealloc(at, layout);
            }
        }
    }
}
