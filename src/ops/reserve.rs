//! Permits: a place for a value that comes later.

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::future::FusedFuture;

use crate::chan::Chan;
use crate::error::{SendError, TrySendError, polled_after_ready, refused};
use crate::hchan::Look;
use crate::hchan::sudog::Ticket;
use crate::wakes::Wakes;

/// A slot held for a value that comes later; see [`Sender::reserve`](crate::Sender::reserve).
///
/// Dropping it gives the slot to the next in line.
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
    /// The value goes straight to a receiver that waits for one.
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
        let (mut elem, mut wakes) = (Some(value), Wakes::new());
        let mut hchan = chan.lock();
        let sent = hchan.send_reserved(&mut elem);
        let sent = sent.map(|wakers| wakes.extend(wakers.into_iter().flatten()));
        hchan.unlock_and_wake_all(wakes);
        refused(sent, &mut elem)
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        let mut hchan = self.chan.lock();
        let next = hchan.release_permit();
        hchan.unlock_to_drop(None, next);
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
        let polled = match this.place.is_some() {
            true => poll_in_line(this.chan, &mut this.place, cx),
            false => reserve_or_park(this.chan, &mut this.place, cx),
        };
        this.done = polled.is_ready();
        polled.map_ok(|()| Permit::new(this.chan))
    }
}

fn reserve_or_park<T>(
    chan: &Chan<T>,
    place: &mut Option<Ticket>,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    let mut waker = None;
    loop {
        let mut hchan = chan.lock();
        match hchan.reserve() {
            Ok(()) => return Poll::Ready(Ok(())),
            Err(TrySendError::Closed(())) => return Poll::Ready(Err(SendError(()))),
            Err(TrySendError::Full(())) if !hchan.is_live() => return Poll::Pending,
            Err(TrySendError::Full(())) => {}
        }
        if let Some(waker) = waker.take() {
            *place = Some(hchan.park_reserve(waker));
            return Poll::Pending;
        }
        drop(hchan);
        waker = Some(cx.waker().clone());
    }
}

fn poll_in_line<T>(
    chan: &Chan<T>,
    place: &mut Option<Ticket>,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    loop {
        let look = chan.lock().look(place, &mut None, cx.waker());
        match look {
            Look::Done => return Poll::Ready(Ok(())),
            Look::Closed => return Poll::Ready(Err(SendError(()))),
            Look::Parked => return Poll::Pending,
            Look::Elsewhere => {
                if chan.renew(place.as_ref(), cx) {
                    return Poll::Pending;
                }
            }
        }
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
            let mut hchan = self.chan.lock();
            let (left, next) = hchan.cancel_reserve(ticket);
            hchan.unlock_to_drop(left, next);
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
