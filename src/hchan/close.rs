//! Close, and the counts of handles: the last of a side closes.

use alloc::vec::Vec;
use core::task::Waker;

use super::offer::Terms;
use super::sudog::{State, WaitQ};
use super::{Hchan, Waiters};
use crate::outside::Outside;
use crate::trace::Event;
use crate::wakes::Wakes;

impl Hchan {
    /// Go's `closechan`: ends every parked send and, unless values may still come, every receive.
    ///
    /// False if the channel is closed already, or can never be.
    pub(crate) fn close(&mut self, outside: &Outside, wakes: &mut Wakes) -> bool {
        if self.open == 0 {
            return false;
        }
        self.open = 0;
        self.outlook = 0;
        self.clock += 1;
        self.trace.note(Event::Close);
        if let Some(waiters) = self.waiters.as_deref_mut() {
            waiters.end_senders(&mut self.sendq, wakes);
        }
        self.aside &= !Self::RESERVING;
        self.settle(wakes);
        outside.end(wakes);
        true
    }

    /// Once no value can come any more, ends the receives that wait for one.
    pub(crate) fn settle(&mut self, wakes: &mut Wakes) {
        if !self.is_over() {
            return;
        }
        self.clock += 1;
        if let Some(waiters) = self.waiters.as_deref_mut() {
            waiters.end_receivers(&mut self.recvq, wakes);
        }
    }

    /// Whether no value can come any more, so that closed is final.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.is_closed() && self.unclaimed == 0 && self.qcount() == 0
    }

    pub(crate) const fn is_closed(&self) -> bool {
        self.open == 0 && self.is_live()
    }

    pub(crate) const fn sender_count(&self) -> usize {
        self.senders as usize
    }

    pub(crate) const fn receiver_count(&self) -> usize {
        self.receivers as usize
    }

    /// Counts a sender that was cloned; false if there are too many to count.
    pub(crate) fn add_sender(&mut self) -> bool {
        count_up(&mut self.senders)
    }

    /// Counts a receiver that was cloned; false if there are too many to count.
    pub(crate) fn add_receiver(&mut self) -> bool {
        count_up(&mut self.receivers)
    }

    /// Counts a sender made of a weak one; false if there is none left, or the channel is closed.
    pub(crate) fn revive_sender(&mut self) -> bool {
        self.senders > 0 && !self.is_closed() && self.add_sender()
    }

    /// Counts a receiver made of a weak one; false if there is none left.
    pub(crate) fn revive_receiver(&mut self) -> bool {
        self.receivers > 0 && self.add_receiver()
    }

    /// A sender is gone; the last one closes.
    ///
    /// Returns whom to wake: `next`, and those that this ends.
    #[inline(never)]
    pub(crate) fn remove_sender(&mut self, outside: &Outside, next: Option<Waker>) -> Wakes {
        let mut wakes = Wakes::new();
        wakes.extend(next);
        self.senders -= 1;
        if self.senders == 0 {
            self.close(outside, &mut wakes);
        }
        wakes
    }

    /// A receiver is gone; the last one closes. Whether it was the last: then nobody can receive what is inside.
    ///
    /// Returns whom to wake: `next`, and those that this ends.
    #[inline(never)]
    pub(super) fn remove_receiver(
        &mut self,
        outside: &Outside,
        next: Option<Waker>,
    ) -> (bool, Wakes) {
        let mut wakes = Wakes::new();
        wakes.extend(next);
        self.receivers -= 1;
        let was_last = self.receivers == 0;
        if was_last {
            self.close(outside, &mut wakes);
        }
        (was_last, wakes)
    }

    /// All values leave. Returns where those are that were put back, the oldest first.
    pub(super) fn take_all(&mut self) -> Vec<u32> {
        let mut returned = Vec::new();
        while self.is_aside(Self::RETURNED) {
            returned.push(self.take_returned().0);
        }
        let rest = self.sent - self.left;
        self.left += rest;
        self.beside = self.beside.wrapping_add(rest);
        returned
    }
}

impl Waiters {
    /// Ends all sends and reservations, as if they stood in one line.
    #[inline(never)]
    fn end_senders(&mut self, sendq: &mut WaitQ, wakes: &mut Wakes) {
        let Self {
            sudogs, reserveq, ..
        } = self;
        loop {
            let limit = reserveq.first_age(sudogs).unwrap_or(u64::MAX);
            let mut first = sendq.dequeue(sudogs, Terms::Revocable, limit);
            if first.is_none() {
                first = reserveq.dequeue(sudogs, Terms::Revocable, u64::MAX);
            }
            let Some((sender, waker)) = first else { break };
            sudogs.get_mut(sender).state = State::Closed;
            wakes.push(waker);
        }
    }

    #[inline(never)]
    fn end_receivers(&mut self, recvq: &mut WaitQ, wakes: &mut Wakes) {
        let sudogs = &mut self.sudogs;
        while let Some((receiver, waker)) = recvq.dequeue(sudogs, Terms::Revocable, u64::MAX) {
            sudogs.get_mut(receiver).state = State::Closed;
            wakes.push(waker);
        }
    }
}

fn count_up(count: &mut u32) -> bool {
    match count.checked_add(1) {
        Some(more) => {
            *count = more;
            true
        }
        None => false,
    }
}
