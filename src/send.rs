//! The futures that send: three ways to keep the value while it waits, one way to wait.

use alloc::collections::VecDeque;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::future::FusedFuture;

use crate::chan::{Chan, Held};
use crate::error::{SendError, polled_after_ready, refused};
use crate::hchan::Hchan;
use crate::party::Party;
use crate::sender::Sender;
use crate::sudog::SendTicket;
use crate::sync::Exclusive;
use crate::wakes::{Visitor, Wakes};

/// The future of [`Sender::send`](crate::Sender::send).
#[must_use = "futures do nothing unless polled"]
pub struct SendFuture<'a, T> {
    pub(crate) chan: &'a Chan<T>,
    /// The value, until it is sent or stands in line.
    pub(crate) value: Exclusive<Option<T>>,
    pub(crate) place: Option<SendTicket>,
}

// Never pinned: the channel knows the place in line, not the future's address.
impl<T> Unpin for SendFuture<'_, T> {}

impl<'a, T> SendFuture<'a, T> {
    pub(crate) const fn new(chan: &'a Chan<T>, value: T) -> Self {
        Self {
            chan,
            value: Exclusive::new(Some(value)),
            place: None,
        }
    }

    /// Sends if that is an ordinary case, before a thread makes ready to sleep.
    #[cfg(feature = "std")]
    pub(crate) fn at_once(&mut self) -> bool {
        let value = self.value.get_mut();
        if self.chan.forecast.send_parks() {
            return false;
        }
        match quick(self.chan, value) {
            Ok(()) => true,
            Err(held) => meet(self.chan, held, value).is_ok(),
        }
    }

    /// Takes the value back, if no one has taken it, and ends the future.
    ///
    /// `None` means that the value was sent, or was returned before. O(1).
    ///
    /// # Panics
    ///
    /// The future panics when polled after this.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::FutureExt;
    ///
    /// let (tx, rx) = hchan::bounded(0);
    /// let mut send = tx.send("undecided");
    /// assert!((&mut send).now_or_never().is_none());
    /// assert_eq!(send.cancel(), Some("undecided"));
    /// # drop(rx);
    /// ```
    ///
    /// Not in Go, where a goroutine that waits to send cannot be called back.
    pub fn cancel(&mut self) -> Option<T> {
        self.leave_line();
        self.value.get_mut().take()
    }

    /// Leaves the line; the value is here again, unless a receiver has it.
    #[inline]
    fn leave_line(&mut self) {
        leave_line(self.chan, &mut self.place, self.value.get_mut());
    }
}

impl<T> Future for SendFuture<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a third fewer instructions where nothing waits; the rest is not inlined"
    )]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let value = this.value.get_mut();
        if value.is_none() && this.place.is_none() {
            polled_after_ready("SendFuture");
        }
        match poll_send(this.chan, &mut this.place, value, cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(refusal)) => Poll::Ready(refused(Err(refusal), value)),
        }
    }
}

impl<T> FusedFuture for SendFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.place.is_none() && self.value.look(Option::is_none)
    }
}

impl<T> Drop for SendFuture<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.leave_line();
    }
}

/// One poll of a send whose value is in `value` or stands in line at `place`.
#[inline]
fn poll_send<T>(
    chan: &Chan<T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    if let Some(ticket) = place {
        if chan.forecast.has_sent(ticket) {
            *place = None;
            return Poll::Ready(Ok(()));
        }
        return poll_in_full(chan, None, place, value, Visitor::new(cx));
    }
    if chan.forecast.send_parks() {
        return poll_slowly(chan, None, place, value, cx);
    }
    match quick(chan, value) {
        Ok(()) => Poll::Ready(Ok(())),
        Err(held) => poll_slowly(chan, held, place, value, cx),
    }
}

/// Sends into the ring.
#[inline]
pub(crate) fn quick<'a, T>(chan: &'a Chan<T>, value: &mut Option<T>) -> Result<(), Held<'a, T>> {
    chan.quick(|hchan, forecast| hchan.send_quick(value, forecast))
}

/// Sends to the receiver who stands first.
#[inline]
pub(crate) fn meet<'a, T>(
    chan: &'a Chan<T>,
    held: Held<'a, T>,
    value: &mut Option<T>,
) -> Result<(), Held<'a, T>> {
    chan.meet(held, value, Hchan::send_meet)
}

/// A poll that is not done with a slot of the ring.
#[inline(never)]
fn poll_slowly<T>(
    chan: &Chan<T>,
    held: Held<'_, T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    if held.is_none() {
        if chan.forecast.send_parks() {
            return poll_to_park(chan, place, value, cx);
        }
        // The lock is taken, most likely: with its waker at hand it need not wait again, to park.
        let visitor = Visitor::with(cx, Some(cx.waker().clone()));
        return poll_in_full(chan, None, place, value, visitor);
    }
    match meet(chan, held, value) {
        Ok(()) => Poll::Ready(Ok(())),
        Err(held) => poll_in_full(chan, held, place, value, Visitor::new(cx)),
    }
}

/// A first poll that is likely to park, and brings its waker along.
fn poll_to_park<T>(
    chan: &Chan<T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    let mut waker = Some(cx.waker().clone());
    let task = || waker.take().map(Party::Task);
    match chan.quick(|hchan, forecast| hchan.park_send_quick(place, value, task, forecast)) {
        Ok(()) => Poll::Pending,
        Err(held) => poll_in_full(chan, held, place, value, Visitor::with(cx, waker)),
    }
}

/// A poll by the rules in full.
#[inline(never)]
fn poll_in_full<T>(
    chan: &Chan<T>,
    held: Held<'_, T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
    visitor: Visitor<'_>,
) -> Poll<Result<(), SendError<()>>> {
    chan.poll(held, visitor, |hchan, visitor, wakes| {
        hchan.poll_send(place, value, visitor, wakes)
    })
}

#[inline]
fn leave_line<T>(chan: &Chan<T>, place: &mut Option<SendTicket>, value: &mut Option<T>) {
    if let Some(ticket) = place {
        match chan.forecast.has_sent(ticket) {
            true => *place = None,
            false => cancel(chan, place, value),
        }
    }
}

/// Gives up a parked send.
#[inline(never)]
fn cancel<T>(chan: &Chan<T>, place: &mut Option<SendTicket>, value: &mut Option<T>) {
    match chan.quick(|hchan, forecast| hchan.cancel_send_quick(place, value, forecast)) {
        Ok(_party) => {}
        Err(held) => cancel_in_full(chan, held, place, value),
    }
}

/// Gives up a parked send by the rules in full.
#[inline(never)]
pub(crate) fn cancel_in_full<T>(
    chan: &Chan<T>,
    held: Held<'_, T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
) {
    if let Some(ticket) = place.take() {
        let cancel =
            |hchan: &mut Hchan<T>, wakes: &mut Wakes| hchan.cancel_send(ticket, value, wakes);
        chan.with_held(held, cancel);
    }
}

/// The future of [`Sender::send_from`](crate::Sender::send_from).
#[must_use = "futures do nothing unless polled"]
pub struct SendFromFuture<'a, 'b, T> {
    pub(crate) chan: &'a Chan<T>,
    pub(crate) slot: Exclusive<&'b mut Option<T>>,
    pub(crate) place: Option<SendTicket>,
    done: bool,
}

impl<'a, 'b, T> SendFromFuture<'a, 'b, T> {
    pub(crate) fn new(sender: &'a Sender<T>, slot: &'b mut Option<T>) -> Self {
        Self {
            chan: &sender.chan,
            slot: Exclusive::new(slot),
            place: None,
            done: false,
        }
    }

    /// Leaves the line; the value is in its slot again, unless a receiver has it.
    fn leave_line(&mut self) {
        leave_line(self.chan, &mut self.place, self.slot.get_mut());
    }
}

impl<T> Future for SendFromFuture<'_, '_, T> {
    type Output = Result<(), SendError<()>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let slot = this.slot.get_mut();
        if this.done || slot.is_none() && this.place.is_none() {
            polled_after_ready("SendFromFuture");
        }
        let polled = poll_send(this.chan, &mut this.place, slot, cx);
        this.done = polled.is_ready();
        polled
    }
}

impl<T> FusedFuture for SendFromFuture<'_, '_, T> {
    fn is_terminated(&self) -> bool {
        self.done || self.place.is_none() && self.slot.look(|slot| slot.is_none())
    }
}

impl<T> Drop for SendFromFuture<'_, '_, T> {
    fn drop(&mut self) {
        self.leave_line();
    }
}

/// The future of [`Sender::send_many`](crate::Sender::send_many).
#[must_use = "futures do nothing unless polled"]
pub struct SendManyFuture<'a, 'b, T> {
    chan: &'a Chan<T>,
    items: Exclusive<&'b mut VecDeque<T>>,
    place: Option<SendTicket>,
    done: bool,
}

impl<'a, 'b, T> SendManyFuture<'a, 'b, T> {
    pub(crate) const fn new(chan: &'a Chan<T>, items: &'b mut VecDeque<T>) -> Self {
        Self {
            chan,
            items: Exclusive::new(items),
            place: None,
            done: false,
        }
    }
}

impl<T> Future for SendManyFuture<'_, '_, T> {
    type Output = Result<(), SendError<()>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.done {
            polled_after_ready("SendManyFuture");
        }
        let items = this.items.get_mut();
        let visitor = Visitor::new(cx);
        let polled = this.chan.poll(None, visitor, |hchan, visitor, wakes| {
            loop {
                // The first item is here, or stands in line already.
                let mut item = None;
                if this.place.is_none() {
                    hchan.send_more(items);
                    item = items.pop_front();
                    if item.is_none() {
                        return Poll::Ready(Ok(()));
                    }
                }
                let polled = hchan.poll_send(&mut this.place, &mut item, visitor, wakes);
                if let Some(item) = item {
                    items.push_front(item);
                }
                if polled != Poll::Ready(Ok(())) {
                    return polled;
                }
            }
        });
        this.done = polled.is_ready();
        polled
    }
}

impl<T> FusedFuture for SendManyFuture<'_, '_, T> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<T> Drop for SendManyFuture<'_, '_, T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.place.take() {
            let items = self.items.get_mut();
            self.chan.with(|hchan, wakes| {
                let mut item = None;
                hchan.cancel_send(ticket, &mut item, wakes);
                if let Some(item) = item {
                    items.push_front(item);
                }
            });
        }
    }
}

impl<T> fmt::Debug for SendFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SendFuture");
        out.field("place", &self.place).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SendFromFuture<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SendFromFuture");
        out.field("place", &self.place).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for SendManyFuture<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SendManyFuture");
        out.field("place", &self.place).finish_non_exhaustive()
    }
}
