//! Who stands in line: a task, or one arm of a select.

use core::fmt;
use core::ptr;
use core::task::Waker;

use crate::sync::{Arc, AtomicU32, Mutex, Ordering};

/// On which terms a counterpart serves a waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Terms {
    /// For good: it takes the value that a send brings.
    Final,
    /// Until the waiter has looked: a receive can give back what it was handed, and an operation that ends
    /// since its channel is closed has done nothing.
    Revocable,
}

/// Why a party is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another line was faster, or its select has withdrawn.
    Declined,
    /// Its select holds its sends. The arm stays in line, and will look for what has come past it.
    Held,
}

/// Whom a parked operation belongs to.
pub(crate) enum Party {
    /// A task, which waits for nothing else.
    Task(Waker),
    /// An arm of a select, by its number: Go's `isSelect` sudog.
    Arm {
        offer: Arc<Offer>,
        number: u32,
        /// More than 0 if it receives, and an arm of the same select stands before it in that line: to
        /// permits a select is one receiver. (A `bool` would take the place of the tag, at 10 steps a park.)
        rank: u32,
    },
}

impl Party {
    /// Claims whoever it is for this line, and says whom to wake, unless it refuses. From now on no other
    /// line can, though an arm stands there until its select looks.
    ///
    /// A task goes with its waker; an arm's handle to its offer stays, for its select to use again.
    #[inline]
    pub(crate) fn accept(party: &mut Option<Self>, terms: Terms) -> Result<Waker, Refusal> {
        match party {
            Some(Self::Arm { offer, number, .. }) => offer.accept(*number, terms),
            _ => {
                let task = party.take().and_then(Self::into_waker);
                task.ok_or(Refusal::Declined)
            }
        }
    }

    /// Claims a sender and a receiver, each for the line that it stands in, or neither, and says whom to wake.
    pub(crate) fn accept_both(
        sender: &mut Option<Self>,
        receiver: &mut Option<Self>,
    ) -> Option<[Waker; 2]> {
        match (&sender, &receiver) {
            (
                Some(Self::Arm {
                    offer: sends,
                    number: send,
                    ..
                }),
                Some(Self::Arm {
                    offer: receives,
                    number: recv,
                    ..
                }),
            ) => Offer::accept_both((sends, *send), (receives, *recv)),
            // A task always accepts, so the other one is asked first.
            (Some(Self::Arm { .. }), _) => {
                let first = Self::accept(sender, Terms::Final).ok()?;
                Some([first, Self::accept(receiver, Terms::Revocable).ok()?])
            }
            (_, _) => {
                let second = Self::accept(receiver, Terms::Revocable).ok()?;
                Some([Self::accept(sender, Terms::Final).ok()?, second])
            }
        }
    }

    /// Whether it would be served on these terms.
    #[inline]
    pub(crate) fn is_open(&self, terms: Terms) -> bool {
        match self {
            Self::Task(_) => true,
            Self::Arm { offer, .. } => offer.is_open(terms),
        }
    }

    /// The select that it is an arm of.
    pub(crate) fn select(&self) -> Option<&Offer> {
        match self {
            Self::Task(_) => None,
            Self::Arm { offer, .. } => Some(offer),
        }
    }

    /// Whether it counts as a receiver: a task does, and of a select's arms in a line the first.
    #[inline]
    pub(crate) const fn is_first(&self) -> bool {
        !matches!(self, Self::Arm { rank: 1.., .. })
    }

    /// Says whether an arm of the same select stands before this one.
    pub(crate) fn set_rank(&mut self, again: bool) {
        if let Self::Arm { rank, .. } = self {
            *rank = again.into();
        }
    }

    /// The handle to the offer that an arm stands in line with.
    #[inline]
    pub(crate) fn into_offer(self) -> Option<Arc<Offer>> {
        match self {
            Self::Task(_) => None,
            Self::Arm { offer, .. } => Some(offer),
        }
    }

    /// The task's own waker. That of a select is its owner's.
    #[inline]
    pub(crate) fn into_waker(self) -> Option<Waker> {
        match self {
            Self::Task(waker) => Some(waker),
            Self::Arm { .. } => None,
        }
    }
}

/// A select that stands in several lines: Go's `selectDone`.
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
/// While its sends are held, nothing that is accepted is final, so that the owner can still commit elsewhere.
///
/// Whoever accepts holds the lock of the channel in whose line the arm stands, and completes the
/// arm's sudog before it unlocks.
pub(crate) struct Offer {
    /// Only changed with the lock on `waker`; but once it is accepted, its owner may do without.
    state: AtomicU32,
    /// Whom to wake, while the offer is open.
    waker: Mutex<Option<Waker>>,
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

const CLOSED: u32 = u32::MAX;
const OPEN: u32 = u32::MAX - 1;
const HELD: u32 = u32::MAX - 2;

impl Offer {
    pub(crate) fn new() -> Self {
        Self {
            state: AtomicU32::new(CLOSED),
            waker: Mutex::new(None),
        }
    }

    /// From now on any one arm may be accepted. The owner calls it, with a closed offer.
    #[inline]
    pub(crate) fn open(&self, waker: Waker) {
        let mut left = self.waker.lock();
        self.state.store(OPEN, Ordering::Relaxed);
        debug_assert!(left.is_none());
        *left = Some(waker);
    }

    /// Accepts an arm, unless one was accepted before or the offer is not open on these terms; returns whom
    /// to wake.
    #[inline]
    fn accept(&self, arm: u32, terms: Terms) -> Result<Waker, Refusal> {
        let mut left = self.waker.lock();
        if !self.is_open(terms) {
            return Err(match self.is_open(Terms::Revocable) {
                true => Refusal::Held,
                false => Refusal::Declined,
            });
        }
        // Ordering: pairs with `accepted`, which the owner calls without a lock. What the counterpart
        // does for the arm it does under the channel's lock, and the owner takes that lock to collect.
        self.state.store(arm, Ordering::Release);
        left.take().ok_or(Refusal::Declined)
    }

    /// Accepts a send arm of one select and a receive arm of another, or neither.
    ///
    /// The two locks are taken in the order of their addresses, wherever the two meet.
    fn accept_both(sender: (&Self, u32), receiver: (&Self, u32)) -> Option<[Waker; 2]> {
        let swap = ptr::from_ref(sender.0) > ptr::from_ref(receiver.0);
        let [low, high] = if swap {
            [receiver, sender]
        } else {
            [sender, receiver]
        };
        let (mut low_left, mut high_left) = (low.0.waker.lock(), high.0.waker.lock());
        if !(sender.0.is_open(Terms::Final) && receiver.0.is_open(Terms::Revocable)) {
            return None;
        }
        // Ordering: see `accept`.
        low.0.state.store(low.1, Ordering::Release);
        high.0.state.store(high.1, Ordering::Release);
        let (low, high) = (low_left.take()?, high_left.take()?);
        Some(if swap { [high, low] } else { [low, high] })
    }

    #[inline]
    fn is_open(&self, terms: Terms) -> bool {
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

    /// Send arms may be served again. What has come past them in between, their owner has to look for now.
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

    /// Leaves another waker, and returns the one before; or, unless the offer is open, this one.
    pub(crate) fn renew(&self, waker: Waker) -> Option<Waker> {
        let mut left = self.waker.lock();
        match self.is_open(Terms::Revocable) {
            true => left.replace(waker),
            false => Some(waker),
        }
    }
}

#[cfg(test)]
mod tests;
