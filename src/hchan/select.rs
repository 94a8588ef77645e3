//! What a select asks: before it parks, while it looks at several channels, and after it held its sends.

use core::task::Waker;

use super::offer::{Offer, Terms};
use super::sudog::Sudog;
use super::{Hchan, Waiters};

impl<T> Hchan<T> {
    /// Whether a send would not wait, were it not for the other arms of its own select.
    pub(crate) fn can_send(&self, select: &Offer) -> bool {
        let meets = |waiters: &Waiters| {
            { &self.recvq }.has_other(&waiters.sudogs, select, Terms::Revocable)
        };
        self.closed
            || self.has_room()
            || !self.recvq.is_empty() && self.waiters.as_deref().is_some_and(meets)
    }

    /// Whether a send that was held until now could proceed, since its counterpart came past it. To others it is in
    /// line again from now on.
    pub(crate) fn was_passed_by(&mut self, select: &Offer) -> bool {
        self.clock += 1;
        self.can_send(select)
    }

    /// Whether a receive would not wait, were it not for the other arms of its own select.
    pub(crate) fn can_recv(&self, select: &Offer) -> bool {
        let meets = |waiters: &Waiters| {
            let fits = |sender: &Sudog| !sender.is_of(select) && self.serves_newcomers(sender);
            { &self.sendq }
                .find(&waiters.sudogs, Terms::Final, fits)
                .is_some()
        };
        self.len() > 0
            || self.is_over()
            || !self.sendq.is_empty() && self.waiters.as_deref().is_some_and(meets)
    }

    /// Whether no receiver in line is before those who come now: while an arm was held, receivers may have come
    /// past it, which it will look for.
    fn serves_newcomers(&self, sender: &Sudog) -> bool {
        let waits = |waiters: &Waiters, select| {
            { &self.recvq }.has_other(&waiters.sudogs, select, Terms::Revocable)
        };
        match (sender.select(), self.waiters.as_deref()) {
            (Some(select), Some(waiters)) => !waits(waiters, select),
            _ => true,
        }
    }

    /// Takes the first sender out of its line, of those who parked before `limit`, who does not wait for a
    /// receiver in line.
    #[cold]
    pub(super) fn dequeue_for_newcomer(&mut self, limit: u64) -> Option<(u32, Waker)> {
        loop {
            let waiters = self.waiters.as_deref()?;
            let fits = |sender: &Sudog| sender.age <= limit && self.serves_newcomers(sender);
            let sender = self.sendq.find(&waiters.sudogs, Terms::Final, fits)?;
            let sudogs = &mut self.waiters.as_deref_mut()?.sudogs;
            if let Some(waker) = self.sendq.dequeue_at(sudogs, sender, Terms::Final) {
                return Some((sender, waker));
            }
        }
    }

    /// What the channel's clock shows: if a later look shows the same, nothing has become possible
    /// in between that was not.
    pub(crate) const fn now(&self) -> u64 {
        { self.clock }
            .wrapping_add(self.sent)
            .wrapping_add(self.buf.received() as u64)
    }
}
