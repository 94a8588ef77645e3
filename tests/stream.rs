//! A receiver is a stream with one place in line; a sender without slots is a sink with one staged item.
#![cfg(all(feature = "std", feature = "sink"))]

mod support;

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures::executor::block_on;
use futures::future::FusedFuture;
use futures::stream::{self, FusedStream};
use futures::{FutureExt, Sink, SinkExt, Stream, StreamExt};
use hchan::{Receiver, RecvError, SendError, Sender, TryRecvError, bounded, never, unbounded};

use support::{Drops, Wakes, each_capacity, parked, poll_once, ready};

/// A task that polls streams and sinks by hand, and counts its wakes.
#[derive(Default)]
struct Poller(Arc<Wakes>);

impl Poller {
    fn wakes(&self) -> usize {
        self.0.count()
    }

    fn poll<R>(&self, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
        poll(&mut Context::from_waker(&Waker::from(self.0.clone())))
    }

    fn next<S: Stream + Unpin>(&self, stream: &mut S) -> Poll<Option<S::Item>> {
        self.poll(|cx| stream.poll_next_unpin(cx))
    }

    fn ready<T>(&self, sink: &mut Sender<T>) -> Poll<Result<(), SendError<T>>> {
        self.poll(|cx| sink.poll_ready_unpin(cx))
    }

    fn flush<T>(&self, sink: &mut Sender<T>) -> Poll<Result<(), SendError<T>>> {
        self.poll(|cx| sink.poll_flush_unpin(cx))
    }

    fn close<T>(&self, sink: &mut Sender<T>) -> Poll<Result<(), SendError<T>>> {
        self.poll(|cx| sink.poll_close_unpin(cx))
    }
}

/// A handle whose `poll_next` is pending.
#[track_caller]
fn parked_stream<T>(rx: &Receiver<T>) -> (Poller, Receiver<T>) {
    let (poller, mut stream) = (Poller::default(), rx.clone());
    assert!(poller.next(&mut stream).is_pending());
    (poller, stream)
}

/// A handle with an item that waits for its turn.
#[track_caller]
fn staged_sink<T>(tx: &Sender<T>, item: T) -> (Poller, Sender<T>) {
    let (poller, mut sink) = (Poller::default(), tx.clone());
    assert!(matches!(poller.ready(&mut sink), Poll::Ready(Ok(()))));
    assert!(sink.start_send_unpin(item).is_ok());
    assert!(poller.flush(&mut sink).is_pending());
    (poller, sink)
}

// The stream.

#[test]
fn a_receiver_on_a_plain_local_is_a_stream() {
    let (tx, mut rx) = unbounded();
    (0..3).for_each(|n| tx.try_send(n).unwrap());
    drop(tx);
    let received = async {
        let mut received = Vec::new();
        while let Some(n) = rx.next().await {
            received.push(n);
        }
        received
    };
    assert_eq!(block_on(received), [0, 1, 2]);
}

#[test]
fn a_pending_stream_keeps_its_place_from_poll_to_poll() {
    let (tx, rx) = bounded(0);
    let (poller, mut stream) = parked_stream(&rx);
    let mut behind = parked(rx.recv());
    for _ in 0..3 {
        assert!(poller.next(&mut stream).is_pending());
    }
    assert_eq!(tx.snapshot().recvq, 2);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    assert_eq!(poller.next(&mut stream), Poll::Ready(Some(1)));
    assert_eq!(behind.poll(), Poll::Ready(Ok(2)));
}

#[test]
fn several_sends_wake_a_parked_stream_once() {
    let (tx, rx) = bounded(3);
    let (poller, mut stream) = parked_stream(&rx);
    (0..4).for_each(|n| tx.try_send(n).unwrap());
    assert_eq!(poller.wakes(), 1);
    for n in 0..4 {
        assert_eq!(poller.next(&mut stream), Poll::Ready(Some(n)));
    }
    assert_eq!(poller.wakes(), 1);
    assert!(poller.next(&mut stream).is_pending());
    drop(tx);
    assert_eq!(poller.wakes(), 2);
}

#[test]
fn the_task_that_polled_last_is_woken() {
    let (tx, rx) = bounded(0);
    let (first, mut stream) = parked_stream(&rx);
    let second = Poller::default();
    assert!(second.next(&mut stream).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!((first.wakes(), second.wakes()), (0, 1));
    assert_eq!(first.next(&mut stream), Poll::Ready(Some(1)));
}

#[test]
fn a_stream_ends_for_good_once_closed_and_drained() {
    each_capacity(|capacity, tx, mut rx| {
        let poller = Poller::default();
        let inside = capacity.unwrap_or(5);
        (0..inside).for_each(|n| tx.try_send(n).unwrap());
        tx.close();
        for n in 0..inside {
            assert_eq!(poller.next(&mut rx), Poll::Ready(Some(n)));
        }
        for _ in 0..3 {
            assert_eq!(poller.next(&mut rx), Poll::Ready(None));
        }
    });
}

#[test]
fn a_stream_is_terminated_only_after_it_returned_none() {
    let (tx, mut rx) = bounded(1);
    assert!(!rx.is_terminated());
    tx.try_send(1).unwrap();
    drop(tx);
    assert!(!rx.is_terminated());
    assert_eq!(rx.next().now_or_never(), Some(Some(1)));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert_eq!(ready(rx.recv()), Err(RecvError));
    assert!(!rx.is_terminated());
    assert_eq!(rx.next().now_or_never(), Some(None));
    assert!(rx.is_terminated());
    assert!(!rx.clone().is_terminated());
}

#[test]
fn a_stream_does_not_end_while_another_receive_may_give_its_value_back() {
    let (tx, rx) = bounded(1);
    let handed = parked(rx.recv());
    tx.try_send(1).unwrap();
    drop(tx);
    let (poller, mut stream) = parked_stream(&rx);
    assert!(!stream.is_terminated());
    drop(handed);
    assert_eq!(poller.wakes(), 1);
    assert_eq!(poller.next(&mut stream), Poll::Ready(Some(1)));
    assert_eq!(poller.next(&mut stream), Poll::Ready(None));
}

#[test]
fn a_stream_promises_nothing_about_its_length() {
    let (tx, rx) = unbounded();
    assert_eq!(rx.size_hint(), (0, None));
    tx.try_send(1).unwrap();
    assert_eq!(rx.size_hint(), (0, None));
    tx.close();
    assert_eq!(rx.size_hint(), (0, None));
}

#[test]
fn a_dropped_stream_leaves_the_line() {
    let (tx, rx) = bounded(0);
    let (first, stream) = parked_stream(&rx);
    let mut behind = parked(rx.recv());
    drop(stream);
    assert_eq!(tx.snapshot().recvq, 1);
    tx.try_send(1).unwrap();
    assert_eq!(behind.poll(), Poll::Ready(Ok(1)));
    assert_eq!(first.wakes(), 0);
    assert!(tx.try_send(2).unwrap_err().is_full());
}

#[test]
fn a_dropped_stream_passes_its_value_to_the_next_in_line() {
    let (tx, rx) = bounded(0);
    let (_, stream) = parked_stream(&rx);
    let (poller, mut next) = parked_stream(&rx);
    tx.try_send(1).unwrap();
    drop(stream);
    assert_eq!(poller.wakes(), 1);
    assert_eq!(poller.next(&mut next), Poll::Ready(Some(1)));
}

#[test]
fn a_dropped_stream_puts_its_value_back_in_its_place() {
    each_capacity(|capacity, tx, rx| {
        let (_, first) = parked_stream(&rx);
        let (_, second) = parked_stream(&rx);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        let younger = tx.try_send(3);
        drop(first);
        drop(second);
        assert_eq!(rx.len(), if capacity == Some(0) { 2 } else { 3 });
        assert!(
            rx.drain()
                .eq((1..=3).take(2 + usize::from(younger.is_ok())))
        );
    });
}

#[test]
fn the_value_of_the_last_stream_is_dropped_once() {
    let (tx, rx) = bounded(0);
    let drops = Drops::default();
    let (_, stream) = parked_stream(&rx);
    drop(rx);
    tx.try_send(drops.value(1)).ok().unwrap();
    drop(stream);
    assert_eq!(drops.count(), 1);
    assert!(tx.is_closed());
}

#[test]
fn what_the_stream_was_handed_is_there_for_any_receive_on_the_handle() {
    fn check(receive: impl FnOnce(&mut Receiver<i32>) -> i32) {
        let (tx, rx) = bounded(4);
        let (_, mut stream) = parked_stream(&rx);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        assert_eq!(receive(&mut stream), 1);
        assert_eq!(ready(rx.recv()), Ok(2));
    }

    check(|rx| ready(rx.recv()).unwrap());
    check(|rx| ready(rx.next()).unwrap());
    check(|rx| rx.try_recv().unwrap());
    check(|rx| rx.recv_blocking().unwrap());
    check(|rx| rx.try_iter().next().unwrap());
    check(|rx| rx.iter().next().unwrap());
    check(|rx| block_on(rx.recv_until(std::future::pending::<()>())).unwrap());
    check(|rx| {
        let mut out = Vec::new();
        assert_eq!(ready(rx.recv_many(&mut out, 1)), Ok(1));
        out[0]
    });
    check(|rx| {
        let mut out = Vec::new();
        assert_eq!(rx.try_recv_many(&mut out, 1), Ok(1));
        out[0]
    });
    check(|rx| block_on(poll_fn(|cx| rx.poll_recv(cx))).unwrap());
}

#[test]
fn draining_the_handle_begins_with_what_the_stream_was_handed() {
    let (tx, rx) = bounded(2);
    let (_, stream) = parked_stream(&rx);
    (1..=3).for_each(|n| tx.try_send(n).unwrap());
    assert!(stream.drain().eq([1, 2, 3]));
}

#[test]
fn a_receive_on_the_handle_gives_the_place_of_its_stream_up() {
    let (tx, rx) = bounded(0);
    let (poller, stream) = parked_stream(&rx);
    let mut behind = parked(rx.recv());
    let recv = parked(stream.recv());
    assert_eq!(tx.snapshot().recvq, 2);
    tx.try_send(1).unwrap();
    assert_eq!((poller.wakes(), recv.wakes(), behind.wakes()), (0, 0, 1));
    assert_eq!(behind.poll(), Poll::Ready(Ok(1)));
}

#[test]
fn a_try_on_the_handle_gives_the_place_of_its_stream_up() {
    let (tx, rx) = bounded(0);
    let (poller, mut stream) = parked_stream(&rx);
    let behind = parked(rx.recv());
    assert_eq!(stream.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(Arc::strong_count(&poller.0), 1);
    assert!(poller.next(&mut stream).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!((poller.wakes(), behind.wakes()), (0, 1));
    tx.try_send(2).unwrap();
    assert_eq!(poller.next(&mut stream), Poll::Ready(Some(2)));
}

#[test]
fn a_next_ends_the_stream_as_a_poll_does() {
    let (tx, mut rx) = bounded(1);
    tx.try_send(1).unwrap();
    drop(tx);
    assert_eq!(ready(rx.next()), Some(1));
    assert!(!rx.is_terminated() && !rx.next().is_terminated());
    assert_eq!(ready(rx.next()), None);
    assert!(rx.is_terminated());
    // A select passes it by; whoever polls it all the same is told again.
    assert!(rx.next().is_terminated());
    assert_eq!(ready(rx.next()), None);
    assert_eq!(Poller::default().next(&mut rx), Poll::Ready(None));
}

#[test]
fn a_next_that_loses_a_select_holds_nobody_up() {
    let (tx, rx) = bounded(0);
    let mut stream = rx.clone();
    block_on(async {
        futures::select_biased! {
            _ = stream.next() => unreachable!("nobody sends"),
            () = std::future::ready(()).fuse() => {}
        }
    });
    assert_eq!(rx.snapshot().recvq, 0);
    let mut other = parked(rx.recv());
    tx.try_send(1).unwrap();
    assert_eq!(other.poll(), Poll::Ready(Ok(1)));
    // That of `StreamExt` leaves the handle in line, as its docs say of a pending `poll_next`.
    assert_eq!(StreamExt::next(&mut stream).now_or_never(), None);
    assert_eq!(rx.snapshot().recvq, 1);
}

#[test]
fn clones_stand_in_line_each_for_itself() {
    let (tx, rx) = bounded(0);
    let (first, mut stream) = parked_stream(&rx);
    let (second, mut clone) = parked_stream(&stream);
    tx.try_send(1).unwrap();
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    tx.try_send(2).unwrap();
    assert_eq!(second.next(&mut clone), Poll::Ready(Some(2)));
    assert_eq!(first.next(&mut stream), Poll::Ready(Some(1)));
}

#[test]
fn a_stream_of_a_never_channel_waits_and_keeps_no_waker() {
    let (_tx, rx) = never::<()>();
    let (poller, stream) = parked_stream(&rx);
    assert_eq!(Arc::strong_count(&poller.0), 1);
    assert!(!stream.is_terminated());
}

#[test]
fn streams_merge_in_a_select_until_all_have_ended() {
    let ((left_tx, mut left), (right_tx, mut right)) = (bounded(2), bounded(2));
    for n in [1, 2] {
        left_tx.try_send(n).unwrap();
        right_tx.try_send(10 * n).unwrap();
    }
    drop((left_tx, right_tx));
    let sum = block_on(async {
        let mut sum = 0;
        loop {
            futures::select! {
                n = left.next() => sum += n.unwrap_or(0),
                n = right.next() => sum += n.unwrap_or(0),
                complete => break sum,
            }
        }
    });
    assert_eq!(sum, 33);
}

// The sink.

#[test]
fn a_sink_with_room_sends_at_once() {
    let (mut tx, rx) = bounded(1);
    let poller = Poller::default();
    assert_eq!(poller.ready(&mut tx), Poll::Ready(Ok(())));
    assert_eq!(tx.start_send_unpin(1), Ok(()));
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(poller.flush(&mut tx), Poll::Ready(Ok(())));
}

#[test]
fn an_item_that_meets_no_receiver_is_staged_as_a_parked_send() {
    let (tx, rx) = bounded(0);
    let (poller, mut sink) = staged_sink(&tx, 1);
    assert_eq!((tx.len(), tx.snapshot().sendq), (0, 1));
    assert!(poller.ready(&mut sink).is_pending());

    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(poller.wakes(), 1);
    assert_eq!(poller.flush(&mut sink), Poll::Ready(Ok(())));
    assert_eq!(poller.ready(&mut sink), Poll::Ready(Ok(())));
}

#[test]
fn a_staged_item_keeps_its_turn() {
    let (tx, rx) = bounded(0);
    let (poller, mut sink) = staged_sink(&tx, 1);
    let mut behind = parked(tx.send(2));
    for _ in 0..3 {
        assert!(poller.flush(&mut sink).is_pending());
        assert!(poller.ready(&mut sink).is_pending());
    }
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!((poller.wakes(), behind.wakes()), (1, 0));
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(behind.poll(), Poll::Ready(Ok(())));
    assert_eq!(poller.flush(&mut sink), Poll::Ready(Ok(())));
}

#[test]
fn another_send_on_the_handle_goes_behind_the_staged_item() {
    let (tx, rx) = bounded(0);
    let (_, sink) = staged_sink(&tx, 1);
    let mut send = parked(sink.send(2));
    assert!(rx.drain().eq([1, 2]));
    assert_eq!(send.poll(), Poll::Ready(Ok(())));
}

#[test]
fn the_task_that_polled_a_staged_item_last_is_woken() {
    let (tx, rx) = bounded(0);
    let (first, mut sink) = staged_sink(&tx, 1);
    let second = Poller::default();
    assert!(second.ready(&mut sink).is_pending());
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!((first.wakes(), second.wakes()), (0, 1));
}

#[test]
fn start_send_on_an_unready_sink_panics_and_overwrites_nothing() {
    let (tx, rx) = bounded(0);
    let (poller, mut sink) = staged_sink(&tx, 1);
    let start = catch_unwind(AssertUnwindSafe(|| sink.start_send_unpin(2)));
    assert!(start.is_err());
    assert_eq!(tx.snapshot().sendq, 1);
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(poller.wakes(), 1, "the task that waits for the staged item");
    assert_eq!(poller.flush(&mut sink), Poll::Ready(Ok(())));
    assert!(rx.try_recv().is_err());
}

#[test]
fn start_send_on_an_unready_sink_that_was_closed_loses_no_error() {
    let (tx, rx) = bounded(0);
    let (poller, mut sink) = staged_sink(&tx, 1);
    rx.close();
    let start = catch_unwind(AssertUnwindSafe(|| sink.start_send_unpin(2)));
    assert!(start.is_err());
    assert_eq!(poller.flush(&mut sink), Poll::Ready(Err(SendError(1))));
}

#[test]
fn close_gives_the_staged_item_back() {
    let (tx, rx) = bounded(0);
    let (poller, mut sink) = staged_sink(&tx, 1);
    rx.close();
    assert_eq!(poller.wakes(), 1);
    assert_eq!(poller.flush(&mut sink), Poll::Ready(Err(SendError(1))));
    assert_eq!(poller.flush(&mut sink), Poll::Ready(Ok(())));
    let (poller, mut sink) = {
        let (tx, rx) = bounded(0);
        let staged = staged_sink(&tx, 2);
        drop(rx);
        staged
    };
    assert_eq!(poller.ready(&mut sink), Poll::Ready(Err(SendError(2))));
}

#[test]
fn a_closed_sink_is_ready_and_gives_each_item_back() {
    each_capacity(|_, mut tx, rx| {
        drop(rx);
        for n in 0..2 {
            assert_eq!(Poller::default().ready(&mut tx), Poll::Ready(Ok(())));
            assert_eq!(tx.start_send_unpin(n), Err(SendError(n)));
        }
        assert_eq!(block_on(SinkExt::send(&mut tx, 2)), Err(SendError(2)));
    });
}

#[test]
fn poll_close_waits_for_the_staged_item() {
    let (tx, rx) = bounded(0);
    let (poller, mut sink) = staged_sink(&tx, 1);
    assert!(poller.close(&mut sink).is_pending());
    assert_eq!(tx.sender_count(), 2);
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(poller.wakes(), 1);
    assert_eq!(poller.close(&mut sink), Poll::Ready(Ok(())));
    assert_eq!(tx.sender_count(), 1);
}

#[test]
fn poll_close_gives_up_this_handle_only() {
    let (mut tx, rx) = bounded(1);
    let mut other = tx.clone();
    let poller = Poller::default();
    assert_eq!(poller.close(&mut tx), Poll::Ready(Ok(())));
    assert!(!rx.is_closed());
    assert_eq!(rx.sender_count(), 1);
    assert_eq!(other.try_send(1), Ok(()));

    assert_eq!(poller.close(&mut other), Poll::Ready(Ok(())));
    assert!(rx.is_closed());
    assert!(rx.drain().eq([1]));
}

#[test]
fn a_sink_that_was_given_up_gives_each_item_back() {
    let (mut tx, rx) = bounded(1);
    let _other = tx.clone();
    let poller = Poller::default();
    assert_eq!(poller.close(&mut tx), Poll::Ready(Ok(())));
    assert_eq!(poller.close(&mut tx), Poll::Ready(Ok(())));
    assert_eq!(poller.flush(&mut tx), Poll::Ready(Ok(())));
    assert_eq!(poller.ready(&mut tx), Poll::Ready(Ok(())));
    assert_eq!(tx.start_send_unpin(1), Err(SendError(1)));
    drop(tx);
    assert_eq!(rx.sender_count(), 1);
}

#[test]
fn poll_close_on_a_closed_channel_gives_the_staged_item_back() {
    let (tx, rx) = bounded(0);
    let (poller, mut sink) = staged_sink(&tx, 1);
    rx.close();
    assert_eq!(poller.close(&mut sink), Poll::Ready(Err(SendError(1))));
    assert_eq!(poller.close(&mut sink), Poll::Ready(Ok(())));
}

#[test]
fn a_dropped_sink_drops_its_staged_item_once_and_leaves_the_line() {
    let (tx, rx) = bounded(0);
    let drops = Drops::default();
    let (_, sink) = staged_sink(&tx, drops.value(1));
    let mut behind = parked(tx.send(drops.value(2)));
    drop(sink);
    assert_eq!((drops.count(), tx.snapshot().sendq), (1, 1));
    assert_eq!(rx.try_recv().ok().map(|value| value.id), Some(2));
    assert!(behind.poll().is_ready());
    assert_eq!(drops.count(), 2);
}

#[test]
fn a_dropped_sink_has_sent_an_item_that_was_taken() {
    let (tx, rx) = bounded(0);
    let (_, sink) = staged_sink(&tx, 2);
    assert_eq!(rx.try_recv(), Ok(2));
    drop((sink, tx));
    assert!(rx.try_recv().is_err());
}

#[test]
fn sinks_stage_each_for_itself() {
    let (tx, rx) = bounded(0);
    let (first, mut first_sink) = staged_sink(&tx, 1);
    let (second, mut second_sink) = staged_sink(&first_sink, 2);
    assert_eq!(tx.snapshot().sendq, 2);
    assert!(rx.drain().eq([1, 2]));
    assert_eq!((first.wakes(), second.wakes()), (1, 1));
    assert!(first.flush(&mut first_sink).is_ready());
    assert!(second.flush(&mut second_sink).is_ready());
}

#[test]
fn a_sink_of_a_never_channel_is_never_ready() {
    let (tx, _rx) = never();
    let (poller, mut sink) = (Poller::default(), tx.clone());
    assert!(poller.ready(&mut sink).is_pending());
    assert!(poll_once(SinkExt::send(&mut sink, 1)).is_pending());
    assert_eq!(Arc::strong_count(&poller.0), 1);
    assert_eq!(poller.flush(&mut sink), Poll::Ready(Ok(())));
    assert_eq!(poller.close(&mut sink), Poll::Ready(Ok(())));
}

#[test]
fn poll_send_stages_one_value_and_sends_the_next_after_it() {
    let (mut tx, rx) = bounded(0);
    let poller = Poller::default();
    let mut item = Some(1);
    assert!(poller.poll(|cx| tx.poll_send(cx, &mut item)).is_pending());
    assert_eq!(item, None);

    item = Some(2);
    assert!(poller.poll(|cx| tx.poll_send(cx, &mut item)).is_pending());
    assert_eq!((item, tx.snapshot().sendq), (Some(2), 1));
    assert_eq!(rx.try_recv(), Ok(1));
    assert!(poller.poll(|cx| tx.poll_send(cx, &mut item)).is_pending());
    assert_eq!(item, None);

    rx.close();
    item = Some(3);
    let refused = poller.poll(|cx| tx.poll_send(cx, &mut item));
    assert_eq!((refused, item), (Poll::Ready(Err(SendError(2))), Some(3)));
    let refused = poller.poll(|cx| tx.poll_send(cx, &mut item));
    assert_eq!((refused, item), (Poll::Ready(Err(SendError(3))), None));
}

#[test]
fn forward_takes_no_more_than_there_is_room_for() {
    const ITEMS: usize = 50;
    for capacity in [0, 1, 3] {
        let (tx, rx) = bounded(capacity);
        let taken = std::cell::Cell::new(0);
        let source = stream::iter(0..ITEMS).inspect(|_| taken.set(taken.get() + 1));
        let mut forward = source.map(Ok).forward(tx).fuse().boxed_local();
        for n in 0..ITEMS {
            if let Poll::Ready(end) = poll_once(&mut forward) {
                assert_eq!((end, taken.get()), (Ok(()), ITEMS));
            }
            // In the ring, staged, and in the hand of `forward`.
            assert!(taken.get() - n <= capacity + 2);
            assert_eq!(rx.try_recv(), Ok(n));
        }
        let _end = poll_once(&mut forward);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    }
}

#[test]
fn forward_ends_with_the_item_that_found_the_channel_closed() {
    let (tx, rx) = bounded(0);
    let mut forward = stream::iter(0..9).map(Ok).forward(tx);
    assert!(poll_once(&mut forward).is_pending());
    assert_eq!(rx.try_recv(), Ok(0));
    assert!(poll_once(&mut forward).is_pending());
    drop(rx);
    assert_eq!(poll_once(&mut forward), Poll::Ready(Err(SendError(1))));
}

#[test]
fn send_all_sends_all_and_leaves_the_sink_open() {
    each_capacity(|_, mut tx, mut rx| {
        let mut items = stream::iter(0..20).map(Ok);
        let (sent, received) = block_on(async {
            futures::join!(tx.send_all(&mut items), async {
                let received: Vec<i32> = rx.by_ref().take(20).collect().await;
                received
            })
        });
        assert_eq!(sent, Ok(()));
        assert!(received.into_iter().eq(0..20));
        assert!(!tx.is_closed());
    });
}

#[test]
fn a_pipeline_of_streams_and_sinks_keeps_the_order() {
    each_capacity(|_, tx, rx| {
        let (out_tx, out_rx) = bounded(1);
        let (fed, doubled, received) = block_on(async {
            futures::join!(
                stream::iter(0..50).map(Ok).forward(tx),
                rx.map(|n| Ok(2 * n)).forward(out_tx),
                out_rx.collect::<Vec<i32>>(),
            )
        });
        assert_eq!((fed, doubled), (Ok(()), Ok(())));
        assert!(received.into_iter().eq((0..50).map(|n| 2 * n)));
    });
}

#[test]
fn pinned_handles_do_as_plain_ones() {
    let (mut tx, mut rx) = bounded(1);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut tx).poll_ready(&mut cx).is_ready());
    Pin::new(&mut tx).start_send(1).unwrap();
    let next = Pin::new(&mut rx).poll_next(&mut cx);
    assert_eq!(next, Poll::Ready(Some(1)));
}
