//! Leases: received values that may go back.

use core::fmt;
use core::mem;
use core::ops::{Deref, DerefMut};

use super::recv::{Way, leave_line, poll_recv, recv_and_unlock};
use crate::chan::Locked;
use crate::error::{RecvError, TryRecvError, present};
use crate::handles::both::too_many_handles;
use crate::handles::receiver::Receiver;
use crate::hchan::sudog::Ticket;
use crate::hchan::{HchanOf, Served};
use crate::mask::masked;
use crate::watch::Caller;

/// A received value that goes back unless it is taken; see [`Receiver::lease`].
///
/// It dereferences to the value. [`take`](Self::take) ends the lease. If it is dropped before that, by a
/// panic or with its task, the value goes to the next receiver in line, or back in its place in the channel,
/// before everything sent later.
///
/// Its methods come before those of the value: for an `Option`, write `(*lease).take()` for the option's own.
///
/// A forgotten lease ([`core::mem::forget`]) keeps its value for good, and receivers of a closed channel wait for
/// it.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(1);
/// tx.try_send(String::from("a job")).unwrap();
/// let mut job = rx.try_lease().unwrap();
/// job.push_str(", tried once");
/// drop(job);
/// assert_eq!(rx.try_lease().unwrap().take(), "a job, tried once");
/// ```
///
/// Not in Go, where a value that was received has left the channel for good.
#[must_use = "a lease that is dropped puts its value back"]
pub struct Lease<'a, T> {
    receiver: &'a Receiver<T>,
    /// Until it is taken.
    value: Option<T>,
    age: u64,
}

impl<'a, T> Lease<'a, T> {
    pub(crate) fn attempt(receiver: &'a Receiver<T>) -> Result<Self, TryRecvError> {
        receiver.leave_standing();
        masked!(recv_and_unlock(
            receiver.chan.lock(),
            &mut Leasing(receiver)
        ))
    }

    /// Takes the value, and ends the lease.
    ///
    /// If it was the last value of a closed channel, receivers that waited for it to come back now learn that the
    /// channel is closed.
    ///
    /// # Cost
    ///
    /// One lock, for a moment.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.try_send("a job").unwrap();
    /// drop(tx);
    /// let job = rx.try_lease().unwrap();
    /// assert!(rx.try_recv().unwrap_err().is_empty(), "it may come back");
    /// assert_eq!(job.take(), "a job");
    /// assert!(rx.try_recv().unwrap_err().is_closed());
    /// ```
    ///
    /// From Go: `<-c`, after which the value is the receiver's.
    #[inline]
    pub fn take(mut self) -> T {
        let (value, receiver) = (present(self.value.take()), self.receiver);
        // There is nothing left to drop.
        mem::forget(self);
        masked!(receiver.chan.end_lease());
        value
    }
}

impl<T> Deref for Lease<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match &self.value {
            Some(value) => value,
            None => unreachable!("a lease whose value was taken is gone"),
        }
    }
}

impl<T> DerefMut for Lease<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.value {
            Some(value) => value,
            None => unreachable!("a lease whose value was taken is gone"),
        }
    }
}

impl<T> Drop for Lease<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            masked!({
                let mut hchan = self.receiver.chan.lock();
                let next = hchan.return_leased(value, self.age);
                hchan.unlock_to_drop(None, next);
            });
        }
    }
}

impl<T> fmt::Debug for Lease<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}

/// The value is leased.
struct Leasing<'a, T>(&'a Receiver<T>);

impl<'a, T> Way<T> for Leasing<'a, T> {
    type Got = Lease<'a, T>;

    #[inline]
    fn age(&self, hchan: &mut HchanOf<T>, place: Option<&Ticket>) -> u64 {
        hchan.due_age(place)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a lease is large to return")]
    fn take_alone(&mut self, hchan: Locked<'_, T>, value: T, age: u64) -> Lease<'a, T> {
        self.take(hchan, &mut Some(value), None, age)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a lease is large to return")]
    fn take(
        &mut self,
        mut hchan: Locked<'_, T>,
        value: &mut Option<T>,
        next: Option<Served>,
        age: u64,
    ) -> Lease<'a, T> {
        if !hchan.lease() {
            too_many_handles();
        }
        let receiver = self.0;
        // Before the wake: if that panics, the value goes back.
        let lease = Lease {
            receiver,
            value: value.take(),
            age,
        };
        if let Some(Served { waker, .. }) = next {
            hchan.unlock_and_wake_served(waker);
        }
        lease
    }

    #[inline]
    fn claim(&mut self, hchan: Locked<'_, T>, value: &mut Option<T>, age: u64) -> Lease<'a, T> {
        self.take(hchan, value, None, age)
    }
}

/// The future of [`Receiver::lease`](crate::Receiver::lease).
#[must_use = "futures do nothing unless polled"]
pub struct LeaseFuture<'a, T> {
    receiver: &'a Receiver<T>,
    place: Option<Ticket>,
    done: bool,
    caller: Caller,
}

impl<'a, T> LeaseFuture<'a, T> {
    #[track_caller]
    pub(crate) const fn new(receiver: &'a Receiver<T>) -> Self {
        Self {
            receiver,
            place: None,
            done: false,
            caller: Caller::here(),
        }
    }
}

operation! {
    impl ['a, T] for [LeaseFuture['a, T]] -> Result<Lease<'a, T>, RecvError>;
    once(this, cx) poll_recv(this.receiver, Leasing(this.receiver), &mut this.place, this.caller, cx);
    leave leave_line(&this.receiver.chan, &mut this.place);
}
