//! Who stands in line: a task, or one arm of a select.

use core::fmt;
use core::task::Waker;

use crate::sync::{Arc, AtomicU32, Mutex, Ordering};

/// Whom a parked operation belongs to.
pub(crate) enum Party {
    /// A task, which waits for nothing else.
    Task(Waker),
    /// An arm of a select, by its number: Go's `isSelect` sudog.
    Arm(Arc<Offer>, u32),
}

impl Party {
    /// Takes the party out of all lines but this one. False if another line was faster.
    #[inline]
    pub(crate) fn accept(&self) -> bool {
        match self {
            Self::Task(_) => true,
            Self::Arm(offer, arm) => offer.accept(*arm),
        }
    }

    /// Whether nobody has accepted it yet.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Task(_) => true,
            Self::Arm(offer, _) => offer.is_open(),
        }
    }

    /// The select that it is an arm of.
    pub(crate) fn select(&self) -> Option<&Offer> {
        match self {
            Self::Task(_) => None,
            Self::Arm(offer, _) => Some(offer),
        }
    }

    /// Whom to wake, once the party was accepted.
    #[inline]
    pub(crate) fn into_waker(self) -> Option<Waker> {
        match self {
            Self::Task(waker) => Some(waker),
            Self::Arm(offer, _) => offer.take_waker(),
        }
    }

    /// The waker to drop with the party. That of a select is its owner's to drop.
    #[inline]
    pub(crate) fn retire(self) -> Option<Waker> {
        match self {
            Self::Task(waker) => Some(waker),
            Self::Arm(_, _) => None,
        }
    }
}

/// A select that stands in several lines: Go's `selectDone`.
///
/// ```text
///             open               accept(arm), by a counterpart
///   Closed ----------> Open ----------------------------------> accepted: the arm's number
///     ^                  |                                                |
///     +---- withdraw ----+------------------- withdraw -------------------+
/// ```
///
/// Whoever accepts holds the lock of the channel in whose line the arm stands, and completes the
/// arm's sudog before it unlocks.
pub(crate) struct Offer {
    state: AtomicU32,
    /// Whom to wake. Not read before the offer was accepted, so whoever looks at `state` after
    /// putting a waker here has either seen the acceptance or will be woken by it.
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
    pub(crate) fn open(&self) {
        // Ordering: whoever accepts found the arm under a channel's lock, and so sees this.
        self.state.store(OPEN, Ordering::Relaxed);
    }

    fn accept(&self, arm: u32) -> bool {
        // Ordering: pairs with `withdraw` and `accepted`, which the owner calls without a lock. What
        // the counterpart does for the arm it does under the channel's lock, and the owner takes that
        // lock to collect.
        let accepted = self
            .state
            .compare_exchange(OPEN, arm, Ordering::AcqRel, Ordering::Relaxed);
        bug!("select_fires_twice" => return true);
        bug!("stale_arm_absorbs_value" => return accepted.is_ok() || accepted == Err(CLOSED));
        accepted.is_ok()
    }

    fn is_open(&self) -> bool {
        self.state.load(Ordering::Relaxed) == OPEN
    }

    /// The arm that was accepted, if one was.
    pub(crate) fn accepted(&self) -> Option<u32> {
        let state = self.state.load(Ordering::Acquire);
        (state < OPEN).then_some(state)
    }

    /// From now on no arm is accepted; returns the one that was.
    pub(crate) fn withdraw(&self) -> Option<u32> {
        let state = self.state.swap(CLOSED, Ordering::AcqRel);
        (state < OPEN).then_some(state)
    }

    /// Whether a wake would reach this task.
    pub(crate) fn wakes(&self, task: &Waker) -> bool {
        self.waker
            .lock()
            .as_ref()
            .is_some_and(|waker| waker.will_wake(task))
    }

    /// Leaves a waker, and returns the one before.
    pub(crate) fn set_waker(&self, waker: Waker) -> Option<Waker> {
        self.waker.lock().replace(waker)
    }

    /// Takes the waker, so that it is woken or dropped outside the lock.
    pub(crate) fn take_waker(&self) -> Option<Waker> {
        self.waker.lock().take()
    }
}
