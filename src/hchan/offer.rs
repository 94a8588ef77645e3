//! A select that stands in several lines, only one of which may serve it: Go's `selectDone`.

use core::fmt;
use core::task::Waker;
#[cfg(feature = "std")]
use std::cell::Cell;

use crate::sync::{Arc, AtomicU32, Mutex, Ordering};

/// What all parked arms of a select share.
///
/// ```text
///          open            accept(arm), by a counterpart
///   Closed ------> Open -----------------------------------> accepted: the arm's number
///     ^            |  ^                                       ^    |
///     |       hold |  | release                               |    |
///     |            v  |        accept(arm), revocable         |    |
///     |            Held --------------------------------------+    |
///     |             |                                              |
///     +- withdraw --+------------------ withdraw ------------------+
/// ```
///
/// While its sends are held, nothing that is accepted is final, so the owner can still commit elsewhere.
///
/// A counterpart that accepts holds the lock of the channel in whose line the arm stands, and completes the arm's
/// sudog before it unlocks.
pub struct Offer {
    /// Only changed with the lock on `waker`; but once it is accepted, its owner may do without.
    state: AtomicU32,
    /// The waker to wake, while the offer is open.
    waker: Mutex<Option<Waker>>,
}

/// Whether what a counterpart does for a waiter is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Terms {
    /// For good: it takes the value that a send brings.
    Final,
    /// Until the waiter has looked: a receive can give back what it was handed, and an operation that ends
    /// because its channel is closed has done nothing.
    Revocable,
}

/// Why a waiter is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another line was faster, or its select has withdrawn.
    Declined,
    /// Its select holds its sends. The arm stays in line, and will look for what passed it by.
    Held,
}

const CLOSED: u32 = u32::MAX;
const OPEN: u32 = u32::MAX - 1;
const HELD: u32 = u32::MAX - 2;

#[cfg(feature = "std")]
std::thread_local! {
    /// An offer to be used again, so that selects that wait one after the other allocate nothing.
    static OFFER: Cell<Option<Arc<Offer>>> = const { Cell::new(None) };
}

impl Offer {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU32::new(CLOSED),
            waker: Mutex::new(None),
        }
    }

    /// The thread's offer, or a new one if another select has it.
    pub(crate) fn take() -> Arc<Self> {
        // The arms of a select that was given up leave later, and in between anything may happen.
        #[cfg(feature = "std")]
        if let Some(offer) = OFFER
            .try_with(Cell::take)
            .ok()
            .flatten()
            .filter(|offer| Arc::strong_count(offer) == 1)
        {
            return offer;
        }
        Arc::new(Self::new())
    }

    /// Leaves the offer, closed, to the next select.
    pub(crate) fn keep(offer: Arc<Self>) {
        // A model checker makes everything again each time. Otherwise this fails only as the thread ends.
        #[cfg(all(feature = "std", not(any(hchan_loom, hchan_shuttle))))]
        let _kept = OFFER.try_with(|kept| kept.set(Some(offer)));
        #[cfg(any(not(feature = "std"), hchan_loom, hchan_shuttle))]
        drop(offer);
    }

    /// From now on any one arm may be accepted. The owner calls it, with an offer that is closed, or that it has
    /// accepted itself.
    #[inline]
    pub(crate) fn open(&self, waker: Waker) {
        let mut left = self.waker.lock();
        self.state.store(OPEN, Ordering::Relaxed);
        debug_assert!(left.is_none());
        *left = Some(waker);
    }

    /// Accepts an arm, unless one was accepted before or the offer is not open on these terms; returns the waker
    /// to wake.
    #[inline(never)]
    pub(crate) fn accept(&self, arm: u32, terms: Terms) -> Result<Waker, Refusal> {
        let mut left = self.waker.lock();
        if !self.is_open(terms) {
            return Err(if self.is_open(Terms::Revocable) {
                Refusal::Held
            } else {
                Refusal::Declined
            });
        }
        // Ordering: pairs with `accepted`, which the owner calls without a lock. What the counterpart
        // does for the arm it does under the channel's lock, and the owner takes that lock to collect.
        self.state.store(arm, Ordering::Release);
        left.take().ok_or(Refusal::Declined)
    }

    #[inline]
    pub(crate) fn is_open(&self, terms: Terms) -> bool {
        match self.state.load(Ordering::Relaxed) {
            OPEN => true,
            HELD => terms == Terms::Revocable,
            _ => false,
        }
    }

    /// From now on no send arm is served; one that was accepted before stays accepted.
    pub(crate) fn hold(&self) {
        self.replace(OPEN, HELD);
    }

    /// Send arms may be served again. Their owner must now look for what passed them by meanwhile.
    pub(crate) fn release(&self) {
        self.replace(HELD, OPEN);
    }

    fn replace(&self, from: u32, to: u32) {
        let _left = self.waker.lock();
        if self.state.load(Ordering::Relaxed) == from {
            self.state.store(to, Ordering::Relaxed);
        }
    }

    /// The arm that was accepted, if one was.
    #[inline]
    pub(crate) fn accepted(&self) -> Option<u32> {
        let state = self.state.load(Ordering::Acquire);
        (state < HELD).then_some(state)
    }

    /// From now on no arm is accepted. Returns the one that was, or else the waker.
    #[inline]
    pub(crate) fn withdraw(&self) -> (Option<u32>, Option<Waker>) {
        let mut accepted = self.accepted();
        let mut waker = None;
        if accepted.is_some() {
            self.state.store(CLOSED, Ordering::Relaxed);
        } else {
            let mut left = self.waker.lock();
            accepted = self.accepted();
            self.state.store(CLOSED, Ordering::Relaxed);
            waker = left.take();
        }
        (accepted, waker)
    }

    /// Whether a wake would reach this task.
    pub(crate) fn wakes(&self, task: &Waker) -> bool {
        let left = self.waker.lock();
        left.as_ref().is_some_and(|waker| waker.will_wake(task))
    }

    /// What the waker points to, while there is one.
    #[cfg(feature = "inspect")]
    pub(crate) fn task(&self) -> usize {
        let left = self.waker.lock();
        left.as_ref().map_or(0, |waker| waker.data().addr())
    }

    /// Leaves another waker, and returns the previous one; or this one, if the offer is not open.
    pub(crate) fn renew(&self, waker: Waker) -> Option<Waker> {
        let mut left = self.waker.lock();
        if self.is_open(Terms::Revocable) {
            left.replace(waker)
        } else {
            Some(waker)
        }
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
