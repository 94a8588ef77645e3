//! Interrupts are masked while a channel's lock is held, if the feature `critical-section` is on. Otherwise an interrupt
//! handler may wait for a lock that it keeps the program from releasing.
//!
//! The lock is a guard, and does not mask them itself. Critical sections must end in the reverse order, which a guard
//! cannot promise, so `critical_section::acquire` is `unsafe`; a closure can. So each front calls the channel [`masked!`],
//! and what that call wakes is woken masked as well. Nothing waits there, and user code that is not a waker, such as
//! another future of a select, runs elsewhere. In a debug build the lock asserts that it is taken there; not in the tests
//! of the rules, which have no lock around them.

/// Evaluates an expression with interrupts masked. A `return` or `?` in it must lead to its end.
#[cfg(feature = "critical-section")]
macro_rules! masked {
    ($work:expr) => {
        $crate::mask::with(|| $work)
    };
}
#[cfg(not(feature = "critical-section"))]
macro_rules! masked {
    ($work:expr) => {
        $work
    };
}
pub(crate) use masked;

#[cfg(feature = "critical-section")]
#[inline]
pub(crate) fn with<R>(work: impl FnOnce() -> R) -> R {
    critical_section::with(|_| {
        #[cfg(all(debug_assertions, not(test)))]
        let _depth = depth::Deeper::new();
        work()
    })
}

/// The lock of a channel is about to be taken.
#[inline]
pub(crate) fn assert_masked() {
    #[cfg(all(feature = "critical-section", debug_assertions, not(test)))]
    assert!(depth::is_masked(), "a lock is taken with interrupts let in");
}

/// How many of these calls are within each other. It changes only in a critical section, so that nobody comes between.
#[cfg(all(feature = "critical-section", debug_assertions, not(test)))]
mod depth {
    use core::sync::atomic::{AtomicU32, Ordering};

    static DEPTH: AtomicU32 = AtomicU32::new(0);

    pub(super) struct Deeper;

    impl Deeper {
        pub(super) fn new() -> Self {
            add(1);
            Self
        }
    }

    impl Drop for Deeper {
        fn drop(&mut self) {
            add(u32::MAX);
        }
    }

    fn add(more: u32) {
        let depth = DEPTH.load(Ordering::Relaxed);
        DEPTH.store(depth.wrapping_add(more), Ordering::Relaxed);
    }

    pub(super) fn is_masked() -> bool {
        DEPTH.load(Ordering::Relaxed) > 0
    }
}
