//! Close, and the counts of handles: the last of a side closes.

use alloc::collections::VecDeque;

use super::offer::Terms;
use super::sudog::{State, WaitQ};
use super::{Hchan, Kind, Waiters};
use crate::ops::closed::Closeq;
use crate::trace::Event;
use crate::wakes::Wakes;

impl<T> Hchan<T> {
    /// Go's `closechan`: ends every parked send and, unless values may still come, every receive.
    ///
    /// False if the channel is closed already, or can never be.
    pub(crate) fn close(&mut self, closeq: &Closeq, wakes: &mut Wakes) -> bool {
        if self.closed || self.kind == Kind::Never {
            return false;
        }
        self.closed = true;
        self.open = 0;
        self.clock += 1;
        self.trace.note(Event::Close);
        if let Some(waiters) = self.waiters.as_deref_mut() {
            waiters.end_senders(&mut self.sendq, wakes);
        }
        self.reserving = false;
        self.settle(wakes);
        closeq.close(wakes);
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
        self.closed && self.unclaimed == 0 && self.len() == 0
    }

    pub(crate) const fn is_closed(&self) -> bool {
        self.closed
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
        self.senders > 0 && !self.closed && self.add_sender()
    }

    /// Counts a receiver made of a weak one; false if there is none left.
    pub(crate) fn revive_receiver(&mut self) -> bool {
        self.receivers > 0 && self.add_receiver()
    }

    /// A sender is gone; the last one closes.
    pub(crate) fn remove_sender(&mut self, closeq: &Closeq, wakes: &mut Wakes) {
        self.senders -= 1;
        if self.senders == 0 {
            self.close(closeq, wakes);
        }
    }

    /// A receiver is gone; the last one closes, and what nobody can receive any more is returned.
    pub(crate) fn remove_receiver(&mut self, closeq: &Closeq, wakes: &mut Wakes) -> VecDeque<T> {
        self.receivers -= 1;
        if self.receivers > 0 {
            return VecDeque::new();
        }
        self.close(closeq, wakes);
        let mut values = VecDeque::new();
        while self.returned > 0 {
            values.push_back(self.take_returned().0);
        }
        values.append(&mut self.buf.take_all());
        values
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

pub(super) fn count_up(count: &mut u32) -> bool {
    match count.checked_add(1) {
        Some(more) => {
            *count = more;
            true
        }
        None => false,
    }
}
