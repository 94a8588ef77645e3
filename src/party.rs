//! Who stands in line: a task, or one arm of a select.

use core::fmt;
use core::ptr;
use core::task::Waker;

use crate::sync::{Arc, AtomicU32, Mutex, Ordering};

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
    /// Claims whoever it is for this line, and says whom to wake. `None` if another line was faster. From
    /// now on no other can, though an arm stands there until its select looks.
    ///
    /// A task goes with its waker; an arm's handle to its offer stays, for its select to use again.
    #[inline]
    pub(crate) fn accept(party: &mut Option<Self>) -> Option<Waker> {
        match party {
            Some(Self::Arm { offer, number, .. }) => offer.accept(*number),
            _ => party.take().and_then(Self::into_waker),
        }
    }

    /// Claims two, each for the line that it stands in, or neither, and says whom to wake.
    pub(crate) fn accept_both(a: &mut Option<Self>, b: &mut Option<Self>) -> Option<[Waker; 2]> {
        match (&a, &b) {
            (
                Some(Self::Arm {
                    offer: one,
                    number: arm,
                    ..
                }),
                Some(Self::Arm {
                    offer: other,
                    number: other_arm,
                    ..
                }),
            ) => Offer::accept_both((one, *arm), (other, *other_arm)),
            // A task always accepts, so the other one is asked first.
            (Some(Self::Arm { .. }), _) => {
                let first = Self::accept(a)?;
                Some([first, Self::accept(b)?])
            }
            (_, _) => {
                let second = Self::accept(b)?;
                Some([Self::accept(a)?, second])
            }
        }
    }

    /// Whether nobody has accepted it yet.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Task(_) => true,
            Self::Arm { offer, .. } => offer.is_open(),
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
///          open                 accept(arm), by a counterpart
///   Closed ------> Open ----------------------------------> accepted: the arm's number
///     ^              |                                                |
///     +-- withdraw --+------------------- withdraw -------------------+
/// ```
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

    /// Accepts an arm, unless one was accepted before or the offer is closed; returns whom to wake.
    #[inline]
    fn accept(&self, arm: u32) -> Option<Waker> {
        let mut left = self.waker.lock();
        if !self.is_open() {
            return None;
        }
        // Ordering: pairs with `accepted`, which the owner calls without a lock. What the counterpart
        // does for the arm it does under the channel's lock, and the owner takes that lock to collect.
        self.state.store(arm, Ordering::Release);
        left.take()
    }

    /// Accepts an arm of each of two selects, or of neither.
    ///
    /// The two locks are taken in the order of their addresses, wherever the two meet.
    fn accept_both(one: (&Self, u32), other: (&Self, u32)) -> Option<[Waker; 2]> {
        let swap = ptr::from_ref(one.0) > ptr::from_ref(other.0);
        let [(low, low_arm), (high, high_arm)] = if swap { [other, one] } else { [one, other] };
        let (mut low_left, mut high_left) = (low.waker.lock(), high.waker.lock());
        if !(low.is_open() && high.is_open()) {
            return None;
        }
        // Ordering: see `accept`.
        low.state.store(low_arm, Ordering::Release);
        high.state.store(high_arm, Ordering::Release);
        let (low, high) = (low_left.take()?, high_left.take()?);
        Some(if swap { [high, low] } else { [low, high] })
    }

    #[inline]
    fn is_open(&self) -> bool {
        self.state.load(Ordering::Relaxed) == OPEN
    }

    /// The arm that was accepted, if one was.
    #[inline]
    pub(crate) fn accepted(&self) -> Option<u32> {
        let state = self.state.load(Ordering::Acquire);
        (state < OPEN).then_some(state)
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
        match self.is_open() {
            true => left.replace(waker),
            false => Some(waker),
        }
    }
}

#[cfg(test)]
mod tests;
