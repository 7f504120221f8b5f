//! The allocator of the binary: large pages for large tables, and a count of allocations.
//!
//! It is the system's allocator with two additions. **Tables** of 8 MiB and more (orders, levels, references) are aligned
//! to a large page and request large pages from the kernel: a table of 50 MB then takes 25 pages of 2 MiB rather than
//! 12,000 of 4 KiB. That many small pages overflow the TLB, and every miss costs a page-table walk, on a virtual machine
//! two. What is [used in order](flow::in_order) keeps small ones. Where the kernel has no large pages, or is configured
//! not to use them (`transparent_hugepage/enabled` = `never`), the pages are small and nothing else changes. **Counting**
//! is on only for `tidegate bench pipeline`; otherwise an allocation costs one load of a flag that is not written, and a
//! warm pipeline does not allocate at all. While it is on, the allocations of all threads are counted, so a split pipeline
//! is counted as a whole.
//!
//! A program with another allocator (a test, a bench) has neither; [`allocations`] then returns `None`.

#[cfg(target_os = "linux")]
use rustix::mm::{Advice, madvise};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Allocations of at least this many bytes are tables.
const LARGE: usize = 8 << 20;
/// Size of a large page in bytes.
const PAGE: usize = 2 << 20;
/// The least size of a page in bytes.
#[cfg(target_os = "linux")]
const SMALL_PAGE: usize = 4 << 10;

static ON: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);
/// One measurement at a time.
static COUNTING: Mutex<()> = Mutex::new(());

/// The system's allocator, with tables on large pages and a counter.
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

/// Allocates a table, uninitialised; null when memory is exhausted.
#[cold]
fn table(layout: Layout) -> *mut u8 {
    let Ok(placed) = layout.align_to(PAGE) else { return std::ptr::null_mut() };
    // SAFETY: the size is not 0.
    let at = unsafe { System.alloc(placed) };
    #[cfg(target_os = "linux")]
    if !at.is_null() && !flow::is_in_order() {
        // SAFETY: whole pages inside the block just allocated; the advice does not change content. If it is refused, the
        // pages are small.
        let _ = unsafe { madvise(at.cast(), layout.size() / PAGE * PAGE, Advice::LinuxHugepage) };
    }
    at
}

// SAFETY: every call goes to the system's allocator. A table's alignment is raised to that of a page, in `alloc` and
// `dealloc` alike, since both apply `is_table` to the same layout.
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
                // SAFETY: that many bytes were just allocated there.
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
            // SAFETY: the caller keeps the promises of `realloc`; the block came from the system's allocator.
            return unsafe { System.realloc(old, layout, size) };
        }
        let Ok(grown) = Layout::from_size_align(size, layout.align()) else { return std::ptr::null_mut() };
        // SAFETY: the size is not 0, as the caller of `realloc` promises.
        let new = unsafe { self.alloc(grown) };
        if !new.is_null() {
            // SAFETY: two separate blocks, both at least as long as the copy; the old one is not used afterwards.
            unsafe {
                new.copy_from_nonoverlapping(old, layout.size().min(size));
                self.dealloc(old, layout);
            }
        }
        new
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        let placed = if is_table(layout) { layout.align_to(PAGE).unwrap_or(layout) } else { layout };
        // SAFETY: the caller keeps the promises of `dealloc`; the block came from the system's allocator with that layout.
        unsafe { System.dealloc(old, placed) }
    }
}

/// Touches memory without changing it, so that it is there when it is used. Where the kernel cannot, or nothing is mapped
/// there any more, nothing happens.
#[cfg(target_os = "linux")]
pub fn touch(at: usize, bytes: usize) {
    let from = at / SMALL_PAGE * SMALL_PAGE;
    // SAFETY: the advice changes the content of no memory, whoever it belongs to.
    let _ = unsafe { madvise(std::ptr::without_provenance_mut(from), at + bytes - from, Advice::LinuxPopulateWrite) };
}

/// As on Linux, where it is possible.
#[cfg(not(target_os = "linux"))]
pub fn touch(_: usize, _: usize) {}

/// Has the allocator map what is large for itself, so that it goes back to the system when it is freed. By itself it learns from
/// what is freed to keep ever larger blocks, in a part of memory for each of many threads: each roll's state would stay in the
/// next of them. A pipeline allocates nothing, so it pays nothing for it. Called once, before threads allocate.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn map_what_is_large() {
    use std::ffi::c_int;
    const MMAP_THRESHOLD: c_int = -3;
    const MAPPED: c_int = 1 << 20;
    // SAFETY: this is its declaration in the GNU library's `malloc.h`.
    unsafe extern "C" {
        fn mallopt(option: c_int, value: c_int) -> c_int;
    }
    // SAFETY: it sets a number of the allocator under its lock.
    unsafe { mallopt(MMAP_THRESHOLD, MAPPED) };
}

/// As with the GNU library, where it is possible.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn map_what_is_large() {}

/// Allocations since counting began.
#[inline]
pub fn allocations_so_far() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// Runs `work` and counts the allocations of all threads meanwhile. The count is `None` when this program uses another
/// allocator.
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
            // SAFETY: the layout is not empty; bytes read were written or allocated zeroed; each block is freed with its layout.
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
