//! Close, and the handles, of which the last on a side closes.

use alloc::collections::VecDeque;

use super::{Hchan, Kind};
use crate::closed::Closeq;
use crate::party::Terms;
use crate::sudog::State;
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
        self.clock += 1;
        self.trace.note(Event::Close);
        while let Some((sender, waker)) =
            self.sendq
                .dequeue(&mut self.sudogs, Terms::Revocable, |_| true)
        {
            let sender = self.sudogs.at_mut(sender);
            sender.state = State::Closed;
            wakes.push(waker);
        }
        self.settle(wakes);
        closeq.close(wakes);
        true
    }

    /// Once no value can come any more, ends the receivers that wait for one.
    #[inline]
    pub(super) fn settle(&mut self, wakes: &mut Wakes) {
        if self.is_over() {
            self.clock += 1;
            while let Some((receiver, waker)) =
                self.recvq
                    .dequeue(&mut self.sudogs, Terms::Revocable, |_| true)
            {
                self.sudogs.at_mut(receiver).state = State::Closed;
                wakes.push(waker);
            }
        }
    }

    /// Whether no value can come any more, so that closed is final.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.closed && self.unclaimed == 0 && self.buf.is_empty()
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
        self.buf.take_all()
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
