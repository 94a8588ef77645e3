//! An operation that has until some other future is ready.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;

/// Waits for `op`, but no longer than for `timer`; an `op` that can end goes first.
pub(crate) async fn until<F>(op: &mut F, timer: impl Future) -> Option<F::Output>
where
    F: Future + Unpin,
{
    let mut timer = pin!(timer);
    poll_fn(|cx| {
        if let Poll::Ready(output) = Pin::new(&mut *op).poll(cx) {
            return Poll::Ready(Some(output));
        }
        if timer.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        // The timer took its time: look once more.
        Poll::Ready(match Pin::new(&mut *op).poll(cx) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}
