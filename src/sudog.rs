//! The waiters: Go's `sudog`s in a slab, linked by index into first-in, first-out queues.
//!
//! A [`Sudog`] is one parked operation. It lives in the channel, so the future that parked holds a
//! [`Ticket`] to it and nothing else: the future may move, be dropped or be forgotten, and leaving a
//! queue takes the same few steps wherever in it one stands. Freed places are used again, last freed
//! first; when most of a burst of waiters has gone, its memory goes too.
//!
//! ```text
//!               park                dequeue, complete
//!   Free ------------------> Parked ----------------------> Success, Closed
//!     ^                       |  |                               |
//!     |        unlink, release|  |dequeue: its select            | release
//!     +-----------------------+  |is not open any more           |
//!     |                          v                               |
//!     +------- release ------- Passed                            |
//!     +----------------------------------------------------------+
//! ```
//!
//! Who completes a task's send frees its place as well: there is nothing left to fetch, and a [`SendTicket`]
//! knows without it whether its send is over.

use alloc::vec::Vec;
use core::mem;
use core::num::NonZero;
use core::task::{Poll, Waker};

use crate::party::{Offer, Party, Refusal, Terms};
use crate::wakes::Visitor;

/// A slab of no more bytes than this is kept for the next waiters: as much as an allocator keeps, too.
const KEPT_BYTES: usize = 128 * 1024;

/// No sudog: the end of a queue or of the list of free places.
const NIL: u32 = u32::MAX;

/// One parked operation.
pub(crate) struct Sudog<T> {
    /// The value that a sender brings, or that a receiver was handed.
    pub(crate) elem: Option<T>,
    /// Whom to wake when the operation is completed.
    pub(crate) party: Option<Party>,
    /// When the operation parked; once a value was handed, that value's age, by which it finds its place
    /// when put back.
    pub(crate) age: u64,
    pub(crate) state: State,
    /// Counts the uses of this place, and thereby tells a ticket from a stale one.
    generation: u32,
    next: u32,
    prev: u32,
}

/// How far a parked operation has come. Its counterpart writes it, under the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody's.
    Free,
    /// Stands in a queue.
    Parked,
    /// An arm that stands in no queue any more: when its turn came its select was not open, for another arm
    /// had been served, or the select has withdrawn.
    Passed,
    /// Completed: the value was taken, handed or promised.
    Success,
    /// Ended by close; a sender's value is still in `elem`.
    Closed,
}

/// The right to one sudog. Not `Clone`: whoever holds it releases the sudog once.
#[derive(Debug)]
pub(crate) struct Ticket {
    /// The index plus one, so that `Option<Ticket>` is no larger.
    number: NonZero<u32>,
    generation: u32,
}

impl Ticket {
    /// The sudog's number, from which [`Sudogs::ticket`] makes the ticket again.
    pub(crate) fn into_number(self) -> NonZero<u32> {
        self.number
    }

    pub(crate) fn index(&self) -> u32 {
        self.number.get() - 1
    }
}

/// The right to a parked send. Sends of tasks are served in the order in which they parked, so the time
/// since which this one stands in line tells whether it was sent.
#[derive(Debug)]
pub(crate) struct SendTicket {
    pub(crate) ticket: Ticket,
    pub(crate) since: u64,
}

impl SendTicket {
    /// Whether this send was sent, if all that parked up to this time were.
    #[inline]
    pub(crate) const fn is_sent(&self, sent_up_to: u64) -> bool {
        self.since <= sent_up_to
    }
}

/// All sudogs of one channel.
pub(crate) struct Sudogs<T> {
    slots: Vec<Sudog<T>>,
    /// The free place used last, linked through `next` to the others.
    free: u32,
    acquired: u32,
    /// When fewer than so many are acquired, the free places at the end of the slab are given back.
    shrink_below: u32,
}

impl<T> Sudogs<T> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: NIL,
            acquired: 0,
            shrink_below: 0,
        }
    }

    #[cold]
    fn grow(&mut self) {
        let index = u32::try_from(self.slots.len()).unwrap_or(NIL);
        assert!(
            index < NIL - 1,
            "more operations parked than a channel can count"
        );
        self.slots.push(Sudog {
            elem: None,
            party: None,
            age: 0,
            state: State::Free,
            generation: 0,
            next: NIL,
            prev: NIL,
        });
        self.free = index;
        if self.slots.len() > Self::KEPT {
            self.shrink_below = index / 4;
        }
    }

    /// How many places are kept for the next waiters.
    const KEPT: usize = KEPT_BYTES / size_of::<Sudog<T>>();

    /// Gives the free places at the end back, and links the others, first to last. If not much is
    /// free there, it will look again when half as many are acquired.
    #[cold]
    fn shrink(&mut self) {
        while self
            .slots
            .last()
            .is_some_and(|sudog| sudog.state == State::Free)
        {
            self.slots.pop();
        }
        self.slots.shrink_to_fit();
        self.free = NIL;
        let places = u32::try_from(self.slots.len()).unwrap_or(NIL);
        for (index, sudog) in (0..places).zip(&mut self.slots).rev() {
            if sudog.state == State::Free {
                sudog.next = mem::replace(&mut self.free, index);
            }
        }
        self.shrink_below = match self.slots.len() > Self::KEPT {
            true => self.acquired.div_ceil(2),
            false => 0,
        };
    }

    /// The sudog that a ticket stands for.
    #[inline]
    pub(crate) fn get(&mut self, ticket: &Ticket) -> &mut Sudog<T> {
        let sudog = &mut self.slots[ticket.index() as usize];
        debug_assert!(sudog.state != State::Free);
        assert!(
            sudog.generation == ticket.generation,
            "a ticket outlived its sudog"
        );
        sudog
    }

    /// Looks what became of a parked operation; once it is completed, frees its place.
    #[inline]
    pub(crate) fn redeem(
        &mut self,
        place: &mut Option<Ticket>,
        visitor: &mut Visitor<'_>,
    ) -> Poll<(State, Option<T>)> {
        let Some(ticket) = place.take() else {
            unreachable!("only a parked operation is redeemed");
        };
        let sudog = self.get(&ticket);
        if sudog.state == State::Parked {
            visitor.renew(&mut sudog.party);
            *place = Some(ticket);
            return Poll::Pending;
        }
        Poll::Ready((sudog.state, self.release(ticket).0))
    }

    /// The sudog at an index.
    pub(crate) fn at(&self, index: u32) -> &Sudog<T> {
        &self.slots[index as usize]
    }

    /// The same, for a counterpart to complete.
    #[inline]
    pub(crate) fn at_mut(&mut self, index: u32) -> &mut Sudog<T> {
        &mut self.slots[index as usize]
    }

    /// The sudogs at two indexes.
    fn two(&mut self, a: u32, b: u32) -> Option<(&mut Sudog<T>, &mut Sudog<T>)> {
        let (front, back) = self.slots.split_at_mut_checked(a.max(b) as usize)?;
        let (low, high) = (front.get_mut(a.min(b) as usize)?, back.first_mut()?);
        Some(if a < b { (low, high) } else { (high, low) })
    }

    /// The ticket for an acquired sudog, from its number.
    pub(crate) fn ticket(&self, number: NonZero<u32>) -> Ticket {
        Ticket {
            number,
            generation: self.slots[number.get() as usize - 1].generation,
        }
    }

    /// Go's `releaseSudog`: takes what is left in a sudog that stands in no queue, and frees it.
    #[inline]
    pub(crate) fn release(&mut self, ticket: Ticket) -> (Option<T>, Option<Party>) {
        let party = self.get(&ticket).party.take();
        let mut elem = None;
        self.collect(ticket, &mut elem);
        (elem, party)
    }

    /// Takes what is left in a sudog whose party has gone, and frees it.
    #[inline]
    pub(crate) fn collect(&mut self, ticket: Ticket, elem: &mut Option<T>) {
        if let Some(value) = self.get(&ticket).elem.take() {
            *elem = Some(value);
        }
        self.free(ticket.index());
    }

    /// Frees the place of a sudog in which nothing is left, and which nobody has a use for any more.
    #[inline]
    pub(crate) fn free(&mut self, index: u32) {
        let free = self.free;
        let sudog = self.at_mut(index);
        debug_assert!(sudog.elem.is_none() && sudog.party.is_none());
        sudog.generation = sudog.generation.wrapping_add(1);
        sudog.state = State::Free;
        sudog.next = free;
        self.free = index;
        self.acquired -= 1;
        if self.acquired < self.shrink_below {
            self.shrink();
        }
    }
}

/// A queue of parked operations: Go's `waitq`.
pub(crate) struct WaitQ {
    first: u32,
    last: u32,
}

impl WaitQ {
    pub(crate) const fn new() -> Self {
        Self {
            first: NIL,
            last: NIL,
        }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.first == NIL
    }

    /// Go's `acquireSudog` and `enqueue`: an operation parks at the end of the queue.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "where it is known who parks, a waker is stored straight where it stays"
    )]
    pub(crate) fn park<T>(
        &mut self,
        sudogs: &mut Sudogs<T>,
        elem: Option<T>,
        party: Party,
        now: u64,
    ) -> Ticket {
        if sudogs.free == NIL {
            sudogs.grow();
        }
        let index = sudogs.free;
        let last = mem::replace(&mut self.last, index);
        let sudog = &mut sudogs.slots[index as usize];
        sudogs.free = mem::replace(&mut sudog.next, NIL);
        sudogs.acquired += 1;
        debug_assert!(sudog.elem.is_none() && sudog.party.is_none());
        // Forgotten, so that the compiler need not look for what there is to drop; and taken apart, so that a
        // value moves once, and a party is written by its fields: to move what was just put together stalls.
        if let Some(value) = elem {
            mem::forget(sudog.elem.replace(value));
        }
        mem::forget(match party {
            Party::Task(waker) => sudog.party.replace(Party::Task(waker)),
            Party::Arm {
                offer,
                number,
                rank,
            } => sudog.party.replace(Party::Arm {
                offer,
                number,
                rank,
            }),
        });
        sudog.age = now;
        sudog.state = State::Parked;
        sudog.prev = last;
        let ticket = Ticket {
            number: NonZero::<u32>::MIN.saturating_add(index),
            generation: sudog.generation,
        };
        match sudogs.slots.get_mut(last as usize) {
            Some(before) => before.next = index,
            None => self.first = index,
        }
        ticket
    }

    /// Takes a sudog out of the queue, wherever it stands.
    pub(crate) fn unlink<T>(&mut self, sudogs: &mut Sudogs<T>, ticket: &Ticket) {
        self.unlink_at(sudogs, ticket.index());
    }

    #[inline]
    fn unlink_at<T>(&mut self, sudogs: &mut Sudogs<T>, index: u32) {
        let Sudog { prev, next, .. } = sudogs.slots[index as usize];
        match sudogs.slots.get_mut(prev as usize) {
            Some(before) => before.next = next,
            None => self.first = next,
        }
        match sudogs.slots.get_mut(next as usize) {
            Some(after) => after.prev = prev,
            None => self.last = prev,
        }
    }

    /// Takes out the first sudog of the queue that `fits` and whose party accepts, for its counterpart
    /// to complete and wake.
    ///
    /// Arms of selects that are not open any more leave the queue on the way; those that are held stay.
    pub(crate) fn dequeue<T>(
        &mut self,
        sudogs: &mut Sudogs<T>,
        terms: Terms,
        mut fits: impl FnMut(&Sudog<T>) -> bool,
    ) -> Option<(u32, Waker)> {
        let mut index = self.first;
        loop {
            let sudog = sudogs.slots.get(index as usize)?;
            let next = sudog.next;
            // An arm that is not open any more is asked as well: it declines, and so leaves.
            if !sudog.is_open(terms) || fits(sudog) {
                if let Some(waker) = self.dequeue_at(sudogs, terms, index) {
                    return Some((index, waker));
                }
            }
            index = next;
        }
    }

    /// Takes a sudog out of the queue for its counterpart to complete and wake, if its party accepts; an arm
    /// that declines leaves as well, and one that is held stays.
    #[inline]
    pub(crate) fn dequeue_at<T>(
        &mut self,
        sudogs: &mut Sudogs<T>,
        terms: Terms,
        index: u32,
    ) -> Option<Waker> {
        let sudog = sudogs.at_mut(index);
        let accepted = Party::accept(&mut sudog.party, terms);
        match accepted {
            Ok(_) => {}
            Err(Refusal::Declined) => sudog.state = State::Passed,
            Err(Refusal::Held) => return None,
        }
        self.unlink_at(sudogs, index);
        accepted.ok()
    }

    /// Where the first sudog of the queue is, if there is one.
    #[inline]
    pub(crate) const fn head(&self) -> u32 {
        self.first
    }

    /// Takes out the sudog at the head of the queue if it `fits` and its party accepts.
    #[inline]
    pub(crate) fn dequeue_head<T>(
        &mut self,
        sudogs: &mut Sudogs<T>,
        terms: Terms,
        fits: impl FnOnce(&Sudog<T>) -> bool,
    ) -> Option<Waker> {
        let sudog = sudogs.slots.get_mut(self.first as usize)?;
        if !fits(sudog) {
            return None;
        }
        let waker = Party::accept(&mut sudog.party, terms).ok()?;
        self.first = sudog.next;
        match sudogs.slots.get_mut(self.first as usize) {
            Some(after) => after.prev = NIL,
            None => self.last = NIL,
        }
        Some(waker)
    }

    /// Takes a sender and a receiver out of their queues, given by their indexes, if both their parties accept,
    /// for each other to complete and for whoever has brought them together to wake.
    pub(crate) fn dequeue_both<T>(
        (sendq, sender): (&mut Self, u32),
        (recvq, receiver): (&mut Self, u32),
        sudogs: &mut Sudogs<T>,
    ) -> Option<[Waker; 2]> {
        let (first, second) = sudogs.two(sender, receiver)?;
        let wakers = Party::accept_both(&mut first.party, &mut second.party)?;
        sendq.unlink_at(sudogs, sender);
        recvq.unlink_at(sudogs, receiver);
        Some(wakers)
    }

    /// The first sudog of the queue.
    pub(crate) fn first<'a, T>(&self, sudogs: &'a Sudogs<T>) -> Option<&'a Sudog<T>> {
        sudogs.slots.get(self.first as usize)
    }

    /// The last sudog of the queue.
    pub(crate) fn last<'a, T>(&self, sudogs: &'a Sudogs<T>) -> Option<&'a Sudog<T>> {
        sudogs.slots.get(self.last as usize)
    }

    /// The sudogs of the queue that would be served on these terms, first to last.
    pub(crate) fn iter<'a, T>(
        &self,
        sudogs: &'a Sudogs<T>,
        terms: Terms,
    ) -> impl Iterator<Item = &'a Sudog<T>> {
        self.indexed(sudogs, terms).map(|(_, sudog)| sudog)
    }

    /// The same, with their indexes.
    pub(crate) fn indexed<'a, T>(
        &self,
        sudogs: &'a Sudogs<T>,
        terms: Terms,
    ) -> impl Iterator<Item = (u32, &'a Sudog<T>)> {
        let at = |index: u32| Some((index, sudogs.slots.get(index as usize)?));
        core::iter::successors(at(self.first), move |(_, sudog)| at(sudog.next))
            .filter(move |(_, sudog)| sudog.is_open(terms))
    }
}

impl<T> Sudog<T> {
    /// Whether a counterpart may serve it on these terms.
    #[inline]
    pub(crate) fn is_open(&self, terms: Terms) -> bool {
        self.party
            .as_ref()
            .is_some_and(|party| party.is_open(terms))
    }

    /// Whether it counts as a receiver.
    #[inline]
    pub(crate) fn is_first(&self) -> bool {
        self.party.as_ref().is_some_and(Party::is_first)
    }

    /// The select that it is an arm of.
    pub(crate) fn select(&self) -> Option<&Offer> {
        self.party.as_ref().and_then(Party::select)
    }

    /// Whether it is an arm of that select.
    pub(crate) fn is_of(&self, select: Option<&Offer>) -> bool {
        match (self.select(), select) {
            (Some(own), Some(other)) => core::ptr::eq(own, other),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
