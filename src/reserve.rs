//! Permits: a place for a value that comes later.

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::future::FusedFuture;

use crate::chan::Chan;
use crate::error::{SendError, polled_after_ready, present, refused};
use crate::hchan::Hchan;
use crate::sudog::Ticket;
use crate::wakes::Visitor;

/// A slot held for a value that comes later; see [`Sender::reserve`](crate::Sender::reserve). On capacity
/// 0, a receiver who waits.
///
/// Dropping it gives the slot to the next parked sender, or lets the receiver meet one.
///
/// # Examples
///
/// ```
/// let (tx, rx) = hchan::bounded(1);
/// let permit = tx.try_reserve().unwrap();
/// assert!(tx.try_send("no room").is_err());
/// permit.send("the slot was held").unwrap();
/// assert_eq!(rx.try_recv(), Ok("the slot was held"));
/// ```
///
/// Not in Go, where a channel holds nothing for whoever comes later.
#[must_use = "a permit that is dropped gives its slot up"]
pub struct Permit<'a, T> {
    chan: &'a Chan<T>,
}

impl<'a, T> Permit<'a, T> {
    pub(crate) const fn new(chan: &'a Chan<T>) -> Self {
        Self { chan }
    }

    /// Sends a value into the slot. Never waits, and is never turned away for want of room.
    ///
    /// The value goes straight to a receiver that waits for one. On capacity 0, where the receiver
    /// that was promised may have left meanwhile, the value then stays inside for the next.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the value, if the channel is closed.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// tx.try_reserve().unwrap().send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// let permit = tx.try_reserve().unwrap();
    /// rx.close();
    /// assert_eq!(permit.send(2), Err(hchan::SendError(2)));
    /// ```
    ///
    /// Not in Go, as [`Permit`] is not.
    pub fn send(self, value: T) -> Result<(), SendError<T>> {
        let chan = self.chan;
        mem::forget(self);
        let mut elem = Some(value);
        let sent = chan.with(|hchan, wakes| hchan.send_reserved(&mut elem, wakes));
        refused(sent, &mut elem)
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.chan.with(Hchan::release_permit);
    }
}

/// The future of [`Sender::reserve`](crate::Sender::reserve).
#[must_use = "futures do nothing unless polled"]
pub struct ReserveFuture<'a, T> {
    chan: &'a Chan<T>,
    place: Option<Ticket>,
    done: bool,
}

impl<'a, T> ReserveFuture<'a, T> {
    pub(crate) const fn new(chan: &'a Chan<T>) -> Self {
        Self {
            chan,
            place: None,
            done: false,
        }
    }
}

impl<'a, T> Future for ReserveFuture<'a, T> {
    type Output = Result<Permit<'a, T>, SendError<()>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.done {
            polled_after_ready("ReserveFuture");
        }
        let chan = this.chan;
        // Held from the moment of the grant, so that a waker that panics cannot strand it.
        let mut permit = None;
        let polled = chan.poll(None, Visitor::new(cx), |hchan, visitor, _| {
            let polled = hchan.poll_reserve(&mut this.place, visitor);
            if polled == Poll::Ready(Ok(())) {
                permit = Some(Permit::new(chan));
            }
            polled
        });
        this.done = polled.is_ready();
        polled.map(|reserved| reserved.map(|()| present(permit)))
    }
}

impl<T> FusedFuture for ReserveFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<T> Drop for ReserveFuture<'_, T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.place.take() {
            self.chan
                .with(|hchan, wakes| hchan.cancel_reserve(ticket, wakes));
        }
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ReserveFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ReserveFuture");
        out.field("place", &self.place).finish_non_exhaustive()
    }
}
