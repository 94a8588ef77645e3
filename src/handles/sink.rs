//! `Sink` for the sender: one value at a time is staged as a parked send.

use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use futures_sink::Sink;

use crate::chan::bounded;
use crate::error::SendError;
use crate::handles::sender::Sender;

/// Sends each item; what does not fit waits in line, one item for each sender.
///
/// Closing the sink gives up this sender, as dropping it does; the channel closes with the last.
/// After that the handle stands on a closed channel of its own, which is allocated then.
///
/// # Errors
///
/// [`SendError`] with the item, if the channel is closed. A closed channel with nothing staged is
/// ready for an item, which then comes back in the error.
///
/// # Panics
///
/// `start_send` panics while an item is staged: from the `start_send` that staged it until `poll_ready`,
/// `poll_flush` or `poll_send` is ready.
///
/// # With `SinkExt` in scope
///
/// Its methods come before the sender's own where the sender is a `&mut`: `send` is the sink's, and so is
/// `close`, a future that gives up this sender. `Sender::close(tx)` and a `&Sender` stay as they are.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// use futures::{SinkExt, StreamExt, stream};
///
/// let (tx, rx) = hchan::bounded(1);
/// let (sent, received) = futures::join!(
///     stream::iter(0..5).map(Ok).forward(tx),
///     rx.collect::<Vec<_>>(),
/// );
/// assert_eq!((sent, received), (Ok(()), vec![0, 1, 2, 3, 4]));
/// # });
/// ```
impl<T> Sink<T> for Sender<T> {
    type Error = SendError<T>;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        // A channel on which nothing ever happens is never ready for an item.
        if !self.chan.lock().is_live() {
            return Poll::Pending;
        }
        self.poll_send(cx, &mut None)
    }

    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), SendError<T>> {
        assert!(
            self.staged.is_none(),
            "`start_send` called on a `Sender` that is not ready"
        );
        // The task is not known yet: the next poll leaves its waker.
        let mut cx = Context::from_waker(Waker::noop());
        let mut item = Some(item);
        match self.poll_send(&mut cx, &mut item) {
            Poll::Ready(sent) => sent,
            Poll::Pending => {
                assert!(
                    item.is_none(),
                    "`start_send` called on a `Sender` that is never ready"
                );
                Ok(())
            }
        }
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        self.poll_send(cx, &mut None)
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        let flushed = self.poll_send(cx, &mut None);
        if flushed.is_ready() {
            // A handle without a receiver stands for the one that is given up.
            *self = bounded(0).0;
        }
        flushed
    }
}
