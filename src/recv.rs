//! The futures that receive.

use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::future::FusedFuture;

use crate::chan::{Chan, Held};
use crate::error::{RecvError, polled_after_ready, present};
use crate::forecast::Forecast;
use crate::hchan::Hchan;
use crate::party::Party;
use crate::receiver::Receiver;
use crate::sudog::Ticket;
use crate::sync::Exclusive;
use crate::wakes::{Visitor, Wakes};

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

    /// Receives if that is an ordinary case, before a thread makes ready to sleep.
    #[cfg(feature = "std")]
    pub(crate) fn at_once(&mut self) -> Option<T> {
        if self.receiver.chan.forecast.recv_parks() {
            return None;
        }
        let mut elem = None;
        if let Err(held) = self.receiver.quick(&mut elem) {
            self.receiver.meet(held, &mut elem).ok()?;
        }
        self.done = true;
        elem
    }

    /// A poll that is not done with a value from the ring.
    #[inline(never)]
    fn poll_slowly(&mut self, held: Held<'_, T>, cx: &Context<'_>) -> Poll<Result<T, RecvError>> {
        if self.done {
            polled_after_ready("RecvFuture");
        }
        if self.place.is_some() {
            return self.poll_in_line(cx);
        }
        if held.is_none() {
            if self.receiver.chan.forecast.recv_parks() {
                return self.poll_to_park(cx);
            }
            // The lock is taken, most likely: with its waker at hand it need not wait again, to park.
            return self.poll_in_full(None, Visitor::with(cx, Some(cx.waker().clone())));
        }
        let mut elem = None;
        match self.receiver.meet(held, &mut elem) {
            Ok(()) => self.received(elem),
            Err(held) => self.poll_in_full(held, Visitor::new(cx)),
        }
    }

    /// A poll in line: takes what the receive was handed.
    fn poll_in_line(&mut self, cx: &Context<'_>) -> Poll<Result<T, RecvError>> {
        let chan = &self.receiver.chan;
        let mut elem = None;
        match chan.quick(|hchan, _| hchan.claim_quick(&mut self.place, &mut elem)) {
            Ok(()) => self.received(elem),
            Err(held) => self.poll_in_full(held, Visitor::new(cx)),
        }
    }

    /// A first poll that is likely to park, and brings its waker along.
    fn poll_to_park(&mut self, cx: &Context<'_>) -> Poll<Result<T, RecvError>> {
        let Receiver { chan, standing, .. } = self.receiver;
        let mut waker = Some(cx.waker().clone());
        let park = |hchan: &mut Hchan<T>, forecast: &Forecast| {
            if standing.is_some() {
                return None;
            }
            let task = || waker.take().map(Party::Task);
            hchan.park_recv_quick(&mut self.place, task, forecast)
        };
        match chan.quick(park) {
            Ok(()) => Poll::Pending,
            Err(held) => self.poll_in_full(held, Visitor::with(cx, waker)),
        }
    }

    /// A poll by the rules in full.
    #[inline(never)]
    fn poll_in_full(
        &mut self,
        held: Held<'_, T>,
        visitor: Visitor<'_>,
    ) -> Poll<Result<T, RecvError>> {
        let Receiver { chan, standing, .. } = self.receiver;
        let receive = |hchan: &mut Hchan<T>, visitor: &mut Visitor<'_>, wakes: &mut Wakes| {
            if self.place.is_none() {
                self.place = standing.take(hchan);
            }
            hchan.poll_recv(&mut self.place, visitor, wakes)
        };
        let polled = chan.poll_take(held, visitor, receive, Result::ok);
        self.done = polled.is_ready();
        polled
    }

    #[inline]
    fn received(&mut self, elem: Option<T>) -> Poll<Result<T, RecvError>> {
        self.done = true;
        Poll::Ready(Ok(present(elem)))
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
        let chan = &this.receiver.chan;
        if this.done || this.place.is_some() || chan.forecast.recv_parks() {
            return this.poll_slowly(None, cx);
        }
        let mut elem = None;
        match this.receiver.quick(&mut elem) {
            Ok(()) => this.received(elem),
            Err(held) => this.poll_slowly(held, cx),
        }
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
        let out = this.out.get_mut();
        let visitor = Visitor::new(cx);
        let receiver = this.receiver;
        let receive = |hchan: &mut Hchan<T>, visitor: &mut Visitor<'_>, wakes: &mut Wakes| {
            if this.place.is_none() {
                this.place = receiver.standing.take(hchan);
            }
            let polled = hchan.poll_recv(&mut this.place, visitor, wakes);
            // Before the wakes: what is in `out` stays there, even if one panics.
            this.done = polled.is_ready();
            polled.map_ok(|first| {
                out.push(first);
                1 + hchan.recv_more(out, this.limit - 1, wakes)
            })
        };
        receiver.chan.poll(None, visitor, receive)
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

/// Leaves the line; a value that was handed goes to the next, or back.
#[inline]
fn leave_line<T>(chan: &Chan<T>, place: &mut Option<Ticket>) {
    if place.is_some() {
        cancel(chan, place);
    }
}

/// Gives up a parked receive.
#[inline(never)]
fn cancel<T>(chan: &Chan<T>, place: &mut Option<Ticket>) {
    match chan.quick(|hchan, forecast| hchan.cancel_recv_quick(place, forecast)) {
        Ok(_party) => {}
        Err(held) => cancel_in_full(chan, held, place),
    }
}

/// Gives up a parked receive by the rules in full.
#[inline(never)]
pub(crate) fn cancel_in_full<T>(chan: &Chan<T>, held: Held<'_, T>, place: &mut Option<Ticket>) {
    if let Some(ticket) = place.take() {
        let cancel = |hchan: &mut Hchan<T>, wakes: &mut Wakes| hchan.cancel_recv(ticket, wakes);
        chan.with_held(held, cancel);
    }
}

impl<T> fmt::Debug for RecvFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RecvFuture");
        out.field("place", &self.place).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for RecvManyFuture<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RecvManyFuture");
        out.field("place", &self.place).finish_non_exhaustive()
    }
}
