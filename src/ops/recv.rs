//! The futures that receive.

use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::future::FusedFuture;

use crate::chan::Chan;
use crate::error::{RecvError, TryRecvError, polled_after_ready, present};
use crate::handles::receiver::Receiver;
use crate::hchan::Look;
use crate::hchan::sudog::Ticket;
use crate::sync::Exclusive;
use crate::wakes::Wakes;

/// One poll of a receive, which stands in line at `place` once it has parked.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "a third fewer instructions where nothing waits; the rest is not inlined"
)]
fn poll_recv<T>(
    receiver: &Receiver<T>,
    place: &mut Option<Ticket>,
    cx: &Context<'_>,
) -> Poll<Result<T, RecvError>> {
    if place.is_some() {
        return poll_in_line(&receiver.chan, place, cx);
    }
    receiver.leave_standing();
    if !receiver.chan.recv_parks() {
        if let Some(mut hchan) = receiver.chan.try_lock() {
            let mut elem = None;
            match hchan.recv(&mut elem) {
                Ok(served) => {
                    hchan.unlock_with(&mut elem, served);
                    return Poll::Ready(Ok(present(elem)));
                }
                Err(TryRecvError::Closed) => return Poll::Ready(Err(RecvError)),
                Err(TryRecvError::Empty) if !hchan.is_live() => return Poll::Pending,
                Err(TryRecvError::Empty) => {}
            }
        }
    }
    recv_or_park(&receiver.chan, place, cx)
}

/// A poll that will probably park.
#[inline(never)]
pub(crate) fn recv_or_park<T>(
    chan: &Chan<T>,
    place: &mut Option<Ticket>,
    cx: &Context<'_>,
) -> Poll<Result<T, RecvError>> {
    // Cloned before the lock is taken, for that may be to use the channel.
    let waker = cx.waker().clone();
    let mut hchan = chan.lock();
    let mut elem = None;
    match hchan.recv(&mut elem) {
        Ok(served) => {
            hchan.unlock_with(&mut elem, served);
            Poll::Ready(Ok(present(elem)))
        }
        Err(TryRecvError::Closed) => Poll::Ready(Err(RecvError)),
        Err(TryRecvError::Empty) => {
            if hchan.is_live() {
                *place = Some(hchan.park_recv(|sudog| sudog.set_task(waker)));
            }
            Poll::Pending
        }
    }
}

/// A poll in line: claims what the receive was handed.
#[inline(never)]
pub(crate) fn poll_in_line<T>(
    chan: &Chan<T>,
    place: &mut Option<Ticket>,
    cx: &Context<'_>,
) -> Poll<Result<T, RecvError>> {
    loop {
        let (mut hchan, mut elem) = (chan.lock(), None);
        match hchan.claim(place, &mut elem, cx.waker()) {
            Look::Done => {
                if hchan.is_closed() {
                    hchan.unlock_and_settle();
                } else {
                    drop(hchan);
                }
                return Poll::Ready(Ok(present(elem)));
            }
            Look::Closed => return Poll::Ready(Err(RecvError)),
            Look::Parked => return Poll::Pending,
            Look::Elsewhere => {
                drop(hchan);
                if chan.renew(place.as_ref(), cx) {
                    return Poll::Pending;
                }
            }
        }
    }
}

/// Leaves the line. A value that the receive was handed goes to the next, or back.
#[inline]
pub(crate) fn leave_line<T>(chan: &Chan<T>, place: &mut Option<Ticket>) {
    if let Some(ticket) = place.take() {
        cancel(chan, ticket);
    }
}

#[inline(never)]
pub(crate) fn cancel<T>(chan: &Chan<T>, ticket: Ticket) {
    let mut hchan = chan.lock();
    let (left, next) = hchan.cancel_recv(ticket);
    hchan.unlock_to_drop(left, next);
}

/// The future of [`Receiver::recv`](crate::Receiver::recv).
#[must_use = "futures do nothing unless polled"]
pub struct RecvFuture<'a, T> {
    pub(crate) receiver: &'a Receiver<T>,
    pub(crate) place: Option<Ticket>,
    done: bool,
}

impl<'a, T> RecvFuture<'a, T> {
    pub(crate) const fn new(receiver: &'a Receiver<T>) -> Self {
        Self {
            receiver,
            place: None,
            done: false,
        }
    }
}

impl<T> Future for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;

    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "a third fewer instructions where nothing waits; the rest is not inlined"
    )]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.done {
            polled_after_ready("RecvFuture");
        }
        let polled = poll_recv(this.receiver, &mut this.place, cx);
        this.done = polled.is_ready();
        polled
    }
}

impl<T> FusedFuture for RecvFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<T> Drop for RecvFuture<'_, T> {
    #[inline]
    fn drop(&mut self) {
        leave_line(&self.receiver.chan, &mut self.place);
    }
}

/// The future of [`Receiver::next`](crate::Receiver::next).
#[must_use = "futures do nothing unless polled"]
pub struct NextFuture<'a, T> {
    receiver: &'a mut Receiver<T>,
    place: Option<Ticket>,
    done: bool,
}

impl<'a, T> NextFuture<'a, T> {
    pub(crate) const fn new(receiver: &'a mut Receiver<T>) -> Self {
        Self {
            receiver,
            place: None,
            done: false,
        }
    }
}

impl<T> Future for NextFuture<'_, T> {
    type Output = Option<T>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        if this.done {
            polled_after_ready("NextFuture");
        }
        let polled = poll_recv(this.receiver, &mut this.place, cx).map(Result::ok);
        this.done = polled.is_ready();
        this.receiver.ended |= matches!(polled, Poll::Ready(None));
        polled
    }
}

impl<T> FusedFuture for NextFuture<'_, T> {
    /// Also where the stream has ended, as `select!` with `complete` expects of a stream's `next`.
    fn is_terminated(&self) -> bool {
        self.done || self.receiver.ended
    }
}

impl<T> Drop for NextFuture<'_, T> {
    #[inline]
    fn drop(&mut self) {
        leave_line(&self.receiver.chan, &mut self.place);
    }
}

/// The future of [`Receiver::recv_many`](crate::Receiver::recv_many).
#[must_use = "futures do nothing unless polled"]
pub struct RecvManyFuture<'a, 'b, T> {
    receiver: &'a Receiver<T>,
    out: Exclusive<&'b mut Vec<T>>,
    limit: usize,
    place: Option<Ticket>,
    done: bool,
}

impl<'a, 'b, T> RecvManyFuture<'a, 'b, T> {
    pub(crate) const fn new(receiver: &'a Receiver<T>, out: &'b mut Vec<T>, limit: usize) -> Self {
        Self {
            receiver,
            out: Exclusive::new(out),
            limit,
            place: None,
            done: false,
        }
    }
}

impl<T> Future for RecvManyFuture<'_, '_, T> {
    type Output = Result<usize, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.done {
            polled_after_ready("RecvManyFuture");
        }
        if this.limit == 0 {
            this.done = true;
            return Poll::Ready(Ok(0));
        }
        if this.place.is_none() {
            this.receiver.leave_standing();
        }
        let chan = &this.receiver.chan;
        let mut waker = None;
        loop {
            let (mut elem, mut wakes) = (None, Wakes::new());
            let mut hchan = chan.lock();
            let look = match this.place.is_some() {
                true => hchan.claim(&mut this.place, &mut elem, cx.waker()),
                false => match hchan.recv(&mut elem) {
                    Ok(served) => {
                        wakes.extend(served.map(|served| served.waker));
                        Look::Done
                    }
                    Err(TryRecvError::Closed) => Look::Closed,
                    Err(TryRecvError::Empty) if !hchan.is_live() => Look::Parked,
                    Err(TryRecvError::Empty) => match waker.take() {
                        Some(waker) => {
                            this.place = Some(hchan.park_recv(|sudog| sudog.set_task(waker)));
                            Look::Parked
                        }
                        None => {
                            drop(hchan);
                            waker = Some(cx.waker().clone());
                            continue;
                        }
                    },
                },
            };
            this.done = matches!(look, Look::Done | Look::Closed);
            return match look {
                Look::Done => {
                    // Before the wakes: what is in `out` stays there, even if one panics.
                    let out = this.out.get_mut();
                    out.push(present(elem));
                    let more = hchan.recv_more(out, this.limit - 1, &mut wakes);
                    hchan.settle(&mut wakes);
                    hchan.unlock_and_wake_all(wakes);
                    Poll::Ready(Ok(1 + more))
                }
                Look::Closed => Poll::Ready(Err(RecvError)),
                Look::Parked => Poll::Pending,
                Look::Elsewhere => {
                    drop(hchan);
                    match chan.renew(this.place.as_ref(), cx) {
                        true => Poll::Pending,
                        false => continue,
                    }
                }
            };
        }
    }
}

impl<T> FusedFuture for RecvManyFuture<'_, '_, T> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<T> Drop for RecvManyFuture<'_, '_, T> {
    fn drop(&mut self) {
        leave_line(&self.receiver.chan, &mut self.place);
    }
}

impl<T> fmt::Debug for RecvFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RecvFuture");
        out.field("place", &self.place).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for NextFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("NextFuture");
        out.field("place", &self.place).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for RecvManyFuture<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RecvManyFuture");
        out.field("place", &self.place).finish_non_exhaustive()
    }
}
