//! What is seen of a channel from outside: what is told, written down, and asserted.

use super::{Hchan, Kind};
use crate::snapshot::Snapshot;
use crate::trace::{Seen, Told, Trace};
use crate::watch::{Counts, Watch};

impl Hchan {
    /// What has happened since the lock was taken, to be told after the unlock.
    #[inline]
    pub(crate) fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Hands out what has happened since the lock was taken.
    #[inline]
    pub(crate) fn hand_out(&mut self, told: &mut Told, channel: usize) {
        if self.trace.is_kept() {
            self.hand_out_noted(told, channel);
        }
    }

    #[cold]
    #[inline(never)]
    fn hand_out_noted(&mut self, told: &mut Told, channel: usize) {
        self.trace.see(Seen {
            qcount: self.qcount(),
            closed: self.is_closed(),
            senders: self.senders,
            receivers: self.receivers,
        });
        told.add(&mut self.trace, channel);
    }

    /// Writes down what has changed since the lock was taken.
    #[inline]
    pub(crate) fn publish(&mut self, watch: &Watch) {
        if !cfg!(feature = "inspect") {
            return;
        }
        let (ring, returned) = (self.qcount() - self.returned(), self.returned() as u32);
        let (closed, received, reserved) = (self.is_closed(), self.received(), self.reserved());
        let counts = || Counts {
            closed,
            ring,
            received,
            returned,
            reserved,
            unclaimed: self.unclaimed,
            sent: self.sent,
            peak: self.peak,
        };
        let waiters = self.waiters.as_deref_mut();
        watch.publish(counts, waiters.map(|waiters| &mut waiters.sudogs.spots));
    }

    pub(crate) const fn capacity(&self) -> Option<usize> {
        match self.kind {
            Kind::Bounded | Kind::Never => Some(self.dataqsiz),
            Kind::Unbounded => None,
        }
    }

    /// Whether every slot holds a value or is reserved.
    pub(crate) fn is_full(&self) -> bool {
        !self.has_room()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let (mut sendq, mut recvq) = (0, 0);
        if let Some(waiters) = self.waiters.as_deref() {
            let sudogs = &waiters.sudogs;
            sendq = self.sendq.count(sudogs) + waiters.reserveq.count(sudogs);
            recvq = self.recvq.count(sudogs);
        }
        Snapshot {
            qcount: self.qcount(),
            dataqsiz: self.capacity(),
            sendx: self.slot(self.received() + (self.qcount() - self.returned()) as u64),
            recvx: self.slot(self.received()),
            closed: self.is_closed(),
            sendq,
            recvq,
            senders: self.senders as usize,
            receivers: self.receivers as usize,
            permits: self.reserved(),
            unclaimed: self.unclaimed as usize,
            sent: self.sent,
            received: self.left - u64::from(self.unclaimed),
            peak: self.peak,
        }
    }

    /// The slot that so many values are before.
    fn slot(&self, before: u64) -> usize {
        before.checked_rem(self.dataqsiz as u64).unwrap_or(0) as usize
    }

    /// The invariants at the head of `hchan.rs`, as far as the heads of the lines show them.
    pub(crate) fn check(&self) {
        let nothing_inside = self.qcount() == 0;
        let closed = self.is_closed();
        let returned = self.returned();
        assert!(self.outlook == self.foresee());
        assert!(returned <= self.qcount());
        assert!((returned > 0) == self.is_aside(Self::RETURNED));
        assert!(self.sendq.is_empty() || !closed);
        if let Some(waiters) = self.waiters.as_deref() {
            let (sudogs, reserveq) = (&waiters.sudogs, &waiters.reserveq);
            assert!(reserveq.is_empty() || self.is_aside(Self::RESERVING));
            assert!(reserveq.is_empty() || !closed);
            assert!(reserveq.is_empty() || !self.has_room());
            let sends = self.sendq.starts_with_task(sudogs);
            let receives = self.recvq.starts_with_task(sudogs);
            assert!(!receives || nothing_inside);
            assert!(!receives || !closed || self.unclaimed > 0);
            assert!(!sends || !self.has_room());
            assert!(!sends || !receives);
        }
    }
}
