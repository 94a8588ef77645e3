//! `Stream` for the receiver: a repeated receive with one place in line.

use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::stream::{FusedStream, Stream};

use crate::receiver::Receiver;

/// Ends once the channel is closed and drained.
///
/// # Cancel safety
///
/// The place in line is the receiver's, not that of the future of `next()`: if that is dropped, as by a
/// timeout or a select, the receiver stays in line, and may be handed a value that others then do not
/// get, until it receives again or is dropped. For a wait that may be given up there is
/// [`recv`](Receiver::recv), whose future leaves the line; `rx = rx.clone()` leaves it, too.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// use futures::StreamExt;
///
/// let (tx, mut rx) = hchan::unbounded();
/// (0..3).for_each(|n| tx.try_send(n).unwrap());
/// drop(tx);
/// let mut sum = 0;
/// while let Some(n) = rx.next().await {
///     sum += n;
/// }
/// assert_eq!(sum, 3);
/// # });
/// ```
///
/// From Go: `for v := range c`.
impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let polled = self.poll_recv(cx).map(Result::ok);
        if let Poll::Ready(None) = polled {
            self.ended = true;
        }
        polled
    }
}

impl<T> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}
