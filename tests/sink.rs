//! A sender is a sink that is ready once it holds a slot; what it accepted then is sent.
#![cfg(all(feature = "std", feature = "sink"))]

mod support;

use std::sync::Arc;
use std::task::Poll::{self, Ready};
use std::task::{Context, Waker};

use futures::executor::block_on;
use futures::{SinkExt, StreamExt, TryStreamExt, future, join, stream};
use hchan::{SendError, Sender, bounded, unbounded};

use support::{Wakes, each_capacity, each_with_slots, parked, poll_once, ready, values};

/// Polls whether the sink is ready, with a waker that counts.
fn poll_ready<T>(sink: &mut Sender<T>, wakes: &Arc<Wakes>) -> Poll<Result<(), SendError<T>>> {
    let waker = Waker::from(wakes.clone());
    sink.poll_ready_unpin(&mut Context::from_waker(&waker))
}

fn is_ready<T>(sink: &mut Sender<T>) -> bool {
    poll_ready(sink, &Arc::default()).is_ready()
}

fn is_flushed<T>(sink: &mut Sender<T>) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    matches!(sink.poll_flush_unpin(&mut cx), Ready(Ok(())))
}

#[test]
fn ready_is_to_hold_a_slot() {
    each_with_slots(|capacity, mut tx, rx| {
        for n in 0..3 {
            assert!(is_ready(&mut tx) && is_ready(&mut tx));
            if capacity == Some(1) {
                assert!(rx.is_full() && rx.is_empty());
            }
            assert_eq!(tx.start_send_unpin(n), Ok(()));
            assert!(is_flushed(&mut tx));
            assert_eq!(rx.try_recv(), Ok(n));
        }
        assert!(!rx.is_full());
    });
}

#[test]
fn a_full_channel_is_not_ready_and_wakes_the_sink_with_its_slot() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let (mut first, mut second) = (tx.clone(), tx.clone());
    let (first_wakes, second_wakes) = (Arc::default(), Arc::default());
    assert!(poll_ready(&mut first, &first_wakes).is_pending());
    assert!(poll_ready(&mut second, &second_wakes).is_pending());
    assert!(is_flushed(&mut first), "which gives up no place");
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!((first_wakes.count(), second_wakes.count()), (1, 0));
    assert!(tx.try_send(9).is_err(), "nobody overtakes");
    assert!(poll_ready(&mut second, &second_wakes).is_pending());
    assert!(poll_ready(&mut first, &first_wakes).is_ready());
    assert_eq!(first.start_send_unpin(2), Ok(()));
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(second_wakes.count(), 1);
}

#[test]
fn neither_a_drop_nor_a_close_loses_an_item_that_was_accepted() {
    each_with_slots(|_, tx, rx| {
        let (mut first, mut second) = (tx.clone(), tx.clone());
        assert!(is_ready(&mut first));
        assert_eq!(first.start_send_unpin(1), Ok(()));
        drop(first);
        assert_eq!(rx.try_recv(), Ok(1));
        assert!(is_ready(&mut second));
        assert_eq!(second.start_send_unpin(2), Ok(()));
        rx.close();
        assert!(is_flushed(&mut second));
        assert_eq!(rx.try_recv(), Ok(2));
    });
}

#[test]
fn a_receiver_that_waits_gets_the_item() {
    each_capacity(|_, mut tx, rx| {
        assert!(is_ready(&mut tx));
        let mut recv = parked(rx.recv());
        assert_eq!(tx.start_send_unpin(1), Ok(()));
        assert_eq!((recv.wakes(), recv.poll()), (1, Ready(Ok(1))));
        assert!(is_flushed(&mut tx) && is_ready(&mut tx));
    });
}

#[test]
fn a_slot_that_close_came_before_returns_its_item() {
    each_with_slots(|capacity, mut tx, rx| {
        assert!(is_ready(&mut tx));
        rx.close();
        assert!(is_ready(&mut tx));
        assert_eq!(tx.start_send_unpin(1), Err(SendError(1)));
        assert!(is_ready(&mut tx));
        assert_eq!(tx.start_send_unpin(2), Err(SendError(2)));
        assert_eq!(rx.is_full(), capacity == Some(0));
    });
    let (mut tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let wakes = Arc::default();
    assert!(poll_ready(&mut tx, &wakes).is_pending());
    rx.close();
    assert_eq!(wakes.count(), 1);
    assert_eq!(poll_ready(&mut tx, &wakes), Ready(Ok(())));
    assert_eq!(tx.start_send_unpin(1), Err(SendError(1)));
}

#[test]
fn an_idle_handle_gives_its_slot_up_when_it_is_dropped_closed_or_used_otherwise() {
    type GiveUp = fn(Sender<i32>) -> Option<Sender<i32>>;

    let give_up: [GiveUp; 4] = [
        |tx| {
            drop(tx);
            None
        },
        |mut tx| {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(tx.poll_close_unpin(&mut cx).is_ready());
            Some(tx)
        },
        |tx| {
            drop(Sender::send(&tx, 7));
            Some(tx)
        },
        |mut tx| {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(tx.poll_send(&mut cx, &mut None).is_ready());
            Some(tx)
        },
    ];
    for give_up in give_up {
        let (tx, rx) = bounded(1);
        let mut sink = tx.clone();
        assert!(is_ready(&mut sink));
        let mut send = parked(tx.send(1));
        let _kept = give_up(sink);
        assert_eq!((send.wakes(), send.poll()), (1, Ready(Ok(()))));
        assert_eq!(rx.try_recv(), Ok(1));
    }
}

#[test]
fn a_handle_that_was_closed_as_a_sink_answers_like_one_of_a_closed_channel() {
    let (mut tx, rx) = bounded(2);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(tx.poll_close_unpin(&mut cx).is_ready());
    assert!(tx.is_closed() && rx.is_closed());
    ready(tx.closed());
    assert_eq!(ready(Sender::send(&tx, 1)), Err(SendError(1)));
    assert!(is_ready(&mut tx) && is_flushed(&mut tx));
    assert_eq!(tx.start_send_unpin(2), Err(SendError(2)));
    assert!(ready(tx.reserve()).is_err());
    assert!(tx.try_reserve().unwrap_err().is_closed());
    assert!(matches!(
        tx.poll_reserve(&mut cx),
        Ready(Err(SendError(())))
    ));
    assert!(tx.try_reserve_owned().unwrap_err().is_closed());
}

#[test]
fn a_handle_that_holds_a_slot_can_send_by_itself() {
    let (mut tx, rx) = bounded(1);
    assert!(is_ready(&mut tx));
    assert_eq!(tx.try_send(1), Ok(()));
    assert!(!is_ready(&mut tx));
    assert_eq!(values(&rx), [1]);
    // The slot of `poll_ready` is the permit of `poll_reserve`.
    assert!(is_ready(&mut tx));
    let mut cx = Context::from_waker(Waker::noop());
    let Ready(Ok(permit)) = tx.poll_reserve(&mut cx) else {
        panic!("it holds a slot");
    };
    assert!(!is_ready(&mut tx));
    permit.send(2).map(drop).unwrap();
    assert_eq!(values(&rx), [2]);
}

#[test]
fn start_send_without_ready_sends_or_stages() {
    let (mut tx, rx) = bounded(1);
    assert_eq!(tx.start_send_unpin(1), Ok(()));
    assert!(is_flushed(&mut tx));
    assert_eq!(tx.start_send_unpin(2), Ok(()));
    assert!(!is_flushed(&mut tx));
    let wakes = Arc::default();
    assert!(poll_ready(&mut tx, &wakes).is_pending());
    assert_eq!(tx.snapshot().sendq, 1);
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(wakes.count(), 1);
    // The staged item is sent; now it waits for a slot of its own.
    assert!(poll_ready(&mut tx, &wakes).is_pending());
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(wakes.count(), 2);
    assert!(is_ready(&mut tx));
}

#[test]
fn what_was_staged_comes_back_when_the_channel_is_closed() {
    let (mut tx, rx) = bounded(1);
    (1..=2).for_each(|n| tx.start_send_unpin(n).unwrap());
    rx.close();
    assert_eq!(
        poll_ready(&mut tx, &Arc::default()),
        Ready(Err(SendError(2)))
    );
    assert_eq!(poll_ready(&mut tx, &Arc::default()), Ready(Ok(())));
}

// With the adapters of `futures`.

#[test]
fn a_fanout_sends_each_item_to_both() {
    block_on(async {
        let ((left, left_rx), (right, right_rx)) = (bounded(1), bounded(2));
        let sink = left.fanout(right);
        let sent = stream::iter(0..50).map(Ok).forward(sink);
        let (sent, left, right) = join!(
            sent,
            left_rx.collect::<Vec<_>>(),
            right_rx.collect::<Vec<_>>()
        );
        assert_eq!(sent, Ok(()));
        assert!(left == right && left.into_iter().eq(0..50));
    });
}

#[test]
fn a_fanout_with_one_full_side_holds_a_slot_of_the_other() {
    let ((left, left_rx), (right, right_rx)) = (bounded(1), bounded(1));
    right.try_send(0).unwrap();
    let mut sink = left.clone().fanout(right);
    assert!(poll_once(sink.send(1)).is_pending());
    assert!(left_rx.is_empty() && left_rx.is_full());
    drop(sink);
    assert!(!left_rx.is_full());
    assert_eq!(values(&right_rx), [0]);
}

#[test]
fn items_are_mapped_on_their_way_by_with() {
    block_on(async {
        let (tx, rx) = bounded(1);
        let mut sink = tx.with(|n: i32| future::ok::<_, SendError<i32>>(10 * n));
        let sent = async {
            for n in 0..20 {
                sink.send(n).await.unwrap();
            }
            drop(sink);
        };
        let ((), received) = join!(sent, rx.collect::<Vec<_>>());
        assert!(received.into_iter().eq((0..20).map(|n| 10 * n)));
    });
}

#[test]
fn send_all_sends_all_and_flushes() {
    block_on(async {
        let (mut tx, rx) = bounded(1);
        let sent = async {
            let mut items = stream::iter(0..20).map(Ok);
            tx.send_all(&mut items).await.unwrap();
            drop(tx);
        };
        let ((), received) = join!(sent, rx.collect::<Vec<_>>());
        assert!(received.into_iter().eq(0..20));
    });
}

#[test]
fn two_streams_forward_into_one_slot() {
    block_on(async {
        let (tx, rx) = bounded(1);
        let other = tx.clone();
        let (first, second, received) = join!(
            stream::iter(0..100).map(Ok).forward(tx),
            stream::iter(100..200).map(Ok).forward(other),
            rx.collect::<Vec<i32>>(),
        );
        assert_eq!((first, second), (Ok(()), Ok(())));
        let (low, high): (Vec<_>, Vec<_>) = received.into_iter().partition(|n| *n < 100);
        assert!(low.into_iter().eq(0..100) && high.into_iter().eq(100..200));
    });
}

#[tokio::test]
async fn streams_of_many_tasks_forward_into_one_slot() {
    let (tx, rx) = bounded(1);
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let items = stream::iter((0..50).map(move |n| (task, n))).map(Ok);
            tokio::spawn(items.forward(tx.clone()))
        })
        .collect();
    drop(tx);
    let received: Vec<(usize, usize)> = rx.collect().await;
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    for task in 0..8 {
        let own = received.iter().filter(|item| item.0 == task);
        assert!(own.map(|item| item.1).eq(0..50));
    }
}

#[test]
fn a_buffer_before_the_sink_loses_nothing_that_was_flushed() {
    block_on(async {
        let (tx, rx) = bounded(1);
        let sent = async {
            let mut sink = tx.buffer(4);
            for n in 0..20 {
                sink.feed(n).await.unwrap();
            }
            sink.close().await.unwrap();
        };
        let ((), received) = join!(sent, rx.collect::<Vec<_>>());
        assert!(received.into_iter().eq(0..20));
    });
}

#[test]
fn a_channel_that_is_closed_in_the_middle_gives_the_item_back() {
    block_on(async {
        let (tx, rx) = bounded(1);
        let sent = stream::iter(0..).map(Ok).forward(tx);
        let received = async {
            let received: Vec<i32> = rx.clone().take(3).collect().await;
            rx.close();
            (received, rx.collect::<Vec<_>>().await)
        };
        let (sent, (received, rest)) = join!(sent, received);
        let SendError(refused) = sent.unwrap_err();
        assert!(received.into_iter().chain(rest).eq(0..refused), "none lost");
    });
}

#[test]
fn an_error_need_not_carry_the_item() {
    let (tx, rx) = bounded(1);
    drop(rx);
    let items = stream::iter([Ok(std::rc::Rc::new(1))]);
    let sink = tx.sink_map_err(|_| "gone");
    assert_eq!(block_on(items.forward(sink)), Err("gone"));
}

#[test]
fn a_sink_without_a_limit_is_always_ready() {
    let (tx, rx) = unbounded();
    let items = stream::iter(0..100).map(Ok::<_, SendError<i32>>);
    block_on(items.try_for_each(|n| {
        let mut tx = tx.clone();
        async move { SinkExt::send(&mut tx, n).await }
    }))
    .unwrap();
    assert!(rx.drain().eq(0..100));
}
