//! What a select asks: before it parks, while it looks at several channels, and after it held its sends.

use core::mem;
use core::task::Waker;

use super::offer::{Offer, Terms};
use super::slab::NIL;
use super::sudog::{SendTicket, State, Sudog, Sudogs, WaitQ};
use super::{Hchan, Waiters};
use crate::error::present;
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

impl<T> Hchan<T> {
    /// Whether a send could proceed, ignoring the other arms of its own select.
    pub(crate) fn can_send(&self, select: &Offer) -> bool {
        let meets = |waiters: &Waiters| {
            { &self.recvq }.has_other(&waiters.sudogs, select, Terms::Revocable)
        };
        self.closed
            || self.has_room()
            || !self.recvq.is_empty() && self.waiters.as_deref().is_some_and(meets)
    }

    /// A send that was held until now is in line again: serves it, in its place, if its counterpart passed it by.
    /// Returns a waker to drop, and one to wake.
    pub(crate) fn release_send(
        &mut self,
        place: &SendTicket,
        select: &Offer,
    ) -> (Released, Option<Waker>, Option<Waker>) {
        self.clock += 1;
        if !self.can_send(select) {
            return (Released::Waits, None, None);
        }
        let number = place.ticket.number();
        let sudog = self.sudogs().get_mut(number);
        let Ok(own) = sudog.accept(Terms::Final) else {
            return (Released::Accepted, None, None);
        };
        let value = mem::replace(&mut sudog.value, NIL);
        let mut elem = Some(self.store.take(value));
        match self.send(&mut elem) {
            Ok(next) => {
                self.trace().note(Event::Handoff(Queue::Send));
                if let Some(waiters) = &mut self.waiters {
                    self.sendq.unlink(&mut waiters.sudogs, number);
                }
                self.sudogs().get_mut(number).state = State::Success;
                (Released::Accepted, Some(own), next)
            }
            Err(_) => {
                let value = self.store.keep(present(elem));
                self.sudogs().get_mut(number).value = value;
                select.open(own);
                (Released::Missed, None, None)
            }
        }
    }

    /// Whether a receive could proceed, ignoring the other arms of its own select.
    pub(crate) fn can_recv(&self, select: &Offer) -> bool {
        let meets = |waiters: &Waiters| {
            let sudogs = &waiters.sudogs;
            let fits = |sender: &Sudog| {
                !sender.is_of(select) && serves_newcomers(sender, &self.recvq, sudogs)
            };
            self.sendq.find(sudogs, Terms::Final, fits).is_some()
        };
        self.len() > 0
            || self.is_over()
            || !self.sendq.is_empty() && self.waiters.as_deref().is_some_and(meets)
    }

    /// Takes out of its line the first sender that parked before `limit` and that does not wait for a receiver in
    /// line.
    #[cold]
    pub(super) fn dequeue_for_newcomer(&mut self, limit: u64) -> Option<(u32, Waker)> {
        let sudogs = &mut self.waiters.as_mut()?.sudogs;
        { &mut self.sendq }.dequeue_for_newcomer(sudogs, &self.recvq, limit)
    }

    /// What the channel's clock shows: if a later look shows the same, nothing has become possible
    /// in between that was not.
    pub(crate) const fn now(&self) -> u64 {
        { self.clock }
            .wrapping_add(self.sent)
            .wrapping_add(self.buf.received())
    }
}

impl WaitQ {
    fn dequeue_for_newcomer(
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
    { sender.select() }.is_none_or(|select| !recvq.has_other(sudogs, select, Terms::Revocable))
}
