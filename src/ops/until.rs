//! Operations that wait until some other future is ready, at the latest.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::future::FusedFuture;
use pin_project_lite::pin_project;

use crate::error::{RecvTimeoutError, SendTimeoutError, polled_after_ready};
use crate::handles::{receiver, sender};
use crate::ops::recv::RecvFuture;
use crate::ops::send::SendFuture;

/// One poll of `op`, and of `timer` if it must wait. `None` if time is up; an `op` that can complete goes first.
pub(crate) fn poll_until<F: Future + Unpin>(
    op: &mut F,
    timer: Pin<&mut impl Future>,
    cx: &mut Context<'_>,
) -> Poll<Option<F::Output>> {
    if let Poll::Ready(output) = Pin::new(&mut *op).poll(cx) {
        return Poll::Ready(Some(output));
    }
    if timer.poll(cx).is_pending() {
        return Poll::Pending;
    }
    // The timer's poll took some time: look once more.
    Poll::Ready(match Pin::new(op).poll(cx) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    })
}

pin_project! {
    /// The future of [`Sender::send_until`](crate::Sender::send_until), and with the feature `time` of
    /// `send_timeout`.
    #[must_use = "futures do nothing unless polled"]
    pub struct SendUntilFuture<'a, T, F> {
        send: SendFuture<'a, T>,
        #[pin]
        timer: F,
        done: bool,
    }
}

impl<'a, T, F> SendUntilFuture<'a, T, F> {
    pub(crate) const fn new(send: SendFuture<'a, T>, timer: F) -> Self {
        Self {
            send,
            timer,
            done: false,
        }
    }
}

impl<T, F: Future> Future for SendUntilFuture<'_, T, F> {
    type Output = Result<(), SendTimeoutError<T>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if *this.done {
            polled_after_ready("SendUntilFuture");
        }
        poll_until(this.send, this.timer, cx).map(|sent| {
            *this.done = true;
            sender::in_time(this.send, sent)
        })
    }
}

impl<T, F: Future> FusedFuture for SendUntilFuture<'_, T, F> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

pin_project! {
    /// The future of [`Receiver::recv_until`](crate::Receiver::recv_until), and with the feature `time` of
    /// `recv_timeout`.
    #[must_use = "futures do nothing unless polled"]
    pub struct RecvUntilFuture<'a, T, F> {
        recv: RecvFuture<'a, T>,
        #[pin]
        timer: F,
        done: bool,
    }
}

impl<'a, T, F> RecvUntilFuture<'a, T, F> {
    pub(crate) const fn new(recv: RecvFuture<'a, T>, timer: F) -> Self {
        Self {
            recv,
            timer,
            done: false,
        }
    }
}

impl<T, F: Future> Future for RecvUntilFuture<'_, T, F> {
    type Output = Result<T, RecvTimeoutError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if *this.done {
            polled_after_ready("RecvUntilFuture");
        }
        poll_until(this.recv, this.timer, cx).map(|received| {
            *this.done = true;
            receiver::in_time(this.recv, received)
        })
    }
}

impl<T, F: Future> FusedFuture for RecvUntilFuture<'_, T, F> {
    fn is_terminated(&self) -> bool {
        self.done
    }
}

impl<T, F> fmt::Debug for SendUntilFuture<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SendUntilFuture");
        out.field("send", &self.send).finish_non_exhaustive()
    }
}

impl<T, F> fmt::Debug for RecvUntilFuture<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("RecvUntilFuture");
        out.field("recv", &self.recv).finish_non_exhaustive()
    }
}
