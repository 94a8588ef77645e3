//! Leases: receives that can be taken back.

use core::fmt;
use core::ops::{Deref, DerefMut};
use core::task::{Context, Poll, Waker};

use super::recv::{leave_line, step};
use super::{with_waker, with_waker_at_once};
use crate::chan::Locked;
use crate::error::{RecvError, TryRecvError, present};
use crate::handles::both::too_many_handles;
use crate::handles::receiver::Receiver;
use crate::hchan::sudog::Ticket;
use crate::hchan::{Look, Served};
use crate::watch::Caller;

/// A value that was received, and goes back unless it is taken; see [`Receiver::lease`].
///
/// It derefs to the value. [`take`](Self::take) ends the lease. Dropped before that, also by a panic or with its
/// task, it puts the value back in its place in the channel, before all that was sent later, or hands it to the
/// next receiver in line.
///
/// A lease that is forgotten ([`core::mem::forget`]) keeps its value for good, and receivers of a closed channel wait
/// for it.
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
/// Not in Go, where what was received is gone from the channel.
#[must_use = "a lease that is dropped puts its value back"]
pub struct Lease<'a, T> {
    receiver: &'a Receiver<T>,
    /// Until it is taken.
    value: Option<T>,
    age: u64,
}

impl<'a, T> Lease<'a, T> {
    /// Leases what a receive got, then wakes whom it has served.
    fn new(
        mut hchan: Locked<'_, T>,
        receiver: &'a Receiver<T>,
        value: Option<T>,
        age: u64,
        served: Option<Served>,
    ) -> Self {
        if !hchan.lease() {
            too_many_handles();
        }
        // Before the wake: should that panic, the value goes back.
        let lease = Self {
            receiver,
            value,
            age,
        };
        if let Some(Served { waker, .. }) = served {
            hchan.unlock_and_wake_served(waker);
        }
        lease
    }

    pub(crate) fn attempt(receiver: &'a Receiver<T>) -> Result<Self, TryRecvError> {
        receiver.leave_standing();
        let (mut hchan, mut value) = (receiver.chan.lock(), None);
        let age = hchan.due_age(None);
        let served = hchan.recv(&mut value)?;
        Ok(Self::new(hchan, receiver, value, age, served))
    }

    /// Takes the value, and ends the lease.
    ///
    /// On a closed channel, receivers that waited for the value to come back are told that the channel is closed,
    /// if it was the last.
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
    /// From Go: what `<-c` is there, after which the value is the receiver's.
    #[inline]
    pub fn take(mut self) -> T {
        let value = present(self.value.take());
        self.receiver.chan.end_lease();
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
            let mut hchan = self.receiver.chan.lock();
            let next = hchan.return_leased(value, self.age);
            hchan.unlock_to_drop(None, next);
        }
    }
}

impl<T> fmt::Debug for Lease<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
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

    fn poll_lease(&mut self, cx: &Context<'_>) -> Poll<Result<Lease<'a, T>, RecvError>> {
        let (receiver, caller) = (self.receiver, self.caller);
        let begins = self.place.is_none();
        if begins {
            receiver.leave_standing();
        }
        let attempt = |waker: &mut Option<Waker>| {
            let (mut hchan, mut value, mut next) = (receiver.chan.lock(), None, None);
            let place = &mut self.place;
            let age = hchan.due_age(place.as_ref());
            let task = cx.waker();
            match step(
                &mut hchan, place, &mut value, &mut next, caller, task, waker,
            ) {
                Look::Done => {
                    let lease = Lease::new(hchan, receiver, value, age, next);
                    Some(Poll::Ready(Ok(lease)))
                }
                Look::Closed => Some(Poll::Ready(Err(RecvError))),
                Look::Parked => Some(Poll::Pending),
                Look::Elsewhere => None,
            }
        };
        match begins && receiver.chan.recv_parks() {
            true => with_waker_at_once(cx, attempt),
            false => with_waker(cx, attempt),
        }
    }
}

operation! {
    impl ['a, T] for [LeaseFuture['a, T]] -> Result<Lease<'a, T>, RecvError>;
    once(this, cx) this.poll_lease(cx);
    leave leave_line(&this.receiver.chan, &mut this.place);
}
