//! Wakers on their way out of the lock: whom to wake, and the waker that a parking task leaves.
//!
//! No waker is cloned, woken or dropped under the lock, since each of these runs code of the
//! executor's, which may come back to the channel. So the state machine only collects: a [`Wakes`]
//! says whom to wake once the lock is free, a [`Visitor`] brings a waker that was cloned before and
//! takes away the one that it replaces.

use alloc::vec::Vec;
#[cfg(feature = "std")]
use core::mem;
use core::task::{Context, Waker};

use crate::party::Party;

/// The tasks to wake after the lock, in the order in which they were served.
#[must_use = "a served task that nobody wakes sleeps forever"]
pub(crate) struct Wakes {
    /// One operation serves one waiter as a rule, without touching the heap.
    first: Option<Waker>,
    rest: Vec<Waker>,
    /// A waker that nobody needs any more.
    retired: Option<Waker>,
}

impl Wakes {
    pub(crate) const fn new() -> Self {
        Self {
            first: None,
            rest: Vec::new(),
            retired: None,
        }
    }

    /// Drops a party's waker once the lock is free. There is one such waker for each operation at most.
    #[inline]
    pub(crate) fn retire(&mut self, party: Option<Party>) {
        let waker = party.and_then(Party::into_waker);
        debug_assert!(self.retired.is_none() || waker.is_none());
        if waker.is_some() {
            self.retired = waker;
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
        } else {
            self.rest.push(waker);
        }
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    /// Wakes them all, whatever any of them does, and hands back the first panic.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn wake_all(mut self) -> Result<(), Panic> {
        if self.rest.capacity() > 0 || self.retired.is_some() {
            return self.wake_several();
        }
        let first = self.first.take();
        // So that the compiler need not look for what there is to drop.
        mem::forget(self);
        let mut first_panic = None;
        if let Some(waker) = first {
            note(&mut first_panic, || waker.wake());
        }
        Panic::on_its_way(first_panic)
    }

    #[cfg(feature = "std")]
    #[inline(never)]
    fn wake_several(self) -> Result<(), Panic> {
        let mut first_panic = None;
        for waker in self.first.into_iter().chain(self.rest) {
            note(&mut first_panic, || waker.wake());
        }
        note(&mut first_panic, || drop(self.retired));
        Panic::on_its_way(first_panic)
    }

    /// Wakes them all, whatever any of them does.
    #[cfg(not(feature = "std"))]
    pub(crate) fn wake_all(self) -> Result<(), Panic> {
        /// Goes on with the others while a panic unwinds.
        struct Rest(alloc::vec::IntoIter<Waker>);

        impl Drop for Rest {
            fn drop(&mut self) {
                self.0.by_ref().for_each(Waker::wake);
            }
        }

        let mut rest = Rest(self.rest.into_iter());
        self.first
            .into_iter()
            .chain(rest.0.by_ref())
            .for_each(Waker::wake);
        drop(self.retired);
        Ok(())
    }
}

/// A panic of a waker or a subscriber, held back until everyone else was woken.
#[cfg(feature = "std")]
pub(crate) struct Panic(Box<dyn core::any::Any + Send>);

/// Without `std` a panic of theirs cannot be held back: it unwinds by itself.
#[cfg(not(feature = "std"))]
pub(crate) enum Panic {}

/// Makes a call that runs code of a user's; its panic is noted if it is the first, and else dropped.
#[cfg(feature = "std")]
#[inline]
fn note(first_panic: &mut Option<Panic>, call: impl FnOnce()) {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    // What the call works on is consumed by it, so nobody can see it half-changed.
    let Err(payload) = catch_unwind(AssertUnwindSafe(call)) else {
        return;
    };
    if first_panic.is_none() {
        *first_panic = Some(Panic(payload));
    } else if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // To drop a panic may be a panic; this one is not asked a third time.
        mem::forget(again);
    }
}

/// Makes a call that runs code of a user's, and swallows its panic, which the panic hook has reported.
#[cfg(all(feature = "time", not(any(hchan_loom, hchan_shuttle))))]
pub(crate) fn contain(call: impl FnOnce()) {
    let mut panic = None;
    note(&mut panic, call);
    note(&mut None, || drop(panic));
}

impl Panic {
    /// Makes a call that runs code of a user's, and hands its panic back.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn catch(call: impl FnOnce()) -> Result<(), Self> {
        let mut first_panic = None;
        note(&mut first_panic, call);
        Self::on_its_way(first_panic)
    }

    #[cfg(not(feature = "std"))]
    pub(crate) fn catch(call: impl FnOnce()) -> Result<(), Self> {
        call();
        Ok(())
    }

    /// While the thread is panicking anyhow, that panic is the first, and goes on by itself.
    #[cfg(feature = "std")]
    #[inline]
    fn on_its_way(first_panic: Option<Self>) -> Result<(), Self> {
        match first_panic {
            Some(panic) if !std::thread::panicking() => Err(panic),
            _ => Ok(()),
        }
    }

    /// Makes a call during which this panic is held back; one that follows it is dropped.
    #[cfg(feature = "std")]
    pub(crate) fn hold(self, call: impl FnOnce() -> Result<(), Self>) -> Self {
        let mut first_panic = Some(self);
        note(&mut first_panic, || {
            if let Err(other) = call() {
                other.resume();
            }
        });
        match first_panic {
            Some(panic) => panic,
            None => unreachable!("a panic that was noted stays"),
        }
    }

    #[cfg(not(feature = "std"))]
    pub(crate) fn hold(self, _: impl FnOnce() -> Result<(), Self>) -> Self {
        self
    }

    #[cold]
    pub(crate) fn resume(self) -> ! {
        #[cfg(feature = "std")]
        std::panic::resume_unwind(self.0);
        #[cfg(not(feature = "std"))]
        match self {}
    }
}

/// A task at the channel's door, which may have to park.
///
/// Unless it is likely to, or has to wait for the lock, it comes without a clone of its waker, for it may be
/// served at once. When it must park after all, it is sent away to fetch one, outside the lock, and asks again.
pub(crate) struct Visitor<'a> {
    task: &'a Waker,
    /// Coming in, the clone to park with; going out, a waker to drop.
    waker: Option<Waker>,
    wants_waker: bool,
}

impl<'a> Visitor<'a> {
    /// A visitor who is likely to be served at once.
    pub(crate) const fn new(cx: &'a Context<'_>) -> Self {
        Self {
            task: cx.waker(),
            waker: None,
            wants_waker: false,
        }
    }

    /// A visitor who brings a waker along, if there is one.
    pub(crate) fn with(cx: &'a Context<'_>, waker: Option<Waker>) -> Self {
        Self {
            task: cx.waker(),
            waker,
            wants_waker: false,
        }
    }

    /// The waker to park with; without one, the visitor has to fetch it and ask again.
    #[inline]
    pub(crate) fn waker(&mut self) -> Option<Waker> {
        self.wants_waker = self.waker.is_none();
        self.waker.take()
    }

    /// Makes `parked`, the waker of a parked operation, wake this task; the old one goes out with it.
    pub(crate) fn renew(&mut self, parked: &mut Option<Party>) {
        if matches!(parked, Some(Party::Task(old)) if old.will_wake(self.task)) {
            return;
        }
        if let Some(waker) = self.waker() {
            self.waker = parked
                .replace(Party::Task(waker))
                .and_then(Party::into_waker);
        }
    }

    /// What the visitor takes out of the lock with it, to be dropped there.
    #[inline]
    pub(crate) fn leftover(&mut self) -> Option<Waker> {
        self.waker.take()
    }

    /// Fetches a waker if one was wanted, and says whether to ask again. Outside the lock.
    #[inline]
    pub(crate) fn fetch_waker(&mut self) -> bool {
        if self.wants_waker {
            self.wants_waker = false;
            self.waker = Some(self.task.clone());
            return true;
        }
        false
    }
}
