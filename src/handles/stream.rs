//! `Stream` for the receiver: a repeated receive with one place in line.

use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::stream::{FusedStream, Stream};

use crate::handles::receiver::Receiver;

/// Ends once the channel is closed and drained.
///
/// # Cancel safety
///
/// A stream that is pending keeps its place in line from poll to poll. When you stop polling it, it stays in line,
/// and may be handed a value that nobody else can have, until it receives again, is dropped, or is used in another
/// way. The future of [`Receiver::next`] leaves the line when it is dropped, and holds nobody up.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// use futures::StreamExt;
///
/// let (tx, rx) = hchan::unbounded();
/// (0..3).for_each(|n| tx.try_send(n).unwrap());
/// drop(tx);
/// assert_eq!(rx.map(|n| 2 * n).collect::<Vec<_>>().await, [0, 2, 4]);
/// # });
/// ```
///
/// From Go: `for v := range c`.
impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        let polled = this.poll_recv_at(this.badge.caller(), cx).map(Result::ok);
        if let Poll::Ready(None) = polled {
            this.ended = true;
        }
        polled
    }
}

impl<T> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}
