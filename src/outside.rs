//! What of a channel is used without its lock. It knows nothing of the values.

use alloc::boxed::Box;

use crate::hchan::Hchan;
use crate::hchan::sudog::SendTicket;
use crate::ops::closed::Line;
use crate::sync::{AtomicBool, AtomicU8, AtomicU64, Mutex, Ordering, Turns};
use crate::watch::Watch;

pub(crate) struct Outside {
    /// Whether a thread has waited long for the lock.
    pub(crate) turns: Turns,
    /// The channel's outlook when the lock was last released. A hint, by which a poll clones its waker first if it
    /// will probably park; never relied on.
    outlook: AtomicU8,
    /// Whether slots can be reserved: on capacity 0 there are none. Where nothing ever happens, a reservation waits.
    has_slots: bool,
    /// Whether anything may ever happen on the channel.
    is_live: bool,
    /// Looked at and changed with the lock on `closeq`.
    pub(crate) closed: AtomicBool,
    /// Every parked send of a task that parked up to this time has been sent.
    served: AtomicU64,
    /// Those that wait for the channel to close. Made for the first wait: most channels have none.
    pub(crate) closeq: Mutex<Option<Box<Line>>>,
    pub(crate) watch: Watch,
}

impl Outside {
    pub(crate) fn new(hchan: &Hchan, watch: Watch) -> Self {
        Self {
            turns: Turns::new(),
            outlook: AtomicU8::new(hchan.outlook()),
            has_slots: hchan.capacity() != Some(0) || !hchan.is_live(),
            is_live: hchan.is_live(),
            closed: AtomicBool::new(false),
            served: AtomicU64::new(0),
            closeq: Mutex::new(None),
            watch,
        }
    }

    /// Where the channel stands among all channels.
    pub(crate) fn address(&self) -> usize {
        core::ptr::from_ref(self).addr()
    }

    /// Whether slots can be reserved: on capacity 0 there are none. Where nothing ever happens, a reservation waits.
    pub(crate) const fn has_slots(&self) -> bool {
        self.has_slots
    }

    /// Whether anything may ever happen on the channel.
    pub(crate) const fn is_live(&self) -> bool {
        self.is_live
    }

    /// Whether a receive would probably park.
    #[inline]
    pub(crate) fn recv_parks(&self) -> bool {
        self.outlook.load(Ordering::Relaxed) & Hchan::RECV_PARKS != 0
    }

    /// Whether a send would probably park.
    #[inline]
    pub(crate) fn send_parks(&self) -> bool {
        self.outlook.load(Ordering::Relaxed) & Hchan::SEND_PARKS != 0
    }

    /// Called before each unlock.
    #[inline]
    pub(crate) fn publish(&self, hchan: &mut Hchan) {
        if cfg!(debug_assertions) {
            hchan.check();
        }
        self.outlook.store(hchan.outlook(), Ordering::Relaxed);
        hchan.publish(&self.watch);
    }

    /// Whether a task's parked send was sent, so that its place is free already: once true, true forever. False
    /// does not mean that it was not sent.
    #[inline]
    pub(crate) fn has_sent(&self, place: &SendTicket) -> bool {
        // Ordering: pairs with `publish_served`, so that a send is over after all that happened before its receive.
        place.is_sent(self.served.load(Ordering::Acquire))
    }

    /// Lets parked sends learn without the lock that they were sent.
    #[inline]
    pub(crate) fn publish_served(&self, hchan: &Hchan) {
        // Ordering: see `has_sent`.
        self.served.store(hchan.served(), Ordering::Release);
    }
}
