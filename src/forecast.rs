//! What of a channel is to be seen without its lock.

use crate::sudog::SendTicket;
use crate::sync::{AtomicBool, AtomicU64, Ordering};

/// What was to be seen of a channel when it was last unlocked.
///
/// An operation that will have to park brings its waker along at once, instead of being sent back for
/// one, and an arm of a select spares itself the attempt. That an operation parks is only said where
/// it was true; where it is not said, it may park all the same.
///
/// That a parked send was sent is more than a forecast: once true, true forever.
pub(crate) struct Forecast {
    recv_parks: AtomicBool,
    send_parks: AtomicBool,
    /// As in [`Hchan`](crate::hchan::Hchan).
    sent_up_to: AtomicU64,
}

impl Forecast {
    pub(crate) fn new() -> Self {
        Self {
            recv_parks: AtomicBool::new(false),
            send_parks: AtomicBool::new(false),
            sent_up_to: AtomicU64::new(0),
        }
    }

    /// Whether a receive would have had to park.
    #[inline]
    pub(crate) fn recv_parks(&self) -> bool {
        self.recv_parks.load(Ordering::Relaxed)
    }

    /// Whether a send would have had to park.
    #[inline]
    pub(crate) fn send_parks(&self) -> bool {
        self.send_parks.load(Ordering::Relaxed)
    }

    /// Notes what the next receive and the next send will have to do.
    #[inline]
    pub(crate) fn note(&self, recv_parks: bool, send_parks: bool) {
        self.recv_parks.store(recv_parks, Ordering::Relaxed);
        self.send_parks.store(send_parks, Ordering::Relaxed);
    }

    /// Whether a task's parked send was sent, so that its place is free already. A send for which this is
    /// false may have been sent all the same.
    #[inline]
    pub(crate) fn has_sent(&self, place: &SendTicket) -> bool {
        place.is_sent(self.sent_up_to.load(Ordering::Acquire))
    }

    /// Notes up to when parked sends have been sent.
    #[inline]
    pub(crate) fn note_sent(&self, sent_up_to: u64) {
        // Ordering: pairs with `has_sent`, so that a send is over after all that happened before its receive.
        self.sent_up_to.store(sent_up_to, Ordering::Release);
    }
}
