//! The promise of an end: closing returns what was not sent, keeps what was, and is final.

mod support;

use std::collections::{HashSet, VecDeque};
use std::future::{Future, poll_fn};
use std::mem;
use std::sync::Arc;
use std::task::Poll::{Pending, Ready};
use std::task::{Context, Waker};
use std::time::Duration;

use futures::future::FusedFuture;
use hchan::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError,
    TrySendError, bounded, never,
};
use support::{
    Drops, Task, Wakes, each_capacity, each_limit, fill, handed, parked, poll_once, ready, values,
};

/// Asks in every way there is, again and again, whether the channel is over.
#[track_caller]
fn assert_over<T>(rx: &Receiver<T>) {
    let mut handle = rx.clone();
    let mut out = Vec::new();
    for _ in 0..3 {
        assert_eq!(rx.try_recv().err(), Some(TryRecvError::Closed));
        assert_eq!(ready(rx.recv()).err(), Some(RecvError));
        assert_eq!(ready(rx.recv_many(&mut out, 9)), Err(RecvError));
        assert_eq!(rx.try_recv_many(&mut out, 9), Err(TryRecvError::Closed));
        let polled = ready(poll_fn(|cx| handle.poll_recv(cx)));
        assert_eq!(polled.err(), Some(RecvError));
        assert_eq!(rx.recv_blocking().err(), Some(RecvError));
        assert_eq!((rx.drain().len(), rx.try_iter().count()), (0, 0));
        assert_eq!((rx.iter().count(), rx.len(), out.len()), (0, 0, 0));
    }
}

/// Asks in every way there is whether the channel is over, while that is not certain.
#[track_caller]
fn assert_undecided<T>(rx: &Receiver<T>) {
    let mut handle = rx.clone();
    let mut out = Vec::new();
    assert_eq!(rx.try_recv().err(), Some(TryRecvError::Empty));
    assert!(poll_once(rx.recv()).is_pending());
    assert!(poll_once(rx.recv_many(&mut out, 9)).is_pending());
    assert_eq!(rx.try_recv_many(&mut out, 9), Err(TryRecvError::Empty));
    assert!(poll_once(poll_fn(|cx| handle.poll_recv(cx))).is_pending());
    let received = rx.recv_blocking_timeout(Duration::ZERO);
    assert_eq!(received.err(), Some(RecvTimeoutError::Timeout));
    assert_eq!((rx.drain().len(), rx.try_iter().count()), (0, 0));
    assert!(rx.is_closed());
}

// What closing does.

#[test]
fn close_is_true_for_one_caller_only() {
    each_capacity(|_, tx: Sender<u8>, rx| {
        let (other_tx, other_rx) = (tx.clone(), rx.clone());
        assert!(!tx.is_closed() && !rx.is_closed());
        assert!(other_tx.close());
        assert!(!other_tx.close() && !tx.close() && !rx.close() && !other_rx.close());
        assert!(tx.is_closed() && rx.is_closed() && other_rx.is_closed());
    });
    each_capacity(|_, tx: Sender<u8>, rx| {
        assert!(rx.close());
        assert!(!tx.close() && !rx.close());
    });
}

#[test]
fn every_send_on_a_closed_channel_fails_with_its_value() {
    each_capacity(|capacity, mut tx, rx| {
        rx.close();
        assert_eq!(ready(tx.send(1)), Err(SendError(1)));
        assert_eq!(tx.try_send(2), Err(TrySendError::Closed(2)));
        assert_eq!(tx.force_send(3), Err(SendError(3)));
        assert_eq!(tx.send_blocking(4), Err(SendError(4)));
        if capacity != Some(0) {
            assert_eq!(tx.try_reserve().err(), Some(TrySendError::Closed(())));
            assert_eq!(ready(tx.reserve()).err(), Some(SendError(())));
        }

        let (mut slot, mut items) = (Some(5), VecDeque::from([6, 7]));
        assert_eq!(ready(tx.send_from(&mut slot)), Err(SendError(())));
        assert_eq!(ready(tx.send_many(&mut items)), Err(SendError(())));
        assert_eq!((slot, items), (Some(5), VecDeque::from([6, 7])));
        let polled = ready(poll_fn(|cx| tx.poll_send(cx, &mut slot)));
        assert_eq!((polled, slot), (Err(SendError(5)), None));
        assert!(rx.is_empty());
    });
}

#[test]
fn a_send_fails_when_the_channel_is_closed_and_not_when_it_is_full() {
    each_limit(|_, tx, rx| {
        fill(&tx, 0);
        rx.close();
        assert_eq!(tx.try_send(99), Err(TrySendError::Closed(99)));
    });
}

#[test]
fn what_is_inside_can_be_received_after_close_and_then_it_is_over() {
    each_capacity(|capacity, tx, rx| {
        let inside = capacity.unwrap_or(100);
        (0..inside).for_each(|value| tx.try_send(value).unwrap());
        tx.close();
        assert_eq!(rx.len(), inside);
        for value in 0..inside {
            let received = match value % 3 {
                0 => rx.try_recv().ok(),
                1 => ready(rx.recv()).ok(),
                _ => rx.iter().next(),
            };
            assert_eq!(received, Some(value));
        }
        assert_over(&rx);
    });
}

#[test]
fn parked_sends_get_their_values_back_although_there_is_room_later() {
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        let mut sends = [next, next + 1].map(|value| parked(tx.send(value)));
        rx.close();
        assert!(values(&rx).into_iter().eq(0..capacity));
        assert_eq!(sends.each_ref().map(Task::wakes), [1, 1]);
        assert_eq!(sends[0].poll(), Ready(Err(SendError(next))));
        assert_eq!(sends[1].poll(), Ready(Err(SendError(next + 1))));
        assert_over(&rx);
    });
}

#[test]
fn parked_receives_are_told_that_it_is_over() {
    each_capacity(|_, tx: Sender<u8>, rx| {
        let mut recvs = [(); 3].map(|()| parked(rx.recv()));
        let mut out = Vec::new();
        let mut many = parked(rx.recv_many(&mut out, 9));
        tx.close();
        assert_eq!(recvs.each_ref().map(Task::wakes), [1, 1, 1]);
        assert!(
            recvs
                .iter_mut()
                .all(|recv| recv.poll() == Ready(Err(RecvError)))
        );
        assert_eq!((many.wakes(), many.poll()), (1, Ready(Err(RecvError))));
        assert_over(&rx);
    });
}

#[test]
fn a_send_that_was_accepted_before_close_has_succeeded() {
    each_limit(|_, tx, rx| {
        let next = fill(&tx, 0);
        let mut send = parked(tx.send(next));
        assert_eq!(rx.try_recv(), Ok(0));
        rx.close();
        assert_eq!(send.poll(), Ready(Ok(())));
        assert!(values(&rx).into_iter().eq(1..=next));
    });
}

#[test]
fn a_future_of_a_closed_channel_is_not_terminated_before_it_was_polled() {
    let (tx, rx) = bounded(1);
    tx.close();
    let (mut slot, mut items, mut out) = (Some(1), VecDeque::from([1]), Vec::new());
    assert!(!tx.send(1).is_terminated() && !tx.send_from(&mut slot).is_terminated());
    assert!(!tx.send_many(&mut items).is_terminated() && !tx.reserve().is_terminated());
    assert!(!rx.recv().is_terminated() && !rx.recv_many(&mut out, 9).is_terminated());
    assert!(!tx.closed().is_terminated() && !rx.closed().is_terminated());
}

#[test]
fn blocking_calls_on_a_closed_channel_return_at_once_whatever_their_timeout() {
    for timeout in [Duration::ZERO, Duration::from_secs(3600), Duration::MAX] {
        each_capacity(|_, tx, rx| {
            tx.close();
            let sent = tx.send_blocking_timeout(1, timeout);
            assert_eq!(sent, Err(SendTimeoutError::Closed(1)));
            let received = rx.recv_blocking_timeout(timeout);
            assert_eq!(received, Err(RecvTimeoutError::Closed));
        });
    }
}

// "Closed" is final: it is not said while a value may still come back.

#[test]
fn while_a_value_is_unclaimed_nobody_is_told_that_it_is_over() {
    each_capacity(|_, tx, rx| {
        let mut first = handed(&tx, &rx, 1);
        let mut early = parked(rx.recv());
        tx.close();
        let mut late = parked(rx.recv());
        assert_undecided(&rx);
        assert!(early.poll().is_pending() && late.poll().is_pending());
        assert_eq!((first.wakes(), early.wakes(), late.wakes()), (1, 0, 0));

        assert_eq!(first.poll(), Ready(Ok(1)));
        assert_eq!((early.wakes(), late.wakes()), (1, 1));
        assert_eq!(early.poll(), Ready(Err(RecvError)));
        assert_eq!(late.poll(), Ready(Err(RecvError)));
        assert_over(&rx);
    });
}

#[test]
fn an_unclaimed_value_that_comes_back_after_close_goes_to_the_first_in_line() {
    each_capacity(|_, tx, rx| {
        let first = handed(&tx, &rx, 1);
        let mut second = parked(rx.recv());
        tx.close();
        let mut third = parked(rx.recv());
        drop(first);
        assert_eq!((second.wakes(), third.wakes()), (1, 0));
        assert_undecided(&rx);
        assert_eq!(second.poll(), Ready(Ok(1)));
        assert_eq!((third.wakes(), third.poll()), (1, Ready(Err(RecvError))));
        assert_over(&rx);
    });
}

#[test]
fn an_unclaimed_value_that_comes_back_after_close_can_be_received() {
    each_capacity(|_, tx, rx| {
        let first = handed(&tx, &rx, 1);
        drop(tx);
        assert_undecided(&rx);
        drop(first);
        assert_eq!(rx.len(), 1);
        assert_eq!(rx.try_recv(), Ok(1));
        assert_over(&rx);
    });
}

#[test]
fn an_unclaimed_value_goes_down_the_whole_line_after_close() {
    each_capacity(|_, tx, rx| {
        let first = handed(&tx, &rx, 1);
        drop(tx);
        let mut line: VecDeque<_> = (0..4).map(|_| parked(rx.recv())).collect();
        drop(first);
        while line.len() > 1 {
            drop(line.pop_front());
        }
        assert_eq!((line[0].wakes(), line[0].poll()), (1, Ready(Ok(1))));
        assert_over(&rx);
    });
}

#[test]
fn of_several_unclaimed_values_the_last_decides() {
    each_capacity(|_, tx, rx| {
        let mut recvs = [(); 3].map(|()| parked(rx.recv()));
        (1..=3).for_each(|value| tx.try_send(value).unwrap());
        tx.close();
        let mut waits = parked(rx.recv());
        assert_eq!(recvs[1].poll(), Ready(Ok(2)));
        assert_undecided(&rx);
        assert_eq!(recvs[2].poll(), Ready(Ok(3)));
        assert_undecided(&rx);
        assert_eq!(waits.wakes(), 0);
        assert_eq!(recvs[0].poll(), Ready(Ok(1)));
        assert_eq!((waits.wakes(), waits.poll()), (1, Ready(Err(RecvError))));
        assert_over(&rx);
    });
}

#[test]
fn values_that_come_back_after_close_keep_their_order() {
    each_capacity(|_, tx, rx| {
        let [first, mut second, third] = [(); 3].map(|()| parked(rx.recv()));
        (1..=3).for_each(|value| tx.try_send(value).unwrap());
        tx.close();
        drop(third);
        drop(first);
        assert_eq!(rx.try_recv(), Ok(1));
        assert_eq!(rx.try_recv(), Ok(3));
        assert_undecided(&rx);
        assert_eq!(second.poll(), Ready(Ok(2)));
        assert_over(&rx);
    });
}

#[test]
fn what_is_inside_is_received_before_the_unclaimed_value_decides() {
    each_capacity(|capacity, tx, rx| {
        let mut first = handed(&tx, &rx, 0);
        let inside = capacity.unwrap_or(9);
        (1..=inside).for_each(|value| tx.try_send(value).unwrap());
        tx.close();
        assert!(values(&rx).into_iter().eq(1..=inside));
        assert_undecided(&rx);
        assert_eq!(first.poll(), Ready(Ok(0)));
        assert_over(&rx);
    });
}

#[test]
fn a_receive_that_waited_in_vain_may_leave_before_it_is_decided() {
    each_capacity(|_, tx, rx| {
        let first = handed(&tx, &rx, 1);
        tx.close();
        drop(parked(rx.recv()));
        drop(first);
        assert_eq!(values(&rx), [1]);
        assert_over(&rx);
    });
}

#[test]
fn a_value_that_a_handle_was_handed_is_unclaimed_too() {
    each_capacity(|_, tx, rx| {
        let mut handle = rx.clone();
        assert!(poll_once(poll_fn(|cx| handle.poll_recv(cx))).is_pending());
        tx.try_send(1).unwrap();
        tx.close();
        let mut waits = parked(rx.recv());
        assert_undecided(&rx);
        assert_eq!(ready(poll_fn(|cx| handle.poll_recv(cx))), Ok(1));
        assert_eq!((waits.wakes(), waits.poll()), (1, Ready(Err(RecvError))));
        assert_over(&rx);
    });
}

#[test]
fn what_a_handle_gives_up_after_close_is_the_next_receivers() {
    type Receive = fn(&mut Receiver<u8>) -> Option<u8>;
    let ways: [Receive; 3] = [
        |rx| rx.try_recv().ok(),
        |rx| rx.drain().next(),
        |rx| match poll_once(rx.recv()) {
            Ready(received) => received.ok(),
            Pending => None,
        },
    ];
    for receive in ways {
        for others in [0, 1] {
            each_capacity(|_, tx, rx| {
                let mut handle = rx.clone();
                assert!(poll_once(poll_fn(|cx| handle.poll_recv(cx))).is_pending());
                tx.try_send(1).unwrap();
                tx.close();
                let mut waits: Vec<_> = (0..others).map(|_| parked(rx.recv())).collect();
                let received = receive(&mut handle);
                assert_eq!(received, (others == 0).then_some(1));
                for wait in &mut waits {
                    assert_undecided(&rx);
                    assert_eq!((wait.wakes(), wait.poll()), (1, Ready(Ok(1))));
                }
                assert_over(&rx);
            });
        }
    }
}

#[test]
fn a_handle_that_is_dropped_after_close_passes_its_value_on() {
    each_capacity(|_, tx, rx| {
        let mut handle = rx.clone();
        assert!(poll_once(poll_fn(|cx| handle.poll_recv(cx))).is_pending());
        tx.try_send(1).unwrap();
        drop(tx);
        let mut waits = parked(rx.recv());
        drop(handle);
        assert_eq!((waits.wakes(), waits.poll()), (1, Ready(Ok(1))));
        assert_over(&rx);
    });
}

#[test]
fn recv_many_holds_its_value_as_unclaimed_too() {
    each_capacity(|_, tx, rx| {
        let (mut kept, mut dropped) = (Vec::new(), Vec::new());
        let first = parked(rx.recv_many(&mut dropped, 9));
        let mut second = parked(rx.recv_many(&mut kept, 9));
        tx.try_send(1).unwrap();
        tx.close();
        assert_undecided(&rx);
        drop(first);
        assert_undecided(&rx);
        assert_eq!(second.poll(), Ready(Ok(1)));
        drop(second);
        assert_eq!((dropped, kept), (vec![], vec![1]));
        assert_over(&rx);
    });
}

#[test]
fn a_forgotten_receive_keeps_it_undecided_and_the_channel_in_order() {
    each_capacity(|_, tx, rx| {
        mem::forget(handed(&tx, &rx, 1).into_inner());
        tx.close();
        assert_undecided(&rx);
        drop(rx);
        ready(tx.closed());
        assert_eq!(tx.receiver_count(), 0);
    });
}

// The last handle of a side closes.

#[test]
fn the_last_sender_closes() {
    each_capacity(|_, tx: Sender<u8>, rx| {
        let mut recv = parked(rx.recv());
        let other = tx.clone();
        drop(tx);
        assert!(!rx.is_closed() && recv.poll().is_pending());
        drop(other);
        assert_eq!((recv.wakes(), recv.poll()), (1, Ready(Err(RecvError))));
        assert_eq!(rx.sender_count(), 0);
        assert_over(&rx);
    });
}

#[test]
fn what_the_last_sender_leaves_inside_can_be_received() {
    each_capacity(|capacity, tx, rx| {
        let inside = capacity.unwrap_or(100);
        (0..inside).for_each(|value| tx.try_send(value).unwrap());
        drop(tx);
        assert!(rx.into_iter().eq(0..inside));
    });
}

#[test]
fn the_last_receiver_closes_and_parked_sends_get_their_values_back() {
    each_limit(|_, tx, rx| {
        let next = fill(&tx, 0);
        let mut send = parked(tx.send(next));
        let other = rx.clone();
        drop(rx);
        assert!(!tx.is_closed() && send.poll().is_pending());
        drop(other);
        assert_eq!(
            (send.wakes(), send.poll()),
            (1, Ready(Err(SendError(next))))
        );
        assert_eq!(tx.receiver_count(), 0);
        assert_eq!(tx.try_send(next), Err(TrySendError::Closed(next)));
    });
}

#[test]
fn the_last_receiver_drops_what_is_inside_at_once() {
    each_capacity(|capacity, tx, rx| {
        let drops = Drops::default();
        let handed_back = handed(&tx, &rx, drops.value(0));
        let inside = capacity.unwrap_or(100);
        (0..inside).for_each(|id| assert!(tx.try_send(drops.value(id)).is_ok()));
        drop(handed_back);
        assert_eq!((tx.len(), drops.count()), (inside + 1, 0));
        drop(rx);
        assert_eq!((tx.len(), drops.count()), (0, inside + 1));
        drop(tx);
        assert_eq!(drops.count(), inside + 1);
    });
}

#[test]
fn a_value_that_the_last_receiver_was_handed_goes_with_it() {
    each_capacity(|_, tx, mut rx| {
        let drops = Drops::default();
        assert!(poll_once(poll_fn(|cx| rx.poll_recv(cx))).is_pending());
        assert!(tx.try_send(drops.value(0)).is_ok());
        drop(rx);
        assert_eq!((drops.count(), tx.len()), (1, 0));
    });
}

#[test]
fn what_is_inside_outlives_close_and_the_senders() {
    each_capacity(|capacity, tx, rx| {
        let drops = Drops::default();
        let inside = capacity.unwrap_or(100);
        (0..inside).for_each(|id| assert!(tx.try_send(drops.value(id)).is_ok()));
        tx.close();
        drop(tx);
        assert_eq!((rx.len(), drops.count()), (inside, 0));
        drop(rx);
        assert_eq!(drops.count(), inside);
    });
}

// Waiting for the end.

#[test]
fn closed_waits_for_the_end_and_is_ready_ever_after() {
    each_capacity(|_, tx: Sender<u8>, rx| {
        let mut watch = [parked(tx.closed()), parked(tx.closed())];
        let mut watch_too = parked(rx.closed());
        drop(parked(rx.closed()));
        assert!(watch[0].poll().is_pending());
        rx.close();
        assert_eq!(watch.each_ref().map(Task::wakes), [1, 1]);
        assert_eq!(watch.each_mut().map(Task::poll), [Ready(()), Ready(())]);
        assert_eq!((watch_too.wakes(), watch_too.poll()), (1, Ready(())));
        ready(tx.closed());
        ready(rx.closed());
    });
}

#[test]
fn a_wait_for_the_end_that_is_given_up_leaves_the_others_in_line() {
    for given_up in 0..3 {
        let (tx, rx) = bounded::<u8>(0);
        let mut waits: Vec<_> = (0..3).map(|_| parked(tx.closed())).collect();
        drop(waits.remove(given_up));
        waits.push(parked(rx.closed()));
        rx.close();
        for mut wait in waits {
            assert_eq!((wait.wakes(), wait.poll()), (1, Ready(())), "{given_up}");
        }
    }
}

#[test]
fn closed_is_ready_when_the_other_side_is_gone() {
    each_capacity(|_, tx: Sender<u8>, rx| {
        let mut watch = parked(tx.closed());
        drop(rx.clone());
        assert!(watch.poll().is_pending());
        drop(rx);
        assert_eq!((watch.wakes(), watch.poll()), (1, Ready(())));
    });
    each_capacity(|_, tx, rx: Receiver<u8>| {
        let mut watch = parked(rx.closed());
        drop(tx.clone());
        assert!(watch.poll().is_pending());
        drop(tx);
        assert_eq!((watch.wakes(), watch.poll()), (1, Ready(())));
    });
}

#[test]
fn closed_waits_neither_for_values_inside_nor_for_unclaimed_ones() {
    each_capacity(|_, tx, rx| {
        let mut first = handed(&tx, &rx, 1);
        let mut watch = parked(rx.closed());
        tx.close();
        assert_eq!((watch.wakes(), watch.poll()), (1, Ready(())));
        assert_eq!(first.poll(), Ready(Ok(1)));
    });
}

// Weak handles.

#[test]
fn a_weak_sender_is_as_good_as_a_sender_while_there_is_one() {
    each_capacity(|_, tx, rx| {
        let weak = tx.downgrade();
        assert_eq!(rx.sender_count(), 1);
        let upgraded = weak.clone().upgrade().unwrap();
        assert_eq!(rx.sender_count(), 2);
        assert!(upgraded.same_channel(&tx));
        drop(tx);
        assert!(!rx.is_closed());
        let mut recv = parked(rx.recv());
        assert_eq!(upgraded.try_send(1), Ok(()));
        assert_eq!(recv.poll(), Ready(Ok(1)));
    });
}

#[test]
fn a_weak_sender_does_not_hold_off_the_end() {
    each_capacity(|_, tx, rx: Receiver<u8>| {
        let weak = tx.downgrade();
        let recv = parked(rx.recv());
        drop(tx);
        assert_eq!(recv.wakes(), 1);
        assert!(weak.upgrade().is_none() && weak.clone().upgrade().is_none());
        assert_over(&rx);
    });
}

#[test]
fn a_weak_sender_of_a_closed_channel_is_not_upgraded() {
    each_capacity(|_, tx: Sender<u8>, rx| {
        let weak = tx.downgrade();
        rx.close();
        assert!(weak.upgrade().is_none());
        assert_eq!(tx.sender_count(), 1);
    });
    let (tx, rx) = bounded::<u8>(1);
    let weak = tx.downgrade();
    drop(rx);
    assert!(weak.upgrade().is_none());
}

#[test]
fn a_weak_receiver_is_upgraded_as_long_as_a_receiver_lives() {
    each_capacity(|capacity, tx, rx| {
        let inside = capacity.unwrap_or(3);
        (0..inside).for_each(|value| tx.try_send(value).unwrap());
        let weak = rx.downgrade();
        assert_eq!(tx.receiver_count(), 1);
        drop(tx);
        let upgraded = weak.upgrade().unwrap();
        assert!(upgraded.same_channel(&rx));
        drop(rx);
        assert!(values(&upgraded).into_iter().eq(0..inside));
        let again = weak.clone().upgrade().unwrap();
        drop((upgraded, again));
        assert!(weak.upgrade().is_none());
    });
}

#[test]
fn a_weak_receiver_does_not_keep_what_is_inside() {
    each_capacity(|capacity, tx, rx| {
        let drops = Drops::default();
        let inside = capacity.unwrap_or(3);
        (0..inside).for_each(|id| assert!(tx.try_send(drops.value(id)).is_ok()));
        let weak = rx.downgrade();
        drop(rx);
        assert_eq!((drops.count(), tx.is_closed()), (inside, true));
        assert!(weak.upgrade().is_none());
    });
}

#[test]
fn weak_handles_of_a_never_channel_are_upgraded_while_their_side_lives() {
    let (tx, rx) = never::<u8>();
    let (weak_tx, weak_rx) = (tx.downgrade(), rx.downgrade());
    drop(rx);
    assert!(weak_tx.upgrade().is_some() && weak_rx.upgrade().is_none());
    drop(tx);
    assert!(weak_tx.upgrade().is_none());
}

#[test]
fn a_receive_parked_on_a_closed_channel_sees_a_value_put_back_before_it_sees_the_end() {
    // The value comes back while there is nobody in line, and is taken by who comes next.
    each_capacity(|_, tx, rx| {
        let first = handed(&tx, &rx, 1);
        let second = handed(&tx, &rx, 2);
        tx.close();
        drop(second);
        assert_eq!(ready(rx.recv()), Ok(2));
        let mut waits = parked(rx.recv());
        drop(first);
        assert_eq!((waits.wakes(), waits.poll()), (1, Ready(Ok(1))));
        assert_ne!(poll_once(rx.recv()), Pending);
        assert_over(&rx);
    });
}

// Waiting for the end with a handle that is polled, and with one that keeps nothing open.

/// Polls the handle itself, with a waker of its own.
fn watch_sender(tx: &mut Sender<u8>) -> Task<impl Future<Output = ()> + Unpin> {
    Task::new(poll_fn(|cx| tx.poll_closed(cx)))
}

fn watch_receiver(rx: &mut Receiver<u8>) -> Task<impl Future<Output = ()> + Unpin> {
    Task::new(poll_fn(|cx| rx.poll_closed(cx)))
}

#[test]
fn a_polled_handle_is_woken_by_the_end_and_stays_ready() {
    each_capacity(|_, mut tx, mut rx| {
        let (closer, mut other) = (tx.clone(), tx.clone());
        let mut watches = [watch_sender(&mut tx)];
        let mut receives = [watch_receiver(&mut rx)];
        assert!(watches[0].poll().is_pending() && receives[0].poll().is_pending());
        assert!(closer.close());
        assert_eq!((watches[0].wakes(), receives[0].wakes()), (1, 1));
        for _ in 0..3 {
            assert!(watches[0].poll().is_ready() && receives[0].poll().is_ready());
        }
        assert!(watch_sender(&mut other).poll().is_ready());
    });
}

#[test]
fn a_polled_handle_keeps_its_place_and_its_last_waker() {
    let (mut tx, rx) = bounded(0);
    let mut watch = watch_sender(&mut tx);
    assert!(watch.poll().is_pending() && watch.poll().is_pending());
    assert_eq!(watch.wakers(), 1);
    let old = watch.change_waker();
    assert!(watch.poll().is_pending());
    drop(rx);
    assert_eq!((old.count(), watch.wakes()), (0, 1));
}

#[test]
fn a_polled_handle_gives_its_place_up_when_it_is_dropped() {
    each_capacity(|_, tx: Sender<u8>, rx| {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        let mut cx = Context::from_waker(&waker);
        let (mut watcher, mut reader) = (tx.clone(), rx.clone());
        assert!(watcher.poll_closed(&mut cx).is_pending());
        assert!(reader.poll_closed(&mut cx).is_pending());
        let kept = Arc::strong_count(&wakes);
        drop((watcher, reader));
        assert_eq!(Arc::strong_count(&wakes), kept - 2);
        assert!(tx.close() && rx.is_closed());
        assert_eq!(wakes.count(), 0);
    });
}

#[test]
fn nobody_ends_a_nil_channel() {
    let (mut tx, mut rx) = never();
    let weak = (tx.downgrade(), rx.downgrade());
    assert!(watch_sender(&mut tx).poll().is_pending());
    assert!(watch_receiver(&mut rx).poll().is_pending());
    drop((tx, rx));
    assert!(poll_once(weak.0.closed()).is_pending() && !weak.1.is_closed());
}

#[test]
fn weak_handles_wait_for_the_end_and_keep_nothing_open() {
    type End = fn(Sender<u8>, Receiver<u8>);
    let ends: [End; 3] = [
        |tx, _rx| assert!(tx.close()),
        |tx, rx| drop((tx, rx.clone())),
        |tx, rx| drop((rx, tx.clone())),
    ];
    for end in ends {
        each_capacity(|_, tx, rx| {
            let (sender, receiver) = (tx.downgrade(), rx.downgrade());
            let mut waits = [parked(sender.closed()), parked(receiver.closed())];
            assert!(!sender.is_closed() && !receiver.is_closed());
            end(tx, rx);
            for wait in &mut waits {
                assert_eq!((wait.wakes(), wait.poll()), (1, Ready(())));
            }
            assert!(sender.is_closed() && receiver.is_closed());
            assert_eq!(ready(sender.clone().closed()), ());
        });
    }
}

#[test]
fn all_handles_of_a_channel_have_one_id() {
    let (tx, rx) = bounded::<()>(1);
    let (other, _other_rx) = bounded::<()>(1);
    let ids = [
        tx.id(),
        rx.id(),
        tx.clone().id(),
        rx.clone().id(),
        tx.downgrade().id(),
        rx.downgrade().clone().id(),
    ];
    assert_eq!(HashSet::from(ids).len(), 1);
    assert_ne!(other.id(), tx.id());
    assert!(tx.downgrade().same_channel(&tx.clone().downgrade()));
    assert!(!tx.downgrade().same_channel(&other.downgrade()));
    let weak = rx.downgrade();
    drop((tx, rx));
    assert_eq!(weak.id(), ids[0], "also when the channel is closed");
    assert!(format!("{:?}", weak.id()).starts_with("ChannelId("));
}
