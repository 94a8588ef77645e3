//! Values that come back: a receive that was handed one is given up, or a wake panics while one is on its way.

use core::cmp::Reverse;
use core::task::Waker;

use super::sudog::{State, Ticket};
use super::{Hchan, Waiters};
use crate::trace::Event;

impl Hchan {
    /// Gives up a parked receive that was handed a value. It goes to the next in line, the `heir`, whose waker is
    /// returned; or back, and then the sudog keeps it.
    #[inline(never)]
    pub(super) fn disclaim(&mut self, ticket: Ticket, heir: &mut u32) -> Option<Waker> {
        let number = ticket.number();
        let age = self.sudogs().vacate(number, |sudog| {
            sudog.forget_party();
            sudog.age
        });
        self.trace.left(ticket.op);
        self.unclaimed -= 1;
        self.trace.note(Event::PutBack);
        let next = self.complete_recv(age).map(|(receiver, waker)| {
            self.sudogs().free(number);
            *heir = receiver;
            waker
        });
        if next.is_none() {
            self.keep(number, age);
        }
        self.look_out();
        next
    }

    /// A value that had left comes back, for the first receiver in line or into its old place. Returns the sudog
    /// that it is with, and whom to wake.
    pub(super) fn put_back(&mut self, age: u64) -> (u32, Option<Waker>) {
        self.trace.note(Event::PutBack);
        let (number, next) = match self.complete_recv(age) {
            Some((receiver, waker)) => (receiver, Some(waker)),
            None => {
                let number = self.waiters.get_or_insert_default().sudogs.keep();
                self.keep(number, age);
                (number, None)
            }
        };
        self.look_out();
        (number, next)
    }

    /// The value with a sudog that stands in no line is inside again, in its old place.
    fn keep(&mut self, number: u32, age: u64) {
        self.clock += 1;
        self.aside |= Self::RETURNED;
        self.left -= 1;
        self.beside = self.beside.wrapping_sub(1);
        self.peak = self.peak.max(self.qcount());
        if let Some(waiters) = &mut self.waiters {
            waiters.sudogs.get_mut(number).state = State::Returned;
            waiters.returned.push(Reverse((age, number)));
        }
    }

    /// Takes the oldest of what was put back: the sudog that has it, and its age.
    pub(super) fn take_returned(&mut self) -> (u32, u64) {
        self.clock += 1;
        self.left += 1;
        self.beside = self.beside.wrapping_add(1);
        let Some((number, age)) = self
            .waiters
            .as_mut()
            .and_then(|waiters| waiters.take_returned())
        else {
            unreachable!("something was put back");
        };
        if self.returned() == 0 {
            self.aside &= !Self::RETURNED;
        }
        (number, age)
    }

    /// The age of the value that leaves next.
    pub(crate) fn next_age(&self) -> u64 {
        let next_in_ring = || self.left + 1;
        let waiters = self.waiters.as_ref();
        waiters
            .and_then(|waiters| waiters.returned.peek())
            .map_or_else(next_in_ring, |&Reverse((age, _))| age)
    }

    /// How many values were put back and are inside.
    pub(super) fn returned(&self) -> usize {
        self.waiters
            .as_ref()
            .map_or(0, |waiters| waiters.returned.len())
    }
}

impl Waiters {
    /// Takes the oldest of what was put back.
    fn take_returned(&mut self) -> Option<(u32, u64)> {
        const SPARE: usize = 128;

        let Reverse((age, number)) = self.returned.pop()?;
        let (len, capacity) = (self.returned.len(), self.returned.capacity());
        if capacity > SPARE && len <= capacity / 4 {
            self.returned.shrink_to(SPARE.max(2 * len));
        }
        self.sudogs.free(number);
        Some((number, age))
    }
}
