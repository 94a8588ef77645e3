//! Waiting for the end of a channel.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::future::FusedFuture;

use crate::chan::Chan;
use crate::sudog::Ticket;
use crate::wakes::Visitor;

/// The future of [`Sender::closed`](crate::Sender::closed) and
/// [`Receiver::closed`](crate::Receiver::closed).
#[must_use = "futures do nothing unless polled"]
pub struct ClosedFuture<'a, T> {
    chan: &'a Chan<T>,
    place: Option<Ticket>,
    done: bool,
}

impl<'a, T> ClosedFuture<'a, T> {
    pub(crate) const fn new(chan: &'a Chan<T>) -> Self {
        Self {
            chan,
            place: None,
            done: false,
        }
    }
}

impl<T> Future for ClosedFuture<'_, T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        assert!(!this.done, "`ClosedFuture` polled after it was ready");
        let visitor = Visitor::new(cx);
        let polled = this.chan.poll(None, visitor, |hchan, visitor, _| {
            hchan.poll_closed(&mut this.place, visitor)
        });
        this.done = polled.is_ready();
        polled
    }
}

impl<T> FusedFuture for ClosedFuture<'_, T> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<T> Drop for ClosedFuture<'_, T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.place.take() {
            self.chan
                .with(|hchan, wakes| hchan.cancel_closed(ticket, wakes));
        }
    }
}

impl<T> fmt::Debug for ClosedFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ClosedFuture");
        out.field("place", &self.place).finish_non_exhaustive()
    }
}
