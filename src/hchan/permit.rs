//! Permits: a place for a value that comes later.
//!
//! On a ring a permit is a slot. On capacity 0 it is a receiver in line: of those who stand there, the
//! first are promised to permits, one to each. A select is one receiver, with however many arms.

use core::task::Poll;

use super::{Hchan, answer};
use crate::error::{SendError, TrySendError};
use crate::party::{Offer, Party, Terms};
use crate::sudog::{State, Sudog, Ticket};
use crate::wakes::{Visitor, Wakes};

impl<T> Hchan<T> {
    /// Reserves without waiting.
    pub(crate) fn reserve(&mut self) -> Result<(), TrySendError<()>> {
        if self.closed {
            return Err(TrySendError::Closed(()));
        }
        if !self.can_reserve() {
            return Err(TrySendError::Full(()));
        }
        self.reserved += 1;
        Ok(())
    }

    /// One poll of a reservation, which stands in `sendq` without a value.
    pub(crate) fn poll_reserve(
        &mut self,
        place: &mut Option<Ticket>,
        visitor: &mut Visitor<'_>,
    ) -> Poll<Result<(), SendError<()>>> {
        if place.is_some() {
            return self
                .sudogs
                .redeem(place, visitor)
                .map(|(state, _)| answer(state));
        }
        match self.reserve() {
            Ok(()) => Poll::Ready(Ok(())),
            Err(TrySendError::Closed(())) => Poll::Ready(Err(SendError(()))),
            Err(TrySendError::Full(())) => {
                if self.is_live() {
                    *place = visitor
                        .waker()
                        .map(|waker| self.park_send(None, Party::Task(waker)).ticket);
                }
                Poll::Pending
            }
        }
    }

    /// Promises a free receiver to the reservation that is first in line.
    pub(super) fn promise(&mut self, wakes: &mut Wakes) -> bool {
        let senders = &mut self.sendq;
        let is_reservation = |sender: &Sudog<T>| !sender.has_value();
        let first = senders.dequeue(&mut self.sudogs, Terms::Final, is_reservation);
        let Some((reservation, waker)) = first else {
            return false;
        };
        self.complete_send(reservation, &mut None);
        self.reserved += 1;
        wakes.push(waker);
        true
    }

    /// Gives up a parked reservation, and with it the permit that it may have been granted.
    pub(crate) fn cancel_reserve(&mut self, ticket: Ticket, wakes: &mut Wakes) {
        let state = self.sudogs.get(&ticket).state;
        match state {
            State::Parked => self.sendq.unlink(&mut self.sudogs, &ticket),
            State::Success => self.release_permit(wakes),
            State::Passed | State::Closed | State::Free => {}
        }
        wakes.retire(self.sudogs.release(ticket).1);
    }

    /// Uses a permit: never full. On an error the value stays in `elem`.
    pub(crate) fn send_reserved(
        &mut self,
        elem: &mut Option<T>,
        wakes: &mut Wakes,
    ) -> Result<(), SendError<()>> {
        self.reserved -= 1;
        if self.closed {
            return Err(SendError(()));
        }
        self.deliver(elem, wakes);
        self.admit(wakes);
        Ok(())
    }

    /// Gives a permit up: its slot is the next parked sender's.
    pub(crate) fn release_permit(&mut self, wakes: &mut Wakes) {
        self.clock += 1;
        self.reserved -= 1;
        self.admit(wakes);
    }

    /// How many receivers are promised to permits, as far as so many are in line.
    #[inline]
    pub(super) const fn promised(&self) -> usize {
        if self.buf.dataqsiz() == 0 {
            self.reserved
        } else {
            0
        }
    }

    /// Whether a permit counts on this select.
    pub(super) fn is_promised(&self, select: &Offer) -> bool {
        let mut promised = self.receivers().take(self.promised());
        promised.any(|(_, receiver)| receiver.is_of(Some(select)))
    }

    fn can_reserve(&self) -> bool {
        self.has_room() || (self.buf.dataqsiz() == 0 && self.has_free_receiver(None))
    }

    /// Whether a reservation is first in `sendq` that waits for a receiver to park, on capacity 0.
    #[inline]
    pub(super) fn awaits_receiver(&self) -> bool {
        let mut senders = self.sendq.iter(&self.sudogs, Terms::Final);
        !self.sendq.is_empty()
            && self.buf.dataqsiz() == 0
            && self.buf.is_empty()
            && senders.next().is_some_and(|sender| !sender.has_value())
    }
}
