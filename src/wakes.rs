//! Wakers on their way out of the lock, where one call has completed several operations.
//!
//! No waker is cloned, woken or dropped under the lock, because each of these runs the executor's code, which may
//! use the channel.

use alloc::vec::Vec;
use core::task::Waker;

/// The tasks to wake after the lock, in the order in which they were served.
#[must_use = "a served task that nobody wakes sleeps forever"]
pub(crate) struct Wakes(Vec<Waker>);

impl Wakes {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    #[inline]
    pub(crate) fn push(&mut self, waker: Waker) {
        self.0.push(waker);
    }

    #[inline]
    pub(crate) fn extend(&mut self, wakers: impl IntoIterator<Item = Waker>) {
        self.0.extend(wakers);
    }

    /// Wakes them all, whatever any of them does. Then the first panic goes on; the others are dropped.
    #[inline]
    pub(crate) fn wake_all(self) {
        if !self.0.is_empty() {
            each(self.0, Waker::wake);
        }
    }
}

/// Wakes, then drops a waker that is no longer needed. Called while a future or handle is dropped, perhaps because
/// the thread is panicking.
#[cfg(feature = "std")]
#[inline]
pub(crate) fn wake_and_drop(next: Option<Waker>, left: Option<Waker>) {
    if next.is_none() && !std::thread::panicking() {
        return drop(left);
    }
    let wakes = next.into_iter().map(|waker| (waker, true));
    let drops = left.into_iter().map(|waker| (waker, false));
    each(wakes.chain(drops), |(waker, is_woken)| {
        if is_woken { waker.wake() } else { drop(waker) }
    });
}

#[cfg(not(feature = "std"))]
pub(crate) fn wake_and_drop(next: Option<Waker>, _left: Option<Waker>) {
    next.into_iter().for_each(Waker::wake);
}

/// A waker that is dropped as by [`wake_and_drop`], also if what comes before its drop panics.
pub(crate) struct Unneeded(pub(crate) Option<Waker>);

impl Drop for Unneeded {
    #[inline]
    fn drop(&mut self) {
        if let Some(waker) = self.0.take() {
            drop_in_any_case(waker);
        }
    }
}

/// Out of the way of those that have nothing to drop.
#[cold]
#[inline(never)]
fn drop_in_any_case(waker: Waker) {
    wake_and_drop(None, Some(waker));
}

/// A waker that turned out not to be needed. If its drop panics, the panic is swallowed, as its task must still get what
/// it has received.
pub(crate) struct Surplus(pub(crate) Option<Waker>);

impl Drop for Surplus {
    #[inline]
    fn drop(&mut self) {
        drop_surplus(self.0.take());
    }
}

#[cold]
#[inline(never)]
fn drop_surplus(waker: Option<Waker>) {
    contain(|| drop(waker));
}

/// Makes a call for each, whatever any of them does. Then the first panic goes on; the others are dropped.
#[cfg(feature = "std")]
pub(crate) fn each<I>(items: impl IntoIterator<Item = I>, call: impl Fn(I)) {
    let mut first_panic = None;
    for item in items {
        note(&mut first_panic, || call(item));
    }
    match first_panic {
        // While the thread is panicking anyhow, that panic is the first.
        Some(panic) if !std::thread::panicking() => std::panic::resume_unwind(panic),
        Some(panic) => contain(|| drop(panic)),
        None => {}
    }
}

/// The same where a panic cannot be held back: it unwinds by itself, and takes the others along.
#[cfg(not(feature = "std"))]
pub(crate) fn each<I>(items: Vec<I>, call: impl Fn(I)) {
    struct Rest<I, F: Fn(I)>(alloc::vec::IntoIter<I>, F);

    impl<I, F: Fn(I)> Drop for Rest<I, F> {
        fn drop(&mut self) {
            self.0.by_ref().for_each(&self.1);
        }
    }

    let mut rest = Rest(items.into_iter(), call);
    for item in rest.0.by_ref() {
        (rest.1)(item);
    }
}

#[cfg(feature = "std")]
type Panic = Box<dyn core::any::Any + Send>;

/// Makes a call that runs user code; its panic is noted if it is the first, and else dropped.
#[cfg(feature = "std")]
fn note(first_panic: &mut Option<Panic>, call: impl FnOnce()) {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    // The call consumes what it works on, so nobody can see it half-changed.
    let Err(panic) = catch_unwind(AssertUnwindSafe(call)) else {
        return;
    };
    if first_panic.is_none() {
        *first_panic = Some(panic);
    } else if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        // Dropping a panic payload may panic again; that payload is forgotten.
        core::mem::forget(again);
    }
}

/// Makes a call that runs user code, and swallows its panic, which the panic hook has reported.
pub(crate) fn contain(call: impl FnOnce()) {
    #[cfg(feature = "std")]
    {
        let mut panic = None;
        note(&mut panic, call);
        note(&mut None, || drop(panic));
    }
    // Without `std` a panic cannot be caught.
    #[cfg(not(feature = "std"))]
    call();
}
