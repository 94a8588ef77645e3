//! The channel without its lock: Go's `hchan`, `chansend`, `chanrecv` and `closechan`.
//!
//! Nothing here waits, wakes, or drops what belongs to a user, and no lock is taken but an offer's, the closeq's and,
//! with `inspect`, the board's, which are always taken last. Every rule is written once. It decides at once, completes
//! the counterpart that it meets, and returns the waker to wake after the unlock.
//!
//! Here are send and receive. In files of their own are `close`, with the count of handles; `put_back`; `permit`;
//! `lease`; `select`, what a select asks; `room`, what is inside and what would happen now; and `seen`, what is shown
//! and told. `sudog` holds the waiters, in a `slab`, and `offer` what a select's arms share.
//!
//! None of these knows of the values: a rule says where one goes, and `elem` moves it there, between the `ring` and
//! the `store`, which has those of waiters and what was put back; `usage` counts how full its segments are.
//!
//! At all times
//!
//! - receivers stand in `recvq` only while nothing is inside;
//! - senders stand in `sendq`, and reservations in `reserveq`, only while the channel is open and no slot is
//!   free; but the arms of a select that holds its sends, or has just stopped to, may stand there until it
//!   has looked;
//! - values leave in the order in which they were accepted, which is that of their ages; what was put back is
//!   older than all of the ring and leaves first, oldest first;
//! - on a closed channel receivers stand in `recvq` only while a value is unclaimed, that is: handed
//!   to a receiver that has not looked yet. It may come back, so "closed" is not certain before.
//!
//! [`Hchan::check`] asserts what of this can be seen in a few steps, at each unlock of a debug build.

use alloc::boxed::Box;
use alloc::collections::BinaryHeap;
use core::cmp::Reverse;
use core::task::Waker;

pub(crate) use self::elem::{HchanOf, Rest, Served};
use self::offer::Terms;
use self::slab::{Extent, NIL};
use self::sudog::{SendTicket, State, Sudog, Sudogs, Ticket, WaitQ};
use crate::error::{TryRecvError, TrySendError};
use crate::trace::{Event, Op, Queue, Trace};
use crate::watch::Visit;

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

/// A channel's state, but for the values. The names are Go's.
pub(crate) struct Hchan {
    dataqsiz: usize,
    /// The slots that no permit holds.
    slots: usize,
    recvq: WaitQ,
    sendq: WaitQ,
    /// Made when the first operation parks, or the first value is put back.
    waiters: Option<Box<Waiters>>,
    /// How many values were accepted. A value's age is its number among them.
    sent: u64,
    /// How many of these have left, so that the others are inside. 64 bits on every target: a slot is the
    /// remainder of a division, so a count that wraps around would jump to another slot.
    left: u64,
    /// How many of these have left otherwise than by a receive from the ring: handed on, after they were put back,
    /// or with the last receiver; less those that were put back. It may go below zero, so it wraps around.
    beside: u64,
    /// The most values that were inside at once.
    peak: usize,
    /// Counts what else happens: while this, `sent` and `received` stand as they did at an earlier look, nothing
    /// has become possible since. An operation's age is what the clock showed when it parked.
    clock: u64,
    /// Values handed to receivers that have not looked yet.
    unclaimed: u32,
    senders: u32,
    receivers: u32,
    /// What there is to look for beside the ring and `sendq`, as bits.
    aside: u8,
    /// A mask for the outlook: all bits while sends are accepted, and 0 once the channel is closed. It is 0 from the
    /// start where nothing ever happens.
    open: u8,
    /// Which operations would surely park if they came now. Set by each rule that changes it.
    outlook: u8,
    kind: Kind,
    /// What has happened since the lock was taken.
    trace: Trace,
}

/// The operations that wait, and the values that were put back, each of which keeps a sudog.
struct Waiters {
    sudogs: Sudogs,
    /// Reservations. They and the sends are served as if they stood in one line.
    reserveq: WaitQ,
    /// Tasks' sends are served strictly in order: those that parked up to this time were sent, or given up. So one
    /// time covers them all.
    served: u64,
    /// The ages and sudogs of the values that were put back.
    returned: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Default for Waiters {
    fn default() -> Self {
        Self {
            sudogs: Sudogs::new(),
            reserveq: WaitQ::new(),
            served: 0,
            returned: BinaryHeap::new(),
        }
    }
}

/// Where a value is that was sent.
enum Sent {
    /// In the ring.
    Inside,
    /// With the receiver that it was handed to.
    Handed(u32, Waker),
}

/// Which values a receive moves, and the age of the one that it gets.
struct Moves {
    /// Whether there is one.
    any: bool,
    /// The sudog that has it, or [`NIL`] for the head of the ring.
    from: u32,
    /// The sender whose value goes to the tail of the ring instead, or [`NIL`].
    sender: u32,
    age: u64,
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

impl Hchan {
    /// Go's `makechan`, with one handle on either side.
    fn new(kind: Kind, dataqsiz: usize) -> Self {
        let mut hchan = Self {
            dataqsiz,
            slots: Self::slots_of(dataqsiz),
            recvq: WaitQ::new(),
            sendq: WaitQ::new(),
            waiters: None,
            sent: 0,
            left: 0,
            beside: 0,
            peak: 0,
            clock: 0,
            unclaimed: 0,
            senders: 1,
            receivers: 1,
            aside: 0,
            open: match kind {
                Kind::Never => 0,
                Kind::Bounded | Kind::Unbounded => u8::MAX,
            },
            outlook: 0,
            kind,
            trace: Trace::new(),
        };
        hchan.look_out();
        hchan
    }

    // Send.

    /// Go's `chansend`: closed? a receiver in line? room? If none of these, a caller that waits parks.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "most sends go to the ring; the other branches are not inlined"
    )]
    fn send(&mut self) -> Result<Sent, TrySendError<()>> {
        if self.open == 0 {
            return Err(self.send_refusal());
        }
        if !self.recvq.is_empty() {
            let mut receiver = NIL;
            if let Some(waker) = self.hand(&mut receiver) {
                return Ok(Sent::Handed(receiver, waker));
            }
        }
        if self.has_room() {
            self.accept();
            self.look_out();
            return Ok(Sent::Inside);
        }
        Err(TrySendError::Full(()))
    }

    /// Why nothing is sent on a channel that is not open.
    #[cold]
    fn send_refusal(&self) -> TrySendError<()> {
        match self.kind {
            Kind::Never => TrySendError::Full(()),
            Kind::Bounded | Kind::Unbounded => TrySendError::Closed(()),
        }
    }

    /// A value goes to the first receiver in line, past the ring.
    #[inline(never)]
    fn hand(&mut self, receiver: &mut u32) -> Option<Waker> {
        let first = self.complete_recv(self.sent + 1);
        self.look_out();
        let (first, waker) = first?;
        self.pass();
        *receiver = first;
        Some(waker)
    }

    /// Completes the first receive in line with a value of this age.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "no type repeats it")]
    fn complete_recv(&mut self, age: u64) -> Option<(u32, Waker)> {
        let sudogs = &mut self.waiters.as_mut()?.sudogs;
        let first = self.recvq.dequeue(sudogs, Terms::Revocable, u64::MAX)?;
        let sudog = sudogs.get_mut(first.0);
        sudog.age = age;
        sudog.state = State::Success;
        self.unclaimed += 1;
        self.trace.note(Event::Handoff(Queue::Recv));
        Some(first)
    }

    /// A value goes to the tail of the ring.
    #[inline]
    fn accept(&mut self) {
        self.sent += 1;
        let qcount = self.qcount();
        if qcount > self.peak {
            self.peak = qcount;
        }
    }

    /// A value goes straight from its sender to its receiver.
    #[inline]
    fn pass(&mut self) {
        self.sent += 1;
        self.left += 1;
        self.beside = self.beside.wrapping_add(1);
    }

    /// As many values as there is room for go to the tail of the ring, of so many, unless receivers stand in line.
    fn accept_many(&mut self, many: usize) -> usize {
        let many = self.room().min(many);
        if self.open == 0 || !self.recvq.is_empty() {
            return 0;
        }
        self.sent += many as u64;
        self.peak = self.peak.max(self.qcount());
        self.look_out();
        many
    }

    /// Puts a send that found no room at the end of `sendq`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as in `WaitQ::park`")]
    fn park_send(
        &mut self,
        visit: Visit,
        set_party: impl FnOnce(&mut Sudog) -> bool,
    ) -> SendTicket {
        self.clock += 1;
        self.trace.note(Event::Park(Queue::Send));
        let sudogs = &mut self.waiters.get_or_insert_default().sudogs;
        let (mut ticket, is_task) = self.sendq.park(sudogs, self.clock, visit, set_party);
        self.look_out();
        self.trace.parked(&mut ticket.op, visit);
        let since = if is_task { self.clock } else { SendTicket::ARM };
        SendTicket { ticket, since }
    }

    /// Looks at what became of a parked send. If the channel was closed, the value is still with the sudog.
    fn look_send(&mut self, place: &mut Option<SendTicket>, task: &Waker) -> Look {
        let Some(parked) = place.take() else {
            unreachable!("only a parked operation is looked at");
        };
        if parked.is_sent(self.served()) {
            self.trace.done(parked.ticket.op);
            return Look::Done;
        }
        let SendTicket { ticket, since } = parked;
        let mut ticket = Some(ticket);
        let look = self.look(&mut ticket, task);
        *place = ticket.map(|ticket| SendTicket { ticket, since });
        look
    }

    /// Gives up a parked send. Its value is still with its sudog if `kept` says so, and else it was sent.
    /// Returns a waker to drop.
    #[inline(never)]
    fn cancel_send(&mut self, place: SendTicket, kept: &mut bool) -> Option<Waker> {
        let mut left = None;
        if !place.is_sent(self.served()) {
            *kept = !self.is_done(&place.ticket);
            let (sudogs, sendq) = self.line(Queue::Send);
            left = sendq.leave(sudogs, place.ticket.number());
            self.look_out();
        }
        self.trace.left(place.ticket.op);
        left
    }

    /// The oldest value leaves, and another goes to the tail of the ring instead: says where it is; `None` if
    /// there is none, or no ring.
    fn displace(&mut self) -> Option<u32> {
        if self.dataqsiz == 0 || self.qcount() == 0 {
            return None;
        }
        let (oldest, _) = self.take_oldest();
        self.accept();
        Some(oldest)
    }

    // Receive.

    /// Go's `chanrecv`: what is inside? a sender in line? over? If none of these, a caller that waits parks.
    ///
    /// This is its first branch, for a value at the head of a ring whose slots nobody waits for, and its last.
    /// False if a receive would serve somebody else: then comes [`recv_and_serve`](Self::recv_and_serve).
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "most receives are from the ring; the other branches are not inlined"
    )]
    fn recv_alone(&mut self) -> Result<bool, TryRecvError> {
        if self.qcount() > 0 {
            let alone = self.aside == 0 && self.sendq.is_empty();
            if alone {
                self.left += 1;
                self.look_out();
            }
            return Ok(alone);
        }
        if !self.sendq.is_empty() {
            return Ok(false);
        }
        Err(self.refusal())
    }

    #[inline]
    fn refusal(&self) -> TryRecvError {
        if self.is_over() {
            TryRecvError::Closed
        } else {
            TryRecvError::Empty
        }
    }

    /// Receives the oldest of what is inside, and lets the next in line have its slot; or receives straight from
    /// the first sender in line: at a rendezvous, or where permits hold every slot. Says in `moves` whether there
    /// was any, and returns the waker to wake.
    #[inline(never)]
    fn recv_and_serve(&mut self, moves: &mut Moves) -> Option<Waker> {
        let next = match self.qcount() {
            0 => self.recv_from_sender(moves),
            _ => {
                (moves.from, moves.age) = self.take_oldest();
                moves.any = true;
                self.admit(&mut moves.sender)
            }
        };
        self.look_out();
        next
    }

    #[inline]
    fn recv_from_sender(&mut self, moves: &mut Moves) -> Option<Waker> {
        let (sender, waker) = self.complete_send(u64::MAX)?;
        self.pass();
        (moves.from, moves.age) = (sender, self.sent);
        moves.any = true;
        Some(waker)
    }

    /// The oldest value leaves: says where it is, and its age.
    #[inline]
    fn take_oldest(&mut self) -> (u32, u64) {
        if self.is_aside(Self::RETURNED) {
            return self.take_returned();
        }
        self.left += 1;
        (NIL, self.left)
    }

    /// Completes the first send in line that parked no later than `limit`. Its value is still with the sudog.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "no type repeats it")]
    fn complete_send(&mut self, limit: u64) -> Option<(u32, Waker)> {
        let Waiters { sudogs, served, .. } = self.waiters.as_deref_mut()?;
        let (sendq, recvq) = (&mut self.sendq, &self.recvq);
        let first = if recvq.is_empty() {
            sendq.dequeue(sudogs, Terms::Final, limit)?
        } else {
            sendq.dequeue_for_newcomer(sudogs, recvq, limit)?
        };
        let _place = sudogs.release_if(first.0, |sudog| {
            sudog.state = State::Success;
            // A task learns from `served` what became of its send, so its place is freed at once.
            if !sudog.is_task() {
                return Err(());
            }
            debug_assert!(*served < sudog.age);
            *served = sudog.age;
            Ok(())
        });
        self.trace.note(Event::Handoff(Queue::Send));
        Some(first)
    }

    /// Gives a slot that has become free to the first in line for one: the other half of Go's swap. The value of
    /// `sender` goes to the tail of the ring, or a permit holds the slot, before anything else can see it.
    #[inline]
    fn admit(&mut self, sender: &mut u32) -> Option<Waker> {
        if !self.is_awaited() || !self.has_room() {
            return None;
        }
        let Waiters {
            sudogs, reserveq, ..
        } = self.waiters.as_deref()?;
        let limit = reserveq.first_age(sudogs).unwrap_or(u64::MAX);
        let Some((first, waker)) = self.complete_send(limit) else {
            return self.admit_reservation();
        };
        self.accept();
        *sender = first;
        Some(waker)
    }

    /// Up to so many values leave the ring at once, if nobody moves up.
    fn recv_many(&mut self, many: usize) -> Option<usize> {
        if self.aside != 0 || !self.sendq.is_empty() {
            return None;
        }
        let many = many.min(self.qcount());
        self.left += many as u64;
        self.look_out();
        Some(many)
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
        let (mut ticket, _) = self.recvq.park(sudogs, self.clock, visit, set_party);
        self.look_out();
        self.trace.parked(&mut ticket.op, visit);
        ticket
    }

    /// Looks at what became of a parked receive. The value that it was handed is with the sudog, and is claimed.
    ///
    /// On a closed channel that may have been the last value: [`settle`](Self::settle) then.
    #[inline]
    fn claim(&mut self, place: &mut Option<Ticket>, task: &Waker) -> Look {
        let look = self.look(place, task);
        if look == Look::Done {
            self.unclaimed -= 1;
        }
        look
    }

    /// Gives up a parked receive that was handed nothing. Returns a waker to drop.
    #[inline(never)]
    fn leave_recvq(&mut self, ticket: Ticket) -> Option<Waker> {
        let (sudogs, recvq) = self.line(Queue::Recv);
        let left = recvq.leave(sudogs, ticket.number());
        self.look_out();
        self.trace.left(ticket.op);
        left
    }

    // What parked operations have in common.

    /// Looks at what became of a parked operation. Once it is over, its place is free.
    #[inline(never)]
    fn look(&mut self, place: &mut Option<Ticket>, task: &Waker) -> Look {
        let Some(ticket) = place else {
            unreachable!("only a parked operation is looked at");
        };
        let look = self
            .sudogs()
            .release_if(ticket.number(), |sudog| match sudog.state {
                State::Parked if !sudog.wakes(task) => Err(Look::Elsewhere),
                State::Parked => Err(Look::Parked),
                state => {
                    sudog.forget_party();
                    Ok(match state {
                        State::Success => Look::Done,
                        _ => Look::Closed,
                    })
                }
            });
        match look {
            Ok(over) => {
                self.trace
                    .done(core::mem::replace(&mut ticket.op, Op::NONE));
                *place = None;
                over
            }
            Err(parked) => {
                if parked == Look::Parked {
                    self.trace.polled(&ticket.op);
                }
                parked
            }
        }
    }

    /// Whether a parked operation was completed.
    #[inline]
    fn is_done(&mut self, ticket: &Ticket) -> bool {
        self.sudogs().get_mut(ticket.number()).state == State::Success
    }

    /// Whether a parked receive leaves nothing behind, neither a value nor a place in a crowd's storage.
    #[inline]
    fn leaves_nothing(&mut self, ticket: &Ticket) -> bool {
        let sudog = self.sudogs().get_first(ticket.number());
        sudog.is_some_and(|sudog| sudog.state != State::Success)
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
            Queue::Reserve => &mut waiters.reserveq,
            Queue::Close => unreachable!("what waits for the end stands outside"),
        };
        (&mut waiters.sudogs, line)
    }

    /// How many sudogs may be in use.
    fn extent(&self) -> Extent {
        let sudogs = self.waiters.as_ref().map(|waiters| &waiters.sudogs);
        sudogs.map_or_else(Extent::default, |sudogs| sudogs.extent())
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
}

mod close;
pub(crate) mod elem;
mod lease;
pub(crate) mod offer;
mod permit;
mod put_back;
mod ring;
mod room;
mod seen;
pub(crate) mod select;
pub(crate) mod slab;
mod store;
pub(crate) mod sudog;
#[cfg(test)]
mod tests;
mod usage;
