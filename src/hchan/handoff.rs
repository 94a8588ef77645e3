//! The handoff: a parked operation is completed by its counterpart, and its value goes straight to where
//! it is wanted.

use core::mem;
use core::task::Waker;

use super::Hchan;
use crate::party::{Offer, Terms};
use crate::sudog::{State, Sudog, WaitQ};
use crate::trace::{Event, Queue};
use crate::wakes::Wakes;

impl<T> Hchan<T> {
    /// Hands the value to the first receiver that no permit counts on, past the ring.
    #[inline]
    pub(super) fn hand(&mut self, elem: &mut Option<T>, wakes: &mut Wakes) -> bool {
        if self.promised() == 0 {
            return self.hand_to_first(elem, wakes);
        }
        while let Some(receiver) = self.first_free_receiver() {
            let receivers = &mut self.recvq;
            let accepted = receivers.dequeue_at(&mut self.sudogs, Terms::Revocable, receiver);
            if let Some(waker) = accepted {
                self.hand_to(receiver, waker, elem, wakes);
                return true;
            }
        }
        false
    }

    #[inline]
    fn hand_to_first(&mut self, elem: &mut Option<T>, wakes: &mut Wakes) -> bool {
        let receivers = &mut self.recvq;
        let first = receivers.dequeue(&mut self.sudogs, Terms::Revocable, |_| true);
        let Some((receiver, waker)) = first else {
            return false;
        };
        self.hand_to(receiver, waker, elem, wakes);
        true
    }

    #[inline]
    fn hand_to(&mut self, receiver: u32, waker: Waker, elem: &mut Option<T>, wakes: &mut Wakes) {
        self.clock += 1;
        self.complete_recv(receiver, elem, self.clock);
        wakes.push(waker);
    }

    /// Hands an accepted value to the first receiver, whoever counts on it; without one it waits inside.
    pub(super) fn deliver(&mut self, elem: &mut Option<T>, wakes: &mut Wakes) {
        if !self.hand_to_first(elem, wakes) {
            self.push(elem);
        }
    }

    /// Completes a parked receive, which has left its line, with the value that it waited for.
    #[inline]
    pub(super) fn complete_recv(&mut self, receiver: u32, elem: &mut Option<T>, age: u64) {
        self.trace.note(Event::Handoff(Queue::Recv));
        self.unclaimed += 1;
        let sudog = self.sudogs.at_mut(receiver);
        if let Some(value) = elem.take() {
            // So that the compiler need not look for what there is to drop.
            mem::forget(sudog.elem.replace(value));
        }
        sudog.age = age;
        sudog.state = State::Success;
    }

    /// Completes a parked send, which has left its line, and takes its value; a reservation has none.
    ///
    /// A task learns from `sent` what became of its send, so its place is free at once.
    #[inline]
    pub(super) fn complete_send(&mut self, sender: u32, elem: &mut Option<T>) {
        let sudog = self.sudogs.at_mut(sender);
        sudog.state = State::Success;
        let Some(value) = sudog.elem.take() else {
            return;
        };
        *elem = Some(value);
        self.trace.note(Event::Handoff(Queue::Send));
        if sudog.party.is_none() {
            debug_assert!(self.sent_up_to < sudog.age);
            self.sent_up_to = sudog.age;
            self.sudogs.free(sender);
        }
    }

    /// Whether a receiver is in line that no permit counts on, and that is no arm of `select`.
    pub(super) fn has_free_receiver(&self, select: Option<&Offer>) -> bool {
        let mut free = self.free_receivers();
        !self.recvq.is_empty() && free.any(|(_, receiver)| !receiver.is_of(select))
    }

    fn first_free_receiver(&self) -> Option<u32> {
        self.free_receivers().next().map(|(receiver, _)| receiver)
    }

    /// The receivers in line that no permit counts on, first to last.
    fn free_receivers(&self) -> impl Iterator<Item = (u32, &Sudog<T>)> {
        self.receivers().skip(self.promised())
    }

    /// The receivers in line, first to last: the tasks, and of each select the first arm. Each is looked at
    /// once, for a select may be served elsewhere in the middle of this.
    pub(super) fn receivers(&self) -> impl Iterator<Item = (u32, &Sudog<T>)> {
        let receivers = self.recvq.indexed(&self.sudogs, Terms::Revocable);
        receivers.filter(|(_, receiver)| receiver.is_first())
    }

    /// Takes the first sender that brings a value out of its line, for whoever comes to receive.
    #[inline]
    pub(super) fn dequeue_value(&mut self) -> Option<(u32, Waker)> {
        if self.recvq.is_empty() {
            let senders = &mut self.sendq;
            return senders.dequeue(&mut self.sudogs, Terms::Final, Sudog::has_value);
        }
        while let Some(sender) = self.first_value() {
            let senders = &mut self.sendq;
            let accepted = senders.dequeue_at(&mut self.sudogs, Terms::Final, sender);
            if let Some(waker) = accepted {
                return Some((sender, waker));
            }
        }
        None
    }

    /// The first sender in line that brings a value for whoever comes to receive.
    fn first_value(&self) -> Option<u32> {
        let mut senders = self.sendq.indexed(&self.sudogs, Terms::Final);
        let first = senders.find(|(_, sender)| self.has_value_for_newcomers(sender));
        first.map(|(sender, _)| sender)
    }

    /// Whether a parked sender brings a value, and no receiver in line is before those who come now: as an arm
    /// was held, receivers may have come past it, which it will look for.
    pub(super) fn has_value_for_newcomers(&self, sender: &Sudog<T>) -> bool {
        let select = sender.select();
        sender.has_value() && !(select.is_some() && self.has_free_receiver(select))
    }

    /// Serves parked senders, first come, first served, as far as there is room.
    ///
    /// On a full ring that has just lost its head, this is the other half of Go's swap: the sender's
    /// value gets the freed slot before anybody else can see it.
    #[inline]
    pub(super) fn admit(&mut self, wakes: &mut Wakes) {
        while !self.sendq.is_empty() && self.admit_first(wakes) {}
    }

    fn admit_first(&mut self, wakes: &mut Wakes) -> bool {
        if !self.has_room() {
            return self.introduce(wakes);
        }
        let senders = &mut self.sendq;
        let first = senders.dequeue(&mut self.sudogs, Terms::Final, |_| true);
        let Some((sender, waker)) = first else {
            return false;
        };
        wakes.push(waker);
        let mut elem = None;
        self.complete_send(sender, &mut elem);
        if elem.is_none() {
            self.reserved += 1;
        } else if !self.hand(&mut elem, wakes) {
            self.push(&mut elem);
        }
        true
    }

    /// Lets the first sender in line that can meet a receiver, on capacity 0: a reservation is promised it,
    /// a value is handed over.
    ///
    /// Both wait, and as arms of selects may be served elsewhere at any time: then neither is served here,
    /// and the one that is left stays in line.
    fn introduce(&mut self, wakes: &mut Wakes) -> bool {
        loop {
            let Some((sender, receiver)) = self.counterparts() else {
                return false;
            };
            if !self.sudogs.at(sender).has_value() {
                return self.promise(wakes);
            }
            let (senders, receivers) = (&mut self.sendq, &mut self.recvq);
            let met =
                WaitQ::dequeue_both((senders, sender), (receivers, receiver), &mut self.sudogs);
            let Some(wakers) = met else {
                continue;
            };
            self.clock += 1;
            let mut elem = None;
            self.complete_send(sender, &mut elem);
            self.complete_recv(receiver, &mut elem, self.clock);
            for waker in wakers {
                wakes.push(waker);
            }
            return true;
        }
    }

    /// The first sender in line that a receiver is there for, on capacity 0, and the first such receiver: one
    /// that no permit counts on. No select meets itself.
    fn counterparts(&self) -> Option<(u32, u32)> {
        if self.buf.dataqsiz() > 0 {
            return None;
        }
        let mut free = self.free_receivers();
        let (first, receiver) = free.next()?;
        let select = receiver.select();
        let mut senders = self.sendq.indexed(&self.sudogs, Terms::Final);
        senders.find_map(|(sender, sudog)| match sudog.is_of(select) {
            true => {
                let (other, _) = free.find(|(_, other)| !other.is_of(select))?;
                Some((sender, other))
            }
            false => Some((sender, first)),
        })
    }
}

impl<T> Sudog<T> {
    /// Whether this is a parked send; a reservation stands in `sendq` without a value.
    pub(super) fn has_value(&self) -> bool {
        self.elem.is_some()
    }
}
