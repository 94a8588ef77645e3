//! An allocator that counts, on the threads and at the times at which it is told to.
#![allow(unsafe_code, reason = "an allocator cannot do without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
    static USE: Cell<Use> = const { Cell::new(Use { allocations: 0, bytes: 0 }) };
}

/// What was asked of the allocator.
#[derive(Clone, Copy, Default)]
pub struct Use {
    pub allocations: i64,
    /// Less what was given back.
    pub bytes: i64,
}

/// Counts what `work` asks for on this thread.
pub fn counted<R>(work: impl FnOnce() -> R) -> (R, Use) {
    let outer = ON.replace(true);
    let before = USE.get();
    let result = work();
    let after = USE.get();
    ON.set(outer);
    let used = Use {
        allocations: after.allocations - before.allocations,
        bytes: after.bytes - before.bytes,
    };
    (result, used)
}

/// Does `work` without counting.
pub fn uncounted<R>(work: impl FnOnce() -> R) -> R {
    let outer = ON.replace(false);
    let result = work();
    ON.set(outer);
    result
}

fn count(allocations: i64, bytes: usize, freed: usize) {
    if ON.get() {
        let mut used = USE.get();
        used.allocations += allocations;
        used.bytes += bytes as i64 - freed as i64;
        USE.set(used);
    }
}

// SAFETY: all work is the system's; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count(0, 0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, size) }
    }
}
