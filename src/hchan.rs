//! The channel without its lock: Go's `hchan`, `chansend`, `chanrecv` and `closechan`.
//!
//! Nothing here waits, wakes or drops what belongs to a user, and no lock is taken but an offer's and the
//! closeq's, which are the last that anyone takes. Every function decides at once, completes the
//! counterpart that it meets, and notes in [`Wakes`] whom to wake after the lock, and in [`Trace`] what to
//! tell then.
//!
//! Here are send and receive. In files of their own are `handoff`, how parked operations are completed;
//! `close`, with the count of handles; `permit`; `select`, what a select asks; and `quick`, the ordinary
//! cases in few steps.
//!
//! At all times
//!
//! - receivers stand in `recvq` only while `buf` is empty;
//! - senders stand in `sendq` only while the channel is open and no slot is free, and on capacity 0
//!   only while each parked receiver is promised to a permit, or is an arm of the sender's own select.
//!   The arms of a select that holds its sends are passed by: they look by themselves afterwards;
//! - values leave in the order in which they were accepted; what was put back is older than the rest
//!   of `buf` and stands at its head, oldest first;
//! - on a closed channel receivers stand in `recvq` only while a value is unclaimed, that is: handed
//!   to a receiver that has not looked yet. It may come back, so "closed" is not certain before.
//!
//! [`Hchan::check`] asserts what of this can be seen at one instant, after each operation of a debug build.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::num::NonZero;
use core::task::Poll;

use crate::error::{RecvError, SendError, TryRecvError, TrySendError, present};
use crate::forecast::Forecast;
use crate::party::{Party, Terms};
use crate::ring::Ring;
use crate::snapshot::Snapshot;
use crate::sudog::{SendTicket, State, Sudog, Sudogs, Ticket, WaitQ};
use crate::trace::{Event, Queue, Trace};
use crate::wakes::{Visitor, Wakes};

/// The kinds of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Holds `dataqsiz` values.
    Bounded,
    /// Never full: `dataqsiz` is larger than any memory.
    Unbounded,
    /// Go's nil channel: nothing ever happens here, so nobody parks.
    Never,
}

/// A channel's state. The names are Go's.
pub(crate) struct Hchan<T> {
    /// The ring, with `dataqsiz`, `sendx` and `recvx`; `qcount` is its length.
    buf: Ring<T>,
    /// Slots that permits hold; on capacity 0, parked receivers that are promised to permits.
    reserved: usize,
    /// Counts what happens. A value's age is what the clock showed when it left; and while the clock stands
    /// as it did at an earlier look, nothing has become possible since.
    clock: u64,
    sudogs: Sudogs<T>,
    recvq: WaitQ,
    sendq: WaitQ,
    /// Every parked send of a task has been sent if it parked up to this time, unless it was given up before.
    /// Nobody passes a task that waits to send, so one time tells it of all of them.
    sent_up_to: u64,
    /// Whether a value may stand in `sendq`. If not, no receive need go past all the reservations there.
    may_bring: bool,
    /// Values handed to receivers that have not looked yet.
    unclaimed: u32,
    senders: u32,
    receivers: u32,
    kind: Kind,
    closed: bool,
    /// What has happened since the lock was taken.
    trace: Trace,
}

impl<T> Hchan<T> {
    /// Go's `makechan`, with one handle on either side.
    pub(crate) const fn new(kind: Kind, dataqsiz: usize) -> Self {
        Self {
            buf: Ring::new(dataqsiz),
            reserved: 0,
            clock: 0,
            sudogs: Sudogs::new(),
            recvq: WaitQ::new(),
            sendq: WaitQ::new(),
            sent_up_to: 0,
            may_bring: false,
            unclaimed: 0,
            senders: 1,
            receivers: 1,
            kind,
            closed: false,
            trace: Trace::new(),
        }
    }

    // Send. The questions are Go's, in Go's order: closed? a receiver in line? room? else park.

    /// Sends without waiting. On an error the value stays in `elem`.
    #[inline]
    pub(crate) fn send(
        &mut self,
        elem: &mut Option<T>,
        wakes: &mut Wakes,
    ) -> Result<(), TrySendError<()>> {
        if self.closed {
            return Err(TrySendError::Closed(()));
        }
        if !self.recvq.is_empty() && self.hand(elem, wakes) {
            return Ok(());
        }
        if self.has_room() {
            self.push(elem);
            return Ok(());
        }
        Err(TrySendError::Full(()))
    }

    /// Sends from the front of `items` what there is room for, unless receivers stand in line.
    pub(crate) fn send_more(&mut self, items: &mut VecDeque<T>) {
        let many = self.room().min(items.len());
        if self.takes_in() && many > 0 {
            self.clock += 1;
            self.buf.push_many(many, items);
        }
    }

    /// One poll of a send: sends, or parks with the value, or looks what became of it.
    ///
    /// On an error the value is in `elem` again.
    #[inline]
    pub(crate) fn poll_send(
        &mut self,
        place: &mut Option<SendTicket>,
        elem: &mut Option<T>,
        visitor: &mut Visitor<'_>,
        wakes: &mut Wakes,
    ) -> Poll<Result<(), SendError<()>>> {
        if place
            .take_if(|place| place.is_sent(self.sent_up_to))
            .is_some()
        {
            return Poll::Ready(Ok(()));
        }
        if let Some(SendTicket { ticket, since }) = place.take() {
            let mut ticket = Some(ticket);
            let polled = self.sudogs.redeem(&mut ticket, visitor);
            *place = ticket.map(|ticket| SendTicket { ticket, since });
            return polled.map(|(state, left)| {
                *elem = left;
                answer(state)
            });
        }
        match self.send(elem, wakes) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(TrySendError::Closed(())) => Poll::Ready(Err(SendError(()))),
            Err(TrySendError::Full(())) => {
                if self.is_live() {
                    *place = visitor
                        .waker()
                        .map(|waker| self.park_send(elem.take(), Party::Task(waker)));
                }
                Poll::Pending
            }
        }
    }

    /// Puts a send, or without a value a reservation, at the end of `sendq`.
    #[inline]
    pub(crate) fn park_send(&mut self, elem: Option<T>, party: Party) -> SendTicket {
        self.clock += 1;
        self.trace.note(Event::Park(Queue::Send));
        let since = match party {
            Party::Task(_) => self.clock,
            // Its select is told, by its offer.
            Party::Arm { .. } => u64::MAX,
        };
        self.may_bring |= elem.is_some();
        let ticket = self.sendq.park(&mut self.sudogs, elem, party, self.clock);
        SendTicket { ticket, since }
    }

    /// Gives up a parked send. The value is in `elem` again, unless a receiver has it.
    pub(crate) fn cancel_send(
        &mut self,
        place: SendTicket,
        elem: &mut Option<T>,
        wakes: &mut Wakes,
    ) {
        if place.is_sent(self.sent_up_to) {
            return;
        }
        let SendTicket { ticket, .. } = place;
        if self.sudogs.get(&ticket).state == State::Parked {
            self.sendq.unlink(&mut self.sudogs, &ticket);
        }
        let (left, party) = self.sudogs.release(ticket);
        *elem = left;
        wakes.retire(party);
    }

    /// Sends at once, at the price of the oldest value if the ring is full.
    ///
    /// What had to give way is in `elem`: the oldest value, or, where there is none, the value itself.
    pub(crate) fn force_send(
        &mut self,
        elem: &mut Option<T>,
        wakes: &mut Wakes,
    ) -> Result<(), SendError<()>> {
        match self.send(elem, wakes) {
            Ok(()) => Ok(()),
            Err(TrySendError::Closed(())) => Err(SendError(())),
            Err(TrySendError::Full(())) if self.buf.dataqsiz() == 0 => Ok(()),
            Err(TrySendError::Full(())) => {
                if let Some(oldest) = self.take() {
                    self.push(elem);
                    *elem = Some(oldest);
                }
                Ok(())
            }
        }
    }

    // Receive: first what the channel holds, then what a parked sender holds, else park.

    /// Receives without waiting.
    #[inline]
    pub(crate) fn recv(&mut self, wakes: &mut Wakes) -> Result<T, TryRecvError> {
        if let Some(value) = self.take() {
            self.admit(wakes);
            return Ok(value);
        }
        if self.may_bring {
            // A rendezvous, or permits hold every slot: the sender's value comes straight over.
            if let Some((sender, waker)) = self.dequeue_value() {
                self.clock += 1;
                wakes.push(waker);
                let mut elem = None;
                self.complete_send(sender, &mut elem);
                return Ok(present(elem));
            }
            // What is left are reservations, and arms that are held or were until now.
            let mut left = self.sendq.iter(&self.sudogs, Terms::Revocable);
            self.may_bring = left.any(Sudog::has_value);
        }
        if self.is_over() {
            return Err(TryRecvError::Closed);
        }
        Err(TryRecvError::Empty)
    }

    /// Receives without waiting, unless a reservation is first in line that waits for a receiver.
    #[inline]
    pub(crate) fn recv_in_turn(&mut self, wakes: &mut Wakes) -> Result<T, TryRecvError> {
        if self.awaits_receiver() {
            return Err(TryRecvError::Empty);
        }
        self.recv(wakes)
    }

    /// Receives again and again without waiting, up to `limit` values, and counts them.
    pub(crate) fn recv_more(&mut self, out: &mut Vec<T>, limit: usize, wakes: &mut Wakes) -> usize {
        let full = out.len().saturating_add(limit);
        let before = out.len();
        while !self.sendq.is_empty() && out.len() < full {
            match self.recv(wakes) {
                Ok(value) => out.push(value),
                Err(_) => return out.len() - before,
            }
        }
        // Nobody moves up any more.
        if !self.buf.is_empty() && out.len() < full {
            self.clock += 1;
            self.buf.take_many(full - out.len(), out);
        }
        out.len() - before
    }

    /// One poll of a receive: receives, or parks, or takes what it was handed.
    #[inline]
    pub(crate) fn poll_recv(
        &mut self,
        place: &mut Option<Ticket>,
        visitor: &mut Visitor<'_>,
        wakes: &mut Wakes,
    ) -> Poll<Result<T, RecvError>> {
        if place.is_some() {
            return self.sudogs.redeem(place, visitor).map(|(_, value)| {
                if value.is_some() {
                    self.unclaimed -= 1;
                    self.settle(wakes);
                }
                value.ok_or(RecvError)
            });
        }
        match self.recv_in_turn(wakes) {
            Ok(value) => return Poll::Ready(Ok(value)),
            Err(TryRecvError::Closed) => return Poll::Ready(Err(RecvError)),
            Err(TryRecvError::Empty) => {}
        }
        if self.is_live() {
            *place = visitor
                .waker()
                .map(|waker| self.park_recv(Party::Task(waker), wakes));
        }
        Poll::Pending
    }

    /// Puts a receive at the end of `recvq`, where it may be what a reservation waits for.
    #[inline]
    pub(crate) fn park_recv(&mut self, party: Party, wakes: &mut Wakes) -> Ticket {
        let faced = party
            .select()
            .is_some_and(|select| self.is_faced(&self.recvq, select));
        let ticket = self.enqueue_recv(party);
        if !faced {
            self.admit(wakes);
        }
        ticket
    }

    #[inline]
    fn enqueue_recv(&mut self, party: Party) -> Ticket {
        self.clock += 1;
        self.trace.note(Event::Park(Queue::Recv));
        self.recvq.park(&mut self.sudogs, None, party, self.clock)
    }

    /// Takes the value that a parked receive was handed, if it was, and ends it.
    ///
    /// A receive that nothing has happened to keeps its place. Tells the value's age, too.
    pub(crate) fn try_claim(
        &mut self,
        place: &mut Option<Ticket>,
        wakes: &mut Wakes,
    ) -> Option<(T, u64)> {
        let Sudog { state, age, .. } = *self.sudogs.get(place.as_ref()?);
        let claimed = place.take_if(|_| state != State::Parked)?;
        let mut elem = None;
        self.sudogs.collect(claimed, &mut elem);
        let value = elem?;
        self.unclaimed -= 1;
        self.settle(wakes);
        Some((value, age))
    }

    /// Gives up a parked receive. A value that it was handed goes to the next in line, or back.
    pub(crate) fn cancel_recv(&mut self, ticket: Ticket, wakes: &mut Wakes) {
        let sudog = self.sudogs.get(&ticket);
        let age = sudog.age;
        if sudog.state == State::Parked {
            self.recvq.unlink(&mut self.sudogs, &ticket);
        }
        let (value, party) = self.sudogs.release(ticket);
        wakes.retire(party);
        if let Some(value) = value {
            self.unclaimed -= 1;
            self.put_back(value, age, wakes);
            self.settle(wakes);
        }
    }

    /// Takes a value back that had left: for the first receiver in line, or into its old place.
    pub(crate) fn put_back(&mut self, value: T, age: u64, wakes: &mut Wakes) {
        self.trace.note(Event::PutBack);
        let receivers = &mut self.recvq;
        let first = receivers.dequeue(&mut self.sudogs, Terms::Revocable, |_| true);
        if let Some((receiver, waker)) = first {
            self.complete_recv(receiver, &mut Some(value), age);
            wakes.push(waker);
            return;
        }
        self.clock += 1;
        self.buf.put_back(value, age);
    }

    /// The age of the value that leaves next.
    pub(crate) fn next_age(&self) -> u64 {
        self.buf.oldest_age().unwrap_or(self.clock + 1)
    }

    /// The ticket for a parked operation, from its number.
    pub(crate) fn ticket(&self, number: NonZero<u32>) -> Ticket {
        self.sudogs.ticket(number)
    }

    // What can be seen from outside.

    /// Takes what has happened since the lock was taken, to be told after the unlock.
    #[inline]
    pub(crate) fn take_trace(&mut self) -> Trace {
        self.trace.take()
    }

    pub(crate) fn len(&self) -> usize {
        self.buf.len()
    }

    pub(crate) const fn capacity(&self) -> Option<usize> {
        match self.kind {
            Kind::Bounded | Kind::Never => Some(self.buf.dataqsiz()),
            Kind::Unbounded => None,
        }
    }

    /// Whether every slot holds a value or is reserved.
    pub(crate) fn is_full(&self) -> bool {
        !self.has_room()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            qcount: self.buf.len(),
            dataqsiz: self.capacity(),
            sendx: self.buf.sendx(),
            recvx: self.buf.recvx(),
            closed: self.closed,
            sendq: self.sendq.iter(&self.sudogs, Terms::Revocable).count(),
            recvq: self.recvq.iter(&self.sudogs, Terms::Revocable).count(),
        }
    }

    /// Tells whether a receive and a send would have to park now, and which sends are over.
    #[inline]
    pub(crate) fn foretell(&self, forecast: &Forecast) {
        forecast.note(self.recv_parks(), self.send_parks());
        forecast.note_sent(self.sent_up_to);
    }

    fn recv_parks(&self) -> bool {
        !self.closed && self.is_live() && self.buf.is_empty() && self.sendq.is_empty()
    }

    fn send_parks(&self) -> bool {
        !self.closed && self.is_live() && self.recvq.is_empty() && !self.has_room()
    }

    // The ring, as far as permits leave it free.

    /// Whether a send goes into the ring: nobody stands in line to receive, and there is room.
    #[inline]
    fn takes_in(&self) -> bool {
        !self.closed && self.recvq.is_empty() && self.has_room()
    }

    #[inline]
    fn has_room(&self) -> bool {
        self.room() > 0
    }

    /// How many slots are free, and no permit's.
    #[inline]
    fn room(&self) -> usize {
        let taken = self.buf.len() + self.reserved;
        self.buf.slots().saturating_sub(taken)
    }

    /// Puts the value at the tail of the ring.
    #[inline]
    fn push(&mut self, elem: &mut Option<T>) {
        self.clock += 1;
        if let Some(value) = elem.take() {
            self.buf.push(value);
        }
    }

    /// Takes the value at the head of the ring.
    #[inline]
    fn take(&mut self) -> Option<T> {
        if !self.buf.is_empty() {
            self.clock += 1;
        }
        self.buf.take()
    }

    /// Whether anything may ever happen that is worth waiting for.
    pub(crate) const fn is_live(&self) -> bool {
        !matches!(self.kind, Kind::Never)
    }

    /// The invariants at the head of this file.
    #[inline]
    pub(crate) fn check(&self) {
        if cfg!(debug_assertions) {
            self.check_all();
        }
    }

    fn check_all(&self) {
        assert!(self.recvq.is_empty() || self.buf.is_empty());
        assert!(self.recvq.is_empty() || !self.closed || self.unclaimed > 0);
        assert!(self.sendq.is_empty() || !self.closed);
        let senders = || self.sendq.iter(&self.sudogs, Terms::Revocable);
        let is_task = |sender: &Sudog<T>| sender.select().is_none();
        assert!(!self.has_room() || !senders().any(is_task));
        assert!(self.may_bring || !senders().any(Sudog::has_value));
        let first = self.sendq.first(&self.sudogs);
        let is_plain = first.is_some_and(|sender| sender.has_value() && sender.select().is_none());
        assert!(!is_plain || self.buf.dataqsiz() > 0 || !self.has_free_receiver(None));
        self.buf.check();
    }
}

/// What a parked send or reservation has come to.
fn answer(state: State) -> Result<(), SendError<()>> {
    match state {
        State::Success => Ok(()),
        State::Passed | State::Closed | State::Parked | State::Free => Err(SendError(())),
    }
}

mod close;
mod handoff;
mod permit;
mod quick;
mod select;
#[cfg(test)]
mod tests;
