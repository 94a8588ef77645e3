//! The futures that send: three ways to keep the value while it waits, one way to wait.

use alloc::collections::VecDeque;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use futures_core::future::FusedFuture;

use crate::chan::Chan;
use crate::error::{SendError, TrySendError, polled_after_ready, refused};
use crate::handles::sender::Sender;
use crate::hchan::Look;
use crate::hchan::sudog::SendTicket;
use crate::sync::Exclusive;
use crate::wakes::{Wakes, wake_and_drop};

/// One poll of a send whose value is in `value`, or stands in line at `place` once it has parked.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "a third fewer instructions where nothing waits; the rest is not inlined"
)]
pub(crate) fn poll_send<T>(
    chan: &Chan<T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    if let Some(ticket) = place {
        if chan.has_sent(ticket) {
            *place = None;
            return Poll::Ready(Ok(()));
        }
        return poll_in_line(chan, place, value, cx);
    }
    if !chan.send_parks() {
        if let Some(mut hchan) = chan.try_lock() {
            match hchan.send(value) {
                Ok(waker) => {
                    hchan.unlock_and_wake(waker);
                    return Poll::Ready(Ok(()));
                }
                Err(TrySendError::Closed(())) => return Poll::Ready(Err(SendError(()))),
                Err(TrySendError::Full(())) if !hchan.is_live() => return Poll::Pending,
                Err(TrySendError::Full(())) => {}
            }
        }
    }
    send_or_park(chan, place, value, cx)
}

/// A poll that will probably park.
#[inline(never)]
fn send_or_park<T>(
    chan: &Chan<T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    // Cloned before the lock is taken, for that may be to use the channel.
    let waker = cx.waker().clone();
    let mut hchan = chan.lock();
    match hchan.send(value) {
        Ok(waker) => {
            hchan.unlock_and_wake(waker);
            Poll::Ready(Ok(()))
        }
        Err(TrySendError::Closed(())) => Poll::Ready(Err(SendError(()))),
        Err(TrySendError::Full(())) => {
            if hchan.is_live() {
                *place = Some(hchan.park_send(value, |sudog| sudog.set_task(waker)));
            }
            Poll::Pending
        }
    }
}

/// A poll in line.
#[inline(never)]
pub(crate) fn poll_in_line<T>(
    chan: &Chan<T>,
    place: &mut Option<SendTicket>,
    value: &mut Option<T>,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    loop {
        let look = chan.lock().look_send(place, value, cx.waker());
        match look {
            Look::Done => return Poll::Ready(Ok(())),
            Look::Closed => return Poll::Ready(Err(SendError(()))),
            Look::Parked => return Poll::Pending,
            Look::Elsewhere => {
                if chan.renew_send(place.as_ref(), cx) {
                    return Poll::Pending;
                }
            }
        }
    }
}

/// Leaves the line. The value is in `value` again, unless a receiver has it.
#[inline]
pub(crate) fn leave_line<T>(chan: &Chan<T>, place: &mut Option<SendTicket>, value: &mut Option<T>) {
    if let Some(ticket) = place.take() {
        if !chan.has_sent(&ticket) {
            cancel_to_drop(chan, ticket, value);
        }
    }
}

#[inline(never)]
fn cancel_to_drop<T>(chan: &Chan<T>, ticket: SendTicket, value: &mut Option<T>) {
    wake_and_drop(None, cancel(chan, ticket, value));
}

/// Gives up a parked send. Returns a waker to drop.
fn cancel<T>(chan: &Chan<T>, ticket: SendTicket, value: &mut Option<T>) -> Option<Waker> {
    chan.lock().cancel_send(ticket, value)
}

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
        let polled = match &this.place {
            Some(_) => poll_first_in_line(this.chan, &mut this.place, items, cx),
            None => Poll::Ready(Ok(())),
        };
        let polled = match polled {
            Poll::Ready(Ok(())) => send_all_or_park(this.chan, &mut this.place, items, cx),
            polled => polled,
        };
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
            let mut first = None;
            let left = cancel(self.chan, ticket, &mut first);
            if let Some(first) = first {
                self.items.get_mut().push_front(first);
            }
            wake_and_drop(None, left);
        }
    }
}

/// A poll in line: what became of the first item.
fn poll_first_in_line<T>(
    chan: &Chan<T>,
    place: &mut Option<SendTicket>,
    items: &mut VecDeque<T>,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    let mut first = None;
    let polled = poll_send(chan, place, &mut first, cx);
    if let Some(first) = first {
        items.push_front(first);
    }
    polled
}

/// Sends as many items as there is room or receivers for, and parks with the next.
fn send_all_or_park<T>(
    chan: &Chan<T>,
    place: &mut Option<SendTicket>,
    items: &mut VecDeque<T>,
    cx: &Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    let mut waker = None;
    loop {
        let (mut hchan, mut wakes) = (chan.lock(), Wakes::new());
        let polled = loop {
            hchan.send_more(items);
            let mut item = items.pop_front();
            if item.is_none() {
                break Poll::Ready(Ok(()));
            }
            match hchan.send(&mut item) {
                Ok(receiver) => wakes.extend(receiver),
                Err(TrySendError::Full(())) if waker.is_some() => {
                    let waker: Option<Waker> = waker.take();
                    *place = waker
                        .map(|waker| hchan.park_send(&mut item, |sudog| sudog.set_task(waker)));
                    break Poll::Pending;
                }
                Err(error) => {
                    if let Some(item) = item {
                        items.push_front(item);
                    }
                    break match error {
                        TrySendError::Closed(()) => Poll::Ready(Err(SendError(()))),
                        TrySendError::Full(()) => Poll::Pending,
                    };
                }
            }
        };
        let parks = polled.is_pending() && place.is_none() && hchan.is_live();
        hchan.unlock_and_wake_all(wakes);
        if !parks {
            return polled;
        }
        waker = Some(cx.waker().clone());
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
