//! The ordinary cases, in few steps.
//!
//! Most operations concern nobody else, or meet whoever stands first in line. Each function here does
//! just that, by the rules that [`Hchan`] states in full, and returns what is left to do outside the lock,
//! if anything: whom to wake, or a party to let go. Or it returns `None`, having done nothing, and those
//! rules decide.

use core::task::Waker;

use super::Hchan;
use crate::forecast::Forecast;
use crate::party::{Party, Terms};
use crate::sudog::{SendTicket, State, Sudog, Ticket};

impl<T> Hchan<T> {
    /// Sends into the ring.
    #[inline]
    pub(crate) fn send_quick(&mut self, elem: &mut Option<T>, forecast: &Forecast) -> Option<()> {
        if !self.takes_in() {
            return None;
        }
        self.push(elem);
        forecast.note(false, !self.has_room());
        Some(())
    }

    /// Sends to a receiver.
    #[inline]
    pub(crate) fn send_meet(&mut self, elem: &mut Option<T>, forecast: &Forecast) -> Option<Waker> {
        if self.closed || self.promised() > 0 {
            return None;
        }
        let receiver = self.recvq.head();
        let receivers = &mut self.recvq;
        let waker = receivers.dequeue_head(&mut self.sudogs, Terms::Revocable, |_| true)?;
        self.clock += 1;
        self.complete_recv(receiver, elem, self.clock);
        // Where a receiver stood, the ring is empty.
        let send_parks = self.recvq.is_empty() && !self.has_room();
        forecast.note(self.sendq.is_empty(), send_parks);
        Some(waker)
    }

    /// Receives from the ring.
    #[inline]
    pub(crate) fn recv_quick(&mut self, elem: &mut Option<T>, forecast: &Forecast) -> Option<()> {
        if !self.sendq.is_empty() || self.buf.is_empty() {
            return None;
        }
        *elem = self.take();
        forecast.note(self.buf.is_empty() && !self.closed, false);
        Some(())
    }

    /// Receives while a sender waits: the head of a full ring, where the sender's value then gets the
    /// slot, or what the sender brings if there is no ring.
    #[inline]
    pub(crate) fn recv_meet(&mut self, elem: &mut Option<T>, forecast: &Forecast) -> Option<Waker> {
        if self.buf.len() != self.buf.dataqsiz() || self.reserved > 0 {
            return None;
        }
        let sender = self.sendq.head();
        // An arm may have been held until now, while receivers came past it that are first.
        let meets = |sender: &Sudog<T>| {
            sender.has_value() && (sender.select().is_none() || self.recvq.is_empty())
        };
        let waker = self
            .sendq
            .dequeue_head(&mut self.sudogs, Terms::Final, meets)?;
        if self.buf.dataqsiz() == 0 {
            self.clock += 1;
            self.complete_send(sender, elem);
        } else {
            *elem = self.take();
            let mut next = None;
            self.complete_send(sender, &mut next);
            self.push(&mut next);
        }
        // The ring is as full as it was.
        let recv_parks = self.buf.is_empty() && self.sendq.is_empty();
        forecast.note(recv_parks, self.recvq.is_empty());
        forecast.note_sent(self.sent_up_to);
        Some(waker)
    }

    /// Parks a send on a full ring, or where no receiver stands.
    #[inline]
    pub(crate) fn park_send_quick(
        &mut self,
        place: &mut Option<SendTicket>,
        elem: &mut Option<T>,
        party: impl FnOnce() -> Option<Party>,
        forecast: &Forecast,
    ) -> Option<()> {
        if !self.send_parks() {
            return None;
        }
        let party = party()?;
        *place = Some(self.park_send(elem.take(), party));
        forecast.note(false, true);
        Some(())
    }

    /// Parks a receive on an empty ring, where no sender stands.
    #[inline]
    pub(crate) fn park_recv_quick(
        &mut self,
        place: &mut Option<Ticket>,
        party: impl FnOnce() -> Option<Party>,
        forecast: &Forecast,
    ) -> Option<()> {
        if !self.recv_parks() {
            return None;
        }
        *place = Some(self.enqueue_recv(party()?));
        forecast.note(true, false);
        Some(())
    }

    /// Whether a select's parked send has succeeded; then its place is free.
    #[inline]
    pub(crate) fn sent_quick(&mut self, place: &mut Option<SendTicket>) -> Option<()> {
        if self.sudogs.get(&place.as_ref()?.ticket).state != State::Success {
            return None;
        }
        self.sudogs.free(place.take()?.ticket.index());
        Some(())
    }

    /// Takes what a parked receive was handed, unless somebody may wait to hear of that.
    #[inline]
    pub(crate) fn claim_quick(
        &mut self,
        place: &mut Option<Ticket>,
        elem: &mut Option<T>,
    ) -> Option<()> {
        if self.closed {
            return None;
        }
        if self.sudogs.get(place.as_ref()?).state != State::Success {
            return None;
        }
        self.unclaimed -= 1;
        self.sudogs.collect(place.take()?, elem);
        Some(())
    }

    /// Gives up a parked send that nobody has completed; its value is in `elem` again.
    #[inline]
    pub(crate) fn cancel_send_quick(
        &mut self,
        place: &mut Option<SendTicket>,
        elem: &mut Option<T>,
        forecast: &Forecast,
    ) -> Option<Option<Party>> {
        let SendTicket { ticket, .. } = place
            .as_ref()
            .filter(|place| !place.is_sent(self.sent_up_to))?;
        match self.sudogs.get(ticket).state {
            State::Parked => self.sendq.unlink(&mut self.sudogs, ticket),
            State::Passed => {}
            State::Success | State::Closed | State::Free => return None,
        }
        let (left, party) = self.sudogs.release(place.take()?.ticket);
        *elem = left;
        self.foretell(forecast);
        Some(party)
    }

    /// Gives up a parked receive that nobody has completed.
    #[inline]
    pub(crate) fn cancel_recv_quick(
        &mut self,
        place: &mut Option<Ticket>,
        forecast: &Forecast,
    ) -> Option<Option<Party>> {
        let sudog = self.sudogs.get(place.as_ref()?);
        match sudog.state {
            State::Parked => self.recvq.unlink(&mut self.sudogs, place.as_ref()?),
            State::Passed => {}
            State::Success | State::Closed | State::Free => return None,
        }
        let (_, party) = self.sudogs.release(place.take()?);
        self.foretell(forecast);
        Some(party)
    }
}
