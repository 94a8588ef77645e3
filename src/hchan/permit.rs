//! Permits: a slot for a value that comes later.

use core::task::Waker;

use super::offer::Terms;
use super::slab::NIL;
use super::sudog::{State, Sudog, Ticket};
use super::{Hchan, Waiters};
use crate::error::{SendError, TrySendError};
use crate::trace::{Event, Queue};
use crate::watch::Visit;

impl<T> Hchan<T> {
    /// Reserves without waiting.
    pub(crate) fn reserve(&mut self) -> Result<(), TrySendError<()>> {
        if self.closed {
            return Err(TrySendError::Closed(()));
        }
        match self.reserved.checked_add(1) {
            Some(reserved) if self.has_room() => {
                self.reserved = reserved;
                Ok(())
            }
            _ => Err(TrySendError::Full(())),
        }
    }

    /// Puts a reservation at the end of its line.
    pub(crate) fn park_reserve(&mut self, visit: Visit, waker: Waker) -> Ticket {
        self.clock += 1;
        self.trace.note(Event::Park(Queue::Send));
        self.reserving = true;
        let Waiters {
            sudogs, reserveq, ..
        } = &mut **self.waiters.get_or_insert_default();
        let park = |sudog: &mut Sudog| sudog.set_task(waker);
        let (mut ticket, _) = reserveq.park(sudogs, self.clock, NIL, visit, park);
        self.trace.parked(&mut ticket.op, visit);
        ticket
    }

    /// Grants the slot that is free to the first reservation in line.
    pub(super) fn admit_reservation(&mut self) -> Option<Waker> {
        let reserved = self.reserved.checked_add(1)?;
        let waiters = self.waiters.as_mut()?;
        let first =
            { &mut waiters.reserveq }.dequeue(&mut waiters.sudogs, Terms::Revocable, u64::MAX);
        self.reserving = !waiters.reserveq.is_empty();
        let (reservation, waker) = first?;
        waiters.sudogs.get_mut(reservation).state = State::Success;
        self.reserved = reserved;
        Some(waker)
    }

    /// Gives up a parked reservation, and with it a permit that it may have been granted. Returns a waker to drop,
    /// and one to wake.
    pub(crate) fn cancel_reserve(&mut self, ticket: Ticket) -> (Option<Waker>, Option<Waker>) {
        let (sudogs, reserveq) = self.line(Queue::Reserve);
        let left = reserveq.leave(sudogs, ticket);
        self.trace.left(left.op);
        let next = match left.state {
            State::Success => self.release_permit(),
            State::Parked | State::Passed | State::Closed | State::Free => None,
        };
        (left.waker, next)
    }

    /// Uses a permit: never full. On an error the value stays in `elem`.
    ///
    /// A receiver waits while permits hold every slot. It gets the value, and the slot is free again.
    pub(crate) fn send_reserved(
        &mut self,
        elem: &mut Option<T>,
    ) -> Result<[Option<Waker>; 2], SendError<()>> {
        self.reserved -= 1;
        match self.send(elem) {
            Ok(Some(receiver)) => Ok([Some(receiver), self.admit()]),
            Ok(None) => Ok([None, None]),
            Err(TrySendError::Closed(())) => Err(SendError(())),
            Err(TrySendError::Full(())) => {
                self.push(elem);
                Ok([None, None])
            }
        }
    }

    /// Gives up a permit: its slot goes to the next in line.
    pub(crate) fn release_permit(&mut self) -> Option<Waker> {
        self.clock += 1;
        self.reserved -= 1;
        self.admit()
    }
}
