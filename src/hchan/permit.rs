//! Permits: a slot for a value that comes later.

use core::task::Waker;

use super::offer::Terms;
use super::sudog::{State, Sudog, Ticket};
use super::{Hchan, Sent, Waiters};
use crate::error::{SendError, TrySendError};
use crate::trace::{Event, Queue};
use crate::watch::Visit;

impl Hchan {
    /// Reserves without waiting.
    pub(crate) fn reserve(&mut self) -> Result<(), TrySendError<()>> {
        if self.open == 0 {
            return Err(self.send_refusal());
        }
        if !self.has_room() {
            return Err(TrySendError::Full(()));
        }
        self.slots -= 1;
        self.look_out();
        Ok(())
    }

    /// Puts a reservation at the end of its line.
    pub(crate) fn park_reserve(&mut self, visit: Visit, waker: Waker) -> Ticket {
        self.clock += 1;
        self.trace.note(Event::Park(Queue::Send));
        self.aside |= Self::RESERVING;
        let Waiters {
            sudogs, reserveq, ..
        } = &mut **self.waiters.get_or_insert_default();
        let park = |sudog: &mut Sudog| sudog.set_task(waker);
        let (mut ticket, _) = reserveq.park(sudogs, self.clock, visit, park);
        self.trace.parked(&mut ticket.op, visit);
        ticket
    }

    /// Grants the slot that is free to the first reservation in line.
    pub(super) fn admit_reservation(&mut self) -> Option<Waker> {
        let Waiters {
            sudogs, reserveq, ..
        } = &mut **self.waiters.as_mut()?;
        let first = reserveq.dequeue(sudogs, Terms::Revocable, u64::MAX);
        if reserveq.is_empty() {
            self.aside &= !Self::RESERVING;
        }
        let (reservation, waker) = first?;
        sudogs.get_mut(reservation).state = State::Success;
        self.slots -= 1;
        Some(waker)
    }

    /// Gives up a parked reservation, and with it a permit that it may have been granted. Returns a waker to drop,
    /// and one to wake: of `sender`, as in [`admit`](Self::admit).
    #[inline(never)]
    pub(super) fn cancel_reserve(
        &mut self,
        ticket: Ticket,
        sender: &mut u32,
    ) -> (Option<Waker>, Option<Waker>) {
        let granted = self.is_done(&ticket);
        let (sudogs, reserveq) = self.line(Queue::Reserve);
        let left = reserveq.leave(sudogs, ticket.number());
        self.trace.left(ticket.op);
        let next = if granted {
            self.release_permit(sender)
        } else {
            None
        };
        (left, next)
    }

    /// Uses a permit: never full.
    ///
    /// A receiver waits while permits hold every slot. It gets the value, and the slot is free again.
    pub(super) fn send_reserved(&mut self) -> Result<Sent, SendError<()>> {
        self.slots += 1;
        match self.send() {
            Ok(sent) => Ok(sent),
            Err(TrySendError::Closed(())) => Err(SendError(())),
            Err(TrySendError::Full(())) => {
                self.accept();
                self.look_out();
                Ok(Sent::Inside)
            }
        }
    }

    /// Gives up a permit: its slot goes to the next in line, as in [`admit`](Self::admit).
    #[inline(never)]
    pub(super) fn release_permit(&mut self, sender: &mut u32) -> Option<Waker> {
        self.clock += 1;
        self.slots += 1;
        self.admit_next(sender)
    }

    /// After a permit was used or given up: its slot goes to the next in line, as in [`admit`](Self::admit).
    pub(super) fn admit_next(&mut self, sender: &mut u32) -> Option<Waker> {
        let next = self.admit(sender);
        self.look_out();
        next
    }
}
