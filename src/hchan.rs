//! The channel without its lock: Go's `hchan`, `chansend`, `chanrecv` and `closechan`.
//!
//! Nothing here waits, wakes, or drops what belongs to a user, and no lock is taken but an offer's and the
//! closeq's, which are always taken last. Every rule is written once. It decides at once, completes the
//! counterpart that it meets, and returns the waker to wake after the unlock.
//!
//! Here are send and receive. In files of their own are `close`, with the count of handles; `permit`; and
//! `select`, what a select asks. `ring` holds the values inside, `store` those of waiters and what was put
//! back, `sudog` the waiters, `offer` what a select's arms share; `slab` is the storage of both.
//!
//! At all times
//!
//! - receivers stand in `recvq` only while nothing is inside;
//! - senders stand in `sendq`, and reservations in `reserveq`, only while the channel is open and no slot is
//!   free; but the arms of a select that holds its sends, or has just stopped to, may stand there until it
//!   has looked;
//! - values leave in the order in which they were accepted, which is that of their ages; what was put back is
//!   older than all of `buf` and leaves first, oldest first;
//! - on a closed channel receivers stand in `recvq` only while a value is unclaimed, that is: handed
//!   to a receiver that has not looked yet. It may come back, so "closed" is not certain before.
//!
//! [`Hchan::check`] asserts what of this can be seen in a few steps, at each unlock of a debug build.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;
use core::task::Waker;

use self::offer::Terms;
use self::ring::Ring;
use self::slab::NIL;
use self::store::Store;
use self::sudog::{SendTicket, State, Sudog, Sudogs, Ticket, WaitQ};
use crate::error::{TryRecvError, TrySendError, present};
use crate::snapshot::Snapshot;
use crate::trace::{Event, Queue, Seen, Told, Trace};
use crate::wakes::Wakes;
use crate::watch::{Counts, Visit, Watch};

/// The kinds of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Holds `dataqsiz` values.
    Bounded,
    /// Never full: `dataqsiz` is larger than any memory.
    Unbounded,
    /// Go's nil channel: nothing ever happens on it, so nothing parks.
    Never,
}

/// A channel's state. The names are Go's.
pub(crate) struct Hchan<T> {
    /// The ring, with `dataqsiz`, `sendx` and `recvx`.
    buf: Ring<T>,
    recvq: WaitQ,
    sendq: WaitQ,
    /// Made when the first operation parks.
    waiters: Option<Box<Waiters>>,
    /// The values outside the ring.
    store: Store<T>,
    /// How many values were accepted. A value's age is its number among them.
    sent: u64,
    /// The most values that were inside at once.
    peak: usize,
    /// Counts what else happens: while this, `sent` and the ring stand as they did at an earlier look, nothing
    /// has become possible since. An operation's age is what the clock showed when it parked.
    clock: u64,
    /// Slots that permits hold.
    reserved: u32,
    /// Values that were put back and are inside, in the store.
    returned: u32,
    /// Values handed to receivers that have not looked yet.
    unclaimed: u32,
    senders: u32,
    receivers: u32,
    /// Whether a reservation may stand in `reserveq`.
    reserving: bool,
    closed: bool,
    /// 0 once nothing parks any more, because the channel is closed, or ever, because nothing happens on it; before,
    /// all bits.
    open: u8,
    kind: Kind,
    /// What has happened since the lock was taken.
    trace: Trace,
}

/// The operations that wait. It knows nothing of the channel's values.
struct Waiters {
    sudogs: Sudogs,
    /// Reservations. They and the sends are served as if they stood in one line.
    reserveq: WaitQ,
    /// Tasks' sends are served strictly in order: those that parked up to this time were sent, or given up. So one
    /// time tells it of all of them.
    served: u64,
}

impl Default for Waiters {
    fn default() -> Self {
        Self {
            sudogs: Sudogs::new(),
            reserveq: WaitQ::new(),
            served: 0,
        }
    }
}

/// The waker of the send that a receive has served, and the age of the value that it took.
pub(crate) struct Served {
    pub(crate) waker: Waker,
    pub(crate) age: u64,
}

/// What became of a parked operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// It was completed.
    Done,
    /// The channel was closed.
    Closed,
    Parked,
    /// It is parked, but a wake would go to another task.
    Elsewhere,
}

impl<T> Hchan<T> {
    /// Go's `makechan`, with one handle on either side.
    pub(crate) const fn new(kind: Kind, dataqsiz: usize) -> Self {
        Self {
            buf: Ring::new(dataqsiz),
            recvq: WaitQ::new(),
            sendq: WaitQ::new(),
            waiters: None,
            store: Store::new(),
            sent: 0,
            peak: 0,
            clock: 0,
            reserved: 0,
            returned: 0,
            unclaimed: 0,
            senders: 1,
            receivers: 1,
            reserving: false,
            closed: false,
            open: match kind {
                Kind::Never => 0,
                Kind::Bounded | Kind::Unbounded => u8::MAX,
            },
            kind,
            trace: Trace::new(),
        }
    }

    // Send.

    /// Go's `chansend`: closed? a receiver in line? room? If none of these, the value stays in `elem`, and a
    /// caller that waits parks.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the ring is the first branch of the one rule; the others are not inlined"
    )]
    pub(crate) fn send(&mut self, elem: &mut Option<T>) -> Result<Option<Waker>, TrySendError<()>> {
        if self.closed {
            return Err(TrySendError::Closed(()));
        }
        if !self.recvq.is_empty() {
            if let Some(waker) = self.hand(elem) {
                return Ok(Some(waker));
            }
        }
        if self.has_room() {
            self.push(elem);
            return Ok(None);
        }
        Err(TrySendError::Full(()))
    }

    /// Hands the value to the first receiver in line, past the ring.
    #[inline(never)]
    fn hand(&mut self, elem: &mut Option<T>) -> Option<Waker> {
        let sudogs = &mut self.waiters.as_mut()?.sudogs;
        let (receiver, waker) = self.recvq.dequeue(sudogs, Terms::Revocable, u64::MAX)?;
        self.sent += 1;
        let value = self.store.keep(present(elem.take()));
        self.complete_recv(receiver, value, self.sent);
        Some(waker)
    }

    /// Completes a receive that has left its line with the value that it waited for.
    #[inline]
    fn complete_recv(&mut self, receiver: u32, value: u32, age: u64) {
        self.trace.note(Event::Handoff(Queue::Recv));
        self.unclaimed += 1;
        let sudog = self.sudogs().get_mut(receiver);
        sudog.value = value;
        sudog.age = age;
        sudog.state = State::Success;
    }

    /// Sends from the front of `items` what there is room for, unless receivers stand in line.
    pub(crate) fn send_more(&mut self, items: &mut VecDeque<T>) {
        let many = self.room().min(items.len());
        if !self.closed && self.recvq.is_empty() && many > 0 {
            self.sent += many as u64;
            self.peak = self.peak.max(self.len() + many);
            self.buf.push_many(many, items);
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
        self.clock += 1;
        self.trace.note(Event::Park(Queue::Send));
        let value = self.store.keep(present(elem.take()));
        let sudogs = &mut self.waiters.get_or_insert_default().sudogs;
        let (mut ticket, is_task) =
            { &mut self.sendq }.park(sudogs, self.clock, value, visit, set_party);
        self.trace.parked(&mut ticket.op, visit);
        let since = match is_task {
            true => self.clock,
            false => SendTicket::ARM,
        };
        SendTicket { ticket, since }
    }

    /// Looks at what became of a parked send. A value that was refused is in `elem` again.
    pub(crate) fn look_send(
        &mut self,
        place: &mut Option<SendTicket>,
        elem: &mut Option<T>,
        task: &Waker,
    ) -> Look {
        let Some(SendTicket { ticket, since }) = place.take() else {
            unreachable!("only a parked operation is looked at");
        };
        if since <= self.served() {
            self.trace.done(ticket.op);
            return Look::Done;
        }
        let mut ticket = Some(ticket);
        let look = self.look(&mut ticket, elem, task);
        if matches!(look, Look::Parked | Look::Elsewhere) {
            *place = ticket.map(|ticket| SendTicket { ticket, since });
        }
        look
    }

    /// Gives up a parked send. The value is in `elem` again, unless a receiver has it. Returns a waker to drop.
    pub(crate) fn cancel_send(&mut self, place: SendTicket, elem: &mut Option<T>) -> Option<Waker> {
        if place.is_sent(self.served()) {
            self.trace.left(place.ticket.op);
            return None;
        }
        let (sudogs, sendq) = self.line(Queue::Send);
        let left = sendq.leave(sudogs, place.ticket);
        self.trace.left(left.op);
        if left.value != NIL {
            *elem = Some(self.store.take(left.value));
        }
        left.waker
    }

    /// Sends at once, at the price of the oldest value if the ring is full.
    ///
    /// Afterwards `elem` has the value that was displaced: the oldest or, if there is none, the value itself.
    pub(crate) fn force_send(
        &mut self,
        elem: &mut Option<T>,
    ) -> Result<Option<Waker>, TrySendError<()>> {
        match self.send(elem) {
            Err(TrySendError::Full(())) if self.buf.dataqsiz() == 0 => Ok(None),
            Err(TrySendError::Full(())) => {
                let oldest = match self.returned {
                    0 => self.buf.take(),
                    _ => Some(self.take_returned().0),
                };
                if oldest.is_some() {
                    self.push(elem);
                    *elem = oldest;
                }
                Ok(None)
            }
            sent => sent,
        }
    }

    // Receive.

    /// Go's `chanrecv`: what is inside? a sender in line? over? If none of these, a caller that waits parks.
    ///
    /// The value is in `elem`; if a task is to be woken, its age comes along.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the ring is the first branch of the one rule; the others are not inlined"
    )]
    pub(crate) fn recv(&mut self, elem: &mut Option<T>) -> Result<Option<Served>, TryRecvError> {
        if self.returned > 0 {
            return Ok(self.recv_returned(elem));
        }
        if !self.buf.is_empty() {
            *elem = self.buf.take();
            return match self.is_awaited() {
                true => Ok(self.admit_after(self.sent - self.buf.len() as u64)),
                false => Ok(None),
            };
        }
        if !self.sendq.is_empty() {
            if let Some(served) = self.recv_from_sender(elem) {
                return Ok(Some(served));
            }
        }
        match self.is_over() {
            true => Err(TryRecvError::Closed),
            false => Err(TryRecvError::Empty),
        }
    }

    /// Receives the oldest of what was put back.
    #[cold]
    fn recv_returned(&mut self, elem: &mut Option<T>) -> Option<Served> {
        let (value, age) = self.take_returned();
        *elem = Some(value);
        self.admit_after(age)
    }

    /// Receives straight from the first sender in line: at a rendezvous, or where permits hold every slot.
    #[inline(never)]
    fn recv_from_sender(&mut self, elem: &mut Option<T>) -> Option<Served> {
        let first = match self.recvq.is_empty() {
            true => { &mut self.sendq }.dequeue(
                &mut self.waiters.as_mut()?.sudogs,
                Terms::Final,
                u64::MAX,
            ),
            false => self.dequeue_for_newcomer(u64::MAX),
        };
        let (sender, waker) = first?;
        self.complete_send(sender, elem);
        self.sent += 1;
        let age = self.sent;
        Some(Served { waker, age })
    }

    /// After a value of this age has left: its slot is the next in line's.
    #[inline(never)]
    fn admit_after(&mut self, age: u64) -> Option<Served> {
        self.admit().map(|waker| Served { waker, age })
    }

    /// Completes a send that has left its line, and takes its value.
    ///
    /// A task learns from `served` what became of its send, so its place is freed at once.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "its callers are not inlined")]
    fn complete_send(&mut self, sender: u32, elem: &mut Option<T>) {
        self.trace.note(Event::Handoff(Queue::Send));
        let Some(Waiters { sudogs, served, .. }) = self.waiters.as_deref_mut() else {
            unreachable!("a parked operation has a place");
        };
        let sudog = sudogs.get_mut(sender);
        let value = mem::replace(&mut sudog.value, NIL);
        sudog.state = State::Success;
        if sudog.is_task() {
            debug_assert!(*served < sudog.age);
            *served = sudog.age;
            sudogs.release(sender, |_| ());
        }
        *elem = Some(self.store.take(value));
    }

    /// Gives a slot that has become free to the first in line for one: the other half of Go's swap. The sender's
    /// value is in the slot, or a permit holds it, before anything else can see it.
    #[inline]
    fn admit(&mut self) -> Option<Waker> {
        if !self.is_awaited() || !self.has_room() {
            return None;
        }
        let Waiters {
            sudogs, reserveq, ..
        } = self.waiters.as_deref_mut()?;
        let limit = reserveq.first_age(sudogs).unwrap_or(u64::MAX);
        let first = match self.recvq.is_empty() {
            true => self.sendq.dequeue(sudogs, Terms::Final, limit),
            false => self.dequeue_for_newcomer(limit),
        };
        let Some((sender, waker)) = first else {
            return self.admit_reservation();
        };
        let mut elem = None;
        self.complete_send(sender, &mut elem);
        self.push(&mut elem);
        Some(waker)
    }

    /// Receives up to `limit` values without waiting, and counts them.
    pub(crate) fn recv_more(&mut self, out: &mut Vec<T>, limit: usize, wakes: &mut Wakes) -> usize {
        let before = out.len();
        let full = before.saturating_add(limit);
        while out.len() < full {
            if self.returned == 0 && !self.is_awaited() {
                // Nobody moves up any more.
                self.buf.take_many(full - out.len(), out);
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

    /// Puts a receive that found nothing at the end of `recvq`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as in `WaitQ::park`")]
    pub(crate) fn park_recv(
        &mut self,
        visit: Visit,
        set_party: impl FnOnce(&mut Sudog) -> bool,
    ) -> Ticket {
        self.clock += 1;
        self.trace.note(Event::Park(Queue::Recv));
        let sudogs = &mut self.waiters.get_or_insert_default().sudogs;
        let (mut ticket, _) = { &mut self.recvq }.park(sudogs, self.clock, NIL, visit, set_party);
        self.trace.parked(&mut ticket.op, visit);
        ticket
    }

    /// Looks at what became of a parked receive. The value that it was handed is in `elem`, and is claimed.
    ///
    /// On a closed channel that may have been the last value: [`settle`](Self::settle) then.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as in `look`")]
    pub(crate) fn claim(
        &mut self,
        place: &mut Option<Ticket>,
        elem: &mut Option<T>,
        task: &Waker,
    ) -> Look {
        let look = self.look(place, elem, task);
        if look == Look::Done {
            self.unclaimed -= 1;
        }
        look
    }

    /// Gives up a parked receive. A value that it was handed goes to the next in line, or back. Returns a waker to
    /// drop, and one to wake.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "its callers are not inlined")]
    pub(crate) fn cancel_recv(&mut self, ticket: Ticket) -> (Option<Waker>, Option<Waker>) {
        let (sudogs, recvq) = self.line(Queue::Recv);
        let left = recvq.leave(sudogs, ticket);
        self.trace.left(left.op);
        let mut next = None;
        if left.value != NIL {
            self.unclaimed -= 1;
            next = self.put_back_kept(left.value, left.age);
        }
        (left.waker, next)
    }

    /// Takes back a value that had left: for the first receiver in line, or into its old place.
    pub(crate) fn put_back(&mut self, value: T, age: u64) -> Option<Waker> {
        let value = self.store.keep(value);
        self.put_back_kept(value, age)
    }

    fn put_back_kept(&mut self, value: u32, age: u64) -> Option<Waker> {
        self.trace.note(Event::PutBack);
        if let Some(waiters) = &mut self.waiters {
            let sudogs = &mut waiters.sudogs;
            let first = self.recvq.dequeue(sudogs, Terms::Revocable, u64::MAX);
            if let Some((receiver, waker)) = first {
                self.complete_recv(receiver, value, age);
                return Some(waker);
            }
        }
        self.peak = self.peak.max(self.len() + 1);
        self.clock += 1;
        self.returned += 1;
        self.store.put_back(value, age);
        None
    }

    /// Takes the oldest of what was put back, and its age.
    fn take_returned(&mut self) -> (T, u64) {
        self.clock += 1;
        self.returned -= 1;
        match self.store.take_returned() {
            Some(value) => value,
            None => unreachable!("what was put back is counted"),
        }
    }

    /// The age of the value that leaves next.
    pub(crate) fn next_age(&self) -> u64 {
        let next_in_ring = || self.sent - self.buf.len() as u64 + 1;
        self.store.oldest_returned().unwrap_or_else(next_in_ring)
    }

    // What parked operations have in common.

    /// Looks at what became of a parked operation. Once it is over, its place is free, and a value that it has is
    /// in `elem`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what it finds is asked at once")]
    pub(crate) fn look(
        &mut self,
        place: &mut Option<Ticket>,
        elem: &mut Option<T>,
        task: &Waker,
    ) -> Look {
        let Some(ticket) = place.take() else {
            unreachable!("only a parked operation is looked at");
        };
        let sudogs = self.sudogs();
        let sudog = sudogs.get_mut(ticket.number());
        let state = sudog.state;
        if state == State::Parked {
            let look = match sudog.wakes(task) {
                true => Look::Parked,
                false => Look::Elsewhere,
            };
            if look == Look::Parked {
                self.trace.polled(&ticket.op);
            }
            *place = Some(ticket);
            return look;
        }
        let value = sudogs.release(ticket.number(), |sudog| {
            sudog.forget_party();
            sudog.value
        });
        if value != NIL {
            *elem = Some(self.store.take(value));
        }
        self.trace.done(ticket.op);
        match state {
            State::Success => Look::Done,
            _ => Look::Closed,
        }
    }

    /// From now on a parked operation wakes this task: false if it was completed meanwhile. Returns the waker that
    /// is not needed.
    pub(crate) fn renew(&mut self, ticket: &Ticket, waker: Waker) -> (bool, Option<Waker>) {
        let sudog = self.sudogs().get_mut(ticket.number());
        let (is_parked, left) = (sudog.state == State::Parked, sudog.renew(waker));
        if is_parked {
            self.trace.polled(&ticket.op);
        }
        (is_parked, left)
    }

    /// The sudogs, and one of the lines.
    #[inline]
    fn line(&mut self, queue: Queue) -> (&mut Sudogs, &mut WaitQ) {
        let Some(waiters) = self.waiters.as_deref_mut() else {
            unreachable!("a parked operation has a place");
        };
        let line = match queue {
            Queue::Recv => &mut self.recvq,
            Queue::Send => &mut self.sendq,
            Queue::Reserve | Queue::Close => &mut waiters.reserveq,
        };
        (&mut waiters.sudogs, line)
    }

    #[inline]
    fn sudogs(&mut self) -> &mut Sudogs {
        match &mut self.waiters {
            Some(waiters) => &mut waiters.sudogs,
            None => unreachable!("a parked operation has a place"),
        }
    }

    /// Every parked send of a task that parked up to this time has been sent.
    #[inline]
    pub(crate) fn served(&self) -> u64 {
        self.waiters.as_ref().map_or(0, |waiters| waiters.served)
    }

    // What can be seen from outside.

    /// What has happened since the lock was taken, to be told after the unlock.
    #[inline]
    pub(crate) fn trace(&mut self) -> &mut Trace {
        &mut self.trace
    }

    /// Hands out what has happened since the lock was taken.
    #[inline]
    pub(crate) fn hand_out(&mut self, told: &mut Told, channel: usize) {
        if self.trace.is_kept() {
            self.hand_out_noted(told, channel);
        }
    }

    #[cold]
    #[inline(never)]
    fn hand_out_noted(&mut self, told: &mut Told, channel: usize) {
        self.trace.see(Seen {
            qcount: self.len(),
            closed: self.closed,
            senders: self.senders,
            receivers: self.receivers,
        });
        told.add(&mut self.trace, channel);
    }

    /// Writes down what has changed since the lock was taken.
    #[inline]
    pub(crate) fn publish(&mut self, watch: &Watch) {
        let counts = || Counts {
            closed: self.closed,
            ring: self.buf.len(),
            received: self.buf.received(),
            returned: self.returned,
            reserved: self.reserved,
            unclaimed: self.unclaimed,
            sent: self.sent,
            peak: self.peak,
        };
        let waiters = self.waiters.as_deref_mut();
        watch.publish(counts, waiters.map(|waiters| &mut waiters.sudogs.spots));
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.buf.len() + self.returned as usize
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
        let (mut sendq, mut recvq) = (0, 0);
        if let Some(waiters) = self.waiters.as_deref() {
            let sudogs = &waiters.sudogs;
            sendq = self.sendq.count(sudogs) + waiters.reserveq.count(sudogs);
            recvq = self.recvq.count(sudogs);
        }
        Snapshot {
            qcount: self.len(),
            dataqsiz: self.capacity(),
            sendx: self.buf.sendx(),
            recvx: self.buf.recvx(),
            closed: self.closed,
            sendq,
            recvq,
            senders: self.senders as usize,
            receivers: self.receivers as usize,
            permits: self.reserved as usize,
            unclaimed: self.unclaimed as usize,
            sent: self.sent,
            received: self.sent - self.len() as u64 - u64::from(self.unclaimed),
            peak: self.peak,
        }
    }

    /// Says in [`outlook`](Self::outlook) that a receive would park.
    pub(crate) const RECV_PARKS: u8 = 1;
    /// Says that a send would park.
    pub(crate) const SEND_PARKS: u8 = 2;

    /// Which operations would park if they came now. Where there is room, what is still in `sendq` waits for
    /// nothing here: arms of selects that are held, or were served elsewhere. On a closed channel nothing parks.
    #[inline]
    pub(crate) fn outlook(&self) -> u8 {
        let nothing_inside = self.len() == 0;
        let outlook = match self.has_room() {
            true => u8::from(nothing_inside),
            false => {
                u8::from(nothing_inside && self.sendq.is_empty())
                    | u8::from(self.recvq.is_empty()) << 1
            }
        };
        outlook & self.open
    }

    /// Whether anything may ever happen on the channel.
    #[inline]
    pub(crate) const fn is_live(&self) -> bool {
        !matches!(self.kind, Kind::Never)
    }

    // The ring, as far as permits and what was put back leave it free.

    #[inline]
    fn has_room(&self) -> bool {
        self.taken() < self.buf.slots()
    }

    /// How many slots are free, and no permit's.
    fn room(&self) -> usize {
        self.buf.slots().saturating_sub(self.taken())
    }

    #[inline]
    fn taken(&self) -> usize {
        self.len() + self.reserved as usize
    }

    /// Whether someone may wait for a slot.
    #[inline]
    const fn is_awaited(&self) -> bool {
        !self.sendq.is_empty() || self.reserving
    }

    /// Puts the value at the tail of the ring.
    #[inline]
    fn push(&mut self, elem: &mut Option<T>) {
        self.sent += 1;
        let len = self.len();
        if len >= self.peak {
            self.peak = len + 1;
        }
        if let Some(value) = elem.take() {
            self.buf.push(value);
        }
    }

    /// The invariants at the head of this file, as far as the heads of the lines show them.
    pub(crate) fn check(&self) {
        let nothing_inside = self.buf.is_empty() && self.returned == 0;
        assert!(self.sendq.is_empty() || !self.closed);
        assert!(self.returned as usize == self.store.returned());
        if let Some(waiters) = self.waiters.as_deref() {
            let (sudogs, reserveq) = (&waiters.sudogs, &waiters.reserveq);
            assert!(reserveq.is_empty() || self.reserving);
            assert!(reserveq.is_empty() || !self.closed);
            assert!(reserveq.is_empty() || !self.has_room() || self.reserved == u32::MAX);
            let sends = self.sendq.starts_with_task(sudogs);
            let receives = self.recvq.starts_with_task(sudogs);
            assert!(!receives || nothing_inside);
            assert!(!receives || !self.closed || self.unclaimed > 0);
            assert!(!sends || !self.has_room());
            assert!(!sends || !receives);
        }
    }
}

mod close;
mod lease;
pub(crate) mod offer;
mod permit;
mod ring;
pub(crate) mod select;
pub(crate) mod slab;
mod store;
pub(crate) mod sudog;
#[cfg(test)]
mod tests;
