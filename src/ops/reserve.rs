//! Permits: a slot for a value that comes later.

use core::fmt;
use core::mem;
use core::task::{Context, Poll, ready};

use super::{renew, with_waker};
use crate::chan::Chan;
use crate::error::{SendError, TrySendError, polled_after_ready, refused};
use crate::handles::sender::Sender;
use crate::hchan::Look;
use crate::hchan::sudog::Ticket;
use crate::mask::masked;
use crate::wakes::Wakes;
use crate::watch::{Caller, What};

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
/// Not in Go, where a channel cannot hold a slot for later.
#[must_use = "a permit that is dropped gives its slot up"]
pub struct Permit<'a, T> {
    chan: &'a Chan<T>,
}

impl<'a, T> Permit<'a, T> {
    pub(crate) const fn new(chan: &'a Chan<T>) -> Self {
        Self { chan }
    }

    /// Sends a value into the slot. Never waits, and never fails because the channel is full.
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
        masked!(send_reserved(chan, value))
    }
}

/// Sends a value into a slot that is held for it.
pub(crate) fn send_reserved<T>(chan: &Chan<T>, value: T) -> Result<(), SendError<T>> {
    let (mut elem, mut wakes) = (Some(value), Wakes::new());
    let mut hchan = chan.lock();
    let sent = hchan.send_reserved(&mut elem);
    let sent = sent.map(|wakers| wakes.extend(wakers.into_iter().flatten()));
    hchan.unlock_and_wake_all(wakes);
    refused(sent, &mut elem)
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        masked!({
            let mut hchan = self.chan.lock();
            let next = hchan.release_permit();
            hchan.unlock_to_drop(None, next);
        });
    }
}

/// A [`Permit`] that owns its sender; see [`Sender::reserve_owned`].
///
/// Dropping it gives the slot to the next in line, and drops the sender.
///
/// # Examples
///
/// A service that reserves a slot before it accepts a request:
///
/// ```
/// use std::task::{Context, Poll};
///
/// use hchan::{OwnedPermit, SendError, Sender};
///
/// struct Service {
///     requests: Sender<&'static str>,
///     permit: Option<OwnedPermit<&'static str>>,
/// }
///
/// impl Service {
///     fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<()>>> {
///         if self.permit.is_none() {
///             self.permit = Some(std::task::ready!(self.requests.poll_reserve(cx))?);
///         }
///         Poll::Ready(Ok(()))
///     }
///
///     fn call(&mut self, request: &'static str) -> Result<(), SendError<&'static str>> {
///         let permit = self.permit.take().expect("`poll_ready` was ready");
///         permit.send(request).map(drop)
///     }
/// }
///
/// # futures::executor::block_on(async {
/// let (requests, rx) = hchan::bounded(1);
/// let mut service = Service { requests, permit: None };
/// std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
/// service.call("a request").unwrap();
/// assert_eq!(rx.recv().await, Ok("a request"));
/// # Ok::<(), SendError<()>>(()) }).unwrap();
/// ```
///
/// Not in Go, as [`Permit`].
#[must_use = "a permit that is dropped gives its slot up"]
pub struct OwnedPermit<T> {
    /// Holds the slot.
    sender: Sender<T>,
}

impl<T> OwnedPermit<T> {
    /// The permit of a sender that holds a slot.
    pub(crate) const fn new(sender: Sender<T>) -> Self {
        Self { sender }
    }

    /// Sends a value into the slot, as [`Permit::send`], and returns the sender.
    ///
    /// # Errors
    ///
    /// [`SendError`] with the value, if the channel is closed; the sender is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let permit = tx.try_reserve_owned().unwrap();
    /// let tx = permit.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// let permit = tx.try_reserve_owned().unwrap();
    /// rx.close();
    /// assert_eq!(permit.send(2).unwrap_err(), hchan::SendError(2));
    /// ```
    ///
    /// Not in Go, as [`Permit`].
    pub fn send(mut self, value: T) -> Result<Sender<T>, SendError<T>> {
        self.sender.send_held(value).map(|()| self.sender)
    }

    /// Gives the slot to the next in line, and returns the sender.
    ///
    /// # Examples
    ///
    /// ```
    /// let (tx, rx) = hchan::bounded(1);
    /// let permit = tx.try_reserve_owned().unwrap();
    /// let tx = permit.release();
    /// tx.try_send("there is room").unwrap();
    /// # drop(rx);
    /// ```
    ///
    /// Not in Go, as [`Permit`].
    #[must_use]
    pub fn release(self) -> Sender<T> {
        self.sender.leave_standing();
        self.sender
    }
}

/// The future of [`Sender::reserve`](crate::Sender::reserve).
#[must_use = "futures do nothing unless polled"]
pub struct ReserveFuture<'a, T> {
    chan: &'a Chan<T>,
    place: Option<Ticket>,
    done: bool,
    caller: Caller,
}

impl<'a, T> ReserveFuture<'a, T> {
    #[track_caller]
    pub(crate) fn new(sender: &'a Sender<T>) -> Self {
        sender.leave_standing();
        Self {
            chan: &sender.chan,
            place: None,
            done: false,
            caller: Caller::here(),
        }
    }
}

operation! {
    impl ['a, T] for [ReserveFuture['a, T]] -> Result<Permit<'a, T>, SendError<()>>;
    once(this, cx) poll_reserve(this.chan, &mut this.place, this.caller, cx);
    leave leave_line(this.chan, &mut this.place);
}

/// The future of [`Sender::reserve_owned`](crate::Sender::reserve_owned).
#[must_use = "futures do nothing unless polled"]
pub struct ReserveOwnedFuture<T> {
    /// Keeps the place in line, until the permit is returned.
    sender: Option<Sender<T>>,
    caller: Caller,
}

impl<T> ReserveOwnedFuture<T> {
    #[track_caller]
    pub(crate) const fn new(sender: Sender<T>) -> Self {
        Self {
            sender: Some(sender),
            caller: Caller::here(),
        }
    }
}

operation! {
    impl [T] for [ReserveOwnedFuture[T]] -> Result<OwnedPermit<T>, SendError<()>>;
    poll(this, cx) {
        let Some(sender) = &mut this.sender else {
            polled_after_ready(NAME);
        };
        let reserved = ready!(sender.poll_slot(this.caller, cx));
        Poll::Ready(match (reserved, this.sender.take()) {
            (Ok(()), Some(sender)) => Ok(OwnedPermit::new(sender)),
            _ => Err(SendError(())),
        })
    };
    is_done this.sender.is_none();
    leave drop(this.sender.take());
}

/// One poll of a reservation, which stands in line at `place` once it has parked.
pub(crate) fn poll_reserve<'a, T>(
    chan: &'a Chan<T>,
    place: &mut Option<Ticket>,
    caller: Caller,
    cx: &Context<'_>,
) -> Poll<Result<Permit<'a, T>, SendError<()>>> {
    with_waker(cx, |waker| {
        let mut hchan = chan.lock();
        if place.is_some() {
            let look = hchan.look_reserve(place, cx.waker());
            return match renew(&mut hchan, look, place.as_ref(), waker) {
                Look::Done => Some(Poll::Ready(Ok(Permit::new(chan)))),
                Look::Closed => Some(Poll::Ready(Err(SendError(())))),
                Look::Parked => Some(Poll::Pending),
                Look::Elsewhere => None,
            };
        }
        match hchan.reserve() {
            Ok(()) => Some(Poll::Ready(Ok(Permit::new(chan)))),
            Err(TrySendError::Closed(())) => Some(Poll::Ready(Err(SendError(())))),
            Err(TrySendError::Full(())) if !hchan.is_live() => Some(Poll::Pending),
            Err(TrySendError::Full(())) => waker.take().map(|waker| {
                let visit = caller.visit(What::Reserve, &waker);
                *place = Some(hchan.park_reserve(visit, waker));
                Poll::Pending
            }),
        }
    })
}

/// Leaves the line. A permit that was granted is the next sender's.
fn leave_line<T>(chan: &Chan<T>, place: &mut Option<Ticket>) {
    if let Some(ticket) = place.take() {
        let mut hchan = chan.lock();
        let (left, next) = hchan.cancel_reserve(ticket);
        hchan.unlock_to_drop(left, next);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").finish_non_exhaustive()
    }
}
