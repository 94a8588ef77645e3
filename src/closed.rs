//! Waiting for the end of a channel.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::future::FusedFuture;

use crate::front::Front;
use crate::sudog::Ticket;
use crate::trace::Trace;
use crate::wakes::Visitor;

/// The future of [`Sender::closed`](crate::Sender::closed) and
/// [`Receiver::closed`](crate::Receiver::closed).
#[must_use = "futures do nothing unless polled"]
pub struct ClosedFuture<'a> {
    front: &'a Front,
    place: Option<Ticket>,
    done: bool,
}

impl<'a> ClosedFuture<'a> {
    pub(crate) const fn new(front: &'a Front) -> Self {
        Self {
            front,
            place: None,
            done: false,
        }
    }
}

impl Future for ClosedFuture<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        assert!(!this.done, "`ClosedFuture` polled after it was ready");
        let mut visitor = Visitor::new(cx);
        loop {
            let mut trace = Trace::new();
            let polled = this
                .front
                .poll_closed(&mut this.place, &mut visitor, &mut trace);
            drop(visitor.leftover());
            if let Err(panic) = trace.tell(this.front.address(), Ok(())) {
                panic.resume();
            }
            if !visitor.fetch_waker() {
                this.done = polled.is_ready();
                return polled;
            }
        }
    }
}

impl FusedFuture for ClosedFuture<'_> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl Drop for ClosedFuture<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.place.take() {
            drop(self.front.cancel_closed(ticket));
        }
    }
}

impl fmt::Debug for ClosedFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("ClosedFuture");
        out.field("place", &self.place).finish_non_exhaustive()
    }
}
