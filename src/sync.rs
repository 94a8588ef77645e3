//! What the crate takes from the platform: a lock, shared ownership, atomics, threads.
//!
//! The model checkers, loom and shuttle, put their own in the place of these when a cfg asks for it. That
//! happens here; a few other files only ask whether one is at work.

use spin::mutex::SpinMutex;

use crate::mask::masked;

#[cfg(any(hchan_loom, hchan_shuttle))]
pub(crate) use self::checked::*;
#[cfg(not(any(hchan_loom, hchan_shuttle)))]
pub(crate) use self::platform::*;

#[cfg(not(any(hchan_loom, hchan_shuttle)))]
mod platform {
    #[cfg(not(feature = "portable-atomic"))]
    pub(crate) use alloc::sync::Arc;
    #[cfg(target_has_atomic = "64")]
    pub(crate) use core::sync::atomic::AtomicU64;
    pub(crate) use core::sync::atomic::Ordering;
    #[cfg(not(feature = "portable-atomic"))]
    pub(crate) use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32};
    #[cfg(feature = "std")]
    pub(crate) use std::thread::{self, park_timeout};

    #[cfg(feature = "portable-atomic")]
    pub(crate) use portable_atomic::{AtomicBool, AtomicU8, AtomicU32};
    #[cfg(feature = "portable-atomic")]
    pub(crate) use portable_atomic_util::Arc;

    pub(crate) use crate::lock::{Mutex, MutexGuard, Turns};
    #[cfg(feature = "std")]
    pub(crate) use crate::lock::{has_company, this_thread_blocks};

    /// Where the platform has none: remembers nothing, so that a send always looks under the lock.
    #[cfg(not(target_has_atomic = "64"))]
    pub(crate) struct AtomicU64;

    #[cfg(not(target_has_atomic = "64"))]
    impl AtomicU64 {
        pub(crate) const fn new(_: u64) -> Self {
            Self
        }

        pub(crate) const fn load(&self, _: Ordering) -> u64 {
            0
        }

        pub(crate) const fn store(&self, _: u64, _: Ordering) {}
    }
}

#[cfg(any(hchan_loom, hchan_shuttle))]
mod checked {
    #[cfg(hchan_loom)]
    use loom as checker;
    #[cfg(hchan_shuttle)]
    use shuttle as checker;
    use std::panic::{RefUnwindSafe, UnwindSafe};

    pub(crate) use checker::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
    pub(crate) use checker::sync::{Arc, MutexGuard};
    pub(crate) use checker::thread;

    /// A model has no clock.
    pub(crate) fn park_timeout(_: std::time::Duration) {
        thread::yield_now();
    }

    /// Nor is there anybody to wait for: others run when this thread does not.
    pub(crate) fn has_company() -> bool {
        false
    }

    pub(crate) fn this_thread_blocks() {}

    pub(crate) struct Mutex<T, const ANYWHERE: bool = false>(checker::sync::Mutex<T>);

    impl<T, const ANYWHERE: bool> UnwindSafe for Mutex<T, ANYWHERE> {}
    impl<T, const ANYWHERE: bool> RefUnwindSafe for Mutex<T, ANYWHERE> {}

    impl<T, const ANYWHERE: bool> Mutex<T, ANYWHERE> {
        pub(crate) fn new(value: T) -> Self {
            Self(checker::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("no user code runs under the lock")
        }

        #[cfg(feature = "inspect")]
        pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock().ok()
        }

        pub(crate) fn lock_in_turn(&self, _: &Turns) -> MutexGuard<'_, T> {
            self.lock()
        }

        pub(crate) fn try_lock_in_turn(&self, _: &Turns) -> Option<MutexGuard<'_, T>> {
            self.0.try_lock().ok()
        }
    }

    /// A checker gives everybody a turn.
    pub(crate) struct Turns;

    impl Turns {
        pub(crate) const fn new() -> Self {
            Self
        }
    }
}

/// A value reached through `&mut` alone, hence `Sync` whenever it is `Send`.
///
/// Futures keep their value in it: a shared future does not show its value, so one that is not
/// `Sync` does not cost the future its own. Only `look` takes the lock, for one comparison.
pub(crate) struct Exclusive<T>(SpinMutex<T>);

impl<T> Exclusive<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(SpinMutex::new(value))
    }

    #[inline]
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// Looks at what is not part of the value, such as whether there is one.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        masked!(look(&self.0.lock()))
    }
}

impl<T> core::panic::UnwindSafe for Exclusive<T> {}
impl<T> core::panic::RefUnwindSafe for Exclusive<T> {}
