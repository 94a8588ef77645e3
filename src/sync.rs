//! What the crate takes from the platform: a lock, shared ownership, atomics.
//!
//! With `std` the lock is the operating system's; without, it is a spin lock. No code of a user runs
//! under the lock, so a panic cannot leave the state behind it half-changed, and poison is ignored.

pub(crate) use alloc::sync::Arc;
pub(crate) use core::sync::atomic::{AtomicU32, Ordering};

#[cfg(not(feature = "std"))]
pub(crate) use spin::mutex::SpinMutex as Mutex;

#[cfg(feature = "std")]
pub(crate) use self::os::Mutex;

#[cfg(feature = "std")]
mod os {
    use std::sync::{self, MutexGuard, PoisonError, TryLockError};

    /// [`std::sync::Mutex`] without poison.
    pub(crate) struct Mutex<T>(sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            match self.0.try_lock() {
                Ok(guard) => Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            }
        }

        pub(crate) fn get_mut(&mut self) -> &mut T {
            self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

/// A value reached through `&mut` alone, hence `Sync` whenever it is `Send`.
///
/// Futures keep their message in it: whoever shares a future cannot see the message, so a message
/// that is not `Sync` does not cost the future its own. Nothing waits for the lock inside.
pub(crate) struct Exclusive<T>(Mutex<T>);

impl<T> Exclusive<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// Looks at what is not part of the value, such as whether there is one.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.0.lock())
    }
}
