//! The promise of cancelling: whatever future is dropped, and whenever, nothing is lost or stuck.

mod support;

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::mem;
use std::pin::pin;
use std::task::Poll::{Pending, Ready};

use futures::future::FusedFuture;
use hchan::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, TryRecvError,
    TrySendError, bounded, unbounded,
};
use support::{
    Drops, Task, each_capacity, each_limit, fill, handed, panic_of, parked, poll_once, ready,
    values,
};

/// All orders in which three things can happen.
const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

/// Drops the tasks in this order.
fn drop_in_order<F>(tasks: impl IntoIterator<Item = Task<F>>, order: impl AsRef<[usize]>) {
    let mut tasks: Vec<_> = tasks.into_iter().map(Some).collect();
    for &index in order.as_ref() {
        drop(tasks[index].take());
    }
}

// Before the first poll.

#[test]
fn a_future_that_was_not_polled_has_done_nothing() {
    each_capacity(|_, tx, rx| {
        let before = rx.snapshot();
        let (mut out, mut items, mut slot) = (Vec::new(), VecDeque::from([1]), Some(2));
        let reserve = (rx.capacity() != Some(0)).then(|| tx.reserve());
        let first = (rx.recv(), tx.send(0), reserve, tx.closed());
        let second = (
            rx.recv_many(&mut out, 9),
            tx.send_many(&mut items),
            tx.send_from(&mut slot),
        );
        assert_eq!(rx.snapshot(), before);
        drop((first, second));
        assert_eq!(rx.snapshot(), before);
        assert_eq!((out, items, slot), (vec![], VecDeque::from([1]), Some(2)));
    });
}

#[test]
fn a_send_that_was_not_polled_drops_its_value_once() {
    each_capacity(|_, tx, rx| {
        let drops = Drops::default();
        let _recv = parked(rx.recv());
        drop(tx.send(drops.value(0)));
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn the_place_in_line_is_taken_by_the_first_poll() {
    each_capacity(|_, tx, rx| {
        let mut made_first = Task::new(rx.recv());
        let mut polled_first = parked(rx.recv());
        assert!(made_first.poll().is_pending());
        tx.try_send(1).unwrap();
        assert_eq!(polled_first.poll(), Ready(Ok(1)));
        assert!(made_first.poll().is_pending());
    });
}

// A parked operation that is dropped leaves no trace.

#[test]
fn a_parked_receive_that_is_dropped_leaves_the_others_in_their_order() {
    for gone in 0..4 {
        each_capacity(|_, tx, rx| {
            let mut recvs: Vec<_> = (0..4).map(|_| parked(rx.recv())).collect();
            drop(recvs.remove(gone));
            assert_eq!(rx.snapshot().recvq, 3);
            for (value, recv) in recvs.iter_mut().enumerate() {
                tx.try_send(value).unwrap();
                assert_eq!((recv.wakes(), recv.poll()), (1, Ready(Ok(value))));
            }
            assert_eq!(rx.snapshot().recvq, 0);
        });
    }
}

#[test]
fn a_parked_send_that_is_dropped_leaves_the_others_in_their_order() {
    for gone in 0..4 {
        each_limit(|capacity, tx, rx| {
            let next = fill(&tx, 0);
            let mut sends: Vec<_> = (0..4).map(|n| parked(tx.send(next + n))).collect();
            drop(sends.remove(gone));
            let stayed = (0..capacity + 4).filter(|&value| value != next + gone);
            assert!(values(&rx).into_iter().eq(stayed));
            assert!(sends.iter_mut().all(|send| send.poll() == Ready(Ok(()))));
        });
    }
}

#[test]
fn parked_operations_may_be_dropped_in_any_order() {
    for order in ORDERS {
        each_limit(|capacity, tx, rx| {
            drop_in_order([(); 3].map(|()| parked(rx.recv())), order);
            let next = fill(&tx, 0);
            drop_in_order([(); 3].map(|()| parked(tx.send(next))), order);
            if capacity > 0 {
                drop_in_order([(); 3].map(|()| parked(tx.reserve())), order);
            }
            drop_in_order([(); 3].map(|()| parked(tx.closed())), order);
            let left = rx.snapshot();
            assert_eq!((left.qcount, left.sendq, left.recvq), (capacity, 0, 0));
        });
    }
}

#[test]
fn a_parked_send_that_is_dropped_drops_its_value_once_and_never_delivers_it() {
    each_limit(|_, tx, rx| {
        let drops = Drops::default();
        while tx.try_send(drops.value(1)).is_ok() {}
        let dropped_by_full = drops.count();
        let first = parked(tx.send(drops.value(2)));
        let mut second = parked(tx.send(drops.value(3)));
        drop(first);
        assert_eq!(drops.count(), dropped_by_full + 1);
        assert!(values(&rx).iter().all(|value| value.id != 2));
        assert_eq!(second.wakes(), 1);
        assert!(second.poll().is_ready());
    });
}

#[test]
fn ten_thousand_waiters_can_be_cancelled_from_the_middle() {
    const WAITERS: usize = 10_000;
    let forth = || (0..WAITERS).collect::<Vec<_>>();
    let back = || (0..WAITERS).rev().collect();
    let odd_first = || {
        let (odd, even): (Vec<_>, Vec<_>) = (0..WAITERS).partition(|n| n % 2 == 1);
        [odd, even].concat()
    };
    let scattered = || (0..WAITERS).map(|n| n * 7919 % WAITERS).collect();
    let orders: [Vec<usize>; 4] = [forth(), back(), odd_first(), scattered()];

    for order in orders {
        let (cancelled, survivors) = order.split_at(WAITERS - 10);
        let mut survivors = survivors.to_vec();
        survivors.sort_unstable();

        let (tx, rx) = bounded(0);
        let mut recvs: Vec<_> = (0..WAITERS).map(|_| Some(parked(rx.recv()))).collect();
        cancelled.iter().for_each(|&n| drop(recvs[n].take()));
        for n in &survivors {
            tx.try_send(*n).unwrap();
            assert_eq!(recvs[*n].as_mut().unwrap().poll(), Ready(Ok(*n)));
        }
        drop(recvs);

        let mut sends: Vec<_> = (0..WAITERS).map(|n| Some(parked(tx.send(n)))).collect();
        cancelled.iter().for_each(|&n| drop(sends[n].take()));
        assert_eq!(values(&rx), survivors);
    }
}

#[test]
fn a_hundred_thousand_waiters_come_and_go() {
    each_capacity(|_, tx, rx| {
        for _ in 0..100_000 / 6 {
            drop(parked(rx.recv()));
        }
        let mut recv = handed(&tx, &rx, 1);
        assert_eq!(recv.poll(), Ready(Ok(1)));
        for value in 0..100_000 / 6 {
            let mut recv = handed(&tx, &rx, value);
            assert_eq!(recv.poll(), Ready(Ok(value)));
        }
        assert_eq!((rx.snapshot().recvq, rx.len()), (0, 0));
    });
}

// A receive that was handed a value and is dropped puts it back.

#[test]
fn a_handed_receive_that_is_dropped_puts_its_value_back() {
    each_capacity(|_, tx, rx| {
        let recv = handed(&tx, &rx, 1);
        assert_eq!(
            (rx.len(), rx.is_empty()),
            (0, true),
            "an unclaimed value is not inside"
        );
        drop(recv);
        assert_eq!((rx.len(), rx.is_empty()), (1, false));
        assert_eq!(rx.try_recv(), Ok(1));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn values_put_back_in_any_order_leave_in_the_order_in_which_they_were_sent() {
    for order in ORDERS {
        each_capacity(|_, tx, rx| {
            let recvs = [(); 3].map(|()| parked(rx.recv()));
            (1..=3).for_each(|value| tx.try_send(value).unwrap());
            drop_in_order(recvs, order);
            assert_eq!(rx.len(), 3);
            assert_eq!(values(&rx), [1, 2, 3]);
        });
    }
}

#[test]
fn a_thousand_values_put_back_in_scattered_order_leave_in_order() {
    const MANY: usize = 1000;
    each_capacity(|_, tx, rx| {
        let recvs: Vec<_> = (0..MANY).map(|_| parked(rx.recv())).collect();
        (0..MANY).for_each(|value| tx.try_send(value).unwrap());
        let scattered: Vec<_> = (0..MANY).map(|n| n * 389 % MANY).collect();
        drop_in_order(recvs, scattered);
        assert!(values(&rx).into_iter().eq(0..MANY));
    });
}

#[test]
fn a_value_comes_back_between_an_older_and_a_younger_one() {
    for order in ORDERS {
        each_capacity(|_, tx, rx| {
            let mut recvs = [(); 4].map(|()| parked(rx.recv()));
            (1..=4).for_each(|value| tx.try_send(value).unwrap());
            assert_eq!(recvs[1].poll(), Ready(Ok(2)));
            let [first, _, third, fourth] = recvs;
            drop_in_order([first, third, fourth], order);
            assert_eq!(values(&rx), [1, 3, 4]);
        });
    }
}

#[test]
fn a_value_put_back_comes_before_all_that_was_sent_later() {
    each_limit(|capacity, tx, rx| {
        let recv = handed(&tx, &rx, 0);
        let next = fill(&tx, 1);
        let _send = parked(tx.send(next));
        drop(recv);
        assert_eq!(rx.len(), capacity + 1);
        assert!(values(&rx).into_iter().eq(0..=next));
    });
}

#[test]
fn a_value_that_came_back_twice_is_still_the_oldest() {
    each_capacity(|_, tx, rx| {
        let first = parked(rx.recv());
        let second = parked(rx.recv());
        let third = parked(rx.recv());
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        drop(first);
        assert_eq!(third.wakes(), 1);
        drop(second);
        drop(third);
        assert_eq!(values(&rx), [1, 2]);
    });
}

#[test]
fn a_value_put_back_and_received_leaves_later_ones_in_order() {
    each_capacity(|_, tx, rx| {
        let recvs = [(); 3].map(|()| parked(rx.recv()));
        (1..=3).for_each(|value| tx.try_send(value).unwrap());
        let [first, second, third] = recvs;
        drop(second);
        assert_eq!(rx.try_recv(), Ok(2));
        drop(third);
        drop(first);
        assert_eq!(values(&rx), [1, 3]);
    });
}

#[test]
fn on_capacity_0_a_value_put_back_is_received_before_that_of_a_parked_send() {
    let (tx, rx) = bounded(0);
    let recv = handed(&tx, &rx, 1);
    let mut send = parked(tx.send(2));
    drop(recv);
    assert_eq!((rx.len(), send.wakes()), (1, 0));
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!((rx.len(), send.poll()), (0, Pending));
    assert_eq!(rx.try_recv(), Ok(2));
    assert_eq!(send.poll(), Ready(Ok(())));
}

#[test]
fn while_values_put_back_fill_the_channel_no_send_is_let_in() {
    each_limit(|capacity, tx, rx| {
        let recvs = [(); 3].map(|()| parked(rx.recv()));
        (0..3).for_each(|value| tx.try_send(value).unwrap());
        let next = fill(&tx, 3);
        let send = parked(tx.send(next));
        drop(recvs);
        assert_eq!((rx.len(), rx.is_full()), (capacity + 3, true));

        for value in 0..3 {
            assert_eq!(tx.try_send(99), Err(TrySendError::Full(99)));
            if capacity > 0 {
                assert_eq!(tx.try_reserve().err(), Some(TrySendError::Full(())));
            }
            assert_eq!(rx.try_recv(), Ok(value));
        }
        assert_eq!((send.wakes(), rx.len()), (0, capacity));
        assert_eq!(rx.try_recv(), Ok(3));
        assert_eq!((send.wakes(), rx.len()), (1, capacity));
        assert!(values(&rx).into_iter().eq(4..=next));
    });
}

#[test]
fn a_dropped_receive_hands_its_value_to_the_next_in_line_and_wakes_it() {
    each_capacity(|_, tx, rx| {
        let first = parked(rx.recv());
        let mut second = parked(rx.recv());
        let mut third = parked(rx.recv());
        tx.try_send(1).unwrap();
        drop(first);
        assert_eq!((second.wakes(), third.wakes(), rx.len()), (1, 0, 0));
        assert_eq!(second.poll(), Ready(Ok(1)));
        assert_eq!(third.poll(), Pending);
    });
}

#[test]
fn a_value_goes_down_the_line_as_each_in_it_is_dropped() {
    each_capacity(|_, tx, rx| {
        let mut recvs: VecDeque<_> = (0..5).map(|_| parked(rx.recv())).collect();
        tx.try_send(7).unwrap();
        while let Some(recv) = recvs.pop_front() {
            assert_eq!(recv.wakes(), 1);
            assert!(recvs.iter().all(|behind| behind.wakes() == 0));
            drop(recv);
        }
        assert_eq!(values(&rx), [7]);
    });
}

#[test]
fn recv_many_that_was_handed_a_value_and_is_dropped_puts_it_back() {
    each_capacity(|_, tx, rx| {
        let mut out = Vec::new();
        let many = parked(rx.recv_many(&mut out, 9));
        let mut next = parked(rx.recv());
        tx.try_send(1).unwrap();
        drop(many);
        assert_eq!(next.poll(), Ready(Ok(1)));
        assert!(out.is_empty());
    });
}

#[test]
fn a_receive_that_is_dropped_after_the_end_has_nothing_to_pass_on() {
    each_capacity(|_, tx: Sender<u8>, rx| {
        let first = parked(rx.recv());
        let mut second = parked(rx.recv());
        tx.close();
        drop(first);
        assert_eq!((second.wakes(), rx.len()), (1, 0));
        assert_eq!(second.poll(), Ready(Err(RecvError)));
    });
}

#[test]
fn a_handed_receive_holds_its_value_only_until_it_is_polled_or_dropped() {
    each_capacity(|_, tx, rx| {
        let mut hostage = handed(&tx, &rx, 1);
        let mut polled = parked(rx.recv());
        assert_eq!(hostage.poll(), Ready(Ok(1)));
        assert!(polled.poll().is_pending());
        tx.try_send(2).unwrap();
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        drop(polled);
        assert_eq!(rx.try_recv(), Ok(2));
    });
}

// A send that is dropped has sent its value or drops it; one that is cancelled gives it back.

#[test]
fn a_send_whose_value_was_taken_has_no_say_any_more() {
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        let send = parked(tx.send(next));
        assert_eq!(rx.try_recv(), Ok(0));
        drop(send);
        assert!(values(&rx).into_iter().eq(1..=capacity));
    });
}

#[test]
fn a_send_that_is_dropped_after_the_end_takes_its_value_with_it() {
    let drops = Drops::default();
    let (tx, rx) = bounded(0);
    let send = parked(tx.send(drops.value(0)));
    rx.close();
    assert_eq!(drops.count(), 0);
    drop(send);
    assert_eq!(drops.count(), 1);
}

#[test]
fn cancel_gives_back_a_value_that_nobody_took() {
    each_limit(|_, tx, rx| {
        let mut unpolled = tx.send(1);
        assert_eq!((unpolled.cancel(), unpolled.cancel()), (Some(1), None));

        let next = fill(&tx, 0);
        let mut send = parked(tx.send(next));
        assert_eq!(send.future().cancel(), Some(next));
        assert_eq!(
            (send.wakes(), send.wakers(), rx.snapshot().sendq),
            (0, 0, 0)
        );
        assert_eq!(send.future().cancel(), None);

        let mut closed = parked(tx.send(next));
        rx.close();
        assert_eq!(closed.future().cancel(), Some(next));
    });
}

#[test]
fn cancel_gives_nothing_back_once_the_value_was_taken() {
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        let mut send = parked(tx.send(next));
        assert_eq!(rx.try_recv(), Ok(0));
        assert_eq!(send.future().cancel(), None);
        assert!(send.future().is_terminated());
        assert!(values(&rx).into_iter().eq(1..=capacity));

        let _recv = parked(rx.recv());
        let mut done = tx.send(9);
        assert_eq!(poll_once(&mut done), Ready(Ok(())));
        assert_eq!(done.cancel(), None);
    });
}

#[test]
fn cancel_ends_the_future() {
    let (tx, _rx) = bounded(0);
    let mut send = tx.send(1);
    assert!(!send.is_terminated());
    send.cancel();
    assert!(send.is_terminated());
    assert!(panic_of(|| poll_once(&mut send)).contains("SendFuture"));
}

#[test]
fn cancel_lets_the_next_in_line_keep_its_turn() {
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        let mut gone = parked(tx.send(99));
        let mut stays = parked(tx.send(next));
        gone.future().cancel();
        assert!(values(&rx).into_iter().eq(0..=capacity));
        assert_eq!(stays.poll(), Ready(Ok(())));
    });
}

#[test]
fn send_from_puts_the_value_back_into_its_slot_unless_it_was_taken() {
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        let mut slot = Some(next);
        drop(tx.send_from(&mut slot));
        assert_eq!(slot, Some(next));
        drop(parked(tx.send_from(&mut slot)));
        assert_eq!((slot, rx.snapshot().sendq), (Some(next), 0));

        let send = parked(tx.send_from(&mut slot));
        assert_eq!(rx.try_recv(), Ok(0));
        drop(send);
        assert_eq!(slot, None);
        assert!(values(&rx).into_iter().eq(1..=capacity));
    });
}

#[test]
fn send_from_puts_the_value_back_when_the_channel_is_closed() {
    each_limit(|_, tx, rx| {
        let next = fill(&tx, 0);
        let (mut polled, mut dropped) = (Some(next), Some(next + 1));
        let mut send = parked(tx.send_from(&mut polled));
        let unpolled = parked(tx.send_from(&mut dropped));
        rx.close();
        assert_eq!(send.poll(), Ready(Err(SendError(()))));
        drop((send, unpolled));
        assert_eq!((polled, dropped), (Some(next), Some(next + 1)));
        assert_eq!(ready(tx.send_from(&mut polled)), Err(SendError(())));
        assert_eq!(polled, Some(next));
    });
}

#[test]
fn send_from_sends_what_is_in_the_slot() {
    each_capacity(|_, tx, rx| {
        let mut recv = parked(rx.recv());
        let mut slot = Some(1);
        assert_eq!(ready(tx.send_from(&mut slot)), Ok(()));
        assert_eq!((slot, recv.poll()), (None, Ready(Ok(1))));
        assert!(panic_of(|| drop(tx.send_from(&mut None))).contains("send_from"));
    });
}

#[test]
fn an_operation_whose_time_is_over_leaves_no_trace() {
    each_limit(|capacity, tx, rx| {
        let over = || std::future::ready(());
        let recv = poll_once(pin!(rx.recv_until(over())));
        assert_eq!(recv, Ready(Err(RecvTimeoutError::Timeout)));
        let next = fill(&tx, 0);
        let send = poll_once(pin!(tx.send_until(next, over())));
        assert_eq!(send, Ready(Err(SendTimeoutError::Timeout(next))));
        assert!(poll_once(pin!(tx.send_until(next, pending::<()>()))).is_pending());
        let left = rx.snapshot();
        assert_eq!((left.qcount, left.sendq, left.recvq), (capacity, 0, 0));
    });
}

#[test]
fn an_operation_that_can_proceed_wins_over_a_timer_that_has_fired() {
    each_capacity(|_, tx, rx| {
        let over = || std::future::ready(());
        let mut recv = parked(rx.recv());
        assert_eq!(poll_once(pin!(tx.send_until(1, over()))), Ready(Ok(())));
        assert_eq!(recv.poll(), Ready(Ok(1)));
        let mut send = Task::new(tx.send(2));
        let _maybe_waiting = send.poll();
        assert_eq!(poll_once(pin!(rx.recv_until(over()))), Ready(Ok(2)));
        tx.close();
        let late = poll_once(pin!(tx.send_until(3, over())));
        assert_eq!(late, Ready(Err(SendTimeoutError::Closed(3))));
        let late = poll_once(pin!(rx.recv_until(over())));
        assert_eq!(late, Ready(Err(RecvTimeoutError::Closed)));
    });
}

#[test]
fn what_a_timer_does_while_it_is_polled_is_not_missed() {
    each_capacity(|_, tx, rx| {
        let sends = poll_fn(|_| {
            tx.try_send(1).unwrap();
            Ready(())
        });
        assert_eq!(poll_once(pin!(rx.recv_until(sends))), Ready(Ok(1)));
    });
}

// A future that is forgotten, as by `mem::forget`, has its turn, and then nobody waits for it.

#[test]
fn a_forgotten_receive_has_its_turn_once() {
    each_capacity(|_, tx, rx| {
        mem::forget(rx.recv());
        let mut forgotten = rx.recv();
        assert!(poll_once(&mut forgotten).is_pending());
        mem::forget(forgotten);
        let mut second = parked(rx.recv());
        tx.try_send(1).unwrap();
        assert!(second.poll().is_pending());
        tx.try_send(2).unwrap();
        assert_eq!(second.poll(), Ready(Ok(2)));
    });
}

#[test]
fn a_forgotten_handed_receive_keeps_its_value_and_nothing_else() {
    each_capacity(|_, tx, rx| {
        mem::forget(handed(&tx, &rx, 1).into_inner());
        let mut second = parked(rx.recv());
        assert_eq!((second.poll(), rx.len()), (Pending, 0));
        tx.try_send(2).unwrap();
        assert_eq!(second.poll(), Ready(Ok(2)));
    });
}

#[test]
fn a_forgotten_receive_does_not_keep_its_handle() {
    each_capacity(|_, tx, rx| {
        let other = rx.clone();
        mem::forget(parked(other.recv()).into_inner());
        drop(other);
        let mut recv = parked(rx.recv());
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        assert_eq!(recv.poll(), Ready(Ok(2)));
        mem::forget(handed(&tx, &rx, 3).into_inner());
        drop(recv);
        drop(rx);
        assert_eq!(tx.try_send(4), Err(TrySendError::Closed(4)));
    });
}

#[test]
fn a_forgotten_parked_send_is_delivered_in_its_turn() {
    each_limit(|_, tx, rx| {
        let next = fill(&tx, 0);
        mem::forget(parked(tx.send(next)).into_inner());
        let mut second = parked(tx.send(next + 1));
        assert!(values(&rx).into_iter().eq(0..next + 2));
        assert_eq!(second.poll(), Ready(Ok(())));
    });
}

#[test]
fn a_forgotten_send_that_was_taken_holds_no_slot() {
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        let send = parked(tx.send(next));
        assert_eq!(rx.try_recv(), Ok(0));
        mem::forget(send.into_inner());
        assert!(values(&rx).into_iter().eq(1..=capacity));
        assert_eq!(fill(&tx, 0), capacity);
    });
}

#[test]
fn the_last_sender_may_go_while_its_forgotten_send_is_parked() {
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        mem::forget(parked(tx.send(next)).into_inner());
        drop(tx);
        assert!(values(&rx).into_iter().eq(0..capacity));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    });
}

#[test]
fn what_a_forgotten_future_holds_goes_with_the_channel() {
    each_limit(|_, tx, rx| {
        let drops = Drops::default();
        mem::forget(handed(&tx, &rx, drops.value(0)).into_inner());
        let mut made = 1;
        while let Ok(()) = tx.try_send(drops.value(made)) {
            made += 1;
        }
        let refused = drops.count();
        mem::forget(parked(tx.send(drops.value(0))).into_inner());
        drop((tx, rx));
        assert_eq!((refused, drops.count()), (1, made + 2));
    });
}

#[test]
fn forgotten_futures_of_every_kind_leave_the_others_working() {
    each_limit(|_, tx, rx| {
        let next = fill(&tx, 0);
        let (mut slot, mut items, mut out) = (Some(next), VecDeque::from([next + 1]), Vec::new());
        mem::forget(parked(tx.send_from(&mut slot)).into_inner());
        mem::forget(parked(tx.send_many(&mut items)).into_inner());
        mem::forget(parked(tx.closed()).into_inner());
        assert_eq!((slot, items.len()), (None, 0));
        assert!(values(&rx).into_iter().eq(0..next + 2));
        mem::forget(parked(rx.recv_many(&mut out, 9)).into_inner());
        tx.try_send(0).unwrap();
        let mut recv = handed(&tx, &rx, 1);
        assert_eq!((recv.poll(), out.len()), (Ready(Ok(1)), 0));
        assert!(tx.close());
    });
}

#[test]
fn a_forgotten_reservation_keeps_the_slot_that_it_is_granted() {
    let (tx, rx) = bounded(2);
    fill(&tx, 0);
    mem::forget(parked(tx.reserve()).into_inner());
    mem::forget(parked(tx.closed()).into_inner());
    let mut send = parked(tx.send(2));
    assert_eq!(rx.try_recv(), Ok(0));
    assert!(send.poll().is_pending());
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(send.poll(), Ready(Ok(())));
    assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(values(&rx), [2]);
}

#[test]
fn on_an_unbounded_channel_values_come_back_in_their_order_too() {
    let (tx, rx): (Sender<usize>, Receiver<usize>) = unbounded();
    let recvs = [(); 3].map(|()| parked(rx.recv()));
    (0..1000).for_each(|value| tx.try_send(value).unwrap());
    drop_in_order(recvs, [2, 0, 1]);
    assert!(values(&rx).into_iter().eq(0..1000));
}
