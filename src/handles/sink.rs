//! `Sink` for the sender: a slot is held for each item, or, where there are no slots, the item is staged as a
//! parked send.

use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};

use futures_sink::Sink;

use crate::chan::Chan;
use crate::error::SendError;
use crate::handles::sender::Sender;
use crate::hchan::Kind;

/// Sends each item. Where there are slots, the sink is ready once it holds one.
///
/// - On capacity `n > 0` and without a limit, `poll_ready` waits for a slot and holds it; `start_send` puts the item
///   into that slot, so it is sent, and neither a drop of the handle nor a close loses it; `poll_flush` has nothing to
///   wait for.
/// - On capacity 0 there are no slots. The sink is ready when it has no item; `start_send` stages one as a parked
///   send, `poll_flush` waits until it was received, and a drop of the handle before that gives it up. An item for
///   which `start_send` was called without `poll_ready`, and which finds no room, is staged in the same way.
///
/// Closing the sink gives up this sender, as dropping it does; the channel closes with the last.
/// After that the handle belongs to a closed channel of its own, which is allocated then.
///
/// # Idle handles
///
/// A sink that is ready and not used holds its slot: on capacity 1 it keeps everyone else waiting. One that is not
/// ready yet keeps its place in line. Both are given up when the sink is dropped or closed, and when it sends or
/// reserves in another way, as with [`Sender::send`] or an arm of a select.
///
/// # Errors
///
/// [`SendError`] with the item, if the channel is closed. A closed channel with nothing staged is
/// ready for an item, which then comes back in the error. Where a boxed error must not carry the item, as when it is
/// not `Send`, take it out: `sink.sink_map_err(|_| Gone)`.
///
/// # Panics
///
/// `start_send` panics while an item is staged: from the `start_send` that staged it until `poll_ready`,
/// `poll_flush` or `poll_send` is ready.
///
/// # With `SinkExt` in scope
///
/// Its methods take precedence over the sender's own where the sender is a `&mut`: `send` is the sink's, and so is
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
        let this = &mut *self;
        if !this.chan.has_slots() {
            return this.poll_staged(this.badge.caller(), cx);
        }
        Poll::Ready(match ready!(this.poll_slot(this.badge.caller(), cx)) {
            Err(SendError(Some(staged))) => Err(SendError(staged)),
            // A closed channel is ready: an item comes back in the error of its own `start_send`.
            Ok(()) | Err(SendError(None)) => Ok(()),
        })
    }

    fn start_send(mut self: Pin<&mut Self>, item: T) -> Result<(), SendError<T>> {
        assert!(
            !self.holds.is_staged(),
            "`start_send` called on a `Sender` that is not ready"
        );
        if self.holds.has_slot() {
            return self.send_held(item);
        }
        // The task is not known yet: the next poll leaves its waker.
        let cx = Context::from_waker(Waker::noop());
        let mut item = Some(item);
        let this = &mut *self;
        match this.poll_send_at(this.badge.caller(), &cx, &mut item) {
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
        let this = &mut *self;
        this.poll_staged(this.badge.caller(), cx)
    }

    fn poll_close(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        let this = &mut *self;
        let flushed = this.poll_staged(this.badge.caller(), cx);
        if flushed.is_ready() {
            // A handle without a receiver stands for the one that is given up. It has a slot, so that `reserve` finds it
            // closed.
            *self = Chan::pair(Kind::Bounded, 1, self.badge.caller()).0;
        }
        flushed
    }
}
