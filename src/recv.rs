//! The futures that receive.

use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::future::FusedFuture;

use crate::chan::Open;
use crate::error::RecvError;
use crate::hchan::Hchan;
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

    /// The part of a poll that concerns others, on a channel that is open already or is to be opened by
    /// a task that is likely to park.
    #[inline(never)]
    fn poll_slowly(
        &mut self,
        open: Option<Open<'_, T>>,
        cx: &Context<'_>,
    ) -> Poll<Result<T, RecvError>> {
        let Receiver { chan, standing, .. } = self.receiver;
        let (visitor, open) = match open {
            Some(open) => (Visitor::new(cx), open),
            None => (Visitor::with_waker(cx), chan.open()),
        };
        let receive = |hchan: &mut Hchan<T>, visitor: &mut Visitor<'_>, wakes: &mut Wakes| {
            if self.place.is_none() {
                self.place = standing.take(hchan);
            }
            hchan.poll_recv(&mut self.place, visitor, wakes)
        };
        let polled = open.poll_take(visitor, receive, Result::ok);
        chan.recv_parks.learn(polled.is_pending());
        self.done = polled.is_ready();
        polled
    }

    /// Leaves the line; a value that was handed goes to the next, or back.
    pub(crate) fn leave_line(&mut self) {
        if let Some(ticket) = self.place.take() {
            self.receiver
                .chan
                .with(|hchan, wakes| hchan.cancel_recv(ticket, wakes));
        }
    }
}

impl<T> Future for RecvFuture<'_, T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        assert!(!this.done, "`RecvFuture` polled after it was ready");
        let chan = &this.receiver.chan;
        if this.place.is_none() && chan.recv_parks.parks() {
            return this.poll_slowly(None, cx);
        }
        match chan.quick(|hchan| this.receiver.recv_quick(hchan, &mut this.place)) {
            Ok(value) => {
                this.done = true;
                Poll::Ready(Ok(value))
            }
            Err(open) => this.poll_slowly(Some(open), cx),
        }
    }
}

impl<T> FusedFuture for RecvFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<T> Drop for RecvFuture<'_, T> {
    fn drop(&mut self) {
        self.leave_line();
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
        assert!(!this.done, "`RecvManyFuture` polled after it was ready");
        if this.limit == 0 {
            this.done = true;
            return Poll::Ready(Ok(0));
        }
        let out = this.out.get_mut();
        let visitor = Visitor::new(cx);
        let polled = this.receiver.chan.poll(visitor, |hchan, visitor, wakes| {
            if this.place.is_none() {
                this.place = this.receiver.standing.take(hchan);
            }
            hchan
                .poll_recv(&mut this.place, visitor, wakes)
                .map_ok(|first| {
                    out.push(first);
                    1 + hchan.recv_more(out, this.limit - 1, wakes)
                })
        });
        this.done = polled.is_ready();
        polled
    }
}

impl<T> FusedFuture for RecvManyFuture<'_, '_, T> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<T> Drop for RecvManyFuture<'_, '_, T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.place.take() {
            self.receiver
                .chan
                .with(|hchan, wakes| hchan.cancel_recv(ticket, wakes));
        }
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
