//! What a select asks: before it parks, while it looks at several channels, and after it held its sends.

use core::task::Waker;

use super::offer::{Offer, Terms};
use super::sudog::{SendTicket, State, Sudog, Sudogs, WaitQ};
use super::{Hchan, Sent};
use crate::trace::{Event, Queue};

/// What became of a send that its select has held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// It waits on, with every arm in its place.
    Waits,
    /// An arm of its select was accepted, perhaps this one.
    Accepted,
    /// The counterpart that passed it by was served elsewhere in this very moment. Others may have passed the
    /// select's arms by meanwhile, so all must be tried anew.
    Missed,
}

impl Hchan {
    /// Whether a send could proceed, ignoring the other arms of its own select.
    #[inline]
    pub(crate) fn can_send(&self, select: &Offer) -> bool {
        self.is_closed() || self.has_room() || !self.recvq.is_empty() && self.has_receiver(select)
    }

    /// Whether someone in `recvq` would take a value, other than this select.
    #[inline(never)]
    fn has_receiver(&self, select: &Offer) -> bool {
        self.waiters.as_deref().is_some_and(|waiters| {
            self.recvq
                .has_other(&waiters.sudogs, select, Terms::Revocable)
        })
    }

    /// A send that was held until now is in line again: serves it, in its place, if its counterpart passed it by.
    /// Returns a waker to drop, and where its value goes then.
    #[inline(never)]
    pub(super) fn release_send(
        &mut self,
        place: &SendTicket,
        select: &Offer,
    ) -> (Released, Option<Waker>, Option<Sent>) {
        self.clock += 1;
        if !self.can_send(select) {
            return (Released::Waits, None, None);
        }
        let number = place.ticket.number();
        let Ok(own) = self.sudogs().get_mut(number).accept(Terms::Final) else {
            return (Released::Accepted, None, None);
        };
        let Ok(sent) = self.send() else {
            select.open(own);
            return (Released::Missed, None, None);
        };
        self.trace().note(Event::Handoff(Queue::Send));
        let (sudogs, sendq) = self.line(Queue::Send);
        sendq.unlink(sudogs, number);
        sudogs.get_mut(number).state = State::Success;
        self.look_out();
        (Released::Accepted, Some(own), Some(sent))
    }

    /// Whether a receive could proceed, ignoring the other arms of its own select.
    #[inline]
    pub(crate) fn can_recv(&self, select: &Offer) -> bool {
        self.qcount() > 0 || self.is_over() || !self.sendq.is_empty() && self.has_sender(select)
    }

    /// Whether someone in `sendq` would give a newcomer a value, other than this select.
    #[inline(never)]
    fn has_sender(&self, select: &Offer) -> bool {
        self.waiters.as_deref().is_some_and(|waiters| {
            let sudogs = &waiters.sudogs;
            let fits = |sender: &Sudog| {
                !sender.is_of(select) && serves_newcomers(sender, &self.recvq, sudogs)
            };
            self.sendq.find(sudogs, Terms::Final, fits).is_some()
        })
    }

    /// What the channel's clock shows: if a later look shows the same, nothing has become possible
    /// in between that was not.
    pub(crate) const fn now(&self) -> u64 {
        self.clock
            .wrapping_add(self.sent)
            .wrapping_add(self.received())
    }
}

impl WaitQ {
    /// Takes out the first sender that parked no later than `limit` and that does not wait for a receiver in line.
    #[cold]
    pub(super) fn dequeue_for_newcomer(
        &mut self,
        sudogs: &mut Sudogs,
        recvq: &Self,
        limit: u64,
    ) -> Option<(u32, Waker)> {
        loop {
            let fits =
                |sender: &Sudog| sender.age <= limit && serves_newcomers(sender, recvq, sudogs);
            let sender = self.find(sudogs, Terms::Final, fits)?;
            if let Some(waker) = self.dequeue_at(sudogs, sender, Terms::Final) {
                return Some((sender, waker));
            }
        }
    }
}

/// Whether no receiver in line comes before new ones: while an arm was held, receivers may have passed it by, and
/// it will look for them.
fn serves_newcomers(sender: &Sudog, recvq: &WaitQ, sudogs: &Sudogs) -> bool {
    sender
        .select()
        .is_none_or(|select| !recvq.has_other(sudogs, select, Terms::Revocable))
}
