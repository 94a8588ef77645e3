//! The channel with its values: Go's `elem`. Each rule says where a value goes, and here it is moved there.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};
use core::task::Waker;

use super::offer::Offer;
use super::ring::Ring;
use super::select::Released;
use super::slab::NIL;
use super::store::Store;
use super::sudog::{SendTicket, Sudog, Sudogs, Ticket};
use super::{Hchan, Kind, Look, Moves, Sent};
use crate::error::{SendError, TryRecvError, TrySendError, present};
use crate::outside::Outside;
use crate::wakes::Wakes;
use crate::watch::Visit;

/// A channel of `T`: the rules, and the values that they move.
pub(crate) struct HchanOf<T> {
    hchan: Hchan,
    /// The values inside, but for those that were put back.
    buf: Ring<T>,
    /// Those, and the values of waiters.
    store: Store<T>,
}

/// The waker of the task that a receive has served, and the age of the value that it took.
pub(crate) struct Served {
    pub(crate) waker: Waker,
    pub(crate) age: u64,
}

impl<T> HchanOf<T> {
    pub(crate) fn new(kind: Kind, dataqsiz: usize) -> Self {
        Self {
            hchan: Hchan::new(kind, dataqsiz),
            buf: Ring::new(),
            store: Store::new(),
        }
    }

    /// Sends, if that can be done at once. Otherwise the value stays in `elem`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `Hchan::send`")]
    pub(crate) fn send(&mut self, elem: &mut Option<T>) -> Result<Option<Waker>, TrySendError<()>> {
        let sent = self.hchan.send()?;
        Ok(self.move_sent(sent, elem))
    }

    /// The same, where that is not likely.
    #[inline(never)]
    pub(crate) fn send_if(
        &mut self,
        elem: &mut Option<T>,
    ) -> Result<Option<Waker>, TrySendError<()>> {
        self.send(elem)
    }

    /// Moves a value that was sent where it belongs. Returns whom to wake.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `Hchan::send`")]
    fn move_sent(&mut self, sent: Sent, elem: &mut Option<T>) -> Option<Waker> {
        match sent {
            Sent::Inside => {
                self.buf.push(present(elem.take()), self.hchan.dataqsiz);
                None
            }
            Sent::Handed(receiver, waker) => {
                self.store.keep(receiver, elem);
                Some(waker)
            }
        }
    }

    /// Sends from the front of `items` what there is room for, unless receivers stand in line.
    pub(crate) fn send_more(&mut self, items: &mut VecDeque<T>) {
        let many = self.hchan.accept_many(items.len());
        if many > 0 {
            self.buf.push_many(many, items, self.hchan.dataqsiz);
        }
    }

    /// Puts a send that found no room at the end of `sendq`, with its value.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as in `WaitQ::park`")]
    pub(crate) fn park_send(
        &mut self,
        elem: &mut Option<T>,
        visit: Visit,
        set_party: impl FnOnce(&mut Sudog) -> bool,
    ) -> SendTicket {
        let place = self.hchan.park_send(visit, set_party);
        self.store.keep(place.ticket.number(), elem);
        place
    }

    /// Looks at what became of a parked send. A value that was refused is in `elem` again.
    pub(crate) fn look_send(
        &mut self,
        place: &mut Option<SendTicket>,
        elem: &mut Option<T>,
        task: &Waker,
    ) -> Look {
        let number = place.as_ref().map_or(NIL, |place| place.ticket.number());
        let look = self.hchan.look_send(place, task);
        match look {
            Look::Closed => self.fetch_there(number, elem),
            Look::Done => self.freed(number),
            Look::Parked | Look::Elsewhere => {}
        }
        look
    }

    /// Gives up a parked send. The value is in `elem` again, unless it was sent. Returns a waker to drop.
    #[inline(never)]
    pub(crate) fn cancel_send(&mut self, place: SendTicket, elem: &mut Option<T>) -> Option<Waker> {
        let (number, mut kept) = (place.ticket.number(), false);
        let left = self.hchan.cancel_send(place, &mut kept);
        if kept {
            self.fetch_there(number, elem);
        } else {
            self.freed(number);
        }
        left
    }

    /// Sends at once, at the price of the oldest value if the ring is full.
    ///
    /// Afterwards `elem` has the value that was displaced: the oldest or, if there is none, the value itself.
    pub(crate) fn force_send(
        &mut self,
        elem: &mut Option<T>,
    ) -> Result<Option<Waker>, TrySendError<()>> {
        match self.send_if(elem) {
            Err(TrySendError::Full(())) => {
                if let Some(oldest) = self.hchan.displace() {
                    let mut displaced = None;
                    self.take(oldest, &mut displaced);
                    self.move_sent(Sent::Inside, elem);
                    *elem = displaced;
                }
                Ok(None)
            }
            sent => sent,
        }
    }

    /// Uses a permit: never full. On an error the value stays in `elem`.
    pub(crate) fn send_reserved(
        &mut self,
        elem: &mut Option<T>,
    ) -> Result<[Option<Waker>; 2], SendError<()>> {
        let sent = self.hchan.send_reserved()?;
        let receiver = self.move_sent(sent, elem);
        let next = match receiver {
            Some(_) => self.move_up(Hchan::admit_next),
            None => None,
        };
        Ok([receiver, next])
    }

    /// Gives up a permit: its slot goes to the next in line, whom to wake.
    pub(crate) fn release_permit(&mut self) -> Option<Waker> {
        self.move_up(Hchan::release_permit)
    }

    /// Looks at what became of a parked reservation.
    pub(crate) fn look_reserve(&mut self, place: &mut Option<Ticket>, task: &Waker) -> Look {
        let number = place.as_ref().map_or(NIL, Ticket::number);
        let look = self.hchan.look(place, task);
        if place.is_none() {
            self.freed(number);
        }
        look
    }

    /// Gives up a parked reservation, and with it a permit that it may have been granted. Returns a waker to drop,
    /// and one to wake.
    pub(crate) fn cancel_reserve(&mut self, ticket: Ticket) -> (Option<Waker>, Option<Waker>) {
        let number = ticket.number();
        let gone = self.move_up(|hchan, sender| hchan.cancel_reserve(ticket, sender));
        self.freed(number);
        gone
    }

    /// A send that was held until now is in line again: serves it, in its place, if its counterpart passed it by.
    /// Returns a waker to drop, and one to wake.
    pub(crate) fn release_send(
        &mut self,
        place: &SendTicket,
        select: &Offer,
    ) -> (Released, Option<Waker>, Option<Waker>) {
        let (released, left, sent) = self.hchan.release_send(place, select);
        let next = sent.and_then(|sent| {
            let mut elem = None;
            self.fetch_there(place.ticket.number(), &mut elem);
            self.move_sent(sent, &mut elem)
        });
        (released, left, next)
    }

    /// Lets a rule name a `sender` whose value goes to the tail of the ring.
    #[inline]
    fn move_up<R>(&mut self, rule: impl FnOnce(&mut Hchan, &mut u32) -> R) -> R {
        let mut sender = NIL;
        let result = rule(&mut self.hchan, &mut sender);
        if sender != NIL {
            self.move_up_from(sender);
        }
        result
    }

    #[inline(never)]
    fn move_up_from(&mut self, sender: u32) {
        let mut elem = None;
        self.fetch(sender, &mut elem);
        self.buf.push(present(elem), self.hchan.dataqsiz);
    }

    /// Receives, if that can be done at once. The value is in `elem`; if a task is to be woken, its age comes along.
    #[inline(never)]
    pub(crate) fn recv(&mut self, elem: &mut Option<T>) -> Result<Option<Served>, TryRecvError> {
        *elem = self.recv_alone()?;
        match elem {
            Some(_) => Ok(None),
            None => self.recv_and_serve(elem),
        }
    }

    /// Receives a value whose slot nobody waits for. `None` if somebody else is to be served.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `Hchan::recv_alone`")]
    pub(crate) fn recv_alone(&mut self) -> Result<Option<T>, TryRecvError> {
        Ok(if self.hchan.recv_alone()? {
            self.buf.take()
        } else {
            None
        })
    }

    /// The same where somebody else is to be served.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call and a move")]
    pub(crate) fn recv_and_serve(
        &mut self,
        elem: &mut Option<T>,
    ) -> Result<Option<Served>, TryRecvError> {
        let mut moves = Moves {
            any: false,
            from: NIL,
            sender: NIL,
            age: 0,
        };
        let next = self.hchan.recv_and_serve(&mut moves);
        if !moves.any {
            return Err(self.hchan.refusal());
        }
        self.take(moves.from, elem);
        if moves.sender != NIL {
            self.move_up_from(moves.sender);
        }
        let age = moves.age;
        Ok(next.map(|waker| Served { waker, age }))
    }

    /// Takes a value out: from a sudog, or from the head of the ring.
    #[inline]
    fn take(&mut self, from: u32, elem: &mut Option<T>) {
        match from {
            NIL => *elem = self.buf.take(),
            number => self.fetch(number, elem),
        }
    }

    /// Takes the value of a sudog, which may be free by now.
    #[inline]
    fn fetch(&mut self, number: u32, elem: &mut Option<T>) {
        if self.store.take(number, elem) {
            self.leave_far(number);
        }
    }

    /// The same, where that is not likely.
    #[inline(never)]
    fn fetch_there(&mut self, number: u32, elem: &mut Option<T>) {
        self.fetch(number, elem);
    }

    /// The value of a sudog beyond the first places has been taken.
    #[cold]
    #[inline(never)]
    fn leave_far(&mut self, number: u32) {
        self.store.leave_far(number);
        self.fit();
    }

    /// After a sudog was freed: the storage of a crowd's values goes with that of its sudogs.
    #[inline]
    fn freed(&mut self, number: u32) {
        if Sudogs::is_far(number) {
            self.fit();
        }
    }

    #[cold]
    #[inline(never)]
    fn fit(&mut self) {
        let crowd = self.hchan.extent();
        self.store.fit(crowd);
    }

    /// Receives up to `limit` values without waiting, and counts them.
    pub(crate) fn recv_more(&mut self, out: &mut Vec<T>, limit: usize, wakes: &mut Wakes) -> usize {
        let before = out.len();
        let full = before.saturating_add(limit);
        while out.len() < full {
            if let Some(many) = self.hchan.recv_many(full - out.len()) {
                self.buf.take_many(many, out);
                break;
            }
            let mut elem = None;
            match self.recv(&mut elem) {
                Ok(served) => wakes.extend(served.map(|served| served.waker)),
                Err(_) => break,
            }
            out.push(present(elem));
        }
        out.len() - before
    }

    /// Looks at what became of a parked receive. The value that it was handed is in `elem`, and is claimed.
    ///
    /// On a closed channel that may have been the last value: [`settle`](Hchan::settle) then.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call and a move")]
    pub(crate) fn claim(
        &mut self,
        place: &mut Option<Ticket>,
        elem: &mut Option<T>,
        task: &Waker,
    ) -> Look {
        let number = place.as_ref().map_or(NIL, Ticket::number);
        let look = self.hchan.claim(place, task);
        match look {
            Look::Done => self.fetch(number, elem),
            Look::Closed => self.freed(number),
            Look::Parked | Look::Elsewhere => {}
        }
        look
    }

    /// Gives up a parked receive. A value that it was handed goes to the next in line, or back. Returns a waker to
    /// drop, and one to wake.
    #[inline]
    pub(crate) fn cancel_recv(&mut self, ticket: Ticket) -> (Option<Waker>, Option<Waker>) {
        if self.hchan.leaves_nothing(&ticket) {
            (self.hchan.leave_recvq(ticket), None)
        } else {
            self.cancel_recv_there(ticket)
        }
    }

    #[cold]
    #[inline(never)]
    fn cancel_recv_there(&mut self, ticket: Ticket) -> (Option<Waker>, Option<Waker>) {
        let (number, mut heir) = (ticket.number(), NIL);
        if !self.hchan.is_done(&ticket) {
            let left = self.hchan.leave_recvq(ticket);
            self.fit();
            return (left, None);
        }
        let next = self.hchan.disclaim(ticket, &mut heir);
        if heir != NIL {
            let mut elem = None;
            self.fetch_there(number, &mut elem);
            self.store.keep(heir, &mut elem);
        }
        (None, next)
    }

    /// Takes back a value that had left: for the first receiver in line, or into its old place. Returns whom to
    /// wake.
    pub(crate) fn put_back(&mut self, value: T, age: u64) -> Option<Waker> {
        let (number, next) = self.hchan.put_back(age);
        self.store.keep(number, &mut Some(value));
        next
    }

    /// A value that was leased comes back.
    pub(crate) fn return_leased(&mut self, value: T, age: u64) -> Option<Waker> {
        self.hchan.end_lease();
        self.put_back(value, age)
    }

    /// A receiver is gone; the last one closes, and what nobody can receive any more is in `values`. Returns whom
    /// to wake: `next`, and those that this ends.
    pub(crate) fn remove_receiver(
        &mut self,
        outside: &Outside,
        next: Option<Waker>,
        values: &mut Rest<T>,
    ) -> Wakes {
        let (was_last, wakes) = self.hchan.remove_receiver(outside, next);
        if was_last {
            self.take_all(values);
        }
        wakes
    }

    #[inline(never)]
    fn take_all(&mut self, values: &mut Rest<T>) {
        for number in self.hchan.take_all() {
            let mut elem = None;
            self.fetch_there(number, &mut elem);
            values.returned.push(present(elem));
        }
        values.inside = self.buf.take_all();
    }
}

/// What nobody can receive any more. It is dropped in this order, the oldest first.
pub(crate) struct Rest<T> {
    pub(crate) returned: Vec<T>,
    pub(crate) inside: VecDeque<T>,
}

impl<T> Rest<T> {
    pub(crate) const fn new() -> Self {
        Self {
            returned: Vec::new(),
            inside: VecDeque::new(),
        }
    }
}

impl<T> Deref for HchanOf<T> {
    type Target = Hchan;

    #[inline]
    fn deref(&self) -> &Hchan {
        &self.hchan
    }
}

impl<T> DerefMut for HchanOf<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Hchan {
        &mut self.hchan
    }
}
