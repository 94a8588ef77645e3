//! The promise of order: values go in and come out first come, first served, at every capacity.

mod support;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll::{self, Pending, Ready};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use futures::future::FusedFuture;
use hchan::{
    Receiver, RecvError, Select, SendError, Sender, TryRecvError, TrySendError, bounded, never,
    select_blocking, unbounded,
};
use support::{
    Task, Wakes, each_capacity, each_limit, each_with_slots, fill, handed, panic_of, parked,
    poll_once, ready, values,
};

// Send and receive.

#[test]
fn a_new_channel_is_open_and_empty() {
    each_capacity(|capacity, tx: Sender<usize>, rx| {
        assert_eq!((tx.capacity(), rx.capacity()), (capacity, capacity));
        assert_eq!((tx.len(), rx.len()), (0, 0));
        assert!(tx.is_empty() && rx.is_empty());
        assert!(!tx.is_closed() && !rx.is_closed());
        assert_eq!(tx.is_full(), capacity == Some(0));
        assert_eq!(rx.is_full(), capacity == Some(0));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn a_send_is_ready_while_a_slot_is_free_and_parks_when_none_is() {
    each_limit(|capacity, tx, rx| {
        for value in 0..capacity {
            assert_eq!(ready(tx.send(value)), Ok(()));
            assert_eq!(tx.len(), value + 1);
        }
        assert!(tx.is_full());
        let mut send = parked(tx.send(capacity));
        assert_eq!(
            tx.len(),
            capacity,
            "what a parked send brings is not inside"
        );
        assert_eq!(rx.try_recv(), Ok(0));
        assert_eq!(send.poll(), Ready(Ok(())));
    });
}

#[test]
fn a_receive_is_ready_while_a_value_is_inside_and_parks_when_none_is() {
    each_capacity(|capacity, tx, rx| {
        if capacity != Some(0) {
            tx.try_send('a').unwrap();
            assert_eq!(ready(rx.recv()), Ok('a'));
        }
        let mut recv = parked(rx.recv());
        assert_eq!(ready(tx.send('b')), Ok(()));
        assert_eq!(recv.poll(), Ready(Ok('b')));
    });
}

#[test]
fn a_try_that_fails_leaves_no_trace() {
    each_limit(|_, tx, rx| {
        let before = rx.snapshot();
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(rx.snapshot(), before);

        let next = fill(&tx, 0);
        let before = rx.snapshot();
        assert_eq!(tx.try_send(next), Err(TrySendError::Full(next)));
        assert_eq!(rx.snapshot(), before);
    });
}

#[test]
fn values_leave_in_the_order_in_which_they_were_accepted() {
    each_capacity(|capacity, tx, rx| {
        let inside = capacity.unwrap_or(100);
        for value in 0..inside {
            tx.try_send(value).unwrap();
        }
        let mut sends: Vec<_> = (inside..inside + 5)
            .map(|n| Task::new(tx.send(n)))
            .collect();
        for send in &mut sends {
            assert_eq!(send.poll().is_ready(), capacity.is_none());
        }
        assert!(values(&rx).into_iter().eq(0..inside + 5));
    });
}

#[test]
fn parked_sends_are_accepted_in_the_order_in_which_they_parked() {
    each_limit(|_, tx, rx| {
        let next = fill(&tx, 0);
        let mut sends: Vec<_> = (next..next + 4).map(|n| tx.send(n)).map(parked).collect();
        for accepted in 0..4 {
            assert_eq!(rx.try_recv(), Ok(accepted));
            let woken: Vec<_> = sends.iter().map(Task::wakes).collect();
            assert_eq!(woken, [0, 1, 2, 3].map(|n| usize::from(n <= accepted)));
        }
        assert!(sends.iter_mut().all(|send| send.poll() == Ready(Ok(()))));
    });
}

#[test]
fn parked_receives_are_served_in_the_order_in_which_they_parked() {
    each_capacity(|_, tx, rx| {
        let mut recvs: Vec<_> = (0..4).map(|_| parked(rx.recv())).collect();
        for value in 0..4 {
            tx.try_send(value).unwrap();
            let woken: Vec<_> = recvs.iter().map(Task::wakes).collect();
            assert_eq!(woken, [0, 1, 2, 3].map(|n| usize::from(n <= value)));
        }
        // In whatever order they look.
        for value in [2, 0, 3, 1] {
            assert_eq!(recvs[value].poll(), Ready(Ok(value)));
        }
    });
}

#[test]
fn a_value_goes_past_the_ring_to_a_parked_receive() {
    each_capacity(|_, tx, rx| {
        let ring = || {
            let seen = rx.snapshot();
            (seen.qcount, seen.sendx, seen.recvx, seen.peak)
        };
        let before = ring();
        let mut recv = handed(&tx, &rx, 1);
        assert_eq!(ring(), before);
        assert_eq!(recv.poll(), Ready(Ok(1)));
        assert_eq!(ring(), before);
    });
}

#[test]
fn a_receive_on_a_full_ring_gives_the_freed_slot_to_the_parked_send_in_one_step() {
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        let mut send = parked(tx.send(next));
        let before = rx.snapshot();
        assert_eq!(rx.try_recv(), Ok(0));

        let after = rx.snapshot();
        assert_eq!((after.qcount, after.sendq), (capacity, 0));
        assert_eq!(after.recvx, after.sendx, "the ring is still full");
        assert_eq!(after.recvx, (before.recvx + 1) % capacity.max(1));
        assert_eq!(send.wakes(), 1);
        assert_eq!(send.poll(), Ready(Ok(())));
    });
}

#[test]
fn a_newcomer_cannot_take_what_a_parked_receive_was_handed() {
    each_capacity(|_, tx, rx| {
        let mut first = handed(&tx, &rx, 1);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        let mut newcomer = parked(rx.recv());
        assert_eq!(first.poll(), Ready(Ok(1)));
        assert_eq!(newcomer.poll(), Pending);
    });
}

#[test]
fn a_newcomer_cannot_take_the_slot_that_a_parked_send_was_given() {
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        let mut first = parked(tx.send(next));
        rx.try_recv().unwrap();
        assert_eq!(tx.try_send(99), Err(TrySendError::Full(99)));
        let newcomer = parked(tx.send(99));
        assert_eq!(first.poll(), Ready(Ok(())));
        drop(newcomer);
        assert!(values(&rx).into_iter().eq(1..=capacity));
    });
}

#[test]
fn on_capacity_0_try_send_needs_a_parked_receive() {
    let (tx, rx) = bounded(0);
    assert_eq!(tx.try_send(1), Err(TrySendError::Full(1)));
    let mut recv = parked(rx.recv());
    assert_eq!(tx.try_send(2), Ok(()));
    assert_eq!(tx.try_send(3), Err(TrySendError::Full(3)));
    assert_eq!(recv.poll(), Ready(Ok(2)));
}

#[test]
fn on_capacity_0_try_recv_needs_a_parked_send() {
    let (tx, rx) = bounded(0);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    let mut send = parked(tx.send(1));
    assert_eq!((rx.len(), rx.is_empty(), rx.is_full()), (0, true, true));
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(send.poll(), Ready(Ok(())));
}

#[test]
fn on_capacity_0_a_send_meets_a_parked_receive_and_a_receive_a_parked_send() {
    let (tx, rx) = bounded(0);
    let mut recv = parked(rx.recv());
    assert_eq!(ready(tx.send(1)), Ok(()));
    assert_eq!(recv.poll(), Ready(Ok(1)));

    let mut send = parked(tx.send(2));
    assert_eq!(ready(rx.recv()), Ok(2));
    assert_eq!(send.poll(), Ready(Ok(())));
}

#[test]
fn an_unbounded_channel_is_never_full() {
    let (tx, rx) = unbounded();
    for value in 0..10_000 {
        assert_eq!(ready(tx.send(value)), Ok(()));
    }
    assert_eq!(
        (rx.len(), rx.is_full(), rx.capacity()),
        (10_000, false, None)
    );
    assert!(values(&rx).into_iter().eq(0..10_000));
}

#[test]
fn the_largest_capacity_is_never_full() {
    let (tx, rx) = bounded(usize::MAX);
    for value in 0..1000_u64 {
        assert_eq!(ready(tx.send(value)), Ok(()));
    }
    assert_eq!((rx.capacity(), rx.is_full()), (Some(usize::MAX), false));
    let drawn = format!("buf   1000 of {}, recvx 0, sendx 1000", usize::MAX);
    assert!(rx.snapshot().to_string().starts_with(&drawn));
    assert!(values(&rx).into_iter().eq(0..1000));
}

// Go's nil channel.

#[test]
fn on_a_never_channel_every_operation_waits_forever() {
    let (mut tx, mut rx) = never();
    let (mut items, mut out, mut slot) = (VecDeque::from([1, 2]), Vec::new(), Some(3));
    let mut send = parked(tx.send(0));
    let mut recv = parked(rx.recv());
    assert_eq!(parked(rx.recv_many(&mut out, 9)).wakers(), 0);
    assert_eq!(parked(tx.send_many(&mut items)).wakers(), 0);
    assert_eq!(parked(tx.send_from(&mut slot)).wakers(), 0);
    assert_eq!(parked(tx.reserve()).wakers(), 0);
    assert_eq!(parked(tx.closed()).wakers(), 0);
    assert_eq!(parked(rx.closed()).wakers(), 0);
    assert_eq!((send.wakers(), recv.wakers()), (0, 0));
    assert!(send.poll().is_pending() && recv.poll().is_pending());
    assert_eq!(send.into_inner().cancel(), Some(0));
    drop(recv);
    assert_eq!(
        (items, out, slot),
        (VecDeque::from([1, 2]), vec![], Some(3))
    );

    let mut item = Some(4);
    let mut poll_send = parked(poll_fn(|cx| tx.poll_send(cx, &mut item)));
    assert!(poll_send.poll().is_pending());
    let mut poll_recv = parked(poll_fn(|cx| rx.poll_recv(cx)));
    assert!(poll_recv.poll().is_pending());
}

#[test]
fn on_a_never_channel_nothing_is_tried_with_success() {
    let (tx, rx) = never();
    assert_eq!(tx.try_send(1), Err(TrySendError::Full(1)));
    assert_eq!(tx.force_send(1), Ok(Some(1)));
    // It has no slots either, but here nothing ever happens, and so nothing panics.
    assert_eq!(tx.try_reserve().err(), Some(TrySendError::Full(())));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(
        rx.try_recv_many(&mut Vec::new(), 9),
        Err(TryRecvError::Empty)
    );
    assert_eq!(rx.drain().len(), 0);
    assert_eq!((rx.len(), rx.capacity()), (0, Some(0)));
}

#[test]
fn a_never_channel_has_no_end() {
    let (tx, rx) = never::<u8>();
    assert!(!tx.close() && !rx.close() && !rx.is_closed());
    assert_eq!((rx.sender_count(), rx.receiver_count()), (1, 1));
    drop(tx);
    assert!(!rx.is_closed());
    assert_eq!(rx.sender_count(), 0);
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    assert!(poll_once(rx.recv()).is_pending());

    let (tx, rx) = never();
    drop(rx);
    assert_eq!(tx.try_send(1), Err(TrySendError::Full(1)));
    assert!(poll_once(tx.closed()).is_pending());
}

// The ring.

#[test]
fn the_cursors_wrap_at_the_size_of_the_ring() {
    for capacity in [1, 2, 3, 5, 7] {
        let (tx, rx) = bounded(capacity);
        for value in 0..5 * capacity {
            tx.try_send(value).unwrap();
            assert_eq!(rx.snapshot().recvx, value % capacity);
            assert_eq!(rx.snapshot().sendx, (value + 1) % capacity);
            assert_eq!(rx.try_recv(), Ok(value));
            assert_eq!(rx.snapshot().recvx, rx.snapshot().sendx);
        }
    }
}

#[test]
fn the_ring_keeps_its_order_over_many_laps_with_values_put_back() {
    for capacity in [1, 2, 3, 5, 7] {
        let (tx, rx) = bounded(capacity);
        let (mut sent, mut received) = (0, 0);
        for step in 0..1000 {
            // The first values are handed, the ring fills behind them, and then they come back.
            let waiting = if rx.is_empty() { step % 4 } else { 0 };
            let unclaimed: Vec<_> = (0..waiting).map(|_| parked(rx.recv())).collect();
            sent = fill(&tx, sent);
            assert!(rx.len() >= capacity);
            drop(unclaimed);
            assert_eq!(rx.len(), sent - received);
            for value in rx.try_iter().take(step % (capacity + 4)) {
                assert_eq!(value, received);
                received += 1;
            }
        }
        assert!(received > 100 * capacity);
    }
}

#[test]
fn values_put_back_take_no_slot_of_the_ring() {
    let (tx, rx) = bounded(3);
    let recv = handed(&tx, &rx, 1);
    tx.try_send(2).unwrap();
    drop(recv);
    let cursors = || (rx.snapshot().recvx, rx.snapshot().sendx);
    assert_eq!(cursors(), (0, 1));
    assert_eq!((rx.try_recv(), cursors()), (Ok(1), (0, 1)));
    assert_eq!((rx.try_recv(), cursors()), (Ok(2), (1, 1)));
}

// What can be seen from outside.

#[test]
fn clones_are_counted_and_are_of_the_same_channel() {
    each_capacity(|_, tx: Sender<u8>, rx| {
        let (other_tx, other_rx) = (tx.clone(), rx.clone());
        let more = other_rx.clone();
        assert_eq!((tx.sender_count(), tx.receiver_count()), (2, 3));
        assert_eq!((rx.sender_count(), rx.receiver_count()), (2, 3));
        assert!(tx.same_channel(&other_tx) && rx.same_channel(&more));
        drop((other_tx, other_rx));
        assert_eq!((rx.sender_count(), rx.receiver_count()), (1, 2));

        let (strange_tx, strange_rx) = bounded(1);
        assert!(!tx.same_channel(&strange_tx) && !rx.same_channel(&strange_rx));
    });
}

#[test]
fn a_clone_that_is_dropped_ends_nothing() {
    each_capacity(|_, tx, rx: Receiver<u8>| {
        drop((tx.clone(), rx.clone()));
        let mut recv = parked(rx.recv());
        assert_eq!(tx.try_send(1), Ok(()));
        assert_eq!(recv.poll(), Ready(Ok(1)));
    });
}

#[test]
fn a_snapshot_counts_values_and_parked_operations() {
    each_limit(|capacity, tx, rx| {
        let recvs = [parked(rx.recv()), parked(rx.recv())];
        assert_eq!((rx.snapshot().qcount, rx.snapshot().recvq), (0, 2));
        drop(recvs);

        let next = fill(&tx, 0);
        let sends = [parked(tx.send(next)), parked(tx.send(next))];
        let reserve = (capacity > 0).then(|| parked(tx.reserve()));
        let waiting = sends.len() + reserve.iter().len();
        let full = tx.snapshot();
        assert_eq!((full.qcount, full.dataqsiz), (capacity, Some(capacity)));
        assert_eq!((full.sendq, full.recvq, full.closed), (waiting, 0, false));
        drop((sends, reserve));

        tx.close();
        let closed = rx.snapshot();
        assert_eq!((closed.qcount, closed.sendq), (capacity, 0));
        assert!(closed.closed);
    });
}

#[test]
fn a_snapshot_knows_totals_and_the_peak() {
    let (tx, rx) = bounded(2);
    let totals = || {
        let seen = tx.snapshot();
        (seen.sent, seen.received, seen.unclaimed, seen.peak)
    };
    let mut recv = handed(&tx, &rx, 0);
    assert_eq!(totals(), (1, 0, 1, 0));
    assert_eq!(recv.poll(), Ready(Ok(0)));
    drop(recv);
    assert_eq!(totals(), (1, 1, 0, 0));
    let recv = handed(&tx, &rx, 1);
    fill(&tx, 2);
    assert_eq!(totals(), (4, 1, 1, 2));
    drop(recv);
    assert_eq!(totals(), (4, 1, 0, 3), "what came back was not received");
    let parked = parked(tx.send(4));
    assert_eq!(totals(), (4, 1, 0, 3), "what waits outside was not sent");
    assert_eq!(rx.drain().len(), 4);
    drop(parked);
    assert_eq!(totals(), (5, 5, 0, 3));
    fill(&tx, 5);
    assert_eq!(tx.force_send(7), Ok(Some(5)));
    assert_eq!(totals(), (8, 6, 0, 3), "what had to go has left");
    drop(rx);
    assert_eq!(totals(), (8, 8, 0, 3), "and what went with the receiver");
}

#[test]
fn a_batch_may_make_the_peak() {
    let (tx, rx) = unbounded();
    for many in [5, 3, 8] {
        let mut items = (0..many).collect();
        assert_eq!(ready(tx.send_many(&mut items)), Ok(()));
        assert_eq!(rx.drain().len(), many);
    }
    assert_eq!((rx.snapshot().peak, rx.snapshot().received), (8, 16));
}

#[test]
fn a_snapshot_counts_handles_and_permits() {
    let (tx, rx) = bounded::<()>(3);
    let (_other, _more) = (tx.clone(), [rx.clone(), rx.clone()]);
    let permits = [tx.try_reserve().unwrap(), tx.try_reserve().unwrap()];
    let seen = rx.snapshot();
    assert_eq!((seen.senders, seen.receivers, seen.permits), (2, 3, 2));
    drop(permits);
    assert_eq!((rx.snapshot().permits, rx.snapshot().peak), (0, 0));
}

#[test]
fn a_handle_is_shown_in_short() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let send = parked(tx.send(2));
    assert_eq!(
        format!("{tx:?}"),
        "Sender { len: 1, capacity: Some(1), closed: false, sendq: 1, recvq: 0 }"
    );
    drop(send);
    tx.close();
    assert_eq!(
        format!("{rx:?}"),
        "Receiver { len: 1, capacity: Some(1), closed: true, sendq: 0, recvq: 0 }"
    );
}

#[test]
fn a_snapshot_draws_the_ring_and_both_queues() {
    let (tx, rx) = bounded(3);
    fill(&tx, 0);
    values(&rx);
    assert_eq!(
        tx.snapshot().to_string(),
        "buf   [ ][ ][ ]  0 of 3, recvx 0, sendx 0\nsendq 0\nrecvq 0"
    );
    fill(&tx, 0);
    rx.try_recv().unwrap();
    tx.try_send(3).unwrap();
    rx.try_recv().unwrap();
    assert_eq!(
        tx.snapshot().to_string(),
        "buf   [#][ ][#]  2 of 3, recvx 2, sendx 1\nsendq 0\nrecvq 0"
    );
    tx.try_send(4).unwrap();
    let sends = [parked(tx.send(5)), parked(tx.send(6))];
    assert_eq!(
        tx.snapshot().to_string(),
        "buf   [#][#][#]  3 of 3, recvx 2, sendx 2\nsendq 2 <-o o\nrecvq 0"
    );
    drop(sends);
    tx.close();
    assert_eq!(
        tx.snapshot().to_string(),
        "buf   [#][#][#]  3 of 3, recvx 2, sendx 2\nsendq 0\nrecvq 0\nclosed"
    );
}

#[test]
fn a_snapshot_describes_what_cannot_be_drawn() {
    let (_tx, rx) = bounded::<u8>(0);
    let _recvs = [parked(rx.recv()), parked(rx.recv()), parked(rx.recv())];
    assert_eq!(
        rx.snapshot().to_string(),
        "buf   0 of 0, recvx 0, sendx 0\nsendq 0\nrecvq 3 <-o o o"
    );
    let (tx, rx) = bounded(65);
    tx.try_send(1).unwrap();
    assert_eq!(
        rx.snapshot().to_string(),
        "buf   1 of 65, recvx 0, sendx 1\nsendq 0\nrecvq 0"
    );
    let (tx, rx) = unbounded();
    tx.try_send(1).unwrap();
    assert_eq!(
        rx.snapshot().to_string(),
        "buf   1 of no limit, recvx 0, sendx 1\nsendq 0\nrecvq 0"
    );
}

#[test]
fn a_snapshot_shows_what_was_put_back_beyond_the_capacity() {
    let (tx, rx) = bounded(1);
    let first = handed(&tx, &rx, 1);
    let second = handed(&tx, &rx, 2);
    tx.try_send(3).unwrap();
    drop((first, second));
    assert_eq!(
        tx.snapshot().to_string(),
        "buf   [#]  3 of 1, recvx 0, sendx 0\nsendq 0\nrecvq 0"
    );
}

// A send at any price.

#[test]
fn force_send_sends_like_any_other_while_there_is_room() {
    each_capacity(|capacity, tx, rx| {
        let mut recv = parked(rx.recv());
        assert_eq!(tx.force_send(1), Ok(None));
        assert_eq!((recv.poll(), rx.len()), (Ready(Ok(1)), 0));
        if capacity != Some(0) {
            assert_eq!(tx.force_send(2), Ok(None));
            assert_eq!(values(&rx), [2]);
        }
    });
}

#[test]
fn force_send_on_a_full_ring_gives_up_the_oldest_value() {
    for capacity in [1, 2, 3, 7] {
        let (tx, rx) = bounded(capacity);
        for value in 0..3 * capacity {
            let given_up = value.checked_sub(capacity);
            assert_eq!(tx.force_send(value), Ok(given_up));
        }
        assert!(values(&rx).into_iter().eq(2 * capacity..3 * capacity));
    }
}

#[test]
fn force_send_overtakes_parked_sends_which_stay_parked() {
    let (tx, rx) = bounded(2);
    fill(&tx, 0);
    let mut send = parked(tx.send(2));
    assert_eq!(tx.force_send(9), Ok(Some(0)));
    assert!(send.poll().is_pending());
    assert_eq!((send.wakes(), tx.len()), (0, 2));
    assert_eq!(values(&rx), [1, 9, 2]);
}

#[test]
fn force_send_on_capacity_0_without_a_receiver_gives_the_value_back() {
    let (tx, rx) = bounded(0);
    assert_eq!(tx.force_send(1), Ok(Some(1)));
    let send = parked(tx.send(2));
    assert_eq!(tx.force_send(1), Ok(Some(1)));
    assert_eq!(values(&rx), [2]);
    drop(send);
}

#[test]
fn force_send_gives_up_what_was_put_back_first() {
    let (tx, rx) = bounded(1);
    drop(handed(&tx, &rx, 1));
    assert_eq!(tx.force_send(2), Ok(Some(1)));
    assert_eq!(values(&rx), [2]);

    // On capacity 0 there is no ring to take the new value.
    let (tx, rx) = bounded(0);
    drop(handed(&tx, &rx, 1));
    assert_eq!(tx.force_send(2), Ok(Some(2)));
    assert_eq!(values(&rx), [1]);
}

#[test]
fn force_send_on_a_closed_channel_fails_with_its_value() {
    each_capacity(|_, tx, rx| {
        rx.close();
        assert_eq!(tx.force_send(1), Err(SendError(1)));
    });
}

#[test]
fn force_send_leaves_a_reserved_slot_alone() {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap();
    assert_eq!(tx.force_send(1), Ok(Some(1)));
    assert_eq!(permit.send(2), Ok(()));
    assert_eq!(values(&rx), [2]);
}

// Permits.

#[test]
fn a_permit_holds_a_slot_until_it_is_used() {
    for capacity in [1, 2, 3, 7] {
        let (tx, rx) = bounded(capacity);
        let permits: Vec<_> = (0..capacity)
            .map(|_| ready(tx.reserve()).unwrap())
            .collect();
        assert_eq!((tx.len(), tx.is_full()), (0, true));
        assert_eq!(tx.try_send(0), Err(TrySendError::Full(0)));
        assert_eq!(tx.try_reserve().err(), Some(TrySendError::Full(())));
        let reserve = parked(tx.reserve());
        for (value, permit) in permits.into_iter().enumerate() {
            assert_eq!(permit.send(value), Ok(()));
        }
        assert_eq!((tx.len(), reserve.wakes()), (capacity, 0));
        assert!(values(&rx).into_iter().eq(0..capacity));
    }
}

#[test]
fn a_permit_on_an_unbounded_channel_is_always_granted() {
    let (tx, rx) = unbounded();
    let permits: Vec<_> = (0..100).map(|_| tx.try_reserve().unwrap()).collect();
    assert!(!tx.is_full());
    tx.try_send(7).unwrap();
    drop(permits);
    ready(tx.reserve()).unwrap().send(8).unwrap();
    assert_eq!(values(&rx), [7, 8]);
}

#[test]
fn a_value_sent_by_permit_is_accepted_when_it_is_sent() {
    let (tx, rx) = bounded(2);
    let permit = tx.try_reserve().unwrap();
    tx.try_send(1).unwrap();
    permit.send(2).unwrap();
    assert_eq!(values(&rx), [1, 2]);
}

#[test]
fn a_permit_sends_straight_to_a_parked_receive() {
    each_with_slots(|_, tx, rx| {
        let mut recv = parked(rx.recv());
        let permit = tx.try_reserve().unwrap();
        assert!(recv.poll().is_pending());
        assert_eq!(permit.send(1), Ok(()));
        assert_eq!((recv.wakes(), rx.len()), (1, 0));
        assert_eq!(recv.poll(), Ready(Ok(1)));
    });
}

#[test]
fn a_permit_whose_value_went_past_the_ring_leaves_its_slot_to_the_next() {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap();
    let reserve = parked(tx.reserve());
    let mut recv = parked(rx.recv());
    assert_eq!(permit.send(1), Ok(()));
    assert_eq!((reserve.wakes(), recv.poll()), (1, Ready(Ok(1))));
}

#[test]
fn a_dropped_permit_gives_its_slot_to_the_next_parked_send() {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap();
    let mut sends = [parked(tx.send(1)), parked(tx.send(2))];
    drop(permit);
    assert_eq!([sends[0].wakes(), sends[1].wakes()], [1, 0]);
    assert_eq!(sends[0].poll(), Ready(Ok(())));
    assert_eq!(sends[1].poll(), Pending);
    assert_eq!(values(&rx), [1, 2]);
}

#[test]
fn a_dropped_permit_gives_its_slot_to_the_next_parked_reservation() {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap();
    let mut reserve = parked(tx.reserve());
    let send = parked(tx.send(2));
    drop(permit);
    assert_eq!((reserve.wakes(), send.wakes()), (1, 0));
    let Ready(Ok(permit)) = reserve.poll() else {
        panic!("the reservation was granted");
    };
    permit.send(1).unwrap();
    assert_eq!(values(&rx), [1, 2]);
}

#[test]
fn a_receive_takes_from_a_parked_send_directly_while_a_permit_holds_the_last_slot() {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap();
    let mut sends = [parked(tx.send(1)), parked(tx.send(2)), parked(tx.send(3))];
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(ready(rx.recv()), Ok(2));
    assert_eq!(
        [sends[0].wakes(), sends[1].wakes(), sends[2].wakes()],
        [1, 1, 0]
    );
    assert_eq!(sends[0].poll(), Ready(Ok(())));
    assert_eq!(permit.send(4), Ok(()));
    assert_eq!(values(&rx), [4, 3]);
}

#[test]
fn reservations_and_sends_stand_in_one_line() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let first = parked(tx.send(1));
    let mut second = parked(tx.reserve());
    let third = parked(tx.send(3));
    assert_eq!(rx.snapshot().sendq, 3);

    assert_eq!(rx.try_recv(), Ok(0));
    assert_eq!((first.wakes(), second.wakes(), third.wakes()), (1, 0, 0));
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!((second.wakes(), third.wakes()), (1, 0));
    let Ready(Ok(permit)) = second.poll() else {
        panic!("the reservation was granted");
    };
    permit.send(2).unwrap();
    assert_eq!(values(&rx), [2, 3]);
}

#[test]
fn a_granted_reservation_that_is_dropped_gives_its_slot_to_the_next() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let reserve = parked(tx.reserve());
    let mut send = parked(tx.send(1));
    rx.try_recv().unwrap();
    assert_eq!((reserve.wakes(), send.wakes()), (1, 0));
    drop(reserve);
    assert_eq!(send.wakes(), 1);
    assert_eq!(send.poll(), Ready(Ok(())));
    assert_eq!(values(&rx), [1]);
}

#[test]
fn a_parked_reservation_that_is_dropped_leaves_the_line() {
    for capacity in [1, 2, 3, 7] {
        let (tx, rx) = bounded(capacity);
        let next = fill(&tx, 0);
        let reserve = parked(tx.reserve());
        let _send = parked(tx.send(next));
        drop(reserve);
        assert_eq!(rx.snapshot().sendq, 1);
        assert!(values(&rx).into_iter().eq(0..=capacity));
    }
}

#[test]
fn a_permit_fails_only_once_the_channel_is_closed() {
    let (tx, rx) = bounded(2);
    let (early, late, unused) = (
        tx.try_reserve().unwrap(),
        tx.try_reserve().unwrap(),
        parked(tx.reserve()),
    );
    assert_eq!(early.send(1), Ok(()));
    rx.close();
    assert_eq!(late.send(2), Err(SendError(2)));
    assert_eq!(unused.wakes(), 1);
    assert_eq!(ready(unused.into_inner()).err(), Some(SendError(())));
    assert_eq!(tx.try_reserve().err(), Some(TrySendError::Closed(())));
    assert_eq!(ready(tx.reserve()).err(), Some(SendError(())));
    assert_eq!(values(&rx), [1]);
}

#[test]
fn on_capacity_0_there_is_no_slot_so_to_reserve_one_panics_at_the_call() {
    let (tx, rx) = bounded::<u8>(0);
    let _recv = parked(rx.recv());
    let calls: [fn(&Sender<u8>); 2] = [|tx| drop(tx.reserve()), |tx| drop(tx.try_reserve())];
    for reserve in calls {
        let before = tx.snapshot();
        let message = panic_of(|| reserve(&tx));
        assert!(message.contains("capacity 0"), "{message}");
        assert!(message.contains("no slots"), "{message}");
        assert!(message.contains("`send_from`"), "{message}");
        assert_eq!(tx.snapshot(), before);
        tx.close();
    }
}

// Many at a time.

#[test]
fn recv_many_waits_for_the_first_and_takes_what_is_there() {
    each_capacity(|_, tx, rx| {
        let mut out = vec![0];
        let mut recv = parked(rx.recv_many(&mut out, 9));
        tx.try_send(1).unwrap();
        let mut sends = [Task::new(tx.send(2)), Task::new(tx.send(3))];
        let _waiting = [sends[0].poll(), sends[1].poll()];
        assert_eq!(recv.wakes(), 1);
        assert_eq!(recv.poll(), Ready(Ok(3)));
        assert_eq!(recv.wakes(), 1);
        drop(recv);
        assert_eq!(out, [0, 1, 2, 3]);
        assert!(tx.is_empty() && tx.snapshot().sendq == 0);
    });
}

#[test]
fn recv_many_takes_the_values_of_parked_sends_up_to_its_limit() {
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        let mut sends: Vec<_> = (next..next + 4).map(|n| parked(tx.send(n))).collect();
        let mut out = Vec::new();
        assert_eq!(
            ready(rx.recv_many(&mut out, capacity + 2)),
            Ok(capacity + 2)
        );
        assert!(out.into_iter().eq(0..capacity + 2));

        // The ring is full again, as far as there are sends to fill it.
        assert_eq!(rx.len(), capacity.min(2));
        let accepted = sends.iter_mut().filter_map(|send| match send.poll() {
            Ready(sent) => Some((sent, send.wakes())),
            Pending => None,
        });
        assert!(accepted.eq(vec![(Ok(()), 1); 2 + capacity.min(2)]));
    });
}

#[test]
fn receiving_at_most_nothing_is_done_at_once() {
    each_capacity(|_, tx, rx| {
        let mut out = vec![7];
        assert_eq!(ready(rx.recv_many(&mut out, 0)), Ok(0));
        assert_eq!(rx.try_recv_many(&mut out, 0), Ok(0));
        let mut recv = handed(&tx, &rx, 1);
        assert_eq!(ready(rx.recv_many(&mut out, 0)), Ok(0));
        assert_eq!(recv.poll(), Ready(Ok(1)));
        assert_eq!(out, [7]);
    });
}

#[test]
fn recv_many_fails_once_the_channel_is_closed_and_drained() {
    each_capacity(|_, tx, rx| {
        let mut out = Vec::new();
        let mut early = parked(rx.recv_many(&mut out, 9));
        tx.try_send(1).unwrap();
        drop(tx);
        assert_eq!(early.poll(), Ready(Ok(1)));
        drop(early);
        assert_eq!(ready(rx.recv_many(&mut out, 9)), Err(RecvError));
        assert_eq!(rx.try_recv_many(&mut out, 9), Err(TryRecvError::Closed));
        assert_eq!(out, [1]);
    });
}

#[test]
fn recv_many_puts_nothing_out_before_it_is_polled_to_its_end() {
    each_capacity(|_, tx, rx| {
        let mut out = Vec::new();
        let recv = parked(rx.recv_many(&mut out, 9));
        tx.try_send(1).unwrap();
        drop(recv);
        assert_eq!((out.len(), rx.len()), (0, 1));
        assert_eq!(rx.try_recv(), Ok(1));
    });
}

#[test]
fn receiving_without_waiting_goes_on_into_the_values_of_parked_sends() {
    type Receive = fn(&Receiver<usize>) -> Vec<usize>;
    let ways: [Receive; 3] = [
        |rx| rx.drain().collect(),
        |rx| rx.try_iter().collect(),
        |rx| {
            let mut out = Vec::new();
            rx.try_recv_many(&mut out, usize::MAX).unwrap();
            out
        },
    ];
    for receive in ways {
        each_limit(|capacity, tx, rx| {
            let next = fill(&tx, 0);
            let mut sends: Vec<_> = (next..next + 3).map(|n| parked(tx.send(n))).collect();
            assert!(receive(&rx).into_iter().eq(0..capacity + 3));
            for send in &mut sends {
                assert_eq!((send.wakes(), send.poll()), (1, Ready(Ok(()))));
            }
            assert!(rx.is_empty());
        });
    }
}

#[test]
fn try_recv_many_stops_at_its_limit_and_tells_empty_from_closed() {
    each_capacity(|_, tx, rx| {
        let mut out = Vec::new();
        assert_eq!(rx.try_recv_many(&mut out, 2), Err(TryRecvError::Empty));
        let mut sends = [1, 2, 3].map(|value| Task::new(tx.send(value)));
        let _maybe_waiting = sends.each_mut().map(Task::poll);
        assert_eq!(rx.try_recv_many(&mut out, 2), Ok(2));
        assert_eq!(rx.try_recv_many(&mut out, 2), Ok(1));
        assert_eq!(out, [1, 2, 3]);
        tx.close();
        assert_eq!(rx.try_recv_many(&mut out, 2), Err(TryRecvError::Closed));
    });
}

#[test]
fn what_is_received_at_once_passes_reservations_by() {
    let (tx, rx) = bounded(1);
    let permit = tx.try_reserve().unwrap();
    let mut first = parked(tx.send(1));
    let mut reservation = parked(tx.reserve());
    let mut second = parked(tx.send(2));
    let mut out = vec![0; 9];
    assert_eq!(rx.try_recv_many(&mut out, 9), Ok(2));
    assert_eq!(out[9..], [1, 2]);
    assert_eq!([first.poll(), second.poll()], [Ready(Ok(())); 2]);
    assert!(reservation.poll().is_pending());
    drop(permit);
    assert_eq!(reservation.wakes(), 1);
}

#[test]
fn drain_takes_all_at_once_and_knows_how_many() {
    let (tx, rx) = bounded(3);
    fill(&tx, 0);
    let mut drain = rx.drain();
    assert_eq!((drain.len(), rx.len()), (3, 0));
    tx.try_send(9).unwrap();
    assert_eq!(drain.next(), Some(0));
    assert_eq!(drain.len(), 2);
    drop(drain);
    assert_eq!(values(&rx), [9]);
}

#[test]
fn try_iter_receives_one_value_for_each_step() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut iter = rx.try_iter();
    assert_eq!(iter.next(), Some(1));
    assert_eq!(iter.next(), None);
    tx.try_send(2).unwrap();
    assert_eq!(rx.len(), 1);
    assert_eq!(iter.next(), Some(2));
}

#[test]
fn send_many_moves_from_the_front_as_room_appears() {
    each_limit(|capacity, tx, rx| {
        let mut items: VecDeque<_> = (0..capacity + 3).collect();
        let mut send = parked(tx.send_many(&mut items));
        assert_eq!((tx.len(), tx.snapshot().sendq), (capacity, 1));
        for value in 0..3 {
            assert_eq!(rx.try_recv(), Ok(value));
            assert_eq!(send.wakes(), value + 1);
            assert_eq!(send.poll().is_ready(), value == 2);
        }
        drop(send);
        assert!(items.is_empty());
        assert!(values(&rx).into_iter().eq(3..capacity + 3));
    });
}

#[test]
fn send_many_serves_parked_receives_and_the_ring_in_one_go() {
    let (tx, rx) = bounded(2);
    let mut recvs = [parked(rx.recv()), parked(rx.recv())];
    let mut items = VecDeque::from([1, 2, 3, 4]);
    assert_eq!(ready(tx.send_many(&mut items)), Ok(()));
    assert_eq!(recvs[0].poll(), Ready(Ok(1)));
    assert_eq!(recvs[1].poll(), Ready(Ok(2)));
    assert_eq!(values(&rx), [3, 4]);
}

#[test]
fn send_many_of_nothing_is_done_at_once() {
    each_capacity(|_, tx, _rx: Receiver<u8>| {
        assert_eq!(ready(tx.send_many(&mut VecDeque::new())), Ok(()));
    });
}

#[test]
fn send_many_overtakes_nobody() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let mut items = VecDeque::from([1, 2]);
    let mut many = parked(tx.send_many(&mut items));
    let one = parked(tx.send(9));
    assert_eq!(rx.try_recv(), Ok(0));
    assert!(many.poll().is_pending());
    assert_eq!(values(&rx), [1, 9, 2]);
    assert_eq!(many.poll(), Ready(Ok(())));
    drop(one);
}

#[test]
fn send_many_leaves_what_was_not_accepted_in_its_items_when_dropped() {
    each_limit(|capacity, tx, rx| {
        let mut items: VecDeque<_> = (0..capacity + 3).collect();
        let mut send = parked(tx.send_many(&mut items));
        assert_eq!(rx.try_recv(), Ok(0));
        assert!(send.poll().is_pending());
        drop(send);
        assert!(items.iter().copied().eq(capacity + 1..capacity + 3));
        assert!(values(&rx).into_iter().eq(1..=capacity));
    });
}

#[test]
fn send_many_keeps_nothing_back_that_was_accepted() {
    let (tx, rx) = bounded(1);
    tx.try_send(0).unwrap();
    let mut items = VecDeque::from([1, 2]);
    let send = parked(tx.send_many(&mut items));
    assert_eq!(rx.try_recv(), Ok(0));
    drop(send);
    assert_eq!((values(&rx), items), (vec![1], VecDeque::from([2])));
}

#[test]
fn send_many_leaves_what_was_not_accepted_in_its_items_on_close() {
    each_limit(|capacity, tx, rx| {
        let mut items: VecDeque<_> = (0..capacity + 3).collect();
        let mut send = parked(tx.send_many(&mut items));
        rx.close();
        assert_eq!(send.poll(), Ready(Err(SendError(()))));
        drop(send);
        assert_eq!(ready(tx.send_many(&mut items)), Err(SendError(())));
        assert!(items.into_iter().eq(capacity..capacity + 3));
        assert!(values(&rx).into_iter().eq(0..capacity));
    });
}

// The poll forms, which keep their place in the handle.

#[test]
fn poll_send_stages_its_value_and_keeps_its_place_from_poll_to_poll() {
    each_limit(|_, tx, rx| {
        let next = fill(&tx, 0);
        let mut handle = tx.clone();
        let mut item = Some(next);
        let mut staged = parked(poll_fn(|cx| handle.poll_send(cx, &mut item)));
        let _behind = parked(tx.send(next + 1));
        assert!(staged.poll().is_pending());
        assert_eq!((staged.wakes(), staged.wakers()), (0, 1));
        assert_eq!(rx.snapshot().sendq, 2);
        assert!(values(&rx).into_iter().eq(0..next + 2));
        assert_eq!(staged.wakes(), 1);
        assert_eq!(staged.poll(), Ready(Ok(())));
        drop(staged);
        assert_eq!(item, None);
    });
}

#[test]
fn poll_send_takes_the_next_value_once_the_staged_one_is_through() {
    let (mut tx, rx) = bounded(1);
    let (mut first, mut second) = (Some(1), Some(2));
    tx.try_send(0).unwrap();
    assert!(poll_once(poll_fn(|cx| tx.poll_send(cx, &mut first))).is_pending());
    assert!(poll_once(poll_fn(|cx| tx.poll_send(cx, &mut second))).is_pending());
    assert_eq!((first, second), (None, Some(2)));

    assert_eq!(rx.try_recv(), Ok(0));
    assert!(poll_once(poll_fn(|cx| tx.poll_send(cx, &mut second))).is_pending());
    assert_eq!(second, None);
    assert_eq!(values(&rx), [1, 2]);
    assert_eq!(ready(poll_fn(|cx| tx.poll_send(cx, &mut second))), Ok(()));
}

#[test]
fn poll_send_of_nothing_is_ready_even_on_a_closed_channel() {
    each_capacity(|_, mut tx, rx: Receiver<u8>| {
        assert_eq!(ready(poll_fn(|cx| tx.poll_send(cx, &mut None))), Ok(()));
        rx.close();
        assert_eq!(ready(poll_fn(|cx| tx.poll_send(cx, &mut None))), Ok(()));
    });
}

#[test]
fn poll_send_fails_with_the_staged_value_first_and_then_with_the_offered_one() {
    each_limit(|_, mut tx, rx| {
        let next = fill(&tx, 0);
        let (mut staged, mut offered) = (Some(next), Some(next + 1));
        assert!(poll_once(poll_fn(|cx| tx.poll_send(cx, &mut staged))).is_pending());
        rx.close();
        let mut poll = || ready(poll_fn(|cx| tx.poll_send(cx, &mut offered)));
        assert_eq!(poll(), Err(SendError(next)));
        assert_eq!(poll(), Err(SendError(next + 1)));
        assert_eq!(poll(), Ok(()));
        assert_eq!(offered, None);
    });
}

#[test]
fn other_sends_on_a_handle_go_behind_its_staged_value() {
    let (mut tx, rx) = bounded(0);
    let mut item = Some(1);
    assert!(poll_once(poll_fn(|cx| tx.poll_send(cx, &mut item))).is_pending());
    let _send = parked(tx.send(2));
    assert_eq!(values(&rx), [1, 2]);
}

#[test]
fn a_dropped_handle_takes_its_staged_value_out_of_line() {
    each_limit(|capacity, tx, rx| {
        let next = fill(&tx, 0);
        let mut handle = tx.clone();
        let mut item = Some(99);
        assert!(poll_once(poll_fn(|cx| handle.poll_send(cx, &mut item))).is_pending());
        let _send = parked(tx.send(next));
        drop(handle);
        assert_eq!(rx.snapshot().sendq, 1);
        assert!(values(&rx).into_iter().eq(0..=capacity));
    });
}

#[test]
fn poll_recv_keeps_its_place_from_poll_to_poll() {
    each_capacity(|_, tx, rx| {
        let mut handle = rx.clone();
        let mut first = parked(poll_fn(|cx| handle.poll_recv(cx)));
        let mut second = parked(rx.recv());
        assert!(first.poll().is_pending());
        assert_eq!((rx.snapshot().recvq, first.wakers()), (2, 1));
        tx.try_send(1).unwrap();
        assert_eq!((first.wakes(), second.wakes()), (1, 0));
        assert_eq!(first.poll(), Ready(Ok(1)));

        // The next receive takes a new place.
        assert!(first.poll().is_pending());
        tx.try_send(2).unwrap();
        tx.try_send(3).unwrap();
        assert_eq!(second.poll(), Ready(Ok(2)));
        assert_eq!(first.poll(), Ready(Ok(3)));
    });
}

#[test]
fn poll_recv_may_be_polled_again_after_the_end() {
    each_capacity(|_, tx: Sender<u8>, mut rx| {
        assert!(poll_once(poll_fn(|cx| rx.poll_recv(cx))).is_pending());
        tx.close();
        for _ in 0..3 {
            assert_eq!(ready(poll_fn(|cx| rx.poll_recv(cx))), Err(RecvError));
        }
    });
}

#[test]
fn poll_recv_on_clones_takes_a_place_for_each() {
    each_capacity(|_, tx, mut rx| {
        let mut clone = rx.clone();
        assert!(poll_once(poll_fn(|cx| rx.poll_recv(cx))).is_pending());
        let another = rx.clone();
        assert!(poll_once(poll_fn(|cx| clone.poll_recv(cx))).is_pending());
        assert_eq!(rx.snapshot().recvq, 2);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        assert_eq!(another.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(ready(poll_fn(|cx| clone.poll_recv(cx))), Ok(2));
        assert_eq!(ready(poll_fn(|cx| rx.poll_recv(cx))), Ok(1));
    });
}

/// Waits on the handle itself, with a waker that does nothing.
#[track_caller]
fn stand<T>(handle: &mut Receiver<T>) {
    let polled = poll_once(poll_fn(|cx| handle.poll_recv(cx)));
    assert!(polled.is_pending(), "the handle was ready");
}

fn now<T>(polled: Poll<Option<T>>) -> Option<T> {
    match polled {
        Ready(value) => value,
        Pending => None,
    }
}

/// What may be done with a handle, and what it receives. None of them waits for long.
type Receive = fn(&mut Receiver<u8>) -> Option<u8>;

const RECEIVES: [Receive; 13] = [
    |rx| now(poll_once(rx.recv()).map(Result::ok)),
    |rx| now(poll_once(rx.next())),
    |rx| rx.try_recv().ok(),
    |rx| rx.try_iter().next(),
    |rx| rx.drain().next(),
    |rx| rx.recv_blocking_timeout(Duration::ZERO).ok(),
    |rx| rx.recv_blocking_deadline(Instant::now()).ok(),
    |rx| ready(std::pin::pin!(rx.recv_until(std::future::ready(())))).ok(),
    |rx| {
        let mut out = Vec::new();
        let _pending = poll_once(rx.recv_many(&mut out, 1));
        out.pop()
    },
    |rx| {
        let mut out = Vec::new();
        let _empty = rx.try_recv_many(&mut out, 1);
        out.pop()
    },
    |rx| Select::new().recv(rx, Result::ok).try_select().flatten(),
    |rx| now(poll_once(Select::new().recv(rx, Result::ok))),
    |rx| {
        select_blocking! {
            recv(rx) -> value => value.ok(),
            default => None,
        }
    },
];

#[test]
fn a_receive_on_a_handle_that_was_handed_a_value_finds_it_before_what_is_inside() {
    let waiting: [Receive; 2] = [|rx| rx.recv_blocking().ok(), |rx| rx.iter().next()];
    for receive in RECEIVES.into_iter().chain(waiting) {
        let (tx, mut rx) = bounded(1);
        stand(&mut rx);
        tx.try_send(1).unwrap();
        tx.try_send(2).unwrap();
        assert_eq!(receive(&mut rx), Some(1));
        assert_eq!(rx.snapshot().recvq, 0);
    }
}

#[test]
fn what_a_handle_was_handed_is_the_next_receivers_when_the_handle_is_used_for_something_else() {
    for receive in RECEIVES {
        each_capacity(|_, tx, mut rx| {
            stand(&mut rx);
            let other = rx.clone();
            let mut neighbour = parked(other.recv());
            tx.try_send(1).unwrap();
            assert_eq!(receive(&mut rx), None);
            assert_eq!((neighbour.wakes(), neighbour.poll()), (1, Ready(Ok(1))));
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        });
    }
}

#[test]
fn a_handle_that_is_used_for_something_else_stands_in_line_no_more() {
    for receive in RECEIVES {
        each_capacity(|_, tx, mut rx| {
            let wakes = Arc::<Wakes>::default();
            let waker = Waker::from(wakes.clone());
            assert!(rx.poll_recv(&mut Context::from_waker(&waker)).is_pending());
            drop(waker);
            let other = rx.clone();
            let mut behind = parked(other.recv());
            assert_eq!(Arc::strong_count(&wakes), 2);
            assert_eq!(receive(&mut rx), None);
            assert_eq!((Arc::strong_count(&wakes), wakes.count()), (1, 0));
            assert_eq!(rx.snapshot().recvq, 1);
            tx.try_send(1).unwrap();
            assert_eq!(behind.poll(), Ready(Ok(1)));
            assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        });
    }
}

#[test]
fn a_receive_on_a_handle_in_line_joins_at_the_end() {
    each_capacity(|_, tx, rx| {
        let mut handle = rx.clone();
        stand(&mut handle);
        let mut behind = parked(rx.recv());
        let mut again = parked(handle.recv());
        assert_eq!(rx.snapshot().recvq, 2);
        tx.try_send(1).unwrap();
        assert_eq!((behind.wakes(), again.wakes()), (1, 0));
        tx.try_send(2).unwrap();
        assert_eq!([behind.poll(), again.poll()], [Ready(Ok(1)), Ready(Ok(2))]);
        drop(again);

        stand(&mut handle);
        let mut behind = parked(rx.recv());
        let mut out = Vec::new();
        let mut again = parked(handle.recv_many(&mut out, 9));
        tx.try_send(3).unwrap();
        tx.try_send(4).unwrap();
        assert_eq!((behind.poll(), again.poll()), (Ready(Ok(3)), Ready(Ok(1))));
        drop(again);
        assert_eq!(out, [4]);
    });
}

#[test]
fn a_receive_that_was_not_polled_leaves_the_handle_in_its_place() {
    each_capacity(|_, tx, rx| {
        let mut handle = rx.clone();
        stand(&mut handle);
        let _behind = parked(rx.recv());
        drop((handle.recv(), handle.recv_many(&mut Vec::new(), 9)));
        drop(Select::new().recv(&handle, Result::ok));
        drop(handle.next());
        assert_eq!(rx.snapshot().recvq, 2);
        tx.try_send(1).unwrap();
        assert_eq!(ready(poll_fn(|cx| handle.poll_recv(cx))), Ok(1));
    });
}

#[test]
fn what_is_no_receive_leaves_the_handle_in_its_place() {
    each_capacity(|_, tx, rx| {
        let mut handle = rx.clone();
        stand(&mut handle);
        let mut behind = parked(rx.recv());
        let clone = handle.clone();
        let watch = parked(handle.closed());
        drop((handle.downgrade(), format!("{handle:?}")));
        assert_eq!((handle.len(), handle.is_empty()), (0, true));
        assert!(handle.same_channel(&clone) && !handle.is_closed());
        assert_eq!(handle.snapshot().recvq, 2);
        drop((watch, clone));
        tx.try_send(1).unwrap();
        assert!(handle.close());
        assert_eq!(behind.poll(), Pending);
        assert_eq!(ready(poll_fn(|cx| handle.poll_recv(cx))), Ok(1));
        assert_eq!(behind.poll(), Ready(Err(RecvError)));
    });
}

#[test]
fn what_a_handle_was_handed_is_the_first_of_many() {
    let (tx, mut rx) = bounded(2);
    stand(&mut rx);
    for value in 1..=3 {
        tx.try_send(value).unwrap();
    }
    let _send = parked(tx.send(4));
    let mut out = Vec::new();
    assert_eq!(rx.try_recv_many(&mut out, 2), Ok(2));
    assert_eq!(rx.drain().collect::<Vec<_>>(), [3, 4]);
    assert_eq!(out, [1, 2]);
}

#[test]
fn what_a_handle_was_handed_comes_back_before_a_parked_send_is_let_in() {
    let (tx, mut rx) = bounded(1);
    stand(&mut rx);
    tx.try_send(1).unwrap();
    tx.try_send(2).unwrap();
    let send = parked(tx.send(3));
    let other = rx.clone();
    let mut out = Vec::new();
    assert_eq!(rx.try_recv_many(&mut out, 1), Ok(1));
    assert_eq!((send.wakes(), other.len()), (0, 1));
    assert_eq!(other.try_recv(), Ok(2));
    assert_eq!((send.wakes(), values(&other)), (1, vec![3]));
}

#[test]
fn a_next_that_is_dropped_leaves_the_line() {
    each_capacity(|_, tx, rx| {
        let mut handle = rx.clone();
        let mut behind;
        {
            let next = parked(handle.next());
            behind = parked(rx.recv());
            assert_eq!(rx.snapshot().recvq, 2);
            drop(next);
        }
        assert_eq!(rx.snapshot().recvq, 1);
        tx.try_send(1).unwrap();
        assert_eq!(behind.poll(), Ready(Ok(1)));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn a_next_that_is_dropped_with_a_value_passes_it_on() {
    each_capacity(|_, tx, rx| {
        let mut handle = rx.clone();
        let next = parked(handle.next());
        let mut behind = parked(rx.recv());
        tx.try_send(1).unwrap();
        assert_eq!((next.wakes(), behind.wakes()), (1, 0));
        drop(next);
        assert_eq!((behind.wakes(), behind.poll()), (1, Ready(Ok(1))));
    });
}

#[test]
fn next_receives_each_value_and_then_none() {
    each_capacity(|_, tx, mut rx| {
        let mut send = Task::new(tx.send(1));
        let _maybe_waiting = send.poll();
        assert_eq!(ready(rx.next()), Some(1));
        let mut next = parked(rx.next());
        tx.try_send(2).unwrap();
        assert!(!next.future().is_terminated());
        assert_eq!(next.poll(), Ready(Some(2)));
        assert!(next.future().is_terminated());
        drop(next);
        tx.close();
        assert_eq!((ready(rx.next()), ready(rx.next())), (None, None));
    });
}

#[test]
fn a_dropped_handle_passes_on_what_it_was_handed() {
    each_capacity(|_, tx, rx| {
        let mut handle = rx.clone();
        assert!(poll_once(poll_fn(|cx| handle.poll_recv(cx))).is_pending());
        let mut behind = parked(rx.recv());
        tx.try_send(1).unwrap();
        drop(handle);
        assert_eq!(behind.wakes(), 1);
        assert_eq!(behind.poll(), Ready(Ok(1)));
    });
}
