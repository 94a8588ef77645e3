//! The waiters: Go's `sudog`s in a slab, linked by number into first-in, first-out lines.
//!
//! A [`Sudog`] is one parked operation. It lives in the channel, so the future that parked holds a
//! [`Ticket`] to it and nothing else: the future may move, be dropped or be forgotten, and leaving a line takes
//! the same few steps anywhere in it. A sudog knows nothing of the values: one that was brought or handed is in a
//! store of its own, under the sudog's number.
//!
//! ```text
//!        park               dequeue, complete
//!   Free ------> Parked ----------------------> Success, Closed
//!     ^           |  |                               |
//!     |   unlink  |  | dequeue: its select is        |
//!     +-----------+  | not open any more             |
//!     |              v                               |
//!     +---------- Passed                             |
//!     +----------------------------------------------+
//!     |                                              |
//!     +---------- Returned <-------------------------+ put back, also straight from Free
//! ```
//!
//! Completing a task's send frees its place as well: there is nothing left to fetch, and a [`SendTicket`] can tell
//! without it whether its send is over.

use core::mem;
use core::num::NonZero;
use core::ops::{Deref, DerefMut};
use core::task::Waker;

use super::offer::{Offer, Refusal, Terms};
use super::slab::{NIL, Place, Slab, no_such_place};
use crate::sync::Arc;
use crate::trace::Op;
use crate::watch::{Spot, Spots, Visit};

/// One parked operation, or a value that was put back.
pub(crate) struct Sudog {
    /// The waker to wake: Go's `g`. A select leaves its waker with its offer.
    waker: Option<Waker>,
    /// The select that it is an arm of: Go's `isSelect`.
    offer: Option<Arc<Offer>>,
    /// When it parked; once a receive was handed a value, that value's age.
    pub(crate) age: u64,
    /// The number of the arm.
    arm: u32,
    next: u32,
    prev: u32,
    pub(crate) state: State,
    spot: Spot,
}

/// How far a parked operation has come. Its counterpart writes it, under the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Not used yet. A place that was freed keeps the state that it had.
    Free,
    /// Stands in line.
    Parked,
    /// An arm that stands in no line any more: when its turn came its select was not open, because another
    /// arm had been served, or the select had withdrawn. A sender's value is still in the store.
    Passed,
    /// Completed: the value was taken or handed, or the slot granted.
    Success,
    /// Ended by close; a sender's value is still in the store.
    Closed,
    /// Stands for a value that was put back, and for no operation any more.
    Returned,
}

/// The right to one sudog. Not `Clone`: its holder frees the sudog once.
#[derive(Debug)]
pub(crate) struct Ticket {
    /// The number with all bits flipped, so that 0 stands for no sudog.
    number: NonZero<u32>,
    /// What is told of the operation.
    pub(crate) op: Op,
}

impl Ticket {
    /// The ticket that [`into_parts`](Self::into_parts) was called on.
    pub(crate) const fn from_parts(number: NonZero<u32>, op: Op) -> Self {
        Self { number, op }
    }

    pub(crate) fn into_parts(self) -> (NonZero<u32>, Op) {
        (self.number, self.op)
    }

    /// The sudog's number in the slab.
    #[inline]
    pub(crate) const fn number(&self) -> u32 {
        !self.number.get()
    }
}

/// The right to a parked send. Sends of tasks are served in the order in which they parked, so the time
/// at which this one parked tells whether it was sent.
#[derive(Debug)]
pub(crate) struct SendTicket {
    pub(crate) ticket: Ticket,
    pub(crate) since: u64,
}

impl SendTicket {
    /// The time of an arm, whose select learns from its offer what became of it.
    pub(crate) const ARM: u64 = u64::MAX;

    /// Whether this send was sent, if all that parked up to this time were.
    #[inline]
    pub(crate) const fn is_sent(&self, served: u64) -> bool {
        self.since <= served
    }
}

impl Default for Sudog {
    fn default() -> Self {
        Self {
            waker: None,
            offer: None,
            age: 0,
            arm: NIL,
            next: NIL,
            prev: NIL,
            state: State::Free,
            spot: Spot::NONE,
        }
    }
}

impl Place for Sudog {
    #[inline]
    fn next(&mut self) -> &mut u32 {
        &mut self.next
    }
}

impl Sudog {
    /// Parked by a task, which waits for nothing else.
    #[inline]
    pub(crate) fn set_task(&mut self, waker: Waker) -> bool {
        // Forgotten, so that the compiler need not look for what there is to drop.
        mem::forget(self.waker.replace(waker));
        true
    }

    /// Parked as an arm of a select.
    #[inline]
    pub(crate) fn set_arm(&mut self, offer: Arc<Offer>, arm: u32) -> bool {
        mem::forget(self.offer.replace(offer));
        self.arm = arm;
        false
    }

    /// Whether it is a task's own, and not an arm of a select.
    #[inline]
    pub(crate) const fn is_task(&self) -> bool {
        self.offer.is_none()
    }

    /// Whether a wake would reach this task, or is not needed any more.
    #[inline]
    pub(crate) fn wakes(&self, task: &Waker) -> bool {
        self.waker
            .as_ref()
            .is_none_or(|waker| waker.will_wake(task))
    }

    /// From now on this task is woken, unless the operation was completed. Returns the waker that is not needed.
    pub(crate) fn renew(&mut self, waker: Waker) -> Option<Waker> {
        match self.state {
            State::Parked => {
                self.spot.renewed(&waker);
                self.waker.replace(waker)
            }
            _ => Some(waker),
        }
    }

    /// Takes the waker, to be dropped outside the lock. An offer that goes with it has no waker left: its select
    /// was served, or has withdrawn.
    #[inline]
    pub(crate) fn take_waker(&mut self) -> Option<Waker> {
        self.offer = None;
        self.waker.take()
    }

    /// Drops what a completed operation may still have: its waker went with the wake.
    #[inline]
    pub(crate) fn forget_party(&mut self) {
        debug_assert!(self.waker.is_none());
        self.offer = None;
    }

    /// Claims the task or select for this line, and returns the waker to wake. From now on no other line can claim
    /// it, though an arm stands there until its select looks.
    #[inline]
    pub(super) fn accept(&mut self, terms: Terms) -> Result<Waker, Refusal> {
        match &self.offer {
            None => self.waker.take().ok_or(Refusal::Declined),
            Some(offer) => offer.accept(self.arm, terms),
        }
    }

    /// Whether it would be served on these terms.
    fn is_open(&self, terms: Terms) -> bool {
        self.offer.as_ref().is_none_or(|offer| offer.is_open(terms))
    }

    /// It leaves its line: its neighbours there.
    #[inline]
    fn unlinked(&self) -> (u32, u32) {
        self.spot.left();
        (self.prev, self.next)
    }

    /// The select that it is an arm of.
    pub(crate) fn select(&self) -> Option<&Offer> {
        self.offer.as_deref()
    }

    pub(crate) fn is_of(&self, select: &Offer) -> bool {
        self.offer
            .as_ref()
            .is_some_and(|own| core::ptr::eq::<Offer>(&raw const **own, select))
    }
}

/// All sudogs of one channel, or all that wait for its end.
pub(crate) struct Sudogs {
    slab: Slab<Sudog>,
    /// The spots that are new since the lock was taken.
    pub(crate) spots: Spots,
}

impl Sudogs {
    pub(crate) const fn new() -> Self {
        Self {
            slab: Slab::new(),
            spots: Spots::new(),
        }
    }

    /// Empties a place and frees it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as in `Slab::release_if`")]
    pub(crate) fn release<R>(&mut self, number: u32, empty: impl FnOnce(&mut Sudog) -> R) -> R {
        match self.release_if(number, |sudog| Ok::<R, R>(empty(sudog))) {
            Ok(left) | Err(left) => left,
        }
    }

    /// Frees a place if this empties it.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as in `Slab::release_if`")]
    pub(crate) fn release_if<R, E>(
        &mut self,
        number: u32,
        empty: impl FnOnce(&mut Sudog) -> Result<R, E>,
    ) -> Result<R, E> {
        let emptied = self.slab.release_if(number, |sudog| {
            let emptied = empty(sudog);
            if emptied.is_ok() {
                sudog.spot.gone();
            }
            emptied
        });
        if emptied.is_ok() {
            self.spots.gone();
        }
        emptied
    }

    /// Whether a crowd's storage goes when a sudog with this number is freed.
    #[inline]
    pub(super) const fn is_far(number: u32) -> bool {
        Slab::<Sudog>::is_far(number)
    }

    /// Takes a place for a value.
    pub(crate) fn keep(&mut self) -> u32 {
        self.spots.kept();
        self.slab.acquire().0
    }

    /// Empties a place that goes on to keep a value.
    pub(crate) fn vacate<R>(&mut self, number: u32, empty: impl FnOnce(&mut Sudog) -> R) -> R {
        let sudog = self.slab.get_mut(number);
        sudog.spot.gone();
        empty(sudog)
    }

    /// Frees a place that has kept a value.
    pub(crate) fn free(&mut self, number: u32) {
        self.spots.gone();
        let _free = self.slab.release_if(number, |_| Ok::<_, ()>(()));
    }
}

impl Deref for Sudogs {
    type Target = Slab<Sudog>;

    #[inline]
    fn deref(&self) -> &Slab<Sudog> {
        &self.slab
    }
}

impl DerefMut for Sudogs {
    #[inline]
    fn deref_mut(&mut self) -> &mut Slab<Sudog> {
        &mut self.slab
    }
}

/// A line of parked operations: Go's `waitq`.
pub(crate) struct WaitQ {
    /// The number of the first, plus 1; 0 if there is none.
    head: u32,
    last: u32,
}

impl WaitQ {
    pub(crate) const fn new() -> Self {
        Self { head: 0, last: NIL }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.head == 0
    }

    #[inline]
    const fn first(&self) -> u32 {
        self.head.wrapping_sub(1)
    }

    #[inline]
    const fn set_first(&mut self, number: u32) {
        self.head = number.wrapping_add(1);
    }

    /// Go's `acquireSudog` and `enqueue`: an operation parks at the end of the line. `set_party` sets the task or
    /// select, and returns whether it is a task.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "where the caller is known, a waker is stored straight where it stays"
    )]
    pub(crate) fn park(
        &mut self,
        sudogs: &mut Sudogs,
        age: u64,
        visit: Visit,
        set_party: impl FnOnce(&mut Sudog) -> bool,
    ) -> (Ticket, bool) {
        let last = self.last;
        let (number, sudog) = sudogs.slab.acquire();
        sudog.spot.parked(visit, &mut sudogs.spots);
        let is_task = set_party(sudog);
        sudog.age = age;
        sudog.state = State::Parked;
        sudog.next = NIL;
        sudog.prev = last;
        self.last = number;
        match last {
            NIL => self.set_first(number),
            _ => sudogs.get_mut(last).next = number,
        }
        match NonZero::new(!number) {
            Some(number) => (Ticket::from_parts(number, Op::NONE), is_task),
            None => no_such_place(),
        }
    }

    /// Takes a sudog out of the line, wherever it stands.
    #[inline]
    pub(crate) fn unlink(&mut self, sudogs: &mut Sudogs, number: u32) {
        let between = sudogs.get_mut(number).unlinked();
        self.join(sudogs, between);
    }

    /// Links the neighbours of a sudog to each other.
    #[inline]
    fn join(&mut self, sudogs: &mut Sudogs, (prev, next): (u32, u32)) {
        match prev {
            NIL => self.set_first(next),
            _ => sudogs.get_mut(prev).next = next,
        }
        match next {
            NIL => self.last = prev,
            _ => sudogs.get_mut(next).prev = prev,
        }
    }

    /// An operation leaves the line, if it still stands there, and its place is freed. Returns its waker.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "its callers are not inlined")]
    pub(crate) fn leave(&mut self, sudogs: &mut Sudogs, number: u32) -> Option<Waker> {
        let sudog = sudogs.get_mut(number);
        if sudog.state == State::Parked {
            let between = sudog.unlinked();
            self.join(sudogs, between);
        }
        sudogs.release(number, Sudog::take_waker)
    }

    /// Go's `dequeue`: takes out the first that accepts, for its counterpart to complete and wake.
    ///
    /// Waiters that parked after `limit` are left alone. Arms of selects that are no longer open leave the line on
    /// the way; an arm that its select holds is passed by.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a dozen instructions where a task is first; the rest is not inlined"
    )]
    pub(crate) fn dequeue(
        &mut self,
        sudogs: &mut Sudogs,
        terms: Terms,
        limit: u64,
    ) -> Option<(u32, Waker)> {
        let number = self.first();
        if number == NIL {
            return None;
        }
        let sudog = sudogs.get_mut(number);
        if sudog.age > limit {
            return None;
        }
        let Some(waker) = sudog.waker.take() else {
            return self.dequeue_arm(sudogs, terms, limit);
        };
        let next = sudog.next;
        sudog.spot.left();
        self.set_first(next);
        match next {
            NIL => self.last = NIL,
            _ => sudogs.get_mut(next).prev = NIL,
        }
        Some((number, waker))
    }

    /// The same where an arm is first.
    #[inline(never)]
    fn dequeue_arm(
        &mut self,
        sudogs: &mut Sudogs,
        terms: Terms,
        limit: u64,
    ) -> Option<(u32, Waker)> {
        let mut number = self.first();
        while number != NIL {
            let sudog = sudogs.get(number);
            if sudog.age > limit {
                break;
            }
            let next = sudog.next;
            if let Some(waker) = self.dequeue_at(sudogs, number, terms) {
                return Some((number, waker));
            }
            number = next;
        }
        None
    }

    /// Takes a sudog out of the line, whether it accepts or declines; not if it is held.
    pub(crate) fn dequeue_at(
        &mut self,
        sudogs: &mut Sudogs,
        number: u32,
        terms: Terms,
    ) -> Option<Waker> {
        let sudog = sudogs.get_mut(number);
        match sudog.accept(terms) {
            Ok(waker) => {
                self.unlink(sudogs, number);
                Some(waker)
            }
            Err(Refusal::Declined) => {
                sudog.state = State::Passed;
                self.unlink(sudogs, number);
                None
            }
            Err(Refusal::Held) => None,
        }
    }

    /// When the first in line parked.
    pub(crate) fn first_age(&self, sudogs: &Sudogs) -> Option<u64> {
        self.iter(sudogs).next().map(|sudog| sudog.age)
    }

    /// Whether the first in line is a task, and not an arm.
    pub(crate) fn starts_with_task(&self, sudogs: &Sudogs) -> bool {
        self.iter(sudogs).next().is_some_and(Sudog::is_task)
    }

    /// How many in line may still be served.
    pub(crate) fn count(&self, sudogs: &Sudogs) -> usize {
        self.iter(sudogs)
            .filter(|sudog| sudog.is_open(Terms::Revocable))
            .count()
    }

    /// The first in line that would be served on these terms and that `fits`.
    pub(crate) fn find(
        &self,
        sudogs: &Sudogs,
        terms: Terms,
        fits: impl Fn(&Sudog) -> bool,
    ) -> Option<u32> {
        let mut number = self.first();
        while number != NIL {
            let sudog = sudogs.get(number);
            if sudog.is_open(terms) && fits(sudog) {
                return Some(number);
            }
            number = sudog.next;
        }
        None
    }

    /// Whether someone in line would be served on these terms, other than this select.
    pub(crate) fn has_other(&self, sudogs: &Sudogs, select: &Offer, terms: Terms) -> bool {
        !self.is_empty()
            && self
                .find(sudogs, terms, |sudog| !sudog.is_of(select))
                .is_some()
    }

    fn iter<'a>(&self, sudogs: &'a Sudogs) -> impl Iterator<Item = &'a Sudog> {
        let at = |number: u32| (number != NIL).then(|| sudogs.get(number));
        core::iter::successors(at(self.first()), move |sudog| at(sudog.next))
    }
}

#[cfg(test)]
mod tests;
