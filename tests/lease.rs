//! A lease is a receive that can be taken back: whatever becomes of it, its value is received once, in order.
#![cfg(feature = "std")]

mod support;

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll::Ready;
use std::thread;
use std::time::Duration;

use futures::future::FusedFuture;
use hchan::{Lease, Receiver, RecvError, Sender, TryRecvError, bounded, never, unbounded};

use support::{
    Drops, each_capacity, each_with_slots, lines, now, on_wake, panic_of, parked, parked_with,
    poll_once, ready, values, waiting,
};

const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

/// A lease of a value that was handed to it.
#[track_caller]
fn handed_lease<'a, T>(tx: &Sender<T>, rx: &'a Receiver<T>, value: T) -> Lease<'a, T> {
    let mut lease = parked(rx.lease());
    tx.try_send(value).unwrap();
    match lease.poll() {
        Ready(Ok(lease)) => lease,
        _ => panic!("a value was handed"),
    }
}

#[test]
fn a_lease_is_its_value_and_can_be_taken() {
    each_with_slots(|_, tx, rx| {
        tx.try_send(vec![1]).unwrap();
        let mut lease = ready(rx.lease()).unwrap();
        lease.push(2);
        assert_eq!((lease.len(), rx.len()), (2, 0));
        assert_eq!(lease.take(), [1, 2]);
        assert!(rx.try_recv().unwrap_err().is_empty());
    });
}

#[test]
fn a_dropped_lease_puts_its_value_back_before_what_was_sent_later() {
    let (tx, rx) = bounded(2);
    tx.try_send(String::from("first")).unwrap();
    let mut lease = rx.try_lease().unwrap();
    tx.try_send("second".into()).unwrap();
    tx.try_send("third".into()).unwrap();
    lease.push_str(", changed");
    drop(lease);
    assert_eq!(rx.len(), 3, "one that comes back needs no slot");
    assert_eq!(values(&rx), ["first, changed", "second", "third"]);
}

#[test]
fn values_of_leases_are_back_in_order_whatever_the_order_of_the_drops() {
    for order in ORDERS {
        each_capacity(|_, tx, rx| {
            let mut leases: Vec<_> = (0..3).map(|n| Some(handed_lease(&tx, &rx, n))).collect();
            let mut last = support::Task::new(tx.send(3));
            let sent = last.poll();
            order.into_iter().for_each(|n| leases[n] = None);
            assert_eq!(values(&rx), [0, 1, 2, 3]);
            assert!(sent.is_ready() || last.poll().is_ready());
        });
    }
}

#[test]
fn leases_from_the_ring_of_what_came_back_and_of_parked_sends_know_their_ages() {
    for order in ORDERS {
        let (tx, rx) = bounded(1);
        // One came back, one is in the ring, one is with its send.
        let back = handed_lease(&tx, &rx, 0);
        tx.try_send(1).unwrap();
        let mut send = parked(tx.send(2));
        drop(back);
        let mut leases: Vec<_> = (0..3).map(|_| rx.try_lease().ok()).collect();
        assert_eq!(send.poll(), Ready(Ok(())));
        assert!(leases.iter().flatten().map(|lease| **lease).eq([0, 1, 2]));
        order.into_iter().for_each(|n| leases[n] = None);
        assert_eq!(values(&rx), [0, 1, 2]);
    }
    // Straight from a parked send, at a rendezvous.
    let (tx, rx) = bounded(0);
    let mut sends = [parked(tx.send(0)), parked(tx.send(1))];
    let leases = [rx.try_lease().unwrap(), rx.try_lease().unwrap()];
    assert!(sends.iter_mut().all(|send| send.poll().is_ready()));
    let [first, second] = leases;
    drop(second);
    drop(first);
    assert_eq!(values(&rx), [0, 1]);
}

#[test]
fn a_lease_is_handed_on_to_the_next_in_line() {
    each_capacity(|_, tx, rx| {
        let lease = handed_lease(&tx, &rx, 1);
        let (first, mut second) = (parked(rx.recv()), parked(rx.lease()));
        drop(lease);
        assert_eq!((first.wakes(), second.wakes()), (1, 0));
        drop(first);
        assert_eq!(second.wakes(), 1);
        let Ready(Ok(lease)) = second.poll() else {
            panic!("it was handed on");
        };
        assert_eq!(lease.take(), 1);
        assert_eq!(lines(&rx), (0, 0));
    });
}

#[test]
fn a_lease_frees_a_slot() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let mut behind = parked(tx.send(2));
    let lease = rx.try_lease().unwrap();
    assert_eq!((behind.wakes(), rx.len()), (1, 1));
    assert_eq!(behind.poll(), Ready(Ok(())));
    drop(lease);
    assert_eq!(values(&rx), [1, 2]);
}

#[test]
fn a_panicking_worker_gives_its_value_back() {
    each_with_slots(|_, tx, rx| {
        (1..=2).for_each(|n| {
            // As many as there is room for.
            let _full = tx.try_send(n);
        });
        let work = || {
            let lease = rx.lease_blocking().unwrap();
            assert_ne!(*lease, 1, "what nobody can do");
            lease.take()
        };
        assert!(panic_of(work).contains("what nobody can do"));
        assert_eq!(rx.try_recv(), Ok(1));
    });
}

#[test]
fn an_aborted_task_and_a_dropped_runtime_give_their_values_back() {
    let (tx, rx) = bounded(2);
    (1..=2).for_each(|n| tx.try_send(n).unwrap());
    let works = |rx: Receiver<i32>, busy: tokio::sync::mpsc::Sender<()>| async move {
        let _lease = rx.lease().await.unwrap();
        busy.send(()).await.unwrap();
        pending::<()>().await;
    };
    let (busy, mut is_busy) = tokio::sync::mpsc::channel(1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    runtime.block_on(async {
        let first = tokio::spawn(works(rx.clone(), busy.clone()));
        is_busy.recv().await.unwrap();
        drop(tokio::spawn(works(rx.clone(), busy.clone())));
        is_busy.recv().await.unwrap();
        assert!(rx.is_empty());
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        assert_eq!(rx.len(), 1);
    });
    drop(runtime);
    assert_eq!(values(&rx), [1, 2]);
}

#[test]
fn a_lease_that_times_out_gives_its_value_back() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let work = async {
            let _lease = rx.lease().await.unwrap();
            pending::<()>().await;
        };
        let timed = tokio::time::timeout(Duration::from_millis(1), work).await;
        assert!(timed.is_err());
        assert_eq!(rx.recv().await, Ok(1));
    });
}

// Close.

#[test]
fn closed_is_not_reported_while_a_lease_is_out() {
    each_capacity(|_, tx, rx| {
        let lease = handed_lease(&tx, &rx, 1);
        drop(tx);
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        assert!(matches!(rx.try_lease(), Err(TryRecvError::Empty)));
        let (mut recv, mut other) = (parked(rx.recv()), parked(rx.lease()));
        assert_eq!(lease.take(), 1);
        assert_eq!((recv.wakes(), other.wakes()), (1, 1));
        assert_eq!(recv.poll(), Ready(Err(RecvError)));
        assert!(matches!(other.poll(), Ready(Err(RecvError))));
    });
}

#[test]
fn what_comes_back_to_a_closed_channel_is_received_and_then_it_is_over() {
    each_capacity(|_, tx, rx| {
        let lease = handed_lease(&tx, &rx, 1);
        rx.close();
        let (mut first, mut second) = (parked(rx.recv()), parked(rx.recv()));
        drop(lease);
        assert_eq!((first.wakes(), second.wakes()), (1, 0));
        assert_eq!(first.poll(), Ready(Ok(1)));
        assert_eq!(second.poll(), Ready(Err(RecvError)));
        drop(tx);
    });
}

#[test]
fn several_leases_of_a_closed_channel_end_one_by_one() {
    let (tx, rx) = unbounded();
    (0..3).for_each(|n| tx.try_send(n).unwrap());
    let [first, second, third] = [(); 3].map(|()| rx.try_lease().unwrap());
    drop(tx);
    let mut recv = parked(rx.recv());
    assert_eq!(second.take(), 1);
    assert!(recv.poll().is_pending());
    drop(third);
    assert_eq!(recv.poll(), Ready(Ok(2)));
    let mut recv = parked(rx.recv());
    assert_eq!(first.take(), 0);
    assert_eq!((recv.wakes(), recv.poll()), (1, Ready(Err(RecvError))));
}

#[test]
fn a_lease_that_is_out_when_other_receivers_go_still_comes_back() {
    let (tx, rx) = bounded(2);
    let drops = Drops::default();
    tx.try_send(drops.value(1)).unwrap();
    let other = rx.clone();
    let lease = rx.try_lease().unwrap();
    drop(other);
    drop(lease);
    assert_eq!((drops.count(), rx.len()), (0, 1));
    // With the last receiver goes what is inside.
    drop(rx);
    assert_eq!(drops.count(), 1);
    assert!(tx.is_closed());
}

#[test]
fn a_forgotten_lease_keeps_its_value_and_others_wait_for_it() {
    let (tx, rx) = bounded(1);
    let drops = Drops::default();
    tx.try_send(drops.value(1)).unwrap();
    std::mem::forget(rx.try_lease().unwrap());
    drop(tx);
    assert!(parked(rx.recv()).poll().is_pending());
    drop(rx);
    assert_eq!(drops.count(), 0);
}

// The future.

#[test]
fn a_dropped_lease_future_leaves_the_line_or_hands_its_value_on() {
    each_capacity(|_, tx, rx| {
        let (gone, mut next) = (parked(rx.lease()), parked(rx.recv()));
        drop(gone);
        assert_eq!(lines(&rx), (0, 1));
        tx.try_send(1).unwrap();
        assert_eq!(next.poll(), Ready(Ok(1)));

        let handed = parked(rx.lease());
        tx.try_send(2).unwrap();
        assert!(rx.try_recv().is_err());
        drop(handed);
        assert_eq!(values(&rx), [2]);
    });
}

#[test]
fn a_lease_future_wakes_the_task_that_polled_it_last() {
    let (tx, rx) = bounded(0);
    let mut lease = parked(rx.lease());
    let first = lease.change_waker();
    assert!(lease.poll().is_pending());
    tx.try_send(1).unwrap();
    assert_eq!((first.count(), lease.wakes()), (0, 1));
    assert!(lease.poll().is_ready());
    assert!(lease.future().is_terminated());
    assert!(
        panic_of(|| lease.poll()).contains("`LeaseFuture` polled after it was ready or cancelled")
    );
}

#[test]
fn a_lease_gives_up_the_place_of_the_stream() {
    use futures::StreamExt;

    let (tx, mut rx) = bounded(1);
    assert!(poll_once(StreamExt::next(&mut rx)).is_pending());
    tx.try_send(1).unwrap();
    assert_eq!(rx.try_lease().unwrap().take(), 1);
}

#[test]
fn on_a_never_channel_a_lease_waits_for_ever() {
    let (_tx, rx) = never::<()>();
    assert!(matches!(rx.try_lease(), Err(TryRecvError::Empty)));
    let lease = parked(rx.lease());
    assert_eq!(lease.wakers(), 0);
}

#[test]
fn a_select_takes_a_lease_as_any_future_and_loses_nothing() {
    let (tx, rx) = bounded::<i32>(1);
    let (other_tx, other) = bounded(1);
    let select = async {
        hchan::select! {
            future(rx.lease()) -> lease => lease.unwrap().take(),
            recv(other) -> value => value.unwrap(),
        }
    };
    let mut select = waiting(select);
    tx.try_send(1).unwrap();
    assert_eq!(select.poll(), Ready(1));
    // Its lease loses.
    let mut lost = waiting(async {
        hchan::select! {
            future(rx.lease()) -> lease => lease.unwrap().take(),
            recv(other) -> value => value.unwrap(),
        }
    });
    other_tx.try_send(2).unwrap();
    assert_eq!(lost.poll(), Ready(2));
    drop(lost);
    tx.try_send(3).unwrap();
    assert_eq!(lines(&rx), (0, 0));
    let taken = now(async {
        hchan::select! {
            future(rx.lease()) -> lease => lease.unwrap().take(),
            recv(other) -> value => value.unwrap(),
        }
    });
    assert_eq!(taken, 3);
}

// Wakers.

#[test]
fn a_waker_that_panics_while_a_value_is_leased_puts_it_back() {
    let (tx, rx) = bounded(1);
    tx.try_send(1).unwrap();
    let _send = parked_with(tx.send(2), on_wake(|| panic!("a waker")));
    assert_eq!(panic_of(|| drop(rx.try_lease())), "a waker");
    assert_eq!(values(&rx), [1, 2]);
}

#[test]
fn a_waker_that_panics_as_a_lease_comes_back_loses_nothing() {
    let (tx, rx) = bounded(1);
    let lease = handed_lease(&tx, &rx, 1);
    let recv = parked_with(rx.recv(), on_wake(|| panic!("a waker")));
    assert_eq!(panic_of(|| drop(lease)), "a waker");
    drop(recv);
    assert_eq!(values(&rx), [1]);
}

#[test]
fn a_lease_that_a_panic_drops_beside_a_panicking_waker_does_not_abort() {
    let (tx, rx) = bounded(1);
    let lease = handed_lease(&tx, &rx, 1);
    let recv = parked_with(rx.recv(), on_wake(|| panic!("a waker")));
    let died = catch_unwind(AssertUnwindSafe(|| {
        let _lease = lease;
        panic!("a worker");
    }));
    assert_eq!(died.unwrap_err().downcast_ref(), Some(&"a worker"));
    drop(recv);
    assert_eq!(values(&rx), [1]);
}

#[test]
fn a_lease_of_a_sender_of_its_own_channel_may_use_it() {
    struct Own(Sender<Own>);

    let (tx, rx) = bounded(1);
    tx.try_send(Own(tx.clone())).ok().unwrap();
    let lease = rx.try_lease().unwrap();
    assert!(lease.0.same_channel(&tx));
    lease.0.try_send(Own(tx)).ok().unwrap();
    drop(lease.take());
    drop(rx);
}

// Threads.

#[test]
fn workers_that_fail_at_random_lose_no_job_and_do_none_twice() {
    const JOBS: usize = 20_000;
    let (tx, rx) = bounded::<usize>(8);
    let done: Arc<Vec<AtomicUsize>> = Arc::new((0..JOBS).map(|_| AtomicUsize::new(0)).collect());
    let workers: Vec<_> = (0..4)
        .map(|seed| {
            let (rx, done, mut random) = (rx.clone(), done.clone(), fastrand::Rng::with_seed(seed));
            thread::spawn(move || {
                while let Ok(job) = rx.lease_blocking() {
                    match random.u8(..4) {
                        0 => drop(job),
                        1 => {
                            let died = catch_unwind(AssertUnwindSafe(move || {
                                let _job = job;
                                std::panic::resume_unwind(Box::new(()));
                            }));
                            assert!(died.is_err());
                        }
                        _ => {
                            let job = job.take();
                            done[job].fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            })
        })
        .collect();
    drop(rx);
    (0..JOBS).for_each(|job| tx.send_blocking(job).unwrap());
    drop(tx);
    workers.into_iter().for_each(|it| it.join().unwrap());
    assert!(done.iter().all(|times| times.load(Ordering::Relaxed) == 1));
}
